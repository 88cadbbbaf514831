//! The rules of Hefu, tested as a domain expert would read them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod json;
mod ledger;
mod rights;
mod script;
mod scripts;
mod settlement;
mod tax;
