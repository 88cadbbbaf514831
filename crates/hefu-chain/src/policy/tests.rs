use proptest::prelude::*;

use super::*;
use crate::cosignature::cosign;
use crate::note::{Distrust, KeyKind, KeyName};
use crate::vectors::{self, LOG_KEY, TIME, WITNESS_KEY, key};

fn witness_name(n: u8) -> KeyName {
    format!("witness.example/{n}").parse().unwrap()
}

fn witness_key(n: u8) -> VerifierKey {
    VerifierKey::new(witness_name(n), KeyKind::Cosignature, key(100 + n).public()).unwrap()
}

/// The example of the specification: two of X1, X2, X3 and any of Y1, Y2, Y3.
fn example() -> String {
    let mut text = format!("# Two levels.\n\n  log\t{LOG_KEY} https://ledger.example/#moves \n");
    for (n, name) in (0..).zip(["X1", "X2", "X3", "Y1", "Y2", "Y3"]) {
        text.extend(["witness ", name, " ", &witness_key(n).to_string(), "\n"]);
    }
    text + "group X-witnesses 2 X1 X2 X3\n\t# and\ngroup Y-witnesses any Y1 Y2 Y3\n\
            group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn cosigned(by: &[u8]) -> Note {
    let mut note = vectors::checkpoint().sign(&key(0)).unwrap();
    for n in by {
        let line = cosign(&witness_name(*n), &key(100 + n), TIME + u64::from(*n), note.text()).unwrap();
        note.add(line).unwrap();
    }
    note
}

#[test]
fn the_example_of_the_specification() {
    let policy: Policy = example().parse().unwrap();
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://ledger.example/#moves"));
    assert_eq!((policy.witnesses().len(), policy.witnesses()[5].name.as_str()), (6, "Y3"));
    let thresholds: Vec<usize> = policy.groups().iter().map(|group| group.threshold).collect();
    assert_eq!(thresholds, [2, 1, 2]);
    assert!(!policy.is_quorum_none());
    // Every subset of the six witnesses.
    for set in 0_u8..64 {
        let by: Vec<u8> = (0..6).filter(|n| set >> n & 1 == 1).collect();
        let judgement = policy.judge(&cosigned(&by), []).unwrap();
        let expected = (set & 0b111).count_ones() >= 2 && set >> 3 != 0;
        assert_eq!(judgement.quorum, expected, "{by:?}");
        assert_eq!(judgement.require_quorum().is_ok(), expected);
        assert_eq!(judgement.cosigned.len(), by.len());
        assert_eq!(judgement.missing.len(), 6 - by.len());
        assert!(judgement.cosigned.iter().zip(&by).all(|((_, time), n)| *time == TIME + u64::from(*n)));
        assert_eq!(judgement.checkpoint, vectors::checkpoint());
    }
    let again: Policy = policy.to_string().parse().unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.to_string(), policy.to_string());
}

#[test]
fn strangers_do_not_count_and_forgeries_reject() {
    let policy: Policy = example().parse().unwrap();
    // Another key under the name of X1: ignored.
    let mut note = cosigned(&[1, 3]);
    note.add(cosign(&witness_name(0), &key(50), TIME, note.text()).unwrap()).unwrap();
    let judgement = policy.judge(&note, []).unwrap();
    assert_eq!(judgement.missing, ["X1", "X3", "Y2", "Y3"]);
    assert!(!judgement.quorum);
    // X1's line over another checkpoint: rejected, however many others are right.
    let mut note = cosigned(&[1, 2, 3]);
    note.add(cosign(&witness_name(0), &key(100), TIME, "else\n").unwrap()).unwrap();
    let wrong = Distrust::Wrong { name: witness_name(0), id: witness_key(0).id() };
    assert_eq!(policy.judge(&note, []), Err(Untrusted::Note(wrong)));
    // No log of the policy.
    let none: Policy = format!("witness w {}\nquorum none", witness_key(1)).parse().unwrap();
    assert!(none.is_quorum_none());
    let note = cosigned(&[1]);
    assert!(matches!(none.judge(&note, []), Err(Untrusted::NotTheLog(_))));
    let log = vectors::log_key();
    assert!(none.judge(&note, [&log]).unwrap().quorum);
    assert!(none.judge(&cosigned(&[]), [&log]).unwrap().quorum);
}

