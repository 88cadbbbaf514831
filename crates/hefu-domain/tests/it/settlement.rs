//! Laws of settlement over random receipts, refunds, late facts and disputes.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    amount::Money,
    region::RegionId,
    settlement::{Balances, Line, LineId, entitled, nets},
    state::State,
    tax::Cut,
};
use proptest::prelude::*;

use super::{
    ledger::{Ledger, date},
    script::{self, Run},
};

/// Three projects between counties of one city, of two cities and of two provinces; one more party; one chain.
const CASE: &str = "
    host 000000
    given P1 in 330108 since 2020-01-01
    given P1 moved 330109 on 2020-02-01 terms {\"tax\":{\"construction_bp\":5000}}
    330109 build P1 on 2020-03-01 -> ok
    given P2 in 330109 since 2020-01-01
    given P2 moved 330681 on 2020-02-01 terms {\"tax\":{\"construction_bp\":3333,\"unit\":\"receipt\",\"others\":[{\"region\":\"330000\",\"construction_bp\":3333}]}}
    330681 build P2 on 2020-03-01 -> ok
    given P2 moved 330108 on 2023-07-01 terms {\"tax\":{\"construction_bp\":4000}}
    330108 build P2 on 2023-08-01 -> ok
    given P3 in 330108 since 2020-01-01
    given P3 moved 361102 on 2020-02-01 terms {\"tax\":{\"construction_bp\":6000,\"cap\":\"5000.00\"}}
    361102 build P3 on 2020-03-01 -> ok
";

/// A receipt: project, day of a year, fen; whether it is reported only after its year was run; fen refunded later.
type Receipt = (usize, (u32, u32, u32), i64, bool, i64);

fn receipts() -> impl Strategy<Value = Vec<Receipt>> {
    let day = (2021..2025u32, 1..13u32, 1..29u32);
    let receipt = (0..3usize, day, 1..1_000_000i64, any::<bool>(), prop_oneof![Just(0), 1..1_000_000i64]);
    proptest::collection::vec(receipt, 1..14)
}

/// Who reports the tax of a project on a day.
fn host(project: usize, day: &str) -> &'static str {
    match project {
        0 => "330109.treasury",
        1 if day < "2023-07-01" => "330681.treasury",
        1 => "330108.treasury",
        _ => "361102.treasury",
    }
}

fn submit(run: &Run<State>, ledger: &mut Ledger<State>, signer: &str, text: &str) {
    let command = run.parse(text);
    ledger.submit(&[signer], &command).unwrap_or_else(|why| panic!("{text}: {why}"));
}

/// Plays four yearly runs; `disputed` names the lines to hold apart in the first, and they are released in the last.
fn play(receipts: &[Receipt], disputed: &BTreeSet<usize>) -> (Ledger<State>, Vec<Balances>) {
    let mut run: Run<State> = script::check(CASE, |_, _| String::new());
    let mut ledger = run.ledger.clone();
    let mut closings = Vec::new();
    for year in 2021..2025u32 {
        for (place, (project, (y, m, d), fen, late, refund)) in receipts.iter().enumerate() {
            let day = format!("{y}-{m:02}-{d:02}");
            let name = format!("P{}", project + 1);
            if (if *late { *y + 1 } else { *y }) == year {
                let text = format!("tax {name} local {day} {} voucher V{place}", Money::from_fen(*fen));
                submit(&run, &mut ledger, host(*project, &day), &text);
            }
            if *y + 1 == year && *refund > 0 {
                let text = format!(
                    "tax {name} local {year}-12-30 -{} refund_of {day} voucher R{place}",
                    Money::from_fen((*refund).min(*fen))
                );
                submit(&run, &mut ledger, host(*project, &day), &text);
            }
        }
        submit(&run, &mut ledger, "000000.treasury", &format!("run_settlement {year}"));
        let number = year - 2020;
        if number == 1 {
            let ids: Vec<LineId> = ledger.fold.settlement.lines.keys().copied().collect();
            for id in ids.iter().enumerate().filter(|(place, _)| disputed.contains(place)).map(|(_, id)| id) {
                assert!(ledger.fold.settlement.dispute(*id, Some(date("2026-01-05"))));
            }
        }
        if number == 4 {
            let ids: Vec<LineId> = ledger.fold.settlement.lines.keys().copied().collect();
            for id in &ids {
                assert!(ledger.fold.settlement.dispute(*id, None));
            }
        }
        run.ledger = ledger.clone();
        let parties: Vec<RegionId> = ledger.state().settlement.parties(number).into_iter().collect();
        for party in parties {
            let signer = format!("{}.treasury", ledger.state().code(party));
            submit(&run, &mut ledger, &signer, &format!("confirm_statement {year}"));
        }
        submit(&run, &mut ledger, "000000.treasury", &format!("finalise_settlement {year}"));
        closings.push(ledger.state().settlement.runs.last().unwrap().closing.clone().unwrap());
        run.ledger = ledger.clone();
    }
    (ledger, closings)
}

/// The sum of each clearing house.
fn sums(balances: &Balances) -> BTreeMap<RegionId, i64> {
    let mut sums = BTreeMap::new();
    for ((house, _), amount) in balances {
        *sums.entry(*house).or_insert(0) += amount;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Each house nets to 0, nobody's net changes by netting, each run opens with the last closing, and after any
    /// number of runs, late facts and refunds everybody has exactly what the receipts give.
    #[test]
    fn the_books_balance(receipts in receipts()) {
        let (ledger, closings) = play(&receipts, &BTreeSet::new());
        let state = ledger.state();
        for (place, closing) in closings.iter().enumerate() {
            prop_assert!(sums(closing).values().all(|sum| *sum == 0));
            let next = state.settlement.runs.get(place + 1);
            prop_assert!(next.is_none_or(|next| next.opening == *closing));
        }
        let lines: Vec<&Line> = state.settlement.lines.values().collect();
        let mut gross: BTreeMap<RegionId, i64> = BTreeMap::new();
        for line in &lines {
            *gross.entry(line.account.creditor).or_insert(0) += line.amount;
            *gross.entry(line.account.debtor).or_insert(0) -= line.amount;
        }
        let mut netted: BTreeMap<RegionId, i64> = BTreeMap::new();
        for ((_, region), amount) in nets(&state.regions, lines.into_iter()) {
            *netted.entry(region).or_insert(0) += amount;
        }
        gross.retain(|_, amount| *amount != 0);
        netted.retain(|_, amount| *amount != 0);
        prop_assert_eq!(&gross, &netted);
        let mut due: Balances = Balances::new();
        for (id, project) in &state.projects {
            let cut = Cut::until(date("2024-12-31"));
            for (account, amount) in entitled(&state.regions, project, &cut) {
                prop_assert_eq!(state.settlement.booked.get(id).and_then(|b| b.get(&account)).copied().unwrap_or(0), amount);
                let house = state.regions.common_superior(account.debtor, account.creditor);
                hefu_domain::settlement::add(&mut due, (house, account.creditor), amount);
                hefu_domain::settlement::add(&mut due, (house, account.debtor), -amount);
            }
        }
        prop_assert_eq!(closings.last().unwrap(), &due);
    }

    /// A dispute that is not resolved changes nobody else's balance; released, it leaves everything as if it had never been.
    #[test]
    fn a_dispute_moves_nobody_elses_money(receipts in receipts(), disputed in proptest::collection::btree_set(0..6usize, 1..3)) {
        let (plain, without) = play(&receipts, &BTreeSet::new());
        let (_, with) = play(&receipts, &disputed);
        let lines: Vec<Line> = plain.state().settlement.lines.iter().filter(|(id, _)| id.run == 1).map(|(_, line)| *line).collect();
        let touched: BTreeSet<RegionId> = disputed
            .iter()
            .filter_map(|place| lines.get(*place))
            .flat_map(|line| [line.account.debtor, line.account.creditor])
            .collect();
        for (a, b) in without.iter().zip(&with).take(3) {
            let others = |balances: &Balances| -> Balances {
                balances.iter().filter(|((_, region), _)| !touched.contains(region)).map(|(k, v)| (*k, *v)).collect()
            };
            prop_assert_eq!(others(a), others(b));
            prop_assert!(sums(b).values().all(|sum| *sum == 0));
        }
        prop_assert_eq!(without.last(), with.last());
    }
}
