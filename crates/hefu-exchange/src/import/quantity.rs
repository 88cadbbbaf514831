//! Amounts as people write them, converted to the ledger's minor unit in integers: exact, or refused.

use hefu_domain::indicator::Unit;

use crate::{problem::Problem, text::fold};

/// The unit of an amount of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoneyUnit {
    /// 元.
    #[default]
    Yuan,
    /// 千元.
    Thousand,
    /// 万元.
    TenThousand,
    /// 百万元.
    Million,
    /// 亿元.
    HundredMillion,
}

impl MoneyUnit {
    /// The unit with this name.
    pub fn parse(name: &str) -> Option<MoneyUnit> {
        let name = fold(name).to_lowercase();
        match name.trim().trim_start_matches("人民币") {
            "元" => return Some(MoneyUnit::Yuan),
            "千元" => return Some(MoneyUnit::Thousand),
            "万元" | "万" => return Some(MoneyUnit::TenThousand),
            "百万元" | "百万" => return Some(MoneyUnit::Million),
            "亿元" | "亿" => return Some(MoneyUnit::HundredMillion),
            _ => {}
        }
        // In English the currency is said, before or after how many: CNY 10,000, 10k yuan, RMB million.
        let words = name.split_whitespace();
        let (currency, many): (Vec<&str>, Vec<&str>) =
            words.partition(|word| ["cny", "yuan", "rmb", "renminbi"].contains(word));
        if currency.is_empty() {
            return None;
        }
        match many.join(" ").replace(',', "").as_str() {
            "" => Some(MoneyUnit::Yuan),
            "thousand" | "1000" | "k" => Some(MoneyUnit::Thousand),
            "ten thousand" | "10 thousand" | "10000" | "10k" => Some(MoneyUnit::TenThousand),
            "million" | "1000000" | "mn" => Some(MoneyUnit::Million),
            "hundred million" | "100 million" | "100000000" | "100 mn" => Some(MoneyUnit::HundredMillion),
            _ => None,
        }
    }

    /// Its Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            MoneyUnit::Yuan => "元",
            MoneyUnit::Thousand => "千元",
            MoneyUnit::TenThousand => "万元",
            MoneyUnit::Million => "百万元",
            MoneyUnit::HundredMillion => "亿元",
        }
    }

    const fn power(self) -> u32 {
        match self {
            MoneyUnit::Yuan => 0,
            MoneyUnit::Thousand => 3,
            MoneyUnit::TenThousand => 4,
            MoneyUnit::Million => 6,
            MoneyUnit::HundredMillion => 8,
        }
    }
}

/// The power of ten a unit's name stands for, if it is a unit of this kind of quantity.
fn power(name: &str, unit: Unit) -> Option<u32> {
    match unit {
        Unit::Cny => MoneyUnit::parse(name).map(MoneyUnit::power),
        Unit::Persons => match fold(name).trim() {
            "人" | "persons" => Some(0),
            "万人" => Some(4),
            _ => None,
        },
        Unit::Projects => matches!(fold(name).trim(), "个" | "项").then_some(0),
        Unit::Quotient => None,
    }
}

/// Reads a value into minor units of `unit`. `named` is the unit the row or header names; a unit behind the number itself
/// must agree with it. Without either, money is in `default`.
pub fn minor_units(text: &str, named: Option<&str>, unit: Unit, default: MoneyUnit) -> Result<i64, Problem> {
    let folded = fold(text);
    let (number, own) = split(folded.trim());
    let named_power = named.map(|name| power(name, unit).ok_or(Problem::BadUnit {})).transpose()?;
    let own_power = match own {
        None => None,
        Some(_) if number.is_empty() => return Err(Problem::BadNumber {}),
        Some(name) => Some(power(name, unit).ok_or(Problem::BadUnit {})?),
    };
    if let (Some(own), Some(power), Some(name)) = (own_power, named_power, named)
        && own != power
    {
        return Err(Problem::UnitConflict { unit: name.to_owned() });
    }
    let plain = if unit == Unit::Cny { default.power() } else { 0 };
    let power = own_power.or(named_power).unwrap_or(plain);
    let (digits, decimals) = exact(number)?;
    let kept = power + u32::from(unit.scale());
    let ten = |exponent: u32| 10i128.checked_pow(exponent).ok_or(Problem::TooLarge {});
    let minor = if decimals <= kept {
        digits.checked_mul(ten(kept - decimals)?).ok_or(Problem::TooLarge {})?
    } else {
        let factor = ten(decimals - kept)?;
        if digits % factor != 0 {
            return Err(Problem::TooFine { decimals: kept });
        }
        digits / factor
    };
    i64::try_from(minor).map_err(|_| Problem::TooLarge {})
}

