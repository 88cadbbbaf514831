//! One writer thread, many callers: whoever waits shares one fdatasync.
//!
//! Callers check signatures on their own threads and hand over what they have; the writer takes everything queued, up
//! to a cap, and commits it as one batch. No timer: a lone caller is never kept waiting for company.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, SyncSender, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use hefu_chain::origin::Origin;
use hefu_domain::state::State;
use hefu_projections::Views;
use hefu_store::{DirLock, DurablePoint};
use uuid::Uuid;

mod live;
mod trial;

use self::{live::Listeners, trial::Trials};
pub use crate::ledger::Mode;
use crate::{
    answer::{Accepted, Answer, EngineError, Refused},
    authenticate::{Authenticator, Checked, KeyDirectory, SignatureCheck},
    indexer::{Indexer, SharedReader},
    ledger::Ledger,
    open::{self, Opened, Options},
    publish::{Desk, Notary, Prover, PublishError, Published, Standing},
    redaction, snapshot,
};

/// Commands in one commit: at about 1.1 KB a record, 1,024 of them are written and synced in about a millisecond, so
/// a larger batch would add latency and no throughput.
const COMMIT_COMMANDS: usize = 1024;
/// Submissions that may wait before callers do.
pub const QUEUE: usize = 256;
/// Commands of one submission whose signatures are checked together with others'.
pub const FEW: usize = 16;

/// How long the writer looks for more before it sleeps: a caller that answers at once spares a wake-up, which costs
/// about half an fdatasync; nobody pays for longer than this.
const ALERT: Duration = Duration::from_micros(100);

/// A ledger opened for writing. Cheap to share by reference; closing waits for what is queued.
pub struct Engine {
    origin: Origin,
    authenticator: Authenticator,
    views: Arc<RwLock<Views>>,
    queue: SyncSender<Work>,
    writer: JoinHandle<Result<(), EngineError>>,
    indexer: Option<Indexer>,
    desk: Desk,
    notary: Option<Notary>,
    listeners: Arc<Listeners>,
    trials: Trials,
    opened: Opened,
}

/// Submissions that stop together: once one fails, or in [`Mode::Stop`] a command is refused, no later one is looked at.
#[derive(Clone, Debug, Default)]
pub struct Session {
    halted: Arc<AtomicBool>,
}

/// What callers want of the writer, in the order in which they asked.
enum Work {
    Submit(Request),
    Look { ids: Vec<Uuid>, reply: SyncSender<Result<Vec<Option<Recorded>>, EngineError>> },
}

struct Request {
    checked: Vec<Checked>,
    mode: Mode,
    session: Option<Session>,
    /// What a dry run of several commands is decided on.
    copy: Option<Box<State>>,
    reply: Reply,
}

impl Request {
    fn halted(&self) -> bool {
        halted(self.session.as_ref())
    }
}

/// Takes the answers, on the writer's thread and in a moment; or is dropped with it.
type Reply = Box<dyn FnOnce(Result<Vec<Answer>, EngineError>) + Send>;

/// A command that is on record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its bytes, as signed, sent and stored.
    pub command: Vec<u8>,
    /// The first answer to it.
    pub accepted: Accepted,
}

/// Answers that will come.
pub struct Ticket {
    reply: Receiver<Result<Vec<Answer>, EngineError>>,
}

impl Ticket {
    /// Waits for the answers, in the order of the commands.
    pub fn wait(self) -> Result<Vec<Answer>, EngineError> {
        self.reply.recv().unwrap_or_else(|_| Err(EngineError::Stopped("the writer has gone".to_owned())))
    }
}

impl Engine {
    /// Opens the ledger in `dir`; a second writer is refused.
    pub fn open(dir: &Path, options: Options) -> Result<Engine, EngineError> {
        let (ledger, opened) = open::open_ledger(dir, &options)?;
        let views = ledger.views.clone();
        let origin = ledger.origin.clone();
        let authenticator = Authenticator::new(origin.clone(), ledger.keys.clone());
        let reader: SharedReader = Arc::new(RwLock::new(ledger.log.reader()));
        let indexer = options.index.then(|| Indexer::start(dir, reader.clone(), &origin)).transpose()?;
        let cosigner = options.cosigner.clone();
        let desk = Desk { dir: dir.to_owned(), log: reader.clone(), cosigner };
        let notary = options.notary.map(|schedule| Notary::start(dir, desk.clone(), schedule)).transpose()?;
        let (queue, requests) = mpsc::sync_channel(QUEUE);
        let listeners = Arc::new(Listeners::default());
        let writer = Writer {
            listeners: listeners.clone(),
            authenticator: authenticator.clone(),
            dir: dir.to_owned(),
            options,
            last_snapshot: opened.from_snapshot,
            snapshots: None,
            ledger: Some(ledger),
            failed_at: None,
            reader,
            views: views.clone(),
        };
        let writer =
            thread::Builder::new().name("hefu-writer".to_owned()).spawn(move || writer.run(&requests));
        let writer = writer.map_err(EngineError::file("start a thread for", dir))?;
        let trials = Trials::default();
        Ok(Engine {
            origin,
            authenticator,
            views,
            queue,
            writer,
            indexer,
            desk,
            notary,
            listeners,
            trials,
            opened,
        })
    }

