//! Damage to what was durable is found and located; nothing altered is ever handed out.

use std::ops::ControlFlow;
use std::path::PathBuf;

use hefu_store::segments::SegmentLog;
use hefu_store::sim::SimDisk;
use hefu_store::{CommitInfo, KnownHead, Log, OpenOptions, Record, RecordRef, StoreError};

use crate::support::{START, arc, dir, head, small};

const BATCHES: [u64; 5] = [1, 2, 2, 1, 2];
const TOTAL: u64 = 8;

fn tiny(position: u64) -> Record {
    let byte = u8::try_from(position).unwrap() + 1;
    Record { position, leaf: vec![byte; 21], body: vec![byte; 9], command: vec![byte; 14], redacted_by: None }
}

/// A log of two segments, stopped cleanly.
fn log() -> SimDisk {
    let disk = SimDisk::new();
    let mut log = SegmentLog::create_on(arc(&disk), &dir(), START, &small(1000)).unwrap();
    for count in BATCHES {
        let first = log.size();
        let records: Vec<Record> = (first..first + count).map(tiny).collect();
        log.append(&records, &CommitInfo { head: head(first + count), signature: [9; 64] }).unwrap();
    }
    Box::new(log).close().unwrap();
    // Less space ahead makes the thousands of copies below cheap.
    let mut bytes = disk.read(&segment(5)).unwrap();
    bytes.truncate(2048);
    disk.tamper(&segment(5), bytes);
    disk
}

fn segment(base: u64) -> PathBuf {
    dir().join("segments").join(format!("{base:020}.seg"))
}

fn options(clean: Option<bool>) -> OpenOptions {
    let head = clean.map(|clean| KnownHead { size: TOTAL, head: head(TOTAL), clean });
    OpenOptions { head, ..small(1000) }
}

/// Whether opening or reading notices, with nothing altered ever shown.
fn noticed(disk: &SimDisk, clean: Option<bool>) -> bool {
    let Ok((log, report)) = SegmentLog::open_on(arc(disk), &dir(), &options(clean)) else { return true };
    let reader = log.reader();
    let mut next = 0;
    let scanned = reader.scan(0, &mut |record: RecordRef<'_>| {
        assert_eq!(record, tiny(next).as_ref());
        next += 1;
        ControlFlow::Continue(())
    });
    for position in 0..log.size() {
        if let Ok(found) = reader.get(position) {
            assert_eq!(found, Some(tiny(position)));
        }
        if let Ok(commit) = reader.commit_at(position) {
            assert_eq!(commit.unwrap().head, head(commit.unwrap().end()));
        }
    }
    if clean.is_some() {
        assert_eq!(log.size(), TOTAL, "the head vouches for all of it");
    }
    scanned.is_err() || !report.torn.is_empty()
}

#[test]
fn every_flipped_bit_is_noticed() {
    let disk = log();
    let names: Vec<u64> = vec![0, 5];
    for base in names {
        let path = segment(base);
        let sound = disk.read(&path).unwrap();
        let used = sound.iter().rposition(|b| *b != 0).unwrap() + 1;
        let zeros = (used..sound.len()).step_by(97).chain([used, sound.len() - 1]);
        for at in (0..used).chain(zeros.filter(|at| *at < sound.len())) {
            for bit in 0..8 {
                let mut bytes = sound.clone();
                bytes[at] ^= 1 << bit;
                for clean in [None, Some(false), Some(true)] {
                    let damaged = disk.fork();
                    damaged.tamper(&path, bytes.clone());
                    assert!(noticed(&damaged, clean), "segment {base}, byte {at}, bit {bit}, head {clean:?}");
                }
            }
        }
    }
    assert!(!noticed(&disk, Some(true)));
}

#[test]
fn every_cut_is_noticed() {
    let disk = log();
    for base in [0, 5] {
        let sound = disk.read(&segment(base)).unwrap();
        let used = sound.iter().rposition(|b| *b != 0).unwrap() + 1;
        for len in 0..used {
            let damaged = disk.fork();
            damaged.tamper(&segment(base), sound[..len].to_vec());
            let opened = SegmentLog::open_on(arc(&damaged), &dir(), &options(Some(false)));
            let error = opened.err().unwrap_or_else(|| panic!("segment {base} cut at {len}"));
            assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Behind { .. }), "{error}");
        }
    }
}

