//! Public keys and the name of the log, as the log itself tells them.
//!
//! A key id is the digest of its public key, so a public key found anywhere proves itself: no place in the log need be
//! trusted for it. Whether a key was registered, and for what, is replay's question.

use std::collections::HashMap;

use serde_json::Value;

use super::Options;
use super::finding::{Finding, FindingKind};
use super::rotation::Roots;
use super::scan::{Piece, pieces};
use crate::body;
use crate::chain::ChainContext;
use crate::command::CommandRef;
use crate::frame::FileHeader;
use crate::hash::Sha256Digest;
use crate::key::{KeyId, PublicKey, Signature};
use crate::leaf::LeafRef;
use crate::origin::Origin;
use crate::receipt::receipt_message;
use crate::text;

/// Public keys by their ids.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(HashMap<KeyId, PublicKey>);

impl KeyRing {
    /// Takes every public key that stands in these bytes as a field whose name ends in `public`.
    pub fn learn(&mut self, bytes: &[u8]) {
        const FIELD: &[u8] = b"public\":\"";
        for at in memchr::memmem::find_iter(bytes, FIELD) {
            let start = at + FIELD.len();
            let found = bytes.get(start..start + 64).and_then(text::hex).map(PublicKey);
            if let Some(public) = found {
                self.insert(public);
            }
        }
    }

    /// The public keys in a record's body, and for record 0 every string that can be one: it names the root keys.
    pub fn of_body(position: u64, body: &[u8]) -> Self {
        let mut keys = Self::default();
        keys.learn(body);
        if position == 0 {
            hex_strings(body).for_each(|public| keys.insert(public));
        }
        keys
    }

