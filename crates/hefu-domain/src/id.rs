//! Names of things: enterprises, projects, keys, command digests. Parsing is the only way in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::time::serde_as_text;

/// A project's own identity: a UUID of any version. Government project codes are aliases of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(pub Uuid);

/// A text that is not a hyphenated UUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUuid {
    /// No UUID.
    #[error("`{0}` is not a UUID like 0198b2c4-7d3e-7000-8000-0123456789ab")]
    Form(String),
    /// A UUID in another spelling than the one that is stored.
    #[error("`{0}` must be written `{1}`, in lower case with hyphens")]
    Spelling(String, Uuid),
}

/// The UUID a text spells in the one way that is stored.
pub(crate) fn one_spelling(text: &str) -> Result<Uuid, BadUuid> {
    match Uuid::try_parse(text) {
        Ok(id) if id.to_string() == text => Ok(id),
        Ok(id) => Err(BadUuid::Spelling(text.to_owned(), id)),
        Err(_) => Err(BadUuid::Form(text.to_owned())),
    }
}

impl FromStr for ProjectId {
    type Err = BadUuid;

    fn from_str(text: &str) -> Result<ProjectId, BadUuid> {
        one_spelling(text).map(ProjectId)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(ProjectId, u128, |p| p.0.as_u128(), |n| Some(ProjectId(Uuid::from_u128(n))));

/// A unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, check character verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnterpriseCode([u8; 18]);

/// Why a text is not a unified social credit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEnterpriseCode {
    /// Wrong length or a character outside the alphabet (no I, O, S, V, Z; capitals only).
    #[error("`{0}` is not 18 characters of 0-9 and A-Y without I, O, S, V")]
    Form(String),
    /// A good code but for its small letters.
    #[error("`{0}` must be written in capitals, `{1}`")]
    Capitals(String, String),
    /// The check character does not follow from the other 17.
    #[error("the check character of `{0}` should be `{1}`")]
    Check(String, char),
}

const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 3^i mod 31 for the first 17 places (GB 32100-2015).
const USCC_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

impl EnterpriseCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for EnterpriseCode {
    type Err = BadEnterpriseCode;

    fn from_str(text: &str) -> Result<EnterpriseCode, BadEnterpriseCode> {
        let form = || BadEnterpriseCode::Form(text.to_owned());
        let capitals = text.to_ascii_uppercase();
        if capitals != text {
            capitals.parse::<EnterpriseCode>().map_err(|_| form())?;
            return Err(BadEnterpriseCode::Capitals(text.to_owned(), capitals));
        }
        let code: [u8; 18] = text.as_bytes().try_into().map_err(|_| form())?;
        let mut sum = 0;
        for (place, byte) in code.iter().enumerate() {
            let value = USCC_ALPHABET.iter().position(|c| c == byte).ok_or_else(form)?;
            sum += value * USCC_WEIGHTS.get(place).copied().unwrap_or(0);
        }
        let check = USCC_ALPHABET[(31 - sum % 31) % 31];
        if code[17] == check {
            Ok(EnterpriseCode(code))
        } else {
            Err(BadEnterpriseCode::Check(text.to_owned(), char::from(check)))
        }
    }
}

impl fmt::Display for EnterpriseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(EnterpriseCode, String, |c| c.as_str().to_owned(), |text| text.parse().ok());

/// Fixed-size bytes written as lower-case hex.
macro_rules! hex_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = BadHex;

            fn from_str(text: &str) -> Result<$name, BadHex> {
                let bad = || BadHex { text: text.to_owned(), digits: 2 * $len };
                let nibble = |c: u8| match c {
                    b'0'..=b'9' => Some(c - b'0'),
                    b'a'..=b'f' => Some(c - b'a' + 10),
                    _ => None,
                };
                let bytes = text.as_bytes();
                if bytes.len() != 2 * $len {
                    return Err(bad());
                }
                let mut out = [0; $len];
                for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                    *byte = nibble(pair[0]).ok_or_else(bad)? << 4 | nibble(pair[1]).ok_or_else(bad)?;
                }
                Ok($name(out))
            }
        }
        serde_as_text!($name, [u8; $len], |k| k.0, |bytes| Some($name(bytes)));
    };
}

/// A text that is not lower-case hex of the right length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {digits} lower-case hex digits")]
pub struct BadHex {
    /// What was given.
    pub text: String,
    /// How many digits it should have.
    pub digits: usize,
}

hex_newtype! {
    /// A key's short name: the first 16 bytes of SHA-256 of its public key. Checked where keys enter (the engine).
    KeyId, 16
}
hex_newtype! {
    /// An Ed25519 public key as on record. The rules only carry it; signatures are checked in the engine.
    PublicKey, 32
}
hex_newtype! {
    /// A SHA-256 digest: of a stored command, or of an evidence file.
    Digest, 32
}

hex_newtype! {
    /// A chain value: the BLAKE3 head of a log.
    ChainHead, 32
}

/// Evidence named by digest, `sha256:<64 hex>`; the file itself stays outside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence(pub Digest);

impl FromStr for Evidence {
    type Err = BadHex;

    fn from_str(text: &str) -> Result<Evidence, BadHex> {
        text.strip_prefix("sha256:").unwrap_or_default().parse().map(Evidence)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

serde_as_text!(Evidence, [u8; 32], |e| e.0.0, |bytes| Some(Evidence(Digest(bytes))));

#[cfg(test)]
mod tests {
    use super::*;

    /// `oracle/uscc_cases.json`: real public companies, and one change in each.
    #[test]
    fn unified_social_credit_codes() {
        for good in [
            "914403001922038216",
            "9144030071526726XG",
            "91330100799655058B",
            "91110000600037341L",
            "91330000747735638J",
            "91330102MA9TE5T04L",
            "91330103MA9TE5T12X",
            "91330104MA9TE5T207",
        ] {
            assert_eq!(good.parse::<EnterpriseCode>().unwrap().to_string(), good);
        }
        for bad in [
            "914403001922038215",
            "9144030071526726XH",
            "91330100799655058O",
            "91330100799655058",
            "91330100799655058b",
            "91330100799656058B",
            "91330010799655058B",
            "9133010079965505IB",
        ] {
            assert!(bad.parse::<EnterpriseCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn another_spelling_is_refused_with_the_right_one() {
        let bad = "91330100799655058b".parse::<EnterpriseCode>().unwrap_err().to_string();
        assert_eq!(bad, "`91330100799655058b` must be written in capitals, `91330100799655058B`");
        for text in ["0198B2C4-7D3E-7000-8000-0123456789AB", "0198b2c47d3e700080000123456789ab"] {
            let bad = text.parse::<ProjectId>().unwrap_err().to_string();
            assert!(
                bad.ends_with("written `0198b2c4-7d3e-7000-8000-0123456789ab`, in lower case with hyphens")
            );
        }
    }

    #[test]
    fn hex_has_one_spelling() {
        assert!("AB".repeat(16).parse::<KeyId>().is_err());
        assert_eq!("ab".repeat(16).parse::<KeyId>().unwrap().to_string(), "ab".repeat(16));
    }
}
