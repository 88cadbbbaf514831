//! Where every wire brings its requests: who asks, what is known, the one writer behind it.
//!
//! The engine is synchronous; its work is done on threads that may block. An answer of now is made under the read lock
//! of what is published; one of the past is a fold of its own, of which the last few are kept.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use hefu_api::{
    access::Caller,
    answer::{Known, Question},
    problem::{Kind, Problem},
};
use hefu_engine::{Answer, Engine, EngineError, Mode, Reader, Session, system_clock};
use hefu_projections::as_of::{AsOf, is_future};
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::timeout,
};

use crate::{cursors::Cursors, tokens::Tokens};

/// How long a question waits for the position it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// Folds of the past that are kept.
const KEPT: usize = 4;
/// Folds of the past at once.
const FOLDS: usize = 2;
/// How often the watcher of the log looks whether it should end.
const LOOK: Duration = Duration::from_millis(500);

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
    past: Mutex<Vec<(u64, Arc<Reader>)>>,
    folds: Semaphore,
}

impl Desk {
    pub(crate) fn new(engine: Engine, ledger: &Path, stopping: watch::Receiver<bool>) -> Arc<Desk> {
        let progress = engine.progress();
        let (tell, grown) = watch::channel(progress.wait(0, Duration::ZERO));
        // Ends soon after the last one that listens.
        let watcher = thread::Builder::new().name("hefu-grown".to_owned()).spawn(move || {
            while !tell.is_closed() {
                let known = *tell.borrow();
                let size = progress.wait(known, LOOK);
                if size != known {
                    tell.send_replace(size);
                }
            }
        });
        if let Err(error) = watcher {
            tracing::error!("nobody watches the log grow: {error}");
        }
        let folder = service_folder(ledger);
        let (past, folds) = (Mutex::default(), Semaphore::new(FOLDS));
        let (tokens, cursors) = (Tokens::of(&folder), Cursors::of(&folder));
        Arc::new(Desk { engine, tokens, cursors, grown, stopping, past, folds })
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
        self.work(move |desk| Ok(desk.engine.submit(commands, mode, session.as_ref()).wait()?)).await
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
        if let Some(wanted) = question.moment().map(|moment| moment.min_position) {
            self.reached(wanted).await?;
        }
        let as_of = question.as_of()?;
        let today = system_clock().date();
        let Some(as_of) = as_of else {
            return self.work(move |desk| desk.now(|known| question.answer(&known, reach))).await;
        };
        let _turn = self.folds.acquire().await.map_err(|_| failed())?;
        self.work(move |desk| {
            let Some(reader) = desk.past(as_of)? else {
                return desk.now(|known| question.answer(&known, reach));
            };
            let head = reader.head.to_string();
            let views = &reader.views;
            // A question about the past is answered with the lists of that day.
            let today = views.ts.date().min(today);
            let known = Known { views, position: views.size - 1, head: &head, today };
            question.answer(&known, reach)
        })
        .await
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
        what(Known { views: &views, position, head: &head, today: system_clock().date() })
    }

    /// The ledger as it was known then; `None` if that is as it is known now.
    fn past(&self, as_of: AsOf) -> Result<Option<Arc<Reader>>, Problem> {
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
        let kept = |past: &Vec<(u64, Arc<Reader>)>| {
            past.iter().find(|(known, _)| *known == size).map(|(_, reader)| reader.clone())
        };
        if let Some(reader) = kept(&self.past.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Some(reader));
        }
        let reader = Arc::new(self.engine.as_of_size(size)?);
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() == KEPT {
            past.remove(0);
        }
        past.push((size, reader.clone()));
        Ok(Some(reader))
    }

    /// Stops the writer cleanly.
    pub(crate) fn close(self) -> Result<(), EngineError> {
        self.engine.close()
    }
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

/// A thread is gone: a defect.
pub(crate) fn failed() -> Problem {
    Problem::new(Kind::Internal, "failed", "账本目前无法工作", "the ledger cannot work now")
}
