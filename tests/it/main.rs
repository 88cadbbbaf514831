//! Tests of the workspace as a whole: what no single crate can say of itself.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod arrows;
mod commands;
mod docs;
mod proto;
