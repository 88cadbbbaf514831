//! Indicators: what is measured, in which class, unit and kind.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::serde_as_text;

/// An indicator's code such as `INV_FAI`: 1 to 24 of A–Z, 0–9 and `_`, starting with a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndicatorCode {
    len: u8,
    bytes: [u8; 24],
}

/// A text that is not an indicator code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an indicator code like INV_FAI")]
pub struct BadIndicatorCode(pub String);

impl IndicatorCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl FromStr for IndicatorCode {
    type Err = BadIndicatorCode;

    fn from_str(text: &str) -> Result<IndicatorCode, BadIndicatorCode> {
        let fits = (1..=24).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            return Err(BadIndicatorCode(text.to_owned()));
        }
        let mut bytes = [0; 24];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(IndicatorCode { len: u8::try_from(text.len()).unwrap_or(24), bytes })
    }
}

impl fmt::Display for IndicatorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IndicatorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(IndicatorCode, String, |c| c.as_str().to_owned(), |text| text.parse().ok());

/// The class of an indicator: what the terms of a transfer weigh (measure 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 投资类.
    Investment,
    /// 增值类.
    ValueAdded,
    /// 研发类.
    Research,
    /// 招商类.
    Attraction,
}

/// How an indicator adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Adds up over periods.
    Flow,
    /// A value at the period's end (semantics R8).
    Stock,
    /// Distinct projects, derived by the ledger (semantics R7), never reported.
    Count,
    /// Recomputed from numerator and denominator, never shared, added or reported (semantics R8).
    Ratio,
}

/// The unit an indicator is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Chinese yuan, kept in fen.
    Cny,
    /// Whole persons.
    Persons,
    /// Whole projects.
    Projects,
    /// A quotient with four decimals.
    Quotient,
}

impl Unit {
    /// Decimals of the minor unit.
    pub const fn scale(self) -> u8 {
        match self {
            Unit::Cny => 2,
            Unit::Persons | Unit::Projects => 0,
            Unit::Quotient => 4,
        }
    }
}

/// Which derived count an indicator of kind [`Kind::Count`] is (semantics R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Registered and not closed at the period's end.
    Projects,
    /// The same, with a planned investment in force of at least the policy's threshold (CNY 1bn).
    LargeProjects,
    /// Construction started in the period, at or above the threshold (每年实施).
    LargeProjectsImplemented,
}

/// One entry of the policy's indicator catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Class whose weights apply.
    pub class: Class,
    /// Code used in commands and reports.
    pub code: IndicatorCode,
    /// For a count: which one.
    #[serde(default)]
    pub count: Option<Count>,
    /// For a ratio: the denominator's code.
    #[serde(default)]
    pub denominator: Option<IndicatorCode>,
    /// How it adds up.
    pub kind: Kind,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// For a ratio: the numerator's code.
    #[serde(default)]
    pub numerator: Option<IndicatorCode>,
    /// Unit of the values.
    pub unit: Unit,
}
