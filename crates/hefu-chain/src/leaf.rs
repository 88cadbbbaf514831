//! The leaf of a record: what is hashed into the chain. Exactly one spelling per leaf; anything else is refused.
//!
//! A leaf says who did what kind of thing to which stream, when, and commits to body, command and the record before.
//! Whether it continues the record before is asked by `verify`, not here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hash::{ChainHash, Sha256Digest};
use crate::key::KeyId;
use crate::text::{Cursor, INTEGER_LIMIT, hex, is_instant, is_plain, push_hex, uuid};

/// The longest leaf; entry bundles of transparency logs give a leaf's length in 16 bits.
pub const MAX_BYTES: usize = 65_535;

/// A leaf, owned. Its serde form is the leaf's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `LeafRef`")]
pub struct Leaf {
    pub actor: KeyId,
    pub body_sha256: Sha256Digest,
    pub command: Uuid,
    pub command_sha256: Sha256Digest,
    pub prev: ChainHash,
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
    /// The same leaf, borrowed.
    pub fn as_ref(&self) -> LeafRef<'_> {
        LeafRef {
            actor: self.actor,
            body_sha256: self.body_sha256,
            command: self.command,
            command_sha256: self.command_sha256,
            prev: self.prev,
            seq: self.seq,
            stream: &self.stream,
            stream_prev: self.stream_prev,
            stream_seq: self.stream_seq,
            ts: &self.ts,
            kind: &self.kind,
            v: self.v,
        }
    }
}

/// A leaf, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafRef<'a> {
    /// The key that signed the command.
    pub actor: KeyId,
    /// SHA-256 of the body.
    pub body_sha256: Sha256Digest,
    /// The id of the command.
    pub command: Uuid,
    /// SHA-256 of the whole signed command.
    pub command_sha256: Sha256Digest,
    /// The chain value of the record before.
    pub prev: ChainHash,
    /// The position.
    pub seq: u64,
    /// `ledger`, or a category, a slash and a name.
    pub stream: &'a str,
    /// The position of the stream's record before.
    pub stream_prev: Option<u64>,
    /// The number of the stream's records before.
    pub stream_seq: u64,
    /// When: `2026-01-01T00:00:00.000000Z`.
    pub ts: &'a str,
    /// The `type` of the event in the body.
    pub kind: &'a str,
    /// The schema version of the event.
    pub v: u32,
}

/// Bytes are not a leaf, or values cannot be in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLeaf {
    /// A field is missing, not in its one form, or in the wrong place.
    #[error("leaf: field `{0}` is missing, out of place or not in its one form")]
    Field(&'static str),
    /// Something follows the last field.
    #[error("leaf: nothing may follow the field `v`")]
    Trailing,
    /// Longer than 65,535 bytes.
    #[error("leaf: longer than 65,535 bytes")]
    TooLong,
}