    /// The ledger's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What opening found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Signs and publishes a checkpoint of everything that has been answered, on the caller's thread; commits go on.
    pub fn checkpoint_now(&self) -> Result<Published, PublishError> {
        self.desk.checkpoint()
    }

    /// Makes proofs under the newest published checkpoint.
    pub fn prover(&self) -> Result<Prover, PublishError> {
        self.desk.prover()
    }

    /// How the notary stands; nothing if the options asked for none.
    pub fn notary(&self) -> Option<Standing> {
        self.notary.as_ref().map(Notary::standing)
    }

    /// The published answers. The lock is held by the writer only while it folds a commit that is on disk; hold it for
    /// one look.
    pub fn views(&self) -> &RwLock<Views> {
        &self.views
    }

    /// Submits the bytes of signed commands; the answers are waited for with the ticket.
    pub fn submit(&self, commands: Vec<Vec<u8>>, mode: Mode, session: Option<&Session>) -> Ticket {
        let (reply, answers) = mpsc::sync_channel(1);
        // A caller that no longer waits has its answer on record all the same.
        self.submit_then(commands, mode, session, move |outcome| drop(reply.send(outcome)));
        Ticket { reply: answers }
    }

    /// Whether a key on record signed the command.
    pub fn is_signed(&self, command: Vec<u8>) -> bool {
        let mut checked = self.authenticator.read(vec![command]);
        self.authenticator.verify(&mut checked);
        checked.iter().all(right)
    }

    /// Submits the bytes of signed commands; the answers go to `reply`, on the writer's thread. If the writer goes
    /// without an answer, `reply` is dropped.
    ///
    /// Many signatures are checked here, on the caller's thread; [`FEW`] are left to the writer, who checks those of
    /// all that wait in one batch. Blocks while [`QUEUE`] submissions wait.
    pub fn submit_then(
        &self,
        commands: Vec<Vec<u8>>,
        mode: Mode,
        session: Option<&Session>,
        reply: impl FnOnce(Result<Vec<Answer>, EngineError>) + Send + 'static,
    ) {
        let mut checked = self.authenticator.read(commands);
        let tries = mode == Mode::DryRun && checked.len() > 1;
        if checked.len() > FEW || tries {
            self.authenticator.verify(&mut checked);
        }
        // Whose first command no key on record signed is refused there, and nothing is copied for him.
        let tries = tries && checked.first().is_some_and(right);
        let copy = tries.then(|| self.trials.copy(&self.views));
        let request = Request { checked, mode, session: session.cloned(), copy, reply: Box::new(reply) };
        if let Err(mpsc::SendError(Work::Submit(request))) = self.queue.send(Work::Submit(request)) {
            (request.reply)(Err(EngineError::Stopped("the writer has gone".to_owned())));
        }
    }

