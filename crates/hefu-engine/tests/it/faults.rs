//! The disk fails under a running engine: every write and every sync of a commit, in every way. What was acknowledged
//! stays, nothing is half there, and the engine goes on by itself.

use std::{path::Path, sync::Arc};

use hefu_engine::{Engine, EngineError, Mode, Options, Signer};
use hefu_store::{
    StoreError,
    disk::Disk as _,
    sim::{Fault, SimDisk},
};

use crate::bench_ledger::{Bench, ok, project, report, sign};

/// A ledger whose segments lie on a simulated disk.
pub(crate) fn simulated() -> (Bench, SimDisk) {
    let bench = Bench::new();
    let engine = bench.open();
    project(&engine, &mut bench.signer());
    engine.close().unwrap();
    let disk = SimDisk::new();
    let folder = bench.dir.join("segments");
    disk.create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let file = disk.create(&entry.path()).unwrap();
        file.write_at(&std::fs::read(entry.path()).unwrap(), 0).unwrap();
        file.sync_all().unwrap();
    }
    for folder in [&folder, &bench.dir, bench.dir.parent().unwrap()] {
        disk.sync_dir(folder).unwrap();
    }
    (bench, disk)
}

pub(crate) fn open(dir: &Path, disk: &SimDisk) -> Result<Engine, EngineError> {
    let disk = Arc::new(disk.clone());
    Engine::open(dir, Options { index: false, disk, ..Options::default() })
}

/// Submits one value; its position, if it was acknowledged.
fn submit(engine: &Engine, signer: &mut Signer, value: u64) -> Result<u64, EngineError> {
    let (_, bytes) = sign(engine, signer, "330108", report(value));
    let answers = engine.submit(vec![bytes], Mode::Each, None).wait()?;
    Ok(ok(&answers[0]).position)
}

#[test]
fn every_failing_write_and_sync_leaves_the_acknowledged_and_goes_on() {
    let (bench, pristine) = simulated();
    let head = std::fs::read(bench.dir.join("head")).unwrap();
    // How many changes one commit makes: writes and syncs.
    let probe = pristine.fork();
    let engine = open(&bench.dir, &probe).unwrap();
    let before = probe.ops();
    submit(&engine, &mut bench.signer(), 1).unwrap();
    let changes = probe.ops() - before;
    engine.close().unwrap();
    assert!(changes >= 2, "a write and a sync");
    for fault in [Fault::NotStored, Fault::Stored, Fault::Torn(1), Fault::Torn(2), Fault::Torn(3)] {
        for change in 0..changes {
            let disk = pristine.fork();
            std::fs::write(bench.dir.join("head"), &head).unwrap();
            let engine = open(&bench.dir, &disk).unwrap();
            let mut signer = bench.signer();
            let kept = submit(&engine, &mut signer, 1).unwrap();
            disk.plan(disk.ops() + change, fault);
            let failed = submit(&engine, &mut signer, 2);
            assert!(failed.is_err(), "{fault:?} at change {change} must not be acknowledged");
            // The engine has reopened itself from the log: the next command is recorded, after all kept ones.
            let next = submit(&engine, &mut signer, 3).unwrap();
            assert!(next > kept, "{fault:?} at change {change}");
            let size = engine.views().read().unwrap().size;
            engine.close().unwrap();
            // And so it is after a power cut that forgets everything unsynced.
            disk.cut_power();
            disk.power_on(None);
            let engine = open(&bench.dir, &disk).unwrap();
            assert_eq!(engine.views().read().unwrap().size, size, "{fault:?} at change {change}");
            engine.close().unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_said_clearly_and_space_brings_the_ledger_back() {
    let (bench, disk) = simulated();
    let engine = open(&bench.dir, &disk).unwrap();
    let mut signer = bench.signer();
    disk.set_space(Some(0));
    let mut acknowledged = 0;
    let full = loop {
        match submit(&engine, &mut signer, acknowledged) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, EngineError::Store(StoreError::Full { .. })), "{full}");
    assert!(submit(&engine, &mut signer, 7).is_err(), "still full");
    disk.set_space(None);
    submit(&engine, &mut signer, 8).unwrap();
    let size = engine.views().read().unwrap().size;
    engine.close().unwrap();
    let engine = open(&bench.dir, &disk).unwrap();
    assert_eq!(engine.views().read().unwrap().size, size);
    engine.close().unwrap();
}

#[test]
fn a_second_writer_is_refused() {
    let bench = Bench::new();
    let engine = bench.open();
    let second = Engine::open(&bench.dir, Options::default());
    assert!(matches!(second, Err(EngineError::Store(StoreError::Locked { .. }))));
    engine.close().unwrap();
}

#[test]
fn a_log_behind_its_signed_head_does_not_open() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    engine.close().unwrap();
    let segment = bench.dir.join("segments/00000000000000000000.seg");
    let old = std::fs::read(&segment).unwrap();
    let engine = bench.open();
    submit(&engine, &mut signer, 5).unwrap();
    engine.close().unwrap();
    // The segment of yesterday under the head of today: a rollback.
    std::fs::write(&segment, old).unwrap();
    let rolled_back = Engine::open(&bench.dir, Options::default());
    assert!(matches!(rolled_back, Err(EngineError::Store(StoreError::Behind { .. }))));
}

#[test]
fn a_damaged_or_missing_index_and_snapshot_change_no_answer() {
    let bench = Bench::new();
    let options = || Options { index: true, snapshot_every: 5, ..Options::default() };
    let engine = Engine::open(&bench.dir, options()).unwrap();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    for value in 0..20 {
        submit(&engine, &mut signer, value).unwrap();
    }
    let expected = engine.views().read().unwrap().clone();
    engine.close().unwrap();
    let snapshots = || std::fs::read_dir(bench.dir.join("snapshot")).unwrap().flatten().map(|e| e.path());
    assert!(snapshots().next().is_some(), "a snapshot was taken");
    let damage = |folder: &str| {
        for entry in std::fs::read_dir(bench.dir.join(folder)).unwrap().flatten() {
            if let Ok(mut bytes) = std::fs::read(entry.path()) {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(entry.path(), bytes).unwrap();
            }
        }
    };
    let harms: [&dyn Fn(); 5] = [
        &|| {},
        &|| damage("index"),
        &|| damage("snapshot"),
        &|| std::fs::remove_dir_all(bench.dir.join("index")).unwrap(),
        &|| std::fs::remove_dir_all(bench.dir.join("snapshot")).unwrap(),
    ];
    for harm in harms {
        harm();
        let engine = Engine::open(&bench.dir, options()).unwrap();
        assert_eq!(*engine.views().read().unwrap(), expected);
        engine.close().unwrap();
        std::fs::create_dir_all(bench.dir.join("snapshot")).unwrap();
    }
}

#[test]
fn the_index_follows_the_log_over_a_reopening() {
    let (bench, disk) = simulated();
    let options = Options { index: true, disk: Arc::new(disk.clone()), ..Options::default() };
    let engine = Engine::open(&bench.dir, options).unwrap();
    let mut signer = bench.signer();
    submit(&engine, &mut signer, 1).unwrap();
    disk.plan(disk.ops(), Fault::NotStored);
    assert!(submit(&engine, &mut signer, 2).is_err());
    submit(&engine, &mut signer, 3).unwrap();
    let size = engine.views().read().unwrap().size;
    engine.close().unwrap();
    let index = hefu_store::index::Index::open(&bench.dir.join("index")).unwrap();
    assert_eq!(index.applied().0, size);
}
