//! Two limits of the measures' supports, as rules: who grants and books a support is not decided here.
//!
//! Source: 浙江《关于支持传统产业内生裂变培育发展新质生产力的若干举措》, export credit insurance (at least 60 % of the
//! premium, at most CNY 5,000,000 an enterprise and year) and the five years of transition for land.

use crate::{
    amount::{Money, weighted},
    time::Date,
};

/// The most that one enterprise gets for export credit insurance in a year: CNY 5,000,000.
pub const PREMIUM_SUBSIDY_CAP: Money = Money::from_fen(500_000_000);

/// Months of transition in which land keeps its kind of use and its holder.
pub const LAND_TRANSITION_MONTHS: u32 = 60;

/// What an enterprise gets for premiums that no subsidy was paid for yet, at a rate in basis points: their sum times the
/// rate, to the fen, half away from zero; at most what the year's cap leaves after `already_paid`. Never negative.
pub fn premium_subsidy(premiums: &[Money], rate_bp: u32, already_paid: Money) -> Money {
    let sum = premiums.iter().map(|premium| premium.fen()).fold(0, i64::saturating_add);
    let left = PREMIUM_SUBSIDY_CAP.fen().saturating_sub(already_paid.fen());
    Money::from_fen(weighted(sum, rate_bp).min(left).max(0))
}

/// The first day after the transition: it runs `[start, start + 60 months)`, to the month's last day where there is none of
/// that number.
pub fn land_transition_end(start: Date) -> Date {
    start.add_months(LAND_TRANSITION_MONTHS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(name: &str) -> Vec<serde_json::Value> {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../tests/golden/tax_share_cases.json")).unwrap();
        all[name].as_array().unwrap().clone()
    }

    /// `oracle/tax_share_cases.json`, `export_credit_subsidy`.
    #[test]
    fn golden_premium_subsidies() {
        for case in cases("export_credit_subsidy") {
            let money = |value: &serde_json::Value| Money::from_fen(value.as_i64().unwrap());
            let premiums: Vec<Money> = case["premiums"].as_array().unwrap().iter().map(money).collect();
            let rate = u32::try_from(case["rate_bp"].as_u64().unwrap()).unwrap();
            let due = premium_subsidy(&premiums, rate, money(&case["already_paid"]));
            assert_eq!(due, money(&case["expected"]), "{case}");
        }
    }

    /// `oracle/tax_share_cases.json`, `land_transition`.
    #[test]
    fn golden_land_transitions() {
        for case in cases("land_transition") {
            let day = |name: &str| case[name].as_str().unwrap().parse::<Date>().unwrap();
            assert_eq!(land_transition_end(day("start")), day("expected_last_day_exclusive"), "{case}");
        }
    }
}
