//! Why a field cannot be read: one stable code for each kind of mistake, in English and Chinese.
//!
//! What the deserializer says is matched with what the value itself says when it is parsed alone, so that a wrong date is
//! known as a wrong date. Refuses to guess: what it does not know keeps its words under the code it was given.

use std::{fmt::Display, str::FromStr};

use serde_json::Value;

use crate::{
    amount::{BadDecimal, Decimal, Money},
    id::{BadEnterpriseCode, BadUuid, Digest, EnterpriseCode, Evidence, KeyId, ProjectId, PublicKey},
    indicator::IndicatorCode,
    period::Period,
    region::{BadRegion, RegionCode},
    time::{Date, Timestamp},
};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable code.
    pub code: &'static str,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Fault {
    fn new(code: &'static str, en: impl Into<String>, zh: impl Into<String>) -> Fault {
        Fault { code, en: en.into(), zh: zh.into() }
    }

    /// A field that is needed is not there.
    pub fn missing_field(name: &str) -> Fault {
        Fault::new("missing_field", format!("missing field `{name}`"), format!("缺少字段 `{name}`"))
    }

    /// No command has this `type`.
    pub fn unknown_command(kind: &str) -> Fault {
        Fault::new("unknown_command", format!("unknown command `{kind}`"), format!("没有命令 `{kind}`"))
    }

    /// A value of another JSON type than the one needed, which `needed` names in both languages.
    pub fn bad_type(value: &Value, needed: (&str, &str)) -> Fault {
        let (en, zh) = match value {
            Value::Null => ("null", "null"),
            Value::Bool(_) => ("a boolean", "布尔值"),
            Value::Number(_) => ("a number", "数字"),
            Value::String(_) => ("a string", "字符串"),
            Value::Array(_) => ("a list", "列表"),
            Value::Object(_) => ("an object", "对象"),
        };
        let (needed_en, needed_zh) = needed;
        Fault::new(
            "bad_type",
            format!("must be {needed_en}, not {en}"),
            format!("应为{needed_zh},而不是{zh}"),
        )
    }

    /// What a deserializer's words mean. `value` is what stands in the field, if the field was found; `code` is kept for
    /// words that are not known here.
    pub fn of_words(words: &str, value: Option<&Value>, code: &'static str) -> Fault {
        let text = value.and_then(Value::as_str);
        if let Some(fault) = text.and_then(|text| of_text(text, words)) {
            return fault;
        }
        if let Some(name) = quoted(words, "unknown field `") {
            let known = expected(words);
            let zh = if known.is_empty() {
                format!("没有字段 `{name}`")
            } else {
                format!("没有字段 `{name}`;可用 {known}")
            };
            return Fault::new("unknown_field", words, zh);
        }
        if let Some(name) = quoted(words, "missing field `") {
            return Fault::missing_field(name);
        }
        if let Some(name) = quoted(words, "unknown variant `") {
            let known = expected(words);
            let en = format!("`{name}` is none of {known}");
            return Fault::new("unknown_value", en, format!("`{name}` 不可用;可用 {known}"));
        }
        if let Some(rest) = words.strip_prefix("invalid type: ") {
            let needed = rest.split_once("expected ").map_or(rest, |(_, needed)| needed);
            let needed = json_type(needed);
            return match value {
                Some(value) => Fault::bad_type(value, needed),
                None => Fault::new("bad_type", format!("must be {}", needed.0), format!("应为{}", needed.1)),
            };
        }
        if words.starts_with("invalid value: ") || words.starts_with("number ") {
            return Fault::new("out_of_range", words, "数值超出该字段的范围");
        }
        if words.starts_with("UUID parsing failed") {
            let given = text.unwrap_or_default();
            return Fault::new(
                "bad_uuid",
                format!("`{given}` is not a UUID"),
                format!("`{given}` 不是 UUID"),
            );
        }
        Fault::new(code, words, words)
    }
}

/// The text between `start` and the next backtick.
fn quoted<'w>(words: &'w str, start: &str) -> Option<&'w str> {
    Some(words.strip_prefix(start)?.split_once('`')?.0)
}