    /// The commands on record under these ids. Everything submitted before is taken into account.
    pub fn recorded(&self, ids: Vec<Uuid>) -> Result<Vec<Option<Recorded>>, EngineError> {
        let stopped = || EngineError::Stopped("the writer has gone".to_owned());
        let (reply, found) = mpsc::sync_channel(1);
        self.queue.send(Work::Look { ids, reply }).map_err(|_| stopped())?;
        found.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Waits for what is queued, saves, and stops cleanly.
    pub fn close(self) -> Result<(), EngineError> {
        drop(self.queue);
        let closed = self.writer.join();
        if let Some(notary) = self.notary {
            notary.stop();
        }
        if let Some(indexer) = self.indexer {
            indexer.stop();
        }
        closed.unwrap_or_else(|_| Err(EngineError::Stopped("the writer panicked".to_owned())))
    }
}

/// What the writer thread owns.
struct Writer {
    authenticator: Authenticator,
    listeners: Arc<Listeners>,
    dir: PathBuf,
    options: Options,
    last_snapshot: u64,
    snapshots: Option<JoinHandle<()>>,
    ledger: Option<Ledger>,
    /// Where the log was known to be durable when an append failed, until it is open again.
    failed_at: Option<Failed>,
    /// What the indexer reads from.
    reader: SharedReader,
    views: Arc<RwLock<Views>>,
}

/// What outlives a ledger whose append failed.
struct Failed {
    durable: DurablePoint,
    lock: Arc<DirLock>,
    keys: KeyDirectory,
}

impl Writer {
    fn run(mut self, requests: &Receiver<Work>) -> Result<(), EngineError> {
        let mut quick = true;
        while let Some(first) = next(requests, &mut quick) {
            let mut group = Vec::new();
            let mut next = Some(first);
            let mut look = None;
            // Only submissions whose commands stand alone may share a commit.
            while let Some(work) = next {
                match work {
                    Work::Submit(request) => group.push(request),
                    Work::Look { ids, reply } => {
                        look = Some((ids, reply));
                        break;
                    }
                }
                let share = group.iter().all(|r| r.mode == Mode::Each) && commands(&group) < COMMIT_COMMANDS;
                next = if share { requests.try_recv().ok() } else { None };
            }
            self.authenticator.verify(group.iter_mut().flat_map(|request| &mut request.checked));
            for request in self.merge(group) {
                self.answer(request);
            }
            if let Some((ids, reply)) = look {
                // A ledger that is not open must not look like one without these commands.
                let found = self.reopen();
                let find = |id| self.ledger.as_ref()?.recorded(id);
                let _ = reply.send(found.map(|()| ids.into_iter().map(find).collect()));
            }
            self.maybe_snapshot();
        }
        self.finish()
    }

    /// Answers the submissions that can share a commit, and gives back those that cannot.
    fn merge(&mut self, mut group: Vec<Request>) -> Vec<Request> {
        let alone = group.last().is_some_and(|last| last.mode != Mode::Each);
        let last = if alone { group.pop() } else { None };
        if group.len() > 1 && !group.iter().any(Request::halted) {
            let mut waiting = Vec::with_capacity(group.len());
            let mut checked = Vec::with_capacity(commands(&group));
            for request in group {
                waiting.push((request.checked.len(), request.session, request.reply));
                checked.extend(request.checked);
            }
            let outcome = self.commit(&checked, Mode::Each);
            hand_out(outcome, waiting);
            return last.into_iter().collect();
        }
        group.into_iter().chain(last).collect()
    }

    fn answer(&mut self, request: Request) {
        let Request { checked, mode, session, mut copy, reply } = request;
        let whole = matches!(mode, Mode::Atomic | Mode::DryRun);
        let mut answers = Vec::with_capacity(checked.len());
        let mut rest = checked.into_iter();
        let outcome = loop {
            let size = if whole { usize::MAX } else { COMMIT_COMMANDS };
            let part: Vec<Checked> = rest.by_ref().take(size).collect();
            if part.is_empty() {
                break Ok(answers);
            }
            if halted(session.as_ref()) {
                answers.extend(part.iter().map(|_| Answer::Refused(Refused::Skipped, None)));
                continue;
            }
            let outcome = match &mut copy {
                Some(copy) => self.try_on(copy, &part),
                None => self.commit(&part, mode),
            };
            match outcome {
                Ok(part) => {
                    let refused = part.iter().any(|answer| answer.accepted().is_none());
                    if refused && mode == Mode::Stop {
                        halt(session.as_ref());
                    }
                    answers.extend(part);
                }
                Err(error) => break Err(error),
            }
        };
        if outcome.is_err() {
            halt(session.as_ref());
        }
        reply(outcome);
        if let Some(copy) = copy {
            // To take a large state down takes time, too.
            thread::spawn(move || drop(copy));
        }
    }

    /// Tries commands on a copy of the state.
    fn try_on(&mut self, copy: &mut State, checked: &[Checked]) -> Result<Vec<Answer>, EngineError> {
        self.reopen()?;
        let Some(ledger) = &mut self.ledger else {
            return Err(EngineError::Stopped("the ledger is not open".to_owned()));
        };
        Ok(ledger.try_on(copy, checked))
    }

