//! Saved folds, so that opening need not read the whole log. Disposable: on any doubt it is ignored and the log is
//! folded from the start.
//!
//! A file is `HEFUSNAP` ‖ version ‖ BLAKE3 of the rest ‖ bincode. It names the size and head it was taken at; the
//! reader compares that head with the log's own record before it believes anything.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use bincode::config;
use hefu_projections::Views;
use serde::{Deserialize, Serialize};

use crate::{
    answer::EngineError,
    heads::{Heads, HeadsParts},
    open::sync_folder,
};

/// Raised whenever a saved type changes meaning or shape; other versions are ignored.
const VERSION: u8 = 11;
const MAGIC: &[u8; 8] = b"HEFUSNAP";
const HEADER: usize = 8 + 1 + 32;
const FOLDER: &str = "snapshot";

/// A saved fold of the first `views.size` records.
pub(crate) struct Snapshot {
    pub(crate) head: [u8; 32],
    pub(crate) views: Views,
    pub(crate) heads: Heads,
}

#[derive(Serialize)]
struct Borrowed<'a> {
    head: [u8; 32],
    views: &'a Views,
    heads: HeadsParts,
}

#[derive(Deserialize)]
struct Owned {
    head: [u8; 32],
    views: Views,
    heads: HeadsParts,
}

/// The bytes of a snapshot.
pub(crate) fn encode(head: [u8; 32], views: &Views, heads: &Heads) -> Result<Vec<u8>, EngineError> {
    let parts = Borrowed { head, views, heads: heads.to_parts() };
    let mut bytes = vec![0; HEADER];
    bincode::serde::encode_into_std_write(parts, &mut bytes, config::legacy())
        .map_err(|error| EngineError::Internal(format!("snapshot: {error}")))?;
    let digest = *blake3::hash(&bytes[HEADER..]).as_bytes();
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8] = VERSION;
    bytes[9..HEADER].copy_from_slice(&digest);
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Option<Snapshot> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let genuine = header.starts_with(MAGIC) && header[8] == VERSION;
    if !genuine || header[9..] != *blake3::hash(rest).as_bytes() {
        return None;
    }
    let (Owned { head, views, heads }, read) =
        bincode::serde::decode_from_slice(rest, config::legacy().with_limit::<{ 4 << 30 }>()).ok()?;
    (read == rest.len()).then(|| Snapshot { head, views, heads: heads.into() })
}

/// Writes a snapshot beside the log and removes older ones. The file appears whole or not at all.
pub(crate) fn write(dir: &Path, size: u64, bytes: &[u8]) -> Result<(), EngineError> {
    let folder = dir.join(FOLDER);
    fs::create_dir_all(&folder).map_err(EngineError::file("create", &folder))?;
    let path = folder.join(format!("{size:020}.snap"));
    let part = path.with_extension("part");
    let mut file = File::create(&part).map_err(EngineError::file("create", &part))?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(EngineError::file("write", &part))?;
    fs::rename(&part, &path).map_err(EngineError::file("rename", &part))?;
    for old in files(dir).into_iter().filter(|old| *old != path) {
        // An older snapshot that stays behind costs space, nothing else.
        let _ = fs::remove_file(old);
    }
    Ok(())
}

/// Removes all snapshots, whole or not, durably: they hold what a redaction withholds.
pub(crate) fn purge(dir: &Path) -> Result<(), EngineError> {
    let folder = dir.join(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(&folder).map_err(EngineError::file("list", &folder))? {
        let path = entry.map_err(EngineError::file("list", &folder))?.path();
        fs::remove_file(&path).map_err(EngineError::file("remove", &path))?;
    }
    sync_folder(&folder)
}

/// The newest readable snapshot of at most `size` records.
pub(crate) fn newest(dir: &Path, size: u64) -> Option<Snapshot> {
    let mut files = files(dir);
    files.sort_unstable();
    let read = |path: &PathBuf| {
        let snapshot = fs::read(path).ok().and_then(|bytes| decode(&bytes));
        if snapshot.is_none() {
            tracing::warn!(path = %path.display(), "snapshot is unreadable and is ignored");
        }
        snapshot.filter(|snapshot| snapshot.views.size <= size)
    };
    files.iter().rev().find_map(read)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "snap")).collect()
}
