//! The JSON of commands and events is a contract: these bytes are read for ever.

use std::{collections::BTreeSet, fmt::Write, fs};

use hefu_domain::{
    command::{BadCommand, Command},
    event::{Event, SCHEMA_VERSION, UnknownEvent},
    state::State,
};
use serde_json::{Map, Value, json};

use super::script;

const COMMANDS: &str = include_str!("../golden/commands.jsonl");
const JOURNAL: &str = include_str!("../golden/journal.jsonl");

/// Fields that may be left out; every other one is named when it is missing.
const OPTIONAL: [&str; 53] = [
    "accept_transfer.subject",
    "amend_project.codes",
    "amend_project.date",
    "amend_project.name",
    "amend_project.planned_investment",
    "answer_dispute.evidence",
    "appeal_ruling.evidence",
    "approve_ruling.subject",
    "close_project.reason",
    "confirm_claim.subject",
    "confirm_statement.subject",
    "create_ledger.adjacency",
    "create_ledger.continues",
    "create_ledger.endorsements",
    "decline_ruling.subject",
    "decline_transfer.reason",
    "decline_transfer.subject",
    "exhaust_tier.evidence",
    "finalise_settlement.subject",
    "land_project.site",
    "merge_projects.codes",
    "merge_projects.reason",
    "open_dispute.amount",
    "open_dispute.evidence",
    "open_dispute.statement",
    "propose_ruling.evidence",
    "propose_transfer.site",
    "propose_transfer.terms",
    "record_payment.voucher",
    "recover_key.endorsements",
    "redact_record.endorsements",
    "register_keys.endorsements",
    "register_project.codes",
    "register_project.date",
    "register_project.site",
    "register_regions.adjacency",
    "register_regions.regions",
    "reject_claim.subject",
    "report_tax.incentives",
    "report_tax.refund_of",
    "report_tax.voucher",
    "rename_region.name_en",
    "revoke_key.compromised_since",
    "rotate_key.endorsements",
    "rotate_log_key.endorsements",
    "settle_dispute.endorsements",
    "settle_dispute.statement",
    "split_project.reason",
    "split_region.projects",
    "suspend_project.reason",
    "withdraw_dispute.reason",
    "withdraw_transfer.reason",
    "withdraw_transfer.subject",
];

fn lines(text: &str) -> Vec<Map<String, Value>> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn parse(fields: &Map<String, Value>) -> Result<Command, BadCommand> {
    Command::parse(&serde_json::to_vec(fields).unwrap())
}

/// The field a command is refused for.
fn refused_for(fields: &Map<String, Value>) -> String {
    parse(fields).unwrap_err().field
}

#[test]
fn every_command_reads_and_writes_its_golden_line() {
    for fields in lines(COMMANDS).into_iter().chain(lines(JOURNAL)) {
        let command = parse(&fields).unwrap_or_else(|why| panic!("{}: {why}", fields["type"]));
        assert_eq!(fields["type"], command.name());
        assert_eq!(serde_json::to_value(&command).unwrap(), Value::Object(fields));
    }
    let golden: Vec<Value> = lines(COMMANDS).into_iter().map(|fields| fields["type"].clone()).collect();
    assert_eq!(golden, Command::NAMES, "one line for each command, in documentation order");
}

#[test]
fn an_unknown_field_is_named() {
    for mut fields in lines(COMMANDS) {
        fields.insert("surprise".to_owned(), json!(1));
        assert_eq!(refused_for(&fields), "surprise", "{}", fields["type"]);
    }
}

#[test]
fn a_missing_field_is_named() {
    let mut optional = BTreeSet::new();
    for fields in lines(COMMANDS) {
        for name in fields.keys().filter(|name| *name != "type") {
            let mut less = fields.clone();
            less.remove(name);
            match parse(&less) {
                Ok(_) => drop(optional.insert(format!("{}.{name}", fields["type"].as_str().unwrap()))),
                Err(bad) => assert_eq!(bad.field, *name, "{}", fields["type"]),
            }
        }
    }
    assert_eq!(optional, OPTIONAL.map(str::to_owned).into());
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    for fields in lines(COMMANDS) {
        for name in fields.keys().filter(|name| *name != "type") {
            let mut wrong = fields.clone();
            wrong[name] = json!(true);
            assert_eq!(refused_for(&wrong), *name, "{}", fields["type"]);
        }
    }
}

