//! Signed commands in, receipts out, for every wire.

use std::sync::Arc;

use hefu_api::{
    ledger::{accepted, answer, outcome},
    problem::{Kind, Problem},
    v1,
};
use hefu_engine::{Mode, Session, undone};

use crate::desk::{Desk, HandedIn, failed};

/// One command.
pub(crate) async fn one(
    desk: &Arc<Desk>,
    command: Vec<u8>,
    dry_run: bool,
) -> Result<v1::SubmitResponse, Problem> {
    let mode = if dry_run { Mode::DryRun } else { Mode::Each };
    let answers = desk.submit(vec![command], mode, None).await?;
    let accepted = outcome(answers.into_iter().next().ok_or_else(failed)?)?;
    Ok(v1::SubmitResponse { accepted: Some(accepted) })
}

/// How the commands of a request belong together.
pub(crate) fn mode(asked: &v1::SubmitBatchRequest) -> Result<Mode, Problem> {
    match (asked.stop_at_refusal, asked.all_or_none, asked.dry_run) {
        (false, false, false) => Ok(Mode::Each),
        (true, false, false) => Ok(Mode::Stop),
        (false, true, false) => Ok(Mode::Atomic),
        (false, false, true) => Ok(Mode::DryRun),
        (_, more, _) => Err(Problem::usage(
            if more { "all_or_none" } else { "dry_run" },
            "stop_at_refusal、all_or_none、dry_run 至多选一",
            "at most one of stop_at_refusal, all_or_none and dry_run",
        )),
    }
}

/// Many; a refusal is an answer.
pub(crate) async fn batch(
    desk: &Arc<Desk>,
    commands: Vec<Vec<u8>>,
    mode: Mode,
    session: Option<Session>,
) -> Result<v1::SubmitBatchResponse, Problem> {
    answered(desk.hand_in(commands, mode, session).await?, mode).await
}

/// The answers to many that were handed in.
pub(crate) async fn answered(waiting: HandedIn, mode: Mode) -> Result<v1::SubmitBatchResponse, Problem> {
    let mut answers = waiting.answers().await?;
    if mode == Mode::Atomic {
        undone(&mut answers);
    }
    Ok(v1::SubmitBatchResponse { answers: answers.into_iter().map(answer).collect() })
}

/// The receipt of a command.
pub(crate) async fn receipt(desk: &Arc<Desk>, id: String) -> Result<v1::GetReceiptResponse, Problem> {
    let wrong = |_| Problem::usage("id", "编号应为 UUID", "the id is a UUID");
    let uuid = uuid::Uuid::try_parse(&id).map_err(wrong)?;
    let found = desk.work(move |desk| Ok(desk.engine.recorded(vec![uuid])?)).await?;
    let recorded = found.into_iter().next().flatten().ok_or_else(|| {
        let (zh, en) = (format!("没有命令 `{id}`"), format!("there is no command `{id}`"));
        Problem::new(Kind::Unknown, "unknown_command_id", zh, en).at("id")
    })?;
    Ok(v1::GetReceiptResponse { accepted: Some(accepted(recorded.accepted)) })
}
