//! Whose word counts: logs, witnesses and a quorum of them, as c2sp.org/tlog-policy says.
//!
//! Stricter than the specification in this: keys are of type 0x01 (logs) and 0x04 (witnesses), names and addresses are
//! UTF-8. A policy that cannot be applied in full is refused, never applied in part.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::checkpoint::{Checkpoint, Untrusted};
use crate::note::{Note, Verified, VerifierKey};

pub use parse::{BadLine, BadPolicy};

/// A log of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key, called as the log's origin.
    pub key: VerifierKey,
    /// Where to find it; what that means is up to the reader.
    pub url: Option<String>,
}

/// A witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it; no other file knows this name.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where to find it.
    pub url: Option<String>,
}

/// A group of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the policy calls it.
    pub name: String,
    /// How many of its members must have cosigned.
    pub threshold: usize,
    members: Vec<Member>,
}

/// A witness or a group, by its place in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// What must stand behind a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    None,
    Of(Member),
}

/// A policy. Parsing makes it; what it writes reads as the same policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A checkpoint under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What the log signed.
    pub checkpoint: Checkpoint,
    /// Every valid signature of a key of the policy.
    pub signatures: Vec<Verified>,
    /// The witnesses that cosigned, as the policy calls them, with the time each names.
    pub cosigned: Vec<(String, u64)>,
    /// The witnesses that did not.
    pub missing: Vec<String>,
    /// Enough witnesses cosigned.
    pub quorum: bool,
}

/// A checkpoint does not count under a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No log of the policy signed it, or a known signature is wrong.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// Too few witnesses cosigned.
    #[error("the quorum of witnesses is not met; missing: {}", .missing.join(", "))]
    Quorum {
        /// The witnesses that did not cosign.
        missing: Vec<String>,
    },
}

impl Judgement {
    /// Fails if too few witnesses cosigned.
    pub fn require_quorum(&self) -> Result<(), Rejected> {
        if self.quorum { Ok(()) } else { Err(Rejected::Quorum { missing: self.missing.clone() }) }
    }
}

impl Policy {
    /// The logs.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// No cosignature is asked for.
    pub fn is_quorum_none(&self) -> bool {
        self.quorum == Quorum::None
    }

    /// Who signed this note, and do enough witnesses stand behind it?
    ///
    /// `more_logs` are keys of logs known from elsewhere, for policies without any. Fails if no known log signed, or a
    /// signature of a known key is wrong; a missed quorum is told, not an error ([`Judgement::require_quorum`]).
    pub fn judge<'k>(
        &'k self,
        note: &Note,
        more_logs: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Judgement, Untrusted> {
        let logs = self.logs.iter().map(|log| &log.key).chain(more_logs);
        let keys = logs.chain(self.witnesses.iter().map(|witness| &witness.key));
        let opened = Checkpoint::open(note, keys)?;
        let times: Vec<Option<u64>> =
            self.witnesses.iter().map(|witness| time_of(&opened.signatures, &witness.key)).collect();
        let mut judgement = Judgement {
            checkpoint: opened.checkpoint,
            signatures: opened.signatures,
            cosigned: Vec::new(),
            missing: Vec::new(),
            quorum: self.is_met(&times),
        };
        for (witness, time) in self.witnesses.iter().zip(&times) {
            match time {
                Some(time) => judgement.cosigned.push((witness.name.clone(), *time)),
                None => judgement.missing.push(witness.name.clone()),
            }
        }
        Ok(judgement)
    }

    /// Would the quorum be met if these witnesses, called as in the policy, cosigned?
    pub fn is_met_by(&self, stands: impl Fn(&str) -> bool) -> bool {
        let times = self.witnesses.iter().map(|witness| stands(&witness.name).then_some(0));
        self.is_met(&times.collect::<Vec<_>>())
    }

    /// Groups name earlier ones only, so one pass in their order decides them all.
    fn is_met(&self, times: &[Option<u64>]) -> bool {
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        let stands = |member: Member, groups: &[bool]| match member {
            Member::Witness(at) => times.get(at).is_some_and(Option::is_some),
            Member::Group(at) => groups.get(at).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.members.iter().filter(|member| stands(**member, &groups)).count();
            groups.push(count >= group.threshold);
        }
        match self.quorum {
            Quorum::None => true,
            Quorum::Of(member) => stands(member, &groups),
        }
    }

    fn name_of(&self, member: Member) -> &str {
        match member {
            Member::Witness(at) => self.witnesses.get(at).map_or("", |witness| &witness.name),
            Member::Group(at) => self.groups.get(at).map_or("", |group| &group.name),
        }
    }
}

fn time_of(signatures: &[Verified], key: &VerifierKey) -> Option<u64> {
    signatures.iter().find(|signature| signature.key == *key).and_then(|signature| signature.time)
}

impl fmt::Display for Policy {
    /// The file without comments, thresholds as numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map_or(String::new(), |url| format!(" {url}"));
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} {}", group.name, group.threshold)?;
            group.members.iter().try_for_each(|member| write!(f, " {}", self.name_of(*member)))?;
            writeln!(f)?;
        }
        match self.quorum {
            Quorum::None => writeln!(f, "quorum none"),
            Quorum::Of(member) => writeln!(f, "quorum {}", self.name_of(member)),
        }
    }
}
