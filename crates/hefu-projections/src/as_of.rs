//! Until when an answer may know things, as a person writes it.

use std::str::FromStr;

use hefu_domain::time::{Date, Timestamp};

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The record with this position is the last one known.
    Position(u64),
    /// Everything recorded at or before this instant is known.
    Instant(Timestamp),
}

/// A text that is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a position, a date like 2026-01-01 or an instant like 2026-01-01T00:00:00Z")]
pub struct BadAsOf;

impl FromStr for AsOf {
    type Err = BadAsOf;

    fn from_str(text: &str) -> Result<AsOf, BadAsOf> {
        if let Ok(position) = text.parse() {
            return Ok(AsOf::Position(position));
        }
        if let Ok(date) = text.parse::<Date>() {
            return end_of(date).map(AsOf::Instant);
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| BadAsOf)?;
        Ok(AsOf::Instant(Timestamp::from_micros(instant.as_microsecond())))
    }
}

/// The last instant of a day, which ends at midnight in China.
fn end_of(date: Date) -> Result<Timestamp, BadAsOf> {
    let midnight: jiff::Timestamp =
        format!("{}T00:00:00+08:00", date.tomorrow()).parse().map_err(|_| BadAsOf)?;
    Ok(Timestamp::from_micros(midnight.as_microsecond() - 1))
}

/// Whether an instant lies in the future. A day counts as a whole, today as well.
pub fn is_future(instant: Timestamp, now: Timestamp) -> bool {
    instant > now && end_of(now.date()) != Ok(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_the_end_of_its_day_in_china() {
        let instant = |text: &str| AsOf::Instant(text.parse().unwrap());
        assert_eq!("2026-01-01".parse(), Ok(instant("2026-01-01T15:59:59.999999Z")));
        assert_eq!("2026-01-01T00:00:00Z".parse(), Ok(instant("2026-01-01T00:00:00.000000Z")));
        assert_eq!("17".parse(), Ok(AsOf::Position(17)));
        assert!("2026-13-01".parse::<AsOf>().is_err());
    }

    #[test]
    fn today_is_no_future() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-01-01T08:00:00.000000Z");
        assert!(!is_future(at("2026-01-01T15:59:59.999999Z"), now), "the end of today");
        assert!(is_future(at("2026-01-01T08:00:00.000001Z"), now));
        assert!(is_future(at("2026-01-02T15:59:59.999999Z"), now));
    }
}
