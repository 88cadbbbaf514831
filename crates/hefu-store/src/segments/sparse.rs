//! Where records are in a segment, roughly: one entry per 64 KiB, so a full segment of 64 MiB costs 16 KiB.
//!
//! The writer notes what it appends; for older files the notes are made by walking as far as a read needs. Nothing
//! here is on disk and nothing here is trusted: a read starts at an entry and checks what it finds.

/// Entries are at least this far apart in the file.
const SPACING: u64 = 64 << 10;

/// Places of records that carry their command, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Sparse {
    entries: Vec<(u64, u64)>,
    /// Position and offset of the first record that has not been walked over.
    reached: (u64, u64),
}

impl Sparse {
    /// Knows only where the first record of the segment is.
    pub(super) fn new(base: u64, first_frame: u64) -> Self {
        Self { entries: vec![(base, first_frame)], reached: (base, first_frame) }
    }

    /// Notes a record that carries its command.
    pub(super) fn note(&mut self, position: u64, offset: u64) {
        let far = self.entries.last().is_none_or(|(_, last)| offset >= last + SPACING);
        if far {
            self.entries.push((position, offset));
        }
    }

    /// Notes that everything before the record `position` at `offset` has been walked over.
    pub(super) fn reach(&mut self, position: u64, offset: u64) {
        self.reached = (position, offset);
    }

    /// How far it has been walked.
    pub(super) fn reached(&self) -> (u64, u64) {
        self.reached
    }

    /// The nearest place at or before `position`.
    pub(super) fn nearest(&self, position: u64) -> (u64, u64) {
        let after = self.entries.partition_point(|(at, _)| *at <= position);
        self.entries[after.saturating_sub(1)]
    }
}
