//! Evidence bundles: the records behind a question with their paths to the pinned checkpoint, in one file.
//!
//! Needs no key and no lock. One pass over the log finds the records that register the signers' keys; then the wanted
//! records are written one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    ops::Range,
    path::Path,
};

use hefu_chain::{
    bundle::{Asked, FORMAT, Header, Line, Reason, Writer},
    checkpoint::Checkpoint,
    hash::Sha256Digest,
    key::KeyId,
    leaf::LeafRef,
    verify::KeyRing,
};
use hefu_store::LogReader;

use super::signatory::Signatory;
use super::{PublishError, Published, each, prover::Prover};
use crate::answer::EngineError;

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The question, as the bundle says it.
    pub asked: Asked,
    /// The records that answer it.
    pub records: Positions,
}

/// Positions of records.
#[derive(Debug, Clone)]
pub enum Positions {
    /// All of a range.
    Range(Range<u64>),
    /// These.
    Each(BTreeSet<u64>),
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Bundled {
    /// The checkpoint that all paths lead to.
    pub checkpoint: Checkpoint,
    /// Records that were asked for.
    pub asked: u64,
    /// Records that register the keys of the others' signers, or redact one of them.
    pub more: u64,
    /// Records asked for that the checkpoint does not cover.
    pub uncovered: u64,
}

impl Positions {
    fn has(&self, position: u64) -> bool {
        match self {
            Self::Range(range) => range.contains(&position),
            Self::Each(positions) => positions.contains(&position),
        }
    }

