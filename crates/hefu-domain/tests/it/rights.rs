//! Who may do what: every command × every role × every place a region can have in the case, as one table.
//!
//! `UPDATE=1 cargo test -p hefu-domain rights` writes `docs/RIGHTS.md` anew.

use std::{collections::BTreeSet, fmt::Write, fs};

use hefu_domain::{authority::Role, command::Command, state::State};

use super::{
    ledger::{Ledger, date, noon},
    script::{self, Run},
};

/// The places, seen from a project that 滨江 holds, offers to 江山, and once got from 桐庐.
const PLACES: [(&str, &str); 9] = [
    ("330108", "holder"),
    ("330881", "destination"),
    ("330122", "earlier origin"),
    ("330681", "other county"),
    ("330100", "holder's city"),
    ("330800", "destination's city"),
    ("330000", "province"),
    ("360000", "other province"),
    ("000000", "host"),
];

/// What holds before the commands: each of the projects is at another point of its life.
const CASE: &str = "
    host 000000
    000000.coordinator adopt_policy {\"claim_confirmation\":\"superior\"} -> ok
    # P1: just registered, all tiers exhausted. P8: nothing exhausted yet.
    given P1 in 330108 since 2024-01-01
    330108 exhaust P1 original_site -> ok
    330108 exhaust P1 local -> ok
    330108 exhaust P1 neighbouring -> ok
    given P8 in 330108 since 2024-01-01
    # P2: came from 桐庐, is offered to 江山 under terms that end the claim of 桐庐.
    given P2 in 330122 since 2024-01-01
    given P2 moved 330108 on 2024-06-01
    330108 exhaust P2 original_site -> ok
    330108 exhaust P2 local -> ok
    330108 exhaust P2 neighbouring -> ok
    330108 propose P2 to 330881 terms {\"multi_hop\":\"last_hop\"} -> ok
    # P3: accepted by 江山, not landed.
    given P3 in 330108 since 2024-01-01
    330108 exhaust P3 original_site -> ok
    330108 exhaust P3 local -> ok
    330108 exhaust P3 neighbouring -> ok
    330108 propose P3 to 330881 -> ok
    330881 accept P3 -> ok
    # P4: paused. P5: under construction.
    given P4 in 330108 since 2024-01-01
    330108 suspend P4 on 2024-02-01 -> ok
    given P5 in 330108 since 2024-01-01
    330108 build P5 on 2024-02-01 -> ok
    # P6: offered within the city, by 滨江 to 桐庐.
    given P6 in 330108 since 2024-01-01
    given P6 moved 330122 on 2024-02-01
    # P6 is disputed: D1 just opened, D2 (of P7) answered, D3 (of P10) with a ruling proposed, D4 (of P11) ruled on.
    330122 report P6 INV_FAI 2024-03 10.00 -> ok
    330108 dispute D1 observation P6 INV_FAI 2024-03 evidence a -> ok
    given P7 in 330108 since 2024-01-01
    given P7 moved 330122 on 2024-02-01
    330108 dispute D2 transfer P7 0 -> ok
    330122 answer D2 -> ok
    given P10 in 330108 since 2024-01-01
    given P10 moved 330122 on 2024-02-01
    330108 dispute D3 transfer P10 0 -> ok
    330122 answer D3 -> ok
    root1+root2 register_keys 330100.office/2 -> ok
    330100.office/2 rule D3 confirm_claim -> ok
    given P11 in 330108 since 2024-01-01
    given P11 moved 330122 on 2024-02-01
    330108 dispute D4 transfer P11 0 -> ok
    330122 answer D4 -> ok
    330100 rule D4 confirm_claim -> ok
    330100.coordinator approve D4 -> ok
    given P12 in 330108 since 2024-01-01
    given P12 moved 330122 on 2024-02-01
    # P17, P20: 滨江 owes 桐庐 and 江山 a share of their tax; 2023 is settled and not paid, 2024 is run.
    given P17 in 330122 since 2020-01-01
    given P17 moved 330108 on 2020-06-01 terms {\"tax\":{\"construction_bp\":5000}}
    330100 confirm P17 0 -> ok
    330108 build P17 on 2020-07-01 -> ok
    given P20 in 330881 since 2020-01-01
    given P20 moved 330108 on 2020-06-01 terms {\"tax\":{\"construction_bp\":5000}}
    330000 confirm P20 0 -> ok
    330108 build P20 on 2020-07-01 -> ok
    given P93 in 330108 since 2024-01-01
    given P94 in 330108 since 2024-01-01
    330108 tax P17 vat 2023-05-01 100.00 -> ok
    330108 tax P17 vat 2024-05-01 100.00 -> ok
    330108 tax P20 vat 2023-05-01 100.00 -> ok
    000000.treasury run_settlement 2023 -> ok
    330108.treasury confirm_statement 2023 -> ok
    330122.treasury confirm_statement 2023 -> ok
    330881.treasury confirm_statement 2023 -> ok
    000000.treasury finalise_settlement 2023 -> ok
    000000.treasury run_settlement 2024 -> ok
    # A key of 滨江 is said to be lost.
    330100+330100.coordinator+330108.treasury/2 recover_key 330108.treasury key 330108.treasury/2 -> ok
";

/// Row, command, and who endorses it beside the signer.
const ROWS: [(&str, &str, &str); 64] = [
    ("register_regions", "register_regions", ""),
    ("rename_region", "rename_region 330881 zh 江山 on 2026-01-05", ""),
    ("recode_region", "recode_region 330881 code 330899 on 2026-01-05", ""),
    ("merge_region (in the holder's city)", "merge_region 330109 to 330122 on 2026-01-05", ""),
    ("split_region (in the holder's city)", "split_region 330109 to 330122 on 2026-01-05", ""),
    ("reparent_region (between cities)", "reparent_region 330122 to 330600 on 2026-01-05", ""),
    ("reparent_region (between provinces)", "reparent_region 330122 to 361100 on 2026-01-05", ""),
    ("adopt_policy", "adopt_policy", ""),
    ("register_keys", "register_keys 330108.office/2", "root1 root2"),
    ("rotate_key (its own)", "rotate_key new", "new"),
    ("rotate_log_key", "rotate_log_key new", "root1 root2 new"),
    ("revoke_key (of the holder's auditor)", "revoke_key 330108.auditor", ""),
    (
        "recover_key (of the holder's office)",
        "recover_key 330108.office key new",
        "330100.office 330100.coordinator new",
    ),
    ("cancel_key_recovery (of the holder's treasury)", "cancel_key_recovery 330108.treasury", ""),
    ("redact_record (of the holder's office)", "redact 5", "330108.auditor"),
    ("tick", "tick", ""),
    ("register_enterprise (in the holder)", "register_enterprise E2 in 330108", ""),
    ("register_project (in the holder)", "register P9 in 330108", ""),
    ("amend_project", "amend P1 name 凤凰", ""),
    ("exhaust_tier", "exhaust P1 wider", ""),
    ("waive_tier: original_site", "waive P8 original_site", ""),
    ("waive_tier: local", "waive P8 local", ""),
    ("waive_tier: neighbouring", "waive P8 neighbouring", ""),
    ("waive_tier: wider", "waive P8 wider", ""),
    ("propose_transfer", "propose P1 to 330881", ""),
    ("accept_transfer", "accept P2", ""),
    ("decline_transfer", "decline P2", ""),
    ("withdraw_transfer", "withdraw P2", ""),
    ("confirm_claim (between cities)", "confirm P3 0", ""),
    ("confirm_claim (inside the holder's city)", "confirm P6 0", ""),
    ("reject_claim (between cities)", "reject P3 0", ""),
    ("reject_claim (inside the holder's city)", "reject P6 0", ""),
    ("land_project", "land P3 on 2024-06-01", ""),
    ("start_construction", "build P1 on 2024-06-01", ""),
    ("start_production", "produce P5 on 2024-06-01", ""),
    ("suspend_project", "suspend P1 on 2024-06-01", ""),
    ("resume_project", "resume P4 on 2024-06-01", ""),
    ("close_project", "close P1 on 2024-06-01", ""),
    ("split_project", "split P1 on 2024-06-01 P91=500000 P92=500000", ""),
    ("merge_projects", "merge P93 P94 on 2025-06-01 to P99", ""),
    ("report_observation", "report P2 INV_FAI 2025 1.00", ""),
    ("report_observation (before the project came)", "report P2 INV_FAI 2023 1.00", ""),
    ("open_dispute (holder against 桐庐, or back)", "dispute D9 transfer P12 0", ""),
    ("open_dispute (a line between the holder and 桐庐)", "dispute D9 line 2-1 P17", ""),
    ("answer_dispute", "answer D1", ""),
    ("add_evidence", "add_evidence D1 evidence b", ""),
    ("withdraw_evidence (of the holder)", "withdraw_evidence D1 evidence a", ""),
    ("settle_dispute", "settle D1 dismiss", "330108.office 330122.office"),
    ("withdraw_dispute (of the holder)", "drop D1", ""),
    ("propose_ruling", "rule D2 confirm_claim", ""),
    ("approve_ruling", "approve D3", ""),
    ("decline_ruling", "decline_ruling D3", ""),
    ("appeal_ruling", "appeal D4", ""),
    ("waive_appeal", "waive_appeal D4", ""),
    ("report_tax", "tax P2 vat 2025-03-10 1.00", ""),
    ("report_tax (before the project came)", "tax P2 vat 2024-03-10 1.00", ""),
    ("close_period", "close_period 2022", ""),
    ("freeze_vintage", "freeze V1 INV_FAI 2024 known 5", ""),
    ("run_settlement", "run_settlement 2025", ""),
    ("confirm_statement", "confirm_statement 2024", ""),
    ("finalise_settlement", "finalise_settlement 2024", ""),
    ("record_payment (into the city's clearing house)", "pay 1.00 from 330108 to 330100 on 2025-03-10", ""),
    ("record_payment (out of the city's clearing house)", "pay 1.00 from 330100 to 330122 on 2025-03-10", ""),
    ("record_payment (into the province's)", "pay 1.00 from 330108 to 330000 on 2025-03-10", ""),
];

#[test]
fn rights() {
    let run: Run<State> = script::check(CASE, |_, _| String::new());
    let mut table = String::new();
    let heads: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    writeln!(table, "| command | {} | log key | root keys |", heads.join(" | ")).unwrap();
    writeln!(table, "|---|{}", "---|".repeat(heads.len() + 2)).unwrap();
    let mut covered: BTreeSet<&str> = BTreeSet::new();

    let genesis: Command = super::ledger::genesis(hefu_domain::policy::Policy::default()).into();
    covered.insert(genesis.name());
    let cells = row(&Ledger::empty(), &genesis, &["root1", "root2"], &["ledger_missing", "bad_genesis"]);
    writeln!(table, "| create_ledger (before record 0) | {} |", cells.join(" | ")).unwrap();

    for (label, text, endorsers) in ROWS {
        let command = run.parse(text);
        covered.insert(command.name());
        let mut ledger = run.ledger.clone();
        if command.name() == "tick" {
            ledger.now = noon(date("2027-01-05"));
        }
        let between = ["run_settlement", "merge_region", "split_region", "reparent_region"];
        if between.contains(&command.name()) || command.name() == "finalise_settlement" {
            // The limit to confirm has passed.
            ledger.now = noon(date("2027-01-05"));
        }
        if between.contains(&command.name()) {
            ledger.submit(&["000000.treasury"], &run.parse("finalise_settlement 2024")).unwrap();
        }
        let endorsers: Vec<&str> = endorsers.split_whitespace().collect();
        let cells = row(&ledger, &command, &endorsers, &["wrong_role", "foreign_office", "not_a_party"]);
        writeln!(table, "| {label} | {} |", cells.join(" | ")).unwrap();
    }
    assert_eq!(covered, Command::NAMES.iter().copied().collect(), "every command has a row");

    let text = format!("{HEAD}{table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/RIGHTS.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        committed, text,
        "docs/RIGHTS.md is not what the rules say: run again with UPDATE=1 and read the difference"
    );
}

const HEAD: &str = "# Who may do what

Written by a test from the rules themselves (`UPDATE=1 cargo test -p hefu-domain rights`), so it cannot be out of date.
A cell says which regions may, in that role; everyone else is refused with `wrong_role`, `foreign_office` or `not_a_party`.

The case: 滨江 (the **holder**, county in the **holder's city** Hangzhou) holds projects, offers them to 江山 (the **destination**,
in the **destination's city** Quzhou) under terms that end the claim of 桐庐 (the **earlier origin**, also in Hangzhou); 诸暨 is an
**other county**; Zhejiang is the **province**, Jiangxi the **other province**; the national root is the **host**.
Claims wait for the superior's confirmation. The holder owes the earlier origin and the destination shares of tax; 2023 is settled, 2024 is
run and the limit to confirm has passed. Commands that need several signatures carry the others.

";

fn row(ledger: &Ledger<State>, command: &Command, endorsers: &[&str], refusals: &[&str]) -> Vec<String> {
    let may = |signer: &str| {
        let signers: Vec<&str> = [signer].into_iter().chain(endorsers.iter().copied()).collect();
        match ledger.decide(&signers, command) {
            Ok(events) => {
                assert!(!events.is_empty());
                true
            }
            Err(refusal) => {
                // Whoever has no right learns that first, and nothing else.
                assert!(
                    refusals.contains(&refusal.code()),
                    "{signer} {}: {}",
                    command.name(),
                    refusal.code()
                );
                false
            }
        }
    };
    let mut cells: Vec<String> = Vec::new();
    for role in Role::ALL {
        let signer = |code: &str| format!("{code}.{}", role.name());
        let allowed: Vec<&str> =
            PLACES.iter().filter(|(code, _)| may(&signer(code))).map(|(_, place)| *place).collect();
        cells.push(match allowed.len() {
            0 => "–".to_owned(),
            all if all == PLACES.len() => "everyone".to_owned(),
            _ => allowed.join(", "),
        });
    }
    cells.push(if may("log") { "yes" } else { "–" }.to_owned());
    cells.push(if may("root3") { "yes" } else { "–" }.to_owned());
    cells
}