/// The unit that the places named for one amount agree on: the nearest is taken, and another one of the same kind of
/// quantity must say the same. A factor of ten thousand is never guessed.
pub(crate) fn agreed<'n>(
    places: impl IntoIterator<Item = Option<&'n str>>,
    unit: Unit,
) -> Result<Option<String>, Problem> {
    let mut nearest: Option<&str> = None;
    for name in places.into_iter().flatten() {
        match nearest.map(|near| (near, power(near, unit), power(name, unit))) {
            Some((near, Some(a), Some(b))) if a != b => {
                return Err(Problem::UnitConflict { unit: near.to_owned() });
            }
            // A unit of another kind, as persons among amounts, binds nothing here.
            None | Some((_, None, Some(_))) => nearest = Some(name),
            Some(_) => {}
        }
    }
    Ok(nearest.map(str::to_owned))
}

/// The unit that stands behind the number in one cell.
pub(crate) fn own_unit(text: &str) -> Option<String> {
    split(fold(text).trim()).1.map(str::to_owned)
}

/// Whether `name` is a unit of this kind of quantity.
pub(crate) fn is_unit_of(name: &str, unit: Unit) -> bool {
    power(name, unit).is_some()
}

/// A number, and the unit behind it.
fn split(text: &str) -> (&str, Option<&str>) {
    let end = text.rfind(|c: char| c.is_ascii_digit() || ".)%".contains(c)).map_or(0, |at| at + 1);
    let (number, own) = text.split_at(end);
    (number, Some(own.trim()).filter(|own| !own.is_empty()))
}

/// A number as digits and how many of them are decimals.
fn exact(text: &str) -> Result<(i128, u32), Problem> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (true, inner), // the accountants' minus
        None => text
            .strip_prefix('-')
            .map_or((false, text.strip_prefix('+').unwrap_or(text)), |rest| (true, rest)),
    };
    let text = text.trim_start().trim_start_matches(['¥', '¥']).trim_start();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['E', 'e']) || text.contains("##") {
        return Err(Problem::ShortenedNumber {});
    }
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split([',', '\'']);
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.is_empty() || first.len() <= 3 && rest.iter().all(|group| group.len() == 3);
    let form = !first.is_empty() && all_digits(first) && rest.iter().all(|g| all_digits(g)) && grouped;
    if !form || !all_digits(fraction) || (text.contains('.') && fraction.is_empty()) {
        return Err(Problem::BadNumber {});
    }
    let mut digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
    let magnitude = digits
        .try_fold(0i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))
        .ok_or(Problem::TooLarge {})?;
    let decimals = u32::try_from(fraction.len()).map_err(|_| Problem::TooLarge {})?;
    Ok((if negative { -magnitude } else { magnitude }, decimals))
}

#[cfg(test)]
mod tests {
    use hefu_domain::amount::format_minor;
    use proptest::prelude::*;

    use super::*;

