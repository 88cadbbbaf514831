//! `hefu dispute evidence`: the files behind a dispute. Digests are on the chain, files beside the ledger.

use std::path::PathBuf;

use clap::Subcommand;
use hefu_chain::hash::Sha256Digest;
use hefu_domain::id::{Digest, Evidence};
use hefu_store::evidence::Holding;
use serde_json::json;

use super::{
    act::{self, digest},
    course::{self, Item},
    files::{self, Exhibit},
};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::{Lang, text},
    render::{self, Column, Json, Page, Table, plain, shown},
    write::Signing,
};

/// `hefu dispute evidence`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Add files to an open dispute; by a party
    Add(Add),
    /// Copy a file out of the folder, if it is still what its digest says
    Get(Get),
    /// Withdraw a piece of evidence and remove its file; by its holder
    Withdraw(Withdraw),
    /// Compare the folder with the ledger
    Check(Check),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The dispute
    pub(crate) dispute: String,
    /// A file and what it shows; may be repeated
    #[arg(required = true, value_name = "FILE[:TEXT]")]
    pub(crate) files: Vec<Exhibit>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// Digest of the file
    pub(crate) sha256: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Withdraw {
    /// The dispute
    pub(crate) dispute: String,
    /// Digest of the file
    pub(crate) sha256: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Remove files that were withdrawn on record
    #[arg(long)]
    pub(crate) remove_withdrawn: bool,
}

/// Runs it.
pub(super) fn run(context: &Context, args: Args) -> Result<u8> {
    context.evidence()?;
    match args.what {
        What::Add(args) => {
            let items = files::put(context, &args.files, &args.signing.signer)?;
            act::act(context, "add_evidence", &args.dispute, &args.signing, |_| vec![("evidence", items)])
        }
        What::Get(args) => get(context, &args),
        What::Withdraw(args) => withdraw(context, &args),
        What::Check(args) => check(context, &args),
    }
}

fn parse(text_of: &str) -> Result<Sha256Digest> {
    let hex = text_of.strip_prefix("sha256:").unwrap_or(text_of);
    hex.parse().map_err(|_| {
        let message = text(format!("`{text_of}` 不是摘要"), format!("`{text_of}` is not a digest"));
        let hint = text("应为 64 位十六进制", "write 64 hex digits");
        CliError::usage(message).hint(hint).at("field", "sha256")
    })
}

fn get(context: &Context, args: &Get) -> Result<u8> {
    let sha256 = parse(&args.sha256)?;
    if args.out.exists() {
        let name = args.out.display().to_string();
        let message = text(format!("{name} 已存在"), format!("{name} exists already"));
        return Err(CliError::new("file_exists", exit::CANNOT_CREATE, message).at("file", name));
    }
    let folder = context.evidence()?;
    let size = match folder.get(&sha256, &args.out)? {
        Holding::Whole(size) => size,
        Holding::Missing => {
            let message =
                text(format!("文件夹中没有 {sha256}"), format!("the folder does not have {sha256}"));
            let hint = text("文件由持有机构保存,或已撤回", "its holder keeps it, or it was withdrawn");
            return Err(CliError::new("evidence_not_here", exit::REFUSED, message).hint(hint));
        }
        Holding::Altered(now) => {
            let message = text(
                format!("{sha256} 的文件已被改动,现为 {now}"),
                format!("the file of {sha256} was altered: its digest is now {now}"),
            );
            let hint = text("用原文件再次提交即可恢复", "adding the right file again puts it back");
            return Err(CliError::new("evidence_altered", exit::REFUSED, message).hint(hint));
        }
    };
    let json = json!({"file": args.out.display().to_string(), "sha256": sha256.to_string(), "size": size});
    let notes =
        vec![text(format!("已写出 {size} 字节,摘要相符"), format!("{size} bytes written; the digest fits"))];
    render::print(context, &Page { tables: Vec::new(), data: None, notes, json: json.into() })?;
    Ok(exit::DONE)
}

