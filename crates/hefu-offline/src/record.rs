//! One record: its leaf, its body, its signed command; and how each record continues the one before.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::{self, Hash};
use crate::note::is_origin;
use crate::{Place, Report};

/// Integers in our JSON stay below this, so that every reader keeps them exact.
const INTEGERS: u64 = 1 << 53;
const MAX_LEAF: usize = 65_535;

/// A leaf. The fields stand in the order of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "docs/FORMAT.md section 2 explains each")]
pub struct Leaf {
    pub actor: String,
    pub body_sha256: String,
    pub command: String,
    pub command_sha256: String,
    pub prev: String,
    pub seq: u64,
    pub stream: String,
    pub stream_prev: Option<u64>,
    pub stream_seq: u64,
    pub ts: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub v: u32,
}

impl Leaf {
    /// Reads a leaf. It has one spelling: written again it must give the same bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let leaf: Self = serde_json::from_slice(bytes).ok()?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
        let stream = match leaf.stream.split_once('/') {
            None => leaf.stream == "ledger",
            Some((category, name)) => {
                !category.is_empty()
                    && category.bytes().all(|byte| byte.is_ascii_lowercase())
                    && !name.is_empty()
                    && plain(name)
            }
        };
        let forms = hash::is_hex(&leaf.actor, 32)
            && [&leaf.body_sha256, &leaf.command_sha256, &leaf.prev]
                .iter()
                .all(|text| hash::is_hex(text, 64))
            && is_uuid(&leaf.command)
            && leaf.seq.max(leaf.stream_seq).max(leaf.stream_prev.unwrap_or(0)) < INTEGERS
            && stream
            && is_instant(&leaf.ts)
            && !leaf.kind.is_empty()
            && plain(&leaf.kind);
        let same = bytes.len() <= MAX_LEAF && serde_json::to_vec(&leaf).ok()? == bytes;
        (forms && same).then_some(leaf)
    }
}

/// What a region's office signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedCommand {
    pub(crate) envelope: Envelope,
    sig: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope {
    at: String,
    pub(crate) command: Value,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) ledger: String,
    nonce: String,
    not_after: String,
}

impl SignedCommand {
    /// The command has one spelling, so the envelope written again is the envelope as it was signed.
    pub(crate) fn is_signed_by(&self, public: &Hash) -> bool {
        let envelope = serde_json::to_vec(&self.envelope).unwrap_or_default();
        let message = [b"hefu-command-v1\n", envelope.as_slice()].concat();
        hash::signed(public, &message, &hash::from_base64(&self.sig).unwrap_or_default())
    }
}

/// The id of a public key: the beginning of its digest.
pub(crate) fn key_id(public: &Hash) -> String {
    hash::to_hex(&hash::sha256(&[public])[..16])
}

/// Public keys by key id. A key id is the digest of the key, so a key found anywhere in the log proves itself; whether
/// it was registered, and for what, is a question of rules and left to replay.
#[derive(Debug, Default)]
pub struct Keys(HashMap<String, Hash>);

impl Keys {
    /// The key with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&Hash> {
        self.0.get(id)
    }

    /// Adds a key.
    pub fn insert(&mut self, public: Hash) {
        self.0.insert(key_id(&public), public);
    }

    /// Takes every public key that stands in these bytes as `…public":"<64 hex digits>"`.
    pub fn learn(&mut self, bytes: &[u8]) {
        const FIELD: &[u8] = b"public\":\"";
        for (at, _) in bytes.windows(FIELD.len()).enumerate().filter(|(_, window)| *window == FIELD) {
            let digits = bytes.get(at + FIELD.len()..at + FIELD.len() + 64);
            if let Some(public) = digits.and_then(|digits| hash::from_hex(std::str::from_utf8(digits).ok()?))
            {
                self.insert(public);
            }
        }
    }
}

/// Are these bytes a signed command, whoever signed it?
pub fn is_command(bytes: &[u8]) -> bool {
    read_command(bytes).is_some()
}

/// Reads a signed command. It has one spelling: written again it must give the same bytes.
pub(crate) fn read_command(bytes: &[u8]) -> Option<SignedCommand> {
    let mut signed: SignedCommand = serde_json::from_slice(bytes).ok()?;
    let envelope = &mut signed.envelope;
    envelope.command.sort_all_objects();
    let forms = is_narrow(&envelope.command, 3)
        && envelope.command.is_object()
        && is_uuid(&envelope.id)
        && hash::is_hex(&envelope.key, 32)
        && is_origin(&envelope.ledger)
        && hash::is_hex(&envelope.nonce, 32)
        && is_instant(&envelope.at)
        && is_instant(&envelope.not_after)
        && hash::from_base64(&signed.sig).is_some_and(|sig| sig.len() == 64);
    let same = bytes.len() <= 4 << 20 && serde_json::to_vec(&signed).ok()? == bytes;
    (forms && same).then_some(signed)
}

