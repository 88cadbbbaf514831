//! The log's own key and its rotation: which key signs for which record, found in the log itself, and a new one put in.
//!
//! The key store may hold several keys of the log: `log`, and others as `log-<key id>`. Which of them signs is what the
//! log says, never the name. A new key is in the store, durably, before the record that puts it in force is written:
//! after a stop at any point the key that the log asks for is there.

use std::{ops::ControlFlow, path::Path};

use hefu_chain::{key::PublicKey as ChainKey, leaf::LeafRef, log_keys::LogKeys, origin::Origin};
use hefu_domain::{
    command::{Command, RotateLogKey},
    event::Event,
    id::{KeyId, PublicKey},
    time::Timestamp,
};
use hefu_store::LogReader;

use crate::{
    answer::{Answer, EngineError, Refused},
    authenticate::Authenticator,
    decode,
    fold::identity,
    genesis::endorsed,
    head::receipt_of,
    keys::{KeyStore, StoredKey},
    ledger::Mode,
    open::{self, Options},
    sign::{Draft, Signer},
};

/// The keys a log signed with, as its records tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) keys: LogKeys,
    /// The key before the present one, and until when checkpoints carry its signature as well.
    pub(crate) both: Option<(ChainKey, Timestamp)>,
    /// Keys that were replaced at once, with the record that did it: lost or stolen ones.
    pub(crate) void: Vec<(ChainKey, u64)>,
}

/// Finds the rotations without reading the whole log: commits from a rotation on are signed by the new key, so the place
/// is found by halving. A log whose commits no key explains has none that could be trusted.
pub(crate) fn history(log: &dyn LogReader, origin: &Origin, first: ChainKey) -> Result<History, EngineError> {
    let mut found = History { keys: LogKeys::new(first), both: None, void: Vec::new() };
    if log.last_commit().is_none() {
        return told(log, found);
    }
    let (mut key, mut from) = (first, 0);
    let signed = |key: ChainKey, position: u64| -> Result<bool, EngineError> {
        let commit = log.commit_at(position)?;
        let commit =
            commit.ok_or_else(|| EngineError::bad_record(position)("no commit closes it".to_owned()))?;
        Ok(receipt_of(origin, &commit).verify(&key))
    };
    let Some(last) = log.size().checked_sub(1) else { return Ok(found) };
    while !signed(key, last)? {
        // The first record whose commit another key signed.
        let (mut low, mut high) = (from, last);
        while low < high {
            let middle = u64::midpoint(low, high);
            if signed(key, middle)? { low = middle + 1 } else { high = middle }
        }
        let Some((position, event)) = rotation_in(log, low, key)? else {
            // No rotation explains it: whoever checks the signature will say so.
            return Ok(found);
        };
        if found.keys.all().len() > 1 && position <= from {
            return Ok(found);
        }
        let (old, public) = (key, ChainKey(event.public.0));
        found.keys.rotate(position, public);
        found.both = event.both_until.map(|until| (old, until));
        if event.both_until.is_none() {
            found.void.push((old, position));
        }
        (key, from) = (public, position);
    }
    Ok(found)
}

/// The same from the records alone, where nothing is known of commits: each rotation that ends the key before it.
fn told(log: &dyn LogReader, mut found: History) -> Result<History, EngineError> {
    let mut rotations = Vec::new();
    log.scan(0, &mut |record| {
        if LeafRef::parse(record.leaf).is_ok_and(|leaf| leaf.kind == "log_key.rotated") {
            rotations.push(record.to_record());
        }
        ControlFlow::Continue(())
    })?;
    for record in rotations {
        let Some(key) = found.keys.newest() else { break };
        let Event::LogKeyRotated(event) = decode::fact(log, &record.as_ref())?.event else { continue };
        if event.old.0 == key.id().0 {
            found.keys.rotate(record.position, ChainKey(event.public.0));
            found.both = event.both_until.map(|until| (key, until));
        }
    }
    Ok(found)
}

