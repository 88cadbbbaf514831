//! What the last run found, so that the next can say which breaks are new, which persist and which are resolved.
//!
//! A run speaks only for its own scope: a break of another indicator or period stays as it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Class;

/// The layout of the file.
const VERSION: u32 = 1;

/// Where a break stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not there in the run before.
    New,
    /// There in the run before.
    Persisting,
    /// There in the run before, and gone.
    Resolved,
}

impl State {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::Persisting => "persisting",
            State::Resolved => "resolved",
        }
    }
}

/// What a run compared: the same three again change nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// SHA-256 of the book.
    pub book: String,
    /// The ledger's head.
    pub head: String,
    /// Everything that was asked for, in one line.
    pub options: String,
}

/// A break as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// What it says.
    pub class: Class,
    /// What has to be added to the book, decimal text in the indicator's unit.
    pub difference: String,
    /// What is measured.
    pub indicator: String,
    /// First and last day of the periods it is about.
    pub span: (String, String),
    /// The project's id, or the text that names none.
    pub project: String,
    /// The day of the run that found it first.
    pub since: String,
    /// Where it stands.
    pub state: State,
}

/// The memory of one region's book on one basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The layout.
    pub version: u32,
    /// The ledger's name.
    pub ledger: String,
    /// The region's code.
    pub region: String,
    /// The basis.
    pub basis: String,
    /// The last run.
    pub last: Option<Run>,
    /// By id.
    pub breaks: BTreeMap<String, Remembered>,
}

impl Memory {
    /// Nothing remembered yet.
    pub fn new(ledger: &str, region: &str, basis: &str) -> Memory {
        let (ledger, region, basis) = (ledger.to_owned(), region.to_owned(), basis.to_owned());
        Memory { version: VERSION, ledger, region, basis, last: None, breaks: BTreeMap::new() }
    }

    /// Reads a memory back; it must be one of the same ledger, region and basis. `Err` says what is wrong.
    pub fn parse(text: &str, ledger: &str, region: &str, basis: &str) -> Result<Memory, String> {
        let memory: Memory = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if memory.version != VERSION {
            return Err(format!("version {} is not understood", memory.version));
        }
        if (memory.ledger.as_str(), memory.region.as_str(), memory.basis.as_str()) != (ledger, region, basis)
        {
            return Err(format!("it belongs to {} {} {}", memory.ledger, memory.region, memory.basis));
        }
        Ok(memory)
    }

    /// The bytes to keep.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether this very run is the last one.
    pub fn knows(&self, run: &Run) -> bool {
        self.last.as_ref() == Some(run)
    }

    /// Takes in a run. `found` are its breaks, their state not yet known; `in_scope` tells whether the run speaks for a
    /// break remembered. The same run again changes nothing.
    pub fn advance(
        &mut self,
        run: Run,
        found: BTreeMap<String, Remembered>,
        in_scope: impl Fn(&Remembered) -> bool,
    ) {
        if self.knows(&run) {
            return;
        }
        let mut next = BTreeMap::new();
        for (id, old) in std::mem::take(&mut self.breaks) {
            if !in_scope(&old) {
                next.insert(id, old);
            } else if !found.contains_key(&id) && old.state != State::Resolved {
                next.insert(id, Remembered { state: State::Resolved, ..old });
            } else if found.contains_key(&id) && old.state != State::Resolved {
                next.insert(id, Remembered { state: State::Persisting, ..old });
            }
        }
        for (id, new) in found {
            let kept = next.get(&id).map(|old| (old.since.clone(), State::Persisting));
            let (since, state) = kept.unwrap_or((new.since.clone(), State::New));
            next.insert(id, Remembered { since, state, ..new });
        }
        (self.breaks, self.last) = (next, Some(run));
    }
}
