//! A segment as a file: its header, its order, what is missing from it, its commits, and what stands after the last.

use super::Segment;
use super::check::{CommitRow, Hole, Row, Sorted};
use super::commit::{Commits, anchors};
use super::finding::{Finding, FindingKind};
use super::link;
use super::order;
use super::row::Pass;
use crate::frame::FileHeader;
use crate::hash::ChainHash;
use crate::text::INTEGER_LIMIT;

/// No log has more records than integers go; arithmetic on positions relies on it.
fn believable(position: u64) -> bool {
    position < INTEGER_LIMIT
}

impl Pass<'_> {
    /// Judges one segment.
    pub(super) fn judge(&mut self, segment: Segment<'_>, mut sorted: Sorted<'_>, last: bool) {
        let already = self.report.findings.len();
        if !self.state.started {
            self.state.started = true;
            self.state.head = Some(self.context.chain.start());
            self.name.clone_into(&mut self.state.first_segment);
        }
        self.name.clone_into(&mut self.state.segment);
        self.header(segment);
        let tail = self.split_tail(&mut sorted, last);
        self.report.records += sorted.rows.len() as u64;
        self.report.commits += sorted.commits.len() as u64;

        let sound = |commit: &&CommitRow| commit.damage.is_none() && commit.signed != Some(false);
        let limit = sorted
            .commits
            .iter()
            .filter(sound)
            .filter_map(CommitRow::last)
            .filter(|at| believable(*at))
            .max()
            .map(|last| last + 1);
        let first = self.state.next;
        let mut rows = sorted.rows;
        let mut arranged = order::arrange(&mut rows, first, limit, self.state.head);
        let anchors = anchors(&sorted.commits);
        let before = link::Before { next: first, head: self.state.head, doubtful: self.state.doubtful };
        let marks = link::judge(&self.context.chain, &rows, before, &anchors);

        for (kind, row) in arranged.extras.drain(..) {
            let finding = self.finding(kind, &row).stored(row.link);
            self.report.findings.push(finding);
        }
        let mut holes = sorted.holes;
        let mut offset = 0;
        for (index, row) in rows.iter().enumerate() {
            if row.at > self.state.next {
                arranged.tidy = false;
                self.gap(row.at, offset..row.offset, &mut holes);
            }
            offset = row.offset;
            self.row(row, index.checked_sub(1).map(|before| &rows[before]), marks.get(&index), &arranged);
        }
        if let Some(limit) = limit.filter(|limit| *limit > self.state.next) {
            arranged.tidy = false;
            self.gap(limit, offset..u64::MAX, &mut holes);
        }
        self.holes(&holes, &rows);
        let altered = |at: u64| {
            let index = rows.binary_search_by_key(&at, |row| row.at).ok();
            index.and_then(|index| marks.get(&index)).is_some()
        };
        let commits = Commits {
            context: self.context,
            name: self.name,
            rows: &rows,
            tidy: arranged.tidy && holes.is_empty(),
            first,
            altered: &altered,
        };
        self.report.findings.extend(commits.judge(&sorted.commits));
        if let Some(tail) = tail {
            self.report.findings.push(tail.position(self.state.next));
        }
        self.report.findings[already..].sort_by_key(|finding| (finding.position, finding.offset));
    }

    fn header(&mut self, segment: Segment<'_>) {
        let named = segment
            .name
            .strip_suffix(".seg")
            .and_then(|base| base.parse::<u64>().ok())
            .filter(|at| believable(*at));
        let wrong = || Finding::new(FindingKind::HeaderDamaged, self.name).offset(0);
        let finding = match FileHeader::parse(segment.bytes) {
            Err(why) => Some(wrong().stored(why)),
            Ok(header) => {
                let prev = ChainHash(header.prev_head);
                let sure = self.state.head.filter(|_| header.base == self.state.next && !self.state.doubtful);
                if let Some(named) = named.filter(|named| *named != header.base) {
                    Some(wrong().field("base").stored(header.base).expected(named))
                } else {
                    sure.filter(|head| *head != prev)
                        .map(|head| wrong().field("prev").stored(prev).expected(head))
                }
            }
        };
        self.report.findings.extend(finding);
        if let Some(base) = named.filter(|base| *base > self.state.next) {
            self.gap(base, 0..0, &mut Vec::new());
        }
    }

    /// Takes away what stands after the last commit: in the last file it does not count, elsewhere it must not be.
    fn split_tail(&self, sorted: &mut Sorted<'_>, last: bool) -> Option<Finding> {
        let end = sorted.commits.iter().rposition(|commit| commit.damage.is_none() || !last);
        let (kept, end) = match end {
            None => (0, 0),
            Some(at) => (at + 1, sorted.commits[at].offset),
        };
        let rows = sorted.commits.get(kept.wrapping_sub(1)).map_or(0, |commit| commit.rows_before);
        let offsets = [
            sorted.rows.get(rows).map(|row| row.offset),
            sorted.holes.iter().map(|hole| hole.offset).find(|offset| *offset > end),
            sorted.commits.get(kept).map(|commit| commit.offset),
            sorted.zeros.filter(|_| !last),
        ];
        let offset = offsets.into_iter().flatten().min()?;
        if last {
            sorted.rows.truncate(rows);
            sorted.commits.truncate(kept);
            sorted.holes.retain(|hole| hole.offset < end);
            Some(Finding::new(FindingKind::TornTail, self.name).offset(offset))
        } else {
            let sealed = "a sealed file ends at its last commit";
            Some(
                Finding::new(FindingKind::CommitMismatch, self.name)
                    .offset(offset)
                    .field("commit")
                    .expected(sealed),
            )
        }
    }

    /// Records from `next` up to `to` are not there; damaged bytes in between may be what is left of them.
    pub(super) fn gap(&mut self, to: u64, between: std::ops::Range<u64>, holes: &mut Vec<Hole>) {
        let from = self.state.next;
        let hole = holes.iter().position(|hole| between.contains(&hole.offset)).map(|at| holes.remove(at));
        let finding = match hole {
            Some(hole) => {
                Finding::new(FindingKind::FrameDamaged, self.name).offset(hole.offset).stored(hole.why)
            }
            None => Finding::new(FindingKind::Missing, self.name),
        };
        let range =
            if from + 1 == to { format!("record {from}") } else { format!("records {from} to {}", to - 1) };
        self.report.findings.push(finding.position(from).expected(range));
        match usize::try_from(to - from).ok().filter(|missing| *missing < 1 << 24) {
            Some(missing) => {
                self.state.leaves.iter_mut().for_each(|leaves| leaves.extend(vec![None; missing]));
            }
            None => self.state.leaves = None,
        }
        self.state.next = to;
        self.state.head = None;
        self.state.command = None;
        self.state.order = None;
        self.state.doubtful = false;
        self.state.unsure = Some(to - 1);
    }

    /// Damaged bytes that stand for no missing record: a commit, or bytes that do not belong here.
    fn holes(&mut self, holes: &[Hole], rows: &[Row<'_>]) {
        for hole in holes {
            let before = rows.iter().filter(|row| row.offset < hole.offset).max_by_key(|row| row.offset);
            let position = before.map_or(self.state.next, |row| row.at);
            let finding =
                Finding::new(FindingKind::FrameDamaged, self.name).at(position, hole.offset).stored(hole.why);
            self.report.findings.push(finding);
        }
    }
}
