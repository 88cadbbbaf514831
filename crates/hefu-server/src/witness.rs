//! A witness over HTTP (c2sp.org/tlog-witness): `POST /add-checkpoint`, `GET /<hash>/checkpoint`.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hefu_witness::{MAX_REQUEST, Reply, Witness};

/// Routes for a witness.
pub fn witness(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint).layer(DefaultBodyLimit::max(MAX_REQUEST)))
        .route("/{hash}/checkpoint", get(latest))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Once begun it ends, even if the one who asked has gone: a memory is never half.
    let reply = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body, now)).await;
    let Ok(reply) = reply else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if let Reply::Failed(error) = &reply {
        tracing::error!("nothing was cosigned: {error}");
    }
    let status = StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, reply.content_type()), (header::CACHE_CONTROL, "no-store")];
    (status, headers, reply.body()).into_response()
}

async fn latest(State(witness): State<Arc<Witness>>, Path(hash): Path<String>) -> Response {
    // The lock may be held through a sync of the disk.
    let note = tokio::task::spawn_blocking(move || witness.latest(&hash)).await;
    match note {
        Ok(Some(note)) => {
            let headers =
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
            (headers, note.to_string()).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
