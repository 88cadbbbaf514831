//! `hefu audit verify`: every record hashed again, every finding listed.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use hefu_chain::{
    receipt::HeadFile,
    verify::{Finding, Options, Report, Segment, Verdict, Verifier},
};
use hefu_domain::event::{Event, SCHEMA_VERSION};
use hefu_store::Backend;
use serde_json::json;

use super::{files, key::LogKey, proof};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Column, Page, Table, plain},
};

const HEAD_MISSING: &str = "there is no head file: records lost at the end cannot be noticed";
const HEAD_DAMAGED: &str = "the head file is damaged";

/// `hefu audit verify`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The ledger's directory, if not the one of -L; or a .tlog-proof file
    pub(crate) dir: Option<PathBuf>,
    /// The log's public key, had from elsewhere: 64 hex digits, a verifier key, or a file that holds either
    #[arg(long, value_name = "HEX|VKEY|FILE")]
    pub(crate) key: Option<String>,
    /// Check digests, chain and commits, but not the signatures of commands
    #[arg(long)]
    pub(crate) hashes_only: bool,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let dir = args.dir.as_ref().unwrap_or(&context.dir);
    let given = args.key.as_deref().map(LogKey::read).transpose()?;
    if dir.is_file() {
        return proof::run(context, dir, given.as_ref());
    }
    let (head, lacking) = match head_file(dir)? {
        Ok(head) => (Some(head), None),
        Err(lacking) => (None, Some(lacking)),
    };
    let progress = context.progress(head.as_ref().map(|head| head.size), &text("核验", "verifying"));
    let known = |kind: &str, version: u32| version == SCHEMA_VERSION && Event::NAMES.contains(&kind);
    let done = |records: u64| progress.more(records);
    let options = Options {
        origin: given.as_ref().and_then(LogKey::origin),
        log_key: given.as_ref().map(LogKey::public),
        head: head.clone(),
        schemas: Some(&known),
        hashes_only: args.hashes_only,
        threads: thread::available_parallelism().map_or(1, usize::from),
        progress: Some(&done),
    };
    let mut report = match Backend::of(dir) {
        Backend::Segments => segments(dir, options)?,
        Backend::Sled => sled(dir, head.as_ref(), options)?,
    };
    drop(progress);
    if let Some((verdict, note)) = lacking {
        if verdict.exit_code() > report.verdict.exit_code() {
            report.verdict = verdict;
        }
        report.notes.push(note);
    }
    print(context, &report)?;
    Ok(report.verdict.exit_code())
}

fn segments(dir: &Path, options: Options<'_>) -> Result<Report> {
    let files = files::segments(dir)?;
    let read = |path: &PathBuf| fs::read(path).map_err(|error| CliError::io(("读取", "read"), path, &error));
    let mut verifier = Verifier::new(options);
    // Two passes over one file at a time: memory for one segment is enough.
    for path in &files {
        verifier.learn(&read(path)?);
    }
    for (place, path) in files.iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = read(path)?;
        verifier.segment(Segment { name: &name, bytes: &bytes }, place + 1 == files.len());
    }
    Ok(verifier.finish())
}

fn sled(dir: &Path, head: Option<&HeadFile>, options: Options<'_>) -> Result<Report> {
    let Some(head) = head else {
        let message = text(
            "没有完好的 head 文件,无法核验 sled 账本",
            "without a sound head file a log in sled cannot be verified",
        );
        return Err(CliError::new("head_missing", exit::IO, message));
    };
    let bytes = files::as_segment(&*files::log(dir)?, &head.origin)?;
    let segment = Segment { name: "log", bytes: &bytes };
    Ok(hefu_chain::verify::verify(&[segment], options))
}

