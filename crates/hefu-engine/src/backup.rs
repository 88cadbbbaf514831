//! Copies of a ledger that can take its place, and taking its place with one.
//!
//! A backup is a ledger directory without what can be made again: segments up to a commit, the head that the log signed
//! for that commit, the newest checkpoint. It is taken beside a running writer, without its lock and without any key,
//! and every byte is hashed and linked before it replaces an earlier copy. What is copied is what the log holds: a
//! redaction reaches a backup with the next run, and not before.

mod restore;
mod succeed;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    hash::{ChainHash, Sha256Digest},
    note::Note,
    origin::Origin,
    receipt::HeadFile,
    verify::{Finding, Options as VerifyOptions, Report, Segment, Verifier},
};
use hefu_store::{Backend, DirLock, LogReader, segments::CommittedFile, segments::SegmentLog};

use crate::{answer::EngineError, head::receipt_of, keys::KeyStore, publish::files::replace};

pub use restore::{Inspected, Pins, Restored, inspect, restore};
pub use succeed::succeed;

/// How often a backup begins anew when a redaction rewrites a file under it.
const TRIES: u32 = 3;

/// Why nothing was copied, or not all of it. An earlier backup in the same place is still whole.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The log, a key or a file failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The log is not in segments.
    #[error("the log of this ledger is in sled: only a log in segments can be backed up")]
    Sled,
    /// What was read is not what was recorded.
    #[error("{findings} things are wrong with what was read, first: {first}")]
    Damaged {
        /// How many.
        findings: usize,
        /// The first.
        first: String,
    },
    /// A file was written anew while it was read: a redaction.
    #[error("{} was written anew by a redaction meanwhile; run it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The place holds something else than an earlier backup of this ledger.
    #[error("{}: {why}", path.display())]
    Place {
        /// The place.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A checkpoint that the log signed lacks the quorum of witnesses.
    #[error("too few witnesses have cosigned {}; missing: {}", path.display(), .missing.join(", "))]
    Unwitnessed {
        /// The checkpoint.
        path: PathBuf,
        /// Who did not cosign it.
        missing: Vec<String>,
    },
    /// The ledger does not continue what the backup or a pin has seen.
    #[error("{} stands for {seen} records, and the {size} here do not continue them: {why}", path.display())]
    Older {
        /// What has seen more, or something else.
        path: PathBuf,
        /// How many records it stands for.
        seen: u64,
        /// How many records there are.
        size: u64,
        /// In what they differ.
        why: &'static str,
    },
}

impl From<hefu_store::StoreError> for BackupError {
    fn from(error: hefu_store::StoreError) -> BackupError {
        BackupError::Engine(error.into())
    }
}

/// A backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The ledger.
    pub origin: Origin,
    /// Records in it.
    pub size: u64,
    /// The head at that size.
    pub head: ChainHash,
    /// Records the backup had before.
    pub before: u64,
    /// Files written; the others were there already.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Key files copied to the folder beside the backup.
    pub keys: u64,
}

