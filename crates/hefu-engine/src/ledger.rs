//! The writer: owns state, stream heads, chain head and log. Its [`Ledger::commit`] is the whole write path.
//!
//! Owned by one thread. The state runs ahead of the disk only inside `commit`; when the append fails the whole
//! ledger is dropped and opened again from the log, so nobody ever sees what ran ahead.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use hefu_chain::{
    body, canonical,
    chain::ChainContext,
    hash::{ChainHash, Sha256Digest},
    key::{KeyId as ChainKeyId, PublicKey as ChainKey, SecretKey},
    leaf::LeafRef,
    origin::Origin,
    receipt::{Receipt, Refusal},
    record::Record,
};
use hefu_domain::{
    command::Command,
    decide::{Context, Original, decide},
    event::{Event, SCHEMA_VERSION},
    id::{Digest, KeyId, PublicKey},
    policy::Policy,
    state::{Meta, State},
    time::Timestamp,
};
use hefu_projections::Views;
use hefu_store::{CommitInfo, DirLock, Log};
use uuid::Uuid;

use crate::{
    answer::{Accepted, Answer, EngineError, Refused, inconsistent},
    authenticate::{Authentic, Checked, KeyDirectory, SignatureCheck, genesis_key},
    heads::{Heads, StreamHead, StreamKey},
    keys::KeyStore,
    random_bytes,
    redaction::{self, Redaction},
    sequencer::Recorded,
};

/// A ledger opened for writing.
pub(crate) struct Ledger {
    pub(crate) origin: Origin,
    pub(crate) chain: ChainContext,
    pub(crate) log: Box<dyn Log>,
    /// The directory's lock, kept while the log is dropped and opened again; `None` while it is being made.
    pub(crate) lock: Option<Arc<DirLock>>,
    pub(crate) log_key: SecretKey,
    /// Where a new key of the log is found.
    pub(crate) key_store: KeyStore,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) salts: Salts,
    /// What the next command is decided on. Ahead of `views` only inside `commit`.
    pub(crate) state: State,
    pub(crate) heads: Heads,
    pub(crate) head: ChainHash,
    pub(crate) ts: Timestamp,
    /// What readers see: only what is on disk.
    pub(crate) views: Arc<RwLock<Views>>,
    pub(crate) keys: KeyDirectory,
    /// Redactions just recorded: what they withhold is still to be removed.
    pub(crate) unfinished: Vec<Redaction>,
}

/// What to do with the commands of one submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each command stands alone.
    Each,
    /// Stop at the first refusal; what came before stays.
    Stop,
    /// All of them in one commit, or none.
    Atomic,
    /// Decide all of them and record nothing.
    DryRun,
}

/// Events decided and encoded but not on disk yet.
#[derive(Default)]
struct Pending {
    records: Vec<Record>,
    facts: Vec<(Meta, Event)>,
    streams: HashMap<StreamKey, StreamHead>,
    commands: HashMap<Uuid, (u64, Digest)>,
    /// Nothing follows that is decided on what came before it: the state need not run ahead.
    still: bool,
    /// The log's new key, if one of them rotated it: it signs the commit.
    log_key: Option<SecretKey>,
}

impl Ledger {
    /// The whole write path: decide each command on the state the one before left, link the events, append all of
    /// them with one fdatasync, publish, answer. Nobody is shown a fact that is not on disk.
    pub(crate) fn commit(&mut self, checked: &[Checked], mode: Mode) -> Result<Vec<Answer>, EngineError> {
        let before = (self.head, self.ts);
        let still = mode == Mode::DryRun && checked.len() == 1;
        let mut pending = Pending { still, ..Pending::default() };
        let (mut answers, refused) = self.decide_all(checked, mode, &mut pending);
        if mode == Mode::DryRun || (mode == Mode::Atomic && refused) {
            // What was not let run ahead needs no copy of the whole state.
            if !pending.still && !pending.records.is_empty() {
                self.state = self.views.read().unwrap_or_else(PoisonError::into_inner).state.clone();
            }
            (self.head, self.ts) = before;
            return Ok(answers);
        }
        if let Some(last) = pending.records.last() {
            let key = pending.log_key.as_ref().unwrap_or(&self.log_key);
            let receipt = Receipt::sign(self.origin.clone(), last.position, self.head, key);
            let commit = CommitInfo { head: self.head.0, signature: receipt.sig.0 };
            self.log.append(&pending.records, &commit)?;
            if let Some(key) = pending.log_key.take() {
                self.log_key = key;
                // Opening finds the right one whatever it is called.
                if let Err(error) = self.key_store.settle_log_key(&self.log_key.public()) {
                    tracing::warn!(%error, "the new log key has not got its name yet");
                }
            }
            self.publish(&pending)?;
            for answer in &mut answers {
                if let Answer::Accepted(accepted) = answer {
                    accepted.receipt.get_or_insert_with(|| receipt.clone());
                }
            }
        }
        Ok(answers)
    }

