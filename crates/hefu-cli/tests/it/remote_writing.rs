//! Writing over a URL: the same output and the same records as on the directory, and nothing twice.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    ops::ControlFlow,
    path::Path,
    thread,
};

use hefu_engine::{KeyStore, Reader};
use serde_json::{Value, json};

use crate::{
    remote::{Service, over_with, token},
    settle,
    support::{PROJECT, Place, Ran, SAMPLE, steady},
    vintages,
};

const DISPUTE: &str = "0198b2c4-0000-7000-9000-000000000001";

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The same ledger twice, with the same keys.
fn twins() -> (Place, Place) {
    let (here, there) = (Place::new(), Place::empty());
    copy(&here.path("L"), &there.path("L"));
    copy(&here.path("L.keys"), &there.path("L.keys"));
    (here, there)
}

/// Every command on record: what it is about and what it did. What differs between two ledgers is left out.
fn on_record(place: &Place) -> Vec<(String, String)> {
    let reader = Reader::open(&place.path("L")).unwrap();
    let mut positions = Vec::new();
    let mut note = |record: hefu_chain::record::RecordRef<'_>| {
        positions.push(record.position);
        ControlFlow::Continue(())
    };
    reader.log().scan(0, &mut note).unwrap();
    let view = |position| reader.record(position).unwrap().unwrap();
    let said = |position| {
        let record = view(position);
        (record.leaf.stream.clone(), steady(&record.event.to_value().unwrap().to_string()))
    };
    positions.into_iter().map(said).collect()
}

/// What a run gave, without what differs from ledger to ledger.
fn seen(ran: &Ran) -> (i32, String, String) {
    (ran.code, steady(&ran.out), steady(&ran.err))
}

/// A URL, and the environment to use it with.
struct Caller<'p> {
    place: &'p Place,
    url: &'p str,
    token: &'p str,
}

impl Caller<'_> {
    fn run(&self, args: &[&str]) -> Ran {
        let set = [("HEFU_TOKEN", self.token), ("HEFU_KEYS", "L.keys")];
        over_with(self.place, &set, &[&["-L", self.url][..], args].concat())
    }
}

