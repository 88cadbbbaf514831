//! What the crates below say, as errors of the command line: their code, where they point, what to do.

use std::fmt::Write as _;

use hefu_engine::{Disagreement, EngineError, PublishError, SiteProblem};
use hefu_exchange::FileError;
use hefu_store::StoreError;
use serde_json::Value;

use super::{CliError, exit};
use crate::lang::text;

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> CliError {
        let error = match error.downcast::<CliError>() {
            Ok(error) => return error,
            Err(error) => error,
        };
        match error.downcast::<EngineError>() {
            Ok(error) => error.into(),
            Err(error) => {
                let why = format!("{error:#}");
                CliError::new("failed", exit::IO, text("无法完成", "this could not be done"))
                    .why(text(why.clone(), why))
            }
        }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> CliError {
        let FileError { file, sheet, row, column, field, value, problem } = error;
        let exit = if problem.code() == "io" { exit::IO } else { exit::BAD_INPUT };
        let message = text(format!("{file} 不可用"), format!("{file} cannot be used"));
        let mut shown = CliError::new(problem.code(), exit, message)
            .why(text(problem.why_zh(), problem.why()))
            .hint(text(problem.hint_zh(), problem.hint()))
            .at("file", file);
        let (sheet, cell) = sheet.map_or((None, None), |place| (Some(place.name), place.cell));
        let parts = [("sheet", sheet.map(Value::from)), ("cell", cell.map(Value::from))];
        let more = [("row", row.map(Value::from)), ("column", column.map(Value::from))];
        let last = [("field", field.map(Value::from)), ("value", value.map(Value::from))];
        for (key, value) in parts.into_iter().chain(more).chain(last) {
            if let Some(value) = value {
                shown = shown.at(key, value);
            }
        }
        shown
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> CliError {
        let detail = chain(&error);
        let why = text(detail.clone(), detail);
        let verify = text(
            "运行 `hefu audit verify` 和 `hefu audit replay` 定位问题",
            "run `hefu audit verify` and `hefu audit replay` to find the place",
        );
        let (code, exit, message, hint) = match &error {
            EngineError::Store(store) => return store_error(store),
            EngineError::File { path, .. } => {
                let message = text(
                    format!("无法访问 {}", path.display()),
                    format!("{} cannot be accessed", path.display()),
                );
                ("io", exit::IO, message, None)
            }
            EngineError::BadFile { path, .. } => {
                let message =
                    text(format!("{} 不可用", path.display()), format!("{} cannot be used", path.display()));
                ("bad_file", exit::IO, message, None)
            }
            EngineError::Checkpoint { path, old, size, why } => {
                return contradiction(&path.display().to_string(), *old, *size, *why, chain(&error));
            }
            EngineError::Witnesses(unheld) => return CliError::from(unheld),
            EngineError::NoKey { name, path } => {
                let message = text(format!("没有密钥 `{name}`"), format!("there is no key `{name}`"));
                let hint = text(
                    format!("密钥存放在 {};名称如 330108、330108/statistics、log", path.display()),
                    format!(
                        "keys are kept in {}; names are like 330108, 330108/statistics, log",
                        path.display()
                    ),
                );
                ("no_key", exit::NO_PERMISSION, message, Some(hint))
            }
            EngineError::ForeignLogKey { .. } => {
                let message = text("账本密钥不属于此账本", "the log key is not this ledger's");
                ("foreign_log_key", exit::NO_PERMISSION, message, None)
            }
            EngineError::BadRecord { position, .. } => {
                let message = text(
                    format!("账本第 {position} 条记录不成立"),
                    format!("record {position} of the log cannot be used"),
                );
                ("bad_record", exit::IO, message, Some(verify))
            }
            EngineError::Sign(_) => {
                ("bad_command", exit::BAD_INPUT, text("命令无法签署", "the command cannot be signed"), None)
            }
            EngineError::Internal(_) | EngineError::Random(_) | EngineError::Stopped(_) => {
                ("stopped", exit::IO, text("账本已停止工作", "the ledger has stopped"), None)
            }
        };
        let named = matches!(error, EngineError::NoKey { .. } | EngineError::ForeignLogKey { .. });
        let shown = CliError::new(code, exit, message);
        let shown = if named { shown } else { shown.why(why) };
        match hint {
            Some(hint) => shown.hint(hint),
            None => shown,
        }
    }
}

impl From<PublishError> for CliError {
    fn from(error: PublishError) -> CliError {
        let detail = error.to_string();
        match error {
            PublishError::Engine(error) => error.into(),
            PublishError::NotCosigned(_) => {
                let message = text("检查点未获足够见证,未发布", "the checkpoint is not published");
                let hint = text(
                    "使见证人可达后再次运行;旧检查点仍然有效",
                    "try again when the witnesses can be reached; the older checkpoint stands",
                );
                CliError::new("not_cosigned", exit::REFUSED, message)
                    .why(text(detail.clone(), detail))
                    .hint(hint)
            }
            PublishError::NoCheckpoint => {
                let message = text("尚无检查点", "there is no checkpoint yet");
                let hint = text("先运行 `hefu audit checkpoint`", "run `hefu audit checkpoint` first");
                CliError::new("not_covered", exit::REFUSED, message).hint(hint).at("checkpoint_size", 0)
            }
            PublishError::Sizes { .. } => {
                let message = text("没有这样的一致性证明", "there is no such proof");
                CliError::new("no_such_proof", exit::REFUSED, message).why(text(detail.clone(), detail))
            }
            PublishError::Site { path, why } => unfit_site(&path.display().to_string(), why),
            PublishError::Uncovered { position, size } => {
                let message = text(
                    format!("尚无检查点包含第 {position} 条记录"),
                    format!("no checkpoint covers record {position} yet"),
                );
                let hint = text("先运行 `hefu audit checkpoint`", "run `hefu audit checkpoint` first");
                CliError::new("not_covered", exit::REFUSED, message).hint(hint).at("checkpoint_size", size)
            }
            PublishError::NoRecord { position, size } => {
                let message =
                    text(format!("没有第 {position} 条记录"), format!("there is no record {position}"));
                let why = text(
                    format!("账本有 {size} 条记录,从 0 数起"),
                    format!("the log has {size} records, counted from 0"),
                );
                CliError::new("unknown_position", exit::REFUSED, message).why(why).at("size", size)
            }
        }
    }
}

/// A log that does not continue what its key signed.
fn contradiction(path: &str, old: u64, size: u64, why: Disagreement, detail: String) -> CliError {
    let message = text(
        format!("账本与已签署的检查点 {path} 不一致;不得写入,未签署任何内容"),
        format!(
            "the log contradicts the checkpoint {path}; it is not opened for writing and nothing is signed"
        ),
    );
    let why_zh = match why {
        Disagreement::Shorter => format!("检查点有 {old} 条记录,账本只有 {size} 条"),
        Disagreement::Root => format!("账本的前 {old} 条记录得出另一棵树"),
    };
    let hint = text(
        "记录在签署后丢失或被改:运行 `hefu audit verify`,再恢复账本的最新副本",
        "records were lost or changed after it was signed: run `hefu audit verify`, then bring back the newest copy of the log",
    );
    CliError::new("checkpoint_disagrees", exit::REFUSED, message)
        .why(text(why_zh, detail))
        .hint(hint)
        .at("file", path)
        .at("checkpoint_size", old)
        .at("size", size)
}

fn unfit_site(path: &str, why: SiteProblem) -> CliError {
    let (zh, hint) = match why {
        SiteProblem::Inside => ("站点不能放在账本目录内", text("换一个目录", "choose another folder")),
        SiteProblem::Foreign => {
            ("目录非空,且不是站点", text("换一个新的或空的目录", "choose a new or an empty folder"))
        }
        SiteProblem::HasEntries => {
            ("该站点含有记录内容", text("公开站点请另选目录", "make the public site in another folder"))
        }
        SiteProblem::LacksEntries => (
            "该站点建立时不含记录内容",
            text("加上 --public,或另选目录", "add --public, or choose another folder"),
        ),
        SiteProblem::KeyInside => (
            "密钥不得放在由它核验的站点内",
            text("把密钥文件放在站点之外", "put the key file beside the site"),
        ),
    };
    let message = text(format!("无法导出到 {path}"), format!("{path} cannot take the export"));
    CliError::new("unfit_site", exit::CANNOT_CREATE, message)
        .why(text(zh, why.to_string()))
        .hint(hint)
        .at("file", path)
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        store_error(&error)
    }
}

