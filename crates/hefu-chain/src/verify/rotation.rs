//! Which key the log signed with at which record, as its own records tell.
//!
//! A rotation is believed if its command proves it: signed by the key before, or by k of the root keys that record 0
//! names, and endorsed by the new key. What does not prove it is reported at its record; the key it names is used all
//! the same, so that one wrong record is one finding.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::{Finding, FindingKind};
use super::keys::Genesis;
use super::scan::{Piece, pieces};
use super::word;
use crate::body;
use crate::checkpoint::Checkpoint;
use crate::command::{CommandRef, Endorsement};
use crate::hash::Sha256Digest;
use crate::key::PublicKey;
use crate::leaf::LeafRef;
use crate::log_keys::LogKeys;
use crate::note::Note;
use crate::origin::Origin;

/// The type of a record that rotates the log's key.
pub(super) const ROTATED: &str = "log_key.rotated";

/// The root keys of record 0, and how many must sign together.
#[derive(Debug, Clone, Default)]
pub(super) struct Roots {
    pub(super) keys: Vec<PublicKey>,
    pub(super) threshold: u64,
}

impl Roots {
    /// Of the data of record 0.
    pub(super) fn of(data: &Value) -> Self {
        let roots = &data["roots"];
        let keys = roots["keys"].as_array().into_iter().flatten();
        let keys = keys.filter_map(|root| root["public"].as_str()?.parse().ok()).collect();
        Self { keys, threshold: roots["threshold"].as_u64().unwrap_or(0) }
    }

    /// At least k different ones of `signers` are roots.
    fn are_among(&self, signers: &[PublicKey]) -> bool {
        let signed = self.keys.iter().filter(|root| signers.contains(root)).count() as u64;
        self.threshold > 0 && signed >= self.threshold
    }
}

/// A record that rotates the log's key.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    pub(super) position: u64,
    /// Its file; empty until the file's turn has come.
    segment: String,
    offset: u64,
    /// The new key, as the record's body says, or its command if the body does not serve.
    public: PublicKey,
    /// The command, if it is the one that the leaf names.
    command: Option<Vec<u8>>,
}

/// The new key that a body names.
fn of_body(bytes: &[u8]) -> Option<PublicKey> {
    let data: Value = serde_json::from_slice(body::parse(bytes).ok()?.data).ok()?;
    data["public"].as_str()?.parse().ok()
}

/// The new key that a command names.
fn of_command(bytes: &[u8]) -> Option<PublicKey> {
    let fields: Value = serde_json::from_slice(CommandRef::parse(bytes).ok()?.command).ok()?;
    fields["public"].as_str()?.parse().ok()
}

impl Rotation {
    /// Every rotation in the bytes of a segment whose body or command is true to its leaf.
    pub(super) fn find(segment: &str, bytes: &[u8]) -> Vec<Rotation> {
        // Hardly any segment has one, and looking for the word is far cheaper than reading every frame.
        if memchr::memmem::find(bytes, ROTATED.as_bytes()).is_none() {
            return Vec::new();
        }
        let record = |piece: Piece<'_>| match piece {
            Piece::Record { offset, record, .. } => {
                let leaf = LeafRef::parse(record.leaf).ok().filter(|leaf| leaf.kind == ROTATED)?;
                let body = (Sha256Digest::of(record.body) == leaf.body_sha256).then_some(record.body);
                let command = (Sha256Digest::of(record.command) == leaf.command_sha256)
                    .then(|| record.command.to_vec());
                let public = body.and_then(of_body).or_else(|| of_command(command.as_deref()?))?;
                Some(Rotation { position: leaf.seq, segment: segment.to_owned(), offset, public, command })
            }
            Piece::Commit { .. } | Piece::Damage { .. } | Piece::Zeros { .. } => None,
        };
        pieces(bytes).into_iter().filter_map(record).collect()
    }

    /// Its file is known.
    pub(super) fn is_placed(&self) -> bool {
        !self.segment.is_empty()
    }

    /// Whether the command stands for it: the key before signed it, or k roots did, and the new key agreed.
    fn is_proven(&self, before: Option<PublicKey>, roots: &Roots, origin: &Origin) -> bool {
        let Some(command) = self.command.as_deref().and_then(|bytes| CommandRef::parse(bytes).ok()) else {
            return false;
        };
        let Ok(fields) = serde_json::from_slice::<Value>(command.command) else { return false };
        let says = |field: &str| fields[field].as_str();
        if says("type") != Some("rotate_log_key")
            || says("public") != Some(&self.public.to_string())
            || command.ledger != origin.as_str()
        {
            return false;
        }
        let endorsements = fields["endorsements"].as_array().into_iter().flatten();
        let endorsements =
            endorsements.filter_map(|one| serde_json::from_value::<Endorsement>(one.clone()).ok());
        let mut signers: Vec<PublicKey> =
            endorsements.filter(|one| one.verify(origin, command.command)).map(|one| one.public).collect();
        if !signers.contains(&self.public) {
            return false;
        }
        let message = command.signing_message();
        let first = before
            .into_iter()
            .chain(roots.keys.iter().copied())
            .find(|key| key.id() == command.key && key.verify(&message, &command.signature));
        match first {
            Some(key) if Some(key) == before => true,
            Some(root) => {
                signers.push(root);
                roots.are_among(&signers)
            }
            None => false,
        }
    }
}

