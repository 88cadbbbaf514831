//! Tax that a project pays, and the part of it that can be shared (measure 5: 阶梯式税收分成).
//!
//! A receipt is reported whole; its local part and the county-retained part of that follow from the policy's rates and
//! are recorded with it. What is shared is the county-retained part less incentives. Who holds how much of it is a
//! rule of [`schedule`]. Not here: what was settled already ([`crate::settlement`]).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    amount::{FULL_BP, weighted},
    state::Project,
    time::{Date, serde_as_text},
};

pub mod explain;
pub mod schedule;

/// A kind of tax such as `vat`: 1 to 16 of a–z, 0–9 and `_`, starting with a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxKind([u8; 16]);

/// A text that is not a kind of tax.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of tax like vat")]
pub struct BadTaxKind(pub String);

impl TaxKind {
    /// The kind as text.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(16);
        std::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl FromStr for TaxKind {
    type Err = BadTaxKind;

    fn from_str(text: &str) -> Result<TaxKind, BadTaxKind> {
        let fits = (1..=16).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            return Err(BadTaxKind(text.to_owned()));
        }
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(TaxKind(bytes))
    }
}

impl fmt::Display for TaxKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TaxKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(TaxKind, String, |k| k.as_str().to_owned(), |text| text.parse().ok());

/// How one kind of tax is divided between the centre, the province and the county, from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// The county's part of the local part, basis points.
    pub county_bp: u32,
    /// First day in force; left out: always.
    #[serde(default)]
    pub from: Option<Date>,
    /// Kind of tax.
    pub kind: TaxKind,
    /// The local part of the tax, basis points.
    pub local_bp: u32,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
}

impl TaxRate {
    /// The rate of a kind on a day: the one that came into force last.
    pub fn on(rates: &[TaxRate], kind: TaxKind, day: Date) -> Option<&TaxRate> {
        let in_force = rates.iter().filter(|rate| rate.kind == kind && rate.from <= Some(day));
        in_force.max_by_key(|rate| rate.from)
    }

    /// The local part of an amount and the county-retained part of that, in fen, half up at each level.
    pub fn parts(&self, amount: i64) -> (i64, i64) {
        let local = weighted(amount, self.local_bp);
        (local, weighted(local, self.county_bp))
    }
}

/// The built-in rates. The local parts are those of the national rules in force (增值税 50:50, 国发〔2019〕21号; 所得税
/// 40 %, 国发〔2003〕26号); that counties keep 80 % of them is Zhejiang's usual rule and must be set where it differs.
pub fn built_in_rates() -> Vec<TaxRate> {
    let rate = |kind: &str, local_bp, name_zh: &str, name_en: &str| TaxRate {
        county_bp: 8_000,
        from: None,
        kind: kind.parse().unwrap_or_else(|_| unreachable!("built-in kinds are kinds")),
        local_bp,
        name_en: name_en.to_owned(),
        name_zh: name_zh.to_owned(),
    };
    vec![
        rate("vat", 5_000, "增值税", "Value-added tax"),
        rate("cit", 4_000, "企业所得税", "Corporate income tax"),
        rate("iit", 4_000, "个人所得税", "Individual income tax"),
        rate("local", FULL_BP, "地方税种", "Local taxes"),
    ]
}

/// One receipt or refund as on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxEntry {
    /// The day it was paid or refunded.
    pub date: Date,
    /// The whole amount in fen; negative: a refund.
    pub amount: i64,
    /// County-retained part in fen.
    pub county: i64,
    /// Incentives granted with it in fen; negative: clawed back.
    pub incentives: i64,
    /// Number of the payment voucher (完税凭证).
    pub voucher: Option<String>,
    /// Position of the record.
    pub position: u64,
}

/// Which entries a computation looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Tax paid on or before this day.
    pub paid: Date,
    /// Refunds made on or before this day.
    pub refunded: Date,
    /// Entries recorded before this position.
    pub before: u64,
}

impl Cut {
    /// Everything on record that happened by `day`.
    pub fn until(day: Date) -> Cut {
        Cut { paid: day, refunded: day, before: u64::MAX }
    }
}

/// One payment of tax of one kind, with what was refunded of it: the smallest unit of sharing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The day it was paid.
    pub date: Date,
    /// Kind of tax.
    pub kind: TaxKind,
    /// Its number among those of its day and kind, in the order of their records, from 0.
    pub number: u32,
    /// County-retained part in fen, refunds taken off.
    pub county: i64,
    /// What of the county-retained part was refunded, in fen: 0 or less.
    pub refunded: i64,
    /// Incentives in fen.
    pub incentives: i64,
    /// Shareable base in fen: the county-retained part less incentives and the deficit carried forward, not below 0.
    pub base: i64,
    /// Deficit carried forward from here in fen.
    pub deficit: i64,
    /// Positions of the records behind it.
    pub positions: Vec<u64>,
}

