//! Where the files of a site or a ledger come from: a folder, a web server, memory.
//!
//! A path is relative, with `/` between its parts, such as `checkpoint` or `tile/0/x001/067`. A source is never
//! trusted: what it gives is checked. This module opens nothing; who does says how in an implementation of its own.

use std::collections::BTreeMap;
use std::io;

use crate::tile::{FULL, Tile};

/// Gives files by their paths, from any thread.
pub trait Source: Sync {
    /// The whole file, or nothing if there is none.
    ///
    /// Fails if it cannot be known whether there is one, or the file cannot be read: a broken disk, a server that does
    /// not answer. An empty file is a file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// At most `len` bytes of the file from `offset` on; fewer, or none, if it ends before. Nothing if there is no file.
    ///
    /// Fails as [`Source::read`] does. Sources that can read a part override this.
    fn read_range(&self, path: &str, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        let part = |bytes: Vec<u8>| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = start.saturating_add(len).min(bytes.len());
            bytes[start..end].to_vec()
        };
        Ok(self.read(path)?.map(part))
    }

    /// The names of the files in a folder, ascending; nothing from sources that cannot tell, such as a web server.
    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let _ = folder;
        Ok(None)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path)
    }

    fn read_range(&self, path: &str, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        (**self).read_range(path, offset, len)
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        (**self).list(folder)
    }
}

/// Files in memory, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemorySource(pub BTreeMap<String, Vec<u8>>);

impl Source for MemorySource {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let inside = |path: &String| Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        let names = self.0.keys().filter_map(inside).filter(|name| !name.contains('/'));
        Ok(Some(names.collect()))
    }
}

/// A tile of hashes from a site; where only the full one is left, its beginning.
///
/// Fails if there is none, or it cannot be read.
pub fn read_hash_tile(site: &dyn Source, tile: Tile) -> io::Result<Vec<u8>> {
    if let Some(bytes) = site.read(&tile.to_string())? {
        return Ok(bytes);
    }
    let full = Tile::new(tile.kind(), tile.index(), FULL).map_err(io::Error::other)?;
    let full = site.read(&full.to_string())?;
    let mut bytes = full.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such file"))?;
    bytes.truncate(32 * usize::from(tile.width()));
    Ok(bytes)
}
