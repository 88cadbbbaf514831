//! A ledger's service, asked over HTTP: its records and its newest checkpoint. Whether the records are what the checkpoint
//! stands for is for the reader to find out.

mod writing;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hefu_chain::record::Record;
use serde::{Deserialize, de::DeserializeOwned};

use crate::http::{self, Http, HttpError};

pub use self::writing::{Answered, BATCH_BYTES, Denial, OnRecord, TOGETHER_BYTES, Together, fitting};

/// Bytes of one answer: a page of records in Base64, with room to spare.
const MAX_ANSWER: u64 = 64 << 20;

/// The service of a ledger at an address.
#[derive(Debug, Clone)]
pub struct LedgerService {
    http: Http,
    base: String,
}

/// The service gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ServiceFailure {
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] HttpError),
    /// It said why not (RFC 9457).
    #[error("{title}")]
    Problem {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The stable code.
        code: String,
        /// What is wrong, in the language asked for.
        title: String,
    },
    /// It is not the service of a ledger, or of another version.
    #[error("{url}: {why}")]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        why: String,
    },
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    title: String,
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

#[derive(Deserialize)]
struct Proof {
    proof: String,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<OnWire>,
    next: String,
    caught_up: bool,
}

#[derive(Deserialize)]
struct OnWire {
    position: String,
    leaf: String,
    body: String,
    command: String,
    redacted_by: Option<String>,
}

impl LedgerService {
    /// The service whose paths begin with this address, `https://…` or `http://…`. Nothing if it begins otherwise.
    pub fn new(http: Http, url: &str) -> Option<LedgerService> {
        let known = url.starts_with("https://") || url.starts_with("http://");
        known.then(|| LedgerService { http, base: url.trim_end_matches('/').to_owned() })
    }

    /// How long a request may take.
    pub const PATIENCE: Duration = Duration::from_mins(1);

    /// The newest signed checkpoint: a note.
    pub fn checkpoint(&self) -> Result<String, ServiceFailure> {
        self.get::<Note>("/v1/checkpoint").map(|(answer, _)| answer.note)
    }

    /// The proof that a record is under the newest checkpoint.
    pub fn inclusion(&self, position: u64) -> Result<String, ServiceFailure> {
        self.get::<Proof>(&format!("/v1/proofs/inclusion?position={position}"))
            .map(|(answer, _)| answer.proof)
    }

    /// All records from a position on; `progress` is told how many have come.
    pub fn records(&self, from: u64, progress: &dyn Fn(u64)) -> Result<Vec<Record>, ServiceFailure> {
        let (mut records, mut next) = (Vec::new(), from);
        loop {
            let (page, url) = self.get::<Page>(&format!("/v1/records?from={next}"))?;
            let unreadable = |why: &str| ServiceFailure::Unreadable { url: url.clone(), why: why.to_owned() };
            for one in page.records {
                records.push(record(one).ok_or_else(|| unreadable("a record cannot be read"))?);
            }
            progress(records.len() as u64);
            if page.caught_up {
                return Ok(records);
            }
            // What does not go on would never end.
            let later = page.next.parse().ok().filter(|later| *later > next);
            next = later.ok_or_else(|| unreadable("the pages do not go on"))?;
        }
    }

    /// One record; nothing if there is none.
    pub fn record(&self, position: u64) -> Result<Option<Record>, ServiceFailure> {
        let (page, url) = self.get::<Page>(&format!("/v1/records?from={position}&limit=1"))?;
        let Some(one) = page.records.into_iter().next() else { return Ok(None) };
        let why = "another record came than was asked for".to_owned();
        match record(one).filter(|record| record.position == position) {
            Some(record) => Ok(Some(record)),
            None => Err(ServiceFailure::Unreadable { url, why }),
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String), ServiceFailure> {
        let url = format!("{}{path}", self.base);
        let answer = self.http.get(&url, MAX_ANSWER)?;
        LedgerService::read(url, &answer)
    }

    fn read<T: DeserializeOwned>(url: String, answer: &http::Answer) -> Result<(T, String), ServiceFailure> {
        if answer.status == 200 {
            return match serde_json::from_slice(&answer.body) {
                Ok(value) => Ok((value, url)),
                Err(error) => Err(ServiceFailure::Unreadable { url, why: error.to_string() }),
            };
        }
        match serde_json::from_slice(&answer.body) {
            Ok(Problem { code, title }) if answer.kind == "application/problem+json" => {
                Err(ServiceFailure::Problem { url, status: answer.status, code, title })
            }
            Ok(_) | Err(_) => Err(ServiceFailure::Unreadable { url, why: answer.says() }),
        }
    }
}

fn record(one: OnWire) -> Option<Record> {
    let bytes = |text: &str| BASE64_STANDARD.decode(text).ok();
    Some(Record {
        position: one.position.parse().ok()?,
        leaf: bytes(&one.leaf)?,
        body: bytes(&one.body)?,
        command: bytes(&one.command)?,
        redacted_by: one.redacted_by.map(|by| by.parse()).transpose().ok()?,
    })
}
