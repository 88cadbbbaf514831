//! Spellings that the C2SP text formats share. Each value has exactly one; the readers refuse every other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::tree::MAX_SIZE;

/// A decimal number of a log (size, index, time): no sign, no leading zero, at most 2^63 - 1.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= MAX_SIZE)
}

/// Standard base64 (RFC 4648 section 4) with padding and zero trailing bits.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Writes standard base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, number) in [("0", 0), ("7", 7), ("9223372036854775807", MAX_SIZE)] {
            assert_eq!(decimal(text), Some(number));
        }
        for bad in [
            "",
            "00",
            "01",
            "+1",
            "-0",
            " 1",
            "1 ",
            "1_0",
            "٣",
            "9223372036854775808",
            "99999999999999999999",
        ] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(base64("AQI="), Some(vec![1, 2]));
        for bad in ["AQI", "AQJ=", "AQI=\n", "AQ-_", "AQ I=", "AQI=="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }
}
