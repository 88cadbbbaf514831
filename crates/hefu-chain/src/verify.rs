//! The verifier: re-hashes everything and reports every bad record, with its place and the kind of damage.
//!
//! It works on the bytes of segment files alone. It changes nothing, stops at nothing, and trusts nothing but the key
//! it is given; without one it takes the key from record 0 and says that there is no outside anchor. Whether an event
//! follows from the rules is not asked here: that is replay.
//!
//! [`ledger`] does so for a ledger's directory with its head, its checkpoint and its tiles, [`site`] for a site of tiles.
//! Two passes: [`Verifier::learn`] collects public keys from every segment, [`Verifier::segment`] checks the segments
//! in order, on as many threads as allowed, [`Verifier::finish`] compares the log with the head file.

mod bundle;
mod check;
mod commit;
mod entries;
mod finding;
mod grown;
mod keys;
mod ladder;
mod ledger;
mod link;
mod order;
mod pinned;
mod redaction;
mod rotation;
mod row;
mod scan;
mod segment;
mod site;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod testlog;
#[cfg(test)]
mod tests;
mod word;

use std::collections::BTreeMap;

use crate::chain::ChainContext;
use crate::hash::ChainHash;
use crate::key::PublicKey;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::receipt::HeadFile;

pub use bundle::bundle;
pub use finding::{Finding, FindingKind, Report, Verdict, Withheld};
pub use keys::KeyRing;
pub use ledger::ledger;
pub use site::{PUBLIC, site};

/// Says which event types and schema versions are known.
pub type Schemas<'a> = &'a (dyn Fn(&str, u32) -> bool + Sync);
/// Told how many more records are checked.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// What the caller knows from elsewhere, and how to work.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// The ledger it should be.
    pub origin: Option<Origin>,
    /// The log's public key, had from outside the log.
    pub log_key: Option<PublicKey>,
    /// Logs, witnesses and the quorum that a checkpoint needs.
    pub policy: Option<&'a Policy>,
    /// An older checkpoint, kept elsewhere, that the log must continue.
    pub since: Option<&'a [u8]>,
    /// The newest head the ledger stood behind.
    pub head: Option<HeadFile>,
    /// Known event types; without it every type is accepted.
    pub schemas: Option<Schemas<'a>>,
    /// Leave the signatures of commands unchecked: digests, chain and commits only. The report says so.
    pub hashes_only: bool,
    /// Threads to use; 0 and 1 mean none besides the caller's.
    pub threads: usize,
    /// Called from any thread with the number of records checked since the last call.
    pub progress: Option<Progress<'a>>,
}

/// One segment file.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
}

/// Verifies a log that is in memory (or mapped) as a whole.
pub fn verify(segments: &[Segment<'_>], options: Options<'_>) -> Report {
    let mut verifier = Verifier::new(options);
    for segment in segments {
        verifier.learn(segment.bytes);
    }
    for (at, segment) in segments.iter().enumerate() {
        verifier.segment(*segment, at + 1 == segments.len());
    }
    verifier.finish()
}

/// Verifies a log segment by segment, so that only one need be in memory.
pub struct Verifier<'a> {
    options: Options<'a>,
    keys: KeyRing,
    genesis: Option<keys::Genesis>,
    /// Records that rotate the log's key, by position.
    rotations: BTreeMap<u64, rotation::Rotation>,
    state: row::State,
    report: Report,
    watch: Option<grown::Grown<'a>>,
}

impl<'a> Verifier<'a> {
    /// A verifier that has seen nothing.
    pub fn new(options: Options<'a>) -> Self {
        Self {
            options,
            keys: KeyRing::default(),
            genesis: None,
            rotations: BTreeMap::new(),
            state: row::State::default(),
            report: Report::default(),
            watch: None,
        }
    }

    /// Also builds the tree, to compare with checkpoints and tiles.
    fn with_tree(mut self, grown: grown::Grown<'a>) -> Self {
        self.state.leaves = Some(Vec::new());
        self.watch = Some(grown);
        self
    }

    /// First pass, over every segment in order: collects public keys, and from the first segment name and key of the log.
    pub fn learn(&mut self, bytes: &[u8]) {
        self.keys.learn(bytes);
        self.learn_rotations("", bytes);
        if let Some(log_key) = self.options.log_key {
            self.keys.insert(log_key);
        }
        if self.genesis.is_none() {
            let genesis = keys::Genesis::find(bytes, &self.options);
            for public in &genesis.publics {
                self.keys.insert(*public);
            }
            self.genesis = Some(genesis);
        }
    }

    fn learn_rotations(&mut self, segment: &str, bytes: &[u8]) {
        for found in rotation::Rotation::find(segment, bytes) {
            // A copy of a record elsewhere is reported as such; the first one counts.
            match self.rotations.get(&found.position) {
                Some(known) if segment.is_empty() || known.is_placed() => {}
                Some(_) | None => {
                    self.rotations.insert(found.position, found);
                }
            }
        }
    }

