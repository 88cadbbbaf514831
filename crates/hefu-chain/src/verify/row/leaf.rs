//! What the chain says of a leaf, and which of its fields was altered.

use super::Pass;
use crate::command::CommandRef;
use crate::hash::Sha256Digest;
use crate::leaf::LeafRef;
use crate::verify::check::{Command, Row};
use crate::verify::finding::{Finding, FindingKind};
use crate::verify::link::{self, LeafRefChange, Mark};

impl Pass<'_> {
    /// Reports what the chain says of the leaf, and names the altered field if a repair proves it.
    pub(super) fn leaf(
        &mut self,
        row: &Row<'_>,
        before: Option<&Row<'_>>,
        mark: Option<&Mark>,
    ) -> Option<&'static str> {
        let mark = *mark?;
        let finding = self.finding(FindingKind::LeafAltered, row);
        let prev = row.leaf.ok().map(|leaf| leaf.prev);
        let finding = match (mark, &row.leaf) {
            (Mark::Broken { expected }, _) => Finding { kind: FindingKind::LinkBroken, ..finding }
                .field("prev")
                .stored_opt(prev)
                .expected(expected),
            (Mark::Unlinked { next }, _) => {
                Finding { kind: FindingKind::LinkBroken, ..finding }.stored(row.link).expected(next)
            }
            (Mark::Prev { expected }, _) => finding.field("prev").stored_opt(prev).expected(expected),
            (Mark::Altered { vouched }, Err(bad)) => {
                let finding = finding.stored(row.link).expected(vouched);
                match bad {
                    crate::leaf::BadLeaf::Field(field) => finding.field(field),
                    crate::leaf::BadLeaf::Trailing | crate::leaf::BadLeaf::TooLong => finding,
                }
            }
            (Mark::Altered { vouched }, Ok(leaf)) => {
                let repairs = self.repairs(row, before, leaf);
                match link::name_field(&self.context.chain, vouched, repairs, leaf) {
                    Some((field, stored, expected)) => finding.field(field).stored(stored).expected(expected),
                    None => finding.stored(row.link).expected(vouched),
                }
            }
        };
        let field = finding.field;
        self.push(finding);
        field
    }

    /// What each field of the leaf should be, where something else tells.
    fn repairs(
        &self,
        row: &Row<'_>,
        before: Option<&Row<'_>>,
        leaf: &LeafRef<'_>,
    ) -> Vec<(&'static str, LeafRefChange)> {
        use LeafRefChange as Put;
        let mut repairs = vec![("seq", Put::Seq(row.at)), ("v", Put::Version(1))];
        repairs.extend(self.state.head.map(|head| ("prev", Put::Prev(head))));
        if !row.record.body.is_empty() {
            repairs.push(("body_sha256", Put::Body(Sha256Digest::of(row.record.body))));
        }
        if row.command == Command::Elsewhere {
            return self.stream_repairs(repairs, leaf);
        }
        if row.record.command.is_empty() {
            repairs.extend(self.state.command.map(|digest| ("command_sha256", Put::CommandDigest(digest))));
        } else {
            repairs.push(("command_sha256", Put::CommandDigest(Sha256Digest::of(row.record.command))));
        }
        let told = CommandRef::parse(row.record.command).ok().map(|command| (command.id, command.key));
        let told = told.or_else(|| before?.leaf.ok().map(|leaf| (leaf.command, leaf.actor)));
        if let Some((id, key)) = told {
            repairs.extend([("command", Put::Command(id)), ("actor", Put::Actor(key))]);
        }
        self.stream_repairs(repairs, leaf)
    }

    fn stream_repairs(
        &self,
        mut repairs: Vec<(&'static str, LeafRefChange)>,
        leaf: &LeafRef<'_>,
    ) -> Vec<(&'static str, LeafRefChange)> {
        use LeafRefChange as Put;
        let tip = self.state.streams.get(leaf.stream);
        repairs.push(("stream_seq", Put::StreamSeq(tip.map_or(0, |tip| tip.count))));
        repairs.push(("stream_prev", Put::StreamPrev(tip.map(|tip| tip.last))));
        repairs
    }
}
