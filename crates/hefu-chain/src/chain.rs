//! The chain: one BLAKE3 value per record. Which records belong in it is not asked here.

use crate::hash::ChainHash;
use crate::origin::Origin;

/// The chain function of one ledger.
///
/// Deriving the context key costs as much as hashing a short leaf, so it is done once and cloned per record.
#[derive(Clone)]
pub struct ChainContext {
    hasher: blake3::Hasher,
    start: ChainHash,
}

impl ChainContext {
    /// The chain of the ledger with this name.
    pub fn new(origin: &Origin) -> Self {
        let hasher = blake3::Hasher::new_derive_key(&format!("{origin} record-chain v1"));
        let start = hash(&hasher, origin.as_str().as_bytes());
        Self { hasher, start }
    }

    /// `C(-1)`, the `prev` of record 0.
    pub fn start(&self) -> ChainHash {
        self.start
    }

    /// `C(i)` of the record with this leaf. The value before is inside the leaf, as `prev`.
    pub fn link(&self, leaf: &[u8]) -> ChainHash {
        hash(&self.hasher, leaf)
    }
}

impl std::fmt::Debug for ChainContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainContext").field("start", &self.start).finish_non_exhaustive()
    }
}

fn hash(context: &blake3::Hasher, bytes: &[u8]) -> ChainHash {
    let mut hasher = context.clone();
    hasher.update(bytes);
    ChainHash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked example B of the verifiable-logs survey, made with another BLAKE3 implementation.
    #[test]
    fn worked_example_b() {
        let chain = ChainContext::new(&"ledger.example/moves".parse().unwrap());
        let leaves = [
            r#"{"payload_sha256":"5c16beacf61a46c076fa566a9e5dcf85576c0b22f6ece307b9fdc05a9fdc3eb8","prev":"d88b27e3135a9ff495888f8411e3fd9d2891aa3cbede97a2b6526ae46edb88b9","seq":0,"stream":"P-1","stream_prev":null,"stream_seq":0,"ts":"2026-01-01T00:00:00Z","type":"project_moved","v":1}"#,
            r#"{"payload_sha256":"62df5c2f3d1cd2e4fa00222b84bef49f776b3832e508c6e5850a093df005eb75","prev":"23c47a7d5cbb44e2fb13cca1f0043e54645e85eea4534a564d3740b188040a68","seq":1,"stream":"P-2","stream_prev":null,"stream_seq":0,"ts":"2026-01-01T00:00:01Z","type":"project_moved","v":1}"#,
            r#"{"payload_sha256":"bf4ca2dcf529f203d209d91f3c070be30feec53ab2cb4f1a4357ff543df26208","prev":"256e1fcd7ab7a63d4ed4bca4a77bd0d0b6ebcfda1a40d09dc1cdf098c30c6c96","seq":2,"stream":"P-1","stream_prev":0,"stream_seq":1,"ts":"2026-01-01T00:00:02Z","type":"project_moved","v":1}"#,
        ];
        let expected = [
            "23c47a7d5cbb44e2fb13cca1f0043e54645e85eea4534a564d3740b188040a68",
            "256e1fcd7ab7a63d4ed4bca4a77bd0d0b6ebcfda1a40d09dc1cdf098c30c6c96",
            "5cf5cc14a5b0162c332cb5e17b90ec0b1b99afb24cec4ed68aa9ee60189270a8",
        ];
        assert_eq!(
            chain.start().to_string(),
            "d88b27e3135a9ff495888f8411e3fd9d2891aa3cbede97a2b6526ae46edb88b9"
        );
        for (leaf, expected) in leaves.iter().zip(expected) {
            assert_eq!(chain.link(leaf.as_bytes()).to_string(), expected);
        }
    }
}
