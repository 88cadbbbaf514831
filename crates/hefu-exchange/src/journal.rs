//! Journals: commands as JSON Lines, one a line, signed or to be signed here.
//!
//! A signed line is an object of `envelope` and `sig`; its bytes go on untouched, the engine judges them. Any other line
//! is a draft: the command's own fields beside `as`, `id`, `at`, `key` and `not_after`. A draft is checked as far as it
//! can be without the ledger, so that a wrong line is named before anything is signed.
//!
//! Refuses what two readers could understand differently: a key twice, a number that is not a plain integer, deep
//! nesting, bytes that are not UTF-8. Blank lines and a byte order mark are skipped.

use std::{fmt, io::BufRead};

use hefu_domain::{command::Command, id::KeyId, time::Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::Problem;

mod strict;

/// The longest line, line end included.
pub const MAX_LINE: usize = 4 << 20;

/// Commands that have a field `key` of their own: there it is no choice of the signing key.
const OWN_KEY: [&str; 4] = ["rotate_key", "rotate_log_key", "revoke_key", "recover_key"];

/// One line of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// What it holds.
    pub kind: LineKind,
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// A signed command, byte for byte.
    Signed(Vec<u8>),
    /// A command to be signed.
    Unsigned(Draft),
}

/// A command to be signed, and what the line says about how.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// `as`: the office whose key signs.
    pub signer: Option<String>,
    /// `id` of the command.
    pub id: Option<Uuid>,
    /// `at`: when it was signed.
    pub at: Option<String>,
    /// `not_after`: until when it may be recorded.
    pub not_after: Option<String>,
    /// `key`: id of the key that signs.
    pub key: Option<String>,
    /// The command's own fields, `type` included. It is one of the ledger's commands.
    pub command: Map<String, Value>,
}

/// A line that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct JournalError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: Option<usize>,
    /// Path of the field, such as `terms.credits.investment.origin_bp`.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

impl JournalError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The whole message in Chinese.
    pub fn zh(&self) -> String {
        let field = self.field.as_ref().map(|field| format!(" `{field}`")).unwrap_or_default();
        let column = self.column.map(|column| format!(":{column}")).unwrap_or_default();
        let JournalError { file, line, problem, .. } = self;
        format!("{file}:{line}{column}:{field} {};{}", problem.why_zh(), problem.hint_zh())
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        f.write_str(": ")?;
        if let Some(field) = &self.field {
            write!(f, "`{field}`: ")?;
        }
        write!(f, "{}", self.problem)
    }
}

/// Reads a journal line by line. After a wrong line it goes on with the next one; after a file that cannot be read it
/// ends.
pub struct Lines<R> {
    reader: R,
    file: String,
    number: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// A reader over a journal.
    pub fn new(reader: R, file: &str) -> Lines<R> {
        Lines { reader, file: file.to_owned(), number: 0, buffer: Vec::new(), ended: false }
    }

    /// Fills the buffer with the next line, without its end; `false`: there is none.
    fn fill(&mut self) -> Result<bool, Problem> {
        self.buffer.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let part = match self.reader.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.ended = true;
                    return Err(Problem::io(&error));
                }
            };
            any |= !part.is_empty();
            let line_end = part.iter().position(|byte| *byte == b'\n');
            let taken = line_end.unwrap_or(part.len());
            too_long |= self.buffer.len() + taken > MAX_LINE;
            if !too_long {
                self.buffer.extend_from_slice(&part[..taken]);
            }
            let at_end = part.is_empty();
            self.reader.consume(taken + usize::from(line_end.is_some()));
            if at_end || line_end.is_some() {
                return if too_long { Err(Problem::TooLong {}) } else { Ok(any) };
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.number += 1;
            let kind = match self.fill() {
                Ok(false) => return None,
                Ok(true) => parse_line(&self.buffer, self.number == 1),
                Err(problem) => Err(Wrong { column: None, field: None, problem }),
            };
            let (line, file) = (self.number, &self.file);
            let located = |Wrong { column, field, problem }| JournalError {
                file: file.clone(),
                line,
                column,
                field,
                problem,
            };
            if let Some(kind) = kind.transpose() {
                return Some(kind.map(|kind| Line { number: line, kind }).map_err(located));
            }
        }
        None
    }
}

/// What is wrong with a line, and where in it.
struct Wrong {
    column: Option<usize>,
    field: Option<String>,
    problem: Problem,
}

