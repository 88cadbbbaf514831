//! Cosignatures: a witness says when it saw a checkpoint, as c2sp.org/tlog-cosignature says (version 1, type 0x04).
//!
//! The message does not name the cosigner, so a key must not be used under two names.

use crate::key::{PublicKey, SecretKey, Signature};
use crate::note::{BadVerifierKey, KeyKind, KeyName, NoteSignature, VerifierKey};
use crate::tree::MAX_SIZE;

/// A cosignature cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCosignature {
    /// The time exceeds 2^63 - 1 seconds.
    #[error("a cosignature's time is at most 2^63 - 1 seconds")]
    Time,
    /// The key is unfit.
    #[error(transparent)]
    Key(#[from] BadVerifierKey),
}

/// What a cosigner signs: `cosignature/v1`, the time in seconds since 1970, the whole checkpoint body.
pub fn message(time: u64, body: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{body}").into_bytes()
}

/// The cosignature line of the cosigner with this name, for [`crate::note::Note::add`].
///
/// Whether the checkpoint deserves it (consistent, newest) is the caller's business. Fails if the time is out of range.
pub fn cosign(
    name: &KeyName,
    key: &SecretKey,
    time: u64,
    body: &str,
) -> Result<NoteSignature, BadCosignature> {
    if time > MAX_SIZE {
        return Err(BadCosignature::Time);
    }
    let public = VerifierKey::new(name.clone(), KeyKind::Cosignature, key.public())?;
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend_from_slice(&key.sign(&message(time, body)).0);
    Ok(NoteSignature::of(&public, bytes))
}

/// The time a cosignature names, if it is this key's over this body: time (8 bytes, big-endian), then Ed25519.
///
/// The time is the cosigner's word; whether it lies in the future is not asked.
pub fn check(public: &PublicKey, body: &str, signature: &[u8]) -> Option<u64> {
    let (time, signature) = signature.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    let signature = Signature(signature.try_into().ok()?);
    (time <= MAX_SIZE && public.verify(&message(time, body), &signature)).then_some(time)
}
