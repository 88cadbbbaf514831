//! The rules and memory of a witness: someone who is not the operator, remembers how large the log was, and cosigns a
//! checkpoint only if it grew from that.
//!
//! Rules and statuses are those of c2sp.org/tlog-witness, cosignatures those of c2sp.org/tlog-cosignature (version 1).
//! A witness never cosigns what is not on its disk, and nothing at all after a write that failed. What a log signed and
//! should not have is kept as evidence that convinces others. Not here: sockets, clocks, randomness; time and seed come
//! in from the edge.

mod config;
mod error;
mod folder;
mod reply;
mod state;
#[cfg(test)]
mod tests;
mod witness;

pub use config::{Config, WatchedLog};
pub use error::WitnessError;
pub use folder::{Disk, Files};
pub use reply::Reply;
pub use state::State;
pub use witness::{MAX_REQUEST, Witness, evidence_files, origin_hash};
