//! What a public table may show: the parameters of disclosure control, as policy data.
//!
//! 统计法 and its 实施条例 forbid publishing what lets a single respondent be inferred, and name no numbers; these are
//! the customary ones (semantics section 8). How they are applied is in the projections.

use serde::{Deserialize, Serialize};

/// When a cell may not be published, and how fine public tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Disclosure {
    /// A cell is dominated if its largest `dominance_units` enterprises hold more than this part of it.
    pub dominance_percent: u32,
    /// How many enterprises may dominate a cell together.
    pub dominance_units: u32,
    /// The finest period of a public table.
    pub finest_period: Finest,
    /// What remains beside the two largest enterprises must be at least this part of the largest; a suppressed figure
    /// stays unknown by at least this part of itself.
    pub p_percent: u32,
    /// A cell with fewer enterprises is not published.
    pub threshold: u32,
}

/// The finest period of a public table. Every finer period that is published suppresses more: what is too small in one
/// month is suppressed for the whole year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Finest {
    /// Years only.
    Year,
    /// Years and quarters.
    Quarter,
    /// Years, quarters and months.
    Month,
}

/// The built-in parameters: never changed, because a record that leaves them out means exactly these.
impl Default for Disclosure {
    fn default() -> Disclosure {
        Disclosure {
            dominance_percent: 85,
            dominance_units: 2,
            finest_period: Finest::Year,
            p_percent: 10,
            threshold: 3,
        }
    }
}

impl Disclosure {
    /// Whether every percentage is one.
    pub const fn is_sound(&self) -> bool {
        self.dominance_percent <= 100 && self.p_percent <= 100
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(crate) fn is_built_in(&self) -> bool {
        *self == Disclosure::default()
    }
}
