//! One contract, every back-end.

use std::ops::ControlFlow;

use hefu_store::memory::MemoryLog;
use hefu_store::segments::SegmentLog;
use hefu_store::sim::SimDisk;
use hefu_store::sled_log::SledLog;
use hefu_store::{Backend, DirLock, Log, LogReader, OpenOptions, OpenReport, StoreError, Withhold};
use proptest::prelude::*;

use crate::support::{START, append, arc, batch, check, dir, head, known, small};

const SIZES: [u64; 7] = [1, 3, 1, 20, 2, 40, 1];

/// The part of the contract that needs no reopening. `log` is empty.
fn contract(log: &mut dyn Log) {
    assert_eq!(log.size(), 0);
    assert_eq!((log.durable_point().size, log.durable_point().head), (0, START));
    let reader = log.reader();
    assert_eq!(reader.last_commit(), None);
    check(reader.as_ref(), &[]);

    let (records, commit) = batch(0, 2);
    assert!(matches!(log.append(&[], &commit), Err(StoreError::Refused { .. })));
    assert!(matches!(log.append(&records[1..], &commit), Err(StoreError::Refused { .. })));
    let mut bare = records.clone();
    bare[0].command.clear();
    assert!(matches!(log.append(&bare, &commit), Err(StoreError::Refused { .. })));

    for count in SIZES {
        append(log, count).unwrap();
        assert_eq!(reader.size(), log.size(), "a reader sees later commits");
    }
    check(reader.as_ref(), &SIZES);
    assert_eq!((log.durable_point().size, log.durable_point().head), (68, head(68)));

    let mut seen = 0;
    let stop = &mut |_: hefu_store::RecordRef<'_>| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    reader.scan(30, stop).unwrap();
    assert_eq!(seen, 5);
}

#[test]
fn memory_keeps_the_contract() {
    contract(&mut MemoryLog::new(START));
}

#[test]
fn segments_keep_the_contract_on_a_real_disk() {
    for segment_bytes in [500, 4096, 64 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let options = small(segment_bytes);
        let mut log = SegmentLog::create(dir.path(), START, &options).unwrap();
        contract(&mut log);
        Box::new(log).close().unwrap();
        let options = OpenOptions { segment_bytes, ..known(68, true) };
        let (log, report) = SegmentLog::open(dir.path(), &options).unwrap();
        assert_eq!(report, OpenReport::default());
        check(log.reader().as_ref(), &SIZES);
        check(SegmentLog::open_reader(dir.path()).unwrap().as_ref(), &SIZES);
        assert!(matches!(SegmentLog::create(dir.path(), START, &options), Err(StoreError::Locked { .. })));
        drop(log);
        assert!(matches!(SegmentLog::create(dir.path(), START, &options), Err(StoreError::Exists { .. })));
    }
}

#[test]
fn segments_keep_the_contract_on_a_simulated_disk() {
    let disk = SimDisk::new();
    contract(&mut SegmentLog::create_on(arc(&disk), &dir(), START, &small(4096)).unwrap());
    disk.power_on(None);
    let (log, report) = SegmentLog::open_on(arc(&disk), &dir(), &known(68, false)).unwrap();
    assert_eq!(report, OpenReport::default());
    check(log.reader().as_ref(), &SIZES);
}

#[test]
fn sled_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(SledLog::open(dir.path(), &OpenOptions::default()), Err(StoreError::Missing { .. })));
    let mut log = SledLog::create(dir.path(), START, &OpenOptions::default()).unwrap();
    contract(&mut log);
    Box::new(log).close().unwrap();
    assert_eq!(Backend::of(dir.path()), Backend::Sled);
    let (mut log, report) = Backend::Sled.open(dir.path(), &known(68, true)).unwrap();
    assert_eq!(report, OpenReport::default());
    check(log.reader().as_ref(), &SIZES);
    append(log.as_mut(), 4).unwrap();
    drop(log);
    let (log, _) = SledLog::open(dir.path(), &known(23 + 2, false)).map(|_| ()).map_or_else(
        |error| panic!("{error}"),
        |()| SledLog::open(dir.path(), &OpenOptions::default()).unwrap(),
    );
    check(log.reader().as_ref(), &[SIZES.as_slice(), &[4]].concat());
    drop(log);
    assert!(matches!(
        SledLog::open(dir.path(), &known(100, false)),
        Err(StoreError::Behind { found: 72, expected: 100 })
    ));
    assert!(matches!(SledLog::open(dir.path(), &known(24, false)), Err(StoreError::Disagrees { .. })));
    assert!(matches!(
        SledLog::create(dir.path(), START, &OpenOptions::default()),
        Err(StoreError::Exists { .. })
    ));
}

