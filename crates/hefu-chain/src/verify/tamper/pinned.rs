//! A checkpoint that was taken away or put back to an older one, with and without tiles and an older checkpoint.

use super::super::testlog::log;
use super::super::{Options, Report, Verdict, ledger};
use super::world::{Files, World, options};
use crate::source::MemorySource;

/// The log as it was after this many frames.
fn world(frames: usize) -> World {
    World::of(log().into_iter().take(frames).collect())
}

fn judged(files: Files, since: Option<&[u8]>) -> Report {
    ledger(&MemorySource(files), None, Options { since, ..options() }).unwrap()
}

/// What is said: kind, stored and expected size, exit code.
fn told(report: &Report) -> (Vec<String>, Verdict) {
    let told = report.findings.iter().map(|finding| {
        let kind = serde_json::to_value(finding.kind).unwrap();
        let stored = finding.stored.as_deref().unwrap_or("none");
        format!(
            "{} {}: {stored}, {}",
            finding.segment,
            kind.as_str().unwrap(),
            finding.expected.as_ref().unwrap()
        )
    });
    (told.collect(), report.verdict)
}

fn without(mut files: Files, names: &[&str]) -> Files {
    for name in names {
        files.remove(*name);
    }
    files
}

const CUT_SHORT: &str = "the tiles go so far; if its publication was cut short, publish again";

const PAST: &str = "the tiles go so far, past the log; if they are damaged, delete tiles/";

#[test]
fn a_checkpoint_that_is_gone_is_asked_for_where_the_tiles_show_that_there_was_one() {
    let report = judged(without(world(17).ledger, &["checkpoint"]), None);
    let expected = format!("checkpoint checkpoint_missing: none, a checkpoint of 12 records: {CUT_SHORT}");
    assert_eq!(told(&report), (vec![expected], Verdict::NotProven));
}

#[test]
fn without_checkpoint_and_tiles_it_is_said_that_nothing_is_pinned() {
    let report = judged(without(world(17).ledger, &["checkpoint", "tiles/0"]), None);
    assert_eq!(told(&report), (vec![], Verdict::Proven));
    let note = "nothing is pinned: no checkpoint is here, and nothing shows that one was ever made";
    assert!(report.notes.iter().any(|said| said == note), "{:?}", report.notes);
}

#[test]
fn an_older_checkpoint_in_its_place_is_told() {
    let mut files = world(17).ledger;
    files.insert("checkpoint".into(), world(9).checkpoint);
    let report = judged(files.clone(), None);
    let expected = format!("checkpoint checkpoint_behind: 6, a checkpoint of 12 records: {CUT_SHORT}");
    assert_eq!(told(&report), (vec![expected], Verdict::NotProven));
    // The tiles are of the older one, too: only a checkpoint from elsewhere tells.
    files.insert("tiles/0".into(), world(9).ledger["tiles/0"].clone());
    assert_eq!(told(&judged(files.clone(), None)), (vec![], Verdict::Proven));
    let report = judged(files.clone(), Some(&world(17).checkpoint));
    let expected = "checkpoint checkpoint_behind: 6, a checkpoint of 12 records: the log signed one";
    assert_eq!(told(&report), (vec![expected.to_owned()], Verdict::NotProven));
    // One that is signed and on its way to be published is no older one.
    files.insert("checkpoint.signed".into(), world(17).checkpoint);
    assert_eq!(told(&judged(files, Some(&world(17).checkpoint))), (vec![], Verdict::Proven));
}

#[test]
fn tiles_that_are_of_other_records_or_damaged_show_nothing() {
    let mut files = world(17).ledger;
    files.insert("checkpoint".into(), world(9).checkpoint);
    files.get_mut("tiles/0").unwrap()[11 * 32] ^= 1;
    assert_eq!(told(&judged(files.clone(), None)), (vec![], Verdict::Proven));
    files.get_mut("tiles/0").unwrap()[11 * 32] ^= 1;
    files.get_mut("tiles/0").unwrap().extend([7; 64]);
    let report = judged(files, None);
    let expected = format!("checkpoint checkpoint_behind: 6, a checkpoint of 14 records: {PAST}");
    assert_eq!(told(&report), (vec![expected], Verdict::NotProven));
}

#[test]
fn a_ledger_put_back_as_a_whole_is_told_by_tiles_that_were_forgotten() {
    let mut files = world(9).ledger;
    files.insert("tiles/0".into(), world(17).ledger["tiles/0"].clone());
    let report = judged(files, None);
    let expected = format!("checkpoint checkpoint_behind: 6, a checkpoint of 12 records: {PAST}");
    assert_eq!(told(&report), (vec![expected], Verdict::NotProven));
}
