//! The fixed text forms inside our JSON: lower-case hex, strict base64, hyphenated UUIDs, 27-character instants.
//!
//! Each form has exactly one spelling per value; the readers refuse every other. Nothing here allocates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// Integers in canonical JSON stay below this, so that every JSON reader keeps them exact.
pub(crate) const INTEGER_LIMIT: u64 = 1 << 53;

const HEX: [u8; 256] = {
    let mut table = [0xff_u8; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

/// Lower-case hex of exactly `2 * N` digits.
pub(crate) fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    let mut bad = 0;
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (HEX[usize::from(pair[0])], HEX[usize::from(pair[1])]);
        bad |= high | low;
        *byte = (high << 4) | (low & 0x0f);
    }
    (bad < 16).then_some(out)
}

/// Appends lower-case hex.
pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Standard base64 with padding and zero trailing bits, of exactly 64 bytes.
pub(crate) fn base64_64(text: &[u8]) -> Option<[u8; 64]> {
    // The decoder wants room for its own estimate, which rounds up to whole quanta.
    let mut out = [0; 66];
    if text.len() != 88 || STANDARD.decode_slice(text, &mut out).ok()? != 64 {
        return None;
    }
    out[..64].try_into().ok()
}

/// Lower-case hyphenated UUID.
pub(crate) fn uuid(text: &[u8]) -> Option<Uuid> {
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    let mut filled = 0;
    for part in [&text[0..8], &text[9..13], &text[14..18], &text[19..23], &text[24..36]] {
        digits[filled..filled + part.len()].copy_from_slice(part);
        filled += part.len();
    }
    hex(&digits).map(Uuid::from_bytes)
}

/// `2026-01-01T00:00:00.000000Z`: its byte order is its time order.
pub(crate) fn is_instant(text: &[u8]) -> bool {
    const SHAPE: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
    if text.len() != SHAPE.len() {
        return false;
    }
    let shaped = text
        .iter()
        .zip(SHAPE)
        .all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape });
    if !shaped {
        return false;
    }
    let two = |at: usize| u32::from(text[at] - b'0') * 10 + u32::from(text[at + 1] - b'0');
    let year = two(0) * 100 + two(2);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match two(5) {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    (1..=days).contains(&two(8)) && two(11) < 24 && two(14) < 60 && two(17) < 60
}

/// Visible ASCII that JSON writes without an escape.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b'\\'))
}

/// Reads fixed text from left to right.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next byte is.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes on reading from `at`.
    pub(crate) fn jump(&mut self, at: usize) {
        self.at = at;
    }

    /// All bytes are read.
    pub(crate) fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Exactly these bytes.
    pub(crate) fn literal(&mut self, literal: &[u8]) -> Option<()> {
        let end = self.at + literal.len();
        if self.bytes.get(self.at..end)? != literal {
            return None;
        }
        self.at = end;
        Some(())
    }

    /// The next `len` bytes, whatever they are.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at + len)?;
        self.at += len;
        Some(taken)
    }

    /// Plain text up to the next quote, which is not read.
    pub(crate) fn plain(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let text = &rest[..memchr::memchr(b'"', rest)?];
        if !is_plain(text) {
            return None;
        }
        self.at += text.len();
        std::str::from_utf8(text).ok()
    }

    /// A whole number below 2^53, without a leading zero.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let rest = self.bytes.get(self.at..)?;
        let len = rest.iter().take(17).take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 || len > 16 || (len > 1 && rest[0] == b'0') {
            return None;
        }
        let value = rest[..len].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
        self.at += len;
        (value < INTEGER_LIMIT).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_one_form() {
        for good in ["2026-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z"] {
            assert!(is_instant(good.as_bytes()), "{good}");
        }
        for bad in [
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01T00:00:00.00000Z",
            "2026-01-01t00:00:00.000000Z",
            "2026-01-01T00:00:00.000000+",
        ] {
            assert!(!is_instant(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn hex_and_base64_have_one_spelling() {
        assert_eq!(hex::<2>(b"0aff"), Some([0x0a, 0xff]));
        assert_eq!(hex::<2>(b"0AFF"), None);
        assert_eq!(hex::<2>(b"0af"), None);
        let text = STANDARD.encode([7; 64]);
        assert_eq!(base64_64(text.as_bytes()), Some([7; 64]));
        // The last digit before the padding carries four bits that must be zero.
        let loose = text.replace("Bw==", "Bx==");
        assert_ne!(loose, text);
        assert_eq!(base64_64(loose.as_bytes()), None);
    }

    #[test]
    fn integers_stay_exact() {
        let read = |text: &str| Cursor::new(text.as_bytes()).integer();
        assert_eq!(read("9007199254740991,"), Some(INTEGER_LIMIT - 1));
        assert_eq!(read("9007199254740992,"), None);
        assert_eq!(read("99999999999999999999,"), None);
        assert_eq!(read("01,"), None);
        assert_eq!(read("0,"), Some(0));
        assert_eq!(read("-1,"), None);
    }
}
