//! Files that are there as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::error::WitnessError;

/// Makes files durable. Tests bring disks that fail.
pub trait Disk: Send + Sync {
    /// Replaces a file by these bytes. After `Ok` they survive a power cut; after `Err` either the old or the new file
    /// is there, and nothing may be said about which.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Disk for Files {
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A folder that survives a power cut, with its name in the folder above.
pub(crate) fn make(folder: &Path) -> Result<(), WitnessError> {
    fs::create_dir_all(folder).map_err(WitnessError::file("create", folder))?;
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(above).and_then(|above| above.sync_all());
    synced.map_err(WitnessError::file("sync", above))
}

/// The bytes of a file; nothing if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, WitnessError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WitnessError::file("read", path)(error)),
    }
}

/// The names in a folder that end so, ascending; none if there is no folder.
pub(crate) fn names(folder: &Path, ending: &str) -> Result<Vec<String>, WitnessError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(WitnessError::file("list", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(WitnessError::file("list", folder))?.file_name();
        names.extend(name.to_str().filter(|name| name.ends_with(ending)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
