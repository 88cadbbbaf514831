//! The laws of counting over random histories (semantics section 3), and the one that holds them all together: the
//! cube is what a slow recount finds.

use std::collections::BTreeMap;

use hefu_domain::{
    command::{MergeProjects, SplitPart, SplitProject},
    event::Event,
    id::ProjectId,
    indicator::{Count, IndicatorCode, Kind},
    period::Period,
    region::RegionId,
    state::Meta,
};
use hefu_projections::{Views, counting::Row, explain::explain};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

use super::{
    history::{Step, history, later, play, play_inside, terms},
    ledger::Ledger,
    recount::Book,
    script,
};

pub(crate) fn config(cases: u32) -> ProptestConfig {
    let file = FileFailurePersistence::Direct("tests/proptest-regressions/laws.txt");
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(file)),
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

pub(crate) type Record = (Meta, Event);
pub(crate) type Table = BTreeMap<(RegionId, IndicatorCode, Period), Row>;

/// The periods worth looking at: all reported ones, the quarters and years they lie in, and one without reports.
pub(crate) fn periods(views: &Views) -> Vec<Period> {
    let reported =
        views.counting.observed().flat_map(|(_, all)| all.iter().map(|observation| observation.period));
    let mut periods: Vec<Period> = Vec::new();
    for period in reported {
        let months = |first, last| Period::months(period.year(), first, last).unwrap();
        let (_, last) = period.range();
        let quarter = last.div_ceil(3) * 3;
        periods.extend([
            period,
            months(quarter - 2, quarter),
            months(1, 12),
            months(1, 2),
            months(last, last),
        ]);
    }
    periods.extend(["2023-06".parse::<Period>().unwrap(), "2025".parse().unwrap()]);
    periods.sort_unstable();
    periods.dedup();
    periods
}

/// Every figure of every area.
pub(crate) fn table(views: &Views, periods: &[Period]) -> Table {
    let mut table = Table::new();
    for region in views.state.regions.iter() {
        for (code, id) in &views.state.indicator_ids {
            for period in periods {
                let row = views.counting.row(&views.state, region.id, *id, *period);
                table.insert((region.id, *code, *period), row);
            }
        }
    }
    table
}

pub(crate) fn full_table(ledger: &Ledger<Views>) -> Table {
    table(&ledger.fold, &periods(&ledger.fold))
}

pub(crate) fn fold<'a>(events: impl Iterator<Item = &'a Record>) -> Views {
    let mut views = Views::default();
    events.for_each(|(meta, event)| views.apply(meta, event).unwrap());
    views
}

pub(crate) fn entry_code(views: &Views, region: RegionId) -> String {
    views.state.regions.get(region).designations[0].code.to_string()
}

