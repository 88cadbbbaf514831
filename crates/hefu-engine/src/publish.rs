//! What the ledger shows to people who do not trust it: checkpoints of the tree over its leaves, a site of tiles, and
//! proofs.
//!
//! Nothing is signed that was not read back from the disk: every link of the chain, every digest a leaf names, the
//! receipt of the last commit, the head file, and the checkpoint signed before. What was read back before that
//! checkpoint was signed is not read again. `checkpoint` in the ledger's directory holds the newest one; it is durable
//! before anybody sees it, and what does not continue it is not signed. No record is locked out meanwhile: a writer
//! may go on; only two publishers wait for each other.

mod bundle;
mod cosign;
mod error;
pub(crate) mod files;
mod notary;
mod pin;
mod prover;
mod read_back;
mod shown;
mod signatory;
mod site;
mod tiles;

use std::{
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use hefu_chain::{
    checkpoint::Checkpoint,
    key::SecretKey,
    leaf::LeafRef,
    note::{Note, VerifierKey},
    record::RecordRef,
    tile::TileBuilder,
};
use hefu_store::{KnownHead, LogReader};

use self::{
    files::{folder_of, read, replace, take_turn},
    pin::{PinBytes, Pins, SIGNED, continues, disagrees, leads_to, rebuild, shorter},
    read_back::ReadBack,
    tiles::Tiles,
};
pub(crate) use self::{
    notary::{Desk, Notary},
    pin::hold,
    prover::{intact, vouched_for},
    signatory::Signatory,
};
use crate::{
    answer::{Disagreement, EngineError},
    head::{read_head, vouched},
    keys::{KeyStore, StoredKey},
    reader::log_reader,
};

pub use bundle::{Bundled, Positions, Wanted, bundle};
pub use cosign::{Cosigner, GrowthProof, NotCosigned, Unheld};
pub use error::PublishError;
pub use notary::{Schedule, Standing};
pub use prover::{Prover, prove};
pub use shown::Shown;
pub use site::{Export, Exported, SiteProblem};

/// Name of the newest checkpoint, in a ledger's directory and in a site.
const CHECKPOINT: &str = "checkpoint";

/// A checkpoint with the log's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note, with the signatures of others if there are any.
    pub note: Note,
}

/// A ledger opened for publishing, at its end at that moment.
pub struct Publisher {
    dir: PathBuf,
    log: Arc<dyn LogReader>,
    size: u64,
    key: StoredKey,
    signatory: Signatory,
    known: KnownHead,
    pins: Pins,
    cosigner: Option<Arc<dyn Cosigner>>,
    everything: bool,
    /// Held as long as this lives, so that an older checkpoint never replaces a newer one.
    _turn: File,
}

impl Publisher {
    /// Opens a ledger. Waits for another publisher to finish; needs the log's key.
    pub fn open(dir: &Path) -> Result<Publisher, PublishError> {
        Publisher::beside(dir, take_turn(dir)?, || log_reader(dir))
    }

    /// The same with the turn taken, beside a writer.
    fn beside(
        dir: &Path,
        turn: File,
        log: impl FnOnce() -> Result<Arc<dyn LogReader>, EngineError>,
    ) -> Result<Publisher, PublishError> {
        let keys = KeyStore::beside(dir);
        keys.has_log_key()?;
        // These come before the log: what they stand for must be in it, whatever a writer adds meanwhile.
        let (known, head) = read_head(dir)?;
        let pins = PinBytes::read(dir)?;
        let log = log()?;
        let size = log.size();
        let signatory = Signatory::of(&*log)?;
        vouched(dir, &head, &signatory)?;
        let key = keys.log_key(&signatory.public())?;
        let pins = pins.judge(dir, &signatory)?;
        let (dir, cosigner) = (dir.to_owned(), None);
        Ok(Publisher {
            dir,
            log,
            size,
            key,
            signatory,
            known,
            pins,
            cosigner,
            everything: false,
            _turn: turn,
        })
    }

