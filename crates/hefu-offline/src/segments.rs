//! A ledger's directory: the segment files, and what the log signed about them (sections 3 to 6).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::{self, Hash};
use crate::note::{self, LogKey};
use crate::record::{Keys, Leaf, Link, Streams, broken_links, check_parts};
use crate::rotation::{self, Roots};
use crate::{Finding, Place, Report, Verdict};

const HEADER: usize = 64;
const MAX_PART: usize = 4 << 20;

/// A frame of a segment file. `damage` tells what is wrong with it; it is read all the same where its lengths allow,
/// because what it holds tells which record was hit.
struct Frame<'a> {
    offset: usize,
    len: usize,
    damage: Option<&'static str>,
    content: Content<'a>,
}

enum Content<'a> {
    /// `claimed` is the record that is said to have redacted this one.
    Record {
        position: u64,
        leaf: &'a [u8],
        body: &'a [u8],
        command: &'a [u8],
        claimed: Option<u64>,
    },
    Commit {
        first: u64,
        count: u32,
        batch_offset: u64,
        head: Hash,
        signature: &'a [u8],
    },
    Unreadable,
}

/// Reads the frame that starts at `offset`.
fn frame(file: &[u8], offset: usize) -> Frame<'_> {
    let unreadable = |why| Frame { offset, len: 8, damage: Some(why), content: Content::Unreadable };
    let bytes = &file[offset..];
    if bytes.len() < 16 || bytes[..4] != *b"HFR\x01" {
        return unreadable("no frame starts here");
    }
    let (kind, n) = (u32_at(bytes, 4), u32_at(bytes, 8) as usize);
    let len = (16 + n).next_multiple_of(8);
    let Some(payload) = bytes.get(16..16 + n).filter(|_| len <= bytes.len()) else {
        return unreadable("the frame is cut short");
    };
    let content = match kind {
        1 if n >= 24 => {
            let lens = [8, 12, 16].map(|at| u32_at(payload, at) as usize);
            let [leaf, body, command] = lens;
            if leaf + body + command + 24 != n || leaf > 65_535 || body > MAX_PART || command > MAX_PART {
                return unreadable("the lengths in the frame do not add up");
            }
            let (leaf, rest) = payload[24..].split_at(leaf);
            let (body, command) = rest.split_at(body);
            Content::Record { position: u64_at(payload, 0), leaf, body, command, claimed: None }
        }
        // A record whose command was redacted: what is left of it, and zeros. Whom it names is compared later.
        3 if n >= 24 => {
            let lens = [8, 12].map(|at| u32_at(payload, at) as usize);
            let [leaf, body] = lens;
            if leaf > 65_535 || body > MAX_PART || leaf + body + 24 > n {
                return unreadable("the lengths in the frame do not add up");
            }
            let (leaf, rest) = payload[24..].split_at(leaf);
            let (body, rest) = rest.split_at(body);
            if rest.iter().any(|byte| *byte != 0) {
                return unreadable("bytes of the frame that must be zero are not");
            }
            let claimed = Some(u64_at(payload, 16));
            Content::Record { position: u64_at(payload, 0), leaf, body, command: &[], claimed }
        }
        2 if n == 120 => Content::Commit {
            first: u64_at(payload, 0),
            count: u32_at(payload, 8),
            batch_offset: u64_at(payload, 16),
            head: payload[24..56].try_into().unwrap_or_default(),
            signature: &payload[56..],
        },
        _ => return unreadable("unknown kind or length of frame"),
    };
    let reserved: &[u8] = match kind {
        1 => &payload[20..24],
        2 => &payload[12..16],
        _ => &[],
    };
    let damage = if u32_at(bytes, 12) != crc32fast::hash(&[&bytes[4..12], payload].concat()) {
        Some("the frame's checksum is wrong")
    } else if bytes[16 + n..len].iter().chain(reserved).any(|byte| *byte != 0) {
        Some("bytes of the frame that must be zero are not")
    } else {
        None
    };
    Frame { offset, len, damage, content }
}

