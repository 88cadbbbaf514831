//! The log's own key over time: who put each new one in force? (Sections 3 to 5.)

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::frame::{Content, frames};
use crate::hash::{self, Hash};
use crate::record::{Leaf, SignedCommand, read_command};
use crate::{Place, Report};

const TYPE: &str = "log_key.rotated";

/// The log's keys, each with the record from which on it signs.
#[derive(Default)]
pub(crate) struct LogKeys(Vec<(u64, Hash)>);

impl LogKeys {
    /// The first key, then each that a record puts in force: the key before or enough of `roots` must have signed that.
    pub(crate) fn new(
        first: Option<Hash>,
        rotations: &Rotations,
        roots: &Roots,
        origin: &str,
        report: &mut Report,
    ) -> Self {
        let mut keys: Vec<(u64, Hash)> = first.map(|first| (0, first)).into_iter().collect();
        for (position, rotation) in &rotations.0 {
            let place = Place::record(&rotation.file, *position);
            if rotation.is_proven(keys.last().map(|(_, key)| *key), roots, origin) {
                let public = hash::to_hex(&rotation.public);
                report.notes.push(format!("from record {position} on the log signs with {public}"));
            } else if rotation.command.is_none() {
                report.absent(place, "the command that put this key of the log in force is missing");
            } else {
                report
                    .bad(place, "neither the log's key before nor enough root keys put the new one in force");
            }
            if keys.last().is_none_or(|(from, _)| from < position) {
                keys.push((*position, rotation.public));
            }
        }
        Self(keys)
    }

    /// Is none known?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that signs when the log's last record is this one. A record that replaces the key counts already.
    pub(crate) fn at(&self, last: u64) -> Option<Hash> {
        self.0.iter().rev().find(|(from, _)| *from <= last).map(|(_, key)| *key)
    }

    /// The keys that were replaced when the log had so many records.
    pub(crate) fn replaced_before(&self, size: u64) -> impl Iterator<Item = Hash> {
        let pairs = self.0.windows(2).filter(move |pair| pair[1].0 < size);
        pairs.map(|pair| pair[0].1)
    }
}

/// The id of the key that a record replaces, and the new key. `body` is the one that the leaf commits to.
pub(crate) fn replaced(leaf: &Leaf, body: &[u8]) -> Option<(String, Hash)> {
    let body: Value = serde_json::from_slice(body).ok().filter(|_| leaf.kind == TYPE)?;
    Some((body["data"]["old"].as_str()?.to_owned(), hash::from_hex(body["data"]["public"].as_str()?)?))
}

/// The root keys of record 0, and how many must sign together.
#[derive(Default)]
pub(crate) struct Roots {
    keys: Vec<Hash>,
    threshold: u64,
}

impl Roots {
    pub(crate) fn of(roots: &Value) -> Self {
        let keys = roots["keys"].as_array().into_iter().flatten();
        let keys = keys.filter_map(|root| hash::from_hex(root["public"].as_str()?)).collect();
        Self { keys, threshold: roots["threshold"].as_u64().unwrap_or(0) }
    }
}

/// Records that replace the key, by position.
#[derive(Default)]
pub(crate) struct Rotations(BTreeMap<u64, Rotation>);

/// One such record whose body or command is true to its leaf.
struct Rotation {
    file: String,
    public: Hash,
    /// The command, if it is the one that the leaf names.
    command: Option<SignedCommand>,
}

impl Rotations {
    /// Takes all in the bytes of a segment file. A copy of a record elsewhere is reported as such; the first one counts.
    pub(crate) fn learn(&mut self, file: &str, bytes: &[u8]) {
        if !bytes.windows(TYPE.len()).any(|window| window == TYPE.as_bytes()) {
            return;
        }
        for frame in frames(bytes).0 {
            let Content::Record(record) = frame.content else { continue };
            let rotation = || {
                let leaf = Leaf::parse(record.leaf).filter(|leaf| leaf.kind == TYPE)?;
                let command = Some(record.command).filter(|command| leaf.has_command(command));
                let command = command.and_then(read_command);
                // If the body is altered, which is said elsewhere, the command has the key as well.
                let body = Some(record.body).filter(|body| leaf.has_body(body));
                let told = body.and_then(|body| replaced(&leaf, body)).map(|(_, public)| public);
                let asked = || hash::from_hex(command.as_ref()?.envelope.command["public"].as_str()?);
                let public = told.or_else(asked)?;
                Some((leaf.seq, Rotation { file: file.to_owned(), public, command }))
            };
            if let Some((position, rotation)) = rotation() {
                self.0.entry(position).or_insert(rotation);
            }
        }
    }

    /// Does one of them bring this key?
    pub(crate) fn bring(&self, public: Hash) -> bool {
        self.0.values().any(|rotation| rotation.public == public)
    }
}

impl Rotation {
    /// The key before signed the command, or enough roots did; and the new key agreed.
    fn is_proven(&self, before: Option<Hash>, roots: &Roots, origin: &str) -> bool {
        self.proof(before, roots, origin).unwrap_or(false)
    }

    fn proof(&self, before: Option<Hash>, roots: &Roots, origin: &str) -> Option<bool> {
        let signed = self.command.as_ref()?;
        let command = &signed.envelope.command;
        if command["type"] != "rotate_log_key"
            || hash::from_hex(command["public"].as_str()?)? != self.public
            || signed.envelope.ledger != origin
        {
            return Some(false);
        }
        // What an endorsement signs: the command without the endorsements.
        let fields = command.as_object()?.iter().filter(|(name, _)| *name != "endorsements");
        let bare: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut consent = format!("hefu-endorsement-v1\n{origin}\n").into_bytes();
        consent.extend(serde_json::to_vec(&bare).ok()?);
        let endorser = |one: &Value| {
            let public = hash::from_hex(one["public"].as_str()?)?;
            let signature = hash::from_base64(one["sig"].as_str()?)?;
            hash::signed(&public, &consent, &signature).then_some(public)
        };
        let endorsers: Vec<Hash> = command["endorsements"].as_array()?.iter().filter_map(endorser).collect();
        if !endorsers.contains(&self.public) {
            return Some(false);
        }
        if before.is_some_and(|key| signed.is_signed_by(&key)) {
            return Some(true);
        }
        // A root signs the envelope; it and those that endorse are k of n together.
        let first = roots.keys.iter().find(|root| signed.is_signed_by(root))?;
        let agreed = roots.keys.iter().filter(|root| *root == first || endorsers.contains(root));
        Some(roots.threshold > 0 && agreed.count() as u64 >= roots.threshold)
    }
}
