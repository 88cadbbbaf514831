//! A log as it is shown to those who saw it before: its name, its keys, and the root of its tree at any size.
//!
//! Roots come from the kept tiles where a checkpoint covers them; what none covers is hashed from the log. Nothing is
//! signed here, and no key is needed.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    key::PublicKey,
    log_keys::LogKeys,
    origin::Origin,
    tree::{self, MemoryTree, TreeHash},
};
use hefu_store::LogReader;

use super::{
    Prover, PublishError, each,
    pin::{PinBytes, Pins},
    signatory::Signatory,
    tiles::Tiles,
};
use crate::{answer::EngineError, reader::log_reader};

/// A log at its end of one moment.
pub struct Shown {
    origin: Origin,
    keys: LogKeys,
    void: Vec<(PublicKey, u64)>,
    size: u64,
    log: Arc<dyn LogReader>,
    prover: Option<Prover>,
    /// The tree over all records, once it was needed.
    tree: OnceLock<MemoryTree>,
}

impl Shown {
    /// The log of a ledger's directory, for looking. A checkpoint that the log does not continue is not used.
    pub fn open(dir: &Path) -> Result<Shown, PublishError> {
        let log = log_reader(dir)?;
        let signatory = Signatory::of(&*log)?;
        let pins = PinBytes::read(dir).and_then(|pins| pins.judge(dir, &signatory));
        Ok(Shown::of(log, dir, &signatory, &pins.unwrap_or_default()))
    }

    /// The log that a writer has just opened and held to its own checkpoints.
    pub(crate) fn beside(
        dir: &Path,
        log: Arc<dyn LogReader>,
        signatory: &Signatory,
    ) -> Result<Shown, EngineError> {
        let pins = Pins::read(dir, signatory)?;
        Ok(Shown::of(log, dir, signatory, &pins))
    }

    pub(super) fn of(log: Arc<dyn LogReader>, dir: &Path, signatory: &Signatory, pins: &Pins) -> Shown {
        // The larger one covers more; that the log continues it is asked by whoever opens or signs.
        let newest = pins.newest(dir);
        let prover = newest.and_then(|(path, pin)| Prover::of(log.clone(), Tiles::of(dir), pin, path).ok());
        let (origin, keys) = (signatory.origin.clone(), signatory.keys().clone());
        let void = signatory.void().to_vec();
        Shown { origin, keys, void, size: log.size(), log, prover, tree: OnceLock::new() }
    }

    /// The ledger's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys that signed for it, and from which record on.
    pub fn keys(&self) -> &LogKeys {
        &self.keys
    }

    /// The record that put another key at once in the place of this one, as it was lost or stolen: of a log that has that
    /// record this key says nothing. Nothing for a key that was replaced in normal life, with a window in which both sign.
    pub fn void_from(&self, public: &PublicKey) -> Option<u64> {
        self.void.iter().find(|(key, _)| key == public).map(|(_, record)| *record)
    }

    /// How many records it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree of its first `size` records. Fails if it has fewer.
    pub fn root(&self, size: u64) -> Result<TreeHash, PublishError> {
        let covers = |prover: &&Prover| {
            let Checkpoint { size: covered, .. } = prover.checkpoint().checkpoint;
            size <= covered
        };
        if let Some(prover) = self.prover.as_ref().filter(covers) {
            return prover.root(size);
        }
        if size > self.size {
            return Err(PublishError::Sizes { old: size, new: self.size, size: self.size });
        }
        let internal = |error: &dyn std::fmt::Display| EngineError::Internal(format!("root: {error}"));
        let mut tree = self.hashed()?;
        Ok(tree::root(&mut tree, size).map_err(|error| internal(&error))?)
    }

    /// The whole tree from the log, read once.
    fn hashed(&self) -> Result<&MemoryTree, PublishError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let mut tree = MemoryTree::new();
        each(&*self.log, 0, self.size, |record| {
            tree.push(TreeHash::leaf(record.leaf));
            Ok(())
        })?;
        Ok(self.tree.get_or_init(|| tree))
    }
}
