//! What is absent from a log, and whether a redaction on record says that it should be.
//!
//! A frame that claims to be withheld proves nothing. What counts is a record of the type `record.redacted`, unaltered
//! and in its place, that names the record. Whether the right persons signed that redaction is replay's question.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::check::Row;
use super::finding::{Finding, FindingKind, Report, Withheld};
use crate::body;
use crate::hash::Sha256Digest;
use crate::leaf::LeafRef;

/// The type of the event that redacts a record; its data names the record as `position` (FORMAT section 2).
const KIND: &str = "record.redacted";

/// A record that lacks something, or says that it does.
#[derive(Debug)]
struct Absent {
    /// Where, without a kind of its own yet.
    place: Finding,
    position: u64,
    /// What its frame claims.
    claimed: Option<u64>,
    body: bool,
    command: bool,
    /// The digest of its command, as its leaf says.
    digest: Option<Sha256Digest>,
}

/// Everything absent and every redaction of one log.
#[derive(Debug, Default)]
pub(super) struct Redactions {
    absent: Vec<Absent>,
    /// Which record redacted which.
    named: BTreeMap<u64, u64>,
}

/// The record that a redaction names, if this is one.
pub(super) fn names(leaf: &LeafRef<'_>, body: &[u8]) -> Option<u64> {
    let body = body::parse(body).ok().filter(|_| leaf.kind == KIND)?;
    serde_json::from_slice::<serde_json::Value>(body.data).ok()?.get("position")?.as_u64()
}

impl Redactions {
    /// Takes notice of a record whose leaf is the one that was chained and whose body is the one it commits to.
    pub(super) fn learn(&mut self, row: &Row<'_>, leaf: &LeafRef<'_>) {
        if let Some(position) = names(leaf, row.record.body).filter(|position| *position < row.at) {
            self.named.entry(position).or_insert(row.at);
        }
    }

    /// Notes that something of a record is absent, or said to be.
    pub(super) fn absent(&mut self, place: Finding, row: &Row<'_>, body: bool, command: bool) {
        let digest = row.leaf.ok().map(|leaf| leaf.command_sha256);
        let claimed = row.record.redacted_by;
        self.absent.push(Absent { place, position: row.at, claimed, body, command, digest });
    }

    /// Says of everything absent whether it was redacted, now that the whole log is read.
    pub(super) fn settle(self, report: &mut Report) {
        let Redactions { absent, named } = self;
        // Who redacted a record of a command, by the digest of that command.
        let mut by_command: HashMap<Sha256Digest, BTreeSet<u64>> = HashMap::new();
        let mut gone = BTreeSet::new();
        for one in absent.iter().filter(|one| one.body) {
            gone.insert(one.position);
            if let (Some(digest), Some(by)) = (one.digest, named.get(&one.position)) {
                by_command.entry(digest).or_default().insert(*by);
            }
        }
        for one in absent {
            let by = named.get(&one.position).copied();
            let redacted = one.digest.and_then(|digest| by_command.get(&digest));
            let finding = |kind| Finding { kind, ..one.place.clone() };
            let claim = one.claimed.map(|by| format!("redacted by record {by}"));
            match by.filter(|_| one.body) {
                Some(by) => report.withheld.push(Withheld { position: one.position, redacted_by: by }),
                None if one.body => {
                    let finding = finding(FindingKind::BodyWithheld);
                    report.findings.push(match claim {
                        Some(claim) => finding
                            .field("redacted_by")
                            .stored(claim)
                            .expected("a record.redacted that names this record"),
                        None => finding,
                    });
                }
                None => {}
            }
            let lost = one.command && redacted.is_none();
            if lost {
                report.findings.push(finding(FindingKind::CommandMissing).expected_opt(one.digest));
            }
            if lost || (one.body && by.is_none()) {
                continue;
            }
            let fits = |claimed: u64| match by.filter(|_| one.body) {
                Some(by) => by == claimed,
                None => redacted.is_some_and(|redacted| redacted.contains(&claimed)),
            };
            if let Some(claimed) = one.claimed.filter(|claimed| !fits(*claimed)) {
                let expected = by.or_else(|| redacted?.first().copied());
                report.findings.push(
                    finding(FindingKind::FrameDamaged)
                        .field("redacted_by")
                        .stored(claimed)
                        .expected_opt(expected),
                );
            }
        }
        for Withheld { position, redacted_by } in &report.withheld {
            report.notes.push(format!("record {position}: withheld (redacted by record {redacted_by})"));
        }
        for (position, by) in named.iter().filter(|(position, _)| !gone.contains(position)) {
            report
                .notes
                .push(format!("record {position}: redacted by record {by}, but its content is still here"));
        }
        report
            .findings
            .sort_by(|a, b| (&a.segment, a.position, a.offset).cmp(&(&b.segment, b.position, b.offset)));
    }
}
