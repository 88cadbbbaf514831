//! Whose word a checkpoint is: the log's, the witnesses', or nobody's.

use super::Options;
use super::finding::{Finding, FindingKind};
use crate::checkpoint::{Checkpoint, Opened, Untrusted};
use crate::key::PublicKey;
use crate::note::{Distrust, Note, VerifierKey};
use crate::origin::Origin;

/// A checkpoint file, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    /// What it says, true or not.
    pub(super) checkpoint: Option<Checkpoint>,
    /// The log signed it, by a key that was given or that its own first record names.
    pub(super) trusted: bool,
    /// Why not, or what is missing.
    pub(super) findings: Vec<Finding>,
    /// Who cosigned, for the reader.
    pub(super) notes: Vec<String>,
}

/// Whether this key of the log signed a checkpoint, whoever else did.
pub(super) fn is_signed_by(bytes: &[u8], public: PublicKey) -> bool {
    let signed = || {
        let note = Note::parse(bytes).ok()?;
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        let key = VerifierKey::of_log(&checkpoint.origin, public).ok()?;
        Checkpoint::open(&note, [&key]).ok()
    };
    signed().is_some()
}

/// Reads a checkpoint and asks who stands behind it. `own` is the key that the log itself names.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    options: &Options<'_>,
    own: Option<PublicKey>,
    origin: Option<&Origin>,
) -> Word {
    let mut word = Word::default();
    let finding = |kind| Finding::new(kind, name);
    let forged = |why: String| finding(FindingKind::CheckpointForged).stored(why);
    let note = match Note::parse(bytes) {
        Ok(note) => note,
        Err(error) => {
            word.findings.push(forged(error.to_string()).field("note"));
            return word;
        }
    };
    let checkpoint: Checkpoint = match note.text().parse() {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            word.findings.push(forged(error.to_string()).field("note"));
            return word;
        }
    };
    let other = origin.filter(|origin| **origin != checkpoint.origin);
    if let Some(expected) = other {
        let finding = finding(FindingKind::OriginWrong).field("origin");
        word.findings.push(finding.stored(&checkpoint.origin).expected(expected));
    }
    word.checkpoint = Some(checkpoint.clone());
    let key = options.log_key.or(own);
    let verifier = key.and_then(|key| VerifierKey::of_log(&checkpoint.origin, key).ok());
    let asked = match (options.policy, &verifier) {
        (None, None) => {
            let finding = finding(FindingKind::KeyUnknown).field("log_key");
            word.findings
                .push(finding.expected("the log's public key; nobody knows who signed the checkpoint"));
            return word;
        }
        (None, Some(verifier)) => Checkpoint::open(&note, [verifier]).map(|opened| (opened, None)),
        (Some(policy), verifier) => policy.judge(&note, verifier).map(|judged| {
            let opened = Opened { checkpoint: judged.checkpoint, signatures: judged.signatures };
            (opened, Some((judged.cosigned, judged.missing, judged.quorum)))
        }),
    };
    match asked {
        Ok((_, witnessed)) => {
            word.trusted = true;
            if let Some((cosigned, missing, quorum)) = witnessed {
                let names: Vec<String> = cosigned.into_iter().map(|(name, _)| name).collect();
                if !names.is_empty() {
                    word.notes.push(format!("cosigned by {}", names.join(", ")));
                }
                if !quorum {
                    let finding =
                        finding(FindingKind::QuorumMissing).stored(format!("{} cosigned", names.len()));
                    word.findings.push(finding.expected(format!("cosignatures of {}", missing.join(", "))));
                }
            }
        }
        Err(Untrusted::Note(Distrust::NoKnownKey) | Untrusted::NotTheLog(_)) => {
            let finding = finding(FindingKind::CheckpointUnsigned).field("signature");
            word.findings.push(finding.expected("a signature of the log's key"));
        }
        Err(error @ (Untrusted::Note(_) | Untrusted::Body(_))) => {
            word.findings.push(forged(error.to_string()).field("signature"));
        }
    }
    word
}
