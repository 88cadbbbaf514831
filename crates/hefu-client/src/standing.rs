//! Where a log stands with its witnesses: before it signs, and after a restore.

use std::thread;

use hefu_chain::{checkpoint::Checkpoint, note::Note, origin::Origin, policy::Policy, tree::TreeHash};

use crate::{
    http::Http,
    witness::{LogKey, WitnessAt},
};

/// What one witness remembers of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The log has what it saw.
    Agrees(Checkpoint, u64),
    /// It never cosigned for the log.
    New,
    /// It saw more than the log has: records were lost, or the log was restored from an older backup.
    Ahead(Checkpoint, Note),
    /// It saw another history.
    Differs(Checkpoint, Note),
    /// It cannot be asked, or shows nothing that the log and it have signed.
    Silent(String),
}

/// Asks every witness of a policy what it saw last, and compares with the log, which has `size` records.
///
/// `root_at` gives the root of the log's first so many records.
pub fn standings(
    http: &Http,
    policy: &Policy,
    log: &[LogKey],
    origin: &Origin,
    size: u64,
    root_at: &(dyn Fn(u64) -> Result<TreeHash, String> + Sync),
) -> Vec<(String, Standing)> {
    let compare = |seen: Checkpoint, note: Note, time: u64| {
        if seen.size > size {
            return Standing::Ahead(seen, note);
        }
        match root_at(seen.size) {
            Ok(root) if root == seen.root => Standing::Agrees(seen, time),
            Ok(_) => Standing::Differs(seen, note),
            Err(why) => Standing::Silent(why),
        }
    };
    thread::scope(|scope| {
        let asked: Vec<_> = policy
            .witnesses()
            .iter()
            .map(|witness| {
                let asked = scope.spawn(|| {
                    let Some(url) = witness.url.as_deref() else {
                        return Standing::Silent("the policy does not say where it is".to_owned());
                    };
                    match (WitnessAt { http, url, key: &witness.key }).latest(log, origin) {
                        Ok(None) => Standing::New,
                        Ok(Some((seen, note, time))) => compare(seen, note, time),
                        Err(error) => Standing::Silent(error.to_string()),
                    }
                });
                (witness.name.clone(), asked)
            })
            .collect();
        let silent = |_| Standing::Silent("asking it panicked".to_owned());
        asked.into_iter().map(|(name, asked)| (name, asked.join().unwrap_or_else(silent))).collect()
    })
}