/// Brings the backup in `to` up to the ledger in `dir`, a writer at work or not. With `keys` also the key store, to
/// `<to>.keys`. `progress` hears of records checked.
pub fn backup(
    dir: &Path,
    to: &Path,
    keys: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<BackedUp, BackupError> {
    if Backend::of(dir) != Backend::Segments {
        return Err(BackupError::Sled);
    }
    outside(dir, to)?;
    // Looked at before the lock is taken: nothing is written to a place that is not ours.
    claim(to)?;
    earlier(to)?;
    let _turn = DirLock::acquire(to)?;
    let before = earlier(to)?;
    let mut tries = 0;
    loop {
        tries += 1;
        match once(dir, to, before.as_ref(), progress) {
            Err(BackupError::Changed { path }) if tries < TRIES => {
                tracing::info!(path = %path.display(), "the backup begins anew");
            }
            Ok(mut done) => {
                done.keys = if keys { copy_keys(dir, to)? } else { 0 };
                return Ok(done);
            }
            Err(error) => return Err(error),
        }
    }
}

fn once(
    dir: &Path,
    to: &Path,
    before: Option<&HeadFile>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<BackedUp, BackupError> {
    // The head and the checkpoint come before the log: what they stand for must be in it.
    let known = read_head_file(dir)?;
    let checkpoint = read_file(&dir.join("checkpoint"))?;
    let (log, files) = SegmentLog::committed(dir)?;
    let report = check(dir, &files, known, progress)?;
    let (origin, last) = report
        .origin
        .clone()
        .zip(log.last_commit())
        .ok_or_else(|| EngineError::bad_record(0)("the log is empty".to_owned()))?;
    if let Some(before) = before {
        continues(to, before, &origin, &*log)?;
    }
    let folder = to.join("segments");
    fs::create_dir_all(&folder).map_err(EngineError::file("create", &folder))?;
    let (mut written, mut bytes) = (0, 0);
    for (file, digest) in &report.digests {
        let content = read_committed(dir, file)?;
        if Sha256Digest::of(&content) != *digest {
            return Err(BackupError::Changed { path: dir.join("segments").join(&file.name) });
        }
        let path = folder.join(&file.name);
        if read_file(&path)?.is_none_or(|there| there != content) {
            replace(&path.with_extension("part"), &path, &content)?;
            written += 1;
            bytes += content.len() as u64;
        }
    }
    if let Some(note) = checkpoint {
        let path = to.join("checkpoint");
        let reaches = Note::parse(&note).ok().and_then(|note| note.text().parse::<Checkpoint>().ok());
        if reaches.is_some_and(|checkpoint| checkpoint.size <= last.end()) {
            replace(&path.with_extension("part"), &path, &note)?;
        }
    }
    // The log signed this head when it made the commit: no key is needed to say it again. Last, so that it never stands
    // for more than is there.
    let head = HeadFile::new(receipt_of(&origin, &last), true);
    let line = head.encode().map_err(|error| EngineError::Internal(error.to_string()))?;
    replace(&to.join("head.part"), &to.join("head"), &line)?;
    let (size, head, before) = (head.size, head.head, before.map_or(0, |before| before.size));
    Ok(BackedUp { origin, size, head, before, files: written, bytes, keys: 0 })
}

/// What a check of all files found.
struct Checked {
    origin: Option<Origin>,
    digests: Vec<(CommittedFile, Sha256Digest)>,
}

/// Re-hashes every record: chain, digests, commits. Signatures of commands are the auditors' business.
fn check(
    dir: &Path,
    files: &[CommittedFile],
    head: Option<HeadFile>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Checked, BackupError> {
    let options = VerifyOptions {
        head,
        hashes_only: true,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        progress: Some(progress),
        ..VerifyOptions::default()
    };
    let mut verifier = Verifier::new(options);
    let mut digests = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let bytes = read_committed(dir, file)?;
        verifier.segment(Segment { name: &file.name, bytes: &bytes }, place + 1 == files.len());
        digests.push((file.clone(), Sha256Digest::of(&bytes)));
    }
    let report = verifier.finish();
    sound(&report)?;
    Ok(Checked { origin: report.origin, digests })
}

fn sound(report: &Report) -> Result<(), BackupError> {
    let Some(first) = report.findings.first() else { return Ok(()) };
    let Finding { kind, position, segment, .. } = first;
    let at = position.map_or(String::new(), |at| format!(" at record {at}"));
    Err(BackupError::Damaged { findings: report.findings.len(), first: format!("{kind:?}{at} in {segment}") })
}

/// The log must hold what an earlier backup holds.
fn continues(
    path: &Path,
    before: &HeadFile,
    origin: &Origin,
    log: &dyn LogReader,
) -> Result<(), BackupError> {
    let older = |why| {
        let path = path.to_owned();
        BackupError::Older { path, seen: before.size, size: log.size(), why }
    };
    if before.origin != *origin {
        let why = format!("it holds a backup of {}", before.origin);
        return Err(BackupError::Place { path: path.to_owned(), why });
    }
    if before.size > log.size() {
        return Err(older("records are missing"));
    }
    let commit = log.commit_at(before.size - 1)?;
    match commit {
        Some(commit) if commit.end() == before.size && commit.head == before.head.0 => Ok(()),
        _ => Err(older("it is another history")),
    }
}

/// A file as far as it is committed.
fn read_committed(dir: &Path, file: &CommittedFile) -> Result<Vec<u8>, EngineError> {
    let path = dir.join("segments").join(&file.name);
    let mut bytes = fs::read(&path).map_err(EngineError::file("read", &path))?;
    bytes.truncate(usize::try_from(file.len).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// The bytes of a file; `None` if there is none.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, EngineError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::file("read", path)(error)),
    }
}

fn read_head_file(dir: &Path) -> Result<Option<HeadFile>, EngineError> {
    let path = dir.join("head");
    let Some(bytes) = read_file(&path)? else { return Ok(None) };
    let head = HeadFile::parse(&bytes);
    head.map(Some).map_err(|error| EngineError::BadFile { path, why: error.to_string() })
}

/// The head of an earlier backup. A place that holds other things is refused.
fn earlier(to: &Path) -> Result<Option<HeadFile>, BackupError> {
    let place = |why: &str| BackupError::Place { path: to.to_owned(), why: why.to_owned() };
    if let Some(head) = read_head_file(to)? {
        if ["snapshot", "index", "log.sled"].iter().any(|name| to.join(name).exists()) {
            return Err(place("it is a ledger in use, not a backup"));
        }
        return Ok(Some(head));
    }
    // What a first run left that was cut short, and nothing else.
    let known = ["lock", "segments", "checkpoint", "checkpoint.part", "head.part"];
    let entries = fs::read_dir(to).map_err(EngineError::file("list", to))?;
    let stranger =
        entries.flatten().find(|entry| !known.contains(&entry.file_name().to_string_lossy().as_ref()));
    if stranger.is_some() { Err(place("it holds other things than a backup")) } else { Ok(None) }
}

/// Makes the folder where it is missing.
fn claim(to: &Path) -> Result<(), EngineError> {
    if to.is_dir() { Ok(()) } else { fs::create_dir_all(to).map_err(EngineError::file("create", to)) }
}

/// A backup inside the ledger would be lost with it.
fn outside(dir: &Path, to: &Path) -> Result<(), BackupError> {
    let whole = |path: &Path| {
        let there = path.ancestors().find_map(|known| fs::canonicalize(known).ok().map(|real| (known, real)));
        there.map_or_else(
            || path.to_owned(),
            |(known, real)| real.join(path.strip_prefix(known).unwrap_or(path)),
        )
    };
    let (dir, target) = (whole(dir), whole(&std::path::absolute(to).unwrap_or_else(|_| to.to_owned())));
    if target.starts_with(&dir) || dir.starts_with(&target) {
        let why = "a backup must lie outside the ledger's directory".to_owned();
        return Err(BackupError::Place { path: to.to_owned(), why });
    }
    Ok(())
}

/// Copies the key store beside the backup. A key that is there already stays; another one under its name is an error.
fn copy_keys(dir: &Path, to: &Path) -> Result<u64, BackupError> {
    let (from, to) = (KeyStore::beside(dir), KeyStore::beside(to));
    from.copy_to(&to).map_err(BackupError::from)
}
