//! Requests that end: with a limit on time and on size, and without following anybody elsewhere.

use std::time::Duration;

use ureq::{Agent, http};

/// Makes requests.
#[derive(Debug, Clone)]
pub struct Http {
    agent: Agent,
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, empty if none was named.
    pub kind: String,
    /// The body.
    pub body: Vec<u8>,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {why}")]
pub struct HttpError {
    /// What was asked for.
    pub url: String,
    /// Why there is no answer.
    pub why: String,
}

impl Http {
    /// Requests that take at most so long, all in all.
    pub fn new(limit: Duration) -> Http {
        let config = Agent::config_builder()
            .timeout_global(Some(limit))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("hefu")
            .build();
        Http { agent: Agent::new_with_config(config) }
    }

    /// Gets a file of at most `max` bytes. Whatever the status, an answer is an answer.
    pub fn get(&self, url: &str, max: u64) -> Result<Answer, HttpError> {
        Http::finish(url, max, self.agent.get(url).call())
    }

    /// Posts a body, for an answer of at most `max` bytes.
    pub fn post(&self, url: &str, kind: &str, body: &[u8], max: u64) -> Result<Answer, HttpError> {
        Http::finish(url, max, self.agent.post(url).header("content-type", kind).send(body))
    }

    fn finish(
        url: &str,
        max: u64,
        answer: Result<http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, HttpError> {
        let failed = |error: ureq::Error| HttpError { url: url.to_owned(), why: error.to_string() };
        let mut answer = answer.map_err(failed)?;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = answer.body_mut().with_config().limit(max).read_to_vec().map_err(failed)?;
        Ok(Answer { status, kind, body })
    }
}

impl Answer {
    /// The body as one line for people, cut where it is long.
    pub(crate) fn says(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.lines().next().unwrap_or_default().chars().take(120).collect();
        format!("{} {line}", self.status)
    }
}
