use proptest::prelude::*;

use super::*;
use crate::checkpoint::{BadCheckpoint, Checkpoint, Unsignable, Untrusted};
use crate::cosignature::{BadCosignature, check, cosign};
use crate::key::PublicKey;
use crate::tree::{MAX_SIZE, TreeHash};
use crate::vectors::{self, LOG_KEY, TIME, WITNESS_KEY, key, log_key, witness_key};

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn named(text: &str, first: u8) -> VerifierKey {
    VerifierKey::new(name(text), KeyKind::Ed25519, key(first).public()).unwrap()
}

fn signed(text: &str, signatures: &[&str]) -> String {
    format!("{text}\n{}\n", signatures.join("\n"))
}

/// The example of c2sp.org/signed-note, whose text has an empty line; its key is not published there.
#[test]
fn the_text_ends_at_the_last_empty_line() {
    let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let line = "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=";
    let bytes = signed(text, &[line]);
    let note = Note::parse(bytes.as_bytes()).unwrap();
    assert_eq!((note.text(), note.to_string()), (text, bytes));
    assert_eq!(note.signatures()[0].id(), NoteKeyId([0x36, 0x7b, 0xa0, 0x4b]));
    assert_eq!(note.signatures()[0].name().as_str(), "quasimodo.example/salvatore");
    assert_eq!(note.signatures()[0].bytes().len(), 64);
    assert_eq!(note.verify(&[log_key()]), Err(Distrust::NoKnownKey));
}

#[test]
fn what_is_no_note() {
    let line = "— a AAAAAAE=";
    assert!(Note::parse(signed("x\n", &[line]).as_bytes()).is_ok());
    for (bytes, error) in [
        (String::new(), BadNote::Shape),
        ("x\n".into(), BadNote::Shape),
        ("x\n\n".into(), BadNote::Shape),
        (format!("x\n{line}\n"), BadNote::Shape),
        (format!("x\n\n{line}"), BadNote::Shape),
        (format!("x\n\n{line}\n\n"), BadNote::Shape),
        (format!("x\r\n\n{line}\n"), BadNote::Control),
        (format!("x\t\n\n{line}\n"), BadNote::Control),
        (format!("x\0\n\n{line}\n"), BadNote::Control),
        (format!("x\n\n{line}\nmore\n"), BadNote::Signature(BadSignatureLine)),
        ("x".repeat(MAX_NOTE_LEN + 1), BadNote::TooLong),
        (signed("x\n", &[line; MAX_SIGNATURES + 1]), BadNote::TooMany),
    ] {
        assert_eq!(Note::parse(bytes.as_bytes()), Err(error), "{bytes:.40}");
    }
    assert_eq!(Note::parse(b"\xff\n\n"), Err(BadNote::NotUtf8));
    for bad in [
        "- a AAAAAAE=",
        "—  a AAAAAAE=",
        "— a  AAAAAAE=",
        "— a AAAAAAE= ",
        "— a+b AAAAAAE=",
        "— a AAAAAA==",
        "— a AAAAAAF=",
        "— a AAAAAAE",
        "— AAAAAAE=",
        "— a",
        "— a ",
        "— a\u{a0}b AAAAAAE=",
        "— a\u{2003}b AAAAAAE=",
        "",
    ] {
        assert_eq!(bad.parse::<NoteSignature>(), Err(BadSignatureLine), "{bad}");
    }
    assert_eq!(Note::new("x".into(), line.parse().unwrap()), Err(BadNote::Shape));
    assert_eq!(Note::new("x\0\n".into(), line.parse().unwrap()), Err(BadNote::Control));
}

#[test]
fn known_keys_must_be_right_and_others_do_not_matter() {
    let text = "hello\n";
    let keys: Vec<VerifierKey> = (0..16).map(|n| named(&format!("signer/{n}"), n)).collect();
    let line = |n: u8| NoteSignature::ed25519(&name(&format!("signer/{n}")), &key(n), text).unwrap();
    let mut note = Note::new(text.into(), line(0)).unwrap();
    (1..16).for_each(|n| note.add(line(n)).unwrap());
    assert_eq!(note.verify(&keys).map(|found| found.len()), Ok(16));
    assert_eq!(note.add(line(3)), Err(BadNote::Twice));
    // Unknown: another key of that name, that key under another name.
    let strangers = [named("signer/1", 2), named("signer/other", 1)];
    assert_eq!(note.verify(&strangers), Err(Distrust::NoKnownKey));
    assert_eq!(note.verify(&[]), Err(Distrust::NoKnownKey));
    // One wrong signature of a known key rejects, however many are right.
    let mut wrong = note.clone();
    wrong.signatures[5].bytes[0] ^= 1;
    let (name5, id5) = (name("signer/5"), keys[5].id());
    assert_eq!(wrong.verify(&keys), Err(Distrust::Wrong { name: name5.clone(), id: id5 }));
    assert!(wrong.verify(&keys[..5]).is_ok());
    wrong.signatures[5].bytes.truncate(12);
    assert_eq!(wrong.verify(&keys), Err(Distrust::Wrong { name: name5.clone(), id: id5 }));
    // Two lines of one known key, though both are right.
    let mut twice = note.clone();
    twice.signatures.push(line(5));
    let twice = Note::parse(twice.to_string().as_bytes()).unwrap();
    assert_eq!(twice.verify(&keys), Err(Distrust::Twice { name: name5.clone(), id: id5 }));
    assert!(twice.verify(&keys[6..]).is_ok());
    // The same key given twice is one key; two keys that share name and id are none.
    assert!(note.verify(keys.iter().chain(&keys)).is_ok());
    let mut forged = keys[5].clone();
    let text = serde_json::to_string(&forged).unwrap();
    assert_eq!(serde_json::from_str::<VerifierKey>(&text).unwrap(), forged);
    forged = key_with_id_of(&keys[5], 77);
    assert_eq!(note.verify([&keys[5], &forged]), Err(Distrust::Ambiguous { name: name5, id: id5 }));
    while note.signatures.len() < MAX_SIGNATURES {
        note.signatures.push("— x AAAAAAE=".parse().unwrap());
    }
    assert_eq!(note.add("— y AAAAAAE=".parse().unwrap()), Err(BadNote::TooMany));
}

