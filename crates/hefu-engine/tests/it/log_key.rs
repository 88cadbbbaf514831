//! The window of a rotation of the log's key ends by the time of the log, whoever still has the old key.

use std::{
    fs,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use hefu_chain::{
    checkpoint::Checkpoint,
    key::PublicKey,
    note::{Note, VerifierKey},
};
use hefu_domain::time::Timestamp;
use hefu_engine::{By, Engine, Mode, Options, Publisher, Schedule, rotate_log_key, system_clock};
use serde_json::json;

use crate::bench_ledger::{Bench, FIRM, draft, ok};

/// What the clock of this test shows, in microseconds.
static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_micros(NOW.load(Ordering::SeqCst))
}

const DAY: i64 = 86_400_000_000;

/// Puts a record into the ledger now.
fn record(bench: &Bench, options: &Options, firm: &str) {
    let engine = Engine::open(&bench.dir, options.clone()).unwrap();
    let state = engine.views().read().unwrap().state.clone();
    let command =
        json!({"type": "register_enterprise", "enterprise": firm, "name": "示例", "region": "330108"});
    let signed = bench.signer().sign(draft("330108", command), &state, (options.clock)()).unwrap();
    ok(&engine.submit(vec![signed.into_bytes()], Mode::Each, None).wait().unwrap()[0]);
    engine.close().unwrap();
}

#[test]
fn after_the_window_the_new_key_signs_alone_although_the_old_one_is_there() {
    let bench = Bench::new();
    let start = system_clock().micros() + DAY;
    NOW.store(start, Ordering::SeqCst);
    let first = Publisher::open(&bench.dir).unwrap().verifier().clone();
    let options = Options { index: false, clock, ..Options::default() };
    let rotated = rotate_log_key(&bench.dir, &options, &By::OldKey).unwrap();
    let until = rotated.both_until.unwrap();
    assert_eq!(until.micros(), start + 30 * DAY);
    let origin = "test.example/ledger".parse().unwrap();
    let second = VerifierKey::of_log(&origin, PublicKey(rotated.public.0)).unwrap();
    let accepted = || {
        let note = Publisher::open(&bench.dir).unwrap().checkpoint(&|_| {}).unwrap().note;
        [&first, &second].map(|key| Checkpoint::open(&note, [key]).is_ok())
    };
    assert_eq!(accepted(), [true, true]);
    // The last instant of the window, and the one after it.
    NOW.store(until.micros(), Ordering::SeqCst);
    record(&bench, &options, FIRM);
    assert_eq!(accepted(), [true, true]);
    NOW.store(until.micros() + 1, Ordering::SeqCst);
    record(&bench, &options, "91330102MA9TE5T04L");
    assert_eq!(accepted(), [false, true]);
}

#[test]
fn a_notary_signs_with_both_keys_until_the_old_one_is_destroyed() {
    let bench = Bench::new();
    let first = Publisher::open(&bench.dir).unwrap().verifier().clone();
    // It looks at the log once an hour: what it signs here it signs at the clean stop.
    let notary = Some(Schedule { every: Duration::from_hours(1), at_stop: true });
    let options = Options { index: false, notary, ..Options::default() };
    let rotated = rotate_log_key(&bench.dir, &options, &By::OldKey).unwrap();
    let origin = "test.example/ledger".parse().unwrap();
    let second = VerifierKey::of_log(&origin, PublicKey(rotated.public.0)).unwrap();
    let accepted = |firm: &str| {
        record(&bench, &options, firm);
        let note = Note::parse(&fs::read(bench.dir.join("checkpoint")).unwrap()).unwrap();
        [&first, &second].map(|key| Checkpoint::open(&note, [key]).is_ok())
    };
    assert_eq!(accepted(FIRM), [true, true]);
    let keys = bench.dir.with_extension("keys");
    fs::remove_file(keys.join(format!("log-{}.key", rotated.old))).unwrap();
    assert_eq!(accepted("91330102MA9TE5T04L"), [false, true]);
}
