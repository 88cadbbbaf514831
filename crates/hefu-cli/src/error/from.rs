//! What the crates below say, as errors of the command line: their code, where they point, what to do.

use std::fmt::Write as _;

use hefu_engine::EngineError;
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
        let FileError { file, row, column, field, value, problem } = error;
        let exit = if problem.code() == "io" { exit::IO } else { exit::BAD_INPUT };
        let message = text(format!("{file} 不可用"), format!("{file} cannot be used"));
        let mut shown = CliError::new(problem.code(), exit, message)
            .why(text(problem.why_zh(), problem.why()))
            .hint(text(problem.hint_zh(), problem.hint()))
            .at("file", file);
        let parts = [("row", row.map(Value::from)), ("column", column.map(Value::from))];
        let more = [("field", field.map(Value::from)), ("value", value.map(Value::from))];
        for (key, value) in parts.into_iter().chain(more) {
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
