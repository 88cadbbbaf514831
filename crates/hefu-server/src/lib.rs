//! What Hefu answers over the wire: the services of a ledger, figures as SDMX, a witness, a site of tiles. The only
//! crate with asynchronous code.
//!
//! [`Server`] takes connections for any router: requests have a size and a time, connections a number; what is under
//! way at a stop is finished. Without TLS it listens on the machine itself only, unless told otherwise. Rules are not
//! here: a router turns HTTP into a call of another crate and its answer into HTTP.

mod counts;
mod cursors;
mod desk;
mod grpc;
mod http;
mod records;
mod sdmx;
mod server;
mod service;
mod submit;
mod tiles;
mod tls;
mod tokens;
mod witness;

pub use axum::Router;
pub use desk::service_folder;
pub use sdmx::{LedgerCube, LedgerFolder, sdmx};
pub use server::{Limits, Listen, Running, Server, ServerError};
pub use service::{Service, ServiceError, Serving};
pub use tiles::tiles;
pub use tls::Tls;
pub use tokens::{Grant, Token, TokenError, Tokens};
pub use witness::witness;