#[test]
fn each_kind_of_mistake_has_its_code_in_both_languages() {
    let line = |kind: &str| lines(COMMANDS).into_iter().find(|fields| fields["type"] == kind).unwrap();
    for (kind, field, value, code) in [
        ("register_project", "enterprise", json!("91330100799655058A"), "bad_enterprise_code"),
        ("register_project", "enterprise", json!("91330100799655058b"), "bad_enterprise_code"),
        ("register_project", "enterprise", json!("x"), "bad_enterprise_code"),
        ("register_project", "date", json!("2023-02-30"), "bad_date"),
        ("register_project", "origin", json!("滨江"), "bad_region_code"),
        ("register_project", "planned_investment", json!("1,000"), "bad_amount"),
        ("register_project", "planned_investment", json!("1.005"), "bad_amount"),
        ("register_project", "project", json!("0198B2C4-7D3E-7000-8000-0123456789AB"), "bad_uuid"),
        ("register_project", "project", json!("P1"), "bad_uuid"),
        ("register_project", "name", json!(5), "bad_type"),
        ("register_project", "codes", json!("one"), "bad_type"),
        ("report_observation", "period", json!("2023-13"), "bad_period"),
        ("report_observation", "value", json!("1e5"), "bad_amount"),
        ("report_observation", "value", json!(5), "bad_type"),
        ("report_observation", "indicator", json!("fai"), "bad_indicator_code"),
        ("exhaust_tier", "tier", json!("far"), "unknown_value"),
        ("exhaust_tier", "reason", json!("none"), "unknown_value"),
        ("exhaust_tier", "evidence", json!(["sha256:AB"]), "bad_hex"),
        ("confirm_claim", "transfer", json!(-1), "out_of_range"),
        ("confirm_claim", "subject", json!({"id": "x", "sha256": "ab"}), "bad_uuid"),
        ("revoke_key", "key", json!("AB"), "bad_hex"),
        ("tick", "surprise", json!(1), "unknown_field"),
        ("tick", "type", json!("tock"), "unknown_command"),
        ("tick", "type", json!(1), "bad_type"),
    ] {
        let mut fields = line(kind);
        fields.insert(field.to_owned(), value);
        let bad = parse(&fields).unwrap_err();
        let path = bad.field.split(['.', '[']).next().unwrap();
        assert_eq!((path, bad.fault.code), (field, code), "{bad}");
        // Data and names stand in backticks; what is said about them is in one language.
        let said = |text: &str| text.split('`').step_by(2).collect::<String>();
        assert!(!said(&bad.fault.zh).is_ascii(), "{}", bad.fault.zh);
        assert!(said(&bad.fault.en).is_ascii() && bad.fault.en != bad.fault.zh, "{}", bad.fault.en);
    }
    let mut less = line("report_observation");
    less.remove("value");
    assert_eq!(parse(&less).unwrap_err().fault.code, "missing_field");
    assert_eq!(Command::parse(b"{}").unwrap_err().fault.code, "missing_field");
    assert_eq!(Command::parse(b"[]").unwrap_err().fault.code, "bad_type");
}

#[test]
fn a_field_deep_inside_is_named_with_its_path() {
    let line = |kind: &str| lines(COMMANDS).into_iter().find(|fields| fields["type"] == kind).unwrap();
    let with = |kind: &str, path: &str, value: Value| {
        let mut fields = Value::Object(line(kind));
        *fields.pointer_mut(path).unwrap() = value;
        let Value::Object(fields) = fields else { unreachable!() };
        refused_for(&fields)
    };
    let origin_bp = "/terms/credits/investment/origin_bp";
    assert_eq!(with("propose_transfer", origin_bp, json!("100%")), "terms.credits.investment.origin_bp");
    assert_eq!(with("propose_transfer", origin_bp, json!(-1)), "terms.credits.investment.origin_bp");
    assert_eq!(with("propose_transfer", origin_bp, json!(0.5)), "terms.credits.investment.origin_bp");
    assert_eq!(
        with("propose_transfer", "/terms/credits/research", json!({"x": 1})),
        "terms.credits.research.x"
    );
    assert_eq!(with("register_keys", "/keys/0", json!({"person": "Wang"})), "keys[0].key");
    assert_eq!(with("register_keys", "/keys/0/role", json!("mayor")), "keys[0].role");
    assert_eq!(
        with("accept_transfer", "/subject", json!({"id": "0198b2c4-7d3e-7000-8000-00000000000c"})),
        "subject.sha256"
    );
    assert_eq!(with("report_observation", "/value", json!(35_000_000.5)), "value");
    assert_eq!(with("report_observation", "/value", json!("1e5")), "value");
    assert_eq!(with("report_observation", "/period", json!("2023-13")), "period");
    assert_eq!(with("register_project", "/enterprise", json!("91330100799655058A")), "enterprise");
    assert_eq!(with("register_project", "/origin", json!("滨江")), "origin");
    assert_eq!(
        with("register_project", "/project", json!("0198B2C4-7D3E-7000-8000-0123456789AB")),
        "project"
    );
    assert_eq!(
        with("register_project", "/planned_investment", json!("1200000000.005")),
        "planned_investment"
    );
    assert_eq!(with("land_project", "/date", json!("2023-02-30")), "date");
    assert_eq!(
        with("adopt_policy", "/policy/tier_rule/borders/0", json!("lake")),
        "policy.tier_rule.borders[0]"
    );
}

