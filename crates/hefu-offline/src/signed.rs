//! What the log signed about itself: at each commit, in the file `head`, and in its checkpoint (sections 5 to 7).

use serde::{Deserialize, Serialize};

use crate::hash::{self, Hash};
use crate::note::{self, LogKey};
use crate::rotation::LogKeys;
use crate::{Place, Report};

/// What the log signs at each commit.
pub(crate) fn receipt(origin: &str, seq: u64, head: &str) -> Vec<u8> {
    format!("hefu-receipt-v1\n{origin}\n{seq}\n{head}\n").into_bytes()
}

/// The file `head`: the newest head the log stood behind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    clean: bool,
    #[serde(rename = "head")]
    value: String,
    pub(crate) origin: String,
    sig: String,
    pub(crate) size: u64,
}

impl Head {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let head: Self = serde_json::from_slice(line).ok()?;
        let same = serde_json::to_vec(&head).ok()? == line;
        (same && head.size > 0 && hash::from_hex(&head.value).is_some()).then_some(head)
    }

    /// A log that is shorter than a head it signed, or other at that size, was cut, rolled back or forked. `value` is
    /// the chain value that the log has at the head's size.
    pub(crate) fn compare(&self, log: &Whole<'_>, value: Option<Hash>, report: &mut Report) {
        let place = Place::record("head", self.size - 1);
        let message = receipt(&self.origin, self.size - 1, &self.value);
        let signed =
            |key: Hash| hash::signed(&key, &message, &hash::from_base64(&self.sig).unwrap_or_default());
        if self.origin != log.origin {
            report.bad(place, "the head file is of another ledger");
        } else if log.keys.at(self.size - 1).is_some_and(|key| !signed(key)) {
            report.bad(place, "the head file is not signed by the log");
        } else if self.size > log.size {
            let what =
                format!("the log ends at {}, but it once stood behind {} records", log.size, self.size);
            report.bad(Place::record("head", log.size), what);
        } else if value.is_some_and(|value| hash::to_hex(&value) != self.value) {
            report.bad(place, "the log is not the one whose head was signed");
        }
    }
}

/// The log as it was read.
pub(crate) struct Whole<'a> {
    pub(crate) origin: &'a str,
    pub(crate) keys: &'a LogKeys,
    pub(crate) size: u64,
    /// The tree's hashes of all leaves, or fewer if some are missing.
    pub(crate) hashes: &'a [Hash],
}

/// The newest checkpoint that the log signed must be of the tree over these very records.
pub(crate) fn compare_checkpoint(note: &[u8], name: Option<&String>, log: &Whole<'_>, report: &mut Report) {
    let place = Place::file("checkpoint");
    let size = note::read(note).map_or(0, |(checkpoint, _)| checkpoint.size);
    let Some(public) = log.keys.at(size.saturating_sub(1)) else { return };
    let opened = |public| note::open(note, &LogKey { name: name.cloned(), public });
    match opened(public) {
        Err(_) if log.keys.replaced_before(size).any(|old| opened(old).is_ok()) => {
            report.bad(place, "checkpoint: signed by a key that the log had replaced");
        }
        Err((_, why)) => report.bad(place, why),
        Ok(_) if log.hashes.len() as u64 != log.size => {}
        Ok(checkpoint) => {
            let size = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
            match log.hashes.get(..size) {
                None => report.bad(place, "the log is shorter than its checkpoint"),
                Some(covered) if hash::root(covered) != checkpoint.root => {
                    report.bad(place, "the tree over the records is not the one that was signed");
                }
                Some(_) => {}
            }
        }
    }
}
