//! `hefu-offline-verify [--key KEY] [--json] PATH`: judges a ledger's directory, an exported site, a proof file or
//! an evidence bundle.
//!
//! Exit codes: 0 proven, 1 not proven, 2 proven bad, 64 wrong usage, 65 not such a file, 74 cannot read.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use hefu_offline::note::LogKey;
use hefu_offline::{Report, Verdict, verify};

const USAGE: &str = "\
usage: hefu-offline-verify [--key KEY] [--json] PATH
  PATH   a ledger's directory, an exported site (C2SP tlog-tiles), a .tlog-proof file, or an evidence bundle
  --key  the log's public key, had from elsewhere: 64 hex digits, a verifier key, or a file that holds either
exit codes: 0 proven, 1 not proven (something is absent), 2 proven bad";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut key, mut json, mut path) = (None, false, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--key" => key = args.next(),
            "--json" => json = true,
            _ if arg.starts_with('-') || path.is_some() => return fail(64, USAGE),
            _ => path = Some(PathBuf::from(arg)),
        }
    }
    let Some(path) = path else { return fail(64, USAGE) };
    let key = match key {
        None => None,
        Some(given) => {
            let held = || LogKey::parse(std::fs::read_to_string(&given).ok()?.trim());
            match LogKey::parse(&given).or_else(held) {
                Some(key) => Some(key),
                None => return fail(65, &format!("{given} holds no public key of a log")),
            }
        }
    };
    let report = match verify(&path, key.as_ref()) {
        Ok(report) => report,
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::InvalidData { 65 } else { 74 };
            return fail(code, &format!("{}: {error}", path.display()));
        }
    };
    match print(&report, json) {
        Ok(()) => ExitCode::from(report.verdict as u8),
        Err(error) => fail(74, &error.to_string()),
    }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{}", serde_json::to_string(report)?);
    }
    for finding in &report.findings {
        let weight = if finding.weight == Verdict::ProvenBad { "wrong " } else { "absent" };
        let position = finding.position.map_or("-".to_owned(), |position| position.to_string());
        let offset = finding.offset.map_or(String::new(), |offset| format!(" byte {offset}"));
        writeln!(out, "{weight}  record {position}  {}{offset}: {}", finding.file, finding.reason)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))?;
    let origin = report.origin.as_deref().unwrap_or("?");
    let Report { size, records, signatures, .. } = report;
    writeln!(out, "{origin}: {size} records, {records} hashed, {signatures} signatures of commands checked")?;
    let verdict = match report.verdict {
        Verdict::Proven => "proven 完好",
        Verdict::NotProven => "not proven: something is absent 未能证实(有缺失)",
        Verdict::ProvenBad => "proven bad 已证实有误",
    };
    writeln!(out, "verdict: {verdict}")
}

fn fail(code: u8, why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(code)
}
