//! The names of states and classes, as every output of the ledger has them.

use hefu_domain::{
    settlement::LineClass,
    state::{ClaimStatus, Outcome},
    suggest::Reason,
};

pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "open",
        Outcome::Accepted => "accepted",
        Outcome::Landed { .. } => "landed",
        Outcome::Declined => "declined",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Expired => "expired",
    }
}

pub(crate) const fn claim(claim: ClaimStatus) -> &'static str {
    match claim {
        ClaimStatus::Pending => "pending",
        ClaimStatus::Confirmed => "confirmed",
        ClaimStatus::Rejected => "rejected",
    }
}

pub(crate) const fn class(class: LineClass) -> &'static str {
    match class {
        LineClass::Accrued => "accrued",
        LineClass::Correction => "correction",
        LineClass::Ruling => "ruling",
    }
}

/// The reason and, of a zone or a list, its name.
pub(crate) fn reason(reason: &Reason) -> (&'static str, &str) {
    match reason {
        Reason::Zone(name) => ("zone", name),
        Reason::List(name) => ("list", name),
        Reason::Adjacent => ("adjacent", ""),
        Reason::Land => ("land", ""),
        Reason::Energy => ("energy", ""),
    }
}
