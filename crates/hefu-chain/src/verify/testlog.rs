//! A small log for the verifier's tests: twelve records, three streams, five commits, two persons.

pub(super) mod rotation;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::body;
use crate::canonical;
use crate::chain::ChainContext;
use crate::command::{EnvelopeParts, SignedCommand};
use crate::frame::{self, Commit, FileHeader};
use crate::hash::{ChainHash, Sha256Digest};
use crate::key::SecretKey;
use crate::leaf::{Leaf, LeafRef};
use crate::origin::Origin;
use crate::receipt::{HeadFile, Receipt};
use crate::record::Record;

pub(super) fn origin() -> Origin {
    "ledger.example/moves".parse().unwrap()
}

pub(super) fn log_key() -> SecretKey {
    SecretKey::from_seed([0x10; 32])
}

pub(super) fn person(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

/// The root keys: two, and both must sign.
pub(super) fn first_root() -> SecretKey {
    person(3)
}

pub(super) fn second_root() -> SecretKey {
    person(4)
}

/// A frame to be written.
#[derive(Clone)]
pub(super) enum Frame {
    Record(Record),
    Commit(Commit),
}

impl Frame {
    pub(super) fn record(&mut self) -> &mut Record {
        match self {
            Self::Record(record) => record,
            Self::Commit(_) => panic!("a commit"),
        }
    }

    pub(super) fn commit(&mut self) -> &mut Commit {
        match self {
            Self::Commit(commit) => commit,
            Self::Record(_) => panic!("a record"),
        }
    }

    /// Writes the leaf anew with one change.
    pub(super) fn edit_leaf(&mut self, edit: impl FnOnce(&mut Leaf)) {
        let record = self.record();
        let mut leaf = LeafRef::parse(&record.leaf).unwrap().to_leaf();
        edit(&mut leaf);
        record.leaf = leaf.as_ref().encode().unwrap();
    }
}

/// The sizes of the batches.
pub(super) const BATCHES: [usize; 5] = [1, 3, 2, 4, 2];
pub(super) const RECORDS: u64 = 12;

/// The log as frames: records 0..12, a commit after each batch.
pub(super) fn log() -> Vec<Frame> {
    let chain = ChainContext::new(&origin());
    let (a, b) = (person(1), person(2));
    let root = first_root();
    let entry = |key: &SecretKey| json!({"key": key.id(), "person": "某人", "public": key.public()});
    let genesis = json!({
        "format": 1, "log_key": log_key().id(), "log_public": log_key().public(), "origin": origin(),
        "roots": {"keys": [entry(&root), entry(&second_root())], "threshold": 2}, "suite": "blake3-sha256-ed25519",
    });
    let register = |key: &SecretKey| json!({"key": key.id(), "public": key.public(), "person": "某人"});
    let move_to = |region: &str| json!({"amount": "35000000.50", "to": region});
    let project = "project/01900000-0000-7000-8000-000000000001";
    let enterprise = "enterprise/91110000600007156A";
    // Stream, type, event, who, and whether the command is that of the record before.
    let events: [(&str, &str, Value, &SecretKey, bool); 12] = [
        ("ledger", "ledger.created", genesis, &root, false),
        ("ledger", "key.registered", register(&a), &root, false),
        ("ledger", "key.registered", register(&b), &root, false),
        (enterprise, "enterprise.registered", json!({"name": "合符"}), &a, false),
        (project, "project.registered", json!({"holder": "110000"}), &a, false),
        (enterprise, "enterprise.moved", move_to("310000"), &a, true),
        (project, "transfer.proposed", move_to("310000"), &a, false),
        (project, "transfer.accepted", json!({"subject": 6}), &b, false),
        (project, "transfer.closed", json!({}), &b, true),
        ("ledger", "policy.set", json!({"tolerance": "PT5M"}), &root, false),
        (enterprise, "enterprise.moved", move_to("440000"), &b, false),
        (project, "transfer.proposed", move_to("440000"), &b, false),
    ];
    let mut records = Vec::new();
    let mut head = chain.start();
    let mut tips: std::collections::HashMap<&str, (u64, u64)> = std::collections::HashMap::new();
    let mut command: Option<SignedCommand> = None;
    for ((stream, kind, data, who, again), position) in events.into_iter().zip(0_u64..) {
        if !again {
            let order = canonical::to_vec(&json!({"event": data, "type": kind})).unwrap();
            let parts = EnvelopeParts {
                at: "2026-01-01T00:00:00.000000Z",
                command_json: &order,
                id: Uuid::from_u128(u128::from(position)),
                ledger: &origin(),
                nonce: [0x5e; 16],
                not_after: "2026-01-02T00:00:00.000000Z",
            };
            command = Some(SignedCommand::sign(parts, who).unwrap());
        }
        let command = command.as_ref().unwrap();
        let body = body::encode(&canonical::to_vec(&data).unwrap(), [0x2b; 16]);
        let tip = tips.get(stream).copied();
        let leaf = Leaf {
            actor: command.key(),
            body_sha256: Sha256Digest::of(&body),
            command: command.id(),
            command_sha256: command.digest(),
            prev: head,
            seq: position,
            stream: stream.into(),
            stream_prev: tip.map(|tip| tip.1),
            stream_seq: tip.map_or(0, |tip| tip.0),
            ts: format!("2026-01-01T00:00:{position:02}.000000Z"),
            kind: kind.into(),
            v: 1,
        };
        tips.insert(stream, (leaf.stream_seq + 1, position));
        let leaf = leaf.as_ref().encode().unwrap();
        head = chain.link(&leaf);
        let command = if again { Vec::new() } else { command.bytes().to_vec() };
        records.push(Record { position, leaf, body, command, redacted_by: None });
    }
    let mut frames = Vec::new();
    let mut rest = records.into_iter();
    let mut first = 0;
    for count in BATCHES {
        let batch: Vec<Record> = rest.by_ref().take(count).collect();
        let last = first + count as u64 - 1;
        let head = chain.link(&batch[count - 1].leaf);
        frames.extend(batch.into_iter().map(Frame::Record));
        frames.push(Frame::Commit(commit(first, last, head, &log_key())));
        first = last + 1;
    }
    frames
}

pub(super) fn commit(first: u64, last: u64, head: ChainHash, key: &SecretKey) -> Commit {
    Commit {
        first,
        count: u32::try_from(last + 1 - first).unwrap(),
        batch_offset: 0,
        head: head.0,
        signature: Receipt::sign(origin(), last, head, key).sig.0,
    }
}

pub(super) fn records(frames: &[Frame]) -> Vec<Record> {
    let record = |frame: &Frame| match frame {
        Frame::Record(record) => Some(record.clone()),
        Frame::Commit(_) => None,
    };
    frames.iter().filter_map(record).collect()
}

/// Chains everything anew, as one who can compute everything but not sign.
pub(super) fn chain_anew(frames: &mut [Frame], also_commits: bool) {
    let chain = ChainContext::new(&origin());
    let mut head = chain.start();
    for frame in frames {
        match frame {
            Frame::Record(_) => {
                frame.edit_leaf(|leaf| leaf.prev = head);
                head = chain.link(&frame.record().leaf);
            }
            Frame::Commit(commit) if also_commits => commit.head = head.0,
            Frame::Commit(_) => {}
        }
    }
}

/// The segment file with these frames, and zeros ahead if it is the last.
pub(super) fn file(frames: &[Frame], base: u64, zeros: usize) -> Vec<u8> {
    let chain = ChainContext::new(&origin());
    let prev_head = match base.checked_sub(1) {
        None => chain.start(),
        Some(before) => head_at(before),
    };
    let mut bytes = FileHeader { base, prev_head: prev_head.0 }.encode().to_vec();
    let mut batch_offset = bytes.len() as u64;
    for frame in frames {
        match frame {
            Frame::Record(record) => frame::encode_record(&mut bytes, &record.as_ref()).unwrap(),
            Frame::Commit(commit) => {
                // An offset of zero is filled in; any other was put there by a test.
                let batch_offset_or =
                    if commit.batch_offset == 0 { batch_offset } else { commit.batch_offset };
                frame::encode_commit(&mut bytes, &Commit { batch_offset: batch_offset_or, ..*commit });
                batch_offset = bytes.len() as u64;
            }
        }
    }
    bytes.resize(bytes.len() + zeros, 0);
    bytes
}

/// `C(position)` of the untouched log.
pub(super) fn head_at(position: u64) -> ChainHash {
    let chain = ChainContext::new(&origin());
    let found = log().into_iter().find_map(|frame| match frame {
        Frame::Record(record) if record.position == position => Some(chain.link(&record.leaf)),
        Frame::Record(_) | Frame::Commit(_) => None,
    });
    found.unwrap()
}

/// The head file of the untouched log when it had this size.
pub(super) fn head_file(size: u64) -> HeadFile {
    HeadFile::new(Receipt::sign(origin(), size - 1, head_at(size - 1), &log_key()), true)
}
