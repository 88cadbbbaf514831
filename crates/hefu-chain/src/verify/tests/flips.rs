//! Every flipped bit of a segment is found at its record.

use super::super::testlog::{RECORDS, file, log};
use super::super::{FindingKind as Kind, Options, Verdict};
use super::{anchored, frame_of, index, redacted, verify_bytes};
use crate::frame::{self};

#[test]
fn every_flipped_bit_around_a_redaction_is_found() {
    let frames = redacted(|_| {});
    let bytes = file(&frames, 0, 0);
    let start = file(&frames[..frame_of(4)], 0, 0).len();
    let end = file(&frames[..frame_of(5)], 0, 0).len() + 48;
    // The frame of record 4, whole, and the lengths and the claim of record 5.
    for bit in start * 8..end * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(verify_bytes(&altered, anchored()).verdict, Verdict::Proven, "bit {bit}");
    }
}

/// Which record a byte of the file belongs to, and whether it is in the last commit or after it.
fn owner_of_byte(bytes: &[u8]) -> Vec<Option<u64>> {
    let mut owners = vec![None; bytes.len()];
    let mut last = 0;
    for item in frame::Scanner::new(bytes, frame::HEADER_LEN) {
        let (offset, len, owner) = match item {
            frame::Item::Record { offset, record } => {
                last = record.position;
                (offset, frame::record_frame_len(&record), last)
            }
            // A flip in the last commit uncommits its batch; its first record is where the tail begins.
            frame::Item::Commit { offset, .. } if last + 1 == RECORDS => {
                (offset, frame::COMMIT_FRAME_LEN, 10)
            }
            frame::Item::Commit { offset, .. } => (offset, frame::COMMIT_FRAME_LEN, last),
            frame::Item::Zeros { offset } => (offset, bytes.len() - index(offset), RECORDS),
            frame::Item::Damage { .. } => panic!("damage in a sound log"),
        };
        owners[index(offset)..][..len].fill(Some(owner));
    }
    owners
}

#[track_caller]
fn flip_is_found(bytes: &mut [u8], owners: &[Option<u64>], at: usize, bit: u8, options: Options<'_>) {
    bytes[at] ^= 1 << bit;
    let report = verify_bytes(bytes, options);
    bytes[at] ^= 1 << bit;
    let positions: Vec<Option<u64>> = report
        .findings
        .iter()
        .filter(|finding| finding.kind != Kind::KeyUnknown)
        .map(|finding| finding.position)
        .collect();
    assert!(!positions.is_empty(), "byte {at} bit {bit}: not found");
    assert!(
        positions.iter().all(|position| *position == owners[at]),
        "byte {at} bit {bit} of record {:?}: {:#?}",
        owners[at],
        report.findings
    );
}

/// One bit of every byte of the file.
#[test]
fn every_flipped_byte_is_found_at_its_record() {
    let mut bytes = file(&log(), 0, 16);
    let owners = owner_of_byte(&bytes);
    for at in 0..bytes.len() {
        flip_is_found(&mut bytes, &owners, at, u8::try_from(at * 5 % 8).unwrap(), anchored());
    }
}

/// Every bit of every byte, with and without an outside key. Minutes without optimisation: run with `--release`.
#[test]
#[ignore = "slow; run in release"]
fn every_flipped_bit_is_found_at_its_record() {
    let mut bytes = file(&log(), 0, 16);
    let owners = owner_of_byte(&bytes);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            flip_is_found(&mut bytes, &owners, at, bit, anchored());
            flip_is_found(&mut bytes, &owners, at, bit, Options::default());
        }
    }
}

/// The same by one who also mends the checksum: nothing but hashes and signatures is left to tell.
#[test]
fn every_flip_under_a_mended_checksum_is_found_at_its_record() {
    for at in 0..RECORDS {
        let index = frame_of(index(at));
        let frames = log();
        let record = frames[index].clone().record().clone();
        for part in 0..3 {
            let len = [record.leaf.len(), record.body.len(), record.command.len()][part];
            for byte in (0..len).step_by(3) {
                let mut edited = frames.clone();
                let record = edited[index].record();
                let bytes = [&mut record.leaf, &mut record.body, &mut record.command];
                bytes.into_iter().nth(part).unwrap()[byte] ^= 1 << (byte % 8);
                let report = verify_bytes(&file(&edited, 0, 0), anchored());
                let kinds: Vec<Kind> =
                    report.findings.iter().map(|f| f.kind).filter(|kind| *kind != Kind::KeyUnknown).collect();
                let expected = [Kind::LeafAltered, Kind::BodyAltered, Kind::CommandAltered][part];
                assert_eq!(kinds, [expected], "record {at} part {part} byte {byte}: {:#?}", report.findings);
                assert_eq!(report.findings[0].position, Some(at));
            }
        }
    }
}
