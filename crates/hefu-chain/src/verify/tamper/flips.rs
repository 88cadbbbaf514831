//! Every file that an auditor may hold with a bit flipped: found, and in the right file.
//!
//! One bit of every byte always (of every seventh in a bundle); every bit of every byte with `--release -- --ignored`, as
//! `tests::flips` does for segments.

use super::super::Verdict;
use super::world::{
    Files, World, judge_bundle, judge_hashes, judge_ledger, judge_lines, judge_proof, judge_site,
};

/// Bytes and bits to flip.
fn flips(bytes: &[u8], every_bit: bool) -> impl Iterator<Item = (usize, u8)> {
    let bits = move |at: usize| if every_bit { 0..8 } else { bit_of(at)..bit_of(at) + 1 };
    (0..bytes.len()).flat_map(move |at| bits(at).map(move |bit| (at, bit)))
}

fn bit_of(byte: usize) -> u8 {
    u8::try_from(byte * 5 % 8).unwrap()
}

/// `files` with one bit of `path` flipped.
fn flipped(files: &Files, path: &str, (at, bit): (usize, u8)) -> Files {
    let mut files = files.clone();
    files.get_mut(path).unwrap()[at] ^= 1 << bit;
    files
}

fn ledger_flips(world: &World, every_bit: bool) {
    // The tiles are disposable: what is wrong with them is said, and no more.
    for flip in flips(&world.ledger["tiles/0"], every_bit) {
        let report = judge_hashes(flipped(&world.ledger, "tiles/0", flip));
        let said = format!("tile damaged, records intact: tiles/0, record {};", flip.0 / 32);
        assert_eq!((report.verdict, report.findings), (Verdict::Proven, vec![]), "{flip:?}");
        assert!(report.notes.iter().any(|note| note.starts_with(&said)), "{flip:?}: {:?}", report.notes);
    }
    for path in ["head", "checkpoint"] {
        for flip in flips(&world.ledger[path], every_bit) {
            let report = judge_hashes(flipped(&world.ledger, path, flip));
            assert_ne!(report.verdict, Verdict::Proven, "{path} {flip:?}");
            let elsewhere = report.findings.iter().find(|finding| finding.segment != path);
            assert!(elsewhere.is_none(), "{path} {flip:?}: {elsewhere:?}");
        }
    }
}

fn site_flips(world: &World, every_bit: bool) {
    for path in world.site.keys() {
        for flip in flips(&world.site[path], every_bit) {
            let report = judge_site(flipped(&world.site, path, flip), None);
            assert_ne!(report.verdict, Verdict::Proven, "{path} {flip:?}");
            let elsewhere = report.findings.iter().find(|finding| finding.segment != *path);
            assert!(elsewhere.is_none(), "{path} {flip:?}: {elsewhere:?}");
            let tile = path.starts_with("tile/0/");
            for finding in &report.findings {
                let right = finding.position == Some(flip.0 as u64 / 32);
                assert!(!tile || right, "{path} {flip:?}: {finding:?}");
            }
        }
    }
}

/// Any flip shows in the digest of the last line; one in the line of a record at that line, too.
fn bundle_flips(world: &World, every_bit: bool) {
    let mut bytes = world.bundle.clone();
    let starts: Vec<usize> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .scan(0, |end, line| Some(std::mem::replace(end, *end + line.len())))
        .collect();
    let of_records = &starts[1..starts.len() - 1];
    // Always the same digest finds them: a seventh will do where there is no time for all.
    for (at, bit) in flips(&world.bundle, every_bit).filter(|(at, _)| every_bit || at % 7 == 0) {
        bytes[at] ^= 1 << bit;
        let report = judge_lines(&bytes);
        bytes[at] ^= 1 << bit;
        assert_ne!(report.verdict, Verdict::Proven, "byte {at} bit {bit}");
        let line = starts[starts.partition_point(|start| *start <= at) - 1];
        let located = report.findings.iter().any(|finding| finding.offset == Some(line as u64));
        assert!(located || !of_records.contains(&line), "byte {at} bit {bit}: {:?}", report.findings);
    }
}

fn proof_flips(world: &World, every_bit: bool) {
    let mut bytes = world.proof.clone();
    for (at, bit) in flips(&world.proof, every_bit) {
        bytes[at] ^= 1 << bit;
        assert_ne!(judge_proof(&bytes), "proven → 0", "byte {at} bit {bit}");
        bytes[at] ^= 1 << bit;
    }
}

#[test]
fn untouched_files_are_proven() {
    let world = World::new();
    assert_eq!(judge_ledger(world.ledger.clone()).findings, []);
    assert_eq!(judge_site(world.site.clone(), Some(&world.checkpoint)).findings, []);
    assert_eq!(judge_bundle(&world.bundle, None).findings, []);
    assert_eq!(judge_proof(&world.proof), "proven → 0");
}

#[test]
fn a_flip_in_head_checkpoint_or_tiles_of_a_ledger_is_found_in_its_file() {
    ledger_flips(&World::new(), false);
}

#[test]
fn a_flip_in_a_site_is_found_in_its_file_and_record() {
    site_flips(&World::new(), false);
}

#[test]
fn a_flip_in_a_bundle_or_a_proof_is_found() {
    bundle_flips(&World::new(), false);
    proof_flips(&World::new(), false);
}

#[test]
#[ignore = "slow; run in release"]
fn every_flipped_bit_beside_the_segment_is_found() {
    let world = World::new();
    ledger_flips(&world, true);
    site_flips(&world, true);
    bundle_flips(&world, true);
    proof_flips(&world, true);
}
