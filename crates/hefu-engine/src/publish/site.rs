//! A static site of tiles, as c2sp.org/tlog-tiles says: a folder that any web server can give away.
//!
//! A site grows: only the tiles that its last checkpoint did not have are written, and that checkpoint is replaced last,
//! when everything it speaks of is durable. A run that was cut short is simply run again. Partial tiles of sizes that
//! were published stay: somebody may hold such a checkpoint.

use std::{
    collections::BTreeSet,
    fmt,
    fs::{self, File},
    path::{Path, PathBuf},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    note::VerifierKey,
    tile::{Kind, Tile, TileBuilder, encode_entries, encode_hashes},
    tree::TreeHash,
};

use super::{CHECKPOINT, PublishError, Published, Publisher, each, folder_of, open_note, read, replace};
use crate::{answer::EngineError, open::sync_folder};

/// What to export, and where to.
#[derive(Debug, Clone)]
pub struct Export {
    /// The folder of the site.
    pub dir: PathBuf,
    /// Leave out the entries: leaves tell who is losing which project.
    pub public: bool,
    /// Where to write the key that checkpoints are checked with; never inside the site, whoever serves it.
    pub vkey: Option<PathBuf>,
}

/// What an export did.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The checkpoint it is at.
    pub published: Published,
    /// How many records the site had before.
    pub from: u64,
    /// How many tiles were written.
    pub files: u64,
}

/// Why a place is not fit for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteProblem {
    /// It is in the ledger's own directory.
    Inside,
    /// It holds something else.
    Foreign,
    /// It holds entries, so it cannot become public.
    HasEntries,
    /// It was made without entries, so it cannot go on with them.
    LacksEntries,
    /// The file for the key would be in the site.
    KeyInside,
}

impl fmt::Display for SiteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inside => "a site cannot be inside the ledger",
            Self::Foreign => "the folder is not empty and holds no site",
            Self::HasEntries => "the site holds entries",
            Self::LacksEntries => "the site was made without entries",
            Self::KeyInside => "the key must not be inside the site it is to check",
        })
    }
}

/// See [`Publisher::export`].
pub(super) fn export(
    publisher: &Publisher,
    to: &Export,
    progress: &dyn Fn(u64),
) -> Result<Exported, PublishError> {
    let old = survey(&publisher.dir, to, &publisher.verifier)?;
    let path = to.dir.join(CHECKPOINT);
    let known = old.as_ref().map(|old| (path.as_path(), &old.checkpoint));
    let (published, builder) = publisher.publish(known, progress)?;
    let Checkpoint { size, root, .. } = published.checkpoint;
    let from = old.as_ref().map_or(0, |old| old.checkpoint.size);
    fs::create_dir_all(&to.dir).map_err(EngineError::file("create", &to.dir))?;
    let mut site = Site { dir: &to.dir, from, public: to.public, files: 0, written: Vec::new() };
    if site.grow(publisher, builder, progress)? != root {
        let why = "the log reads differently the second time".to_owned();
        return Err(EngineError::BadRecord { position: size.saturating_sub(1), why }.into());
    }
    site.settle()?;
    if old.is_none_or(|old| old.note != published.note) {
        replace(&site.part(), &path, published.note.to_string().as_bytes())?;
    }
    if let Some(path) = &to.vkey {
        let mut part = path.clone().into_os_string();
        part.push(".part");
        replace(Path::new(&part), path, format!("{}\n", publisher.verifier).as_bytes())?;
    }
    Ok(Exported { files: site.files, published, from })
}

/// Is the place fit, and what was published there?
fn survey(ledger: &Path, to: &Export, verifier: &VerifierKey) -> Result<Option<Published>, PublishError> {
    let (dir, tiles) = (real(&to.dir), to.dir.join("tile"));
    let unfit = |why| PublishError::Site { path: to.dir.clone(), why };
    let path = to.dir.join(CHECKPOINT);
    if dir.starts_with(real(ledger)) {
        return Err(unfit(SiteProblem::Inside));
    }
    if to.vkey.as_ref().is_some_and(|path| real(path).starts_with(&dir)) {
        return Err(unfit(SiteProblem::KeyInside));
    }
    let bytes = read(&path)?;
    let used = fs::read_dir(&to.dir).is_ok_and(|mut entries| entries.next().is_some());
    let has_entries = tiles.join("entries").exists();
    match () {
        () if used && bytes.is_none() && !tiles.exists() => Err(unfit(SiteProblem::Foreign)),
        () if to.public && has_entries => Err(unfit(SiteProblem::HasEntries)),
        () if !to.public && bytes.is_some() && !has_entries => Err(unfit(SiteProblem::LacksEntries)),
        () => Ok(bytes.map(|bytes| open_note(&path, &bytes, verifier)).transpose()?),
    }
}

