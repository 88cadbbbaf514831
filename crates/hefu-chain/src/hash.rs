//! The two hash values of the ledger, as types that cannot be mixed up. Written and read as lower-case hex only.

use sha2::{Digest as _, Sha256};

/// Text is not the lower-case hex of the expected length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write {digits} lower-case hex digits")]
pub struct NotHex {
    /// How many digits are expected.
    pub digits: usize,
}

/// Display, Debug, `FromStr` and serde of a byte array as lower-case hex.
macro_rules! hex_text {
    ($name:ident, $bytes:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut digits = [0; 2 * $bytes];
                hex::encode_to_slice(self.0, &mut digits).map_err(|_| std::fmt::Error)?;
                f.pad(std::str::from_utf8(&digits).map_err(|_| std::fmt::Error)?)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::hash::NotHex;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::text::hex(text.as_bytes())
                    .map(Self)
                    .ok_or($crate::hash::NotHex { digits: 2 * $bytes })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}
pub(crate) use hex_text;

/// SHA-256 of a body or of a signed command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest(pub [u8; 32]);
hex_text!(Sha256Digest, 32);

impl Sha256Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// `C(i)`: the chain value of one record, which commits to every record before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainHash(pub [u8; 32]);
hex_text!(ChainHash, 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha_256_of_nothing_is_the_published_value() {
        let digest = Sha256Digest::of(b"");
        assert_eq!(digest.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Sha256Digest>(&json).unwrap(), digest);
    }

    #[test]
    fn upper_case_and_wrong_lengths_are_refused() {
        assert_eq!("AB".repeat(32).parse::<ChainHash>(), Err(NotHex { digits: 64 }));
        assert!("ab".repeat(31).parse::<ChainHash>().is_err());
    }
}
