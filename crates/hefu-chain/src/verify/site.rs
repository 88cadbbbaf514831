//! A site of tiles: every entry hashed again, every tile and the signed root compared with them.
//!
//! The root vouches for tiles, tiles vouch for leaves, leaves vouch for each other by the chain: so a damaged tile and an
//! altered record are told apart. Entries are read in parts, on as many threads as allowed; memory is 32 bytes per 256
//! records and one part. A site has no bodies and no commands: those are checked where they are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use super::check::{Body, Command, Context, Row};
use super::entries::entries;
use super::finding::{Finding, FindingKind, Report};
use super::keys::KeyRing;
use super::ladder::{Climbed, Ladder, Shelf, Stored, choose};
use super::link::{self, Before};
use super::row::{Pass, State};
use super::{Options, order, word};
use crate::chain::ChainContext;
use crate::checkpoint::Checkpoint;
use crate::hash::ChainHash;
use crate::leaf::LeafRef;
use crate::log_keys::LogKeys;
use crate::record::RecordRef;
use crate::source::Source;
use crate::tile::{Kind, Tile, join};
use crate::tree::{TreeHash, verify_consistency};

/// A site with this file was made without entries. Its operator says so and nobody signed it: it changes what is to be
/// expected, not what was checked.
pub const PUBLIC: &str = "public";

/// Bundles a thread reads and checks before the parts are joined.
const BUNDLES_PER_THREAD: u64 = 32;

/// Verifies a site: `checkpoint`, `tile/<level>/…`, and `tile/entries/…` where they are given away.
///
/// Fails only if something cannot be read for other reasons than that it is not there.
pub fn site(source: &dyn Source, options: &Options<'_>) -> io::Result<Report> {
    let mut report = Report { origin: options.origin.clone(), log_key: options.log_key, ..Report::default() };
    let Some(note) = source.read("checkpoint")? else {
        let finding = Finding::new(FindingKind::CheckpointMissing, "checkpoint");
        report.findings.push(finding.expected("the log's signed checkpoint"));
        report.settle(options);
        return Ok(report);
    };
    let word = word::read("checkpoint", &note, options, None, options.origin.as_ref());
    report.findings.extend(word.findings);
    report.notes.extend(word.notes);
    report.checkpoint.clone_from(&word.checkpoint);
    if let Some(checkpoint) = &word.checkpoint {
        report.origin.get_or_insert_with(|| checkpoint.origin.clone());
        Site { source, options, checkpoint, trusted: word.trusted }.check(&mut report)?;
    }
    report.settle(options);
    Ok(report)
}

struct Site<'a> {
    source: &'a dyn Source,
    options: &'a Options<'a>,
    checkpoint: &'a Checkpoint,
    /// The checkpoint is the log's word: its root counts.
    trusted: bool,
}

/// The hashes of the entries of the bundle that was read last.
type Kept = RefCell<Option<(u64, Vec<Option<TreeHash>>)>>;

/// A bundle and the hash tile beside it, as they lie there.
struct Files {
    index: u64,
    tile: Tile,
    path: String,
    bytes: Option<Vec<u8>>,
    hashes: Stored,
}

/// A bundle, hashed.
struct Part<'w> {
    rows: Vec<Row<'w>>,
    /// The hash of the entry in each place, where there is one.
    hashes: Vec<Option<TreeHash>>,
    findings: Vec<Finding>,
    /// Everything is as the tile says, and the tile as the root says.
    clean: bool,
}

