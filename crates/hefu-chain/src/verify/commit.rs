//! Commits against the records they close.

use std::collections::HashMap;

use super::check::{CommitRow, Context, Row};
use super::finding::{Finding, FindingKind};
use crate::frame::HEADER_LEN;
use crate::hash::ChainHash;
use crate::key::Signature;
use crate::receipt::receipt_message;

/// The heads that the log signed, by position. Without a key they are taken at their word.
pub(super) fn anchors(commits: &[CommitRow]) -> HashMap<u64, ChainHash> {
    commits
        .iter()
        .filter(|commit| commit.signed.unwrap_or(commit.damage.is_none()))
        .filter_map(|commit| Some((commit.last()?, ChainHash(commit.commit.head))))
        .collect()
}

/// The commits of one segment and the records they should close.
pub(super) struct Commits<'r, 'a> {
    pub(super) context: &'r Context<'r>,
    pub(super) name: &'r str,
    /// In order of position.
    pub(super) rows: &'r [Row<'a>],
    /// Records in file order stand as they were written: counts and offsets can be compared.
    pub(super) tidy: bool,
    /// The first position of the segment.
    pub(super) first: u64,
    /// Records that are already known to be altered: their commit's head cannot fit.
    pub(super) altered: &'r dyn Fn(u64) -> bool,
}

impl Commits<'_, '_> {
    /// Every commit that is wrong.
    pub(super) fn judge(&self, commits: &[CommitRow]) -> Vec<Finding> {
        let mut in_file: Vec<&Row<'_>> = self.rows.iter().collect();
        in_file.sort_by_key(|row| row.offset);
        let mut findings = Vec::new();
        let mut rows_before = 0;
        for commit in commits {
            // The record that stands right before the commit frame, wherever it belongs.
            let closing = in_file.partition_point(|row| row.offset < commit.offset).checked_sub(1);
            findings.extend(self.wrong(commit, rows_before, closing.map(|at| in_file[at])));
            rows_before = commit.rows_before;
        }
        findings
    }

    fn wrong(&self, row: &CommitRow, rows_before: usize, closing: Option<&Row<'_>>) -> Option<Finding> {
        let place = |kind| {
            let finding = Finding::new(kind, self.name).offset(row.offset);
            match closing {
                Some(closing) => finding.position(closing.at),
                None => finding,
            }
        };
        if let Some(why) = row.damage {
            return Some(place(FindingKind::FrameDamaged).field("commit").stored(why));
        }
        let head = ChainHash(row.commit.head);
        if row.signed == Some(false) {
            // Signed for what stands here after all? Then only the commit's own fields were changed.
            let signed_for = closing.filter(|closing| self.signed_for(row, closing));
            return Some(match signed_for {
                Some(closing) if closing.link != head => {
                    place(FindingKind::CommitMismatch).field("head").stored(head).expected(closing.link)
                }
                Some(closing) => place(FindingKind::CommitMismatch)
                    .field("count")
                    .stored(row.commit.count)
                    .expected(closing.at.wrapping_sub(row.commit.first).wrapping_add(1)),
                None => place(FindingKind::CommitSignatureWrong)
                    .field("signature")
                    .stored(Signature(row.commit.signature)),
            });
        }
        let last = row.last()?;
        let record = self.rows.binary_search_by_key(&last, |record| record.at).ok().map(|at| &self.rows[at]);
        if let Some(record) = record
            && record.link != head
            && !(self.altered)(last)
        {
            return Some(place(FindingKind::CommitMismatch).field("head").stored(head).expected(record.link));
        }
        if !self.tidy {
            return None;
        }
        let mismatch = |field, stored: u64, expected: u64| {
            (stored != expected)
                .then(|| place(FindingKind::CommitMismatch).field(field).stored(stored).expected(expected))
        };
        let batch_offset = match rows_before.checked_sub(1) {
            _ if row.rows_before == rows_before => return mismatch("count", u64::from(row.commit.count), 0),
            None => HEADER_LEN as u64,
            Some(_) => self.rows.get(rows_before).map_or(row.commit.batch_offset, |record| record.offset),
        };
        mismatch("first", row.commit.first, self.first + rows_before as u64)
            .or_else(|| {
                mismatch("count", u64::from(row.commit.count), (row.rows_before - rows_before) as u64)
            })
            .or_else(|| mismatch("batch_offset", row.commit.batch_offset, batch_offset))
    }

    fn signed_for(&self, row: &CommitRow, closing: &Row<'_>) -> bool {
        self.context.log_keys.at(closing.at).is_some_and(|key| {
            let message = receipt_message(self.context.origin, closing.at, &closing.link);
            key.verify(&message, &Signature(row.commit.signature))
        })
    }
}
