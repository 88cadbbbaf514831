//! A folder of receipts: what the ledger answered, and for each command that is on record a proof that stands alone.
//!
//! `receipts.jsonl` has one line an answer, added to by every run. `<command id>.tlog-proof` proves the command's last
//! record, and with it, by the chain, all before it; it is written when a checkpoint covers the whole run. The same
//! journal again gives the same commands their proofs again.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use hefu_engine::Accepted;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    writing::Writing,
};

/// The folder.
pub(super) struct Receipts {
    dir: PathBuf,
    answers: File,
    /// What is on record: the command and its last record.
    recorded: Vec<(Uuid, u64)>,
}

impl Receipts {
    /// Opens the folder, or makes it.
    pub(super) fn open(dir: &Path) -> Result<Receipts> {
        let create =
            |path: &Path, error| CliError::io(("创建", "create"), path, &error).exiting(exit::CANNOT_CREATE);
        fs::create_dir_all(dir).map_err(|error| create(dir, error))?;
        let path = dir.join("receipts.jsonl");
        let answers = File::options().create(true).append(true).open(&path);
        let answers = answers.map_err(|error| create(&path, error))?;
        Ok(Receipts { dir: dir.to_owned(), answers, recorded: Vec::new() })
    }

    /// Keeps an answer.
    pub(super) fn keep(&mut self, answer: &Value) -> Result {
        let written = self.answers.write_all(format!("{answer}\n").as_bytes());
        written.map_err(|error| CliError::io(("写入", "write"), &self.dir, &error))
    }

    /// Notes a command that is on record: only then it has a receipt.
    pub(super) fn note(&mut self, accepted: &Accepted) {
        let Accepted { id, position, records, receipt, .. } = accepted;
        if let Some(more) = records.checked_sub(1).filter(|_| receipt.is_some()) {
            self.recorded.push((*id, position + u64::from(more)));
        }
    }

    /// Has a checkpoint signed and writes the proofs.
    pub(super) fn prove(&self, context: &Context, ledger: &Writing<'_>) -> Result {
        let Some(last) = self.recorded.iter().map(|(_, position)| *position).max() else { return Ok(()) };
        let proofs = ledger.proofs(last)?;
        let part = self.dir.join("tlog-proof.part");
        let length = Some(self.recorded.len() as u64);
        let progress = context.progress(length, &text("出具证明", "proving"));
        for (id, position) in &self.recorded {
            let path = self.dir.join(format!("{id}.tlog-proof"));
            let proof = proofs.inclusion(*position)?;
            let written = fs::write(&part, proof).and_then(|()| fs::rename(&part, &path));
            written.map_err(|error| CliError::io(("写入", "write"), &path, &error))?;
            progress.more(1);
        }
        Ok(())
    }
}
