//! What a failure is called: one table from its kind to gRPC status, HTTP status and exit code.
//!
//! Every failure has a stable code of its own, the same on every wire; the kind says how a wire marks it.

use std::fmt;

use hefu_engine::{EngineError, PublishError, Refused};
use hefu_projections::find::NotFound;
use hefu_store::StoreError;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// How a failure is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The question is wrong: its words, not its right.
    Usage,
    /// The command cannot be read.
    Malformed,
    /// Nobody, or nobody any more, is behind the token or the signature.
    Unauthenticated,
    /// Not you.
    Denied,
    /// No such thing.
    Unknown,
    /// The id is taken.
    Taken,
    /// A rule says no.
    Rule,
    /// Not yet: ask again when the ledger has come so far.
    NotYet,
    /// The path does not take the method.
    Method,
    /// The request has another form than the path takes.
    Media,
    /// It did not come in time.
    Slow,
    /// Too much at once.
    TooLarge,
    /// Too many at once: ask again later.
    Busy,
    /// The ledger cannot work now.
    Unavailable,
    /// A defect or a failure of the machine.
    Internal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 15] = [
        Kind::Usage,
        Kind::Malformed,
        Kind::Unauthenticated,
        Kind::Denied,
        Kind::Unknown,
        Kind::Taken,
        Kind::Rule,
        Kind::NotYet,
        Kind::Method,
        Kind::Media,
        Kind::Slow,
        Kind::TooLarge,
        Kind::Busy,
        Kind::Unavailable,
        Kind::Internal,
    ];

    /// The table: gRPC status, HTTP status, exit code of the command line.
    const fn row(self) -> (Code, u16, u8) {
        match self {
            Kind::Usage => (Code::InvalidArgument, 400, 64),
            Kind::Malformed => (Code::InvalidArgument, 400, 1),
            Kind::Unauthenticated => (Code::Unauthenticated, 401, 77),
            Kind::Denied => (Code::PermissionDenied, 403, 77),
            Kind::Unknown => (Code::NotFound, 404, 1),
            Kind::Taken => (Code::AlreadyExists, 409, 1),
            Kind::Rule => (Code::FailedPrecondition, 422, 1),
            Kind::NotYet => (Code::FailedPrecondition, 409, 1),
            Kind::Method => (Code::Unimplemented, 405, 64),
            Kind::Media => (Code::InvalidArgument, 415, 64),
            Kind::Slow => (Code::DeadlineExceeded, 408, 75),
            Kind::TooLarge => (Code::ResourceExhausted, 413, 64),
            Kind::Busy => (Code::ResourceExhausted, 429, 75),
            Kind::Unavailable => (Code::Unavailable, 503, 69),
            Kind::Internal => (Code::Internal, 500, 74),
        }
    }

    /// What it means, for documents.
    pub const fn words(self) -> &'static str {
        match self {
            Kind::Usage => "The question is wrong.",
            Kind::Malformed => "The command cannot be read.",
            Kind::Unauthenticated => "No token, or one that does not serve.",
            Kind::Denied => "The role or the region may not.",
            Kind::Unknown => "There is no such thing.",
            Kind::Taken => "The id is taken.",
            Kind::Rule => "A rule says no.",
            Kind::NotYet => "The ledger has not come so far.",
            Kind::Method => "The path does not take the method.",
            Kind::Media => "The request is not JSON.",
            Kind::Slow => "The request did not come in time.",
            Kind::TooLarge => "Too much at once.",
            Kind::Busy => "Too many at once.",
            Kind::Unavailable => "The ledger cannot work now.",
            Kind::Internal => "A defect, or a failure of the machine.",
        }
    }

    /// The gRPC status.
    pub const fn grpc(self) -> Code {
        self.row().0
    }

    /// The HTTP status.
    pub const fn http(self) -> u16 {
        self.row().1
    }

    /// The exit code.
    pub const fn exit(self) -> u8 {
        self.row().2
    }

    /// The kind of a refusal.
    pub fn of(refused: &Refused) -> Kind {
        match refused {
            Refused::Envelope(_) | Refused::Malformed(_) | Refused::BadKey(_) | Refused::WrongLedger(_) => {
                Kind::Malformed
            }
            Refused::Signature | Refused::Endorsement(_) => Kind::Malformed,
            Refused::UnknownKey(_) => Kind::Denied,
            Refused::IdReused { .. } => Kind::Taken,
            Refused::Expired { .. }
            | Refused::Clock { .. }
            | Refused::CannotForget
            | Refused::LogKeyElsewhere(_)
            | Refused::Unreadable { .. }
            | Refused::Skipped => Kind::Rule,
            Refused::Rule(rejection) => Kind::of_rule(rejection.code()),
        }
    }

    /// The kind of a rule's refusal.
    pub fn of_rule(code: &str) -> Kind {
        match code {
            "wrong_role" | "foreign_office" | "key_ended" => Kind::Denied,
            _ => Kind::Rule,
        }
    }
}

