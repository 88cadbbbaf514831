//! One witness, asked by the rules of c2sp.org/tlog-witness.

use hefu_chain::{
    add_checkpoint::AddCheckpoint,
    checkpoint::Checkpoint,
    hash::Sha256Digest,
    note::{Note, NoteSignature, VerifierKey},
    origin::Origin,
};

use crate::http::{Http, HttpError};

/// Cosignatures and checkpoints are far shorter.
const MAX_ANSWER: u64 = 1 << 20;

/// A key of the log, and how far its word goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// The key.
    pub key: VerifierKey,
    /// The record that put another one at once in its place: on more records than stand before that its word is none,
    /// whoever holds it now.
    pub ended: Option<u64>,
}

impl LogKey {
    /// A key that signs still.
    pub fn lasting(key: VerifierKey) -> LogKey {
        LogKey { key, ended: None }
    }

    /// Whether its signature counts on a checkpoint of so many records.
    fn counts(&self, size: u64) -> bool {
        self.ended.is_none_or(|ended| size <= ended)
    }
}

/// A witness at an address.
#[derive(Debug, Clone, Copy)]
pub struct WitnessAt<'a> {
    /// How to ask.
    pub http: &'a Http,
    /// The beginning of its addresses, for submitting and for monitoring.
    pub url: &'a str,
    /// The key that its cosignatures are checked with.
    pub key: &'a VerifierKey,
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Its cosignature, which is valid, and the time it names.
    Cosigned(NoteSignature, u64),
    /// 409: it has cosigned this size last.
    Conflict(u64),
    /// 422: it holds that the checkpoint does not grow from the one it cosigned last.
    Inconsistent(String),
    /// Anything else: what it said.
    Refused(String),
}

impl WitnessAt<'_> {
    /// Asks for a cosignature. An answer that is not what it should be counts as a refusal.
    pub fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Asked, HttpError> {
        let url = format!("{}/add-checkpoint", self.url.trim_end_matches('/'));
        let body = request.to_string();
        let answer = self.http.post(&url, "text/plain; charset=utf-8", body.as_bytes(), MAX_ANSWER)?;
        let text = String::from_utf8_lossy(&answer.body);
        Ok(match answer.status {
            200 => match text.lines().find_map(|line| self.valid(&request.checkpoint, line)) {
                Some((line, time)) => Asked::Cosigned(line, time),
                None => Asked::Refused("its answer has no valid cosignature of its key".to_owned()),
            },
            409 => match text.trim_end().parse() {
                Ok(size) if answer.kind.starts_with("text/x.tlog.size") => Asked::Conflict(size),
                Ok(_) | Err(_) => Asked::Refused(answer.says()),
            },
            422 => Asked::Inconsistent(answer.says()),
            _ => Asked::Refused(answer.says()),
        })
    }

    /// The newest checkpoint of a log that it cosigned, if the log signed it, too; with the time of the cosignature.
    ///
    /// Nothing if it never cosigned one. What is not signed by both is told as an error: it is nobody's word.
    pub fn latest(
        &self,
        log: &[LogKey],
        origin: &Origin,
    ) -> Result<Option<(Checkpoint, Note, u64)>, HttpError> {
        let hash = Sha256Digest::of(origin.as_str().as_bytes());
        let url = format!("{}/{hash}/checkpoint", self.url.trim_end_matches('/'));
        let answer = self.http.get(&url, MAX_ANSWER)?;
        let bad = |why: String| HttpError { url: url.clone(), why };
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(bad(answer.says())),
        }
        let note = Note::parse(&answer.body).map_err(|error| bad(error.to_string()))?;
        let keys = log.iter().map(|log| &log.key).chain([self.key]);
        let opened = Checkpoint::open(&note, keys).map_err(|error| bad(error.to_string()))?;
        let own = opened.signatures.iter().find(|signature| signature.key == *self.key);
        let time = own.and_then(|signature| signature.time);
        let time = time.ok_or_else(|| bad("the witness has not cosigned what it shows".to_owned()))?;
        let size = opened.checkpoint.size;
        let signed = |log: &&LogKey| opened.signatures.iter().any(|signature| signature.key == log.key);
        if !log.iter().filter(signed).any(|log| log.counts(size)) {
            return Err(
                bad("no key of the log that counts at that size has signed what it shows".to_owned()),
            );
        }
        if opened.checkpoint.origin != *origin {
            return Err(bad("it is another log's checkpoint".to_owned()));
        }
        Ok(Some((opened.checkpoint, note, time)))
    }

    fn valid(&self, checkpoint: &Note, line: &str) -> Option<(NoteSignature, u64)> {
        let line: NoteSignature = line.parse().ok()?;
        let alone = Note::new(checkpoint.text().to_owned(), line.clone()).ok()?;
        let [verified] = &alone.verify([self.key]).ok()?[..] else { return None };
        Some((line, verified.time?))
    }
}
