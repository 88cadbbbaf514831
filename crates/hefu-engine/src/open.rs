//! Opening and closing: from files to a ledger that can go on, and back.
//!
//! Start and reload after a failure run the same steps: the store's tail, the head file, the checkpoints that the log's
//! key signed, what the witnesses saw, the fold ([`crate::fold`]).

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use hefu_chain::{chain::ChainContext, key::SecretKey, receipt::HeadFile};
use hefu_domain::{state::State, time::Timestamp};
use hefu_projections::Views;
use hefu_store::{
    Backend, DirLock, DurablePoint, Log, OpenOptions, OpenReport,
    disk::{Disk, RealDisk},
    segments::SegmentLog,
};

use crate::{
    answer::EngineError,
    fold::fold,
    genesis::Genesis,
    head::{read_head, vouched, write_head, write_head_file},
    heads::Heads,
    keys::{KeyStore, StoredKey},
    ledger::{Ledger, Salts, key_directory},
    publish::{self, Cosigner, Schedule, Shown, Signatory},
    redaction, snapshot, system_clock,
};

/// How to open a ledger.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock of records.
    pub clock: fn() -> Timestamp,
    /// A snapshot is taken each time this many records have come.
    pub snapshot_every: u64,
    /// Whether to keep the sled index beside the log.
    pub index: bool,
    /// Whether to start from a snapshot where there is one.
    pub use_snapshot: bool,
    /// Whether and when to sign checkpoints while the ledger is open for writing.
    pub notary: Option<Schedule>,
    /// The witnesses: they are asked what they saw before the ledger opens, and must agree before a checkpoint is
    /// published.
    pub cosigner: Option<Arc<dyn Cosigner>>,
    /// The disk under the segment files; tests put one that fails.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            clock: system_clock,
            snapshot_every: 250_000,
            index: true,
            use_snapshot: true,
            notary: None,
            cosigner: None,
            disk: Arc::new(RealDisk),
        }
    }
}

/// What opening found, for the operator.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What the store did to its tail.
    pub store: OpenReport,
    /// Records that the snapshot spared.
    pub from_snapshot: u64,
    /// Records folded.
    pub replayed: u64,
    /// Redactions on record whose content was still there, and is no more.
    pub redacted: u64,
}

pub(crate) fn open_ledger(dir: &Path, options: &Options) -> Result<(Ledger, Opened), EngineError> {
    KeyStore::beside(dir).has_log_key()?;
    open_as(dir, options, None)
}

/// The same for a ledger whose log key is lost or not to be used any more: until a rotation is on record nothing is
/// signed in its name but that rotation.
pub(crate) fn open_with_new_key(
    dir: &Path,
    options: &Options,
    new: &StoredKey,
) -> Result<(Ledger, Opened), EngineError> {
    open_as(dir, options, Some(new.secret.clone()))
}

fn open_as(dir: &Path, options: &Options, new: Option<SecretKey>) -> Result<(Ledger, Opened), EngineError> {
    let lock = Arc::new(DirLock::acquire(dir)?);
    let (known, head) = read_head(dir)?;
    let store_options = OpenOptions { head: Some(known), lock: Some(lock.clone()), ..OpenOptions::default() };
    let (log, report) = match Backend::of(dir) {
        Backend::Segments => boxed(SegmentLog::open_on(options.disk.clone(), dir, &store_options)?),
        Backend::Sled => Backend::Sled.open(dir, &store_options)?,
    };
    resume(dir, (log, lock), (head, new), report, options, None)
}

/// After a failed append: the log again, with what read back beyond the durable point made durable.
pub(crate) fn reopen_ledger(
    dir: &Path,
    options: &Options,
    durable: &DurablePoint,
    lock: Arc<DirLock>,
    views: Arc<RwLock<Views>>,
) -> Result<(Ledger, Opened), EngineError> {
    let (known, head) = read_head(dir)?;
    let store_options = OpenOptions { head: Some(known), lock: Some(lock.clone()), ..OpenOptions::default() };
    let (log, report) = match Backend::of(dir) {
        Backend::Segments => {
            let disk = options.disk.clone();
            boxed(SegmentLog::reopen_after_failure_on(disk, dir, &store_options, durable)?)
        }
        Backend::Sled => Backend::Sled.reopen_after_failure(dir, &store_options, durable)?,
    };
    resume(dir, (log, lock), (head, None), report, options, Some(views))
}

fn boxed((log, report): (SegmentLog, OpenReport)) -> (Box<dyn Log>, OpenReport) {
    (Box::new(log), report)
}