#[test]
fn a_ledger_is_written_to_over_a_url_as_in_its_directory() {
    let (here, there) = twins();
    let auditor = token(&there, "auditor", &[]);
    let service = Service::start(&there, &["--checkpoint-every", "1"]);
    let caller = Caller { place: &there, url: &service.url, token: &auditor };
    let bad = r#"{"as":"330108","type":"report_observation","project":"0198b2c4-7d3e-7000-8000-000000000001","indicator":"INV_FAI","period":"2023-04","value":"1.00"}"#;
    let good = bad.replace("330108", "330881").replace("2023-04", "2023-09");
    // The enterprise of the sample, right behind what made the ledger.
    let opened = here.size().to_string();
    let files = [
        ("journal.jsonl", SAMPLE.to_owned()),
        ("settling.jsonl", settle::JOURNAL.trim_start().replace("91330100799655058B", "91330100MA27XF6H7L")),
        ("wrong.jsonl", format!("{good}\n{bad}\n{}\n", good.replace("2023-09", "2023-10"))),
        ("unreadable.jsonl", format!("{}\nnonsense\n", good.replace("2023-09", "2023-11"))),
        ("o.csv", "项目代码,指标,报告期,数值\n2306-330881-04-01-654321,INV_FAI,2024-01,100\n".to_owned()),
        ("bad.csv", "项目代码,指标,报告期,数值\n2306-330881-04-01-654321,INV_FAI,2024-13,100\n".to_owned()),
        ("c.pdf", "abc".to_owned()),
    ];
    for (name, text) in &files {
        here.write(name, text);
        there.write(name, text);
    }
    let open = ["dispute", "open", PROJECT, "--kind", "observation", "--indicator", "INV_FAI"];
    let open = [&open[..], &["--period", "2023-07", "--reason", "value_wrong", "--id", DISPUTE]].concat();
    let open =
        [&open[..], &["--amount", "40000000.50", "--evidence", "c.pdf:合同", "--as", "330108"]].concat();
    let treasury = ["--as", "330000/treasury"];
    let redact = ["audit", "redact", &opened, "--reason", "商业秘密", "--auditor", "330108/auditor"];
    let commands: Vec<Vec<&str>> = vec![
        vec!["submit", "journal.jsonl", "--dry-run"],
        vec!["submit", "journal.jsonl", "--receipts", "receipts"],
        vec!["submit", "journal.jsonl"],
        vec!["submit", "wrong.jsonl", "--atomic"],
        vec!["submit", "wrong.jsonl"],
        vec!["submit", "wrong.jsonl", "--from-line", "3", "--keep-going"],
        vec!["submit", "unreadable.jsonl"],
        vec!["submit", "no-such.jsonl"],
        vec!["submit", "settling.jsonl"],
        vec!["import", "observations", "o.csv", "--as", "330881", "--dry-run"],
        vec!["import", "observations", "o.csv", "--as", "330881"],
        vec!["import", "observations", "o.csv", "--as", "330108"],
        vec!["import", "observations", "bad.csv", "--as", "330881"],
        vec!["tier", "exhaust", PROJECT, "local", "--reason", "land", "--as", "330108"],
        vec!["transfer", "accept", PROJECT, "--as", "330881"],
        open,
        vec!["dispute", "answer", DISPUTE, "--statement", "如数上报", "--as", "330108"],
        vec!["dispute", "answer", DISPUTE, "--statement", "如数上报", "--as", "330881"],
        vec!["dispute", "evidence", "check"],
        vec!["dispute", "show", DISPUTE],
        [&["settle", "run", "2023", "--dry-run"][..], &treasury].concat(),
        [&["settle", "run", "2023"][..], &treasury].concat(),
        [&["settle", "finalise", "2023"][..], &treasury].concat(),
        vec!["settle", "confirm", "2023", "--as", "330108/treasury"],
        vec!["settle", "confirm", "2023", "--as", "330881/treasury"],
        [&["settle", "finalise", "2023"][..], &treasury].concat(),
        vintages::freeze("v1", "final").to_vec(),
        vec!["tier", "exhaust", "nobody", "local", "--reason", "land", "--as", "330108"],
        vec!["tier", "exhaust", PROJECT, "local", "--reason", "land", "--as", "999999"],
        [&redact[..], &["--as", "330108"]].concat(),
        vec!["project", "history", PROJECT],
    ];
    for args in &commands {
        let args = [&args[..], &["--format", "table"]].concat();
        let expected = here.run_bare(&[&["-L", "L"][..], &args].concat());
        assert_eq!(seen(&caller.run(&args)), seen(&expected), "{args:?}");
    }
    // What is kept is as good as what the directory gives: each command has its answer and its proof.
    let names = |place: &Place| {
        let mut names: Vec<_> =
            fs::read_dir(place.path("receipts")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&there), names(&here));
    let kept = |place: &Place| fs::read_to_string(place.path("receipts/receipts.jsonl")).unwrap();
    assert_eq!(kept(&there).lines().count(), kept(&here).lines().count());
    let id = "0198b2c4-0000-7000-8000-000000000019";
    let proof = format!("receipts/{id}.tlog-proof");
    there.run_bare(&["audit", "verify", &proof, "--key", "L.keys/log.key"]).exits(0);
    service.stop();
    assert_eq!(on_record(&there), on_record(&here));
    assert_eq!(there.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
}

#[test]
fn regions_change_over_a_url_as_in_the_directory() {
    let (here, there) = twins();
    here.write("journal.jsonl", SAMPLE);
    here.run(&["submit", "journal.jsonl"]).exits(0);
    fs::remove_dir_all(there.path("L")).unwrap();
    copy(&here.path("L"), &there.path("L"));
    let auditor = token(&there, "auditor", &[]);
    let service = Service::start(&there, &["--checkpoint-every", "1"]);
    let caller = Caller { place: &there, url: &service.url, token: &auditor };
    let province = ["--as", "330000/coordinator"];
    let rests = ["--date", "2024-12-01", "--document", "国函〔2024〕1号"];
    let with = |args: &[&'static str]| [args, &rests, &province].concat();
    let named = |args: &[&'static str]| [args, &["--date", "2024-12-02"], &province].concat();
    let report = ["report", "indicators", "--region", "330000", "--children", "--period", "2024"];
    for args in [
        with(&["region", "split", "330881", "--into", "330681", "--project", PROJECT]),
        with(&["region", "split", "330881", "--into", "330681", "--project", "nobody"]),
        with(&["region", "reparent", "330881", "--under", "330200"]),
        with(&["region", "merge", "330108", "--into", "330106"]),
        with(&["region", "merge", "330108", "--into", "330106"]),
        [&["region", "merge", "330105", "--into", "330106"], &rests[..], &["--as", "330105/coordinator"]]
            .concat(),
        named(&["region", "rename", "330881", "--name-zh", "新区"]),
        [&named(&["region", "recode", "新区", "--code", "339999"])[..], &["--dry-run"]].concat(),
        named(&["region", "recode", "新区", "--code", "339999"]),
        vec!["region", "show", "339999"],
        vec!["region", "show", "330108"],
        [&report[..], &["--geography", "current"]].concat(),
        report.to_vec(),
    ] {
        let args = [&args[..], &["--format", "table"]].concat();
        let expected = here.run_bare(&[&["-L", "L"][..], &args].concat());
        assert_eq!(seen(&caller.run(&args)), seen(&expected), "{args:?}");
    }
    service.stop();
    assert_eq!(on_record(&there), on_record(&here));
}

/// So many commands of two kilobytes are more than one request holds.
const MANY: usize = 2300;

#[test]
fn what_goes_together_over_a_url_may_be_large() {
    let (here, there) = twins();
    let auditor = token(&there, "auditor", &[]);
    let service = Service::start(&there, &["--checkpoint-every", "1"]);
    let caller = Caller { place: &there, url: &service.url, token: &auditor };
    // Long names make large commands.
    let (firm, name) = ("91330100799655058B", "一".repeat(490));
    let enterprise = json!({"as": "330108", "type": "register_enterprise", "enterprise": firm, "name": "甲", "region": "330108"});
    let project = |number: usize, by: &str| {
        json!({"as": by, "type": "register_project", "project": format!("0198b2c4-0000-7000-8000-{number:012}"),
            "name": format!("{name}{number}"), "enterprise": firm, "industry": "C34", "origin": "330108",
            "planned_investment": "1.00", "date": "2023-01-10"})
    };
    let journal = |last: &str| {
        let projects =
            (0..MANY).map(|number| project(number, if number + 1 == MANY { last } else { "330108" }));
        let lines = std::iter::once(enterprise.clone()).chain(projects).map(|line| line.to_string());
        lines.collect::<Vec<_>>().join("\n")
    };
    let head = "项目名称,统一社会信用代码,行业,计划投资(元),登记日期\n";
    let rows = (0..MANY).map(|number| format!("{name}乙{number},{firm},C34,1,2023-01-10\n"));
    let files = [
        ("bad.jsonl", journal("330881")),
        ("good.jsonl", journal("330108")),
        ("p.csv", rows.fold(head.to_owned(), |text, row| text + &row)),
    ];
    for (name, text) in &files {
        here.write(name, text);
        there.write(name, text);
    }
    for args in [
        &["submit", "bad.jsonl", "--atomic"][..],
        &["submit", "good.jsonl", "--dry-run"],
        &["submit", "good.jsonl", "--atomic"],
        &["import", "projects", "p.csv", "--as", "330881"],
        &["import", "projects", "p.csv", "--as", "330108"],
    ] {
        let expected = here.run_bare(&[&["-L", "L"][..], args].concat());
        assert_eq!(seen(&caller.run(args)), seen(&expected), "{args:?}");
    }
    service.stop();
    assert_eq!(there.size(), here.size());
    assert!(here.size() > 2 * MANY as u64);
}

#[test]
fn a_signature_is_the_only_credential() {
    let (_, there) = twins();
    let service = Service::start(&there, &[]);
    let nobody = |set: &[(&str, &str)], args: &[&str]| {
        over_with(&there, set, &[&["-L", &service.url, "--format", "json"][..], args].concat())
    };
    there.write("journal.jsonl", SAMPLE);
    let keys = [("HEFU_KEYS", "L.keys")];
    // No look at the ledger is needed for any line, so no token is.
    let done = nobody(&keys, &["submit", "journal.jsonl", "--keep-going"]).exits(0).json();
    assert_eq!((&done["accepted"], &done["refused"]), (&json!(19), &json!(0)));
    // To name a proposal that somebody else made, the ledger must be read.
    let accept = ["transfer", "accept", PROJECT, "--as", "330881"];
    assert_eq!(nobody(&keys, &accept).exits(77).error()["code"], "token_may_not");
    let error = nobody(&[], &["period", "close", "2023-01", "--as", "330000"]).exits(77).error();
    assert_eq!(error["code"], "no_keys");
    // The keys sign for the ledger that they signed for first, whatever a service calls itself.
    fs::write(there.path("L.keys/origin"), "y.example/other\n").unwrap();
    let error = nobody(&keys, &["period", "close", "2023-01", "--as", "330000"]).exits(77).error();
    assert_eq!(error["code"], "other_ledger");
    service.stop();
    assert!(KeyStore::beside(&there.path("L")).bound_to().unwrap().is_some());
}

/// Passes requests on to an address, and for the first few submissions cuts the line when the answer is there.
fn cutting(to: String, cuts: u32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut left = cuts;
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // One request a connection: the head, then as many bytes as it says.
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
            });
            let mut body = vec![0; length.unwrap_or(0)];
            client.read_exact(&mut body).unwrap();
            let mut server = TcpStream::connect(&to).unwrap();
            let head = head.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
            server.write_all(head.as_bytes()).unwrap();
            server.write_all(&body).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            if head.starts_with("POST") && left > 0 {
                left -= 1;
                client.shutdown(Shutdown::Both).unwrap();
                continue;
            }
            let _ = client.write_all(&answer);
        }
    });
    url
}

#[test]
fn a_lost_answer_is_asked_for_again_and_nothing_is_recorded_twice() {
    let (here, there) = twins();
    let auditor = token(&there, "auditor", &[]);
    let service = Service::start(&there, &[]);
    let url = cutting(service.url.strip_prefix("http://").unwrap().to_owned(), 2);
    here.write("journal.jsonl", SAMPLE);
    there.write("journal.jsonl", SAMPLE);
    let caller = Caller { place: &there, url: &url, token: &auditor };
    let done = caller.run(&["submit", "journal.jsonl", "--format", "json"]).exits(0).json();
    // All of it was on record when the third request came.
    assert_eq!((&done["accepted"], &done["repeated"], &done["refused"]), (&json!(0), &json!(19), &json!(0)));
    here.run(&["submit", "journal.jsonl"]).exits(0);
    service.stop();
    assert_eq!(on_record(&there), on_record(&here));
    // With nobody there any more it says what was recorded, and how to go on.
    let error: Value = caller.run(&["submit", "journal.jsonl", "--format", "json"]).exits(69).error();
    assert_eq!(error["code"], "unreachable");
}
