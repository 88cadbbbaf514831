//! A redaction takes the texts of a record out of the directory, whenever it is cut short, and changes nothing else.

use std::{fs, ops::ControlFlow, path::Path};

use hefu_chain::{key::PublicKey, receipt::Receipt, verify};
use hefu_domain::redaction::{MARK, Residue};
use hefu_engine::{Engine, EngineError, KeyStore, Mode, Options, Reader, WithheldRecord, endorse, replay};
use hefu_projections::Views;
use hefu_store::{Backend, disk::Disk as _, sim::Fault};
use serde_json::{Map, Value, json};

use crate::{
    bench_ledger::{Bench, P1, code, ok, project, report, say, sign},
    faults::{open, simulated},
};

const NAME: &str = "裂变";

/// Position of the record that registers the project: the last one of [`project`].
fn registered(views: &Views) -> u64 {
    views.state.projects[&P1.parse().unwrap()].named_at
}

/// The redaction of a record, endorsed by the auditor of 330108.
fn redaction(bench: &Bench, position: u64) -> Value {
    let reader = Reader::open(&bench.dir).unwrap();
    let event = reader.record(position).unwrap().unwrap().event;
    redaction_of(bench, position, &Residue(Box::new(event.blanked().unwrap())))
}

fn redaction_of(bench: &Bench, position: u64, residue: &Residue) -> Value {
    let command =
        json!({"type": "redact_record", "position": position, "reason": "商业秘密", "residue": residue});
    let Value::Object(mut command): Value = command else { unreachable!() };
    let key = KeyStore::beside(&bench.dir).load("330108/auditor").unwrap();
    endorse(&"test.example/ledger".parse().unwrap(), &mut command, &key).unwrap();
    Value::Object(command)
}

