//! Signed commands in, receipts out, for every wire.

use std::{mem, sync::Arc, time::Duration};

use hefu_api::{
    ledger::{accepted, answer, outcome},
    problem::{Kind, Problem},
    v1,
};
use hefu_engine::{Mode, Session, undone};
use tokio::sync::OwnedSemaphorePermit;

use crate::desk::{Desk, HandedIn, failed};

/// Bytes of commands that go together over several requests of one stream.
pub(crate) const TOGETHER: usize = 64 << 20;
/// The same of all streams at once, in KiB: what has come and waits for the rest.
pub(crate) const GATHERED_KIB: usize = 128 << 10;
/// How long a stream may take to say the rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

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

/// The requests of one stream of commands.
pub(crate) struct Requests {
    desk: Arc<Desk>,
    session: Session,
    mode: Option<Mode>,
    gathered: Gathered,
}

/// The answer to one request of a stream.
pub(crate) enum Due {
    /// The writer has its commands.
    HandedIn(HandedIn, Mode),
    /// It is there.
    Answered(v1::SubmitBatchResponse),
}

impl Due {
    /// Waits for it.
    pub(crate) async fn answer(self) -> Result<v1::SubmitBatchResponse, Problem> {
        match self {
            Due::HandedIn(handed_in, mode) => answered(handed_in, mode).await,
            Due::Answered(answer) => Ok(answer),
        }
    }
}

/// Commands that go together with what is still to come.
#[derive(Default)]
struct Gathered {
    commands: Vec<Vec<u8>>,
    /// How many came with each request.
    parts: Vec<usize>,
    bytes: usize,
    place: Option<OwnedSemaphorePermit>,
}

impl Requests {
    pub(crate) fn new(desk: Arc<Desk>) -> Requests {
        Requests { desk, session: Session::default(), mode: None, gathered: Gathered::default() }
    }

    /// Whether more is to come of what goes together: then it is to come soon.
    pub(crate) fn waits(&self) -> bool {
        !self.gathered.parts.is_empty()
    }

    /// Takes the next request. Gives what is due: one answer, or none yet, or one to each request that it ends.
    pub(crate) async fn take(&mut self, asked: v1::SubmitBatchRequest) -> Result<Vec<Due>, Problem> {
        let first = mode(&asked)?;
        let mode = *self.mode.get_or_insert(first);
        if !asked.more && !self.waits() {
            let handed_in = self.desk.hand_in(asked.commands, mode, Some(self.session.clone())).await?;
            return Ok(vec![Due::HandedIn(handed_in, mode)]);
        }
        if !matches!(mode, Mode::Atomic | Mode::DryRun) {
            let (zh, en) = ("more 只用于 all_or_none 或 dry_run", "more is for all_or_none or dry_run");
            return Err(Problem::usage("more", zh, en));
        }
        self.gather(asked.commands).await?;
        if asked.more {
            return Ok(Vec::new());
        }
        let Gathered { commands, parts, place, .. } = mem::take(&mut self.gathered);
        let done = batch(&self.desk, commands, mode, Some(self.session.clone())).await?;
        drop(place);
        let mut answers = done.answers.into_iter();
        let part = |size| {
            let answers = answers.by_ref().take(size).collect();
            Due::Answered(v1::SubmitBatchResponse { answers })
        };
        Ok(parts.into_iter().map(part).collect())
    }

    /// Nothing more comes.
    pub(crate) fn end(&self) -> Result<(), Problem> {
        if !self.waits() {
            return Ok(());
        }
        let (zh, en) = ("其余命令没有到达,未入账任何命令", "the rest did not come, and nothing was recorded");
        Err(Problem::usage("more", zh, en))
    }

    /// Keeps commands until the rest has come. Only for whoever holds a key on record: others could fill the memory.
    async fn gather(&mut self, commands: Vec<Vec<u8>>) -> Result<(), Problem> {
        if let Some(first) = commands.first().filter(|_| self.gathered.commands.is_empty()).cloned() {
            let known = self.desk.work(move |desk| Ok(desk.engine.is_signed(first))).await?;
            if !known {
                let zh = "分多个请求一并提交的第一条命令须由在账的密钥签署";
                let en = "the first of commands that go together over several requests is to be signed by a key on record";
                return Err(Problem::new(Kind::Denied, "unknown_signer", zh, en).at("commands"));
            }
        }
        let gathered = &mut self.gathered;
        let bytes: usize = commands.iter().map(Vec::len).sum();
        gathered.bytes += bytes;
        if gathered.bytes > TOGETHER {
            let (zh, en) = (
                format!("一并提交的命令至多 {TOGETHER} 字节"),
                format!("commands that go together have at most {TOGETHER} bytes"),
            );
            return Err(Problem::new(Kind::TooLarge, "too_large", zh, en).at("commands"));
        }
        let place = self.desk.room(bytes)?;
        match &mut gathered.place {
            Some(known) => known.merge(place),
            None => gathered.place = Some(place),
        }
        gathered.parts.push(commands.len());
        gathered.commands.extend(commands);
        Ok(())
    }
}

/// What was to go together did not come in time.
pub(crate) fn late() -> Problem {
    let (zh, en) = ("请求未能及时到达", "the request did not come in time");
    Problem::new(Kind::Slow, "too_slow", zh, en)
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
