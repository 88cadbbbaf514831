//! A ledger for one test, and the binary to use it with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The project of the sample journal.
pub(crate) const PROJECT: &str = "0198b2c4-7d3e-7000-8000-000000000001";

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn new(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The run must have ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// The last JSON object on stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let last = self.err.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", self.err))
    }
}

/// The binary, in English and without the caller's settings.
pub(crate) fn hefu() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hefu"));
    for name in [
        "HEFU_LEDGER",
        "HEFU_TOKEN",
        "HEFU_CA",
        "HEFU_KEYS",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "NO_COLOR",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
    command
}

/// Runs the binary somewhere.
pub(crate) fn run_in(dir: &Path, args: &[&str]) -> Ran {
    Ran::new(hefu().current_dir(dir).args(args).stdin(Stdio::null()).output().unwrap())
}

/// A folder with a ledger `L` in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// An empty folder.
    pub(crate) fn empty() -> Place {
        Place { folder: TempDir::new().unwrap() }
    }

    /// A ledger of Zhejiang with keys for everyone.
    pub(crate) fn new() -> Place {
        let place = Place::empty();
        let init = ["init", "L", "--origin", "x.example/zj", "--regions", "zhejiang", "--dev-keys", "-q"];
        place.run_bare(&init).exits(0);
        place
    }

    /// The same with the sample journal on record.
    pub(crate) fn with_sample() -> Place {
        let place = Place::new();
        place.write("journal.jsonl", SAMPLE);
        place.run(&["submit", "journal.jsonl"]).exits(0);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs the binary without naming the ledger.
    pub(crate) fn run_bare(&self, args: &[&str]) -> Ran {
        run_in(self.folder.path(), args)
    }

    /// Runs the binary on `L`; results as JSON.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut all = vec!["-L", "L", "--format", "json"];
        all.extend(args);
        self.run_bare(&all)
    }

    /// Runs the binary on `L`; results as tables.
    pub(crate) fn table(&self, lang: &str, args: &[&str]) -> Ran {
        let mut all = vec!["-L", "L", "--format", "table", "--lang", lang];
        all.extend(args);
        self.run_bare(&all)
    }

    /// How many records the ledger holds.
    pub(crate) fn size(&self) -> u64 {
        let report =
            ["report", "indicators", "--region", "330000", "--period", "2023", "--indicator", "INV_FAI"];
        self.run(&report).exits(0).json()["position"].as_u64().unwrap() + 1
    }
}

/// Every command a region needs for one project, by hand.
pub(crate) const SAMPLE: &str = include_str!("sample.jsonl");

/// A text without what differs from run to run.
pub(crate) fn steady(text: &str) -> String {
    let hex = |word: &str| {
        word.len() >= 16 && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let uuid = word.len() == 36
            && word.matches('-').count() == 4
            && word.starts_with("01")
            && !word.starts_with("0198b2c4");
        let stamp = word.len() == 27 && word.ends_with('Z') && word.starts_with("20");
        let masked: String = if hex(word) || uuid || stamp { "#".repeat(word.len()) } else { word.clone() };
        out.push_str(&masked);
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-:.".contains(c) {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    // A last day for an answer is counted from today.
    for (at, found) in out.clone().match_indices("expires=20") {
        let day = at + "expires=".len();
        out.replace_range(day..at + found.len() + "00-00-00".len(), "####-##-##");
    }
    out
}
