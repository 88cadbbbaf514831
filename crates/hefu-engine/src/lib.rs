//! The order of Hefu: one writer, group commit, open and replay, keys, queries.
//!
//! [`Engine`] is a ledger directory opened for writing: one thread owns the state and the chain head, takes what is
//! queued, decides, appends with one fdatasync, publishes, answers. [`Reader`] is a directory opened for looking: no
//! lock, no key. Both build what they know by the same replay. [`Publisher`] signs checkpoints of what is on disk and
//! exports the tree over it; a notary
//! does so beside a running writer. Not here: rules (`hefu-domain`), bytes (`hefu-chain`), disks (`hefu-store`), sockets and
//! screens.

mod answer;
mod audit;
mod authenticate;
mod backup;
mod decode;
mod fold;
mod genesis;
mod head;
mod heads;
mod indexer;
mod keys;
mod ledger;
mod log_key;
mod open;
mod publish;
mod reader;
mod redaction;
mod sequencer;
mod sign;
mod snapshot;

pub use answer::{Accepted, Answer, Disagreement, EngineError, Refused, undone};
pub use audit::{ReplayFinding, ReplayReport, WithheldRecord, replay};
pub use authenticate::{Authentic, Authenticator};
pub use backup::{BackedUp, BackupError, Inspected, Pins, Restored, backup, inspect, restore, succeed};
pub use fold::replay_views;
pub use genesis::{Genesis, create, create_dev};
pub use keys::{KeyFile, KeyStore, StoredKey, WITNESSES};
pub use log_key::{By, NotRotated, Rotated, rotate_log_key};
pub use open::{Opened, Options};
pub use publish::{
    Bundled, Cosigner, Export, Exported, GrowthProof, NotCosigned, Positions, Prover, PublishError,
    Published, Publisher, Schedule, Shown, SiteProblem, Standing, Unheld, Wanted, bundle, prove,
};
pub use reader::{Reader, RecordView};
pub use sequencer::{Engine, FEW, Mode, QUEUE, Recorded, Session, Ticket};
pub use sign::{Draft, Signer, endorse};

/// Microseconds since the epoch by the machine's clock: the only place where the engine reads it.
pub fn system_clock() -> hefu_domain::time::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    hefu_domain::time::Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Random bytes from the operating system: the only place where the engine draws them.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], EngineError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| EngineError::Random(error.to_string()))?;
    Ok(bytes)
}
