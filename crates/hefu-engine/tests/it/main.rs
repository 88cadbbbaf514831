//! The engine as its users see it: commands in, receipts out, across stops, crashes and failures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod bench_ledger;
mod commands;
mod faults;
mod kill;
mod log_key;
mod lost_key;
mod publish;
mod redaction;
mod sled_index;
