//! SDMX over HTTP: `/v1/…` and `/v2/…` of `hefu_exchange::sdmx`, to be nested under `/sdmx`.
//!
//! Who asks is decided by the caller, from the request's headers. An answer depends on who asks and on what he accepts;
//! `Vary` and the ETag say so. A question is worked out on a thread that may block.

mod figures;
mod live;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hefu_exchange::sdmx::{Message, Refusal, Source, Viewer, answer, parse};

pub use figures::{LedgerCube, LedgerFolder};
pub(crate) use live::live;

/// Routes for a source. `viewer` says who asks.
pub fn sdmx<S, V>(source: Arc<S>, viewer: V) -> Router
where
    S: Source + Send + Sync + 'static,
    V: Fn(&HeaderMap) -> Viewer + Clone + Send + Sync + 'static,
{
    let route = get(move |request: Request| {
        let (source, viewer) = (source.clone(), viewer(request.headers()));
        let uri = request.uri();
        let path = uri.path().to_owned();
        let query = uri.query().map(str::to_owned);
        let text =
            |name| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (accept, languages) = (text(header::ACCEPT), text(header::ACCEPT_LANGUAGE));
        let known = text(header::IF_NONE_MATCH);
        async move {
            let work = move || {
                let question = parse(&path, query.as_deref())?;
                answer(&question, &*source, viewer, accept.as_deref(), languages.as_deref())
            };
            match tokio::task::spawn_blocking(work).await {
                Ok(answered) => respond(answered, known.as_deref()),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    });
    Router::new().route("/v1/{*path}", route.clone()).route("/v2/{*path}", route)
}

const VARY: &str = "Accept, Accept-Language, Authorization";

fn respond(answered: Result<Message, Refusal>, known: Option<&str>) -> Response {
    match answered {
        Ok(message) => {
            // The same bytes have the same tag, whoever they are for.
            let mut hasher = DefaultHasher::new();
            (message.media_type, &message.body).hash(&mut hasher);
            let tag = format!("\"{:016x}\"", hasher.finish());
            let headers = [
                (header::CONTENT_TYPE, message.media_type.to_owned()),
                (header::VARY, VARY.to_owned()),
                (header::CACHE_CONTROL, "private, no-cache".to_owned()),
                (header::ETAG, tag.clone()),
            ];
            if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
                return (StatusCode::NOT_MODIFIED, headers).into_response();
            }
            (headers, message.body).into_response()
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.status());
            let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::VARY, VARY)];
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, headers, refusal.problem(false)).into_response()
        }
    }
}
