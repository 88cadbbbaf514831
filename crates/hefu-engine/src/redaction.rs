//! Making a redaction real: what it withholds leaves the directory, however often a crash comes between.
//!
//! The redaction is on record first. Then snapshots go, which hold names; then the log forgets, which is whole or not at
//! all and comes last: a record that is withheld in the log means that nothing else is left to do. So what a stop cut
//! short is found at the next opening by looking at the log alone.

use std::{ops::ControlFlow, path::Path};

use hefu_chain::leaf::LeafRef;
use hefu_domain::{event::Event, id::KeyId, state::State};
use hefu_store::{Log, LogReader, Withhold};

use crate::{answer::EngineError, decode, snapshot};

/// A redaction on record: which record, by which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Redaction {
    pub(crate) position: u64,
    pub(crate) by: u64,
}

/// The record that a redaction is about: who signed its command, and its event while it is there.
pub(crate) fn original(
    log: &dyn LogReader,
    position: u64,
) -> Result<Option<(KeyId, Option<Event>)>, EngineError> {
    let Some(record) = log.get(position)? else { return Ok(None) };
    let fact = decode::fact(log, &record.as_ref())?;
    let actor = actor(&record.leaf, position)?;
    Ok(Some((actor, fact.redacted_by.is_none().then_some(fact.event))))
}

/// Who signed the command of a record, as its leaf says.
pub(crate) fn actor(leaf: &[u8], position: u64) -> Result<KeyId, EngineError> {
    let leaf = LeafRef::parse(leaf);
    leaf.map(|leaf| KeyId(leaf.actor.0)).map_err(|error| EngineError::bad_record(position)(error.to_string()))
}

/// The redactions on record whose content is still there.
pub(crate) fn unfinished(log: &dyn LogReader, state: &State) -> Result<Vec<Redaction>, EngineError> {
    let mut left = Vec::new();
    for (position, by) in &state.redactions {
        let record = log.get(*position)?;
        if record.is_some_and(|record| !record.body.is_empty()) {
            left.push(Redaction { position: *position, by: *by });
        }
    }
    Ok(left)
}

/// Removes what these redactions withhold. After an error some or all of it may be left: call it again after reopening.
pub(crate) fn finish(dir: &Path, log: &mut dyn Log, redactions: &[Redaction]) -> Result<(), EngineError> {
    if redactions.is_empty() {
        return Ok(());
    }
    snapshot::purge(dir)?;
    for Redaction { position, by } in redactions {
        let siblings = siblings(&*log.reader(), *position)?;
        log.withhold(&Withhold { position: *position, siblings, by: *by })?;
        tracing::info!(position, by, "the content of a redacted record is removed");
    }
    Ok(())
}

/// The records of one command, which follow each other.
fn siblings(log: &dyn LogReader, position: u64) -> Result<std::ops::Range<u64>, EngineError> {
    let command = |leaf: &[u8]| LeafRef::parse(leaf).map(|leaf| leaf.command).ok();
    let at = |position| Ok::<_, EngineError>(log.get(position)?.and_then(|record| command(&record.leaf)));
    let own = at(position)?;
    let mut first = position;
    while first > 0 && at(first - 1)? == own {
        first -= 1;
    }
    let mut end = position;
    log.scan(position, &mut |record| {
        if command(record.leaf) != own {
            return ControlFlow::Break(());
        }
        end = record.position + 1;
        ControlFlow::Continue(())
    })?;
    Ok(first..end)
}
