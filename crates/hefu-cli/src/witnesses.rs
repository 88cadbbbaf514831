//! The witnesses of a ledger: who they are, and asking them on behalf of the engine.
//!
//! A policy of witnesses is named for one command (`--witnesses FILE`), or once for the ledger: then it is kept beside
//! it, in `<L>.keys/witnesses.json`, and they are asked whenever the ledger opens for writing or publishes. Before: a
//! ledger that is behind what a witness saw must neither go on nor sign a second history. After: a checkpoint stays
//! unpublished until the quorum stands behind it, unless the operator chose to go on without. A witness that holds
//! another history, signed by the log, stops it in either case.

mod kept;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hefu_chain::{
    note::{Note, NoteSignature, VerifierKey},
    policy::Policy,
};
use hefu_client::{Collected, FailMode, Http, LogKey, Outcome, Shortfall, Standing};
use hefu_engine::{Cosigner, GrowthProof, NotCosigned, PublishError, Published, Shown, Unheld};

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
};

pub(crate) use kept::Kept;

/// A witness has so long to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Witnesses that are asked for one process.
#[derive(Debug)]
pub(crate) struct Witnesses {
    policy: Policy,
    mode: FailMode,
    memory: Mutex<Memory>,
}

/// What came of asking, for the next question and for the operator.
#[derive(Debug, Default)]
struct Memory {
    /// The log's keys, as its records and the policy say.
    keys: Vec<LogKey>,
    /// The size that most of them probably saw last.
    known: u64,
    /// Who could not be asked when the ledger opened.
    silent: Vec<String>,
    collected: Option<Collected>,
}