#[test]
fn what_is_not_a_command_says_so() {
    let refused = |text: &str| Command::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused("{}").field, "type");
    assert_eq!(refused(r#"{"type":7}"#).field, "type");
    assert_eq!(refused(r#"{"type":"seize_project"}"#).field, "type");
    assert_eq!(refused(r#"{"type":"seize_project"}"#).fault.en, "unknown command `seize_project`");
    assert_eq!(refused("[]").fault.en, "must be an object, not a list");
    assert_eq!(refused("").field, "");
    assert_eq!(refused(r#"{"type":"tick"} {}"#).field, "");
}

/// A script in which everything happens that can.
const EVERYTHING: &str = "
    given P1 in 330108 since 2023-01-10 site S1 planned 1200000000.00
    330108 amend P1 name 凤凰 planned 1500000000.00 code 2501-330108-04-01-123456 on 2023-02-01 -> ok
    330108 exhaust P1 original_site evidence a -> ok
    330100 waive P1 local reason 全市统筹 -> ok
    330108 exhaust P1 neighbouring reason no_taker -> ok
    330108 propose P1 to 330881 site S2 terms {\"credits\":{\"value_added\":{\"origin_bp\":5000,\"destination_bp\":5000}},\"tax\":{\"construction_bp\":6000,\"production_years_bp\":[5000,4000]}} -> ok
    330881 decline P1 reason 产业不符 -> ok
    330108 propose P1 to 330881 -> ok
    330108 withdraw P1 -> ok
    330108 propose P1 to 330881 -> ok
    at 2026-06-01
    log tick -> ok
    330000.coordinator adopt_policy {\"claim_confirmation\":\"superior\"} -> ok
    given P1 moved 330881 on 2023-06-01
    330000 confirm P1 3 -> ok
    330881 exhaust P1 original_site -> ok
    330881 exhaust P1 local -> ok
    330881 exhaust P1 neighbouring -> ok
    330881 propose P1 to 330122 terms {\"multi_hop\":\"last_hop\"} -> ok
    330122 accept P1 -> ok
    330108 accept P1 -> ok
    330000 reject P1 4 reason 不予认定 -> ok
    330122 land P1 on 2023-07-01 site S3 -> ok
    330122 build P1 on 2023-08-01 -> ok
    330122 produce P1 on 2023-09-01 -> ok
    330122 suspend P1 on 2023-10-01 -> ok
    330122 resume P1 on 2023-11-01 -> ok
    330122 report P1 INV_FAI 2023-11 35000000.5 -> ok
    330122 report P1 INV_FAI 2023-11 -0.01 -> ok
    330122 close P1 on 2024-01-01 -> ok
    330108 dispute D1 observation P1 INV_FAI 2023-11 amount 1 evidence a reason value_wrong {\"statement\":\"数额不符\"} -> ok
    330881 dispute D2 observation P1 INV_FAI 2023-11 evidence b in 330881 -> ok
    330122 answer D1 evidence c in 330122 -> ok
    330108 add_evidence D1 evidence d -> ok
    330108 withdraw_evidence D1 evidence d -> ok
    330100 rule D1 correct_value value 2 evidence a -> ok
    330100 decline_ruling D1 -> ok
    330100 rule D1 correct_value value 2 evidence a -> ok
    330100.coordinator approve D1 -> ok
    330122 appeal D1 -> ok
    330000 rule D1 correct_value value 3 evidence a -> ok
    330000.coordinator approve D1 -> ruling.approved ruling.final observation.ruled
    given P2 in 330108 since 2023-01-10
    given P2 moved 330122 on 2023-06-01 terms {\"credits\":{\"investment\":{\"origin_bp\":5000,\"destination_bp\":5000}}}
    330100 confirm P2 0 -> ok
    330122 report P2 INV_FAI 2023-11 100.00 -> ok
    330108 dispute D3 claim P2 0 INV_FAI 2023 -> ok
    330122 answer D3 -> ok
    330100 rule D3 credit to 330108 amount 10.00 -> ok
    330100.coordinator approve D3 -> ok
    330108 waive_appeal D3 -> ok
    330122 waive_appeal D3 -> appeal.waived ruling.final credit.ruled
    330108 dispute D4 transfer P2 0 -> ok
    330108 drop D4 -> ok
    330108 dispute D5 transfer P2 0 -> ok
    330108+330122 settle D5 confirm_claim -> ok
    330108 dispute D6 transfer P2 0 -> ok
    330000.coordinator rename_region 330881 zh 新江山市 en Xinjiangshan on 2026-01-01 -> ok
    330000.coordinator recode_region 330881 code 330804 on 2026-01-01 -> ok
    330000.coordinator split_region 361102 to 361123 on 2026-01-01 -> ok
    330000.coordinator merge_region 361102 to 361123 on 2026-01-01 -> ok
    330000.coordinator reparent_region 361123 to 360000 on 2026-01-02 -> ok
    330109+new rotate_key new -> ok
    330100.coordinator revoke_key new since 7 -> ok
    330108+330108.auditor redact 5 reason 商业秘密 -> ok
    330100+330100.coordinator+330108.office/2 recover_key 330108.office key 330108.office/2 person Li -> ok
    330108 cancel_key_recovery 330108.office -> ok
    330100+330100.coordinator+330108.office/3 recover_key 330108.office key 330108.office/3 person Li -> ok
    at 2026-06-20
    log tick -> ok
    given P29 in 330802 since 2023-01-10
    330802 build P29 on 2023-02-01 -> ok
    given P29 moved 330681 on 2023-06-01 terms {\"tax\":{\"production_years_bp\":[5000],\"years_from\":\"first_tax\"}}
    330000 confirm P29 0 -> ok
    330681 tax P29 vat 2024-03-15 100.00 incentives 1.00 voucher V1 -> ok
    330681 tax P29 vat 2024-05-15 -40.00 refund_of 2024-03-15 -> ok
    330000.statistics close_period 2023 -> ok
    330000.statistics freeze 2023年报 INV_FAI 2023 known 9 -> ok
    330000.treasury run_settlement 2024 -> ok
    330681 dispute D7 line 1-1 P29 amount 10.00 -> ok
    330681+330802 settle D7 correct_value value 10.00 -> dispute.settled line.ruled
    330681.treasury confirm_statement 2024 -> ok
    330802.treasury confirm_statement 2024 -> ok
    330000.treasury finalise_settlement 2024 -> ok
    330000.treasury pay 11.50 from 330681 to 330000 on 2025-03-01 voucher B1 -> ok
    given P30 in 330802 since 2024-01-10 planned 100.00
    330802 report P30 INV_FAI 2024-07 100.01 -> ok
    330802 split P30 on 2024-07-15 P31=500000 P32=500000 reason 分期 -> ok
    330802 merge P31 P32 on 2024-07-16 to P33 -> ok
    log+log2 rotate_log_key log2 -> ok
";

#[test]
fn every_event_reads_and_writes_its_golden_line() {
    let run = script::check::<State>(EVERYTHING, |_, _| String::new());
    let mut text = String::new();
    for kind in Event::NAMES {
        let (_, event) = run.ledger.log.iter().find(|(_, event)| event.kind() == *kind).unwrap();
        let data = serde_json::to_string(&event.to_value().unwrap()).unwrap();
        writeln!(text, r#"{{"type":"{kind}","v":{SCHEMA_VERSION},"data":{data}}}"#).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.jsonl");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &text).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap();
    for (was, is) in golden.lines().zip(text.lines()) {
        assert_eq!(was, is, "events are written as they always were, keys sorted");
    }
    assert_eq!(golden.lines().count(), Event::NAMES.len());
    // Every event of the run, not only the first of its kind.
    for (_, event) in &run.ledger.log {
        let value = event.to_value().unwrap();
        assert_sorted(&value);
        let read = Event::parse(event.kind(), SCHEMA_VERSION, &serde_json::to_vec(&value).unwrap()).unwrap();
        assert_eq!(read, *event);
    }
}

#[test]
fn an_event_of_another_schema_is_refused() {
    for fields in lines(include_str!("../golden/events.jsonl")) {
        let kind = fields["type"].as_str().unwrap();
        let read = |v: u32, data: &Value| Event::parse(kind, v, &serde_json::to_vec(data).unwrap());
        assert!(read(1, &fields["data"]).is_ok());
        assert_eq!(read(2, &fields["data"]), Err(UnknownEvent::Schema { kind: kind.to_owned(), v: 2 }));
        let mut more = fields["data"].clone();
        more["surprise"] = json!(1);
        assert!(matches!(read(1, &more), Err(UnknownEvent::Data { .. })), "{kind}");
        assert!(matches!(read(1, &json!({})), Err(UnknownEvent::Data { .. })), "{kind}");
    }
    assert!(matches!(Event::parse("project.seized", 1, b"{}"), Err(UnknownEvent::Schema { .. })));
}

fn assert_sorted(value: &Value) {
    match value {
        Value::Object(fields) => {
            assert!(fields.keys().is_sorted(), "{value}");
            fields.values().for_each(assert_sorted);
        }
        Value::Array(items) => items.iter().for_each(assert_sorted),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
