//! A watch over a site: each run holds the log to what the run before saw, and reads every new entry.
//!
//! The first run believes the checkpoint it finds, if the log's key signed it; from then on the log can only grow. An
//! alarm leaves the memory as it was, so that the next run raises it again. A leaf tells position, time, stream
//! (`project/<uuid>`), type and the id of the key that acted; which region a project or key belongs to is in bodies,
//! which a site does not have.

use hefu_chain::{
    checkpoint::{Checkpoint, Untrusted},
    evidence::{Evidence, Kind as Seen, Prefix},
    leaf::{Leaf, LeafRef},
    note::{Note, VerifierKey},
    source::{Source, read_hash_tile},
    tile::{FULL, Kind, Tile, TileBuilder, TileSource, parse_entries, parse_hashes},
    tree::{self, TreeHash, verify_consistency},
    verify::PUBLIC,
};
use serde::{Deserialize, Serialize};

/// What a watch remembers from run to run: one object of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The newest checkpoint that held, as it was signed.
    pub checkpoint: String,
    /// The form of the file: `hefu-monitor-v1`.
    pub form: String,
}

/// What kind of alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// The checkpoint is not the log's word, or no checkpoint.
    BadSignature,
    /// The checkpoint stands for fewer records than one that was seen.
    Rollback,
    /// The log has another history than the one seen.
    Fork,
    /// Tiles or entries are not those that were signed.
    Damaged,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// What kind.
    pub kind: AlarmKind,
    /// In words.
    pub what: String,
    /// Positions of records that are not those signed, as far as they can be told.
    pub positions: Vec<u64>,
    /// What convinces others, for a file of its own.
    #[serde(skip)]
    pub evidence: Option<Evidence>,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The checkpoint of the run before.
    pub before: Option<Checkpoint>,
    /// The checkpoint now, if the site's holds.
    pub now: Option<Checkpoint>,
    /// What to remember: nothing new after an alarm.
    pub memory: Option<Memory>,
    /// Alarms; after the first one nothing further is looked at.
    pub alarm: Option<Alarm>,
    /// How many new entries were read; none on a site without entries.
    pub read: u64,
    /// The site has no entries: new records cannot be told.
    pub public: bool,
    /// The new records that were asked for.
    pub records: Vec<Leaf>,
}