    /// Which key the log signed with at which record.
    fn schedule(&self) -> rotation::Schedule {
        let of = |genesis| rotation::Schedule::of(genesis, self.options.log_key, &self.rotations);
        self.genesis.as_ref().map(of).unwrap_or_default()
    }

    /// Second pass, over every segment in order. Only the last may hold bytes that are not committed yet.
    pub fn segment(&mut self, segment: Segment<'_>, last: bool) {
        if self.genesis.is_none() {
            self.learn(segment.bytes);
        }
        self.learn_rotations(segment.name, segment.bytes);
        let schedule = self.schedule();
        let Some(genesis) = &self.genesis else { return };
        let Some(origin) = &genesis.origin else {
            let why = "no origin is known: give one, or the segment with record 0";
            self.report.findings.push(Finding::new(FindingKind::OriginWrong, segment.name).expected(why));
            return;
        };
        let context = check::Context {
            origin,
            chain: ChainContext::new(origin),
            log_keys: &schedule.keys,
            keys: &self.keys,
            hashes_only: self.options.hashes_only,
            tree: self.watch.is_some(),
            threads: self.options.threads.max(1),
            progress: self.options.progress,
        };
        let sorted = check::segment(&context, segment.bytes);
        let mut pass = row::Pass {
            context: &context,
            name: segment.name,
            schemas: self.options.schemas,
            watch: self.options.head.as_ref().map(|head| head.size.saturating_sub(1)),
            state: &mut self.state,
            report: &mut self.report,
        };
        pass.judge(segment, sorted, last);
        match (&mut self.state.leaves, &mut self.watch) {
            (Some(leaves), Some(grown)) => grown.push(leaves),
            // More is missing than anybody would count.
            (None, Some(_)) => self.watch = None,
            (_, None) => {}
        }
    }

    /// Compares the log with what is known from elsewhere and gives the report.
    pub fn finish(self) -> Report {
        let (mut report, options) = self.compare();
        report.settle(&options);
        report
    }

    /// Everything but the sum.
    fn compare(mut self) -> (Report, Options<'a>) {
        let schedule = self.schedule();
        let report = &mut self.report;
        report.size = self.state.next;
        report.head = self.state.head;
        std::mem::take(&mut self.state.redactions).settle(report);
        let last_segment = self.state.segment.clone();
        if let Some(genesis) = &self.genesis {
            report.origin.clone_from(&genesis.origin);
            let later = schedule.given_came_later;
            let contradictions = genesis.contradictions(&self.options, later, &self.state.first_segment);
            report.findings.splice(0..0, contradictions);
            report.log_key = schedule.keys.newest();
            report.log_keys = schedule.keys;
            report.findings.extend(schedule.findings);
            report.notes.extend(schedule.notes);
        }
        if report.log_key.is_none() && report.commits > 0 {
            report.findings.push(
                Finding::new(FindingKind::KeyUnknown, &last_segment)
                    .field("log_key")
                    .expected("the log's public key; no commit signature could be checked"),
            );
        }
        if let Some(head) = &self.options.head {
            compare_head(report, head, self.state.watched, &last_segment);
        }
        for (key, (at, count)) in std::mem::take(&mut self.state.unknown_keys) {
            let finding = Finding::new(FindingKind::KeyUnknown, &at.segment)
                .at(at.position, at.offset)
                .field("key")
                .stored(key)
                .expected(format!("its public key in a body of the log; commands not checked: {count}"));
            report.findings.push(finding);
        }
        if let Some((origin, size, head)) =
            self.genesis.as_ref().and_then(|genesis| genesis.continues.as_ref())
        {
            report.notes.push(format!("continues {origin} after {size} records, head {head}"));
        }
        if self.options.hashes_only {
            report.notes.push("hashes only: the signatures of commands were not checked".into());
        }
        if let Some(grown) = self.watch.take() {
            grown.compare(&self.options, report);
        }
        (self.report, self.options)
    }
}

/// A log that is shorter than a head it signed, or other at that size, was rolled back or forked.
fn compare_head(report: &mut Report, head: &HeadFile, stored: Option<ChainHash>, segment: &str) {
    let kind = if report.origin.as_ref().is_some_and(|origin| *origin != head.origin) {
        Finding::new(FindingKind::OriginWrong, "head")
            .field("origin")
            .stored(&head.origin)
            .expected_opt(report.origin.as_ref())
    } else if report.log_keys.of_size(head.size).is_some_and(|key| !head.verify(&key)) {
        Finding::new(FindingKind::HeadDisagrees, "head").field("sig").stored(head.sig)
    } else if head.size > report.size {
        Finding::new(FindingKind::TruncatedTail, segment)
            .position(report.size)
            .field("size")
            .stored(report.size)
            .expected(head.size)
    } else if stored.is_some_and(|stored| stored != head.head) {
        Finding::new(FindingKind::HeadDisagrees, segment)
            .position(head.size - 1)
            .field("head")
            .stored_opt(stored)
            .expected(head.head)
    } else {
        return;
    };
    report.findings.push(kind);
}
