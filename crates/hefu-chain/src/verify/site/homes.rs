//! Files of a site in each other's place: a whole bundle or tile that holds what belongs elsewhere is one bad file, not
//! hundreds of bad records. What belongs in its place is looked for where that file's content belongs.

use std::collections::HashMap;
use std::io;

use super::Site;
use super::bundles::Files;
use crate::tile::{Kind, Tile, join};
use crate::tree::TreeHash;
use crate::verify::entries::entries;
use crate::verify::finding::{Finding, FindingKind, Report};
use crate::verify::ladder::Climbed;

/// So many files that were moved in a ring are followed.
const RING: usize = 16;

/// Where the hashes of a tile belong.
pub(super) struct Homes<'a> {
    full: HashMap<TreeHash, u64>,
    edge: &'a [Option<TreeHash>],
}

impl<'a> Homes<'a> {
    pub(super) fn new(climbed: &'a Climbed) -> Self {
        let known = climbed.parents.iter().zip(0..).filter_map(|(hash, at)| Some(((*hash)?, at)));
        Self { full: known.collect(), edge: &climbed.edge }
    }

    /// The tile whose hashes these are, if the tree vouches for any.
    pub(super) fn of(&self, hashes: Vec<TreeHash>) -> Option<u64> {
        let full = self.full.len() as u64;
        if !self.edge.is_empty() && hashes.iter().copied().map(Some).eq(self.edge.iter().copied()) {
            return Some(full);
        }
        (hashes.len() == 256).then(|| join(hashes)).flatten().and_then(|root| self.full.get(&root).copied())
    }
}

/// A finding about a file that holds what belongs at `home`.
pub(super) fn elsewhere(kind: FindingKind, path: &str, index: u64, home: u64) -> Finding {
    let finding = Finding::new(kind, path).position(index * 256).field("file");
    let told = |index: u64| format!("what belongs at record {}", index * 256);
    finding.stored(told(home)).expected(told(index))
}

impl Site<'_> {
    /// Reports bundles and tiles that hold what belongs elsewhere, and takes what belongs in their place from where it
    /// lies. A file whose own content is nowhere is taken for missing.
    pub(super) fn put_back(
        &self,
        homes: &Homes<'_>,
        files: &mut [Files],
        strange: &[bool],
        report: &mut Report,
    ) -> io::Result<()> {
        for (file, _) in files.iter_mut().zip(strange).filter(|(_, strange)| **strange) {
            let home = file.bytes.as_deref().and_then(|bytes| homes.of(hashed(bytes)));
            if let Some(home) = home.filter(|home| *home != file.index) {
                report.findings.push(elsewhere(FindingKind::Swapped, &file.path, file.index, home));
                let read = |at| self.tile(Kind::Entries, at).map(|tile| self.bundle(tile)).transpose();
                let whole = |(_, bytes): &(String, Option<Vec<u8>>)| bytes.as_deref().map(hashed);
                let found = follow(homes, (file.index, home), read, whole)?;
                (file.path, file.bytes) = found.unwrap_or_else(|| (file.path.clone(), None));
            }
            let stored = self.source.read(&file.hashes.path)?.map(|bytes| told(&bytes));
            let home = stored.and_then(|hashes| homes.of(hashes));
            if let Some(home) = home.filter(|home| *home != file.index) {
                report.findings.push(elsewhere(
                    FindingKind::TileDamaged,
                    &file.hashes.path,
                    file.index,
                    home,
                ));
                let read = |at| match self.tile(Kind::Hashes(0), at) {
                    Some(tile) => self.source.read(&tile.to_string()),
                    None => Ok(None),
                };
                let found = follow(homes, (file.index, home), read, |bytes| Some(told(bytes)))?;
                match found {
                    Some(bytes) => file.hashes.put(told(&bytes)),
                    None => file.hashes.hashes.fill(None),
                }
            }
        }
        Ok(())
    }

    /// Reports what lies in the place of the last leaves' hashes, which were found in another file.
    pub(super) fn strayed_edge(&self, homes: &Homes<'_>, edge: u64, report: &mut Report) -> io::Result<()> {
        let Some(path) = self.tile(Kind::Hashes(0), edge).map(|tile| tile.to_string()) else { return Ok(()) };
        let home = self.source.read(&path)?.and_then(|bytes| homes.of(told(&bytes)));
        report.findings.push(match home {
            Some(home) => elsewhere(FindingKind::TileDamaged, &path, edge, home),
            None => Finding::new(FindingKind::TileMissing, &path),
        });
        Ok(())
    }

    fn tile(&self, kind: Kind, index: u64) -> Option<Tile> {
        Tile::at(kind, index, self.checkpoint.size)
    }
}

/// From the place where a file's content belongs to the place where that one's belongs, until what belongs at `index` is
/// found.
fn follow<F>(
    homes: &Homes<'_>,
    (index, home): (u64, u64),
    read: impl Fn(u64) -> io::Result<Option<F>>,
    hashes: impl Fn(&F) -> Option<Vec<TreeHash>>,
) -> io::Result<Option<F>> {
    let mut at = home;
    for _ in 0..RING {
        let Some(file) = read(at)? else { break };
        match hashes(&file).and_then(|hashes| homes.of(hashes)) {
            Some(found) if found == index => return Ok(Some(file)),
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(None)
}

fn hashed(bundle: &[u8]) -> Vec<TreeHash> {
    entries(bundle, 256).0.iter().map(|entry| TreeHash::leaf(entry.leaf)).collect()
}

fn told(tile: &[u8]) -> Vec<TreeHash> {
    tile.as_chunks().0.iter().map(|hash| TreeHash(*hash)).collect()
}
