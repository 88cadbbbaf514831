//! The services over loopback: a real server, a real client, a real ledger on disk.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod access;
mod bench;
mod grpc;
mod http;
mod load;
mod schema;
mod sdmx;
mod tokens;