/// Incentives beyond the county's part are a deficit that later receipts of the same county have to make up first
/// (semantics section 5). Returns base and deficit carried forward.
pub fn shareable(county: i64, incentives: i64, deficit: i64) -> (i64, i64) {
    let left = county.saturating_sub(incentives).saturating_sub(deficit);
    (left.max(0), left.saturating_neg().max(0))
}

/// The receipts of a project in the order of their days, with their bases. A refund names a day and a kind: it is taken off
/// the receipts there in the order of their records, and so are incentives and the deficit carried forward.
pub fn receipts(project: &Project, cut: &Cut) -> Vec<Receipt> {
    let mut deficits = std::collections::BTreeMap::new();
    let mut receipts = Vec::new();
    for ((date, kind), entries) in project.taxes.iter().take_while(|((date, _), _)| *date <= cut.paid) {
        let seen: Vec<&TaxEntry> = entries
            .iter()
            .filter(|e| e.position < cut.before && (e.amount >= 0 || e.date <= cut.refunded))
            .collect();
        if seen.is_empty() {
            continue;
        }
        let sum = |of: fn(&TaxEntry) -> i64| seen.iter().map(|e| of(e)).fold(0, i64::saturating_add);
        let carried = deficits.entry(project.stood(*date)).or_insert(0);
        let mut granted = sum(|e| e.incentives);
        // What comes off the receipts of the day before anything is shared.
        let mut off = granted.saturating_add(*carried);
        let mut refunded = seen.iter().map(|e| e.county.min(0)).fold(0, i64::saturating_add);
        let refunds = seen.iter().filter(|e| e.amount < 0).map(|e| e.position);
        let refunds: Vec<u64> = refunds.collect();
        let paid: Vec<&&TaxEntry> = seen.iter().filter(|e| e.amount >= 0).collect();
        let last = paid.len().saturating_sub(1);
        for (place, entry) in paid.iter().enumerate() {
            let back = refunded.max(entry.county.saturating_neg());
            refunded -= back;
            let county = entry.county.saturating_add(back);
            let (base, deficit) = shareable(county, off, 0);
            let incentives = if place == last { granted } else { entry.incentives };
            granted = granted.saturating_sub(incentives);
            off = deficit;
            let positions = std::iter::once(entry.position).chain(refunds.iter().copied()).collect();
            let number = u32::try_from(place).unwrap_or(u32::MAX);
            receipts.push(Receipt {
                date: *date,
                kind: *kind,
                number,
                county,
                refunded: back,
                incentives,
                base,
                deficit,
                positions,
            });
        }
        *carried = off.max(0);
    }
    receipts
}

/// The first day on or after `from` on which the project paid tax that was not refunded in full: what the trigger
/// `first_tax` waits for.
pub fn first_tax(project: &Project, from: Date) -> Option<Date> {
    project.tax_days().filter(|day| *day >= from).min()
}

/// The days of a project's own tax that was not refunded in full.
pub(crate) fn paid_days(project: &Project) -> impl Iterator<Item = Date> {
    let paid = |entries: &Vec<TaxEntry>| entries.iter().map(|e| e.amount).fold(0, i64::saturating_add) > 0;
    project.taxes.iter().filter(move |(_, entries)| paid(entries)).map(|((date, _), _)| *date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `oracle/tax_share_cases.json`, `shareable_base`.
    #[test]
    fn golden_bases() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../tests/golden/tax_share_cases.json")).unwrap();
        for case in cases["shareable_base"].as_array().unwrap() {
            let number = |value: &serde_json::Value| value.as_i64().unwrap();
            let bp = |name: &str| u32::try_from(number(&case[name])).unwrap();
            let rate = TaxRate {
                local_bp: bp("local_bp"),
                county_bp: bp("county_bp"),
                ..built_in_rates().remove(0)
            };
            let (local, county) = rate.parts(number(&case["total"]));
            let (base, deficit) = shareable(county, number(&case["rebate"]), 0);
            let expected = &case["expected"];
            let told =
                ["local", "county", "shareable", "carry_forward_deficit"].map(|n| number(&expected[n]));
            assert_eq!([local, county, base, deficit], told, "{case}");
        }
    }

    #[test]
    fn the_latest_rate_in_force_counts() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let vat: TaxKind = "vat".parse().unwrap();
        let mut rates = built_in_rates();
        rates.push(TaxRate { from: Some(day("2027-01-01")), local_bp: 6_000, ..rates[0].clone() });
        assert_eq!(TaxRate::on(&rates, vat, day("2026-12-31")).unwrap().local_bp, 5_000);
        assert_eq!(TaxRate::on(&rates, vat, day("2027-01-01")).unwrap().local_bp, 6_000);
        assert_eq!(TaxRate::on(&rates, "land".parse().unwrap(), day("2027-01-01")), None);
    }

    #[test]
    fn kinds_have_one_spelling() {
        for bad in ["VAT", "", "1vat", "a-b", "abcdefghijklmnopq", "增值税"] {
            assert!(bad.parse::<TaxKind>().is_err(), "{bad}");
        }
        assert_eq!("abcdefghijklmnop".parse::<TaxKind>().unwrap().to_string(), "abcdefghijklmnop");
    }
}
