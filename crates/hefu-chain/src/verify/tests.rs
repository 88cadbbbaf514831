//! The tamper matrix on a small log: what is done to it, and what the verifier says.

mod flips;
mod whole;

use std::sync::atomic::{AtomicU64, Ordering};

use super::testlog::{
    BATCHES, Frame, RECORDS, chain_anew, commit, file, head_at, head_file, log, log_key, origin,
};
use super::{FindingKind as Kind, Options, Report, Segment, Verdict, verify};
use crate::frame::Commit;
use crate::hash::ChainHash;
use crate::key::SecretKey;

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