/// Files below `dir` that hold `text`.
fn holding(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if contains(&fs::read(&path).unwrap(), text) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The verifier's verdict on the segments as they lie, and the records it finds withheld.
fn verified(dir: &Path) -> (verify::Verdict, Vec<(u64, u64)>) {
    let mut files: Vec<_> = fs::read_dir(dir.join("segments")).unwrap().flatten().map(|e| e.path()).collect();
    files.sort();
    let read: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    let segments: Vec<_> = read.iter().map(|(name, bytes)| verify::Segment { name, bytes }).collect();
    let report = verify::verify(&segments, verify::Options::default());
    (report.verdict, report.withheld.iter().map(|one| (one.position, one.redacted_by)).collect())
}

#[test]
fn no_byte_of_the_text_is_left_and_everything_else_stays() {
    let bench = Bench::new();
    let options = || Options { snapshot_every: 4, ..Options::default() };
    let engine = Engine::open(&bench.dir, options()).unwrap();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let registered = registered(&engine.views().read().unwrap());
    let receipt: Receipt = ok(&say(&engine, &mut signer, "330108", report(7))).receipt.clone().unwrap();
    for value in 8..20 {
        say(&engine, &mut signer, "330108", report(value));
    }
    engine.close().unwrap();
    // What a crash left once, set aside by an opening.
    fs::write(bench.dir.join("segments/00000000000000000000.0.torn"), NAME).unwrap();
    let beside = Reader::open(&bench.dir).unwrap();
    let counting = beside.views.counting.clone();
    let before = holding(&bench.dir, NAME);
    assert!(before.iter().any(|name| name.contains(".snap")), "{before:?}");

    let engine = Engine::open(&bench.dir, options()).unwrap();
    let command = redaction(&bench, registered);
    let done = ok(&say(&engine, &mut signer, "330108", command.clone())).clone();
    assert_eq!(holding(&bench.dir, NAME), Vec::<String>::new());
    assert_eq!(code(&say(&engine, &mut signer, "330108", command)), "already_redacted");
    // A reader that was open before goes on, with what it knew of places.
    let mut seen = 0;
    beside
        .log()
        .scan(0, &mut |_| {
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, beside.log_size());
    assert_eq!(beside.record(registered).unwrap().unwrap().redacted_by, Some(done.position));
    // The ledger goes on; new snapshots hold nothing of it either.
    for value in 30..40 {
        ok(&say(&engine, &mut signer, "330108", report(value)));
    }
    let views = engine.views().read().unwrap().clone();
    assert_eq!(views.state.projects[&P1.parse().unwrap()].name, MARK);
    engine.close().unwrap();
    assert_eq!(holding(&bench.dir, NAME), Vec::<String>::new());

    // Folded from what is left, it is the same ledger, and its figures are those of before.
    fs::remove_dir_all(bench.dir.join("snapshot")).unwrap();
    let reader = Reader::open(&bench.dir).unwrap();
    assert_eq!(reader.views, views);
    assert_eq!(reader.as_of_size(beside.views.size).unwrap().views.counting, counting);
    let log = views.state.keyring.log_public.unwrap();
    assert!(receipt.verify(&PublicKey(log.0)));
    assert_eq!(reader.as_of_size(receipt.seq + 1).unwrap().head, receipt.head);
    let history = reader.history(P1.parse().unwrap()).unwrap();
    assert_eq!(history[0].redacted_by, Some(done.position));
    assert!(history[1..].iter().all(|view| view.redacted_by.is_none()));
    let audit = replay(reader.log(), &|_| {}).unwrap();
    assert_eq!(audit.findings, []);
    assert_eq!(audit.withheld, [WithheldRecord { position: registered, redacted_by: done.position }]);
    assert_eq!(verified(&bench.dir), (verify::Verdict::Proven, vec![(registered, done.position)]));
}

#[test]
fn whatever_fails_in_between_is_finished_by_the_next_opening() {
    let (bench, pristine) = simulated();
    let head = fs::read(bench.dir.join("head")).unwrap();
    let probe = pristine.fork();
    let engine = open(&bench.dir, &probe).unwrap();
    let registered = registered(&engine.views().read().unwrap());
    let residue = Reader::open(&bench.dir).unwrap().record(registered).unwrap().unwrap().event.blanked();
    let command = redaction_of(&bench, registered, &Residue(Box::new(residue.unwrap())));
    let before = probe.ops();
    ok(&say(&engine, &mut bench.signer(), "330108", command.clone()));
    let changes = probe.ops() - before;
    engine.close().unwrap();
    // Write and sync of the commit, the roll, the file written anew, its name.
    assert!(changes >= 12, "{changes}: {:?}", probe.trace());
    let mut finished_late = 0;
    for fault in [Fault::NotStored, Fault::Stored, Fault::Torn(1), Fault::PowerCut] {
        for change in 0..changes {
            let disk = pristine.fork();
            fs::write(bench.dir.join("head"), &head).unwrap();
            fs::create_dir_all(bench.dir.join("snapshot")).unwrap();
            let engine = open(&bench.dir, &disk).unwrap();
            let (_, bytes) = sign(&engine, &mut bench.signer(), "330108", command.clone());
            disk.plan(disk.ops() + change, fault);
            let _ = engine.submit(vec![bytes.clone()], Mode::Each, None).wait();
            let _ = engine.close();
            disk.cut_power();
            disk.power_on(Some(change));
            let engine = open(&bench.dir, &disk).unwrap();
            finished_late += engine.opened().redacted;
            // The same command again: the first answer, or it is recorded now.
            let answer = engine.submit(vec![bytes], Mode::Each, None).wait().unwrap().remove(0);
            let by = ok(&answer).position;
            let place = format!("{fault:?} at change {change}");
            assert_eq!(
                engine.views().read().unwrap().state.redactions.get(&registered),
                Some(&by),
                "{place}"
            );
            ok(&say(&engine, &mut bench.signer(), "330108", report(change)));
            engine.close().unwrap();
            disk.cut_power();
            disk.power_on(None);
            for name in disk.list(&bench.dir.join("segments")).unwrap() {
                let bytes = disk.read(&bench.dir.join("segments").join(&name)).unwrap();
                assert!(!contains(&bytes, NAME), "{place}: {name}");
            }
        }
    }
    assert!(finished_late > 10, "{finished_late}");
}

#[test]
fn a_snapshot_that_a_crash_left_behind_goes_with_the_rest() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let registered = registered(&engine.views().read().unwrap());
    engine.close().unwrap();
    let whole = fs::read(bench.dir.join("segments/00000000000000000000.seg")).unwrap();
    let engine = bench.open();
    let by = ok(&say(&engine, &mut signer, "330108", redaction(&bench, registered))).position;
    engine.close().unwrap();
    // As if the machine had stopped right after the commit: the old bytes are in place.
    let path = bench.dir.join("segments/00000000000000000000.seg");
    let redacted = fs::read(&path).unwrap();
    let end = whole.iter().rposition(|b| *b != 0).unwrap().next_multiple_of(8);
    // The frames of the redaction itself follow the old end.
    let restored = [&whole[..end], &redacted[end..]].concat();
    fs::write(&path, restored).unwrap();
    fs::create_dir_all(bench.dir.join("snapshot")).unwrap();
    fs::write(bench.dir.join("snapshot/00000000000000000003.part"), NAME).unwrap();
    let reader = Reader::open(&bench.dir).unwrap();
    let view = reader.record(registered).unwrap().unwrap();
    assert_eq!(
        (view.redacted_by, contains(view.event.to_value().unwrap().to_string().as_bytes(), NAME)),
        (Some(by), false)
    );
    assert!(!holding(&bench.dir, NAME).is_empty());
    let engine = bench.open();
    assert_eq!(engine.opened().redacted, 1);
    engine.close().unwrap();
    assert_eq!(holding(&bench.dir, NAME), Vec::<String>::new());
    assert_eq!(verified(&bench.dir), (verify::Verdict::Proven, vec![(registered, by)]));
}

#[test]
fn what_nobody_redacted_is_not_withheld() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let registered = registered(&engine.views().read().unwrap());
    ok(&say(&engine, &mut signer, "330108", report(1)));
    engine.close().unwrap();
    // The operator takes the content of the record away by himself, and says that another record redacted it.
    let path = bench.dir.join("segments/00000000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(NAME.len()).position(|w| w == NAME.as_bytes()).unwrap();
    let start = bytes[..at].windows(4).rposition(|w| w == b"HFR\x01").unwrap();
    hefu_chain::frame::withhold(&mut bytes[start..], registered + 1, false).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(verified(&bench.dir), (verify::Verdict::NotProven, Vec::new()));
    assert!(
        matches!(Reader::open(&bench.dir), Err(EngineError::BadRecord { position, .. }) if position == registered)
    );
    assert!(Engine::open(&bench.dir, Options::default()).is_err());
}

#[test]
fn the_two_signatures_and_the_residue_must_be_right() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let registered = registered(&engine.views().read().unwrap());
    let right = redaction(&bench, registered);
    assert_eq!(code(&say(&engine, &mut signer, "330122", right.clone())), "foreign_office");
    let without = |edit: &dyn Fn(&mut Map<String, Value>)| {
        let Value::Object(mut command) = right.clone() else { unreachable!() };
        edit(&mut command);
        Value::Object(command)
    };
    let alone = without(&|c| drop(c.remove("endorsements")));
    assert_eq!(code(&say(&engine, &mut signer, "330108", alone)), "endorsement_missing");
    let other = without(&|c| c["residue"]["data"]["planned_investment"] = json!("1.00"));
    assert_eq!(code(&say(&engine, &mut signer, "330108", other)), "bad_endorsement");
    let mut changed = Residue(Box::new(
        Reader::open(&bench.dir).unwrap().record(registered).unwrap().unwrap().event.blanked().unwrap(),
    ));
    if let hefu_domain::event::Event::ProjectRegistered(e) = &mut *changed.0 {
        e.industry = "C35".to_owned();
    }
    let changed = redaction_of(&bench, registered, &changed);
    assert_eq!(code(&say(&engine, &mut signer, "330108", changed)), "residue_differs");
    // In one batch with the record itself.
    let landed = json!({"type": "amend_project", "project": P1, "name": "新名"});
    let size = engine.views().read().unwrap().size;
    let event: hefu_domain::event::Event = hefu_domain::event::Event::parse(
        "project.amended",
        1,
        json!({"codes": [],
        "date": hefu_engine::system_clock().date().to_string(), "name": MARK, "planned_investment": null,
        "project": P1})
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    let both = vec![
        sign(&engine, &mut signer, "330108", landed).1,
        sign(&engine, &mut signer, "330108", redaction_of(&bench, size, &Residue(Box::new(event)))).1,
    ];
    let answers = engine.submit(both, Mode::Atomic, None).wait().unwrap();
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), ["ok", "ok"]);
    engine.close().unwrap();
    assert_eq!(holding(&bench.dir, "新名"), Vec::<String>::new());
    assert_eq!(verified(&bench.dir).1, [(size, size + 1)]);
}