/// The keys of the log, and what is wrong with how they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    pub(super) keys: LogKeys,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// The given key came by a rotation: not record 0 names it, and that is as it should be.
    pub(super) given_came_later: bool,
}

impl Schedule {
    /// Follows the rotations from the key that record 0 names, or from the given one.
    pub(super) fn of(
        genesis: &Genesis,
        given: Option<PublicKey>,
        rotations: &BTreeMap<u64, Rotation>,
    ) -> Schedule {
        let mut schedule = Schedule::default();
        let later = |given: &PublicKey| rotations.values().any(|rotation| rotation.public == *given);
        schedule.given_came_later =
            given.is_some_and(|given| genesis.own.is_some_and(|own| own != given) && later(&given));
        let first = if schedule.given_came_later { genesis.own } else { given.or(genesis.own) };
        schedule.keys = first.map(LogKeys::new).unwrap_or_default();
        for rotation in rotations.values() {
            let Rotation { position, segment, offset, public, command } = rotation;
            let before = position.checked_sub(1).and_then(|before| schedule.keys.at(before));
            let proven = genesis
                .origin
                .as_ref()
                .is_some_and(|origin| rotation.is_proven(before, &genesis.roots, origin));
            if proven {
                schedule.notes.push(format!("from record {position} on the log signs with {public}"));
            } else {
                // Without its command nothing contradicts the new key, and nothing speaks for it.
                let (kind, expected) = match command {
                    Some(_) => (
                        FindingKind::CommandSignatureWrong,
                        "a rotation signed by the log's key before, or by enough root keys, and by the new key",
                    ),
                    None => (FindingKind::KeyUnknown, "the command that put this key of the log in force"),
                };
                let finding = Finding::new(kind, segment).at(*position, *offset).field("log_key");
                schedule.findings.push(finding.stored(public).expected(expected));
            }
            schedule.keys.rotate(*position, *public);
        }
        if let Some(given) = given.filter(|_| schedule.given_came_later) {
            let from = schedule.keys.all().iter().find(|(_, public)| *public == given);
            let from = from.map_or(0, |(from, _)| *from);
            schedule.notes.push(format!(
                "the given key signs from record {from} on; what is before it is vouched for by the chain up to there"
            ));
        }
        schedule
    }

    /// The key that should have signed this checkpoint, by its size.
    pub(super) fn key_for(&self, note: &[u8]) -> Option<PublicKey> {
        let checkpoint: Checkpoint = Note::parse(note).ok()?.text().parse().ok()?;
        self.keys.of_size(checkpoint.size)
    }

    /// The record that ended the key which signed this checkpoint of a log that had it already: what a thief of the old
    /// key makes, or an operator who wants to be believed by those who know the old key only.
    pub(super) fn signed_after_its_end(&self, note: &[u8]) -> Option<u64> {
        let checkpoint: Checkpoint = Note::parse(note).ok()?.text().parse().ok()?;
        let mut ends = self.keys.all().windows(2).map(|pair| (pair[0].1, pair[1].0));
        ends.find_map(|(public, ended)| {
            (checkpoint.size > ended && word::is_signed_by(note, public)).then_some(ended)
        })
    }
}

#[cfg(test)]
mod tests;
