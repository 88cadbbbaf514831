//! Proofs under the newest published checkpoint: that a record is in its tree, that one tree grew from another.
//!
//! They are made from the tiles and checked before they are given away. Where the tiles do not serve, the log itself
//! is read once. Needs no key and takes no lock.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    hash::Sha256Digest,
    leaf::LeafRef,
    proof::TlogProof,
    record::RecordRef,
    tile::{Kind, Tile, encode_entries},
    tree::{self, MemoryTree, TreeHash, verify_consistency, verify_inclusion},
};
use hefu_store::LogReader;

use super::{
    CHECKPOINT, Disagreement, PublishError, Published, each,
    files::read,
    pin::{continues, disagrees, shorter},
    signatory::Signatory,
    tiles::Tiles,
};
use crate::{answer::EngineError, reader::log_reader};

/// Fails unless the records, bodies and commands included, are those of a checkpoint that the log's key signed. A body that
/// is withheld is for the fold: it asks the record that redacts it. Records beyond the checkpoint are only looked at one by
/// one.
pub(crate) fn vouched_for(log: &dyn LogReader, note: &[u8]) -> Result<(), PublishError> {
    let path = PathBuf::from(CHECKPOINT);
    let Published { checkpoint, .. } = Signatory::of(log)?.parse(&path, note)?;
    shorter(&path, &checkpoint, log.size())?;
    let mut leaves = MemoryTree::new();
    each(log, 0, checkpoint.size, |record| {
        fits(&record)?;
        leaves.push(TreeHash::leaf(record.leaf));
        Ok(())
    })?;
    if tree::root(&mut leaves, checkpoint.size).ok() != Some(checkpoint.root) {
        return Err(disagrees(&path, &checkpoint, log.size(), Disagreement::Root).into());
    }
    intact(log, checkpoint.size)
}

/// Fails unless the bodies and commands of the records from a position on are those of their leaves.
pub(crate) fn intact(log: &dyn LogReader, from: u64) -> Result<(), PublishError> {
    each(log, from, log.size(), |record| Ok(fits(&record)?))
}

fn fits(record: &RecordRef<'_>) -> Result<(), EngineError> {
    let bad = EngineError::bad_record(record.position);
    let leaf = LeafRef::parse(record.leaf).map_err(|error| bad(error.to_string()))?;
    let other = |bytes: &[u8], digest| !bytes.is_empty() && Sha256Digest::of(bytes) != digest;
    if other(record.body, leaf.body_sha256) || other(record.command, leaf.command_sha256) {
        return Err(bad("its body or its command has another digest than its leaf says".to_owned()));
    }
    Ok(())
}

/// Makes proofs under one checkpoint.
pub struct Prover {
    log: Arc<dyn LogReader>,
    tiles: Tiles,
    published: Published,
    path: PathBuf,
    /// The tree from the log, where the tiles did not serve.
    memory: OnceLock<MemoryTree>,
}

impl Prover {
    /// Under the newest published checkpoint. Fails without one, or if the log is behind it.
    pub fn open(dir: &Path) -> Result<Prover, PublishError> {
        Prover::beside(dir, || log_reader(dir))
    }

    /// The same beside a writer. The checkpoint is read before the log: the log must have what it stands for.
    pub(crate) fn beside(
        dir: &Path,
        log: impl FnOnce() -> Result<Arc<dyn LogReader>, EngineError>,
    ) -> Result<Prover, PublishError> {
        let path = dir.join(CHECKPOINT);
        let bytes = read(&path)?.ok_or(PublishError::NoCheckpoint)?;
        let log = log()?;
        let published = Signatory::of(&*log)?.parse(&path, &bytes)?;
        Prover::of(log, Tiles::of(dir), published, path)
    }

    /// Under a checkpoint that is not published yet.
    pub(super) fn of(
        log: Arc<dyn LogReader>,
        tiles: Tiles,
        published: Published,
        path: PathBuf,
    ) -> Result<Prover, PublishError> {
        shorter(&path, &published.checkpoint, log.size())?;
        let kept = continues(&*log, &tiles, &published.checkpoint);
        let prover = Prover { log, tiles, published, path, memory: OnceLock::new() };
        // A log with another end is not the one that was signed, whatever else of it is in the tree.
        if !kept {
            prover.memory()?;
        }
        Ok(prover)
    }

    /// The checkpoint that the proofs lead to.
    pub fn checkpoint(&self) -> &Published {
        &self.published
    }

    /// The log that the proofs are made from.
    pub(super) fn log(&self) -> &dyn LogReader {
        &*self.log
    }

