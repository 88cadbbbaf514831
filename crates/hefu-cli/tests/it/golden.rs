//! What people see, kept as files. `UPDATE=1 cargo test -p hefu-cli` writes them anew.

use std::{fs, path::Path};

use crate::support::{PROJECT, Place, steady};

#[track_caller]
pub(crate) fn same(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    let text = steady(text);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "{name} differs; UPDATE=1 writes it anew");
}

#[test]
fn help() {
    let place = Place::empty();
    for lang in ["zh", "en"] {
        for (name, args) in [
            ("hefu", &["--help"][..]),
            ("submit", &["submit", "--help"]),
            ("report-indicators", &["report", "indicators", "--help"]),
            ("transfer-propose", &["transfer", "propose", "--help"]),
            ("dispute", &["dispute", "--help"]),
            ("dispute-open", &["dispute", "open", "--help"]),
            ("serve", &["serve", "--help"]),
            ("token-create", &["token", "create", "--help"]),
            ("audit", &["audit", "--help"]),
            ("audit-export", &["audit", "export", "--help"]),
        ] {
            let ran = place.run_bare(&[&["--lang", lang][..], args].concat()).exits(0);
            same(&format!("help-{name}.{lang}.txt"), &ran.out);
        }
    }
}

#[test]
fn tables() {
    let place = Place::with_sample();
    let report = ["report", "indicators", "--region", "330800", "--period", "2023"];
    let with = |more: &[&'static str]| [&report[..], more].concat();
    for lang in ["zh", "en"] {
        for (name, args) in [
            ("indicators", with(&["--children", "--indicator", "INV_FAI", "--indicator", "N_PRJ"])),
            ("bridge", with(&["--indicator", "INV_FAI", "--bridge"])),
            (
                "explain",
                vec!["report", "explain", "--region", "330000", "--indicator", "INV_FAI", "--period", "2023"],
            ),
            ("circulation", vec!["report", "circulation"]),
            ("show", vec!["project", "show", PROJECT]),
            ("list", vec!["project", "list"]),
            ("history", vec!["project", "history", PROJECT]),
            ("suggest", vec!["project", "suggest", PROJECT]),
            ("verify", vec!["audit", "verify"]),
            ("replay", vec!["audit", "replay"]),
        ] {
            same(&format!("{name}.{lang}.txt"), &place.table(lang, &args).exits(0).out);
        }
    }
}

/// Two disputes: one waits for an answer, one for the second pair of eyes; and what figures show meanwhile.
#[test]
fn disputes() {
    let place = Place::with_sample();
    place.write("c.pdf", "abc");
    let id = |number: u8| format!("0198b2c4-0000-7000-9000-00000000000{number}");
    let (first, second) = (id(1), id(2));
    let about = ["--indicator", "INV_FAI", "--period", "2023-07", "--amount", "40000000.50"];
    let open = |kind: &'static str, more: &[&str]| {
        let open = ["dispute", "open", PROJECT, "--kind", kind, "--reason", "value_wrong", "--as", "330108"];
        place.run(&[&open[..], more].concat()).exits(0);
    };
    open("observation", &[&about[..], &["--evidence", "c.pdf:合同", "--id", &first]].concat());
    open("claim", &["--id", &second]);
    place.run(&["dispute", "answer", &first, "--statement", "如数上报", "--as", "330881"]).exits(0);
    let rule = ["dispute", "rule", &first, "--remedy", "correct_value", "--value", "38000000.50"];
    place.run(&[&rule[..], &["--reasons", "据合同", "--as", "330000"]].concat()).exits(0);
    let figures = ["--indicator", "INV_FAI", "--period", "2023"];
    for lang in ["zh", "en"] {
        for (name, args) in [
            ("dispute-show", vec!["dispute", "show", &first]),
            ("dispute-list", vec!["dispute", "list"]),
            ("dispute-evidence", vec!["dispute", "evidence", "check"]),
            ("disputes", vec!["report", "disputes"]),
            (
                "contested",
                [&["report", "indicators", "--region", "330100", "--children"][..], &figures].concat(),
            ),
            ("contested-explain", [&["report", "explain", "--region", "330881"][..], &figures].concat()),
        ] {
            same(&format!("{name}.{lang}.txt"), &undated(&steady(&place.table(lang, &args).exits(0).out)));
        }
    }
}

/// Days that follow from the day of the test are left out: all of this century's that stand in full.
pub(crate) fn undated(text: &str) -> String {
    let mut out = text.to_owned();
    let day = |text: &str| {
        let shape = |(place, byte): (usize, u8)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        text.len() == 10 && text.starts_with("20") && text.bytes().enumerate().all(shape)
    };
    for start in 0..text.len() {
        if let Some(date) = text.get(start..start + 10).filter(|date| day(date)) {
            out = out.replace(date, &"#".repeat(10));
        }
    }
    out
}

#[test]
fn errors() {
    let place = Place::with_sample();
    place.write("bad.jsonl", &format!("{{\"as\":\"330881\",\"type\":\"propose_transfer\",\"project\":\"{PROJECT}\",\"destination\":\"330108\"}}\n"));
    place.write("o.csv", "项目代码,指标,报告期,数值\nnone,INV_FAI,2023-13,abc\n");
    for lang in ["zh", "en"] {
        for (name, args, code) in [
            ("refused", &["submit", "bad.jsonl"][..], 1),
            ("import", &["import", "observations", "o.csv", "--as", "330881"], 65),
            ("key", &["tier", "waive", PROJECT, "local", "--reason", "x", "--as", "999999"], 77),
            ("usage", &["report", "indicators", "--region", "330000"], 64),
        ] {
            same(&format!("error-{name}.{lang}.txt"), &place.table(lang, args).exits(code).err);
        }
    }
}
