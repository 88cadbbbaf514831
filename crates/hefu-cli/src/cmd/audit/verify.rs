//! `hefu audit verify`: every record hashed again, every finding listed.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    thread,
};

use hefu_chain::{
    checkpoint::Checkpoint,
    note::Note,
    policy::{BadPolicy, Policy},
    receipt::HeadFile,
    source::Source,
    verify::{self, Finding, Options, Report, Verdict},
};
use hefu_domain::event::{Event, SCHEMA_VERSION};
use hefu_store::{Backend, FolderSource};
use serde_json::json;

use super::{files, key::LogKey, proof, site, witness::evidence};
use crate::{
    context::{Context, Place, read_file},
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Column, Page, Table, plain},
};

/// How an evidence file begins: its fields are in the order of their names.
const EVIDENCE: &[u8] = br#"{"form":"hefu-evidence-"#;

/// `hefu audit verify`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// What to verify, if not the ledger of -L: a ledger's or a site's directory, a site's address, a proof, a bundle,
    /// an evidence file
    #[arg(value_name = "WHERE")]
    pub(crate) place: Option<PathBuf>,
    /// The log's public key, had from elsewhere: 64 hex digits, a verifier key, or a file that holds either
    #[arg(long, value_name = "HEX|VKEY|FILE")]
    pub(crate) key: Option<String>,
    /// A file that names log, witnesses and quorum (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// An older checkpoint, kept elsewhere, that must be continued
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) since: Option<PathBuf>,
    /// Check digests, chain and commits, but not the signatures of commands
    #[arg(long)]
    pub(crate) hashes_only: bool,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let place = match (&args.place, &context.place) {
        (Some(place), _) | (None, Place::Dir(place)) => place.clone(),
        (None, Place::Url(url)) => PathBuf::from(url),
    };
    let place = place.as_path();
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let given = match (&args.key, &policy) {
        (Some(key), _) => Some(LogKey::read(key)?),
        (None, Some(policy)) => Some(key_of(policy)?),
        (None, None) => None,
    };
    let web = place.to_str().map(|place| site::web(place, context.lang)).transpose()?.flatten();
    if web.is_none() && place.is_file() {
        match what(place)? {
            What::Bundle => {}
            What::Evidence => return evidence::verify(context, place, given.as_ref()),
            What::Proof => return proof::run(context, place, given.as_ref(), policy.as_ref()),
        }
    }
    let since = args.since.as_deref().map(read_file).transpose()?;
    let source = FolderSource::new(place);
    let is_ledger = place.join("segments").exists() || Backend::of(place) == Backend::Sled;
    let length = match &web {
        Some(site) => checkpoint_size(site),
        None if is_ledger => head_size(place),
        None => checkpoint_size(&source),
    };
    let progress = context.progress(length, &text("核验", "verifying"));
    let known = |kind: &str, version: u32| version == SCHEMA_VERSION && Event::NAMES.contains(&kind);
    let done = |records: u64| progress.more(records);
    let options = Options {
        origin: given.as_ref().and_then(LogKey::origin),
        log_key: given.as_ref().map(LogKey::public),
        policy: policy.as_ref(),
        since: since.as_deref(),
        schemas: Some(&known),
        hashes_only: args.hashes_only,
        threads: thread::available_parallelism().map_or(1, usize::from),
        progress: Some(&done),
        ..Options::default()
    };
    let report = match &web {
        Some(site) => verify::site(site, &options),
        None if place.is_file() => {
            let file = File::open(place).map_err(|error| CliError::io(("读取", "read"), place, &error))?;
            verify::bundle(&mut BufReader::new(file), &options)
        }
        None if is_ledger => {
            let log = match Backend::of(place) {
                Backend::Segments => None,
                Backend::Sled => Some(sled(place)?),
            };
            verify::ledger(&source, log.as_deref(), options)
        }
        None if place.join("checkpoint").exists() || place.join("tile").exists() => {
            verify::site(&source, &options)
        }
        None => return Err(files::no_ledger(place)),
    };
    let report = report.map_err(|error| CliError::io(("读取", "read"), place, &error))?;
    drop(progress);
    print(context, &report)?;
    Ok(report.verdict.exit_code())
}