#[test]
fn a_second_writer_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::create(dir.path(), START, &OpenOptions::default()).unwrap();
    match SegmentLog::open(dir.path(), &OpenOptions::default()) {
        Err(StoreError::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    let kept = log.lock().unwrap();
    drop(log);
    assert!(matches!(DirLock::acquire(dir.path()), Err(StoreError::Locked { .. })));
    let options = OpenOptions { lock: Some(kept), ..OpenOptions::default() };
    SegmentLog::open(dir.path(), &options).unwrap();
    drop(options);
    DirLock::acquire(dir.path()).unwrap();
}

#[test]
fn readers_follow_a_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::create(dir.path(), START, &small(8192)).unwrap();
    let reader = log.reader();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while reader.size() < 600 {
                let mut next = 0;
                let at_least = reader.size();
                reader
                    .scan(0, &mut |record| {
                        assert_eq!(record.position, next);
                        next += 1;
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                assert!(next >= at_least);
                if let Some(last) = at_least.checked_sub(1) {
                    assert_eq!(reader.get(last).unwrap().unwrap().position, last);
                    assert!(reader.commit_at(last).unwrap().is_some());
                }
            }
        });
        while log.size() < 600 {
            append(&mut log, 3).unwrap();
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_batches_survive_reopening(
        sizes in prop::collection::vec((1u64..30, prop::bool::ANY), 1..20),
        segment_bytes in 300u64..20_000,
    ) {
        let disk = SimDisk::new();
        let options = small(segment_bytes);
        let mut log = SegmentLog::create_on(arc(&disk), &dir(), START, &options).unwrap();
        let counts: Vec<u64> = sizes.iter().map(|(count, _)| *count).collect();
        for (count, reopen) in sizes {
            append(&mut log, count).unwrap();
            if reopen {
                let options = OpenOptions { head: known(log.size(), false).head, ..small(segment_bytes) };
                drop(log);
                disk.power_on(None);
                log = SegmentLog::open_on(arc(&disk), &dir(), &options).unwrap().0;
            }
        }
        check(log.reader().as_ref(), &counts);
    }
}

/// Ten records of four commands in two batches: 0, 3, 6 and, because it is the first of a batch, 5 carry theirs.
fn withholding(log: &mut dyn Log) {
    append(log, 5).unwrap();
    append(log, 5).unwrap();
    let reader = log.reader();
    let refused = |log: &mut dyn Log, position, siblings, by| {
        let what = Withhold { position, siblings, by };
        assert!(matches!(log.withhold(&what), Err(StoreError::Refused { .. })));
    };
    refused(log, 4, 0..3, 9);
    refused(log, 10, 10..11, 9);
    refused(log, 4, 3..5, 10);
    let before: Vec<_> = (0..10).map(|at| reader.get(at).unwrap().unwrap()).collect();
    let first = Withhold { position: 4, siblings: 3..5, by: 9 };
    for _ in 0..2 {
        log.withhold(&first).unwrap();
    }
    // Its sibling too, by a later record; what the first took stays taken by the first.
    append(log, 2).unwrap();
    log.withhold(&Withhold { position: 3, siblings: 3..5, by: 11 }).unwrap();
    log.withhold(&Withhold { position: 6, siblings: 6..9, by: 10 }).unwrap();
    append(log, 1).unwrap();
    held(&*reader, &before);
}

fn held(reader: &dyn LogReader, before: &[hefu_store::Record]) {
    assert_eq!(reader.size(), 13);
    for (at, was) in before.iter().enumerate() {
        let is = reader.get(at as u64).unwrap().unwrap();
        let (body, by) = match at {
            3 => (false, Some(11)),
            4 => (false, Some(9)),
            6 => (false, Some(10)),
            7 | 8 => (true, Some(10)),
            _ => (true, None),
        };
        assert_eq!((&is.leaf, is.redacted_by, is.body.is_empty()), (&was.leaf, by, !body), "{at}");
        assert!(!body || is.body == was.body);
        assert_eq!(is.command, if by.is_some() { Vec::new() } else { was.command.clone() }, "{at}");
        assert_eq!(reader.commit_at(at as u64).unwrap().unwrap().end(), if at < 5 { 5 } else { 10 });
    }
}

#[test]
fn a_log_forgets_what_is_withheld_and_nothing_else() {
    withholding(&mut MemoryLog::new(START));
    for segment_bytes in [500, 4096, 64 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = SegmentLog::create(dir.path(), START, &small(segment_bytes)).unwrap();
        withholding(&mut log);
        let before: Vec<_> = (0..10).map(|at| log.reader().get(at).unwrap().unwrap()).collect();
        Box::new(log).close().unwrap();
        let (log, report) = SegmentLog::open(dir.path(), &small(segment_bytes)).unwrap();
        assert_eq!(report, OpenReport::default());
        let reader = log.reader();
        assert!((0..10).all(|at| reader.get(at).unwrap().unwrap() == before[usize::try_from(at).unwrap()]));
        assert!(log.can_withhold());
    }
}