    /// Tries commands one after the other on a copy of the state that the caller made: none is made here.
    pub(crate) fn try_on(&mut self, copy: &mut State, checked: &[Checked]) -> Vec<Answer> {
        let before = (self.head, self.ts);
        std::mem::swap(&mut self.state, copy);
        let (answers, _) = self.decide_all(checked, Mode::DryRun, &mut Pending::default());
        std::mem::swap(&mut self.state, copy);
        (self.head, self.ts) = before;
        answers
    }

    /// Decides commands one after the other; tells whether one was refused.
    fn decide_all(&mut self, checked: &[Checked], mode: Mode, pending: &mut Pending) -> (Vec<Answer>, bool) {
        let mut answers = Vec::with_capacity(checked.len());
        let mut refused = false;
        // One look at the clock for all of them: a commit is one instant.
        let ts = (self.clock)().max(self.ts);
        let stamp = ts.to_string();
        for one in checked {
            let skip = refused && mode != Mode::Each;
            let decided = if skip { Err(Refused::Skipped) } else { self.decide(one, (ts, &stamp), pending) };
            refused |= decided.is_err();
            answers.push(match decided {
                Ok(accepted) => Answer::Accepted(accepted),
                Err(reason) => self.refuse(reason, one),
            });
        }
        (answers, refused)
    }

    /// Checks identity, signature and time, asks the rules, lets state and head run ahead.
    fn decide(
        &mut self,
        checked: &Checked,
        (ts, stamp): (Timestamp, &str),
        pending: &mut Pending,
    ) -> Result<Accepted, Refused> {
        let authentic = checked.as_ref().map_err(|unauthentic| unauthentic.refused.clone())?;
        let Authentic { signed, command, endorsers, at, not_after, .. } = authentic;
        let (id, digest) = (signed.id(), Digest(signed.digest().0));
        if let Some(first) = self.on_record(id, digest, pending)? {
            return Ok(first);
        }
        self.check_signature(authentic)?;
        timely(&self.state.policy, *at, *not_after, ts)?;
        let original = self.original(command, pending)?;
        let original =
            original.as_ref().map(|(actor, event)| Original { actor: *actor, event: event.as_ref() });
        let context = Context { ts, key: KeyId(signed.key().0), endorsers, original };
        let events = decide(&self.state, &context, command)?;
        if let Command::RotateLogKey(c) = command {
            let key = self.key_store.log_key(&ChainKey(c.public.0));
            pending.log_key = Some(key.map_err(|_| Refused::LogKeyElsewhere(c.key))?.secret);
        }
        let position = self.log.size() + pending.records.len() as u64;
        let records = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let mut leaf = Vec::new();
        for (event, seq) in events.into_iter().zip(position..) {
            let actor = context.key;
            let meta = Meta { position: seq, ts, command: id, command_sha256: digest, actor };
            let mut record = self.link(&meta, stamp, &event, pending);
            if seq == position {
                leaf.clone_from(&record.leaf);
                record.command = signed.bytes().to_vec();
            }
            if !pending.still {
                let evolved = self.state.evolve(&meta, &event);
                evolved.unwrap_or_else(|error| unreachable!("rules and folds agree: {error}"));
            }
            pending.records.push(record);
            pending.facts.push((meta, event));
        }
        self.ts = ts;
        pending.commands.insert(id, (position, digest));
        Ok(Accepted { id, position, records, leaf, receipt: None, repeated: false })
    }

