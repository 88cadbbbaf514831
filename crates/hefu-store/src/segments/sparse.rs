//! Where records are in a segment, roughly: one entry per 64 KiB, so a full segment of 64 MiB costs 16 KiB.
//!
//! The writer notes what it appends; for older files the notes are made by walking as far as a read needs. Nothing
//! here is on disk and nothing here is trusted: a read starts at an entry and checks what it finds.

/// Entries are at least this far apart in the file.
pub(super) const SPACING: u64 = 64 << 10;

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

    /// Takes over what a walk from `start` saw: records that carry their command, and the first it did not walk over.
    pub(super) fn follow(&mut self, start: u64, seen: &[(u64, u64)], reached: (u64, u64)) {
        let known = self.reached.0;
        // Between the two ways there may be records that nobody noted.
        if start > known || reached.0 <= known {
            return;
        }
        seen.iter()
            .filter(|(position, _)| *position >= known)
            .for_each(|(at, offset)| self.note(*at, *offset));
        self.reached = reached;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_adds_what_it_saw_unless_it_leaves_a_gap() {
        let mut sparse = Sparse::new(100, 32);
        let far = |times: u64| 32 + times * SPACING;
        sparse.follow(100, &[(110, far(1)), (120, far(2))], (130, far(3)));
        assert_eq!((sparse.reached(), sparse.nearest(125)), ((130, far(3)), (120, far(2))));
        sparse.follow(150, &[(160, far(7))], (170, far(8)));
        assert_eq!(sparse.reached(), (130, far(3)), "what lies before 150 is not known");
        sparse.follow(120, &[(120, far(2)), (140, far(4))], (150, far(5)));
        assert_eq!((sparse.reached(), sparse.nearest(139)), ((150, far(5)), (120, far(2))));
        assert_eq!(sparse.nearest(149), (140, far(4)));
    }
}
