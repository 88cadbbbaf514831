//! Collecting the cosignatures that a policy asks for, from all its witnesses at once.
//!
//! Who does not answer is missing, and the policy says how many may be. Who answers that it saw another history, and
//! shows the log's own signature under it, is believed: then the checkpoint must not go out, whatever the policy says.

use std::thread;

use hefu_chain::{
    add_checkpoint::AddCheckpoint,
    checkpoint::{Checkpoint, Untrusted},
    note::{Note, NoteSignature},
    policy::{Policy, Witness},
    tree::{TreeHash, verify_consistency},
};

use crate::{
    http::Http,
    witness::{Asked, LogKey, WitnessAt},
};

/// A size may change under way if others submit for the log, too; more often than this it is a game.
const TRIES: u32 = 4;

/// Gives the consistency proof from an older size to the checkpoint, from any thread.
pub type History<'a> = dyn Fn(u64) -> Result<Vec<TreeHash>, String> + Sync + 'a;

/// What to do when too few witnesses cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailMode {
    /// Publish without them, and say so.
    Open,
    /// Publish nothing.
    Closed,
}

/// How it went with one witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It cosigned, and names this time: seconds since 1970.
    Cosigned(u64),
    /// The policy does not say where it is.
    NoAddress,
    /// It gave no cosignature.
    Failed(String),
    /// It holds a checkpoint, signed by the log, that this one does not grow from.
    Contradicts(Checkpoint, Note),
}

/// What was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The checkpoint with every cosignature.
    pub note: Note,
    /// Each witness, as the policy calls it.
    pub outcomes: Vec<(String, Outcome)>,
    /// Enough witnesses cosigned.
    pub quorum: bool,
}

/// Why a checkpoint may not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// A witness holds another history that the log signed. No fail mode helps.
    #[error(
        "witness {witness} holds a checkpoint of {size} records, signed by this log, that the log does not continue"
    )]
    Contradicted {
        /// As the policy calls it.
        witness: String,
        /// How many records its checkpoint stands for.
        size: u64,
        /// The checkpoint.
        note: Box<Note>,
    },
    /// Too few cosigned, and the mode is closed.
    #[error("the quorum of witnesses is not met; missing: {}", .missing.join(", "))]
    Quorum {
        /// Who did not cosign.
        missing: Vec<String>,
    },
}

impl Collected {
    /// May the checkpoint go out?
    pub fn judge(&self, mode: FailMode) -> Result<(), Shortfall> {
        for (witness, outcome) in &self.outcomes {
            if let Outcome::Contradicts(checkpoint, note) = outcome {
                let (witness, size, note) = (witness.clone(), checkpoint.size, Box::new(note.clone()));
                return Err(Shortfall::Contradicted { witness, size, note });
            }
        }
        if self.quorum || mode == FailMode::Open {
            return Ok(());
        }
        let missing = self.outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Cosigned(_)));
        Err(Shortfall::Quorum { missing: missing.map(|(witness, _)| witness.clone()).collect() })
    }
}

/// Asks every witness of the policy to cosign this checkpoint of this log, which signs with one of these keys.
///
/// `known` is the size to start from, mostly that of the checkpoint before; a witness that knows another one says so
/// and is asked again. Fails only if the checkpoint is not the log's.
pub fn collect(
    http: &Http,
    policy: &Policy,
    log: &[LogKey],
    checkpoint: &Note,
    known: u64,
    history: &History<'_>,
) -> Result<Collected, Untrusted> {
    let keys = || log.iter().map(|log| &log.key);
    let opened = Checkpoint::open(checkpoint, keys())?.checkpoint;
    let ask = Ask { http, log, checkpoint, opened: &opened, history };
    let answers: Vec<(String, Outcome, Option<NoteSignature>)> = thread::scope(|scope| {
        let asked: Vec<_> = policy
            .witnesses()
            .iter()
            .map(|witness| (witness, scope.spawn(|| ask.witness(witness, known.min(ask.opened.size)))))
            .collect();
        let joined = asked.into_iter().map(|(witness, asked)| {
            let panicked = |_| (Outcome::Failed("asking it panicked".to_owned()), None);
            let (outcome, line) = asked.join().unwrap_or_else(panicked);
            (witness.name.clone(), outcome, line)
        });
        joined.collect()
    });
    let mut note = checkpoint.clone();
    let mut outcomes = Vec::new();
    for (name, mut outcome, line) in answers {
        let there = |line: &NoteSignature| {
            note.signatures().iter().any(|other| (other.name(), other.id()) == (line.name(), line.id()))
        };
        if let Some(line) = line.filter(|line| !there(line))
            && let Err(error) = note.add(line)
        {
            outcome = Outcome::Failed(error.to_string());
        }
        outcomes.push((name, outcome));
    }
    let quorum = policy.judge(&note, keys())?.quorum;
    Ok(Collected { note, outcomes, quorum })
}

struct Ask<'a> {
    http: &'a Http,
    log: &'a [LogKey],
    checkpoint: &'a Note,
    opened: &'a Checkpoint,
    history: &'a History<'a>,
}

impl Ask<'_> {
    fn witness(&self, witness: &Witness, known: u64) -> (Outcome, Option<NoteSignature>) {
        let Some(url) = witness.url.as_deref() else { return (Outcome::NoAddress, None) };
        let at = WitnessAt { http: self.http, url, key: &witness.key };
        let failed = |why: String| (Outcome::Failed(why), None);
        let mut old = known;
        for _ in 0..TRIES {
            let proof = match (self.history)(old) {
                Ok(proof) => proof,
                Err(why) => return failed(format!("there is no proof from {old}: {why}")),
            };
            let request = AddCheckpoint { old, proof, checkpoint: self.checkpoint.clone() };
            match at.add_checkpoint(&request) {
                Ok(Asked::Cosigned(line, time)) => return (Outcome::Cosigned(time), Some(line)),
                Ok(Asked::Conflict(size)) if size <= self.opened.size && size != old => old = size,
                Ok(Asked::Conflict(size)) => {
                    return (self.contradiction(at, format!("it names the size {size}")), None);
                }
                Ok(Asked::Inconsistent(why)) => return (self.contradiction(at, why), None),
                Ok(Asked::Refused(why)) => return failed(why),
                Err(error) => return failed(error.to_string()),
            }
        }
        failed("the size it names changes all the time".to_owned())
    }

    /// It says that it saw more, or something else. That counts if it can show it.
    fn contradiction(&self, at: WitnessAt<'_>, why: String) -> Outcome {
        match at.latest(self.log, &self.opened.origin) {
            Ok(Some((seen, note, _))) if !self.continues(&seen) => Outcome::Contradicts(seen, note),
            Ok(_) => Outcome::Failed(why),
            Err(error) => Outcome::Failed(format!("{why}; and what it holds cannot be had: {error}")),
        }
    }

    /// Does the checkpoint grow from this one?
    fn continues(&self, seen: &Checkpoint) -> bool {
        let new = self.opened;
        seen.size <= new.size
            && (self.history)(seen.size).is_ok_and(|proof| {
                verify_consistency(seen.size, &seen.root, new.size, &new.root, &proof).is_ok()
            })
    }
}
