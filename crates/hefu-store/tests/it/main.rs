//! The contract of a log on every back-end, and what survives which fault.
// A failure in a test is reported once, so its size costs nothing.
#![allow(clippy::unwrap_used, clippy::result_large_err)]

mod contract;
mod damage;
mod evidence;
mod faults;
mod index;
mod support;
