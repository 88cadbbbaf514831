//! Which leaf is the altered one when the chain does not hold.
//!
//! A leaf is vouched for by the `prev` of the next record and by the head of a signed commit. When a link is broken, the
//! side that something else vouches for is believed. A suspected field is proven by repair: put back what it should have
//! been, and the leaf must hash to the value that is vouched for.

use std::collections::HashMap;

use super::check::Row;
use crate::chain::ChainContext;
use crate::hash::ChainHash;
use crate::leaf::LeafRef;

/// What is wrong with one record's place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its leaf should hash to this.
    Altered { vouched: ChainHash },
    /// Its `prev` should be this.
    Prev { expected: ChainHash },
    /// Its `prev` is not this chain value of the record before; either may be altered.
    Broken { expected: ChainHash },
    /// It is not what the record after links to, but that one is altered too.
    Unlinked { next: ChainHash },
}

/// The chain before the first record of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// The place after it.
    pub(super) next: u64,
    /// Its chain value, when the record is there.
    pub(super) head: Option<ChainHash>,
    /// It was itself found altered or broken.
    pub(super) doubtful: bool,
}

/// Finds what is wrong with records that stand in order. `anchors` are the signed heads by position.
pub(super) fn judge(
    chain: &ChainContext,
    rows: &[Row<'_>],
    before: Before,
    anchors: &HashMap<u64, ChainHash>,
) -> HashMap<usize, Mark> {
    let links = Links { chain, rows, before, anchors };
    let mut marks = HashMap::new();
    if !rows.is_empty() && links.fits_before(0) == Some(false) && !before.doubtful {
        links.judge_first(&mut marks);
    }
    // An altered record with everything after it chained anew: only the signed heads still tell.
    let mut rechained = false;
    for (index, row) in rows.iter().enumerate() {
        match (links.next_vouches(index), links.anchor_vouches(index)) {
            (Some(true) | None, Some(true) | None) => {}
            (Some(true), Some(false)) => rechained = true,
            (None, Some(false)) if rechained => {}
            (None | Some(false), Some(false)) => links.altered(index, &mut marks),
            (Some(false), Some(true)) => links.blame_prev(index + 1, &mut marks),
            (Some(false), None) => match links.vouched(index + 1) {
                Some(true) => links.altered(index, &mut marks),
                Some(false) if links.prev_repairs(index + 1) => links.blame_prev(index + 1, &mut marks),
                Some(false) => {
                    if let Some(next) = links.next_prev(index) {
                        marks.entry(index).or_insert(Mark::Unlinked { next });
                    }
                }
                None => {
                    let expected = row.link;
                    marks.entry(index + 1).or_insert(Mark::Broken { expected });
                }
            },
        }
    }
    marks
}

struct Links<'r, 'a> {
    chain: &'r ChainContext,
    rows: &'r [Row<'a>],
    before: Before,
    anchors: &'r HashMap<u64, ChainHash>,
}

impl Links<'_, '_> {
    /// The chain value of the record before.
    fn head_before(&self, index: usize) -> Option<ChainHash> {
        match index.checked_sub(1).map(|before| &self.rows[before]) {
            None => self.before.head.filter(|_| self.before.next == self.rows[index].at),
            Some(before) => (before.at + 1 == self.rows[index].at).then_some(before.link),
        }
    }

    fn fits_before(&self, index: usize) -> Option<bool> {
        let prev = self.rows[index].leaf.ok()?.prev;
        self.head_before(index).map(|head| head == prev)
    }

    fn next_prev(&self, index: usize) -> Option<ChainHash> {
        let next = self.rows.get(index + 1).filter(|next| next.at == self.rows[index].at + 1)?;
        next.leaf.ok().map(|leaf| leaf.prev)
    }

    fn anchor(&self, index: usize) -> Option<ChainHash> {
        self.anchors.get(&self.rows[index].at).copied()
    }

    fn next_vouches(&self, index: usize) -> Option<bool> {
        self.next_prev(index).map(|prev| prev == self.rows[index].link)
    }

    fn anchor_vouches(&self, index: usize) -> Option<bool> {
        self.anchor(index).map(|head| head == self.rows[index].link)
    }

    /// A signature outweighs a neighbour.
    fn vouched(&self, index: usize) -> Option<bool> {
        self.anchor_vouches(index).or_else(|| self.next_vouches(index))
    }