    /// The proof that a record is in the tree of the checkpoint; it carries the leaf.
    pub fn inclusion(&self, position: u64) -> Result<TlogProof, PublishError> {
        let Published { checkpoint: Checkpoint { size, root, .. }, note } = &self.published;
        if position >= *size {
            let log = self.log.size();
            return Err(if position < log {
                PublishError::Uncovered { position, size: *size }
            } else {
                PublishError::NoRecord { position, size: log }
            });
        }
        let record = self.log.get(position)?;
        let leaf = record.ok_or(PublishError::NoRecord { position, size: self.log.size() })?.leaf;
        let hash = TreeHash::leaf(&leaf);
        let good = |path: &Vec<TreeHash>| verify_inclusion(position, *size, &hash, path, root).is_ok();
        let path = tree::inclusion(&mut self.tiles.source(*size), position, *size).ok().filter(good);
        let path = if let Some(path) = path {
            path
        } else {
            let path = tree::inclusion(&mut self.memory()?, position, *size);
            path.map_err(|error| internal(&error))?
        };
        Ok(TlogProof::new(Some(leaf), position, path, note.clone()).map_err(|error| internal(&error))?)
    }

    /// The proof that the tree of the first `new` records grew from that of the first `old` ones (RFC 6962 section
    /// 2.1.2). Fails if `new` is beyond the checkpoint or `old` beyond `new`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<TreeHash>, PublishError> {
        let size = self.published.checkpoint.size;
        if new > size || old > new {
            return Err(PublishError::Sizes { old, new, size });
        }
        let (old_root, new_root) = (self.root(old)?, self.root(new)?);
        let good = |path: &Vec<TreeHash>| verify_consistency(old, &old_root, new, &new_root, path).is_ok();
        if let Some(path) = tree::consistency(&mut self.tiles.source(size), old, new).ok().filter(good) {
            return Ok(path);
        }
        tree::consistency(&mut self.memory()?, old, new).map_err(|error| internal(&error).into())
    }

    /// The root of the tree of the first `size` records, which the tree of the checkpoint grew from.
    pub fn root(&self, size: u64) -> Result<TreeHash, PublishError> {
        let Checkpoint { size: whole, root: signed, .. } = self.published.checkpoint;
        if size > whole {
            return Err(PublishError::Sizes { old: size, new: whole, size: whole });
        }
        let mut source = self.tiles.source(whole);
        let found = tree::root(&mut source, size).ok().zip(tree::consistency(&mut source, size, whole).ok());
        let good = |(root, path): &(TreeHash, Vec<TreeHash>)| {
            verify_consistency(size, root, whole, &signed, path).is_ok()
        };
        match found.filter(good) {
            Some((root, _)) => Ok(root),
            None => Ok(tree::root(&mut self.memory()?, size).map_err(|error| internal(&error))?),
        }
    }

    /// The bytes of a tile under the checkpoint; `None` if that has no such tile. Hashes are given as they are kept, and
    /// whoever builds on them starts from the signed root.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PublishError> {
        if !tile.is_within(self.published.checkpoint.size) {
            return Ok(None);
        }
        if matches!(tile.kind(), Kind::Hashes(_)) {
            return Ok(Some(self.tiles.read(tile).map_err(|error| internal(&error))?));
        }
        let mut leaves = Vec::with_capacity(usize::from(tile.width()));
        let Range { start, end } = tile.leaves();
        each(&*self.log, start, end, |record| {
            leaves.push(record.leaf.to_vec());
            Ok(())
        })?;
        let entries = encode_entries(leaves.iter().map(Vec::as_slice)).map_err(|error| internal(&error))?;
        Ok(Some(entries))
    }

    /// The whole tree from the log, read once; it must be the one of the checkpoint.
    fn memory(&self) -> Result<&MemoryTree, PublishError> {
        if let Some(tree) = self.memory.get() {
            return Ok(tree);
        }
        tracing::warn!("the tiles are missing or wrong; the log is read for the proof");
        let Checkpoint { size, root, .. } = self.published.checkpoint;
        let mut leaves = MemoryTree::new();
        each(&*self.log, 0, size, |record| {
            leaves.push(TreeHash::leaf(record.leaf));
            Ok(())
        })?;
        if tree::root(&mut leaves, size).ok() != Some(root) {
            return Err(self.other());
        }
        Ok(self.memory.get_or_init(|| leaves))
    }

    fn other(&self) -> PublishError {
        disagrees(&self.path, &self.published.checkpoint, self.log.size(), Disagreement::Root).into()
    }
}

/// The proof that a record is in the tree of the newest published checkpoint.
pub fn prove(dir: &Path, position: u64) -> Result<TlogProof, PublishError> {
    match Prover::open(dir) {
        Ok(prover) => prover.inclusion(position),
        Err(PublishError::NoCheckpoint) => Err(PublishError::Uncovered { position, size: 0 }),
        Err(error) => Err(error),
    }
}

fn internal(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Internal(format!("proof: {error}"))
}