impl Wrong {
    fn field(field: &str, problem: Problem) -> Wrong {
        let field = (!field.is_empty()).then(|| field.to_owned());
        Wrong { column: None, field, problem }
    }
}

/// What a line holds; `None`: nothing.
fn parse_line(line: &[u8], first: bool) -> Result<Option<LineKind>, Wrong> {
    let marked = if first { line.strip_prefix(b"\xef\xbb\xbf") } else { None };
    let json = marked.unwrap_or(line).trim_ascii();
    if json.is_empty() {
        return Ok(None);
    }
    if looks_signed(json) {
        return Ok(Some(LineKind::Signed(json.to_vec())));
    }
    // Columns count from the line's first byte, whatever was trimmed.
    let skipped = line.len() - marked.unwrap_or(line).trim_ascii_start().len();
    let shift = |wrong: Wrong| Wrong { column: wrong.column.map(|column| column + skipped), ..wrong };
    let Value::Object(fields) = strict::value(json).map_err(shift)? else {
        return Err(Wrong::field("", Problem::NotAnObject {}));
    };
    if fields.contains_key("envelope") || fields.contains_key("sig") {
        let exact = fields.len() == 2 && fields.contains_key("envelope") && fields.contains_key("sig");
        let signed = exact.then(|| LineKind::Signed(json.to_vec()));
        return signed.map(Some).ok_or_else(|| Wrong::field("", Problem::BadEnvelope {}));
    }
    draft(fields).map(LineKind::Unsigned).map(Some)
}

/// Whether a line has the outline of a signed command as it is written: the engine reads the rest.
fn looks_signed(json: &[u8]) -> bool {
    const START: &[u8] = b"{\"envelope\":{";
    const MIDDLE: &[u8] = b"},\"sig\":\"";
    const SIG: usize = 88; // base64 of 64 bytes
    let middle = json.len().checked_sub(MIDDLE.len() + SIG + 2);
    json.starts_with(START)
        && middle.is_some_and(|at| json[at..].starts_with(MIDDLE))
        && json.ends_with(b"\"}")
        && std::str::from_utf8(json).is_ok()
}

/// Splits what is about signing from the command, and reads both.
fn draft(mut fields: Map<String, Value>) -> Result<Draft, Wrong> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let own_key = OWN_KEY.contains(&kind);
    let signer = take(&mut fields, "as", |text| {
        if text.trim().is_empty() {
            return Err(("names no office".to_owned(), "未指明机构".to_owned()));
        }
        Ok(text.to_owned())
    })?;
    let id = take(&mut fields, "id", |text| {
        let id = Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
        id.ok_or_else(|| {
            let en = format!("`{text}` is not a UUID in lower case with hyphens");
            (en, format!("`{text}` 不是小写带连字符的 UUID"))
        })
    })?;
    let instant = |text: &str| {
        let stamp = text.parse::<Timestamp>();
        stamp.map(|_| text.to_owned()).map_err(|error| {
            (error.to_string(), format!("`{text}` 不是 2026-01-01T00:00:00.000000Z 这样的时刻"))
        })
    };
    let at = take(&mut fields, "at", instant)?;
    let not_after = take(&mut fields, "not_after", instant)?;
    let key = if own_key {
        None
    } else {
        take(&mut fields, "key", |text| {
            text.parse::<KeyId>()
                .map(|_| text.to_owned())
                .map_err(|error| (error.to_string(), format!("`{text}` 不是 32 位小写十六进制的密钥编号")))
        })?
    };
    let json =
        serde_json::to_vec(&fields).map_err(|error| Wrong::field("", Problem::json(error.to_string())))?;
    Command::parse(&json).map_err(|bad| Wrong::field(&bad.field, Problem::command(bad.fault)))?;
    Ok(Draft { signer, id, at, not_after, key, command: fields })
}

/// Takes a text that stands beside the command. `null` is the same as left out.
fn take<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, (String, String)>,
) -> Result<Option<T>, Wrong> {
    let wrong = |(why, why_zh)| Wrong::field(name, Problem::BadField { why, why_zh });
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => read(&text).map(Some).map_err(wrong),
        Some(_) => Err(wrong(("must be a string".to_owned(), "应为字符串".to_owned()))),
    }
}

#[cfg(test)]
mod tests;
