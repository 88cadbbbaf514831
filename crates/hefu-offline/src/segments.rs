//! A ledger's directory: the segment files, and what the log signed about them (sections 3 to 6).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::frame::{Commit, Content, Frame, HEADER, Record, frame, frames, u32_at, u64_at};
use crate::hash::{self, Hash};
use crate::note::LogKey;
use crate::parts::{Contents, Elsewhere, Order, Parts};
use crate::record::{Keys, Leaf, Link, Streams, broken_links};
use crate::rotation::{LogKeys, Roots, Rotations};
use crate::signed::{Head, Whole, compare_checkpoint, compare_tiles, receipt};
use crate::{Place, Report};

/// Positions stay below this.
const POSITIONS: u64 = 1 << 53;

/// Checks a ledger's directory.
pub fn verify(dir: &Path, key: Option<&LogKey>, report: &mut Report) -> io::Result<()> {
    let listed = fs::read_dir(dir.join("segments"))?.collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<String> =
        listed.iter().filter_map(|file| file.file_name().into_string().ok()).collect();
    files.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "seg"));
    files.sort();
    let read = |name: &String| fs::read(dir.join("segments").join(name));

    let head = read_if_there(&dir.join("head"))?.map(|bytes| Head::parse(&bytes));
    match &head {
        Some(Some(_)) => {}
        Some(None) => report.bad(Place::file("head"), "the head file is damaged"),
        None => report.absent(Place::file("head"), "no head file: records lost at the end cannot be noticed"),
    }
    let head = head.flatten();

    // First pass: public keys, the name and key of the log in record 0, and the records that replaced that key.
    let (mut keys, mut rotations, mut genesis) = (Keys::default(), Rotations::default(), None);
    for name in &files {
        let bytes = read(name)?;
        keys.learn(&bytes);
        rotations.learn(name, &bytes);
        genesis.get_or_insert_with(|| Genesis::read(&bytes).unwrap_or_default());
    }
    let genesis = genesis.unwrap_or_default();
    let Some(origin) = genesis.name(key, head.as_ref(), report) else { return Ok(()) };
    let first = genesis.first_key(key, &rotations, report);
    match first {
        Some(public) => keys.insert(public),
        None => report.absent(Place::file("segments"), "the log's key is unknown"),
    }
    let log_keys = LogKeys::new(first, &rotations, &genesis.roots, &origin, report);

    // Second pass: everything.
    let tiles = read_if_there(&dir.join("tiles/0"))?.unwrap_or_default();
    let mut notes = Vec::new();
    for name in ["checkpoint", "checkpoint.signed"] {
        notes.extend(read_if_there(&dir.join(name))?.map(|note| (name, note)));
    }
    report.origin = Some(origin.clone());
    let mut reader = Reader {
        log_keys,
        report,
        next: 0,
        value: Some(hash::chain(&origin, origin.as_bytes())),
        before: None,
        streams: Streams::default(),
        head_size: head.as_ref().map_or(0, |head| head.size),
        head_value: None,
        leaf_hashes: Vec::new(),
        contents: Contents::new(origin, keys),
    };
    for (at, name) in files.iter().enumerate() {
        reader.file(name, &read(name)?, at + 1 == files.len());
    }
    let Reader { contents, log_keys, report, next: size, head_value, leaf_hashes, .. } = reader;
    contents.settle(report);
    let log = Whole { origin: &contents.origin, keys: &log_keys, size, hashes: &leaf_hashes };
    if let Some(head) = head {
        head.compare(&log, head_value, report);
    }
    let name = key.map_or(Some(&contents.origin), |key| key.name.as_ref());
    let sizes: Vec<Option<u64>> =
        notes.iter().map(|(file, note)| compare_checkpoint(file, note, name, &log, report)).collect();
    if sizes.iter().all(Option::is_some) {
        compare_tiles(&tiles, sizes.into_iter().flatten().max(), &log, report);
    }
    report.size = size;
    Ok(())
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// What the first record says of the log.
#[derive(Default)]
struct Genesis {
    prev: Option<String>,
    origin: Option<String>,
    log_key: Option<Hash>,
    roots: Roots,
}

impl Genesis {
    fn read(file: &[u8]) -> Option<Self> {
        file.get(HEADER..)?;
        let Content::Record(record) = frame(file, HEADER).content else { return None };
        let leaf = Leaf::parse(record.leaf).filter(|leaf| leaf.has_body(record.body))?;
        let body: Value = serde_json::from_slice(record.body).ok()?;
        let text = |field: &str| body["data"][field].as_str();
        Some(Self {
            prev: Some(leaf.prev),
            origin: text("origin").map(str::to_owned),
            log_key: text("log_public").and_then(hash::from_hex),
            roots: Roots::of(&body["data"]["roots"]),
        })
    }

