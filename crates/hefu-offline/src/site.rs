//! An exported site: the signed checkpoint, the tiles of the tree, and the leaves (section 7).
//!
//! Entries and lowest tiles are two accounts of the same leaves. The tree above says which of them is true, 256 records
//! at a time, so whatever is damaged the rest is still checked.

use std::fs;
use std::io;
use std::path::Path;

use crate::entries::{arrange, bundle, records};
use crate::hash::{self, Hash};
use crate::note::{self, LogKey};
use crate::tiles::{check_length, newer, other_tiles, path, read};
use crate::{Place, Report, Verdict};

pub(crate) const WIDE: usize = 256;
/// Mixtures of two accounts that differ in so many places are tried.
const MIXED: usize = 10;

/// 256 records in a row, or the last fewer.
pub(crate) struct Chunk {
    pub(crate) first: u64,
    pub(crate) width: usize,
    /// The tile as it lies there; nothing if it is missing.
    tile: Option<Vec<u8>>,
    /// The bundle's entries as they lie there, and their hashes.
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) found: Vec<Hash>,
    /// The hashes that the tree vouches for.
    pub(crate) truth: Vec<Option<Hash>>,
}

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
        Err((weight, why)) => {
            report.find(weight, Place::file("checkpoint"), why);
            return Ok(());
        }
    };
    let size = checkpoint.size;
    (report.origin, report.size) = (Some(checkpoint.origin.clone()), size);
    if key.is_none() {
        report.absent(Place::file("checkpoint"), "no key of the log was given: nobody knows who signed this");
        let last = Chunk::at(size.saturating_sub(1) / WIDE as u64, size);
        if last.read(dir, "0")?.1.is_none() && last.read(dir, "entries")?.1.is_none() {
            report.absent(Place::file("tile"), "a size that nobody signed may be any number: not looked for");
            return Ok(());
        }
    }
    let public = !dir.join("tile/entries").is_dir();
    let mut chunks = Vec::new();
    for index in 0..size.div_ceil(WIDE as u64) {
        let mut chunk = Chunk::at(index, size);
        chunk.read_tile(dir, report)?;
        if !public {
            chunk.read_bundle(dir, report)?;
        }
        chunks.push(chunk);
    }
    match settle(dir, &chunks, &checkpoint.root)? {
        None => {
            let lacking =
                chunks.iter().any(|chunk| chunk.told().contains(&None) && chunk.found.len() < chunk.width);
            let weight = if lacking { Verdict::NotProven } else { Verdict::ProvenBad };
            let what = "neither entries nor tiles lead to the signed root";
            report.find(weight, Place::file("tile"), what.to_owned());
        }
        Some(row) => {
            put_back(&mut chunks, &row, report);
            for (chunk, root) in chunks.iter_mut().zip(&row) {
                chunk.judge_tile(root, report);
            }
            other_tiles(dir, &chunks, row, report)?;
        }
    }
    if newer(dir, size)? {
        let why = "a newer checkpoint was exported, or an export was cut short";
        report.notes.push(format!("tiles of more than {size} records are here: {why}"));
    }
    if public && dir.join("public").is_file() {
        report.notes.push("no entries here, as the site is public: records were not checked".to_owned());
    } else if public {
        let what = "without its entries a site that is not public shows no record";
        report.absent(Place::file("tile/entries"), what);
    } else {
        let leaves = arrange(&chunks, report);
        records(&checkpoint.origin, &chunks, &leaves, report);
    }
    Ok(())
}

impl Chunk {
    fn at(index: u64, size: u64) -> Self {
        let first = index * WIDE as u64;
        let width = usize::try_from(size - first).map_or(WIDE, |rest| rest.min(WIDE));
        Self { first, width, tile: None, leaves: Vec::new(), found: Vec::new(), truth: vec![None; width] }
    }

    /// The file of a tile or bundle, and its bytes if it is there.
    fn read(&self, dir: &Path, kind: &str) -> io::Result<(String, Option<Vec<u8>>)> {
        read(dir, &path(kind, self.first / WIDE as u64), self.width, kind == "entries")
    }