/// The names a deserializer would have taken.
fn expected(words: &str) -> String {
    let Some((_, rest)) = words.split_once("expected ") else { return String::new() };
    let names: Vec<String> = rest.split('`').skip(1).step_by(2).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A deserializer's name of a type, as people call it.
fn json_type(name: &str) -> (&'static str, &'static str) {
    let name = name.trim();
    if name.contains("string") {
        ("a string", "字符串")
    } else if name.starts_with("struct") || name.contains("map") {
        ("an object", "对象")
    } else if name.contains("sequence") || name.contains("array") || name.contains("tuple") {
        ("a list", "列表")
    } else if name.contains("bool") {
        ("true or false", "true 或 false")
    } else if name.starts_with(['u', 'i']) && name[1..].bytes().all(|byte| byte.is_ascii_digit()) {
        ("an integer", "整数")
    } else {
        ("of another type", "其他类型")
    }
}

/// The mistake in a text, if one of the ledger's own types says exactly these words about it.
fn of_text(text: &str, words: &str) -> Option<Fault> {
    let says = |error: Option<String>| error.is_some_and(|error| error == words);
    let fault = |code, zh: String| Some(Fault::new(code, words, zh));
    if says(wrong::<Date>(text)) {
        return fault("bad_date", format!("`{text}` 不是 2023-06-01 这样的日期"));
    }
    if says(wrong::<Period>(text)) {
        let zh = format!("`{text}` 不是 2023、2023-Q3、2023-07 或 2023-01..02 这样的报告期");
        return fault("bad_period", zh);
    }
    if let Err(bad) = text.parse::<EnterpriseCode>()
        && says(Some(bad.to_string()))
    {
        return fault("bad_enterprise_code", bad.zh());
    }
    if let Err(bad) = text.parse::<ProjectId>()
        && says(Some(bad.to_string()))
    {
        return fault("bad_uuid", bad.zh());
    }
    if says(wrong::<RegionCode>(text)) {
        return fault("bad_region_code", format!("`{text}` 不是 330881 这样的六位地区代码"));
    }
    if says(wrong::<IndicatorCode>(text)) {
        return fault("bad_indicator_code", format!("`{text}` 不是 INV_FAI 这样的指标代码"));
    }
    for bad in [text.parse::<Money>().err(), text.parse::<Decimal>().err()].into_iter().flatten() {
        if says(Some(bad.to_string())) {
            return fault("bad_amount", format!("`{text}` {}", bad.zh()));
        }
    }
    if says(wrong::<Timestamp>(text)) {
        return fault("bad_instant", format!("`{text}` 不是 2026-01-01T00:00:00.000000Z 这样的时刻"));
    }
    let hex =
        [wrong::<KeyId>(text), wrong::<PublicKey>(text), wrong::<Digest>(text), wrong::<Evidence>(text)];
    if hex.into_iter().any(says) {
        return fault("bad_hex", format!("`{text}` 不是规定位数的小写十六进制"));
    }
    None
}

/// What a type says about a text that is none of it.
fn wrong<T: FromStr<Err: Display>>(text: &str) -> Option<String> {
    text.parse::<T>().err().map(|error| error.to_string())
}

impl BadDecimal {
    /// The same in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            BadDecimal::Form => "不是普通的十进制数",
            BadDecimal::TooFine => "小数位数超出该单位",
            BadDecimal::TooLarge => "超出账本范围",
        }
    }
}

impl BadEnterpriseCode {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            BadEnterpriseCode::Form(text) => {
                format!("`{text}` 不是由 0-9 和 A-Y(不含 I、O、S、V)组成的 18 位代码")
            }
            BadEnterpriseCode::Capitals(text, right) => format!("`{text}` 须用大写字母,写作 `{right}`"),
            BadEnterpriseCode::Check(text, check) => format!("`{text}` 的校验码应为 `{check}`"),
        }
    }
}

impl BadUuid {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            BadUuid::Form(text) => {
                format!("`{text}` 不是 0198b2c4-7d3e-7000-8000-0123456789ab 这样的编号(UUID)")
            }
            BadUuid::Spelling(text, right) => format!("`{text}` 须写作小写带连字符的 `{right}`"),
        }
    }
}

impl BadRegion {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            BadRegion::Duplicate(code) => format!("地区 {code} 已在地区树中"),
            BadRegion::UnknownParent { code, parent } => format!("地区 {code} 的上级 {parent} 不在地区树中"),
            BadRegion::Level(code) => format!("地区 {code} 的上级须为更高级别"),
            BadRegion::Border(code) => format!("边界所列 {code} 不是地区树中的县级地区"),
            BadRegion::TooMany => "一个账本最多 65535 个地区".to_owned(),
        }
    }
}
