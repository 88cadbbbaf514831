//! What Hefu answers over HTTP: a witness, a site of tiles, figures as SDMX. The only crate with asynchronous code.
//!
//! [`Server`] takes connections for any router: requests have a size and a time, connections a number; what is under
//! way at a stop is finished. Without TLS it listens on the machine itself only, unless told otherwise. Rules are not
//! here: a router turns HTTP into a call of another crate and its answer into HTTP.

mod sdmx;
mod server;
mod tiles;
mod witness;

pub use axum::Router;
pub use sdmx::{LedgerCube, LedgerFolder, sdmx};
pub use server::{Limits, Listen, Running, Server, ServerError};
pub use tiles::tiles;
pub use witness::witness;
