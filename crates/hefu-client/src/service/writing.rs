//! Signed commands to a ledger's service. A command is known by its id, so a request whose answer was lost is sent again:
//! what is on record is answered with its first receipt. That an answer belongs to the command that was sent is checked
//! here; whether the receipt holds is for whoever keeps it.

use std::{thread, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hefu_chain::{
    command::SignedCommand,
    hash::Sha256Digest,
    leaf::LeafRef,
    receipt::{Receipt, Refusal},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{LedgerService, MAX_ANSWER, ServiceFailure};

/// Bytes of the signed commands of one request.
pub const BATCH_BYTES: usize = 4 << 20;
/// Bytes of signed commands that go together.
pub const TOGETHER_BYTES: usize = 64 << 20;
/// How long they may take on their way and until they are answered.
const LONG: Duration = Duration::from_mins(10);
/// Bytes of the answers to them.
const MAX_ANSWERS: u64 = 512 << 20;
/// How often a request is sent, at most, if nobody answers.
const ATTEMPTS: u32 = 5;
/// How long after the first attempt the second one is made; each later one waits twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// How the commands of a request belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Each stands alone.
    Each,
    /// After a refusal no later one is looked at.
    Stop,
    /// All or none.
    Whole,
    /// They are decided, and nothing is recorded.
    DryRun,
}

/// A command that is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRecord {
    /// The command.
    pub id: Uuid,
    /// Position of its first record.
    pub position: u64,
    /// How many records it caused.
    pub records: u32,
    /// The first record's leaf, exactly as stored.
    pub leaf: Vec<u8>,
    /// The log's signature; nothing in a dry run.
    pub receipt: Option<Receipt>,
    /// It was on record before.
    pub repeated: bool,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The stable code.
    pub code: String,
    /// Whether a right is missing.
    pub denied: bool,
    /// What was wrong, in Chinese.
    pub zh: String,
    /// What was wrong, in English.
    pub en: String,
    /// The field that is wrong, if a single one is.
    pub field: Option<String>,
    /// The refusal as the log signed it.
    pub signed: Option<Refusal>,
}

/// The answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is on record.
    Accepted(OnRecord),
    /// It was refused.
    Refused(Denial),
}

#[derive(Deserialize)]
struct Batch {
    answers: Vec<OneAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OneAnswer {
    Accepted(Accepted),
    Refused(Refused),
}

/// A line of an answer that goes on.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Answers(Batch),
    Failed { problem: Failure },
}

#[derive(Deserialize)]
struct Failure {
    status: u16,
    code: String,
    title: String,
}

#[derive(Deserialize)]
struct Found {
    accepted: Accepted,
}

#[derive(Deserialize)]
struct Accepted {
    id: Uuid,
    position: String,
    records: u32,
    leaf: String,
    receipt: Option<Signed>,
    repeated: bool,
}

#[derive(Deserialize)]
struct Signed {
    origin: String,
    seq: String,
    head: String,
    sig: String,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
    #[serde(default)]
    denied: bool,
    message_zh: String,
    message_en: String,
    field: String,
    signed: String,
}

impl LedgerService {
    /// Submits the bytes of signed commands and waits for their answers, in order: at most [`BATCH_BYTES`], or
    /// [`TOGETHER_BYTES`] of what goes together.
    pub fn submit(&self, commands: &[Vec<u8>], how: Together) -> Result<Vec<Answered>, ServiceFailure> {
        let bytes: usize = commands.iter().map(Vec::len).sum();
        let many = bytes > BATCH_BYTES && matches!(how, Together::Whole | Together::DryRun);
        let url = format!("{}/v1/commands/{}", self.base, if many { "stream" } else { "batch" });
        let answers = if many {
            self.together(&url, commands, how)?
        } else {
            let body = asked(commands, how, false).to_string();
            LedgerService::patiently(|| {
                let answer = self.http.post(&url, "application/json", body.as_bytes(), MAX_ANSWER)?;
                LedgerService::read::<Batch>(url.clone(), &answer).map(|(batch, _)| batch.answers)
            })?
        };
        let unreadable = |why: &str| ServiceFailure::Unreadable { url: url.clone(), why: why.to_owned() };
        if answers.len() != commands.len() {
            return Err(unreadable("it has another number of answers than of commands"));
        }
        let answer = |(one, command): (OneAnswer, &Vec<u8>)| match one {
            OneAnswer::Accepted(one) => on_record(one)
                .filter(|one| is_of(one, command, how))
                .map(Answered::Accepted)
                .ok_or_else(|| unreadable("an answer is not that of the command")),
            OneAnswer::Refused(one) => {
                denial(one).map(Answered::Refused).ok_or_else(|| unreadable("a refusal cannot be read"))
            }
        };
        answers.into_iter().zip(commands).map(answer).collect()
    }

