//! The monitor as an auditor runs it: a site over the wire or in a folder, alarms to a program and to an address.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::{
    support::{PROJECT, Place, Ran},
    witness::{Serving, copy, grow, grow_at},
};

/// Somebody who listens: hears one request, answers with this status, and tells its path and body.
fn listener(status: &'static str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alarm", listener.local_addr().unwrap());
    let heard = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        (first, serde_json::from_slice(&body).unwrap())
    });
    (url, heard)
}

fn monitor(place: &Place, more: &[&str]) -> Ran {
    let args = ["audit", "monitor", "site", "--key", "log.vkey", "--state", "state"];
    place.run(&[&args[..], more].concat())
}

fn export(place: &Place) {
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
}

#[test]
fn a_monitor_tells_what_is_new_and_raises_alarms() {
    let place = Place::with_sample();
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    let serving = Serving::start(&place, &["audit", "serve-tiles", "site"]);
    let monitor = |more: &[&str]| {
        let args = ["audit", "monitor", &serving.url, "--key", "log.vkey", "--state", "state"];
        place.run(&[&args[..], more].concat())
    };
    let first = monitor(&[]).exits(0).json();
    assert_eq!(first["read"], first["now"]["size"]);
    assert_eq!(first["records"].as_array().unwrap().len() as u64, first["read"].as_u64().unwrap());
    assert_eq!(monitor(&[]).exits(0).json()["read"], 0);
    let verify = ["audit", "verify", &serving.url, "--key", "log.vkey"];
    assert_eq!(place.run(&verify).exits(0).json()["records"], first["read"]);
    grow(&place, 1);
    place.run(&["audit", "export", "site"]).exits(0);
    let grown = monitor(&["--region", "330108"]).exits(0).json();
    assert_eq!(grown["records"][0]["type"], "project.registered");
    assert_eq!(grown["records"].as_array().unwrap().len(), 1);

    // The site goes back to the day before: the alarm goes to a program, and is raised again by the next run.
    let old = fs::read_to_string(place.path("site/checkpoint")).unwrap();
    let now = place.path("now");
    fs::write(&now, &old).unwrap();
    let state = fs::read(place.path("state")).unwrap();
    let forged = old.replacen("\n— x.example/zj ", "\n— x.example/zj AAAA", 1);
    fs::write(place.path("site/checkpoint"), forged).unwrap();
    place.write("hear", "#!/bin/sh\ncat > heard\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(place.path("hear"), fs::Permissions::from_mode(0o755)).unwrap();
        let alarm = monitor(&["--command", "./hear"]).exits(2).json();
        assert_eq!(alarm["alarm"]["kind"], "bad_signature");
        let heard: Value = serde_json::from_slice(&fs::read(place.path("heard")).unwrap()).unwrap();
        assert_eq!(heard["alarm"]["kind"], "bad_signature");
    }
    assert_eq!(fs::read(place.path("state")).unwrap(), state);
    fs::write(place.path("site/checkpoint"), old).unwrap();
    monitor(&[]).exits(0);
    // A directory is watched as a site is.
    let folder = ["audit", "monitor", "site", "--key", "log.vkey", "--state", "state"];
    assert_eq!(place.run(&folder).exits(0).json()["read"], 0);
    // One byte of an entry: verified over the wire, the record is named.
    let entries = place.path(&format!("site/tile/entries/000.p/{}", grown["now"]["size"]));
    let text = fs::read(&entries).unwrap();
    let digest = text.windows(15).rposition(|part| part == br#""body_sha256":""#).unwrap() + 15;
    let mut altered = text.clone();
    altered[digest] = if text[digest] == b'0' { b'1' } else { b'0' };
    fs::write(&entries, altered).unwrap();
    let bad = place.run(&verify).exits(2).json();
    assert_eq!(bad["findings"][0]["kind"], "leaf_altered", "{bad}");
    assert_eq!(bad["findings"][0]["position"], grown["records"][0]["seq"]);
    fs::write(&entries, text).unwrap();
    fs::remove_file(place.path("site/checkpoint")).unwrap();
    assert_eq!(place.run(&verify).exits(1).json()["findings"][0]["kind"], "checkpoint_missing");
    assert_eq!(monitor(&[]).exits(1).error()["code"], "not_watchable");
    drop(serving);
    assert_eq!(place.run(&["audit", "verify", "http://127.0.0.1:1"]).exits(74).error()["code"], "io");
}

#[test]
fn a_site_that_goes_back_is_an_alarm_posted_to_an_address() {
    let place = Place::with_sample();
    export(&place);
    let older = fs::read(place.path("site/checkpoint")).unwrap();
    grow(&place, 1);
    export(&place);
    let seen = monitor(&place, &[]).exits(0).json();
    let state = fs::read(place.path("state")).unwrap();

    // The operator brings back yesterday: its own checkpoint, sound in itself.
    fs::write(place.path("site/checkpoint"), &older).unwrap();
    let (url, heard) = listener("204 No Content");
    let alarm = monitor(&place, &["--webhook", &url]).exits(2);
    let (request, body) = heard.join().unwrap();
    assert_eq!(request, "POST /alarm HTTP/1.1\r\n");
    assert_eq!((&body["verdict"], &body["site"]), (&"alarm".into(), &"site".into()));
    assert_eq!(body["alarm"]["kind"], "rollback");
    assert_eq!(body["before"]["size"], seen["now"]["size"]);
    assert_eq!(alarm.json()["alarm"], body["alarm"]);
    assert!(!alarm.err.contains("could not be told"), "{}", alarm.err);
    assert_eq!(fs::read(place.path("state")).unwrap(), state, "what was seen stays what must be continued");

    // Whoever does not take it, or is not there, is named; the alarm stands.
    let (url, heard) = listener("500 Internal Server Error");
    let refused = monitor(&place, &["--webhook", &url]).exits(2);
    heard.join().unwrap();
    assert!(refused.err.contains(&format!("{url} could not be told: 500")), "{}", refused.err);
    let nobody = monitor(&place, &["--webhook", "http://127.0.0.1:1/", "--command", "./absent"]).exits(2);
    for whom in ["http://127.0.0.1:1/ could not be told", "./absent could not be told"] {
        assert!(nobody.err.contains(whom), "{}", nobody.err);
    }
    // The site grows again: it is what it was, and the watch goes on.
    export(&place);
    assert_eq!(monitor(&place, &["--webhook", "http://127.0.0.1:1/"]).exits(0).json()["read"], 0);
}

#[test]
fn two_histories_of_a_site_are_an_alarm_and_evidence() {
    let place = Place::with_sample();
    copy(&place, "L", "M");
    copy(&place, "L.keys", "M.keys");
    grow(&place, 1);
    export(&place);
    monitor(&place, &[]).exits(0);
    // Whoever has the key signs another history of the same length, and shows it to this auditor.
    grow_at(&place, "M", 2);
    place.run_bare(&["-L", "M", "audit", "export", "M.site"]).exits(0);
    fs::rename(place.path("site"), place.path("honest")).unwrap();
    fs::rename(place.path("M.site"), place.path("site")).unwrap();
    let (url, heard) = listener("200 OK");
    let alarm = monitor(&place, &["--webhook", &url]).exits(2).json();
    let (_, body) = heard.join().unwrap();
    assert_eq!((&alarm["alarm"]["kind"], &body["alarm"]["kind"]), (&"fork".into(), &"fork".into()));
    assert_eq!(body["evidence"], "state.evidence.json");
    // The file convinces whoever has the key.
    let elsewhere = Place::empty();
    fs::copy(place.path("state.evidence.json"), elsewhere.path("two.json")).unwrap();
    fs::copy(place.path("log.vkey"), elsewhere.path("log.vkey")).unwrap();
    let verify = ["audit", "verify", "two.json", "--key", "log.vkey", "--format", "json"];
    assert_eq!(elsewhere.run_bare(&verify).exits(2).json()[0]["finding"], "proven");
}

#[test]
fn new_records_are_told_by_project_region_key_and_type() {
    let place = Place::with_sample();
    export(&place);
    let all = monitor(&place, &[]).exits(0).json();
    let all = all["records"].as_array().unwrap().clone();
    let told = |more: &[&str]| {
        fs::remove_file(place.path("state")).unwrap();
        let found = monitor(&place, more).exits(0).json();
        assert_eq!(found["read"], all.len(), "every new entry is read whatever is told");
        found["records"].as_array().unwrap().clone()
    };
    let stream = format!("project/{PROJECT}");
    let of_project = all.iter().filter(|record| record["stream"] == *stream).count();
    assert!(of_project > 10);
    let found = told(&["--project", PROJECT]);
    assert!(found.len() == of_project && found.iter().all(|record| record["stream"] == *stream));
    assert!(told(&["--project", "0198b2c4-7d3e-7000-8000-00000000dead"]).is_empty());
    let proposed = told(&["--type", "transfer.proposed"]);
    assert_eq!(proposed.len(), 3);
    assert_eq!(told(&["--project", PROJECT, "--type", "project.landed"]).len(), 1);
    // Of a key: what it signed, and nothing else.
    let actor = proposed[0]["actor"].as_str().unwrap();
    let found = told(&["--actor", actor]);
    assert!(!found.is_empty() && found.iter().all(|record| record["actor"] == actor));
    // Of a region: its projects, also those that went away, and what its keys did. Code or name.
    for region in ["330108", "滨江区", "330881"] {
        let found = told(&["--region", region]);
        assert_eq!(found.iter().filter(|record| record["stream"] == *stream).count(), of_project, "{region}");
    }
    assert!(told(&["--region", "330282"]).iter().all(|record| record["stream"] != *stream));
}
