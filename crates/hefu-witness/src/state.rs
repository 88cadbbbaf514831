//! What a witness remembers of one log: `state/<hash>.json`.

use hefu_chain::{
    checkpoint::Checkpoint,
    note::{Note, VerifierKey},
    origin::Origin,
    tree::TreeHash,
};
use serde_json::{Value, json};

/// The newest checkpoint that was cosigned, if any was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The log.
    pub origin: Origin,
    /// What was cosigned last, with the log's signature and the witness's.
    pub cosigned: Option<(Checkpoint, Note)>,
}

impl State {
    /// Nothing was cosigned yet.
    pub(crate) fn new(origin: Origin) -> State {
        State { origin, cosigned: None }
    }

    /// The size that a request must start from.
    pub fn size(&self) -> u64 {
        self.cosigned.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }

    /// The root at that size.
    pub fn root(&self) -> TreeHash {
        self.cosigned.as_ref().map_or(TreeHash::EMPTY, |(checkpoint, _)| checkpoint.root)
    }

    /// As a file: one line of JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let note = self.cosigned.as_ref().map(|(_, note)| note.to_string());
        format!("{}\n", json!({"checkpoint": note, "origin": self.origin})).into_bytes()
    }

    /// Reads a file, which must be about this log and signed by one of its keys and by the witness.
    pub(crate) fn parse(bytes: &[u8], keys: &[VerifierKey], own: &VerifierKey) -> Result<State, String> {
        let file: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let origin = file.get("origin").and_then(Value::as_str).and_then(|origin| origin.parse().ok());
        let origin: Origin = origin.ok_or("`origin` is missing or no name of a log")?;
        let note = match file.get("checkpoint") {
            Some(Value::Null) => return Ok(State { origin, cosigned: None }),
            Some(Value::String(note)) => note,
            Some(_) | None => return Err("`checkpoint` is missing".to_owned()),
        };
        let note: Note = note.parse().map_err(|error| format!("checkpoint: {error}"))?;
        let opened = Checkpoint::open(&note, keys.iter().chain([own])).map_err(|error| error.to_string())?;
        match () {
            () if opened.checkpoint.origin != origin => Err("the checkpoint is another log's".to_owned()),
            () if opened.signatures.iter().all(|signature| signature.key != *own) => {
                Err("the checkpoint has no cosignature of this witness".to_owned())
            }
            () => Ok(State { origin, cosigned: Some((opened.checkpoint, note)) }),
        }
    }
}
