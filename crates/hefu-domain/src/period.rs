//! Reference periods: a month, a run of months, a quarter or a year, always inside one year.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::{Date, serde_as_text};

/// A reference period. A run that is exactly a month, a quarter or a year has that name and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i16,
    first: u8,
    last: u8,
}

/// How often a project reports one indicator in one year (semantics R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Single months, or combined months such as `2025-01..02`.
    Monthly,
    /// Quarters.
    Quarterly,
    /// The whole year.
    Yearly,
}

/// A text that names no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a period like 2023, 2023-Q3, 2023-07 or 2023-01..02")]
pub struct BadPeriod(pub String);

impl Period {
    /// The months `first..=last` of `year`, if they are months in order.
    pub fn months(year: i16, first: u8, last: u8) -> Option<Period> {
        let valid = (1..=9999).contains(&year) && 1 <= first && first <= last && last <= 12;
        valid.then_some(Period { year, first, last })
    }

    /// The year it lies in.
    pub fn year(self) -> i16 {
        self.year
    }

    /// First and last month, 1 to 12.
    pub fn range(self) -> (u8, u8) {
        (self.first, self.last)
    }

    /// The first day.
    pub fn start(self) -> Date {
        self.day_one(self.first)
    }

    /// The last day: the day that decides location and claims (semantics R1, R2).
    pub fn end(self) -> Date {
        self.day_one(self.last).month_end()
    }

    fn day_one(self, month: u8) -> Date {
        let month = i8::try_from(month).unwrap_or(12);
        Date::new(self.year, month, 1).unwrap_or_else(|| unreachable!("years and months are in range"))
    }

    /// Whether `other` lies wholly inside this period.
    pub fn contains(self, other: Period) -> bool {
        self.year == other.year && self.first <= other.first && other.last <= self.last
    }

    /// Whether the two share a month.
    pub fn overlaps(self, other: Period) -> bool {
        self.year == other.year && self.first <= other.last && other.first <= self.last
    }

    /// The reporting frequency this period belongs to.
    pub fn frequency(self) -> Frequency {
        match (self.first, self.last) {
            (1, 12) => Frequency::Yearly,
            (1, 3) | (4, 6) | (7, 9) | (10, 12) => Frequency::Quarterly,
            _ => Frequency::Monthly,
        }
    }

    /// Every period inside this one, itself included: at most 78 runs of months.
    pub fn parts(self) -> impl Iterator<Item = Period> {
        (self.first..=self.last).flat_map(move |first| {
            (first..=self.last).map(move |last| Period { year: self.year, first, last })
        })
    }

    /// The parts that end on this period's last day: where a stock of the period is read (semantics R8).
    pub fn closing_parts(self) -> impl Iterator<Item = Period> {
        (self.first..=self.last).map(move |first| Period { year: self.year, first, last: self.last })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Period { year, first, last } = *self;
        match self.frequency() {
            Frequency::Yearly => write!(f, "{year:04}"),
            Frequency::Quarterly => write!(f, "{year:04}-Q{}", last / 3),
            Frequency::Monthly if first == last => write!(f, "{year:04}-{first:02}"),
            Frequency::Monthly => write!(f, "{year:04}-{first:02}..{last:02}"),
        }
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Period, BadPeriod> {
        let bad = || BadPeriod(text.to_owned());
        let digits = |part: &str, len: usize| -> Option<u8> {
            (part.len() == len && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
        };
        let (year, rest) = text.split_at_checked(4).ok_or_else(bad)?;
        if !year.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let year: i16 = year.parse().map_err(|_| bad())?;
        let (first, last) = if rest.is_empty() {
            (1, 12)
        } else if let Some(quarter) = rest.strip_prefix("-Q") {
            let quarter = digits(quarter, 1).filter(|q| (1..=4).contains(q)).ok_or_else(bad)?;
            (quarter * 3 - 2, quarter * 3)
        } else {
            let months = rest.strip_prefix('-').ok_or_else(bad)?;
            let (first, last) = months.split_once("..").unwrap_or((months, months));
            (digits(first, 2).ok_or_else(bad)?, digits(last, 2).ok_or_else(bad)?)
        };
        Period::months(year, first, last).ok_or_else(bad)
    }
}

serde_as_text!(Period, (i16, u8, u8), |p| (p.year, p.first, p.last), |(y, f, l)| Period::months(y, f, l));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_period_has_one_name() {
        for (text, name, end) in [
            ("2023", "2023", "2023-12-31"),
            ("2023-Q3", "2023-Q3", "2023-09-30"),
            ("2023-07", "2023-07", "2023-07-31"),
            ("2024-01..02", "2024-01..02", "2024-02-29"),
            ("2024-01..03", "2024-Q1", "2024-03-31"),
            ("2024-01..12", "2024", "2024-12-31"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.to_string(), period.end().to_string()), (name.to_owned(), end.to_owned()));
        }
        for bad in ["2023-13", "2023-Q5", "2023-02..01", "202", "2023-1", "2023-00", "2023-07-01", "２０２３"]
        {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_are_all_the_runs_inside() {
        let year: Period = "2023".parse().unwrap();
        assert_eq!(year.parts().count(), 78);
        assert!(year.parts().all(|part| year.contains(part)));
        assert_eq!(year.closing_parts().count(), 12);
    }
}
