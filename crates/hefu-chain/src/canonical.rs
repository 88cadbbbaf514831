//! Canonical JSON: the one spelling of a value that is signed, hashed and stored.
//!
//! RFC 8785 narrowed to what every reader agrees on: ASCII keys in strictly ascending order, integers below 2^53,
//! shortest escapes, no white space. Nothing is repaired here: bytes that are not canonical are refused, with the place
//! and the reason.

use std::cmp::Ordering;

use serde::Serialize;

use crate::text::INTEGER_LIMIT;

/// The longest canonical text.
pub const MAX_BYTES: usize = 4 << 20;
/// The deepest nesting of objects and arrays; an object at the top is level 1.
pub const MAX_DEPTH: usize = 32;

/// Bytes are not canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not canonical JSON at byte {offset}: {why}")]
pub struct NotCanonical {
    /// Where the first deviation is.
    pub offset: usize,
    /// What it is.
    pub why: Why,
}

/// Why bytes are not canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A key occurs twice in one object.
    #[error("the key occurs twice; keep one")]
    DuplicateKey,
    /// A key stands after one that sorts behind it.
    #[error("keys must be in ascending order; sort them")]
    KeyOrder,
    /// A key holds a character outside ASCII.
    #[error("keys must be ASCII")]
    NonAsciiKey,
    /// White space outside a string.
    #[error("white space is not allowed outside strings; remove it")]
    Whitespace,
    /// A number that is not a plain integer below 2^53.
    #[error(
        "numbers must be integers below 2^53 without leading zero, fraction, exponent or -0; write amounts as strings"
    )]
    NumberForm,
    /// Nested too deeply.
    #[error("nested deeper than 32 levels; flatten it")]
    TooDeep,
    /// A character is not escaped, or not in the shortest way.
    #[error(
        "use the shortest escape: \\\" \\\\ \\b \\f \\n \\r \\t, \\u00xx in lower case for other controls, nothing else"
    )]
    Escape,
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("not JSON")]
    Syntax,
    /// Something stands after the value.
    #[error("nothing may follow the value; remove it")]
    TrailingBytes,
    /// Longer than 4 MiB.
    #[error("longer than 4 MiB; split it")]
    TooLong,
    /// A Rust value that JSON cannot hold, such as a map with keys that are not strings.
    #[error("the value has no JSON form: {0}")]
    Unsupported(String),
}

/// Checks that bytes are canonical JSON.
pub fn check(bytes: &[u8]) -> Result<(), NotCanonical> {
    let end = value_end(bytes, 0, 0)?;
    if end == bytes.len() { Ok(()) } else { Err(NotCanonical { offset: end, why: trailing(bytes[end]) }) }
}

/// The canonical bytes of a value.
///
/// Floats are refused; a float that is not finite becomes `null`, as everywhere in serde's JSON, so keep floats out of
/// types that are stored.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    let unsupported =
        |error: serde_json::Error| NotCanonical { offset: 0, why: Why::Unsupported(error.to_string()) };
    let mut value = serde_json::to_value(value).map_err(unsupported)?;
    // A map is sorted unless some crate in the build has switched serde_json to insertion order.
    value.sort_all_objects();
    let bytes = serde_json::to_vec(&value).map_err(unsupported)?;
    check(&bytes)?;
    Ok(bytes)
}

/// Checks the canonical value that starts at `start`, already inside `depth` containers, and tells where it ends.
pub(crate) fn value_end(bytes: &[u8], start: usize, depth: usize) -> Result<usize, NotCanonical> {
    if bytes.len() > MAX_BYTES {
        return Err(NotCanonical { offset: MAX_BYTES, why: Why::TooLong });
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(NotCanonical { offset: error.valid_up_to(), why: Why::NotUtf8 });
    }
    let mut reader = Reader { bytes, at: start };
    reader.value(depth)?;
    Ok(reader.at)
}

