//! Year-to-date values (累计) differenced into each period's own value.
//!
//! A value is named by its last month however its period is written: `2023-07`, `2023年1-7月`. A series is monthly,
//! quarterly or yearly, never a mixture; it starts in January, or anew where the project landed (semantics R9). After a
//! landing `2023-07` counts from there, and a run that names January, `2023-01..07`, still counts from January: the two
//! are series of their own. The first value may be that of January and February together, as statistics offices report
//! it. What is missing is never filled.

use std::collections::BTreeMap;

use hefu_domain::{period::Period, time::Date};

use crate::problem::Problem;

/// One year-to-date value.
pub(super) struct Entry {
    /// The row it is from.
    pub row: u64,
    /// Its period as written.
    pub period: Period,
    /// The value.
    pub value: i64,
    /// What of it belongs to the time before this period, if the row says so.
    pub base: Option<i64>,
}

/// The own period and value of each entry of one project, indicator and year, in the order given.
pub(super) fn difference(
    entries: &[Entry],
    landings: &[Date],
    stock: bool,
) -> Vec<Result<(Period, i64), Problem>> {
    let Some(year) = entries.first().map(|entry| entry.period.year()) else { return Vec::new() };
    let step = step(entries);
    let starts: Vec<u8> = std::iter::once(1)
        .chain(
            landings.iter().filter(|day| day.year() == year).map(|day| (day.month() - 1) / step * step + 1),
        )
        .collect();
    let start_of = |last: u8| starts.iter().copied().filter(|start| *start <= last).max().unwrap_or(1);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| (entries[*index].period.range().1, entries[*index].row));
    let mut results: Vec<Result<(Period, i64), Problem>> = Vec::new();
    results.resize_with(entries.len(), || Err(Problem::BadPeriod {}));
    let mut before: Option<&Entry> = None;
    // The latest value that counts from each month.
    let mut series: BTreeMap<u8, &Entry> = BTreeMap::new();
    for index in order {
        let entry = &entries[index];
        let (first, last) = entry.period.range();
        let start = start_of(last);
        let names_january = first == 1 && last > step;
        let counts_from = if names_january { 1 } else { start };
        let twin = before.filter(|before| before.period.range().1 == last);
        results[index] = if let Some(twin) = twin {
            Err(Problem::DuplicateRow { row: twin.row })
        } else {
            let previous = series.insert(counts_from, entry);
            own(entry, previous, step, (start, counts_from), stock)
        };
        before = Some(twin.unwrap_or(entry));
    }
    results
}

/// Months from one value to the next.
fn step(entries: &[Entry]) -> u8 {
    let ranges = || entries.iter().map(|entry| entry.period.range());
    if ranges().any(|(first, last)| first == last || last % 3 != 0) {
        1
    } else if ranges().all(|range| range == (1, 12)) {
        12
    } else {
        3
    }
}

