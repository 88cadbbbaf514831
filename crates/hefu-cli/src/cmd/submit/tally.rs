//! What became of the lines: counts, receipts, and the first one that was refused.

use hefu_chain::receipt::Refusal;
use hefu_engine::{Accepted, Mode};
use hefu_exchange::journal::JournalError;
use serde_json::{Value, json};

use super::{Args, fields::field_of, pipeline::Slot, receipts::Receipts};
use crate::{
    context::Context,
    error::{CliError, Result, Why, exit},
    lang::text,
    render::{self, Column, Format, Json, Page, Table, plain, shown},
    write::receipt_json,
    writing::Writing,
};

/// The answer to one line.
pub(super) enum Verdict {
    Accepted(Accepted),
    Repeated(Accepted),
    Refused(Why, Option<Box<Refusal>>),
    Skipped,
}

/// Counts.
pub(super) struct Tally<'a> {
    context: &'a Context,
    args: &'a Args,
    receipts: Option<Receipts>,
    accepted: u64,
    repeated: u64,
    refused: u64,
    /// The exit code of the first line that is wrong.
    exit: u8,
    positions: Option<(u64, u64)>,
    head: Option<String>,
    /// What stopped a run that stops.
    stop: Option<CliError>,
    /// The refusals of a run that goes on.
    refusals: Vec<Value>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(context: &'a Context, args: &'a Args, receipts: Option<Receipts>) -> Self {
        Tally {
            context,
            args,
            receipts,
            accepted: 0,
            repeated: 0,
            refused: 0,
            exit: exit::DONE,
            positions: None,
            head: None,
            stop: None,
            refusals: Vec::new(),
        }
    }

    /// Whether a line was refused or could not be read.
    pub(super) fn any_wrong(&self) -> bool {
        self.refused > 0
    }

    /// The exit code of a run that went on: that of the first line that is wrong.
    pub(super) fn exit(&self) -> u8 {
        self.exit
    }

    /// Counts one answer.
    pub(super) fn count(&mut self, slot: &Slot, verdict: Verdict) -> Result {
        match verdict {
            Verdict::Accepted(accepted) => {
                self.accepted += 1;
                let last = accepted.position + u64::from(accepted.records.max(1)) - 1;
                let first = self.positions.map_or(accepted.position, |(first, _)| first);
                self.positions = Some((first, last));
                if let Some(receipt) = &accepted.receipt {
                    self.head = Some(receipt.head.to_string());
                }
                self.keep_accepted(&accepted)
            }
            Verdict::Repeated(accepted) => {
                self.repeated += 1;
                self.keep_accepted(&Accepted { repeated: true, ..accepted })
            }
            Verdict::Refused(why, signed) => {
                let line = slot.line;
                self.keep(&json!({
                    "id": signed.as_ref().map(|refusal| refusal.id.to_string()),
                    "line": line, "code": why.code, "refusal": signed,
                }))?;
                let mut error = CliError::refused(why.clone());
                if let Some(field) = field_of(&why, slot.kind) {
                    error = error.at("field", field);
                }
                let error = error.at("file", self.args.name()).at("line", line);
                if self.args.mode() == Mode::Each {
                    self.wrong(&error);
                } else if self.stop.is_none() {
                    self.stop = Some(self.stopped(line, error));
                }
                Ok(())
            }
            Verdict::Skipped => Ok(()),
        }
    }

    /// Counts a line that is wrong, and says so at once.
    pub(super) fn wrong(&mut self, error: &CliError) {
        if self.refused == 0 {
            self.exit = error.exit();
        }
        self.refused += 1;
        self.refusals.push(error.to_json(self.context.lang));
        crate::report(self.context, error);
    }

    /// The error that stops the run at a line, with what was recorded and how to go on.
    pub(super) fn stopped(&mut self, line: u64, error: CliError) -> CliError {
        self.refused += 1;
        let (file, recorded) = (self.args.name(), self.accepted);
        let recorded = if self.args.mode() == Mode::Stop { recorded } else { 0 };
        let (zh, en) = match self.args.mode() {
            Mode::Stop | Mode::Each => {
                (format!("已入账 {recorded} 条"), format!("{recorded} commands were recorded"))
            }
            Mode::Atomic | Mode::DryRun => ("未入账任何命令".to_owned(), "nothing was recorded".to_owned()),
        };
        let reason = |lang| error.reason(lang).map_or_else(|| error.message(lang).to_owned(), str::to_owned);
        let why = text(reason(crate::lang::Lang::Zh), reason(crate::lang::Lang::En));
        let hint = if self.args.mode() == Mode::Stop && self.args.is_stdin() {
            let again = format!("hefu submit - --from-line {line}");
            text(
                format!("更正后从同一来源整体重新输入:`{again}` 略过此行之前的行"),
                format!(
                    "correct the line and feed the whole journal again: `{again}` skips the lines before it"
                ),
            )
        } else if self.args.mode() == Mode::Stop {
            let again = format!("hefu submit {file} --from-line {line}");
            text(format!("更正后运行 `{again}` 继续"), format!("correct the line and go on with `{again}`"))
        } else {
            text("更正后整体重新提交", "correct the line and submit the whole file again")
        };
        let message =
            text(format!("{file} 第 {line} 行有误;{zh}"), format!("{file} line {line} is wrong; {en}"));
        error.because(message, why, hint).at("recorded", recorded)
    }

    /// The first refusal, if the run stops at one.
    pub(super) fn first_refusal(&mut self) -> Result {
        self.stop.take().map_or(Ok(()), Err)
    }

    /// An engine that failed in the middle of a run.
    pub(super) fn failed(&self, error: CliError) -> CliError {
        let hint = text(
            "修复后重新提交同一日志:已入账且带 id 的命令不会重复",
            "repair it and submit the same journal again: commands with an id are never recorded twice",
        );
        error.hint(hint).at("recorded", self.accepted)
    }

    fn keep_accepted(&mut self, accepted: &Accepted) -> Result {
        if let Some(receipts) = &mut self.receipts {
            receipts.note(accepted);
        }
        self.keep(&receipt_json(accepted, self.args.dry_run))
    }

    fn keep(&mut self, receipt: &Value) -> Result {
        self.receipts.as_mut().map_or(Ok(()), |receipts| receipts.keep(receipt))
    }

    /// Proofs for what is on record, if receipts are asked for.
    pub(super) fn prove(&self, ledger: &Writing<'_>) -> Result {
        self.receipts.as_ref().map_or(Ok(()), |receipts| receipts.prove(self.context, ledger))
    }

    /// The result.
    pub(super) fn print(&self) -> Result {
        let (accepted, recorded) = (self.accepted, !self.args.dry_run && self.positions.is_some());
        let undone = self.args.atomic && self.refused > 0;
        let accepted = if undone { 0 } else { accepted };
        let positions = self.positions.filter(|_| recorded && !undone);
        let mut table = Table::new(vec![
            Column::number("accepted", "入账", "accepted"),
            Column::number("repeated", "已在账", "already recorded"),
            Column::number("refused", "拒绝", "refused"),
            Column::number("first_position", "首位置", "first position"),
            Column::number("last_position", "末位置", "last position"),
            Column::text("head", "链头", "head"),
        ]);
        let head = self.head.clone().filter(|_| !undone);
        let short = head.as_deref().map_or_else(String::new, |head| head[..16].to_owned());
        table.rows.push(vec![
            plain(accepted),
            plain(self.repeated),
            plain(self.refused),
            plain(positions.map(|(first, _)| first)),
            plain(positions.map(|(_, last)| last)),
            shown(short, head),
        ]);
        let mut json = table.objects().into_iter().next();
        if let Some(Json::Object(pairs)) = &mut json {
            pairs.push(("dry_run", self.args.dry_run.into()));
            pairs.push(("refusals", Json::List(self.refusals.iter().cloned().map(Json::Value).collect())));
        }
        let dry = text("仅试算,未入账", "only tried; nothing was recorded");
        let notes = if self.args.dry_run { vec![dry] } else { Vec::new() };
        if self.context.quiet
            && self.context.format == Format::Table
            && self.accepted + self.repeated + self.refused == 0
        {
            return Ok(());
        }
        let json = json.unwrap_or(Json::List(Vec::new()));
        render::print(self.context, &Page { tables: vec![table], data: None, notes, json })
    }
}

/// A line that cannot be read.
pub(crate) fn unreadable(error: JournalError) -> CliError {
    let JournalError { column, field, problem, .. } = error;
    let exit = if problem.code() == "io" { exit::IO } else { exit::BAD_INPUT };
    let message = text(problem.why_zh(), problem.why());
    let mut shown = CliError::new(problem.code(), exit, message.clone())
        .why(message)
        .hint(text(problem.hint_zh(), problem.hint()));
    if let Some(column) = column {
        shown = shown.at("column", column);
    }
    match field {
        Some(field) => shown.at("field", field),
        None => shown,
    }
}