    /// The record that a redaction names, on disk or in the batch being made.
    fn original(
        &self,
        command: &Command,
        pending: &Pending,
    ) -> Result<Option<(KeyId, Option<Event>)>, Refused> {
        let Command::RedactRecord(c) = command else { return Ok(None) };
        if !self.log.can_withhold() {
            return Err(Refused::CannotForget);
        }
        let found = match c.position.checked_sub(self.log.size()).map(usize::try_from) {
            None => redaction::original(&*self.log.reader(), c.position),
            Some(at) => {
                let record = at.ok().and_then(|at| pending.records.get(at).zip(pending.facts.get(at)));
                let known = record.map(|(record, (_, event))| {
                    Ok((redaction::actor(&record.leaf, c.position)?, Some(event.clone())))
                });
                known.transpose()
            }
        };
        found.map_err(|error| Refused::Unreadable { position: c.position, why: error.to_string() })
    }

    /// The record of one event: salted body, leaf linked to the head, the head moved on.
    fn link(&mut self, meta: &Meta, stamp: &str, event: &Event, pending: &mut Pending) -> Record {
        let data = event.to_json().unwrap_or_else(|error| unreachable!("events are JSON: {error}"));
        canonical::check(&data).unwrap_or_else(|error| unreachable!("events are canonical: {error}"));
        let body = body::encode(&data, self.salts.next());
        let key = StreamKey::of(event);
        let head = pending.streams.get(&key).copied().or_else(|| self.heads.stream(&key));
        let length = head.map_or(0, |head| head.length);
        let leaf = LeafRef {
            actor: ChainKeyId(meta.actor.0),
            body_sha256: Sha256Digest::of(&body),
            command: meta.command,
            command_sha256: Sha256Digest(meta.command_sha256.0),
            prev: self.head,
            seq: meta.position,
            stream: &key.text(),
            stream_prev: head.map(|head| head.last),
            stream_seq: length,
            ts: stamp,
            kind: event.kind(),
            v: SCHEMA_VERSION,
        };
        let leaf = leaf.encode().unwrap_or_else(|error| unreachable!("the parts of a leaf fit: {error}"));
        self.head = self.chain.link(&leaf);
        pending.streams.insert(key, StreamHead { last: meta.position, length: length + 1 });
        Record { position: meta.position, leaf, body, command: Vec::new(), redacted_by: None }
    }

    /// Makes what is on disk now visible: stream heads, keys, projections.
    fn publish(&mut self, pending: &Pending) -> Result<(), EngineError> {
        let mut new_keys = false;
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        for (meta, event) in &pending.facts {
            self.heads.note(meta.position, StreamKey::of(event), meta.command);
            views.apply(meta, event).map_err(|e| EngineError::bad_record(meta.position)(inconsistent(&e)))?;
            new_keys |= brings_keys(event);
            if let Event::RecordRedacted(e) = event {
                self.unfinished.push(Redaction { position: e.position, by: meta.position });
            }
        }
        drop(views);
        if new_keys {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = key_directory(&self.state);
        }
        Ok(())
    }

    /// The first answer again, if this very command is on record; a refusal, if another one has its id.
    fn on_record(&self, id: Uuid, digest: Digest, pending: &Pending) -> Result<Option<Accepted>, Refused> {
        let reused = |position| Refused::IdReused { id, position };
        if let Some((position, known)) = pending.commands.get(&id) {
            let again = Accepted {
                id,
                position: *position,
                records: 0,
                leaf: Vec::new(),
                receipt: None,
                repeated: true,
            };
            return if *known == digest { Ok(Some(again)) } else { Err(reused(*position)) };
        }
        let Some(position) = self.heads.command(id) else { return Ok(None) };
        match crate::reader::recorded(&*self.log.reader(), &self.origin, position) {
            Some((sha256, first)) if sha256.0 == digest.0 => Ok(Some(first)),
            Some(_) | None => Err(reused(position)),
        }
    }

