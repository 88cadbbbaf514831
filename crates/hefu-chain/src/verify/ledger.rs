//! A ledger's directory: its segments, and with them its head, its checkpoints and its tiles.
//!
//! Disposable files are no evidence: `index` and `snapshot` are not looked at, and what is wrong with `tiles` is a note.

use std::io;

use super::finding::{Finding, FindingKind, Report};
use super::grown::{Claim, Grown};
use super::pinned::Pinned;
use super::{Options, Segment, Verifier, word};
use crate::receipt::HeadFile;
use crate::source::Source;

/// Verifies a ledger's directory. `options.head` is read from there unless it is given.
///
/// `segments` are those of `source` unless the log is kept otherwise and given here in the bytes of one segment. Fails
/// only if something cannot be read for other reasons than that it is not there.
pub fn ledger<'a>(
    source: &'a dyn Source,
    log: Option<&[u8]>,
    mut options: Options<'a>,
) -> io::Result<Report> {
    let mut lacking = Vec::new();
    if options.head.is_none() {
        match source.read("head")?.map(|bytes| HeadFile::parse(&bytes)) {
            Some(Ok(head)) => options.head = Some(head),
            Some(Err(error)) => {
                let finding = Finding::new(FindingKind::HeadDisagrees, "head").field("head");
                lacking.push(finding.stored(error).expected("the head the ledger last stood behind"));
            }
            None => {
                let finding = Finding::new(FindingKind::HeadMissing, "head");
                lacking.push(finding.expected("without it records lost at the end are not noticed"));
            }
        }
    }
    let mut names = Vec::new();
    if log.is_none() {
        names = source.list("segments")?.unwrap_or_default();
        names.retain(|name| name.strip_suffix(".seg").is_some());
    }
    let read = |name: &String| {
        let bytes = source.read(&format!("segments/{name}"))?;
        bytes.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.clone()))
    };
    let mut verifier = Verifier::new(options.clone());
    // Two passes over one file at a time: memory for one segment is enough.
    for name in &names {
        verifier.learn(&read(name)?);
    }
    if let Some(bytes) = log {
        verifier.learn(bytes);
    }
    let origin = verifier.genesis.as_ref().and_then(|genesis| genesis.origin.clone());
    let schedule = verifier.schedule();
    // A publisher beside us writes tiles first: so we read them first.
    let pinned = Pinned::new(source)?;
    let mut claims = Vec::new();
    let signed = [
        ("checkpoint", source.read("checkpoint")?),
        ("checkpoint.signed", source.read("checkpoint.signed")?),
    ];
    let since = ("since", options.since.map(<[u8]>::to_vec));
    for (name, bytes) in signed.into_iter().chain([since]) {
        if let Some(bytes) = bytes {
            // The quorum is a matter of the published checkpoint; the other one is still on its way.
            let policy = options.policy.filter(|_| name == "checkpoint");
            let log_key = schedule.key_for(&bytes).or(options.log_key);
            let options = Options { log_key, policy, ..options.clone() };
            let mut word = word::read(name, &bytes, &options, None, origin.as_ref());
            if let Some(ended) = schedule.signed_after_its_end(&bytes).filter(|_| !word.trusted) {
                let finding = Finding::new(FindingKind::CheckpointForged, name).field("signature");
                let stored = format!("the signature of a key that record {ended} ended");
                word.findings.retain(|finding| finding.kind != FindingKind::CheckpointUnsigned);
                word.findings.push(finding.stored(stored).expected("a signature of the log's present key"));
            }
            claims.push(Claim { name, word });
        }
    }
    let mut verifier = verifier.with_tree(Grown::new(source, claims, pinned)?);
    for (place, name) in names.iter().enumerate() {
        verifier.segment(Segment { name, bytes: &read(name)? }, place + 1 == names.len());
    }
    if let Some(bytes) = log {
        verifier.segment(Segment { name: "log", bytes }, true);
    }
    let (mut report, options) = verifier.compare();
    report.findings.extend(lacking);
    if report.size == 0 && report.findings.is_empty() {
        let finding = Finding::new(FindingKind::Missing, "segments").position(0);
        report.findings.push(finding.expected("record 0"));
    }
    tiles_aside(&mut report);
    report.settle(&options);
    Ok(report)
}

/// Nothing that must survive rests on the tiles, and publishing makes deleted ones anew: what is wrong with them is only noted.
/// Records that they prove to be others are findings of their own.
fn tiles_aside(report: &mut Report) {
    let (tiles, rest): (Vec<_>, Vec<_>) =
        std::mem::take(&mut report.findings).into_iter().partition(Finding::is_of_tiles);
    let records = if rest.is_empty() { ", records intact" } else { "" };
    report.findings = rest;
    for same in tiles.chunk_by(|one, other| (one.kind, &one.segment) == (other.kind, &other.segment)) {
        let Some(first) = same.first() else { continue };
        let what = if first.kind == FindingKind::TileMissing { "missing" } else { "damaged" };
        let place = match (first.position, first.offset, first.field, &first.stored) {
            (Some(position), ..) => format!(", record {position}"),
            (None, Some(offset), ..) => format!(", byte {offset}"),
            (None, None, Some(field), _) => format!(", {field}"),
            (None, None, None, stored) => stored.as_ref().map(|why| format!(", {why}")).unwrap_or_default(),
        };
        let more = same.len() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let path = &first.segment;
        report.notes.push(format!(
            "tile {what}{records}: {path}{place}{more}; delete tiles/, publishing makes it anew"
        ));
    }
}
