//! Walking committed batches: frames in order, positions without gaps, every commit true to its batch.

use std::path::Path;

use hefu_chain::frame::{Commit, HEADER_LEN, Why};

use super::window::{Found, Window};
use crate::disk::DiskFile;
use crate::{RecordRef, StoreError};

/// Offset of the first frame of a file.
pub(super) const FIRST_FRAME: u64 = HEADER_LEN as u64;

/// One step of a walk.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// The next record; it counts once a commit follows.
    Record { offset: u64, record: RecordRef<'a> },
    /// The batch ends and its commit is true; the next one would start at `end`.
    Commit { end: u64, commit: Commit },
    /// The walk cannot go on.
    Stop(Stop),
}

/// Why a walk cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The limit is reached.
    End,
    /// Zeros where a frame would start.
    Zero,
    /// Not a sound frame: what a crash may leave.
    Bad(Why),
    /// A sound frame that does not continue the log: no crash leaves that.
    Contradiction(&'static str),
}

impl Stop {
    pub(super) fn why(self) -> String {
        match self {
            Self::End => "the file ends too early".to_owned(),
            Self::Zero => "zeros where a frame should be".to_owned(),
            Self::Bad(why) => why.to_string(),
            Self::Contradiction(why) => why.to_owned(),
        }
    }
}

/// A walk over one file.
#[derive(Debug)]
pub(super) struct Walk<'d> {
    window: Window<'d>,
    /// Position of the next record.
    next: u64,
    /// First position and offset of the batch the walk is in; unknown when it started within one.
    batch: Option<(u64, u64)>,
    /// Offset of the frame looked at last.
    place: u64,
}

impl<'d> Walk<'d> {
    /// Starts at `offset`, where the frame of record `position` is or would be, at the start of a batch or within.
    pub(super) fn new(
        file: &'d dyn DiskFile,
        path: &'d Path,
        (position, offset): (u64, u64),
        limit: u64,
        chunk: usize,
    ) -> Self {
        let batch = (offset == FIRST_FRAME).then_some((position, offset));
        Self { window: Window::new(file, path, (offset, limit), chunk), next: position, batch, place: offset }
    }

    /// Says that the walk starts at the start of a batch, so that its first commit is checked whole.
    pub(super) fn at_batch(mut self) -> Self {
        self.batch = Some((self.next, self.window.offset()));
        self
    }

    /// Position of the next record.
    pub(super) fn position(&self) -> u64 {
        self.next
    }

    /// Offset of the frame looked at last: where the walk stopped, if it did.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// Takes the next step.
    pub(super) fn step(&mut self) -> Result<Step<'_>, StoreError> {
        let (next, batch) = (self.next, self.batch);
        self.place = self.window.offset();
        let contradiction = |why| Ok(Step::Stop(Stop::Contradiction(why)));
        match self.window.next()? {
            Found::Record { offset, record } => {
                if record.position != next {
                    return contradiction("a record of another position");
                }
                self.next += 1;
                Ok(Step::Record { offset, record })
            }
            Found::Commit { offset, end, commit } => {
                let (first, start) = batch.unwrap_or((commit.first, commit.batch_offset));
                let whole = commit.first == first
                    && commit.batch_offset == start
                    && start < offset
                    && commit.count > 0
                    && commit.first.checked_add(u64::from(commit.count)) == Some(next);
                if !whole {
                    return contradiction("a commit that does not fit its batch");
                }
                self.batch = Some((next, end));
                Ok(Step::Commit { end, commit })
            }
            Found::Zero => Ok(Step::Stop(Stop::Zero)),
            Found::End => Ok(Step::Stop(Stop::End)),
            Found::Bad(why) => Ok(Step::Stop(Stop::Bad(why))),
        }
    }
}