impl Site<'_> {
    fn check(&self, report: &mut Report) -> io::Result<()> {
        let size = self.checkpoint.size;
        let ladder = Ladder { source: self.source, shelf: Shelf::Site, size };
        let last = Tile::at(Kind::Hashes(0), size.saturating_sub(1) / 256, size);
        if let (false, Some(last)) = (self.trusted, last)
            && ladder.read(last)?.missing
        {
            // A size that nobody signed may be any number.
            let finding = Finding::new(FindingKind::TileMissing, last.to_string().as_str());
            if report.findings.iter().all(|finding| finding.kind.is_absence()) {
                report.findings.push(finding.expected(format!("the last hashes of {size} records")));
            }
            report.notes.push("the checkpoint is not to be believed: nothing was compared with it".into());
            return Ok(());
        }
        let entries_given = self.entries_given()?;
        let kept = Kept::default();
        let below = |level: u8, index: u64| {
            if entries_given { self.hash_of_entries(&kept, level, index) } else { None }
        };
        // A root that nobody signed is still what the site claims; but that it differs is then no second finding.
        let mut climbed = ladder.climb(Some(self.checkpoint.root), &below)?;
        if !climbed.sure && !self.trusted {
            climbed = ladder.climb(None, &below)?;
        } else if let Some(root) = climbed.other_root {
            let finding = Finding::new(FindingKind::Fork, "checkpoint").field("root").stored(root);
            report.findings.push(finding.expected(self.checkpoint.root));
        } else if !climbed.sure {
            let finding = Finding::new(FindingKind::Fork, "checkpoint").field("root");
            report.findings.push(finding.expected(self.checkpoint.root));
        }
        report.findings.append(&mut climbed.findings);
        if entries_given {
            self.entries(&ladder, &climbed, report)?;
            if !report.findings.is_empty() && report.findings.iter().all(Finding::is_of_tiles) {
                report.notes.push("records intact: only tiles are damaged".into());
            }
        } else {
            self.tiles_only(&ladder, &climbed, report)?;
            if self.source.read(PUBLIC)?.is_some() {
                report.notes.push("no entries here, as the site is public: records were not checked".into());
            } else {
                let finding = Finding::new(FindingKind::TileMissing, "tile/entries");
                report.findings.push(finding.expected(format!("the leaves of {size} records")));
            }
        }
        report.notes.push("not checked, as a site has none: bodies, commands and their signatures".into());
        report.size = size;
        match self.options.since {
            Some(since) => self.since(since, &below, report),
            None => report.notes.push("not checked without an older checkpoint (--since): rollback".into()),
        }
        Ok(())
    }

    /// A site without any entries was made without them.
    fn entries_given(&self) -> io::Result<bool> {
        let size = self.checkpoint.size;
        let ends = [0, size.saturating_sub(1) / 256];
        for tile in ends.into_iter().filter_map(|index| Tile::at(Kind::Entries, index, size)) {
            if self.source.read(&tile.to_string())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The hash over full subtrees as the entries give it.
    fn hash_of_entries(&self, kept: &Kept, level: u8, index: u64) -> Option<TreeHash> {
        let Some(level) = level.checked_sub(1) else {
            let bundle = index / 256;
            if kept.borrow().as_ref().is_none_or(|(there, _)| *there != bundle) {
                let tile = Tile::at(Kind::Entries, bundle, self.checkpoint.size)?;
                let bytes = self.source.read(&tile.to_string()).ok()??;
                let (found, _) = entries(&bytes, tile.width());
                let hashes = found.iter().map(|entry| Some(TreeHash::leaf(entry.leaf))).collect();
                *kept.borrow_mut() = Some((bundle, hashes));
            }
            let kept = kept.borrow();
            return kept.as_ref()?.1.get(usize::try_from(index % 256).ok()?).copied()?;
        };
        let hashes: Option<Vec<_>> =
            (0..256).map(|at| self.hash_of_entries(kept, level, index * 256 + at)).collect();
        join(hashes?)
    }

    /// Checks the lowest tiles of a site without entries.
    fn tiles_only(&self, ladder: &Ladder<'_>, climbed: &Climbed, report: &mut Report) -> io::Result<()> {
        for (parent, index) in climbed.parents.iter().zip(0..) {
            let Some(tile) = Tile::at(Kind::Hashes(0), index, self.checkpoint.size) else { break };
            let stored = ladder.read(tile)?;
            Ladder::tell(tile, &stored, &stored.hashes, &mut report.findings);
            let all: Option<Vec<_>> = stored.hashes.iter().copied().collect();
            if let (Some(all), Some(parent)) = (all, parent) {
                let root = join(all);
                if root != Some(*parent) {
                    let finding = Finding::new(FindingKind::TileDamaged, &stored.path).field("root");
                    report.findings.push(finding.stored_opt(root).expected(parent));
                }
            }
            ladder.older(tile, &stored.hashes, &mut report.findings)?;
            self.progress(256);
        }
        if let Some(edge) = Tile::at(Kind::Hashes(0), self.checkpoint.size / 256, self.checkpoint.size) {
            ladder.older(edge, &climbed.edge, &mut report.findings)?;
        }
        Ok(())
    }

    fn progress(&self, records: u64) {
        if let Some(progress) = self.options.progress {
            progress(records);
        }
    }

    fn entries(&self, ladder: &Ladder<'_>, climbed: &Climbed, report: &mut Report) -> io::Result<()> {
        let origin = self.options.origin.as_ref().unwrap_or(&self.checkpoint.origin);
        let keys = KeyRing::default();
        let context = Context {
            origin,
            chain: ChainContext::new(origin),
            log_keys: &LogKeys::default(),
            keys: &keys,
            hashes_only: true,
            tree: true,
            threads: self.options.threads.max(1),
            progress: None,
        };
        let mut state = State::at_start(context.chain.start());
        let bundles = self.checkpoint.size.div_ceil(256);
        let step = BUNDLES_PER_THREAD * context.threads as u64;
        for from in (0..bundles).step_by(usize::try_from(step).unwrap_or(1)) {
            let until = bundles.min(from + step);
            let files = self.read(ladder, from, until, context.threads)?;
            let parts = hash(&context, &files, climbed);
            let mut window = Window { site: self, context: &context, climbed, files: &files };
            window.judge(parts, &mut state, report);
            for file in &files {
                self.older_entries(file, climbed, ladder, report)?;
            }
        }
        report.head = state.head;
        Ok(())
    }

    /// Reads bundles and their hash tiles, several at once.
    fn read(&self, ladder: &Ladder<'_>, from: u64, until: u64, threads: usize) -> io::Result<Vec<Files>> {
        let indices: Vec<u64> = (from..until).collect();
        let one = |index: &u64| -> io::Result<Option<Files>> {
            let size = self.checkpoint.size;
            let tiles = Tile::at(Kind::Entries, *index, size).zip(Tile::at(Kind::Hashes(0), *index, size));
            let Some((tile, hashes)) = tiles else { return Ok(None) };
            let mut path = tile.to_string();
            let mut bytes = self.source.read(&path)?;
            if bytes.is_none()
                && let Ok(full) = Tile::new(Kind::Entries, *index, 256)
                && !tile.is_full()
                && let Some(more) = self.source.read(&full.to_string())?
            {
                path = full.to_string();
                let (found, _) = entries(&more, 256);
                let end = found.get(usize::from(tile.width())).map_or(more.len(), |entry| entry.offset);
                bytes = Some(more[..end].to_vec());
            }
            Ok(Some(Files { index: *index, tile, path, bytes, hashes: ladder.read(hashes)? }))
        };
        let per_thread = indices.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = indices
                .chunks(per_thread)
                .map(|indices| scope.spawn(|| indices.iter().filter_map(|at| one(at).transpose()).collect()))
                .collect();
            let mut files = Vec::new();
            for worker in workers {
                let read: io::Result<Vec<Files>> =
                    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                files.extend(read?);
            }
            Ok(files)
        })
    }

    /// Bundles of checkpoints before this one must be the beginning of this one.
    fn older_entries(
        &self,
        files: &Files,
        climbed: &Climbed,
        ladder: &Ladder<'_>,
        report: &mut Report,
    ) -> io::Result<()> {
        let folder = format!(
            "{}.p",
            Tile::new(Kind::Entries, files.index, 256)
                .map_or_else(|_| String::new(), |tile| tile.to_string())
        );
        let known = settled(files, climbed, &files.hashes.hashes).hashes;
        if let Ok(tile) = Tile::new(Kind::Hashes(0), files.index, files.tile.width()) {
            ladder.older(tile, &known, &mut report.findings)?;
        }
        for name in self.source.list(&folder)?.unwrap_or_default() {
            let Some(width) = name.parse().ok().filter(|width: &u16| *width < files.tile.width()) else {
                continue;
            };
            let path = format!("{folder}/{name}");
            let Some(bytes) = self.source.read(&path)? else { continue };
            let (found, rest) = entries(&bytes, width);
            let as_known = |(entry, known): (&super::entries::Entry<'_>, &Option<TreeHash>)| {
                known.is_none_or(|known| TreeHash::leaf(entry.leaf) == known) && entry.wrong_len.is_none()
            };
            let wrong = found.iter().zip(&known).position(|pair| !as_known(pair));
            if wrong.is_some() || rest.is_some() || found.len() != usize::from(width) {
                let at = wrong.unwrap_or(found.len());
                let finding = Finding::new(FindingKind::TileDamaged, &path).field("entry");
                let position = files.index * 256 + at as u64;
                let offset = found.get(at).map_or(rest.unwrap_or(bytes.len()), |entry| entry.offset);
                report.findings.push(finding.at(position, offset as u64).expected("as in the newer bundle"));
            }
        }
        Ok(())
    }

    /// Does the tree continue the one of an older checkpoint?
    fn since(&self, note: &[u8], below: super::ladder::Below<'_>, report: &mut Report) {
        let Checkpoint { origin, size, root } = self.checkpoint;
        let old = word::read("since", note, self.options, None, Some(origin));
        report.findings.extend(old.findings);
        // Without a key nobody's word is known; with one, only the log's counts.
        let believed = old.trusted || self.options.log_key.is_none();
        let Some(old) = old.checkpoint.filter(|_| believed) else { return };
        if old.size > *size {
            let finding = Finding::new(FindingKind::Rollback, "checkpoint").field("size");
            report.findings.push(finding.position(*size).stored(size).expected(old.size));
            return;
        }
        let ladder = Ladder { source: self.source, shelf: Shelf::Site, size: *size };
        let mut stored = |level: u8, index: u64| -> Option<TreeHash> {
            let tile = Tile::at(Kind::Hashes(level), index / 256, *size)?;
            let hashes = ladder.read(tile).ok()?.hashes;
            hashes.get(usize::try_from(index % 256).ok()?).copied()?
        };
        let mut from_records = |level: u8, index: u64| below(level, index);
        // A damaged tile is no other history: the records may still prove this one.
        let readings: [&mut dyn FnMut(u8, u64) -> Option<TreeHash>; 2] = [&mut stored, &mut from_records];
        let mut silent = true;
        let holds = readings.into_iter().any(|hash| {
            let mut source = super::ladder::Subtrees { hash };
            crate::tree::consistency(&mut source, old.size, *size).is_ok_and(|proof| {
                silent = false;
                verify_consistency(old.size, &old.root, *size, root, &proof).is_ok()
            })
        });
        if holds {
            report.notes.push(format!("continues the older checkpoint of {} records", old.size));
        } else if silent {
            report.notes.push("the older checkpoint was not compared: hashes are missing".into());
        } else {
            let finding = Finding::new(FindingKind::Fork, "checkpoint").field("root");
            report.findings.push(
                finding
                    .stored(root)
                    .expected(format!("a tree that continues {} records with root {}", old.size, old.root)),
            );
        }
    }
}

