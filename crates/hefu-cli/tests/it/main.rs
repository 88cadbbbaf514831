//! The command line, end to end: the real binary on real directories.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod areas;
mod books;
mod disputes;
mod drills;
mod exit_codes;
mod export_cut;
mod exports;
mod golden;
mod guide;
mod held;
mod hostile;
mod import;
mod journal;
mod languages;
mod log_key;
mod monitor;
mod offline;
mod offline_sites;
mod publish;
mod reconcile;
mod redaction;
mod remote;
mod remote_writing;
mod reports;
mod restructure;
mod sdmx;
mod settle;
mod support;
mod verify;
mod vintages;
mod witness;
mod writers;
