//! Reading a policy file, line by line.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use super::{Group, Log, Member, Policy, Quorum, Witness};
use crate::c2sp;
use crate::note::{BadVerifierKey, KeyKind, VerifierKey};

/// More logs, witnesses or groups than this are refused; the specification asks for 32 of each.
const MAX_OF_EACH: usize = 1024;
pub(super) const MAX_LEN: usize = 1 << 20;

/// Bytes are no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy, line {line}: {why}")]
pub struct BadPolicy {
    /// The line, from 1; the one after the last if something is missing.
    pub line: usize,
    /// What is wrong with it.
    pub why: BadLine,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The file is too large.
    #[error("the file is longer than 1 MiB, or has more than 1024 logs, witnesses or groups")]
    TooLong,
    /// Not text.
    #[error("a control character other than tab and line feed, or a name or address that is not UTF-8")]
    NotText,
    /// No line of a policy.
    #[error(
        "expected `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <name>…` or `quorum <name>`"
    )]
    Shape,
    /// A key is none.
    #[error(transparent)]
    Key(#[from] BadVerifierKey),
    /// A log's key signs text, a witness's key cosigns.
    #[error("a log's key is of type 0x01, a witness's of type 0x04")]
    KeyKind,
    /// The key is there already.
    #[error("this key is on an earlier line")]
    DuplicateKey,
    /// The name means something else already.
    #[error("the name {0:?} is taken")]
    NameTaken(String),
    /// The name was not defined on an earlier line.
    #[error("the name {0:?} is not defined on an earlier line")]
    NameUnknown(String),
    /// A witness or group may count in one group only.
    #[error("{0:?} is a group's member already")]
    MemberTwice(String),
    /// The threshold is none.
    #[error("the threshold is `all`, `any`, or a decimal number from 1 to the number of members")]
    Threshold,
    /// There must be one quorum line.
    #[error("exactly one quorum line is expected")]
    Quorum,
}

impl Policy {
    /// Reads a policy file (c2sp.org/tlog-policy). The line feed of the last line may be missing.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPolicy> {
        let mut reader = Reader::default();
        if bytes.len() > MAX_LEN {
            return Err(BadPolicy { line: 1, why: BadLine::TooLong });
        }
        let mut count = 0;
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            count = at + 1;
            reader.line(line).map_err(|why| BadPolicy { line: count, why })?;
        }
        let quorum = reader.quorum.ok_or(BadPolicy { line: count, why: BadLine::Quorum })?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }
}

impl FromStr for Policy {
    type Err = BadPolicy;

    fn from_str(text: &str) -> Result<Self, BadPolicy> {
        Self::parse(text.as_bytes())
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
    names: HashMap<String, Member>,
    members: HashSet<String>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        if line.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(BadLine::NotText);
        }
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
        match line.iter().find(|byte| !is_space(byte)) {
            None | Some(b'#') => return Ok(()),
            Some(_) => {}
        }
        let line = std::str::from_utf8(line).map_err(|_| BadLine::NotText)?;
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["log", key, url @ ..] => self.log(key, url),
            ["witness", name, key, url @ ..] => self.witness(name, key, url),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(BadLine::Shape),
        }
    }

    fn log(&mut self, key: &str, url: &[&str]) -> Result<(), BadLine> {
        let key = self.key(key, KeyKind::Ed25519)?;
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(BadLine::DuplicateKey);
        }
        fits(&self.logs)?;
        self.logs.push(Log { key, url: optional(url)? });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: &[&str]) -> Result<(), BadLine> {
        let key = self.key(key, KeyKind::Cosignature)?;
        if self.witnesses.iter().any(|witness| witness.key.public() == key.public()) {
            return Err(BadLine::DuplicateKey);
        }
        fits(&self.witnesses)?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.into(), key, url: optional(url)? });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, words: &[&str]) -> Result<(), BadLine> {
        let mut members = Vec::with_capacity(words.len());
        for word in words {
            members.push(self.member(word)?);
            if !self.members.insert((*word).into()) {
                return Err(BadLine::MemberTwice((*word).into()));
            }
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => c2sp::decimal(number).and_then(|k| usize::try_from(k).ok()).unwrap_or(0),
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(BadLine::Threshold);
        }
        fits(&self.groups)?;
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { name: name.into(), threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), BadLine> {
        if self.quorum.is_some() {
            return Err(BadLine::Quorum);
        }
        self.quorum = Some(if name == "none" { Quorum::None } else { Quorum::Of(self.member(name)?) });
        Ok(())
    }

    /// A key of this kind that cannot be mistaken for one read before.
    fn key(&self, text: &str, kind: KeyKind) -> Result<VerifierKey, BadLine> {
        let key: VerifierKey = text.parse()?;
        if key.kind() != kind {
            return Err(BadLine::KeyKind);
        }
        let logs = self.logs.iter().map(|log| &log.key);
        let mut earlier = logs.chain(self.witnesses.iter().map(|witness| &witness.key));
        if earlier.any(|other| other.name() == key.name() && other.id() == key.id()) {
            return Err(BadLine::DuplicateKey);
        }
        Ok(key)
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), BadLine> {
        if name == "none" || self.names.contains_key(name) {
            return Err(BadLine::NameTaken(name.into()));
        }
        self.names.insert(name.into(), member);
        Ok(())
    }

    fn member(&self, name: &str) -> Result<Member, BadLine> {
        self.names.get(name).copied().ok_or_else(|| BadLine::NameUnknown(name.into()))
    }
}

fn fits<T>(list: &[T]) -> Result<(), BadLine> {
    if list.len() < MAX_OF_EACH { Ok(()) } else { Err(BadLine::TooLong) }
}

fn optional(words: &[&str]) -> Result<Option<String>, BadLine> {
    match words {
        [] => Ok(None),
        [word] => Ok(Some((*word).into())),
        _ => Err(BadLine::Shape),
    }
}
