//! `hefu audit monitor`: holds a site to what the run before saw, tells new records, raises alarms.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use hefu_chain::leaf::{Leaf, LeafRef};
use hefu_client::{Alarm, Http, Memory, Watched, watch};
use hefu_witness::{Disk, Files};
use serde_json::{Value, json};

use super::{key::LogKey, site};
use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    find,
    lang::text,
    render::{self, Column, Page, Table, plain},
};

/// `hefu audit monitor`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The site: its address, or its folder
    #[arg(value_name = "URL|DIR")]
    site: String,
    /// The log's verifier key, had from elsewhere, or a file that holds it
    #[arg(long, value_name = "VKEY|FILE")]
    key: String,
    /// What is remembered from run to run; made by the first
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Tell new records of this project only (UUID); repeatable
    #[arg(long, value_name = "UUID")]
    project: Vec<String>,
    /// Tell new records by this key only (key id); repeatable
    #[arg(long, value_name = "KEYID")]
    actor: Vec<String>,
    /// Tell new records of this type only, such as transfer.proposed; repeatable
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// Tell new records of this region's keys and projects; needs a copy of the ledger (-L)
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Post an alarm as JSON to this address
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Run this on an alarm, with the alarm as JSON on its input
    #[arg(long, value_name = "PROGRAM")]
    command: Option<PathBuf>,
}

/// Runs it: 0 the log grew as it should, 1 nothing can be said, 2 alarm.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let key = LogKey::read(&args.key)?;
    let named = key.origin().and_then(|origin| key.verifier(&origin));
    let Some(key) = named else {
        let message = text("需要带账本名称的验证密钥", "a verifier key that names its log is needed");
        return Err(CliError::new("bad_key", exit::BAD_INPUT, message));
    };
    let memory = remembered(&args.state)?;
    let filter = Filter::new(context, args)?;
    let source = site::open(&args.site, context.lang)?;
    let interest = |leaf: &LeafRef<'_>| filter.wants(leaf);
    let watched =
        watch(&*source, std::slice::from_ref(&key), memory.as_ref(), &interest).map_err(|error| {
            let why = error.to_string();
            let message = text("未能核对站点", "the site cannot be checked");
            CliError::new("not_watchable", exit::REFUSED, message).why(text(why.clone(), why))
        })?;
    if let Some(memory) = watched.memory.as_ref().filter(|_| watched.memory != memory) {
        let bytes = format!("{}\n", json!(memory));
        Files
            .replace(&args.state, bytes.as_bytes())
            .map_err(|error| CliError::io(("写入", "write"), &args.state, &error))?;
    }
    let told = watched.alarm.as_ref().map(|alarm| tell(context, args, &watched, alarm)).transpose()?;
    print(context, args, &watched)?;
    match told {
        None => Ok(exit::DONE),
        Some(()) => Ok(exit::PROVEN_BAD),
    }
}

/// Which new records are told. Without any wish, all.
struct Filter {
    streams: BTreeSet<String>,
    actors: BTreeSet<String>,
    kinds: Vec<String>,
    all: bool,
}

impl Filter {
    fn new(context: &Context, args: &Args) -> Result<Filter> {
        let mut streams: BTreeSet<String> = args.project.iter().map(|id| format!("project/{id}")).collect();
        let mut actors: BTreeSet<String> = args.actor.iter().cloned().collect();
        if let Some(name) = &args.region {
            // A leaf says neither where a project is nor whose a key is; the ledger does.
            let reader = context.reader()?;
            let state = &reader.views.state;
            let area = find::region(state, name)?.id;
            let inside = |region| state.regions.is_within(region, area);
            let touches = |project: &hefu_domain::state::Project| {
                let to = project.successions.iter().map(|known| known.to);
                project.stays.iter().any(|stay| inside(stay.region))
                    || project.transfers.iter().any(|transfer| inside(transfer.destination))
                    || to.into_iter().any(inside)
            };
            let projects = state.projects.iter().filter(|(_, project)| touches(project));
            streams.extend(projects.map(|(id, _)| format!("project/{id}")));
            let keys = state.keyring.keys.iter().filter(|(_, key)| inside(key.region));
            actors.extend(keys.map(|(id, _)| id.to_string()));
        }
        let all = args.project.is_empty() && args.actor.is_empty() && args.region.is_none();
        Ok(Filter { streams, actors, kinds: args.kind.clone(), all })
    }

    fn wants(&self, leaf: &LeafRef<'_>) -> bool {
        let who =
            self.all || self.streams.contains(leaf.stream) || self.actors.contains(&leaf.actor.to_string());
        who && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == leaf.kind))
    }
}

