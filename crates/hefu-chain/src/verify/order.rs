//! Which place each record belongs to, when the file does not show them in order.
//!
//! A record names its place twice: in its frame, which nothing protects, and in its leaf, which is chained. Where the
//! two differ, and where two records claim one place, the neighbours' hashes decide.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::check::Row;
use super::finding::FindingKind;
use crate::hash::ChainHash;
use crate::text::INTEGER_LIMIT;

/// What had to be done to get the records in order.
#[derive(Debug, Default)]
pub(super) struct Arranged<'a> {
    /// Records that have no place: duplicates and insertions.
    pub(super) extras: Vec<(FindingKind, Row<'a>)>,
    /// Places whose record stands elsewhere in the file.
    pub(super) swapped: HashSet<u64>,
    /// Nothing had to be done.
    pub(super) tidy: bool,
}

/// Gives every record its place and sorts by it. `next` is the first place, `limit` the one after the last, if a signed
/// commit tells; `head` is the chain value before `next`.
pub(super) fn arrange<'a>(
    rows: &mut Vec<Row<'a>>,
    next: u64,
    limit: Option<u64>,
    head: Option<ChainHash>,
) -> Arranged<'a> {
    let in_place = |(row, at): (&Row<'_>, u64)| row.at == at && row.leaf.is_ok_and(|leaf| leaf.seq == at);
    if rows.iter().zip(next..).all(in_place) {
        return Arranged { tidy: true, ..Arranged::default() };
    }
    let neighbours = Neighbours::new(rows, next, head);
    settle_claims(rows, &neighbours, limit);

    let mut arranged = Arranged::default();
    let mut claims: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        claims.entry(row.at).or_default().push(index);
    }
    let mut extras: HashMap<usize, FindingKind> = HashMap::new();
    for (at, claimants) in &claims {
        if *at < next || *at >= limit.unwrap_or(INTEGER_LIMIT) {
            extras.extend(claimants.iter().map(|index| (*index, FindingKind::Inserted)));
            continue;
        }
        let best = claimants.iter().copied().max_by_key(|index| {
            // Among equals the first in the file.
            (neighbours.fit(&rows[*index], *at), std::cmp::Reverse(*index))
        });
        let Some(best) = best else { continue };
        for index in claimants.iter().copied().filter(|index| *index != best) {
            let (one, other) = (&rows[best].record, &rows[index].record);
            let same = (one.leaf, one.body, one.command) == (other.leaf, other.body, other.command);
            extras.insert(index, if same { FindingKind::Duplicated } else { FindingKind::Inserted });
        }
    }
    let mut kept = Vec::with_capacity(rows.len());
    for (index, row) in rows.drain(..).enumerate() {
        match extras.get(&index) {
            Some(kind) => arranged.extras.push((*kind, row)),
            None => kept.push(row),
        }
    }
    let in_file: Vec<u64> = kept.iter().map(|row| row.at).collect();
    kept.sort_by_key(|row| row.at);
    arranged.swapped =
        kept.iter().zip(in_file).filter(|(row, in_file)| row.at != *in_file).map(|(row, _)| row.at).collect();
    *rows = kept;
    arranged
}

/// Gives one place to each record whose frame and leaf disagree, or whose leaf cannot be read.
fn settle_claims(rows: &mut [Row<'_>], neighbours: &Neighbours, limit: Option<u64>) {
    let mut before = neighbours.next.checked_sub(1);
    let mut taken: HashSet<u64> = neighbours.links.keys().copied().collect();
    for row in rows {
        let seq = row.leaf.ok().map(|leaf| leaf.seq);
        if seq != Some(row.record.position) {
            let follows = before.map_or(0, |before| before.saturating_add(1));
            let claims = [seq, Some(row.record.position), Some(follows)];
            let free = |at: &u64| {
                !taken.contains(at) && *at >= neighbours.next && limit.is_none_or(|limit| *at < limit)
            };
            let claims = || claims.iter().flatten().copied();
            let fitting = claims().find(|at| neighbours.fit(row, *at) > 0);
            // Without a neighbour's word the frame is believed, then the place after the record before.
            let other = || claims().skip(usize::from(seq.is_some())).find(free);
            row.at = fitting.or_else(other).unwrap_or(row.record.position);
            taken.insert(row.at);
        }
        before = Some(row.at);
    }
}

/// The chain around each place, as told by records whose frame and leaf agree.
struct Neighbours {
    next: u64,
    head: Option<ChainHash>,
    links: HashMap<u64, Vec<ChainHash>>,
    prevs: HashMap<u64, Vec<ChainHash>>,
}

impl Neighbours {
    fn new(rows: &[Row<'_>], next: u64, head: Option<ChainHash>) -> Self {
        let mut links: HashMap<u64, Vec<ChainHash>> = HashMap::new();
        let mut prevs: HashMap<u64, Vec<ChainHash>> = HashMap::new();
        for row in rows {
            if let Ok(leaf) = row.leaf
                && leaf.seq == row.record.position
            {
                links.entry(leaf.seq).or_default().push(row.link);
                prevs.entry(leaf.seq).or_default().push(leaf.prev);
            }
        }
        Self { next, head, links, prevs }
    }

    /// How many of the two neighbours of this place fit this record.
    fn fit(&self, row: &Row<'_>, at: u64) -> u8 {
        let has = |map: &HashMap<u64, Vec<ChainHash>>, at: Option<u64>, hash: ChainHash| {
            at.and_then(|at| map.get(&at)).is_some_and(|known| known.contains(&hash))
        };
        let prev = row.leaf.ok().map(|leaf| leaf.prev);
        let before = prev.is_some_and(|prev| {
            has(&self.links, at.checked_sub(1), prev) || (at == self.next && self.head == Some(prev))
        });
        let after = has(&self.prevs, at.checked_add(1), row.link);
        u8::from(before) + u8::from(after)
    }
}
