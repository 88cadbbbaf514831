//! The log's name and key, for everything that is signed and checked in its name.

use std::path::Path;

use hefu_chain::{
    checkpoint::{BadCheckpoint, Checkpoint},
    key::{PublicKey, SecretKey},
    log_keys::LogKeys,
    note::{Note, VerifierKey},
    origin::Origin,
};
use hefu_domain::time::Timestamp;
use hefu_store::LogReader;

use super::Published;
use crate::{
    answer::EngineError,
    log_key::{History, identity_and_keys},
};

/// Who the log is, and with which keys it signed, as its records say.
#[derive(Clone, Debug)]
pub(crate) struct Signatory {
    pub(crate) origin: Origin,
    history: History,
    public: PublicKey,
    verifier: VerifierKey,
}

impl Signatory {
    /// From the records.
    pub(crate) fn of(log: &dyn LogReader) -> Result<Signatory, EngineError> {
        let (origin, history) = identity_and_keys(log)?;
        let bad = EngineError::bad_record(0);
        let public = history.keys.newest().ok_or_else(|| bad("no key of the log".to_owned()))?;
        let verifier = VerifierKey::of_log(&origin, public).map_err(|error| bad(error.to_string()))?;
        Ok(Signatory { origin, history, public, verifier })
    }

    /// The key that checkpoints are checked with from now on.
    pub(super) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Every key that signed for it.
    pub(super) fn keys(&self) -> &LogKeys {
        &self.history.keys
    }

    /// The keys that were replaced at once, with the record that did it.
    pub(super) fn void(&self) -> &[(PublicKey, u64)] {
        &self.history.void
    }

    /// The key that signs now.
    pub(crate) fn public(&self) -> PublicKey {
        self.public
    }

    /// The key that signs for a log of `size` records.
    pub(crate) fn public_at(&self, size: u64) -> Option<PublicKey> {
        self.history.keys.of_size(size)
    }

    /// The key before, if at this instant of the log checkpoints carry its signature as well.
    pub(super) fn also(&self, ts: Timestamp) -> Option<PublicKey> {
        self.history.both.filter(|(_, until)| ts <= *until).map(|(key, _)| key)
    }

    /// The checkpoint in the bytes of a file. It must be this log's word; signatures of others are kept and not judged.
    pub(super) fn parse(&self, path: &Path, bytes: &[u8]) -> Result<Published, EngineError> {
        let bad = |why: String| EngineError::BadFile { path: path.to_owned(), why };
        let note = Note::parse(bytes).map_err(|error| bad(error.to_string()))?;
        let checkpoint: Checkpoint =
            note.text().parse().map_err(|error: BadCheckpoint| bad(error.to_string()))?;
        // A key that was replaced vouches for what came before, and for nothing that has its end on record.
        let public = self.public_at(checkpoint.size).unwrap_or(self.public);
        let key = VerifierKey::of_log(&self.origin, public).map_err(|error| bad(error.to_string()))?;
        let opened = Checkpoint::open(&note, [&key]).map_err(|error| bad(error.to_string()))?;
        Ok(Published { checkpoint: opened.checkpoint, note })
    }

    /// The log's word on a tree; while a key is being replaced both sign.
    pub(super) fn sign(checkpoint: Checkpoint, keys: &[SecretKey]) -> Result<Published, EngineError> {
        let sign = |error: String| EngineError::Sign(error);
        let mut note: Option<Note> = None;
        for key in keys {
            match &mut note {
                None => note = Some(checkpoint.sign(key).map_err(|error| sign(error.to_string()))?),
                Some(note) => {
                    let line = checkpoint.signature(key).map_err(|error| sign(error.to_string()))?;
                    note.add(line).map_err(|error| sign(error.to_string()))?;
                }
            }
        }
        let note = note.ok_or_else(|| sign("no key".to_owned()))?;
        Ok(Published { checkpoint, note })
    }
}