/// What the lowest tile of these files should hold.
fn settled(files: &Files, climbed: &Climbed, leaves: &[Option<TreeHash>]) -> super::ladder::Settled {
    if !files.tile.is_full() {
        return super::ladder::Settled { hashes: climbed.edge.clone(), sure: true };
    }
    let at = usize::try_from(files.index).unwrap_or(usize::MAX);
    let parent = climbed.parents.get(at).copied().flatten();
    choose(&files.hashes.hashes, leaves, &|hashes| parent.is_some() && join(hashes.to_vec()) == parent)
}

/// Hashes the entries of bundles, on all threads.
fn hash<'w>(context: &Context<'_>, files: &'w [Files], climbed: &Climbed) -> Vec<Part<'w>> {
    let per_thread = files.len().div_ceil(context.threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(per_thread)
            .map(|files| {
                scope.spawn(|| files.iter().map(|file| part(context, file, climbed)).collect::<Vec<_>>())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn part<'w>(context: &Context<'_>, files: &'w Files, climbed: &Climbed) -> Part<'w> {
    let width = files.tile.width();
    let first = files.index * 256;
    let (found, rest) = entries(files.bytes.as_deref().unwrap_or_default(), width);
    let mut part = Part { rows: Vec::new(), hashes: Vec::new(), findings: Vec::new(), clean: true };
    for (entry, at) in found.into_iter().zip(first..) {
        let offset = entry.offset as u64;
        if let Some(len) = entry.wrong_len {
            let finding = Finding::new(FindingKind::FrameDamaged, &files.path).at(at, offset).field("length");
            part.findings.push(finding.stored(len).expected(entry.leaf.len()));
        }
        let tree = TreeHash::leaf(entry.leaf);
        part.hashes.push(Some(tree));
        part.rows.push(Row {
            at,
            offset,
            record: RecordRef { position: at, leaf: entry.leaf, body: b"", command: b"", redacted_by: None },
            damage: None,
            leaf: LeafRef::parse(entry.leaf),
            link: context.chain.link(entry.leaf),
            tree: Some(tree),
            body: Body::Elsewhere,
            command: Command::Elsewhere,
        });
    }
    if let Some(rest) = rest {
        let finding = Finding::new(FindingKind::FrameDamaged, &files.path).field("length");
        part.findings
            .push(finding.at(first + part.rows.len() as u64, rest as u64).stored("a part of an entry"));
    }
    part.hashes.resize(usize::from(width), None);
    let as_told = part.rows.len() == usize::from(width) && part.hashes == files.hashes.hashes;
    let vouched = if files.tile.is_full() {
        let at = usize::try_from(files.index).unwrap_or(usize::MAX);
        let parent = climbed.parents.get(at).copied().flatten();
        parent.is_some() && join(part.hashes.iter().copied().flatten().collect()) == parent
    } else {
        climbed.edge == part.hashes
    };
    part.clean = as_told && vouched && part.findings.is_empty();
    part
}

/// Some bundles that are judged together.
struct Window<'a, 'w> {
    site: &'a Site<'a>,
    context: &'a Context<'a>,
    climbed: &'a Climbed,
    files: &'w [Files],
}

impl<'w> Window<'_, 'w> {
    fn judge(&mut self, parts: Vec<Part<'w>>, state: &mut State, report: &mut Report) {
        let first = self.files.first().map_or(0, |file| file.index * 256);
        let limit = self.files.last().map_or(0, |file| file.index * 256 + u64::from(file.tile.width()));
        let already = report.findings.len();
        let clean = parts.iter().all(|part| part.clean);
        let mut truth: Vec<Option<TreeHash>> = Vec::new();
        // Hashes of tiles that differ from what is there where nothing vouches for either.
        let mut open: HashMap<u64, Finding> = HashMap::new();
        let mut rows = Vec::new();
        for (part, file) in parts.into_iter().zip(self.files) {
            if !clean {
                let settled = settled(file, self.climbed, &part.hashes);
                if file.bytes.is_none() {
                    let finding = Finding::new(FindingKind::TileMissing, &file.path);
                    let range = format!(
                        "records {} to {}",
                        file.index * 256,
                        file.index * 256 + u64::from(file.tile.width()) - 1
                    );
                    report.findings.push(finding.expected(range));
                }
                if file.tile.is_full()
                    && let Ok(tile) = Tile::new(Kind::Hashes(0), file.index, 256)
                {
                    Ladder::tell(tile, &file.hashes, &settled.hashes, &mut report.findings);
                }
                if let Ok(tile) = Tile::new(Kind::Hashes(0), file.index, file.tile.width()) {
                    for at in (0..settled.hashes.len()).filter(|at| settled.hashes[*at].is_none()) {
                        let stored = file.hashes.hashes.get(at).copied().flatten();
                        if let (Some(stored), Some(there)) = (stored, part.hashes.get(at).copied().flatten())
                        {
                            let finding = file.hashes.damaged(tile, at).stored(stored).expected(there);
                            open.insert(file.index * 256 + at as u64, finding);
                        }
                    }
                }
                truth.extend(settled.hashes);
            }
            report.findings.extend(part.findings);
            rows.extend(part.rows);
        }
        let name = "";
        let mut pass = Pass {
            context: self.context,
            name,
            schemas: self.site.options.schemas,
            watch: None,
            state,
            report,
        };
        let count = rows.len() as u64;
        pass.report.records += count;
        pass.entries(rows, &Truth { first, limit, hashes: truth, clean }, open);
        for finding in &mut report.findings[already..] {
            if finding.segment.is_empty() {
                let tile = finding
                    .position
                    .and_then(|at| Tile::at(Kind::Entries, at / 256, self.site.checkpoint.size));
                finding.segment = tile.map_or_else(|| "tile/entries".to_owned(), |tile| tile.to_string());
            }
        }
        report.findings[already..].sort_by_key(|finding| (finding.position, finding.offset));
        self.site.progress(count);
    }
}

/// What the tree says of the leaves of a window.
pub(super) struct Truth {
    first: u64,
    limit: u64,
    hashes: Vec<Option<TreeHash>>,
    clean: bool,
}

impl Truth {
    fn at(&self, position: u64) -> Option<TreeHash> {
        let at = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.hashes.get(at).copied()?
    }
}

impl Pass<'_> {
    /// Judges leaves that have neither bodies nor commits; the tree stands in for signed heads.
    fn entries(&mut self, mut rows: Vec<Row<'_>>, truth: &Truth, mut open: HashMap<u64, Finding>) {
        let mut anchors: HashMap<u64, ChainHash> = HashMap::new();
        if !truth.clean {
            // A leaf that the tree has in another place stands in the wrong one.
            let places: HashMap<TreeHash, u64> = truth
                .hashes
                .iter()
                .zip(truth.first..)
                .filter_map(|(hash, at)| Some(((*hash)?, at)))
                .collect();
            for row in &mut rows {
                let place = row.tree.and_then(|tree| places.get(&tree).copied());
                if truth.at(row.at) != row.tree
                    && let Some(place) = place.or(row.leaf.ok().map(|leaf| leaf.seq))
                {
                    row.record.position = place;
                    row.at = place;
                }
                if row.tree.is_some() && truth.at(row.at) == row.tree {
                    anchors.insert(row.at, row.link);
                }
            }
        }
        let first = self.state.next;
        let arranged = order::arrange(&mut rows, first, Some(truth.limit), self.state.head);
        let before = Before { next: first, head: self.state.head, doubtful: self.state.doubtful };
        let marks = link::judge(&self.context.chain, &rows, before, &anchors);
        for (kind, row) in &arranged.extras {
            let finding = self.finding(*kind, row).stored(row.link);
            self.push(finding);
        }
        for (index, row) in rows.iter().enumerate() {
            if row.at > self.state.next {
                self.gap(row.at, 0..0, &mut Vec::new());
            }
            let already = self.report.findings.len();
            let before = index.checked_sub(1).map(|before| &rows[before]);
            self.row(row, before, marks.get(&index), &arranged);
            let about_leaf = |finding: &Finding| {
                matches!(
                    finding.kind,
                    FindingKind::LeafAltered | FindingKind::LinkBroken | FindingKind::UnknownSchema
                )
            };
            // What an altered leaf says of its stream and time is nobody's word.
            if matches!((truth.at(row.at), row.tree), (Some(known), Some(tree)) if known != tree) {
                let said = self.report.findings.split_off(already);
                let hearsay = |finding: &Finding| {
                    matches!(finding.kind, FindingKind::StreamBroken | FindingKind::TimeWentBack)
                };
                self.report.findings.extend(said.into_iter().filter(|finding| !hearsay(finding)));
            }
            let told = self.report.findings[already..].iter().any(about_leaf);
            match (truth.at(row.at), row.tree) {
                (Some(known), Some(tree)) if known != tree && !told => {
                    let finding = self.finding(FindingKind::LeafAltered, row).stored(tree).expected(known);
                    self.push(finding);
                }
                (None, Some(_)) if !told => self.report.findings.extend(open.remove(&row.at)),
                _ => {}
            }
        }
        if truth.limit > self.state.next {
            self.gap(truth.limit, 0..0, &mut Vec::new());
        }
    }
}
