//! The rules of Hefu: what a command means, what the numbers mean.
//!
//! ```text
//! command ──decide(state, context)──▶ events ──evolve──▶ state
//!    │                                   │
//!    └ or a rejection                    └──counting──▶ what each area shows (territorial, shared)
//!
//! State
//!   keyring      log key, k-of-n roots, keys of authorities (person, region, role)
//!   regions      nation ▸ province ▸ prefecture ▸ county, with lineage and borders
//!   policy       catalogue of indicators, default terms, tiers, limits, calendar
//!   enterprises  by unified social credit code
//!   disputes     about a claim, an observation or a transfer, until the outcome is final
//!   projects     stays (where, since when), transfers (terms, outcome, claim), round of tiers, periods reported
//! ```
//!
//! Pure: no I/O, no clock, no randomness, no floating point, no unordered maps. Time, ids and verified signatures
//! come in from the engine.

#![deny(clippy::float_arithmetic)]

pub mod amount;
mod as_json;
pub mod authority;
pub mod command;
pub mod counting;
pub mod decide;
pub mod disclosure;
pub mod dispute;
pub mod event;
pub mod evolve;
pub mod fault;
pub mod id;
pub mod indicator;
pub mod period;
pub mod policy;
pub mod redaction;
pub mod region;
pub mod rejection;
#[cfg(feature = "schema")]
mod schema;
pub mod settlement;
pub mod state;
pub mod suggest;
pub mod support;
pub mod tax;
pub mod terms;
pub mod tier;
pub mod time;
pub mod vintage;
