//! The signed command: who orders what, of which ledger, until when. What you sign is what you send is what is stored.
//!
//! The bytes are never written again by this module: id, digest and the signed message are all taken from the very
//! bytes that came in. Whether the key may give the command, and what it means, is decided elsewhere.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::canonical::{self, NotCanonical};
use crate::hash::Sha256Digest;
use crate::key::{KeyId, PublicKey, SecretKey, Signature};
use crate::origin::{Origin, is_origin};
use crate::text::{Cursor, base64_64, hex, is_instant, push_hex, uuid};

/// What stands before the envelope in the signed message.
pub const SIGNED_PREFIX: &[u8] = b"hefu-command-v1\n";
/// What stands before the origin in an endorsed message.
pub const ENDORSED_PREFIX: &[u8] = b"hefu-endorsement-v1\n";

/// Bytes are not a signed command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// Not canonical JSON.
    #[error("command: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// A field is missing, not in its one form, or something unknown stands before it.
    #[error("command: field `{0}` is missing, out of place or not in its one form")]
    Field(&'static str),
}

/// A signed command, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandRef<'a> {
    /// When it was signed, by the signer's clock.
    pub at: &'a str,
    /// The order itself: a canonical object.
    pub command: &'a [u8],
    /// The name of the command, chosen by the signer.
    pub id: Uuid,
    /// The key that signed.
    pub key: KeyId,
    /// The origin of the ledger it is for.
    pub ledger: &'a str,
    /// 32 hex digits that keep the digest from being guessed.
    pub nonce: &'a str,
    /// When it loses its force.
    pub not_after: &'a str,
    /// The envelope: what is signed, behind [`SIGNED_PREFIX`].
    pub envelope: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

impl<'a> CommandRef<'a> {
    /// Reads a signed command: exactly the fields of the format, each in its one form.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadCommand> {
        Self::read(bytes).map_err(|error| match canonical::check(bytes) {
            Err(not_canonical) => BadCommand::NotCanonical(not_canonical),
            Ok(()) => error,
        })
    }

    /// All text around the command is fixed, so once the command is canonical the whole is.
    fn read(bytes: &'a [u8]) -> Result<Self, BadCommand> {
        let mut cursor = Cursor::new(bytes);
        let field = |name| move || BadCommand::Field(name);
        cursor.literal(b"{\"envelope\":").ok_or_else(field("envelope"))?;
        let start = cursor.at();
        let at = instant(&mut cursor, b"{\"at\":\"").ok_or_else(field("at"))?;
        cursor.literal(b"\",\"command\":").ok_or_else(field("command"))?;
        let command = cursor.at();
        if bytes.get(command) != Some(&b'{') {
            return Err(BadCommand::Field("command"));
        }
        let end = canonical::value_end(bytes, command, 2)?;
        cursor.jump(end);
        let command = &bytes[command..end];
        let id = quoted(&mut cursor, b",\"id\":\"", 36).and_then(uuid).ok_or_else(field("id"))?;
        let key = quoted(&mut cursor, b"\",\"key\":\"", 32).and_then(hex).ok_or_else(field("key"))?;
        let ledger = cursor
            .literal(b"\",\"ledger\":\"")
            .and_then(|()| cursor.plain())
            .filter(|ledger| is_origin(ledger))
            .ok_or_else(field("ledger"))?;
        let nonce = quoted(&mut cursor, b"\",\"nonce\":\"", 32)
            .filter(|nonce| hex::<16>(nonce).is_some())
            .and_then(|nonce| std::str::from_utf8(nonce).ok())
            .ok_or_else(field("nonce"))?;
        let not_after = instant(&mut cursor, b"\",\"not_after\":\"").ok_or_else(field("not_after"))?;
        cursor.literal(b"\"}").ok_or_else(field("envelope"))?;
        let envelope = &bytes[start..cursor.at()];
        let signature = quoted(&mut cursor, b",\"sig\":\"", 88)
            .and_then(base64_64)
            .filter(|_| cursor.literal(b"\"}").is_some() && cursor.is_done())
            .ok_or_else(field("sig"))?;
        Ok(Self {
            at,
            command,
            id,
            key: KeyId(key),
            ledger,
            nonce,
            not_after,
            envelope,
            signature: Signature(signature),
        })
    }

    /// What the signature is of.
    pub fn signing_message(&self) -> Vec<u8> {
        [SIGNED_PREFIX, self.envelope].concat()
    }
}

fn quoted<'a>(cursor: &mut Cursor<'a>, before: &[u8], len: usize) -> Option<&'a [u8]> {
    cursor.literal(before)?;
    cursor.take(len)
}

fn instant<'a>(cursor: &mut Cursor<'a>, before: &[u8]) -> Option<&'a str> {
    let text = quoted(cursor, before, 27).filter(|text| is_instant(text))?;
    std::str::from_utf8(text).ok()
}

/// What the signer says in an envelope.
#[derive(Debug, Clone, Copy)]
pub struct EnvelopeParts<'a> {
    /// When it is signed: `2026-01-01T00:00:00.000000Z`.
    pub at: &'a str,
    /// The order itself: a canonical object.
    pub command_json: &'a [u8],
    /// The name of the command.
    pub id: Uuid,
    /// The ledger it is for.
    pub ledger: &'a Origin,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// When it loses its force.
    pub not_after: &'a str,
}

/// A signed command, owned, with its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCommand {
    text: String,
    digest: Sha256Digest,
    id: Uuid,
    key: KeyId,
    signature: Signature,
    at: Range<usize>,
    command: Range<usize>,
    ledger: Range<usize>,
    nonce: Range<usize>,
    not_after: Range<usize>,
    envelope: Range<usize>,
}

