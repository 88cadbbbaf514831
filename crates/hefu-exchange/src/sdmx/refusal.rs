//! Why a question is not answered: a stable code, the HTTP status, where in the address, and what to do.

use std::fmt;

/// What is wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The address is not one of SDMX REST.
    NoSuchResource,
    /// A part of the address cannot be read.
    BadSyntax,
    /// The artefact does not exist here.
    NoSuchArtefact,
    /// Nothing fits the question.
    NoData,
    /// Not offered in a form that is asked for.
    NotAcceptable,
    /// The viewer may not see it.
    NotAllowed,
    /// More figures than one answer holds.
    TooLarge,
    /// Part of the standard, and not offered.
    NotOffered,
    /// The figures could not be read.
    Unreadable,
}

impl Code {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Code::NoSuchResource => "sdmx_no_such_resource",
            Code::BadSyntax => "sdmx_bad_syntax",
            Code::NoSuchArtefact => "sdmx_no_such_artefact",
            Code::NoData => "sdmx_no_data",
            Code::NotAcceptable => "sdmx_not_acceptable",
            Code::NotAllowed => "sdmx_not_allowed",
            Code::TooLarge => "sdmx_too_large",
            Code::NotOffered => "sdmx_not_offered",
            Code::Unreadable => "sdmx_unreadable",
        }
    }

    /// The HTTP status. An empty result is 404: on 204 the clients fail without saying why.
    pub const fn status(self) -> u16 {
        match self {
            Code::BadSyntax => 400,
            Code::NotAllowed => 403,
            Code::NoSuchResource | Code::NoSuchArtefact | Code::NoData => 404,
            Code::NotAcceptable => 406,
            Code::TooLarge => 413,
            Code::NotOffered => 501,
            Code::Unreadable => 500,
        }
    }
}

/// A question that is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub code: Code,
    /// The part of the address, such as `c[FREQ]` or `key`.
    pub place: String,
    /// What stands there.
    pub value: String,
    /// Why, in English.
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(
        code: Code,
        (place, value): (&str, &str),
        why: impl Into<String>,
        why_zh: impl Into<String>,
    ) -> Refusal {
        // What is repeated to a stranger has an end.
        let value = value.chars().take(100).collect();
        Refusal { code, place: place.to_owned(), value, why: why.into(), why_zh: why_zh.into() }
    }

    /// The refusal as an RFC 9457 problem, in Chinese or English.
    pub fn problem(&self, zh: bool) -> Vec<u8> {
        let problem = serde_json::json!({
            "type": format!("urn:hefu:error:{}", self.code.name()),
            "title": if zh { &self.why_zh } else { &self.why },
            "status": self.code.status(),
            "code": self.code.name(),
            "field": self.place,
            "value": self.value,
        });
        serde_json::to_vec(&problem)
            .unwrap_or_else(|error| unreachable!("strings and numbers are JSON: {error}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`: {} [{}]", self.place, self.value, self.why, self.code.name())
    }
}

impl std::error::Error for Refusal {}
