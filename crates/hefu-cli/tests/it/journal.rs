//! Journals: right ones, wrong ones, the same one twice.

use std::{fmt::Write as _, fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use crate::support::{PROJECT, Place, SAMPLE, hefu};

/// The first lines of every journal here: an enterprise and its project.
fn head() -> String {
    SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n")
}

/// A journal of `lines` lines whose line `wrong` reports a period that is not over.
fn long(lines: usize, wrong: usize) -> String {
    let mut journal = head();
    for line in 3..=lines {
        let period = if line == wrong { "2099-01" } else { "2023-03" };
        let _ = writeln!(
            journal,
            r#"{{"as":"330108","id":"0198b2c4-0000-7000-8000-{line:012}","type":"report_observation","project":"{PROJECT}","indicator":"INV_FAI","period":"{period}","value":"{line}.00"}}"#
        );
    }
    journal
}

#[test]
fn line_7000_of_10000_stops_the_run_and_the_rest_can_follow() {
    let place = Place::new();
    let base = place.size();
    place.write("long.jsonl", &long(10_000, 7_000));

    let all_or_none = place.run(&["submit", "long.jsonl", "--atomic"]).exits(1);
    let error = all_or_none.error();
    assert_eq!((&error["line"], &error["recorded"]), (&json!(7000), &json!(0)));
    assert_eq!(all_or_none.json()["accepted"], 0);
    assert_eq!(place.size(), base, "nothing was recorded");

    let stopped = place.run(&["submit", "long.jsonl"]).exits(1);
    let error = stopped.error();
    assert_eq!(error["code"], "period_in_future");
    assert_eq!((&error["file"], &error["line"]), (&json!("long.jsonl"), &json!(7000)));
    assert_eq!((&error["field"], &error["recorded"]), (&json!("period"), &json!(6999)));
    assert!(error["detail"].as_str().unwrap().contains("2099-01"));
    assert!(error["hint"].as_str().unwrap().contains("hefu submit long.jsonl --from-line 7000"));
    assert_eq!(place.size(), base + 6_999, "what came before is on record");

    place.write("long.jsonl", &long(10_000, 0));
    let resumed = place.run(&["submit", "long.jsonl", "--from-line", "7000"]).exits(0).json();
    assert_eq!(resumed["accepted"], 3001);
    assert_eq!(place.size(), base + 10_000);

    let again = place.run(&["submit", "long.jsonl"]).exits(0).json();
    assert_eq!((&again["accepted"], &again["repeated"]), (&json!(0), &json!(10_000)));
    assert_eq!(place.size(), base + 10_000, "nothing is recorded twice");
    place.run(&["audit", "verify"]).exits(0);
}

#[test]
fn keep_going_reports_every_wrong_line() {
    let place = Place::new();
    let mut journal = long(20, 5);
    journal.push_str("not json\n");
    journal.push_str(&SAMPLE.lines().nth(3).map(|line| format!("{line}\n")).unwrap());
    place.write("j.jsonl", &journal);
    let ran = place.run(&["submit", "j.jsonl", "--keep-going"]).exits(1);
    let result = ran.json();
    assert_eq!(result["refused"], 3, "line 5, the line that is no JSON, and an id used by line 4");
    let lines: Vec<&Value> = result["refusals"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!(lines.len(), 3);
    for line in [5, 21, 22] {
        assert!(lines.contains(&&json!(line)), "{lines:?}");
    }
    assert_eq!(ran.err.lines().count(), 3);
    assert_eq!(result["accepted"], 19);
}

#[test]
fn a_dry_run_records_nothing_and_names_the_wrong_line() {
    let place = Place::new();
    let base = place.size();
    place.write("j.jsonl", SAMPLE);
    let tried = place.run(&["submit", "j.jsonl", "--dry-run"]).exits(0).json();
    assert_eq!(
        (&tried["accepted"], &tried["dry_run"], &tried["head"]),
        (&json!(19), &json!(true), &Value::Null)
    );
    place.write("bad.jsonl", &long(10, 6));
    let error = place.run(&["submit", "bad.jsonl", "--dry-run"]).exits(1).error();
    assert_eq!((&error["line"], &error["recorded"]), (&json!(6), &json!(0)));
    assert_eq!(place.size(), base);
}

/// One wrong line after two right ones: code, field, exit code, and that the right ones are on record.
#[track_caller]
fn refuses(line: &str, code: &str, field: Option<&str>, exit: i32) {
    let place = Place::new();
    let base = place.size();
    place.write("j.jsonl", &format!("{}{line}\n", head()));
    let error = place.run(&["submit", "j.jsonl"]).exits(exit).error();
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(error["line"], 3);
    // Of a path such as `x[0][0]` the first step is enough here.
    let found = error.get("field").and_then(Value::as_str);
    assert_eq!(found.map(|path| path.split('[').next().unwrap_or(path)), field, "{error}");
    assert_eq!(error["recorded"], 2);
    assert_eq!(place.size(), base + 2);
    let chinese = place.table("zh", &["submit", "j.jsonl"]).exits(exit).err;
    assert!(chinese.starts_with("错误: j.jsonl 第 3 行有误;已入账 0 条"), "{chinese}");
    assert!(chinese.contains(&format!("[{code}]")), "{chinese}");
}

#[test]
fn each_bad_line_has_its_own_refusal() {
    let observation = |more: &str| {
        format!(
            r#"{{"as":"330108","type":"report_observation","project":"{PROJECT}","indicator":"INV_FAI","period":"2023-03","value":"1.00"{more}}}"#
        )
    };
    refuses(&observation(r#","value":"2.00""#), "duplicate_key", Some("value"), 65);
    refuses(&observation(r#","colour":"red""#), "unknown_field", Some("colour"), 65);
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    refuses(&observation(&format!(r#","x":{deep}"#)), "too_deep", Some("x"), 65);
    refuses(&observation(r#","x":1.5"#), "number_form", Some("x"), 65);
    refuses(
        r#"{"as":"330108","type":"register_enterprise","enterprise":"91330100799655058A","name":"甲","region":"330108"}"#,
        "bad_enterprise_code",
        Some("enterprise"),
        65,
    );
    refuses(
        r#"{"as":"330108","type":"register_enterprise","enterprise":"91330000747735638J","name":"甲","region":"999999"}"#,
        "unknown_region",
        Some("region"),
        1,
    );
    refuses(
        &format!(
            r#"{{"as":"330108","type":"propose_transfer","project":"{PROJECT}","destination":"330881"}}"#
        ),
        "tier_not_open",
        Some("destination"),
        1,
    );
    refuses(
        &format!(
            r#"{{"as":"330881","type":"report_observation","project":"{PROJECT}","indicator":"INV_FAI","period":"2023-03","value":"1.00"}}"#
        ),
        "foreign_office",
        Some("as"),
        77,
    );
    refuses(&observation("").replace("2023-03", "2099-01"), "period_in_future", Some("period"), 1);
    refuses(&observation(r#","id":"0198b2c4-0000-7000-8000-000000000002""#), "id_reused", Some("id"), 1);
    refuses(&observation("").replace("330108", "999999"), "no_key", Some("as"), 77);
    refuses(&observation("").replace(r#""as":"330108","#, ""), "signer_missing", Some("as"), 65);
    refuses(r#"{"as":"330108","type":"report_tea"}"#, "unknown_command", Some("type"), 65);
    refuses("[1]", "not_an_object", None, 65);
}

#[test]
fn the_same_journal_twice_records_once() {
    let place = Place::with_sample();
    let size = place.size();
    let again = place.run(&["submit", "journal.jsonl"]).exits(0).json();
    assert_eq!((&again["accepted"], &again["repeated"]), (&json!(0), &json!(19)));
    assert_eq!(place.size(), size);
}

#[test]
fn a_line_that_stands_twice_in_one_journal_is_recorded_once() {
    let place = Place::new();
    let journal = head();
    place.write("j.jsonl", &format!("{journal}{journal}"));
    for more in [&["--atomic"][..], &[]] {
        let mut args = vec!["submit", "j.jsonl"];
        args.extend(more);
        place.run(&args).exits(0);
    }
    let result = place.run(&["submit", "j.jsonl"]).exits(0).json();
    assert_eq!((&result["accepted"], &result["repeated"]), (&json!(0), &json!(4)));
}

#[test]
fn signed_lines_come_back_with_their_first_receipts() {
    let place = Place::with_sample();
    let size = place.size();
    place.run(&["submit", "journal.jsonl", "--receipts", "first"]).exits(0);
    let receipts = fs::read_to_string(place.path("first/receipts.jsonl")).unwrap();
    assert_eq!(receipts.lines().count(), 19);
    // The stored commands are what was signed: taken out of the log, they are a signed journal.
    let signed = stored_commands(&place);
    assert_eq!(signed.len(), 19);
    place.write("signed.jsonl", &(signed.join("\n") + "\n"));
    let again = place.run(&["submit", "signed.jsonl", "--receipts", "second"]).exits(0).json();
    assert_eq!((&again["accepted"], &again["repeated"]), (&json!(0), &json!(19)));
    assert_eq!(place.size(), size);
    let second = fs::read_to_string(place.path("second/receipts.jsonl")).unwrap();
    assert_eq!(receipts, second);
    let first: Value = serde_json::from_str(receipts.lines().next().unwrap()).unwrap();
    assert_eq!(first["receipt"]["origin"], "x.example/zj");
    assert!(first["leaf"].as_str().unwrap().contains("enterprise.registered"));
    // One bit of a signature: refused, with the line.
    let last = signed.last().unwrap();
    let id = "0198b2c4-0000-7000-8000-000000000019";
    let forged = last.replace(id, "0198b2c4-0000-7000-8000-00000000ffff");
    place.write("forged.jsonl", &format!("{forged}\n"));
    let error = place.run(&["submit", "forged.jsonl"]).exits(1).error();
    assert_eq!((&error["code"], &error["line"]), (&json!("bad_signature"), &json!(1)));
}

#[test]
fn every_command_on_record_has_a_proof_that_stands_alone() {
    let place = Place::new();
    // The last line is wrong; what stands before it is on record and proven.
    place.write("j.jsonl", &format!("{SAMPLE}{{\"as\":\"330108\",\"type\":\"tick\"}}\n"));
    place.run(&["submit", "j.jsonl", "--dry-run", "--receipts", "dry"]);
    place.run(&["submit", "j.jsonl", "--atomic", "--receipts", "dry"]);
    assert_eq!(fs::read_dir(place.path("dry")).unwrap().count(), 1, "answers, no proofs");
    let ran = place.run(&["submit", "j.jsonl", "--receipts", "r"]);
    assert_ne!(ran.code, 0);
    let proofs = || {
        let files = fs::read_dir(place.path("r")).unwrap().flatten().map(|entry| entry.path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|e| e == "tlog-proof")).collect();
        files.sort();
        files
    };
    assert_eq!(proofs().len(), SAMPLE.lines().count());
    for path in proofs() {
        let file = path.to_str().unwrap();
        let verdict = place.run_bare(&["audit", "verify", file, "--key", "L.keys/log.key"]).exits(0).json();
        assert_eq!(verdict["leaf"]["command"], path.file_stem().unwrap().to_str().unwrap());
    }
    // The same journal again: the same proofs again, whatever became of the first.
    let first: Vec<Vec<u8>> = proofs().iter().map(|path| fs::read(path).unwrap()).collect();
    fs::remove_file(&proofs()[0]).unwrap();
    fs::write(&proofs()[0], "half").unwrap();
    place.write("journal.jsonl", SAMPLE);
    place.run(&["submit", "journal.jsonl", "--receipts", "r"]).exits(0);
    let again: Vec<Vec<u8>> = proofs().iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(again, first);
}

/// The signed commands of the sample, as they lie in the segment file.
fn stored_commands(place: &Place) -> Vec<String> {
    let segment = fs::read(place.path("L/segments/00000000000000000000.seg")).unwrap();
    let text = String::from_utf8_lossy(&segment);
    let mut found = Vec::new();
    for part in text.split("{\"envelope\":").skip(1) {
        let (envelope, sig) = part.split_once(",\"sig\":\"").unwrap();
        let whole = format!("{{\"envelope\":{envelope},\"sig\":\"{}\"}}", &sig[..88]);
        if whole.contains("0198b2c4-0000-7000-8000-") {
            found.push(whole);
        }
    }
    found
}

#[test]
fn a_journal_comes_from_standard_input_too() {
    let place = Place::new();
    let mut child = hefu()
        .current_dir(place.path(""))
        .args(["-L", "L", "--format", "json", "submit", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SAMPLE.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let result: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(result["accepted"], 19);
}

#[test]
fn an_answer_finds_the_proposal_it_answers() {
    let place = Place::new();
    // The proposal is on record from an earlier run; its answer comes in a later one.
    let lines: Vec<&str> = SAMPLE.lines().collect();
    place.write("a.jsonl", &(lines[..7].join("\n") + "\n"));
    place.write("b.jsonl", &(lines[7..].join("\n") + "\n"));
    place.run(&["submit", "a.jsonl"]).exits(0);
    place.run(&["submit", "b.jsonl"]).exits(0);
}

#[test]
fn an_unsigned_answer_finds_a_proposal_that_came_signed() {
    let place = Place::new();
    // A second ledger of the same name with the same keys: what is signed for one is signed for the other.
    for (from, to) in [("L", "M"), ("L/segments", "M/segments"), ("L.keys", "M.keys")] {
        fs::create_dir(place.path(to)).unwrap();
        for entry in fs::read_dir(place.path(from)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                fs::copy(entry.path(), place.path(to).join(entry.file_name())).unwrap();
            }
        }
    }
    place.write("journal.jsonl", SAMPLE);
    place.run(&["submit", "journal.jsonl"]).exits(0);
    let signed = stored_commands(&place);
    let unsigned: Vec<&str> = SAMPLE.lines().collect();
    // Proposals signed, answers not, all in one journal.
    let mixed: Vec<&str> = signed
        .iter()
        .zip(unsigned)
        .map(
            |(signed, unsigned)| {
                if unsigned.contains("propose_transfer") { signed.as_str() } else { unsigned }
            },
        )
        .collect();
    place.write("mixed.jsonl", &(mixed.join("\n") + "\n"));
    let all = ["-L", "M", "--format", "json", "submit", "mixed.jsonl", "--atomic"];
    assert_eq!(place.run_bare(&all).exits(0).json()["accepted"], 19);
}
