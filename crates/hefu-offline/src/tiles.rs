//! The files of a site: where a tile lies, and those that are not the lowest of the newest checkpoint (section 7).

use std::fs;
use std::io;
use std::path::Path;

use crate::entries::bundle;
use crate::hash::{self, Hash};
use crate::site::{Chunk, WIDE};
use crate::{Place, Report};

/// Where a tile lies: its number in groups of three digits, all but the last after an `x`.
pub fn path(kind: &str, index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    format!("tile/{kind}/{path}")
}

/// A tile's file and bytes: the one of this width, or the beginning of the full one that took its place when the log
/// grew. A file of that name which holds no more than the partial one is no full one.
pub(crate) fn read(
    dir: &Path,
    path: &str,
    width: usize,
    entries: bool,
) -> io::Result<(String, Option<Vec<u8>>)> {
    let wanted = if width == WIDE { path.to_owned() } else { format!("{path}.p/{width}") };
    let get = |path: &str| match fs::read(dir.join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    };
    let bytes = get(&wanted)?;
    if bytes.is_some() || width == WIDE {
        return Ok((wanted, bytes));
    }
    let more = get(path)?;
    let end = more.as_ref().and_then(|bytes| {
        if entries {
            bundle(bytes).0.get(width).map(|next| next.0)
        } else {
            Some(32 * width).filter(|end| *end < bytes.len())
        }
    });
    Ok(match (more, end) {
        (Some(bytes), Some(end)) => (path.to_owned(), Some(bytes[..end].to_vec())),
        _ => (wanted, None),
    })
}

/// A tile has 32 bytes for each of its hashes, and no more.
pub(crate) fn check_length(bytes: &[u8], width: usize, file: &str, report: &mut Report) {
    if bytes.len() > 32 * width {
        report.bad(Place::file(file).at(32 * width), "surplus bytes: the file should end here");
    } else if bytes.len() < 32 * width {
        report.bad(Place::file(file).at(bytes.len()), format!("the file ends early: not {width} hashes"));
    }
}

/// The tiles above the lowest row, and the narrower tiles of earlier checkpoints, against what the tree has. `row` has
/// a hash for each chunk.
pub(crate) fn other_tiles(
    dir: &Path,
    chunks: &[Chunk],
    row: Vec<Hash>,
    report: &mut Report,
) -> io::Result<()> {
    for (index, chunk) in (0..).zip(chunks) {
        earlier(dir, &path("0", index), Some(chunk), &chunk.truth, report)?;
        for (file, bytes, width) in partials(dir, &path("entries", index), chunk.width)? {
            let (entries, end) = bundle(&bytes);
            let same = |((_, leaf, sound), hash): (&(usize, &[u8], bool), &Option<Hash>)| {
                *sound && hash.is_none_or(|hash| hash::leaf_hash(leaf) == hash)
            };
            let first = entries.iter().zip(&chunk.truth).position(|pair| !same(pair));
            if first.is_none() && entries.len() == width && end < bytes.len() {
                report.bad(Place::file(&file).at(end), "surplus bytes: the file should end here");
            } else if first.is_some() || entries.len() != width || end < bytes.len() {
                let place = chunk.place(first.unwrap_or(entries.len()), &file);
                report.bad(place, "an earlier bundle of entries is altered");
            }
        }
    }
    let mut row = row;
    row.truncate(chunks.iter().filter(|chunk| chunk.width == WIDE).count());
    for level in 1.. {
        for (index, hashes) in (0..).zip(row.chunks(WIDE)) {
            let hashes: Vec<Option<Hash>> = hashes.iter().copied().map(Some).collect();
            let name = path(&level.to_string(), index);
            earlier(dir, &name, None, &hashes, report)?;
            match read(dir, &name, hashes.len(), false)? {
                (file, None) => report.absent(Place::file(&file), "the tile is missing"),
                (file, Some(bytes)) => compare(&file, &bytes, None, &hashes, report),
            }
        }
        row = row.chunks_exact(WIDE).map(hash::root).collect();
        if row.is_empty() {
            break;
        }
    }
    Ok(())
}

/// The tiles that earlier checkpoints had in this place are the beginning of what the tree has now.
fn earlier(
    dir: &Path,
    path: &str,
    chunk: Option<&Chunk>,
    hashes: &[Option<Hash>],
    report: &mut Report,
) -> io::Result<()> {
    for (file, bytes, width) in partials(dir, path, hashes.len())? {
        compare(&file, &bytes, chunk, &hashes[..width], report);
    }
    Ok(())
}

fn compare(file: &str, bytes: &[u8], chunk: Option<&Chunk>, hashes: &[Option<Hash>], report: &mut Report) {
    check_length(bytes, hashes.len(), file, report);
    for (at, (stored, hash)) in bytes.as_chunks::<32>().0.iter().zip(hashes).enumerate() {
        if hash.is_some_and(|hash| hash != *stored) {
            let place = chunk.map_or(Place::file(file), |chunk| chunk.place(at, file)).at(32 * at);
            report.bad(place, "the tile is altered: the tree has another hash here");
        }
    }
}

/// Tiles stay, so those of a newer checkpoint than this one can be seen.
pub(crate) fn newer(dir: &Path, size: u64) -> io::Result<bool> {
    let (edge, rest) = (path("0", size / WIDE as u64), usize::try_from(size % WIDE as u64).unwrap_or(0));
    Ok(dir.join(&edge).exists() || partials(dir, &edge, WIDE)?.iter().any(|(_, _, width)| *width > rest))
}

/// The partial tiles of this place: name, content and width. The checkpoint's own, which is `now` wide, is left out.
fn partials(dir: &Path, path: &str, now: usize) -> io::Result<Vec<(String, Vec<u8>, usize)>> {
    let mut found = Vec::new();
    let listed = match fs::read_dir(dir.join(format!("{path}.p"))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other?,
    };
    for file in listed {
        let file = file?;
        let width = file.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(width) = width.filter(|width| (1..now).contains(width)) {
            found.push((format!("{path}.p/{width}"), fs::read(file.path())?, width));
        }
    }
    found.sort();
    Ok(found)
}