/// A failure of the disk, or of what is on it.
pub(crate) fn store_error(error: &StoreError) -> CliError {
    let detail = chain(error);
    let (code, message, hint) = match error {
        StoreError::Locked { .. } => (
            "ledger_in_use",
            text("账本正被另一个写入程序使用", "the ledger is in use by another writer"),
            text(
                "等待其结束后重试;报表和审计不受影响",
                "try again when it is done; reports and audits need not wait",
            ),
        ),
        StoreError::Missing { .. } => (
            "no_ledger",
            text("这里没有账本", "there is no ledger here"),
            text(
                "用 -L 指明目录,或运行 `hefu init` 新建",
                "name the directory with -L, or make one with `hefu init`",
            ),
        ),
        StoreError::Full { .. } => (
            "disk_full",
            text("磁盘空间不足", "the disk is full"),
            text(
                "腾出空间后重试;已答复的命令都在",
                "free some space and try again; nothing acknowledged is lost",
            ),
        ),
        StoreError::Damaged { .. } | StoreError::Behind { .. } | StoreError::Disagrees { .. } => (
            "log_damaged",
            text("账本数据受损", "the log is damaged"),
            text(
                "运行 `hefu audit verify` 定位,再从备份恢复",
                "run `hefu audit verify` to find the place, then restore a backup",
            ),
        ),
        StoreError::Io { .. }
        | StoreError::Exists { .. }
        | StoreError::Poisoned
        | StoreError::TooLong(_)
        | StoreError::Refused { .. }
        | StoreError::Sled { .. } => (
            "io",
            text("读写账本失败", "the log cannot be read or written"),
            text("检查磁盘与权限后重试", "check the disk and the permissions, then try again"),
        ),
    };
    CliError::new(code, exit::IO, message).why(text(detail.clone(), detail)).hint(hint)
}

/// The error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !out.ends_with(&cause_text) {
            let _ = write!(out, ": {cause_text}");
        }
        next = cause.source();
    }
    out
}
