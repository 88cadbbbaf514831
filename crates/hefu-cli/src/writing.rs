//! A ledger that is written to: in a directory, whose only writer this process then is, or behind a URL.
//!
//! What is signed here is the same, and so is what comes back. Behind a URL what is on record is read only if a command
//! needs a look at it; signed commands need no token.

mod there;

use std::sync::PoisonError;

use hefu_chain::receipt::Refusal;
use hefu_domain::state::State;
use hefu_engine::{
    Accepted, Answer, Engine, KeyStore, Mode, Prover, Recorded, Refused, Session, Signer, Ticket, undone,
};
use uuid::Uuid;

use self::there::{Coming, There};
use crate::{
    context::{Context, Place},
    error::{Result, Why},
};

/// A ledger open for writing.
pub(crate) struct Writing<'a> {
    context: &'a Context,
    place: Open<'a>,
}

enum Open<'a> {
    Here { engine: Box<Engine>, session: Session },
    There(Box<There<'a>>),
}

/// The answer to one command.
pub(crate) enum Answered {
    Accepted(Accepted),
    Refused(Why, Option<Box<Refusal>>),
    /// An earlier one was refused, so this one was not looked at.
    Skipped,
}

/// Answers that will come.
pub(crate) enum Pending {
    Here(Ticket, Mode),
    There(Coming),
}

/// Proofs for what is on record.
pub(crate) enum Proofs<'l> {
    Here(Prover),
    There(&'l There<'l>),
}

impl<'a> Writing<'a> {
    /// Opens it.
    pub(crate) fn open(context: &'a Context) -> Result<Writing<'a>> {
        let place = match &context.place {
            Place::Dir(_) => Open::Here { engine: Box::new(context.engine()?), session: Session::default() },
            Place::Url(url) => Open::There(Box::new(There::open(context, url)?)),
        };
        Ok(Writing { context, place })
    }

    /// A signer for this ledger, and the keys it signs with.
    pub(crate) fn signer(&self) -> Result<(Signer, KeyStore)> {
        let origin = match &self.place {
            Open::Here { engine, .. } => engine.origin(),
            Open::There(there) => there.origin(),
        };
        let keys = self.context.keys_for(origin)?;
        Ok((Signer::new(origin.clone(), keys.clone()), keys))
    }

    /// A look at what is on record. Where none is needed, what is shown may be nothing.
    pub(crate) fn known<T>(&self, needed: bool, look: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        match &self.place {
            Open::Here { engine, .. } => {
                look(&engine.views().read().unwrap_or_else(PoisonError::into_inner).state)
            }
            Open::There(there) if needed => there.known(look),
            Open::There(_) => look(&State::default()),
        }
    }

    /// The next look is to show everything that has been answered.
    pub(crate) fn look_again(&self) {
        if let Open::There(there) = &self.place {
            there.look_again();
        }
    }

    /// Submits the bytes of signed commands. Once one is refused in a mode that stops, no later one is looked at.
    pub(crate) fn submit(&self, commands: Vec<Vec<u8>>, mode: Mode) -> Pending {
        match &self.place {
            Open::Here { engine, session } => {
                Pending::Here(engine.submit(commands, mode, Some(session)), mode)
            }
            Open::There(there) => Pending::There(there.submit(commands, mode)),
        }
    }

    /// The commands on record under these ids.
    pub(crate) fn recorded(&self, ids: &[Uuid]) -> Result<Vec<Option<Recorded>>> {
        match &self.place {
            Open::Here { engine, .. } => Ok(engine.recorded(ids.to_vec())?),
            Open::There(there) => ids.iter().map(|id| there.recorded(*id)).collect(),
        }
    }

    /// Proofs under a checkpoint that stands for the record at `last` and all before it.
    pub(crate) fn proofs(&self, last: u64) -> Result<Proofs<'_>> {
        match &self.place {
            Open::Here { engine, .. } => {
                engine.checkpoint_now()?;
                Ok(Proofs::Here(engine.prover()?))
            }
            Open::There(there) => {
                there.covered(last)?;
                Ok(Proofs::There(there))
            }
        }
    }

    /// Leaves it clean.
    pub(crate) fn close(self) -> Result {
        match self.place {
            Open::Here { engine, .. } => Ok(engine.close()?),
            Open::There(there) => {
                there.close();
                Ok(())
            }
        }
    }
}

impl Pending {
    /// Waits for the answers, in the order of the commands.
    pub(crate) fn wait(self) -> Result<Vec<Answered>> {
        match self {
            Pending::Here(ticket, mode) => {
                let mut answers = ticket.wait()?;
                if mode == Mode::Atomic {
                    undone(&mut answers);
                }
                Ok(answers.into_iter().map(Answered::from).collect())
            }
            Pending::There(coming) => coming.wait(),
        }
    }
}

impl Proofs<'_> {
    /// The proof of one record, as the content of a file.
    pub(crate) fn inclusion(&self, position: u64) -> Result<String> {
        match self {
            Proofs::Here(prover) => Ok(prover.inclusion(position)?.to_string()),
            Proofs::There(there) => there.inclusion(position),
        }
    }
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Answered {
        match answer {
            Answer::Accepted(accepted) => Answered::Accepted(accepted),
            Answer::Refused(Refused::Skipped, _) => Answered::Skipped,
            Answer::Refused(refused, signed) => Answered::Refused(Why::from(&refused), signed),
        }
    }
}
