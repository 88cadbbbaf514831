//! Is a cell sensitive? Threshold, dominance (n,k) and the p %-rule, on what each enterprise contributes.
//!
//! A contribution counts by its size, whatever its sign. A cell to which nobody contributes is safe.

use hefu_domain::{disclosure::Disclosure, indicator::Kind};

/// Why a cell is sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Fewer enterprises than the threshold.
    Few,
    /// One enterprise dominates.
    One,
    /// Two enterprises dominate.
    Two,
    /// The largest can be estimated too closely by the second (p %-rule), or more than two dominate.
    Concentrated,
}

impl Reason {
    /// Its letter of SDMX's `CONF_STATUS`.
    pub const fn letter(self) -> &'static str {
        match self {
            Reason::Few => "A",
            Reason::One => "O",
            Reason::Two => "T",
            Reason::Concentrated => "M",
        }
    }
}

/// Why a cell with these contributions, one for each enterprise, is sensitive; empty if it is not. A count has no sizes
/// that could dominate: only the threshold applies to it.
pub fn of(rules: &Disclosure, kind: Kind, contributions: impl Iterator<Item = i128>) -> Vec<Reason> {
    let mut sizes: Vec<u128> = contributions.map(i128::unsigned_abs).collect();
    let mut reasons = Vec::new();
    if !sizes.is_empty() && sizes.len() < rules.threshold as usize {
        reasons.push(Reason::Few);
    }
    if kind == Kind::Count {
        return reasons;
    }
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let total: u128 = sizes.iter().sum();
    let dominant = (1..=rules.dominance_units as usize).find(|units| {
        let largest: u128 = sizes.iter().take(*units).sum();
        100 * largest > u128::from(rules.dominance_percent) * total
    });
    reasons.extend(dominant.map(|units| match units {
        1 => Reason::One,
        2 => Reason::Two,
        _ => Reason::Concentrated,
    }));
    let first = sizes.first().copied().unwrap_or(0);
    let second = sizes.get(1).copied().unwrap_or(0);
    let rest = total - first - second;
    if 100 * rest < u128::from(rules.p_percent) * first && !reasons.contains(&Reason::Concentrated) {
        reasons.push(Reason::Concentrated);
    }
    reasons
}
