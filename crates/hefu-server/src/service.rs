//! A ledger's services on one port: gRPC, HTTP and JSON, SDMX, the log as a site of tiles.

use std::{path::Path, sync::Arc};

use axum::Router;
use hefu_engine::{Engine, EngineError};

use crate::{
    desk::Desk,
    grpc, http, sdmx,
    server::{Running, Server, ServerError},
};

/// The services cannot start or end.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The sockets.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The ledger.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// An open ledger and the server it is to be answered from.
pub struct Service {
    desk: Arc<Desk>,
    server: Server,
    router: Router,
}

impl Service {
    /// Over the ledger in `dir`, whose writer this is from now on.
    pub fn new(dir: &Path, engine: Engine, server: Server) -> Result<Service, ServiceError> {
        let desk = Desk::new(engine, dir, &server);
        let router = grpc::services(desk.clone(), server.handle())?
            .merge(http::routes(desk.clone()))
            .nest("/sdmx", sdmx::live(desk.clone(), dir));
        Ok(Service { desk, server, router })
    }

    /// Answers until the process is told to stop; then what is under way is finished and the ledger closed.
    pub fn run(self) -> Result<(), ServiceError> {
        let Service { desk, server, router } = self;
        server.run(router)?;
        close(desk)
    }

    /// Answers in the background, until what is given back is stopped.
    pub fn spawn(self) -> Result<Serving, ServiceError> {
        let Service { desk, server, router } = self;
        Ok(Serving { running: server.spawn(router)?, desk })
    }
}

/// A service at work in the background.
pub struct Serving {
    running: Running,
    desk: Arc<Desk>,
}

impl Serving {
    /// Its address as the beginning of URLs, without a slash at the end.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Finishes what is under way, and closes the ledger.
    pub fn stop(self) -> Result<(), ServiceError> {
        drop(self.running);
        close(self.desk)
    }
}

/// Closes the ledger once nobody works with it. Whoever still does was given the time to end, and is let be: what was
/// acknowledged is on disk.
fn close(desk: Arc<Desk>) -> Result<(), ServiceError> {
    if let Ok(desk) = Arc::try_unwrap(desk) {
        return Ok(desk.close()?);
    }
    tracing::warn!("somebody is still at work; the ledger is left as it is");
    Ok(())
}