/// A failure, as every wire can show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// How it is marked.
    pub kind: Kind,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// The field that is wrong; empty if no single one is.
    pub field: String,
    /// The refusal as the log signed it, in canonical JSON.
    pub refusal: Option<String>,
}

impl Problem {
    /// A failure.
    pub fn new(kind: Kind, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem { kind, code, zh: zh.into(), en: en.into(), field: String::new(), refusal: None }
    }

    /// A question that cannot be read, and the field that is wrong.
    pub fn usage(field: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem::new(Kind::Usage, "usage", zh, en).at(field)
    }

    /// The field that is wrong.
    pub fn at(mut self, field: &str) -> Problem {
        field.clone_into(&mut self.field);
        self
    }

    /// As gRPC shows it: ErrorInfo with the code, the field, the words in Chinese.
    pub fn status(&self) -> Status {
        let reason = self.code.to_ascii_uppercase();
        let mut metadata = std::collections::HashMap::from([("code".to_owned(), self.code.to_owned())]);
        if let Some(refusal) = &self.refusal {
            metadata.insert("refusal".to_owned(), refusal.clone());
        }
        let mut details = ErrorDetails::with_error_info(reason, "hefu", metadata);
        details.set_localized_message("zh-CN", &self.zh);
        if !self.field.is_empty() {
            details.add_bad_request_violation(&self.field, &self.en);
        }
        Status::with_error_details(self.kind.grpc(), &self.en, details)
    }

    /// As HTTP shows it: RFC 9457.
    pub fn json(&self, zh: bool) -> Value {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(format!("urn:hefu:error:{}", self.code)));
        object.insert("title".to_owned(), json!(if zh { &self.zh } else { &self.en }));
        object.insert("status".to_owned(), json!(self.kind.http()));
        object.insert("code".to_owned(), json!(self.code));
        if !self.field.is_empty() {
            object.insert("field".to_owned(), json!(self.field));
        }
        if let Some(refusal) =
            self.refusal.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok())
        {
            object.insert("refusal".to_owned(), refusal);
        }
        Value::Object(object)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.en, self.code)
    }
}

impl std::error::Error for Problem {}

impl From<NotFound> for Problem {
    fn from(error: NotFound) -> Problem {
        let kind = match error {
            NotFound::NoRegions => Kind::NotYet,
            NotFound::AmbiguousRegion { .. } => Kind::Usage,
            NotFound::Region { .. }
            | NotFound::Project(_)
            | NotFound::Dispute(_)
            | NotFound::Indicator { .. }
            | NotFound::Vintage(_) => Kind::Unknown,
        };
        Problem::new(kind, error.code(), error.zh(), error.to_string())
    }
}

impl From<EngineError> for Problem {
    /// What is wrong inside is for the operator's log; a stranger learns that it cannot be done now.
    fn from(error: EngineError) -> Problem {
        let full = matches!(error, EngineError::Store(StoreError::Full { .. }));
        if full {
            return Problem::new(
                Kind::Unavailable,
                "disk_full",
                "磁盘空间不足;已答复的命令都在",
                "the disk is full; nothing acknowledged is lost",
            );
        }
        let stopped = matches!(error, EngineError::Stopped(_));
        let (kind, code) = if stopped { (Kind::Unavailable, "stopped") } else { (Kind::Internal, "failed") };
        Problem::new(kind, code, "账本目前无法工作", "the ledger cannot work now")
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Problem {
        let en = error.to_string();
        let not_covered = |zh: String, en| Problem::new(Kind::NotYet, "not_covered", zh, en);
        match error {
            PublishError::Engine(error) => error.into(),
            PublishError::NoCheckpoint => not_covered("尚无检查点".to_owned(), en),
            PublishError::Uncovered { position, .. } => {
                not_covered(format!("尚无检查点包含第 {position} 条记录"), en)
            }
            PublishError::NoRecord { position, .. } => {
                Problem::new(Kind::Unknown, "unknown_position", format!("没有第 {position} 条记录"), en)
            }
            PublishError::Sizes { .. } => {
                Problem::new(Kind::Unknown, "no_such_proof", "没有这样的一致性证明", en)
            }
            PublishError::NotCosigned(_) | PublishError::Site { .. } => {
                Problem::new(Kind::Internal, "failed", "账本目前无法工作", "the ledger cannot work now")
            }
        }
    }
}