    /// The first answer to a command; nothing if it is not on record.
    pub fn recorded(&self, id: Uuid) -> Result<Option<OnRecord>, ServiceFailure> {
        match self.get::<Found>(&format!("/v1/receipts/{id}")) {
            Ok((found, url)) => match on_record(found.accepted).filter(|one| one.id == id) {
                Some(one) => Ok(Some(one)),
                None => Err(ServiceFailure::Unreadable { url, why: "a receipt cannot be read".to_owned() }),
            },
            Err(ServiceFailure::Problem { code, .. }) if code == "unknown_command_id" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends what goes together in several requests of one stream.
    fn together(
        &self,
        url: &str,
        commands: &[Vec<u8>],
        how: Together,
    ) -> Result<Vec<OneAnswer>, ServiceFailure> {
        let (mut body, mut rest) = (String::new(), commands);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            rest = later;
            body += &asked(now, how, !later.is_empty()).to_string();
            body.push('\n');
        }
        LedgerService::patiently(|| {
            let kind = "application/x-ndjson";
            let answer = self.http.post_long(url, kind, body.as_bytes(), (MAX_ANSWERS, LONG))?;
            if answer.status != 200 {
                return LedgerService::read::<Batch>(url.to_owned(), &answer).map(|(batch, _)| batch.answers);
            }
            let mut answers = Vec::new();
            for line in answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice(line) {
                    Ok(Line::Answers(batch)) => answers.extend(batch.answers),
                    Ok(Line::Failed { problem: Failure { status, code, title } }) => {
                        return Err(ServiceFailure::Problem { url: url.to_owned(), status, code, title });
                    }
                    Err(error) => {
                        let why = error.to_string();
                        return Err(ServiceFailure::Unreadable { url: url.to_owned(), why });
                    }
                }
            }
            Ok(answers)
        })
    }

    /// Asks, and asks again if no answer came: it may have been lost on the way back.
    fn patiently<T>(ask: impl Fn() -> Result<T, ServiceFailure>) -> Result<T, ServiceFailure> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let outcome = ask();
            let lost = match &outcome {
                Err(ServiceFailure::NoAnswer(_)) => true,
                Err(ServiceFailure::Problem { status, .. }) => matches!(status, 408 | 429),
                Ok(_) | Err(ServiceFailure::Unreadable { .. }) => false,
            };
            if !lost || attempt == ATTEMPTS {
                return outcome;
            }
            thread::sleep(pause);
            (attempt, pause) = (attempt + 1, pause * 2);
        }
    }
}

/// A request for these commands.
fn asked(commands: &[Vec<u8>], how: Together, more: bool) -> Value {
    let coded: Vec<String> = commands.iter().map(|command| BASE64_STANDARD.encode(command)).collect();
    let mut body = json!({"commands": coded});
    match how {
        Together::Each => {}
        Together::Stop => body["stop_at_refusal"] = json!(true),
        Together::Whole => body["all_or_none"] = json!(true),
        Together::DryRun => body["dry_run"] = json!(true),
    }
    if more {
        body["more"] = json!(true);
    }
    body
}

/// How many of the first commands go into one request: at least one, whatever its size.
pub fn fitting(commands: &[Vec<u8>]) -> usize {
    let mut bytes = 0;
    let fit = commands.iter().take_while(|command| {
        bytes += command.len();
        bytes <= BATCH_BYTES
    });
    fit.count().max(1)
}

/// Whether an answer is that of these bytes: a leaf names the command by id and digest.
fn is_of(one: &OnRecord, command: &[u8], how: Together) -> bool {
    let Ok(leaf) = LeafRef::parse(&one.leaf) else { return false };
    let Ok(signed) = SignedCommand::parse(command.to_vec()) else { return false };
    let known = leaf.command == one.id && one.id == signed.id() && leaf.seq == one.position;
    // What is only tried has no leaf on record, so none to be wrong about.
    let same = leaf.command_sha256 == Sha256Digest::of(command);
    let last = one.position.saturating_add(u64::from(one.records.max(1)) - 1);
    let promised = match &one.receipt {
        Some(receipt) => receipt.seq >= last && receipt.origin.as_str() == signed.ledger(),
        None => how == Together::DryRun,
    };
    known && same && promised
}

fn on_record(one: Accepted) -> Option<OnRecord> {
    let receipt = match one.receipt {
        None => None,
        Some(Signed { origin, seq, head, sig }) => Some(Receipt {
            origin: origin.parse().ok()?,
            seq: seq.parse().ok()?,
            head: head.parse().ok()?,
            sig: sig.parse().ok()?,
        }),
    };
    Some(OnRecord {
        id: one.id,
        position: one.position.parse().ok()?,
        records: one.records,
        leaf: BASE64_STANDARD.decode(one.leaf).ok()?,
        receipt,
        repeated: one.repeated,
    })
}

fn denial(one: Refused) -> Option<Denial> {
    let signed = BASE64_STANDARD.decode(one.signed).ok()?;
    let signed = if signed.is_empty() { None } else { Some(serde_json::from_slice(&signed).ok()?) };
    Some(Denial {
        code: one.code,
        denied: one.denied,
        zh: one.message_zh,
        en: one.message_en,
        field: Some(one.field).filter(|field| !field.is_empty()),
        signed,
    })
}