/// Every frame of a file, over damage if need be; and where the zeros begin that fill the file to its end.
fn frames(file: &[u8]) -> (Vec<Frame<'_>>, usize) {
    let used = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (mut frames, mut at) = (Vec::new(), HEADER);
    while at < used {
        let mut next = frame(file, at);
        if next.damage.is_some() {
            // Damage reaches at most to the next whole frame.
            let sound = (at + 8..used).step_by(8).find(|at| frame(file, *at).damage.is_none());
            next.len = sound.unwrap_or(used) - at;
        }
        at += next.len;
        frames.push(next);
    }
    (frames, at)
}

/// The parts of a record: leaf, body, command.
pub(crate) type Parts<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The parts of every record that can be read.
pub(crate) fn records(file: &[u8]) -> Vec<Parts<'_>> {
    let mut records = Vec::new();
    for frame in frames(file).0 {
        if let Content::Record { leaf, body, command, .. } = frame.content {
            records.push((leaf, body, command));
        }
    }
    records
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The file `head`: the newest head the log stood behind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    clean: bool,
    #[serde(rename = "head")]
    value: String,
    origin: String,
    sig: String,
    size: u64,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let head: Self = serde_json::from_slice(line).ok()?;
        let same = serde_json::to_vec(&head).ok()? == line;
        (same && head.size > 0 && hash::from_hex(&head.value).is_some()).then_some(head)
    }
}

/// What is known of the log, and how far it has been read.
struct Reader<'r> {
    origin: String,
    /// The log's keys, each with the record from which on it signs.
    log_keys: Vec<(u64, Hash)>,
    keys: Keys,
    report: &'r mut Report,
    /// The place of the next record, and the chain value before it if the record before is there.
    next: u64,
    value: Option<Hash>,
    /// The digest of the command of the record before, and the id and key of that command.
    command: Option<String>,
    order: Option<(String, String)>,
    streams: Streams,
    /// The chain values at the sizes that are spoken of elsewhere.
    wanted: BTreeMap<u64, Option<Hash>>,
    leaf_hashes: Vec<Hash>,
    /// Records that lack a body or a command, and which record redacted which.
    lacking: Vec<Lacking<'r>>,
    redacted: BTreeMap<u64, u64>,
}

