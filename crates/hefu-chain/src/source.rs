//! Where the files of a site or a ledger come from: a folder, a web server, memory.
//!
//! A path is relative, with `/` between its parts, such as `checkpoint` or `tile/0/x001/067`. A source is never
//! trusted: what it gives is checked. This module opens nothing; who does says how in an implementation of its own.

use std::collections::BTreeMap;
use std::io;

/// Gives files by their paths, from any thread.
pub trait Source: Sync {
    /// The whole file, or nothing if there is none.
    ///
    /// Fails if it cannot be known whether there is one, or the file cannot be read: a broken disk, a server that does
    /// not answer. An empty file is a file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

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
