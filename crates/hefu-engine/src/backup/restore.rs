//! Putting a backup in the place of a ledger that was lost, unless somebody has seen more than the backup holds.
//!
//! An older backup would make the ledger forget what it acknowledged. So it is held against everything outside the
//! operator's reach that the caller can give: checkpoints (with a witness's cosignature or without), the directory of
//! the ledger that was lost. It is verified whole before a byte is copied.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    hash::ChainHash,
    key::PublicKey,
    note::{Note, VerifierKey},
    origin::Origin,
    policy::Policy,
    receipt::HeadFile,
    tile::TileBuilder,
    tree::TreeHash,
    verify::{Options as VerifyOptions, Report, Segment, Verifier},
};
use hefu_domain::event::{Event, SCHEMA_VERSION};
use hefu_store::{
    LogReader,
    segments::{CommittedFile, SegmentLog},
};

use super::{BackupError, read_committed, read_file, read_head_file, sound};
use crate::{answer::EngineError, keys::KeyStore, open::sync_folder, publish::files::replace};

/// What a backup is held against.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// Files with checkpoints of the ledger.
    pub checkpoints: Vec<PathBuf>,
    /// The directory of the ledger that the backup is to replace, whatever is left of it.
    pub old: Option<PathBuf>,
    /// The log's public key, had from elsewhere.
    pub log_key: Option<PublicKey>,
    /// The witnesses, a quorum of whom must have cosigned each of `checkpoints`.
    pub policy: Option<Policy>,
}

/// What a backup holds, verified.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The ledger.
    pub origin: Origin,
    /// The key of its log.
    pub log_key: PublicKey,
    /// Records.
    pub size: u64,
    /// The head at that size.
    pub head: ChainHash,
    /// The root of the tree at that size.
    pub root: TreeHash,
    /// Instant of the last record.
    pub ts: String,
    /// Size of the newest checkpoint that agrees with it, wherever it came from.
    pub checkpoint: Option<u64>,
    /// How many things from outside the backup agree with it.
    pub pins: usize,
    newest: Option<Vec<u8>>,
    files: Vec<CommittedFile>,
}

/// A backup in its new place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whether the key of the log is beside it: without it the ledger can be read and not written.
    pub writable: bool,
}

/// A checkpoint or head that must be continued.
enum Seen {
    Checkpoint(PathBuf, Checkpoint, Vec<u8>),
    Head(PathBuf, HeadFile),
}

