//! `hefu restore`: a backup takes the place of a ledger that was lost, or becomes the archive of a new one.

use std::path::{Path, PathBuf};

use hefu_chain::origin::Origin;
use hefu_client::FailMode;
use hefu_engine::{
    Cosigner, Inspected, KeyStore, Pins, Restored, Shown, Unheld, inspect, restore, succeed, system_clock,
};

use super::audit::{LogKey, read_policy};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Column, Json, Page, Table, plain, shown},
    witnesses::{Kept, Witnesses},
};

/// `hefu restore`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The backup
    pub(crate) backup: PathBuf,
    /// A checkpoint of the ledger, as a witness or an auditor has it; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// What is left of the ledger's old directory: its checkpoint and head must be in the backup
    #[arg(long, value_name = "DIR")]
    pub(crate) old: Option<PathBuf>,
    /// The log's public key, had from elsewhere: 64 hex digits, a verifier key, or a file that holds either
    #[arg(long, value_name = "HEX|VKEY|FILE")]
    pub(crate) key: Option<String>,
    /// The witnesses (C2SP tlog-policy): each checkpoint given must have their quorum; by default those kept for the
    /// ledger, which are also asked what they saw
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Show what the backup holds, and restore nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Begin a new ledger of this name that cites the backup's head; projects and figures stay in the backup
    #[arg(long, value_name = "NAME", conflicts_with = "preview")]
    pub(crate) new_origin: Option<Origin>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let log_key = args.key.as_deref().map(LogKey::read).transpose()?.map(|key| key.public());
    let kept = kept(context, args)?;
    let named = args.policy.as_deref().map(read_policy).transpose()?;
    // Who may go on without witnesses has checkpoints without them.
    let closed = kept.as_ref().filter(|kept| kept.mode == FailMode::Closed).map(|kept| kept.policy.clone());
    let (checkpoints, old) = (args.checkpoint.clone(), args.old.clone());
    let pins = Pins { checkpoints, old, log_key, policy: named.or(closed) };
    // A new ledger cites what there is: that more was seen is why it gets another name.
    let held = if args.new_origin.is_some() { Pins { log_key, ..Pins::default() } } else { pins };
    let progress = context.progress(None, &text("核验", "verifying"));
    let standing = inspect(&args.backup, &held, &|more| progress.more(more))?;
    drop(progress);
    let asked = match &kept {
        Some(kept) if args.new_origin.is_none() => ask(context, args, kept)?,
        Some(_) | None => false,
    };
    let (state, note) = match (&args.new_origin, args.preview) {
        (_, true) => ("preview", text("仅查看,未恢复", "only shown; nothing was restored")),
        (Some(name), _) => {
            succeed(&args.backup, &standing, context.dir()?, name, system_clock)?;
            ("continued", continued(&args.backup, &context.keys()?))
        }
        (None, false) => {
            let done = restore(&args.backup, &standing, context.dir()?)?;
            ("restored", restored(&context.keys()?, &done))
        }
    };
    let table = table(args, &standing, state, context)?;
    let json = table.objects().into_iter().next().unwrap_or(Json::List(Vec::new()));
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    context.say(&note);
    if standing.pins == 0 && !asked && args.new_origin.is_none() {
        context.say(&text(
            "备份之外没有任何凭据说明账本曾到何处:请用 --checkpoint(见证人或审计者持有的检查点)或 --old 核对",
            "nothing outside the backup says how far the ledger had come: hold it against a checkpoint of a witness or \
             an auditor (--checkpoint) or the old directory (--old)",
        ));
    }
    Ok(exit::DONE)
}

/// The witnesses kept for the ledger that was lost, or with the backup.
fn kept(context: &Context, args: &Args) -> Result<Option<Kept>> {
    match Kept::read(&context.keys()?)? {
        Some(kept) => Ok(Some(kept)),
        None => Kept::read(&KeyStore::beside(&args.backup)),
    }
}

/// Asks them what they saw. Whether enough of them could be asked; opening asks again.
fn ask(context: &Context, args: &Args, kept: &Kept) -> Result<bool> {
    let log = Shown::open(&args.backup)?;
    let witnesses = Witnesses::new(kept.policy.clone(), FailMode::Closed);
    match witnesses.hold(&log) {
        Ok(()) => Ok(true),
        Err(seen @ Unheld::Contradicted { .. }) => Err(CliError::from(&seen)),
        Err(Unheld::TooFew { missing }) => {
            let why = missing.join("; ");
            context.say(&text(
                format!("能询问的见证人不足:{why}"),
                format!("too few witnesses can be asked what they saw: {why}"),
            ));
            Ok(false)
        }
    }
}