fn resume(
    dir: &Path,
    (mut log, lock): (Box<dyn Log>, Arc<DirLock>),
    (head, new_key): (HeadFile, Option<SecretKey>),
    store: OpenReport,
    options: &Options,
    views: Option<Arc<RwLock<Views>>>,
) -> Result<(Ledger, Opened), EngineError> {
    let reader = log.reader();
    let signatory = Signatory::of(&*reader)?;
    let origin = signatory.origin.clone();
    let key_store = KeyStore::beside(dir);
    let waits_for_rotation = new_key.is_some();
    let log_key = if let Some(new) = new_key {
        new
    } else {
        key_store.settle_log_key(&signatory.public())?;
        key_store.log_key(&signatory.public())?.secret
    };
    vouched(dir, &head, &signatory)?;
    publish::hold(dir, &*reader, &signatory)?;
    if let Some(witnesses) = options.cosigner.as_ref().filter(|_| views.is_none()) {
        // Opened again after a failure it is the log that they were asked about.
        witnesses.hold(&Shown::beside(dir, reader.clone(), &signatory)?)?;
    }
    let size = log.size();
    let (folded, from_snapshot) = fold(dir, &*reader, &origin, size, options.use_snapshot, false)?;
    let state = folded.views.state.clone();
    // A stop may have come between a redaction and the removal of what it withholds.
    let unfinished = redaction::unfinished(&*reader, &state)?;
    redaction::finish(dir, log.as_mut(), &unfinished)?;
    let redacted = unfinished.len() as u64;
    let opened = Opened { store, from_snapshot, replayed: size - from_snapshot, redacted };
    let shared = views.unwrap_or_default();
    let ts = folded.views.ts;
    *shared.write().unwrap_or_else(std::sync::PoisonError::into_inner) = folded.views;
    let ledger = Ledger {
        chain: ChainContext::new(&origin),
        keys: Arc::new(RwLock::new(key_directory(&state))),
        origin,
        log,
        lock: Some(lock),
        log_key,
        key_store,
        clock: options.clock,
        salts: Salts::new()?,
        state,
        heads: folded.heads,
        head: folded.head,
        ts,
        views: shared,
        unfinished: Vec::new(),
    };
    // From here on a torn tail may be what a crash left: the head must not claim a clean stop any more.
    if waits_for_rotation {
        write_head_file(dir, &HeadFile { clean: false, ..head })?;
    } else {
        write_head(dir, &ledger, false)?;
    }
    Ok((ledger, opened))
}

/// An empty ledger in an empty directory, before its first command.
pub(crate) fn create_ledger(dir: &Path, genesis: &Genesis, options: &Options) -> Result<Ledger, EngineError> {
    let chain = ChainContext::new(&genesis.origin);
    let head = chain.start();
    let log = genesis.backend.create(dir, head.0, &OpenOptions::default())?;
    Ok(Ledger {
        origin: genesis.origin.clone(),
        chain,
        log,
        lock: None,
        log_key: genesis.log_key.secret.clone(),
        key_store: KeyStore::beside(dir),
        clock: options.clock,
        salts: Salts::new()?,
        state: State::default(),
        heads: Heads::default(),
        head,
        ts: Timestamp::default(),
        views: Arc::default(),
        unfinished: Vec::new(),
        keys: Arc::new(RwLock::new(HashMap::new())),
    })
}

/// Stops cleanly: snapshot if asked, log closed, head signed as clean.
pub(crate) fn close(dir: &Path, ledger: Ledger, with_snapshot: bool) -> Result<(), EngineError> {
    if with_snapshot {
        save_snapshot(dir, &ledger)?;
    }
    write_head(dir, &ledger, true)?;
    ledger.log.close()?;
    Ok(())
}

/// Takes a snapshot now.
pub(crate) fn save_snapshot(dir: &Path, ledger: &Ledger) -> Result<(), EngineError> {
    let (size, bytes) = snapshot_bytes(ledger)?;
    snapshot::write(dir, size, &bytes)
}

/// The bytes of a snapshot of what is published.
pub(crate) fn snapshot_bytes(ledger: &Ledger) -> Result<(u64, Vec<u8>), EngineError> {
    let views = ledger.views.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((views.size, snapshot::encode(ledger.head.0, &views, &ledger.heads)?))
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), EngineError> {
    let folder = File::open(path).map_err(EngineError::file("open", path))?;
    folder.sync_all().map_err(EngineError::file("sync", path))
}

/// Where the sled index lives.
pub(crate) fn index_folder(dir: &Path) -> PathBuf {
    dir.join("index")
}
