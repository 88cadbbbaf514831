//! Files that appear whole or not at all, and the turn that publishers take.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::Path,
};

use crate::{answer::EngineError, open::sync_folder};

/// The bytes of a file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, EngineError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::file("read", path)(error)),
    }
}

/// Puts a file in its place: whole or not at all, durable before this returns.
pub(crate) fn replace(part: &Path, path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let mut file = File::create(part).map_err(EngineError::file("create", part))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(EngineError::file("write", part))?;
    fs::rename(part, path).map_err(EngineError::file("rename", path))?;
    sync_folder(folder_of(path))
}

/// The folder a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn turn_file(dir: &Path) -> Result<(File, std::path::PathBuf), EngineError> {
    let path = dir.join("checkpoint.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    Ok((file.map_err(EngineError::file("open", &path))?, path))
}

/// One publisher at a time; the kernel forgets the lock with the process. Waits.
pub(super) fn take_turn(dir: &Path) -> Result<File, EngineError> {
    let (file, path) = turn_file(dir)?;
    file.lock().map_err(EngineError::file("lock", &path))?;
    Ok(file)
}

/// The turn, if nobody has it.
pub(super) fn try_turn(dir: &Path) -> Result<Option<File>, EngineError> {
    let (file, path) = turn_file(dir)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(EngineError::file("lock", &path)(error)),
    }
}
