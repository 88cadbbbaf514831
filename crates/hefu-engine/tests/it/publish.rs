//! Checkpoints that cost what is new, the tiles below them, and what an operator cannot take back.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use hefu_chain::{
    cosignature,
    frame::{self, Item, Scanner},
    key::SecretKey,
    note::{KeyKind, NoteSignature, VerifierKey},
    record::Record,
    tree::{TreeHash, verify_consistency},
};
use hefu_engine::{
    Cosigner, Disagreement, Engine, EngineError, GrowthProof, Mode, NotCosigned, Options, Prover,
    PublishError, Published, Publisher, Schedule, prove,
};
use hefu_store::sim::Fault;

use crate::{
    bench_ledger::{Bench, ok, project, report, sign},
    faults::simulated,
};

/// Reports so many values, each alone.
fn grow(engine: &Engine, bench: &Bench, values: std::ops::Range<u64>) {
    let mut signer = bench.signer();
    let commands = values.map(|value| sign(engine, &mut signer, "330108", report(value)).1).collect();
    engine.submit(commands, Mode::Each, None).wait().unwrap().iter().for_each(|answer| {
        ok(answer);
    });
}

fn ledger(values: u64) -> Bench {
    let bench = Bench::new();
    let engine = bench.open();
    project(&engine, &mut bench.signer());
    grow(&engine, &bench, 0..values);
    engine.close().unwrap();
    bench
}

