//! Terms: what origin and destination agree for one transfer (measure 5).

use serde::{Deserialize, Serialize};

use crate::{
    amount::{FULL_BP, Money},
    indicator::Class,
    region::RegionCode,
    tax::{TaxKind, schedule::Phase},
};

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

/// A marginal step: the part of a phase's base up to `up_to` counts with this weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// How much of the share this part of the base gives, basis points.
    pub scale_bp: u32,
    /// End of the step, in yuan of the phase's base; left out: the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Money>,
}

/// A further party that holds a share: the common superior, or the county that hosts a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OtherShare {
    /// Share during construction.
    #[serde(default)]
    pub construction_bp: u32,
    /// Share in production year 1, 2, …; none afterwards.
    #[serde(default)]
    pub production_years_bp: Vec<u32>,
    /// Who holds it.
    pub region: RegionCode,
}

impl OtherShare {
    /// Its basis points in a phase.
    pub fn bp(&self, phase: Phase) -> u32 {
        match phase {
            Phase::Before | Phase::After => 0,
            Phase::Construction(_) => self.construction_bp,
            Phase::Year(year) => of_year(&self.production_years_bp, year),
        }
    }
}

/// The origin's stepped share of tax by phase (measure 5: 阶梯式税收分成), in basis points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TaxTerms {
    /// Marginal steps that scale the origin's share, by the base of one phase; none: the whole base in full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<Bracket>,
    /// The most the origin gets in all, in yuan (for example the taxes of the three years before the move).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// Share during construction.
    #[serde(default)]
    pub construction_bp: u32,
    /// Share in the years after the last production year, while the cap is not reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extension_years_bp: Vec<u32>,
    /// The kinds of tax that are shared; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<TaxKind>,
    /// Further parties beside origin and host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherShare>,
    /// What the origin has laid out, in yuan: repaid first, from the whole base, before anything is shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlay: Option<Money>,
    /// Share in production year 1, 2, …; none afterwards.
    #[serde(default)]
    pub production_years_bp: Vec<u32>,
    /// The policy's template these terms are made from. Beside it only cap, outlay and others may be stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// When shares are computed.
    #[serde(default)]
    pub unit: TaxUnit,
    /// What production year 1 starts with.
    #[serde(default = "production_start", skip_serializing_if = "is_production_start")]
    pub years_from: Trigger,
}

impl Default for TaxTerms {
    /// Shares nothing.
    fn default() -> TaxTerms {
        TaxTerms {
            brackets: Vec::new(),
            cap: None,
            construction_bp: 0,
            extension_years_bp: Vec::new(),
            kinds: Vec::new(),
            others: Vec::new(),
            outlay: None,
            production_years_bp: Vec::new(),
            template: None,
            unit: TaxUnit::PhaseYear,
            years_from: Trigger::ProductionStart,
        }
    }
}

const fn production_start() -> Trigger {
    Trigger::ProductionStart
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_production_start(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::ProductionStart)
}

fn of_year(years: &[u32], year: u16) -> u32 {
    usize::from(year).checked_sub(1).and_then(|place| years.get(place)).copied().unwrap_or(0)
}

impl TaxTerms {
    /// Number of years the schedule can last.
    pub fn years(&self) -> usize {
        self.production_years_bp.len() + self.extension_years_bp.len()
    }

    /// The origin's basis points in a phase. Extension years give nothing once the cap is reached.
    pub fn origin_bp(&self, phase: Phase, capped: bool) -> u32 {
        match phase {
            Phase::Before | Phase::After => 0,
            Phase::Construction(_) => self.construction_bp,
            Phase::Year(year) => {
                let regular = u16::try_from(self.production_years_bp.len()).unwrap_or(u16::MAX);
                match year.checked_sub(regular) {
                    Some(extension) if extension > 0 && capped => 0,
                    Some(extension) if extension > 0 => of_year(&self.extension_years_bp, extension),
                    Some(_) | None => of_year(&self.production_years_bp, year),
                }
            }
        }
    }

    /// `amount` of a phase's base that already stands at `from`, in fen, scaled by the brackets in basis points.
    pub fn scaled(&self, from: i128, amount: i128) -> i128 {
        if self.brackets.is_empty() {
            return amount * i128::from(FULL_BP);
        }
        let (mut start, mut sum) = (0, 0);
        for bracket in &self.brackets {
            let end = bracket.up_to.map_or(i128::MAX, |money| i128::from(money.fen()));
            let inside = (from + amount).min(end) - from.max(start);
            sum += inside.max(0) * i128::from(bracket.scale_bp);
            start = end;
        }
        sum
    }

    /// Whether every number is in range and the parties of no phase hold more than the whole.
    pub fn is_sound(&self) -> bool {
        let years = self.production_years_bp.iter().chain(&self.extension_years_bp);
        let longest = self.others.iter().map(|other| other.production_years_bp.len()).max().unwrap_or(0);
        let phases =
            (1..=self.years().max(longest)).map(|year| Phase::Year(u16::try_from(year).unwrap_or(0)));
        let fits = |phase: Phase| {
            let others = self.others.iter().map(|other| u64::from(other.bp(phase)));
            u64::from(self.origin_bp(phase, false)) + others.sum::<u64>() <= u64::from(FULL_BP)
        };
        let ends: Vec<Option<Money>> = self.brackets.iter().map(|bracket| bracket.up_to).collect();
        let rising =
            ends.windows(2).all(|pair| pair[0].is_some() && (pair[1].is_none() || pair[0] < pair[1]));
        let positive = |money: Option<Money>| money.is_none_or(|money| money > Money::default());
        let mut regions: Vec<RegionCode> = self.others.iter().map(|other| other.region).collect();
        regions.sort_unstable();
        years.chain([&self.construction_bp]).all(|bp| *bp <= FULL_BP)
            && self.years().max(longest) <= 100
            && phases.chain([Phase::Construction(0)]).all(fits)
            && self.brackets.iter().all(|bracket| bracket.scale_bp <= FULL_BP)
            && rising
            && ends.iter().all(|end| positive(*end))
            && positive(self.cap)
            && positive(self.outlay)
            && regions.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// The template with what is stated beside it; `None` if more than cap, outlay and others is.
    pub fn from_template(&self, template: &TaxTerms) -> Option<TaxTerms> {
        let TaxTerms { cap, others, outlay, template: name, .. } = self.clone();
        let only =
            TaxTerms { cap, others: others.clone(), outlay, template: name.clone(), ..TaxTerms::default() };
        (*self == only).then(|| TaxTerms {
            cap: cap.or(template.cap),
            others: if others.is_empty() { template.others.clone() } else { others },
            outlay: outlay.or(template.outlay),
            template: name,
            ..template.clone()
        })
    }
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
    #[serde(default, with = "crate::as_json")]
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
        if credits.iter().any(|c| c.origin_bp > FULL_BP) {
            Some("origin_bp")
        } else if credits.iter().any(|c| c.destination_bp > FULL_BP) {
            Some("destination_bp")
        } else if credits.iter().any(|c| c.months > 1200) {
            Some("months")
        } else if self.tax.as_ref().is_some_and(|tax| !tax.is_sound()) {
            Some("tax")
        } else if self.tax.as_ref().is_some_and(|tax| !tax.extension_years_bp.is_empty() && tax.cap.is_none())
        {
            Some("tax.cap")
        } else {
            None
        }
    }
}
