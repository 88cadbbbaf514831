//! The tamper matrix on a small log: what is done to it, and what the verifier says.

use std::sync::atomic::{AtomicU64, Ordering};

use super::testlog::{
    BATCHES, Frame, RECORDS, chain_anew, commit, file, head_at, head_file, log, log_key, origin,
};
use super::{FindingKind as Kind, Options, Report, Segment, Verdict, verify};
use crate::frame::{self, Commit};
use crate::hash::ChainHash;
use crate::key::SecretKey;
use crate::record::Record;
use proptest::prelude::*;

const NAME: &str = "00000000000000000000.seg";

fn anchored<'a>() -> Options<'a> {
    Options { origin: Some(origin()), log_key: Some(log_key().public()), ..Options::default() }
}

fn verify_bytes(bytes: &[u8], options: Options<'_>) -> Report {
    verify(&[Segment { name: NAME, bytes }], options)
}

fn said(report: &Report) -> Vec<(Kind, Option<u64>, Option<&'static str>)> {
    report.findings.iter().map(|finding| (finding.kind, finding.position, finding.field)).collect()
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

/// The index of record `position` among the frames: one commit stands after each batch before.
fn frame_of(position: usize) -> usize {
    let mut first = 0;
    for (commits, count) in BATCHES.into_iter().enumerate() {
        if position < first + count {
            return position + commits;
        }
        first += count;
    }
    panic!("no such record")
}

/// What the verifier says after an edit of the frames.
#[track_caller]
fn check(
    edit: impl FnOnce(&mut Vec<Frame>),
    expected: &[(Kind, u64, Option<&'static str>)],
    verdict: Verdict,
) {
    let mut frames = log();
    edit(&mut frames);
    let report = verify_bytes(&file(&frames, 0, 64), anchored());
    let expected: Vec<_> = expected.iter().map(|(kind, at, field)| (*kind, Some(*at), *field)).collect();
    assert_eq!(said(&report), expected, "{:#?}", report.findings);
    assert_eq!(report.verdict, verdict);
}

const BAD: Verdict = Verdict::ProvenBad;

#[test]
fn an_untouched_log_is_proven() {
    let bytes = file(&log(), 0, 64);
    for threads in [0, 1, 4] {
        let seen = AtomicU64::new(0);
        let progress = |records| {
            seen.fetch_add(records, Ordering::Relaxed);
        };
        let options =
            Options { head: Some(head_file(RECORDS)), threads, progress: Some(&progress), ..anchored() };
        let report = verify_bytes(&bytes, options);
        assert_eq!(said(&report), []);
        assert_eq!(report.verdict.exit_code(), 0);
        assert_eq!((report.size, report.records, report.commits, report.commands), (12, 12, 5, 10));
        assert_eq!(report.head, Some(head_at(11)));
        assert_eq!(report.notes, Vec::<String>::new());
        assert_eq!(seen.into_inner(), 12);
    }
    let report = verify_bytes(&bytes, Options::default());
    assert_eq!((report.verdict, report.log_key), (Verdict::Proven, Some(log_key().public())));
    assert!(report.notes[0].contains("no outside anchor"));
}

/// The log with record 4 redacted by record 11 (whose event is made to say so), as the store leaves it: records 4 and
/// 5 come from one command.
pub(super) fn redacted(edit: impl FnOnce(&mut Vec<Frame>)) -> Vec<Frame> {
    let mut frames = log();
    let at = frame_of(11);
    let body = crate::body::encode(br#"{"position":4}"#, [7; 16]);
    frames[at].edit_leaf(|leaf| {
        leaf.kind = "record.redacted".into();
        leaf.body_sha256 = crate::hash::Sha256Digest::of(&body);
    });
    frames[at].record().body = body;
    let head = crate::chain::ChainContext::new(&origin()).link(&frames[at].record().leaf);
    *frames[at + 1].commit() = commit(10, 11, head, &log_key());
    for (position, keep_body) in [(4, false), (5, true)] {
        let record = frames[frame_of(position)].record();
        record.redacted_by = Some(11);
        record.command.clear();
        if !keep_body {
            record.body.clear();
        }
    }
    edit(&mut frames);
    frames
}

#[test]
fn what_a_redaction_names_is_withheld_and_nothing_else() {
    let say = |edit: &dyn Fn(&mut Vec<Frame>)| {
        verify_bytes(&file(&redacted(|frames| edit(frames)), 0, 64), anchored())
    };
    let report = say(&|_| {});
    assert_eq!((said(&report), report.verdict), (vec![], Verdict::Proven));
    assert_eq!(report.withheld, [super::Withheld { position: 4, redacted_by: 11 }]);
    assert_eq!(report.notes, ["record 4: withheld (redacted by record 11)"]);
    // The frame's own word is not needed, and not believed.
    let report = say(&|f| f[frame_of(4)].record().redacted_by = None);
    assert_eq!((said(&report), report.withheld.len()), (vec![], 1));
    let wrong = |at: usize, by: u64| {
        let report = say(&move |f| f[frame_of(at)].record().redacted_by = Some(by));
        (said(&report), report.verdict)
    };
    let damaged = |at| (vec![(Kind::FrameDamaged, Some(at), Some("redacted_by"))], BAD);
    assert_eq!([wrong(4, 10), wrong(5, 10)], [damaged(4), damaged(5)]);
    // A redaction does not cover its neighbours.
    let report = say(&|f| f[frame_of(5)].record().body.clear());
    let bare = vec![(Kind::BodyWithheld, Some(5), Some("redacted_by"))];
    assert_eq!((said(&report), report.verdict), (bare, Verdict::NotProven));
    let report = say(&|f| f[frame_of(6)].record().command.clear());
    assert_eq!(said(&report), [(Kind::CommandMissing, Some(6), None)]);
    // Said to be redacted, but nobody redacted it.
    let report = verify_bytes(
        &file(
            &{
                let mut frames = log();
                let record = frames[frame_of(6)].record();
                (record.body, record.command, record.redacted_by) = (Vec::new(), Vec::new(), Some(11));
                frames
            },
            0,
            64,
        ),
        anchored(),
    );
    let (body, command) =
        ((Kind::BodyWithheld, Some(6), Some("redacted_by")), (Kind::CommandMissing, Some(6), None));
    assert_eq!((said(&report), report.verdict), (vec![body, command], Verdict::NotProven));
    // On record, but not done.
    let whole = log()[frame_of(4)].clone();
    let report = say(&move |f| f[frame_of(4)] = whole.clone());
    assert_eq!(report.notes, ["record 4: redacted by record 11, but its content is still here"]);
}

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

#[test]
fn altered_leaves_are_named_with_their_field() {
    for at in [0, 3, 5, 7, 11_usize] {
        let position = at as u64;
        let i = frame_of(at);
        check(|f| f[i].edit_leaf(|leaf| leaf.seq += 1), &[(Kind::LeafAltered, position, Some("seq"))], BAD);
        check(
            |f| f[i].edit_leaf(|leaf| leaf.prev = ChainHash([9; 32])),
            &[(Kind::LeafAltered, position, Some("prev"))],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.body_sha256.0[3] ^= 1),
            &[(Kind::LeafAltered, position, Some("body_sha256"))],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.command_sha256.0[3] ^= 1),
            &[(Kind::LeafAltered, position, Some("command_sha256"))],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.actor.0[3] ^= 1),
            &[(Kind::LeafAltered, position, Some("actor"))],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.stream_seq += 1),
            &[(Kind::LeafAltered, position, Some("stream_seq"))],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.stream_prev = Some(40)),
            &[(Kind::LeafAltered, position, Some("stream_prev"))],
            BAD,
        );
        check(|f| f[i].edit_leaf(|leaf| leaf.v = 2), &[(Kind::LeafAltered, position, Some("v"))], BAD);
        check(
            |f| f[i].edit_leaf(|leaf| leaf.ts = "2999-01-01T00:00:00.000000Z".into()),
            &[(Kind::LeafAltered, position, None)],
            BAD,
        );
        check(
            |f| f[i].edit_leaf(|leaf| leaf.kind = "transfer.forged".into()),
            &[(Kind::LeafAltered, position, None)],
            BAD,
        );
    }
}

