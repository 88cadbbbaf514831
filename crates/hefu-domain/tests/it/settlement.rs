//! Laws of settlement over random receipts, refunds, late facts and disputes.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    amount::Money,
    dispute::Stage,
    region::RegionId,
    settlement::{Balances, Line, LineId, add, entitled, nets},
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

/// What becomes of a dispute of a line.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Nobody ends it.
    Open,
    /// Its opener withdraws it.
    Withdrawn,
    /// Both agree that the line should say this, in fen.
    Agreed(i64),
    /// Two persons rule that it should, and both parties give up the appeal.
    Ruled(i64),
    /// They dismiss it.
    Dismissed,
}

fn ends() -> impl Strategy<Value = BTreeMap<usize, End>> {
    let value = -500_000..1_000_000i64;
    let end = prop_oneof![
        Just(End::Open),
        Just(End::Withdrawn),
        Just(End::Dismissed),
        value.clone().prop_map(End::Agreed),
        value.prop_map(End::Ruled),
    ];
    proptest::collection::btree_map(0..6usize, end, 1..4)
}

/// Debtors dispute lines of the first run.
fn quarrel(run: &mut Run<State>, ledger: &mut Ledger<State>, disputed: &BTreeMap<usize, End>) {
    let lines: Vec<(LineId, Line)> =
        ledger.state().settlement.lines.iter().map(|(id, line)| (*id, *line)).collect();
    for place in disputed.keys().filter(|place| **place < lines.len()) {
        let (id, line) = &lines[*place];
        let name = (1..4).map(|n| format!("P{n}")).find(|name| super::ledger::project(name) == line.project);
        let by = format!("{}.treasury", ledger.state().code(line.account.debtor));
        submit(run, ledger, &by, &format!("dispute D{place} line {id} {}", name.unwrap()));
        run.ledger = ledger.clone();
    }
}

/// And each dispute comes to its end.
fn resolve(run: &mut Run<State>, ledger: &mut Ledger<State>, disputed: &BTreeMap<usize, End>) {
    for (place, end) in disputed {
        let name = format!("D{place}");
        let id = script::dispute(&name).parse().unwrap();
        let Some(known) = ledger.state().disputes.get(&id).cloned() else { continue };
        let office = |region: RegionId| format!("{}.office", ledger.state().code(region));
        let (by, other, ruler) = (office(known.by), office(known.others[0]), known.ruler);
        let ruler = ledger.state().code(ruler);
        // What creditor and debtor have of the tax behind the line bounds what it can be let say.
        let line = known.matter.line.unwrap();
        let settlement = &ledger.state().settlement;
        let says = settlement.says(line).unwrap();
        let (least, most) = settlement.room(&ledger.state().regions, &ledger.state().projects, line).unwrap();
        let within = |fen: i64| fen.clamp(says + least.min(0), says + most.max(0));
        if let End::Agreed(fen) = end
            && within(*fen) != *fen
        {
            let text = format!("settle {name} correct_value value {}", Money::from_fen(*fen));
            let refused = ledger.clone().submit(&[&by, &other], &run.parse(&text)).unwrap_err();
            assert_eq!(refused.code(), "ruling_too_large");
        }
        let remedy = match end {
            End::Open => continue,
            End::Withdrawn => {
                submit(run, ledger, &by, &format!("drop {name}"));
                continue;
            }
            End::Agreed(fen) => {
                let text = format!("settle {name} correct_value value {}", Money::from_fen(within(*fen)));
                ledger.submit(&[&by, &other], &run.parse(&text)).unwrap();
                continue;
            }
            End::Ruled(fen) => format!("correct_value value {}", Money::from_fen(within(*fen))),
            End::Dismissed => "dismiss".to_owned(),
        };
        submit(run, ledger, &other, &format!("answer {name}"));
        submit(run, ledger, &format!("{ruler}.office"), &format!("rule {name} {remedy}"));
        run.ledger = ledger.clone();
        submit(run, ledger, &format!("{ruler}.coordinator"), &format!("approve {name}"));
        if ledger.state().disputes[&id].stage == Stage::Ruled {
            submit(run, ledger, &by, &format!("waive_appeal {name}"));
            submit(run, ledger, &other, &format!("waive_appeal {name}"));
        }
    }
}

/// Plays four yearly runs. Lines of the first are disputed before it is confirmed; the disputes end, as they do, between
/// the second and the third.
fn play(receipts: &[Receipt], disputed: &BTreeMap<usize, End>) -> (Ledger<State>, Vec<Balances>) {
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
        let number = year - 2020;
        if number == 3 {
            resolve(&mut run, &mut ledger, disputed);
        }
        submit(&run, &mut ledger, "000000.treasury", &format!("run_settlement {year}"));
        run.ledger = ledger.clone();
        if number == 1 {
            quarrel(&mut run, &mut ledger, disputed);
        }
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
        let (ledger, closings) = play(&receipts, &BTreeMap::new());
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
        for ((_, region), amount) in nets(&state.regions, &state.settlement.runs[0], lines.into_iter()) {
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
                add(&mut due, (house, account.creditor), amount);
                add(&mut due, (house, account.debtor), -amount);
            }
        }
        prop_assert_eq!(closings.last().unwrap(), &due);
    }

    /// Whatever becomes of disputes: nobody else's balance moves in any run, each house nets to 0, each run opens with the
    /// last closing; and in the end the two sides of a line stand exactly by the ruled difference (or, while it is open,
    /// by the line) from where they would have stood.
    #[test]
    fn a_dispute_moves_the_ruled_difference_and_nobody_elses_money(receipts in receipts(), disputed in ends()) {
        let (plain, without) = play(&receipts, &BTreeMap::new());
        let (quarrelled, with) = play(&receipts, &disputed);
        let lines: Vec<(LineId, Line)> = plain.state().settlement.lines.iter().filter(|(id, _)| id.run == 1).map(|(id, line)| (*id, *line)).collect();
        let mut touched: BTreeSet<RegionId> = BTreeSet::new();
        let mut expected = without.last().unwrap().clone();
        for (place, end) in &disputed {
            let Some((id, line)) = lines.get(*place) else { continue };
            let house = plain.state().regions.common_superior(line.account.debtor, line.account.creditor);
            touched.extend([line.account.debtor, line.account.creditor]);
            let moved = match end {
                End::Open => -line.amount,
                End::Withdrawn | End::Dismissed => 0,
                End::Agreed(_) | End::Ruled(_) => quarrelled.state().settlement.says(*id).unwrap() - line.amount,
            };
            add(&mut expected, (house, line.account.creditor), moved);
            add(&mut expected, (house, line.account.debtor), -moved);
        }
        for (a, b) in without.iter().zip(&with) {
            let others = |balances: &Balances| -> Balances {
                balances.iter().filter(|((_, region), _)| !touched.contains(region)).map(|(k, v)| (*k, *v)).collect()
            };
            prop_assert_eq!(others(a), others(b));
            prop_assert!(sums(b).values().all(|sum| *sum == 0));
        }
        for (next, closing) in quarrelled.state().settlement.runs.iter().skip(1).zip(&with) {
            prop_assert_eq!(&next.opening, closing);
        }
        prop_assert_eq!(with.last().unwrap(), &expected);
    }
}
