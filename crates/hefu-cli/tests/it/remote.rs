//! The command line over a URL: the same output as on the directory, and clear words where it cannot work.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    path::Path,
    process::{Child, Command, Stdio},
};

use hefu_chain::record::{Record, RecordRef};
use hefu_engine::Reader;
use serde_json::{Value, json};

use crate::support::{PROJECT, Place, Ran, hefu};

/// A `hefu serve` at work, and its URL.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Service {
        let mut command = hefu();
        command
            .current_dir(place.path(""))
            .args(["-L", "L", "-q", "serve", "--listen", "127.0.0.1:0"])
            .args(args);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Service { child, url: said["url"].as_str().unwrap().to_owned() }
    }

    /// Stops it as an operator does; it ends well.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn token(place: &Place, role: &str, more: &[&str]) -> String {
    let args = [&["token", "create", "somebody", "--role", role][..], more].concat();
    place.run(&args).exits(0).json()["token"].as_str().unwrap().to_owned()
}

/// Runs the binary over a URL.
fn over(place: &Place, url: &str, token: &str, args: &[&str]) -> Ran {
    over_with(place, &[("HEFU_TOKEN", token)], &[&["-L", url][..], args].concat())
}

pub(crate) fn over_with(place: &Place, set: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = hefu();
    command.current_dir(place.path("")).envs(set.iter().copied()).args(args).stdin(Stdio::null());
    Ran::new(command.output().unwrap())
}

/// What a run gave, without what it said of its own name for the ledger.
fn seen(ran: &Ran) -> (i32, String, String) {
    (ran.code, ran.out.clone(), ran.err.clone())
}

