//! The log's own key in a bundle: whose word the checkpoint is while that key is being replaced, and afterwards.
//!
//! In the window of a rotation both keys sign a checkpoint, so whoever has either of them goes on. The bundle names the
//! newer one. A bundle need not have the record of a rotation; one that has it tells when a key's word has ended.

use serde_json::Value;

use super::Judge;
use crate::body;
use crate::bundle::Header;
use crate::key::{KeyId, PublicKey};
use crate::leaf::LeafRef;
use crate::verify::finding::{Finding, FindingKind};
use crate::verify::rotation::ROTATED;
use crate::verify::word;

/// A record that replaces the log's key.
pub(super) struct Replaced {
    position: u64,
    old: KeyId,
    new: PublicKey,
}

impl Replaced {
    /// If it is one. The body must be the one that the leaf commits to.
    pub(super) fn of(leaf: &LeafRef<'_>, bytes: &[u8]) -> Option<Replaced> {
        if leaf.kind != ROTATED {
            return None;
        }
        let data: Value = serde_json::from_slice(body::parse(bytes).ok()?.data).ok()?;
        let old = data["old"].as_str()?.parse().ok()?;
        let new = data["public"].as_str()?.parse().ok()?;
        Some(Replaced { position: leaf.seq, old, new })
    }
}

impl Judge<'_> {
    /// The key that the bundle names is the given one, or both signed.
    pub(super) fn named(&mut self, header: &Header) {
        let Some(given) = self.options.log_key.filter(|given| *given != header.log_key) else { return };
        let signed = |public| word::is_signed_by(header.checkpoint.as_bytes(), public);
        match (signed(header.log_key), signed(given)) {
            (false, _) => {
                let finding = self.finding(FindingKind::BundleDamaged).field("log_key");
                self.push(finding.stored(header.log_key).expected(given));
            }
            (true, true) => {
                let key = header.log_key;
                self.report.notes.push(format!("the log's key is being replaced: {key} signed as well"));
            }
            // That the given key did not sign is a finding of the checkpoint.
            (true, false) => {}
        }
    }

    /// A checkpoint over the record that ended a key is not that key's to sign alone.
    pub(super) fn signed_by_replaced(&mut self) {
        let Some(header) = &self.header else { return };
        let signed = |public| word::is_signed_by(header.checkpoint.as_bytes(), public);
        let known = [Some(header.log_key), self.options.log_key];
        let ended = |replaced: &&Replaced| {
            let old = known.iter().flatten().find(|public| public.id() == replaced.old);
            old.is_some_and(|old| signed(*old)) && !signed(replaced.new)
        };
        if let Some(Replaced { position, new, .. }) = self.replaced.iter().find(ended) {
            let finding = Finding::new(FindingKind::CheckpointForged, "checkpoint").field("signature");
            let stored = format!("the signature of a key that record {position} ended");
            self.report.findings.push(finding.stored(stored).expected(format!("a signature of {new}")));
        }
    }
}
