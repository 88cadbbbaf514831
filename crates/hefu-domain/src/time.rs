//! Business dates, instants and months: exact calendar arithmetic, no clock.
//!
//! A [`Date`] is when something happened; a [`Timestamp`] is when the ledger learned of it. The clock
//! itself is read at the edge (the engine) and handed in.

use std::{fmt, str::FromStr};

use jiff::{Span, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A calendar day (`2023-06-01`), the granularity of every business date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

/// A text that is not a day of the calendar in the form `2023-06-01`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date like 2023-06-01")]
pub struct BadDate(pub String);

impl Date {
    /// The first day there is: since ever.
    pub const MIN: Date = Date(civil::Date::MIN);
    /// The last day there is.
    pub const MAX: Date = Date(civil::Date::MAX);

    /// The day with these parts, if the calendar has it.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Date> {
        civil::Date::new(year, month, day).ok().map(Date)
    }

    /// The calendar year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// Month arithmetic of semantics R2: the day is clamped to the month's end (02-29 + 12 months = 02-28).
    pub fn add_months(self, months: u32) -> Date {
        let span = Span::new().try_months(i64::from(months));
        Date(span.and_then(|span| self.0.checked_add(span)).unwrap_or(civil::Date::MAX))
    }

    /// The last day of this date's month.
    pub fn month_end(self) -> Date {
        Date(self.0.last_of_month())
    }

    /// The next day.
    pub fn tomorrow(self) -> Date {
        Date(self.0.tomorrow().unwrap_or(civil::Date::MAX))
    }

    /// Saturday or Sunday.
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), civil::Weekday::Saturday | civil::Weekday::Sunday)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Date {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Date, BadDate> {
        let bad = || BadDate(text.to_owned());
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(bad());
        }
        let number = |range: std::ops::Range<usize>| -> Option<i16> {
            let part = text.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let (year, month, day) = (number(0..4), number(5..7), number(8..10));
        let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(bad()) };
        let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return Err(bad()) };
        Date::new(year, month, day).ok_or_else(bad)
    }
}

/// An instant in microseconds since 1970-01-01T00:00:00Z, written `2026-01-01T00:00:00.000000Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not an instant in the one form the ledger writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an instant like 2026-01-01T00:00:00.000000Z")]
pub struct BadTimestamp(pub String);

impl Timestamp {
    /// The instant with this many microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This instant moved by whole seconds, saturating.
    pub const fn plus_seconds(self, seconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The business day at this instant in China Standard Time (UTC+8, no daylight saving).
    pub fn date(self) -> Date {
        date_of_day(self.0.saturating_add(8 * 3600 * 1_000_000).div_euclid(DAY_MICROS))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(DAY_MICROS), self.0.rem_euclid(DAY_MICROS));
        let date = date_of_day(days);
        let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    /// Accepts the one form only. Written out because every command carries two of them.
    fn from_str(text: &str) -> Result<Timestamp, BadTimestamp> {
        let parse = || {
            let form = b"0000-00-00T00:00:00.000000Z";
            let fits =
                |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
            if text.len() != form.len() || !text.as_bytes().iter().zip(form).all(fits) {
                return None;
            }
            let number = |range: std::ops::Range<usize>| {
                text.as_bytes()[range].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
            };
            let date: Date = text.get(..10)?.parse().ok()?;
            let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
            let in_range = hour < 24 && minute < 60 && second < 60;
            let seconds = hour * 3600 + minute * 60 + second;
            in_range.then(|| day_of_date(date) * DAY_MICROS + seconds * 1_000_000 + number(20..26))
        };
        parse().map(Timestamp).ok_or_else(|| BadTimestamp(text.to_owned()))
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by eras of 400 years that begin in March.
fn day_of_date(date: Date) -> i64 {
    let (year, month, day) = (i64::from(date.0.year()), i64::from(date.0.month()), i64::from(date.0.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`day_of_date`].
fn date_of_day(days: i64) -> Date {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    match parts {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).unwrap_or(Date(civil::Date::MAX)),
        _ => Date(civil::Date::MAX),
    }
}

/// Text in formats for people and the wire, the bare value in snapshots.
macro_rules! serde_as_text {
    ($name:ty, $inner:ty, $to:expr, $from:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    let to: fn(&$name) -> $inner = $to;
                    to(self).serialize(serializer)
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    let from: fn($inner) -> Option<$name> = $from;
                    from(<$inner>::deserialize(deserializer)?)
                        .ok_or_else(|| de::Error::custom("out of range"))
                }
            }
        }
    };
}
pub(crate) use serde_as_text;

serde_as_text!(Date, (i16, i8, i8), |d| (d.0.year(), d.0.month(), d.0.day()), |(y, m, d)| Date::new(y, m, d));
serde_as_text!(Timestamp, i64, |t| t.0, |micros| Some(Timestamp(micros)));

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn months_clamp_to_the_month_end() {
        assert_eq!(day("2028-02-29").add_months(12), day("2029-02-28"));
        assert_eq!(day("2028-02-29").add_months(48), day("2032-02-29"));
        assert_eq!(day("2026-03-15").add_months(24), day("2028-03-15"));
        assert_eq!(day("2023-01-31").add_months(1), day("2023-02-28"));
    }

    #[test]
    fn one_spelling_of_a_date() {
        for bad in ["2023-6-01", "2023-02-30", "20230601", "2023-06-01T00:00", "", "2023/06/01", "+023-06-01"]
        {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_agree_with_the_library() {
        for step in -4000..4000i64 {
            let ours = Timestamp::from_micros(step * 7_919_000_000_007);
            let theirs = jiff::Timestamp::from_microsecond(ours.micros()).unwrap();
            assert_eq!(ours.to_string(), format!("{theirs:.6}"));
            assert_eq!(ours.to_string().parse(), Ok(ours));
        }
        for bad in
            ["2026-02-30T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z", "2026-01-01T00:00:00.000000z"]
        {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_business_day_is_chinas() {
        let late: Timestamp = "2026-01-01T15:59:59.999999Z".parse().unwrap();
        assert_eq!(late.date(), day("2026-01-01"));
        assert_eq!(Timestamp::from_micros(late.micros() + 1).date(), day("2026-01-02"));
        assert_eq!(late.to_string(), "2026-01-01T15:59:59.999999Z");
        assert!("2026-01-01T00:00:00Z".parse::<Timestamp>().is_err());
    }
}
