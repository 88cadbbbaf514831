//! The small log, its key replaced by record 12.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Frame, commit, first_root, log, log_key, origin, records, second_root};
use crate::body;
use crate::canonical;
use crate::chain::ChainContext;
use crate::command::{Endorsement, EnvelopeParts, SignedCommand, endorse};
use crate::hash::Sha256Digest;
use crate::key::SecretKey;
use crate::leaf::LeafRef;
use crate::origin::Origin;
use crate::record::Record;

/// The record of the rotation.
pub(in crate::verify) const AT: u64 = 12;

pub(in crate::verify) fn new_key() -> SecretKey {
    SecretKey::from_seed([0x20; 32])
}

/// Who signs the rotation, and who endorses it.
pub(in crate::verify) struct By {
    pub(in crate::verify) signer: SecretKey,
    pub(in crate::verify) endorsers: Vec<SecretKey>,
    /// The ledger that they sign it for.
    pub(in crate::verify) ledger: Origin,
}

pub(in crate::verify) fn by(signer: SecretKey, endorsers: &[SecretKey]) -> By {
    By { signer, endorsers: endorsers.to_vec(), ledger: origin() }
}

pub(in crate::verify) fn by_old() -> By {
    by(log_key(), &[new_key()])
}

pub(in crate::verify) fn by_roots() -> By {
    by(first_root(), &[second_root(), new_key()])
}

/// A command, signed.
fn signed(command: &Value, position: u64, signer: &SecretKey, ledger: &Origin) -> SignedCommand {
    let command_json = canonical::to_vec(command).unwrap();
    let parts = EnvelopeParts {
        at: "2026-01-01T00:00:00.000000Z",
        command_json: &command_json,
        id: Uuid::from_u128(u128::from(position)),
        ledger,
        nonce: [0x5e; 16],
        not_after: "2026-01-02T00:00:00.000000Z",
    };
    SignedCommand::sign(parts, signer).unwrap()
}

/// The record of an event, in the ledger's own stream.
fn record(position: u64, kind: &str, data: &Value, command: &SignedCommand, before: &[Record]) -> Record {
    let chain = ChainContext::new(&origin());
    let body = body::encode(&canonical::to_vec(data).unwrap(), [0x2b; 16]);
    // Five records of the stream come before the rotation.
    let stream_seq = 4 + position - AT;
    let leaf = LeafRef {
        actor: command.key(),
        body_sha256: Sha256Digest::of(&body),
        command: command.id(),
        command_sha256: command.digest(),
        prev: chain.link(&before[before.len() - 1].leaf),
        seq: position,
        stream: "ledger",
        stream_prev: Some(if position == AT { 9 } else { AT }),
        stream_seq,
        ts: "2026-01-01T00:01:00.000000Z",
        kind,
        v: 1,
    };
    let leaf = leaf.encode().unwrap();
    Record { position, leaf, body, command: command.bytes().to_vec(), redacted_by: None }
}

/// The log with its rotation. Commits from there on are signed by `commits`.
pub(in crate::verify) fn frames(by: &By, commits: &SecretKey) -> Vec<Frame> {
    with_command(by, commits, |_| ())
}

/// The same, and the command of the rotation was another before it was signed.
pub(in crate::verify) fn with_command(
    by: &By,
    commits: &SecretKey,
    edit: impl FnOnce(&mut Value),
) -> Vec<Frame> {
    let chain = ChainContext::new(&origin());
    let mut frames = log();
    let (new, old) = (new_key(), log_key());
    let mut command =
        json!({"endorsements": [], "key": new.id(), "public": new.public(), "type": "rotate_log_key"});
    edit(&mut command);
    let bare = canonical::to_vec(&command).unwrap();
    let endorsements: Vec<Endorsement> =
        by.endorsers.iter().map(|key| endorse(&by.ledger, &bare, key).unwrap()).collect();
    command["endorsements"] = json!(endorsements);
    let data = json!({"both_until": null, "key": new.id(), "old": old.id(), "public": new.public()});
    let rotation = signed(&command, AT, &by.signer, &by.ledger);
    let tick = signed(&json!({"type": "tick"}), AT + 1, &first_root(), &origin());
    for (position, kind, data, command) in
        [(AT, "log_key.rotated", data, rotation), (AT + 1, "policy.set", json!({"tolerance": "PT6M"}), tick)]
    {
        let record = record(position, kind, &data, &command, &records(&frames));
        let head = chain.link(&record.leaf);
        frames.push(Frame::Record(record));
        frames.push(Frame::Commit(commit(position, position, head, commits)));
    }
    frames
}