    fn vouched_hash(&self, index: usize) -> Option<ChainHash> {
        self.anchor(index).or_else(|| self.next_prev(index))
    }

    /// Would the leaf be right if only its `prev` were that of the record before?
    fn prev_repairs(&self, index: usize) -> bool {
        let repaired = || {
            let prev = self.head_before(index)?;
            let leaf = LeafRef { prev, ..self.rows[index].leaf.ok()? };
            let leaf = leaf.encode().ok()?;
            Some(self.chain.link(&leaf) == self.vouched_hash(index)?)
        };
        repaired().unwrap_or(false)
    }

    fn altered(&self, index: usize, marks: &mut HashMap<usize, Mark>) {
        if let Some(vouched) = self.vouched_hash(index) {
            // A broken link to a leaf that is altered itself is no finding of its own.
            marks
                .entry(index)
                .and_modify(|mark| {
                    if matches!(mark, Mark::Broken { .. }) {
                        *mark = Mark::Altered { vouched };
                    }
                })
                .or_insert(Mark::Altered { vouched });
        }
    }

    fn blame_prev(&self, index: usize, marks: &mut HashMap<usize, Mark>) {
        if let Some(expected) = self.head_before(index) {
            marks.insert(index, Mark::Prev { expected });
        }
    }

    /// The first record of a segment does not continue the record before, which something else vouched for.
    fn judge_first(&self, marks: &mut HashMap<usize, Mark>) {
        let Some(expected) = self.head_before(0) else { return };
        let mark =
            if self.vouched(0) == Some(false) { Mark::Prev { expected } } else { Mark::Broken { expected } };
        marks.insert(0, mark);
    }
}

/// The field that, put back, makes a leaf hash to what is vouched for; with what it should be.
pub(super) fn name_field(
    chain: &ChainContext,
    vouched: ChainHash,
    repairs: impl IntoIterator<Item = (&'static str, LeafRefChange)>,
    leaf: &LeafRef<'_>,
) -> Option<(&'static str, String, String)> {
    repairs.into_iter().find_map(|(field, change)| {
        let (repaired, stored, expected) = change.apply(*leaf);
        let fits = repaired.encode().is_ok_and(|bytes| chain.link(&bytes) == vouched);
        fits.then_some((field, stored, expected))
    })
}

/// One field put back.
#[derive(Debug, Clone)]
pub(super) enum LeafRefChange {
    Actor(crate::key::KeyId),
    Body(crate::hash::Sha256Digest),
    Command(uuid::Uuid),
    CommandDigest(crate::hash::Sha256Digest),
    Prev(ChainHash),
    Seq(u64),
    StreamPrev(Option<u64>),
    StreamSeq(u64),
    Version(u32),
}

impl LeafRefChange {
    fn apply<'a>(&self, leaf: LeafRef<'a>) -> (LeafRef<'a>, String, String) {
        let place = |place: Option<u64>| place.map_or_else(|| "null".to_owned(), |place| place.to_string());
        match *self {
            Self::Actor(actor) => (LeafRef { actor, ..leaf }, leaf.actor.to_string(), actor.to_string()),
            Self::Body(body_sha256) => {
                (LeafRef { body_sha256, ..leaf }, leaf.body_sha256.to_string(), body_sha256.to_string())
            }
            Self::Command(command) => {
                (LeafRef { command, ..leaf }, leaf.command.to_string(), command.to_string())
            }
            Self::CommandDigest(command_sha256) => (
                LeafRef { command_sha256, ..leaf },
                leaf.command_sha256.to_string(),
                command_sha256.to_string(),
            ),
            Self::Prev(prev) => (LeafRef { prev, ..leaf }, leaf.prev.to_string(), prev.to_string()),
            Self::Seq(seq) => (LeafRef { seq, ..leaf }, leaf.seq.to_string(), seq.to_string()),
            Self::StreamPrev(stream_prev) => {
                (LeafRef { stream_prev, ..leaf }, place(leaf.stream_prev), place(stream_prev))
            }
            Self::StreamSeq(stream_seq) => {
                (LeafRef { stream_seq, ..leaf }, leaf.stream_seq.to_string(), stream_seq.to_string())
            }
            Self::Version(v) => (LeafRef { v, ..leaf }, leaf.v.to_string(), v.to_string()),
        }
    }
}
