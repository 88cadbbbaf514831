//! The records of the whole log, one after another: places, streams, times, and all findings about single records.

mod leaf;

use std::collections::{BTreeMap, HashMap};

use super::Schemas;
use super::check::{Body, Command, Context, Row};
use super::finding::{Finding, FindingKind, Report};
use super::link::Mark;
use super::order::Arranged;
use super::redaction::Redactions;
use crate::command::CommandRef;
use crate::hash::{ChainHash, Sha256Digest};
use crate::key::KeyId;
use crate::leaf::LeafRef;
use crate::tree::TreeHash;
use uuid::Uuid;

/// Where a record is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) segment: String,
    pub(super) position: u64,
    pub(super) offset: u64,
}

/// The last record of a stream.
#[derive(Debug, Clone, Copy)]
struct Tip {
    count: u64,
    last: u64,
}

/// What the log was like up to here.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The place of the next record.
    pub(super) next: u64,
    /// The chain value of the record before it.
    pub(super) head: Option<ChainHash>,
    /// The chain value that the head file speaks of.
    pub(super) watched: Option<ChainHash>,
    /// Keys that are nowhere, with their first command and the number of their commands.
    pub(super) unknown_keys: BTreeMap<KeyId, (Place, u64)>,
    pub(super) first_segment: String,
    /// The segment now.
    pub(super) segment: String,
    pub(super) started: bool,
    /// That record was found altered or broken.
    pub(super) doubtful: bool,
    /// The digest of its command, as its leaf says.
    pub(super) command: Option<Sha256Digest>,
    /// The id and the key of that command, if its leaf is to be believed.
    pub(super) order: Option<(Uuid, KeyId)>,
    /// What is absent, and what was redacted.
    pub(super) redactions: Redactions,
    streams: HashMap<Box<str>, Tip>,
    ts: String,
    /// The hashes of leaves that were passed, for the tree; nothing where it is not asked for.
    pub(super) leaves: Option<Vec<Option<TreeHash>>>,
    /// The newest place of which the stream is not known for sure: missing or altered.
    pub(super) unsure: Option<u64>,
}

impl State {
    /// Before the first record of a chain that begins with this value.
    pub(super) fn at_start(head: ChainHash) -> Self {
        Self { head: Some(head), started: true, ..Self::default() }
    }
}

/// Where a leaf contradicts its command: the field, what the command says, what the leaf says.
pub(super) fn other_words(told: (Uuid, KeyId), leaf: &LeafRef<'_>) -> Option<(&'static str, String, String)> {
    let (id, key) = told;
    if id != leaf.command {
        return Some(("id", id.to_string(), leaf.command.to_string()));
    }
    (key != leaf.actor).then(|| ("key", key.to_string(), leaf.actor.to_string()))
}

/// One segment in the run over the log.
pub(super) struct Pass<'r> {
    pub(super) context: &'r Context<'r>,
    pub(super) name: &'r str,
    pub(super) schemas: Option<Schemas<'r>>,
    pub(super) watch: Option<u64>,
    pub(super) state: &'r mut State,
    pub(super) report: &'r mut Report,
}

