//! Who may put a new key of the log in force, and what its word is worth before and after.

use super::*;
use crate::key::SecretKey;
use crate::tree::TreeHash;
use crate::verify::Options;
use crate::verify::testlog::rotation::{AT, By, by, by_old, by_roots, frames, new_key, with_command};
use crate::verify::testlog::{Frame, file, first_root, log, log_key, origin, person, second_root};

fn genesis() -> Genesis {
    Genesis::find(&file(&log(), 0, 64), &Options::default())
}

fn found(frames: &[Frame]) -> BTreeMap<u64, Rotation> {
    let found = Rotation::find("a.seg", &file(frames, 0, 64));
    found.into_iter().map(|rotation| (rotation.position, rotation)).collect()
}

fn schedule(frames: &[Frame], given: Option<&SecretKey>) -> Schedule {
    Schedule::of(&genesis(), given.map(SecretKey::public), &found(frames))
}

/// The findings on a rotation by these, of this command.
fn said(by: &By, edit: impl FnOnce(&mut Value)) -> Vec<FindingKind> {
    let schedule = schedule(&with_command(by, &new_key(), edit), None);
    // Whatever is said of it, the key is used: one wrong record is one finding.
    assert_eq!(schedule.keys.all(), [(0, log_key().public()), (AT, new_key().public())]);
    assert_eq!(schedule.notes.is_empty(), !schedule.findings.is_empty());
    assert!(schedule.findings.iter().all(|finding| finding.position == Some(AT)));
    schedule.findings.iter().map(|finding| finding.kind).collect()
}

const WRONG: [FindingKind; 1] = [FindingKind::CommandSignatureWrong];

fn rotation_at(frames: &mut [Frame]) -> &mut crate::record::Record {
    let place = frames.iter().position(|frame| matches!(frame, Frame::Record(one) if one.position == AT));
    frames[place.unwrap()].record()
}

#[test]
fn the_key_before_or_k_of_n_roots_put_a_new_key_in_force_and_it_agrees() {
    assert_eq!(said(&by_old(), |_| ()), []);
    assert_eq!(said(&by_roots(), |_| ()), []);
    // The order among the roots is free.
    assert_eq!(said(&by(second_root(), &[new_key(), first_root()]), |_| ()), []);
    for by in [
        by(log_key(), &[]),
        by(log_key(), &[person(1)]),
        by(first_root(), &[new_key()]),
        by(first_root(), &[first_root(), new_key()]),
        by(first_root(), &[second_root()]),
        by(person(1), &[first_root(), second_root(), new_key()]),
        by(new_key(), &[new_key()]),
    ] {
        assert_eq!(said(&by, |_| ()), WRONG);
    }
}

#[test]
fn only_this_command_for_this_key_and_this_ledger_counts() {
    let other = person(9).public();
    assert_eq!(said(&by_old(), |command| command["public"] = serde_json::json!(other)), WRONG);
    assert_eq!(said(&by_old(), |command| command["type"] = "register_key".into()), WRONG);
    let elsewhere = By { ledger: "other.example/moves".parse().unwrap(), ..by_old() };
    assert_eq!(said(&elsewhere, |_| ()), WRONG);
}

#[test]
fn an_absent_command_proves_nothing_and_contradicts_nothing() {
    let mut frames = frames(&by_old(), &new_key());
    rotation_at(&mut frames).command.clear();
    let schedule = schedule(&frames, None);
    let kinds: Vec<_> = schedule.findings.iter().map(|finding| (finding.kind, finding.field)).collect();
    assert_eq!(kinds, [(FindingKind::KeyUnknown, Some("log_key"))]);
    assert_eq!(schedule.keys.newest(), Some(new_key().public()));
}

#[test]
fn an_altered_body_leaves_the_key_that_the_command_names() {
    let mut frames = frames(&by_old(), &new_key());
    rotation_at(&mut frames).body.truncate(40);
    assert_eq!(schedule(&frames, None).keys.newest(), Some(new_key().public()));
    // Without either nobody knows of a new key.
    rotation_at(&mut frames).command.clear();
    assert_eq!(found(&frames).len(), 0);
}

#[test]
fn roots_that_record_0_does_not_name_or_count_put_nothing_in_force() {
    let rotations = found(&frames(&by_roots(), &new_key()));
    for roots in [Roots::default(), Roots { threshold: 0, ..genesis().roots }] {
        let mut genesis = genesis();
        genesis.roots = roots;
        let schedule = Schedule::of(&genesis, None, &rotations);
        assert_eq!(schedule.findings.len(), 1);
    }
}

#[test]
fn a_given_key_that_came_later_is_vouched_for_by_the_chain() {
    let frames = frames(&by_old(), &new_key());
    let later = schedule(&frames, Some(&new_key()));
    assert!(later.given_came_later && later.findings.is_empty());
    assert_eq!(later.keys.at(0), Some(log_key().public()));
    assert_eq!(later.notes.len(), 2);
    // The first key is no later one, nor is that of somebody else: it is used, and nothing will fit it.
    for given in [log_key(), person(9)] {
        let schedule = schedule(&frames, Some(&given));
        assert!(!schedule.given_came_later);
        assert_eq!(schedule.keys.at(0), Some(given.public()));
        assert_eq!(schedule.findings.is_empty(), given.public() == log_key().public());
    }
    assert!(!schedule(&log(), Some(&new_key())).given_came_later);
}

#[test]
fn a_checkpoint_is_asked_of_the_key_that_signs_at_its_size() {
    let schedule = schedule(&frames(&by_old(), &new_key()), None);
    let note = |size: u64, keys: &[SecretKey]| {
        let checkpoint = Checkpoint { origin: origin(), size, root: TreeHash::leaf(b"some root") };
        let mut note = checkpoint.sign(&keys[0]).unwrap();
        for key in &keys[1..] {
            note.add(checkpoint.signature(key).unwrap()).unwrap();
        }
        note.to_string().into_bytes()
    };
    // The record that ends a key is at 12: a log of 12 records does not have it, one of 13 does.
    for (size, key) in [(1, log_key()), (AT, log_key()), (AT + 1, new_key()), (AT + 2, new_key())] {
        assert_eq!(schedule.key_for(&note(size, &[log_key()])), Some(key.public()));
    }
    assert_eq!(schedule.signed_after_its_end(&note(AT, &[log_key()])), None);
    assert_eq!(schedule.signed_after_its_end(&note(AT + 1, &[log_key()])), Some(AT));
    // In the window both sign, and whether the new one did is asked first.
    assert_eq!(schedule.signed_after_its_end(&note(AT + 1, &[new_key(), log_key()])), Some(AT));
    assert_eq!(schedule.signed_after_its_end(&note(AT + 1, &[new_key()])), None);
    assert_eq!(schedule.signed_after_its_end(&note(AT + 1, &[person(9)])), None);
    assert_eq!(schedule.key_for(b"no note"), None);
    assert_eq!(schedule.signed_after_its_end(b"no note"), None);
}
