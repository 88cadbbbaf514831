//! Policy: the parameters the regions agreed on, adopted by event and versioned.
//!
//! Every default is one that `semantics` names; a later policy never changes what was accepted under an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    amount::{FULL_BP, Money},
    disclosure::Disclosure,
    indicator::{Class, Count, Indicator, IndicatorCode, Kind, Unit},
    region::{Border, RegionCode},
    tax::{TaxRate, built_in_rates},
    terms::{Credits, MultiHop, TaxTerms, Terms, Trigger},
    time::Date,
};

/// Which counties are 周边 of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TierRule {
    /// Kinds of border that make two counties neighbours.
    pub borders: Vec<Border>,
    /// Whether two counties of one prefecture-level city are neighbours without a border.
    pub same_prefecture: bool,
}

impl Default for TierRule {
    fn default() -> TierRule {
        let borders = vec![Border::Land, Border::Water, Border::Sea, Border::LandXprov];
        TierRule { borders, same_prefecture: true }
    }
}

/// Who makes a claim count (认定).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClaimConfirmation {
    /// The destination's acceptance confirms it.
    #[default]
    Acceptance,
    /// It is pending until the lowest common superior confirms it.
    Superior,
}

/// Public holidays and make-up working days (国务院办公厅 holiday notices).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// Days off, inclusive ranges.
    pub holidays: Vec<DayRange>,
    /// Weekend days on which work is made up.
    pub makeup_workdays: BTreeSet<Date>,
}

/// Days from `from` to `to`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DayRange {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Calendar {
    /// Whether offices work on this day.
    pub fn is_workday(&self, day: Date) -> bool {
        let off = self.holidays.iter().any(|range| range.from <= day && day <= range.to);
        self.makeup_workdays.contains(&day) || !(off || day.is_weekend())
    }

    /// Whether no holidays of a day's year, or of any later one, are on record: only weekends were days off in a limit that
    /// ends there.
    pub fn is_beyond(&self, day: Date) -> bool {
        self.holidays.iter().all(|range| range.to.year() < day.year())
    }

    /// The last day of a limit of `days` working days that starts the day after `from`.
    pub fn add_workdays(&self, from: Date, days: u32) -> Date {
        let mut day = from;
        let mut left = days;
        while left > 0 && day < day.tomorrow() {
            day = day.tomorrow();
            left -= u32::from(self.is_workday(day));
        }
        day
    }
}

/// A zone: its own object with a host county, not a level of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The county it lies in.
    pub host: RegionCode,
    /// Industries it prefers (GB/T 4754 prefixes such as `C34`); empty: any.
    #[serde(default)]
    pub industries: Vec<String>,
    /// Kind, for example 未来产业先导区.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// A dated list of counties, such as the mountain and island counties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CountyList {
    /// Members.
    pub counties: BTreeSet<RegionCode>,
    /// First day in force.
    #[serde(default)]
    pub from: Option<Date>,
    /// Name, for example 山区海岛县.
    pub name: String,
    /// Last day in force.
    #[serde(default)]
    pub to: Option<Date>,
}

/// What a county says it can still take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Energy quota is available.
    #[serde(default)]
    pub energy: bool,
    /// Industrial land is available.
    #[serde(default)]
    pub land: bool,
    /// The county.
    pub region: RegionCode,
}

/// How destinations are ranked: points per reason (semantics section 2, "Finding a destination").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Suggest {
    /// Points for a shared border.
    pub adjacent_points: u32,
    /// Stated capacities.
    pub capacities: Vec<Capacity>,
    /// Points for stated energy capacity.
    pub energy_points: u32,
    /// Points for stated land capacity.
    pub land_points: u32,
    /// Points for a county on a preferred list.
    pub list_points: u32,
    /// Preferred lists of counties.
    pub lists: Vec<CountyList>,
    /// Points for hosting a zone that prefers the project's industry.
    pub zone_points: u32,
    /// Zones.
    pub zones: Vec<Zone>,
}

impl Default for Suggest {
    fn default() -> Suggest {
        Suggest {
            adjacent_points: 20,
            capacities: Vec::new(),
            energy_points: 10,
            land_points: 15,
            list_points: 25,
            lists: Vec::new(),
            zone_points: 30,
            zones: Vec::new(),
        }
    }
}