/// The newest head the ledger stood behind; or what its absence means for the verdict, and a note that says so.
fn head_file(dir: &Path) -> Result<std::result::Result<HeadFile, (Verdict, String)>> {
    let path = dir.join("head");
    match fs::read(&path) {
        Ok(bytes) => {
            Ok(HeadFile::parse(&bytes)
                .map_err(|error| (Verdict::ProvenBad, format!("{HEAD_DAMAGED}: {error}"))))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Err((Verdict::NotProven, HEAD_MISSING.to_owned())))
        }
        Err(error) => Err(CliError::io(("读取", "read"), &path, &error)),
    }
}

fn print(context: &Context, report: &Report) -> Result {
    let mut table = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("kind", "问题", "kind"),
        Column::text("segment", "文件", "file"),
        Column::number("offset", "偏移", "offset"),
        Column::text("stream", "流", "stream"),
        Column::text("field", "字段", "field"),
        Column::text("stored", "现值", "stored"),
        Column::text("expected", "应为", "expected"),
    ]);
    for finding in &report.findings {
        let Finding { position, segment, offset, stream, kind, field, stored, expected } = finding;
        table.rows.push(vec![
            plain(*position),
            plain(json!(kind)),
            plain(segment.clone()),
            plain(*offset),
            plain(stream.clone()),
            plain(*field),
            plain(stored.clone()),
            plain(expected.clone()),
        ]);
    }
    let mut notes = vec![verdict(report.verdict), counts(report)];
    notes.extend(report.notes.iter().map(|note| text(chinese(note), note.clone())));
    let json = serde_json::to_value(report).unwrap_or_default();
    // Without findings there is nothing to draw; programs that read lines get the verdict.
    let quiet_table = report.findings.is_empty() && context.format != render::Format::Csv;
    let tables = if quiet_table { Vec::new() } else { vec![table] };
    render::print(context, &Page { tables, data: None, notes, json: json.into() })
}

fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Proven => text("结论:完好", "verdict: everything is there and fits"),
        Verdict::NotProven => text(
            "结论:未能证实(有缺失,未见篡改)",
            "verdict: not proven (something is absent; nothing is proven bad)",
        ),
        Verdict::ProvenBad => text("结论:已证实有误", "verdict: proven bad"),
    }
}

fn counts(report: &Report) -> Text {
    let Report { records, commands, commits, findings, .. } = report;
    let origin = report.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    let head = report.head.map(|head| head.to_string()).unwrap_or_default();
    let found = findings.len();
    text(
        format!("{origin}:{records} 条记录,{commands} 条命令,{commits} 次提交,{found} 处问题;链头 {head}"),
        format!(
            "{origin}: {records} records, {commands} commands, {commits} commits, {found} findings; head {head}"
        ),
    )
}

/// The verifier speaks English; its notes are few.
fn chinese(note: &str) -> String {
    if note.starts_with("self-consistent") {
        return "自身一致,无外部锚点:未提供账本公钥(--key)".to_owned();
    }
    if note == HEAD_MISSING {
        return "没有 head 文件:末尾丢失的记录无法察觉".to_owned();
    }
    if let Some(why) = note.strip_prefix(HEAD_DAMAGED) {
        return format!("head 文件受损{why}");
    }
    if note.starts_with("hashes only") {
        return "仅核验摘要:未检查命令签名".to_owned();
    }
    if let Some(old) = note.strip_prefix("continues ") {
        return format!(
            "接续账本 {}",
            old.replace(" after ", ",其 ").replace(" records, head ", " 条记录,链头 ")
        );
    }
    let redacted = note.strip_prefix("record ").and_then(|rest| rest.split_once(": "));
    match redacted {
        Some((position, rest)) if rest.starts_with("withheld (redacted by record ") => {
            let by = rest.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(')');
            format!("第 {position} 号记录:内容已遮盖(由第 {by} 号记录)")
        }
        Some((position, rest)) if rest.ends_with("its content is still here") => {
            let by = rest.trim_start_matches("redacted by record ").split(',').next().unwrap_or_default();
            format!("第 {position} 号记录:已由第 {by} 号记录遮盖,但内容仍在;以写方式打开账本即可完成")
        }
        _ => note.to_owned(),
    }
}
