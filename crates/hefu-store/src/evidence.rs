//! Evidence files: a content-addressed folder beside a ledger, `<LEDGER>.evidence/`, one file a digest.
//!
//! The chain holds only digests, so a file can go without touching it. A file comes whole or not at all, and is hashed
//! anew whenever it is read. This module refuses to know which files the ledger asks for, and to repair: a damaged file
//! is named, and putting the right one again replaces it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use hefu_chain::hash::Sha256Digest;
use sha2::{Digest, Sha256};

use crate::StoreError;

/// The end of the name of a file that is being written.
const UNFINISHED: &str = ".part";

/// A file that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// Number of its bytes.
    pub size: u64,
}

/// What the folder has under a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// No file.
    Missing,
    /// The file, with its size.
    Whole(u64),
    /// A file with other bytes, whose digest is this.
    Altered(Sha256Digest),
}

/// The folder.
#[derive(Clone, Debug)]
pub struct EvidenceFolder {
    folder: PathBuf,
}

impl EvidenceFolder {
    /// The folder beside the ledger in `dir`; nothing is read or made yet.
    pub fn beside(dir: &Path) -> EvidenceFolder {
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(".evidence");
        EvidenceFolder { folder: dir.with_file_name(name) }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file with this digest is, if it is there.
    pub fn path(&self, sha256: &Sha256Digest) -> PathBuf {
        self.folder.join(sha256.to_string())
    }

    /// Copies a file into the folder and tells its digest. Doing so again changes nothing.
    pub fn put(&self, from: &Path) -> Result<Put, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(StoreError::at("create", &self.folder))?;
        let source = File::open(from).map_err(StoreError::at("read", from))?;
        self.take_in(source, from)
    }

    /// Writes bytes into the folder as a file of its own and tells its digest. Doing so again changes nothing.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Put, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(StoreError::at("create", &self.folder))?;
        self.take_in(bytes, &self.folder)
    }

    fn take_in(&self, source: impl Read, from: &Path) -> Result<Put, StoreError> {
        let (part, put) = copy(source, from, &self.folder)?;
        self.finish(&part, &self.path(&put.sha256))?;
        Ok(put)
    }

    /// Copies the file with this digest to `to`, if its bytes still have it. Returns what the folder has: `to` exists
    /// afterwards only if that is [`Holding::Whole`].
    pub fn get(&self, sha256: &Sha256Digest, to: &Path) -> Result<Holding, StoreError> {
        let path = self.path(sha256);
        let source = match File::open(&path) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holding::Missing),
            Err(error) => return Err(StoreError::at("read", &path)(error)),
        };
        let folder = match to.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) | None => Path::new("."),
        };
        let (part, copied) = copy(source, &path, folder)?;
        if copied.sha256 == *sha256 {
            self.finish(&part, to)?;
            return Ok(Holding::Whole(copied.size));
        }
        fs::remove_file(&part).map_err(StoreError::at("remove", &part))?;
        Ok(Holding::Altered(copied.sha256))
    }

    /// Reads the file with this digest and tells whether it is whole.
    pub fn holding(&self, sha256: &Sha256Digest) -> Result<Holding, StoreError> {
        let path = self.path(sha256);
        let mut source = match File::open(&path) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holding::Missing),
            Err(error) => return Err(StoreError::at("read", &path)(error)),
        };
        let read = pour(&mut source, &mut io::sink()).map_err(StoreError::at("read", &path))?;
        Ok(if read.sha256 == *sha256 { Holding::Whole(read.size) } else { Holding::Altered(read.sha256) })
    }

    /// Removes the file with this digest; whether there was one. The chain is not touched.
    pub fn withdraw(&self, sha256: &Sha256Digest) -> Result<bool, StoreError> {
        let path = self.path(sha256);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&self.folder).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::at("remove", &path)(error)),
        }
    }

    /// Digests of all files in the folder, in order. Other names, unfinished copies among them, are passed over.
    pub fn list(&self) -> Result<Vec<Sha256Digest>, StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::at("read", &self.folder)(error)),
        };
        let mut digests = Vec::new();
        for entry in entries {
            let name = entry.map_err(StoreError::at("read", &self.folder))?.file_name();
            digests.extend(name.to_str().and_then(|name| name.parse::<Sha256Digest>().ok()));
        }
        digests.sort_unstable();
        Ok(digests)
    }

    /// Gives a finished copy its name, durably.
    fn finish(&self, part: &Path, to: &Path) -> Result<(), StoreError> {
        fs::rename(part, to).map_err(StoreError::at("rename", part))?;
        sync_folder(part.parent().unwrap_or(&self.folder))
    }
}

/// Copies `source` to a new unfinished file in `folder`, durable but for its name.
fn copy(mut source: impl Read, from: &Path, folder: &Path) -> Result<(PathBuf, Put), StoreError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let part = folder.join(format!(".evidence-{}-{number}{UNFINISHED}", std::process::id()));
    let mut options = OpenOptions::new();
    // A name left by a process that died is written over.
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&part);
    let mut file = file.map_err(StoreError::at("create", &part))?;
    let poured = pour(&mut source, &mut file).and_then(|put| file.sync_all().map(|()| put));
    match poured {
        Ok(put) => Ok((part, put)),
        Err(error) => {
            // The first error is the one to tell.
            let _ = fs::remove_file(&part);
            Err(StoreError::at("copy", from)(error))
        }
    }
}

fn pour(from: &mut impl Read, to: &mut impl Write) -> io::Result<Put> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        size += read as u64;
    }
    Ok(Put { sha256: Sha256Digest(hash.finalize().into()), size })
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::at("sync", folder))
}