/// All parameters in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// A command may be signed at most this many seconds before it is recorded.
    pub at_max_age_seconds: u32,
    /// A signer's clock may be at most this many seconds ahead.
    pub at_max_lead_seconds: u32,
    /// Working days, public holidays.
    pub calendar: Calendar,
    /// Who confirms claims.
    pub claim_confirmation: ClaimConfirmation,
    /// Weights and windows where the terms are silent.
    pub default_credits: Credits,
    /// Tax schedule where the terms are silent.
    pub default_tax: Option<TaxTerms>,
    /// What public tables may show. Left out in a record: the built-in parameters.
    #[serde(skip_serializing_if = "Disclosure::is_built_in")]
    pub disclosure: Disclosure,
    /// Working days for the answer to a dispute; 0: no limit.
    pub dispute_answer_workdays: u32,
    /// Working days for an appeal; 0: a ruling is final at once.
    pub dispute_appeal_workdays: u32,
    /// Working days for a ruling before the dispute goes to the next level; 0: no limit.
    pub dispute_ruling_workdays: u32,
    /// Whether exhausting a tier needs evidence.
    pub exhaustion_needs_evidence: bool,
    /// The catalogue.
    pub indicators: Vec<Indicator>,
    /// Published delay before a recovered key takes effect.
    pub key_recovery_delay_hours: u32,
    /// From this planned investment on a project counts as large (2027 target: CNY 1bn).
    pub large_project: Money,
    /// Days after a rotation of the log's key during which checkpoints carry the old key's signature as well.
    pub log_key_window_days: u32,
    /// The multi-hop rule of proposals to come.
    pub multi_hop: MultiHop,
    /// Working days after which an unanswered proposal expires; 0: never.
    pub proposal_expires_workdays: u32,
    /// Working days after which a run may be finalised although a region has not confirmed its statement; 0: never.
    #[serde(skip_serializing_if = "is_usual_limit")]
    pub statement_confirm_workdays: u32,
    /// How destinations are ranked.
    pub suggest: Suggest,
    /// How taxes are divided between centre, province and county. Left out in a record: the built-in ones.
    #[serde(skip_serializing_if = "are_built_in_rates")]
    pub tax_rates: Vec<TaxRate>,
    /// Tax schedules that a proposal can name. Left out in a record: the built-in ones.
    #[serde(skip_serializing_if = "are_built_in_templates")]
    pub tax_templates: BTreeMap<String, TaxTerms>,
    /// Shortest time in working days that a tier stays open; 0: none.
    pub tier_min_open_workdays: u32,
    /// Which counties are neighbours.
    pub tier_rule: TierRule,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            at_max_age_seconds: 7 * 86_400,
            at_max_lead_seconds: 300,
            calendar: Calendar::default(),
            claim_confirmation: ClaimConfirmation::Acceptance,
            default_credits: Credits::default(),
            default_tax: None,
            disclosure: Disclosure::default(),
            dispute_answer_workdays: 10,
            dispute_appeal_workdays: 10,
            dispute_ruling_workdays: 30,
            exhaustion_needs_evidence: false,
            indicators: built_in_indicators(),
            key_recovery_delay_hours: 72,
            large_project: Money::from_fen(100_000_000_000),
            log_key_window_days: 30,
            multi_hop: MultiHop::Chain,
            proposal_expires_workdays: 60,
            statement_confirm_workdays: CONFIRM_WORKDAYS,
            suggest: Suggest::default(),
            tax_rates: built_in_rates(),
            tax_templates: built_in_templates(),
            tier_min_open_workdays: 0,
            tier_rule: TierRule::default(),
        }
    }
}

impl Policy {
    /// The terms a proposal without any gets.
    pub fn default_terms(&self) -> Terms {
        Terms { credits: self.default_credits, multi_hop: self.multi_hop, tax: self.default_tax.clone() }
    }

    /// The first thing in the policy that cannot be used: a field and what is wrong with it.
    pub fn defect(&self) -> Option<&'static str> {
        if let Some(field) = self.default_terms().out_of_range() {
            return Some(field);
        }
        let over = |rate: &TaxRate| rate.local_bp > FULL_BP || rate.county_bp > FULL_BP;
        if self.tax_rates.iter().any(over) {
            return Some("tax_rates: more than 100 %");
        }
        let rates: BTreeSet<_> = self.tax_rates.iter().map(|rate| (rate.kind, rate.from)).collect();
        if rates.len() != self.tax_rates.len() {
            return Some("tax_rates: two rates of one kind begin on one day");
        }
        let usable = |terms: &TaxTerms| terms.is_sound() && terms.template.is_none();
        if !self.tax_templates.values().all(usable) {
            return Some(
                "tax_templates: shares above 100 %, steps out of order, or a template in a template",
            );
        }
        if self.default_tax.as_ref().is_some_and(|tax| tax.template.is_some()) {
            return Some("default_tax: state the schedule, not a template");
        }
        if !self.disclosure.is_sound() {
            return Some("disclosure: more than 100 %");
        }
        let mut codes = BTreeSet::new();
        for indicator in &self.indicators {
            if !codes.insert(indicator.code) {
                return Some("indicators: a code appears twice");
            }
            let find = |code: Option<IndicatorCode>| {
                let of_kind = |i: &&Indicator| matches!(i.kind, Kind::Flow | Kind::Stock);
                self.indicators.iter().find(|i| Some(i.code) == code).filter(of_kind)
            };
            let ok = match indicator.kind {
                Kind::Flow | Kind::Stock => matches!(indicator.unit, Unit::Cny | Unit::Persons),
                Kind::Count => indicator.count.is_some() && indicator.unit == Unit::Projects,
                Kind::Ratio => {
                    find(indicator.numerator).is_some()
                        && find(indicator.denominator).is_some()
                        && indicator.unit == Unit::Quotient
                }
            };
            if !ok {
                return Some("indicators: kind, unit, count, numerator and denominator do not fit together");
            }
        }
        None
    }
}