/// Whole numbers below 2^53, ASCII keys, at most 32 levels: what our JSON allows beyond having one spelling.
fn is_narrow(value: &Value, level: u32) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number
            .as_u64()
            .or(number.as_i64().map(i64::unsigned_abs))
            .is_some_and(|magnitude| magnitude < INTEGERS),
        Value::Array(items) => level <= 32 && items.iter().all(|item| is_narrow(item, level + 1)),
        Value::Object(fields) => {
            level <= 32 && fields.iter().all(|(key, item)| key.is_ascii() && is_narrow(item, level + 1))
        }
    }
}

/// `2026-01-01T00:00:00.000000Z`, a day of the calendar: the order of such texts is the order of time.
fn is_instant(text: &str) -> bool {
    let number = |at: usize, len: usize| text.get(at..at + len).and_then(|digits| digits.parse::<u32>().ok());
    let (year, month) = (number(0, 4).unwrap_or(0), number(5, 2).unwrap_or(0));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    has_shape(text, "0000-00-00T00:00:00.000000Z", |c| c.is_ascii_digit())
        && (1..=12).contains(&month)
        && number(8, 2).is_some_and(|day| (1..=days).contains(&day))
        && number(11, 2) < Some(24)
        && number(14, 2) < Some(60)
        && number(17, 2) < Some(60)
}

fn is_uuid(text: &str) -> bool {
    has_shape(text, "00000000-0000-0000-0000-000000000000", |c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn has_shape(text: &str, shape: &str, digit: impl Fn(char) -> bool) -> bool {
    let fits = |(c, shape)| if shape == '0' { digit(c) } else { c == shape };
    text.len() == shape.len() && text.chars().zip(shape.chars()).all(fits)
}

/// A record as the chain sees it.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its place.
    pub position: u64,
    /// `C` of its leaf.
    pub value: Hash,
    /// The `prev` in its leaf, if that can be read.
    pub prev: Option<String>,
}

/// Finds the records whose leaf is not what it was when it was chained: positions and reasons.
///
/// `before` is the chain value that the first record should link to, if it is known. `vouched` says what is known from
/// elsewhere (a signed commit, the signed tree): the leaf is the true one, is not, or unknown.
///
/// Two neighbours that do not fit show that one of them was altered. The one is meant that nothing else vouches for: not
/// the signed commit or tree, not the record that follows it.
pub fn broken_links(
    links: &[Link],
    before: Option<Hash>,
    vouched: &dyn Fn(&Link) -> Option<bool>,
) -> Vec<(u64, &'static str)> {
    let fits = |value: &Hash, next: &Link| next.prev.as_deref() == Some(hash::to_hex(value).as_str());
    let mut broken = Vec::new();
    if let (Some(before), Some(first)) = (before, links.first())
        && !fits(&before, first)
        && vouched(first) != Some(false)
    {
        broken.push((first.position, "`prev` is not the chain value of what stands before"));
    }
    for (at, pair) in links.windows(2).enumerate() {
        let [one, two] = pair else { continue };
        if one.position + 1 != two.position || fits(&one.value, two) {
            continue;
        }
        let followed = || links.get(at + 2).is_some_and(|three| fits(&two.value, three));
        match (vouched(one), vouched(two)) {
            // Whoever said so reports it.
            (Some(false), _) | (_, Some(false)) => {}
            (Some(true), _) => {
                broken.push((two.position, "`prev` is not the chain value of the record before"));
            }
            (None, sure) if sure == Some(true) || followed() => {
                broken.push((one.position, "the leaf is altered: the record after links to another"));
            }
            (None, _) => broken.push((two.position, "this record or the one before is altered: no link")),
        }
    }
    broken
}

/// The state of the log along its records: whether each continues its stream, and time never goes back.
#[derive(Debug, Default)]
pub struct Streams {
    /// The number of records so far, and the last of them.
    tips: HashMap<String, (u64, u64)>,
    ts: String,
    /// The newest record of which the stream is not known: missing or altered.
    unsure: Option<u64>,
}

impl Streams {
    /// A record is missing or altered: the next one of any stream is taken at its word.
    pub fn lose(&mut self, position: u64) {
        self.unsure = Some(position);
    }

    /// Takes the next record.
    pub fn take(&mut self, leaf: &Leaf, place: Place<'_>, report: &mut Report) {
        let position = place.position.unwrap_or(leaf.seq);
        let tip = self.tips.get(&leaf.stream).copied();
        let (count, last) = (tip.map_or(0, |tip| tip.0), tip.map(|tip| tip.1));
        let sure = self.unsure.is_none_or(|unsure| last.is_some_and(|last| last >= unsure));
        if sure && (leaf.stream_seq, leaf.stream_prev) != (count, last) {
            let Leaf { stream, stream_seq, stream_prev, .. } = leaf;
            report.bad(
                place,
                format!(
                    "stream {stream}: number {stream_seq} after {stream_prev:?}, expected {count} after {last:?}"
                ),
            );
        }
        if leaf.ts < self.ts {
            report.bad(place, format!("time went back from {} to {}", self.ts, leaf.ts));
        }
        self.ts = leaf.ts.clone().max(std::mem::take(&mut self.ts));
        self.tips.insert(leaf.stream.clone(), (leaf.stream_seq + 1, position));
    }
}
