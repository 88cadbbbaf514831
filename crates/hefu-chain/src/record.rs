//! One record as three byte strings. Refuses nothing: meaning is checked by `leaf`, `body`, `command` and `verify`.

/// One record, owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Position in the log, from 0, without gaps.
    pub position: u64,
    /// The leaf, exactly as hashed.
    pub leaf: Vec<u8>,
    /// The body; empty when it is withheld.
    pub body: Vec<u8>,
    /// The signed command; empty when it is the same as that of the record before, or withheld.
    pub command: Vec<u8>,
    /// The record that redacted this one or another of its command: then the command is withheld, and the body unless
    /// it is there. A hint only: that record must say so itself.
    pub redacted_by: Option<u64>,
}

impl Record {
    /// The same record, borrowed.
    pub fn as_ref(&self) -> RecordRef<'_> {
        let Self { position, leaf, body, command, redacted_by } = self;
        RecordRef { position: *position, leaf, body, command, redacted_by: *redacted_by }
    }
}

/// One record, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Position in the log, from 0, without gaps.
    pub position: u64,
    /// The leaf, exactly as hashed.
    pub leaf: &'a [u8],
    /// The body; empty when it is withheld.
    pub body: &'a [u8],
    /// The signed command; empty when it is the same as that of the record before, or withheld.
    pub command: &'a [u8],
    /// See [`Record::redacted_by`].
    pub redacted_by: Option<u64>,
}

impl RecordRef<'_> {
    /// An owned copy.
    pub fn to_record(&self) -> Record {
        Record {
            position: self.position,
            leaf: self.leaf.to_vec(),
            body: self.body.to_vec(),
            command: self.command.to_vec(),
            redacted_by: self.redacted_by,
        }
    }
}
