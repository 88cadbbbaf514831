//! What HTTP sends back: answers with a tag, pages with a link, streams of lines, problems.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hefu_api::{
    problem::{Kind, Problem},
    routes::{Form, Route},
};
use hefu_chain::hash::Sha256Digest;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

use crate::{desk::failed, records::Reading};

/// Lines that wait for a slow reader; then reading waits, too.
pub(super) const AHEAD: usize = 2;
/// Who asks, and in which language, decides what is answered.
const VARY: &str = "Authorization, Accept-Language";

/// What of a request shapes its answer.
pub(super) struct Asked {
    /// Whether people are to be told in Chinese.
    pub(super) zh: bool,
    /// Tags of the answers that the caller has.
    known: Option<HeaderValue>,
    path: String,
    query: String,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Asked {
        Asked {
            zh: in_chinese(request.headers()),
            known: request.headers().get(header::IF_NONE_MATCH).cloned(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
        }
    }

    /// Whether the caller has this answer.
    fn has(&self, tag: &str) -> bool {
        let known = self.known.as_ref().and_then(|known| known.to_str().ok()).unwrap_or_default();
        known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
    }

    /// The same question for the page that begins with this token.
    fn page(&self, token: &str) -> String {
        let kept = form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != "page_token");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("page_token", token);
        format!("<{}?{}>; rel=\"next\"", self.path, query.finish())
    }
}

/// Whether Chinese comes before English in what the caller accepts. Nothing said: English.
pub(crate) fn in_chinese(headers: &HeaderMap) -> bool {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut best: Option<(u32, bool)> = None;
    for range in text.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let zh = tag == "zh" || tag.starts_with("zh-");
        if !zh && tag != "en" && !tag.starts_with("en-") {
            continue;
        }
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        if weight > 0 && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, zh));
        }
    }
    best.is_some_and(|(_, zh)| zh)
}

/// A weight between 0 and 1 in thousandths; 0 if it is none.
fn thousandths(text: &str) -> u32 {
    match text.split_once('.') {
        None => text.parse::<u32>().ok().filter(|whole| *whole <= 1).map_or(0, |whole| whole * 1000),
        Some(("0", part)) if part.len() <= 3 => format!("{part:0<3}").parse().unwrap_or(0),
        Some(("1", _)) => 1000,
        Some(_) => 0,
    }
}

/// A message as its proto3 JSON.
pub(super) fn answer<A: Serialize>(route: Route, asked: &Asked, given: &A) -> Response {
    let Ok(value) = serde_json::to_value(given) else { return problem(&failed(), asked.zh) };
    let mut response = match route.form {
        Form::Get | Form::Lines | Form::Exchange => text(asked, "application/json", format!("{value}\n")),
        Form::Post | Form::Put => {
            ([(header::CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
        }
    };
    let next = value.get("next_page_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    if let Some(link) = next.and_then(|token| HeaderValue::from_str(&asked.page(token)).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// A text with its tag; without the text if the caller has it.
pub(super) fn text(asked: &Asked, kind: &'static str, body: String) -> Response {
    let tag = format!("\"{}\"", &Sha256Digest::of(body.as_bytes()).to_string()[..32]);
    let known = asked.has(&tag);
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, VARY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// A failure, as RFC 9457 has it.
pub(crate) fn problem(problem: &Problem, zh: bool) -> Response {
    let status = StatusCode::from_u16(problem.kind.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CONTENT_LANGUAGE, if zh { "zh" } else { "en" }),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, VARY),
    ];
    let body = format!("{}\n", in_query(problem).json(zh));
    let mut response = (status, headers, body).into_response();
    if problem.kind == Kind::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The fields of a moment stand in a query by themselves.
fn in_query(problem: &Problem) -> Problem {
    let field = problem.field.strip_prefix("moment.").unwrap_or(&problem.field).to_owned();
    Problem { field, ..problem.clone() }
}

/// Steps of reading, one a line; a failure on the way is the last line, `{"problem":…}`.
pub(super) fn lines(mut reading: Reading, place: OwnedSemaphorePermit, zh: bool) -> Response {
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let _place = place;
        while let Some(step) = tokio::select! {
            step = reading.next() => step,
            () = send.closed() => None,
        } {
            let over = step.is_err();
            if send.send(line(step, zh)).await.is_err() || over {
                break;
            }
        }
    });
    streamed(receive)
}

/// Lines as they come.
pub(super) fn streamed(lines: mpsc::Receiver<Bytes>) -> Response {
    let body = Body::from_stream(ReceiverStream::new(lines).map(Ok::<_, std::convert::Infallible>));
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// One line; a failure is the last.
pub(super) fn line<T: Serialize>(step: Result<T, Problem>, zh: bool) -> Bytes {
    let step = step.and_then(|step| serde_json::to_value(step).map_err(|_| failed()));
    let value = step.unwrap_or_else(|error| serde_json::json!({"problem": error.json(zh)}));
    Bytes::from(format!("{value}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_spoken_to_those_who_prefer_it() {
        let ask = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            in_chinese(&headers)
        };
        assert!(ask("zh-CN,zh;q=0.9,en;q=0.8"));
        assert!(ask("en;q=0.5, zh;q=0.501"));
        assert!(!ask("en, zh"));
        assert!(!ask("zh;q=0, en;q=0.1"));
        assert!(!ask("fr"));
        assert!(!in_chinese(&HeaderMap::new()));
    }
}