/// The path without links and dots; what does not exist yet will be a plain folder.
fn real(path: &Path) -> PathBuf {
    let there = path.canonicalize();
    there.unwrap_or_else(|_| match path.file_name() {
        Some(name) => real(folder_of(path)).join(name),
        None => real(folder_of(path)).parent().unwrap_or(path).to_owned(),
    })
}

/// A site that is being brought up to a checkpoint.
struct Site<'a> {
    dir: &'a Path,
    /// How many records its own checkpoint stands for.
    from: u64,
    public: bool,
    files: u64,
    /// What must be durable before the checkpoint is.
    written: Vec<PathBuf>,
}

impl Site<'_> {
    /// Writes the tiles the site has not. Gives the root they lead to.
    fn grow(
        &mut self,
        publisher: &Publisher,
        mut builder: TileBuilder,
        progress: &dyn Fn(u64),
    ) -> Result<TreeHash, PublishError> {
        let mut bundle = Vec::new();
        each(&*publisher.log, builder.size(), publisher.size, |record| {
            let full = builder.push(TreeHash::leaf(record.leaf));
            // A bundle is its entries' own bundles, one after another.
            let entry = encode_entries([record.leaf]);
            bundle.extend(entry.map_err(|error| EngineError::Internal(error.to_string()))?);
            if !full.is_empty() {
                self.entries(&builder, &std::mem::take(&mut bundle))?;
            }
            for (tile, hashes) in full {
                self.tile(tile, &encode_hashes(&hashes))?;
            }
            progress(1);
            Ok(())
        })?;
        if !bundle.is_empty() {
            self.entries(&builder, &bundle)?;
        }
        for (tile, hashes) in builder.partials() {
            self.tile(tile, &encode_hashes(hashes))?;
        }
        Ok(builder.root())
    }

    /// The bundle with the last entry there is so far.
    fn entries(&mut self, builder: &TileBuilder, bundle: &[u8]) -> Result<(), EngineError> {
        let size = builder.size();
        match Tile::at(Kind::Entries, size.saturating_sub(1) / 256, size) {
            Some(tile) if !self.public => self.tile(tile, bundle),
            _ => Ok(()),
        }
    }

    /// Writes a tile, unless the site's checkpoint covers it or a run that was cut short has left it.
    fn tile(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), EngineError> {
        if tile.is_within(self.from) {
            return Ok(());
        }
        let path = self.dir.join(tile.to_string());
        if read(&path)?.is_none_or(|there| there != bytes) {
            let folder = folder_of(&path);
            fs::create_dir_all(folder).map_err(EngineError::file("create", folder))?;
            let part = self.part();
            fs::write(&part, bytes).map_err(EngineError::file("write", &part))?;
            fs::rename(&part, &path).map_err(EngineError::file("rename", &path))?;
            self.files += 1;
        }
        self.written.push(path);
        Ok(())
    }

    /// Makes files and folders durable, all together: the disk has had time to write them meanwhile.
    fn settle(&mut self) -> Result<(), EngineError> {
        let mut folders = BTreeSet::from([folder_of(self.dir), self.dir]);
        for path in &self.written {
            let file = File::open(path).map_err(EngineError::file("open", path))?;
            file.sync_all().map_err(EngineError::file("sync", path))?;
            folders.extend(path.ancestors().skip(1).take_while(|folder| *folder != self.dir));
        }
        folders.into_iter().try_for_each(sync_folder)
    }

    /// What is being written lies here until it is whole: one name, so that nothing is ever left over.
    fn part(&self) -> PathBuf {
        self.dir.join("export.part")
    }
}