#[test]
fn two_altered_neighbours_are_both_told() {
    check(
        |f| {
            f[frame_of(7)].edit_leaf(|leaf| leaf.v = 2);
            f[frame_of(8)].edit_leaf(|leaf| leaf.v = 2);
        },
        &[(Kind::LinkBroken, 7, None), (Kind::LeafAltered, 8, Some("v"))],
        BAD,
    );
}

#[test]
fn altered_and_absent_parts() {
    let i = frame_of(6);
    check(|f| f[i].record().body[20] ^= 1, &[(Kind::BodyAltered, 6, None)], BAD);
    check(|f| f[i].record().command[200] ^= 1, &[(Kind::CommandAltered, 6, None)], BAD);
    check(|f| f[i].record().body.clear(), &[(Kind::BodyWithheld, 6, None)], Verdict::NotProven);
    check(|f| f[i].record().command.clear(), &[(Kind::CommandMissing, 6, None)], Verdict::NotProven);
    // Record 8 shares the command of record 7: redacting 7 takes it away once.
    check(
        |f| {
            f[frame_of(7)].record().body.clear();
            f[frame_of(7)].record().command.clear();
        },
        &[(Kind::BodyWithheld, 7, None), (Kind::CommandMissing, 7, None)],
        Verdict::NotProven,
    );
    check(|f| f[frame_of(8)].record().command = b"{}".to_vec(), &[(Kind::CommandAltered, 8, None)], BAD);
}

