//! Leaves: golden bytes, and the field that an error names.

use super::*;
use crate::canonical;
use proptest::prelude::*;

fn leaf() -> Leaf {
    Leaf {
        actor: KeyId([0xa1; 16]),
        body_sha256: Sha256Digest([0xb2; 32]),
        command: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        command_sha256: Sha256Digest([0xc3; 32]),
        prev: ChainHash([0xd4; 32]),
        seq: 7,
        stream: "enterprise/91110000600007156A".into(),
        stream_prev: Some(3),
        stream_seq: 1,
        ts: "2026-01-01T00:00:00.000000Z".into(),
        kind: "transfer.proposed".into(),
        v: 1,
    }
}

#[test]
fn golden_bytes() {
    let bytes = leaf().as_ref().encode().unwrap();
    let expected = concat!(
        r#"{"actor":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","#,
        r#""body_sha256":"b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","#,
        r#""command":"01900000-0000-7000-8000-000000000001","#,
        r#""command_sha256":"c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3","#,
        r#""prev":"d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4","#,
        r#""seq":7,"stream":"enterprise/91110000600007156A","stream_prev":3,"stream_seq":1,"#,
        r#""ts":"2026-01-01T00:00:00.000000Z","type":"transfer.proposed","v":1}"#
    );
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
    assert_eq!(canonical::to_vec(&leaf()).unwrap(), bytes);
    assert_eq!(LeafRef::parse(&bytes).unwrap().to_leaf(), leaf());
    assert_eq!(LeafRef::parse(&bytes).unwrap().category(), "enterprise");
}

#[test]
fn values_that_do_not_fit_are_refused() {
    for stream in ["", "Ledger", "/x", "project/", "a b/c", "x\"/y", "ledger/"] {
        let leaf = Leaf { stream: stream.into(), ..leaf() };
        assert_eq!(leaf.as_ref().encode(), Err(BadLeaf::Field("stream")), "{stream}");
    }
    let long = Leaf { stream: format!("project/{}", "x".repeat(MAX_BYTES)), ..leaf() };
    assert_eq!(long.as_ref().encode(), Err(BadLeaf::TooLong));
    let late = Leaf { ts: "2026-01-01T00:00:00Z".into(), ..leaf() };
    assert_eq!(late.as_ref().encode(), Err(BadLeaf::Field("ts")));
    let large = Leaf { seq: 1 << 53, ..leaf() };
    assert_eq!(large.as_ref().encode(), Err(BadLeaf::Field("seq")));
}

#[test]
fn errors_name_the_field() {
    let text = String::from_utf8(leaf().as_ref().encode().unwrap()).unwrap();
    for (from, to, error) in [
        ("a1a1", "A1a1", BadLeaf::Field("actor")),
        ("\"seq\":7", "\"seq\":07", BadLeaf::Field("seq")),
        ("\"seq\":7", "\"seq\": 7", BadLeaf::Field("seq")),
        ("\"v\":1", "\"v\":1,\"w\":1", BadLeaf::Trailing),
        ("\"v\":1", "\"v\":4294967296", BadLeaf::Field("v")),
        ("}", "} ", BadLeaf::Trailing),
        ("\"stream_prev\":3", "\"stream_prev\":\"3\"", BadLeaf::Field("stream_prev")),
    ] {
        assert_eq!(LeafRef::parse(text.replacen(from, to, 1).as_bytes()), Err(error), "{from} -> {to}");
    }
}

proptest! {
    #[test]
    fn one_encoding(
        actor: [u8; 16], body: [u8; 32], command: u128, prev: [u8; 32], seq in 0..INTEGER_LIMIT,
        name in "[!#-\\[\\]-~]{1,40}", stream_prev in prop::option::of(0..INTEGER_LIMIT),
        stream_seq in 0..INTEGER_LIMIT, micros in 0..1_000_000_u32, kind in "[a-z]{1,9}\\.[a-z_]{1,12}", v: u32,
    ) {
        let leaf = Leaf {
            actor: KeyId(actor), body_sha256: Sha256Digest(body), command: Uuid::from_u128(command),
            command_sha256: Sha256Digest(prev), prev: ChainHash(prev), seq, stream: format!("project/{name}"),
            stream_prev, stream_seq, ts: format!("2026-12-31T23:59:59.{micros:06}Z"), kind, v,
        };
        let bytes = leaf.as_ref().encode().unwrap();
        prop_assert_eq!(&canonical::to_vec(&leaf).unwrap(), &bytes);
        prop_assert_eq!(LeafRef::parse(&bytes).unwrap().to_leaf(), leaf);
    }

    /// Whatever is read is written back as the same bytes.
    #[test]
    fn whatever_is_read_is_the_one_spelling(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = leaf().as_ref().encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = LeafRef::parse(&bytes) {
            prop_assert_eq!(read.encode().unwrap(), bytes);
        }
    }
}