    fn read_tile(&mut self, dir: &Path, report: &mut Report) -> io::Result<()> {
        let (file, bytes) = self.read(dir, "0")?;
        if bytes.is_none() {
            let what = format!("the tile over {} records is missing", self.width);
            report.absent(Place::file(&file), what);
        }
        self.tile = bytes;
        Ok(())
    }

    /// All hashes of the tile's file, however many.
    fn whole_tile(&self) -> Vec<Hash> {
        self.tile.as_deref().unwrap_or_default().as_chunks::<32>().0.to_vec()
    }

    /// The leaves' hashes as the tile tells them.
    fn told(&self) -> Vec<Option<Hash>> {
        let hashes = self.whole_tile();
        (0..self.width).map(|at| hashes.get(at).copied()).collect()
    }

    fn read_bundle(&mut self, dir: &Path, report: &mut Report) -> io::Result<()> {
        let (file, bytes) = self.read(dir, "entries")?;
        let Some(bytes) = bytes else {
            report.absent(Place::file(&file), "the file is missing");
            return Ok(());
        };
        let (entries, end) = bundle(&bytes);
        for ((offset, entry, sound), position) in entries.iter().zip(self.first..) {
            if !sound {
                let place = Place::record(&file, position).at(*offset);
                report.bad(place, "the length before the entry is wrong");
            }
            self.leaves.push(entry.to_vec());
            self.found.push(hash::leaf_hash(entry));
        }
        if end < bytes.len() && entries.len() >= self.width {
            report.bad(Place::file(&file).at(end), "surplus bytes: the file should end here");
        } else if end < bytes.len() {
            let place = Place::record(&file, self.first + entries.len() as u64);
            report.bad(place.at(end), "a part of an entry");
        }
        Ok(())
    }

    fn check_tile_length(&self, report: &mut Report) {
        if let Some(bytes) = &self.tile {
            check_length(bytes, self.width, &path("0", self.first / WIDE as u64), report);
        }
    }

    /// The tile against the tree: `root` is what its hashes must lead to.
    fn judge_tile(&mut self, root: &Hash, report: &mut Report) {
        let found: Vec<Option<Hash>> = (0..self.width).map(|at| self.found.get(at).copied()).collect();
        let told = self.told();
        let truth = mix(&told, &found, &|hashes| hash::root(hashes) == *root);
        let settled = truth.is_some();
        let agreed = || told.iter().zip(&found).map(|(one, two)| one.filter(|_| one == two)).collect();
        self.truth = truth.map_or_else(agreed, |truth| truth.into_iter().map(Some).collect());
        let file = path("0", self.first / WIDE as u64);
        self.check_tile_length(report);
        for (position, (truth, told)) in (self.first..).zip(self.truth.iter().zip(&told)) {
            if truth.is_some() && told.is_some() && told != truth {
                let what = "the tile is altered; the tree vouches for another hash";
                report.bad(Place::record(&file, position), what);
            }
        }
        if !settled && !told.contains(&None) {
            report.bad(Place::file(&file), "the tile is altered: it does not lead to what the tree has");
        }
    }

    pub(crate) fn has(&self, position: u64) -> bool {
        (self.first..self.first + self.width as u64).contains(&position)
    }

    /// The record in this place, in a file.
    pub(crate) fn place<'f>(&self, at: usize, file: &'f str) -> Place<'f> {
        Place::record(file, self.first + at as u64)
    }
}

