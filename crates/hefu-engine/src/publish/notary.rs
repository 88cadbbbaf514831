//! A thread beside a writer that signs checkpoints while records come, as often as it is told and never in the way of
//! a commit.
//!
//! It signs what is on disk, through the reader that the writer shows others, and survives that the writer opens its
//! log again. It keeps nothing between two rounds: each starts from the files, as a publisher of another process does.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Cosigner, Prover, PublishError, Published, Publisher,
    files::{take_turn, try_turn},
};
use crate::{
    answer::EngineError,
    indexer::{SharedReader, current},
};

/// When a notary signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How often the log is looked at; a checkpoint is signed if records came since the newest one.
    pub every: Duration,
    /// Sign what came last at a clean stop.
    pub at_stop: bool,
}

/// How a notary stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many records the newest checkpoint it published stands for; 0 before the first.
    pub size: u64,
    /// Why the last round published nothing; the next one tries again.
    pub trouble: Option<String>,
}

/// What is needed to publish beside a writer.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) dir: PathBuf,
    pub(crate) log: SharedReader,
    pub(crate) cosigner: Option<Arc<dyn Cosigner>>,
}

impl Desk {
    /// Signs a checkpoint of what is on disk, after whoever is publishing now.
    pub(crate) fn checkpoint(&self) -> Result<Published, PublishError> {
        self.publish(take_turn(&self.dir)?)
    }

    /// Proofs under the newest published checkpoint.
    pub(crate) fn prover(&self) -> Result<Prover, PublishError> {
        Prover::beside(&self.dir, || Ok(current(&self.log)))
    }

    fn publish(&self, turn: File) -> Result<Published, PublishError> {
        let publisher = Publisher::beside(&self.dir, turn, || Ok(current(&self.log)))?;
        match &self.cosigner {
            Some(cosigner) => publisher.cosigned_by(cosigner.clone()).checkpoint(&|_| {}),
            None => { publisher }.checkpoint(&|_| {}),
        }
    }
}

const GO_ON: u8 = 0;
/// Stop, after one more round if the schedule says so.
const STOP: u8 = 1;
/// Stop as if the power had gone.
const LEAVE: u8 = 2;

/// The thread.
pub(crate) struct Notary {
    wish: Arc<AtomicU8>,
    standing: Arc<Mutex<Standing>>,
    thread: Option<JoinHandle<()>>,
}

impl Notary {
    pub(crate) fn start(dir: &Path, desk: Desk, schedule: Schedule) -> Result<Notary, EngineError> {
        let (wish, standing) = (Arc::new(AtomicU8::new(GO_ON)), Arc::new(Mutex::default()));
        let round = Round { desk, standing: standing.clone() };
        let told = wish.clone();
        let thread = thread::Builder::new().name("hefu-notary".to_owned());
        let thread = thread.spawn(move || round.run(schedule, &told));
        let thread = Some(thread.map_err(EngineError::file("start a thread for", dir))?);
        Ok(Notary { wish, standing, thread })
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets it finish, and sign what came last if it should.
    pub(crate) fn stop(mut self) {
        self.tell(STOP);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn tell(&self, wish: u8) {
        self.wish.store(wish, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Notary {
    fn drop(&mut self) {
        self.tell(LEAVE);
    }
}

struct Round {
    desk: Desk,
    standing: Arc<Mutex<Standing>>,
}

impl Round {
    fn run(&self, schedule: Schedule, wish: &AtomicU8) {
        loop {
            let wish = wish.load(Ordering::Acquire);
            if wish == LEAVE || (wish == STOP && !schedule.at_stop) {
                return;
            }
            self.look(wish == STOP);
            if wish == STOP {
                return;
            }
            thread::park_timeout(schedule.every);
        }
    }

    /// One round. Unless it is the last one, another publisher is not waited for.
    fn look(&self, last: bool) {
        let known = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.trouble.is_none() && current(&self.desk.log).size() <= known.size {
            return;
        }
        let turn = if last { take_turn(&self.desk.dir).map(Some) } else { try_turn(&self.desk.dir) };
        let outcome = match turn {
            Ok(Some(turn)) => self.desk.publish(turn),
            Ok(None) => return,
            Err(error) => Err(error.into()),
        };
        let now = match outcome {
            Ok(published) => Standing { size: published.checkpoint.size, trouble: None },
            Err(error) => Standing { trouble: Some(error.to_string()), ..known.clone() },
        };
        if let Some(trouble) = now.trouble.as_ref().filter(|_| now.trouble != known.trouble) {
            tracing::error!(trouble, "no checkpoint was published; it is tried again");
        }
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}
