//! sled panics where it should return errors: on a flipped bit already while opening. One door for every call to it.

use std::panic::{AssertUnwindSafe, catch_unwind};

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
