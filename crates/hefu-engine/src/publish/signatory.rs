//! The log's name and key, for everything that is signed and checked in its name.

use std::path::Path;

use hefu_chain::{
    checkpoint::Checkpoint,
    key::PublicKey,
    note::{Note, VerifierKey},
    origin::Origin,
};
use hefu_store::LogReader;

use super::Published;
use crate::{
    answer::EngineError,
    keys::{KeyStore, StoredKey},
    open::identity,
};

/// Who the log is, as its record 0 says.
#[derive(Clone, Debug)]
pub(crate) struct Signatory {
    pub(crate) origin: Origin,
    public: PublicKey,
    verifier: VerifierKey,
}

impl Signatory {
    /// From record 0.
    pub(crate) fn of(log: &dyn LogReader) -> Result<Signatory, EngineError> {
        let (origin, public) = identity(log)?;
        Signatory::new(origin, public)
    }

    /// From what record 0 was found to say.
    pub(crate) fn new(origin: Origin, public: PublicKey) -> Result<Signatory, EngineError> {
        let verifier = VerifierKey::of_log(&origin, public);
        let verifier = verifier.map_err(|error| EngineError::bad_record(0)(error.to_string()))?;
        Ok(Signatory { origin, public, verifier })
    }

    /// The key that checkpoints are checked with.
    pub(super) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key that receipts are checked with.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Fails if the key is another log's.
    pub(super) fn owns(&self, key: &StoredKey, dir: &Path) -> Result<(), EngineError> {
        if self.public == key.secret.public() {
            return Ok(());
        }
        Err(EngineError::ForeignLogKey { path: KeyStore::beside(dir).folder().to_owned() })
    }

    /// The checkpoint in the bytes of a file. It must be this log's word; signatures of others are kept and not judged.
    pub(super) fn parse(&self, path: &Path, bytes: &[u8]) -> Result<Published, EngineError> {
        let bad = |why: String| EngineError::BadFile { path: path.to_owned(), why };
        let note = Note::parse(bytes).map_err(|error| bad(error.to_string()))?;
        let opened = Checkpoint::open(&note, [&self.verifier]).map_err(|error| bad(error.to_string()))?;
        Ok(Published { checkpoint: opened.checkpoint, note })
    }

    /// The log's word on a tree.
    pub(super) fn sign(checkpoint: Checkpoint, key: &StoredKey) -> Result<Published, EngineError> {
        let note = checkpoint.sign(&key.secret).map_err(|error| EngineError::Sign(error.to_string()))?;
        Ok(Published { checkpoint, note })
    }
}
