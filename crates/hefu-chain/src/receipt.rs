//! What the ledger signs: receipts, refusals and its newest head. All by the log's key, all over plain lines of text.
//!
//! A signature proves that the ledger said so; whether the log agrees is asked by `verify`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::canonical::{self, NotCanonical};
use crate::hash::{ChainHash, Sha256Digest};
use crate::key::{PublicKey, SecretKey, Signature};
use crate::origin::Origin;
use crate::text::is_plain;

/// What a receipt signs: everything up to record `seq`, whose chain value is `head`.
pub fn receipt_message(origin: &Origin, seq: u64, head: &ChainHash) -> Vec<u8> {
    format!("hefu-receipt-v1\n{origin}\n{seq}\n{head}\n").into_bytes()
}

/// The ledger's word that the log up to `seq` is as `head` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Which ledger.
    pub origin: Origin,
    /// The last record of the commit.
    pub seq: u64,
    /// `C(seq)`.
    pub head: ChainHash,
    /// The log's signature.
    pub sig: Signature,
}

impl Receipt {
    /// Signs a receipt.
    pub fn sign(origin: Origin, seq: u64, head: ChainHash, key: &SecretKey) -> Self {
        let sig = key.sign(&receipt_message(&origin, seq, &head));
        Self { origin, seq, head, sig }
    }

    /// Did this log key sign it?
    pub fn verify(&self, log: &PublicKey) -> bool {
        log.verify(&receipt_message(&self.origin, self.seq, &self.head), &self.sig)
    }
}

/// The ledger's word that it refused a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Which ledger.
    pub origin: Origin,
    /// The id of the command.
    pub id: Uuid,
    /// The digest of the command.
    pub command_sha256: Sha256Digest,
    /// Why: a word in visible ASCII.
    pub code: String,
    /// How many records the log had.
    pub size: u64,
    /// The log's signature.
    pub sig: Signature,
}

impl Refusal {
    /// Signs a refusal. `code` is a word in visible ASCII; with any other the refusal never verifies.
    pub fn sign(
        origin: Origin,
        id: Uuid,
        command_sha256: Sha256Digest,
        code: String,
        size: u64,
        key: &SecretKey,
    ) -> Self {
        let sig = key.sign(&refusal_message(&origin, id, &command_sha256, &code, size));
        Self { origin, id, command_sha256, code, size, sig }
    }

    /// Did this log key sign it?
    pub fn verify(&self, log: &PublicKey) -> bool {
        let message = refusal_message(&self.origin, self.id, &self.command_sha256, &self.code, self.size);
        !self.code.is_empty() && is_plain(self.code.as_bytes()) && log.verify(&message, &self.sig)
    }
}

fn refusal_message(origin: &Origin, id: Uuid, command: &Sha256Digest, code: &str, size: u64) -> Vec<u8> {
    format!("hefu-refusal-v1\n{origin}\n{}\n{command}\n{code}\n{size}\n", id.hyphenated()).into_bytes()
}

/// The newest head a ledger stood behind: the content of its file `head`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadFile {
    /// Written at a clean stop.
    pub clean: bool,
    /// `C(size - 1)`.
    pub head: ChainHash,
    /// Which ledger.
    pub origin: Origin,
    /// The receipt signature of record `size - 1`.
    pub sig: Signature,
    /// How many records the log has; at least one.
    pub size: u64,
}

/// Bytes are not a head file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHead {
    /// Not canonical JSON.
    #[error("head: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// Not the fields of a head.
    #[error("head: {0}")]
    Fields(String),
}

impl HeadFile {
    /// The head that this receipt speaks of.
    pub fn new(receipt: Receipt, clean: bool) -> Self {
        Self {
            clean,
            head: receipt.head,
            origin: receipt.origin,
            sig: receipt.sig,
            size: receipt.seq.saturating_add(1),
        }
    }

    /// One line of canonical JSON with its line feed.
    pub fn encode(&self) -> Result<Vec<u8>, BadHead> {
        let mut line = canonical::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads the line; the line feed may be missing.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadHead> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        canonical::check(line)?;
        let head: Self = serde_json::from_slice(line).map_err(|error| BadHead::Fields(error.to_string()))?;
        if head.size == 0 {
            return Err(BadHead::Fields("`size` is at least 1".into()));
        }
        Ok(head)
    }

    /// The receipt inside.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            origin: self.origin.clone(),
            seq: self.size.saturating_sub(1),
            head: self.head,
            sig: self.sig,
        }
    }

    /// Did this log key sign it?
    pub fn verify(&self, log: &PublicKey) -> bool {
        self.size > 0 && self.receipt().verify(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_seed([7; 32])
    }

    fn origin() -> Origin {
        "ledger.example/moves".parse().unwrap()
    }

    #[test]
    fn golden_receipt_and_head() {
        let receipt = Receipt::sign(origin(), 122, ChainHash([0xab; 32]), &key());
        let text = format!("hefu-receipt-v1\nledger.example/moves\n122\n{}\n", "ab".repeat(32));
        assert_eq!(receipt_message(&receipt.origin, 122, &receipt.head), text.into_bytes());
        let golden =
            "XceGafW8jHXcH60Pm6fcxGsazzsKpGrxLdoCCQtWL5qZvGQMVMoXKoQOsJ0Pd5OsF6m+yvyL0D58XwWMwrDyDg==";
        assert_eq!(receipt.sig.to_string(), golden);
        assert!(receipt.verify(&key().public()));
        assert!(!Receipt { seq: 121, ..receipt.clone() }.verify(&key().public()));

        let head = HeadFile::new(receipt.clone(), true);
        let line = head.encode().unwrap();
        let expected = format!(
            "{{\"clean\":true,\"head\":\"{}\",\"origin\":\"ledger.example/moves\",\"sig\":\"{}\",\"size\":123}}\n",
            "ab".repeat(32),
            receipt.sig
        );
        assert_eq!(std::str::from_utf8(&line).unwrap(), expected);
        assert_eq!(HeadFile::parse(&line), Ok(head.clone()));
        assert!(head.verify(&key().public()));
        assert!(!HeadFile { size: 124, ..head.clone() }.verify(&key().public()));
        assert_eq!(head.receipt(), receipt);
        let zero = expected.replace("\"size\":123", "\"size\":0");
        assert!(matches!(HeadFile::parse(zero.as_bytes()), Err(BadHead::Fields(_))));
        let spaced = expected.replace(",\"size\"", ", \"size\"");
        assert!(matches!(HeadFile::parse(spaced.as_bytes()), Err(BadHead::NotCanonical(_))));
    }

    #[test]
    fn golden_refusal() {
        let refusal = Refusal::sign(
            origin(),
            Uuid::from_u128(1),
            Sha256Digest([2; 32]),
            "key.unknown".into(),
            9,
            &key(),
        );
        let text = format!(
            "hefu-refusal-v1\nledger.example/moves\n00000000-0000-0000-0000-000000000001\n{}\nkey.unknown\n9\n",
            "02".repeat(32)
        );
        assert_eq!(refusal.sig, key().sign(text.as_bytes()));
        assert!(refusal.verify(&key().public()));
        assert!(!Refusal { code: "key.revoked".into(), ..refusal.clone() }.verify(&key().public()));
        let json = serde_json::to_string(&refusal).unwrap();
        assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal);
    }

    #[test]
    fn a_code_of_two_lines_never_verifies() {
        let refusal = Refusal::sign(origin(), Uuid::nil(), Sha256Digest([2; 32]), "a\n1".into(), 9, &key());
        assert!(!refusal.verify(&key().public()));
    }
}
