//! Files in and out of Hefu: region tables, policies, journals, a region's own tables, and answers as files.
//!
//! ```text
//! regions.csv ─ regions ─┐                    journal.jsonl ─ journal ─▶ lines: signed, or drafts to be signed
//! policy.toml ─ policy ──┴▶ a new ledger      book.csv ────── import ──▶ drafts, and an error for each wrong cell
//!                                             answer ─────────────────▶ output ─▶ csv, json, jsonl, markdown, xlsx, parquet
//! ```
//!
//! Everything that comes in is read strictly: what cannot be understood is an error that says where it stands, what it
//! is and what to do, never a guess. Nothing here signs, decides or asks the ledger: lookups are handed in by the caller.

pub mod book;
pub mod columnar;
pub mod import;
pub mod journal;
pub mod matching;
pub mod output;
pub mod policy;
pub mod problem;
pub mod regions;
pub mod sdmx;
pub mod text;
pub mod workbook;

mod sheet;

pub use problem::{FileError, Problem};