impl SignedCommand {
    /// Reads a signed command and keeps its bytes as they are. The signature is not checked here.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BadCommand> {
        let parts = CommandRef::parse(&bytes)?;
        let range = |part: &[u8]| {
            let start = part.as_ptr().addr() - bytes.as_ptr().addr();
            start..start + part.len()
        };
        let (at, command) = (range(parts.at.as_bytes()), range(parts.command));
        let (ledger, nonce) = (range(parts.ledger.as_bytes()), range(parts.nonce.as_bytes()));
        let (not_after, envelope) = (range(parts.not_after.as_bytes()), range(parts.envelope));
        let (id, key, signature) = (parts.id, parts.key, parts.signature);
        let digest = Sha256Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| NotCanonical {
            offset: error.utf8_error().valid_up_to(),
            why: canonical::Why::NotUtf8,
        })?;
        Ok(Self { text, digest, id, key, signature, at, command, ledger, nonce, not_after, envelope })
    }

    /// Signs an order. Fails when a part is not in its one form.
    pub fn sign(parts: EnvelopeParts<'_>, key: &SecretKey) -> Result<Self, BadCommand> {
        let mut envelope = Vec::with_capacity(parts.command_json.len() + 512);
        envelope.extend_from_slice(SIGNED_PREFIX);
        envelope.extend_from_slice(b"{\"at\":\"");
        envelope.extend_from_slice(parts.at.as_bytes());
        envelope.extend_from_slice(b"\",\"command\":");
        envelope.extend_from_slice(parts.command_json);
        envelope.extend_from_slice(b",\"id\":\"");
        envelope.extend_from_slice(parts.id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        envelope.extend_from_slice(b"\",\"key\":\"");
        push_hex(&mut envelope, &key.id().0);
        envelope.extend_from_slice(b"\",\"ledger\":\"");
        envelope.extend_from_slice(parts.ledger.as_str().as_bytes());
        envelope.extend_from_slice(b"\",\"nonce\":\"");
        push_hex(&mut envelope, &parts.nonce);
        envelope.extend_from_slice(b"\",\"not_after\":\"");
        envelope.extend_from_slice(parts.not_after.as_bytes());
        envelope.extend_from_slice(b"\"}");
        let signature = key.sign(&envelope);
        let mut bytes = Vec::with_capacity(envelope.len() + 120);
        bytes.extend_from_slice(b"{\"envelope\":");
        bytes.extend_from_slice(&envelope[SIGNED_PREFIX.len()..]);
        bytes.extend_from_slice(format!(",\"sig\":\"{signature}\"}}").as_bytes());
        Self::parse(bytes)
    }

    /// The bytes, as signed, sent and stored.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The bytes, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// SHA-256 of the bytes: the `command_sha256` of leaves and refusals.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// The name of the command.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The key that signed.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// When it was signed, by the signer's clock.
    pub fn at(&self) -> &str {
        &self.text[self.at.clone()]
    }

    /// When it loses its force.
    pub fn not_after(&self) -> &str {
        &self.text[self.not_after.clone()]
    }

    /// The origin of the ledger it is for.
    pub fn ledger(&self) -> &str {
        &self.text[self.ledger.clone()]
    }

    /// 32 hex digits that keep the digest from being guessed.
    pub fn nonce(&self) -> &str {
        &self.text[self.nonce.clone()]
    }

    /// The order itself: a canonical object.
    pub fn command_json(&self) -> &[u8] {
        self.text[self.command.clone()].as_bytes()
    }

    /// The signature.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// What the signature is of.
    pub fn signing_message(&self) -> Vec<u8> {
        [SIGNED_PREFIX, self.text[self.envelope.clone()].as_bytes()].concat()
    }

    /// Did this key sign it?
    pub fn verify(&self, public: &PublicKey) -> bool {
        public.id() == self.key && public.verify(&self.signing_message(), &self.signature)
    }
}

impl fmt::Debug for SignedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignedCommand").field(&self.text).finish()
    }
}

/// Another person's consent to a command, carried among the command's own fields as `endorsements`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Who consents.
    pub public: PublicKey,
    /// The signature over [`endorsement_message`].
    pub sig: Signature,
}

impl Endorsement {
    /// Is this consent to that command in that ledger? False as well when the command is not a canonical object.
    pub fn verify(&self, origin: &Origin, command_json: &[u8]) -> bool {
        endorsement_message(origin, command_json).is_ok_and(|message| self.public.verify(&message, &self.sig))
    }
}

/// What an endorsement signs: the command without its `endorsements`, bound to the ledger.
pub fn endorsement_message(origin: &Origin, command_json: &[u8]) -> Result<Vec<u8>, BadCommand> {
    canonical::check(command_json)?;
    let Ok(Value::Object(mut command)) = serde_json::from_slice(command_json) else {
        return Err(BadCommand::Field("command"));
    };
    command.remove("endorsements");
    let command = canonical::to_vec(&command)?;
    Ok([ENDORSED_PREFIX, origin.as_str().as_bytes(), b"\n", &command].concat())
}

/// Consents to a command.
pub fn endorse(origin: &Origin, command_json: &[u8], key: &SecretKey) -> Result<Endorsement, BadCommand> {
    let message = endorsement_message(origin, command_json)?;
    Ok(Endorsement { public: key.public(), sig: key.sign(&message) })
}

#[cfg(test)]
mod tests;