    fn fen(text: &str, unit: Option<&str>) -> Result<i64, &'static str> {
        minor_units(text, unit, Unit::Cny, MoneyUnit::Yuan).map_err(|problem| problem.code())
    }

    #[test]
    fn amounts_as_people_write_them() {
        for (text, unit, expected) in [
            ("35000000.50", None, 3_500_000_050),
            ("35,000,000.50", Some("元"), 3_500_000_050),
            ("３，５００．００００５", Some("万元"), 3_500_000_050),
            ("3500万元", None, 3_500_000_000),
            ("12亿", None, 120_000_000_000),
            ("12 亿元", Some("亿元"), 120_000_000_000),
            ("0.0000000001", Some("亿元"), 1),
            ("1.000001", Some("万元"), 1_000_001),
            ("1.0000010", Some("万元"), 1_000_001),
            ("-12.30", None, -1_230),
            ("−12.3", None, -1_230),
            ("(1,234.50)", None, -123_450),
            ("¥ 1,000", None, 100_000),
            ("+5", None, 500),
        ] {
            assert_eq!(fen(text, unit), Ok(expected), "{text}");
        }
    }

    #[test]
    fn units_in_english() {
        for (name, power) in [
            ("CNY", 0),
            ("cny", 0),
            ("RMB", 0),
            ("10,000 yuan", 4),
            ("CNY 10,000", 4),
            ("ten thousand yuan", 4),
            ("10k CNY", 4),
            ("CNY million", 6),
            ("100 million yuan", 8),
            ("thousand RMB", 3),
        ] {
            assert_eq!(MoneyUnit::parse(name).map(MoneyUnit::power), Some(power), "{name}");
        }
        for name in ["10,000", "million", "USD", "yuan yen", ""] {
            assert_eq!(MoneyUnit::parse(name), None, "{name}");
        }
    }

    #[test]
    fn places_that_name_a_unit_must_agree() {
        let told = |places: &[Option<&str>], unit| agreed(places.iter().copied(), unit).map_err(|e| e.code());
        assert_eq!(told(&[None, Some("元"), Some("CNY")], Unit::Cny), Ok(Some("元".to_owned())));
        assert_eq!(told(&[Some("元"), Some("万元")], Unit::Cny), Err("unit_conflict"));
        assert_eq!(told(&[None, None], Unit::Cny), Ok(None));
        // 万元 above the table does not bind a column of persons.
        assert_eq!(told(&[Some("人"), Some("万元")], Unit::Persons), Ok(Some("人".to_owned())));
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        for (text, unit, code) in [
            ("0.005", None, "too_fine"),
            ("1.0000001", Some("万元"), "too_fine"),
            ("0.30000000000000004", Some("万元"), "too_fine"),
            ("1.2E+09", None, "shortened_number"),
            ("####", None, "bad_number"),
            ("12,34", None, "bad_number"),
            ("1234,567", None, "bad_number"),
            ("1.2.3", None, "bad_number"),
            ("5%", None, "bad_number"),
            ("—", None, "bad_number"),
            ("NaN", None, "bad_number"),
            ("5.", None, "bad_number"),
            ("5万美元", None, "bad_unit"),
            ("5", Some("美元"), "bad_unit"),
            ("5", Some("人"), "bad_unit"),
            ("5万元", Some("亿元"), "unit_conflict"),
            ("92233720368547758.08", None, "too_large"),
            ("999999999999999999999999999999999999999999", None, "too_large"),
        ] {
            assert_eq!(fen(text, unit), Err(code), "{text}");
        }
        assert_eq!(minor_units("1.5", Some("万人"), Unit::Persons, MoneyUnit::Yuan), Ok(15_000));
        assert_eq!(minor_units("12人", None, Unit::Persons, MoneyUnit::TenThousand), Ok(12));
        assert!(minor_units("1.5", None, Unit::Persons, MoneyUnit::Yuan).is_err());
        assert_eq!(minor_units("1", None, Unit::Cny, MoneyUnit::TenThousand), Ok(1_000_000));
    }

    proptest! {
        /// Whatever the unit, every amount in fen has a text that is read back as exactly this amount.
        #[test]
        fn units_are_exact(minor in any::<i64>(), unit in 0usize..5) {
            use MoneyUnit::{HundredMillion, Million, TenThousand, Thousand, Yuan};
            let unit = [Yuan, Thousand, TenThousand, Million, HundredMillion][unit];
            let scale = u8::try_from(unit.power()).unwrap() + 2;
            let text = format_minor(i128::from(minor), scale);
            prop_assert_eq!(fen(&text, Some(unit.name())), Ok(minor));
            let finer = format!("{text}1");
            prop_assert_eq!(fen(&finer, Some(unit.name())), Err("too_fine"));
        }
    }
}
