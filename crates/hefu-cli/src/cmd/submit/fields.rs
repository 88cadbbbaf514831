//! Which field of a line a refusal is about. The rules name what is wrong; a person wants to know where to look.

use hefu_domain::command::Command;
use serde_json::{Map, Value};

use crate::error::Why;

/// The type of a draft, as one of the known names.
pub(super) fn kind_of(command: &Map<String, Value>) -> Option<&'static str> {
    let kind = command.get("type")?.as_str()?;
    Command::NAMES.iter().find(|name| **name == kind).copied()
}

/// The field a refusal is about, if it is about one.
pub(super) fn field_of(why: &Why, kind: Option<&'static str>) -> Option<String> {
    if let Some(field) = &why.field {
        return Some(field.clone());
    }
    let field = match why.code.as_str() {
        "wrong_role" | "foreign_office" | "unknown_key" | "key_ended" => "as",
        "id_reused" => "id",
        "bad_signature" => "sig",
        "clock_skew" => "at",
        "command_expired" => "not_after",
        "wrong_ledger" => "ledger",
        "unknown_region" | "not_a_county" | "region_ended" | "region_disputed" | "same_region" => {
            match kind {
                Some("register_project") => "origin",
                Some("propose_transfer") => "destination",
                _ => "region",
            }
        }
        "enterprise_known" | "unknown_enterprise" => "enterprise",
        "project_known"
        | "unknown_project"
        | "project_closed"
        | "project_handed_on"
        | "project_disputed"
        | "claims_differ"
        | "enterprises_differ"
        | "project_suspended"
        | "not_suspended"
        | "proposal_pending"
        | "no_open_proposal"
        | "proposal_expired"
        | "not_accepted"
        | "construction_not_started"
        | "already_started" => "project",
        "project_code_taken" => "codes",
        "bad_industry" => "industry",
        "negative_investment" => "planned_investment",
        "date_in_future"
        | "date_out_of_order"
        | "tax_known"
        | "date_in_closed_period"
        | "payment_known"
        | "payment_early" => "date",
        "tier_not_open" => "destination",
        "tier_already_closed" | "tier_open_too_short" => "tier",
        "evidence_missing" => "evidence",
        "subject_missing" | "subject_mismatch" => "subject",
        "terms_out_of_range" => "terms",
        "no_such_transfer" | "claim_not_pending" => "transfer",
        "no_such_line" | "line_decided" => "matter.line",
        "unknown_indicator" | "derived_indicator" => "indicator",
        "bad_value" => "value",
        "period_in_future"
        | "period_after_closing"
        | "period_before_project"
        | "period_overlaps"
        | "frequency_mixed"
        | "period_out_of_order"
        | "settlement_open"
        | "no_such_settlement"
        | "settlement_finalised" => "period",
        "unknown_tax_kind" => "kind",
        "tax_sign" | "refund_exceeds" | "not_positive" | "payment_exceeds" => "amount",
        "unknown_template" => "terms.tax.template",
        _ => return None,
    };
    Some(field.to_owned())
}
