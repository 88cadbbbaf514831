//! An exported site: the signed checkpoint, the tiles of the tree, and the leaves (section 7).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::hash::{self, Hash};
use crate::note::{self, LogKey};
use crate::record::{Leaf, Link, Streams, broken_links};
use crate::{Place, Report, Verdict};

const WIDE: u64 = 256;

/// Checks an exported site. One without entries proves its tree, but no record: not proven, unless it says itself, by a
/// file `public`, that it was made without them (`--public`).
pub fn verify(dir: &Path, key: Option<&LogKey>, report: &mut Report) -> io::Result<()> {
    let note = fs::read(dir.join("checkpoint"))?;
    let opened = match key {
        Some(key) => note::open(&note, key),
        None => note::read(&note).map(|(checkpoint, _)| checkpoint),
    };
    let checkpoint = match opened {
        Ok(checkpoint) => checkpoint,
        Err((Verdict::ProvenBad, why)) => {
            report.bad(Place::file("checkpoint"), why);
            return Ok(());
        }
        Err((_, why)) => {
            report.absent(Place::file("checkpoint"), why);
            return Ok(());
        }
    };
    if key.is_none() {
        report.absent(Place::file("checkpoint"), "no key of the log was given: nobody knows who signed this");
    }
    (report.origin, report.size) = (Some(checkpoint.origin.clone()), checkpoint.size);

    // Entries and the lowest row of the tree, as they lie there: two accounts of the same leaves.
    let public = !dir.join("tile/entries").is_dir();
    let (mut leaves, mut told): (Vec<Option<Vec<u8>>>, Vec<Option<Hash>>) = (Vec::new(), Vec::new());
    for index in 0..checkpoint.size.div_ceil(WIDE) {
        let width = WIDE.min(checkpoint.size - index * WIDE);
        let place = |kind: &str| (path(kind, index), Some(index * WIDE));
        let (file, position) = place("0");
        let tile = read(dir, &file, width)?;
        let tile =
            tile.map(|bytes| hashes(&bytes, width).ok_or("the tile has another length than it should"));
        let tile = settle(tile, Place { file: &file, position, offset: None }, report);
        let (file, position) = place("entries");
        let bundle =
            if public { Some(Err("")) } else { read(dir, &file, width)?.map(|bytes| entries(&bytes, width)) };
        let bundle =
            if public { None } else { settle(bundle, Place { file: &file, position, offset: None }, report) };
        if tile.is_none() && bundle.is_none() {
            report.absent(Place::record("tile", index * WIDE), "and what follows: not looked for");
            return Ok(());
        }
        for at in 0..usize::try_from(width).unwrap_or(0) {
            told.push(tile.as_ref().map(|tile| tile[at]));
            leaves.push(bundle.as_ref().map(|bundle| bundle[at].clone()));
        }
    }

    let found: Vec<Option<Hash>> = leaves.iter().map(|leaf| leaf.as_deref().map(hash::leaf_hash)).collect();
    let truth = settle_truth(dir, &found, &told, &checkpoint.root)?;
    match &truth {
        None => report.bad(Place::file("tile"), "neither entries nor tiles lead to the signed root"),
        Some(truth) => {
            for (position, (truth, told)) in (0..).zip(truth.iter().zip(&told)) {
                if told.is_some_and(|told| told != *truth) {
                    let file = path("0", position / WIDE);
                    report.bad(
                        Place::record(&file, position),
                        "the tile is altered; the tree vouches for another hash",
                    );
                }
            }
            other_tiles(dir, truth, report)?;
        }
    }
    if public && dir.join("public").is_file() {
        report.notes.push("no entries here, as the site is public: records were not checked".to_owned());
    } else if public {
        report.absent(
            Place::file("tile/entries"),
            "without its entries a site that is not public shows no record",
        );
    } else {
        records(&checkpoint.origin, &leaves, &found, truth.as_deref(), report);
    }
    Ok(())
}

/// Every record: what the tree says of it, what it says of itself, and whether it continues those before.
fn records(
    origin: &str,
    leaves: &[Option<Vec<u8>>],
    found: &[Option<Hash>],
    truth: Option<&[Hash]>,
    report: &mut Report,
) {
    let vouched = |position: usize| Some(found[position]? == truth?[position]);
    let link = |(position, bytes): (usize, &Option<Vec<u8>>)| {
        let prev = Leaf::parse(bytes.as_ref()?).map(|leaf| leaf.prev);
        Some(Link { position: position as u64, value: hash::chain(origin, bytes.as_ref()?), prev })
    };
    let links: Vec<Link> = leaves.iter().enumerate().filter_map(link).collect();
    let start =
        links.first().filter(|first| first.position == 0).map(|_| hash::chain(origin, origin.as_bytes()));
    let known = |link: &Link| usize::try_from(link.position).ok().and_then(vouched);
    let broken: BTreeMap<u64, &str> = broken_links(&links, start, &known).into_iter().collect();

    let mut streams = Streams::default();
    for (at, bytes) in leaves.iter().enumerate() {
        let position = at as u64;
        let Some(bytes) = bytes else {
            streams.lose(position);
            continue;
        };
        report.records += 1;
        let file = path("entries", position / WIDE);
        let place = Place::record(&file, position);
        let altered = vouched(at) == Some(false);
        if altered {
            report.bad(place, "the entry is altered: its hash is not the one in the signed tree");
        }
        if let Some(why) = broken.get(&position) {
            report.bad(place, *why);
        }
        match Leaf::parse(bytes) {
            Some(leaf) if !altered => {
                if leaf.seq != position {
                    report.bad(place, format!("the leaf says that it is record {}", leaf.seq));
                }
                streams.take(&leaf, place, report);
            }
            None if !altered => report.bad(place, "the entry is not a leaf in its one spelling"),
            _ => streams.lose(position),
        }
    }
}

