//! Taking redacted content out of a sealed segment.
//!
//! The file is written anew beside the old one, with the same frames at the same places, synced, and moved over it: a
//! crash leaves the old file or the new one. Readers that have the old one open go on in it; what they know of places
//! holds for both. The bytes of the old file are free space of the file system from then on; wiping that is its task.

use std::path::Path;

use hefu_chain::frame::{self, HEADER_LEN, Parsed};

use super::names;
use crate::disk::Disk;
use crate::{StoreError, Withhold};

/// Withholds in the segment that starts at `base`; nothing is written if it is done already.
pub(super) fn rewrite(disk: &dyn Disk, folder: &Path, base: u64, what: &Withhold) -> Result<(), StoreError> {
    // First, so that a segment without the content means that these are gone as well.
    remove_torn(disk, folder)?;
    let path = names::segment(folder, base);
    let mut bytes = read(disk, &path)?;
    if !withhold(&mut bytes, &path, what)? {
        return Ok(());
    }
    let part = names::unfinished(folder, base);
    let file = disk.create(&part).map_err(StoreError::at("create", &part))?;
    file.write_at(&bytes, 0).map_err(StoreError::at("write", &part))?;
    file.sync_all().map_err(StoreError::at("sync", &part))?;
    disk.rename(&part, &path).map_err(StoreError::at("rename", &part))?;
    disk.sync_dir(folder).map_err(StoreError::at("sync", folder))
}

/// Removes what opening set aside of writes that a crash cut short: it may hold the content, and never counted.
fn remove_torn(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    let listed = disk.list(folder).map_err(StoreError::at("list", folder))?;
    for name in listed.iter().filter(|name| names::is_torn(name)) {
        let path = folder.join(name);
        disk.remove(&path).map_err(StoreError::at("remove", &path))?;
    }
    disk.sync_dir(folder).map_err(StoreError::at("sync", folder))
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, StoreError> {
    let file = disk.open(path).map_err(StoreError::at("open", path))?;
    let len = file.len().map_err(StoreError::at("read", path))?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let got = file.read_at(&mut bytes, 0).map_err(StoreError::at("read", path))?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Rewrites the frames in place; whether any changed.
fn withhold(bytes: &mut [u8], path: &Path, what: &Withhold) -> Result<bool, StoreError> {
    let mut at = HEADER_LEN;
    let mut left = what.siblings.clone();
    let mut changed = false;
    while !left.is_empty() {
        let damaged = |why: &str| StoreError::damaged(path, at as u64, left.start, why);
        let rest = bytes.get(at..).unwrap_or_default();
        let (len, position, redacted, has_body) = match frame::parse(rest) {
            Parsed::Record { len, record } => {
                (len, record.position, record.redacted_by.is_some(), !record.body.is_empty())
            }
            Parsed::Commit { len, .. } => {
                at += len;
                continue;
            }
            Parsed::Bad(why) => return Err(damaged(&why.to_string())),
            Parsed::Zero | Parsed::More { .. } => return Err(damaged("the record to withhold is missing")),
        };
        if position == left.start {
            left.start += 1;
            let keep_body = position != what.position;
            // A sibling that another redaction has withheld stays as it is.
            let done = redacted && (keep_body || !has_body);
            if !done {
                frame::withhold(&mut bytes[at..at + len], what.by, keep_body)
                    .map_err(|why| StoreError::damaged(path, at as u64, position, why.to_string()))?;
                changed = true;
            }
        }
        at += len;
    }
    Ok(changed)
}