/// A record that lacks something or says that it was redacted, with what would be wrong if nobody redacted it.
struct Lacking<'a> {
    place: Place<'a>,
    position: u64,
    command: String,
    body: bool,
    lacks_command: bool,
    claimed: Option<u64>,
    findings: Vec<Finding>,
}

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

    // First pass: keys, from record 0 the name of the log and its key, and the records that replaced that key.
    let mut keys = Keys::default();
    let mut genesis = None;
    let mut rotations = BTreeMap::new();
    for name in &files {
        let bytes = read(name)?;
        keys.learn(&bytes);
        for rotation in rotation::find(name, &bytes) {
            rotations.entry(rotation.position).or_insert(rotation);
        }
        if genesis.is_none() {
            genesis = Some(read_genesis(&bytes));
        }
    }
    let genesis = genesis.flatten().unwrap_or_default();
    let given = key.and_then(|key| key.name.as_deref());
    let told = head.as_ref().map(|head| head.origin.as_str());
    let names: Vec<&str> = [given, genesis.origin.as_deref(), told].into_iter().flatten().collect();
    let starts =
        |name: &&&str| genesis.prev.as_deref() == Some(&hash::to_hex(&hash::chain(name, name.as_bytes())));
    let Some(origin) = names.iter().find(starts).or(names.first()).map(|name| (*name).to_owned()) else {
        report.bad(Place::file("segments"), "nothing tells the name of the log");
        return Ok(());
    };
    if given.is_some_and(|given| given != origin) {
        report.bad(Place::record("segments", 0), format!("this is another ledger: {origin}"));
    }
    let given = key.map(|key| key.public);
    // A key that came later is found where it came; what is before it is in the chain that it signs.
    let later = given.filter(|given| {
        genesis.log_key.is_some_and(|named| named != *given)
            && rotations.values().any(|rotation| rotation.public == *given)
    });
    let first = if later.is_some() { genesis.log_key } else { given.or(genesis.log_key) };
    match first {
        Some(public) => keys.insert(public),
        None => report.absent(Place::file("segments"), "the log's key is unknown"),
    }
    if key.is_none() {
        report.notes.push("self-consistent at best: no key of the log was given".to_owned());
    } else if later.is_none() && genesis.log_key.is_some_and(|named| Some(named) != first) {
        report.bad(Place::record("segments", 0), "record 0 names another key of the log than the given one");
    }
    let mut log_keys: Vec<(u64, Hash)> = first.map(|first| (0, first)).into_iter().collect();
    for rotation in rotations.values() {
        let (position, before) = (rotation.position, log_keys.last().map(|(_, key)| *key));
        if rotation.is_proven(before, &genesis.roots, &origin) {
            let public = hash::to_hex(&rotation.public);
            report.notes.push(format!("from record {position} on the log signs with {public}"));
        } else {
            let place = Place { file: &rotation.file, position: Some(position), offset: None };
            report.bad(place, "neither the log's key before nor enough root keys put the new one in force");
        }
        if log_keys.last().is_none_or(|(from, _)| *from < position) {
            log_keys.push((position, rotation.public));
        }
    }

    // Second pass: everything.
    let checkpoint = read_if_there(&dir.join("checkpoint"))?;
    report.origin = Some(origin.clone());
    let value = Some(hash::chain(&origin, origin.as_bytes()));
    let wanted = head.iter().map(|head| (head.size, None)).collect();
    let mut reader = Reader {
        origin,
        log_keys,
        keys,
        report,
        next: 0,
        value,
        command: None,
        order: None,
        streams: Streams::default(),
        wanted,
        leaf_hashes: Vec::new(),
        lacking: Vec::new(),
        redacted: BTreeMap::new(),
    };
    for (at, name) in files.iter().enumerate() {
        reader.file(name, &read(name)?, at + 1 == files.len());
    }
    reader.settle_lacking();
    if let Some(head) = head {
        reader.compare_head(&head);
    }
    if let Some(note) = checkpoint {
        reader.compare_checkpoint(&note, key);
    }
    reader.report.size = reader.next;
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

fn read_genesis(file: &[u8]) -> Option<Genesis> {
    if file.len() < HEADER {
        return None;
    }
    let Content::Record { leaf, body, .. } = frame(file, HEADER).content else { return None };
    let leaf = Leaf::parse(leaf)?;
    let body: Value = serde_json::from_slice(body).ok().filter(|_| is_body_of(&leaf, body))?;
    let text = |field: &str| body["data"][field].as_str();
    Some(Genesis {
        prev: Some(leaf.prev),
        origin: text("origin").map(str::to_owned),
        log_key: text("log_public").and_then(hash::from_hex),
        roots: Roots::of(&body["data"]["roots"]),
    })
}

fn is_body_of(leaf: &Leaf, body: &[u8]) -> bool {
    hash::to_hex(&hash::sha256(&[body])) == leaf.body_sha256
}

