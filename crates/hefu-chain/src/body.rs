//! The body of a record: the event and a salt. What the event means is the domain's business.
//!
//! The salt keeps a small body from being guessed from its digest, so a body can be withheld.

use crate::canonical::{self, NotCanonical};
use crate::text::{Cursor, hex, push_hex};

/// A body taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyRef<'a> {
    /// The event, canonical JSON.
    pub data: &'a [u8],
    /// What keeps the digest from being guessed.
    pub salt: [u8; 16],
}

/// Bytes are not a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Not `{"data":{…},"salt":"<32 hex>"}`.
    #[error("a body is {{\"data\":{{…}},\"salt\":\"<32 hex>\"}} and nothing else")]
    Shape,
    /// The event is not canonical.
    #[error("body: {0}")]
    NotCanonical(#[from] NotCanonical),
}

const HEAD: &[u8] = b"{\"data\":";
const MIDDLE: &[u8] = b",\"salt\":\"";
const TAIL: &[u8] = b"\"}";

/// The bytes of a body; `data` is a canonical object.
pub fn encode(data: &[u8], salt: [u8; 16]) -> Vec<u8> {
    debug_assert!(canonical::check(data).is_ok());
    let mut body = Vec::with_capacity(HEAD.len() + data.len() + MIDDLE.len() + 32 + TAIL.len());
    body.extend_from_slice(HEAD);
    body.extend_from_slice(data);
    body.extend_from_slice(MIDDLE);
    push_hex(&mut body, &salt);
    body.extend_from_slice(TAIL);
    body
}

/// Takes a body apart.
pub fn parse(bytes: &[u8]) -> Result<BodyRef<'_>, BadBody> {
    let mut cursor = Cursor::new(bytes);
    cursor.literal(b"{\"data\":{").ok_or(BadBody::Shape)?;
    let end = canonical::value_end(bytes, HEAD.len(), 1)?;
    cursor.jump(end);
    let salt = (|| {
        cursor.literal(MIDDLE)?;
        let salt = hex(cursor.take(32)?)?;
        cursor.literal(TAIL)?;
        cursor.is_done().then_some(salt)
    })();
    Ok(BodyRef { data: &bytes[HEAD.len()..end], salt: salt.ok_or(BadBody::Shape)? })
}

/// Takes a body apart by its ends alone, without looking into the event. For bytes whose digest or checksum has been
/// compared already; what is not an event fails when it is read.
pub fn split(bytes: &[u8]) -> Result<BodyRef<'_>, BadBody> {
    let end = bytes.len().checked_sub(MIDDLE.len() + 32 + TAIL.len()).ok_or(BadBody::Shape)?;
    let salt = (|| {
        let mut cursor = Cursor::new(&bytes[end..]);
        cursor.literal(MIDDLE)?;
        let salt = hex(cursor.take(32)?)?;
        cursor.literal(TAIL)?;
        cursor.is_done().then_some(salt)
    })();
    let data = bytes.get(HEAD.len()..end).filter(|_| bytes.starts_with(HEAD)).ok_or(BadBody::Shape)?;
    Ok(BodyRef { data, salt: salt.ok_or(BadBody::Shape)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Sha256Digest;

    #[test]
    fn golden_bytes() {
        let body = encode(br#"{"amount":"35000000.50"}"#, [0x2b; 16]);
        assert_eq!(body, br#"{"data":{"amount":"35000000.50"},"salt":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"}"#);
        let golden = "9f48ae3128b90e7db1a10edc9ca00e5eb40ff8184934a8881dc5c6bdd30e0ebb";
        assert_eq!(Sha256Digest::of(&body).to_string(), golden);
        let parsed = parse(&body).unwrap();
        assert_eq!((parsed.data, parsed.salt), (&br#"{"amount":"35000000.50"}"#[..], [0x2b; 16]));
    }

    #[test]
    fn other_shapes_are_refused() {
        for bad in [
            r#"{"data":1,"salt":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"}"#,
            r#"{"data":{},"salt":"2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B"}"#,
            r#"{"data":{},"salt":"2b2b"}"#,
            r#"{"data":{},"salt":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"}x"#,
            r#"{"data":{},"more":0,"salt":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"}"#,
            r#"{"data":{}}"#,
            "",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(BadBody::Shape), "{bad}");
        }
        let unsorted = r#"{"data":{"b":0,"a":0},"salt":"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"}"#;
        assert!(matches!(parse(unsorted.as_bytes()), Err(BadBody::NotCanonical(_))));
    }
}
