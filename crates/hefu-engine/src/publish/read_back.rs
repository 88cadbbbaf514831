//! Reading back what is to be signed: nothing is signed because the writer said so.
//!
//! What was read back before an earlier signature is not read again; the new records are linked to the last of those,
//! which is found in the tree that was signed. `Publisher::everything` reads from record 0.

use std::collections::BTreeMap;

use hefu_chain::{
    chain::ChainContext,
    hash::{ChainHash, Sha256Digest},
    leaf::LeafRef,
    record::RecordRef,
    tree::TreeHash,
};
use hefu_store::{KnownHead, LogReader, StoreError};

use super::{PublishError, each, signatory::Signatory, tiles::Growing};
use crate::{answer::EngineError, head::receipt_of};

/// A log, and what is known of it from elsewhere.
pub(super) struct ReadBack<'a> {
    pub(super) log: &'a dyn LogReader,
    pub(super) size: u64,
    pub(super) signatory: &'a Signatory,
    /// The head file.
    pub(super) known: KnownHead,
}

impl ReadBack<'_> {
    /// Reads what the tiles do not have yet and adds it to them: links, digests, the newest commit, the head file.
    ///
    /// Gives the roots at the sizes in `marks` that it passed.
    pub(super) fn add_to(
        &self,
        tiles: &mut Growing,
        marks: &[u64],
        progress: &dyn Fn(u64),
    ) -> Result<BTreeMap<u64, TreeHash>, PublishError> {
        let chain = ChainContext::new(&self.signatory.origin);
        let from = tiles.edge.size();
        let mut roots = BTreeMap::from([(from, tiles.edge.root())]);
        let mut head = self.head_at(&chain, from)?;
        let mut command = Sha256Digest::of(b"");
        self.known_before(&chain, from)?;
        each(self.log, from, self.size, |record| {
            let leaf = link(&record, &mut command)?;
            if leaf.prev != head {
                return Err(bad(&record, "it is not linked to the record before"));
            }
            head = chain.link(record.leaf);
            tiles.push(TreeHash::leaf(record.leaf))?;
            let size = tiles.edge.size();
            if size == self.known.size {
                self.is_known(head)?;
            }
            if marks.contains(&size) {
                roots.insert(size, tiles.edge.root());
            }
            progress(1);
            Ok(())
        })?;
        let last = self.size.saturating_sub(1);
        let commit = self.log.commit_at(last)?.filter(|commit| {
            let whole = commit.end() == self.size && commit.head == head.0;
            whole && receipt_of(&self.signatory.origin, commit).verify(&self.signatory.public())
        });
        if commit.is_none() || tiles.edge.size() != self.size {
            let why = "its commit does not vouch for what was read".to_owned();
            return Err(EngineError::BadRecord { position: last, why }.into());
        }
        Ok(roots)
    }

    /// The head of the chain after so many records.
    fn head_at(&self, chain: &ChainContext, size: u64) -> Result<ChainHash, PublishError> {
        let Some(last) = size.checked_sub(1) else { return Ok(chain.start()) };
        let record = self.log.get(last)?;
        let record = record.ok_or_else(|| EngineError::bad_record(last)("it is missing".to_owned()))?;
        Ok(chain.link(&record.leaf))
    }

    /// The head file where it speaks of records that are not read now.
    fn known_before(&self, chain: &ChainContext, from: u64) -> Result<(), PublishError> {
        if self.known.size > self.size {
            return Err(StoreError::Behind { found: self.size, expected: self.known.size }.into());
        }
        if self.known.size > from {
            return Ok(());
        }
        self.is_known(self.head_at(chain, self.known.size)?)
    }

    fn is_known(&self, head: ChainHash) -> Result<(), PublishError> {
        let KnownHead { size, head: expected, .. } = self.known;
        if head.0 == expected {
            return Ok(());
        }
        Err(StoreError::Disagrees { size, expected, found: Some(head.0) }.into())
    }
}

/// Reads a leaf and holds body and command against the digests it names. What is withheld is not held against it.
fn link<'r>(record: &RecordRef<'r>, command: &mut Sha256Digest) -> Result<LeafRef<'r>, PublishError> {
    let leaf = LeafRef::parse(record.leaf).map_err(|error| bad(record, &error.to_string()))?;
    if !record.command.is_empty() {
        *command = Sha256Digest::of(record.command);
    }
    match () {
        () if leaf.seq != record.position => Err(bad(record, "its leaf belongs elsewhere")),
        () if record.body.is_empty() => Ok(leaf),
        () if Sha256Digest::of(record.body) != leaf.body_sha256 => {
            Err(bad(record, "its body is not the one its leaf names"))
        }
        () if record.redacted_by.is_none() && *command != leaf.command_sha256 => {
            Err(bad(record, "its command is not the one its leaf names"))
        }
        () => Ok(leaf),
    }
}

fn bad(record: &RecordRef<'_>, why: &str) -> PublishError {
    EngineError::bad_record(record.position)(why.to_owned()).into()
}