impl<'r> Reader<'r> {
    /// Checks one segment file; only the last may end in bytes that are not committed.
    fn file(&mut self, name: &'r str, file: &[u8], last: bool) {
        self.header(name, file);
        let before = self.report.findings.len();
        let (mut frames, zeros) = frames(file);

        // What stands after the last commit does not count in the last file, and must not be in any other.
        let is_commit = |frame: &Frame<'_>| matches!(frame.content, Content::Commit { .. });
        let end = frames.iter().rposition(|frame| is_commit(frame) && (frame.damage.is_none() || !last));
        let tail = frames.split_off(end.map_or(0, |end| end + 1));
        let committed = frames.last().map_or(HEADER, |frame| frame.offset + frame.len);
        if last && let Some(torn) = tail.first() {
            self.report
                .absent(Place::file(name).at(torn.offset), "bytes after the last commit: a torn write");
        } else if !last && (!tail.is_empty() || zeros < file.len()) {
            self.report.bad(Place::file(name).at(committed), "a sealed file must end at its last commit");
        }

        // What the log signed: the chain value of each commit's last record.
        let mut signed: BTreeMap<u64, Hash> = BTreeMap::new();
        for frame in &frames {
            if let Content::Commit { first, count, head, signature, .. } = frame.content
                && self.is_signed(first, count, &head, signature) != Some(false)
                && (!self.log_keys.is_empty() || frame.damage.is_none())
            {
                signed.insert(first.wrapping_add(count.into()).wrapping_sub(1), head);
            }
        }
        let links: Vec<Link> = frames.iter().filter_map(|frame| self.link(frame)).collect();
        let vouched = |link: &Link| signed.get(&link.position).map(|head| *head == link.value);
        let first_before =
            self.value.filter(|_| links.first().is_some_and(|first| first.position == self.next));
        let mut altered: BTreeMap<u64, &str> =
            broken_links(&links, first_before, &vouched).into_iter().collect();

        let mut batch: Vec<usize> = Vec::new();
        let mut hole = false;
        for frame in &frames {
            let next = self.next;
            let place = move |position| Place { file: name, position, offset: Some(frame.offset as u64) };
            if let Some(why) = frame.damage {
                let position = match frame.content {
                    Content::Record { position, .. } => position,
                    Content::Commit { .. } => next.saturating_sub(1),
                    Content::Unreadable => next,
                };
                self.report.bad(place(Some(position)), why);
                hole |= matches!(frame.content, Content::Unreadable);
            }
            match frame.content {
                Content::Unreadable => {}
                Content::Record { position, leaf, body, command, claimed } => {
                    batch.push(frame.offset);
                    if self.place(position, leaf, place(Some(position)), std::mem::take(&mut hole)) {
                        let altered = altered.remove(&self.next);
                        self.record((leaf, body, command), claimed, altered, place(Some(self.next)));
                    }
                }
                Content::Commit { first, count, batch_offset, head, signature } => {
                    let here = place(next.checked_sub(1));
                    let tidy = self.report.findings.len() == before;
                    let end = first.saturating_add(count.into());
                    if self.is_signed(first, count, &head, signature) == Some(false) {
                        self.report.bad(here, "the commit is not signed by the log");
                    } else if end > next && end < 1 << 53 {
                        self.skip_to(end, place(Some(next)), std::mem::take(&mut hole));
                    } else if end != next {
                        self.report.bad(here, "a commit that stands here twice, or out of its place");
                    } else if self.value.is_some_and(|value| value != head) {
                        let what =
                            "the log signed another chain value: this record, or one before it, is altered";
                        self.report.bad(here, what);
                    } else if tidy
                        && (batch.len() != count as usize
                            || batch.first().map(|offset| *offset as u64) != Some(batch_offset))
                    {
                        self.report.bad(here, "the commit does not describe the records before it");
                    }
                    batch.clear();
                }
            }
        }
    }

    fn header(&mut self, name: &str, file: &[u8]) {
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
        if let Some(base) = base.filter(|base| *base > self.next && *base < 1 << 53) {
            self.skip_to(base, place, false);
        }
    }

    /// The log's signature under a commit: valid, not, or unknown without a key.
    fn is_signed(&self, first: u64, count: u32, head: &Hash, signature: &[u8]) -> Option<bool> {
        let last = first.checked_add(count.into()).and_then(|end| end.checked_sub(1));
        let message = receipt(&self.origin, last.unwrap_or(u64::MAX), &hash::to_hex(head));
        let key = self.log_key_at(last.unwrap_or(u64::MAX));
        key.map(|key| last.is_some() && hash::signed(&key, &message, signature))
    }

