//! What figures may become while something behind them is contested (semantics R11).

use std::collections::BTreeMap;

use hefu_domain::{
    amount::Decimal,
    command::{Command, OpenDispute},
    dispute::{DisputeId, DisputeReason, Matter, MatterKind},
    event::{ClaimConfirmed, ClaimRejected, Event, ObservationRuled},
    id::ProjectId,
    indicator::{IndicatorCode, Kind},
    period::Period,
    region::RegionId,
    state::{ClaimStatus, IndicatorId},
};
use hefu_projections::{
    Then, Views,
    contested::{Contested, Outcomes},
    counting::Row,
    report::Report,
    status::Status,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    history::{Step, history, play, with_areas},
    laws::{config, fold, periods},
    ledger::Ledger,
    script,
};

type Key = (RegionId, IndicatorCode, Period);

/// Every row, and what the contested ones may become.
fn rows(views: &Views, periods: &[Period]) -> (BTreeMap<Key, Row>, BTreeMap<Key, Outcomes>) {
    let (mut rows, mut open) = (BTreeMap::new(), BTreeMap::new());
    let indicators: Vec<IndicatorId> = views.state.indicator_ids.values().copied().collect();
    for period in periods {
        let contested = Contested::over(views, &indicators, *period);
        for region in views.state.regions.iter() {
            for (code, indicator) in &views.state.indicator_ids {
                let row = views.counting.row(&views.state, region.id, *indicator, *period);
                let key = (region.id, *code, *period);
                open.extend(contested.outcomes(views, &row).map(|outcomes| (key, outcomes)));
                rows.insert(key, row);
            }
        }
    }
    (rows, open)
}

fn figures(row: &Row) -> [Option<i128>; 5] {
    [row.territorial, row.shared, row.as_origin, row.as_destination, row.elimination]
}

fn entry_code(views: &Views, region: RegionId) -> String {
    views.state.regions.get(region).designations[0].code.to_string()
}

/// The claims that wait are those that a look at every transfer finds.
pub(super) fn waiting_claims(views: &Views) -> Vec<(ProjectId, u32)> {
    let projects = views.state.projects.iter();
    let numbered =
        projects.flat_map(|(id, known)| (0u32..).zip(&known.transfers).map(|(n, one)| (*id, n, one)));
    let waits = numbered.filter(|(.., one)| one.accepted_at.is_some() && one.claim == ClaimStatus::Pending);
    waits.map(|(id, number, _)| (id, number)).collect()
}

/// Opens disputes about everything that the bits choose; what the rules refuse is left out.
fn quarrel(ledger: &mut Ledger<Views>, mut choose: u64) {
    let mut matters: Vec<(String, Matter, Option<Decimal>)> = Vec::new();
    for (id, project) in &ledger.fold.state.projects {
        for (number, transfer) in (0u32..).zip(&project.transfers) {
            let by = entry_code(&ledger.fold, transfer.origin);
            let claim = Matter {
                indicator: None,
                kind: MatterKind::Claim,
                line: None,
                period: None,
                project: *id,
                transfer: Some(number),
            };
            matters.push((by, claim, None));
        }
        for (place, o) in ledger.fold.counting.observations(*id).iter().enumerate() {
            let entry = &ledger.fold.state.indicators[usize::from(o.indicator.0)];
            let matter = Matter {
                indicator: Some(entry.code),
                kind: MatterKind::Observation,
                line: None,
                period: Some(o.period),
                project: *id,
                transfer: None,
            };
            // Later origins join the first, and say something else.
            for (nth, transfer) in (0i64..).zip(&project.transfers) {
                let say = || Decimal::from_minor(o.value / 2 - 7 + nth * 1_000, entry.unit.scale());
                let said = (place % 3 > 0 || nth > 0).then(say);
                matters.push((entry_code(&ledger.fold, transfer.origin), matter, said));
            }
        }
    }
    for (number, (by, matter, amount)) in (1u128..).zip(matters) {
        choose = choose.rotate_left(1);
        if choose & 1 == 1 {
            let open = OpenDispute {
                amount,
                dispute: DisputeId(Uuid::from_u128(number)),
                evidence: Vec::new(),
                reason: DisputeReason::Other,
                statement: String::new(),
                matter,
            };
            let _ = ledger.submit(&[&format!("{by}.office")], &Command::from(open));
        }
    }
}

