//! Which witnesses a command asks: those it names, else those kept for the ledger.

use std::{path::PathBuf, sync::Arc};

use hefu_client::FailMode;
use hefu_engine::{PublishError, Publisher};

use super::super::verify::read_policy;
use crate::{
    context::Context,
    error::{CliError, Result},
    lang::text,
    witnesses::{Kept, Witnesses, must_name},
};

/// Whom to ask, and whether to go on without them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asking {
    /// Ask the witnesses of this policy file to cosign (C2SP tlog-policy), not those kept for the ledger
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// Go on if too few witnesses answer; one that saw another history stops it all the same
    #[arg(long)]
    fail_open: bool,
}

/// A ledger to be published, with whoever must agree.
pub(crate) struct Asked {
    pub(crate) publisher: Publisher,
    witnesses: Option<Arc<Witnesses>>,
}

impl Asking {
    /// Opens the ledger for publishing. Before it signs, its witnesses are asked what they saw.
    pub(crate) fn publisher(&self, context: &Context) -> Result<Asked> {
        let witnesses = self.witnesses(context)?;
        let publisher = context.publisher()?;
        let Some(witnesses) = witnesses else { return Ok(Asked { publisher, witnesses: None }) };
        must_name(witnesses.policy(), publisher.verifier().name().as_str())?;
        let publisher = publisher.cosigned_by(witnesses.clone());
        Ok(Asked { publisher, witnesses: Some(witnesses) })
    }

    fn witnesses(&self, context: &Context) -> Result<Option<Arc<Witnesses>>> {
        let (policy, mode) = match &self.witnesses {
            Some(file) => (read_policy(file)?, FailMode::Closed),
            None => match Kept::read(&context.keys()?)? {
                Some(Kept { policy, mode }) => (policy, mode),
                None if self.fail_open => {
                    let message = text(
                        "没有可询问的见证人:--fail-open 须与 --witnesses 同用,或先设定见证人",
                        "there are no witnesses to go on without: give --witnesses, or set them with \
                         `hefu audit witness use`",
                    );
                    return Err(CliError::usage(message));
                }
                None => return Ok(None),
            },
        };
        let mode = if self.fail_open { FailMode::Open } else { mode };
        Ok(Some(Witnesses::new(policy, mode)))
    }
}

impl Asked {
    /// Publishes, with the word of the witnesses if there are any.
    pub(crate) fn publish<T>(
        mut self,
        context: &Context,
        work: impl FnOnce(&mut Publisher) -> std::result::Result<T, PublishError>,
    ) -> Result<T> {
        let outcome = work(&mut self.publisher);
        match self.witnesses {
            Some(witnesses) => witnesses.told(context, outcome),
            None => Ok(outcome?),
        }
    }
}
