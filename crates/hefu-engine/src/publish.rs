//! What the ledger shows to people who do not trust it: checkpoints of the tree over its leaves, a site of tiles, and
//! proofs.
//!
//! Nothing is signed that was not read back from the disk: every link of the chain, every digest a leaf names, the
//! receipt of the last commit, the head file, and the checkpoint signed before. `checkpoint` in the ledger's directory
//! holds the newest one; it is durable before anybody sees it, and what does not continue it is not signed. No record
//! is locked out meanwhile: a writer may go on; only two publishers wait for each other.

mod site;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use hefu_chain::{
    chain::ChainContext,
    checkpoint::Checkpoint,
    hash::Sha256Digest,
    key::PublicKey,
    leaf::LeafRef,
    note::{Note, VerifierKey},
    origin::Origin,
    proof::TlogProof,
    record::RecordRef,
    tile::{FULL, TileBuilder},
    tree::{self, MemoryTree, TreeHash},
};
use hefu_store::{KnownHead, LogReader, StoreError};

use crate::{
    answer::EngineError,
    keys::{KeyStore, StoredKey},
    open::{identity, read_head, receipt_of, sync_folder},
    reader::log_reader,
};

pub use site::{Export, Exported, SiteProblem};

/// Name of the newest checkpoint, in a ledger's directory and in a site.
const CHECKPOINT: &str = "checkpoint";

/// Why nothing was signed, written or proven.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The log, a key or a file failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The log does not continue what was signed before: records were lost or changed since.
    #[error("the log of {size} records does not continue {}, which stands for {old}: {why}", path.display())]
    Disagrees {
        /// The checkpoint.
        path: PathBuf,
        /// How many records it stands for.
        old: u64,
        /// How many records the log has.
        size: u64,
        /// In what.
        why: Disagreement,
    },
    /// The place of an export is not fit for it.
    #[error("{}: {why}", path.display())]
    Site {
        /// The place.
        path: PathBuf,
        /// Why not.
        why: SiteProblem,
    },
    /// The newest checkpoint does not reach the record.
    #[error("no checkpoint covers record {position}")]
    Uncovered {
        /// The record.
        position: u64,
        /// How many records the newest checkpoint stands for; 0 without one.
        size: u64,
    },
    /// The log has no such record.
    #[error("the log has {size} records and none at {position}")]
    NoRecord {
        /// The position.
        position: u64,
        /// How many records there are.
        size: u64,
    },
}

/// How a log can contradict a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// It has fewer records.
    Shorter,
    /// Its first records make another tree.
    Root,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shorter => "records are missing",
            Self::Root => "its records make another tree",
        })
    }
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> PublishError {
        PublishError::Engine(error.into())
    }
}

/// A checkpoint with the log's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: Note,
}

/// A ledger opened for publishing, at its end at that moment.
pub struct Publisher {
    dir: PathBuf,
    log: Arc<dyn LogReader>,
    size: u64,
    origin: Origin,
    key: StoredKey,
    verifier: VerifierKey,
    known: KnownHead,
    pinned: Option<Published>,
    /// Held as long as this lives, so that an older checkpoint never replaces a newer one.
    _turn: File,
}

/// The tree over the whole log.
struct Tree {
    root: TreeHash,
    /// The roots at the sizes asked for.
    roots: BTreeMap<u64, TreeHash>,
    /// The tiles as they were at the size asked for.
    from: TileBuilder,
}

impl Publisher {
    /// Opens a ledger. Waits for another publisher to finish; needs the log's key.
    pub fn open(dir: &Path) -> Result<Publisher, PublishError> {
        let keys = KeyStore::beside(dir);
        let key = keys.load("log")?;
        let turn = take_turn(dir)?;
        // These come before the log: what they stand for must be in it, whatever a writer adds meanwhile.
        let (known, _) = read_head(dir, &key)?;
        let path = dir.join(CHECKPOINT);
        let pinned = read(&path)?;
        let log = log_reader(dir)?;
        let size = log.size();
        let (origin, public) = identity(&*log)?;
        if public != key.secret.public() {
            return Err(EngineError::ForeignLogKey { path: keys.folder().to_owned() }.into());
        }
        let verifier = log_verifier(&origin, public)?;
        let pinned = pinned.map(|bytes| open_note(&path, &bytes, &verifier)).transpose()?;
        Ok(Publisher { dir: dir.to_owned(), log, size, origin, key, verifier, known, pinned, _turn: turn })
    }

