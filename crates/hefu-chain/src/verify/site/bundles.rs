//! The bundles of entries of a site: read and hashed some at a time, on as many threads as allowed.

use std::io;

use super::Site;
use super::homes::Homes;
use super::window::Window;
use crate::chain::ChainContext;
use crate::leaf::LeafRef;
use crate::log_keys::LogKeys;
use crate::record::RecordRef;
use crate::tile::{Kind, Tile, join};
use crate::tree::TreeHash;
use crate::verify::check::{Body, Command, Context, Row};
use crate::verify::entries::entries;
use crate::verify::finding::{Finding, FindingKind, Report};
use crate::verify::keys::KeyRing;
use crate::verify::ladder::{Climbed, END, Ladder, Stored, choose};
use crate::verify::row::State;

/// Bundles a thread reads and checks before the parts are joined.
const BUNDLES_PER_THREAD: u64 = 32;

/// A bundle and the hash tile beside it, as they lie there.
pub(super) struct Files {
    pub(super) index: u64,
    pub(super) tile: Tile,
    pub(super) path: String,
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) hashes: Stored,
}

/// A bundle, hashed.
pub(super) struct Part<'w> {
    pub(super) rows: Vec<Row<'w>>,
    /// The hash of the entry in each place, where there is one.
    pub(super) hashes: Vec<Option<TreeHash>>,
    pub(super) findings: Vec<Finding>,
    /// Everything is as the tile says, and the tile as the root says.
    pub(super) clean: bool,
}

impl Site<'_> {
    pub(super) fn entries(
        &self,
        ladder: &Ladder<'_>,
        climbed: &Climbed,
        report: &mut Report,
    ) -> io::Result<()> {
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
        let homes = Homes::new(climbed);
        let bundles = self.checkpoint.size.div_ceil(256);
        let step = BUNDLES_PER_THREAD * context.threads as u64;
        for from in (0..bundles).step_by(usize::try_from(step).unwrap_or(1)) {
            let until = bundles.min(from + step);
            let mut files = self.read(ladder, from, until, context.threads)?;
            let mut parts = hash(&context, &files, climbed);
            let strange: Vec<bool> = parts.iter().map(|part| !part.clean).collect();
            if strange.contains(&true) {
                drop(parts);
                self.put_back(&homes, &mut files, &strange, report)?;
                parts = hash(&context, &files, climbed);
            }
            let mut window = Window { site: self, context: &context, climbed, files: &files };
            window.judge(parts, &mut state, report);
            for file in &files {
                self.older_entries(file, climbed, ladder, report)?;
            }
        }
        report.head = state.head;
        Ok(())
    }

    /// Reads a bundle, and says from which file. A partial one that is gone may be had from the full one.
    pub(super) fn bundle(&self, tile: Tile) -> io::Result<(String, Option<Vec<u8>>)> {
        let path = tile.to_string();
        let bytes = self.source.read(&path)?;
        if bytes.is_none()
            && let Ok(full) = Tile::new(Kind::Entries, tile.index(), 256)
            && !tile.is_full()
            && let Some(more) = self.source.read(&full.to_string())?
        {
            let (found, _) = entries(&more, 256);
            // No more than the partial one under another name is no full bundle.
            if let Some(next) = found.get(usize::from(tile.width())) {
                return Ok((full.to_string(), Some(more[..next.offset].to_vec())));
            }
        }
        Ok((path, bytes))
    }

    /// Reads bundles and their hash tiles, several at once.
    fn read(&self, ladder: &Ladder<'_>, from: u64, until: u64, threads: usize) -> io::Result<Vec<Files>> {
        let indices: Vec<u64> = (from..until).collect();
        let one = |index: &u64| -> io::Result<Option<Files>> {
            let size = self.checkpoint.size;
            let tiles = Tile::at(Kind::Entries, *index, size).zip(Tile::at(Kind::Hashes(0), *index, size));
            let Some((tile, hashes)) = tiles else { return Ok(None) };
            let (path, bytes) = self.bundle(tile)?;
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
            let as_known = |(entry, known): (&crate::verify::entries::Entry<'_>, &Option<TreeHash>)| {
                known.is_none_or(|known| TreeHash::leaf(entry.leaf) == known) && entry.wrong_len.is_none()
            };
            let wrong = found.iter().zip(&known).position(|pair| !as_known(pair));
            if wrong.is_some() || rest.is_some() || found.len() != usize::from(width) {
                let at = wrong.unwrap_or(found.len());
                let finding = Finding::new(FindingKind::TileDamaged, &path).field("entry");
                let position = files.index * 256 + at as u64;
                let offset = found.get(at).map_or(rest.unwrap_or(bytes.len()), |entry| entry.offset);
                report.findings.push(if wrong.is_none() && at == usize::from(width) {
                    surplus(&path, offset, bytes.len())
                } else {
                    finding.at(position, offset as u64).expected("as in the newer bundle")
                });
            }
        }
        Ok(())
    }
}

/// Bytes from `offset` on, behind the last entry of a bundle.
fn surplus(path: &str, offset: usize, len: usize) -> Finding {
    let finding = Finding::new(FindingKind::FrameDamaged, path).offset(offset as u64).field("surplus");
    finding.stored(format!("{} bytes", len - offset)).expected(END)
}

/// What the lowest tile of these files should hold.
pub(super) fn settled(
    files: &Files,
    climbed: &Climbed,
    leaves: &[Option<TreeHash>],
) -> crate::verify::ladder::Settled {
    if !files.tile.is_full() {
        return crate::verify::ladder::Settled { hashes: climbed.edge.clone(), sure: true };
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
    let len = files.bytes.as_ref().map_or(0, Vec::len);
    if let Some(rest) = rest.filter(|_| part.rows.len() >= usize::from(width)) {
        part.findings.push(surplus(&files.path, rest, len));
    } else if let Some(rest) = rest {
        let finding = Finding::new(FindingKind::FrameDamaged, &files.path).field("length");
        part.findings
            .push(finding.at(first + part.rows.len() as u64, rest as u64).stored("a part of an entry"));
    }
    part.hashes.resize(usize::from(width), None);
    let as_told =
        part.rows.len() == usize::from(width) && part.hashes == files.hashes.hashes && files.hashes.fits();
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
