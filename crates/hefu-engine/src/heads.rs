//! Where each stream stands and which commands are on record: what the writer must look up for every event.
//!
//! Kept in memory, saved with the snapshot, rebuilt by replay. Compact: a stream is named by what is unique in it.

use std::collections::HashMap;

use hefu_domain::{
    dispute::DisputeId,
    event::Event,
    id::{EnterpriseCode, ProjectId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A stream, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum StreamKey {
    /// `ledger`
    Ledger,
    /// `enterprise/<code>`
    Enterprise(EnterpriseCode),
    /// `project/<uuid>`
    Project(ProjectId),
    /// `dispute/<uuid>`
    Dispute(DisputeId),
}

impl StreamKey {
    /// The stream an event belongs to.
    pub(crate) fn of(event: &Event) -> StreamKey {
        match event {
            Event::EnterpriseRegistered(e) => StreamKey::Enterprise(e.enterprise),
            event => match (event.dispute(), event.project()) {
                (Some(dispute), _) => StreamKey::Dispute(dispute),
                (None, Some(project)) => StreamKey::Project(project),
                (None, None) => StreamKey::Ledger,
            },
        }
    }

    /// Its text in the leaf.
    pub(crate) fn text(self) -> String {
        match self {
            StreamKey::Ledger => "ledger".to_owned(),
            StreamKey::Enterprise(code) => format!("enterprise/{code}"),
            StreamKey::Project(id) => format!("project/{id}"),
            StreamKey::Dispute(id) => format!("dispute/{id}"),
        }
    }
}

/// The end of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamHead {
    /// Position of its last record.
    pub(crate) last: u64,
    /// Number of its records.
    pub(crate) length: u64,
}

/// Ends of all streams and positions of all commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heads {
    streams: HashMap<StreamKey, StreamHead>,
    commands: HashMap<CommandKey, u64>,
}

/// A command id, kept unaligned: 24 bytes an entry instead of 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CommandKey([u8; 16]);

impl Heads {
    /// The end of a stream.
    pub(crate) fn stream(&self, key: &StreamKey) -> Option<StreamHead> {
        self.streams.get(key).copied()
    }

    /// Position of a command's first record.
    pub(crate) fn command(&self, id: Uuid) -> Option<u64> {
        self.commands.get(&CommandKey(id.into_bytes())).copied()
    }

    /// Notes a record.
    pub(crate) fn note(&mut self, position: u64, stream: StreamKey, command: Uuid) {
        let head = self.streams.entry(stream).or_insert(StreamHead { last: position, length: 0 });
        *head = StreamHead { last: position, length: head.length + 1 };
        self.commands.entry(CommandKey(command.into_bytes())).or_insert(position);
    }

    /// Everything, for the snapshot.
    pub(crate) fn to_parts(&self) -> HeadsParts {
        let streams = self.streams.iter().map(|(key, head)| (*key, *head)).collect();
        let commands = self.commands.iter().map(|(key, position)| (key.0, *position)).collect();
        HeadsParts { streams, commands }
    }
}

/// [`Heads`] as saved in a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeadsParts {
    streams: Vec<(StreamKey, StreamHead)>,
    commands: Vec<([u8; 16], u64)>,
}

impl From<HeadsParts> for Heads {
    fn from(parts: HeadsParts) -> Heads {
        Heads {
            streams: parts.streams.into_iter().collect(),
            commands: parts.commands.into_iter().map(|(id, position)| (CommandKey(id), position)).collect(),
        }
    }
}
