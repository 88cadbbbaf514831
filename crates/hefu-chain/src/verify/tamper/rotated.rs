//! What is done to the rotation of the log's own key: record 12 of a log that goes on to record 13.

use super::super::testlog::rotation::{AT, By, by, by_old, by_roots, frames, new_key};
use super::super::testlog::{Frame, chain_anew, file, first_root, log_key, person};
use super::super::{Options, Report, bundle, ledger, site};
use super::world::{Files, SEGMENT, World, options, say};
use crate::checkpoint::Checkpoint;
use crate::hash::Sha256Digest;
use crate::key::{PublicKey, SecretKey};
use crate::note::Note;
use crate::source::MemorySource;

/// One thing that is done, and what is said of it.
pub(super) struct Cell {
    pub(super) what: &'static str,
    pub(super) act: fn() -> String,
    pub(super) expected: &'static str,
}

pub(super) const HEAD: &str = "
## Rotation of the log's key

Record 12 puts a new key of the log in force, record 13 follows; two root keys must sign together. The auditor has the first
key unless the cell says otherwise.

| what is done | diagnosis |
|---|---|
";

/// The ledger that is rotated so, as an auditor with this key judges it.
fn judged(files: Files, key: PublicKey) -> Report {
    let options = Options { log_key: Some(key), ..options() };
    ledger(&MemorySource(files), None, options).unwrap()
}

fn ledger_by(by: &By) -> String {
    let world = World::signed_by(frames(by, &new_key()), &[new_key()]);
    say(&judged(world.ledger, log_key().public()))
}

/// The rotation's record or commit changed, everything after it chained anew by one who cannot sign.
fn edited(edit: impl FnOnce(&mut Vec<Frame>)) -> String {
    let mut world = World::signed_by(frames(&by_old(), &new_key()), &[new_key()]);
    edit(&mut world.frames);
    let segment = file(&world.frames, 0, 64);
    world.ledger.insert(SEGMENT.to_owned(), segment);
    say(&judged(world.ledger, log_key().public()))
}

/// Where the rotation stands among the frames.
fn place(frames: &[Frame]) -> usize {
    let rotation = |frame: &Frame| matches!(frame, Frame::Record(record) if record.position == AT);
    frames.iter().position(rotation).unwrap()
}

/// A site or a bundle of the rotated log, with a checkpoint under these keys, in the hands of one who has this key.
fn outside(keys: &[SecretKey], has: &SecretKey, of_site: bool) -> String {
    let world = World::signed_by(frames(&by_old(), &new_key()), keys);
    let options = Options { log_key: Some(has.public()), ..options() };
    say(&if of_site {
        site(&MemorySource(world.site), &options).unwrap()
    } else {
        bundle(&mut &*world.bundle, &options).unwrap()
    })
}

/// A bundle in the window whose first line names this key, the last line computed anew.
fn named(key: &SecretKey) -> String {
    let keys = [new_key(), log_key()];
    let world = World::signed_by(frames(&by_old(), &new_key()), &keys);
    let text = String::from_utf8(world.bundle).unwrap();
    let text = text.replacen(&new_key().public().to_string(), &key.public().to_string(), 1);
    let (lines, _) = text.trim_end().rsplit_once('\n').unwrap();
    let lines = format!("{lines}\n");
    let digest = Sha256Digest::of(lines.as_bytes());
    let whole = format!("{lines}{{\"lines\":{},\"sha256\":\"{digest}\"}}\n", lines.lines().count());
    say(&bundle(&mut whole.as_bytes(), &Options { log_key: Some(log_key().public()), ..options() }).unwrap())
}

/// The checkpoint of the whole log under another key.
fn checkpoint_by(key: &SecretKey) -> String {
    let mut world = World::signed_by(frames(&by_old(), &new_key()), &[new_key()]);
    let text = String::from_utf8(world.checkpoint.clone()).unwrap();
    let note = Note::parse(text.as_bytes()).unwrap();
    let said: Checkpoint = note.text().parse().unwrap();
    let forged = said.sign(key).unwrap().to_string().into_bytes();
    world.ledger.insert("checkpoint".to_owned(), forged);
    say(&judged(world.ledger, log_key().public()))
}

const fn cell(what: &'static str, act: fn() -> String, expected: &'static str) -> Cell {
    Cell { what, act, expected }
}

/// One declaration makes the test and the row of the table.
macro_rules! rotations {
    ($($name:ident = cell $args:tt),+ $(,)?) => {
        pub(super) const CELLS: &[Cell] = &[$(cell $args),+];
        $(
            #[test]
            fn $name() {
                let Cell { what, act, expected } = cell $args;
                assert_eq!(act(), expected, "{what}");
            }
        )+
    };
}

