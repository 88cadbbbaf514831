//! One writer at a time: an advisory lock on the file `lock` of a ledger directory.
//!
//! The lock is the kernel's and dies with the process, so a stale file never locks anyone out; the process id in the
//! file only helps to name the holder. Readers take no lock.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::StoreError;

/// A lock outlives its holder for the moment in which a process that the holder's process starts has the descriptor
/// and has not closed it yet. So it is asked for this often, with pauses, before the answer counts.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Held by whoever may write to the directory; released when dropped.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock of `dir` or says who holds it. A second attempt in the same process is refused too.
    pub fn acquire(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::at("open", &path))?;
        for patience in (0..PATIENCE).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if patience > 0 => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                    return Err(StoreError::Locked { path, pid });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::at("lock", &path)(source)),
            }
        }
        // The id is a courtesy: a full disk must not keep a ledger from being opened.
        if file.set_len(0).is_ok() {
            let _ = writeln!(file, "{}", std::process::id());
        }
        Ok(Self { _file: file })
    }
}