#[test]
fn misplaced_records_are_told_apart() {
    let (four, five) = (frame_of(6), frame_of(7));
    check(|f| f.swap(four, five), &[(Kind::Swapped, 6, None), (Kind::Swapped, 7, None)], BAD);
    check(|f| f.swap(frame_of(1), frame_of(10)), &[(Kind::Swapped, 1, None), (Kind::Swapped, 10, None)], BAD);
    let twice = |from: usize, to: usize| move |f: &mut Vec<Frame>| f.insert(to, f[from].clone());
    check(twice(five, five), &[(Kind::Duplicated, 7, None)], BAD);
    check(twice(frame_of(2), frame_of(9)), &[(Kind::Duplicated, 2, None)], BAD);
    check(
        |f| {
            f.remove(five);
        },
        &[(Kind::Missing, 7, None), (Kind::CommandMissing, 8, None)],
        Verdict::NotProven,
    );
    check(
        |f| {
            f.remove(frame_of(11));
        },
        &[(Kind::Missing, 11, None)],
        Verdict::NotProven,
    );
    // A forged record in the place of another, and one beyond all places.
    for position in [7, 40] {
        let forge = move |f: &mut Vec<Frame>| {
            let mut forged = f[five].clone();
            forged.edit_leaf(|leaf| {
                leaf.kind = "transfer.forged".into();
                leaf.seq = position;
            });
            forged.record().position = position;
            f.insert(five, forged);
        };
        check(forge, &[(Kind::Inserted, position, None)], BAD);
    }
    check(|f| f[five].record().position = 3, &[(Kind::FrameDamaged, 7, Some("position"))], BAD);
}

#[test]
fn a_record_chained_anew_is_found_by_the_signed_heads() {
    let edit = |f: &mut Vec<Frame>, commits| {
        f[frame_of(4)].edit_leaf(|leaf| leaf.kind = "project.forged".into());
        chain_anew(f, commits);
    };
    let heads = [5, 9, 11].map(|at| (Kind::CommitMismatch, at, Some("head")));
    check(|f| edit(f, false), &heads, BAD);
    let signatures = [5, 9, 11].map(|at| (Kind::CommitSignatureWrong, at, Some("signature")));
    check(|f| edit(f, true), &signatures, BAD);
}

#[test]
fn commits_are_checked_against_their_records() {
    let end = frame_of(9) + 1;
    let mismatch = |field| [(Kind::CommitMismatch, 9, Some(field))];
    check(|f| f[end].commit().head[0] ^= 1, &mismatch("head"), BAD);
    check(|f| f[end].commit().count -= 1, &mismatch("count"), BAD);
    check(|f| f[end].commit().batch_offset = 72, &mismatch("batch_offset"), BAD);
    let shifted = |f: &mut Vec<Frame>| {
        let commit = f[end].commit();
        *commit = Commit { first: commit.first + 1, count: commit.count - 1, ..*commit };
    };
    check(shifted, &mismatch("first"), BAD);
    check(|f| f.insert(end, f[end].clone()), &mismatch("count"), BAD);
    check(
        |f| {
            f.remove(end);
        },
        &[(Kind::CommitMismatch, 11, Some("first"))],
        BAD,
    );
    check(|f| f[end].commit().signature[0] ^= 1, &[(Kind::CommitSignatureWrong, 9, Some("signature"))], BAD);
    check(
        |f| {
            let forger = SecretKey::from_seed([0x66; 32]);
            *f[end].commit() = commit(6, 9, head_at(9), &forger);
        },
        &[(Kind::CommitSignatureWrong, 9, Some("signature"))],
        BAD,
    );
}

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