    /// The name of the log, as it was given, as record 0 or as the head file says: the one that the chain starts with.
    fn name(&self, key: Option<&LogKey>, head: Option<&Head>, report: &mut Report) -> Option<String> {
        let given = key.and_then(|key| key.name.as_deref());
        let told = head.map(|head| head.origin.as_str());
        let names: Vec<&str> = [given, self.origin.as_deref(), told].into_iter().flatten().collect();
        let start = |name: &str| hash::to_hex(&hash::chain(name, name.as_bytes()));
        let fits = |name: &&&str| self.prev.as_ref() == Some(&start(name));
        let Some(name) = names.iter().find(fits).or(names.first()) else {
            report.bad(Place::file("segments"), "nothing tells the name of the log");
            return None;
        };
        if given.is_some_and(|given| given != *name) {
            report.bad(Place::record("segments", 0), format!("this is another ledger: {name}"));
        }
        Some((*name).to_owned())
    }

    /// The key that the log began with. A given key that came later is found where it came; what is before it is in the
    /// chain that it signs.
    fn first_key(&self, key: Option<&LogKey>, rotations: &Rotations, report: &mut Report) -> Option<Hash> {
        let Some(given) = key.map(|key| key.public) else {
            report.notes.push("self-consistent at best: no key of the log was given".to_owned());
            return self.log_key;
        };
        match self.log_key {
            Some(named) if named != given && rotations.bring(given) => return Some(named),
            Some(named) if named != given => {
                let what = "record 0 names another key of the log than the given one";
                report.bad(Place::record("segments", 0), what);
            }
            _ => {}
        }
        Some(given)
    }
}

/// What is known of the log, and how far it has been read.
struct Reader<'r> {
    log_keys: LogKeys,
    report: &'r mut Report,
    contents: Contents<'r>,
    streams: Streams,
    /// The place of the next record, and the chain value before it if the record before is there.
    next: u64,
    value: Option<Hash>,
    /// Of the record before: the digest of its command, and that command's id and key if the leaf is to be believed.
    before: Option<(String, Option<Order>)>,
    /// The size that the head file speaks of, and the chain value there.
    head_size: u64,
    head_value: Option<Hash>,
    leaf_hashes: Vec<Hash>,
}

impl<'r> Reader<'r> {
    /// Checks one segment file; only the last may end in bytes that are not committed.
    fn file(&mut self, name: &'r str, file: &[u8], last: bool) {
        self.header(name, file);
        let before = self.report.findings.len();
        let (mut frames, zeros) = frames(file);

        // What stands after the last commit does not count in the last file, and must not be in any other.
        let is_commit = |frame: &Frame<'_>| matches!(frame.content, Content::Commit(_));
        let end = frames.iter().rposition(|frame| is_commit(frame) && (frame.damage.is_none() || !last));
        let tail = frames.split_off(end.map_or(0, |end| end + 1));
        let committed = frames.last().map_or(HEADER, |frame| frame.offset + frame.len);
        if last && let Some(torn) = tail.first() {
            let what = "bytes after the last commit: a torn write";
            self.report.absent(Place::file(name).at(torn.offset), what);
        } else if !last && (!tail.is_empty() || zeros < file.len()) {
            self.report.bad(Place::file(name).at(committed), "a sealed file must end at its last commit");
        }

        let mut altered = self.altered(&frames);
        let (mut batch, mut hole) = (Vec::new(), false);
        for frame in &frames {
            let next = self.next;
            let place = |position| Place { position, ..Place::file(name).at(frame.offset) };
            if let Some(why) = frame.damage {
                let position = match &frame.content {
                    Content::Record(record) => record.position,
                    Content::Commit(_) => next.saturating_sub(1),
                    Content::Unreadable => next,
                };
                self.report.bad(place(Some(position)), why);
            }
            match &frame.content {
                Content::Unreadable => hole = true,
                Content::Record(record) => {
                    batch.push(frame.offset as u64);
                    if self.place(record, place(Some(record.position)), std::mem::take(&mut hole)) {
                        let altered = altered.remove(&self.next);
                        self.record(record, altered, place(Some(self.next)));
                    }
                }
                Content::Commit(commit) => {
                    let tidy = self.report.findings.len() == before;
                    let fits =
                        batch.len() == commit.count as usize && batch.first() == Some(&commit.batch_offset);
                    self.commit(commit, fits || !tidy, place(next.checked_sub(1)), &mut hole);
                    batch.clear();
                }
            }
        }
    }

