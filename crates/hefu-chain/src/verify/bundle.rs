//! An evidence bundle, judged with nothing beside it but the log's key.
//!
//! One pass, a line at a time. A record is proven by its path to the signed checkpoint, body and command by the digests
//! in its leaf, a signature by a public key that an earlier line registers.
mod log_key;
mod record;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::finding::{Finding, FindingKind, Report, Withheld};
use super::keys::KeyRing;
use super::{Options, word};
use crate::bundle::{Asked, FORMAT, Header, Last, Line, decode};
use crate::chain::ChainContext;
use crate::checkpoint::Checkpoint;
use crate::hash::{ChainHash, Sha256Digest};
use crate::key::KeyId;

/// No line is longer: a body and a command of 4 MiB each, every byte escaped.
const MAX_LINE: u64 = 64 << 20;
const SIGNATURES_PER_BATCH: usize = 1024;

/// Judges a bundle. Fails only if it cannot be read.
pub fn bundle(input: &mut dyn BufRead, options: &Options<'_>) -> io::Result<Report> {
    let mut judge = Judge::new(options);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut *input).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        judge.line(&line);
    }
    Ok(judge.finish())
}

/// The last record of a stream.
#[derive(Clone, Copy)]
struct Tip {
    count: u64,
    last: u64,
}

struct Judge<'a> {
    options: &'a Options<'a>,
    report: Report,
    header: Option<Header>,
    checkpoint: Option<Checkpoint>,
    chain: Option<ChainContext>,
    keys: KeyRing,
    /// Where in the file.
    lines: u64,
    offset: u64,
    digest: Sha256,
    ended: bool,
    /// Every command so far, with its id and key.
    commands: HashMap<Sha256Digest, Option<(Uuid, KeyId)>>,
    streams: BTreeMap<String, Tip>,
    before: Option<(u64, ChainHash)>,
    /// The position after the last record that was asked for.
    next: u64,
    queued: Vec<record::Queued>,
    unknown: BTreeMap<KeyId, (u64, u64)>,
    /// Bodies and commands that are not here, with the digest of the command.
    absent: Vec<(Finding, Sha256Digest)>,
    /// Which record redacted which.
    named: BTreeMap<u64, u64>,
    /// The records that replace the log's key.
    replaced: Vec<log_key::Replaced>,
}

impl<'a> Judge<'a> {
    fn new(options: &'a Options<'a>) -> Self {
        Self {
            options,
            report: Report { log_key: options.log_key, ..Report::default() },
            header: None,
            checkpoint: None,
            chain: None,
            keys: KeyRing::default(),
            lines: 0,
            offset: 0,
            digest: Sha256::new(),
            ended: false,
            commands: HashMap::new(),
            streams: BTreeMap::new(),
            before: None,
            next: 0,
            queued: Vec::new(),
            unknown: BTreeMap::new(),
            absent: Vec::new(),
            named: BTreeMap::new(),
            replaced: Vec::new(),
        }
    }

    fn finding(&self, kind: FindingKind) -> Finding {
        Finding::new(kind, "bundle").offset(self.offset)
    }

