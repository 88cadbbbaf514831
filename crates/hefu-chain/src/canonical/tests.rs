//! Canonical JSON: what is refused, and that each value has one spelling.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn refused(text: &str) -> (usize, Why) {
    let error = check(text.as_bytes()).expect_err(text);
    (error.offset, error.why)
}

#[test]
fn one_spelling_per_value() {
    for good in [
        "{}",
        "[]",
        "null",
        "0",
        "-1",
        "9007199254740991",
        "-9007199254740991",
        r#"{"":0,"A":[true,false,null],"a":{"b":"合符 \u001f\"\\\b\f\n\r\t/"}}"#,
        "\"\u{7f}\u{2028}😀\"",
        r#"{"\n":0,"\"":0," ":0}"#.replace(r#""\"":0," ":0"#, r#"" ":0,"\"":0"#).as_str(),
    ] {
        assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
    }
    assert_eq!(refused(r#"{"a":1,"a":2}"#), (7, Why::DuplicateKey));
    assert_eq!(refused(r#"{"b":1,"a":2}"#), (7, Why::KeyOrder));
    assert_eq!(refused(r#"{"\"":1," ":2}"#), (8, Why::KeyOrder));
    assert_eq!(refused(r#"{"区":1}"#), (1, Why::NonAsciiKey));
    assert_eq!(refused(r#"{"a": 1}"#), (5, Why::Whitespace));
    assert_eq!(refused("{}\n"), (2, Why::Whitespace));
    assert_eq!(refused(" {}"), (0, Why::Whitespace));
    assert_eq!(refused("{}{}"), (2, Why::TrailingBytes));
    assert_eq!(refused(r#"{"a":1"#), (6, Why::Syntax));
    assert_eq!(refused(""), (0, Why::Syntax));
    assert_eq!(refused("[1,]"), (3, Why::Syntax));
    assert_eq!(refused(r#""a"#), (2, Why::Syntax));
    for number in ["-0", "01", "1.0", "1e3", "1E3", "9007199254740992", "-", "00", "99999999999999999999"] {
        assert_eq!(refused(number), (0, Why::NumberForm), "{number}");
    }
    for (string, offset) in [
        (r#""\/""#, 1),
        (r#""\u000A""#, 1),
        (r#""\u000a""#, 1),
        (r#""a\u0041""#, 2),
        ("\"\n\"", 1),
        (r#""\u00"#, 1),
    ] {
        assert_eq!(refused(string), (offset, Why::Escape), "{string}");
    }
    assert_eq!(check(b"\"\xff\"").unwrap_err().why, Why::NotUtf8);
    assert_eq!(check(b"\"\xed\xa0\x80\"").unwrap_err().why, Why::NotUtf8);
    assert_eq!(check(&vec![b' '; MAX_BYTES + 1]).unwrap_err().why, Why::TooLong);
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(check(nested(MAX_DEPTH).as_bytes()), Ok(()));
    assert_eq!(refused(&nested(MAX_DEPTH + 1)), (MAX_DEPTH, Why::TooDeep));
}

#[test]
fn floats_and_odd_maps_are_refused() {
    assert_eq!(to_vec(&json!({"a": 1.5})).unwrap_err().why, Why::NumberForm);
    assert_eq!(to_vec(&u64::MAX).unwrap_err().why, Why::NumberForm);
    let pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(to_vec(&pairs).unwrap_err().why, Why::Unsupported(_)));
    assert_eq!(to_vec(&json!({"b": 1, "a": "合"})).unwrap(), r#"{"a":"合","b":1}"#.as_bytes());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x7f]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[\\x00-\\x7f]{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_passes_and_reads_back(value in json_value()) {
        let bytes = to_vec(&value).unwrap();
        prop_assert_eq!(check(&bytes), Ok(()));
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(to_vec(&read).unwrap(), bytes);
    }

    #[test]
    fn pretty_text_never_passes(value in json_value()) {
        let bytes = to_vec(&value).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(check(&pretty).is_ok(), pretty == bytes);
    }

    /// Whatever passes is the one spelling: reading and writing it again changes nothing.
    #[test]
    fn whatever_passes_is_the_one_spelling(value in json_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = to_vec(&value).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.remove(at); } else { bytes[at] = byte; }
        if check(&bytes).is_ok() {
            let read: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(to_vec(&read).unwrap(), bytes);
        }
    }

    #[test]
    fn swapped_members_never_pass(map in prop::collection::btree_map("[a-z]{1,6}", 0..9_u32, 2..6)) {
        let members: Vec<String> = map.iter().rev().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let text = format!("{{{}}}", members.join(","));
        prop_assert_eq!(check(text.as_bytes()).unwrap_err().why, Why::KeyOrder);
    }
}
