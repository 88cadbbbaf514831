//! Signed commands: golden bytes, and the field that an error names.

use super::*;
use crate::canonical::Why;

fn origin() -> Origin {
    "ledger.example/moves".parse().unwrap()
}

fn signed(command: &str) -> Result<SignedCommand, BadCommand> {
    let parts = EnvelopeParts {
        at: "2026-01-01T00:00:00.000000Z",
        command_json: command.as_bytes(),
        id: Uuid::from_u128(1),
        ledger: &origin(),
        nonce: [0x5e; 16],
        not_after: "2026-01-02T00:00:00.000000Z",
    };
    SignedCommand::sign(parts, &SecretKey::from_seed([1; 32]))
}

#[test]
fn golden_bytes() {
    let command = signed(r#"{"note":"合符","type":"transfer.propose"}"#).unwrap();
    let envelope = concat!(
        r#"{"at":"2026-01-01T00:00:00.000000Z","command":{"note":"合符","type":"transfer.propose"},"#,
        r#""id":"00000000-0000-0000-0000-000000000001","key":"34750f98bd59fcfc946da45aaabe933b","#,
        r#""ledger":"ledger.example/moves","nonce":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","#,
        r#""not_after":"2026-01-02T00:00:00.000000Z"}"#
    );
    let expected = format!(r#"{{"envelope":{envelope},"sig":"{}"}}"#, command.signature());
    assert_eq!(std::str::from_utf8(command.bytes()).unwrap(), expected);
    assert_eq!(canonical::check(command.bytes()), Ok(()));
    assert_eq!(command.signing_message(), format!("hefu-command-v1\n{envelope}").into_bytes());
    let golden = "a7d42f7e87a6402b525a95cae2f45c63ec900e24848c60d5bb2c319f153a2db3";
    assert_eq!(command.digest().to_string(), golden);
    assert_eq!(command.command_json(), r#"{"note":"合符","type":"transfer.propose"}"#.as_bytes());
    assert_eq!(
        (command.at(), command.not_after()),
        ("2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z")
    );
    assert_eq!(
        (command.ledger(), command.nonce()),
        ("ledger.example/moves", "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e")
    );
    assert!(command.verify(&SecretKey::from_seed([1; 32]).public()));
    assert!(!command.verify(&SecretKey::from_seed([2; 32]).public()));
    assert_eq!(SignedCommand::parse(command.bytes().to_vec()), Ok(command));
}

#[test]
fn errors_name_the_field() {
    let good = String::from_utf8(signed("{}").unwrap().into_bytes()).unwrap();
    for (from, to, field) in [
        ("\"at\":\"2026", "\"at\":\"x026", "at"),
        ("\"command\":{}", "\"command\":[]", "command"),
        ("\"command\":{},", "", "command"),
        ("00-000000000001", "00-00000000000A", "id"),
        ("\"key\":\"3", "\"key\":\"Z", "key"),
        ("ledger.example", "ledger+example", "ledger"),
        ("\"5e", "\"5E", "nonce"),
        ("2026-01-02", "2026-02-30", "not_after"),
        ("00Z\"},\"sig", "00Z\",\"x\":0},\"sig", "envelope"),
        ("\"sig\":\"", "\"sig\":\"-", "sig"),
        ("\"}", "\",\"z\":0}", "envelope"),
        ("{\"envelope\"", "{\"a\":0,\"envelope\"", "envelope"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert_eq!(SignedCommand::parse(bad.into_bytes()), Err(BadCommand::Field(field)), "{from} -> {to}");
    }
    let spaced = good.replacen("\"at\":", "\"at\": ", 1);
    let Err(BadCommand::NotCanonical(why)) = SignedCommand::parse(spaced.into_bytes()) else { panic!() };
    assert_eq!(why.why, Why::Whitespace);
    let unsorted = signed(r#"{"b":0,"a":0}"#);
    assert!(matches!(unsorted, Err(BadCommand::NotCanonical(NotCanonical { why: Why::KeyOrder, .. }))));
    // The envelope counts as two levels.
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(signed(&nested(29)).is_ok());
    assert!(signed(&nested(30)).is_err());
}

#[test]
fn endorsements_do_not_sign_themselves() {
    let origin = origin();
    let key = SecretKey::from_seed([3; 32]);
    let bare = br#"{"type":"key.rotate"}"#;
    let endorsement = endorse(&origin, bare, &key).unwrap();
    let carried =
        canonical::to_vec(&serde_json::json!({"type": "key.rotate", "endorsements": [endorsement]})).unwrap();
    assert_eq!(
        endorsement_message(&origin, &carried).unwrap(),
        b"hefu-endorsement-v1\nledger.example/moves\n{\"type\":\"key.rotate\"}"
    );
    assert!(endorsement.verify(&origin, &carried));
    assert!(!endorsement.verify(&origin, br#"{"type":"key.revoke"}"#));
    assert!(!endorsement.verify(&"other.example".parse().unwrap(), &carried));
    assert_eq!(endorsement_message(&origin, b"[]"), Err(BadCommand::Field("command")));
}
