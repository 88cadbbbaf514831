//! sled panics where it should return errors: on a flipped bit already while opening. One door for every call to it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

/// Runs `call`, turning an error or a panic of sled into its text.
///
/// After a panic the `Db` may be in any state, so the caller must let it go; both owners of one do.
pub(crate) fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("panic inside sled: {}", text.unwrap_or("no message")))
        }
    }
}

/// sled's threads and children of this process may hold its lock for a moment after its owner has let it go. So a
/// locked folder is asked for this often, with pauses, before the answer counts.
const PATIENCE: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Opens sled, waiting out a lock that is about to go.
pub(crate) fn open(config: &sled::Config) -> sled::Result<sled::Db> {
    for _ in 1..PATIENCE {
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("acquire lock") => thread::sleep(PAUSE),
            opened => return opened,
        }
    }
    config.open()
}
