//! One file of the lying disk: what is cached, what is on the medium, and which pages still differ on purpose.

use std::collections::BTreeSet;
use std::io;

use super::{Dice, Fault, PAGE, SimDisk, State, eio};
use crate::disk::DiskFile;

#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    /// What programs read.
    pub(super) cached: Vec<u8>,
    /// What is on the medium.
    medium: Vec<u8>,
    /// Pages the next sync will write. After a failed sync a page may differ from the medium without being here.
    dirty: BTreeSet<usize>,
    /// The length changed since it was last made durable. Unlike a page it stays so after a failed sync.
    length_dirty: bool,
}

impl Inode {
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { medium: bytes.clone(), cached: bytes, ..Self::default() }
    }

    fn mark(&mut self, from: usize, to: usize) {
        self.dirty.extend(from / PAGE..to.div_ceil(PAGE));
    }

    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if end > self.cached.len() {
            self.resize(end);
        }
        self.cached[offset..end].copy_from_slice(bytes);
        self.mark(offset, end);
    }

    fn resize(&mut self, len: usize) {
        let old = self.cached.len();
        set_len(&mut self.cached, len);
        self.length_dirty |= old != len;
        // A cut zeroes the rest of its last page, growth adds zeros: both are written with the next sync.
        self.mark(old.min(len), len.max(old.min(len) + 1));
        self.dirty.retain(|page| page * PAGE < len);
    }

    /// Brings `page` from the cache to the medium.
    fn store(&mut self, page: usize) {
        let from = page * PAGE;
        let to = (from + PAGE).min(self.cached.len());
        if from < to {
            if self.medium.len() < to {
                set_len(&mut self.medium, to);
            }
            self.medium[from..to].copy_from_slice(&self.cached[from..to]);
        }
    }

    fn sync(&mut self) {
        for page in std::mem::take(&mut self.dirty) {
            self.store(page);
        }
        set_len(&mut self.medium, self.cached.len());
        self.length_dirty = false;
    }

    /// A sync that fails: the pages are clean afterwards whether they reached the medium or not.
    fn sync_some(&mut self, dice: &mut Dice) {
        for page in std::mem::take(&mut self.dirty) {
            if dice.coin() {
                self.store(page);
            }
        }
    }

    pub(super) fn evict(&mut self) {
        for page in 0..self.cached.len().div_ceil(PAGE) {
            let (from, to) = (page * PAGE, ((page + 1) * PAGE).min(self.cached.len()));
            if !self.dirty.contains(&page) {
                let on_medium = self.medium.get(from..).unwrap_or_default();
                let have = on_medium.len().min(to - from);
                self.cached[from..from + have].copy_from_slice(&on_medium[..have]);
                self.cached[from + have..to].fill(0);
            }
        }
    }

    pub(super) fn lose_power(&mut self, dice: Option<&mut Dice>) {
        if let Some(dice) = dice {
            let keep_length = dice.coin();
            if self.length_dirty && keep_length {
                set_len(&mut self.medium, self.cached.len());
            }
            let len = self.medium.len();
            for page in std::mem::take(&mut self.dirty) {
                if page * PAGE < len && dice.coin() {
                    self.store(page);
                }
            }
            self.medium.truncate(len);
        }
        self.dirty.clear();
        self.length_dirty = false;
        self.cached.clone_from(&self.medium);
    }
}

#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) inode: usize,
    pub(super) epoch: u64,
}

impl SimFile {
    fn with<T>(&self, call: impl FnOnce(&mut State, usize) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        if state.powered_off || state.epoch != self.epoch {
            return Err(eio());
        }
        call(&mut state, self.inode)
    }

    fn sync(&self, name: &'static str) -> io::Result<()> {
        self.with(|state, inode| {
            let fault = state.begin(name)?;
            let lying = state.lying;
            let inode = &mut state.inodes[inode];
            match fault {
                None if lying => return Ok(()),
                None => {
                    inode.sync();
                    return Ok(());
                }
                Some(Fault::Stored) => inode.sync(),
                Some(Fault::Torn(seed)) => inode.sync_some(&mut Dice(seed)),
                Some(Fault::NotStored | Fault::PowerCut) => inode.dirty.clear(),
            }
            Err(eio())
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|state, inode| {
            let bytes = &state.inodes[inode].cached;
            let rest = bytes.get(index(offset)..).unwrap_or_default();
            let len = rest.len().min(buf.len());
            buf[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with(|state, inode| {
            let fault = state.begin("write")?;
            let grows = (index(offset) + bytes.len()).saturating_sub(state.inodes[inode].cached.len());
            let missing = index((grows as u64).saturating_sub(state.free()));
            let stored = match fault {
                None | Some(Fault::Stored) => bytes.len().saturating_sub(missing),
                Some(Fault::Torn(seed)) => Dice(seed).below(bytes.len()),
                Some(Fault::NotStored | Fault::PowerCut) => 0,
            };
            if stored > 0 {
                state.inodes[inode].write(&bytes[..stored], index(offset));
            }
            match fault {
                Some(_) => Err(eio()),
                None if missing > 0 => Err(io::ErrorKind::StorageFull.into()),
                None => Ok(()),
            }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync("sync_data")
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync("sync_all")
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|state, inode| {
            let fault = state.begin("set_len")?;
            if matches!(fault, None | Some(Fault::Stored)) {
                state.inodes[inode].resize(index(len));
            }
            fault.map_or(Ok(()), |_| Err(eio()))
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|state, inode| Ok(state.inodes[inode].cached.len() as u64))
    }
}

/// `Vec::resize` with zeros, but quick in a build without optimisation too.
fn set_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.truncate(len);
    while bytes.len() < len {
        let missing = (len - bytes.len()).min(PAGE);
        bytes.extend_from_slice(&[0; PAGE][..missing]);
    }
}

/// Files of a test fit into memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
