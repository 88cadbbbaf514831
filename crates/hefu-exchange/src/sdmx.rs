//! SDMX: what a statistics bureau's tools ask and read, REST 2 under `/sdmx/v2` and REST 1.5 under `/sdmx/v1`.
//!
//! ```text
//! path + query ─ path ─▶ Question ─┐
//! Accept ────── accept ─▶ Format ──┴─ answer ─▶ Message: status, media type, bytes
//!                          Source (figures, handed in by the caller)
//! ```
//!
//! Two dataflows share one data structure: `DF_TERRITORIAL` is the public table, after disclosure control; `DF_CREDIT`
//! has every basis and is for those who may see it. Values are decimal texts from the ledger to the message. What the
//! clients stumble over, and what is done about it, is in `tests.rs`.
//!
//! Refused, with the place: what is not understood, what a viewer may not see, what is not offered. Nothing here opens a
//! connection, knows who asks, or counts anything.

pub mod accept;
pub mod answer;
pub mod cube;
mod data_csv;
mod data_json;
mod data_ml;
pub mod filter;
pub mod model;
pub mod path;
pub mod refusal;
mod select;
mod structure_json;
mod structure_ml;
pub mod time;
mod xml;

#[cfg(test)]
mod tests;

pub use self::{
    accept::Format,
    answer::{Message, answer},
    cube::{Basis, Cube, Figures, Flow, Source, Viewer, When},
    path::{Question, parse},
    refusal::Refusal,
};
