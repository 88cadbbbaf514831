//! A static site of tiles, as c2sp.org/tlog-tiles says: a folder that any web server can give away.
//!
//! A site grows: only the tiles that its last checkpoint did not have are written, and that checkpoint is replaced last,
//! when everything it speaks of is durable. A run that was cut short is simply run again. Partial tiles of sizes that
//! were published stay: somebody may hold such a checkpoint.

mod fill;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use hefu_chain::verify::PUBLIC;

use super::{CHECKPOINT, PublishError, Published, Publisher, folder_of, read, replace, signatory::Signatory};
use crate::answer::EngineError;

/// What the file [`PUBLIC`] holds.
const MARK: &[u8] = b"made without entries: checkpoint and hashes only\n";

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
    publisher: &mut Publisher,
    to: &Export,
    progress: &dyn Fn(u64),
) -> Result<Exported, PublishError> {
    let old = survey(&publisher.dir, to, &publisher.signatory)?;
    let path = to.dir.join(CHECKPOINT);
    let known = old.as_ref().map(|old| (path.as_path(), &old.checkpoint));
    let published = publisher.publish(known, progress)?;
    let from = old.as_ref().map_or(0, |old| old.checkpoint.size);
    fs::create_dir_all(&to.dir).map_err(EngineError::file("create", &to.dir))?;
    let files = fill::fill(publisher, to, (from, &published.checkpoint), progress)?;
    let mark = to.dir.join(PUBLIC);
    if to.public && !mark.exists() {
        replace(&to.dir.join("export.part"), &mark, MARK)?;
    }
    if old.is_none_or(|old| old.note != published.note) {
        replace(&to.dir.join("export.part"), &path, published.note.to_string().as_bytes())?;
    }
    if let Some(path) = &to.vkey {
        let mut part = path.clone().into_os_string();
        part.push(".part");
        replace(Path::new(&part), path, format!("{}\n", publisher.verifier()).as_bytes())?;
    }
    Ok(Exported { published, from, files })
}

/// Is the place fit, and what was published there?
fn survey(ledger: &Path, to: &Export, log: &Signatory) -> Result<Option<Published>, PublishError> {
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
        () => Ok(bytes.map(|bytes| log.parse(&path, &bytes)).transpose()?),
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
