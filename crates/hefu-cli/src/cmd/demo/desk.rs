//! Everybody's desk in the demo: one command after another, each signed, submitted and answered.

use std::{path::Path, sync::PoisonError};

use hefu_domain::state::State;
use hefu_engine::{Answer, Draft, Engine, KeyStore, Mode, Options, Signer, system_clock};
use serde_json::Value;

use crate::{
    error::{CliError, Result},
    lang::text,
};

/// A ledger opened for writing, with the keys of all offices at hand.
pub(super) struct Desk {
    engine: Engine,
    signer: Signer,
}

impl Desk {
    pub(super) fn open(dir: &Path) -> Result<Desk> {
        let engine = Engine::open(dir, Options::default())?;
        let signer = Signer::new(engine.origin().clone(), KeyStore::beside(dir));
        Ok(Desk { engine, signer })
    }

    /// The state as it is now.
    pub(super) fn state(&self) -> State {
        self.engine.views().read().unwrap_or_else(PoisonError::into_inner).state.clone()
    }

    /// Signs a command, submits it, and fails if it is refused.
    pub(super) fn say(&mut self, by: &str, command: Value) -> Result {
        let Value::Object(command) = command else {
            return Err(CliError::usage(text("命令须为对象", "a command is an object")));
        };
        let draft = Draft { command, id: None, signer: by.to_owned() };
        let views = self.engine.views().read().unwrap_or_else(PoisonError::into_inner);
        let signed = self.signer.sign(draft, &views.state, system_clock())?;
        drop(views);
        for answer in self.engine.submit(vec![signed.into_bytes()], Mode::Each, None).wait()? {
            if let Answer::Refused(refused, _) = answer {
                return Err(CliError::refused(&refused));
            }
        }
        Ok(())
    }

    pub(super) fn close(self) -> Result {
        Ok(self.engine.close()?)
    }
}
