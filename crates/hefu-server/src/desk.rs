//! Where every wire brings its requests: who asks, what is known, the one writer behind it.
//!
//! The engine is synchronous; its work is done on threads that may block. Only a few commands at a time, whose signatures
//! the writer checks, are handed to him directly. An answer of now is made under the read lock of what is published;
//! one of the past is a fold of its own, of which the last few are kept.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hefu_api::{
    access::{Caller, Reach},
    answer::{Known, Question},
    operation::Operation,
    problem::{Kind, Problem},
};
use hefu_domain::{time::Date, vintage::Vintage};
use hefu_engine::{Answer, Engine, EngineError, FEW, Mode, QUEUE, Reader, Session, system_clock};
use hefu_projections::{
    Then, Views,
    as_of::{AsOf, is_future},
    find, vintages,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    counts::Counts,
    cursors::Cursors,
    server::{Connections, Server},
    submit::GATHERED_KIB,
    tokens::Tokens,
};

/// How long a question waits for the position it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// Folds of the past that are kept.
const KEPT: usize = 4;
/// Streams of records at once. Each holds a few steps of a mebibyte for its reader, however slow he is.
pub(crate) const READERS: usize = 256;
/// Folds of the past at once.
const FOLDS: usize = 2;
/// Submissions that wait for the writer; half of what he lets wait, so that nobody who sends one is held up.
const SUBMISSIONS: usize = QUEUE / 2;
/// Dry runs of several commands at once. Each is decided on a copy of the state.
const TRIALS: usize = 1;

/// The folder of a ledger's service, beside it: tokens and cursors.
pub fn service_folder(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".service");
    PathBuf::from(name)
}

/// An open ledger with everything its services need.
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) tokens: Tokens,
    pub(crate) cursors: Cursors,
    /// How many records are published.
    pub(crate) grown: watch::Receiver<u64>,
    /// Whether the server is to stop.
    pub(crate) stopping: watch::Receiver<bool>,
    /// What was done.
    pub(crate) counts: Counts,
    /// How many are connected.
    pub(crate) connections: Connections,
    past: Mutex<Vec<(u64, Arc<Reader>)>>,
    copy: Mutex<Arc<Views>>,
    folds: Semaphore,
    trials: Arc<Semaphore>,
    gathered: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    submissions: Arc<Semaphore>,
}

/// Commands that the writer has; their answers will come.
pub(crate) struct HandedIn(oneshot::Receiver<Result<Vec<Answer>, EngineError>>);

impl HandedIn {
    /// Waits until they are on disk, or refused.
    pub(crate) async fn answers(self) -> Result<Vec<Answer>, Problem> {
        Ok(self.0.await.map_err(|_| failed())??)
    }
}

impl Desk {
    pub(crate) fn new(engine: Engine, ledger: &Path, server: &Server) -> Arc<Desk> {
        let (tell, grown) = watch::channel(0);
        engine.on_growth(move |size| {
            tell.send_replace(size);
        });
        let folder = service_folder(ledger);
        let (past, copy, folds) = (Mutex::default(), Mutex::default(), Semaphore::new(FOLDS));
        let (trials, readers) = (Arc::new(Semaphore::new(TRIALS)), Arc::new(Semaphore::new(READERS)));
        let gathered = Arc::new(Semaphore::new(GATHERED_KIB));
        let submissions = Arc::new(Semaphore::new(SUBMISSIONS));
        let (tokens, cursors) = (Tokens::of(&folder), Cursors::of(&folder));
        let (stopping, connections) = (server.stopping(), server.connections());
        let counts = Counts::default();
        Arc::new(Desk {
            engine,
            tokens,
            cursors,
            grown,
            stopping,
            counts,
            connections,
            past,
            copy,
            folds,
            trials,
            gathered,
            readers,
            submissions,
        })
    }

