//! Signed notes: text with signature lines, as c2sp.org/signed-note says.
//!
//! A note that was parsed writes the very bytes it was parsed from. Parsing trusts nobody: only [`Note::verify`] with
//! keys had from elsewhere says whose word the text is.

mod key;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::c2sp;
use crate::key::SecretKey;

pub use key::{BadKeyName, BadVerifierKey, KeyKind, KeyName, NoteKeyId, VerifierKey};

/// A note is at most this long.
pub const MAX_NOTE_LEN: usize = 1 << 20;
/// A note has at most this many signatures; the specification asks for 16 at least.
pub const MAX_SIGNATURES: usize = 128;

/// A text and at least one signature line; nothing is said about whether any is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Bytes are no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// Longer than [`MAX_NOTE_LEN`].
    #[error("note: longer than 1 MiB")]
    TooLong,
    /// Not UTF-8.
    #[error("note: not UTF-8")]
    NotUtf8,
    /// A control character other than the line feed.
    #[error("note: a control character other than the line feed")]
    Control,
    /// No empty line between text and signatures, or the text does not end in a line feed.
    #[error("note: text, an empty line and signature lines are expected, all ended by a line feed")]
    Shape,
    /// A signature line is no signature line.
    #[error("note: {0}")]
    Signature(#[from] BadSignatureLine),
    /// More signatures than [`MAX_SIGNATURES`].
    #[error("note: more than 128 signatures")]
    TooMany,
    /// A second signature under one name and key id.
    #[error("note: a second signature of the same key")]
    Twice,
}

/// Why a note is not the word of the given keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No signature is of a given key.
    #[error("no signature is of a trusted key")]
    NoKnownKey,
    /// A signature under name and id of a given key does not verify.
    #[error("the signature of {name}+{id} is wrong")]
    Wrong {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: NoteKeyId,
    },
    /// Two signatures under name and id of a given key.
    #[error("two signatures of {name}+{id}")]
    Twice {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: NoteKeyId,
    },
    /// Two of the given keys have the same name and id, so nobody can tell whose a signature should be.
    #[error("two trusted keys are both called {name}+{id}")]
    Ambiguous {
        /// The keys' name.
        name: KeyName,
        /// The keys' id.
        id: NoteKeyId,
    },
}

/// A signature that was checked and found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub key: VerifierKey,
    /// When it was made, by the signer's clock: seconds since 1970. Only cosignatures say so.
    pub time: Option<u64>,
}

impl Note {
    /// A note with its first signature.
    ///
    /// Fails if the text does not end in a line feed, has control characters, or is too long.
    pub fn new(text: String, signature: NoteSignature) -> Result<Self, BadNote> {
        if text.len() > MAX_NOTE_LEN / 2 {
            return Err(BadNote::TooLong);
        }
        if has_control(&text) {
            return Err(BadNote::Control);
        }
        if !text.ends_with('\n') {
            return Err(BadNote::Shape);
        }
        Ok(Self { text, signatures: vec![signature] })
    }

    /// Reads a note. Text and signatures part at the last empty line (c2sp.org/signed-note, Format).
    ///
    /// Two lines under one name and key id are read, since unknown keys are to be ignored; [`Note::verify`] refuses
    /// them if the key is known.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadNote> {
        if bytes.len() > MAX_NOTE_LEN {
            return Err(BadNote::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| BadNote::NotUtf8)?;
        if has_control(note) {
            return Err(BadNote::Control);
        }
        let blank = note.rfind("\n\n").ok_or(BadNote::Shape)?;
        let (text, rest) = note.split_at(blank + 1);
        let lines = rest[1..].strip_suffix('\n').ok_or(BadNote::Shape)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(BadNote::TooMany);
            }
            signatures.push(line.parse()?);
        }
        Ok(Self { text: text.into(), signatures })
    }

    /// The signed text with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures in their order, valid or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line. Fails on a second one under the same name and key id, which verifiers refuse, and when
    /// the note is full.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), BadNote> {
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(BadNote::TooMany);
        }
        if self.signatures.iter().any(|other| other.name == signature.name && other.id == signature.id) {
            return Err(BadNote::Twice);
        }
        let line = signature.to_string().len() + 1;
        if self.to_string().len() + line > MAX_NOTE_LEN {
            return Err(BadNote::TooLong);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Which of these keys signed the text? The answer is never empty.
    ///
    /// As c2sp.org/signed-note says: a signature is a key's if name and id are; others are ignored; one wrong
    /// signature of a known key, or none at all of a known key, rejects the note. So do two of one known key.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<Verified>, Distrust> {
        let keys: Vec<&VerifierKey> = keys.into_iter().collect();
        let mut verified: Vec<Verified> = Vec::new();
        for signature in &self.signatures {
            let mut named =
                keys.iter().filter(|key| *key.name() == signature.name && key.id() == signature.id);
            let Some(key) = named.next() else { continue };
            let (name, id) = (signature.name.clone(), signature.id);
            if named.any(|other| other != key) {
                return Err(Distrust::Ambiguous { name, id });
            }
            if verified.iter().any(|earlier| earlier.key == **key) {
                return Err(Distrust::Twice { name, id });
            }
            verified.push(key.check(&self.text, &signature.bytes).ok_or(Distrust::Wrong { name, id })?);
        }
        if verified.is_empty() { Err(Distrust::NoKnownKey) } else { Ok(verified) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for Note {
    type Err = BadNote;

    fn from_str(text: &str) -> Result<Self, BadNote> {
        Self::parse(text.as_bytes())
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One signature line: a name, a key id and bytes that mean what the type of the key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: NoteKeyId,
    bytes: Vec<u8>,
}

/// Text is no signature line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature line is `— name base64(key id and signature)`")]
pub struct BadSignatureLine;

impl NoteSignature {
    /// Signs text as a key of type 0x01: plain Ed25519 over the text (c2sp.org/signed-note, Ed25519 signatures).
    ///
    /// Fails only for a key that is unfit for signing, which no seed leads to by chance.
    pub fn ed25519(name: &KeyName, key: &SecretKey, text: &str) -> Result<Self, BadVerifierKey> {
        let public = VerifierKey::new(name.clone(), KeyKind::Ed25519, key.public())?;
        Ok(Self::of(&public, key.sign(text.as_bytes()).0.to_vec()))
    }

    /// The line of this key with these signature bytes.
    pub(crate) fn of(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().clone(), id: key.id(), bytes }
    }

    /// The name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub fn id(&self) -> NoteKeyId {
        self.id
    }

    /// The signature, without the key id.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.0, self.bytes.as_slice()].concat();
        write!(f, "— {} {}", self.name, c2sp::to_base64(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = BadSignatureLine;

    /// Reads a line without its line feed.
    fn from_str(line: &str) -> Result<Self, BadSignatureLine> {
        let rest = line.strip_prefix("— ").ok_or(BadSignatureLine)?;
        let (name, text) = rest.split_once(' ').ok_or(BadSignatureLine)?;
        let bytes = c2sp::base64(text).ok_or(BadSignatureLine)?;
        match bytes.split_first_chunk() {
            Some((id, bytes)) if !bytes.is_empty() => Ok(Self {
                name: name.parse().map_err(|_| BadSignatureLine)?,
                id: NoteKeyId(*id),
                bytes: bytes.to_vec(),
            }),
            _ => Err(BadSignatureLine),
        }
    }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}
