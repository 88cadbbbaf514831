//! Many at once, slow ones, ones that go away, ones that speak nonsense, and a server that stops in between: what was
//! acknowledged is on record once, and whoever behaves is served.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use hefu_api::{access::Role, v1};
use hefu_server::Limits;
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::Code;

use crate::{
    bench::{Bench, Client, P1, report},
    grpc::code,
    http::Caller,
};

fn submit(command: Vec<u8>) -> v1::SubmitRequest {
    v1::SubmitRequest { command, dry_run: false }
}

/// A month, and so on from 2023-09.
fn month(number: usize) -> String {
    format!("{}-{:02}", 2023 + (number + 8) / 12, (number + 8) % 12 + 1)
}

/// Positions of all records of a kind.
async fn positions(client: &mut Client, event: &str) -> Vec<u64> {
    let asked = v1::ReadRecordsRequest { events: vec![event.to_owned()], ..Default::default() };
    let steps = client.audit.read_records(asked).await.unwrap().into_inner();
    let steps: Vec<_> = steps.map(|step| step.unwrap().records).collect().await;
    steps.concat().into_iter().map(|record| record.position).collect()
}

/// A project with as many words as a project may have: about 7 KB on record.
fn wordy(number: usize) -> serde_json::Value {
    json!({
        "type": "register_project", "project": format!("0198b2c4-0000-7000-9000-{number:012}"),
        "name": "字".repeat(500), "site": "地".repeat(500), "enterprise": "91330100799655058B", "industry": "C34",
        "origin": "330108", "planned_investment": "1.00", "date": "2023-01-10",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_connections_ask_and_write_at_once() {
    const MANY: usize = 500;
    let mut bench = Bench::new();
    bench.start_with(None, Limits { connections: MANY + 8, ..Limits::default() });
    let commands: Vec<_> = (0..MANY).map(|number| bench.sign("330108", wordy(number))).collect();
    let token = bench.token(Role::Statistics, None);
    let (bench, together) = (Arc::new(bench), Arc::new(Barrier::new(MANY)));
    let mut all = JoinSet::new();
    for command in commands {
        let (bench, token, together) = (bench.clone(), token.clone(), together.clone());
        all.spawn(async move {
            let mut client = bench.client(Some(token)).await;
            client.audit.checkpoint(v1::CheckpointRequest {}).await.unwrap();
            // All are connected before the first one writes.
            together.wait().await;
            let done = client.ledger.submit(submit(command)).await.unwrap().into_inner();
            let position = done.accepted.unwrap().position;
            let moment = Some(v1::Moment { min_position: position, ..Default::default() });
            let asked = v1::ProjectRequest { project: P1.to_owned(), moment };
            client.query.project(asked).await.unwrap();
            position
        });
    }
    let acknowledged: BTreeSet<u64> = all.join_all().await.into_iter().collect();
    assert_eq!(acknowledged.len(), MANY);
    let mut client = bench.client(Some(token)).await;
    let found = positions(&mut client, "project.registered").await;
    assert_eq!(found.len(), MANY + 1, "each once");
    assert!(acknowledged.iter().all(|position| found.contains(position)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_place_waits_for_one() {
    let mut bench = Bench::new();
    bench.start_with(None, Limits { connections: 4, ..Limits::default() });
    let bench = Arc::new(bench);
    let mut all = JoinSet::new();
    for _ in 0..40 {
        let bench = bench.clone();
        all.spawn(async move {
            let mut client = bench.client(None).await;
            client.audit.checkpoint(v1::CheckpointRequest {}).await.unwrap().into_inner().size
        });
    }
    assert_eq!(all.join_all().await.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_hold_up_nobody_and_fill_no_memory() {
    const STALLED: usize = 24;
    const RECORDS: usize = 1600;
    let mut bench = Bench::new();
    let history: Vec<_> = (0..RECORDS).map(|number| bench.sign("330108", wordy(number))).collect();
    bench.record(history);
    bench.start(None);
    let token = bench.token(Role::Auditor, None);
    let read = |caller: &Caller, name: &str| -> u64 {
        let text =
            tokio::task::block_in_place(|| caller.get("/metrics").body_mut().read_to_string().unwrap());
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or_else(|| panic!("{name}: {text}"))
    };
    let anybody = Caller::of(&bench, None);
    let (mut stalled, mut first, mut step) = (Vec::new(), Vec::new(), 0);
    for _ in 0..STALLED {
        let mut client = bench.narrow_client(Some(token.clone())).await;
        let mut tail =
            client.audit.read_records(v1::ReadRecordsRequest::default()).await.unwrap().into_inner();
        let some = tail.next().await.unwrap().unwrap();
        step = step.max(some.records.len());
        first.push(some.records.len());
        stalled.push(tail);
    }
    assert!(step * 10 < RECORDS, "the log is long enough to tell: {step}");
    assert_eq!(read(&anybody, "hefu_readers "), STALLED as u64);
    // Others write, and read everything, meanwhile.
    let command = bench.sign("330881", report("2023-08", "1.00"));
    let mut other = bench.client(Some(token.clone())).await;
    let before = read(&anybody, "hefu_records_read_total ");
    other.ledger.submit(submit(command)).await.unwrap();
    let all = positions(&mut other, "project.registered").await;
    assert_eq!(all.len(), RECORDS + 1);
    // What was taken for the stalled ones is a few steps each, however long they stand: one came, one is on its way, one
    // is being sent, two wait, and one finds no room.
    let taken = read(&anybody, "hefu_records_read_total ") - all.len() as u64;
    assert!(taken <= (STALLED * step * 7) as u64, "{taken} records for {STALLED} readers, {before} before");
    // And when they go on they get everything.
    for (mut tail, mut got) in stalled.into_iter().zip(first) {
        while let Some(some) = tail.next().await {
            got += some.unwrap().records.len();
        }
        assert!(got > RECORDS, "{got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_read_at_once_and_no_more() {
    let bench = Bench::serve();
    let token = bench.token(Role::Auditor, None);
    let follow = v1::ReadRecordsRequest { follow: true, ..Default::default() };
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() <= 256);
        let mut client = bench.client(Some(token.clone())).await;
        let mut some = Vec::new();
        while some.len() < 100 {
            match client.audit.read_records(follow.clone()).await {
                Ok(tail) => some.push(tail.into_inner()),
                Err(_) => break,
            }
        }
        let full = some.len() == 100;
        open.push((client, some));
        if !full {
            let (client, _) = open.last_mut().unwrap();
            break client.audit.read_records(follow.clone()).await.unwrap_err();
        }
    };
    assert_eq!(code(&refused), (Code::ResourceExhausted, "too_many_readers".to_owned()));
    let places: usize = open.iter().map(|(_, some)| some.len()).sum();
    assert_eq!(places, 256);
    // Questions are answered all the same.
    open[0].0.audit.checkpoint(v1::CheckpointRequest {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_in_a_batch_loses_nothing_that_was_acknowledged() {
    let mut bench = Bench::serve();
    let batches: Vec<Vec<Vec<u8>>> = (0..12)
        .map(|batch| {
            (0..3).map(|one| bench.sign("330881", report(&month(batch * 3 + one), "1.00"))).collect()
        })
        .collect();
    let token = bench.token(Role::Auditor, None);
    let mut acknowledged = BTreeSet::new();
    for answers in 0..4 {
        // A new connection each time, dropped with requests on their way and answers not taken.
        let mut client = bench.client(Some(token.clone())).await;
        let (send, requests) = tokio::sync::mpsc::channel(batches.len());
        for commands in &batches[..(answers + 1) * 3] {
            let asked = v1::SubmitBatchRequest { commands: commands.clone(), ..Default::default() };
            send.send(asked).await.unwrap();
        }
        let stream = client.ledger.submit_batch(ReceiverStream::new(requests)).await.unwrap();
        let mut stream = stream.into_inner();
        for _ in 0..answers {
            for answer in stream.next().await.unwrap().unwrap().answers {
                match answer.outcome.unwrap() {
                    v1::answer::Outcome::Accepted(one) => acknowledged.insert(one.position),
                    v1::answer::Outcome::Refused(refused) => panic!("{refused:?}"),
                };
            }
        }
    }
    let mut client = bench.client(Some(token)).await;
    let stored: BTreeSet<u64> = positions(&mut client, "observation.reported").await.into_iter().collect();
    assert!(acknowledged.is_subset(&stored), "{acknowledged:?} {stored:?}");
    // All of it once more: what is on record is answered with its first receipt, the rest is taken.
    let asked: Vec<_> = batches
        .into_iter()
        .map(|commands| v1::SubmitBatchRequest { commands, ..Default::default() })
        .collect();
    let stream = client.ledger.submit_batch(tokio_stream::iter(asked)).await.unwrap().into_inner();
    let answers: Vec<_> = stream.map(|answer| answer.unwrap().answers).collect().await;
    let all: BTreeSet<u64> = answers
        .concat()
        .into_iter()
        .map(|answer| match answer.outcome.unwrap() {
            v1::answer::Outcome::Accepted(one) => one.position,
            v1::answer::Outcome::Refused(refused) => panic!("{refused:?}"),
        })
        .collect();
    assert_eq!(all.len(), 36);
    let stored: BTreeSet<u64> = positions(&mut client, "observation.reported").await.into_iter().collect();
    // One was there before.
    assert_eq!((stored.len(), all.is_subset(&stored)), (37, true));
}

/// Sends bytes as they are, and gives what comes back until the line is closed.
fn raw(bench: &Bench, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(bench.url().strip_prefix("http://").unwrap()).unwrap();
    // It may close before everything is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_told_and_the_server_goes_on() {
    let bench = Bench::serve();
    let anybody = Caller::of(&bench, None);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let frame = |length: [u8; 3], (kind, flags): (u8, u8), more: &[u8]| {
        [preface.as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0], &length, &[kind, flags, 0, 0, 0, 1], more].concat()
    };
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1 << 17));
    let cases: Vec<(&str, Vec<u8>, &[u8])> = vec![
        ("noise", (0..=255).collect(), b"HTTP/1.1 400"),
        ("a head too long", long.into_bytes(), b"HTTP/1.1 431"),
        (
            "two lengths",
            b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"
                .to_vec(),
            b"HTTP/1.1 400",
        ),
        (
            "no length that fits",
            b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec(),
            b"HTTP/1.1 400",
        ),
        // Over HTTP/2 a connection error is told in a frame of kind 7, and the line closed.
        ("a frame too long", frame([0xff, 0xff, 0xff], (0, 0), &[]), b""),
        ("data on no stream", frame([0, 0, 1], (0, 0), b"x"), b""),
        ("headers that cannot be read", frame([0, 0, 4], (1, 5), &[0xff, 0xff, 0xff, 0xff]), b""),
        ("settings on a stream", frame([0, 0, 0], (4, 0), &[]), b""),
    ];
    tokio::task::block_in_place(|| {
        for (what, bytes, begins) in &cases {
            let answer = raw(&bench, bytes);
            assert!(answer.starts_with(begins), "{what}: {}", String::from_utf8_lossy(&answer));
            if begins.is_empty() {
                // Frame by frame: the last one says goodbye.
                let (mut at, mut last) = (0, None);
                while let Some(head) = answer.get(at..at + 9) {
                    last = Some(head[3]);
                    at += 9 + usize::from(head[1]) * 256 + usize::from(head[2]);
                }
                assert!(matches!(last, Some(3 | 7)), "{what}: {answer:?}");
            }
            assert_eq!(anybody.get("/livez").status(), 200, "{what}");
        }
        // A body that ends early, and one that is no message.
        let early = b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        let early = raw(&bench, early);
        assert!(early.is_empty() || early.starts_with(b"HTTP/1.1 400"), "{early:?}");
        assert_eq!(anybody.get("/livez").status(), 200);
    });
    let mut client = bench.client(None).await;
    let large = client.ledger.submit(submit(vec![b' '; 5 << 20])).await.unwrap_err();
    assert!(matches!(large.code(), Code::OutOfRange | Code::ResourceExhausted), "{large:?}");
    let batch = v1::SubmitBatchRequest { commands: vec![vec![b' '; 5 << 20]], ..Default::default() };
    let stream = client.ledger.submit_batch(tokio_stream::once(batch)).await.unwrap();
    let large = stream.into_inner().next().await.unwrap().unwrap_err();
    assert!(matches!(large.code(), Code::OutOfRange | Code::ResourceExhausted), "{large:?}");
    let empty = client.ledger.submit(submit(Vec::new())).await.unwrap_err();
    assert_eq!(code(&empty), (Code::InvalidArgument, "bad_envelope".to_owned()));
    client.audit.checkpoint(v1::CheckpointRequest {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_after_a_restart_where_it_was() {
    let mut bench = Bench::serve();
    let token = bench.token(Role::Auditor, None);
    let (mut got, mut next, mut written) = (Vec::new(), 0, 0);
    for round in 0..4 {
        let commands: Vec<_> =
            (0..5).map(|one| bench.sign("330881", report(&month(round * 5 + one), "1.00"))).collect();
        let mut client = bench.client(Some(token.clone())).await;
        let follow = v1::ReadRecordsRequest { from: next, follow: true, ..Default::default() };
        let mut tail = client.audit.read_records(follow).await.unwrap().into_inner();
        let mut writer = bench.client(None).await;
        let write = tokio::spawn(async move {
            for command in commands {
                writer.ledger.submit(submit(command)).await.unwrap();
            }
        });
        // Some of what is written is seen, and then the server stops.
        let seen = tail.next().await.unwrap().unwrap();
        next = seen.next;
        got.extend(seen.records.into_iter().map(|record| record.position));
        write.await.unwrap();
        written += 5;
        bench.stop();
        let end = loop {
            match tail.next().await.expect("a stream that was to go on says why it does not") {
                Ok(step) => {
                    next = step.next;
                    got.extend(step.records.into_iter().map(|record| record.position));
                }
                Err(status) => break status,
            }
        };
        assert_eq!(code(&end), (Code::Unavailable, "stopping".to_owned()));
        bench.start(None);
    }
    let mut client = bench.client(Some(token)).await;
    let rest = v1::ReadRecordsRequest { from: next, ..Default::default() };
    let rest = client.audit.read_records(rest).await.unwrap().into_inner();
    let rest: Vec<_> = rest.map(|step| step.unwrap().records).collect().await;
    got.extend(rest.concat().into_iter().map(|record| record.position));
    assert_eq!(got, (0..got.len() as u64).collect::<Vec<_>>(), "nothing lost, nothing twice");
    assert_eq!(positions(&mut client, "observation.reported").await.len(), written + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_commands_ends_with_the_server_and_says_so() {
    let mut bench = Bench::serve();
    let command = bench.sign("330881", report("2023-09", "1.00"));
    let mut client = bench.client(None).await;
    let (send, requests) = tokio::sync::mpsc::channel(4);
    let asked = v1::SubmitBatchRequest { commands: vec![command], ..Default::default() };
    send.send(asked.clone()).await.unwrap();
    let stream = client.ledger.submit_batch(ReceiverStream::new(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    assert_eq!(stream.next().await.unwrap().unwrap().answers.len(), 1);
    bench.stop();
    let end = stream.next().await.unwrap().unwrap_err();
    assert_eq!(code(&end), (Code::Unavailable, "stopping".to_owned()));
    // What was answered is on record: the same command gets its first receipt.
    bench.start(None);
    let mut client = bench.client(None).await;
    let again = client.ledger.submit_batch(tokio_stream::once(asked)).await.unwrap().into_inner();
    let again: Vec<_> = again.map(|answer| answer.unwrap().answers).collect().await;
    match again[0][0].outcome.as_ref().unwrap() {
        v1::answer::Outcome::Accepted(one) => assert!(one.repeated),
        v1::answer::Outcome::Refused(refused) => panic!("{refused:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_together_is_recorded_together_or_not_at_all() {
    let mut bench = Bench::serve();
    let mut batch = |second: &str, dry_run: bool| {
        let good = bench.sign("330881", report("2023-09", "1.00"));
        let other = bench.sign(second, report("2023-10", "1.00"));
        v1::SubmitBatchRequest {
            commands: vec![good, other],
            all_or_none: !dry_run,
            dry_run,
            ..Default::default()
        }
    };
    let (bad, tried, good) = (batch("330108", false), batch("330881", true), batch("330881", false));
    let both = v1::SubmitBatchRequest { dry_run: true, ..good.clone() };
    let mut client = bench.client(None).await;
    let mut answers = async |asked| {
        let stream = client.ledger.submit_batch(tokio_stream::once(asked)).await.unwrap();
        stream.into_inner().next().await.unwrap().map(|answer| {
            let code = |answer: v1::Answer| match answer.outcome.unwrap() {
                v1::answer::Outcome::Accepted(one) => {
                    one.receipt.map_or("tried".to_owned(), |_| "ok".to_owned())
                }
                v1::answer::Outcome::Refused(refused) => format!("{} {}", refused.code, refused.denied),
            };
            answer.answers.into_iter().map(code).collect::<Vec<_>>()
        })
    };
    assert_eq!(answers(bad).await.unwrap(), ["skipped false", "foreign_office true"]);
    assert_eq!(answers(tried).await.unwrap(), ["tried", "tried"]);
    assert_eq!(answers(good).await.unwrap(), ["ok", "ok"]);
    assert_eq!(code(&answers(both).await.unwrap_err()), (Code::InvalidArgument, "usage".to_owned()));
    let mut auditor = bench.as_role(Role::Auditor, None).await;
    assert_eq!(positions(&mut auditor, "observation.reported").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_together_may_come_in_several_requests() {
    let mut bench = Bench::serve();
    let mut part = |number: usize, by: &str, more: bool| {
        let commands = (0..3).map(|one| bench.sign(by, report(&month(number * 3 + one), "1.00"))).collect();
        v1::SubmitBatchRequest { commands, all_or_none: true, more, ..Default::default() }
    };
    let good = vec![part(0, "330881", true), part(1, "330881", true), part(2, "330881", false)];
    let bad = vec![part(0, "330881", true), part(1, "330108", false)];
    let each = vec![v1::SubmitBatchRequest { all_or_none: false, ..good[0].clone() }];
    let stranger = v1::SubmitBatchRequest { commands: vec![b"{}".to_vec()], ..good[0].clone() };
    let cut = good[..2].to_vec();
    let mut client = bench.client(None).await;
    let mut answers = async |asked: Vec<v1::SubmitBatchRequest>| {
        let stream = client.ledger.submit_batch(tokio_stream::iter(asked)).await.unwrap().into_inner();
        let codes = |answer: v1::SubmitBatchResponse| {
            let code = |answer: v1::Answer| match answer.outcome.unwrap() {
                v1::answer::Outcome::Accepted(one) => if one.repeated { "again" } else { "ok" }.to_owned(),
                v1::answer::Outcome::Refused(refused) => refused.code,
            };
            answer.answers.into_iter().map(code).collect::<Vec<_>>().join(" ")
        };
        let answers: Vec<_> = stream.collect().await;
        answers.into_iter().map(|one| one.map(codes).map_err(|error| code(&error).1)).collect::<Vec<_>>()
    };
    let said = |text: &str| Ok::<_, String>(text.to_owned());
    let refused = |text: &str| vec![Err::<String, _>(text.to_owned())];
    // Whatever is missing or refused: nothing is on record.
    let none = said("skipped skipped skipped");
    assert_eq!(answers(bad).await, [none, said("foreign_office skipped skipped")]);
    assert_eq!(answers(cut).await, refused("usage"));
    assert_eq!(answers(each).await, refused("usage"));
    assert_eq!(answers(vec![stranger]).await, refused("unknown_signer"));
    let mut auditor = bench.as_role(Role::Auditor, None).await;
    assert_eq!(positions(&mut auditor, "observation.reported").await.len(), 1);
    assert_eq!(answers(good.clone()).await, [said("ok ok ok"), said("ok ok ok"), said("ok ok ok")]);
    // And once more, over HTTP, as after a lost answer.
    let coded = |asked: &v1::SubmitBatchRequest| format!("{}\n", serde_json::to_value(asked).unwrap());
    let lines: String = good.iter().map(coded).collect();
    let anybody = Caller::of(&bench, None);
    let again = anybody.post_as("/v1/commands/stream", "application/x-ndjson", &lines);
    let again: Vec<serde_json::Value> =
        again.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let repeated = |answer: &serde_json::Value| answer["accepted"]["repeated"] == true;
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|one| one["answers"].as_array().unwrap().iter().all(repeated)), "{again:?}");
    let cut = anybody.post_as("/v1/commands/stream", "application/x-ndjson", &coded(&good[0]));
    let cut: serde_json::Value = serde_json::from_str(&cut).unwrap();
    assert_eq!((&cut["problem"]["code"], &cut["problem"]["field"]), (&json!("usage"), &json!("more")));
    assert_eq!(positions(&mut auditor, "observation.reported").await.len(), 10);
}
