//! What the log signed about itself: at each commit, in the file `head`, and in its checkpoint (sections 5 to 7).

use serde::{Deserialize, Serialize};

use crate::hash::{self, Hash};
use crate::note::{self, LogKey};
use crate::rotation::LogKeys;
use crate::{Place, Report, Verdict};

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

/// A checkpoint that the log signed must be of the tree over these very records. Gives its size if the log signed it.
pub(crate) fn compare_checkpoint(
    file: &str,
    note: &[u8],
    name: Option<&String>,
    log: &Whole<'_>,
    report: &mut Report,
) -> Option<u64> {
    let place = Place::file(file);
    let (size, of) = note::read(note).map_or((0, None), |(told, _)| (told.size, Some(told.origin)));
    if of.is_some_and(|of| of != log.origin) {
        report.bad(place, "the checkpoint is of another ledger");
        return None;
    }
    let public = log.keys.at(size.saturating_sub(1))?;
    let opened = |public| note::open(note, &LogKey { name: name.cloned(), public });
    let checkpoint = match opened(public) {
        Err(_) if log.keys.replaced_before(size).any(|old| opened(old).is_ok()) => {
            report.bad(place, "checkpoint: signed by a key that the log had replaced");
            return None;
        }
        Err((Verdict::ProvenBad, why)) => {
            report.bad(place, why);
            return None;
        }
        // Anybody can sign a note in the log's name: that is nobody's word, and contradicts nothing.
        Err((_, why)) => {
            report.absent(place, why);
            return None;
        }
        Ok(checkpoint) => checkpoint,
    };
    if log.hashes.len() as u64 == log.size {
        match usize::try_from(size).ok().and_then(|size| log.hashes.get(..size)) {
            None => report.bad(place, "the log is shorter than its checkpoint"),
            Some(covered) if hash::root(covered) != checkpoint.root => {
                report.bad(place, "the tree over the records is not the one that was signed");
            }
            Some(_) => {}
        }
    }
    Some(size)
}

/// Was a newer checkpoint made of this log than the one that lies there? The tiles grow before a checkpoint is signed
/// and never shrink; they may be deleted, and then nothing is known.
pub(crate) fn compare_tiles(tiles: &[u8], pinned: Option<u64>, log: &Whole<'_>, report: &mut Report) {
    let (stored, _) = tiles.as_chunks::<32>();
    let covered = stored.len().min(log.hashes.len());
    let newer = stored.len() as u64 > pinned.unwrap_or(0);
    if newer && covered > 0 && stored[..covered] == log.hashes[..covered] {
        let what = format!("the tiles are of a checkpoint of {} records: it is not here", stored.len());
        report.absent(Place::file("checkpoint"), what);
    } else if pinned.is_none() {
        let note = "nothing is pinned: no checkpoint is here, and nothing shows that one was ever made";
        report.notes.push(note.to_owned());
    }
}
