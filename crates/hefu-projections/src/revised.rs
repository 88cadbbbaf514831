//! How reliable first figures are: mean revision, mean absolute revision, and the latter by size (OECD/Eurostat).
//!
//! Exact fractions, never rounded here.

use std::fmt;

/// A fraction in lowest terms; the denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// Numerator.
    pub numerator: i128,
    /// Denominator.
    pub denominator: i128,
}

impl Fraction {
    /// `numerator / denominator`; `None` where that is nothing or too large.
    pub fn new(numerator: i128, denominator: i128) -> Option<Fraction> {
        let common = i128::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        if denominator == 0 {
            return None;
        }
        let sign = denominator.signum();
        Some(Fraction { numerator: sign * numerator / common, denominator: sign * denominator / common })
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            some => write!(f, "{}/{some}", self.numerator),
        }
    }
}

/// The revision indicators of figures that were published more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reliability {
    /// Mean of latest − first, in the unit.
    pub mean: Option<Fraction>,
    /// Mean of |latest − first|, in the unit.
    pub mean_absolute: Option<Fraction>,
    /// Σ |latest − first| / Σ |latest|.
    pub relative: Option<Fraction>,
}

impl Reliability {
    /// Of pairs (first, latest) in minor units of `scale` decimals.
    pub fn of(pairs: &[(i128, i128)], scale: u8) -> Reliability {
        let unit = 10i128.pow(u32::from(scale));
        let many = i128::try_from(pairs.len()).unwrap_or(i128::MAX).saturating_mul(unit);
        let sum: i128 = pairs.iter().map(|(first, latest)| latest - first).sum();
        let absolute: i128 = pairs.iter().map(|(first, latest)| (latest - first).abs()).sum();
        let size: i128 = pairs.iter().map(|(_, latest)| latest.abs()).sum();
        Reliability {
            mean: Fraction::new(sum, many),
            mean_absolute: Fraction::new(absolute, many),
            relative: Fraction::new(absolute, size),
        }
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_exact_and_in_lowest_terms() {
        let written = |a, b| Fraction::new(a, b).map(|fraction| fraction.to_string());
        assert_eq!(written(5000, 300), Some("50/3".to_owned()));
        assert_eq!(written(-90, 3), Some("-30".to_owned()));
        assert_eq!(written(1, -2), Some("-1/2".to_owned()));
        assert_eq!(written(0, 7), Some("0".to_owned()));
        assert_eq!(written(1, 0), None);
        assert_eq!(Reliability::of(&[], 2).mean, None);
    }
}
