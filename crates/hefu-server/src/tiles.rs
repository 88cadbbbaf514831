//! A site of tiles over HTTP (c2sp.org/tlog-tiles): `/checkpoint`, `/tile/…`, `/public`, and nothing else in the folder.
//!
//! A path is answered only if it is the one spelling of a tile's name, so none leads anywhere else.

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hefu_chain::tile::Tile;

/// Never the same twice.
const FRESH: &str = "no-cache";
/// A tile never changes: what is in it is hashed into every later checkpoint.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Routes for the site in this folder. GET and HEAD.
pub fn tiles(folder: PathBuf) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/public", get(public))
        .route("/tile/{*path}", get(tile))
        .with_state(Arc::new(folder))
}

async fn checkpoint(State(folder): State<Arc<PathBuf>>) -> Response {
    file(folder.join("checkpoint"), "text/plain; charset=utf-8", FRESH).await
}

/// Whether the site was made without entries.
async fn public(State(folder): State<Arc<PathBuf>>) -> Response {
    file(folder.join("public"), "text/plain; charset=utf-8", FRESH).await
}

async fn tile(State(folder): State<Arc<PathBuf>>, Path(path): Path<String>) -> Response {
    match format!("tile/{path}").parse::<Tile>() {
        Ok(tile) => file(folder.join(tile.to_string()), "application/octet-stream", FOREVER).await,
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn file(path: PathBuf, kind: &'static str, cache: &'static str) -> Response {
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    match read {
        Ok(Ok(bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, cache),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, Body::from(bytes)).into_response()
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => {
            tracing::warn!("a file of the site cannot be read: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