fn checkpoint(bench: &Bench) -> Result<Published, PublishError> {
    Publisher::open(&bench.dir)?.checkpoint(&|_| {})
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// The log as it is in another directory, under the checkpoints of this one.
fn replace_log(bench: &Bench, with: &Path) {
    for name in ["segments", "snapshot", "index"] {
        let _ = fs::remove_dir_all(bench.dir.join(name));
        if with.join(name).exists() {
            copy(&with.join(name), &bench.dir.join(name));
        }
    }
    fs::copy(with.join("head"), bench.dir.join("head")).unwrap();
}

#[test]
fn a_checkpoint_reads_what_is_new_and_says_what_a_full_reading_says() {
    let bench = ledger(300);
    let read = Mutex::new(0);
    let count = |more: u64| *read.lock().unwrap() += more;
    let first = Publisher::open(&bench.dir).unwrap().checkpoint(&count).unwrap();
    assert_eq!(std::mem::take(&mut *read.lock().unwrap()), first.checkpoint.size);
    let engine = bench.open();
    grow(&engine, &bench, 300..310);
    engine.close().unwrap();
    let mut publisher = Publisher::open(&bench.dir).unwrap();
    let second = publisher.checkpoint(&count).unwrap();
    assert_eq!(std::mem::take(&mut *read.lock().unwrap()), 10);
    drop(publisher);
    let full = Publisher::open(&bench.dir).unwrap().everything().checkpoint(&count).unwrap();
    assert_eq!((&full, *read.lock().unwrap()), (&second, full.checkpoint.size));
}

#[test]
fn every_proof_holds_whatever_is_done_to_the_tiles() {
    let bench = ledger(260);
    let published = checkpoint(&bench).unwrap();
    let vkey = Publisher::open(&bench.dir).unwrap().verifier().clone();
    let size = published.checkpoint.size;
    let holds = |prover: &Prover, positions: &[u64]| {
        for position in positions {
            prover.inclusion(*position).unwrap().verify(None, [&vkey]).unwrap();
        }
    };
    let all: Vec<u64> = (0..size).collect();
    let prover = Prover::open(&bench.dir).unwrap();
    holds(&prover, &all);
    let roots: Vec<TreeHash> = (0..=size).map(|size| prover.root(size).unwrap()).collect();
    for (old, new) in [(0, 0), (1, 2), (7, size), (255, 256), (256, 257), (3, 258), (size, size)] {
        let path = prover.consistency(old, new).unwrap();
        let root = |size: u64| &roots[usize::try_from(size).unwrap()];
        verify_consistency(old, root(old), new, root(new), &path).unwrap();
    }
    assert!(matches!(prover.consistency(2, 1), Err(PublishError::Sizes { .. })));
    assert!(matches!(prover.consistency(1, size + 1), Err(PublishError::Sizes { .. })));
    assert!(matches!(prover.inclusion(size), Err(PublishError::NoRecord { .. })));

    let level = |level: u8| bench.dir.join("tiles").join(level.to_string());
    let whole = [fs::read(level(0)).unwrap(), fs::read(level(1)).unwrap()];
    let harms: [&dyn Fn(); 5] = [
        &|| (0..whole[0].len()).step_by(997).for_each(|at| flip(&level(0), at)),
        &|| flip(&level(1), 3),
        &|| fs::write(level(0), &whole[0][..100]).unwrap(),
        &|| fs::remove_file(level(1)).unwrap(),
        &|| fs::remove_dir_all(bench.dir.join("tiles")).unwrap(),
    ];
    for harm in harms {
        harm();
        let prover = Prover::open(&bench.dir).unwrap();
        holds(&prover, &[0, 3, 255, 256, size - 1]);
        assert_eq!(prover.root(100).unwrap(), roots[100]);
        // Neither a publisher nor a writer builds on them; both leave them right.
        assert_eq!(checkpoint(&bench).unwrap(), published);
        bench.open().close().unwrap();
        prove(&bench.dir, 3).unwrap();
        for (level, whole) in [level(0), level(1)].iter().zip(&whole) {
            if !level.exists() || fs::read(level).unwrap() != *whole {
                fs::create_dir_all(bench.dir.join("tiles")).unwrap();
                fs::write(level, whole).unwrap();
            }
        }
    }
    fs::remove_dir_all(bench.dir.join("tiles")).unwrap();
    bench.open().close().unwrap();
    assert_eq!([fs::read(level(0)).unwrap(), fs::read(level(1)).unwrap()], whole);
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_log_that_is_older_than_its_checkpoint_or_another_does_not_open() {
    let bench = ledger(3);
    let (older, other) = (bench.dir.with_extension("older"), bench.dir.with_extension("other"));
    copy(&bench.dir, &older);
    copy(&bench.dir, &other);
    let keys = |of: &Path| std::path::PathBuf::from(format!("{}.keys", of.display()));
    copy(&keys(&bench.dir), &keys(&other));
    let engine = bench.open();
    grow(&engine, &bench, 3..6);
    engine.close().unwrap();
    let published = checkpoint(&bench).unwrap();
    // Another history of the same length, by the same keys.
    let second = Bench::at(&other);
    let engine = second.open();
    grow(&engine, &second, 13..16);
    engine.close().unwrap();

    let refused = |why: Disagreement| {
        for tiles in [true, false] {
            if !tiles {
                let _ = fs::remove_dir_all(bench.dir.join("tiles"));
            }
            match Engine::open(&bench.dir, Options::default()) {
                Err(EngineError::Checkpoint { why: found, old, path, .. }) => {
                    assert_eq!((found, old), (why, published.checkpoint.size));
                    assert_eq!(path, bench.dir.join("checkpoint"));
                }
                Err(error) => panic!("{error}"),
                Ok(_) => panic!("it opened"),
            }
        }
        let signed = checkpoint(&bench);
        assert!(matches!(signed, Err(PublishError::Engine(EngineError::Checkpoint { .. }))));
    };
    let right = bench.dir.with_extension("right");
    copy(&bench.dir, &right);
    replace_log(&bench, &older);
    refused(Disagreement::Shorter);
    replace_log(&bench, &other);
    refused(Disagreement::Root);
    // With more records on top it is still another history.
    let engine = second.open();
    grow(&engine, &second, 16..18);
    engine.close().unwrap();
    replace_log(&bench, &other);
    refused(Disagreement::Root);
    // The log itself is welcome.
    replace_log(&bench, &right);
    bench.open().close().unwrap();
    assert_eq!(checkpoint(&bench).unwrap(), published);
}

/// A witness without a network: agrees when told to, and keeps the size it saw.
#[derive(Debug)]
struct Witness {
    key: SecretKey,
    seen: Mutex<(u64, TreeHash)>,
    agrees: Mutex<bool>,
}

impl Witness {
    fn new() -> Arc<Witness> {
        let key = SecretKey::from_seed([7; 32]);
        Arc::new(Witness { key, seen: Mutex::new((0, TreeHash::EMPTY)), agrees: Mutex::new(true) })
    }

    fn verifier(&self) -> VerifierKey {
        VerifierKey::new("w.example".parse().unwrap(), KeyKind::Cosignature, self.key.public()).unwrap()
    }
}

impl Cosigner for Witness {
    fn cosign(
        &self,
        signed: &Published,
        growth: &GrowthProof<'_>,
    ) -> Result<Vec<NoteSignature>, NotCosigned> {
        let mut seen = self.seen.lock().unwrap();
        let now = (signed.checkpoint.size, signed.checkpoint.root);
        let path = growth(seen.0).unwrap();
        verify_consistency(seen.0, &seen.1, now.0, &now.1, &path).unwrap();
        *seen = now;
        if !*self.agrees.lock().unwrap() {
            return Err(NotCosigned { why: "the witness is on leave".to_owned() });
        }
        let line = cosignature::cosign(&"w.example".parse().unwrap(), &self.key, 5, signed.note.text());
        Ok(vec![line.unwrap()])
    }
}

/// Rewrites one stored record; its frame is sound again.
fn rewrite(bench: &Bench, position: u64, edit: impl FnOnce(&mut Record)) {
    let path = bench.dir.join("segments/00000000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let stored = Scanner::new(&bytes, frame::HEADER_LEN).find_map(|item| match item {
        Item::Record { offset, record } if record.position == position => Some((offset, record.to_record())),
        Item::Record { .. } | Item::Commit { .. } | Item::Zeros { .. } | Item::Damage { .. } => None,
    });
    let (offset, mut record) = stored.unwrap();
    edit(&mut record);
    let mut frame = Vec::new();
    frame::encode_record(&mut frame, &record.as_ref()).unwrap();
    let offset = usize::try_from(offset).unwrap();
    bytes[offset..offset + frame.len()].copy_from_slice(&frame);
    fs::write(&path, bytes).unwrap();
}

/// One letter of a text, wherever it stands.
fn letter(bytes: &mut [u8], text: &str) {
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[at + text.len() - 1] ^= 1;
}

/// What was written is read back before it is signed. Frame and checksum are sound: only the digests tell.
#[test]
fn what_is_not_as_it_was_written_is_not_signed() {
    let bench = ledger(3);
    let untouched = fs::read(bench.dir.join("segments/00000000000000000000.seg")).unwrap();
    let last = bench.open();
    let at = last.views().read().unwrap().size - 2;
    last.close().unwrap();
    let refused = |what: &str, edit: &dyn Fn(&mut Record), why: &str, place: u64| {
        rewrite(&bench, at, edit);
        let error = checkpoint(&bench).unwrap_err();
        let located = matches!(&error, PublishError::Engine(EngineError::BadRecord { position, why: said })
            if *position == place && said == why);
        assert!(located, "{what}: {error:?}");
        for name in ["checkpoint", "checkpoint.signed"] {
            assert!(!bench.dir.join(name).exists(), "{what}: {name}");
        }
        fs::write(bench.dir.join("segments/00000000000000000000.seg"), &untouched).unwrap();
    };
    refused("body", &|record| letter(&mut record.body, "\"data\":{\"indicator"), BODY, at);
    refused("command", &|record| letter(&mut record.command, "\"sig\":\""), COMMAND, at);
    refused(
        "leaf",
        &|record| letter(&mut record.leaf, "\"ts\":\"2"),
        "it is not linked to the record before",
        at + 1,
    );
    checkpoint(&bench).unwrap();
}

const BODY: &str = "its body is not the one its leaf names";
const COMMAND: &str = "its command is not the one its leaf names";

#[test]
fn nothing_is_published_before_its_cosigner_agrees() {
    let bench = ledger(3);
    let witness = Witness::new();
    let cosigned = || {
        let publisher = Publisher::open(&bench.dir).unwrap();
        publisher.cosigned_by(witness.clone()).checkpoint(&|_| {})
    };
    *witness.agrees.lock().unwrap() = false;
    assert!(matches!(cosigned(), Err(PublishError::NotCosigned(_))));
    assert!(!bench.dir.join("checkpoint").exists(), "nobody is shown what nobody stands behind");
    assert!(matches!(prove(&bench.dir, 0), Err(PublishError::Uncovered { size: 0, .. })));
    // The log has signed it all the same, and is held to it.
    let signed = fs::read(bench.dir.join("checkpoint.signed")).unwrap();
    let older = bench.dir.with_extension("older");
    copy(&bench.dir, &older);
    let engine = bench.open();
    grow(&engine, &bench, 3..5);
    engine.close().unwrap();
    assert!(matches!(cosigned(), Err(PublishError::NotCosigned(_))));
    let newer = bench.dir.with_extension("newer");
    copy(&bench.dir, &newer);
    replace_log(&bench, &older);
    let rolled_back = Engine::open(&bench.dir, Options::default());
    assert!(matches!(rolled_back, Err(EngineError::Checkpoint { why: Disagreement::Shorter, .. })));
    replace_log(&bench, &newer);

    *witness.agrees.lock().unwrap() = true;
    let published = cosigned().unwrap();
    assert_ne!(fs::read(bench.dir.join("checkpoint")).unwrap(), signed);
    assert!(!bench.dir.join("checkpoint.signed").exists());
    let signatures = published.note.verify([&witness.verifier()]).unwrap();
    assert_eq!(signatures[0].time, Some(5));
    // Whoever does not know the witness reads it as well; it is not asked twice.
    assert_eq!(cosigned().unwrap(), published);
    assert_eq!(checkpoint(&bench).unwrap(), published);
    bench.open().close().unwrap();
    let vkey = Publisher::open(&bench.dir).unwrap().verifier().clone();
    prove(&bench.dir, 2).unwrap().verify(None, [&vkey]).unwrap();
}

#[test]
fn a_notary_signs_beside_the_writer_and_once_more_at_the_stop() {
    let (bench, disk) = simulated();
    let witness = Witness::new();
    let schedule = Schedule { every: Duration::from_millis(1), at_stop: true };
    let open = || {
        let (notary, cosigner) = (Some(schedule), Some(witness.clone() as Arc<dyn Cosigner>));
        let disk = Arc::new(disk.clone());
        let options = Options { index: false, notary, cosigner, disk, ..Options::default() };
        Engine::open(&bench.dir, options).unwrap()
    };
    let engine = open();
    grow(&engine, &bench, 0..3);
    let size = engine.views().read().unwrap().size;
    while engine.notary().unwrap().size < size {
        std::thread::yield_now();
    }
    assert_eq!(engine.prover().unwrap().checkpoint().checkpoint.size, size);
    // A commit fails and the log is opened again: the notary goes on with what came after.
    disk.plan(disk.ops(), Fault::NotStored);
    let (_, bytes) = sign(&engine, &mut bench.signer(), "330108", report(7));
    assert!(engine.submit(vec![bytes], Mode::Each, None).wait().is_err());
    grow(&engine, &bench, 8..10);
    let size = engine.views().read().unwrap().size;
    while engine.notary().unwrap().size < size {
        std::thread::yield_now();
    }
    assert_eq!(engine.notary().unwrap().trouble, None);
    // What keeps it from publishing is told; when that is over it goes on.
    *witness.agrees.lock().unwrap() = false;
    grow(&engine, &bench, 10..12);
    while engine.notary().unwrap().trouble.is_none() {
        std::thread::yield_now();
    }
    assert_eq!(engine.prover().unwrap().checkpoint().checkpoint.size, size);
    assert!(matches!(engine.checkpoint_now(), Err(PublishError::NotCosigned(_))));
    *witness.agrees.lock().unwrap() = true;
    grow(&engine, &bench, 12..40);
    let size = engine.views().read().unwrap().size;
    assert_eq!(engine.checkpoint_now().unwrap().checkpoint.size, size);
    grow(&engine, &bench, 40..41);
    engine.close().unwrap();
    let engine = open();
    assert_eq!(engine.prover().unwrap().checkpoint().checkpoint.size, size + 1);
    engine.close().unwrap();
}