proptest! {
    #![proptest_config(config(80))]

    /// Splitting a project moves nothing on the territorial basis; splitting and merging again changes no figure but counts.
    /// What was known before stays known.
    #[test]
    fn split_then_merge_is_the_identity(steps in history(), pick in 0usize..100, ppm in 0u32..=1_000_000, days in 0u16..800) {
        let mut ledger = play(&steps);
        let state = &ledger.fold.state;
        let whole: Vec<ProjectId> = state.projects.iter()
            .filter(|(_, project)| project.closed.is_none() && project.pending().is_none() && !project.suspended)
            .map(|(id, _)| *id)
            .collect();
        prop_assume!(!whole.is_empty());
        let whole = whole[pick % whole.len()];
        let known = &state.projects[&whole];
        let office = format!("{}.office", entry_code(&ledger.fold, known.current().region));
        let date = later(known.latest, days).min(ledger.now.date());
        let part = |id: &str, ppm: u32| SplitPart {
            by_indicator: BTreeMap::new(), codes: Vec::new(), name: id.to_owned(), ppm, project: super::ledger::project(id),
        };
        let periods = periods(&ledger.fold);
        let (before, size) = (table(&ledger.fold, &periods), ledger.fold.size);
        let counts: Vec<IndicatorCode> = ledger.fold.state.indicators.iter()
            .filter(|indicator| indicator.kind == Kind::Count).map(|indicator| indicator.code).collect();
        let figures = |table: Table| -> Table {
            table.into_iter().filter(|((_, indicator, _), _)| !counts.contains(indicator)).collect()
        };
        let split = SplitProject {
            date, endorsements: Vec::new(), into: vec![part("P901", ppm), part("P902", 1_000_000 - ppm)],
            project: whole, reason: String::new(),
        };
        ledger.submit(&[&office], &split.into()).unwrap();
        let territorial = |table: &Table| -> Vec<(RegionId, IndicatorCode, Period, Option<i128>)> {
            let rows = table.iter().filter(|((_, indicator, _), _)| !counts.contains(indicator));
            rows.map(|((region, indicator, period), row)| (*region, *indicator, *period, row.territorial)).collect()
        };
        prop_assert_eq!(territorial(&table(&ledger.fold, &periods)), territorial(&before));
        let merge = MergeProjects {
            codes: Vec::new(), date, endorsements: Vec::new(),
            from: vec![super::ledger::project("P902"), super::ledger::project("P901")], name: "P903".to_owned(),
            project: super::ledger::project("P903"), reason: String::new(),
        };
        ledger.submit(&[&office], &merge.into()).unwrap();
        let waiting: Vec<_> = ledger.fold.state.waiting_claims.iter().copied().collect();
        prop_assert_eq!(waiting, super::contested::waiting_claims(&ledger.fold));
        let after = table(&ledger.fold, &periods);
        let stock = |row: &Row| row.missing;
        for ((key, was), (_, is)) in figures(before.clone()).iter().zip(figures(after).iter()) {
            prop_assert_eq!((was.territorial, was.as_origin, was.as_destination, was.elimination, stock(was)),
                (is.territorial, is.as_origin, is.as_destination, is.elimination, stock(is)), "{:?}", key);
        }
        for ((region, code, period), was) in &before {
            let id = ledger.fold.state.indicator_ids[code];
            if let Some(then) = ledger.fold.counting.row_at(&ledger.fold.state, *region, (id, *period), size) {
                prop_assert_eq!(&then, was);
            }
        }
    }

    /// The main law.
    #[test]
    fn the_cube_is_what_a_recount_finds(steps in history()) {
        let ledger = play(&steps);
        let views = &ledger.fold;
        let book = Book::read(ledger.log.iter().map(|(_, event)| event));
        for ((region, indicator, period), row) in full_table(&ledger) {
            let area = entry_code(views, region);
            let name = format!("{area} {indicator} {period}");
            let (first, last) = period.range();
            let months = (i32::from(period.year()), u32::from(first), u32::from(last));
            let Some(figures) = book.figures(&area, indicator.as_str(), months) else {
                let ratio = |shared| book.ratio(&area, indicator.as_str(), months, shared);
                prop_assert_eq!((row.territorial, row.shared), (ratio(false), ratio(true)), "{}", name);
                prop_assert_eq!(row.missing, row.territorial.is_none() && row.shared.is_none(), "{}", name);
                prop_assert_eq!((row.as_origin, row.as_destination, row.elimination), (None, None, None), "{}", name);
                continue;
            };
            prop_assert_eq!(row.territorial, Some(figures.territorial), "T {}", name);
            prop_assert_eq!(row.as_destination, Some(figures.as_destination), "D {}", name);
            prop_assert_eq!(row.as_origin, Some(figures.as_origin), "O {}", name);
            prop_assert_eq!(row.shared, Some(figures.shared()), "S {}", name);
            let children = views.state.regions.children(region);
            let below: i128 = children
                .iter()
                .map(|child| book.figures(&entry_code(views, *child), indicator.as_str(), months).unwrap().shared())
                .sum();
            let elimination = (!children.is_empty()).then(|| figures.shared() - below);
            prop_assert_eq!(row.elimination, elimination, "X {}", name);
            let stock = views.state.indicator(indicator).unwrap().1.kind == Kind::Stock;
            prop_assert_eq!(row.missing, stock && figures.facts == 0, "missing {}", name);
        }
        // What the cube holds for the year is what was reported in it.
        prop_assert!(book.reported().iter().all(|months| months.0 >= 2024));
    }
}

