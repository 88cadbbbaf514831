//! The services over HTTP and JSON: each path of `hefu_api::routes` is an operation of the proto files, its answer their
//! proto3 JSON. Beside them: the OpenAPI document, the log as a site of tiles, health and counts.
//!
//! Failures are problems (RFC 9457) from the one table, in Chinese for callers who prefer it. An answer has an ETag; one
//! in pages has a `Link` to the next.

mod exchange;
mod health;
mod reply;
mod site;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
    routing::{MethodRouter, get, post, put},
};
use hefu_api::{
    access::Caller,
    answer::Question,
    describe::PROTO,
    openapi,
    operation::Operation,
    problem::{Kind, Problem},
    query,
    routes::{Form, ROUTES, Route},
    v1,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::reply::{Asked, answer, lines};
pub(crate) use self::reply::{in_chinese, problem};
use crate::{
    desk::Desk,
    records::{self, Reading},
    submit,
};

/// Bytes of a request's body: as much as one message over gRPC, in Base64.
const BODY: usize = 6 << 20;

/// All paths.
pub(crate) fn routes(desk: Arc<Desk>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, handler(route));
    }
    router
        .route(openapi::PATH, get(document))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/checkpoint", get(site::checkpoint))
        .route("/tile/{*path}", get(site::tile))
        .method_not_allowed_fallback(other_method)
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(desk)
}

fn handler(route: Route) -> MethodRouter<Arc<Desk>> {
    match route.operation {
        Operation::Submit => call(route, |desk, _, asked: v1::SubmitRequest| async move {
            submit::one(&desk, asked.command, asked.dry_run).await
        }),
        Operation::SubmitBatch => match route.form {
            Form::Exchange => post(exchange::commands),
            Form::Get | Form::Lines | Form::Post | Form::Put => call(route, batch),
        },
        Operation::GetReceipt => call(route, |desk, _, asked: v1::GetReceiptRequest| async move {
            submit::receipt(&desk, asked.id).await
        }),
        Operation::Indicators => question::<v1::IndicatorsRequest>(route),
        Operation::Project => question::<v1::ProjectRequest>(route),
        Operation::Projects => question::<v1::ProjectsRequest>(route),
        Operation::Circulation => question::<v1::CirculationRequest>(route),
        Operation::Disputes => question::<v1::DisputesRequest>(route),
        Operation::Statements => question::<v1::StatementsRequest>(route),
        Operation::Vintages => question::<v1::VintagesRequest>(route),
        Operation::Explain => question::<v1::ExplainRequest>(route),
        Operation::Suggest => question::<v1::SuggestRequest>(route),
        Operation::Checkpoint => call(route, |desk, caller, _: v1::CheckpointRequest| async move {
            records::checkpoint(&desk, &caller).await
        }),
        Operation::InclusionProof => {
            call(route, |desk, caller, asked| async move { records::inclusion(&desk, &caller, asked).await })
        }
        Operation::ConsistencyProof => {
            call(
                route,
                |desk, caller, asked| async move { records::consistency(&desk, &caller, asked).await },
            )
        }
        Operation::ReadRecords => match route.form {
            Form::Lines => get(stream),
            Form::Get | Form::Post | Form::Exchange | Form::Put => call(route, page),
        },
        Operation::GetCursor => {
            call(route, |desk, caller, asked| async move { records::get_cursor(&desk, caller, asked).await })
        }
        Operation::SetCursor => {
            call(route, |desk, caller, asked| async move { records::set_cursor(&desk, caller, asked).await })
        }
    }
}

fn question<Q>(route: Route) -> MethodRouter<Arc<Desk>>
where
    Q: Question + DeserializeOwned,
    Q::Answer: Serialize,
{
    call(route, |desk: Arc<Desk>, caller, question: Q| async move { desk.ask(&caller, question).await })
}

/// A path that takes a message and gives one.
fn call<M, A, F, T>(route: Route, what: F) -> MethodRouter<Arc<Desk>>
where
    M: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(Arc<Desk>, Caller, M) -> T + Clone + Send + Sync + 'static,
    T: Future<Output = Result<A, Problem>> + Send,
{
    let handle = move |State(desk): State<Arc<Desk>>, request: Request| {
        let what = what.clone();
        async move {
            let asked = Asked::of(&request);
            let work = async {
                let caller = caller(&desk, request.headers())?;
                let message = read(route, request).await?;
                what(desk.clone(), caller, message).await
            };
            match desk.counted(route.operation, work).await {
                Ok(given) => answer(route, &asked, &given),
                Err(error) => problem(&error, asked.zh),
            }
        }
    };
    match route.form {
        Form::Get | Form::Lines => get(handle),
        Form::Post | Form::Exchange => post(handle),
        Form::Put => put(handle),
    }
}

