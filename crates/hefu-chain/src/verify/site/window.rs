//! Some bundles of entries, judged together: the tree says what each leaf is, the chain how they follow one another.

use std::collections::HashMap;

use super::Site;
use super::bundles::{Files, Part, settled};
use crate::hash::ChainHash;
use crate::tile::{Kind, Tile};
use crate::tree::TreeHash;
use crate::verify::check::{Context, Row};
use crate::verify::finding::{Finding, FindingKind, Report};
use crate::verify::ladder::{Climbed, Ladder};
use crate::verify::link::{self, Before};
use crate::verify::order;
use crate::verify::row::{Pass, State};

/// Some bundles that are judged together.
pub(super) struct Window<'a, 'w> {
    pub(super) site: &'a Site<'a>,
    pub(super) context: &'a Context<'a>,
    pub(super) climbed: &'a Climbed,
    pub(super) files: &'w [Files],
}

impl<'w> Window<'_, 'w> {
    pub(super) fn judge(&mut self, parts: Vec<Part<'w>>, state: &mut State, report: &mut Report) {
        let first = self.files.first().map_or(0, |file| file.index * 256);
        let limit = self.files.last().map_or(0, |file| file.index * 256 + u64::from(file.tile.width()));
        let already = report.findings.len();
        let clean = parts.iter().all(|part| part.clean);
        let mut truth: Vec<Option<TreeHash>> = Vec::new();
        // Hashes of tiles that differ from what is there where nothing vouches for either.
        let mut open: HashMap<u64, Finding> = HashMap::new();
        let mut rows = Vec::new();
        let mut in_order = Vec::new();
        for (part, file) in parts.into_iter().zip(self.files) {
            if !clean {
                let settled = settled(file, self.climbed, &part.hashes);
                if file.bytes.is_none() {
                    let finding = Finding::new(FindingKind::TileMissing, &file.path);
                    let range = format!(
                        "records {} to {}",
                        file.index * 256,
                        file.index * 256 + u64::from(file.tile.width()) - 1
                    );
                    report.findings.push(finding.expected(range));
                }
                if file.tile.is_full()
                    && let Ok(tile) = Tile::new(Kind::Hashes(0), file.index, 256)
                {
                    Ladder::tell(tile, &file.hashes, &settled.hashes, &mut report.findings);
                }
                if let Ok(tile) = Tile::new(Kind::Hashes(0), file.index, file.tile.width()) {
                    for at in (0..settled.hashes.len()).filter(|at| settled.hashes[*at].is_none()) {
                        let stored = file.hashes.hashes.get(at).copied().flatten();
                        if let (Some(stored), Some(there)) = (stored, part.hashes.get(at).copied().flatten())
                        {
                            let finding = file.hashes.damaged(tile, at).stored(stored).expected(there);
                            open.insert(file.index * 256 + at as u64, finding);
                        }
                    }
                }
                truth.extend(settled.hashes);
            }
            report.findings.extend(part.findings);
            let whole = part.rows.len() == usize::from(file.tile.width());
            in_order.extend(std::iter::repeat_n(whole, part.rows.len()));
            rows.extend(part.rows);
        }
        let name = "";
        let mut pass = Pass {
            context: self.context,
            name,
            schemas: self.site.options.schemas,
            watch: None,
            state,
            report,
        };
        let count = rows.len() as u64;
        pass.report.records += count;
        pass.entries(rows, &Truth { first, limit, hashes: truth, in_order, clean }, open);
        for finding in &mut report.findings[already..] {
            if finding.segment.is_empty() {
                let tile = finding
                    .position
                    .and_then(|at| Tile::at(Kind::Entries, at / 256, self.site.checkpoint.size));
                finding.segment = tile.map_or_else(|| "tile/entries".to_owned(), |tile| tile.to_string());
            }
        }
        report.findings[already..].sort_by_key(|finding| (finding.position, finding.offset));
        self.site.progress(count);
    }
}

/// What the tree says of the leaves of a window.
struct Truth {
    first: u64,
    limit: u64,
    hashes: Vec<Option<TreeHash>>,
    /// Of each row: its bundle has as many entries as it should.
    in_order: Vec<bool>,
    clean: bool,
}

impl Truth {
    fn at(&self, position: u64) -> Option<TreeHash> {
        let at = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.hashes.get(at).copied()?
    }
}

impl Pass<'_> {
    /// Judges leaves that have neither bodies nor commits; the tree stands in for signed heads.
    fn entries(&mut self, mut rows: Vec<Row<'_>>, truth: &Truth, mut open: HashMap<u64, Finding>) {
        let mut anchors: HashMap<u64, ChainHash> = HashMap::new();
        if !truth.clean {
            // A leaf that the tree has in another place stands in the wrong one.
            let places: HashMap<TreeHash, u64> = truth
                .hashes
                .iter()
                .zip(truth.first..)
                .filter_map(|(hash, at)| Some(((*hash)?, at)))
                .collect();
            for (row, in_order) in rows.iter_mut().zip(&truth.in_order) {
                let place = row.tree.and_then(|tree| places.get(&tree).copied());
                // In a bundle of the right number of entries an altered leaf stands where it belongs.
                let named = row.leaf.ok().map(|leaf| leaf.seq).filter(|_| !in_order);
                if truth.at(row.at) != row.tree
                    && let Some(place) = place.or(named)
                {
                    row.record.position = place;
                    row.at = place;
                }
                if row.tree.is_some() && truth.at(row.at) == row.tree {
                    anchors.insert(row.at, row.link);
                }
            }
        }
        let first = self.state.next;
        let arranged = order::arrange(&mut rows, first, Some(truth.limit), self.state.head);
        let before = Before { next: first, head: self.state.head, doubtful: self.state.doubtful };
        let marks = link::judge(&self.context.chain, &rows, before, &anchors);
        for (kind, row) in &arranged.extras {
            let finding = self.finding(*kind, row).stored(row.link);
            self.push(finding);
        }
        for (index, row) in rows.iter().enumerate() {
            if row.at > self.state.next {
                self.gap(row.at, 0..0, &mut Vec::new());
            }
            let already = self.report.findings.len();
            let before = index.checked_sub(1).map(|before| &rows[before]);
            self.row(row, before, marks.get(&index), &arranged);
            let about_leaf = |finding: &Finding| {
                matches!(
                    finding.kind,
                    FindingKind::LeafAltered | FindingKind::LinkBroken | FindingKind::UnknownSchema
                )
            };
            // What an altered leaf says of its stream and time is nobody's word.
            if matches!((truth.at(row.at), row.tree), (Some(known), Some(tree)) if known != tree) {
                let said = self.report.findings.split_off(already);
                let hearsay = |finding: &Finding| {
                    matches!(finding.kind, FindingKind::StreamBroken | FindingKind::TimeWentBack)
                };
                self.report.findings.extend(said.into_iter().filter(|finding| !hearsay(finding)));
            }
            let told = self.report.findings[already..].iter().any(about_leaf);
            match (truth.at(row.at), row.tree) {
                (Some(known), Some(tree)) if known != tree && !told => {
                    let finding = self.finding(FindingKind::LeafAltered, row).stored(tree).expected(known);
                    self.push(finding);
                }
                (None, Some(_)) if !told => self.report.findings.extend(open.remove(&row.at)),
                _ => {}
            }
        }
        if truth.limit > self.state.next {
            self.gap(truth.limit, 0..0, &mut Vec::new());
        }
    }
}
