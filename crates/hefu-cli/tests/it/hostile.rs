//! A region that quarrels about everything, is silent, or brings books that are none: others are not touched by it.
//!
//! Limits run in working days, so what has been waiting for long is made here by the engine with a clock that stands in the
//! past; the binary then finds it by today's clock.

use std::{fmt::Write as _, path::Path};

use hefu_domain::time::Timestamp;
use hefu_engine::{Answer, Draft, Engine, KeyStore, Mode, Options, Signer};
use hefu_exchange::{policy, regions};
use hefu_store::Backend;
use serde_json::{Value, json};

use crate::support::{PROJECT, Place, SAMPLE};

/// A Monday in March 2025.
fn long_ago() -> Timestamp {
    "2025-03-03T02:00:00.000000Z".parse().unwrap()
}

const D: [&str; 3] = [
    "0198b2c4-0000-7000-9000-000000000001",
    "0198b2c4-0000-7000-9000-000000000002",
    "0198b2c4-0000-7000-9000-000000000003",
];

/// A ledger made, and these commands submitted, in March 2025.
fn made_long_ago(dir: &Path, commands: &[Value]) {
    let data = regions::zhejiang();
    let policy = policy::zhejiang(&data);
    let origin = "x.example/zj".parse().unwrap();
    let areas = (data.regions, data.adjacency);
    hefu_engine::create_dev(dir, origin, data.host, policy, areas, Backend::Segments, long_ago).unwrap();
    let engine = Engine::open(dir, Options { clock: long_ago, ..Options::default() }).unwrap();
    let mut signer = Signer::new(engine.origin().clone(), KeyStore::beside(dir));
    for command in commands {
        let Value::Object(mut command) = command.clone() else { panic!("a command is an object") };
        let by = command.remove("as").unwrap().as_str().unwrap().to_owned();
        command.remove("id");
        let state = engine.views().read().unwrap().state.clone();
        let signed = signer.sign(Draft { command, id: None, signer: by }, &state, long_ago()).unwrap();
        let answer = engine.submit(vec![signed.into_bytes()], Mode::Each, None).wait().unwrap().remove(0);
        assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
    }
    engine.close().unwrap();
}