fn withdraw(context: &Context, args: &Withdraw) -> Result<u8> {
    let sha256 = parse(&args.sha256)?;
    let done = act::act(context, "withdraw_evidence", &args.dispute, &args.signing, |_| {
        vec![("sha256", Some(json!(digest(&sha256.to_string())))), ("reason", Some(json!(args.reason)))]
    })?;
    if args.signing.dry_run {
        return Ok(done);
    }
    // Another dispute may still rest on the same file.
    let state = context.reader()?.views.state;
    let used = state
        .disputes
        .values()
        .any(|dispute| dispute.evidence.iter().any(|(known, _)| known.0.0 == sha256.0));
    let folder = context.evidence()?;
    if used {
        context.say(&text("另一争议仍引用该文件,文件保留", "another dispute rests on the file; it stays"));
    } else if folder.withdraw(&sha256)? {
        context.say(&text("文件已移除", "the file is removed"));
    }
    Ok(done)
}

/// How a piece of evidence stands.
fn standing(context: &Context, item: &Item, holding: Holding) -> (&'static str, &'static str) {
    let lang = context.lang;
    match (item.withdrawn.is_some(), holding) {
        (true, Holding::Missing) => ("withdrawn", lang.pick("已撤回", "withdrawn")),
        (true, Holding::Whole(_) | Holding::Altered(_)) => {
            ("withdrawn_but_here", lang.pick("已撤回,文件仍在", "withdrawn, file still here"))
        }
        (false, Holding::Whole(_)) => ("whole", lang.pick("完好", "whole")),
        (false, Holding::Missing) => ("missing", lang.pick("不在本机", "not here")),
        (false, Holding::Altered(_)) => ("altered", lang.pick("已改动", "altered")),
    }
}

fn check(context: &Context, args: &Check) -> Result<u8> {
    let (reader, position) = find::reader(context, None)?;
    let folder = context.evidence()?;
    let mut table = Table::new(vec![
        Column::text("dispute", "争议", "dispute"),
        Column::text("sha256", "摘要", "digest"),
        Column::text("description", "说明", "shows"),
        Column::text("holder", "持有", "holder"),
        Column::text("status", "状态", "status"),
    ]);
    let mut extra = folder.list()?;
    let mut altered = 0;
    for id in reader.views.state.disputes.keys() {
        for item in course::evidence(&reader, *id)? {
            let sha256 = Sha256Digest(item.file.sha256.0.0);
            extra.retain(|known| *known != sha256);
            let mut holding = folder.holding(&sha256)?;
            let needed = reader.views.state.disputes.values();
            let needed = needed.flat_map(|dispute| &dispute.evidence).any(|(known, _)| known.0.0 == sha256.0);
            if args.remove_withdrawn && !needed && item.withdrawn.is_some() && folder.withdraw(&sha256)? {
                holding = Holding::Missing;
            }
            let (key, word) = standing(context, &item, holding);
            altered += u32::from(key == "altered");
            table.rows.push(vec![
                plain(id.to_string()),
                shown(short(context.lang, &item.file.sha256), item.file.sha256.to_string()),
                plain(item.file.description.clone()),
                plain(item.file.holder.to_string()),
                shown(word, key),
            ]);
        }
    }
    for sha256 in extra {
        let known = Evidence(Digest(sha256.0));
        table.rows.push(vec![
            plain(""),
            shown(short(context.lang, &known), known.to_string()),
            plain(""),
            plain(""),
            shown(context.lang.pick("账本未引用", "not on record"), "not_on_record"),
        ]);
    }
    let json = Json::Object(vec![("position", position.into()), ("rows", Json::List(table.objects()))]);
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    Ok(if altered > 0 { exit::REFUSED } else { exit::DONE })
}

fn short(_: Lang, sha256: &Evidence) -> String {
    sha256.to_string().chars().take(23).collect()
}