    /// The key that signs when the log's last record is this one. A record that replaces the key counts already.
    fn log_key_at(&self, last: u64) -> Option<Hash> {
        self.log_keys.iter().rev().find(|(from, _)| *from <= last).map(|(_, key)| *key)
    }

    fn link(&self, frame: &Frame<'_>) -> Option<Link> {
        let Content::Record { position, leaf, .. } = frame.content else { return None };
        let prev = Leaf::parse(leaf).map(|leaf| leaf.prev);
        Some(Link { position, value: hash::chain(&self.origin, leaf), prev })
    }

    /// Is this the next record, perhaps after missing ones? Says what is wrong with its place.
    fn place(&mut self, position: u64, leaf: &[u8], place: Place<'_>, hole: bool) -> bool {
        let seq = Leaf::parse(leaf).map(|leaf| leaf.seq);
        if seq.is_some_and(|seq| seq != position) {
            self.report
                .bad(place, format!("the frame says {position}, the leaf {}", seq.unwrap_or_default()));
        }
        let here = if seq == Some(self.next) { self.next } else { position };
        if here < self.next || here >= 1 << 53 {
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
        (self.next, self.value, self.command, self.order) = (to, None, None, None);
    }

    fn record(
        &mut self,
        (bytes, body, command): (&[u8], &[u8], &[u8]),
        claimed: Option<u64>,
        altered: Option<&str>,
        place: Place<'r>,
    ) {
        self.report.records += 1;
        if let Some(why) = altered {
            self.report.bad(place, why);
        }
        let leaf = Leaf::parse(bytes);
        if let Some(leaf) = &leaf {
            let before = self.command.as_deref();
            let mut found = Report::default();
            check_parts((leaf, body, command), before, (&self.origin, &self.keys), place, &mut found);
            self.report.signatures += found.signatures;
            let lacks_command = command.is_empty() && before != Some(&leaf.command_sha256);
            let own = (leaf.command.clone(), leaf.actor.clone());
            let same = command.is_empty() && !lacks_command;
            if same && altered.is_none() && self.order.as_ref().is_some_and(|order| *order != own) {
                found.bad(place, "id or key of the command are not those of the record before, which has it");
            }
            self.order = Some(own);
            let lacking = Lacking {
                place,
                position: self.next,
                command: leaf.command_sha256.clone(),
                body: body.is_empty(),
                lacks_command,
                claimed,
                findings: found.findings,
            };
            if lacking.body || lacks_command || claimed.is_some() {
                self.lacking.push(lacking);
            } else {
                self.report.take(lacking.findings);
            }
            if leaf.kind == "record.redacted" && altered.is_none() && is_body_of(leaf, body) {
                let body: Value = serde_json::from_slice(body).unwrap_or_default();
                let position = body["data"]["position"].as_u64().filter(|position| *position < self.next);
                if let Some(position) = position {
                    self.redacted.entry(position).or_insert(self.next);
                }
            }
        } else {
            self.report.bad(place, "the leaf is not a leaf in its one spelling");
        }
        match &leaf {
            Some(leaf) if altered.is_none() => self.streams.take(leaf, place, self.report),
            _ => {
                self.streams.lose(self.next);
                self.order = None;
            }
        }
        let value = hash::chain(&self.origin, bytes);
        self.leaf_hashes.push(hash::leaf_hash(bytes));
        self.next += 1;
        self.value = Some(value);
        self.command = leaf.map(|leaf| leaf.command_sha256);
        if let Some(wanted) = self.wanted.get_mut(&self.next) {
            *wanted = Some(value);
        }
    }

    /// What is absent is as it should be if a record in the log redacted it: the body of the one it names, and the
    /// command of all records of that one's command.
    fn settle_lacking(&mut self) {
        let lacking = std::mem::take(&mut self.lacking);
        let redacted = |one: &Lacking<'_>| self.redacted.get(&one.position).filter(|_| one.body);
        let mut commands: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for one in &lacking {
            if let Some(by) = redacted(one) {
                commands.entry(&one.command).or_default().insert(*by);
            }
        }
        for one in &lacking {
            let of_command = commands.get(one.command.as_str());
            let allowed = if one.body { redacted(one).is_some() } else { of_command.is_some() };
            // A frame must name the record that redacted it; that nobody did is said below.
            let nobody = !allowed && (one.body || one.lacks_command);
            let named = |by: &u64| match redacted(one) {
                Some(redactor) => redactor == by,
                None => of_command.is_some_and(|all| all.contains(by)),
            };
            if let Some(by) = one.claimed.filter(|by| !nobody && !named(by)) {
                self.report.bad(one.place, format!("the frame names record {by}, which did not redact it"));
            }
            let left = one.findings.iter().filter(|found| !allowed || found.weight == Verdict::ProvenBad);
            self.report.take(left.cloned().collect());
            if let Some(by) = redacted(one) {
                self.report
                    .notes
                    .push(format!("record {}: withheld (redacted by record {by})", one.position));
            }
        }
    }

    /// A log that is shorter than a head it signed, or other at that size, was cut, rolled back or forked.
    fn compare_head(&mut self, head: &Head) {
        let place = Place { file: "head", position: head.size.checked_sub(1), offset: None };
        let signature = hash::from_base64(&head.sig).unwrap_or_default();
        let message = receipt(&head.origin, head.size - 1, &head.value);
        let value = self.wanted.get(&head.size).copied().flatten();
        if head.origin != self.origin {
            self.report.bad(place, "the head file is of another ledger");
        } else if self.log_key_at(head.size - 1).is_some_and(|key| !hash::signed(&key, &message, &signature))
        {
            self.report.bad(place, "the head file is not signed by the log");
        } else if head.size > self.next {
            let what =
                format!("the log ends at {}, but it once stood behind {} records", self.next, head.size);
            self.report.bad(Place::record("head", self.next), what);
        } else if value.is_some_and(|value| hash::to_hex(&value) != head.value) {
            self.report.bad(place, "the log is not the one whose head was signed");
        }
    }

    /// The newest checkpoint that the log signed must be of the tree over these very records.
    fn compare_checkpoint(&mut self, note: &[u8], key: Option<&LogKey>) {
        let place = Place::file("checkpoint");
        let size = note::read(note).map_or(0, |(checkpoint, _)| checkpoint.size);
        let name = key.map_or(Some(&self.origin), |key| key.name.as_ref()).cloned();
        let Some(public) = self.log_key_at(size.saturating_sub(1)) else { return };
        let key = LogKey { name, public };
        let ended = |(from, _): &&(u64, Hash)| *from < size;
        let before = self.log_keys.windows(2).filter(|pair| ended(&&pair[1])).map(|pair| pair[0].1);
        let opens = |public: Hash| note::open(note, &LogKey { public, ..key.clone() }).is_ok();
        if note::open(note, &key).is_err() && before.into_iter().any(opens) {
            self.report.bad(place, "checkpoint: signed by a key that the log had replaced");
            return;
        }
        match note::open(note, &key) {
            Err((_, why)) => self.report.bad(place, why),
            Ok(checkpoint) => {
                let whole = self.leaf_hashes.len() as u64 == self.next;
                let covered =
                    usize::try_from(checkpoint.size).ok().and_then(|size| self.leaf_hashes.get(..size));
                match covered {
                    None if whole => self.report.bad(place, "the log is shorter than its checkpoint"),
                    Some(covered) if whole && hash::root(covered) != checkpoint.root => {
                        self.report.bad(place, "the tree over the records is not the one that was signed");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What the log signs at each commit (section 5).
fn receipt(origin: &str, seq: u64, head: &str) -> Vec<u8> {
    format!("hefu-receipt-v1\n{origin}\n{seq}\n{head}\n").into_bytes()
}
