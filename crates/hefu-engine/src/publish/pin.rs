//! What the log's key has signed before, and whether the log still continues it.
//!
//! `checkpoint` is the newest published checkpoint, with its cosignatures. `checkpoint.signed` is one that the log has
//! signed and shown to cosigners; it is there only while they have not all answered. The log must continue both.

use std::path::{Path, PathBuf};

use hefu_chain::{
    checkpoint::Checkpoint,
    tile::TileBuilder,
    tree::{self, TreeHash, verify_inclusion},
};
use hefu_store::LogReader;

use super::{
    CHECKPOINT, Disagreement, PublishError, Published, each,
    files::{read, try_turn},
    signatory::Signatory,
    tiles::{Growing, Tiles},
};
use crate::answer::EngineError;

/// The name of a checkpoint that is not published yet.
pub(super) const SIGNED: &str = "checkpoint.signed";

/// The checkpoints in a ledger's directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins {
    pub(super) published: Option<Published>,
    /// Signed, shown to cosigners, not published.
    pub(super) signed: Option<Published>,
}

/// The same before anything is known of the log. What they stand for must be in it, so they are read first.
pub(super) struct PinBytes([Option<Vec<u8>>; 2]);

impl PinBytes {
    pub(super) fn read(dir: &Path) -> Result<PinBytes, EngineError> {
        Ok(PinBytes([read(&dir.join(CHECKPOINT))?, read(&dir.join(SIGNED))?]))
    }

    pub(super) fn judge(self, dir: &Path, log: &Signatory) -> Result<Pins, EngineError> {
        let PinBytes([published, signed]) = self;
        let judge = |name: &str, bytes: Option<Vec<u8>>| {
            bytes.map(|bytes| log.parse(&dir.join(name), &bytes)).transpose()
        };
        Ok(Pins { published: judge(CHECKPOINT, published)?, signed: judge(SIGNED, signed)? })
    }
}

impl Pins {
    pub(super) fn read(dir: &Path, log: &Signatory) -> Result<Pins, EngineError> {
        PinBytes::read(dir)?.judge(dir, log)
    }

    /// The larger one, with its place.
    pub(super) fn newest(&self, dir: &Path) -> Option<(PathBuf, Published)> {
        let both = [(SIGNED, &self.signed), (CHECKPOINT, &self.published)];
        let both = both.into_iter().filter_map(|(name, one)| Some((dir.join(name), one.clone()?)));
        both.max_by_key(|(_, one)| one.checkpoint.size)
    }

    /// Both, with their places, the larger one first.
    pub(super) fn all(&self, dir: &Path) -> Vec<(PathBuf, Checkpoint)> {
        let place = |name: &str, one: &Option<Published>| {
            one.as_ref().map(|one| (dir.join(name), one.checkpoint.clone()))
        };
        let both = [place(SIGNED, &self.signed), place(CHECKPOINT, &self.published)];
        let mut all: Vec<_> = both.into_iter().flatten().collect();
        all.sort_by_key(|(_, checkpoint)| std::cmp::Reverse(checkpoint.size));
        all
    }
}

/// Whether a writer may go on: the log holds every record that was signed, and they are the same records.
///
/// Costs a few reads: the last record that was signed must be in the tree that was signed, and it is linked to all
/// before it. Where the tiles are missing or wrong they are made again from the log.
pub(crate) fn hold(dir: &Path, log: &dyn LogReader, signatory: &Signatory) -> Result<(), EngineError> {
    let pins = Pins::read(dir, signatory)?.all(dir);
    let tiles = Tiles::of(dir);
    let Some(((path, newest), older)) = pins.split_first() else { return Ok(()) };
    let kept = |checkpoint: &Checkpoint| -> Option<TileBuilder> {
        let edge = tiles.edge(checkpoint)?;
        continues(log, &tiles, checkpoint).then_some(edge)
    };
    shorter(path, newest, log.size())?;
    if kept(newest).is_none() {
        // Without the publishers' turn the tiles are left as they are; what the log says is the same.
        let turn = try_turn(dir)?;
        let writing = turn.as_ref().map(|_| &tiles);
        rebuild(log, writing, (path, newest), &|_| {}).map_err(PublishError::into_engine)?;
    }
    for (path, checkpoint) in older {
        if !leads_to(&tiles, checkpoint, newest) {
            rebuild(log, None, (path, checkpoint), &|_| {}).map_err(PublishError::into_engine)?;
        }
    }
    Ok(())
}

/// Fails if the log has fewer records than were signed.
pub(super) fn shorter(path: &Path, checkpoint: &Checkpoint, size: u64) -> Result<(), EngineError> {
    if checkpoint.size <= size {
        return Ok(());
    }
    Err(disagrees(path, checkpoint, size, Disagreement::Shorter))
}

/// The error for a log that does not continue a checkpoint.
pub(super) fn disagrees(path: &Path, checkpoint: &Checkpoint, size: u64, why: Disagreement) -> EngineError {
    EngineError::Checkpoint { path: path.to_owned(), old: checkpoint.size, size, why }
}

/// The log's record at the end of a checkpoint is the one in its tree, as the tiles have it.
pub(super) fn continues(log: &dyn LogReader, tiles: &Tiles, checkpoint: &Checkpoint) -> bool {
    let Some(last) = checkpoint.size.checked_sub(1) else { return true };
    let Ok(Some(record)) = log.get(last) else { return false };
    let Ok(path) = tree::inclusion(&mut tiles.source(checkpoint.size), last, checkpoint.size) else {
        return false;
    };
    let leaf = TreeHash::leaf(&record.leaf);
    verify_inclusion(last, checkpoint.size, &leaf, &path, &checkpoint.root).is_ok()
}

/// The tree of the newer checkpoint grew from that of the older one, as the tiles have it.
pub(super) fn leads_to(tiles: &Tiles, old: &Checkpoint, new: &Checkpoint) -> bool {
    let path = tree::consistency(&mut tiles.source(new.size), old.size, new.size);
    path.is_ok_and(|path| tree::verify_consistency(old.size, &old.root, new.size, &new.root, &path).is_ok())
}

/// The tree of a checkpoint, from the records themselves. Fails if they make another one.
pub(super) fn rebuild(
    log: &dyn LogReader,
    tiles: Option<&Tiles>,
    (path, checkpoint): (&Path, &Checkpoint),
    progress: &dyn Fn(u64),
) -> Result<TileBuilder, PublishError> {
    shorter(path, checkpoint, log.size())?;
    tracing::warn!(
        size = checkpoint.size,
        "the tiles are missing or wrong; they are made again from the log"
    );
    let start = TileBuilder::new();
    let mut growing = match tiles {
        Some(tiles) => tiles.grow(start),
        None => Growing::in_memory(start),
    };
    each(log, 0, checkpoint.size, |record| {
        growing.push(TreeHash::leaf(record.leaf))?;
        progress(1);
        Ok(())
    })?;
    if growing.edge.size() != checkpoint.size || growing.edge.root() != checkpoint.root {
        return Err(disagrees(path, checkpoint, log.size(), Disagreement::Root).into());
    }
    Ok(growing.settle()?)
}