fn remembered(path: &Path) -> Result<Option<Memory>> {
    if !path.exists() {
        return Ok(None);
    }
    serde_json::from_slice(&read_file(path)?).map(Some).map_err(|error| {
        let (name, why) = (path.display().to_string(), error.to_string());
        let message =
            text(format!("{name} 不是监视状态文件"), format!("{name} is no state file of a monitor"));
        CliError::new("bad_file", exit::BAD_INPUT, message).why(text(why.clone(), why)).at("file", name)
    })
}

/// Evidence to a file beside the state, the alarm to whoever should hear it. Who cannot be told is named; the alarm
/// stands all the same.
fn tell(context: &Context, args: &Args, watched: &Watched, alarm: &Alarm) -> Result {
    let mut json = described(watched);
    if let Some(evidence) = &alarm.evidence {
        let mut path = args.state.clone().into_os_string();
        path.push(".evidence.json");
        let path = PathBuf::from(path);
        Files
            .replace(&path, &evidence.to_bytes())
            .map_err(|error| CliError::io(("写入", "write"), &path, &error))?;
        json["evidence"] = json!(path.display().to_string());
    }
    json["site"] = json!(args.site);
    let body = format!("{json}\n");
    let untold = |whom: &str, why: String| {
        context.say(&text(format!("未能通知 {whom}:{why}"), format!("{whom} could not be told: {why}")));
    };
    if let Some(url) = &args.webhook {
        let http = Http::new(Duration::from_secs(20));
        match http.post(url, "application/json", body.as_bytes(), 1 << 20) {
            Ok(answer) if (200..300).contains(&answer.status) => {}
            Ok(answer) => untold(url, answer.status.to_string()),
            Err(error) => untold(url, error.to_string()),
        }
    }
    if let Some(program) = &args.command {
        let name = program.display().to_string();
        let ran = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().and_then(
            |mut child| {
                if let Some(mut input) = child.stdin.take() {
                    // A program that does not want to read it has been told, too.
                    let _ = input.write_all(body.as_bytes());
                }
                child.wait()
            },
        );
        match ran {
            Ok(status) if status.success() => {}
            Ok(status) => untold(&name, status.to_string()),
            Err(error) => untold(&name, error.to_string()),
        }
    }
    Ok(())
}

fn described(watched: &Watched) -> Value {
    let Watched { before, now, alarm, read, public, records, .. } = watched;
    let verdict = if alarm.is_some() { "alarm" } else { "grew" };
    json!({
        "verdict": verdict, "before": before, "now": now, "alarm": alarm, "read": read,
        "entries": !public, "records": records,
    })
}

fn print(context: &Context, args: &Args, watched: &Watched) -> Result {
    let mut table = Table::new(vec![
        Column::number("seq", "位置", "position"),
        Column::text("ts", "入账时刻", "instant"),
        Column::text("stream", "流", "stream"),
        Column::text("type", "类型", "type"),
        Column::text("actor", "密钥编号", "key id"),
    ]);
    for Leaf { seq, ts, stream, kind, actor, .. } in &watched.records {
        let actor = actor.to_string();
        table.rows.push(vec![
            plain(*seq),
            plain(ts.clone()),
            plain(stream.clone()),
            plain(kind.clone()),
            plain(actor),
        ]);
    }
    let mut notes = Vec::new();
    if let Some(now) = &watched.now {
        let before = watched.before.as_ref().map_or(0, |before| before.size);
        notes.push(text(
            format!("{}:{} 条记录(上次 {before}),树根 {}", now.origin, now.size, now.root),
            format!("{}: {} records ({before} before), root {}", now.origin, now.size, now.root),
        ));
    }
    if watched.public {
        notes.push(text(
            "站点不含记录内容,无法列出新记录",
            "the site has no entries: new records cannot be told",
        ));
    }
    if let Some(alarm) = &watched.alarm {
        let positions: Vec<String> = alarm.positions.iter().take(20).map(u64::to_string).collect();
        let kind = json!(alarm.kind);
        let (kind, places) = (kind.as_str().unwrap_or_default().to_owned(), positions.join(", "));
        notes.push(text(
            format!("警报 [{kind}]:{} {places}", alarm.what),
            format!("alarm [{kind}]: {} {places}", alarm.what),
        ));
    }
    let tables = if watched.records.is_empty() { Vec::new() } else { vec![table.clone()] };
    let mut json = described(watched);
    json["site"] = json!(args.site);
    render::print(context, &Page { tables, data: None, notes, json: json.into() })
}