    /// The ids of all keys, ascending.
    pub fn ids(&self) -> Vec<KeyId> {
        let mut ids: Vec<KeyId> = self.0.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Adds all keys of another ring.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds a key.
    pub fn insert(&mut self, public: PublicKey) {
        self.0.insert(public.id(), public);
    }

    /// The key with this id.
    pub fn get(&self, id: &KeyId) -> Option<&PublicKey> {
        self.0.get(id)
    }
}

/// What the first segment says about the log as a whole.
pub(super) struct Genesis {
    /// The name under which the chain holds.
    pub(super) origin: Option<Origin>,
    /// The key that the log signed its first commit with, by its own word.
    pub(super) own: Option<PublicKey>,
    /// The root keys.
    pub(super) roots: Roots,
    /// Every public key that record 0 names.
    pub(super) publics: Vec<PublicKey>,
    /// The ledger that record 0 says it goes on from: name, size, head.
    pub(super) continues: Option<(String, u64, String)>,
    /// The log's own key, as record 0 says.
    named_key: Option<PublicKey>,
    /// Record 0 is in this segment.
    has_first: bool,
}

impl Genesis {
    /// Reads the first records of a segment. Any of its parts may be damaged, so the name is the one among all that are
    /// mentioned under which the chain holds.
    pub(super) fn find(bytes: &[u8], options: &Options<'_>) -> Self {
        let pieces = pieces(first_batch(bytes));
        let mut records = pieces.iter().filter_map(|piece| match piece {
            Piece::Record { record, .. } => Some(*record),
            Piece::Commit { .. } | Piece::Damage { .. } | Piece::Zeros { .. } => None,
        });
        let first = records.next();
        let second = records.next();
        let leaf = first.and_then(|first| LeafRef::parse(first.leaf).ok());
        let has_first =
            first.is_some_and(|first| first.position == 0) || leaf.is_some_and(|leaf| leaf.seq == 0);
        let body = first.and_then(|first| body::parse(first.body).ok());
        let body_is_true =
            first.zip(leaf).is_some_and(|(first, leaf)| Sha256Digest::of(first.body) == leaf.body_sha256);
        let data =
            body.and_then(|body| serde_json::from_slice::<Value>(body.data).ok()).filter(|_| has_first);
        let text = |field: &str| data.as_ref().and_then(|data| data.get(field)).and_then(Value::as_str);

        let ledgers =
            first.into_iter().chain(second).filter_map(|record| CommandRef::parse(record.command).ok());
        let mut names: Vec<Origin> = options.origin.iter().cloned().collect();
        names.extend(text("origin").and_then(|origin| origin.parse().ok()));
        names.extend(ledgers.filter_map(|command| command.ledger.parse().ok()));
        names.extend(options.head.iter().map(|head| head.origin.clone()));
        let starts =
            [leaf.map(|leaf| leaf.prev.0), FileHeader::parse(bytes).ok().map(|header| header.prev_head)];
        let holds = |origin: &&Origin| {
            let chain = ChainContext::new(origin);
            let starts_here = has_first && starts.contains(&Some(chain.start().0));
            let next = second.and_then(|second| LeafRef::parse(second.leaf).ok());
            let links = first.zip(next).is_some_and(|(first, next)| chain.link(first.leaf) == next.prev);
            starts_here || links
        };
        let origin = names.iter().find(holds).or(names.first()).cloned();

        let mut publics: Vec<PublicKey> = Vec::new();
        if let (Some(first), true) = (first, has_first) {
            publics.extend(hex_strings(first.body).chain(hex_strings(first.command)));
        }
        // What an altered body says is no contradiction: that it is altered is reported at the record.
        let named_key = text("log_public").and_then(|key| key.parse().ok()).filter(|_| body_is_true);
        let continues = data.as_ref().and_then(|data| data.get("continues")).filter(|_| body_is_true);
        let continues = continues.and_then(|old| {
            let text = |field: &str| old.get(field).and_then(Value::as_str).map(str::to_owned);
            Some((text("origin")?, old.get("size")?.as_u64()?, text("head")?))
        });
        let commit = pieces.iter().find_map(|piece| match piece {
            Piece::Commit { commit, .. } => Some(commit),
            Piece::Record { .. } | Piece::Damage { .. } | Piece::Zeros { .. } => None,
        });
        let signed_first = |public: &&PublicKey| {
            origin.as_ref().zip(commit).is_some_and(|(origin, commit)| {
                let last = commit.first.wrapping_add(u64::from(commit.count)).wrapping_sub(1);
                let message = receipt_message(origin, last, &crate::hash::ChainHash(commit.head));
                public.verify(&message, &Signature(commit.signature))
            })
        };
        let own = named_key.or_else(|| publics.iter().find(signed_first).copied());
        let roots = data.as_ref().filter(|_| body_is_true).map(Roots::of).unwrap_or_default();
        Self { origin, own, roots, publics, continues, named_key, has_first }
    }

    /// What the log says about itself against what the caller knows.
    pub(super) fn contradictions(
        &self,
        options: &Options<'_>,
        given_came_later: bool,
        segment: &str,
    ) -> Vec<Finding> {
        let wrong = || Finding::new(FindingKind::OriginWrong, segment);
        let mut findings = Vec::new();
        if let (Some(found), Some(given)) = (&self.origin, &options.origin)
            && found != given
        {
            findings.push(wrong().position(0).field("origin").stored(found).expected(given));
        }
        if let (Some(found), Some(given)) = (self.named_key, options.log_key)
            && found != given
            && self.has_first
            && !given_came_later
        {
            findings.push(wrong().position(0).field("log_public").stored(found).expected(given));
        }
        findings
    }
}

/// Enough of a segment for its first batch: names and keys are all in there.
fn first_batch(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(1 << 20)]
}

/// Every string of 64 hex digits.
fn hex_strings(bytes: &[u8]) -> impl Iterator<Item = PublicKey> {
    memchr::memchr_iter(b'"', bytes)
        .filter(|at| bytes.get(at + 65) == Some(&b'"'))
        .filter_map(|at| text::hex(&bytes[at + 1..at + 65]).map(PublicKey))
}