fn table(args: &Args, standing: &Inspected, state: &str, context: &Context) -> Result<Table> {
    let mut table = Table::new(vec![
        Column::text("state", "状态", "state"),
        Column::text("ledger", "目录", "directory"),
        Column::text("origin", "账本", "ledger"),
        Column::number("size", "记录数", "records"),
        Column::text("ts", "最后入账", "last recorded at"),
        Column::number("checkpoint", "检查点", "checkpoint"),
        Column::number("pins", "外部凭据", "pins"),
        Column::text("head", "链头", "head"),
    ]);
    let head = standing.head.to_string();
    let dir = if args.preview { args.backup.as_path() } else { context.dir()? };
    let word = match state {
        "preview" => context.lang.pick("查看", "preview"),
        "continued" => context.lang.pick("新账本", "continued"),
        _ => context.lang.pick("已恢复", "restored"),
    };
    table.rows.push(vec![
        shown(word, state),
        plain(dir.display().to_string()),
        plain(standing.origin.to_string()),
        plain(standing.size),
        plain(standing.ts.clone()),
        plain(standing.checkpoint),
        plain(standing.pins),
        shown(head[..16].to_owned(), head),
    ]);
    Ok(table)
}

fn restored(keys: &KeyStore, done: &Restored) -> Text {
    let keys = keys.folder().display().to_string();
    if done.writable {
        return text("账本可继续使用", "the ledger can go on");
    }
    text(
        format!("没有日志密钥,只能查看:将 log.key 放入 {keys}"),
        format!("without the log's key it can only be read: put log.key into {keys}"),
    )
}

fn continued(backup: &Path, keys: &KeyStore) -> Text {
    let (backup, keys) = (backup.display(), keys.folder().display());
    text(
        format!(
            "新账本引用旧账本的链头;旧记录留在 {backup} 备查,企业、项目和指标须由各地重新登记;根密钥在 {keys},请交各持有人"
        ),
        format!(
            "the new ledger cites the old head; the old records stay in {backup} as an archive, and enterprises, \
             projects and figures must be registered again by their offices; the root keys are in {keys}: give them to \
             their holders"
        ),
    )
}

impl From<hefu_engine::BackupError> for CliError {
    fn from(error: hefu_engine::BackupError) -> CliError {
        use hefu_engine::BackupError;
        let detail = error.to_string();
        match error {
            BackupError::Engine(error) => error.into(),
            BackupError::Sled => {
                let message = text("sled 账本不能备份", "a log in sled cannot be backed up");
                CliError::new("backup_needs_segments", exit::REFUSED, message)
                    .why(text("仅支持以 segments 存储的账本".to_owned(), detail))
            }
            BackupError::Damaged { findings, .. } => {
                let message = text("读到的内容有误,未复制", "what was read is damaged; nothing was copied");
                let why = text(format!("{findings} 处问题"), detail);
                let hint =
                    text("运行 `hefu audit verify` 查看全部", "see all of it with `hefu audit verify`");
                CliError::new("log_damaged", exit::IO, message).why(why).hint(hint).at("findings", findings)
            }
            BackupError::Changed { path } => {
                let file = path.display().to_string();
                let message = text("备份期间有遮盖在进行", "a redaction was at work during the backup");
                let hint = text("请再运行一次", "run it again");
                CliError::new("backup_changed", exit::REFUSED, message).hint(hint).at("file", file)
            }
            BackupError::Place { path, why } => {
                let file = path.display().to_string();
                let message = text(format!("不能使用 {file}"), format!("{file} cannot be used"));
                CliError::new("unfit_backup", exit::CANNOT_CREATE, message)
                    .why(text(why.clone(), why))
                    .at("file", file)
            }
            BackupError::Unwitnessed { path, missing } => {
                let file = path.display().to_string();
                let message = text(
                    format!("{file} 的见证人数不足,不能作为凭据"),
                    format!("too few witnesses stand behind {file}; it is no pin"),
                );
                let why =
                    text(format!("缺:{}", missing.join("、")), format!("missing: {}", missing.join(", ")));
                CliError::new("no_quorum", exit::REFUSED, message).why(why).at("file", file)
            }
            BackupError::Older { path, seen, size, why } => {
                let file = path.display().to_string();
                let forked = why.contains("another");
                let message = text(
                    format!("{file} 见过 {seen} 条记录,这里的 {size} 条与之不符"),
                    format!("{file} has seen {seen} records, which the {size} here do not continue"),
                );
                let zh = if forked { "是另一段历史" } else { "记录有缺失" };
                let hint = text(
                    "取用更新的备份;若没有,用 --new-origin 另立账本,引用旧链头",
                    "use a newer backup; if there is none, begin a new ledger that cites the old head: --new-origin",
                );
                let code = if forked { "backup_forked" } else { "backup_older" };
                CliError::new(code, exit::REFUSED, message)
                    .why(text(zh, why))
                    .hint(hint)
                    .at("file", file)
                    .at("seen", seen)
                    .at("size", size)
            }
        }
    }
}
