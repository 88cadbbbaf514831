//! Opening and closing: from files to a ledger that can go on, and back.
//!
//! Start, reload after a failure, readers and rebuild all run [`replay_views`]: read, check the chain, decode, fold.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, RwLock, mpsc},
    thread,
};

use hefu_chain::{
    chain::ChainContext,
    hash::ChainHash,
    key::{PublicKey as ChainKey, SecretKey},
    origin::Origin,
    receipt::{HeadFile, Receipt},
};
use hefu_domain::{event::Event, state::State, time::Timestamp};
use hefu_projections::Views;
use hefu_store::{
    Backend, CommitRef, DirLock, DurablePoint, KnownHead, Log, LogReader, OpenOptions, OpenReport,
    disk::{Disk, RealDisk},
    segments::SegmentLog,
};

use crate::{
    answer::{EngineError, inconsistent},
    decode::{self, Fact},
    genesis::Genesis,
    heads::Heads,
    keys::{KeyStore, StoredKey},
    ledger::{Ledger, Salts, key_directory},
    publish::{self, Cosigner, Schedule, Signatory},
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
    /// Who must agree before such a checkpoint is published.
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

/// A fold that can be continued.
pub(crate) struct Folded {
    pub(crate) views: Views,
    pub(crate) heads: Heads,
    pub(crate) head: ChainHash,
}

/// The name of a ledger and its log's key, from record 0.
pub(crate) fn identity(log: &dyn LogReader) -> Result<(Origin, ChainKey), EngineError> {
    let bad = EngineError::bad_record(0);
    let record = log.get(0)?.ok_or_else(|| bad("the log is empty".to_owned()))?;
    match decode::fact(log, &record.as_ref())?.event {
        Event::LedgerCreated(e) => {
            let origin = e.origin.parse().map_err(|error| bad(format!("{error}")))?;
            Ok((origin, ChainKey(e.log_public.0)))
        }
        _ => Err(bad("it does not create the ledger".to_owned())),
    }
}

/// The answers as known after the first `until` records (all, if `None`), from a snapshot where one serves.
pub fn replay_views(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    until: Option<u64>,
    use_snapshot: bool,
) -> Result<Views, EngineError> {
    let until = until.unwrap_or(u64::MAX).min(log.size());
    fold(dir, log, origin, until, use_snapshot, true).map(|(folded, _)| folded.views)
}

/// Folds the first `until` records. A thread reads, checks the chain and decodes; this one folds.
pub(crate) fn fold(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    until: u64,
    use_snapshot: bool,
    views_only: bool,
) -> Result<(Folded, u64), EngineError> {
    let start = if use_snapshot { believable(dir, log, &ChainContext::new(origin), until) } else { None };
    fold_on(start, log, origin, until, views_only, &mut |_| {})
}

/// Folds the first `until` records, showing the answers at each of `sizes`, which ascend, on the way.
pub(crate) fn visit(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    sizes: &[u64],
    show: &mut dyn FnMut(&Views),
) -> Result<(), EngineError> {
    let mut left = sizes.iter().copied().filter(|size| *size <= log.size()).peekable();
    let (Some(first), Some(last)) = (left.peek().copied(), sizes.iter().rfind(|size| **size <= log.size()))
    else {
        return Ok(());
    };
    let start = believable(dir, log, &ChainContext::new(origin), first);
    let mut at = |views: &Views| {
        while left.next_if(|size| *size < views.size).is_some() {}
        if left.next_if_eq(&views.size).is_some() {
            show(views);
        }
    };
    if let Some(Folded { views, .. }) = &start {
        at(views);
    }
    fold_on(start, log, origin, *last, true, &mut at).map(drop)
}

fn fold_on(
    start: Option<Folded>,
    log: &dyn LogReader,
    origin: &Origin,
    until: u64,
    views_only: bool,
    each: &mut dyn FnMut(&Views),
) -> Result<(Folded, u64), EngineError> {
    let chain = ChainContext::new(origin);
    let Folded { mut views, mut heads, mut head } = start.unwrap_or_else(|| Folded {
        views: Views::default(),
        heads: Heads::default(),
        head: chain.start(),
    });
    let from = views.size;
    let head_ref = &mut head;
    thread::scope(|scope| {
        // Bounded: a fold that is slower than the disk must not fill the memory.
        let (sender, facts) = mpsc::sync_channel::<Result<Vec<Fact>, EngineError>>(4);
        scope.spawn(move || {
            if let Err(error) = read(log, &chain, from, until, head_ref, &sender) {
                let _ = sender.send(Err(error));
            }
        });
        for batch in facts {
            for Fact { meta, event, stream, .. } in batch? {
                let bad = EngineError::bad_record(meta.position);
                views.apply(&meta, &event).map_err(|error| bad(inconsistent(&error)))?;
                each(&views);
                if !views_only {
                    heads.note(meta.position, stream, meta.command);
                }
            }
        }
        Ok::<(), EngineError>(())
    })?;
    Ok((Folded { views, heads, head }, from))
}

/// Reads, checks the chain, decodes; sends batches until done or nobody listens.
fn read(
    log: &dyn LogReader,
    chain: &ChainContext,
    from: u64,
    until: u64,
    head: &mut ChainHash,
    sender: &mpsc::SyncSender<Result<Vec<Fact>, EngineError>>,
) -> Result<(), EngineError> {
    let mut batch = Vec::with_capacity(512);
    let mut failed = None;
    let mut decoder = decode::Decoder::new(log);
    if from >= until {
        return Ok(());
    }
    log.scan(from, &mut |record| {
        if record.position >= until {
            return ControlFlow::Break(());
        }
        match decoder.linked(&record, chain, head) {
            Ok(fact) => batch.push(fact),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        if batch.len() < 512 {
            return ControlFlow::Continue(());
        }
        match sender.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(512)))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

/// The newest snapshot whose head is the log's own at that size.
fn believable(dir: &Path, log: &dyn LogReader, chain: &ChainContext, until: u64) -> Option<Folded> {
    let snapshot = snapshot::newest(dir, until)?;
    let last = log.get(snapshot.views.size.checked_sub(1)?).ok().flatten()?;
    let head = chain.link(&last.leaf);
    if head.0 != snapshot.head {
        tracing::warn!("the snapshot belongs to another history and is ignored");
        return None;
    }
    Some(Folded { views: snapshot.views, heads: snapshot.heads, head })
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

/// Signs and writes the head file: whole or not at all, durable before this returns.
pub(crate) fn write_head(dir: &Path, ledger: &Ledger, clean: bool) -> Result<(), EngineError> {
    let Some(seq) = ledger.log.size().checked_sub(1) else { return Ok(()) };
    let receipt = Receipt::sign(ledger.origin.clone(), seq, ledger.head, &ledger.log_key);
    write_head_file(dir, &HeadFile::new(receipt, clean))
}

fn write_head_file(dir: &Path, head: &HeadFile) -> Result<(), EngineError> {
    let line = head.encode();
    let line = line.map_err(|error| EngineError::Internal(error.to_string()))?;
    let path = dir.join("head");
    let part = dir.join("head.part");
    let mut file = File::create(&part).map_err(EngineError::file("create", &part))?;
    file.write_all(&line).and_then(|()| file.sync_data()).map_err(EngineError::file("write", &part))?;
    fs::rename(&part, &path).map_err(EngineError::file("rename", &path))?;
    sync_folder(dir)
}

/// The head file. Who signed it is asked once the log has told whose word it must be: [`vouched`].
pub(crate) fn read_head(dir: &Path) -> Result<(KnownHead, HeadFile), EngineError> {
    let path = dir.join("head");
    if !dir.is_dir() {
        let why = "there is no ledger here; `hefu init` makes one".to_owned();
        return Err(EngineError::BadFile { path: dir.to_owned(), why });
    }
    let bad = |why: String| EngineError::BadFile { path: path.clone(), why };
    let bytes = fs::read(&path).map_err(EngineError::file("read", &path))?;
    let head = HeadFile::parse(&bytes).map_err(|error| bad(error.to_string()))?;
    Ok((KnownHead { size: head.size, head: head.head.0, clean: head.clean }, head))
}

/// Fails unless the key that signed for the log at that size signed the head file.
pub(crate) fn vouched(dir: &Path, head: &HeadFile, signatory: &Signatory) -> Result<(), EngineError> {
    if signatory.public_at(head.size).is_some_and(|key| head.verify(&key)) {
        return Ok(());
    }
    let why = "not signed by this ledger's log key".to_owned();
    Err(EngineError::BadFile { path: dir.join("head"), why })
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), EngineError> {
    let folder = File::open(path).map_err(EngineError::file("open", path))?;
    folder.sync_all().map_err(EngineError::file("sync", path))
}

/// Where the sled index lives.
pub(crate) fn index_folder(dir: &Path) -> PathBuf {
    dir.join("index")
}

/// The receipt a commit frame carries.
pub(crate) fn receipt_of(origin: &Origin, commit: &CommitRef) -> Receipt {
    Receipt {
        origin: origin.clone(),
        seq: commit.end() - 1,
        head: ChainHash(commit.head),
        sig: hefu_chain::key::Signature(commit.signature),
    }
}
