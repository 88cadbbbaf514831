//! What went wrong, where, why, and what to do: one shape for people and machines, with a stable code.

mod from;

use std::{fmt::Write as _, path::Path};

use hefu_api::problem::Kind;
use hefu_engine::Refused;
use serde_json::{Map, Value, json};

use crate::lang::{Lang, Text, text};

pub(crate) use from::store_error;

/// The exit codes of `hefu` (sysexits where they fit).
pub(crate) mod exit {
    pub(crate) const DONE: u8 = 0;
    /// Refused by a rule, or not proven.
    pub(crate) const REFUSED: u8 = 1;
    /// Only `audit`: proven bad.
    pub(crate) const PROVEN_BAD: u8 = 2;
    pub(crate) const USAGE: u8 = 64;
    pub(crate) const BAD_INPUT: u8 = 65;
    pub(crate) const UNREACHABLE: u8 = 69;
    pub(crate) const CANNOT_CREATE: u8 = 73;
    pub(crate) const IO: u8 = 74;
    pub(crate) const NO_PERMISSION: u8 = 77;
    pub(crate) const BAD_CONFIG: u8 = 78;
}

/// An error as it is shown.
#[derive(Debug)]
pub(crate) struct CliError {
    parts: Box<Parts>,
}

#[derive(Debug)]
struct Parts {
    code: String,
    exit: u8,
    message: Text,
    why: Option<Text>,
    hint: Option<Text>,
    place: Map<String, Value>,
}

/// Why a ledger refused a command, wherever the ledger is.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    /// The stable code.
    pub(crate) code: String,
    pub(crate) exit: u8,
    pub(crate) words: Text,
    /// The field that is wrong, if a single one is.
    pub(crate) field: Option<String>,
}

impl From<&Refused> for Why {
    fn from(refused: &Refused) -> Why {
        Why {
            code: refused.code().to_owned(),
            exit: Kind::of(refused).exit(),
            words: text(refused.zh(), refused.to_string()),
            field: refused.field().map(str::to_owned),
        }
    }
}

/// What a command gives.
pub(crate) type Result<T = ()> = std::result::Result<T, CliError>;

impl CliError {
    /// An error with its stable code, exit code and message.
    pub(crate) fn new(code: &str, exit: u8, message: Text) -> CliError {
        let parts = Parts { code: code.to_owned(), exit, message, why: None, hint: None, place: Map::new() };
        CliError { parts: Box::new(parts) }
    }

    /// A wrong argument.
    pub(crate) fn usage(message: Text) -> CliError {
        CliError::new("usage", exit::USAGE, message)
    }

    /// A file that cannot be read or written.
    pub(crate) fn io(op: (&str, &str), path: &Path, error: &std::io::Error) -> CliError {
        let name = path.display();
        let message = text(format!("无法{} {name}", op.0), format!("cannot {} {name}", op.1));
        let why = text(hefu_exchange::problem::io_zh(error), error.to_string());
        CliError::new("io", exit::IO, message).why(why).at("file", name.to_string())
    }

    /// The reason.
    pub(crate) fn why(mut self, why: Text) -> CliError {
        self.parts.why = Some(why);
        self
    }

    /// What to do.
    pub(crate) fn hint(mut self, hint: Text) -> CliError {
        self.parts.hint = Some(hint);
        self
    }

    /// Where: `file`, `sheet`, `cell`, `line`, `row`, `column`, `field`, `value`, or another fact for machines.
    pub(crate) fn at(mut self, key: &str, value: impl Into<Value>) -> CliError {
        self.parts.place.insert(key.to_owned(), value.into());
        self
    }

    /// The same error under another message, with its reason and what to do next added.
    pub(crate) fn because(mut self, message: Text, why: Text, hint: Text) -> CliError {
        self.parts.message = message;
        self.parts.why = Some(why);
        let hint = match self.parts.hint.take() {
            Some(first) => text(format!("{};{}", first.zh, hint.zh), format!("{}; {}", first.en, hint.en)),
            None => hint,
        };
        self.hint(hint)
    }

    /// Another exit code.
    pub(crate) fn exiting(mut self, exit: u8) -> CliError {
        self.parts.exit = exit;
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.parts.code
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> u8 {
        self.parts.exit
    }

    /// The message in one language.
    pub(crate) fn message(&self, lang: Lang) -> &str {
        self.parts.message.get(lang)
    }

    /// The reason in one language.
    pub(crate) fn reason(&self, lang: Lang) -> Option<&str> {
        self.parts.why.as_ref().map(|why| why.get(lang))
    }

    /// A refusal of one command by its own: `exit` tells a missing right from a broken rule.
    pub(crate) fn refused(why: impl Into<Why>) -> CliError {
        let Why { code, exit, words, field } = why.into();
        let message = text("账本拒绝了该命令", "the ledger refused the command");
        let error = CliError::new(&code, exit, message).why(words);
        match field {
            Some(field) => error.at("field", field),
            None => error,
        }
    }

    /// As people read it; `paint` colours the label.
    pub(crate) fn to_text(&self, lang: Lang, paint: bool) -> String {
        let Parts { code, message, why, hint, place, .. } = &*self.parts;
        let label = lang.pick("错误", "error");
        let label = if paint { format!("\x1b[1;31m{label}\x1b[0m") } else { label.to_owned() };
        let mut out = format!("{label}: {} [{code}]\n", message.get(lang));
        let located = location(place, lang);
        if !located.is_empty() {
            let _ = writeln!(out, "{}: {located}", lang.pick("位置", "where"));
        }
        if let Some(why) = why {
            let _ = writeln!(out, "{}: {}", lang.pick("原因", "why"), why.get(lang));
        }
        if let Some(hint) = hint {
            let _ = writeln!(out, "{}: {}", lang.pick("提示", "hint"), hint.get(lang));
        }
        out
    }

    /// As programs read it: one object, RFC 9457 with the place beside.
    pub(crate) fn to_json(&self, lang: Lang) -> Value {
        let Parts { code, exit, message, why, hint, place } = &*self.parts;
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(format!("urn:hefu:error:{code}")));
        object.insert("title".to_owned(), json!(message.get(lang)));
        object.insert("code".to_owned(), json!(code));
        object.insert("exit".to_owned(), json!(exit));
        if let Some(why) = why {
            object.insert("detail".to_owned(), json!(why.get(lang)));
        }
        if let Some(hint) = hint {
            object.insert("hint".to_owned(), json!(hint.get(lang)));
        }
        object.extend(place.clone());
        Value::Object(object)
    }
}

/// The located parts in one line, in a fixed order.
fn location(place: &Map<String, Value>, lang: Lang) -> String {
    let names = [
        ("file", "文件", "file"),
        ("sheet", "工作表", "sheet"),
        ("cell", "单元格", "cell"),
        ("line", "行", "line"),
        ("row", "行", "row"),
        ("column", "列", "column"),
        ("field", "字段", "field"),
        ("value", "值", "value"),
    ];
    let part = |(key, zh, en): (&str, &str, &str)| {
        let value = place.get(key)?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("{} {value}", lang.pick(zh, en)))
    };
    names.into_iter().filter_map(part).collect::<Vec<_>>().join(lang.pick(",", ", "))
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_text(Lang::En, false).trim_end())
    }
}

impl std::error::Error for CliError {}
