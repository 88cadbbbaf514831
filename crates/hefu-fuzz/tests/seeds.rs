//! The seeds: one or two of each thing, made by the ledger's own code from fixed keys. `UPDATE=1 cargo test -p hefu-fuzz`
//! writes them anew.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use hefu_chain::add_checkpoint::AddCheckpoint;
use hefu_chain::body;
use hefu_chain::bundle::{self, Asked, Header, Line, Reason};
use hefu_chain::chain::ChainContext;
use hefu_chain::checkpoint::Checkpoint;
use hefu_chain::command::{EnvelopeParts, SignedCommand};
use hefu_chain::cosignature::cosign;
use hefu_chain::evidence::{Evidence, Kind, Prefix};
use hefu_chain::frame::{self, Commit, FileHeader};
use hefu_chain::hash::Sha256Digest;
use hefu_chain::key::SecretKey;
use hefu_chain::leaf::Leaf;
use hefu_chain::note::{KeyKind, VerifierKey};
use hefu_chain::origin::Origin;
use hefu_chain::proof::TlogProof;
use hefu_chain::receipt::{HeadFile, Receipt};
use hefu_chain::record::Record;
use hefu_chain::tile::encode_entries;
use hefu_chain::tree::{self, MemoryTree, TreeHash};
use hefu_fuzz::TARGETS;
use uuid::Uuid;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