#[test]
fn a_url_is_answered_as_the_directory_is() {
    let place = Place::with_sample();
    let auditor = token(&place, "auditor", &[]);
    let service = Service::start(&place, &[]);
    let report = ["report", "indicators", "--region", "330000", "--period", "2023"];
    let with = |more: &[&'static str]| [&report[..], more].concat();
    let questions: Vec<Vec<&str>> = vec![
        with(&["--children", "--bridge"]),
        with(&["--as-of", "150", "--indicator", "INV_FAI", "--labels", "both"]),
        with(&["--as-of", "99999"]),
        with(&["--vintage", "none"]),
        vec!["report", "indicators", "--region", "江", "--period", "2023"],
        vec!["report", "explain", "--region", "330000", "--indicator", "INV_FAI", "--period", "2023"],
        vec!["report", "circulation"],
        vec!["report", "targets"],
        vec!["project", "show", PROJECT],
        vec!["project", "show", "nobody"],
        vec!["project", "list"],
        vec!["project", "history", PROJECT],
        vec!["project", "suggest", PROJECT],
        vec!["dispute", "list"],
        vec!["settle", "netting", "2023"],
        vec!["vintage", "list"],
        vec!["audit", "prove", "3"],
    ];
    for args in &questions {
        for format in
            [&["--format", "json"][..], &["--format", "table", "--lang", "zh"], &["--format", "csv"]]
        {
            let args = [&args[..], format].concat();
            let here = place.run_bare(&[&["-L", "L"][..], &args].concat());
            let there = over(&place, &service.url, &auditor, &args);
            assert_eq!(seen(&there), seen(&here), "{args:?}");
        }
    }
    // The log of the service is read entry by entry; that its key is the right one only the caller can know.
    let verified =
        over(&place, &service.url, &auditor, &["audit", "verify", "--format", "json"]).exits(1).json();
    let head = place.run(&report).exits(0).json()["checkpoint"].clone();
    assert_eq!((&verified["head"], &verified["size"]), (&head, &json!(place.size())));
    assert_eq!(verified["findings"][0]["kind"], "key_unknown");
    service.stop();
}

#[test]
fn what_does_not_work_over_a_url_says_so() {
    let place = Place::with_sample();
    let (auditor, own) = (token(&place, "auditor", &[]), token(&place, "region", &["--region", "330881"]));
    let service = Service::start(&place, &[]);
    let error = |ran: Ran, code: i32| ran.exits(code).error()["code"].as_str().unwrap().to_owned();
    place.write("more.jsonl", "");
    for args in [
        &["audit", "checkpoint"][..],
        &["audit", "rotate-log-key"],
        &["restore", "copy"],
        &["audit", "replay"],
        &["backup", "copy"],
        &["check"],
        &["serve"],
        &["token", "list"],
    ] {
        let args = [args, &["--format", "json"]].concat();
        assert_eq!(error(over(&place, &service.url, &auditor, &args), 64), "needs_directory", "{args:?}");
    }
    let show = ["project", "show", PROJECT, "--format", "json"];
    assert_eq!(error(over(&place, &service.url, &own, &show), 77), "token_may_not");
    assert_eq!(error(over(&place, &service.url, "hefu_no_such", &show), 77), "token_may_not");
    assert_eq!(
        error(over_with(&place, &[], &[&["-L", &service.url][..], &show].concat()), 77),
        "token_may_not"
    );
    let elsewhere = format!("{}/tile", service.url);
    assert_eq!(error(over(&place, &elsewhere, &auditor, &show), 69), "service_refused");
    let url = service.url.clone();
    service.stop();
    assert_eq!(error(over(&place, &url, &auditor, &show), 69), "unreachable");
}

#[test]
fn over_tls_only_to_whom_the_certificate_names() {
    let place = Place::with_sample();
    let auditor = token(&place, "auditor", &[]);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hefu-server/tests/it/data");
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let (certificate, key, roots) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let service = Service::start(&place, &["--tls-cert", &certificate, "--tls-key", &key]);
    let url = service.url.replace("127.0.0.1", "localhost");
    let show = ["-L", &url, "project", "show", PROJECT, "--format", "json"];
    let trusted = over_with(&place, &[("HEFU_TOKEN", &auditor), ("HEFU_CA", &roots)], &show).exits(0);
    assert_eq!(trusted.out, place.run(&["project", "show", PROJECT]).exits(0).out);
    let unknown = over_with(&place, &[("HEFU_TOKEN", &auditor)], &show).exits(69);
    assert_eq!(unknown.error()["code"], "unreachable");
    let wrong = over_with(&place, &[("HEFU_TOKEN", &auditor), ("HEFU_CA", &key)], &show).exits(78);
    assert_eq!(wrong.error()["code"], "bad_certificate");
}

#[test]
fn a_new_certificate_is_taken_up_while_the_service_runs() {
    let place = Place::with_sample();
    let auditor = token(&place, "auditor", &[]);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hefu-server/tests/it/data");
    let put = |from: &str, to: &str| {
        fs::copy(data.join(from), place.path(to)).unwrap();
    };
    put("server.pem", "tls.pem");
    put("server.key", "tls.key");
    let mut command = hefu();
    let args = ["-L", "L", "--format", "json", "serve", "--listen", "127.0.0.1:0"];
    command.current_dir(place.path("")).args(args).args(["--tls-cert", "tls.pem", "--tls-key", "tls.key"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let url = said["url"].as_str().unwrap().replace("127.0.0.1", "localhost");
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut told_to_read = |expected: &str| {
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        assert!(talk.any(|line| line.contains(expected)), "{expected}");
    };
    let shows = |roots: &str, code: i32| {
        let roots = data.join(roots).to_str().unwrap().to_owned();
        let show = ["-L", &url, "project", "show", PROJECT, "--format", "json"];
        over_with(&place, &[("HEFU_TOKEN", &auditor), ("HEFU_CA", &roots)], &show).exits(code);
    };
    shows("ca.pem", 0);
    shows("next-ca.pem", 69);
    // A certificate without its key changes nothing, and is said.
    put("next.pem", "tls.pem");
    told_to_read("tls.key");
    shows("ca.pem", 0);
    put("next.key", "tls.key");
    told_to_read("was read again");
    shows("next-ca.pem", 0);
    shows("ca.pem", 69);
    Service { child, url }.stop();
}

#[test]
fn a_demo_is_served_until_it_is_stopped() {
    let place = Place::empty();
    let mut command = hefu();
    let args = ["demo", "--dir", "D", "--projects", "8", "--months", "12", "--listen", "127.0.0.1:0"];
    command.current_dir(place.path("")).args(args).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let last = lines.find_map(|line| line.unwrap().trim().strip_prefix("HEFU_TOKEN=").map(str::to_owned));
    // The very command that people are told to try.
    let (token, command) = last.as_deref().unwrap().split_once(" hefu ").unwrap();
    let args: Vec<&str> = command.split(' ').chain(["--format", "json"]).collect();
    let served = Service { child, url: String::new() };
    let there = over_with(&place, &[("HEFU_TOKEN", token)], &args).exits(0);
    assert_eq!(there.json()["rows"][0]["region"], "330000");
    served.stop();
}

/// A server may say what it likes: what the log's key did not sign is not shown.
#[test]
fn records_that_were_altered_on_the_way_are_not_believed() {
    let place = Place::with_sample();
    place.run(&["audit", "checkpoint"]).exits(0);
    let reader = Reader::open(&place.path("L")).unwrap();
    let mut records = Vec::new();
    let mut keep = |record: RecordRef<'_>| {
        records.push(record.to_record());
        ControlFlow::Continue(())
    };
    reader.log().scan(0, &mut keep).unwrap();
    let note = fs::read(place.path("L/checkpoint")).unwrap();
    assert_eq!(Reader::received(records.clone(), &note).unwrap().head, reader.head);
    let refused = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut altered = records.clone();
        change(&mut altered);
        Reader::received(altered, &note).err().expect("it was altered").to_string()
    };
    let last = records.len() - 1;
    refused(&|all| drop(all.pop()));
    refused(&|all| drop(all.remove(5)));
    refused(&|all| all.swap(3, 4));
    refused(&|all| all[last].body = all[last - 1].body.clone());
    refused(&|all| {
        let text = String::from_utf8(all[last].body.clone()).unwrap();
        all[last].body = text.replacen('1', "2", 1).into_bytes();
    });
    refused(&|all| all[last].command = all[0].command.clone());
    refused(&|all| (all[last].body, all[last].redacted_by) = (Vec::new(), Some(0)));
    // What came after the checkpoint is not shown, be it true or made up.
    let mut longer = records.clone();
    longer.push(Record { position: records.len() as u64, ..records[last].clone() });
    assert_eq!(Reader::received(longer, &note).unwrap().head, reader.head);
    let other = String::from_utf8(note.clone()).unwrap().replacen("\n\n", "\nextra\n\n", 1);
    assert!(Reader::received(records, other.as_bytes()).is_err(), "the log's key did not sign that");
}
