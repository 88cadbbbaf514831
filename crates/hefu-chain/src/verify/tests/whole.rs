//! What only the log's own key can do, torn tails, heads, several segments, and garbage.

use super::super::testlog::{Frame, RECORDS, chain_anew, commit, file, head_file, log, log_key};
use super::super::{FindingKind as Kind, Options, Segment, Verdict, verify};
use super::{BAD, anchored, check, frame_of, said, verify_bytes};
use crate::frame::{self};
use crate::hash::ChainHash;
use crate::key::SecretKey;
use crate::record::Record;
use proptest::prelude::*;

/// What only the holder of the log's key can do: everything is chained and signed, but the content is wrong.
#[test]
fn what_the_operator_does_is_found_too() {
    let sign_anew = |f: &mut Vec<Frame>| {
        chain_anew(f, true);
        for frame in f.iter_mut() {
            if let Frame::Commit(old) = frame {
                let last = old.first + u64::from(old.count) - 1;
                *old = commit(old.first, last, ChainHash(old.head), &log_key());
            }
        }
    };
    let operator = |at: usize, edit: fn(&mut crate::leaf::Leaf)| {
        move |f: &mut Vec<Frame>| {
            f[frame_of(at)].edit_leaf(edit);
            sign_anew(f);
        }
    };
    check(
        operator(6, |leaf| leaf.stream_seq = 5),
        &[(Kind::StreamBroken, 6, Some("stream_seq")), (Kind::StreamBroken, 7, Some("stream_seq"))],
        BAD,
    );
    check(
        operator(11, |leaf| leaf.ts = "2025-01-01T00:00:00.000000Z".into()),
        &[(Kind::TimeWentBack, 11, Some("ts"))],
        BAD,
    );
    check(
        operator(6, |leaf| leaf.command = uuid::Uuid::max()),
        &[(Kind::CommandAltered, 6, Some("id"))],
        BAD,
    );
    check(
        operator(6, |leaf| leaf.actor = SecretKey::from_seed([2; 32]).public().id()),
        &[(Kind::CommandAltered, 6, Some("key"))],
        BAD,
    );
    // Record 5 is of the command that stands with record 4.
    check(
        operator(5, |leaf| leaf.actor = SecretKey::from_seed([2; 32]).public().id()),
        &[(Kind::CommandAltered, 5, Some("key"))],
        BAD,
    );
    check(
        operator(5, |leaf| leaf.command = uuid::Uuid::max()),
        &[(Kind::CommandAltered, 5, Some("id"))],
        BAD,
    );
    check(operator(6, |leaf| leaf.body_sha256.0[0] ^= 1), &[(Kind::BodyAltered, 6, None)], BAD);
    check(operator(6, |leaf| leaf.seq = 60), &[(Kind::LeafAltered, 6, Some("seq"))], BAD);
    let unsigned = |f: &mut Vec<Frame>| {
        let record: &mut Record = f[frame_of(6)].record();
        let text = String::from_utf8(record.command.clone()).unwrap();
        record.command = text.replace("310000", "320000").into_bytes();
        let digest = crate::hash::Sha256Digest::of(&record.command);
        f[frame_of(6)].edit_leaf(|leaf| leaf.command_sha256 = digest);
        sign_anew(f);
    };
    check(unsigned, &[(Kind::CommandSignatureWrong, 6, Some("sig"))], BAD);
    let known = |kind: &str, v: u32| v == 1 && kind != "policy.set";
    let options = Options { schemas: Some(&known), ..anchored() };
    let report = verify_bytes(&file(&log(), 0, 0), options);
    assert_eq!(said(&report), [(Kind::UnknownSchema, Some(9), Some("type"))]);
}

#[test]
fn tails_and_heads() {
    let full = file(&log(), 0, 64);
    let end = full.len() - 64;
    // Cut inside the last batch: nothing says that it was ever acknowledged.
    let torn = verify_bytes(&full[..end - 40], anchored());
    assert_eq!(said(&torn), [(Kind::TornTail, Some(10), None)]);
    assert_eq!((torn.verdict, torn.size), (Verdict::NotProven, 10));
    // The head file says it was.
    let options = || Options { head: Some(head_file(RECORDS)), ..anchored() };
    let rolled_back = verify_bytes(&full[..end - 40], options());
    assert_eq!(
        said(&rolled_back),
        [(Kind::TornTail, Some(10), None), (Kind::TruncatedTail, Some(10), Some("size"))]
    );
    assert_eq!(rolled_back.verdict, BAD);
    // Cut cleanly at a commit: only the head file tells.
    let shorter = file(&log()[..frame_of(9) + 2], 0, 64);
    assert_eq!(said(&verify_bytes(&shorter, anchored())), []);
    assert_eq!(said(&verify_bytes(&shorter, options())), [(Kind::TruncatedTail, Some(10), Some("size"))]);
    // A head that the log contradicts, one by another key, one of another ledger.
    let mut fork = head_file(10);
    fork = crate::receipt::HeadFile::new(
        crate::receipt::Receipt::sign(fork.origin, 9, ChainHash([1; 32]), &log_key()),
        false,
    );
    let said_of = |head| said(&verify_bytes(&full, Options { head: Some(head), ..anchored() }));
    assert_eq!(said_of(fork.clone()), [(Kind::HeadDisagrees, Some(9), Some("head"))]);
    fork.sig.0[0] ^= 1;
    assert_eq!(said_of(fork.clone()), [(Kind::HeadDisagrees, None, Some("sig"))]);
    fork.origin = "other.example".parse().unwrap();
    assert_eq!(said_of(fork), [(Kind::OriginWrong, None, Some("origin"))]);
    assert_eq!(said_of(head_file(10)), []);
}

