//! What a ruling or an agreement does, on the command line and in words.

use hefu_domain::{
    dispute::{Remedy, RemedyKind},
    state::State,
};
use serde_json::{Value, json};

use crate::{error::Result, find, lang::Lang};

/// A remedy and its figures. The ledger says whether they fit together.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Chosen {
    /// What is to happen
    #[arg(long = "remedy", value_name = "REMEDY", value_parser = ["dismiss", "confirm_claim", "reject_claim", "correct_value", "credit"])]
    pub(crate) kind: String,
    /// For correct_value: the right value, in the indicator's unit; of a settlement line, in yuan
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// For credit: what is given, or taken if negative, in the indicator's unit
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// For credit: the region whose share it is, code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) to: Option<String>,
}

impl Chosen {
    /// As a command carries it.
    pub(super) fn json(&self, state: &State) -> Result<Value> {
        let Chosen { kind, value, amount, to } = self;
        let region = to.as_deref().map(|name| find::region(state, name)).transpose();
        let region = region.map_err(|error| error.at("field", "to"))?.map(|region| region.code().to_string());
        Ok(json!({"amount": amount, "kind": kind, "region": region, "value": value}))
    }
}

/// In words, with its figures.
pub(super) fn words(lang: Lang, remedy: &Remedy) -> String {
    let kind = lang.remedy(remedy.kind);
    let value = || remedy.value.as_ref().map(ToString::to_string).unwrap_or_default();
    let amount = || remedy.amount.as_ref().map(ToString::to_string).unwrap_or_default();
    match remedy.kind {
        RemedyKind::Dismiss | RemedyKind::ConfirmClaim | RemedyKind::RejectClaim => kind.to_owned(),
        RemedyKind::CorrectValue => format!("{kind} {}", value()),
        RemedyKind::Credit => {
            let region = remedy.region.map(|code| code.to_string()).unwrap_or_default();
            format!("{kind} {region} {}", amount())
        }
    }
}