/// Another key under the name and id of this one, as 2^32 tries would find.
fn key_with_id_of(key: &VerifierKey, seed: u8) -> VerifierKey {
    VerifierKey::with_id(key, vectors::key(seed).public())
}

#[test]
fn verifier_keys_have_one_spelling() {
    for text in [LOG_KEY, WITNESS_KEY] {
        assert_eq!(text.parse::<VerifierKey>().unwrap().to_string(), text);
    }
    assert_eq!((log_key().kind().byte(), witness_key().kind().byte()), (1, 4));
    let base64 = LOG_KEY.rsplit('+').next().unwrap();
    for bad in [
        "",
        "ledger.example/moves",
        "ledger.example/moves+0ac23cf2",
        "ledger.example/moves+0AC23CF2+",
        "a+0ac23cf+AQ==",
        "ledger.example/moves+0ac23cf2+AQOh",
        "ledger.example/moves+0ac23cf2+",
        &format!("ledger.example/moves+0AC23CF2+{base64}"),
        &format!("{LOG_KEY}\n"),
        &format!("{LOG_KEY}="),
    ] {
        assert_eq!(bad.parse::<VerifierKey>(), Err(BadVerifierKey::Shape), "{bad}");
    }
    let parse = |text: String| text.parse::<VerifierKey>().unwrap_err();
    let id = log_key().id();
    assert_eq!(parse(LOG_KEY.replace("+0ac23cf2", "+0ac23cf3")), BadVerifierKey::Id(id));
    assert!(matches!(parse(LOG_KEY.replace("moves", "m oves")), BadVerifierKey::Name(_)));
    assert!(matches!(parse(LOG_KEY.replace("ledger.example/moves", "")), BadVerifierKey::Name(_)));
    assert_eq!(parse(LOG_KEY.replace("+AQ", "+Bg")), BadVerifierKey::Kind(6));
    let weak = VerifierKey::new(name("a"), KeyKind::Ed25519, PublicKey([0; 32]));
    assert_eq!(weak, Err(BadVerifierKey::Weak));
    assert!("a\u{85}b".parse::<KeyName>().is_err() && "账本".parse::<KeyName>().is_ok());
}

#[test]
fn checkpoints_have_one_spelling() {
    use BadCheckpoint::{Lines, Origin, Root, Size};

    let body = "ledger.example/moves\n3\nqrpqqdpjWHpPP0LHy4VBQZt1hj/HpdUy3oPXUqDBTWQ=\n";
    assert_eq!(body.parse(), Ok(vectors::checkpoint()));
    assert_eq!(vectors::checkpoint().to_string(), body);
    let empty = format!("x\n0\n{}\n", TreeHash::EMPTY);
    assert_eq!(empty.parse::<Checkpoint>().unwrap().size, 0);
    for (bad, error) in [
        (String::new(), Lines),
        (body.trim_end().into(), Lines),
        (format!("{body}extension\n"), Lines),
        (format!("{body}\n"), Lines),
        (body.replace("ledger", "led ger"), Origin),
        (body.replace("ledger.example/moves", ""), Origin),
        (body.replace("\n3\n", "\n03\n"), Size),
        (body.replace("\n3\n", "\n+3\n"), Size),
        (body.replace("\n3\n", "\n\n"), Size),
        (body.replace("\n3\n", "\n9223372036854775808\n"), Size),
        (body.replace("\n3\n", "\n0\n"), Root),
        (body.replace("TWQ=", "TWR="), Root),
        (body.replace("TWQ=", "TWQ"), Root),
        (body.replace("TWQ=", "TWQ= "), Root),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(error), "{bad:?}");
    }
    let unsignable = Checkpoint { size: MAX_SIZE + 1, ..vectors::checkpoint() };
    assert_eq!(unsignable.sign(&key(0)), Err(Unsignable::Body(Size)));
    let unsignable = Checkpoint { size: 0, ..vectors::checkpoint() };
    assert_eq!(unsignable.sign(&key(0)), Err(Unsignable::Body(Root)));
}