    /// Nothing is signed if these saw what the log does not continue, or published before they have agreed.
    #[must_use]
    pub fn cosigned_by(self, cosigner: Arc<dyn Cosigner>) -> Publisher {
        Publisher { cosigner: Some(cosigner), ..self }
    }

    /// Reads everything back from record 0, also what was read back before an earlier signature.
    #[must_use]
    pub fn everything(self) -> Publisher {
        Publisher { everything: true, ..self }
    }

    /// How many records there are to publish.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many records the newest signed checkpoint stands for: these need not be read back again.
    pub fn signed_size(&self) -> u64 {
        self.pins.all(&self.dir).first().map_or(0, |(_, checkpoint)| checkpoint.size)
    }

    /// The key that checkpoints are checked with.
    pub fn verifier(&self) -> &VerifierKey {
        self.signatory.verifier()
    }

    /// Signs a checkpoint of the whole log and pins it. `progress` hears of records read.
    pub fn checkpoint(&mut self, progress: &dyn Fn(u64)) -> Result<Published, PublishError> {
        self.publish(None, progress)
    }

    /// Signs a checkpoint and brings a site of tiles up to it. The site's own checkpoint is written last.
    pub fn export(&mut self, to: &Export, progress: &dyn Fn(u64)) -> Result<Exported, PublishError> {
        site::export(self, to, progress)
    }

    /// Reads back what is new, signs, has cosigned, pins. The pinned checkpoints and that of a site must be continued.
    fn publish(
        &mut self,
        site: Option<(&Path, &Checkpoint)>,
        progress: &dyn Fn(u64),
    ) -> Result<Published, PublishError> {
        if let Some(cosigner) = &self.cosigner {
            let shown = Shown::of(self.log.clone(), &self.dir, &self.signatory, &self.pins);
            match cosigner.hold(&shown) {
                // Too few may still cosign; that is for them to say once they are asked.
                Ok(()) | Err(Unheld::TooFew { .. }) => {}
                Err(seen @ Unheld::Contradicted { .. }) => return Err(EngineError::from(seen).into()),
            }
        }
        let tiles = Tiles::of(&self.dir);
        let mut earlier = self.pins.all(&self.dir);
        let base = earlier.first().cloned();
        earlier.extend(site.map(|(path, checkpoint)| (path.to_owned(), checkpoint.clone())));
        for (path, checkpoint) in &earlier {
            shorter(path, checkpoint, self.size)?;
        }
        let start = match base.as_ref().filter(|_| !self.everything) {
            Some((path, checkpoint)) => self.go_on(&tiles, path, checkpoint, progress)?,
            None => TileBuilder::new(),
        };
        let from = start.size();
        let mut growing = tiles.grow(start);
        let marks: Vec<u64> = earlier.iter().map(|(_, checkpoint)| checkpoint.size).collect();
        let Publisher { log, size, signatory, known, .. } = self;
        let back = ReadBack { log: &**log, size: *size, signatory, known: *known };
        let roots = back.add_to(&mut growing, &marks, progress)?;
        let root = growing.settle()?.root();
        for (path, old) in &earlier {
            let same = match &base {
                Some((path, base)) if old.size < from => self.grew(&tiles, old, (path, base), progress)?,
                Some(_) | None => roots.get(&old.size) == Some(&old.root),
            };
            if !same {
                return Err(disagrees(path, old, self.size, Disagreement::Root).into());
            }
        }
        let origin = self.signatory.origin.clone();
        self.pin(&tiles, Checkpoint { origin, size: self.size, root })
    }

    /// The right edge of the tree that was signed last, from the tiles or else from the log.
    fn go_on(
        &self,
        tiles: &Tiles,
        path: &Path,
        checkpoint: &Checkpoint,
        progress: &dyn Fn(u64),
    ) -> Result<TileBuilder, PublishError> {
        match tiles.edge(checkpoint).filter(|_| continues(&*self.log, tiles, checkpoint)) {
            Some(edge) => Ok(edge),
            None => rebuild(&*self.log, Some(tiles), (path, checkpoint), progress),
        }
    }