proptest! {
    #![proptest_config(config(40))]

    /// T(parent) = Σ T(children); S(parent) = Σ S(children) + X(parent); shared = as destination + as origin.
    #[test]
    fn areas_add_up(steps in history()) {
        let ledger = play(&steps);
        let views = &ledger.fold;
        let table = full_table(&ledger);
        for ((region, indicator, period), row) in &table {
            let name = format!("{} {indicator} {period}", entry_code(views, *region));
            if views.state.indicator(*indicator).unwrap().1.kind == Kind::Ratio {
                continue;
            }
            prop_assert_eq!(row.shared.unwrap(), row.as_destination.unwrap() + row.as_origin.unwrap(), "{}", name);
            let children = views.state.regions.children(*region);
            if children.is_empty() {
                prop_assert_eq!(row.elimination, None);
                continue;
            }
            let below = |figure: fn(&Row) -> i128| -> i128 {
                children.iter().map(|child| figure(&table[&(*child, *indicator, *period)])).sum()
            };
            prop_assert_eq!(row.territorial.unwrap(), below(|row| row.territorial.unwrap()), "{}", name);
            prop_assert_eq!(row.shared.unwrap(), below(|row| row.shared.unwrap()) + row.elimination.unwrap(), "{}", name);
        }
        // An area that no move has crossed shows the same on both bases.
        let book = Book::read(ledger.log.iter().map(|(_, event)| event));
        for ((region, indicator, period), row) in &table {
            let area = entry_code(views, *region);
            if !views.state.regions.children(*region).is_empty() && !book.crossed(&area) {
                prop_assert_eq!(row.shared, row.territorial, "{} {} {}", area, indicator, period);
            }
        }
    }

    /// S(province) = T(province) when all moves stay inside.
    #[test]
    fn a_province_without_moves_across_its_border_shows_the_same_on_both_bases(steps in history()) {
        let ledger = play_inside(&steps);
        let table = full_table(&ledger);
        for code in ["330000", "360000", "000000"] {
            let region = ledger.region(code);
            for (key, row) in table.iter().filter(|((area, _, _), _)| *area == region) {
                prop_assert_eq!(row.shared, row.territorial, "{:?}", key);
            }
        }
    }

    /// With no live claims S = T: windows of no length, or claims that nobody confirms.
    #[test]
    fn without_live_claims_both_bases_are_one(steps in history(), confirmed in any::<bool>()) {
        let mut steps = steps;
        steps.retain(|step| !matches!(step, Step::Policy { .. } | Step::Judge { confirm: true, .. }));
        if confirmed {
            for step in &mut steps {
                if let Step::Move { terms, .. } = step {
                    let credits = &mut terms.credits;
                    for credit in [&mut credits.attraction, &mut credits.investment, &mut credits.research, &mut credits.value_added] {
                        credit.get_or_insert_default().months = Some(0);
                    }
                }
            }
        } else {
            steps.insert(0, Step::Policy { superior: true, last_hop: false, large: 2 });
        }
        let ledger = play(&steps);
        for (key, row) in full_table(&ledger) {
            prop_assert_eq!(row.shared, row.territorial, "{:?}", key);
            prop_assert!(row.as_origin.is_none_or(|figure| figure == 0) && row.elimination.is_none_or(|x| x == 0));
        }
    }

    /// Behind every cell: lines that sum to it exactly, none of them beyond its observation, |S| ≤ |value|.
    #[test]
    fn the_lines_behind_a_cell_sum_to_it(steps in history()) {
        let ledger = play(&steps);
        let views = &ledger.fold;
        for ((region, indicator, period), row) in full_table(&ledger) {
            let (id, entry) = views.state.indicator(indicator).unwrap();
            let lines = explain(views, region, id, period);
            if entry.kind == Kind::Ratio {
                prop_assert!(lines.is_empty());
                continue;
            }
            let sum = |figure: &dyn Fn(&hefu_projections::explain::Line) -> i64| -> Option<i128> {
                Some(lines.iter().map(|line| i128::from(figure(line))).sum())
            };
            prop_assert_eq!(row.territorial, sum(&|line| line.area.territorial));
            prop_assert_eq!(row.as_destination, sum(&|line| line.area.as_destination));
            prop_assert_eq!(row.as_origin, sum(&|line| line.area.as_origin));
            let eliminated: i128 = lines.iter().filter_map(|line| line.elimination).map(i128::from).sum();
            prop_assert_eq!(row.elimination.unwrap_or(0), eliminated);
            for line in &lines {
                let shared = line.area.as_destination + line.area.as_origin;
                prop_assert!(shared.abs() <= line.value.abs() && shared.signum() * line.value.signum() >= 0);
                prop_assert!(line.area.territorial == 0 || line.area.territorial == line.value);
                prop_assert_eq!(line.elimination.is_some(), row.elimination.is_some());
                prop_assert_eq!(line.weights.len(), line.shares.len());
                let total: u32 = line.weights.iter().map(|weight| weight.bp).sum();
                if total == 10_000 && entry.kind != Kind::Count {
                    prop_assert_eq!(line.shares.iter().sum::<i64>(), line.value);
                }
                prop_assert_eq!(line.position.is_none(), entry.kind == Kind::Count);
                if let Some(position) = line.position {
                    let (_, event) = &ledger.log[usize::try_from(position).unwrap()];
                    prop_assert_eq!(event.project(), Some(line.project));
                    prop_assert!(event.kind().starts_with("observation."));
                }
                for position in &line.transfers {
                    let (_, event) = &ledger.log[usize::try_from(*position).unwrap()];
                    prop_assert_eq!((event.kind(), event.project()), ("transfer.accepted", Some(line.project)));
                }
            }
        }
    }

    /// Flows add up over periods: what lies in a year is the sum of the periods reported in it.
    #[test]
    fn flows_add_up_over_periods(steps in history()) {
        let ledger = play(&steps);
        let views = &ledger.fold;
        let reported: Vec<(i16, Period)> = {
            let all = views.counting.observed().flat_map(|(_, all)| all.iter().map(|o| (o.period.year(), o.period)));
            let set: std::collections::BTreeSet<_> = all.collect();
            set.into_iter().collect()
        };
        for (code, id) in &views.state.indicator_ids {
            if views.state.indicator(*code).unwrap().1.kind != Kind::Flow {
                continue;
            }
            for region in views.state.regions.iter() {
                for year in [2024, 2025, 2026] {
                    let cell = |first, last| {
                        let period = Period::months(year, first, last).unwrap();
                        views.counting.cell(&views.state, region.id, *id, period)
                    };
                    let whole = cell(1, 12);
                    // Alone: the cell of a reported period without the shorter ones inside it.
                    let inner = |period: Period| -> (i128, i128) {
                        let lines = explain(views, region.id, *id, period);
                        let own = lines.iter().filter(|line| line.period == period);
                        own.fold((0, 0), |(t, s), line| {
                            let shared = line.area.as_destination + line.area.as_origin;
                            (t + i128::from(line.area.territorial), s + i128::from(shared))
                        })
                    };
                    let parts = reported.iter().filter(|(y, _)| *y == year).map(|(_, period)| inner(*period));
                    let sum = parts.fold((0, 0), |(t, s), part| (t + part.0, s + part.1));
                    prop_assert_eq!((whole.territorial, whole.shared()), sum);
                }
            }
        }
    }

    /// A fold of the log from zero, or from a snapshot anywhere in it, is the same; and what was answered at a
    /// position stays the answer as of it.
    #[test]
    fn replay_from_any_snapshot_is_replay_from_zero(steps in history(), cut in any::<prop::sample::Index>()) {
        let ledger = play(&steps);
        let cut = cut.index(ledger.log.len());
        let (before, after) = ledger.log.split_at(cut);
        let early = fold(before.iter());
        let answered = table(&early, &periods(&ledger.fold));
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&early, config).unwrap();
        let (mut views, _): (Views, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
        prop_assert_eq!(&views, &early);
        for (meta, event) in after {
            views.apply(meta, event).unwrap();
        }
        prop_assert_eq!(&views, &ledger.fold);
        prop_assert_eq!(&views, &fold(ledger.log.iter()));
        prop_assert_eq!(views.size, ledger.log.len() as u64);
        // As of the position, asked after everything else has happened.
        let again = fold(ledger.log.iter().filter(|(meta, _)| meta.position < cut as u64));
        prop_assert_eq!(table(&again, &periods(&ledger.fold)), answered);
    }

    /// An answer as of a past position never changes: what the histories of the sums say of it, after everything else has
    /// happened, is what was answered then.
    #[test]
    fn the_past_is_answered_without_folding_again(steps in history(), cut in any::<prop::sample::Index>()) {
        let ledger = play(&steps);
        let size = 4 + cut.index(ledger.log.len() - 3);
        let then = fold(ledger.log[..size].iter());
        let now = &ledger.fold;
        for ((region, code, period), row) in table(&then, &periods(now)) {
            let (indicator, entry) = now.state.indicator(code).unwrap();
            let told = now.counting.row_at(&now.state, region, (indicator, period), size as u64);
            if entry.count == Some(Count::LargeProjectsImplemented) {
                prop_assert_eq!(told, None);
            } else {
                prop_assert_eq!(told, Some(row), "{} {} {}", entry_code(now, region), code, period);
            }
        }
    }

    /// The order in which independent projects' events arrive does not matter.
    #[test]
    fn the_order_of_independent_projects_does_not_matter(
        steps in history(),
        draws in proptest::collection::vec(any::<prop::sample::Index>(), 400),
    ) {
        let ledger = play(&steps);
        let (common, mut streams) = split(&ledger.log);
        let mut views = fold(common.iter());
        let mut draws = draws.into_iter().cycle();
        while !streams.is_empty() {
            let place = draws.next().unwrap().index(streams.len());
            let (meta, event) = streams[place].remove(0);
            views.apply(&meta, &event).unwrap();
            streams.retain(|stream| !stream.is_empty());
        }
        let periods = periods(&ledger.fold);
        prop_assert_eq!(table(&views, &periods), table(&ledger.fold, &periods));
        prop_assert_eq!(&views.state.projects, &ledger.fold.state.projects);
    }

    /// Renaming and recoding change no number.
    #[test]
    fn names_and_codes_change_no_number(steps in history()) {
        let named: Vec<Step> =
            steps.iter().filter(|step| !matches!(step, Step::Rename { .. } | Step::Recode { .. })).cloned().collect();
        // A county is recoded or renamed after every step.
        let recoded: Vec<Step> = named
            .iter()
            .enumerate()
            .flat_map(|(place, step)| {
                let county = u8::try_from(place % 8).unwrap();
                let change = if place % 3 == 0 { Step::Rename { county } } else { Step::Recode { county } };
                [step.clone(), change]
            })
            .collect();
        let (one, other) = (play(&named), play(&recoded));
        let periods = periods(&one.fold);
        prop_assert_eq!(table(&one.fold, &periods), table(&other.fold, &periods));
    }
}

