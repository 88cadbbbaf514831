//! Exact quantities: integers in an indicator's minor unit, written as decimal text.
//!
//! No floating point between input and output: `35000000.50` yuan is 3,500,000,050 fen.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::serde_as_text;

/// A decimal text as it was given: sign, digits, at most six decimals. It becomes a number once its unit is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i64,
    scale: u8,
}

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDecimal {
    /// Not `-?digits(.digits)?`.
    #[error("not a plain decimal number")]
    Form,
    /// More decimals than the unit has.
    #[error("finer than the unit allows: it has too many decimals")]
    TooFine,
    /// Beyond ±9.2 × 10^18 minor units.
    #[error("too large for the ledger")]
    TooLarge,
}

/// Parts per million in the whole.
pub const MILLION: u64 = 1_000_000;

/// Basis points, 10,000 = 100 %.
pub const FULL_BP: u32 = 10_000;

impl Decimal {
    /// A number of minor units at `scale` decimals.
    pub const fn from_minor(digits: i64, scale: u8) -> Decimal {
        Decimal { digits, scale }
    }

    /// The integer in minor units of `scale` decimals (2 for yuan and fen).
    pub fn minor(&self, scale: u8) -> Result<i64, BadDecimal> {
        if self.scale <= scale {
            let factor = 10i64.pow(u32::from(scale - self.scale));
            return self.digits.checked_mul(factor).ok_or(BadDecimal::TooLarge);
        }
        let factor = 10i64.pow(u32::from(self.scale - scale));
        if self.digits % factor == 0 { Ok(self.digits / factor) } else { Err(BadDecimal::TooFine) }
    }
}

impl FromStr for Decimal {
    type Err = BadDecimal;

    fn from_str(text: &str) -> Result<Decimal, BadDecimal> {
        let (negative, number) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let dangling = number.contains('.') && fraction.is_empty();
        if whole.is_empty() || dangling || !all_digits(whole) || !all_digits(fraction) {
            return Err(BadDecimal::Form);
        }
        let scale = u8::try_from(fraction.len()).ok().filter(|s| *s <= 6).ok_or(BadDecimal::TooFine)?;
        let mut digits = 0i64;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = i64::from(byte - b'0');
            digits = digits.checked_mul(10).and_then(|d| d.checked_add(digit)).ok_or(BadDecimal::TooLarge)?;
        }
        Ok(Decimal { digits: if negative { -digits } else { digits }, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_minor(i128::from(self.digits), self.scale))
    }
}

serde_as_text!(Decimal, (i64, u8), |d| (d.digits, d.scale), |(digits, scale)| (scale <= 6)
    .then_some(Decimal { digits, scale }));

/// Decimal text of `minor` units at `scale` decimals: `(-50, 2)` is `-0.50`.
pub fn format_minor(minor: i128, scale: u8) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs();
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let factor = 10u128.pow(u32::from(scale));
    format!("{sign}{}.{:0width$}", digits / factor, digits % factor, width = usize::from(scale))
}

/// An amount of money in fen (1/100 CNY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i64);

impl Money {
    /// This many fen.
    pub const fn from_fen(fen: i64) -> Money {
        Money(fen)
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }
}

impl FromStr for Money {
    type Err = BadDecimal;

    fn from_str(text: &str) -> Result<Money, BadDecimal> {
        text.parse::<Decimal>()?.minor(2).map(Money)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_minor(i128::from(self.0), 2))
    }
}

serde_as_text!(Money, i64, |m| m.0, |fen| Some(Money(fen)));

/// `value × weight / 10,000`, rounded half away from zero (semantics R4).
pub fn weighted(value: i64, weight_bp: u32) -> i64 {
    let product = i128::from(value) * i128::from(weight_bp);
    let half = i128::from(FULL_BP / 2) * product.signum();
    i64::try_from((product + half) / i128::from(FULL_BP)).unwrap_or(i64::MAX)
}

/// Divides `value` by `weights` that sum to `total`, so that the parts sum to `value` exactly: largest
/// remainder, ties to the earlier entry; sign-symmetric (semantics R4, splits and tax shares alike).
pub fn largest_remainder(value: i64, weights: &[u64], total: u64) -> Vec<i64> {
    let magnitude = u128::from(value.unsigned_abs());
    let product = |weight: u64| magnitude * u128::from(weight);
    let mut parts: Vec<u128> = weights.iter().map(|w| product(*w) / u128::from(total)).collect();
    let short = magnitude - parts.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(product(weights[*i]) % u128::from(total)));
    for index in order.into_iter().take(usize::try_from(short).unwrap_or(usize::MAX)) {
        parts[index] += 1;
    }
    let signed = |part: u128| i64::try_from(part).unwrap_or(i64::MAX) * value.signum();
    parts.into_iter().map(signed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_fen_and_back() {
        for (text, fen) in [("35000000.50", 3_500_000_050), ("-0.5", -50), ("7", 700), ("0.10", 10)] {
            assert_eq!(text.parse::<Money>().unwrap().fen(), fen);
        }
        assert_eq!(Money::from_fen(-50).to_string(), "-0.50");
        for (text, why) in [
            ("1.005", BadDecimal::TooFine),
            ("1e5", BadDecimal::Form),
            ("NaN", BadDecimal::Form),
            ("1,000", BadDecimal::Form),
            ("+1", BadDecimal::Form),
            ("1.", BadDecimal::Form),
            (".5", BadDecimal::Form),
            ("", BadDecimal::Form),
            ("92233720368547758.08", BadDecimal::TooLarge),
        ] {
            assert_eq!(text.parse::<Money>().unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn parts_always_sum_to_the_whole() {
        assert_eq!(largest_remainder(10_001, &[5000, 5000], 10_000), [5001, 5000]);
        assert_eq!(largest_remainder(-300_034, &[6667, 3333], 10_000), [-200_033, -100_001]);
        assert_eq!(largest_remainder(i64::MAX, &[1, 1, 1], 3).iter().sum::<i64>(), i64::MAX);
        assert_eq!(weighted(-5, 5000), -3);
        assert_eq!(weighted(5, 5000), 3);
    }
}