/// Verifies a backup whole and holds it against `pins`; changes nothing.
pub fn inspect(
    backup: &Path,
    pins: &Pins,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Inspected, BackupError> {
    let place = |why: &str| BackupError::Place { path: backup.to_owned(), why: why.to_owned() };
    let head = read_head_file(backup)?.ok_or_else(|| place("there is no backup here"))?;
    let (log, files) = SegmentLog::committed(backup)?;
    let report = verify(backup, &files, head, pins.log_key, progress)?;
    let (origin, log_key) =
        report.origin.clone().zip(report.log_key).ok_or_else(|| place("its record 0 cannot be read"))?;
    let verifier = &|size: u64| {
        let key = report.log_keys.of_size(size).unwrap_or(log_key);
        VerifierKey::of_log(&origin, key).map_err(|error| EngineError::bad_record(0)(error.to_string()))
    };
    let outside = seen(pins, verifier)?;
    let own = backup.join("checkpoint");
    let own = read_file(&own)?.map(|note| checkpoint(&own, note, verifier)).transpose()?;

    let marks: Vec<u64> = outside.iter().chain(&own).map(Seen::size).collect();
    let Read { root, roots, heads, ts } = read(&*log, &origin, &marks)?;
    let mut newest: Option<(u64, Vec<u8>)> = None;
    let pins = outside.len();
    for seen in outside.into_iter().chain(own) {
        let size = seen.size();
        let agrees = match &seen {
            Seen::Checkpoint(_, checkpoint, _) => roots.get(&size) == Some(&checkpoint.root),
            Seen::Head(_, head) => head.origin == origin && heads.get(&size) == Some(&head.head),
        };
        if size > log.size() || !agrees {
            let why = if size > log.size() { "records are missing" } else { "it is another history" };
            let path = seen.path().to_owned();
            return Err(BackupError::Older { path, seen: size, size: log.size(), why });
        }
        if let Seen::Checkpoint(_, _, note) = seen
            && newest.as_ref().is_none_or(|(known, _)| *known < size)
        {
            newest = Some((size, note));
        }
    }
    Ok(Inspected {
        origin,
        log_key,
        size: log.size(),
        head: report.head.unwrap_or(ChainHash([0; 32])),
        root,
        ts,
        checkpoint: newest.as_ref().map(|(size, _)| *size),
        pins,
        newest: newest.map(|(_, note)| note),
        files,
    })
}

/// Copies a backup that was inspected to `to`, which must not exist. It appears whole or not at all.
///
/// Its keys are taken from `<backup>.keys`, if they are there and none are beside `to`.
pub fn restore(backup: &Path, standing: &Inspected, to: &Path) -> Result<Restored, BackupError> {
    if to.exists() {
        let why = "it exists already; a ledger is restored to a new place".to_owned();
        return Err(BackupError::Place { path: to.to_owned(), why });
    }
    let mut part = to.file_name().unwrap_or_default().to_owned();
    part.push(format!(".part-{}", std::process::id()));
    let part = to.with_file_name(part);
    let filled = fill(backup, standing, &part);
    if filled.is_err() {
        let _ = fs::remove_dir_all(&part);
        filled?;
    }
    let (kept, beside) = (KeyStore::beside(backup), KeyStore::beside(to));
    if kept.folder().is_dir() && !beside.folder().exists() {
        kept.copy_to(&beside)?;
    }
    fs::rename(&part, to).map_err(EngineError::file("rename", to))?;
    sync_folder(to.parent().filter(|outer| !outer.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    let writable = beside.load("log").is_ok_and(|key| key.secret.public() == standing.log_key);
    Ok(Restored { writable })
}

fn fill(backup: &Path, standing: &Inspected, part: &Path) -> Result<(), EngineError> {
    let folder = part.join("segments");
    fs::create_dir_all(&folder).map_err(EngineError::file("create", &folder))?;
    for file in &standing.files {
        let path = folder.join(&file.name);
        replace(&path.with_extension("part"), &path, &read_committed(backup, file)?)?;
    }
    if let Some(note) = &standing.newest {
        replace(&part.join("checkpoint.part"), &part.join("checkpoint"), note)?;
    }
    let head = backup.join("head");
    let line = fs::read(&head).map_err(EngineError::file("read", &head))?;
    replace(&part.join("head.part"), &part.join("head"), &line)
}

/// The whole check of an auditor: every digest, link and signature.
fn verify(
    backup: &Path,
    files: &[CommittedFile],
    head: HeadFile,
    log_key: Option<PublicKey>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report, BackupError> {
    let known = |kind: &str, version: u32| version == SCHEMA_VERSION && Event::NAMES.contains(&kind);
    let mut verifier = Verifier::new(VerifyOptions {
        head: Some(head),
        log_key,
        schemas: Some(&known),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        progress: Some(progress),
        ..VerifyOptions::default()
    });
    for file in files {
        verifier.learn(&read_committed(backup, file)?);
    }
    for (place, file) in files.iter().enumerate() {
        let bytes = read_committed(backup, file)?;
        verifier.segment(Segment { name: &file.name, bytes: &bytes }, place + 1 == files.len());
    }
    let report = verifier.finish();
    sound(&report)?;
    Ok(report)
}

impl Seen {
    fn size(&self) -> u64 {
        match self {
            Seen::Checkpoint(_, checkpoint, _) => checkpoint.size,
            Seen::Head(_, head) => head.size,
        }
    }

    fn path(&self) -> &Path {
        match self {
            Seen::Checkpoint(path, ..) | Seen::Head(path, _) => path,
        }
    }
}

/// The key that signed for the log when it had so many records.
type KeyOfSize<'a> = &'a dyn Fn(u64) -> Result<VerifierKey, EngineError>;

/// Everything that the pins name; a checkpoint that the log did not sign is no pin but an error.
fn seen(pins: &Pins, verifier: KeyOfSize<'_>) -> Result<Vec<Seen>, BackupError> {
    let mut seen = Vec::new();
    for path in &pins.checkpoints {
        let note = fs::read(path).map_err(EngineError::file("read", path))?;
        let pin = checkpoint(path, note, verifier)?;
        if let (Some(policy), Seen::Checkpoint(_, of, note)) = (&pins.policy, &pin) {
            witnessed(policy, path, note, &verifier(of.size)?)?;
        }
        seen.push(pin);
    }
    if let Some(old) = &pins.old {
        // What was signed and shown to cosigners has been seen as well.
        for name in ["checkpoint", "checkpoint.signed"] {
            let path = old.join(name);
            if let Some(note) = read_file(&path)? {
                seen.push(checkpoint(&path, note, verifier)?);
            }
        }
        if let Some(head) = read_head_file(old)? {
            seen.push(Seen::Head(old.join("head"), head));
        }
        if seen.len() == pins.checkpoints.len() {
            let why = "neither a checkpoint nor a head is left there".to_owned();
            return Err(BackupError::Place { path: old.clone(), why });
        }
    }
    Ok(seen)
}

/// Fails unless enough witnesses stand behind a checkpoint that the log signed.
fn witnessed(policy: &Policy, path: &Path, note: &[u8], log: &VerifierKey) -> Result<(), BackupError> {
    let bad = |why: String| EngineError::BadFile { path: path.to_owned(), why };
    let note = Note::parse(note).map_err(|error| bad(error.to_string()))?;
    let judged = policy.judge(&note, [log]).map_err(|error| bad(error.to_string()))?;
    if judged.quorum {
        return Ok(());
    }
    Err(BackupError::Unwitnessed { path: path.to_owned(), missing: judged.missing })
}

fn checkpoint(path: &Path, note: Vec<u8>, verifier: KeyOfSize<'_>) -> Result<Seen, BackupError> {
    let bad = |why: String| EngineError::BadFile { path: path.to_owned(), why };
    let parsed = Note::parse(&note).map_err(|error| bad(error.to_string()))?;
    let size = parsed.text().parse().map_or(0, |checkpoint: Checkpoint| checkpoint.size);
    let opened = Checkpoint::open(&parsed, [&verifier(size)?]).map_err(|error| bad(error.to_string()))?;
    Ok(Seen::Checkpoint(path.to_owned(), opened.checkpoint, note))
}

/// What one pass over the leaves tells.
struct Read {
    root: TreeHash,
    roots: BTreeMap<u64, TreeHash>,
    heads: BTreeMap<u64, ChainHash>,
    ts: String,
}

fn read(log: &dyn LogReader, origin: &Origin, marks: &[u64]) -> Result<Read, EngineError> {
    let chain = hefu_chain::chain::ChainContext::new(origin);
    let mut builder = TileBuilder::new();
    let (mut roots, mut heads, mut ts) = (BTreeMap::new(), BTreeMap::new(), String::new());
    let size = log.size();
    log.scan(0, &mut |record| {
        let _full = builder.push(TreeHash::leaf(record.leaf));
        if marks.contains(&builder.size()) {
            roots.insert(builder.size(), builder.root());
            heads.insert(builder.size(), chain.link(record.leaf));
        }
        if builder.size() == size {
            let leaf = hefu_chain::leaf::LeafRef::parse(record.leaf);
            ts = leaf.map(|leaf| leaf.ts.to_owned()).unwrap_or_default();
        }
        ControlFlow::Continue(())
    })?;
    Ok(Read { root: builder.root(), roots, heads, ts })
}