    /// Commits; after a failed append drops the ledger and opens it again by replay, now or when the disk lets it.
    fn commit(&mut self, checked: &[Checked], mode: Mode) -> Result<Vec<Answer>, EngineError> {
        self.reopen()?;
        let Some(ledger) = &mut self.ledger else {
            return Err(EngineError::Stopped("the ledger is not open".to_owned()));
        };
        let mut outcome = ledger.commit(checked, mode);
        let mut recorded = None;
        if outcome.is_ok() && !ledger.unfinished.is_empty() {
            // A snapshot that is being written holds what is to go.
            if let Some(writing) = self.snapshots.take() {
                let _ = writing.join();
            }
            let redactions = std::mem::take(&mut ledger.unfinished);
            if let Err(error) = redaction::finish(&self.dir, ledger.log.as_mut(), &redactions) {
                recorded = std::mem::replace(&mut outcome, Err(error)).ok();
            }
        }
        if let Err(error) = &outcome {
            tracing::error!(%error, "a write failed; the ledger is opened again from its log");
            self.failed_at = ledger.lock.clone().map(|lock| Failed {
                durable: ledger.log.durable_point(),
                lock,
                keys: ledger.keys.clone(),
            });
            self.ledger = None;
            match self.reopen() {
                // Opening has finished what the redaction began.
                Ok(()) => outcome = recorded.map_or(outcome, Ok),
                Err(error) => tracing::error!(%error, "the ledger cannot be opened again yet"),
            }
        }
        if let Some(ledger) = &self.ledger {
            self.listeners.tell(ledger.log.size());
        }
        outcome
    }

    /// Opens the ledger again after a failure; nothing to do if it is open.
    fn reopen(&mut self) -> Result<(), EngineError> {
        let Some(Failed { durable, lock, keys }) = &self.failed_at else { return Ok(()) };
        let views = self.views.clone();
        let (mut ledger, opened) =
            open::reopen_ledger(&self.dir, &self.options, durable, lock.clone(), views)?;
        let fresh = ledger.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        *keys.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        ledger.keys = keys.clone();
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = ledger.log.reader();
        tracing::warn!(?opened, "the ledger is open again");
        (self.ledger, self.failed_at) = (Some(ledger), None);
        Ok(())
    }

    /// Every so many records: encode here, where nothing moves, and write on a thread of its own.
    fn maybe_snapshot(&mut self) {
        let Some(ledger) = &self.ledger else { return };
        let due = ledger.log.size() - self.last_snapshot >= self.options.snapshot_every;
        if !due || self.snapshots.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        self.last_snapshot = ledger.log.size();
        match open::snapshot_bytes(ledger) {
            Ok((size, bytes)) => {
                let dir = self.dir.clone();
                self.snapshots = Some(thread::spawn(move || {
                    if let Err(error) = snapshot::write(&dir, size, &bytes) {
                        tracing::warn!(%error, "no snapshot was written");
                    }
                }));
            }
            Err(error) => tracing::warn!(%error, "no snapshot was taken"),
        }
    }

    fn finish(self) -> Result<(), EngineError> {
        if let Some(writing) = self.snapshots {
            let _ = writing.join();
        }
        let Some(ledger) = self.ledger else {
            return Err(EngineError::Stopped(
                "a write failed and the ledger could not be reopened".to_owned(),
            ));
        };
        // A small tail is folded faster than a snapshot is written.
        let worth_saving = ledger.log.size() - self.last_snapshot >= 20_000;
        open::close(&self.dir, ledger, worth_saving)
    }
}

/// The next submission; `None` once nobody can submit any more. Looks for [`ALERT`] before it sleeps, as long as callers
/// are that `quick`: from afar nobody is, and looking takes a core from those who bring the next one.
fn next(requests: &Receiver<Work>, quick: &mut bool) -> Option<Work> {
    let awake = Instant::now();
    let mut found = None;
    while *quick && found.is_none() && awake.elapsed() < ALERT {
        found = match requests.try_recv() {
            Ok(work) => Some(work),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                thread::yield_now();
                None
            }
        };
    }
    let work = found.or_else(|| requests.recv().ok());
    // Being woken takes about as long again.
    *quick = awake.elapsed() < 2 * ALERT;
    work
}

/// Whether a known key signed it.
fn right(checked: &Checked) -> bool {
    checked.as_ref().is_ok_and(|authentic| authentic.signature == SignatureCheck::Right)
}

fn commands(group: &[Request]) -> usize {
    group.iter().map(|request| request.checked.len()).sum()
}

fn halted(session: Option<&Session>) -> bool {
    session.is_some_and(|session| session.halted.load(Ordering::Acquire))
}

fn halt(session: Option<&Session>) {
    if let Some(session) = session {
        session.halted.store(true, Ordering::Release);
    }
}

/// Gives each submission the answers to as many commands as it had.
fn hand_out(outcome: Result<Vec<Answer>, EngineError>, waiting: Vec<(usize, Option<Session>, Reply)>) {
    match outcome {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for (size, _, reply) in waiting {
                reply(Ok(answers.by_ref().take(size).collect()));
            }
        }
        Err(error) => {
            let why = error.to_string();
            for (_, session, reply) in waiting {
                halt(session.as_ref());
                reply(Err(EngineError::Stopped(why.clone())));
            }
        }
    }
}