#[test]
fn another_ledger_or_key_than_expected() {
    let bytes = file(&log(), 0, 0);
    let options = Options { origin: Some("other.example".parse().unwrap()), ..anchored() };
    assert_eq!(said(&verify_bytes(&bytes, options)), [(Kind::OriginWrong, Some(0), Some("origin"))]);
    let options = Options { log_key: Some(SecretKey::from_seed([0x66; 32]).public()), ..anchored() };
    let report = verify_bytes(&bytes, options);
    assert_eq!(said(&report)[0], (Kind::OriginWrong, Some(0), Some("log_public")));
    let wrong: Vec<_> = said(&report)[1..].iter().map(|(kind, at, _)| (*kind, *at)).collect();
    assert_eq!(wrong, [0, 3, 5, 9, 11].map(|at| (Kind::CommitSignatureWrong, Some(at))));
}

#[test]
fn several_segments() {
    let frames = log();
    let cut = [0, frame_of(3) + 2, frame_of(9) + 2, frames.len()];
    let bases = [0, 4, 10];
    let names = bases.map(|base| format!("{base:020}.seg"));
    let files: Vec<Vec<u8>> =
        (0..3).map(|n| file(&frames[cut[n]..cut[n + 1]], bases[n], if n == 2 { 64 } else { 0 })).collect();
    let run = |files: &[Vec<u8>], skip: Option<usize>| {
        let segments: Vec<Segment<'_>> = (0..3)
            .filter(|n| Some(*n) != skip)
            .map(|n| Segment { name: &names[n], bytes: &files[n] })
            .collect();
        verify(&segments, anchored())
    };
    assert_eq!(said(&run(&files, None)), []);
    assert_eq!(said(&run(&files, Some(1))), [(Kind::Missing, Some(4), None)]);
    let missing_first = run(&files, Some(0));
    assert_eq!(said(&missing_first)[0], (Kind::Missing, Some(0), None));
    assert_eq!(missing_first.verdict, Verdict::NotProven);
    let mut swapped = files.clone();
    swapped[1][20] ^= 1;
    assert_eq!(said(&run(&swapped, None)), [(Kind::HeaderDamaged, None, None)]);
    let mut rest = files.clone();
    rest[0].extend_from_slice(&[0; 64]);
    assert_eq!(said(&run(&rest, None)), [(Kind::CommitMismatch, Some(4), Some("commit"))]);
    // A sealed file that lost its last commit: its records are still in the chain.
    let mut unclosed = files.clone();
    let end = unclosed[1].len() - frame::COMMIT_FRAME_LEN;
    unclosed[1].truncate(end);
    assert_eq!(said(&run(&unclosed, None)), [(Kind::CommitMismatch, Some(10), Some("commit"))]);
    // An altered last record of a sealed file is not blamed on the next file.
    let mut edited = frames.clone();
    edited[frame_of(3)].edit_leaf(|leaf| leaf.v = 2);
    let mut altered = files.clone();
    altered[0] = file(&edited[..cut[1]], 0, 0);
    assert_eq!(said(&run(&altered, None)), [(Kind::LeafAltered, Some(3), Some("v"))]);
}

fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![0..20_u64, Just(u64::MAX), Just(u64::MAX - 1), (1_u64 << 53) - 2..(1 << 53) + 2, any::<u64>()]
}

proptest! {
    /// Whatever a forger writes, the verifier says something and does not fall over.
    #[test]
    fn forged_numbers_are_found(at in 0..17_usize, number in edge(), count: u32, trusted: bool) {
        let mut frames = log();
        match &mut frames[at] {
            Frame::Record(record) => record.position = number,
            Frame::Commit(commit) => (commit.first, commit.count) = (number, count),
        }
        let options = || if trusted { anchored() } else { Options::default() };
        let forged = file(&frames, 0, 8);
        let same = forged == file(&log(), 0, 8);
        prop_assert_eq!(verify_bytes(&forged, options()).findings.is_empty(), same);
        verify(&[Segment { name: &format!("{number:020}.seg"), bytes: &forged }], options());
    }

    #[test]
    fn garbage_is_found(writes in prop::collection::vec((any::<prop::sample::Index>(), any::<[u8; 8]>()), 1..6), cut: prop::sample::Index) {
        let whole = file(&log(), 0, 64);
        let mut bytes = whole.clone();
        for (at, garbage) in writes {
            let at = at.index(bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&garbage);
        }
        let changed = bytes != whole;
        prop_assert_eq!(!verify_bytes(&bytes, anchored()).findings.is_empty(), changed);
        bytes.truncate(cut.index(bytes.len()));
        verify_bytes(&bytes, Options::default());
    }
}
