//! The name of a ledger, which every signature and the chain itself are bound to.
//!
//! An origin is a C2SP origin: a URL without its scheme, such as `ledger.example/moves`. It is a name, not an address:
//! nothing is ever fetched from it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(Box<str>);

/// Text cannot be the name of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is 1 to 255 visible ASCII characters without `+`, quotes, backslash or scheme, such as `ledger.example/moves`; got {0:?}"
)]
pub struct BadOrigin(pub String);

impl Origin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        if is_origin(text) { Ok(Self(text.into())) } else { Err(BadOrigin(text.into())) }
    }
}

/// The rule of [`Origin`], for text that is only looked at.
pub(crate) fn is_origin(text: &str) -> bool {
    // Quote and backslash, which are not plain, would need escapes in JSON; no URL holds them.
    (1..=255).contains(&text.len())
        && crate::text::is_plain(text.as_bytes())
        && !text.contains('+')
        && !text.contains("://")
}

impl TryFrom<String> for Origin {
    type Error = BadOrigin;

    fn try_from(text: String) -> Result<Self, BadOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0.into()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_schemeless_urls() {
        for good in ["ledger.example/moves", "localhost:7070/hefu", "x", &"x".repeat(255)] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in
            ["", "https://ledger.example", "a b", "a+b", "账本", "a\nb", "a\"b", "a\\b", &"x".repeat(256)]
        {
            assert_eq!(bad.parse::<Origin>(), Err(BadOrigin(bad.into())), "{bad}");
        }
    }
}