/// The own period and value of one entry. The project's stay starts with the month `start`; the entry counts from
/// `counts_from`, and `before` is the entry before it that does.
fn own(
    entry: &Entry,
    before: Option<&Entry>,
    step: u8,
    (start, counts_from): (u8, u8),
    stock: bool,
) -> Result<(Period, i64), Problem> {
    let year = entry.period.year();
    let (first, last) = entry.period.range();
    let single = last + 1 - step;
    let months = |first, last| Period::months(year, first, last).ok_or(Problem::BadPeriod {});
    if ![1, start, single].contains(&first) {
        return Err(Problem::CumulativeStart { start: months(start, start)?.to_string() });
    }
    if stock {
        return Ok((months(single, last)?, entry.value));
    }
    let minus = |part: i64| entry.value.checked_sub(part).ok_or(Problem::TooLarge {});
    if let Some(base) = entry.base {
        return Ok((months(single, last)?, minus(base)?));
    }
    if let Some(before) = before {
        let reached = before.period.range().1;
        return if reached + step == last {
            Ok((months(single, last)?, minus(before.value)?))
        } else {
            let missing = months(reached + 1, last - step)?.to_string();
            Err(Problem::CumulativeGap { missing, row: before.row })
        };
    }
    let january_and_february = (start, first, last) == (1, 1, 2);
    let since_landing = start > 1 && first == start;
    if single == counts_from || january_and_february || since_landing {
        Ok((months(counts_from, last)?, entry.value))
    } else {
        Err(Problem::CumulativeHead { missing: months(counts_from, last - step)?.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `(period, value)` rows from row 2 on, with the landing days; the own values, or the codes of what is wrong.
    fn check(rows: &[(&str, i64)], landings: &[&str], expected: &[(&str, i64)]) {
        let landings: Vec<Date> = landings.iter().map(|day| day.parse().unwrap()).collect();
        let entry = |(index, (period, value)): (usize, &(&str, i64))| Entry {
            row: index as u64 + 2,
            period: period.parse().unwrap(),
            value: *value,
            base: None,
        };
        let entries: Vec<Entry> = rows.iter().enumerate().map(entry).collect();
        let own: Vec<(String, i64)> = difference(&entries, &landings, false)
            .into_iter()
            .map(|own| own.map_or_else(|p| (p.to_string(), 0), |(period, value)| (period.to_string(), value)))
            .collect();
        let matches = own.len() == expected.len()
            && own.iter().zip(expected).all(|((got, n), (want, m))| got.starts_with(want) && n == m);
        assert!(matches, "{rows:?}: {own:#?}");
    }

    #[test]
    fn series_are_differenced_by_period() {
        check(
            &[("2023-01..02", 10), ("2023-01..03", 15), ("2023-04", 15), ("2023-01..05", 12)],
            &[],
            &[("2023-01..02", 10), ("2023-03", 5), ("2023-04", 0), ("2023-05", -3)],
        );
        check(&[("2023-02", 3), ("2023-01", 1)], &[], &[("2023-02", 2), ("2023-01", 1)]);
        check(
            &[("2023-Q1", 5), ("2023-01..06", 9), ("2023-Q3", 20), ("2023", 21)],
            &[],
            &[("2023-Q1", 5), ("2023-Q2", 4), ("2023-Q3", 11), ("2023-Q4", 1)],
        );
        check(&[("2023", 21)], &[], &[("2023", 21)]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let gap = "year-to-date value with 2023-02..03 missing between it and row 2";
        check(
            &[("2023-01", 1), ("2023-04", 4), ("2023-05", 5)],
            &[],
            &[("2023-01", 1), (gap, 0), ("2023-05", 1)],
        );
        let head = "year-to-date value with 2023-01..06 missing before it";
        check(&[("2023-07", 1)], &[], &[(head, 0)]);
        check(&[("2023-02", 1)], &[], &[("year-to-date value with 2023-01 missing before it", 0)]);
        check(&[("2023-01", 1), ("2023-01", 1)], &[], &[("2023-01", 1), ("already stands in row 2", 0)]);
        check(
            &[("2023-01", 1), ("2023-02..03", 1)],
            &[],
            &[("2023-01", 1), ("a year-to-date value here", 0)],
        );
    }

    #[test]
    fn a_landing_starts_the_series_anew() {
        let rows = [("2023-05", 50), ("2023-04", 40), ("2023-03", 30), ("2023-02", 20), ("2023-01", 10)];
        let here = [("2023-06", 7), ("2023-07", 9)];
        let own = [("2023-05", 10), ("2023-04", 10), ("2023-03", 10), ("2023-02", 10), ("2023-01", 10)];
        check(
            &[&rows[..], &here].concat(),
            &["2023-06-15"],
            &[&own[..], &[("2023-06", 7), ("2023-07", 2)]].concat(),
        );
        check(&[("2023-06..08", 7)], &["2023-06-15"], &[("2023-06..08", 7)]);
        check(
            &[("2023-07", 7)],
            &["2023-06-15"],
            &[("year-to-date value with 2023-06 missing before it", 0)],
        );
    }

    #[test]
    fn a_run_that_names_january_counts_from_january_after_a_landing_too() {
        let landing = ["2023-06-15"];
        check(
            &[("2023-01..05", 50), ("2023-01..06", 57), ("2023-01..07", 59)],
            &landing,
            &[("year-to-date value with 2023-01..04 missing before it", 0), ("2023-06", 7), ("2023-07", 2)],
        );
        // A value since the landing and one since January do not continue each other.
        check(
            &[("2023-01..02", 50), ("2023-03", 50), ("2023-06", 7), ("2023-01..07", 59), ("2023-07", 9)],
            &landing,
            &[
                ("2023-01..02", 50),
                ("2023-03", 0),
                ("2023-06", 7),
                ("year-to-date value with 2023-Q2 missing between it and row 3", 0),
                ("already stands in row 5", 0),
            ],
        );
        check(&[("2023-01..06", 57)], &landing, &[("year-to-date value with 2023-Q1 missing before it", 0)]);
        check(
            &[("2023-01..02", 3)],
            &["2023-02-10"],
            &[("year-to-date value with 2023-01 missing before it", 0)],
        );
    }

    proptest! {
        /// Differencing undoes adding up, whatever the order of the rows.
        #[test]
        fn row_order_does_not_matter(
            own in prop::collection::vec(-1_000_000i64..1_000_000, 1..=12),
            combined in any::<bool>(),
            keys in prop::collection::vec(any::<u64>(), 12),
        ) {
            let mut total = 0;
            let mut rows: Vec<(u8, i64)> = own.iter().zip(1u8..).map(|(v, month)| { total += v; (month, total) }).collect();
            if combined && rows.len() > 1 {
                rows.remove(0);
            }
            let mut entries: Vec<Entry> = rows
                .iter()
                .map(|(month, value)| Entry {
                    row: u64::from(*month),
                    period: Period::months(2023, if *month == 2 { 1 } else { *month }, *month).unwrap(),
                    value: *value,
                    base: None,
                })
                .collect();
            entries.sort_by_key(|entry| keys[usize::try_from(entry.row).unwrap() - 1]);
            let results = difference(&entries, &[], false);
            for (entry, result) in entries.iter().zip(results) {
                let (period, value) = result.unwrap();
                let months = usize::from(period.range().0) - 1..usize::from(period.range().1);
                prop_assert_eq!(value, own[months].iter().sum::<i64>());
                prop_assert_eq!(period.range().1, entry.period.range().1);
            }
        }
    }
}