#[test]
fn only_a_key_of_the_log_makes_a_checkpoint() {
    let checkpoint = vectors::checkpoint();
    let note = vectors::note();
    assert_eq!(Checkpoint::open(&note, &[log_key()]).unwrap().checkpoint, checkpoint);
    let other = Untrusted::NotTheLog(checkpoint.origin.clone());
    assert_eq!(Checkpoint::open(&note, &[witness_key()]), Err(other.clone()));
    // Signed well, by a trusted key of another log.
    let text = checkpoint.to_string();
    let elsewhere = NoteSignature::ed25519(&name("other.example"), &key(0), &text).unwrap();
    let note = Note::new(text, elsewhere).unwrap();
    assert_eq!(Checkpoint::open(&note, &[named("other.example", 0)]), Err(other));
    // Signed well, but no checkpoint.
    let text = "ledger.example/moves\nhello\n";
    let line = NoteSignature::ed25519(&name("ledger.example/moves"), &key(0), text).unwrap();
    let note = Note::new(text.into(), line).unwrap();
    assert_eq!(Checkpoint::open(&note, &[log_key()]), Err(Untrusted::Body(BadCheckpoint::Lines)));
    // While the key changes, both sign; either is enough.
    let mut note = checkpoint.sign(&key(0)).unwrap();
    note.add(checkpoint.signature(&key(1)).unwrap()).unwrap();
    let keys = [log_key(), named("ledger.example/moves", 1)];
    for some in [&keys[..1], &keys[1..], &keys[..]] {
        assert_eq!(Checkpoint::open(&note, some).unwrap().signatures.len(), some.len());
    }
}

#[test]
fn cosignatures_name_their_time() {
    let body = vectors::checkpoint().to_string();
    let witness = name("witness.example/w1");
    let line = cosign(&witness, &key(0x20), TIME, &body).unwrap();
    let public = key(0x20).public();
    assert_eq!(check(&public, &body, line.bytes()), Some(TIME));
    for at in 0..line.bytes().len() {
        let mut bytes = line.bytes().to_vec();
        bytes[at] ^= 1;
        assert_eq!(check(&public, &body, &bytes), None);
        assert_eq!(check(&public, &body, &line.bytes()[..at]), None);
    }
    assert_eq!(check(&key(0).public(), &body, line.bytes()), None);
    assert_eq!(check(&public, &body.replace('3', "4"), line.bytes()), None);
    let latest = cosign(&witness, &key(0x20), MAX_SIZE, &body).unwrap();
    assert_eq!(check(&public, &body, latest.bytes()), Some(MAX_SIZE));
    assert_eq!(cosign(&witness, &key(0x20), MAX_SIZE + 1, &body), Err(BadCosignature::Time));
    // The line as a witness sends it.
    assert_eq!(line.to_string().parse(), Ok(line));
}

proptest! {
    #[test]
    fn a_note_that_is_read_is_written_the_same(at in any::<prop::sample::Index>(), cut in 0_usize..4, with in "[\\PC\\n]{0,3}") {
        let text = vectors::note().to_string();
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.floor_char_boundary((start + cut).min(text.len()));
        let mutated = format!("{}{with}{}", &text[..start], &text[end.max(start)..]);
        if let Ok(note) = Note::parse(mutated.as_bytes()) {
            prop_assert_eq!(note.to_string(), mutated.clone());
            if mutated != text {
                let verified = Checkpoint::open(&note, &[log_key(), witness_key()]);
                // Lines of strangers may come and go; what is signed may not change.
                prop_assert!(verified.map_or(true, |opened| opened.checkpoint == vectors::checkpoint()));
            }
        }
        if let Ok(checkpoint) = mutated.parse::<Checkpoint>() {
            prop_assert_eq!(checkpoint.to_string(), mutated);
        }
    }

    #[test]
    fn a_key_that_is_read_is_written_the_same(at in 0..LOG_KEY.len(), with in "\\PC{0,2}") {
        let mutated = format!("{}{with}{}", &LOG_KEY[..at], &LOG_KEY[at + 1..]);
        if let Ok(key) = mutated.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), mutated);
            prop_assert_eq!(key, log_key());
        }
    }

    #[test]
    fn any_text_can_be_signed(text in "(\\PC{0,20}\\n){1,5}") {
        let line = NoteSignature::ed25519(&name("ledger.example/moves"), &key(0), &text).unwrap();
        let note = Note::new(text.clone(), line).unwrap();
        let again = Note::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(again.text(), text);
        prop_assert!(again.verify(&[log_key()]).is_ok());
    }
}
