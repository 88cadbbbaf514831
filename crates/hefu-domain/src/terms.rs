//! Terms: what origin and destination agree for one transfer (measure 5).

use serde::{Deserialize, Serialize};

use crate::{amount::FULL_BP, indicator::Class, region::RegionCode};

/// What starts the window of a claim (semantics R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The transfer's effective date.
    #[default]
    Landing,
    /// The first construction start on or after the landing.
    ConstructionStart,
    /// The first production start on or after the landing.
    ProductionStart,
    /// The first tax receipt on or after the landing.
    FirstTax,
}

/// Weights and window for one class of indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// The destination's weight in basis points while the claim is live; 100 % otherwise.
    #[serde(default = "full")]
    pub destination_bp: u32,
    /// Length of the window in months, half-open from the trigger.
    #[serde(default = "sixty")]
    pub months: u32,
    /// The origin's weight in basis points.
    #[serde(default = "full")]
    pub origin_bp: u32,
    /// What starts the window.
    #[serde(default)]
    pub trigger: Trigger,
}

const fn full() -> u32 {
    FULL_BP
}

const fn sixty() -> u32 {
    60
}

impl Default for Credit {
    /// 100/100 for 60 months from the landing (semantics R2).
    fn default() -> Credit {
        Credit { destination_bp: FULL_BP, months: 60, origin_bp: FULL_BP, trigger: Trigger::Landing }
    }
}

/// Credits for all four classes. A class left out takes the policy's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credits {
    /// 招商类.
    #[serde(default)]
    pub attraction: Credit,
    /// 投资类.
    #[serde(default)]
    pub investment: Credit,
    /// 研发类.
    #[serde(default)]
    pub research: Credit,
    /// 增值类.
    #[serde(default)]
    pub value_added: Credit,
}

impl Credits {
    /// The credit of one class.
    pub const fn of(&self, class: Class) -> &Credit {
        match class {
            Class::Investment => &self.investment,
            Class::ValueAdded => &self.value_added,
            Class::Research => &self.research,
            Class::Attraction => &self.attraction,
        }
    }
}

/// What happens to the claims of earlier origins when a project moves again (semantics R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MultiHop {
    /// Every origin keeps its claim for its own window.
    #[default]
    Chain,
    /// Only the latest origin holds a claim.
    LastHop,
}

/// When tax shares are computed (semantics section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaxUnit {
    /// Once per phase and year.
    #[default]
    PhaseYear,
    /// On each receipt.
    Receipt,
}

/// The origin's stepped share of tax by phase (measure 5: 阶梯式税收分成), in basis points.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TaxTerms {
    /// Share during construction.
    #[serde(default)]
    pub construction_bp: u32,
    /// Share in production year 1, 2, …; none afterwards.
    #[serde(default)]
    pub production_years_bp: Vec<u32>,
    /// When shares are computed.
    #[serde(default)]
    pub unit: TaxUnit,
}

/// The terms in full, as recorded with a proposal: nothing in them depends on a later policy.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Weights and windows.
    pub credits: Credits,
    /// The multi-hop rule.
    pub multi_hop: MultiHop,
    /// Tax schedule, if one was agreed.
    pub tax: Option<TaxTerms>,
}

/// Terms as a command states them: whatever is missing takes the policy's default.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposedTerms {
    /// Who rules on disputes across provinces, if not the national root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter: Option<RegionCode>,
    /// Weights and windows by class.
    #[serde(default)]
    pub credits: ProposedCredits,
    /// The multi-hop rule, if it is to differ from the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_hop: Option<MultiHop>,
    /// Tax schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxTerms>,
}

/// Credits as a command states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposedCredits {
    /// 招商类.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attraction: Option<ProposedCredit>,
    /// 投资类.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub investment: Option<ProposedCredit>,
    /// 研发类.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub research: Option<ProposedCredit>,
    /// 增值类.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_added: Option<ProposedCredit>,
}

/// Weights and window for one class as a command states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposedCredit {
    /// The destination's weight in basis points while the claim is live; 100 % otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_bp: Option<u32>,
    /// Length of the window in months, half-open from the trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// The origin's weight in basis points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_bp: Option<u32>,
    /// What starts the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
}

impl ProposedCredit {
    /// Fills what is missing from the policy's default for the class.
    fn resolve(self, default: Credit) -> Credit {
        Credit {
            destination_bp: self.destination_bp.unwrap_or(default.destination_bp),
            months: self.months.unwrap_or(default.months),
            origin_bp: self.origin_bp.unwrap_or(default.origin_bp),
            trigger: self.trigger.unwrap_or(default.trigger),
        }
    }
}

impl ProposedTerms {
    /// Fills what is missing from the policy in force.
    pub fn resolve(&self, defaults: &Terms) -> Terms {
        let ProposedCredits { attraction, investment, research, value_added } = self.credits;
        let credits = &defaults.credits;
        Terms {
            credits: Credits {
                attraction: attraction.unwrap_or_default().resolve(credits.attraction),
                investment: investment.unwrap_or_default().resolve(credits.investment),
                research: research.unwrap_or_default().resolve(credits.research),
                value_added: value_added.unwrap_or_default().resolve(credits.value_added),
            },
            multi_hop: self.multi_hop.unwrap_or(defaults.multi_hop),
            tax: self.tax.clone().or_else(|| defaults.tax.clone()),
        }
    }
}

impl Terms {
    /// The first field that holds more than 100 %, or a window of more than 100 years.
    pub fn out_of_range(&self) -> Option<&'static str> {
        let Credits { attraction, investment, research, value_added } = self.credits;
        let credits = [attraction, investment, research, value_added];
        let years = self.tax.iter().flat_map(|tax| &tax.production_years_bp);
        let mut shares = self.tax.iter().map(|tax| &tax.construction_bp).chain(years);
        if credits.iter().any(|c| c.origin_bp > FULL_BP) {
            Some("origin_bp")
        } else if credits.iter().any(|c| c.destination_bp > FULL_BP) {
            Some("destination_bp")
        } else if credits.iter().any(|c| c.months > 1200) {
            Some("months")
        } else if shares.any(|bp| *bp > FULL_BP) {
            Some("tax")
        } else {
            None
        }
    }
}
