//! Who the witness is and which logs it watches: `witness.json`.

use hefu_chain::{
    note::{KeyKind, KeyName, VerifierKey},
    origin::Origin,
};
use serde::{Deserialize, Serialize};

use crate::error::WitnessError;

/// The file `witness.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The logs, by their names ascending.
    pub logs: Vec<WatchedLog>,
    /// The witness's name, which its cosignatures carry.
    pub name: KeyName,
}

/// A log that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedLog {
    /// The keys that sign for it. Several while one is being replaced; one valid signature is enough.
    pub keys: Vec<VerifierKey>,
    /// Its name.
    pub origin: Origin,
}

impl Config {
    /// A witness that watches nothing yet.
    pub(crate) fn new(name: KeyName) -> Config {
        Config { logs: Vec::new(), name }
    }

    /// Adds a log, or a further key of one. Gives its origin. Fails if the key is not that of a log.
    pub(crate) fn add(&mut self, key: VerifierKey) -> Result<Origin, WitnessError> {
        let origin: Origin = key.name().as_str().parse().map_err(|_| WitnessError::NotALogKey)?;
        if key.kind() != KeyKind::Ed25519 {
            return Err(WitnessError::NotALogKey);
        }
        match self.logs.iter_mut().find(|log| log.origin == origin) {
            Some(log) if log.keys.contains(&key) => {}
            Some(log) => log.keys.push(key),
            None => self.logs.push(WatchedLog { keys: vec![key], origin: origin.clone() }),
        }
        self.logs.sort_by(|one, other| one.origin.cmp(&other.origin));
        Ok(origin)
    }

    /// As a file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        format!("{:#}\n", serde_json::json!(self)).into_bytes()
    }
}