/// What each chunk must lead to: the row of hashes one level above the tiles that leads to the signed root. Entries, the
/// lowest tiles and the tiles above are three accounts of it.
fn settle(dir: &Path, chunks: &[Chunk], root: &Hash) -> io::Result<Option<Vec<Hash>>> {
    let full = chunks.iter().filter(|chunk| chunk.width == WIDE).count();
    let mut above: Vec<Option<Hash>> = Vec::new();
    for (index, row) in (0..).zip(chunks[..full].chunks(WIDE)) {
        let bytes = read(dir, &path("1", index), row.len(), false)?.1.unwrap_or_default();
        let (hashes, _) = bytes.as_chunks::<32>();
        above.extend((0..row.len()).map(|at| hashes.get(at).copied()));
    }
    let told = |chunk: &Chunk| chunk.told().into_iter().collect::<Option<Vec<_>>>();
    let mut accounts = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let entries =
            Some(&chunk.found).filter(|found| found.len() == chunk.width).map(|found| hash::root(found));
        let tile = told(chunk).map(|hashes| hash::root(&hashes));
        let above = above.get(at).copied().flatten();
        // What two of the three say is believed first.
        let [one, other] = if entries.is_some() && (entries == tile || entries == above) {
            [entries, above.filter(|_| entries == tile).or(tile)]
        } else {
            [above.or(tile), entries.or(tile)]
        };
        // What belongs at the end, where nothing is above it, may lie in the place of a full tile.
        let width = chunk.width;
        let stray = |chunk: &Chunk| {
            let all = [chunk.found.clone(), chunk.whole_tile()];
            all.into_iter().find(|hashes| hashes.len() == width).map(|hashes| hash::root(&hashes))
        };
        let other = if width < WIDE { chunks[..at].iter().find_map(stray).or(other) } else { other };
        accounts.push((one.or(other), other));
    }
    let (ones, others): (Vec<_>, Vec<_>) = accounts.into_iter().unzip();
    Ok(mix(&ones, &others, &|row| hash::root(row) == *root))
}

/// The hashes that are good: those of one account, those of the other, or some of both.
fn mix(one: &[Option<Hash>], other: &[Option<Hash>], good: &dyn Fn(&[Hash]) -> bool) -> Option<Vec<Hash>> {
    let pairs = || one.iter().zip(other);
    let base: Vec<Hash> = pairs().map(|(one, other)| one.or(*other)).collect::<Option<_>>()?;
    let differ: Vec<(usize, Hash)> = pairs()
        .enumerate()
        .filter_map(|(at, (one, other))| Some((at, (*other).filter(|_| one != other)?)))
        .collect();
    if good(&base) {
        return Some(base);
    }
    let all: Vec<Hash> = pairs().map(|(one, other)| other.or(*one)).collect::<Option<_>>()?;
    if good(&all) {
        return Some(all);
    }
    let mixtures = 1_u32..if differ.len() <= MIXED { 1 << differ.len() } else { 1 };
    mixtures
        .map(|mixture| {
            let mut mixed = base.clone();
            for (bit, (at, hash)) in differ.iter().enumerate() {
                if mixture >> bit & 1 == 1 {
                    mixed[*at] = *hash;
                }
            }
            mixed
        })
        .find(|mixed| good(mixed))
}

/// Whole files in each other's place: each is said to hold what belongs elsewhere, and is read where it belongs.
fn put_back(chunks: &mut [Chunk], row: &[Hash], report: &mut Report) {
    let (mut tiles, mut bundles) = (Vec::new(), Vec::new());
    for at in 0..chunks.len() {
        let tile = hash::root(&chunks[at].whole_tile());
        let bundle = hash::root(&chunks[at].found);
        for (kind, root) in [("0", tile), ("entries", bundle)] {
            let strange = root != row[at];
            let Some(home) = row.iter().position(|hash| strange && *hash == root) else { continue };
            let file = path(kind, at as u64);
            let what = format!("the file holds what belongs at record {}", home * WIDE);
            report.bad(chunks[at].place(0, &file), what);
            let chunk = &mut chunks[at];
            if kind == "0" {
                tiles.push((home, chunk.tile.take()));
            } else {
                bundles.push((home, std::mem::take(&mut chunk.leaves), std::mem::take(&mut chunk.found)));
            }
        }
    }
    for (home, tile) in tiles {
        chunks[home].tile = tile;
    }
    for (home, leaves, found) in bundles {
        (chunks[home].leaves, chunks[home].found) = (leaves, found);
    }
}
