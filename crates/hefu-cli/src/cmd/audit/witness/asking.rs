//! Publishing with the word of witnesses: they are asked before the log signs, and again for their cosignatures.
//!
//! Before: a ledger that is behind what a witness saw must not sign a second history. After: the log's note stays
//! unpublished (`checkpoint.signed`) until the quorum of the policy stands behind it, unless the operator chose to go
//! on without. A witness that holds another history, signed by the log, stops it in either case.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use hefu_chain::{
    note::{NoteSignature, VerifierKey},
    policy::Policy,
};
use hefu_client::{Collected, FailMode, Http, Outcome, Shortfall};
use hefu_engine::{Cosigner, GrowthProof, NotCosigned, PublishError, Published, Publisher};

use super::{
    super::verify::read_policy,
    ledger::{Ledger, PATIENCE, contradicted},
};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
};

/// Whom to ask, and whether to go on without them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asking {
    /// Ask the witnesses of this policy file to cosign (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// Go on if too few witnesses answer; one that saw another history stops it all the same
    #[arg(long, requires = "witnesses")]
    fail_open: bool,
}

impl Asking {
    /// Publishes, with the word of the witnesses if any are named.
    pub(crate) fn publish<T>(
        &self,
        context: &Context,
        publisher: Publisher,
        work: impl FnOnce(&mut Publisher) -> std::result::Result<T, PublishError>,
    ) -> Result<T> {
        let mut publisher = publisher;
        let Some(file) = &self.witnesses else { return Ok(work(&mut publisher)?) };
        let policy = read_policy(file)?;
        Ledger::open(context.dir()?, &policy)?.hold_to(&policy)?;
        let asked = Arc::new(Asked {
            policy,
            log: publisher.verifier().clone(),
            known: publisher.signed_size(),
            mode: if self.fail_open { FailMode::Open } else { FailMode::Closed },
            collected: Mutex::new(None),
        });
        let outcome = work(&mut publisher.cosigned_by(asked.clone()));
        let collected = asked.collected.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(collected) = collected else { return Ok(outcome?) };
        match (outcome, collected.judge(asked.mode)) {
            (Err(PublishError::NotCosigned(_)), Err(shortfall)) => Err(unpublished(&collected, shortfall)),
            (outcome, _) => {
                let done = outcome?;
                if !collected.quorum {
                    let why = reasons(&collected);
                    let zh = format!("见证人数不足,仍已发布:{why}");
                    context.say(&text(zh, format!("published although too few witnesses cosigned: {why}")));
                }
                Ok(done)
            }
        }
    }
}

/// The cosigner of one run.
#[derive(Debug)]
struct Asked {
    policy: Policy,
    log: VerifierKey,
    /// The size that the witnesses probably saw last.
    known: u64,
    mode: FailMode,
    /// What came of it, for the operator.
    collected: Mutex<Option<Collected>>,
}

impl Cosigner for Asked {
    fn cosign(
        &self,
        signed: &Published,
        growth: &GrowthProof<'_>,
    ) -> std::result::Result<Vec<NoteSignature>, NotCosigned> {
        let history = |old: u64| growth(old).map_err(|error| error.to_string());
        let http = Http::new(PATIENCE);
        let (policy, log) = (&self.policy, &self.log);
        let collected = hefu_client::collect(&http, policy, log, &signed.note, self.known, &history);
        let collected = collected.map_err(|error| NotCosigned { why: error.to_string() })?;
        let lines = collected.note.signatures().to_vec();
        let judged = collected.judge(self.mode).map_err(|why| NotCosigned { why: why.to_string() });
        *self.collected.lock().unwrap_or_else(PoisonError::into_inner) = Some(collected);
        judged.map(|()| lines)
    }

    fn is_enough(&self, published: &Published) -> bool {
        self.policy.judge(&published.note, [&self.log]).is_ok_and(|judgement| judgement.quorum)
    }
}

/// Why nothing went out.
fn unpublished(collected: &Collected, shortfall: Shortfall) -> CliError {
    match shortfall {
        Shortfall::Contradicted { witness, size, note } => contradicted(&witness, size, &note),
        Shortfall::Quorum { missing } => {
            let message = text(
                format!("见证人数不足,检查点未发布;缺:{}", missing.join("、")),
                format!(
                    "the checkpoint is not published, too few witnesses cosigned; missing: {}",
                    missing.join(", ")
                ),
            );
            let hint =
                text("稍后再试,或用 --fail-open 先行发布", "try again later, or go on with --fail-open");
            let why = reasons(collected);
            CliError::new("no_quorum", exit::REFUSED, message).why(text(why.clone(), why)).hint(hint)
        }
    }
}

/// Why each missing witness is missing, in one line.
fn reasons(collected: &Collected) -> String {
    let reason = |(witness, outcome): &(String, Outcome)| match outcome {
        Outcome::Cosigned(_) => None,
        Outcome::NoAddress => Some(format!("{witness}: no address in the policy")),
        Outcome::Failed(why) => Some(format!("{witness}: {why}")),
        Outcome::Contradicts(seen, _) => Some(format!("{witness}: saw {} records", seen.size)),
    };
    collected.outcomes.iter().filter_map(reason).collect::<Vec<_>>().join("; ")
}
