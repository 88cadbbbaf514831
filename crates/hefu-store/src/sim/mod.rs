//! The lying disk: files in memory that fail, tear, reorder, fill up and lose power as told. For tests only.
//!
//! It keeps what programs read (the cache) apart from what a power cut leaves (the medium), page by page, and the
//! names in a directory apart from both. After a failed sync a page reads back as written but will not be written
//! again, as on Linux. Every change is an operation with a number, and a fault is planned for a number, so a run
//! repeats exactly. Directories themselves are durable at once; nothing else is without a sync.

mod file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile};
use file::{Inode, SimFile};

/// The unit in which the disk keeps and loses bytes.
pub const PAGE: usize = 4096;

/// What happens to one planned operation. It always returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of it is stored.
    NotStored,
    /// All of it is stored.
    Stored,
    /// A write stores a prefix, a sync some of the pages, by the seed; anything else nothing.
    Torn(u64),
    /// The power goes: nothing of it is stored, and every later operation fails until `power_on`.
    PowerCut,
}

/// A disk in memory. Clones are the same disk; `fork` makes another.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    inodes: Vec<Inode>,
    /// Names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names a power cut leaves.
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since, oldest first: a journal keeps a prefix of them.
    pending: Vec<NameChange>,
    dirs: Vec<PathBuf>,
    /// Changes so far.
    ops: u64,
    trace: Vec<&'static str>,
    plan: BTreeMap<u64, Fault>,
    space: Option<u64>,
    lying: bool,
    powered_off: bool,
    /// Counts power cuts: a file opened before one is no longer usable.
    epoch: u64,
}

#[derive(Debug, Clone)]
enum NameChange {
    Add(PathBuf, usize),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn dir(&self) -> Option<&Path> {
        match self {
            Self::Add(path, _) | Self::Remove(path) | Self::Rename(path, ..) => path.parent(),
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Add(path, inode) => {
                names.insert(path, inode);
            }
            Self::Remove(path) => {
                names.remove(&path);
            }
            Self::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// An independent copy, plans included.
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Number of changes so far; the next one has this number.
    pub fn ops(&self) -> u64 {
        self.state().ops
    }

    /// The name of each change so far: `write`, `sync`, `rename`…
    pub fn trace(&self) -> Vec<&'static str> {
        self.state().trace.clone()
    }

    /// Plans `fault` for the change with number `op`.
    pub fn plan(&self, op: u64, fault: Fault) {
        self.state().plan.insert(op, fault);
    }

    /// Forgets the faults that have not happened.
    pub fn clear_plan(&self) {
        self.state().plan.clear();
    }

    /// Bounds the length of all files together; beyond it there is no space left.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// Makes every sync succeed and do nothing.
    pub fn set_lying(&self, lying: bool) {
        self.state().lying = lying;
    }

    /// Takes the power now.
    pub fn cut_power(&self) {
        self.state().powered_off = true;
    }

    /// Power returns, with what the medium has: synced bytes and names, and with a seed also a random choice of the
    /// unsynced pages, lengths and name changes.
    pub fn power_on(&self, keep_some: Option<u64>) {
        let mut state = self.state();
        state.powered_off = false;
        state.epoch += 1;
        let mut dice = keep_some.map(Dice);
        for inode in &mut state.inodes {
            inode.lose_power(dice.as_mut());
        }
        let kept = dice.as_mut().map_or(0, |dice| dice.below(state.pending.len() + 1));
        let pending = std::mem::take(&mut state.pending);
        for change in pending.into_iter().take(kept) {
            change.apply(&mut state.durable_names);
        }
        state.names = state.durable_names.clone();
    }

    /// Forgets clean cached pages: what is read next comes from the medium, as under memory pressure.
    pub fn drop_caches(&self) {
        self.state().inodes.iter_mut().for_each(Inode::evict);
    }

    /// The bytes of a file as programs see them.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|inode| state.inodes[*inode].cached.clone())
    }

    /// Replaces the bytes of a file, durably and behind everyone's back.
    pub fn tamper(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        if let Some(inode) = state.names.get(path).copied() {
            state.inodes[inode] = Inode::durable(bytes);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut State) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.state();
        match state.begin(name)? {
            None => change(&mut state),
            Some(Fault::Stored) => change(&mut state).and(Err(eio())),
            Some(_) => Err(eio()),
        }
    }

    fn file(&self, inode: usize, epoch: u64) -> Box<dyn DiskFile> {
        Box::new(SimFile { disk: self.clone(), inode, epoch })
    }
}

impl State {
    /// Numbers a change and says which fault is planned for it.
    fn begin(&mut self, name: &'static str) -> io::Result<Option<Fault>> {
        if self.powered_off {
            return Err(eio());
        }
        let fault = self.plan.remove(&self.ops);
        self.ops += 1;
        self.trace.push(name);
        if fault == Some(Fault::PowerCut) {
            self.powered_off = true;
            return Err(eio());
        }
        Ok(fault)
    }

    /// How many bytes may still be added to all files.
    fn free(&self) -> u64 {
        let used: usize = self.names.values().map(|inode| self.inodes[*inode].cached.len()).sum();
        self.space.map_or(u64::MAX, |space| space.saturating_sub(used as u64))
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename_to(&mut self, change: NameChange) {
        self.pending.push(change.clone());
        change.apply(&mut self.names);
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.change("create_dir", |state| {
            state.dirs.push(dir.to_path_buf());
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        if state.powered_off {
            return Err(eio());
        }
        if !state.dirs.iter().any(|known| known == dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut made = None;
        self.change("create", |state| {
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.rename_to(NameChange::Add(path.to_path_buf(), inode));
            made = Some((inode, state.epoch));
            Ok(())
        })?;
        let (inode, epoch) = made.ok_or_else(eio)?;
        Ok(self.file(inode, epoch))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let state = self.state();
        if state.powered_off {
            return Err(eio());
        }
        let (inode, epoch) = (state.find(path)?, state.epoch);
        drop(state);
        Ok(self.file(inode, epoch))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change("rename", |state| {
            let inode = state.find(from)?;
            state.rename_to(NameChange::Rename(from.to_path_buf(), to.to_path_buf(), inode));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change("remove", |state| {
            state.find(path)?;
            state.rename_to(NameChange::Remove(path.to_path_buf()));
            Ok(())
        })
    }

    /// Names that could not be made durable stay pending, unlike pages: a file system whose journal fails stops.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change("sync_dir", |state| {
            if state.lying {
                return Ok(());
            }
            let (done, pending) = std::mem::take(&mut state.pending)
                .into_iter()
                .partition::<Vec<_>, _>(|change| change.dir() == Some(dir));
            state.pending = pending;
            for change in done {
                change.apply(&mut state.durable_names);
            }
            Ok(())
        })
    }
}

fn eio() -> io::Error {
    io::Error::other("simulated failure")
}

/// A small deterministic random number generator (SplitMix64); statistics do not matter here.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn coin(&mut self) -> bool {
        self.roll() & 1 == 1
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit.max(1) as u64).unwrap_or(0)
    }
}