#[test]
fn a_decision_that_looked_at_a_site_withheld_since_is_still_understood() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    let firm = json!({"type": "register_enterprise", "enterprise": crate::bench_ledger::FIRM, "name": "甲",
        "region": "330108"});
    ok(&say(&engine, &mut signer, "330108", firm));
    let here = json!({"type": "register_project", "project": P1, "name": NAME, "codes": [], "industry": "C34",
        "enterprise": crate::bench_ledger::FIRM, "origin": "330108", "planned_investment": "1.00",
        "date": "2023-01-10", "site": "江边一号"});
    ok(&say(&engine, &mut signer, "330108", here));
    let registered = registered(&engine.views().read().unwrap());
    // Within the same site, which only the text of the site tells.
    let stay =
        json!({"type": "propose_transfer", "project": P1, "destination": "330108", "site": "江边一号"});
    let proposed = ok(&say(&engine, &mut signer, "330108", stay)).position;
    for position in [registered, proposed] {
        ok(&say(&engine, &mut signer, "330108", redaction(&bench, position)));
        let audit = replay(Reader::open(&bench.dir).unwrap().log(), &|_| {}).unwrap();
        assert_eq!(audit.findings, []);
    }
    engine.close().unwrap();
    assert_eq!(holding(&bench.dir, "江边一号"), Vec::<String>::new());
}

#[test]
fn a_log_in_sled_says_that_it_cannot_forget() {
    let bench = Bench::with(hefu_domain::policy::Policy::default(), Backend::Sled);
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let registered = registered(&engine.views().read().unwrap());
    let event = json!({"codes": [], "date": "2023-01-10", "enterprise": crate::bench_ledger::FIRM, "industry": "C34",
        "name": MARK, "origin": "330108", "planned_investment": "1200000000.00", "project": P1, "site": null});
    let event =
        hefu_domain::event::Event::parse("project.registered", 1, event.to_string().as_bytes()).unwrap();
    let command = redaction_of(&bench, registered, &Residue(Box::new(event)));
    assert_eq!(code(&say(&engine, &mut signer, "330108", command)), "log_cannot_forget");
    engine.close().unwrap();
}