    /// The records whose leaf is not what it was, by what the log signed and by their links.
    fn altered(&self, frames: &[Frame<'_>]) -> BTreeMap<u64, &'static str> {
        let signed: BTreeMap<u64, Hash> = frames
            .iter()
            .filter_map(|frame| match &frame.content {
                Content::Commit(commit) if self.is_signed(commit) != Some(false) => {
                    let believed = !self.log_keys.is_empty() || frame.damage.is_none();
                    Some((commit.last().filter(|_| believed)?, commit.head))
                }
                _ => None,
            })
            .collect();
        let link = |frame: &Frame<'_>| {
            let Content::Record(Record { position, leaf, .. }) = frame.content else { return None };
            let prev = Leaf::parse(leaf).map(|leaf| leaf.prev);
            Some(Link { position, value: hash::chain(&self.contents.origin, leaf), prev })
        };
        let links: Vec<Link> = frames.iter().filter_map(link).collect();
        let vouched = |link: &Link| signed.get(&link.position).map(|head| *head == link.value);
        let before = self.value.filter(|_| links.first().is_some_and(|first| first.position == self.next));
        broken_links(&links, before, &vouched).into_iter().collect()
    }

    fn header(&mut self, name: &'r str, file: &[u8]) {
        let place = Place::file(name).at(0);
        let base: Option<u64> = name.strip_suffix(".seg").and_then(|base| base.parse().ok());
        if file.len() < HEADER
            || file[..8] != *b"HEFUSEG\x01"
            || u32_at(file, 60) != crc32fast::hash(&file[..60])
        {
            self.report.bad(place, "the file's header is damaged");
        } else if file[48..60] != [0; 12] || base.is_some_and(|base| base != u64_at(file, 8)) {
            self.report.bad(place, "the file's header does not fit its name");
        } else if u64_at(file, 8) == self.next && self.value.is_some_and(|value| value != file[16..48]) {
            self.report.bad(place, "the file's header does not continue the file before");
        }
        if let Some(base) = base.filter(|base| *base > self.next && *base < POSITIONS) {
            self.skip_to(base, place, false);
        }
    }

    /// The log's signature under a commit: valid, not, or unknown without a key.
    fn is_signed(&self, commit: &Commit<'_>) -> Option<bool> {
        let key = self.log_keys.at(commit.last().unwrap_or(u64::MAX))?;
        let Some(last) = commit.last() else { return Some(false) };
        let message = receipt(&self.contents.origin, last, &hash::to_hex(&commit.head));
        Some(hash::signed(&key, &message, commit.signature))
    }

    /// Does the commit stand in its place, and did the log sign this very chain? `fits` if it describes its batch.
    fn commit(&mut self, commit: &Commit<'_>, fits: bool, here: Place<'_>, hole: &mut bool) {
        let end = commit.first.saturating_add(commit.count.into());
        if self.is_signed(commit) == Some(false) {
            self.report.bad(here, "the commit is not signed by the log");
        } else if end > self.next && end < POSITIONS {
            self.skip_to(end, here, std::mem::take(hole));
        } else if end != self.next {
            self.report.bad(here, "a commit that stands here twice, or out of its place");
        } else if self.value.is_some_and(|value| value != commit.head) {
            let what = "the log signed another chain value: this record, or one before it, is altered";
            self.report.bad(here, what);
        } else if !fits {
            self.report.bad(here, "the commit does not describe the records before it");
        }
    }

    /// Is this the next record, perhaps after missing ones? Says what is wrong with its place.
    fn place(&mut self, record: &Record<'_>, place: Place<'_>, hole: bool) -> bool {
        let position = record.position;
        let seq = Leaf::parse(record.leaf).map(|leaf| leaf.seq);
        if let Some(seq) = seq.filter(|seq| *seq != position) {
            self.report.bad(place, format!("the frame says {position}, the leaf {seq}"));
        }
        let here = if seq == Some(self.next) { self.next } else { position };
        if here < self.next || here >= POSITIONS {
            self.report.bad(place, "a record that stands here twice, or out of its place");
            return false;
        }
        if here > self.next {
            self.skip_to(here, place, hole);
        }
        true
    }

    /// Records up to `to` are not there; if bytes there are damaged, that has been said.
    fn skip_to(&mut self, to: u64, place: Place<'_>, said: bool) {
        if !said {
            let what = format!("records {} to {} are missing", self.next, to - 1);
            self.report.absent(Place { position: Some(self.next), ..place }, what);
        }
        self.streams.lose(to - 1);
        (self.next, self.value, self.before) = (to, None, None);
    }

    /// Checks the next record.
    fn record(&mut self, record: &Record<'_>, altered: Option<&str>, place: Place<'r>) {
        self.report.records += 1;
        if let Some(why) = altered {
            self.report.bad(place, why);
        }
        let leaf = Leaf::parse(record.leaf);
        let sure = altered.is_none();
        if let Some(leaf) = &leaf {
            let Record { body, command, claimed, .. } = *record;
            let same = self.before.take().filter(|(digest, _)| *digest == leaf.command_sha256);
            let elsewhere = match same {
                None => Elsewhere::No,
                Some((_, order)) => order.filter(|_| sure).map_or(Elsewhere::Doubtful, Elsewhere::Yes),
            };
            let parts = Parts { leaf, body, command, claimed, sure, elsewhere };
            self.contents.check(&parts, self.next, place, self.report);
        } else {
            self.report.bad(place, "the leaf is not a leaf in its one spelling");
        }
        match &leaf {
            Some(leaf) if sure => self.streams.take(leaf, place, self.report),
            _ => self.streams.lose(self.next),
        }
        let value = hash::chain(&self.contents.origin, record.leaf);
        self.leaf_hashes.push(hash::leaf_hash(record.leaf));
        self.next += 1;
        self.value = Some(value);
        self.before = leaf.map(|leaf| (leaf.command_sha256.clone(), Some(leaf.order()).filter(|_| sure)));
        if self.next == self.head_size {
            self.head_value = Some(value);
        }
    }
}
