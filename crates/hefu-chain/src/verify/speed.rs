//! How fast the verifier is, against a bare loop of the same hashes and signature checks.

use std::hint::black_box;
use std::time::Instant;

use serde_json::json;
use uuid::Uuid;

use super::testlog::{Frame, commit, file, log_key, origin};
use super::{Options, Segment, verify};
use crate::canonical;
use crate::chain::ChainContext;
use crate::command::{CommandRef, EnvelopeParts, SignedCommand};
use crate::hash::Sha256Digest;
use crate::key::{BatchItem, SecretKey, verify_batch};
use crate::leaf::{Leaf, LeafRef};
use crate::record::Record;
use crate::{body, key::Batch};

const RECORDS: u32 = 60_000;
const PER_COMMIT: u64 = 100;
const PERSONS: u8 = 90;

/// A log of one segment: every record has its own command, signed by one of ninety persons.
fn large_log() -> Vec<Frame> {
    let chain = ChainContext::new(&origin());
    let mut head = chain.start();
    let mut frames = Vec::new();
    let persons: Vec<SecretKey> = (1..=PERSONS).map(|n| SecretKey::from_seed([n; 32])).collect();
    for position in 0..u64::from(RECORDS) {
        let person = &persons[usize::try_from(position).unwrap() % persons.len()];
        let mut data = json!({"amount": "35000000.50", "from": "110000", "to": "310000", "note": "迁移投资，含设备与厂房"});
        if position == 0 {
            data["origin"] = json!(origin());
            data["log_public"] = json!(log_key().public());
            data["roots"] = json!({"keys": persons.iter().map(SecretKey::public).collect::<Vec<_>>()});
        }
        let data = canonical::to_vec(&data).unwrap();
        let parts = EnvelopeParts {
            at: "2026-01-01T00:00:00.000000Z",
            command_json: &data,
            id: Uuid::from_u128(position.into()),
            ledger: &origin(),
            nonce: [0x5e; 16],
            not_after: "2026-01-02T00:00:00.000000Z",
        };
        let command = SignedCommand::sign(parts, person).unwrap();
        let body = body::encode(&data, [0x2b; 16]);
        let leaf = Leaf {
            actor: person.id(),
            body_sha256: Sha256Digest::of(&body),
            command: command.id(),
            command_sha256: command.digest(),
            prev: head,
            seq: position,
            stream: format!("project/{}", Uuid::from_u128((position % 5000).into())),
            stream_prev: position.checked_sub(5000),
            stream_seq: position / 5000,
            ts: "2026-01-01T00:00:00.000000Z".into(),
            kind: "transfer.proposed".into(),
            v: 1,
        };
        let leaf = leaf.as_ref().encode().unwrap();
        head = chain.link(&leaf);
        frames.push(Frame::Record(Record {
            position,
            leaf,
            body,
            command: command.into_bytes(),
            redacted_by: None,
        }));
        if (position + 1) % PER_COMMIT == 0 {
            frames.push(Frame::Commit(commit(position + 1 - PER_COMMIT, position, head, &log_key())));
        }
    }
    frames
}

fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..3).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Prints figures. `cargo test --release -p hefu-chain speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement; run in release"]
fn speed() {
    let frames = large_log();
    let bytes = file(&frames, 0, 0);
    let records: Vec<&Record> = frames
        .iter()
        .filter_map(|frame| match frame {
            Frame::Record(record) => Some(record),
            Frame::Commit(_) => None,
        })
        .collect();
    let chain = ChainContext::new(&origin());
    let persons: Vec<SecretKey> = (1..=PERSONS).map(|n| SecretKey::from_seed([n; 32])).collect();
    let signed: Vec<_> = records
        .iter()
        .enumerate()
        .map(|(n, record)| {
            let command = CommandRef::parse(&record.command).unwrap();
            (persons[n % persons.len()].public(), command.signing_message(), command.signature)
        })
        .collect();
    let n = f64::from(RECORDS);
    let per = |what: &str, seconds: f64| println!("{what:44} {:8.3} µs a record", seconds / n * 1e6);

    let hashes = best(|| {
        for record in &records {
            black_box(chain.link(&record.leaf));
            black_box(Sha256Digest::of(&record.body));
            black_box(Sha256Digest::of(&record.command));
        }
    });
    per("bare: one BLAKE3, two SHA-256", hashes);
    let signatures = best(|| {
        for part in signed.chunks(1024) {
            let items: Vec<BatchItem<'_>> = part
                .iter()
                .map(|(public, message, signature)| BatchItem {
                    public: *public,
                    message,
                    signature: *signature,
                })
                .collect();
            assert!(verify_batch(&items).iter().all(|good| *good));
        }
    });
    per("bare: signatures, 1024 a batch", signatures);
    per(
        "queueing alone (SHA-512 and transcript)",
        best(|| {
            let mut batch = Batch::default();
            for (public, message, signature) in &signed {
                batch.queue(public, message, signature);
            }
            black_box(batch.len());
        }),
    );
    per(
        "leaf: parse",
        best(|| {
            for record in &records {
                black_box(LeafRef::parse(&record.leaf).unwrap());
            }
        }),
    );
    per(
        "leaf: encode",
        best(|| {
            for record in &records {
                black_box(LeafRef::parse(&record.leaf).unwrap().encode().unwrap());
            }
        }),
    );
    per(
        "canonical::check of a command",
        best(|| {
            for record in &records {
                canonical::check(black_box(&record.command)).unwrap();
            }
        }),
    );
    per(
        "command: parse, borrowed",
        best(|| {
            for record in &records {
                black_box(CommandRef::parse(&record.command).unwrap());
            }
        }),
    );
    per(
        "command: parse, owned, with digest",
        best(|| {
            for record in &records {
                black_box(SignedCommand::parse(record.command.clone()).unwrap());
            }
        }),
    );
    for threads in [1, 2] {
        let segments = [Segment { name: "00000000000000000000.seg", bytes: &bytes }];
        let whole = best(|| {
            let report = verify(&segments, Options { threads, ..Options::default() });
            assert!(report.findings.is_empty(), "{:?}", report.findings.first());
        });
        per(&format!("verify, {threads} threads"), whole);
        println!(
            "  {:.0} records/s; {:.2} of the bare loop on one core; {} bytes a record",
            n / whole,
            (hashes + signatures) / whole,
            bytes.len() / records.len()
        );
    }
}
