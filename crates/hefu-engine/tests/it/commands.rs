//! What a command gets back, and what stays after a stop.

use hefu_chain::receipt::Receipt;
use hefu_engine::{Answer, Mode, Reader, Session, replay};
use hefu_store::Backend;
use serde_json::json;

use crate::bench_ledger::{Bench, P1, code, ok, project, report, say, sign};

#[test]
fn a_command_gets_a_receipt_signed_by_the_log() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let answer = say(&engine, &mut signer, "330108", report(35_000_000));
    let accepted = ok(&answer);
    let receipt: &Receipt = accepted.receipt.as_ref().unwrap();
    let log = engine.views().read().unwrap().state.keyring.log_public.unwrap();
    assert!(receipt.verify(&hefu_chain::key::PublicKey(log.0)));
    assert_eq!(receipt.seq, accepted.position);
    engine.close().unwrap();
}

#[test]
fn the_same_command_again_gets_its_first_receipt() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let (_, bytes) = sign(&engine, &mut signer, "330108", report(1));
    let submit = |engine: &hefu_engine::Engine| {
        engine.submit(vec![bytes.clone()], Mode::Each, None).wait().unwrap().remove(0)
    };
    let first = ok(&submit(&engine)).clone();
    say(&engine, &mut signer, "330108", report(2));
    let again = ok(&submit(&engine)).clone();
    assert!(again.repeated && again.receipt == first.receipt && again.position == first.position);
    assert_eq!(again.leaf, first.leaf);
    engine.close().unwrap();
    let engine = bench.open();
    assert_eq!(ok(&submit(&engine)).receipt, first.receipt);
    // Twice in one submission: one record.
    let (_, twice) = sign(&engine, &mut signer, "330108", report(3));
    let answers = engine.submit(vec![twice.clone(), twice], Mode::Each, None).wait().unwrap();
    assert_eq!(ok(&answers[0]).position, ok(&answers[1]).position);
    assert_eq!(ok(&answers[0]).receipt, ok(&answers[1]).receipt);
    engine.close().unwrap();
}

#[test]
fn an_id_serves_one_command_only() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let state = engine.views().read().unwrap().state.clone();
    let mut with_id = |value| {
        let mut draft = crate::bench_ledger::draft("330108", report(value));
        draft.id = Some(uuid::Uuid::from_u128(7));
        signer.sign(draft, &state, hefu_engine::system_clock()).unwrap().into_bytes()
    };
    let answers = engine.submit(vec![with_id(1), with_id(2)], Mode::Each, None).wait().unwrap();
    assert_eq!([code(&answers[0]), code(&answers[1])], ["ok", "id_reused"]);
    engine.close().unwrap();
}

#[test]
fn altered_foreign_and_late_envelopes_are_refused_with_a_signed_refusal() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let (_, bytes) = sign(&engine, &mut signer, "330108", report(11));
    let text = String::from_utf8(bytes).unwrap();
    let altered = text.replace("\"11.00\"", "\"99.00\"").into_bytes();
    let foreign = text.replace("test.example/ledger", "other.example/ledgr").into_bytes();
    let unknown = text.replace("\"value\"", "\"walue\"").into_bytes();
    let spaced = text.replace("{\"at\"", "{ \"at\"").into_bytes();
    let state = engine.views().read().unwrap().state.clone();
    let now = hefu_engine::system_clock();
    let mut at = |shift: i64| {
        let draft = crate::bench_ledger::draft("330108", report(12));
        signer.sign(draft, &state, now.plus_seconds(shift)).unwrap().into_bytes()
    };
    let (early, late) = (at(-2 * 86_400), at(3600));
    let inputs = vec![altered, foreign, unknown, spaced, early, late];
    let answers = engine.submit(inputs, Mode::Each, None).wait().unwrap();
    let codes: Vec<&str> = answers.iter().map(code).collect();
    let expected =
        ["bad_signature", "wrong_ledger", "unknown_field", "bad_envelope", "command_expired", "clock_skew"];
    assert_eq!(codes, expected);
    let log = engine.views().read().unwrap().state.keyring.log_public.unwrap();
    let Answer::Refused(_, Some(refusal)) = &answers[0] else { panic!("a refusal is signed") };
    assert!(refusal.verify(&hefu_chain::key::PublicKey(log.0)));
    engine.close().unwrap();
}

/// The writer checks the signatures of all that wait together: a wrong one is its sender's alone.
#[test]
fn of_many_who_wait_together_each_gets_its_own_answer() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let (told, grown) = std::sync::mpsc::channel();
    engine.on_growth(move |size| told.send(size).unwrap());
    let before = grown.recv().unwrap();
    let (tell, answers) = std::sync::mpsc::channel();
    for number in 0..40u64 {
        let (_, mut bytes) = sign(&engine, &mut signer, "330108", report(10_000 + number));
        if number % 8 == 3 {
            bytes = String::from_utf8(bytes).unwrap().replace(".00\"", ".01\"").into_bytes();
        }
        let (tell, few) = (tell.clone(), vec![bytes]);
        engine.submit_then(few, Mode::Each, None, move |outcome| tell.send((number, outcome)).unwrap());
    }
    drop(tell);
    let mut positions = Vec::new();
    for (number, outcome) in answers {
        let answer = outcome.unwrap().remove(0);
        let expected = if number % 8 == 3 { "bad_signature" } else { "ok" };
        assert_eq!(code(&answer), expected, "{number}");
        positions.extend(answer.accepted().map(|accepted| (number, accepted.position)));
    }
    positions.sort_unstable();
    assert_eq!(positions.len(), 35);
    assert!(positions.windows(2).all(|two| two[0].1 < two[1].1), "in the order in which they came");
    engine.close().unwrap();
    assert_eq!(grown.iter().last(), Some(before + 35), "whoever listens hears of the last one");
}