/// Folds the facts that answer every open question: refused, confirmed, or as the bits say; of a value that several
/// dispute, what the first says where all is refused, else what one of them says.
fn resolve(ledger: &Ledger<Views>, mut confirm: impl FnMut() -> bool) -> Views {
    let mut views = ledger.fold.clone();
    let mut facts: Vec<Event> = Vec::new();
    let judge = |project: ProjectId, transfer: u32, stands: bool| -> Event {
        let by = "330000".parse().unwrap();
        if stands {
            ClaimConfirmed { by, project, transfer }.into()
        } else {
            ClaimRejected { by, project, reason: String::new(), transfer }.into()
        }
    };
    let state = &ledger.fold.state;
    for (id, project) in &state.projects {
        for (number, transfer) in (0u32..).zip(&project.transfers) {
            let about = |kind| Matter {
                indicator: None,
                kind,
                line: None,
                period: None,
                project: *id,
                transfer: Some(number),
            };
            let disputed = state.open_disputes.contains_key(&about(MatterKind::Claim));
            let waits = transfer.claim == ClaimStatus::Pending && project.landed(transfer).is_some();
            if disputed || waits {
                facts.push(judge(*id, number, confirm()));
            }
        }
    }
    for (matter, id) in &state.open_disputes {
        if let (MatterKind::Observation, Some(indicator), Some(period)) =
            (matter.kind, matter.indicator, matter.period)
        {
            let scale = state.indicator(indicator).unwrap().1.unit.scale();
            // Left out and 0 are the same to every sum.
            let said: Vec<Decimal> = state
                .said(*id)
                .map(|amount| amount.cloned().unwrap_or_else(|| Decimal::from_minor(0, scale)))
                .collect();
            if !confirm() {
                let chosen = (1..said.len()).rfind(|_| confirm()).unwrap_or(0);
                facts.push(
                    ObservationRuled {
                        dispute: *id,
                        indicator,
                        period,
                        project: matter.project,
                        value: said[chosen].clone(),
                    }
                    .into(),
                );
            }
        }
    }
    let mut meta = ledger.log.last().unwrap().0;
    for fact in facts {
        meta.position += 1;
        views.apply(&meta, &fact).unwrap();
    }
    views
}

proptest! {
    #![proptest_config(config(40))]

    /// Whatever is decided, figures become what was shown, and never leave the bounds; what is not marked never moves.
    #[test]
    fn an_outcome_is_what_was_shown_for_it(steps in history(), choose in any::<u64>(), confirm in any::<u64>()) {
        let mut steps = steps;
        steps.insert(0, Step::Policy { superior: choose & 1 == 1, last_hop: choose & 2 == 2, large: 2 });
        let mut ledger = play(&steps);
        quarrel(&mut ledger, choose);
        let known = |views: &Views| views.state.waiting_claims.iter().copied().collect::<Vec<_>>();
        prop_assert_eq!(known(&ledger.fold), waiting_claims(&ledger.fold));
        let periods = periods(&ledger.fold);
        let (now, open) = rows(&ledger.fold, &periods);
        let (refused, _) = rows(&resolve(&ledger, || false), &periods);
        let (confirmed, _) = rows(&resolve(&ledger, || true), &periods);
        let mut bits = confirm;
        let mixed = resolve(&ledger, || { bits = bits.rotate_left(1); bits & 1 == 1 });
        prop_assert_eq!(known(&mixed), waiting_claims(&mixed));
        let (mixed, _) = rows(&mixed, &periods);
        for (key, row) in &now {
            let name = format!("{} {} {}", entry_code(&ledger.fold, key.0), key.1, key.2);
            let Some(outcomes) = open.get(key) else {
                for other in [&refused, &confirmed, &mixed] {
                    prop_assert_eq!(figures(row), figures(&other[key]), "{} is not marked", name);
                }
                continue;
            };
            prop_assert_eq!(figures(&outcomes.if_refused), figures(&refused[key]), "refused {}", name);
            prop_assert_eq!(figures(&outcomes.if_confirmed), figures(&confirmed[key]), "confirmed {}", name);
            let (lower, upper) = (figures(&outcomes.lower), figures(&outcomes.upper));
            for outcome in [row, &refused[key], &confirmed[key], &mixed[key]] {
                for (place, figure) in figures(outcome).into_iter().enumerate() {
                    // The quotient of a denominator that may vanish has no bounds.
                    let (Some(low), Some(figure), Some(high)) = (lower[place], figure, upper[place]) else { continue };
                    prop_assert!(low <= figure && figure <= high, "{} {}: {} {} {}", name, place, low, figure, high);
                }
            }
            let ratio = ledger.fold.state.indicator(key.1).unwrap().1.kind == Kind::Ratio;
            prop_assert!(ratio || lower != upper, "{} is marked and cannot move", name);
        }
        let nothing_open = resolve(&ledger, || true);
        let undisputed = ledger.fold.state.open_disputes.is_empty();
        prop_assert!(!undisputed || rows(&nothing_open, &periods).1.is_empty());
    }
}