rotations!(
    nothing_the_old_key_signed = cell("nothing; the old key signed", || ledger_by(&by_old()), "nothing → 0"),
    nothing_both_roots_signed = cell("nothing; both roots signed", || ledger_by(&by_roots()), "nothing → 0"),
    nothing_the_auditor_has_the_new_key_only = cell(
        "nothing; the auditor has the new key only",
        || {
            let world = World::signed_by(frames(&by_old(), &new_key()), &[new_key()]);
            say(&judged(world.ledger, new_key().public()))
        },
        "nothing → 0",
    ),
    the_new_key_did_not_endorse_it = cell(
        "the new key did not endorse it",
        || ledger_by(&by(log_key(), &[])),
        "`command_signature_wrong` 12 (log_key) → 2",
    ),
    one_root_of_two_signed = cell(
        "one root of two signed",
        || ledger_by(&by(first_root(), &[new_key()])),
        "`command_signature_wrong` 12 (log_key) → 2",
    ),
    the_same_root_signed_and_endorsed = cell(
        "the same root signed and endorsed",
        || ledger_by(&by(first_root(), &[first_root(), new_key()])),
        "`command_signature_wrong` 12 (log_key) → 2",
    ),
    an_office_signed_it = cell(
        "an office signed it",
        || ledger_by(&by(person(1), &[new_key()])),
        "`command_signature_wrong` 12 (log_key) → 2",
    ),
    the_new_key_alone_signed_it = cell(
        "the new key alone signed it",
        || ledger_by(&by(new_key(), &[new_key()])),
        "`command_signature_wrong` 12 (log_key) → 2",
    ),
    the_old_key_signs_the_commits_from_there_on = cell(
        "the old key signs the commits from there on",
        || {
            let world = World::signed_by(frames(&by_old(), &log_key()), &[new_key()]);
            say(&judged(world.ledger, log_key().public()))
        },
        "`commit_signature_wrong` 12 (signature), `commit_signature_wrong` 13 (signature) → 2",
    ),
    the_key_in_the_records_body_is_another = cell(
        "the key in the record's body is another",
        || {
            edited(|frames| {
                let at = place(frames);
                let (new, other) = (new_key().public().to_string(), person(9).public().to_string());
                let record = frames[at].record();
                record.body =
                    String::from_utf8(record.body.clone()).unwrap().replace(&new, &other).into_bytes();
            })
        },
        "`body_altered` 12 → 2",
    ),
    the_command_is_left_out = cell(
        "the command is left out",
        || {
            edited(|frames| {
                let at = place(frames);
                frames[at].record().command.clear();
            })
        },
        "`command_missing` 12, `key_unknown` 12 (log_key) → 1",
    ),
    the_record_and_its_commit_are_dropped_what_follows_is_chained_anew = cell(
        "the record and its commit are dropped, what follows is chained anew",
        || {
            edited(|frames| {
                let at = place(frames);
                frames.drain(at..at + 2);
                frames[at].record().position = AT;
                frames[at].edit_leaf(|leaf| {
                    (leaf.seq, leaf.stream_seq, leaf.stream_prev) = (AT, leaf.stream_seq - 1, Some(9));
                });
                frames[at + 1].commit().first = AT;
                chain_anew(frames, true);
            })
        },
        "`commit_signature_wrong` 12 (signature), `head_disagrees` (sig), `checkpoint_unsigned` (signature) → 2",
    ),
    the_old_key_signs_the_checkpoint_alone = cell(
        "the old key signs the checkpoint alone",
        || checkpoint_by(&log_key()),
        "`checkpoint_forged` (signature) → 2",
    ),
    a_stranger_signs_the_checkpoint = cell(
        "a stranger signs the checkpoint",
        || checkpoint_by(&person(9)),
        "`checkpoint_unsigned` (signature) → 1",
    ),
    a_site_in_the_window_with_the_old_key = cell(
        "a site in the window, with the old key",
        || outside(&[new_key(), log_key()], &log_key(), true),
        "nothing → 0",
    ),
    a_site_in_the_window_with_the_new_key = cell(
        "a site in the window, with the new key",
        || outside(&[new_key(), log_key()], &new_key(), true),
        "nothing → 0",
    ),
    a_site_after_the_window_with_the_old_key = cell(
        "a site after the window, with the old key",
        || outside(&[new_key()], &log_key(), true),
        "`checkpoint_unsigned` (signature) → 1",
    ),
    a_bundle_in_the_window_with_the_old_key = cell(
        "a bundle in the window, with the old key",
        || outside(&[new_key(), log_key()], &log_key(), false),
        "nothing → 0",
    ),
    a_bundle_in_the_window_with_the_new_key = cell(
        "a bundle in the window, with the new key",
        || outside(&[new_key(), log_key()], &new_key(), false),
        "nothing → 0",
    ),
    a_bundle_after_the_window_with_the_old_key = cell(
        "a bundle after the window, with the old key",
        || outside(&[new_key()], &log_key(), false),
        "`checkpoint_unsigned` (signature) → 1",
    ),
    a_bundle_that_the_old_key_alone_signs_with_the_old_key = cell(
        "a bundle that the old key alone signs, with the old key",
        || outside(&[log_key()], &log_key(), false),
        "`checkpoint_forged` (signature) → 2",
    ),
    a_bundle_that_the_old_key_alone_signs_with_the_new_key = cell(
        "a bundle that the old key alone signs, with the new key",
        || outside(&[log_key()], &new_key(), false),
        "`checkpoint_unsigned` (signature), `checkpoint_forged` (signature) → 2",
    ),
    a_bundle_in_the_window_that_names_a_strangers_key_with_the_old_key = cell(
        "a bundle in the window that names a stranger's key, with the old key",
        || named(&person(9)),
        "`bundle_damaged` (log_key) → 2",
    ),
    a_site_that_the_old_key_alone_signs_with_the_new_key = cell(
        "a site that the old key alone signs, with the new key",
        || outside(&[log_key()], &new_key(), true),
        "`checkpoint_unsigned` (signature) → 1",
    ),
);