/// What a file was meant to be.
enum What {
    Bundle,
    Evidence,
    Proof,
}

fn what(path: &Path) -> Result<What> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(|error| CliError::io(("读取", "read"), path, &error))?;
    let begin = file.take(EVIDENCE.len() as u64).read_to_end(&mut start);
    begin.map_err(|error| CliError::io(("读取", "read"), path, &error))?;
    // A proof is plain text; whatever a damaged first line says, other JSON was meant to be a bundle.
    Ok(match () {
        () if start == EVIDENCE => What::Evidence,
        () if start.starts_with(b"{") => What::Bundle,
        () => What::Proof,
    })
}

/// Reads a policy of logs, witnesses and quorum (C2SP tlog-policy).
pub(crate) fn read_policy(path: &Path) -> Result<Policy> {
    let bytes = read_file(path)?;
    String::from_utf8_lossy(&bytes).parse().map_err(|error: BadPolicy| {
        let name = path.display().to_string();
        let message =
            text(format!("{name} 不是见证政策文件"), format!("{name} is no policy of logs and witnesses"));
        let why = error.to_string();
        CliError::new("bad_policy_file", exit::BAD_INPUT, message)
            .why(text(why.clone(), why))
            .at("file", name)
    })
}

/// The key of the one log that a policy names.
fn key_of(policy: &Policy) -> Result<LogKey> {
    match policy.logs() {
        [log] => Ok(LogKey::Named(log.key.clone())),
        logs => {
            let count = logs.len();
            let message = text(
                format!("政策文件列有 {count} 个账本,不知核验哪一个"),
                format!("the policy names {count} logs, not one"),
            );
            let hint = text("用 --key 给出账本公钥", "give the log's key with --key");
            Err(CliError::new("bad_policy_file", exit::BAD_INPUT, message).hint(hint))
        }
    }
}

fn sled(dir: &Path) -> Result<Vec<u8>> {
    let head = fs::read(dir.join("head")).ok().and_then(|bytes| HeadFile::parse(&bytes).ok());
    let Some(head) = head else {
        let message = text(
            "没有完好的 head 文件,无法核验 sled 账本",
            "without a sound head file a log in sled cannot be verified",
        );
        return Err(CliError::new("head_missing", exit::IO, message));
    };
    files::as_segment(&*files::log(dir)?, &head.origin)
}

/// How many records there will be to check, for the progress bar.
fn head_size(dir: &Path) -> Option<u64> {
    Some(HeadFile::parse(&fs::read(dir.join("head")).ok()?).ok()?.size)
}