/// Opens a log whose newest segment was changed by `change`, which gets the bytes and the ends of the batches.
fn opened(
    change: impl FnOnce(&mut Vec<u8>, &[usize]),
    head: Option<KnownHead>,
) -> Result<(u64, u64), StoreError> {
    let disk = SimDisk::new();
    let mut log = SegmentLog::create_on(arc(&disk), &dir(), START, &OpenOptions::default()).unwrap();
    let mut ends = Vec::new();
    for count in BATCHES {
        crate::support::append(&mut log, count).unwrap();
        ends.push(usize::try_from(log.durable_point().offset).unwrap());
    }
    drop(log);
    let mut bytes = disk.read(&segment(0)).unwrap();
    change(&mut bytes, &ends);
    disk.tamper(&segment(0), bytes);
    let options = OpenOptions { head, ..OpenOptions::default() };
    let (log, report) = SegmentLog::open_on(arc(&disk), &dir(), &options)?;
    for torn in &report.torn {
        assert!(disk.read(torn).is_some_and(|kept| kept.len() as u64 == report.torn_bytes));
    }
    Ok((log.size(), report.torn_bytes))
}

fn stood_behind(size: u64) -> Option<KnownHead> {
    crate::support::known(size, false).head
}

#[test]
fn damage_before_a_later_batch_is_refused_and_located() {
    let flip = |bytes: &mut Vec<u8>, ends: &[usize]| bytes[ends[1] + 50] ^= 1;
    match opened(flip, None) {
        Err(StoreError::Damaged { segment: path, offset, position, .. }) => {
            assert_eq!((path, position), (segment(0), 3));
            assert!(offset > 64);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_last_batch_is_torn_unless_the_head_stood_behind_it() {
    let hole = |bytes: &mut Vec<u8>, ends: &[usize]| bytes[ends[3]..ends[3] + 40].fill(0);
    let (size, torn) = opened(hole, None).unwrap();
    assert_eq!(size, 6);
    assert!(torn > 0);
    assert_eq!(opened(hole, stood_behind(6)).unwrap().0, 6);
    assert!(matches!(opened(hole, stood_behind(8)), Err(StoreError::Damaged { position: 6, .. })));
}

#[test]
fn a_lost_commit_is_torn_unless_the_head_stood_behind_it() {
    let lose = |bytes: &mut Vec<u8>, ends: &[usize]| bytes.truncate(ends[4] - 100);
    assert_eq!(opened(lose, None).unwrap().0, 6);
    assert!(matches!(opened(lose, stood_behind(8)), Err(StoreError::Damaged { .. })));
    let vanish = |bytes: &mut Vec<u8>, ends: &[usize]| bytes.truncate(ends[3]);
    assert_eq!(opened(vanish, None).unwrap(), (6, 0));
    assert!(matches!(opened(vanish, stood_behind(8)), Err(StoreError::Behind { found: 6, expected: 8 })));
}

#[test]
fn another_history_is_refused() {
    let other = Some(KnownHead { size: 3, head: [0xee; 32], clean: false });
    let same = |_: &mut Vec<u8>, _: &[usize]| {};
    assert!(matches!(opened(same, other), Err(StoreError::Disagrees { size: 3, found: Some(_), .. })));
    assert!(matches!(opened(same, stood_behind(4)), Err(StoreError::Disagrees { found: None, .. })));
    opened(same, stood_behind(0)).unwrap();
    let swap = |bytes: &mut Vec<u8>, ends: &[usize]| {
        let batch = bytes[ends[0]..ends[1]].to_vec();
        bytes[ends[1]..ends[2]][..batch.len()].copy_from_slice(&batch);
    };
    assert!(matches!(opened(swap, None), Err(StoreError::Damaged { position: 3, .. })));
}

#[test]
fn a_missing_segment_is_refused() {
    let disk = log();
    let folder = dir().join("segments");
    let lost = disk.fork();
    hefu_store::disk::Disk::remove(&lost, &segment(0)).unwrap();
    assert!(matches!(
        SegmentLog::open_on(arc(&lost), &dir(), &options(None)),
        Err(StoreError::Damaged { position: 0, .. })
    ));
    let lost = disk.fork();
    hefu_store::disk::Disk::remove(&lost, &segment(5)).unwrap();
    assert!(matches!(
        SegmentLog::open_on(arc(&lost), &dir(), &options(Some(false))),
        Err(StoreError::Behind { found: 5, expected: TOTAL })
    ));
    assert!(hefu_store::disk::Disk::list(&disk, &folder).unwrap().len() == 2);
}