impl Witnesses {
    pub(crate) fn new(policy: Policy, mode: FailMode) -> Arc<Witnesses> {
        Arc::new(Witnesses { policy, mode, memory: Mutex::default() })
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What every witness saw, compared with the ledger.
    pub(crate) fn standings(&self, log: &Shown) -> Vec<(String, Standing)> {
        let root_at = |size: u64| log.root(size).map_err(|error| error.to_string());
        let keys = keys_of(&self.policy, log);
        hefu_client::standings(&Http::new(PATIENCE), &self.policy, &keys, log.origin(), log.size(), &root_at)
    }

    /// Says who could not be asked, where the ledger went on all the same.
    pub(crate) fn tell_silent(&self, context: &Context) {
        let silent = std::mem::take(&mut self.memory().silent).join("; ");
        if !silent.is_empty() {
            context.say(&text(
                format!("有见证人无法询问:{silent}"),
                format!("not every witness could be asked: {silent}"),
            ));
        }
    }

    /// What a publisher that asked them has to say.
    pub(crate) fn told<T>(
        &self,
        context: &Context,
        outcome: std::result::Result<T, PublishError>,
    ) -> Result<T> {
        let Some(collected) = self.memory().collected.take() else { return Ok(outcome?) };
        match (outcome, collected.judge(self.mode)) {
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

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cosigner for Witnesses {
    fn hold(&self, log: &Shown) -> std::result::Result<(), Unheld> {
        if !names(&self.policy, log.origin().as_str()) {
            let missing = vec![format!("the policy of witnesses does not name the log {}", log.origin())];
            return Err(Unheld::TooFew { missing });
        }
        let standings = self.standings(log);
        let mut silent = Vec::new();
        let mut known = 0;
        for (witness, standing) in &standings {
            match standing {
                Standing::Ahead(seen, note) | Standing::Differs(seen, note) => {
                    let (witness, size, note) = (witness.clone(), seen.size, Box::new(note.clone()));
                    return Err(Unheld::Contradicted { witness, size, note });
                }
                Standing::Silent(why) => silent.push(format!("{witness}: {why}")),
                Standing::Agrees(seen, _) => known = known.max(seen.size),
                Standing::New => {}
            }
        }
        let answers = |name: &str| {
            let answered = |(witness, standing): &(String, Standing)| {
                witness == name && !matches!(standing, Standing::Silent(_))
            };
            standings.iter().any(answered)
        };
        let enough = self.mode == FailMode::Open || self.policy.is_met_by(answers);
        let mut memory = self.memory();
        (memory.keys, memory.known, memory.silent) = (keys_of(&self.policy, log), known, silent.clone());
        if enough { Ok(()) } else { Err(Unheld::TooFew { missing: silent }) }
    }

    fn cosign(
        &self,
        signed: &Published,
        growth: &GrowthProof<'_>,
    ) -> std::result::Result<Vec<NoteSignature>, NotCosigned> {
        let history = |old: u64| growth(old).map_err(|error| error.to_string());
        let (keys, known) = {
            let memory = self.memory();
            (memory.keys.clone(), memory.known)
        };
        let http = Http::new(PATIENCE);
        let collected = hefu_client::collect(&http, &self.policy, &keys, &signed.note, known, &history);
        let collected = collected.map_err(|error| NotCosigned { why: error.to_string() })?;
        let lines = collected.note.signatures().to_vec();
        let judged = collected.judge(self.mode).map_err(|why| NotCosigned { why: why.to_string() });
        self.memory().collected = Some(collected);
        judged.map(|()| lines)
    }

    fn is_enough(&self, published: &Published) -> bool {
        let memory = self.memory();
        let keys = memory.keys.iter().map(|log| &log.key);
        self.policy.judge(&published.note, keys).is_ok_and(|judgement| judgement.quorum)
    }
}

/// Whether the policy is about this ledger, or else anybody's word about any log would do.
fn names(policy: &Policy, origin: &str) -> bool {
    policy.logs().iter().any(|log| log.key.name().as_str() == origin)
}

/// Fails unless the policy names the ledger.
pub(crate) fn must_name(policy: &Policy, origin: &str) -> Result {
    if names(policy, origin) {
        return Ok(());
    }
    let message = text(
        format!("见证政策未列出账本 {origin}"),
        format!("the policy of witnesses does not name the log {origin}"),
    );
    let hint = text(
        "写入一行 `log 验证密钥`;验证密钥由 `hefu audit export … --vkey FILE` 写出",
        "add a line `log VKEY`; `hefu audit export … --vkey FILE` writes the key",
    );
    Err(CliError::new("bad_policy_file", exit::BAD_INPUT, message).hint(hint))
}

/// The keys of the log: those its records name, each as far as it goes (a witness keeps of a checkpoint with both
/// signatures the one it knows), and those the policy names besides. A ledger that
/// lost the record of a rotation is known by the policy's key.
fn keys_of(policy: &Policy, log: &Shown) -> Vec<LogKey> {
    let (origin, own) = (log.origin(), log.keys());
    let recorded = own.all().iter().filter_map(|(_, public)| {
        let key = VerifierKey::of_log(origin, *public).ok()?;
        Some(LogKey { key, ended: log.void_from(public) })
    });
    let mut keys: Vec<LogKey> = recorded.collect();
    for log in policy.logs() {
        let known = keys.iter().any(|known| known.key == log.key);
        if !known && log.key.name().as_str() == origin.as_str() {
            keys.push(LogKey::lasting(log.key.clone()));
        }
    }
    keys
}

/// A witness has the log's own word for another history.
fn contradicted(witness: &str, size: u64, note: &Note) -> CliError {
    let message = text(
        format!(
            "见证人 {witness} 持有本账本签署的 {size} 条记录的检查点,账本与之不符;未写入、未发布任何内容"
        ),
        format!(
            "witness {witness} holds a checkpoint of {size} records, signed by this log, that the ledger does not \
             continue; nothing is written and nothing goes out"
        ),
    );
    let hint = text(
        "账本丢失或改动了记录,或由旧备份恢复:找回较新的备份,或以新名称另建账本",
        "records were lost or changed, or this is an older backup: find a newer one, or begin a new ledger under \
         another name",
    );
    CliError::new("witness_contradicts", exit::PROVEN_BAD, message)
        .hint(hint)
        .at("checkpoint", note.to_string())
}

impl From<&Unheld> for CliError {
    fn from(unheld: &Unheld) -> CliError {
        match unheld {
            Unheld::Contradicted { witness, size, note } => contradicted(witness, *size, note),
            Unheld::TooFew { missing } => {
                let message = text(
                    "能询问的见证人不足,账本未打开",
                    "too few witnesses can be asked what they saw; the ledger is not opened",
                );
                let hint = text(
                    "使见证人可达;或用 `hefu audit witness use FILE --fail-open` 允许先行",
                    "make them reachable, or let the ledger go on without: \
                     `hefu audit witness use FILE --fail-open`",
                );
                let why = missing.join("; ");
                CliError::new("witnesses_silent", exit::REFUSED, message)
                    .why(text(why.clone(), why))
                    .hint(hint)
            }
        }
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
