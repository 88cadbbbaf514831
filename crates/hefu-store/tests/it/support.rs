//! Batches with known bytes, and the check that a log holds exactly those.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hefu_store::sim::SimDisk;
use hefu_store::{CommitInfo, KnownHead, Log, LogReader, OpenOptions, Record, RecordRef};

pub(crate) const START: [u8; 32] = [7; 32];

pub(crate) fn dir() -> PathBuf {
    Path::new("/ledger").to_path_buf()
}

pub(crate) fn small(segment_bytes: u64) -> OpenOptions {
    OpenOptions { segment_bytes, ..OpenOptions::default() }
}

/// Record `position`; every third one, and the first of a batch, carries its command.
pub(crate) fn record(position: u64, first: bool) -> Record {
    // Runs of one byte, never zero, so that making and comparing them costs little.
    let fill = |len: u64, salt: u64| -> Vec<u8> {
        let mut bytes = vec![(position ^ salt).to_le_bytes()[0] | 1; usize::try_from(len).unwrap()];
        bytes.extend_from_slice(&position.to_be_bytes());
        bytes
    };
    let command = if first || position.is_multiple_of(3) { fill(150 + position % 50, 3) } else { Vec::new() };
    Record {
        position,
        leaf: fill(200 + position % 100, 1),
        body: fill(position % 90, 2),
        command,
        redacted_by: None,
    }
}

pub(crate) fn head(size: u64) -> [u8; 32] {
    if size == 0 { START } else { [u8::try_from(size % 251).unwrap(); 32] }
}

pub(crate) fn batch(first: u64, count: u64) -> (Vec<Record>, CommitInfo) {
    let records = (first..first + count).map(|position| record(position, position == first)).collect();
    let mut signature = [0; 64];
    signature[..8].copy_from_slice(&(first + count).to_le_bytes());
    (records, CommitInfo { head: head(first + count), signature })
}

pub(crate) fn append(log: &mut dyn Log, count: u64) -> Result<(), hefu_store::StoreError> {
    let (records, commit) = batch(log.size(), count);
    log.append(&records, &commit)
}

/// The firsts of the batches of `sizes`, up to `size` records.
pub(crate) fn firsts(sizes: &[u64], size: u64) -> Vec<(u64, u64)> {
    let mut at = 0;
    let mut out = Vec::new();
    for count in sizes {
        if at >= size {
            break;
        }
        out.push((at, *count));
        at += count;
    }
    assert_eq!(at, size, "the log ends within a batch");
    out
}

/// Checks that `reader` holds exactly the batches of `sizes` that make up its size.
pub(crate) fn check(reader: &dyn LogReader, sizes: &[u64]) {
    let size = reader.size();
    let batches = firsts(sizes, size);
    let expected: Vec<Record> = batches.iter().flat_map(|(first, count)| batch(*first, *count).0).collect();
    for from in [0, size / 3, size.saturating_sub(1), size] {
        let mut at = from;
        reader
            .scan(from, &mut |record: RecordRef<'_>| {
                assert_eq!(record, expected[usize::try_from(at).unwrap()].as_ref());
                at += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(at, size.max(from));
    }
    for (first, count) in batches {
        let mut positions = vec![first, first + count / 2, first + count - 1];
        positions.dedup();
        for position in positions {
            let mut wanted = expected[usize::try_from(position).unwrap()].clone();
            let mut before = position;
            while wanted.command.is_empty() {
                before -= 1;
                wanted.command.clone_from(&expected[usize::try_from(before).unwrap()].command);
            }
            assert_eq!(reader.get(position).unwrap(), Some(wanted));
            let commit = reader.commit_at(position).unwrap().unwrap();
            assert_eq!((commit.first, u64::from(commit.count)), (first, count));
            assert_eq!(commit.head, head(first + count));
        }
    }
    assert_eq!(reader.get(size).unwrap(), None);
    assert_eq!(reader.commit_at(size).unwrap(), None);
    assert_eq!(reader.last_commit().map_or(0, |commit| commit.end()), size);
}

/// Options with the head of `size`, not from a clean stop.
pub(crate) fn with_head(options: &OpenOptions, size: u64) -> OpenOptions {
    OpenOptions { head: known(size, false).head, ..options.clone() }
}

pub(crate) fn known(size: u64, clean: bool) -> OpenOptions {
    let head = Some(KnownHead { size, head: head(size), clean });
    OpenOptions { head, ..OpenOptions::default() }
}

pub(crate) fn arc(disk: &SimDisk) -> std::sync::Arc<SimDisk> {
    std::sync::Arc::new(disk.clone())
}
