//! A ledger opened for looking: no lock, no key, next to a running writer or without one.

mod received;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use hefu_chain::{
    hash::{ChainHash, Sha256Digest},
    leaf::{Leaf, LeafRef},
    origin::Origin,
    record::Record,
};
use hefu_domain::{dispute::DisputeId, event::Event, id::ProjectId, time::Timestamp};
use hefu_projections::Views;
use hefu_store::{Backend, LogReader, OpenOptions, segments::SegmentLog};
use uuid::Uuid;

use crate::{
    answer::{Accepted, EngineError},
    decode,
    fold::{self, Folded},
    head::receipt_of,
    heads::{Heads, StreamKey},
};

/// A ledger opened for looking, as of one position.
pub struct Reader {
    /// Its name.
    pub origin: Origin,
    /// What is known, as of the position it was opened at.
    pub views: Views,
    /// The head at that position.
    pub head: ChainHash,
    log: Arc<dyn LogReader>,
    heads: Heads,
    dir: PathBuf,
}

/// A stored record, read.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// Its leaf.
    pub leaf: Leaf,
    /// Its event; of a redacted record what remains of it.
    pub event: Event,
    /// The record that redacted it.
    pub redacted_by: Option<u64>,
    /// The stored bytes.
    pub record: Record,
}

impl Reader {
    /// Opens a directory at its present end.
    pub fn open(dir: &Path) -> Result<Reader, EngineError> {
        let log = log_reader(dir)?;
        Reader::at(dir, log, None)
    }

    /// The same ledger as known after its first `size` records.
    pub fn as_of_size(&self, size: u64) -> Result<Reader, EngineError> {
        Reader::at(&self.dir, self.log.clone(), Some(size))
    }

    /// The same ledger as known at an instant.
    pub fn as_of_instant(&self, instant: Timestamp) -> Result<Reader, EngineError> {
        self.as_of_size(size_at(&*self.log, instant)?)
    }

    /// The answers as known after each of `sizes` records, which must ascend: one fold of the log, stopped at each.
    pub fn visit(&self, sizes: &[u64], show: &mut dyn FnMut(&Views)) -> Result<(), EngineError> {
        fold::visit(&self.dir, self.log(), &self.origin, sizes, show)
    }

    pub(crate) fn at(dir: &Path, log: Arc<dyn LogReader>, until: Option<u64>) -> Result<Reader, EngineError> {
        let (origin, _) = fold::identity(&*log)?;
        let until = until.unwrap_or(u64::MAX).min(log.size());
        let (Folded { views, heads, head }, _) = fold::fold(dir, &*log, &origin, until, true, false)?;
        Ok(Reader { origin, views, head, log, heads, dir: dir.to_owned() })
    }

    /// Number of records in the log now.
    pub fn log_size(&self) -> u64 {
        self.log.size()
    }

    /// The log itself.
    pub fn log(&self) -> &dyn LogReader {
        &*self.log
    }

    /// One record.
    pub fn record(&self, position: u64) -> Result<Option<RecordView>, EngineError> {
        let Some(record) = self.log.get(position)? else { return Ok(None) };
        let bad = EngineError::bad_record(position);
        let leaf = LeafRef::parse(&record.leaf).map_err(|error| bad(error.to_string()))?.to_leaf();
        let decode::Fact { event, redacted_by, .. } = decode::fact(self.log(), &record.as_ref())?;
        // On record, though the content is still there.
        let known = self.views.state.redactions.get(&position).copied().filter(|_| redacted_by.is_none());
        let event = known.and_then(|_| event.blanked()).unwrap_or(event);
        Ok(Some(RecordView { leaf, event, redacted_by: redacted_by.or(known), record }))
    }

    /// All records of a project, oldest first. They are found by the chain that runs through each stream, so none can
    /// be missing without a trace.
    pub fn history(&self, project: ProjectId) -> Result<Vec<RecordView>, EngineError> {
        self.stream(StreamKey::Project(project))
    }

    /// All records of a dispute, oldest first, found in the same way. What a ruling does to figures is with the project.
    pub fn dispute(&self, dispute: DisputeId) -> Result<Vec<RecordView>, EngineError> {
        self.stream(StreamKey::Dispute(dispute))
    }

    fn stream(&self, key: StreamKey) -> Result<Vec<RecordView>, EngineError> {
        let mut next = self.heads.stream(&key).map(|head| head.last);
        let mut history = Vec::new();
        while let Some(position) = next {
            let view = self.record(position)?;
            let view = view.ok_or_else(|| EngineError::bad_record(position)("it is missing".to_owned()))?;
            next = view.leaf.stream_prev.filter(|previous| *previous < position);
            history.push(view);
        }
        history.reverse();
        Ok(history)
    }

    /// Where a command is on record, with the digest of its stored bytes.
    pub fn command(&self, id: Uuid) -> Option<(Sha256Digest, Accepted)> {
        recorded(&*self.log, &self.origin, self.heads.command(id)?)
    }
}

/// How many records there were at an instant.
pub(crate) fn size_at(log: &dyn LogReader, instant: Timestamp) -> Result<u64, EngineError> {
    // `ts` never decreases along the log, so the records up to an instant are a prefix.
    let (mut low, mut high) = (0, log.size());
    while low < high {
        let middle = u64::midpoint(low, high);
        let record = log.get(middle)?;
        let ts = record.and_then(|record| LeafRef::parse(&record.leaf).ok()?.ts.parse::<Timestamp>().ok());
        if ts.is_none_or(|ts| ts > instant) { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// The log of a directory, without taking its lock where the back-end allows it.
pub(crate) fn log_reader(dir: &Path) -> Result<Arc<dyn LogReader>, EngineError> {
    match Backend::of(dir) {
        Backend::Segments => Ok(SegmentLog::open_reader(dir)?),
        Backend::Sled => {
            let (log, _) = Backend::Sled.open(dir, &OpenOptions::default())?;
            Ok(log.reader())
        }
    }
}

/// The first answer to the command whose first record is at `position`, and the digest of the command.
pub(crate) fn recorded(
    log: &dyn LogReader,
    origin: &Origin,
    position: u64,
) -> Option<(Sha256Digest, Accepted)> {
    let record = log.get(position).ok().flatten()?;
    let leaf = LeafRef::parse(&record.leaf).ok()?;
    let (id, digest) = (leaf.command, leaf.command_sha256);
    let mut records = 0;
    log.scan(position, &mut |next| {
        let same = LeafRef::parse(next.leaf).is_ok_and(|leaf| leaf.command == id);
        records += u32::from(same);
        if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .ok()?;
    let receipt = log.commit_at(position).ok().flatten().map(|commit| receipt_of(origin, &commit));
    let leaf = record.leaf.clone();
    Some((digest, Accepted { id, position, records, leaf, receipt, repeated: true }))
}