#[test]
fn stop_atomic_and_dry_run_write_what_they_say() {
    let bench = Bench::new();
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let size = |engine: &hefu_engine::Engine| engine.views().read().unwrap().size;
    let before = size(&engine);
    let mut three = |by| {
        let good = sign(&engine, &mut signer, "330108", report(1)).1;
        let bad = sign(&engine, &mut signer, by, report(2)).1;
        let after = sign(&engine, &mut signer, "330108", report(3)).1;
        vec![good, bad, after]
    };
    let all = engine.submit(three("330881"), Mode::Atomic, None).wait().unwrap();
    assert_eq!((code(&all[1]), code(&all[2]), size(&engine)), ("foreign_office", "skipped", before));
    engine.submit(three("330108"), Mode::DryRun, None).wait().unwrap();
    assert_eq!(size(&engine), before);
    let session = Session::default();
    engine.submit(three("330881"), Mode::Stop, Some(&session)).wait().unwrap();
    assert_eq!(size(&engine), before + 1);
    let late = engine.submit(three("330108"), Mode::Stop, Some(&session)).wait().unwrap();
    assert!(late.iter().all(|answer| code(answer) == "skipped"));
    engine.submit(three("330108"), Mode::Atomic, None).wait().unwrap();
    assert_eq!(size(&engine), before + 4);
    engine.close().unwrap();
    let reader = Reader::open(&bench.dir).unwrap();
    assert_eq!(replay(reader.log(), &|_| {}).unwrap().findings, []);
}

/// The answer, though nothing can be published meanwhile.
fn soon<T: Send + 'static>(answer: &std::sync::mpsc::Receiver<T>) -> T {
    answer.recv_timeout(std::time::Duration::from_mins(1)).expect("an answer")
}

#[test]
fn what_is_only_tried_keeps_the_writer_from_nothing() {
    let bench = Bench::new();
    let engine = std::sync::Arc::new(bench.open());
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let mut signed = |value| sign(&engine, &mut signer, "330108", report(value));
    let (id, one) = signed(1);
    let two = vec![signed(2).1, signed(3).1];
    let stranger: Vec<Vec<u8>> = two.iter().map(|bytes| [bytes, &b" "[..]].concat()).collect();
    let try_out = |commands: Vec<Vec<u8>>| {
        let (engine, (send, receive)) = (engine.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            let codes = |answers: Vec<Answer>| answers.iter().map(code).collect::<Vec<_>>().join(" ");
            let _ = send.send(codes(engine.submit(commands, Mode::DryRun, None).wait().unwrap()));
        });
        receive
    };
    // While the published state is held, whoever takes a copy of it waits.
    let held = engine.views().write().unwrap();
    let several = try_out(two.clone());
    assert_eq!(soon(&try_out(vec![one.clone()])), "ok");
    assert_eq!(soon(&try_out(stranger)), "bad_envelope skipped");
    assert!(engine.recorded(vec![id]).unwrap()[0].is_none(), "the writer answers");
    assert!(several.try_recv().is_err());
    drop(held);
    assert_eq!(soon(&several), "ok ok");
    // And nothing of it was recorded, nor decided on later.
    let before = engine.views().read().unwrap().size;
    assert_eq!(soon(&try_out([two.clone(), vec![one]].concat())), "ok ok ok");
    let recorded = engine.submit(two, Mode::Each, None).wait().unwrap();
    assert_eq!((ok(&recorded[0]).position, ok(&recorded[1]).position), (before, before + 1));
    std::sync::Arc::into_inner(engine).unwrap().close().unwrap();
    assert_eq!(replay(Reader::open(&bench.dir).unwrap().log(), &|_| {}).unwrap().findings, []);
}

#[test]
fn a_reopened_ledger_knows_what_the_closed_one_knew() {
    for backend in [Backend::Segments, Backend::Sled] {
        let bench = Bench::with(hefu_domain::policy::Policy::default(), backend);
        let engine = bench.open();
        let mut signer = bench.signer();
        project(&engine, &mut signer);
        for tier in ["original_site", "local", "neighbouring"] {
            let exhaust = json!({"type": "exhaust_tier", "project": P1, "tier": tier, "reason": "land"});
            ok(&say(&engine, &mut signer, "330108", exhaust));
        }
        let propose = json!({"type": "propose_transfer", "project": P1, "destination": "330881"});
        ok(&say(&engine, &mut signer, "330108", propose));
        ok(&say(&engine, &mut signer, "330881", json!({"type": "accept_transfer", "project": P1})));
        let land = json!({"type": "land_project", "project": P1, "date": "2023-06-01"});
        ok(&say(&engine, &mut signer, "330881", land));
        ok(&say(&engine, &mut signer, "330881", report(35_000_000)));
        let before = engine.views().read().unwrap().clone();
        engine.close().unwrap();
        let engine = bench.open();
        assert_eq!(*engine.views().read().unwrap(), before);
        engine.close().unwrap();
        let reader = Reader::open(&bench.dir).unwrap();
        assert_eq!(reader.views, before);
        let history = reader.history(P1.parse().unwrap()).unwrap();
        let kinds: Vec<&str> = history.iter().map(|view| view.leaf.kind.as_str()).collect();
        assert_eq!(kinds[0], "project.registered");
        assert_eq!(kinds[7], "observation.reported");
        assert_eq!(replay(reader.log(), &|_| {}).unwrap().findings, []);
    }
}
