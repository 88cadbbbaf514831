//! A ledger as its witnesses are told of it: the roots of its tree, and where they say it stands.
//!
//! Roots and proofs come from the kept tiles where a checkpoint covers them; what no checkpoint covers yet is hashed
//! from the log. Nothing is signed here.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hefu_chain::{
    note::{Note, VerifierKey},
    origin::Origin,
    policy::Policy,
    tree::{self, MemoryTree, TreeHash},
};
use hefu_client::{Http, Standing};
use hefu_engine::Prover;
use hefu_store::LogReader;
use serde_json::Value;

use crate::{
    cmd::audit::files,
    error::{CliError, Result, exit},
    lang::text,
};

/// A witness has so long to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The ledger at its end of this moment.
pub(super) struct Ledger {
    origin: Origin,
    /// The keys that sign for it, as the policy says.
    keys: Vec<VerifierKey>,
    size: u64,
    log: Arc<dyn LogReader>,
    prover: Option<Prover>,
    /// The tree over all records, once it was needed.
    tree: Mutex<Option<MemoryTree>>,
}

impl Ledger {
    /// Opens the log. The policy must name it, or else anybody's word about any log would do.
    pub(super) fn open(dir: &Path, policy: &Policy) -> Result<Ledger> {
        let log = files::log(dir)?;
        let size = log.size();
        let origin = log.get(0).ok().flatten().and_then(|record| origin_of(&record.body));
        let unread = text("创世记录无法读取", "record 0 cannot be read");
        let origin: Origin = origin.ok_or_else(|| CliError::new("bad_record", exit::IO, unread))?;
        let logs = policy.logs().iter().map(|log| &log.key);
        let keys: Vec<VerifierKey> =
            logs.filter(|key| key.name().as_str() == origin.as_str()).cloned().collect();
        if keys.is_empty() {
            let message = text(
                format!("见证政策未列出账本 {origin}"),
                format!("the policy of witnesses does not name the log {origin}"),
            );
            let hint = text(
                "写入一行 `log 验证密钥`;验证密钥由 `hefu audit export … --vkey FILE` 写出",
                "add a line `log VKEY`; `hefu audit export … --vkey FILE` writes the key",
            );
            return Err(CliError::new("bad_policy_file", exit::BAD_INPUT, message).hint(hint));
        }
        // Without a checkpoint, or with one that the log does not continue, the records themselves are hashed.
        let prover = Prover::open(dir).ok();
        Ok(Ledger { origin, keys, size, log, prover, tree: Mutex::new(None) })
    }

    /// How many records it has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What every witness saw, compared.
    pub(super) fn standings(&self, policy: &Policy) -> Vec<(String, Standing)> {
        let http = Http::new(PATIENCE);
        let root_at = |size: u64| self.root_at(size);
        hefu_client::standings(&http, policy, &self.keys, &self.origin, self.size, &root_at)
    }

    /// Fails if a witness saw more than the log has, or something else: then nothing may be signed.
    pub(super) fn hold_to(&self, policy: &Policy) -> Result {
        for (witness, standing) in self.standings(policy) {
            match standing {
                Standing::Ahead(seen, note) | Standing::Differs(seen, note) => {
                    return Err(contradicted(&witness, seen.size, &note));
                }
                Standing::Agrees(..) | Standing::New | Standing::Silent(_) => {}
            }
        }
        Ok(())
    }

    fn root_at(&self, size: u64) -> std::result::Result<TreeHash, String> {
        let covers = |prover: &&Prover| size <= prover.checkpoint().checkpoint.size;
        if let Some(prover) = self.prover.as_ref().filter(covers) {
            return prover.root(size).map_err(|error| error.to_string());
        }
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        if tree.is_none() {
            *tree = Some(self.hashed()?);
        }
        let Some(tree) = tree.as_mut() else { return Err("the log was not hashed".to_owned()) };
        tree::root(tree, size).map_err(|error| error.to_string())
    }

    fn hashed(&self) -> std::result::Result<MemoryTree, String> {
        let mut tree = MemoryTree::new();
        let scanned = self.log.scan(0, &mut |record| {
            if record.position >= self.size {
                return ControlFlow::Break(());
            }
            tree.push(TreeHash::leaf(record.leaf));
            ControlFlow::Continue(())
        });
        scanned.map(|()| tree).map_err(|error| error.to_string())
    }
}

/// A witness has the log's own word for another history.
pub(super) fn contradicted(witness: &str, size: u64, note: &Note) -> CliError {
    let message = text(
        format!("见证人 {witness} 持有本账本签署的 {size} 条记录的检查点,账本与之不符;未发布任何内容"),
        format!(
            "witness {witness} holds a checkpoint of {size} records, signed by this log, that the ledger does not \
             continue; nothing goes out"
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

/// The ledger's name, from the body of record 0.
fn origin_of(body: &[u8]) -> Option<Origin> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("data")?.get("origin")?.as_str()?.parse().ok()
}