/// `region indicator period`: status, and shared if refused … if confirmed, lower … upper.
fn show(ledger: &Ledger<Views>, words: &[&str]) -> String {
    let [region, indicator, period] = words else { panic!("{words:?}") };
    let views = &ledger.fold;
    let (indicator, _) = views.state.indicator(indicator.parse().unwrap()).unwrap();
    let row = views.counting.row(&views.state, ledger.region(region), indicator, period.parse().unwrap());
    let outcomes = Contested::over(views, &[indicator], row.period).outcomes(views, &row);
    let status = Status::of(views, &row, outcomes.as_ref()).letter();
    let told = outcomes.map(|Outcomes { if_refused, if_confirmed, lower, upper }| {
        let pair = |a: &Row, b: &Row, of: fn(&Row) -> Option<i128>| {
            [of(a), of(b)].map(|figure| row.text(figure).unwrap_or_else(|| "-".to_owned())).join("..")
        };
        let shared = |row: &Row| row.shared;
        let elimination = if row.elimination.is_some() {
            format!(" X {}", pair(&lower, &upper, |row| row.elimination))
        } else {
            String::new()
        };
        let (outcomes, bounds) = (pair(&if_refused, &if_confirmed, shared), pair(&lower, &upper, shared));
        format!(" {outcomes} within {bounds}{elimination}")
    });
    status.to_owned() + &told.unwrap_or_default()
}

#[test]
fn contested_figures_as_written_down() {
    script::check::<Views>(include_str!("../scripts/contested.txt"), show);
}

/// More claims than are tried out one by one: the bounds are nothing and the whole.
#[test]
fn too_many_claims_to_try_out() {
    let mut lines = vec![
        r#"policy {"claim_confirmation":"superior"}"#.to_owned(),
        "given P1 in 330108 since 2023-01-01".to_owned(),
    ];
    for hop in 1..=11 {
        let to = if hop % 2 == 1 { "330881" } else { "330802" };
        lines.push(format!("given P1 moved {to} on 2023-02-{:02}", hop + 1));
    }
    lines.push("330881 report P1 INV_FAI 2023-03 1000.00 -> ok".to_owned());
    lines.push("show 330108 INV_FAI 2023-03 -> V 0.00..1000.00 within 0.00..1000.00".to_owned());
    lines.push("show 330802 INV_FAI 2023-03 -> V 0.00..1000.00 within 0.00..1000.00".to_owned());
    lines.push(
        "show 330000 INV_FAI 2023-03 -> V 1000.00..1000.00 within 0.00..1000.00 X -2000.00..1000.00"
            .to_owned(),
    );
    script::check::<Views>(&lines.join("\n"), show);
}

proptest! {
    #![proptest_config(config(60))]

    /// As of a past position a report tells what it told then, wherever that can be told without folding the log again:
    /// wherever nothing was contested about a project with a part in the area.
    #[test]
    fn a_report_of_the_past_is_the_report_of_that_time(
        steps in with_areas(),
        choose in any::<u64>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut ledger = play(&steps);
        quarrel(&mut ledger, choose);
        let size = 4 + cut.index(ledger.log.len() - 3);
        let (now, before) = (&ledger.fold, fold(ledger.log[..size].iter()));
        let then = Then { size: size as u64, ts: before.ts };
        for period in periods(now) {
            for (region, indicator) in now.state.regions.iter().flat_map(|region| {
                now.state.indicator_ids.values().map(|indicator| (region.id, *indicator))
            }) {
                let asked = || (vec![region], vec![indicator], period);
                let (areas, indicators, period) = asked();
                if let Some(told) = Report::then(now, then, areas, indicators, period) {
                    let (areas, indicators, period) = asked();
                    let known = Report::new(&before, areas, indicators, period);
                    prop_assert_eq!(told.figure(region, indicator), known.figure(region, indicator));
                    prop_assert_eq!(told.status(&told.row(region, indicator)), known.figure(region, indicator).status);
                }
            }
        }
    }
}

#[test]
fn what_nobody_contested_is_told_without_folding_again() {
    let register = |project| Step::Register { project, county: 0, month: 0, planned: 1 };
    let ledger = play(&[register(1), register(2), register(3)]);
    let (now, size) = (&ledger.fold, ledger.log.len() as u64 - 1);
    let then = Then { size, ts: ledger.log[ledger.log.len() - 2].0.ts };
    let (nation, period) = (RegionId(0), "2023".parse().unwrap());
    let count = now.state.indicator("N_PRJ".parse().unwrap()).map(|(id, _)| id);
    let report = Report::then(now, then, vec![nation], vec![count.unwrap()], period);
    assert!(report.is_some());
    // Before the regions were there, the lists were others.
    let then = Then { size: 1, ts: now.ts };
    assert!(Report::then(now, then, vec![nation], Vec::new(), period).is_none());
}