    fn push(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    fn damaged(&mut self, field: &'static str, expected: &str) {
        let stored = format!("line {}", self.lines + 1);
        let finding = self.finding(FindingKind::BundleDamaged).field(field).stored(stored).expected(expected);
        self.push(finding);
    }

    fn line(&mut self, bytes: &[u8]) {
        let last = decode::<Last>(bytes);
        match () {
            () if self.ended => self.damaged("line", "nothing after the last line"),
            () if self.lines == 0 => self.first(bytes),
            () => match (last, decode::<Line>(bytes)) {
                (Some(last), _) => self.last(&last),
                (None, Some(line)) => self.record(&line),
                (None, None) if bytes.starts_with(b"{\"lines\":") => self.damaged("sha256", "the last line"),
                (None, None) => self.damaged("line", "the line of a record"),
            },
        }
        self.digest.update(bytes);
        self.lines += 1;
        self.offset += bytes.len() as u64;
    }

    fn first(&mut self, bytes: &[u8]) {
        let Some(header) = decode::<Header>(bytes).filter(|header| header.format == FORMAT) else {
            self.damaged("header", "the first line of a bundle");
            return;
        };
        let own = Some(header.log_key);
        let origin = self.options.origin.as_ref().unwrap_or(&header.origin);
        let word = word::read("checkpoint", header.checkpoint.as_bytes(), self.options, own, Some(origin));
        self.report.findings.extend(word.findings);
        self.report.notes.extend(word.notes);
        if *origin != header.origin {
            let finding = self.finding(FindingKind::OriginWrong).field("origin");
            self.push(finding.stored(&header.origin).expected(origin));
        }
        self.named(&header);
        self.report.origin = Some(header.origin.clone());
        self.report.log_key = self.options.log_key.or(own);
        self.report.checkpoint.clone_from(&word.checkpoint);
        if let (Some(kept), Some(now)) = (self.options.since, &word.checkpoint) {
            let options = Options { policy: None, ..self.options.clone() };
            let old = word::read("since", kept, &options, own, Some(origin));
            self.report.findings.extend(old.findings);
            let old = old.checkpoint.as_ref();
            if let Some(old) = old.filter(|old| old.size == now.size && old.root != now.root) {
                let finding = Finding::new(FindingKind::Fork, "checkpoint").field("root");
                self.report.findings.push(finding.stored(now.root).expected(old.root));
            } else if old.is_some_and(|old| old.size != now.size) {
                let note = "the older checkpoint has another size: a bundle cannot tell whether this one continues it";
                self.report.notes.push(note.into());
            }
        }
        self.report.size = word.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        self.chain = Some(ChainContext::new(&header.origin));
        self.next = match header.asked {
            Asked::Range { first, .. } => first,
            Asked::Project { .. } | Asked::Cell { .. } => 0,
        };
        self.checkpoint = word.checkpoint;
        self.header = Some(header);
    }

    fn last(&mut self, last: &Last) {
        self.ended = true;
        let sha256 = hex::encode(self.digest.clone().finalize());
        if last.lines != self.lines {
            let finding = self.finding(FindingKind::BundleDamaged).field("lines");
            self.push(finding.stored(self.lines).expected(last.lines));
        }
        if last.sha256 != sha256 {
            let finding = self.finding(FindingKind::BundleDamaged).field("sha256");
            self.push(finding.stored(sha256).expected(&last.sha256));
        }
    }

    /// What is not here although no redaction says so.
    fn absences(&mut self) {
        let absent = std::mem::take(&mut self.absent);
        let by = |finding: &Finding| finding.position.and_then(|at| self.named.get(&at).copied());
        let body = |finding: &Finding| finding.kind == FindingKind::BodyWithheld;
        let redacted: HashSet<Sha256Digest> = absent
            .iter()
            .filter(|(finding, _)| body(finding) && by(finding).is_some())
            .map(|(_, digest)| *digest)
            .collect();
        for (finding, digest) in absent {
            match (by(&finding).filter(|_| body(&finding)), finding.position) {
                (Some(redacted_by), Some(position)) => {
                    self.report
                        .notes
                        .push(format!("record {position}: withheld (redacted by record {redacted_by})"));
                    self.report.withheld.push(Withheld { position, redacted_by });
                }
                _ if !body(&finding) && redacted.contains(&digest) => {}
                _ => self.report.findings.push(finding),
            }
        }
    }

    fn finish(mut self) -> Report {
        self.settle();
        self.absences();
        self.signed_by_replaced();
        if !self.ended {
            let finding = self.finding(FindingKind::TruncatedTail);
            self.push(finding.field("line").expected("the last line, with the digest of all before"));
        }
        for (key, (position, count)) in std::mem::take(&mut self.unknown) {
            let finding = self.finding(FindingKind::KeyUnknown).position(position).field("key").stored(key);
            self.push(
                finding.expected(format!("the record that registers it; commands not checked: {count}")),
            );
        }
        match self.header.take().map(|header| header.asked) {
            Some(Asked::Range { end, .. }) => {
                let next = self.next;
                if next < end && self.ended {
                    let finding = self.finding(FindingKind::Missing).position(next);
                    self.push(finding.expected(format!("records {next} to {}", end - 1)));
                }
            }
            Some(Asked::Project { project }) => {
                let records = self.streams.get(&format!("project/{project}")).map_or(0, |tip| tip.count);
                if records == 0 {
                    let finding = self.finding(FindingKind::Missing).field("stream_seq");
                    self.push(finding.stream(Some(&format!("project/{project}"))).expected(0));
                }
                self.report.notes.push(format!(
                    "{records} records of the project from its first on; that none is later cannot be told from a bundle"
                ));
            }
            Some(Asked::Cell { .. }) => {
                let note = "each record is proven; that no other counts towards the figure cannot be told from a bundle";
                self.report.notes.push(note.into());
            }
            None => {}
        }
        if self.options.hashes_only {
            self.report.notes.push("hashes only: the signatures of commands were not checked".into());
        }
        self.report.findings.sort_by_key(|finding| (finding.offset, finding.position));
        self.report.settle(self.options);
        self.report
    }
}