impl<'a> LeafRef<'a> {
    /// What stands before the slash of the stream.
    pub fn category(&self) -> &'a str {
        category(self.stream)
    }

    /// An owned copy.
    pub fn to_leaf(&self) -> Leaf {
        Leaf {
            actor: self.actor,
            body_sha256: self.body_sha256,
            command: self.command,
            command_sha256: self.command_sha256,
            prev: self.prev,
            seq: self.seq,
            stream: self.stream.to_owned(),
            stream_prev: self.stream_prev,
            stream_seq: self.stream_seq,
            ts: self.ts.to_owned(),
            kind: self.kind.to_owned(),
            v: self.v,
        }
    }

    /// The bytes of the leaf, which `parse` reads back.
    pub fn encode(&self) -> Result<Vec<u8>, BadLeaf> {
        let fits = [
            ("seq", self.seq < INTEGER_LIMIT),
            ("stream", is_stream(self.stream)),
            ("stream_prev", self.stream_prev.is_none_or(|prev| prev < INTEGER_LIMIT)),
            ("stream_seq", self.stream_seq < INTEGER_LIMIT),
            ("ts", is_instant(self.ts.as_bytes())),
            ("type", is_kind(self.kind)),
        ];
        if let Some((field, _)) = fits.iter().find(|(_, fits)| !fits) {
            return Err(BadLeaf::Field(field));
        }
        let mut out = Vec::with_capacity(512 + self.stream.len() + self.kind.len());
        out.extend_from_slice(ACTOR);
        push_hex(&mut out, &self.actor.0);
        out.extend_from_slice(BODY_SHA256);
        push_hex(&mut out, &self.body_sha256.0);
        out.extend_from_slice(COMMAND);
        out.extend_from_slice(self.command.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        out.extend_from_slice(COMMAND_SHA256);
        push_hex(&mut out, &self.command_sha256.0);
        out.extend_from_slice(PREV);
        push_hex(&mut out, &self.prev.0);
        out.extend_from_slice(SEQ);
        push_integer(&mut out, self.seq);
        out.extend_from_slice(STREAM);
        out.extend_from_slice(self.stream.as_bytes());
        out.extend_from_slice(STREAM_PREV);
        match self.stream_prev {
            Some(prev) => push_integer(&mut out, prev),
            None => out.extend_from_slice(NULL),
        }
        out.extend_from_slice(STREAM_SEQ);
        push_integer(&mut out, self.stream_seq);
        out.extend_from_slice(TS);
        out.extend_from_slice(self.ts.as_bytes());
        out.extend_from_slice(TYPE);
        out.extend_from_slice(self.kind.as_bytes());
        out.extend_from_slice(V);
        push_integer(&mut out, u64::from(self.v));
        out.push(b'}');
        if out.len() > MAX_BYTES { Err(BadLeaf::TooLong) } else { Ok(out) }
    }

    /// Reads a leaf. Every field has one place and one form, so encoding it again gives the same bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadLeaf> {
        if bytes.len() > MAX_BYTES {
            return Err(BadLeaf::TooLong);
        }
        let mut at = Cursor::new(bytes);
        let field = BadLeaf::Field;
        let leaf = Self {
            actor: fixed(&mut at, ACTOR, 32, |text| hex(text).map(KeyId)).ok_or(field("actor"))?,
            body_sha256: fixed(&mut at, BODY_SHA256, 64, |text| hex(text).map(Sha256Digest))
                .ok_or(field("body_sha256"))?,
            command: fixed(&mut at, COMMAND, 36, uuid).ok_or(field("command"))?,
            command_sha256: fixed(&mut at, COMMAND_SHA256, 64, |text| hex(text).map(Sha256Digest))
                .ok_or(field("command_sha256"))?,
            prev: fixed(&mut at, PREV, 64, |text| hex(text).map(ChainHash)).ok_or(field("prev"))?,
            seq: integer(&mut at, SEQ).ok_or(field("seq"))?,
            stream: plain(&mut at, STREAM).filter(|stream| is_stream(stream)).ok_or(field("stream"))?,
            stream_prev: integer_or_null(&mut at, STREAM_PREV).map_err(|()| field("stream_prev"))?,
            stream_seq: integer(&mut at, STREAM_SEQ).ok_or(field("stream_seq"))?,
            ts: plain(&mut at, TS).filter(|ts| is_instant(ts.as_bytes())).ok_or(field("ts"))?,
            kind: plain(&mut at, TYPE).filter(|kind| is_kind(kind)).ok_or(field("type"))?,
            v: integer(&mut at, V).and_then(|v| u32::try_from(v).ok()).ok_or(field("v"))?,
        };
        at.literal(b"}").filter(|()| at.is_done()).ok_or(BadLeaf::Trailing)?;
        Ok(leaf)
    }
}

/// What stands before the slash of a stream: `project/<uuid>` is a `project`, `ledger` is a `ledger`.
pub fn category(stream: &str) -> &str {
    stream.split_once('/').map_or(stream, |(category, _)| category)
}

/// `ledger`, or a category in lower case, a slash and a name in visible ASCII.
pub fn is_stream(stream: &str) -> bool {
    match stream.split_once('/') {
        None => stream == "ledger",
        Some((category, name)) => {
            !category.is_empty()
                && category.bytes().all(|byte| byte.is_ascii_lowercase())
                && !name.is_empty()
                && is_plain(name.as_bytes())
        }
    }
}

fn is_kind(kind: &str) -> bool {
    !kind.is_empty() && is_plain(kind.as_bytes())
}

const ACTOR: &[u8] = b"{\"actor\":\"";
const BODY_SHA256: &[u8] = b"\",\"body_sha256\":\"";
const COMMAND: &[u8] = b"\",\"command\":\"";
const COMMAND_SHA256: &[u8] = b"\",\"command_sha256\":\"";
const PREV: &[u8] = b"\",\"prev\":\"";
const SEQ: &[u8] = b"\",\"seq\":";
const STREAM: &[u8] = b",\"stream\":\"";
const STREAM_PREV: &[u8] = b"\",\"stream_prev\":";
const STREAM_SEQ: &[u8] = b",\"stream_seq\":";
const TS: &[u8] = b",\"ts\":\"";
const TYPE: &[u8] = b"\",\"type\":\"";
const V: &[u8] = b"\",\"v\":";
const NULL: &[u8] = b"null";

fn fixed<T>(at: &mut Cursor<'_>, before: &[u8], len: usize, read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    at.literal(before)?;
    read(at.take(len)?)
}

fn plain<'a>(at: &mut Cursor<'a>, before: &[u8]) -> Option<&'a str> {
    at.literal(before)?;
    at.plain()
}

fn integer(at: &mut Cursor<'_>, before: &[u8]) -> Option<u64> {
    at.literal(before)?;
    at.integer()
}

fn integer_or_null(at: &mut Cursor<'_>, before: &[u8]) -> Result<Option<u64>, ()> {
    at.literal(before).ok_or(())?;
    if at.literal(NULL).is_some() { Ok(None) } else { at.integer().map(Some).ok_or(()) }
}

fn push_integer(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = value;
    loop {
        start -= 1;
        // The remainder of a division by ten is a digit.
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests;