    /// Whether the tree that was signed last grew from that of an older checkpoint.
    fn grew(
        &self,
        tiles: &Tiles,
        old: &Checkpoint,
        (path, base): (&Path, &Checkpoint),
        progress: &dyn Fn(u64),
    ) -> Result<bool, PublishError> {
        if leads_to(tiles, old, base) {
            return Ok(true);
        }
        // Either the checkpoint is another history's or a tile is wrong: the records themselves decide.
        rebuild(&*self.log, Some(tiles), (path, base), progress)?;
        Ok(leads_to(tiles, old, base))
    }

    /// The log's key, and the one it replaced if that still signs and is here.
    fn signers(&self) -> Result<Vec<SecretKey>, PublishError> {
        let mut signers = vec![self.key.secret.clone()];
        let last = self.size.saturating_sub(1);
        let record = self.log.get(last)?;
        let bad = EngineError::bad_record(last);
        let record = record.ok_or_else(|| bad("it is missing".to_owned()))?;
        let leaf = LeafRef::parse(&record.leaf).map_err(|error| bad(error.to_string()))?;
        let ts = leaf.ts.parse().map_err(|_| bad("its time cannot be read".to_owned()))?;
        if let Some(old) = self.signatory.also(ts) {
            // Without it the new key's signature is enough; who knows the old key only learns the new one sooner.
            match KeyStore::beside(&self.dir).log_key(&old) {
                Ok(old) => signers.push(old.secret),
                Err(EngineError::ForeignLogKey { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(signers)
    }

    /// Signs, lets others cosign, and makes the result durable.
    fn pin(&mut self, tiles: &Tiles, checkpoint: Checkpoint) -> Result<Published, PublishError> {
        let (path, signed) = (self.dir.join(CHECKPOINT), self.dir.join(SIGNED));
        let part = self.dir.join("checkpoint.part");
        let before = self.pins.published.clone().filter(|before| before.checkpoint == checkpoint);
        let enough = |before: &Published| self.cosigner.as_ref().is_none_or(|c| c.is_enough(before));
        let mut published = match before {
            Some(before) if enough(&before) => return Ok(before),
            Some(before) => before,
            None => Signatory::sign(checkpoint, &self.signers()?)?,
        };
        if let Some(cosigner) = &self.cosigner {
            if self.pins.signed.as_ref() != Some(&published) {
                replace(&part, &signed, published.note.to_string().as_bytes())?;
                self.pins.signed = Some(published.clone());
            }
            let size = published.checkpoint.size;
            let prover = Prover::of(self.log.clone(), tiles.clone(), published.clone(), signed.clone())?;
            let growth = |old: u64| prover.consistency(old, size);
            for line in cosigner.cosign(&published, &growth)? {
                let known = |other: &hefu_chain::note::NoteSignature| {
                    other.name() == line.name() && other.id() == line.id()
                };
                if !published.note.signatures().iter().any(known) {
                    let added = published.note.add(line);
                    added.map_err(|error| NotCosigned { why: error.to_string() })?;
                }
            }
        }
        replace(&part, &path, published.note.to_string().as_bytes())?;
        self.pins = Pins { published: Some(published.clone()), signed: None };
        // It says nothing more than the published one; that it is gone need not be durable.
        match fs::remove_file(&signed) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(EngineError::file("remove", &signed)(error).into())
            }
            Ok(()) | Err(_) => Ok(published),
        }
    }
}

/// Visits the records `from..until` until one fails.
fn each(
    log: &dyn LogReader,
    from: u64,
    until: u64,
    mut visit: impl FnMut(RecordRef<'_>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mut failed = None;
    if from < until {
        log.scan(from, &mut |record| {
            let last = record.position + 1 >= until;
            match visit(record) {
                Ok(()) if !last => ControlFlow::Continue(()),
                Ok(()) => ControlFlow::Break(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
    }
    failed.map_or(Ok(()), Err)
}
