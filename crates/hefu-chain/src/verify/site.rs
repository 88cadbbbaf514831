//! A site of tiles: every entry hashed again, every tile and the signed root compared with them.
//!
//! The root vouches for tiles, tiles vouch for leaves, leaves vouch for each other by the chain: so a damaged tile and an
//! altered record are told apart. Entries are read in parts, on as many threads as allowed; memory is 32 bytes per 256
//! records and one part. A site has no bodies and no commands: those are checked where they are.

mod bundles;
mod homes;
mod window;

use homes::Homes;
use std::cell::RefCell;
use std::io;

use super::entries::entries;
use super::finding::{Finding, FindingKind, Report};
use super::ladder::{Climbed, Ladder, Shelf};
use super::{Options, word};
use crate::checkpoint::Checkpoint;
use crate::source::Source;
use crate::tile::{Kind, Tile, join};
use crate::tree::{TreeHash, verify_consistency};

/// A site with this file was made without entries. Its operator says so and nobody signed it: it changes what is to be
/// expected, not what was checked.
pub const PUBLIC: &str = "public";

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
        } else if !climbed.sure && climbed.findings.iter().any(|finding| !finding.kind.is_absence()) {
            let finding = Finding::new(FindingKind::Fork, "checkpoint").field("root");
            report.findings.push(finding.expected(self.checkpoint.root));
        }
        if !climbed.sure && climbed.findings.iter().all(|finding| finding.kind.is_absence()) {
            // What is not there is no other history.
            report.notes.push("the root was not compared: hashes are missing".into());
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
        if self.newer_tiles()? {
            let why = "a newer checkpoint was exported, or an export was cut short";
            report.notes.push(format!("tiles of more than {size} records are here: {why}"));
        }
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
            if self.bundle(tile)?.1.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tiles stay, so those of a newer checkpoint than this one can be seen; fewer of them where nothing can be listed.
    fn newer_tiles(&self) -> io::Result<bool> {
        let Checkpoint { size, .. } = self.checkpoint;
        let Ok(full) = Tile::new(Kind::Hashes(0), size / 256, 256) else { return Ok(false) };
        if self.source.read(&full.to_string())?.is_some() {
            return Ok(true);
        }
        let widths = self.source.list(&format!("{full}.p"))?.unwrap_or_default();
        Ok(widths.iter().filter_map(|width| width.parse().ok()).any(|width: u64| width > size % 256))
    }

    /// The hash over full subtrees as the entries give it.
    fn hash_of_entries(&self, kept: &Kept, level: u8, index: u64) -> Option<TreeHash> {
        let Some(level) = level.checked_sub(1) else {
            let bundle = index / 256;
            if kept.borrow().as_ref().is_none_or(|(there, _)| *there != bundle) {
                let tile = Tile::at(Kind::Entries, bundle, self.checkpoint.size)?;
                let bytes = self.bundle(tile).ok()?.1?;
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
        let homes = Homes::new(climbed);
        for (parent, index) in climbed.parents.iter().zip(0..) {
            let Some(tile) = Tile::at(Kind::Hashes(0), index, self.checkpoint.size) else { break };
            let stored = ladder.read(tile)?;
            if climbed.edge_at == Some(index) {
                let edge = self.checkpoint.size / 256;
                report.findings.push(homes::elsewhere(FindingKind::TileDamaged, &stored.path, index, edge));
                self.strayed_edge(&homes, edge, report)?;
                continue;
            }
            Ladder::tell(tile, &stored, &stored.hashes, &mut report.findings);
            let all: Option<Vec<_>> = stored.hashes.iter().copied().collect();
            if let (Some(all), Some(parent)) = (all, parent) {
                let root = join(all.clone());
                let home = homes.of(all).filter(|home| *home != index);
                if let Some(home) = home {
                    let kind = FindingKind::TileDamaged;
                    report.findings.push(homes::elsewhere(kind, &stored.path, index, home));
                } else if root != Some(*parent) {
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
