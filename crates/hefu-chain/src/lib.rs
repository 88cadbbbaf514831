//! The bytes of Hefu: canonical JSON, leaf, body, chain, signatures, frames, verification.
//!
//! Everything here is a pure function of bytes: no files, no clock, no randomness, no threads left running.
//! What the bytes mean as facts about regions is the business of `hefu-domain`; this crate never asks.

pub mod add_checkpoint;
pub mod body;
pub mod bundle;
mod c2sp;
pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod command;
pub mod cosignature;
pub mod evidence;
pub mod frame;
pub mod hash;
pub mod key;
pub mod leaf;
pub mod log_keys;
pub mod note;
pub mod origin;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod record;
pub mod source;
mod text;
pub mod tile;
pub mod tree;
#[cfg(test)]
mod vectors;
pub mod verify;
