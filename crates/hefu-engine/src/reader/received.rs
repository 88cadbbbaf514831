//! A ledger whose records came from elsewhere. Nothing is believed that the log's key did not sign: a checkpoint, and what
//! came after it up to a receipt.

use std::{ops::ControlFlow, path::Path};

use hefu_chain::{hash::ChainHash, receipt::Receipt, record::Record};
use hefu_store::LogReader;

use super::Reader;
use crate::{
    answer::EngineError,
    fold::{self, Folded},
    log_key::identity_and_keys,
    publish::{self, PublishError},
};

/// The directory of a ledger that has none: no snapshot is found in it.
const NOWHERE: &str = "/dev/null/hefu";

impl Reader {
    /// A ledger whose records came from elsewhere, all of them, with a checkpoint: they must be those that the log's key
    /// signed. Records beyond the checkpoint, which nobody vouches for, are left out.
    pub fn received(mut records: Vec<Record>, checkpoint: &[u8]) -> Result<Reader, PublishError> {
        records.truncate(covered(checkpoint));
        let log = hefu_store::received(records).ok_or_else(gap)?;
        publish::vouched_for(&*log, checkpoint)?;
        Ok(Reader::at(Path::new(NOWHERE), log, None)?)
    }

    /// The same, where a receipt may vouch for more than the checkpoint does: up to the record it speaks of, through the
    /// links between the leaves.
    pub fn received_until(
        mut records: Vec<Record>,
        checkpoint: &[u8],
        receipt: &Receipt,
    ) -> Result<Reader, PublishError> {
        let size = length(receipt);
        if size <= covered(checkpoint) {
            return Reader::received(records, checkpoint);
        }
        records.truncate(size);
        let log = hefu_store::received(records).ok_or_else(gap)?;
        publish::vouched_for(&*log, checkpoint)?;
        let reader = Reader::at(Path::new(NOWHERE), log, None)?;
        promised(reader.log(), receipt, &reader.head)?;
        Ok(reader)
    }

    /// The same ledger with the records that came since, up to the one that a receipt speaks of.
    pub fn continued(self, more: Vec<Record>, receipt: &Receipt) -> Result<Reader, PublishError> {
        let Reader { origin, views, head, log, heads, dir } = self;
        let mut records = Vec::new();
        log.scan(0, &mut |record| {
            records.push(record.to_record());
            ControlFlow::Continue(())
        })
        .map_err(EngineError::from)?;
        let known = log.size();
        records.extend(more);
        records.truncate(length(receipt));
        let log = hefu_store::received(records).filter(|log| log.size() >= known).ok_or_else(gap)?;
        publish::intact(&*log, known)?;
        let start = Folded { views, heads, head };
        let (Folded { views, heads, head }, _) = fold::fold_from(start, &*log, &origin)?;
        promised(&*log, receipt, &head)?;
        Ok(Reader { origin, views, head, log, heads, dir })
    }
}

/// Fails unless the log's key gave its word for exactly this log.
fn promised(log: &dyn LogReader, receipt: &Receipt, head: &ChainHash) -> Result<(), EngineError> {
    let bad = EngineError::bad_record(receipt.seq);
    let (origin, history) = identity_and_keys(log)?;
    if receipt.origin != origin || receipt.head != *head || length(receipt) as u64 != log.size() {
        return Err(bad("the receipt for it is for another history".to_owned()));
    }
    let signed = history.keys.at(receipt.seq).is_some_and(|key| receipt.verify(&key));
    if signed { Ok(()) } else { Err(bad("the log's key did not sign the receipt for it".to_owned())) }
}

/// How many records a checkpoint stands for; 0 if it cannot be read.
fn covered(checkpoint: &[u8]) -> usize {
    let size = str::from_utf8(checkpoint).ok().and_then(|note| note.lines().nth(1)?.parse().ok());
    size.unwrap_or_default()
}

/// How many records a receipt stands for.
fn length(receipt: &Receipt) -> usize {
    usize::try_from(receipt.seq).unwrap_or(usize::MAX).saturating_add(1)
}

fn gap() -> EngineError {
    EngineError::Internal("the records that came are not all from the first one on".to_owned())
}