/// The commands of one request.
async fn batch(
    desk: Arc<Desk>,
    _: Caller,
    asked: v1::SubmitBatchRequest,
) -> Result<v1::SubmitBatchResponse, Problem> {
    let mode = submit::mode(&asked)?;
    if asked.more {
        let (zh, en) =
            ("多个请求一并提交请用 /v1/commands/stream", "to send more of it, use /v1/commands/stream");
        return Err(Problem::usage("more", zh, en));
    }
    submit::batch(&desk, asked.commands, mode, None).await
}

/// Some records; `next` says where to go on.
async fn page(
    desk: Arc<Desk>,
    caller: Caller,
    asked: v1::ReadRecordsRequest,
) -> Result<v1::ReadRecordsResponse, Problem> {
    if asked.follow {
        let (zh, en) = ("续读请用 /v1/records/stream", "to follow, read /v1/records/stream");
        return Err(Problem::usage("follow", zh, en));
    }
    let mut reading = Reading::begin(&desk, &caller, asked).await?;
    reading.next().await.unwrap_or_else(|| Ok(v1::ReadRecordsResponse::default()))
}

/// Records as lines, for as long as there are any, or as they come.
async fn stream(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let asked = Asked::of(&request);
    let who = caller(&desk, request.headers());
    let pairs = pairs(request.uri().query().unwrap_or_default());
    let begin = async {
        let question = query::read("ReadRecordsRequest", &pairs)?;
        let reading = Reading::begin(&desk, &who?, question).await?;
        Ok((reading, desk.place()?))
    };
    match desk.counted(Operation::ReadRecords, begin).await {
        Ok((reading, place)) => lines(reading, place, asked.zh),
        Err(error) => problem(&error, asked.zh),
    }
}

async fn document(request: Request) -> Response {
    reply::text(&Asked::of(&request), "application/json", openapi::text())
}

async fn nowhere(request: Request) -> Response {
    let grpc = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if grpc.is_some_and(|kind| kind.starts_with(b"application/grpc")) {
        return tonic::Status::unimplemented("there is no such service").into_http::<Body>();
    }
    let (zh, en) = ("没有这个路径;见 /v1/openapi.json", "there is no such path: see /v1/openapi.json");
    problem(&Problem::new(Kind::Unknown, "unknown_path", zh, en), Asked::of(&request).zh)
}

async fn other_method(request: Request) -> Response {
    let (zh, en) = ("该路径不接受此方法", "the path does not take this method");
    problem(&Problem::new(Kind::Method, "other_method", zh, en), Asked::of(&request).zh)
}

/// Who asks.
pub(crate) fn caller(desk: &Desk, headers: &HeaderMap) -> Result<Caller, Problem> {
    desk.caller(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes))
}

/// The message of a request, from its path, its query and its body.
async fn read<M: DeserializeOwned>(route: Route, request: Request) -> Result<M, Problem> {
    let (mut parts, body) = request.into_parts();
    let unread = |error: &dyn std::fmt::Display| {
        Problem::usage("", format!("请求无法读取:{error}"), format!("the request cannot be read: {error}"))
    };
    let path = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(|error| unread(&error))?;
    let path = path.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    let path: Vec<_> = path.collect();
    let mut query = pairs(parts.uri.query().unwrap_or_default());
    if parts.method == Method::GET || parts.method == Method::HEAD {
        query.splice(0..0, path);
        let method = PROTO.methods.get(route.operation.name());
        return query::read(method.map_or("", |method| &method.takes), &query);
    }
    if let Some((name, _)) = query.first() {
        let (zh, en) = ("此处不接受查询参数", "nothing is asked in the query here");
        return Err(Problem::usage(name, zh, en));
    }
    takes(&parts.headers, "application/json")?;
    let body = Bytes::from_request(Request::from_parts(parts, body), &()).await;
    let body = body.map_err(|error| match error.status() {
        axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
            let (zh, en) = (format!("请求至多 {BODY} 字节"), format!("a request has at most {BODY} bytes"));
            Problem::new(Kind::TooLarge, "too_large", zh, en)
        }
        _ => unread(&error),
    })?;
    let mut value: Value = serde_json::from_slice(&body).map_err(|error| unread(&error))?;
    if let Value::Object(object) = &mut value {
        for (name, text) in path {
            let known = object.insert(name.clone(), Value::String(text.clone()));
            if known.is_some_and(|known| known != Value::String(text)) {
                let (zh, en) = ("与路径不一致", "it differs from the path");
                return Err(Problem::usage(&name, zh, en));
            }
        }
    }
    query::from_json(value)
}

/// Fails unless the body is of this media type.
fn takes(headers: &HeaderMap, media: &str) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case(media)) {
        return Ok(());
    }
    let (zh, en) = (format!("请求应为 {media}"), format!("the request is to be {media}"));
    Err(Problem::new(Kind::Media, "other_media", zh, en))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
