//! Ed25519 keys and signatures with ZIP-215 validity, alone and in batches.
//!
//! ZIP-215 is the one rule under which single and batched checks always agree, so a crafted signature cannot split two
//! honest verifiers. This module decides validity only; whether a key may sign something is decided elsewhere.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_zebra::{SigningKey, VerificationKey, VerificationKeyBytes, batch};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::hash::{Sha256Digest, hex_text};

/// A secret key. It is wiped from memory when dropped and never printed.
#[derive(Clone)]
pub struct SecretKey {
    signing: SigningKey,
    public: PublicKey,
}

impl SecretKey {
    /// The key that grows from this seed. The caller brings the randomness and wipes its own copy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let signing = SigningKey::from(seed);
        let public = PublicKey(VerificationKeyBytes::from(&signing).into());
        Self { signing, public }
    }

    /// The seed, for writing the key file.
    pub fn seed(&self) -> [u8; 32] {
        self.signing.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The id of the public half.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// Signs; the same message always gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.signing.sign(message).to_bytes())
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.signing.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A public key, 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);
hex_text!(PublicKey, 32);

impl PublicKey {
    /// The first 16 bytes of SHA-256 of the key.
    pub fn id(&self) -> KeyId {
        let digest = Sha256Digest::of(&self.0);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        KeyId(id)
    }

    /// Is this the signature of this message, by the rules of ZIP-215?
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        VerificationKey::try_from(self.0)
            .and_then(|key| key.verify(&ed25519_zebra::Signature::from_bytes(&signature.0), message))
            .is_ok()
    }

    /// Not a usable key: no point of the curve, not its canonical spelling, or of small order, so that one signature
    /// fits many messages. Registration refuses such keys; validity itself does not ask.
    pub fn is_weak(&self) -> bool {
        CompressedEdwardsY(self.0)
            .decompress()
            .is_none_or(|point| point.is_small_order() || point.compress().0 != self.0)
    }
}

/// The name of a public key: the first 32 hex digits of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 16]);
hex_text!(KeyId, 16);

/// An Ed25519 signature, 88 characters of standard base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

/// Text is not the standard base64 of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature is 88 characters of standard base64 with padding")]
pub struct NotSignature;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = NotSignature;

    fn from_str(text: &str) -> Result<Self, NotSignature> {
        crate::text::base64_64(text.as_bytes()).map(Self).ok_or(NotSignature)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One signature to check.
#[derive(Debug, Clone, Copy)]
pub struct BatchItem<'a> {
    /// Whose it should be.
    pub public: PublicKey,
    /// What it should be of.
    pub message: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

/// Checks many signatures at once; the answers are those of [`PublicKey::verify`], in order.
///
/// One batched check costs a third of single ones; only when it fails are the items checked one by one.
pub fn verify_batch(items: &[BatchItem<'_>]) -> Vec<bool> {
    let mut batch = Batch::default();
    for item in items {
        batch.queue(&item.public, item.message, &item.signature);
    }
    batch.verify()
}

/// Signatures gathered for one batched check; the messages need not be kept.
///
/// The random coefficients of the check are drawn from a hash of everything queued. So nobody has to bring randomness,
/// and a crafted set of signatures cannot be tuned to coefficients that change whenever it changes.
#[derive(Default)]
pub struct Batch {
    items: Vec<batch::Item>,
    transcript: Sha256,
}

impl Batch {
    /// Adds a signature; its answer will stand at the index `len` had before.
    pub fn queue(&mut self, public: &PublicKey, message: &[u8], signature: &Signature) {
        self.transcript.update(public.0);
        self.transcript.update(signature.0);
        self.transcript.update((message.len() as u64).to_le_bytes());
        self.transcript.update(message);
        let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
        self.items.push(batch::Item::from((VerificationKeyBytes::from(public.0), signature, message)));
    }

    /// How many signatures are queued.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Answers for every queued signature, and empties the batch.
    pub fn verify(&mut self) -> Vec<bool> {
        let coefficients = Coefficients::new(&self.transcript.finalize_reset().into());
        let items = std::mem::take(&mut self.items);
        // Below this a batch saves nothing.
        if items.len() > 2 {
            let mut verifier = batch::Verifier::new();
            for item in &items {
                verifier.queue(item.clone());
            }
            if verifier.verify(coefficients).is_ok() {
                return vec![true; items.len()];
            }
        }
        items.into_iter().map(|item| item.verify_single().is_ok()).collect()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A stream of bytes that nobody can predict without the whole transcript.
struct Coefficients(blake3::OutputReader);

impl Coefficients {
    fn new(transcript: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("hefu batch coefficients v1");
        hasher.update(transcript);
        Self(hasher.finalize_xof())
    }
}

impl rand_core::TryRng for Coefficients {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests;