fn checkpoint_size(source: &dyn Source) -> Option<u64> {
    let note = Note::parse(&source.read("checkpoint").ok()??).ok()?;
    Some(note.text().parse::<Checkpoint>().ok()?.size)
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

/// How much was read. What a place cannot hold (a bundle has no commits, a site no commands) is not counted.
fn counts(report: &Report) -> Text {
    let Report { records, size, commands, commits, findings, .. } = report;
    let origin = report.origin.as_ref().map(|origin| (format!("{origin}:"), format!("{origin}: ")));
    let (mut zh, mut en) = origin.unwrap_or_default();
    if records == size {
        let _ = write!(zh, "{records} 条记录");
        let _ = write!(en, "{records} records");
    } else {
        let _ = write!(zh, "{size} 条记录中的 {records} 条");
        let _ = write!(en, "{records} of {size} records");
    }
    for (count, one, other) in [(*commands, "条命令", "commands"), (*commits, "次提交", "commits")] {
        if count > 0 {
            let _ = write!(zh, ",{count} {one}");
            let _ = write!(en, ", {count} {other}");
        }
    }
    let _ = write!(zh, ",{} 处问题", findings.len());
    let _ = write!(en, ", {} findings", findings.len());
    if let Some(head) = &report.head {
        let _ = write!(zh, ";链头 {head}");
        let _ = write!(en, "; head {head}");
    }
    text(zh, en)
}

/// The verifier speaks English; its notes are few.
fn chinese(note: &str) -> String {
    if note.starts_with("self-consistent") {
        return "自身一致,无外部锚点:未提供账本公钥(--key)".to_owned();
    }
    if note.starts_with("hashes only") {
        return "仅核验摘要:未检查命令签名".to_owned();
    }
    if note.starts_with("no entries here") {
        return "公开站点,不含记录:仅核验了树,未核验任何记录".to_owned();
    }
    if note.starts_with("nothing is pinned") {
        return "没有检查点,也无迹象表明曾发布过:无从比较".to_owned();
    }
    if note.starts_with("tiles of more than ") {
        return "站点中有更新的树片:曾导出更新的检查点,或导出中断".to_owned();
    }
    if note.starts_with("the checkpoint was replaced") {
        return "核验期间检查点已更新".to_owned();
    }
    if let Some(names) = note.strip_prefix("cosigned by ") {
        return format!("已联署:{names}");
    }
    if let Some(size) = note.strip_prefix("continues the older checkpoint of ") {
        return format!("延续较早的检查点({} 条记录)", size.trim_end_matches(" records"));
    }
    if let Some(old) = note.strip_prefix("continues ") {
        return format!(
            "接续账本 {}",
            old.replace(" after ", ",其 ").replace(" records, head ", " 条记录,链头 ")
        );
    }
    if note.starts_with("the checkpoint is not to be believed") {
        return "检查点不可信:未与其比较".to_owned();
    }
    if let Some(what) = note.strip_prefix("not checked") {
        let what = if what.contains("bodies") {
            "站点不含正文与命令:未检查正文、命令及其签名"
        } else {
            "未检查是否回滚:未提供较早的检查点(--since)"
        };
        return what.to_owned();
    }
    if note.starts_with("the older checkpoint has another size") {
        return "较早的检查点大小不同:证据包无法说明是否延续".to_owned();
    }
    if note.starts_with("records intact:") {
        return "记录完好:仅树片受损".to_owned();
    }
    if note.starts_with("each record is proven;") {
        return "每条记录均已证实;是否另有记录计入该数字,证据包无法说明".to_owned();
    }
    if let Some((count, _)) = note.split_once(" records of the project from its first on;") {
        return format!("该项目自首条起共 {count} 条记录;其后是否另有记录,证据包无法说明");
    }
    if let Some((what, rest)) = note.strip_prefix("tile ").and_then(|note| note.split_once(": ")) {
        let what = if what.starts_with("missing") { "树片缺失" } else { "树片受损" };
        let records = if note.contains("records intact") { ",记录完好" } else { "" };
        let place = rest.trim_end_matches("; delete tiles/, publishing makes it anew");
        let place = place.replace(", record ", ",记录 ").replace(", byte ", ",字节 ");
        let place = place.replace(", length", ",长度").replace(", and ", ",另有 ").replace(" more", " 处");
        return format!("{what}{records}:{place};删除 tiles/ 后,发布时重建");
    }
    let claim = note.strip_prefix("the ").and_then(|note| {
        let note = note.strip_prefix("older ").unwrap_or(note);
        note.split_once(' ')
    });
    let older = note.starts_with("the older ");
    if let Some((name, rest)) = claim {
        let name = if older { "较早的检查点" } else { name };
        let of = rest.strip_prefix("of ").and_then(|rest| rest.strip_suffix(" records holds"));
        if let Some(size) = of {
            return format!("与 {name} 相符({size} 条记录)");
        }
        if rest.starts_with("was not compared") {
            let why = if rest.ends_with("missing") { "树片或记录缺失" } else { "记录受损" };
            return format!("未与 {name} 比较:{why}");
        }
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
