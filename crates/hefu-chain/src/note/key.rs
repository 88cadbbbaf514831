//! The keys that notes are checked with, and their names: c2sp.org/signed-note, Signatures and verifier keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Verified;
use crate::c2sp;
use crate::cosignature;
use crate::hash::{Sha256Digest, hex_text};
use crate::key::{PublicKey, Signature};
use crate::origin::Origin;

/// The name of a key: not empty, without Unicode spaces, `+` and control characters. Every origin is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(Box<str>);

/// Text cannot be the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key name has at least one character and no white space, `+` or control characters; got {0:?}")]
pub struct BadKeyName(pub String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = BadKeyName;

    fn from_str(text: &str) -> Result<Self, BadKeyName> {
        let bad = |c: char| c.is_whitespace() || c == '+' || c < ' ';
        if text.is_empty() || text.contains(bad) {
            Err(BadKeyName(text.into()))
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl TryFrom<String> for KeyName {
    type Error = BadKeyName;

    fn try_from(text: String) -> Result<Self, BadKeyName> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0.into()
    }
}

impl From<&Origin> for KeyName {
    /// A log's key is called as the log is.
    fn from(origin: &Origin) -> Self {
        Self(origin.as_str().into())
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What tells two keys of one name apart. It is no strong hash and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteKeyId(pub [u8; 4]);
hex_text!(NoteKeyId, 4);

/// What the signatures of a key cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Type 0x01: the text, plain Ed25519.
    Ed25519,
    /// Type 0x04: a time and the text, Ed25519 (c2sp.org/tlog-cosignature).
    Cosignature,
}

impl KeyKind {
    /// The assigned type byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A key that notes are checked with: `name+hex(id)+base64(type and public key)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierKey {
    name: KeyName,
    id: NoteKeyId,
    kind: KeyKind,
    public: PublicKey,
}

/// Text or bytes are no key to check notes with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadVerifierKey {
    /// Not the three parts.
    #[error("a verifier key is `name+8 hex digits+base64`")]
    Shape,
    /// The name is none.
    #[error("verifier key: {0}")]
    Name(#[from] BadKeyName),
    /// Signatures of this type cannot be checked here.
    #[error("verifier key: signature type 0x{0:02x} is not supported, only 0x01 and 0x04 with 32-byte keys")]
    Kind(u8),
    /// The id is not that of name, type and public key.
    #[error("verifier key: the id should be {0}")]
    Id(NoteKeyId),
    /// No point of the curve, not its canonical spelling, or of small order.
    #[error("verifier key: the public key is weak or none")]
    Weak,
}

impl VerifierKey {
    /// A key under a name. Weak public keys are refused ([`PublicKey::is_weak`]).
    pub fn new(name: KeyName, kind: KeyKind, public: PublicKey) -> Result<Self, BadVerifierKey> {
        if public.is_weak() {
            return Err(BadVerifierKey::Weak);
        }
        let id = id(&name, kind, &public);
        Ok(Self { name, id, kind, public })
    }

    /// Another key under the same name and id.
    #[cfg(test)]
    pub(super) fn with_id(other: &Self, public: PublicKey) -> Self {
        Self { public, ..other.clone() }
    }

    /// The key of the log with this name: type 0x01, called as the log.
    pub fn of_log(origin: &Origin, public: PublicKey) -> Result<Self, BadVerifierKey> {
        Self::new(origin.into(), KeyKind::Ed25519, public)
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    pub fn id(&self) -> NoteKeyId {
        self.id
    }

    /// What its signatures cover.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key itself.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Nothing if the signature is not of this key over this text.
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Option<Verified> {
        let time = match self.kind {
            KeyKind::Ed25519 => {
                let signature = Signature(signature.try_into().ok()?);
                if !self.public.verify(text.as_bytes(), &signature) {
                    return None;
                }
                None
            }
            KeyKind::Cosignature => Some(cosignature::check(&self.public, text, signature)?),
        };
        Some(Verified { key: self.clone(), time })
    }
}

/// The first four bytes of SHA-256 of name, line feed, type and public key.
fn id(name: &KeyName, kind: KeyKind, public: &PublicKey) -> NoteKeyId {
    let digest = Sha256Digest::of(&[name.0.as_bytes(), b"\n", &[kind.byte()], &public.0].concat());
    let [a, b, c, d, ..] = digest.0;
    NoteKeyId([a, b, c, d])
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], self.public.0.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, c2sp::to_base64(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = BadVerifierKey;

    fn from_str(text: &str) -> Result<Self, BadVerifierKey> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(BadVerifierKey::Shape);
        let (name, hex, base64) = (part()?, part()?, part()?);
        let stored: NoteKeyId = hex.parse().map_err(|_| BadVerifierKey::Shape)?;
        let bytes = c2sp::base64(base64).ok_or(BadVerifierKey::Shape)?;
        let (byte, public) = bytes.split_first().ok_or(BadVerifierKey::Shape)?;
        let kind = match byte {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::Cosignature,
            other => return Err(BadVerifierKey::Kind(*other)),
        };
        let public = public.try_into().map_err(|_| BadVerifierKey::Shape)?;
        let key = Self::new(name.parse()?, kind, PublicKey(public))?;
        if key.id == stored { Ok(key) } else { Err(BadVerifierKey::Id(key.id)) }
    }
}

impl TryFrom<String> for VerifierKey {
    type Error = BadVerifierKey;

    fn try_from(text: String) -> Result<Self, BadVerifierKey> {
        text.parse()
    }
}

impl From<VerifierKey> for String {
    fn from(key: VerifierKey) -> Self {
        key.to_string()
    }
}
