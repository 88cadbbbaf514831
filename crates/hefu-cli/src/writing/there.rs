//! Writing to a ledger behind a URL. Requests go out from a thread of their own, in order, while the next commands are
//! signed here. A lost answer is asked for again (`hefu_client`): nothing is recorded twice.

use std::{
    cell::{Cell, RefCell},
    sync::mpsc::{self, Receiver, SyncSender},
    thread::{self, JoinHandle},
    time::Duration,
};

use hefu_chain::origin::Origin;
use hefu_client::{Denial, LedgerService, OnRecord, TOGETHER_BYTES, Together, fitting};
use hefu_domain::state::State;
use hefu_engine::{Accepted, EngineError, Mode, Reader, Recorded};
use uuid::Uuid;

use super::Answered;
use crate::{
    context::Context,
    error::{CliError, Result, Why, exit},
    lang::text,
    remote,
};

/// Submissions that may wait for the wire.
const QUEUE: usize = 8;
/// How often it is looked whether a checkpoint covers what was recorded, and how long in between.
const LOOKS: u32 = 480;
const PAUSE: Duration = Duration::from_millis(250);

/// A ledger behind a URL.
pub(crate) struct There<'a> {
    context: &'a Context,
    service: LedgerService,
    origin: Origin,
    reader: RefCell<Option<Reader>>,
    stale: Cell<bool>,
    jobs: SyncSender<Job>,
    sender: JoinHandle<()>,
}

struct Job {
    commands: Vec<Vec<u8>>,
    mode: Mode,
    reply: SyncSender<Result<Vec<Answered>>>,
}

/// Answers on their way.
pub(crate) struct Coming(Receiver<Result<Vec<Answered>>>);

