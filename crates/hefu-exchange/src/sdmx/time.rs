//! Periods and instants as SDMX writes them.

use hefu_domain::{
    period::{Frequency, Period},
    time::{Date, Timestamp},
};

use super::{Refusal, refusal::Code};

/// Frequencies in the order of the code list.
pub(crate) const FREQUENCIES: [(Frequency, &str); 3] =
    [(Frequency::Yearly, "A"), (Frequency::Quarterly, "Q"), (Frequency::Monthly, "M")];

/// The code of a period's frequency; `None` for combined months, which SDMX has no name for.
pub fn frequency(period: Period) -> Option<&'static str> {
    let (first, last) = period.range();
    if period.frequency() == Frequency::Monthly && first != last {
        return None;
    }
    FREQUENCIES.iter().find(|(frequency, _)| *frequency == period.frequency()).map(|(_, code)| *code)
}

/// First and last day of a period or a day: `2025`, `2025-Q3`, `2025-07`, `2025-M07`, `2025-07-01`.
pub fn span(place: &str, text: &str) -> Result<(Date, Date), Refusal> {
    let monthly = text.replacen("-M", "-", 1);
    if let Ok(period) = monthly.parse::<Period>() {
        return Ok((period.start(), period.end()));
    }
    let day = text.split('T').next().unwrap_or_default().parse::<Date>();
    day.map(|day| (day, day)).map_err(|_| {
        let why = "write a period like 2025, 2025-Q3 or 2025-07";
        Refusal::new(Code::BadSyntax, (place, text), why, "请写作 2025、2025-Q3 或 2025-07")
    })
}

/// An instant with its offset, or a day, which ends at midnight in China.
pub fn instant(place: &str, text: &str) -> Result<Timestamp, Refusal> {
    if let Ok(day) = text.parse::<Date>() {
        let midnight: Result<jiff::Timestamp, _> = format!("{}T00:00:00+08:00", day.tomorrow()).parse();
        if let Ok(midnight) = midnight {
            return Ok(Timestamp::from_micros(midnight.as_microsecond() - 1));
        }
    }
    let instant: Result<jiff::Timestamp, _> = text.parse();
    instant.map(|instant| Timestamp::from_micros(instant.as_microsecond())).map_err(|_| {
        let why = "write an instant with its offset, like 2026-03-01T00:00:00+00:00";
        Refusal::new(Code::BadSyntax, (place, text), why, "请写带时差的时刻,如 2026-03-01T00:00:00+08:00")
    })
}