    /// How many records there are to publish.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The key that checkpoints are checked with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a checkpoint of the whole log and pins it. `progress` hears of records read.
    pub fn checkpoint(&self, progress: &dyn Fn(u64)) -> Result<Published, PublishError> {
        self.publish(None, progress).map(|(published, _)| published)
    }

    /// Signs a checkpoint and brings a site of tiles up to it. The site's own checkpoint is written last.
    pub fn export(&self, to: &Export, progress: &dyn Fn(u64)) -> Result<Exported, PublishError> {
        site::export(self, to, progress)
    }

    /// Reads everything back, signs, pins. Both the pinned checkpoint and the one of a site must be continued.
    ///
    /// Also gives the tiles as of the last full bundle of that site, to go on from.
    fn publish(
        &self,
        site: Option<(&Path, &Checkpoint)>,
        progress: &dyn Fn(u64),
    ) -> Result<(Published, TileBuilder), PublishError> {
        let path = self.dir.join(CHECKPOINT);
        let pinned = self.pinned.as_ref().map(|pinned| (path.as_path(), &pinned.checkpoint));
        let earlier: Vec<(&Path, &Checkpoint)> = pinned.into_iter().chain(site).collect();
        let disagrees = |path: &Path, old: u64, why| {
            let (path, size) = (path.to_owned(), self.size);
            PublishError::Disagrees { path, old, size, why }
        };
        for (path, old) in &earlier {
            if old.size > self.size {
                return Err(disagrees(path, old.size, Disagreement::Shorter));
            }
        }
        let marks: Vec<u64> = earlier.iter().map(|(_, old)| old.size).collect();
        let from = site.map_or(0, |(_, old)| old.size - old.size % u64::from(FULL));
        let Tree { root, roots, from } = self.read_back(&marks, from, progress)?;
        for (path, old) in &earlier {
            if roots.get(&old.size) != Some(&old.root) {
                return Err(disagrees(path, old.size, Disagreement::Root));
            }
        }
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: self.size, root };
        if let Some(pinned) = self.pinned.as_ref().filter(|pinned| pinned.checkpoint == checkpoint) {
            return Ok((pinned.clone(), from));
        }
        let note = checkpoint.sign(&self.key.secret).map_err(|error| EngineError::Sign(error.to_string()))?;
        replace(&self.dir.join("checkpoint.part"), &path, note.to_string().as_bytes())?;
        Ok((Published { checkpoint, note }, from))
    }

    /// Reads the whole log and believes nothing: links, digests, the newest commit, the head file.
    fn read_back(&self, marks: &[u64], from: u64, progress: &dyn Fn(u64)) -> Result<Tree, PublishError> {
        let chain = ChainContext::new(&self.origin);
        let mut head = chain.start();
        let mut builder = TileBuilder::new();
        let mut roots = BTreeMap::from([(0, builder.root())]);
        let mut start = builder.clone();
        let mut command = Sha256Digest::of(b"");
        if self.known.size > self.size {
            return Err(StoreError::Behind { found: self.size, expected: self.known.size }.into());
        }
        each(&*self.log, 0, self.size, |record| {
            let leaf = link(&record, &mut command)?;
            if leaf.prev != head {
                return Err(bad(&record, "it is not linked to the record before"));
            }
            head = chain.link(record.leaf);
            let _full = builder.push(TreeHash::leaf(record.leaf));
            let size = builder.size();
            if size == self.known.size && head.0 != self.known.head {
                let (expected, found) = (self.known.head, Some(head.0));
                return Err(StoreError::Disagrees { size, expected, found }.into());
            }
            if marks.contains(&size) {
                roots.insert(size, builder.root());
            }
            if size == from {
                start = builder.clone();
            }
            progress(1);
            Ok(())
        })?;
        let last = self.size.saturating_sub(1);
        let commit = self.log.commit_at(last)?.filter(|commit| {
            let whole = commit.end() == self.size && commit.head == head.0;
            whole && receipt_of(&self.origin, commit).verify(&self.key.secret.public())
        });
        if commit.is_none() || builder.size() != self.size {
            let why = "its commit does not vouch for what was read".to_owned();
            return Err(EngineError::BadRecord { position: last, why }.into());
        }
        Ok(Tree { root: builder.root(), roots, from: start })
    }
}