/// A small log: a body, a command and a leaf for each of its records, in one batch.
fn records(origin: &Origin, key: &SecretKey) -> Vec<Record> {
    let chain = ChainContext::new(origin);
    let mut prev = chain.start();
    let mut records = Vec::new();
    for position in 0..3_u64 {
        let data = format!(r#"{{"amount":"35000000.50","name":"合符","public":"{}"}}"#, key.public());
        let body = body::encode(data.as_bytes(), [0x2b; 16]);
        let parts = EnvelopeParts {
            at: "2026-01-01T00:00:00.000000Z",
            command_json:
                br#"{"note":"a\tb\u0001\"","numbers":[0,-1,9007199254740991,null,true],"type":"x"}"#,
            id: Uuid::from_u128(u128::from(position)),
            ledger: origin,
            nonce: [0x5e; 16],
            not_after: "2026-02-28T23:59:59.999999Z",
        };
        let command = SignedCommand::sign(parts, key).unwrap();
        let leaf = Leaf {
            actor: command.key(),
            body_sha256: Sha256Digest::of(&body),
            command: command.id(),
            command_sha256: command.digest(),
            prev,
            seq: position,
            stream: "enterprise/91110000600007156A".into(),
            stream_prev: position.checked_sub(1),
            stream_seq: position,
            ts: "2026-01-01T00:00:00.000000Z".into(),
            kind: "enterprise.registered".into(),
            v: 1,
        };
        let leaf = leaf.as_ref().encode().unwrap();
        prev = chain.link(&leaf);
        records.push(Record { position, leaf, body, command: command.into_bytes(), redacted_by: None });
    }
    records
}

/// Every seed: target, name, bytes.
fn seeds() -> BTreeMap<(&'static str, &'static str), Vec<u8>> {
    let origin: Origin = "ledger.example/moves".parse().unwrap();
    let (key, witness) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
    let records = records(&origin, &key);
    let leaves: Vec<&[u8]> = records.iter().map(|record| record.leaf.as_slice()).collect();
    let mut tree: MemoryTree = leaves.iter().map(|leaf| TreeHash::leaf(leaf)).collect();
    let checkpoint = Checkpoint { origin: origin.clone(), size: 3, root: tree::root(&mut tree, 3).unwrap() };
    let bare = checkpoint.sign(&key).unwrap();
    let mut note = bare.clone();
    let name: hefu_chain::note::KeyName = "witness.example/w1".parse().unwrap();
    note.add(cosign(&name, &witness, 1_767_225_600, note.text()).unwrap()).unwrap();
    let path = tree::inclusion(&mut tree, 1, 3).unwrap();
    let proof = TlogProof::new(Some(records[1].leaf.clone()), 1, path.clone(), note.clone()).unwrap();
    let lean = TlogProof::new(None, 1, path, bare.clone()).unwrap();
    let log_key = VerifierKey::of_log(&origin, key.public()).unwrap();
    let witness_key = VerifierKey::new(name, KeyKind::Cosignature, witness.public()).unwrap();
    let policy =
        format!("log {log_key}\nwitness w1 {witness_key} https://w.example/\ngroup g any w1\nquorum g\n");

    let chain = ChainContext::new(&origin);
    let head = chain.link(&records[2].leaf);
    let receipt = Receipt::sign(origin.clone(), 2, head, &key);
    let mut segment = FileHeader { base: 0, prev_head: chain.start().0 }.encode().to_vec();
    for record in &records {
        frame::encode_record(&mut segment, &record.as_ref()).unwrap();
    }
    let commit = Commit { first: 0, count: 3, batch_offset: 64, head: head.0, signature: receipt.sig.0 };
    frame::encode_commit(&mut segment, &commit);
    let ended = segment.clone();
    segment.resize(segment.len() + 64, 0);

    let request = AddCheckpoint {
        old: 2,
        proof: tree::consistency(&mut tree, 2, 3).unwrap(),
        checkpoint: bare.clone(),
    };
    let other =
        Checkpoint { size: 2, root: TreeHash::leaf(b"another"), ..checkpoint.clone() }.sign(&key).unwrap();
    let prefix = Prefix { proof: request.proof.clone(), root: tree::root(&mut tree, 2).unwrap() };
    let evidence =
        Evidence { kind: Kind::Rollback, seen: note.clone(), offered: other, prefix: Some(prefix) };

    let header = Header {
        asked: Asked::Range { end: 3, first: 0 },
        checkpoint: note.to_string(),
        format: bundle::FORMAT.into(),
        log_key: key.public(),
        origin: origin.clone(),
    };
    let mut evidence_bundle = bundle::Writer::new(Vec::new(), &header).unwrap();
    for record in &records {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let line = Line {
            body: Some(text(&record.body)),
            command: Some(text(&record.command)),
            index: record.position,
            leaf: text(&record.leaf),
            path: tree::inclusion(&mut tree, record.position, 3).unwrap(),
            why: Reason::Asked,
        };
        evidence_bundle.record(&line).unwrap();
    }

    let csv = "某区台账,,,单位：万元\n项目代码,项目名称,指标,报告期,金额（万元）,单位\n\
        2501-330108-04-01-123456,甲,INV_FAI,2023-07,\"１，２３４．５\",\n\
        ,\"丙,\"\"二\"\"期\",inv_fai,2023年8月,(12.30),万元\n\
        0198b2c4-7d3e-7000-8000-000000000001,,INV_FAI,2023-9-30,3万元,\n合计,,,,1,\n";
    let cell = |at: &str, kind: &str, value: &str| match kind {
        "n" => format!(r#"<c r="{at}"><v>{value}</v></c>"#),
        _ => format!(r#"<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>"#),
    };
    let rows = [
        [("s", "项目代码"), ("s", "指标"), ("s", "报告期"), ("s", "金额(元)")],
        [("s", "2501-330108-04-01-123456"), ("s", "INV_FAI"), ("s", "2023-07"), ("n", "4.3499999999999996")],
        [("s", "丁"), ("s", "INV_FAI"), ("n", "202308"), ("n", "-1.2E+3")],
    ];
    let row = |(number, cells): (usize, &[(&str, &str); 4])| {
        let cells: String = cells
            .iter()
            .zip(["A", "B", "C", "D"])
            .map(|((kind, value), column)| cell(&format!("{column}{number}"), kind, value))
            .collect();
        format!(r#"<row r="{number}">{cells}</row>"#)
    };
    let rows: String = (1..).zip(&rows).map(row).collect();
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );

    let bundle = [&[2_u8], encode_entries(leaves).unwrap().as_slice()].concat();
    BTreeMap::from([
        (("add_checkpoint", "grown"), request.to_string().into_bytes()),
        (("amount", "grouped"), "¥ 35,000,000.50\n元".as_bytes().to_vec()),
        (("amount", "negative"), "（１２．３）万元".as_bytes().to_vec()),
        (("amount", "persons"), "12人".as_bytes().to_vec()),
        (("book", "csv"), csv.as_bytes().to_vec()),
        (("book_sheet", "cells"), sheet.into_bytes()),
        (("bundle", "range"), evidence_bundle.finish().unwrap()),
        (("evidence", "rollback"), evidence.to_bytes()),
        (("body", "body"), records[0].body.clone()),
        (("canonical", "command"), records[0].command.clone()),
        (("canonical", "numbers"), br#"[0,-1,9007199254740991,"\u001f\\",{"a":[],"b":{}}]"#.to_vec()),
        (("checkpoint", "bare"), bare.to_string().into_bytes()),
        (("checkpoint", "cosigned"), note.to_string().into_bytes()),
        (("command", "command"), records[2].command.clone()),
        (("entries", "three"), bundle),
        (("head", "head"), HeadFile::new(receipt, true).encode().unwrap()),
        (("leaf", "first"), records[0].leaf.clone()),
        (("leaf", "third"), records[2].leaf.clone()),
        (("note", "cosigned"), note.to_string().into_bytes()),
        (("policy", "one_witness"), policy.into_bytes()),
        (("proof", "carrying"), proof.to_string().into_bytes()),
        (("proof", "lean"), lean.to_string().into_bytes()),
        (("segment", "ended"), ended),
        (("segment", "zeros"), segment),
        (("tile_path", "entries"), b"tile/entries/x001/x234/067.p/112".to_vec()),
        (("tile_path", "hashes"), b"tile/1/273".to_vec()),
        (("vkey", "log"), log_key.to_string().into_bytes()),
        (("vkey", "witness"), witness_key.to_string().into_bytes()),
    ])
}

#[test]
fn the_seeds_are_what_the_ledger_writes_and_each_target_accepts_its_own() {
    for ((target, name), bytes) in seeds() {
        let path = folder().join(target).join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).ok() == Some(bytes.clone()), "fuzz/seeds/{target}/{name}: write it anew");
        let (_, accepts) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
        assert!(accepts(&bytes), "{target}/{name} is refused");
    }
    let with_seeds = seeds().keys().map(|(target, _)| *target).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(with_seeds, TARGETS.iter().map(|(name, _)| *name).collect());
}
