//! Reading frames through a window of a file: about a mebibyte in memory however large the file is.

use std::path::Path;

use hefu_chain::frame::{self, Commit, Parsed, Why};

use crate::disk::DiskFile;
use crate::{RecordRef, StoreError};

/// What is found at the current place; `offset` is that of its first byte.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A sound record frame.
    Record { offset: u64, record: RecordRef<'a> },
    /// A sound commit frame; `end` is where the next frame would start.
    Commit { offset: u64, end: u64, commit: Commit },
    /// Zeros where a frame would start.
    Zero,
    /// The limit is reached.
    End,
    /// Not a sound frame.
    Bad(Why),
}

/// A window that moves over a file from frame to frame. It stays before anything that is not a frame.
#[derive(Debug)]
pub(super) struct Window<'d> {
    file: &'d dyn DiskFile,
    path: &'d Path,
    buf: Vec<u8>,
    /// The unread part of `buf`.
    start: usize,
    filled: usize,
    /// File offset of `buf[start]`.
    offset: u64,
    limit: u64,
    chunk: usize,
}

impl<'d> Window<'d> {
    /// A window on `file` from `offset` up to `limit`, filled `chunk` bytes at a time.
    pub(super) fn new(
        file: &'d dyn DiskFile,
        path: &'d Path,
        (offset, limit): (u64, u64),
        chunk: usize,
    ) -> Self {
        Self { file, path, buf: Vec::new(), start: 0, filled: 0, offset, limit, chunk }
    }

    /// Offset of the next frame, or of what is not one.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next frame.
    pub(super) fn next(&mut self) -> Result<Found<'_>, StoreError> {
        loop {
            let wanted = frame::wanted(&self.buf[self.start..self.filled]);
            if self.filled - self.start >= wanted || !self.refill(wanted)? {
                break;
            }
        }
        let offset = self.offset;
        let rest = &self.buf[self.start..self.filled];
        if rest.is_empty() {
            return Ok(Found::End);
        }
        let (len, found) = match frame::parse(rest) {
            Parsed::Record { len, record } => (len, Found::Record { offset, record }),
            Parsed::Commit { len, commit } => {
                (len, Found::Commit { offset, end: offset + len as u64, commit })
            }
            Parsed::Zero => return Ok(Found::Zero),
            // Fewer bytes than a frame head at the end of the file may still be zeros prepared ahead.
            Parsed::More { .. } if frame::is_zero(rest) => return Ok(Found::Zero),
            Parsed::More { .. } => return Ok(Found::Bad(Why::Short)),
            Parsed::Bad(why) => return Ok(Found::Bad(why)),
        };
        self.start += len;
        self.offset += len as u64;
        Ok(found)
    }

    /// Brings at least `wanted` unread bytes into the buffer; false if the file has no more to give.
    fn refill(&mut self, wanted: usize) -> Result<bool, StoreError> {
        let unread = self.filled - self.start;
        let left = usize::try_from(self.limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let size = wanted.max(self.chunk.min(left));
        if self.buf.len() < size {
            let mut larger = vec![0; size];
            larger[..unread].copy_from_slice(&self.buf[self.start..self.filled]);
            self.buf = larger;
        } else {
            self.buf.copy_within(self.start..self.filled, 0);
        }
        self.start = 0;
        self.filled = unread;
        let from = self.offset + unread as u64;
        let room = left.min(size) - unread.min(left);
        let room = &mut self.buf[unread..unread + room];
        let got = self.file.read_at(room, from).map_err(StoreError::at("read", self.path))?;
        self.filled += got;
        Ok(got > 0)
    }
}
