//! The files of a site: hash tiles as they are kept, checked up to the signed root; entries from the log, checked
//! against those tiles.
//!
//! A few threads write: each file is whole and durable before its thread takes the next, so that what is slow, waiting
//! for the disk, is done by all of them at once. The folders follow, then the caller may write the checkpoint. A file
//! that a run was cut short in is compared, and written again if it differs.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use hefu_chain::{
    checkpoint::Checkpoint,
    tile::{FULL, Kind, Tile, encode_entries, encode_hashes, parse_hashes},
    tree::{HashSource, TreeHash},
};

use super::Export;
use crate::{
    answer::EngineError,
    open::sync_folder,
    publish::{
        CHECKPOINT, Disagreement, PublishError, Publisher, disagrees, each, folder_of, read, rebuild,
        tiles::Tiles,
    },
};

/// Threads that write files and wait for the disk.
const WRITERS: usize = 8;

/// A tile and its bytes, on the way to the disk.
type Work = (Tile, Vec<u8>);

/// Writes the tiles that a site of `from` records has not, all of them durable. Gives how many files were written.
pub(super) fn fill(
    publisher: &Publisher,
    to: &Export,
    (from, checkpoint): (u64, &Checkpoint),
    progress: &dyn Fn(u64),
) -> Result<u64, PublishError> {
    let tiles = Tiles::of(&publisher.dir);
    if !whole(&tiles, from, checkpoint) {
        let path = publisher.dir.join(CHECKPOINT);
        rebuild(&*publisher.log, Some(&tiles), (&path, checkpoint), progress)?;
        if !whole(&tiles, from, checkpoint) {
            return Err(disagrees(&path, checkpoint, publisher.size, Disagreement::Root).into());
        }
    }
    let site = Site { dir: &to.dir, done: Mutex::default() };
    let (sender, work) = mpsc::sync_channel::<Work>(WRITERS);
    let work = Mutex::new(work);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(|| site.write_all(&work))).collect();
        let fed = feed(publisher, to, &tiles, (from, checkpoint), &sender, progress);
        drop(sender);
        for writer in writers {
            writer.join().unwrap_or_else(|_| Err(EngineError::Stopped("a writer panicked".to_owned())))?;
        }
        fed
    })?;
    let Done { files, mut folders } = site.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    folders.extend([to.dir.clone(), folder_of(&to.dir).to_owned()]);
    folders.iter().try_for_each(|folder| sync_folder(folder))?;
    Ok(files)
}

/// Every kept tile that the site has not leads to the signed root: it is the hash above it, up to the right edge.
fn whole(tiles: &Tiles, from: u64, checkpoint: &Checkpoint) -> bool {
    let size = checkpoint.size;
    let mut source = tiles.source(size);
    let mut above = |tile: &Tile, level: u8| {
        let hashes = tiles.read(*tile).ok().and_then(|bytes| parse_hashes(&bytes, tile.width()).ok());
        let joined = hashes.and_then(join)?;
        Some(source.hash(8 * (u32::from(level) + 1), tile.index()).ok()? == joined)
    };
    tiles.edge(checkpoint).is_some()
        && Tile::fresh(from, size).all(|tile| match tile.kind() {
            Kind::Hashes(level) if tile.is_full() => above(&tile, level) == Some(true),
            Kind::Hashes(_) | Kind::Entries => true,
        })
}

fn join(mut hashes: Vec<TreeHash>) -> Option<TreeHash> {
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| TreeHash::node(&pair[0], &pair[1])).collect();
    }
    hashes.pop()
}

/// Sends the entries, then the hashes. Stops early if the writers have.
fn feed(
    publisher: &Publisher,
    to: &Export,
    tiles: &Tiles,
    (from, checkpoint): (u64, &Checkpoint),
    sender: &SyncSender<Work>,
    progress: &dyn Fn(u64),
) -> Result<(), PublishError> {
    let size = checkpoint.size;
    if !to.public && from < size {
        entries(publisher, tiles, (from, size), sender, progress)?;
    }
    for tile in Tile::fresh(from, size).filter(|tile| tile.kind() != Kind::Entries) {
        let bytes = tiles.read(tile).map_err(EngineError::file("read", publisher.dir.join("tiles")))?;
        if sender.send((tile, bytes)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn entries(
    publisher: &Publisher,
    tiles: &Tiles,
    (from, size): (u64, u64),
    sender: &SyncSender<Work>,
    progress: &dyn Fn(u64),
) -> Result<(), PublishError> {
    let full = u64::from(FULL);
    let (mut bundle, mut hashes) = (Vec::new(), Vec::new());
    let mut listening = true;
    each(&*publisher.log, from - from % full, size, |record| {
        hashes.push(TreeHash::leaf(record.leaf));
        // A bundle is its entries' own bundles, one after another.
        let entry = encode_entries([record.leaf]);
        bundle.extend(entry.map_err(|error| EngineError::Internal(error.to_string()))?);
        let end = record.position + 1;
        progress(1);
        if !end.is_multiple_of(full) && end < size {
            return Ok(());
        }
        let at = |kind| Tile::at(kind, record.position / full, end);
        let (Some(entries), Some(leaves)) = (at(Kind::Entries), at(Kind::Hashes(0))) else { return Ok(()) };
        if tiles.read(leaves).ok() != Some(encode_hashes(&hashes)) {
            let why = "the log reads differently the second time".to_owned();
            return Err(EngineError::BadRecord { position: record.position, why }.into());
        }
        hashes.clear();
        listening = listening && sender.send((entries, std::mem::take(&mut bundle))).is_ok();
        Ok(())
    })
}

/// A site that is being brought up to a checkpoint.
struct Site<'a> {
    dir: &'a Path,
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    files: u64,
    folders: BTreeSet<PathBuf>,
}

impl Site<'_> {
    /// Takes tiles and makes files of them until there are no more.
    fn write_all(&self, work: &Mutex<Receiver<Work>>) -> Result<(), EngineError> {
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((tile, bytes)) = next else { return Ok(()) };
            self.write(tile, &bytes)?;
        }
    }

    /// One file, durable before this returns.
    fn write(&self, tile: Tile, bytes: &[u8]) -> Result<(), EngineError> {
        let path = self.dir.join(tile.to_string());
        let folder = folder_of(&path);
        let fresh = read(&path)?.is_none_or(|there| there != bytes);
        let mut file = if fresh {
            fs::create_dir_all(folder).map_err(EngineError::file("create", folder))?;
            File::create(&path).map_err(EngineError::file("create", &path))?
        } else {
            File::open(&path).map_err(EngineError::file("open", &path))?
        };
        if fresh {
            file.write_all(bytes).map_err(EngineError::file("write", &path))?;
        }
        file.sync_all().map_err(EngineError::file("sync", &path))?;
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.files += u64::from(fresh);
        if !done.folders.contains(folder) {
            let above = folder.ancestors().take_while(|above| *above != self.dir);
            done.folders.extend(above.map(Path::to_owned));
        }
        Ok(())
    }
}