/// Nothing can be said, good or bad.
#[derive(Debug, thiserror::Error)]
pub enum Unwatchable {
    /// A file of the site cannot be had.
    #[error("{path}: {why}")]
    Absent {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// The memory is not one.
    #[error("the state file cannot be used: {0}")]
    Memory(String),
}

const FORM: &str = "hefu-monitor-v1";

/// One run. `interest` says which new records are told.
pub fn watch(
    site: &dyn Source,
    keys: &[VerifierKey],
    memory: Option<&Memory>,
    interest: &dyn Fn(&LeafRef<'_>) -> bool,
) -> Result<Watched, Unwatchable> {
    let before = memory.map(|memory| remembered(memory, keys)).transpose()?;
    let mut found = Watched {
        before: before.as_ref().map(|(checkpoint, _)| checkpoint.clone()),
        now: None,
        memory: memory.cloned(),
        alarm: None,
        read: 0,
        public: false,
        records: Vec::new(),
    };
    let bytes = need(site, "checkpoint")?;
    let opened = Note::parse(&bytes).map_err(|error| error.to_string()).and_then(|note| {
        let opened = Checkpoint::open(&note, keys).map_err(|error: Untrusted| error.to_string())?;
        Ok((opened.checkpoint, note))
    });
    let (now, note) = match opened {
        Ok(opened) => opened,
        Err(why) => return Ok(found.alarmed(AlarmKind::BadSignature, why, Vec::new(), None)),
    };
    found.now = Some(now.clone());
    if let Some((before, seen)) = &before
        && let Some((kind, what, evidence)) = compare(site, before, seen, &now, &note)?
    {
        return Ok(found.alarmed(kind, what, Vec::new(), evidence));
    }
    let from = before.as_ref().map_or(0, |(before, _)| before.size);
    if let Some((what, positions)) = read_entries(site, from, &now, interest, &mut found)? {
        return Ok(found.alarmed(AlarmKind::Damaged, what, positions, None));
    }
    found.memory = Some(Memory { checkpoint: note.to_string(), form: FORM.to_owned() });
    Ok(found)
}

impl Watched {
    fn alarmed(
        mut self,
        kind: AlarmKind,
        what: String,
        positions: Vec<u64>,
        evidence: Option<Evidence>,
    ) -> Watched {
        self.alarm = Some(Alarm { kind, what, positions, evidence });
        self
    }
}

type Found = Option<(AlarmKind, String, Option<Evidence>)>;

/// Does the site's checkpoint continue the one remembered?
fn compare(
    site: &dyn Source,
    before: &Checkpoint,
    seen: &Note,
    now: &Checkpoint,
    offered: &Note,
) -> Result<Found, Unwatchable> {
    let evidence =
        |kind, prefix| Some(Evidence { kind, seen: seen.clone(), offered: offered.clone(), prefix });
    if now.origin != before.origin {
        let what = format!("the site is that of {}, not of {}", now.origin, before.origin);
        return Ok(Some((AlarmKind::BadSignature, what, None)));
    }
    if now.size < before.size {
        let what = format!("{} records were signed before, now {}", before.size, now.size);
        return Ok(Some((AlarmKind::Rollback, what, evidence(Seen::Rollback, None))));
    }
    if now.size == before.size {
        let same = now.root == before.root;
        let what = format!("two different trees of {} records were signed", now.size);
        return Ok((!same).then(|| (AlarmKind::Fork, what, evidence(Seen::Fork, None))));
    }
    if before.size == 0 {
        return Ok(None);
    }
    let mut tiles = TileSource::new(now.size, |tile: Tile| hashes(site, tile));
    let proof = tree::consistency(&mut tiles, before.size, now.size).map_err(|error| untiled(&error))?;
    if verify_consistency(before.size, &before.root, now.size, &now.root, &proof).is_ok() {
        return Ok(None);
    }
    let root =
        tree::root(&mut tiles, before.size).map_err(|error| untiled(&tree::Unprovable::Source(error)))?;
    // Are these at least the tiles of what was signed now? Then the log convicts itself.
    if verify_consistency(before.size, &root, now.size, &now.root, &proof).is_ok() {
        let what = format!(
            "the {} records signed now do not begin with the {} signed before",
            now.size, before.size
        );
        return Ok(Some((AlarmKind::Fork, what, evidence(Seen::Inconsistent, Some(Prefix { proof, root })))));
    }
    let what = "the tiles do not lead to the signed root".to_owned();
    Ok(Some((AlarmKind::Damaged, what, evidence(Seen::Inconsistent, None))))
}

/// Reads the entries `from..now.size`. Tells what is not what was signed.
fn read_entries(
    site: &dyn Source,
    from: u64,
    now: &Checkpoint,
    interest: &dyn Fn(&LeafRef<'_>) -> bool,
    found: &mut Watched,
) -> Result<Option<(String, Vec<u64>)>, Unwatchable> {
    // The right edge then, from the tiles of now: those of then may be gone, and no longer matter.
    let resumed = TileBuilder::resume(from, |tile| {
        let wider = Tile::at(tile.kind(), tile.index(), now.size).unwrap_or(tile);
        let mut bytes = hashes(site, wider)?;
        bytes.truncate(32 * usize::from(tile.width()));
        Ok::<_, String>(bytes)
    });
    let mut builder = match resumed {
        Ok(builder) => builder,
        Err(error) => return Err(Unwatchable::Absent { path: "tile".to_owned(), why: error.to_string() }),
    };
    let first = from / u64::from(FULL);
    let Some(last) = now.size.checked_sub(1).filter(|_| now.size > from).map(|last| last / u64::from(FULL))
    else {
        return Ok(None);
    };
    let mut wrong = Vec::new();
    for index in first..=last {
        let Some(tile) = Tile::at(Kind::Entries, index, now.size) else { break };
        let Some(bytes) = bundle(site, tile)? else {
            // Only a site that says so was made without entries.
            if index == first && need(site, PUBLIC).is_ok() {
                found.public = true;
                return Ok(None);
            }
            return Err(Unwatchable::Absent {
                path: tile.to_string(),
                why: "there is no such file".to_owned(),
            });
        };
        let Ok(entries) = parse_entries(&bytes, tile.width()) else {
            let positions = tile.leaves().filter(|position| *position >= from).collect();
            return Ok(Some((format!("{tile} is no entry bundle of its width"), positions)));
        };
        let level = Tile::at(Kind::Hashes(0), index, now.size);
        let signed = level.and_then(|tile| parse_hashes(&hashes(site, tile).ok()?, tile.width()).ok());
        for (position, (entry, at)) in tile.leaves().zip(entries.iter().zip(0_usize..)) {
            if position < from {
                continue;
            }
            let hash = TreeHash::leaf(entry);
            if signed.as_ref().is_none_or(|signed| signed.get(at) != Some(&hash)) {
                wrong.push(position);
            }
            let _full = builder.push(hash);
            found.read += 1;
            if let Ok(leaf) = LeafRef::parse(entry)
                && interest(&leaf)
            {
                found.records.push(leaf.to_leaf());
            }
        }
    }
    if builder.root() == now.root {
        return Ok(None);
    }
    // What is not as signed is not news.
    found.records.clear();
    let what = "the entries are not those of the signed root".to_owned();
    Ok(Some((what, wrong)))
}

/// An entry bundle; where only the full one is left, its beginning.
fn bundle(site: &dyn Source, tile: Tile) -> Result<Option<Vec<u8>>, Unwatchable> {
    let read = |tile: Tile| {
        let path = tile.to_string();
        site.read(&path).map_err(|error| Unwatchable::Absent { path, why: error.to_string() })
    };
    if let Some(bytes) = read(tile)? {
        return Ok(Some(bytes));
    }
    let Ok(full) = Tile::new(tile.kind(), tile.index(), FULL) else { return Ok(None) };
    let Some(bytes) = read(full)? else { return Ok(None) };
    let mut end = 0;
    for _ in 0..tile.width() {
        let len = bytes.get(end..end + 2).and_then(|len| <[u8; 2]>::try_from(len).ok());
        end += len.map_or(0, |len| 2 + usize::from(u16::from_be_bytes(len)));
    }
    Ok(Some(bytes.get(..end).unwrap_or(&bytes).to_vec()))
}

fn hashes(site: &dyn Source, tile: Tile) -> Result<Vec<u8>, String> {
    read_hash_tile(site, tile).map_err(|error| error.to_string())
}

fn need(site: &dyn Source, path: &str) -> Result<Vec<u8>, Unwatchable> {
    let absent = |why: String| Unwatchable::Absent { path: path.to_owned(), why };
    let read = site.read(path).map_err(|error| absent(error.to_string()))?;
    read.ok_or_else(|| absent("there is no such file".to_owned()))
}

fn untiled(error: &tree::Unprovable<hefu_chain::tile::NoTile<String>>) -> Unwatchable {
    Unwatchable::Absent { path: "tile".to_owned(), why: error.to_string() }
}

fn remembered(memory: &Memory, keys: &[VerifierKey]) -> Result<(Checkpoint, Note), Unwatchable> {
    let bad = |why: String| Unwatchable::Memory(why);
    if memory.form != FORM {
        return Err(bad(format!("its form is not `{FORM}`")));
    }
    let note: Note = memory.checkpoint.parse().map_err(|error| bad(format!("{error}")))?;
    let opened = Checkpoint::open(&note, keys).map_err(|error| bad(error.to_string()))?;
    Ok((opened.checkpoint, note))
}