fn sample() -> Vec<Value> {
    SAMPLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn open(id: &str, matter: &Value, by: &str) -> Value {
    json!({"as": by, "type": "open_dispute", "dispute": id, "matter": matter, "reason": "other"})
}

/// Everything anybody is shown for 2023, but for what it says of open questions.
fn figures(place: &Place) -> Vec<Value> {
    let report = ["report", "indicators", "--region", "330000", "--children", "--period", "2023"];
    let rows = place.run(&report).exits(0).json()["rows"].clone();
    let figure = |row: &Value| {
        ["region", "indicator", "territorial", "shared", "as_origin", "as_destination", "elimination"]
            .map(|key| row[key].clone())
            .into()
    };
    rows.as_array().unwrap().iter().map(figure).collect()
}

fn show(place: &Place, id: &str) -> Value {
    place.run(&["dispute", "show", id]).exits(0).json()
}

#[test]
fn silence_has_consequences_that_time_brings() {
    let place = Place::empty();
    let observation =
        json!({"kind": "observation", "project": PROJECT, "indicator": "INV_FAI", "period": "2023-07"});
    let claim = json!({"kind": "claim", "project": PROJECT, "transfer": 2});
    let transfer = json!({"kind": "transfer", "project": PROJECT, "transfer": 2});
    let mut commands = sample();
    // One is never answered, one answered and never ruled on, one ruled on and never appealed.
    commands.extend([
        open(D[0], &claim, "330108"),
        open(D[1], &transfer, "330108"),
        json!({"as": "330881", "type": "answer_dispute", "dispute": D[1], "statement": "不同意"}),
        open(D[2], &observation, "330108"),
        json!({"as": "330881", "type": "answer_dispute", "dispute": D[2], "statement": "属实"}),
        json!({"as": "330000", "type": "propose_ruling", "dispute": D[2], "reasons": "核实",
            "remedy": {"kind": "correct_value", "value": "36000000.50"}}),
        json!({"as": "330000/coordinator", "type": "approve_ruling", "dispute": D[2]}),
    ]);
    made_long_ago(&place.path("L"), &commands);
    let before = figures(&place);
    for id in D {
        assert!(show(&place, id)["due"].as_str().unwrap() < "2025-06-01", "its limit is over");
    }
    // Late: neither answer nor appeal is heard any more.
    let late = |args: &[&str]| place.run(&[&["dispute"][..], args].concat()).exits(1).error()["code"].clone();
    assert_eq!(late(&["answer", D[0], "--statement", "现在答复", "--as", "330881"]), "limit_passed");
    assert_eq!(late(&["appeal", D[2], "--statement", "不服", "--as", "330881"]), "limit_passed");
    let due = place.run(&["dispute", "list", "--due", "2025-12-31"]).exits(0).json();
    assert_eq!(due["rows"].as_array().unwrap().len(), 3);

    place.run(&["tick"]).exits(0);
    let [unanswered, unruled, unappealed] = D.map(|id| show(&place, id));
    // No answer: the ruler may rule all the same. No ruling: the next level may. No appeal: the ruling is in force.
    assert_eq!((&unanswered["stage"], &unanswered["ruler"]), (&json!("argued"), &json!("330000")));
    assert_eq!((&unruled["stage"], &unruled["ruler"]), (&json!("argued"), &json!("000000")));
    assert_eq!((&unappealed["stage"], &unappealed["next"]), (&json!("final"), &Value::Null));
    for open in [&unanswered, &unruled] {
        assert_eq!(open["next"]["act"], "rule");
        assert!(open["due"].as_str().unwrap() > "2025-06-01", "a new limit runs: {open}");
    }
    let escalated = unanswered["records"].as_array().unwrap().last().unwrap()["type"].clone();
    assert_eq!(escalated, "dispute.escalated");
    // The ruled million, and nothing else.
    let after = figures(&place);
    let moved = before.iter().zip(&after).filter(|(old, new)| old != new).map(|(_, new)| new[0].clone());
    let mut moved: Vec<String> = moved.map(|region| region.as_str().unwrap().to_owned()).collect();
    moved.dedup();
    assert_eq!(moved, ["330000", "330100", "330108", "330800", "330881"]);
    // Once: nothing is due any more.
    assert_eq!(place.run(&["tick"]).exits(1).error()["code"], "nothing_due");
    assert_eq!(figures(&place), after);
    place
        .run(&["dispute", "rule", D[0], "--remedy", "dismiss", "--reasons", "未答复", "--as", "330000"])
        .exits(0);
    place.run(&["dispute", "approve", D[0], "--as", "330000/coordinator"]).exits(0);
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
    place.run(&["check"]).exits(0);
}

#[test]
fn two_disputes_about_one_thing_are_one() {
    let place = Place::with_sample();
    let before = figures(&place);
    let claim = |id: &str, by: &str| {
        let matter =
            ["dispute", "open", PROJECT, "--kind", "claim", "--indicator", "INV_FAI", "--period", "2023-07"];
        place.run(&[&matter[..], &["--reason", "terms_misapplied", "--id", id, "--as", by]].concat())
    };
    claim(D[0], "330108").exits(0);
    claim(D[1], "330881").exits(0);
    let joined = show(&place, D[1]);
    assert_eq!(joined["dispute"], D[0], "the second leads to the first");
    let kinds: Vec<&str> =
        joined["records"].as_array().unwrap().iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dispute.opened", "dispute.joined"]);
    let listed = place.run(&["dispute", "list", "--open"]).exits(0).json();
    assert_eq!(listed["rows"].as_array().unwrap().len(), 1);
    for (id, by) in [(D[2], "330108"), (D[2], "330881")] {
        assert_eq!(claim(id, by).exits(1).error()["code"], "already_disputed");
    }
    let answer = |id: &str| place.run(&["dispute", "answer", id, "--statement", "见复函", "--as", "330881"]);
    assert_eq!(answer(D[1]).exits(1).error()["code"], "dispute_is_joined");
    answer(D[0]).exits(0);
    assert_eq!(figures(&place), before);
    // One ruling ends both. A region may be named as people name it.
    let rule = ["dispute", "rule", D[0], "--remedy", "credit", "--amount", "1000000", "--to", "滨江区"];
    place.run(&[&rule[..], &["--reasons", "据补充协议", "--as", "330000"]].concat()).exits(0);
    place.run(&["dispute", "approve", D[0], "--as", "330000/coordinator"]).exits(0);
    place.run(&["dispute", "waive", D[0], "--as", "330108"]).exits(0);
    place.run(&["dispute", "waive", D[0], "--as", "330881"]).exits(0);
    assert_eq!(
        (show(&place, D[0])["stage"].clone(), show(&place, D[1])["stage"].clone()),
        (json!("final"), json!("final"))
    );
    assert_eq!(place.run(&["dispute", "list", "--open"]).exits(0).json()["rows"], json!([]));
    assert_ne!(figures(&place), before);
    let nobody =
        ["dispute", "rule", D[0], "--remedy", "credit", "--amount", "1", "--to", "无名县", "--reasons", "x"];
    let nobody = place.run(&[&nobody[..], &["--as", "330000"]].concat()).exits(1).error();
    assert_eq!((&nobody["code"], &nobody["field"]), (&json!("unknown_region"), &json!("to")));
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
}

/// Each row is nonsense of its own kind: unknown projects, repetitions, other periods.
#[test]
fn a_hundred_thousand_rows_are_answered_and_move_nothing() {
    let place = Place::with_sample();
    let (before, size) = (figures(&place), place.size());
    let mut book =
        "项目代码,指标,报告期,金额\n2306-330881-04-01-654321,INV_FAI,2023-07,21000000.30\n".to_owned();
    for row in 0..100_000u32 {
        let (project, month) = (row % 5_000, row / 5_000 % 12 + 1);
        if row % 10 == 0 {
            writeln!(book, "2501-330108-04-01-123456,INV_FAI,2022-{month:02},{row}.25").unwrap();
        } else {
            writeln!(book, "P{project},INV_FAI,2023-{month:02},{}.50", row % 7).unwrap();
        }
    }
    place.write("book.csv", &book);
    let args = ["reconcile", "book.csv", "--region", "330108"];
    let first = place.run(&args).exits(1).json();
    assert_eq!(first["book"]["lines"], 100_001);
    let bridge = first["bridge"].as_array().unwrap();
    assert_eq!(bridge.last().unwrap()["net"], "0.00", "explained to the last fen");
    let table = place.table("en", &args).exits(1).out;
    assert!(table.lines().count() < 100, "a screen gets the first breaks and is told so");
    let again = place.run(&args).exits(1).json();
    assert_eq!(again["repeated"], true);
    assert_eq!((figures(&place), place.size()), (before, size));
    let foreign = place.run(&["reconcile", "book.csv", "--region", "330102"]).exits(1).error();
    assert_eq!(foreign["code"], "foreign_book");
}