    /// The command on record under an id, and the first answer to it.
    pub(crate) fn recorded(&self, id: Uuid) -> Option<Recorded> {
        let reader = self.log.reader();
        let (_, accepted) = crate::reader::recorded(&*reader, &self.origin, self.heads.command(id)?)?;
        let record = reader.get(accepted.position).ok().flatten()?;
        Some(Recorded { command: record.command, accepted })
    }

    /// The envelope's signature, where the batch check did not know the key yet.
    fn check_signature(&self, authentic: &Authentic) -> Result<(), Refused> {
        if authentic.signature == SignatureCheck::Right {
            return Ok(());
        }
        let key = KeyId(authentic.signed.key().0);
        let known = public_key(&self.state, key).or_else(|| genesis_key(&authentic.command));
        let public = known.ok_or(Refused::UnknownKey(key))?;
        if authentic.signed.verify(&ChainKey(public.0)) { Ok(()) } else { Err(Refused::Signature) }
    }

    fn refuse(&self, reason: Refused, checked: &Checked) -> Answer {
        let signed = match checked {
            Ok(authentic) => Some(&authentic.signed),
            Err(unauthentic) => unauthentic.signed.as_ref(),
        };
        let signed = signed.filter(|_| reason != Refused::Skipped);
        let refusal = signed.map(|signed| {
            let (id, digest, size) = (signed.id(), signed.digest(), self.log.size());
            let code = reason.code().to_owned();
            Box::new(Refusal::sign(self.origin.clone(), id, digest, code, size, &self.log_key))
        });
        Answer::Refused(reason, refusal)
    }
}

/// The policy's limits on the signer's clock, and the command's own.
pub(crate) fn timely(
    policy: &Policy,
    at: Timestamp,
    not_after: Timestamp,
    now: Timestamp,
) -> Result<(), Refused> {
    if not_after < now {
        return Err(Refused::Expired { not_after, now });
    }
    let earliest = now.plus_seconds(-i64::from(policy.at_max_age_seconds));
    let latest = now.plus_seconds(i64::from(policy.at_max_lead_seconds));
    if at < earliest || latest < at { Err(Refused::Clock { at, now }) } else { Ok(()) }
}

/// The public key on record for an id: the log's, a root's or an authority's.
pub(crate) fn public_key(state: &State, id: KeyId) -> Option<PublicKey> {
    let ring = &state.keyring;
    let root = ring.root(id).map(|root| root.public);
    let log = ring.log_public.filter(|_| ring.log == Some(id));
    let before = || ring.log_before.iter().find(|before| before.key == id).map(|before| before.public);
    root.or(log).or_else(before).or_else(|| ring.keys.get(&id).map(|key| key.public))
}

/// All public keys on record, ended ones too: an old signature stays what it is.
pub(crate) fn key_directory(state: &State) -> HashMap<KeyId, PublicKey> {
    let ring = &state.keyring;
    let log = ring.log.zip(ring.log_public);
    let roots = ring.roots.keys.iter().map(|root| (root.key, root.public));
    let before = ring.log_before.iter().map(|before| (before.key, before.public));
    log.into_iter()
        .chain(before)
        .chain(roots)
        .chain(ring.keys.iter().map(|(id, key)| (*id, key.public)))
        .collect()
}

fn brings_keys(event: &Event) -> bool {
    matches!(
        event,
        Event::LedgerCreated(_)
            | Event::KeysRegistered(_)
            | Event::KeyRotated(_)
            | Event::LogKeyRotated(_)
            | Event::KeyRecovered(_)
    )
}

/// Salts of bodies: a keyed stream seeded from the system, so that the write path never waits for randomness.
pub(crate) struct Salts {
    stream: blake3::OutputReader,
}

impl Salts {
    pub(crate) fn new() -> Result<Salts, EngineError> {
        let seed: [u8; 32] = random_bytes()?;
        let stream = blake3::Hasher::new_keyed(&seed).update(b"hefu body salts").finalize_xof();
        Ok(Salts { stream })
    }

    fn next(&mut self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.stream.fill(&mut salt);
        salt
    }
}
