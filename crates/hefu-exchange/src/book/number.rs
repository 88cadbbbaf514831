//! A number cell as decimal text.
//!
//! XLSX keeps numbers as binary fractions, often with 17 digits (4.35 is stored as 4.3499999999999996). Fifteen
//! significant digits of such a number are certain (IEEE 754), and are what the spreadsheet itself shows: those are
//! taken, and every decimal of at most fifteen digits comes back as it was written. The one place in Hefu where a float
//! is looked at; nothing is computed with it.

/// The fifteen significant digits of a number cell, without an exponent; `None` for what is no number of a book.
pub(super) fn decimal(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let scientific = format!("{number:.14e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    // A book's amounts have at most 18 digits before the point, and ten decimals (亿元 to the fen).
    let exponent = usize::try_from(exponent).map_or_else(|_| Err(exponent.unsigned_abs() as usize), Ok);
    let text = match exponent {
        Ok(more) if more > 40 => return None,
        Ok(whole) if digits.len() <= whole + 1 => format!("{digits}{}", "0".repeat(whole + 1 - digits.len())),
        Ok(whole) => format!("{}.{}", &digits[..=whole], &digits[whole + 1..]),
        Err(less) if less > 40 => return None,
        Err(less) => format!("0.{}{digits}", "0".repeat(less - 1)),
    };
    Some(format!("{sign}{text}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_written_comes_back() {
        for (stored, text) in [
            ("0.1", "0.1"),
            ("0.30000000000000004", "0.3"),
            ("4.3499999999999996", "4.35"),
            ("0.28999999999999998", "0.29"),
            ("9999999999999.99", "9999999999999.99"),
            ("-1234.5600000000002", "-1234.56"),
            ("35000000.5", "35000000.5"),
            ("0.0000000001", "0.0000000001"),
            ("1E+15", "1000000000000000"),
            ("100", "100"),
            ("-0", "0"),
            ("33.333333333333336", "33.3333333333333"),
        ] {
            assert_eq!(decimal(stored.parse().unwrap()).as_deref(), Some(text), "{stored}");
        }
        assert_eq!((decimal(f64::NAN), decimal(1e300), decimal(f64::MIN_POSITIVE)), (None, None, None));
    }

    proptest! {
        /// Every decimal of at most fifteen significant digits survives the way through a number cell.
        #[test]
        fn fifteen_digits_survive(minor in -999_999_999_999_999i64..=999_999_999_999_999, scale in 0u8..=10) {
            let text = hefu_domain::amount::format_minor(i128::from(minor), scale);
            let cell: f64 = text.parse().unwrap();
            let shortest = if scale == 0 { text.as_str() } else { text.trim_end_matches('0').trim_end_matches('.') };
            let back = decimal(cell).unwrap();
            prop_assert_eq!(back.as_str(), if minor == 0 { "0" } else { shortest });
            // Excel writes 17 digits.
            let excel: f64 = format!("{cell:.16e}").parse().unwrap();
            prop_assert_eq!(decimal(excel).unwrap(), back);
        }
    }
}
