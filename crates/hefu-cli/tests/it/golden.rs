//! What people see, kept as files. `UPDATE=1 cargo test -p hefu-cli` writes them anew.

use std::{fs, path::Path};

use crate::support::{PROJECT, Place, steady};

#[track_caller]
fn same(name: &str, text: &str) {
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
