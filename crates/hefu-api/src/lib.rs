//! The services of Hefu: their messages, the answers to their questions, who may ask, and what a failure is called.
//!
//! An answer is computed here once, from the projections, and is the same whoever asks over whatever wire: gRPC carries
//! the message, HTTP its proto3 JSON. Not here: sockets, sessions, time, and anything that could be asynchronous.

pub mod access;
pub mod answer;
pub mod describe;
pub mod ledger;
pub mod openapi;
pub mod operation;
pub mod problem;
pub mod query;
pub mod routes;
mod words;

/// The messages and services of `proto/hefu/v1`, with their proto3 JSON.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "made from the proto files, which have the words"
)]
pub mod v1 {
    tonic::include_proto!("hefu.v1");
    include!(concat!(env!("OUT_DIR"), "/hefu.v1.serde.rs"));
}

/// The description of `proto/hefu/v1` with its comments: an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
