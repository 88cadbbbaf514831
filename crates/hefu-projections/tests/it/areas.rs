//! The laws of both geographies over random histories in which regions end, give parts away and change superiors.
//!
//! As filed: a figure stands where its period's last day puts it. Current: where today's tree puts it.

use std::collections::BTreeSet;

use hefu_domain::{
    command::ReparentRegion,
    indicator::{Count, Kind},
    period::Period,
    region::{Level, RegionId},
};
use hefu_projections::{Views, explain::explain};
use proptest::prelude::*;

use super::{
    history::{CITIES, COUNTIES, Step, later, play, with_areas},
    laws::{config, entry_code, fold, periods, table},
    ledger::{Ledger, date},
    recount::Book,
};

/// The views on today's tree.
fn restated(views: &Views) -> Views {
    views.restated().unwrap_or_else(|| views.clone())
}

fn agree(views: &Views, book: &Book) -> Result<(), TestCaseError> {
    for ((region, indicator, period), row) in table(views, &periods(views)) {
        let area = entry_code(views, region);
        let name = format!("{area} {indicator} {period}");
        let (first, last) = period.range();
        let months = (i32::from(period.year()), u32::from(first), u32::from(last));
        let Some(figures) = book.figures(&area, indicator.as_str(), months) else {
            let ratio = |shared| book.ratio(&area, indicator.as_str(), months, shared);
            prop_assert_eq!((row.territorial, row.shared), (ratio(false), ratio(true)), "{}", name);
            continue;
        };
        prop_assert_eq!(row.territorial, Some(figures.territorial), "T {}", name);
        prop_assert_eq!(row.as_destination, Some(figures.as_destination), "D {}", name);
        prop_assert_eq!(row.as_origin, Some(figures.as_origin), "O {}", name);
        let below = book.below(&area, indicator.as_str(), months);
        let elimination = row.elimination.map(|_| figures.shared() - below);
        prop_assert_eq!(row.elimination, elimination, "X {}", name);
        prop_assert!(row.elimination.is_some() || below == 0, "X {}", name);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(24))]

    /// The main law, on both geographies: the cube is what a slow recount finds.
    #[test]
    fn both_geographies_are_what_a_recount_finds(steps in with_areas()) {
        let ledger = play(&steps);
        let book = Book::read(ledger.log.iter().map(|(_, event)| event));
        agree(&ledger.fold, &book)?;
        agree(&restated(&ledger.fold), &book.restated())?;
    }

    /// Totals are equal under both geographies at every area that all changes stayed inside, the nation always; on today's
    /// tree areas add up in every period, as filed in every one that is reported as such.
    #[test]
    fn totals_are_equal_where_no_change_crossed(steps in with_areas()) {
        let ledger = play(&steps);
        let (filed, now) = (&ledger.fold, restated(&ledger.fold));
        let periods = periods(filed);
        let (filed_table, now_table) = (table(filed, &periods), table(&now, &periods));
        let tree = &filed.state.regions;
        let crossed: BTreeSet<RegionId> = crossed(&ledger);
        for (key, row) in filed_table.iter().filter(|((area, _, _), _)| !crossed.contains(area)) {
            if tree.get(key.0).level != Level::County {
                prop_assert_eq!(row.territorial, now_table[key].territorial, "{:?}", key);
            }
        }
        for ((area, indicator, period), row) in &now_table {
            let children = now.state.regions.children(*area);
            let (_, entry) = now.state.indicator(*indicator).unwrap();
            if children.is_empty() || entry.kind == Kind::Ratio {
                continue;
            }
            let below = |figure: fn(&hefu_projections::counting::Row) -> Option<i128>| -> i128 {
                children.iter().map(|child| figure(&now_table[&(*child, *indicator, *period)]).unwrap()).sum()
            };
            prop_assert_eq!(row.territorial, Some(below(|row| row.territorial)));
            prop_assert_eq!(row.shared.unwrap(), below(|row| row.shared) + row.elimination.unwrap());
        }
        for ((area, indicator, period), row) in &filed_table {
            let (_, entry) = filed.state.indicator(*indicator).unwrap();
            let (first, last) = period.range();
            let children = tree.children_on(*area, period.end());
            if entry.kind == Kind::Ratio || first != last || children.is_empty() {
                continue;
            }
            let below: i128 = children
                .iter()
                .map(|child| filed_table[&(*child, *indicator, *period)].territorial.unwrap())
                .sum();
            prop_assert_eq!(row.territorial, Some(below));
        }
    }

    /// Behind every cell: lines that sum to it exactly, the elimination included, on both geographies.
    #[test]
    fn the_lines_behind_a_cell_sum_to_it(steps in with_areas()) {
        let ledger = play(&steps);
        for views in [&ledger.fold, &restated(&ledger.fold)] {
            for ((region, indicator, period), row) in table(views, &periods(views)) {
                let (id, entry) = views.state.indicator(indicator).unwrap();
                if entry.kind == Kind::Ratio {
                    continue;
                }
                let lines = explain(views, region, id, period);
                let sum = |figure: &dyn Fn(&hefu_projections::explain::Line) -> i64| -> Option<i128> {
                    Some(lines.iter().map(|line| i128::from(figure(line))).sum())
                };
                prop_assert_eq!(row.territorial, sum(&|line| line.area.territorial));
                prop_assert_eq!(row.as_destination, sum(&|line| line.area.as_destination));
                prop_assert_eq!(row.as_origin, sum(&|line| line.area.as_origin));
                let eliminated = sum(&|line| line.elimination.unwrap_or(0));
                prop_assert_eq!(Some(row.elimination.unwrap_or(0)), eliminated, "{} {} {}", entry_code(views, region), indicator, period);
            }
        }
    }

    /// An answer as of a past position never changes, whatever regions do later; and a fold from a snapshot is the fold from
    /// zero.
    #[test]
    fn the_past_stays_what_it_was(steps in with_areas(), cut in any::<prop::sample::Index>()) {
        let ledger = play(&steps);
        let size = 4 + cut.index(ledger.log.len() - 3);
        let then = fold(ledger.log[..size].iter());
        let now = &ledger.fold;
        for ((region, code, period), row) in table(&then, &periods(now)) {
            let (indicator, entry) = now.state.indicator(code).unwrap();
            if entry.count != Some(Count::LargeProjectsImplemented) {
                let told = now.counting.row_at(&now.state, region, (indicator, period), size as u64);
                prop_assert_eq!(told, Some(row), "{} {} {}", entry_code(now, region), code, period);
            }
        }
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&then, config).unwrap();
        let (mut views, _): (Views, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
        for (meta, event) in &ledger.log[size..] {
            views.apply(meta, event).unwrap();
        }
        prop_assert_eq!(&views, now);
    }

    /// A change of regions moves nothing that ended before its day, and changes no total of an area that it stays inside.
    #[test]
    fn a_change_moves_nothing_before_its_day_and_no_total(steps in with_areas()) {
        let ledger = play(&steps);
        let mut views = Views::default();
        let periods = periods(&ledger.fold);
        for (meta, event) in &ledger.log {
            let date = match event {
                hefu_domain::event::Event::RegionMerged(e) => Some(e.date),
                hefu_domain::event::Event::RegionSplit(e) => Some(e.date),
                hefu_domain::event::Event::RegionReparented(e) => Some(e.date),
                _ => None,
            };
            let earlier = date.map(|_| table(&views, &periods));
            views.apply(meta, event).unwrap();
            let (Some(date), Some(earlier)) = (date, earlier) else { continue };
            let after = table(&views, &periods);
            let nation = RegionId(0);
            for (key, row) in &earlier {
                if key.2.end() < date {
                    prop_assert_eq!(row, &after[key], "{:?}", key);
                }
                if key.0 == nation {
                    prop_assert_eq!((row.territorial, row.shared), (after[key].territorial, after[key].shared));
                }
            }
        }
    }

    /// Out of a city and back on one day is as if nothing had happened, on both geographies.
    #[test]
    fn another_superior_and_back_is_the_identity(steps in with_areas(), county in 0..8usize, city in 0..4usize, days in 0..1_000u16) {
        let mut ledger = play(&steps);
        let region = ledger.region(COUNTIES[county]);
        let tree = &ledger.state().regions;
        prop_assume!(tree.get(region).ended.is_none());
        let since = tree.settled_since(region).unwrap_or(date("2024-01-01"));
        let (code, home) = (ledger.state().code(region), tree.get(region).parent.unwrap());
        let (home, away) = (ledger.state().code(home), CITIES[city].parse().unwrap());
        prop_assume!(home != away);
        let periods = periods(&ledger.fold);
        let filed = table(&ledger.fold, &periods);
        let current = table(&restated(&ledger.fold), &periods);
        let day = later(since, days).min(ledger.now.date());
        for parent in [away, home] {
            let (document, endorsements) = ("国函".to_owned(), Vec::new());
            let command = ReparentRegion { date: day, document, endorsements, parent, region: code };
            ledger.submit(&["000000.coordinator"], &command.into()).unwrap();
        }
        prop_assert_eq!(table(&ledger.fold, &periods), filed);
        prop_assert_eq!(table(&restated(&ledger.fold), &periods), current);
    }

    /// Renaming and recoding change no number on either geography.
    #[test]
    fn names_and_codes_change_no_number(steps in with_areas()) {
        let named: Vec<Step> =
            steps.iter().filter(|step| !matches!(step, Step::Rename { .. } | Step::Recode { .. })).cloned().collect();
        let recoded: Vec<Step> = named
            .iter()
            .enumerate()
            .flat_map(|(place, step)| {
                let county = u8::try_from(place % 8).unwrap();
                [step.clone(), if place % 3 == 0 { Step::Rename { county } } else { Step::Recode { county } }]
            })
            .collect();
        let (one, other) = (play(&named), play(&recoded));
        let periods: Vec<Period> = periods(&one.fold);
        prop_assert_eq!(table(&one.fold, &periods), table(&other.fold, &periods));
        prop_assert_eq!(table(&restated(&one.fold), &periods), table(&restated(&other.fold), &periods));
    }
}

/// The areas that some change crossed: one side inside, the other not.
fn crossed(ledger: &Ledger<Views>) -> BTreeSet<RegionId> {
    use hefu_domain::event::Event;
    let mut crossed = BTreeSet::new();
    let mut views = Views::default();
    for (meta, event) in &ledger.log {
        let sides = match event {
            Event::RegionMerged(e) => Some((e.region, e.into)),
            Event::RegionSplit(e) => Some((e.region, e.into)),
            Event::RegionReparented(e) => Some((e.region, e.parent)),
            _ => None,
        };
        let sides = sides.map(|(a, b)| {
            let id = |code| views.state.regions.find(code).unwrap().id;
            (id(a), id(b))
        });
        if let Some((a, b)) = sides {
            let tree = &views.state.regions;
            for area in tree.iter().map(|region| region.id) {
                if tree.is_within(a, area) != tree.is_within(b, area) {
                    crossed.insert(area);
                }
            }
        }
        views.apply(meta, event).unwrap();
    }
    crossed
}
