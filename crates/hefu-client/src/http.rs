//! Requests that end: with a limit on time and on size, and without following anybody elsewhere.

use std::time::Duration;

use ureq::{
    Agent, RequestBuilder, http,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

/// Makes requests.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    limit: Duration,
    /// What stands in every request.
    headers: Vec<(&'static str, String)>,
    /// Whether one of them is a token.
    token: bool,
}

impl std::fmt::Debug for Http {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("limit", &self.limit).finish_non_exhaustive()
    }
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
        let agent = agent(limit, RootCerts::WebPki);
        Http { agent, limit, headers: Vec::new(), token: false }
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Http {
        self.headers.push(("authorization", format!("Bearer {}", token.trim())));
        self.token = true;
        self
    }

    /// The same, to be told in this language, such as `zh`.
    #[must_use]
    pub fn in_language(mut self, language: &str) -> Http {
        self.headers.push(("accept-language", language.to_owned()));
        self
    }

    /// The same, over servers whose certificates these ones, in PEM, vouch for; those of the web do so no longer.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Http, String> {
        let mut certificates = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|error| error.to_string())? {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() {
            return Err("it holds no certificate".to_owned());
        }
        self.agent = agent(self.limit, RootCerts::from(certificates));
        Ok(self)
    }

    /// Whether requests say who asks.
    pub(crate) fn has_token(&self) -> bool {
        self.token
    }

    /// Gets a file of at most `max` bytes. Whatever the status, an answer is an answer.
    pub fn get(&self, url: &str, max: u64) -> Result<Answer, HttpError> {
        Http::finish(url, max, self.as_caller(self.agent.get(url)).call())
    }

    /// Posts a body, for an answer of at most `max` bytes.
    pub fn post(&self, url: &str, kind: &str, body: &[u8], max: u64) -> Result<Answer, HttpError> {
        let request = self.as_caller(self.agent.post(url)).header("content-type", kind);
        Http::finish(url, max, request.send(body))
    }

    /// The same for what is large: it may take so long, all in all.
    pub(crate) fn post_long(
        &self,
        url: &str,
        kind: &str,
        body: &[u8],
        (max, limit): (u64, Duration),
    ) -> Result<Answer, HttpError> {
        let request = self.as_caller(self.agent.post(url)).header("content-type", kind);
        let request = request.config().timeout_global(Some(limit.max(self.limit))).build();
        Http::finish(url, max, request.send(body))
    }

    /// With what stands in every request.
    fn as_caller<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
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

fn agent(limit: Duration, roots: RootCerts) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent("hefu")
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build();
    Agent::new_with_config(config)
}

impl Answer {
    /// The body as one line for people, cut where it is long.
    pub(crate) fn says(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.lines().next().unwrap_or_default().chars().take(120).collect();
        format!("{} {line}", self.status)
    }
}