    fn count_below(&self, size: u64) -> u64 {
        match self {
            Self::Range(range) => range.end.min(size).saturating_sub(range.start),
            Self::Each(positions) => positions.range(..size).count() as u64,
        }
    }
}

/// Writes a bundle. `progress` hears of records read.
///
/// Fails if there is no checkpoint, if it covers none of the records, or if the log does not lead to it. A range must be
/// covered whole.
pub fn bundle(
    dir: &Path,
    wanted: &Wanted,
    out: &mut dyn Write,
    progress: &dyn Fn(u64),
) -> Result<Bundled, PublishError> {
    let first = match &wanted.records {
        Positions::Range(range) => range.end.saturating_sub(1),
        Positions::Each(positions) => positions.first().copied().unwrap_or(0),
    };
    let prover = match Prover::open(dir) {
        Err(PublishError::NoCheckpoint) => {
            return Err(PublishError::Uncovered { position: first, size: 0 });
        }
        opened => opened?,
    };
    let log = prover.log();
    let signatory = Signatory::of(log)?;
    let Published { checkpoint, note } = prover.checkpoint().clone();
    let (origin, public) = (signatory.origin.clone(), signatory.public_at(checkpoint.size));
    let public = public.unwrap_or_else(|| signatory.public());
    let (size, old) = (log.size(), checkpoint.size);
    match () {
        () if first >= size => return Err(PublishError::NoRecord { position: first, size }),
        () if first >= old => return Err(PublishError::Uncovered { position: first, size: old }),
        () => {}
    }
    let mut registered: BTreeMap<KeyId, u64> = BTreeMap::new();
    let mut signers: BTreeSet<KeyId> = BTreeSet::new();
    let mut redactions: BTreeSet<u64> = BTreeSet::new();
    each(log, 0, old, |record| {
        for key in KeyRing::of_body(record.position, record.body).ids() {
            registered.entry(key).or_insert(record.position);
        }
        if wanted.records.has(record.position) {
            redactions.extend(record.redacted_by);
            signers.insert(leaf_of(record.position, record.leaf)?.actor);
        }
        progress(1);
        Ok(())
    })?;
    for by in redactions.clone() {
        let record = log.get(by)?.ok_or(PublishError::NoRecord { position: by, size })?;
        signers.insert(leaf_of(by, &record.leaf)?.actor);
        redactions.extend(redacted(&record.body));
    }
    let keys = with_their_own(log, &registered, signers)?;
    let extras: BTreeSet<u64> = keys.union(&redactions).copied().collect();
    let reason = |at: u64| if keys.contains(&at) { Reason::Key } else { Reason::Redaction };
    let header = Header {
        asked: wanted.asked.clone(),
        checkpoint: note.to_string(),
        format: FORMAT.to_owned(),
        log_key: public,
        origin,
    };
    let mut writer = Writer::new(out, &header).map_err(|error| written(&error))?;
    let mut commands: BTreeSet<Sha256Digest> = BTreeSet::new();
    let asked: Box<dyn Iterator<Item = u64>> = match &wanted.records {
        Positions::Range(range) => Box::new(range.clone()),
        Positions::Each(positions) => Box::new(positions.range(..old).copied()),
    };
    let mut left = extras.iter().copied().filter(|at| *at < old && !wanted.records.has(*at)).peekable();
    let mut put = |position: u64, why: Reason| {
        let line = line(&prover, position, why, &mut commands)?;
        writer.record(&line).map_err(|error| written(&error))
    };
    let mut extra = 0;
    for position in asked {
        while let Some(more) = left.next_if(|more| *more < position) {
            put(more, reason(more))?;
            extra += 1;
        }
        put(position, Reason::Asked)?;
        progress(1);
    }
    for more in left {
        put(more, reason(more))?;
        extra += 1;
    }
    writer.finish().map_err(|error| written(&error))?;
    let asked = wanted.records.count_below(old);
    let all = wanted.records.count_below(u64::MAX);
    Ok(Bundled { checkpoint, asked, more: extra, uncovered: all - asked })
}

/// The records that register these keys, and those that register the signers of those, and so on.
fn with_their_own(
    log: &dyn LogReader,
    registered: &BTreeMap<KeyId, u64>,
    signers: BTreeSet<KeyId>,
) -> Result<BTreeSet<u64>, PublishError> {
    let mut records = BTreeSet::new();
    let mut open: Vec<KeyId> = signers.into_iter().collect();
    while let Some(key) = open.pop() {
        if let Some(position) = registered.get(&key).copied()
            && records.insert(position)
        {
            let record = log.get(position)?.ok_or(PublishError::NoRecord { position, size: log.size() })?;
            open.push(leaf_of(position, &record.leaf)?.actor);
        }
    }
    Ok(records)
}

fn line(
    prover: &Prover,
    position: u64,
    why: Reason,
    commands: &mut BTreeSet<Sha256Digest>,
) -> Result<Line, PublishError> {
    let log = prover.log();
    let record = log.get(position)?.ok_or(PublishError::NoRecord { position, size: log.size() })?;
    let digest = leaf_of(position, &record.leaf)?.command_sha256;
    let command = if commands.insert(digest) { command(log, position, digest)? } else { None };
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).map_err(|error| EngineError::bad_record(position)(error.to_string()))
    };
    let path = prover.inclusion(position)?.path().to_vec();
    Ok(Line {
        body: Some(record.body).filter(|body| !body.is_empty()).map(text).transpose()?,
        command: command.map(text).transpose()?,
        index: position,
        leaf: text(record.leaf)?,
        path,
        why,
    })
}

/// The record that a redaction's body names.
fn redacted(body: &[u8]) -> Option<u64> {
    let body = hefu_chain::body::parse(body).ok()?;
    serde_json::from_slice::<serde_json::Value>(body.data).ok()?.get("position")?.as_u64()
}

/// The command with this digest, which stands at the first of the records it caused.
fn command(
    log: &dyn LogReader,
    position: u64,
    digest: Sha256Digest,
) -> Result<Option<Vec<u8>>, PublishError> {
    for at in (0..=position).rev() {
        let Some(record) = log.get(at)? else { return Ok(None) };
        if leaf_of(at, &record.leaf)?.command_sha256 != digest {
            return Ok(None);
        }
        if !record.command.is_empty() {
            return Ok(Some(record.command));
        }
    }
    Ok(None)
}

fn leaf_of(position: u64, leaf: &[u8]) -> Result<LeafRef<'_>, PublishError> {
    LeafRef::parse(leaf).map_err(|error| EngineError::bad_record(position)(error.to_string()).into())
}

fn written(error: &std::io::Error) -> PublishError {
    EngineError::Internal(format!("bundle: {error}")).into()
}