#[test]
fn what_is_no_policy() {
    let base = format!("log {LOG_KEY}\nwitness a {WITNESS_KEY}\nwitness b {}\n", witness_key(1));
    let why = |more: &str| {
        let error = Policy::parse(format!("{base}{more}").as_bytes()).unwrap_err();
        (error.line, error.why)
    };
    assert!(Policy::parse(format!("{base}quorum a").as_bytes()).is_ok());
    let twice = |name: &str| BadLine::MemberTwice(name.into());
    let unknown = |name: &str| BadLine::NameUnknown(name.into());
    let taken = |name: &str| BadLine::NameTaken(name.into());
    for (more, line, expected) in [
        ("", 4, BadLine::Quorum),
        ("quorum a\nquorum a\n", 5, BadLine::Quorum),
        ("quorum c\n", 4, unknown("c")),
        ("quorum g\ngroup g any a\n", 4, unknown("g")),
        ("quorum\n", 4, BadLine::Shape),
        ("quorum a b\n", 4, BadLine::Shape),
        ("Quorum a\n", 4, BadLine::Shape),
        ("quorum a # why\n", 4, BadLine::Shape),
        ("group g any\n", 4, BadLine::Threshold),
        ("group g all\n", 4, BadLine::Threshold),
        ("group g 0 a b\n", 4, BadLine::Threshold),
        ("group g 3 a b\n", 4, BadLine::Threshold),
        ("group g 01 a b\n", 4, BadLine::Threshold),
        ("group g some a b\n", 4, BadLine::Threshold),
        ("group g any a a\n", 4, twice("a")),
        ("group g any a\ngroup h any a b\n", 5, twice("a")),
        ("group g any g\n", 4, unknown("g")),
        ("group g any none\n", 4, unknown("none")),
        ("group a any b\n", 4, taken("a")),
        ("group none any b\n", 4, taken("none")),
        (&format!("witness c {WITNESS_KEY}\n"), 4, BadLine::DuplicateKey),
        (&format!("witness a {}\n", witness_key(2)), 4, taken("a")),
        (&format!("witness c {LOG_KEY}\n"), 4, BadLine::KeyKind),
        (&format!("log {WITNESS_KEY}\n"), 4, BadLine::KeyKind),
        (&format!("log {LOG_KEY} a b\n"), 4, BadLine::DuplicateKey),
        ("log\n", 4, BadLine::Shape),
        ("quorum a\r\n", 4, BadLine::NotText),
    ] {
        assert_eq!(why(more), (line, expected), "{more}");
    }
    // One public key under two names is still one key.
    let renamed = VerifierKey::new("x".parse().unwrap(), KeyKind::Ed25519, key(0).public()).unwrap();
    assert_eq!(why(&format!("log {renamed}\n")).1, BadLine::DuplicateKey);
    assert_eq!(Policy::parse(&vec![b'\n'; super::parse::MAX_LEN + 1]).unwrap_err().why, BadLine::TooLong);
    // Comments may hold any octets, names may not.
    let with = |bytes: &[u8]| Policy::parse(&[base.as_bytes(), bytes].concat());
    assert!(with(b" # caf\xe9\nquorum a\n").is_ok());
    assert_eq!(with(b"group \xe9 any a\n").unwrap_err().why, BadLine::NotText);
}

proptest! {
    #[test]
    fn a_policy_that_is_read_is_written_as_itself(at in any::<prop::sample::Index>(), cut in 0_usize..12, with in "[ -~\\n\\t]{0,3}") {
        let text = example();
        let start = at.index(text.len());
        let end = (start + cut).min(text.len());
        let mutated = format!("{}{with}{}", &text[..start], &text[end..]);
        if let Ok(policy) = mutated.parse::<Policy>() {
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }
}
