//! The head file: the newest head the ledger stood behind, signed by the log's key.
//!
//! It is trusted: a log that is behind it does not open for writing. Written at opening and at a clean stop, whole or
//! not at all.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use hefu_chain::{
    hash::ChainHash,
    origin::Origin,
    receipt::{HeadFile, Receipt},
};
use hefu_store::{CommitRef, KnownHead};

use crate::{answer::EngineError, ledger::Ledger, open::sync_folder, publish::Signatory};

/// Signs and writes the head file: whole or not at all, durable before this returns.
pub(crate) fn write_head(dir: &Path, ledger: &Ledger, clean: bool) -> Result<(), EngineError> {
    let Some(seq) = ledger.log.size().checked_sub(1) else { return Ok(()) };
    let receipt = Receipt::sign(ledger.origin.clone(), seq, ledger.head, &ledger.log_key);
    write_head_file(dir, &HeadFile::new(receipt, clean))
}

pub(crate) fn write_head_file(dir: &Path, head: &HeadFile) -> Result<(), EngineError> {
    let line = head.encode();
    let line = line.map_err(|error| EngineError::Internal(error.to_string()))?;
    let path = dir.join("head");
    let part = dir.join("head.part");
    let mut file = File::create(&part).map_err(EngineError::file("create", &part))?;
    file.write_all(&line).and_then(|()| file.sync_data()).map_err(EngineError::file("write", &part))?;
    fs::rename(&part, &path).map_err(EngineError::file("rename", &path))?;
    sync_folder(dir)
}

/// The head file. Who signed it is asked once the log has told whose word it must be: [`vouched`].
pub(crate) fn read_head(dir: &Path) -> Result<(KnownHead, HeadFile), EngineError> {
    let path = dir.join("head");
    if !dir.is_dir() {
        let why = "there is no ledger here; `hefu init` makes one".to_owned();
        return Err(EngineError::BadFile { path: dir.to_owned(), why });
    }
    let bad = |why: String| EngineError::BadFile { path: path.clone(), why };
    let bytes = fs::read(&path).map_err(EngineError::file("read", &path))?;
    let head = HeadFile::parse(&bytes).map_err(|error| bad(error.to_string()))?;
    Ok((KnownHead { size: head.size, head: head.head.0, clean: head.clean }, head))
}

/// Fails unless the key that signed for the log at that size signed the head file.
pub(crate) fn vouched(dir: &Path, head: &HeadFile, signatory: &Signatory) -> Result<(), EngineError> {
    if signatory.public_at(head.size).is_some_and(|key| head.verify(&key)) {
        return Ok(());
    }
    let why = "not signed by this ledger's log key".to_owned();
    Err(EngineError::BadFile { path: dir.join("head"), why })
}

/// The receipt a commit frame carries.
pub(crate) fn receipt_of(origin: &Origin, commit: &CommitRef) -> Receipt {
    Receipt {
        origin: origin.clone(),
        seq: commit.end() - 1,
        head: ChainHash(commit.head),
        sig: hefu_chain::key::Signature(commit.signature),
    }
}
