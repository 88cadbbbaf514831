//! An evidence bundle: some records with all that proves them, in one file (section 9).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::{self, Hash};
use crate::note::{self, Checkpoint, LogKey};
use crate::parts::{Contents, Elsewhere, Order, Parts};
use crate::record::{Leaf, key_id};
use crate::rotation;
use crate::{Place, Report, Verdict};

/// The first line. The fields of each line stand in the order of the bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    asked: Value,
    checkpoint: String,
    format: String,
    log_key: String,
    origin: String,
}

/// The line of a record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    body: Option<String>,
    command: Option<String>,
    index: u64,
    leaf: String,
    path: Vec<String>,
    why: Why,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    Asked,
    Key,
    Redaction,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    lines: u64,
    sha256: String,
}

/// What the bundle says it is about, and so what must not be missing in it.
enum Asked {
    /// All records of this stream, from its first on.
    Stream(String),
    /// These records: the first, and the one after the last.
    Range(u64, u64),
    /// Whatever is behind a figure: nobody can tell from here whether that is all.
    Figure,
}

impl Asked {
    fn parse(value: &Value) -> Option<Self> {
        let fields = value.as_object()?;
        let text = |field: &str| fields.get(field)?.as_str();
        let number = |field: &str| fields.get(field)?.as_u64();
        match (text("kind")?, fields.len()) {
            ("project", 2) => Some(Self::Stream(format!("project/{}", text("project")?))),
            ("range", 3) => Some(Self::Range(number("first")?, number("end")?)),
            ("cell", 4) => ["indicator", "period", "region"]
                .iter()
                .all(|field| text(field).is_some())
                .then_some(Self::Figure),
            _ => None,
        }
    }
}

/// Reads a line. It has one spelling: written again it must give the same bytes.
fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.strip_suffix(b"\n")?;
    let line: T = serde_json::from_slice(bytes).ok()?;
    (serde_json::to_vec(&line).ok()? == bytes).then_some(line)
}

/// What is known so far.
struct Reader<'r> {
    report: &'r mut Report,
    checkpoint: Option<Checkpoint>,
    asked: Option<Asked>,
    contents: Contents<'r>,
    /// The commands so far: id and key by digest.
    commands: BTreeMap<String, Order>,
    /// The record before, with its chain value.
    before: Option<(u64, Hash)>,
    /// Of each stream, how many records it has so far and its last one.
    streams: BTreeMap<String, (u64, u64)>,
    /// The record after the last that was asked for.
    next: u64,
    /// The given key and the one that the bundle names, if they signed the checkpoint.
    signers: Vec<LogKey>,
    /// The checkpoint as it was signed.
    note: String,
}

/// Checks a bundle.
pub fn verify(bytes: &[u8], key: Option<&LogKey>, report: &mut Report) {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut reader = Reader {
        report,
        checkpoint: None,
        asked: None,
        contents: Contents::default(),
        commands: BTreeMap::new(),
        before: None,
        streams: BTreeMap::new(),
        next: 0,
        signers: Vec::new(),
        note: String::new(),
    };
    let first = lines.next().unwrap_or_default();
    reader.first(first, key);
    let (mut offset, mut count, mut ended) = (first.len(), 1, false);
    for line in lines {
        let place = Place::file("bundle").at(offset);
        if ended {
            reader.report.bad(place, "nothing may follow the last line");
        } else if let Some(last) = read::<Last>(line) {
            ended = true;
            if last.lines != count || last.sha256 != hash::to_hex(&hash::sha256(&[&bytes[..offset]])) {
                reader.report.bad(place, "the last line is not of the lines before it");
            }
        } else if let Some(line) = read::<Line>(line) {
            reader.record(&line, Place { position: Some(line.index), ..place });
        } else {
            reader.report.bad(place, "not the line of a record in its one spelling, nor the last line");
        }
        offset += line.len();
        count += 1;
    }
    if !ended {
        reader.report.bad(Place::file("bundle").at(offset), "the last line is missing: the file was cut");
    }
    reader.settle(ended);
}