/// The leaf hashes that lead to the signed root: those of the entries, those of the tiles, or of each full tile the
/// account that its hash one level up vouches for. None if nothing does.
fn settle_truth(
    dir: &Path,
    found: &[Option<Hash>],
    told: &[Option<Hash>],
    root: &Hash,
) -> io::Result<Option<Vec<Hash>>> {
    let full = found.len() as u64 / WIDE;
    let mut above = Vec::new();
    for index in 0..full.div_ceil(WIDE) {
        let width = WIDE.min(full - index * WIDE);
        let tile = read(dir, &path("1", index), width)?.and_then(|bytes| hashes(&bytes, width));
        above.extend((0..256).map(|at| tile.as_ref().and_then(|tile| tile.get(at).copied())));
    }
    let whole = |hashes: &[Option<Hash>]| hashes.iter().copied().collect::<Option<Vec<Hash>>>();
    let mixed = |otherwise: &[Option<Hash>]| {
        let tiles = found.chunks(256).zip(told.chunks(256)).zip(otherwise.chunks(256)).enumerate();
        let settled = tiles.map(|(index, ((entries, tile), otherwise))| {
            let vouched = |account: &Vec<Hash>| above.get(index) == Some(&Some(hash::root(account)));
            [whole(entries), whole(tile)].into_iter().flatten().find(vouched).or(whole(otherwise))
        });
        settled.collect::<Option<Vec<_>>>().map(|tiles| tiles.concat())
    };
    let accounts = [whole(found), whole(told), mixed(found), mixed(told)];
    Ok(accounts.into_iter().flatten().find(|account| hash::root(account) == *root))
}

/// The tiles above the lowest row, and the narrower tiles of earlier checkpoints, against what follows from the truth.
fn other_tiles(dir: &Path, truth: &[Hash], report: &mut Report) -> io::Result<()> {
    let mut row = truth.to_vec();
    for level in 0_u32.. {
        for (index, hashes) in (0..).zip(row.chunks(256)) {
            let file = path(&level.to_string(), index);
            let place = Place::file(&file);
            if level > 0 {
                match read(dir, &file, hashes.len() as u64)? {
                    None => report.absent(place, "the tile is missing"),
                    Some(bytes) if bytes.starts_with(&hashes.concat()) && bytes.len() % 32 == 0 => {}
                    Some(_) => report.bad(place, "the tile is altered: the tree below leads to other hashes"),
                }
            }
            for (name, bytes, width) in partials(dir, &file, hashes.len())? {
                let (stored, _) = bytes.as_chunks::<32>();
                if bytes != hashes[..width].concat() {
                    let first = stored.iter().zip(hashes).position(|(stored, hash)| stored != hash);
                    report.bad(earlier(&name, level, index, first), "an earlier tile is altered");
                }
            }
            for (name, bytes, width) in partials(dir, &path("entries", index), hashes.len())? {
                let stored = entries(&bytes, width as u64).unwrap_or_default();
                let same = |(leaf, hash): (&Vec<u8>, &Hash)| hash::leaf_hash(leaf) == *hash;
                let first = stored.iter().zip(hashes).position(|pair| !same(pair));
                if level == 0 && (stored.len() != width || first.is_some()) {
                    let what = "an earlier bundle of entries is altered";
                    report.bad(earlier(&name, level, index, first), what);
                }
            }
        }
        row = row.chunks_exact(256).map(hash::root).collect();
        if row.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

/// A tile of an earlier checkpoint, and the record whose hash or entry is the first that differs.
fn earlier(name: &str, level: u32, index: u64, first: Option<usize>) -> Place<'_> {
    let position = first.filter(|_| level == 0).map(|first| index * WIDE + first as u64);
    Place { position, ..Place::file(name) }
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
        if let Some(width) = width.filter(|width| *width < now) {
            found.push((format!("{path}.p/{width}"), fs::read(file.path())?, width));
        }
    }
    found.sort();
    Ok(found)
}

/// Says that a file is missing or malformed; gives what it holds otherwise.
fn settle<T>(read: Option<Result<T, &'static str>>, place: Place<'_>, report: &mut Report) -> Option<T> {
    match read {
        None => report.absent(place, "the file is missing"),
        Some(Err(why)) => report.bad(place, why),
        Some(Ok(content)) => return Some(content),
    }
    None
}

fn hashes(bytes: &[u8], width: u64) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    ([width, WIDE].contains(&(hashes.len() as u64)) && rest.is_empty()).then(|| hashes.to_vec())
}

/// The leaves in a bundle, each after its length in 16 bits.
fn entries(bytes: &[u8], width: u64) -> Result<Vec<Vec<u8>>, &'static str> {
    let (mut rest, mut entries) = (bytes, Vec::new());
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, after) = after.split_at_checked(len).ok_or("the bundle ends inside an entry")?;
        entries.push(entry.to_vec());
        rest = after;
    }
    if rest.is_empty() && [width, WIDE].contains(&(entries.len() as u64)) {
        Ok(entries)
    } else {
        Err("the bundle has another number of entries")
    }
}

/// The file of a tile: the one of this width, or the full one that took its place when the log grew.
fn read(dir: &Path, path: &str, width: u64) -> io::Result<Option<Vec<u8>>> {
    let full = dir.join(path);
    let partial = PathBuf::from(format!("{}.p/{width}", full.display()));
    for path in if width == WIDE { vec![full] } else { vec![partial, full] } {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(Some),
        }
    }
    Ok(None)
}

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