fn trailing(byte: u8) -> Why {
    if is_space(byte) { Why::Whitespace } else { Why::TrailingBytes }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// True for the bytes that end or interrupt the raw part of a string.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Reads UTF-8 that was checked before.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, why: Why) -> Result<T, NotCanonical> {
        Err(NotCanonical { offset: self.at, why })
    }

    /// What stands here cannot: white space has its own name.
    fn unexpected<T>(&self) -> Result<T, NotCanonical> {
        self.fail(if self.peek().is_some_and(is_space) { Why::Whitespace } else { Why::Syntax })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn value(&mut self, depth: usize) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(_) | None => self.unexpected(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), NotCanonical> {
        if depth > MAX_DEPTH {
            return self.fail(Why::TooDeep);
        }
        self.at += 1;
        if self.eat(b'}') {
            return Ok(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.unexpected();
            }
            let key = self.string()?;
            let wrong = match before.map(|before| compare_keys(before, key)) {
                _ if !key.is_ascii() => Some(Why::NonAsciiKey),
                Some(Ordering::Equal) => Some(Why::DuplicateKey),
                Some(Ordering::Greater) => Some(Why::KeyOrder),
                Some(Ordering::Less) | None => None,
            };
            if let Some(why) = wrong {
                return Err(NotCanonical { offset: start, why });
            }
            before = Some(key);
            if !self.eat(b':') {
                return self.unexpected();
            }
            self.value(depth)?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.unexpected();
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), NotCanonical> {
        if depth > MAX_DEPTH {
            return self.fail(Why::TooDeep);
        }
        self.at += 1;
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.unexpected();
            }
        }
    }

    /// Returns what stands between the quotes, escapes included.
    fn string(&mut self) -> Result<&'a [u8], NotCanonical> {
        self.at += 1;
        let start = self.at;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(raw) = rest.iter().position(|byte| SPECIAL[usize::from(*byte)]) else {
                self.at = self.bytes.len();
                return self.fail(Why::Syntax);
            };
            self.at += raw;
            match rest[raw] {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.bytes[start..self.at - 1]);
                }
                b'\\' => match unescape(&rest[raw..]) {
                    Some((_, len)) => self.at += len,
                    None => return self.fail(Why::Escape),
                },
                _ => return self.fail(Why::Escape),
            }
        }
    }

    fn number(&mut self) -> Result<(), NotCanonical> {
        let start = self.at;
        let negative = self.eat(b'-');
        let digits = &self.bytes[self.at..];
        // 2^53 has 16 digits; a 17th is too many whatever they are.
        let len = digits.iter().take(17).take_while(|byte| byte.is_ascii_digit()).count();
        let magnitude = digits[..len].iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        let leading_zero = digits.first() == Some(&b'0') && (len > 1 || negative);
        let more = digits
            .get(len)
            .is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        if len == 0 || len > 16 || leading_zero || more || magnitude >= INTEGER_LIMIT {
            return Err(NotCanonical { offset: start, why: Why::NumberForm });
        }
        self.at += len;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), NotCanonical> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            self.fail(Why::Syntax)
        }
    }
}

/// The character that an escape stands for and the length of the escape; none when it is not the shortest one.
fn unescape(escape: &[u8]) -> Option<(u8, usize)> {
    let short = |byte| Some((byte, 2));
    match escape.get(1)? {
        b'"' => short(b'"'),
        b'\\' => short(b'\\'),
        b'b' => short(0x08),
        b'f' => short(0x0c),
        b'n' => short(b'\n'),
        b'r' => short(b'\r'),
        b't' => short(b'\t'),
        b'u' => {
            let [0, control] = crate::text::hex::<2>(escape.get(2..6)?)? else { return None };
            (control < 0x20 && !matches!(control, 0x08 | 0x0c | b'\n' | b'\r' | b'\t'))
                .then_some((control, 6))
        }
        _ => None,
    }
}

/// Compares two keys by the characters they stand for.
fn compare_keys(left: &[u8], right: &[u8]) -> Ordering {
    if !left.contains(&b'\\') && !right.contains(&b'\\') {
        return left.cmp(right);
    }
    characters(left).cmp(characters(right))
}

fn characters(mut raw: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (byte, len) = match raw.first()? {
            b'\\' => unescape(raw)?,
            byte => (*byte, 1),
        };
        raw = &raw[len..];
        Some(byte)
    })
}

#[cfg(test)]
mod tests;