/// Events of no project, and each project's own.
fn split(log: &[Record]) -> (Vec<Record>, Vec<Vec<Record>>) {
    let mut streams: BTreeMap<Option<ProjectId>, Vec<Record>> = BTreeMap::new();
    for record in log {
        streams.entry(record.1.project()).or_default().push(record.clone());
    }
    let common = streams.remove(&None).unwrap_or_default();
    (common, streams.into_values().collect())
}

proptest! {
    #![proptest_config(config(60))]

    /// A→B→A leaves T everywhere, and S of every area that holds all participants, as if it had never moved.
    #[test]
    fn there_and_back_is_as_if_it_had_never_moved(
        there in terms(),
        back in terms(),
        (a, b) in (0..8usize, 0..8usize),
        value in -1_000_000i64..1_000_000,
    ) {
        let counties = super::history::COUNTIES;
        let (a, b) = (counties[a], counties[b]);
        let reports = ["INV_FAI", "VA_IND", "RD_EXP", "ZS_FUND", "EMP"].map(|indicator| {
            let value = if indicator == "EMP" { value.to_string() } else { hefu_domain::amount::format_minor(value.into(), 2) };
            format!("{a} report P1 {indicator} 2025-06 {value} -> ok")
        });
        let json = |terms: &hefu_domain::terms::ProposedTerms| serde_json::to_string(terms).unwrap();
        let begin = format!("policy {{\"multi_hop\":\"chain\"}}\ngiven P1 in {a} since 2023-01-10 planned 1000000000.00");
        let moves = format!("given P1 moved {b} on 2024-01-01 terms {}\ngiven P1 moved {a} on 2025-01-01 terms {}", json(&there), json(&back));
        let end = reports.join("\n");
        let run = |moves: &str| script::check::<Views>(&format!("{begin}\n{moves}\n{end}"), |_, _| String::new()).ledger;
        let (moved, stayed) = (run(&moves), run(""));
        let periods = ["2025-06", "2025-Q2", "2025"].map(|period| period.parse::<Period>().unwrap());
        let (left, right) = (table(&moved.fold, &periods), table(&stayed.fold, &periods));
        let tree = &moved.state().regions;
        let (a, b) = (moved.region(a), moved.region(b));
        for ((region, indicator, period), row) in &left {
            let never = &right[&(*region, *indicator, *period)];
            prop_assert_eq!(row.territorial, never.territorial);
            let above = tree.is_within(a, *region) && tree.is_within(b, *region) && !tree.children(*region).is_empty();
            if above {
                prop_assert_eq!(row.shared, never.shared, "{} {} {}", entry_code(&moved.fold, *region), indicator, period);
            }
        }
    }
}