/// The record that ends `old`, in the batch that begins at or before `start`.
fn rotation_in(
    log: &dyn LogReader,
    start: u64,
    old: ChainKey,
) -> Result<Option<(u64, hefu_domain::event::LogKeyRotated)>, EngineError> {
    let Some(commit) = log.commit_at(start)? else { return Ok(None) };
    for position in commit.first..commit.end() {
        let Some(record) = log.get(position)? else { return Ok(None) };
        let Ok(fact) = decode::fact(log, &record.as_ref()) else { continue };
        if let Event::LogKeyRotated(event) = fact.event
            && event.old.0 == old.id().0
        {
            return Ok(Some((position, event)));
        }
    }
    Ok(None)
}

/// The log's name and the keys it signed with.
pub(crate) fn identity_and_keys(log: &dyn LogReader) -> Result<(Origin, History), EngineError> {
    let (origin, first) = identity(log)?;
    let history = history(log, &origin, first)?;
    Ok((origin, history))
}

/// Who replaces the log's key.
pub enum By<'k> {
    /// The old key, in normal life.
    OldKey,
    /// Root keys, because the old one is lost or in wrong hands. The first signs, the others endorse.
    Roots(&'k [StoredKey]),
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The record.
    pub position: u64,
    /// The key that signs no more.
    pub old: KeyId,
    /// The key that signs from here on.
    pub key: KeyId,
    /// Its public key.
    pub public: PublicKey,
    /// Until when checkpoints carry both signatures.
    pub both_until: Option<Timestamp>,
}

/// A rotation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// The ledger could not be opened or written.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The rules refuse it.
    #[error(transparent)]
    Refused(Refused),
}

/// Replaces the log's key by a new one, which is made here. No writer may be at work.
pub fn rotate_log_key(dir: &Path, options: &Options, by: &By<'_>) -> Result<Rotated, NotRotated> {
    let store = KeyStore::beside(dir);
    let new = StoredKey::generate("operator", None)?;
    let (mut ledger, _) = match by {
        By::OldKey => open::open_ledger(dir, options)?,
        By::Roots(_) => open::open_with_new_key(dir, options, &new)?,
    };
    let origin = ledger.origin.clone();
    let old = ledger.state.keyring.log.unwrap_or(new.file.key);
    store.save_log_key(&new)?;
    let command =
        Command::from(RotateLogKey { endorsements: Vec::new(), key: new.file.key, public: new.file.public });
    let roots: &[StoredKey] = match by {
        By::OldKey => &[],
        By::Roots(roots) => roots,
    };
    let command = endorsed(&origin, &command, roots.iter().skip(1).chain([&new]))?;
    let now = (options.clock)();
    let mut signer = Signer::new(origin.clone(), store.clone());
    let signed = match roots.first() {
        None => signer.sign(Draft { command, id: None, signer: "log".to_owned() }, &ledger.state, now)?,
        Some(root) => signer.sign_with(root, &command, now)?,
    };
    let checked = Authenticator::new(origin, ledger.keys.clone()).read(vec![signed.into_bytes()]);
    let mut position = 0;
    for answer in ledger.commit(&checked, Mode::Each)? {
        match answer {
            Answer::Accepted(accepted) => position = accepted.position,
            Answer::Refused(refused, _) => {
                // What was made for nothing goes; no record names it.
                store.remove_log_key(&new);
                if matches!(by, By::OldKey) {
                    open::close(dir, ledger, false)?;
                }
                return Err(NotRotated::Refused(refused));
            }
        }
    }
    let (_, history) = identity_and_keys(&*ledger.log.reader())?;
    open::close(dir, ledger, false)?;
    Ok(Rotated {
        position,
        old,
        key: new.file.key,
        public: new.file.public,
        both_until: history.both.map(|(_, until)| until),
    })
}
