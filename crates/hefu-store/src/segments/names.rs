//! Names in `segments/`: 20 digits and `.seg`; `.tmp` while being made, `.torn` for what did not count.

use std::path::{Path, PathBuf};

/// The folder of a ledger directory the segments live in.
pub(super) const FOLDER: &str = "segments";

/// Path of the segment that starts at `base`.
pub(super) fn segment(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.seg"))
}

/// Path of the segment that starts at `base` while it is being made.
pub(super) fn unfinished(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.tmp"))
}

/// Whether `name` is a segment that was being made.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some_and(is_base)
}

/// Whether `name` is that of uncommitted bytes set aside.
pub(super) fn is_torn(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "torn")
}

/// The base in the name of a segment.
pub(super) fn base(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    is_base(digits).then(|| digits.parse().ok()).flatten()
}

/// The first free name for uncommitted bytes of the segment that starts at `base`.
pub(super) fn torn(folder: &Path, base: u64, taken: &[String]) -> PathBuf {
    let mut n = 0;
    loop {
        let name = format!("{base:020}.{n}.torn");
        if !taken.contains(&name) {
            return folder.join(name);
        }
        n += 1;
    }
}

fn is_base(digits: &str) -> bool {
    digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())
}