impl Coming {
    /// Waits for them.
    pub(super) fn wait(self) -> Result<Vec<Answered>> {
        self.0.recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl<'a> There<'a> {
    /// Asks the service which ledger it is.
    pub(super) fn open(context: &'a Context, url: &str) -> Result<There<'a>> {
        let service = remote::service(url, context.lang)?;
        let checkpoint = service.checkpoint()?;
        let origin = checkpoint.lines().next().and_then(|line| line.parse().ok());
        let origin = origin.ok_or_else(|| unusable(url))?;
        let (jobs, waiting) = mpsc::sync_channel(QUEUE);
        let asked = service.clone();
        let sender = thread::Builder::new().name("hefu-wire".to_owned()).spawn(move || {
            Wire { service: asked, halted: false }.run(&waiting);
        });
        let sender = sender.map_err(|error| EngineError::Stopped(error.to_string()))?;
        let (reader, stale) = (RefCell::new(None), Cell::new(false));
        Ok(There { context, service, origin, reader, stale, jobs, sender })
    }

    /// The ledger's name, as the service says.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Hands the commands to the wire.
    pub(super) fn submit(&self, commands: Vec<Vec<u8>>, mode: Mode) -> Coming {
        let (reply, answers) = mpsc::sync_channel(1);
        if let Err(mpsc::SendError(job)) = self.jobs.send(Job { commands, mode, reply }) {
            let _ = job.reply.send(Err(gone()));
        }
        Coming(answers)
    }

    /// A look at what is on record: all of it is read the first time.
    pub(super) fn known<T>(&self, look: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        let mut reader = self.reader.borrow_mut();
        let known = match reader.take() {
            None => remote::records(self.context, &self.service)?,
            Some(known) if self.stale.get() => remote::more(known, &self.service)?,
            Some(known) => known,
        };
        self.stale.set(false);
        if known.origin != self.origin {
            return Err(unusable(&self.origin.to_string()));
        }
        look(&reader.insert(known).views.state)
    }

    /// The next look reads what came since.
    pub(super) fn look_again(&self) {
        self.stale.set(true);
    }

    /// The command on record under an id, with its bytes: the service must let the caller read them.
    pub(super) fn recorded(&self, id: Uuid) -> Result<Option<Recorded>> {
        let Some(found) = self.service.recorded(id)? else { return Ok(None) };
        let record = self.service.record(found.position)?;
        let command = record.map(|record| record.command).unwrap_or_default();
        Ok(Some(Recorded { command, accepted: accepted(found) }))
    }

    /// Waits until a checkpoint stands for the record at `last`; the service signs one every few seconds.
    pub(super) fn covered(&self, last: u64) -> Result {
        for _ in 0..LOOKS {
            let checkpoint = self.service.checkpoint()?;
            let size = checkpoint.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
            if size.is_some_and(|size| size > last) {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        let message = text(
            format!("尚无检查点包含第 {last} 条记录"),
            format!("no checkpoint covers record {last} yet"),
        );
        let hint = text(
            "服务没有签署新的检查点;命令已入账,可稍后再次提交同一日志以取得证明",
            "the service signs no new checkpoint; the commands are on record: submit the same journal again later for proofs",
        );
        Err(CliError::new("not_covered", exit::REFUSED, message).hint(hint))
    }

    /// The proof of one record, as the service gives it. It is checked by whoever verifies it.
    pub(super) fn inclusion(&self, position: u64) -> Result<String> {
        Ok(remote::proof(&self.service, position)?.to_string())
    }

    /// Waits until the wire has nothing more to do.
    pub(super) fn close(self) {
        drop(self.jobs);
        // It ends by itself; whatever went wrong was the answer to a submission.
        let _ = self.sender.join();
    }
}

/// The thread that makes the requests.
struct Wire {
    service: LedgerService,
    /// A command was refused in a mode that stops, or nobody answered: no later one is sent.
    halted: bool,
}

impl Wire {
    fn run(mut self, jobs: &Receiver<Job>) {
        for Job { commands, mode, reply } in jobs {
            // Whoever no longer waits has the answer on record all the same.
            let _ = reply.send(self.submit(&commands, mode));
        }
    }

    fn submit(&mut self, commands: &[Vec<u8>], mode: Mode) -> Result<Vec<Answered>> {
        let how = match mode {
            Mode::Each => Together::Each,
            Mode::Stop => Together::Stop,
            Mode::Atomic => Together::Whole,
            Mode::DryRun => Together::DryRun,
        };
        let whole = matches!(how, Together::Whole | Together::DryRun);
        let bytes: usize = commands.iter().map(Vec::len).sum();
        if whole && bytes > TOGETHER_BYTES {
            return Err(too_large(bytes));
        }
        let (mut answers, mut rest) = (Vec::with_capacity(commands.len()), commands);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(if whole { rest.len() } else { fitting(rest) });
            rest = later;
            if self.halted {
                answers.extend(now.iter().map(|_| Answered::Skipped));
                continue;
            }
            let outcome = self.service.submit(now, how);
            self.halted |= outcome.is_err();
            for answer in outcome? {
                let answer = Answered::from(answer);
                self.halted |= how == Together::Stop && !matches!(answer, Answered::Accepted(_));
                answers.push(answer);
            }
        }
        Ok(answers)
    }
}

impl From<hefu_client::Answered> for Answered {
    fn from(answer: hefu_client::Answered) -> Answered {
        match answer {
            hefu_client::Answered::Accepted(one) => Answered::Accepted(accepted(one)),
            hefu_client::Answered::Refused(Denial { code, .. }) if code == "skipped" => Answered::Skipped,
            hefu_client::Answered::Refused(Denial { code, denied, zh, en, field, signed }) => {
                let exit = if denied { exit::NO_PERMISSION } else { exit::REFUSED };
                Answered::Refused(Why { code, exit, words: text(zh, en), field }, signed.map(Box::new))
            }
        }
    }
}

fn accepted(one: OnRecord) -> Accepted {
    let OnRecord { id, position, records, leaf, receipt, repeated } = one;
    Accepted { id, position, records, leaf, receipt, repeated }
}

/// What goes together has a limit: it waits in the memory of the service until it is complete.
fn too_large(bytes: usize) -> CliError {
    let message = text(
        "一并提交或试算的命令通过网址时过大",
        "over a URL this is too much to go together, or to be tried together",
    );
    let why = text(
        format!("共 {bytes} 字节,至多 {TOGETHER_BYTES} 字节"),
        format!("there are {bytes} bytes, at most {TOGETHER_BYTES} go together"),
    );
    let hint = text(
        "分成较小的部分,或在账本目录上运行",
        "split it, or run it where the ledger lies, with -L and its directory",
    );
    CliError::new("too_large", exit::USAGE, message).why(why).hint(hint)
}

fn unusable(url: &str) -> CliError {
    let message = text("回应不可用", "the answer cannot be used");
    CliError::new("bad_answer", exit::UNREACHABLE, message).at("url", url)
}

fn gone() -> CliError {
    EngineError::Stopped("the thread that makes the requests has gone".to_owned()).into()
}
