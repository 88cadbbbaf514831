//! The hash tiles of the log, kept in the ledger's directory so that no leaf is hashed twice. Disposable, and never
//! believed: what is built on them starts from hashes that lead to a signed root, and every proof made from them is
//! checked before it is given away.
//!
//! One file a level, `tiles/<level>`: the tiles of c2sp.org/tlog-tiles one after another, the last one as far as it
//! is. Bytes beyond the size asked for are of no meaning: a run that was cut short leaves some.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use hefu_chain::{
    checkpoint::Checkpoint,
    tile::{Kind, NoTile, Tile, TileBuilder, TileSource, encode_hashes},
    tree::TreeHash,
};

use crate::{answer::EngineError, open::sync_folder};

/// Bytes of a full tile.
const TILE: u64 = 256 * 32;

/// The tiles in a ledger's directory.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    folder: PathBuf,
}

impl Tiles {
    pub(crate) fn of(dir: &Path) -> Tiles {
        Tiles { folder: dir.join("tiles") }
    }

    fn path(&self, level: u8) -> PathBuf {
        self.folder.join(level.to_string())
    }

    /// The bytes of a hash tile; whose they are is for the reader to find out.
    pub(super) fn read(&self, tile: Tile) -> io::Result<Vec<u8>> {
        let Kind::Hashes(level) = tile.kind() else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut bytes = vec![0; 32 * usize::from(tile.width())];
        File::open(self.path(level))?.read_exact_at(&mut bytes, tile.index() * TILE)?;
        Ok(bytes)
    }

    /// Hashes of the first `size` leaves and above them.
    pub(super) fn source(&self, size: u64) -> TileSource<impl FnMut(Tile) -> io::Result<Vec<u8>>> {
        TileSource::new(size, |tile| self.read(tile))
    }

    /// The right edge of the tree that a checkpoint names; `None` unless the tiles lead to its root.
    pub(super) fn edge(&self, checkpoint: &Checkpoint) -> Option<TileBuilder> {
        let edge: Result<_, NoTile<io::Error>> = TileBuilder::resume(checkpoint.size, |tile| self.read(tile));
        edge.ok().filter(|edge| edge.root() == checkpoint.root)
    }

    /// Goes on from an edge.
    pub(super) fn grow(&self, edge: TileBuilder) -> Growing {
        Growing { tiles: Some(self.clone()), edge, files: BTreeMap::new() }
    }
}

/// Tiles that are being extended. Only the holder of the publishers' lock writes any.
pub(super) struct Growing {
    tiles: Option<Tiles>,
    pub(super) edge: TileBuilder,
    files: BTreeMap<u8, File>,
}

impl Growing {
    /// Goes on from an edge without keeping anything.
    pub(super) fn in_memory(edge: TileBuilder) -> Growing {
        Growing { tiles: None, edge, files: BTreeMap::new() }
    }

    /// Adds the next leaf.
    pub(super) fn push(&mut self, leaf: TreeHash) -> Result<(), EngineError> {
        for (tile, hashes) in self.edge.push(leaf) {
            self.write(tile, &hashes)?;
        }
        Ok(())
    }

    /// Writes what has not been written and makes everything durable.
    pub(super) fn settle(mut self) -> Result<TileBuilder, EngineError> {
        let edge = self.edge.clone();
        for (tile, hashes) in edge.partials() {
            self.write(tile, hashes)?;
        }
        if let Some(tiles) = &self.tiles {
            for (level, file) in &self.files {
                file.sync_all().map_err(EngineError::file("sync", tiles.path(*level)))?;
            }
            if !self.files.is_empty() {
                sync_folder(&tiles.folder)?;
            }
        }
        Ok(edge)
    }

    fn write(&mut self, tile: Tile, hashes: &[TreeHash]) -> Result<(), EngineError> {
        let (Some(tiles), Kind::Hashes(level)) = (&self.tiles, tile.kind()) else { return Ok(()) };
        let path = tiles.path(level);
        let file = match self.files.entry(level) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                fs::create_dir_all(&tiles.folder).map_err(EngineError::file("create", &tiles.folder))?;
                let file = File::options().create(true).truncate(false).write(true).open(&path);
                place.insert(file.map_err(EngineError::file("create", &path))?)
            }
        };
        let bytes = encode_hashes(hashes);
        file.write_all_at(&bytes, tile.index() * TILE).map_err(EngineError::file("write", &path))
    }
}