    /// Who asks, by the `authorization` of a request.
    pub(crate) fn caller(&self, authorization: Option<&[u8]>) -> Result<Caller, Problem> {
        let Some(text) = authorization else { return Ok(Caller::anybody()) };
        let text = std::str::from_utf8(text).unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| {
            Problem::new(
                Kind::Unauthenticated,
                "bad_token",
                "请用 Authorization: Bearer 令牌",
                "send Authorization: Bearer and the token",
            )
        })?;
        self.tokens.caller(token.trim(), system_clock())
    }

    /// Submits commands and waits until they are on disk, or refused.
    pub(crate) async fn submit(
        self: &Arc<Desk>,
        commands: Vec<Vec<u8>>,
        mode: Mode,
        session: Option<Session>,
    ) -> Result<Vec<Answer>, Problem> {
        self.hand_in(commands, mode, session).await?.answers().await
    }

    /// Submits commands. Their place in the order is taken when this ends.
    pub(crate) async fn hand_in(
        self: &Arc<Desk>,
        commands: Vec<Vec<u8>>,
        mode: Mode,
        session: Option<Session>,
    ) -> Result<HandedIn, Problem> {
        let several = mode == Mode::DryRun && commands.len() > 1;
        let turn = if several {
            Some(self.trials.clone().acquire_owned().await.map_err(|_| failed())?)
        } else {
            None
        };
        let place = self.submissions.clone().acquire_owned().await.map_err(|_| failed())?;
        let (reply, answers) = oneshot::channel();
        let reply = move |outcome| {
            // Whoever has gone finds the answer on record.
            let _ = reply.send(outcome);
            drop((place, turn));
        };
        if commands.len() <= FEW && !several {
            self.engine.submit_then(commands, mode, session.as_ref(), reply);
        } else {
            let check = move |desk: &Desk| {
                desk.engine.submit_then(commands, mode, session.as_ref(), reply);
                Ok(())
            };
            self.work(check).await?;
        }
        Ok(HandedIn(answers))
    }

    /// Room for commands that wait for those they go together with; whoever finds none is to come again.
    pub(crate) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.gathered.clone().try_acquire_many_owned(kib).map_err(|_| {
            let (zh, en) = (
                "同时一并提交的命令过多,请稍后再试",
                "too much is being sent to go together: come again later",
            );
            Problem::new(Kind::Busy, "too_much_at_once", zh, en)
        })
    }

    /// A place among those who stream records; whoever finds none is to come again.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.readers.clone().try_acquire_owned().map_err(|_| {
            let zh = format!("同时读取记录的至多 {READERS} 路");
            let en = format!("at most {READERS} read records at once");
            Problem::new(Kind::Busy, "too_many_readers", zh, en)
        })
    }

    /// How many stream records now.
    pub(crate) fn reading(&self) -> u64 {
        READERS.saturating_sub(self.readers.available_permits()) as u64
    }

    /// Does what an operation does, and notes how it ended and how long it took.
    pub(crate) async fn counted<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let begun = Instant::now();
        let outcome = work.await;
        let code = outcome.as_ref().map_or_else(|problem| problem.code, |_| "ok");
        self.counts.note(operation, code, begun.elapsed());
        outcome
    }

    /// Does what blocks.
    pub(crate) async fn work<T: Send + 'static>(
        self: &Arc<Desk>,
        what: impl FnOnce(&Desk) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = self.clone();
        spawn_blocking(move || what(&desk)).await.unwrap_or_else(|_| Err(failed()))
    }

    /// Answers a question.
    pub(crate) async fn ask<Q: Question>(
        self: &Arc<Desk>,
        caller: &Caller,
        question: Q,
    ) -> Result<Q::Answer, Problem> {
        let reach = caller.reach(Q::OPERATION)?;
        let as_of = question.as_of()?;
        let question = self.in_time(question, reach).await?;
        let moment = question.moment();
        let vintage = moment.map(|moment| moment.vintage.clone()).filter(|name| !name.is_empty());
        let today = system_clock().date();
        if let Some(name) = vintage {
            let _turn = self.folds.acquire().await.map_err(|_| failed())?;
            return self.work(move |desk| desk.frozen(&name, &question, reach, today)).await;
        }
        let Some(as_of) = as_of else {
            return self.work(move |desk| desk.now(|known| question.answer(&known, reach))).await;
        };
        let told = move |desk: &Desk| {
            let Some(size) = desk.size_at(as_of)? else {
                return desk.now(|known| question.answer(&known, reach)).map(Ok);
            };
            Ok(desk.told(size, &question, reach)?.ok_or((size, question)))
        };
        let (size, question) = match self.work(told).await? {
            Ok(answer) => return Ok(answer),
            Err(unknown) => unknown,
        };
        let _turn = self.folds.acquire().await.map_err(|_| failed())?;
        self.work(move |desk| answer_from(&*desk.at_size(size)?, None, &question, reach, today)).await
    }

    /// What was known after the first `size` records, as far as it can be told from what is known now.
    fn told<Q: Question>(&self, size: u64, question: &Q, reach: Reach) -> Result<Option<Q::Answer>, Problem> {
        let (head, ts) = self.engine.known_at(size)?;
        let head = head.to_string();
        let views = self.engine.views().read().unwrap_or_else(PoisonError::into_inner);
        let today = ts.date().min(system_clock().date());
        let known = Known { views: &views, position: size - 1, head: &head, today, frozen: None };
        question.answer_then(&known, Then { size, ts }, reach)
    }

    /// Waits for the position that a question wants. What is wrong with its words is said before, and not only after.
    async fn in_time<Q: Question>(self: &Arc<Desk>, question: Q, reach: Reach) -> Result<Q, Problem> {
        let Some(wanted) = question.moment().map(|moment| moment.min_position) else { return Ok(question) };
        if self.published() > wanted {
            return Ok(question);
        }
        let tried = move |desk: &Desk| {
            let tried = desk.now(|known| question.answer(&known, reach).map(drop));
            Ok((question, tried))
        };
        let (question, tried) = self.work(tried).await?;
        if let Err(problem) = tried
            && problem.kind == Kind::Usage
        {
            return Err(problem);
        }
        self.reached(wanted).await?;
        Ok(question)
    }

    /// Answers a question from a vintage, unless its digest is not that of its figures any more.
    fn frozen<Q: Question>(
        &self,
        name: &str,
        question: &Q,
        reach: Reach,
        today: Date,
    ) -> Result<Q::Answer, Problem> {
        let vintage = self.now(|known| {
            let vintage = find::vintage(&known.views.state, name);
            vintage
                .map(|(_, vintage)| vintage.clone())
                .map_err(|error| Problem::from(error).at("moment.vintage"))
        })?;
        let reader = self.at_size(vintage.position + 1)?;
        if !vintages::holds(&reader.views, &vintage) {
            let zh = format!("版本 `{name}` 的数字与冻结时的摘要不符");
            let en = format!("the figures of vintage `{name}` do not have the digest it was frozen with");
            return Err(Problem::new(Kind::Rule, "vintage_mismatch", zh, en).at("moment.vintage"));
        }
        answer_from(&reader, Some(&vintage), question, reach, today)
    }

    /// Waits until the record at a position is known.
    async fn reached(&self, position: u64) -> Result<(), Problem> {
        let mut grown = self.grown.clone();
        match timeout(PATIENCE, grown.wait_for(|size| *size > position)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(failed()),
            Err(_) => Err(not_reached(position, "moment.min_position")),
        }
    }

    /// With what is known now.
    pub(crate) fn now<T>(&self, what: impl FnOnce(Known<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let views = self.engine.views().read().unwrap_or_else(PoisonError::into_inner);
        let head = self.engine.head(views.size)?.to_string();
        let position = views.size.saturating_sub(1);
        what(Known { views: &views, position, head: &head, today: system_clock().date(), frozen: None })
    }

    /// How many records are published.
    pub(crate) fn published(&self) -> u64 {
        self.engine.views().read().unwrap_or_else(PoisonError::into_inner).size
    }

    /// What is known now, to be looked at for longer than the writer can wait. One copy serves until there is more.
    pub(crate) fn copy(&self) -> Arc<Views> {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let views = self.engine.views().read().unwrap_or_else(PoisonError::into_inner);
        if copy.size != views.size {
            *copy = Arc::new(views.clone());
        }
        copy.clone()
    }

    /// The ledger as it was known then; `None` if that is as it is known now.
    pub(crate) fn past(&self, as_of: AsOf) -> Result<Option<Arc<Reader>>, Problem> {
        self.size_at(as_of)?.map(|size| self.at_size(size)).transpose()
    }

    /// How many records were known then; `None` if that is all that are known now.
    fn size_at(&self, as_of: AsOf) -> Result<Option<u64>, Problem> {
        let now = *self.grown.borrow();
        let size = match as_of {
            AsOf::Position(position) if position < now => position + 1,
            AsOf::Position(position) => return Err(not_reached(position, "moment.as_of")),
            AsOf::Instant(instant) => {
                let clock = system_clock();
                if is_future(instant, clock) {
                    let (zh, en) = (format!("{instant} 尚未到来"), format!("{instant} lies in the future"));
                    return Err(Problem::usage("moment.as_of", zh, en));
                }
                self.engine.size_at(instant)?
            }
        };
        if size == 0 {
            let (zh, en) = ("那时还没有这个账本", "the ledger did not exist then");
            return Err(Problem::usage("moment.as_of", zh, en));
        }
        if size == self.engine.views().read().unwrap_or_else(PoisonError::into_inner).size {
            return Ok(None);
        }
        Ok(Some(size))
    }

    /// The ledger as known after its first `size` records.
    fn at_size(&self, size: u64) -> Result<Arc<Reader>, Problem> {
        let kept = |past: &Vec<(u64, Arc<Reader>)>| {
            past.iter().find(|(known, _)| *known == size).map(|(_, reader)| reader.clone())
        };
        if let Some(reader) = kept(&self.past.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(reader);
        }
        let reader = Arc::new(self.engine.as_of_size(size)?);
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() == KEPT {
            past.remove(0);
        }
        past.push((size, reader.clone()));
        Ok(reader)
    }

    /// Stops the writer cleanly.
    pub(crate) fn close(self) -> Result<(), EngineError> {
        self.engine.close()
    }
}

/// Answers from what was known once, with the lists of that day.
fn answer_from<Q: Question>(
    reader: &Reader,
    frozen: Option<&Vintage>,
    question: &Q,
    reach: Reach,
    today: Date,
) -> Result<Q::Answer, Problem> {
    let (views, head) = (&reader.views, reader.head.to_string());
    let today = views.ts.date().min(today);
    question.answer(&Known { views, position: views.size - 1, head: &head, today, frozen }, reach)
}

fn not_reached(position: u64, field: &str) -> Problem {
    Problem::new(
        Kind::NotYet,
        "position_not_reached",
        format!("账本还没有第 {position} 条记录"),
        format!("there is no record {position} yet"),
    )
    .at(field)
}

/// The server was told to stop while more was to come.
pub(crate) fn stops() -> Problem {
    Problem::new(
        Kind::Unavailable,
        "stopping",
        "服务正在停止:请稍后从所到之处继续",
        "the server stops: go on later from where you are",
    )
}

/// A thread is gone: a defect.
pub(crate) fn failed() -> Problem {
    Problem::new(Kind::Internal, "failed", "账本目前无法工作", "the ledger cannot work now")
}