impl Pass<'_> {
    pub(super) fn finding(&self, kind: FindingKind, row: &Row<'_>) -> Finding {
        Finding::new(kind, self.name).at(row.at, row.offset).stream(row.leaf.ok().map(|leaf| leaf.stream))
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    /// Judges one record in its place and goes on to the next.
    pub(super) fn row(
        &mut self,
        row: &Row<'_>,
        before: Option<&Row<'_>>,
        mark: Option<&Mark>,
        arranged: &Arranged<'_>,
    ) {
        let whole = matches!(row.body, Body::True | Body::Elsewhere) && row.record.redacted_by.is_none();
        let clean = row.damage.is_none() && mark.is_none() && arranged.tidy && whole;
        let ordered = match (row.command, &row.leaf) {
            (Command::True | Command::Elsewhere, Ok(_)) => true,
            (Command::Empty, Ok(leaf)) => {
                self.state.command == Some(leaf.command_sha256)
                    && self.state.order.is_none_or(|told| told == (leaf.command, leaf.actor))
            }
            _ => false,
        };
        if let (true, true, Ok(leaf)) = (clean, ordered, &row.leaf) {
            self.report.commands += u64::from(row.command == Command::True);
            self.stream_and_time(row, leaf);
            self.schema(row, leaf);
            self.state.redactions.learn(row, leaf);
            self.advance(row, false);
            return;
        }
        if let Some(why) = row.damage {
            self.push(self.finding(FindingKind::FrameDamaged, row).stored(why));
        }
        if arranged.swapped.contains(&row.at) {
            self.push(self.finding(FindingKind::Swapped, row).expected("its place by position"));
        }
        let before = before.filter(|before| before.at + 1 == row.at);
        let field = self.leaf(row, before, mark);
        let altered = matches!(mark, Some(Mark::Altered { .. } | Mark::Prev { .. }));
        self.body_and_command(row, before, field);
        match &row.leaf {
            // A leaf that the chain vouches for, yet cannot be read.
            Err(bad) if !altered => {
                self.push(self.finding(FindingKind::UnknownSchema, row).field("leaf").stored(bad));
            }
            Err(_) => {}
            Ok(leaf) => {
                if row.record.position != row.at {
                    let finding = self.finding(FindingKind::FrameDamaged, row).field("position");
                    self.push(finding.stored(row.record.position).expected(row.at));
                }
                if !altered {
                    if leaf.seq != row.at {
                        let finding = self.finding(FindingKind::LeafAltered, row).field("seq");
                        self.push(finding.stored(leaf.seq).expected(row.at));
                    }
                    self.stream_and_time(row, leaf);
                    self.schema(row, leaf);
                    if row.body == Body::True {
                        self.state.redactions.learn(row, leaf);
                    }
                }
            }
        }
        self.advance(row, altered || mark.is_some());
    }

    fn body_and_command(&mut self, row: &Row<'_>, before: Option<&Row<'_>>, altered: Option<&'static str>) {
        match row.body {
            Body::True | Body::Untold | Body::Withheld | Body::Elsewhere => {}
            Body::False if altered == Some("body_sha256") => {}
            Body::False => {
                let finding =
                    self.finding(FindingKind::BodyAltered, row).stored(Sha256Digest::of(row.record.body));
                self.push(finding.expected_opt(row.leaf.ok().map(|leaf| leaf.body_sha256)));
            }
        }
        let digest = row.leaf.ok().map(|leaf| leaf.command_sha256);
        // The leaf before may be altered, yet hold the very command that this leaf commits to.
        let same_as_before = || {
            let command = before.map(|before| before.record.command).filter(|command| !command.is_empty());
            self.state.command == digest || command.map(Sha256Digest::of) == digest
        };
        let missing = row.command == Command::Empty && !same_as_before() && altered != Some("command_sha256");
        let absent_body = row.body == Body::Withheld;
        if missing || absent_body || row.record.redacted_by.is_some() {
            // Whether that is as it should be is known once the whole log is read.
            let place = self.finding(FindingKind::BodyWithheld, row);
            self.state.redactions.absent(place, row, absent_body, missing);
        }
        let altered_command = || self.finding(FindingKind::CommandAltered, row);
        let finding = match row.command {
            // The command stands with the record before, whose leaf was compared with it.
            Command::Empty => {
                let told = self.state.order.filter(|_| !missing && altered.is_none());
                match told.zip(row.leaf.ok()).and_then(|(told, leaf)| other_words(told, &leaf)) {
                    Some((field, stored, expected)) => {
                        altered_command().field(field).stored(stored).expected(expected)
                    }
                    None => return,
                }
            }
            Command::Untold | Command::Elsewhere => return,
            Command::False if altered == Some("command_sha256") => return,
            Command::False => {
                altered_command().stored(Sha256Digest::of(row.record.command)).expected_opt(digest)
            }
            Command::True => {
                self.report.commands += 1;
                return;
            }
            Command::OtherWords if matches!(altered, Some("command" | "actor")) => return,
            Command::OtherWords => {
                let told =
                    CommandRef::parse(row.record.command).ok().map(|command| (command.id, command.key));
                match told.zip(row.leaf.ok()).and_then(|(told, leaf)| other_words(told, &leaf)) {
                    Some((field, stored, expected)) => {
                        altered_command().field(field).stored(stored).expected(expected)
                    }
                    None => altered_command(),
                }
            }
            Command::Unreadable => self.finding(FindingKind::UnknownSchema, row).field("command"),
            Command::OtherLedger => {
                self.finding(FindingKind::OriginWrong, row).field("ledger").expected(self.context.origin)
            }
            Command::WrongSignature => self.finding(FindingKind::CommandSignatureWrong, row).field("sig"),
            Command::UnknownKey(key) => {
                let place = Place { segment: self.name.to_owned(), position: row.at, offset: row.offset };
                self.state.unknown_keys.entry(key).or_insert((place, 0)).1 += 1;
                return;
            }
        };
        self.push(finding);
    }

    fn schema(&mut self, row: &Row<'_>, leaf: &LeafRef<'_>) {
        if self.schemas.is_some_and(|known| !known(leaf.kind, leaf.v)) {
            self.push(
                self.finding(FindingKind::UnknownSchema, row)
                    .field("type")
                    .stored(format!("{} v{}", leaf.kind, leaf.v)),
            );
        }
    }

    fn stream_and_time(&mut self, row: &Row<'_>, leaf: &LeafRef<'_>) {
        let tip = self.state.streams.get(leaf.stream).copied();
        let (count, last) = (tip.map_or(0, |tip| tip.count), tip.map(|tip| tip.last));
        // A missing or altered record may have been of this stream.
        let unsure = self.state.unsure.is_some_and(|unsure| last.is_none_or(|last| last < unsure));
        if (leaf.stream_seq, leaf.stream_prev) != (count, last) && !unsure {
            let told = |seq: u64, prev: Option<u64>| {
                format!(
                    "{seq} after {}",
                    prev.map_or_else(|| "none".to_owned(), |prev| format!("record {prev}"))
                )
            };
            let field = if leaf.stream_seq == count { "stream_prev" } else { "stream_seq" };
            let finding = self.finding(FindingKind::StreamBroken, row).field(field);
            self.push(finding.stored(told(leaf.stream_seq, leaf.stream_prev)).expected(told(count, last)));
        }
        if leaf.ts < self.state.ts.as_str() {
            let finding = self.finding(FindingKind::TimeWentBack, row).field("ts").stored(leaf.ts);
            self.push(finding.expected(format!("{} or later", self.state.ts)));
        }
    }

    fn advance(&mut self, row: &Row<'_>, doubtful: bool) {
        let state = &mut *self.state;
        if let Some(leaves) = &mut state.leaves {
            leaves.push(row.tree);
        }
        state.next = row.at + 1;
        state.head = Some(row.link);
        state.doubtful = doubtful;
        state.command = row.leaf.ok().map(|leaf| leaf.command_sha256);
        state.order = row.leaf.ok().filter(|_| !doubtful).map(|leaf| (leaf.command, leaf.actor));
        if self.watch == Some(row.at) {
            state.watched = Some(row.link);
        }
        let Ok(leaf) = row.leaf.as_ref() else {
            state.unsure = Some(row.at);
            return;
        };
        if doubtful {
            state.unsure = Some(row.at);
            return;
        }
        if state.ts.as_str() < leaf.ts {
            leaf.ts.clone_into(&mut state.ts);
        }
        let tip = Tip { count: leaf.stream_seq.saturating_add(1), last: row.at };
        match state.streams.get_mut(leaf.stream) {
            Some(known) => *known = tip,
            None => {
                state.streams.insert(leaf.stream.into(), tip);
            }
        }
    }
}