impl Reader<'_> {
    fn first(&mut self, bytes: &[u8], key: Option<&LogKey>) {
        let place = Place::file("bundle").at(0);
        let first = read::<First>(bytes).filter(|first| first.format == "hefu-bundle-v1");
        let parts = first.and_then(|first| {
            let own = hash::from_hex(&first.log_key).filter(|_| note::is_origin(&first.origin))?;
            Some((Asked::parse(&first.asked)?, own, first))
        });
        let Some((asked, own, first)) = parts else {
            return self.report.bad(place, "not the first line of a bundle in its one spelling");
        };
        if key.and_then(|key| key.name.as_ref()).is_some_and(|name| *name != first.origin) {
            self.report.bad(place, format!("this is of another ledger: {}", first.origin));
        }
        if key.is_none() {
            self.report.notes.push("self-consistent at best: no key of the log was given".to_owned());
        }
        let own = LogKey { name: Some(first.origin.clone()), public: own };
        let note = first.checkpoint.as_bytes();
        match note::open(note, key.unwrap_or(&own)) {
            Err((Verdict::ProvenBad, why)) => self.report.bad(place, why),
            Err((_, why)) => self.report.absent(place, why),
            Ok(_) => {}
        }
        // While the log's key is being replaced both sign, and the bundle names the newer one.
        if key.is_some_and(|key| key.public != own.public) && note::open(note, &own).is_err() {
            self.report.bad(place, "the bundle names another key of the log than the given one");
        }
        self.signers = key.cloned().into_iter().chain([own]).collect();
        self.signers.retain(|key| note::open(note, key).is_ok());
        // Even if nobody signed it, it tells which records are altered.
        self.checkpoint = note::read(note).ok().map(|(checkpoint, _)| checkpoint);
        if let Some(checkpoint) = &self.checkpoint {
            self.report.size = checkpoint.size;
            if checkpoint.origin != first.origin {
                self.report.bad(place, format!("the checkpoint is of another ledger: {}", checkpoint.origin));
            }
        }
        if let Asked::Range(first, _) = asked {
            self.next = first;
        }
        self.report.origin = Some(first.origin.clone());
        self.note = first.checkpoint;
        (self.contents.origin, self.asked) = (first.origin, Some(asked));
    }

    fn record(&mut self, line: &Line, place: Place<'static>) {
        self.report.records += 1;
        let bytes = line.leaf.as_bytes();
        let Some(leaf) = Leaf::parse(bytes) else {
            return self.report.bad(place, "the leaf is not a leaf in its one spelling");
        };
        if leaf.seq != line.index {
            self.report.bad(place, format!("the leaf says that it is record {}", leaf.seq));
        }
        let path: Option<Vec<Hash>> =
            line.path.iter().map(|text| hash::from_base64(text)?.try_into().ok()).collect();
        let leads = |checkpoint: &Checkpoint| {
            let top = hash::climb(line.index, checkpoint.size, hash::leaf_hash(bytes), path.as_deref()?)?;
            Some(top == checkpoint.root)
        };
        let proven = self.checkpoint.as_ref().map(|checkpoint| leads(checkpoint) == Some(true));
        if proven == Some(false) {
            self.report.bad(place, "the path does not lead from the record to the signed root");
        }
        if proven == Some(true) {
            self.replaces_the_key(line, &leaf, place);
        }
        self.parts(line, &leaf, proven == Some(true), place);
        self.order(line, &leaf, proven == Some(true), place);
    }

    /// A record that replaces the log's key: its checkpoint, which has this record, is not the old key's to sign alone.
    fn replaces_the_key(&mut self, line: &Line, leaf: &Leaf, place: Place<'_>) {
        let body = line.body.as_deref().filter(|body| leaf.has_body(body.as_bytes()));
        let Some((old, new)) = body.and_then(|body| rotation::replaced(leaf, body.as_bytes())) else {
            return;
        };
        let new = LogKey { name: None, public: new };
        if self.signers.iter().any(|key| key_id(&key.public) == old)
            && note::open(self.note.as_bytes(), &new).is_err()
        {
            self.report.bad(
                place,
                "the checkpoint is signed by a key that this record replaced, and not by the new one",
            );
        }
    }

    /// Body and command against the leaf, keys from the body.
    fn parts(&mut self, line: &Line, leaf: &Leaf, sure: bool, place: Place<'static>) {
        let [body, command] =
            [&line.body, &line.command].map(|part| part.as_deref().unwrap_or_default().as_bytes());
        if [&line.body, &line.command].into_iter().flatten().any(String::is_empty) {
            self.report.bad(place, "a body or command that is there must not be empty");
        }
        if leaf.has_body(body) {
            self.contents.keys.learn(body);
        }
        let elsewhere =
            self.commands.get(&leaf.command_sha256).cloned().map_or(Elsewhere::No, Elsewhere::Yes);
        let parts = Parts { leaf, body, command, claimed: None, sure, elsewhere };
        self.contents.check(&parts, line.index, place, self.report);
        if leaf.has_command(command) {
            self.commands.entry(leaf.command_sha256.clone()).or_insert(leaf.order());
        }
    }

    /// Records ascend, neighbours are linked, a range and a project's stream have no gap.
    fn order(&mut self, line: &Line, leaf: &Leaf, proven: bool, place: Place<'_>) {
        match self.before {
            Some((before, _)) if before >= line.index => {
                return self.report.bad(place, "a record that stands here twice, or out of its place");
            }
            Some((before, value))
                if proven && before + 1 == line.index && leaf.prev != hash::to_hex(&value) =>
            {
                self.report.bad(place, "`prev` is not the chain value of the record before");
            }
            _ => {}
        }
        if let (Some(Asked::Range(..)), Why::Asked) = (&self.asked, &line.why) {
            if line.index > self.next {
                let what = format!("records {} to {} are missing", self.next, line.index - 1);
                self.report.absent(Place { position: Some(self.next), ..place }, what);
            }
            self.next = self.next.max(line.index.saturating_add(1));
        }
        // What is not proven says nothing of its neighbours.
        if !proven {
            return;
        }
        self.before = Some((line.index, hash::chain(&self.contents.origin, line.leaf.as_bytes())));
        let whole = matches!(&self.asked, Some(Asked::Stream(stream)) if *stream == leaf.stream);
        let tip = self.streams.get(&leaf.stream).copied();
        let (count, last) = (tip.map_or(0, |tip| tip.0), tip.map(|tip| tip.1));
        let (number, stream) = (leaf.stream_seq, &leaf.stream);
        if number < count || (number == count && (whole || tip.is_some()) && leaf.stream_prev != last) {
            self.report.bad(place, format!("stream {stream}: number {number} does not continue {count}"));
        } else if whole && number > count {
            self.report
                .absent(place, format!("stream {stream}: numbers {count} to {} are missing", number - 1));
        }
        self.streams.insert(stream.clone(), (number.saturating_add(1), line.index));
    }

    /// What is absent must have been redacted by a record of the bundle; what was asked for must be here.
    fn settle(self, ended: bool) {
        self.contents.settle(self.report);
        match &self.asked {
            Some(Asked::Range(_, end)) if ended && self.next < *end => {
                let what = format!("records {} to {} are missing", self.next, end - 1);
                self.report.absent(Place::record("bundle", self.next), what);
            }
            Some(Asked::Stream(stream)) if !self.streams.contains_key(stream) => {
                self.report.absent(Place::file("bundle"), format!("no record of {stream}"));
            }
            Some(Asked::Stream(_) | Asked::Figure) => {
                let note = "whether a later record belongs to this cannot be told from a bundle";
                self.report.notes.push(note.to_owned());
            }
            Some(Asked::Range(..)) | None => {}
        }
    }
}