/// The proof that a record is in the tree of the pinned checkpoint; it carries the leaf. Needs no key and no lock.
///
/// Fails if that checkpoint does not reach the record, or the log is not the one it was signed for.
pub fn prove(dir: &Path, position: u64, progress: &dyn Fn(u64)) -> Result<TlogProof, PublishError> {
    let path = dir.join(CHECKPOINT);
    let pinned = read(&path)?;
    let log = log_reader(dir)?;
    let (origin, public) = identity(&*log)?;
    let verifier = log_verifier(&origin, public)?;
    let pinned = pinned.map(|bytes| open_note(&path, &bytes, &verifier)).transpose()?;
    let size = log.size();
    let Some(Published { checkpoint, note }) = pinned else {
        return Err(PublishError::Uncovered { position, size: 0 });
    };
    let Checkpoint { size: old, root, .. } = checkpoint;
    let disagrees = |why| PublishError::Disagrees { path: path.clone(), old, size, why };
    match () {
        () if old > size => return Err(disagrees(Disagreement::Shorter)),
        () if position >= size => return Err(PublishError::NoRecord { position, size }),
        () if position >= old => return Err(PublishError::Uncovered { position, size: old }),
        () => {}
    }
    let mut leaf = Vec::new();
    let mut leaves = MemoryTree::new();
    each(&*log, 0, old, |record| {
        leaves.push(TreeHash::leaf(record.leaf));
        if record.position == position {
            record.leaf.clone_into(&mut leaf);
        }
        progress(1);
        Ok(())
    })?;
    let internal = |why: String| EngineError::Internal(format!("proof: {why}"));
    if tree::root(&mut leaves, old).map_err(|error| internal(error.to_string()))? != root {
        return Err(disagrees(Disagreement::Root));
    }
    let proof = tree::inclusion(&mut leaves, position, old).map_err(|error| internal(error.to_string()))?;
    let proof = TlogProof::new(Some(leaf), position, proof, note);
    Ok(proof.map_err(|error| internal(error.to_string()))?)
}

/// Reads a leaf and holds body and command against the digests it names. What is withheld is not held against it.
fn link<'r>(record: &RecordRef<'r>, command: &mut Sha256Digest) -> Result<LeafRef<'r>, PublishError> {
    let leaf = LeafRef::parse(record.leaf).map_err(|error| bad(record, &error.to_string()))?;
    if !record.command.is_empty() {
        *command = Sha256Digest::of(record.command);
    }
    match () {
        () if leaf.seq != record.position => Err(bad(record, "its leaf belongs elsewhere")),
        () if record.body.is_empty() => Ok(leaf),
        () if Sha256Digest::of(record.body) != leaf.body_sha256 => {
            Err(bad(record, "its body is not the one its leaf names"))
        }
        () if record.redacted_by.is_none() && *command != leaf.command_sha256 => {
            Err(bad(record, "its command is not the one its leaf names"))
        }
        () => Ok(leaf),
    }
}

fn bad(record: &RecordRef<'_>, why: &str) -> PublishError {
    EngineError::bad_record(record.position)(why.to_owned()).into()
}

/// Visits the records `from..until` until one fails.
fn each(
    log: &dyn LogReader,
    from: u64,
    until: u64,
    mut visit: impl FnMut(RecordRef<'_>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mut failed = None;
    if from < until {
        log.scan(from, &mut |record| {
            let last = record.position + 1 >= until;
            match visit(record) {
                Ok(()) if !last => ControlFlow::Continue(()),
                Ok(()) => ControlFlow::Break(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
    }
    failed.map_or(Ok(()), Err)
}

/// One publisher at a time; the kernel forgets the lock with the process.
fn take_turn(dir: &Path) -> Result<File, EngineError> {
    let path = dir.join("checkpoint.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(EngineError::file("open", &path))?;
    file.lock().map_err(EngineError::file("lock", &path))?;
    Ok(file)
}

fn log_verifier(origin: &Origin, public: PublicKey) -> Result<VerifierKey, EngineError> {
    VerifierKey::of_log(origin, public).map_err(|error| EngineError::bad_record(0)(error.to_string()))
}

/// The bytes of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, EngineError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::file("read", path)(error)),
    }
}

/// A checkpoint of this log and nobody else's.
fn open_note(path: &Path, bytes: &[u8], verifier: &VerifierKey) -> Result<Published, EngineError> {
    let bad = |why: String| EngineError::BadFile { path: path.to_owned(), why };
    let note = Note::parse(bytes).map_err(|error| bad(error.to_string()))?;
    let opened = Checkpoint::open(&note, [verifier]).map_err(|error| bad(error.to_string()))?;
    Ok(Published { checkpoint: opened.checkpoint, note })
}

/// Puts a file in its place: whole or not at all, durable before this returns.
fn replace(part: &Path, path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let mut file = File::create(part).map_err(EngineError::file("create", part))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(EngineError::file("write", part))?;
    fs::rename(part, path).map_err(EngineError::file("rename", path))?;
    sync_folder(folder_of(path))
}

/// The folder a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
