//! The disks of Hefu: the log of record in segment files, and the disposable sled index.
//!
//! A log keeps bytes and says what is durable: after `Ok` from [`Log::append`] the batch survives a power cut, after
//! `Err` its fate is unknown until the log is opened again. This crate refuses to know what a record means, to verify
//! a hash or a signature, and to decide anything; damage is located and reported, never repaired by guessing.
//!
//! ```text
//! log        the contract: Log, LogReader
//! segments   the log of record: zero-filled files of checksummed frames, one fdatasync per commit
//! sled_log   the same contract inside sled
//! memory     the same contract, nothing durable: for tests
//! index      postings and cursors in sled: everything in it can be deleted
//! evidence   files beside the log, by digest: the chain holds only the digests
//! disk, sim  the few file operations segments need, on a real disk and on a lying one
//! ```

pub mod codec;
pub mod disk;
pub mod evidence;
pub mod index;
pub mod log;
pub mod memory;
pub mod segments;
pub mod sim;
pub mod sled_log;

mod backend;
mod error;
mod lock;
mod received;
mod sled_guard;
mod source;

pub use backend::Backend;
pub use error::StoreError;
pub use hefu_chain::record::{Record, RecordRef};
pub use lock::DirLock;
pub use log::{
    CommitInfo, CommitRef, DurablePoint, KnownHead, Log, LogReader, OpenOptions, OpenReport, Withhold,
};
pub use received::received;
pub use source::FolderSource;