/// Working days in which a statement is to be confirmed, unless the policy says otherwise.
const CONFIRM_WORKDAYS: u32 = 20;

// What is built in never changes: a record that leaves these out means exactly these.

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_usual_limit(days: &u32) -> bool {
    *days == CONFIRM_WORKDAYS
}

#[allow(clippy::ptr_arg, reason = "serde asks for a reference")]
fn are_built_in_rates(rates: &Vec<TaxRate>) -> bool {
    *rates == built_in_rates()
}

fn are_built_in_templates(templates: &BTreeMap<String, TaxTerms>) -> bool {
    *templates == built_in_templates()
}

/// Schedules of published rules, as a proposal can name them. Sources and readings: `docs/RULES.md`.
pub fn built_in_templates() -> BTreeMap<String, TaxTerms> {
    let kinds = || ["vat", "cit"].iter().filter_map(|kind| kind.parse().ok()).collect();
    let jingjinji = TaxTerms {
        extension_years_bp: vec![5_000; 2],
        kinds: kinds(),
        production_years_bp: vec![5_000; 3],
        ..TaxTerms::default()
    };
    let ningde = TaxTerms {
        production_years_bp: vec![5_000; 5],
        years_from: Trigger::FirstTax,
        ..TaxTerms::default()
    };
    let kunming = TaxTerms { production_years_bp: vec![5_000; 5], ..TaxTerms::default() };
    let zibo = TaxTerms { production_years_bp: vec![6_000; 20], ..TaxTerms::default() };
    [("jingjinji_2015", jingjinji), ("kunming_2022", kunming), ("ningde_2017", ningde), ("zibo_2022", zibo)]
        .into_iter()
        .map(|(name, terms)| (name.to_owned(), terms))
        .collect()
}

/// The built-in catalogue.
pub fn built_in_indicators() -> Vec<Indicator> {
    use Class::{Attraction, Investment, Research, ValueAdded};
    let entry = |code: &str, class, kind, unit, count, name_zh: &str, name_en: &str| Indicator {
        class,
        code: code.parse().unwrap_or_else(|_| unreachable!("built-in codes are codes")),
        count,
        denominator: None,
        kind,
        name_en: name_en.to_owned(),
        name_zh: name_zh.to_owned(),
        numerator: None,
        unit,
    };
    let flow =
        |code, class, name_zh, name_en| entry(code, class, Kind::Flow, Unit::Cny, None, name_zh, name_en);
    let count = |code, count, name_zh, name_en| {
        entry(code, Attraction, Kind::Count, Unit::Projects, Some(count), name_zh, name_en)
    };
    vec![
        flow("INV_FAI", Investment, "固定资产投资", "Fixed-asset investment"),
        flow("INV_TECH", Investment, "技改投资", "Technical-renovation investment"),
        flow("VA_IND", ValueAdded, "工业增加值", "Industrial value added"),
        flow("OUTPUT", ValueAdded, "总产值", "Gross output"),
        flow("RD_EXP", Research, "研发经费", "R&D expenditure"),
        flow("ZS_FUND", Attraction, "到位资金", "Attracted funds in place"),
        flow("ZS_FDI", Attraction, "实际使用外资", "Foreign investment actually used"),
        count("N_PRJ", Count::Projects, "项目数", "Projects"),
        count("N_PRJ_1BN", Count::LargeProjects, "十亿元以上项目数", "Projects of CNY 1bn or more"),
        count(
            "N_PRJ_1BN_IMPL",
            Count::LargeProjectsImplemented,
            "当年实施十亿元以上项目数",
            "Projects of CNY 1bn or more implemented",
        ),
        entry("EMP", ValueAdded, Kind::Stock, Unit::Persons, None, "从业人员", "Persons employed"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_working_days() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        // 国办发明电〔2025〕7号: 1–3 January 2026 off, Sunday 4 January worked.
        let calendar = Calendar {
            holidays: vec![DayRange { from: day("2026-01-01"), to: day("2026-01-03") }],
            makeup_workdays: BTreeSet::from([day("2026-01-04")]),
        };
        assert_eq!(calendar.add_workdays(day("2025-12-31"), 1), day("2026-01-04"));
        assert!(!calendar.is_beyond(day("2026-12-31")) && calendar.is_beyond(day("2027-01-01")));
        assert_eq!(calendar.add_workdays(day("2025-12-31"), 6), day("2026-01-09"));
        assert_eq!(calendar.add_workdays(day("2025-12-31"), 0), day("2025-12-31"));
    }

    #[test]
    fn the_default_policy_is_usable() {
        assert_eq!(Policy::default().defect(), None);
    }
}
