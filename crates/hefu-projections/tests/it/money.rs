//! Random histories with money in them: tax, refunds, late facts, runs, disputes of lines, payments; and their laws.

use std::collections::BTreeMap;

use hefu_domain::{
    amount::{Decimal, FULL_BP, Money},
    command::{
        AnswerDispute, ApproveRuling, Command, ConfirmStatement, FinaliseSettlement, OpenDispute,
        ProposeRuling, RecordPayment, ReportTax, RunSettlement, SettleDispute, Subject, WaiveAppeal,
        WithdrawDispute,
    },
    dispute::{DisputeId, DisputeReason, Matter, MatterKind, Remedy, RemedyKind},
    event::Event,
    period::Period,
    region::{RegionCode, RegionId},
    settlement::{LineId, Payment, add},
    state::Meta,
    tax::Cut,
    terms::{Bracket, OtherShare, TaxTerms, TaxUnit, Trigger},
    time::Date,
};
use hefu_projections::{
    Views,
    settlement::{Statement, netting, shares, statement},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    history::{self, Step, Walk, later},
    laws::config,
};

/// One step of a history with money.
#[derive(Clone, Debug)]
enum Deed {
    /// What projects do anyway.
    Step(Step),
    /// A receipt, or the refund of some of the last one.
    Tax { project: u8, year: u8, day: u16, kind: u8, fen: i64, refund: bool },
    /// The next run; in three of four, confirmed and finalised.
    Settle { year: u8, finalise: bool },
    /// A line is disputed by one of its sides, and that comes to an end or not.
    Line { line: u16, creditor: bool, end: u8, fen: i64 },
    /// Part of what is due is paid.
    Pay { account: u8, percent: u8 },
}

fn tax_terms() -> impl Strategy<Value = Option<TaxTerms>> {
    let bp = || prop_oneof![Just(5_000u32), Just(3_333), Just(10_000), Just(0)];
    let years = || proptest::collection::vec(bp(), 0..3);
    let some =
        |max: i64| prop_oneof![3 => Just(None), 1 => (1..max).prop_map(|fen| Some(Money::from_fen(fen)))];
    let limits = (some(500_000), some(200_000), some(100_000), 0..=10_000u32);
    let terms = (bp(), years(), years(), limits, any::<bool>(), any::<bool>(), 0..3u8);
    let terms =
        terms.prop_map(|(construction_bp, production_years_bp, more, limits, receipt, first_tax, other)| {
            let (cap, outlay, step, scale_bp) = limits;
            let brackets = step.map_or(Vec::new(), |end| {
                vec![Bracket { up_to: Some(end), scale_bp: FULL_BP }, Bracket { up_to: None, scale_bp }]
            });
            let others = (other == 0).then(|| OtherShare {
                construction_bp: (10_000 - construction_bp).min(1_000),
                production_years_bp: Vec::new(),
                region: "330000".parse().unwrap(),
            });
            TaxTerms {
                brackets,
                cap,
                construction_bp,
                // Further years while the cap is not reached: only beside a cap.
                extension_years_bp: if cap.is_some() { more } else { Vec::new() },
                others: others.into_iter().collect(),
                outlay,
                production_years_bp,
                unit: if receipt { TaxUnit::Receipt } else { TaxUnit::PhaseYear },
                years_from: if first_tax { Trigger::FirstTax } else { Trigger::ProductionStart },
                ..TaxTerms::default()
            }
        });
    proptest::option::weighted(0.9, terms)
}

fn deed() -> impl Strategy<Value = Deed> {
    let step = (history::step(), tax_terms()).prop_map(|(mut step, tax)| {
        if let Step::Move { terms, .. } = &mut step {
            terms.tax = tax;
        }
        Deed::Step(step)
    });
    let fen = prop_oneof![3 => 1..2_000_000i64, 1 => 1..100i64];
    let tax = (1..5u8, 0..3u8, 0..366u16, 0..4u8, fen.clone(), prop::bool::weighted(0.25)).prop_map(
        |(project, year, day, kind, fen, refund)| Deed::Tax { project, year, day, kind, fen, refund },
    );
    prop_oneof![
        6 => step,
        8 => tax,
        2 => (0..2u8, prop::bool::weighted(0.75)).prop_map(|(year, finalise)| Deed::Settle { year, finalise }),
        3 => (any::<u16>(), any::<bool>(), 0..5u8, fen)
            .prop_map(|(line, creditor, end, fen)| Deed::Line { line, creditor, end, fen }),
        1 => (any::<u8>(), 1..=100u8).prop_map(|(account, percent)| Deed::Pay { account, percent }),
    ]
}

/// Three projects that have moved under tax terms and are being built, then whatever happens.
fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let start = (0..8u8, 1..8u8, tax_terms(), history::terms());
    let start = proptest::collection::vec(start, 3);
    (start, proptest::collection::vec(deed(), 10..70)).prop_map(|(start, rest)| {
        let mut deeds = Vec::new();
        for (number, (county, by, tax, mut terms)) in (1u8..).zip(start) {
            terms.tax = tax;
            let to = (county + by) % 8;
            deeds.extend([
                Deed::Step(Step::Register { project: number, county, month: 0, planned: 2 }),
                Deed::Step(Step::Move {
                    project: number,
                    county: to,
                    terms: Box::new(terms),
                    days: 10,
                    stop: 9,
                }),
                Deed::Step(Step::Build { project: number, days: 5 }),
            ]);
        }
        deeds.extend(rest);
        deeds
    })
}

fn play(deeds: &[Deed]) -> Walk {
    let mut walk = Walk::begin();
    for deed in deeds {
        walk.deed(deed);
    }
    walk
}

impl Walk {
    fn treasury(&self, region: RegionId) -> String {
        self.office(region).replace(".office", ".treasury")
    }

    fn deed(&mut self, deed: &Deed) {
        match deed {
            Deed::Step(step) => self.step(step),
            Deed::Tax { project, year, day, kind, fen, refund } => {
                self.tax(
                    *project,
                    later(Date::new(2024 + i16::from(*year), 1, 1).unwrap(), *day),
                    (*kind, *fen, *refund),
                );
            }
            Deed::Settle { year, finalise } => self.settle(*year, *finalise),
            Deed::Line { line, creditor, end, fen } => self.line(*line, *creditor, *end, *fen),
            Deed::Pay { account, percent } => self.pay(*account, *percent),
        }
    }

    fn tax(&mut self, number: u8, date: Date, (kind, fen, refund): (u8, i64, bool)) {
        let Some((project, life)) = self.project(number) else { return };
        let kind = ["vat", "cit", "iit", "local"][usize::from(kind)].parse().unwrap();
        let last = life.taxes.iter().next_back().filter(|_| refund);
        let (date, kind, amount, refund_of) = match last {
            Some(((paid, known), entries)) => {
                let left: i64 = entries.iter().map(|entry| entry.amount).sum();
                (*paid.max(&date), *known, -fen.min(left), Some(*paid))
            }
            None => (date, kind, fen, None),
        };
        let signer = self.treasury(life.located(refund_of.unwrap_or(date)));
        let command = ReportTax {
            amount: Money::from_fen(amount),
            date,
            // Every fifth amount came with an incentive, now and then more than what the county keeps.
            incentives: Money::from_fen(if amount > 0 && amount % 5 == 0 { amount / 3 } else { 0 }),
            kind,
            project,
            refund_of,
            voucher: Some(format!("V{}", self.ledger.log.len())),
        };
        self.submit(&signer, command);
    }

    fn subject(&self, period: Period) -> Option<Subject> {
        let (_, run) = self.ledger.state().settlement.run(period)?;
        Some(Subject { id: run.command, sha256: run.command_sha256 })
    }

    fn settle(&mut self, year: u8, finalise: bool) {
        let settlement = &self.ledger.state().settlement;
        let (host, open) = ("330000.treasury", settlement.open().map(|(_, run)| run.period));
        let next = settlement.runs.last().map(|run| run.period.end().tomorrow());
        let next = next.unwrap_or(Date::new(2024, 1, 1).unwrap());
        // Half a year, or the rest of it.
        let half = if next.to_string().contains("-01-01") && year == 1 { 6 } else { 12 };
        let first = if next.to_string().contains("-07-01") { 7 } else { 1 };
        let period = open.unwrap_or(Period::months(next.year(), first, half).unwrap());
        if open.is_none() {
            self.submit(host, RunSettlement { period });
        }
        let Some((number, _)) = self.ledger.state().settlement.run(period).filter(|_| finalise) else {
            return;
        };
        for party in self.ledger.state().settlement.parties(number) {
            let (signer, subject) = (self.treasury(party), self.subject(period));
            self.submit(&signer, ConfirmStatement { period, subject });
        }
        let subject = self.subject(period);
        self.submit(host, FinaliseSettlement { period, subject });
    }

    fn line(&mut self, place: u16, creditor: bool, end: u8, fen: i64) {
        let state = self.ledger.state();
        let lines: Vec<LineId> = state.settlement.lines.keys().copied().collect();
        let Some(id) = lines.get(usize::from(place) % lines.len().max(1)).copied() else { return };
        let line = state.settlement.lines[&id];
        let (mut by, mut other) = (self.office(line.account.debtor), self.office(line.account.creditor));
        if creditor {
            std::mem::swap(&mut by, &mut other);
        }
        let dispute = DisputeId(Uuid::from_u128(self.ledger.log.len() as u128));
        let matter = Matter {
            indicator: None,
            kind: MatterKind::Line,
            line: Some(id),
            period: None,
            project: line.project,
            transfer: None,
        };
        let open = OpenDispute {
            amount: None,
            dispute,
            evidence: Vec::new(),
            matter,
            reason: DisputeReason::Other,
            statement: String::new(),
        };
        self.submit(&by, open);
        let Some(known) = self.ledger.state().disputes.get(&dispute).cloned() else { return };
        // Nobody gets more than the two sides have of the tax behind the line, or less than nothing.
        let state = self.ledger.state();
        let id = known.matter.line.unwrap();
        let says = state.settlement.says(id).unwrap();
        let (least, most) = state.settlement.room(&state.regions, &state.projects, id).unwrap();
        let fen = fen.clamp(says + least.min(0), says + most.max(0));
        let value = Some(Decimal::from_minor(fen, 2));
        let remedy = Remedy { amount: None, kind: RemedyKind::CorrectValue, region: None, value };
        match end {
            0 => {}
            1 => {
                self.submit(&by, WithdrawDispute { dispute, reason: String::new() });
            }
            2 => {
                let (endorsements, statement) = (Vec::new(), String::new());
                let settle = SettleDispute { dispute, endorsements, remedy, statement };
                self.ledger.submit(&[&by, &other], &Command::from(settle)).unwrap();
            }
            _ => {
                let remedy = if end == 3 {
                    remedy
                } else {
                    Remedy { kind: RemedyKind::Dismiss, value: None, ..remedy }
                };
                let ruler = self.office(known.ruler);
                let (evidence, reasons) = (Vec::new(), "as agreed".to_owned());
                self.submit(
                    &other,
                    AnswerDispute { dispute, evidence: Vec::new(), statement: reasons.clone() },
                );
                self.submit(&ruler, ProposeRuling { dispute, evidence, reasons, remedy });
                let proposal = self.ledger.state().disputes[&dispute].proposal.clone().unwrap();
                let subject = Some(Subject { id: proposal.command, sha256: proposal.command_sha256 });
                let second = ruler.replace(".office", ".coordinator");
                assert!(self.submit(&second, ApproveRuling { dispute, subject }));
                for party in [&by, &other] {
                    self.submit(party, WaiveAppeal { dispute });
                }
            }
        }
    }

    fn pay(&mut self, place: u8, percent: u8) {
        let balances = &self.ledger.state().settlement.balances;
        let Some(((house, region), amount)) =
            balances.iter().nth(usize::from(place) % balances.len().max(1)).map(|(k, v)| (*k, *v))
        else {
            return;
        };
        let code = |region| self.ledger.state().code(region);
        let (from, to) = if amount < 0 { (code(region), code(house)) } else { (code(house), code(region)) };
        let amount = Money::from_fen(amount.abs().saturating_mul(i64::from(percent)) / 100);
        let date = Date::new(2026, 12, 1).unwrap();
        self.submit(&self.treasury(house), RecordPayment { amount, date, from, to, voucher: None });
    }
}

type Record = (Meta, Event);

fn fold<'a>(events: impl Iterator<Item = &'a Record>) -> Views {
    let mut views = Views::default();
    events.for_each(|(meta, event)| views.apply(meta, event).unwrap());
    views
}

/// Every statement of every run.
fn statements(views: &Views) -> BTreeMap<(u32, RegionId), Statement> {
    let runs = u32::try_from(views.state.settlement.runs.len()).unwrap();
    let all = (1..=runs).flat_map(|run| views.state.regions.iter().map(move |region| (run, region.id)));
    all.filter_map(|(run, region)| Some(((run, region), statement(&views.state, run, region)?))).collect()
}

proptest! {
    #![proptest_config(config(60))]

    /// A fold of the log from zero, or from a snapshot anywhere in it, is the same, money included; and a statement asked
    /// as of a position is what it was then.
    #[test]
    fn money_is_replayed_from_any_snapshot(deeds in deeds(), cut in any::<prop::sample::Index>()) {
        let ledger = play(&deeds).ledger;
        let cut = cut.index(ledger.log.len());
        let (before, after) = ledger.log.split_at(cut);
        let early = fold(before.iter());
        let answered = statements(&early);
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&early, config).unwrap();
        let (mut views, _): (Views, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
        prop_assert_eq!(&views, &early);
        for (meta, event) in after {
            views.apply(meta, event).unwrap();
        }
        prop_assert_eq!(&views, &ledger.fold);
        prop_assert_eq!(&views, &fold(ledger.log.iter()));
        for project in ledger.state().projects.keys() {
            prop_assert_eq!(shares(&views.state, *project), shares(&ledger.fold.state, *project));
        }
        let again = fold(ledger.log.iter().filter(|(meta, _)| meta.position < cut as u64));
        prop_assert_eq!(statements(&again), answered);
    }

    /// Parts sum to the base; lines, with what waits for a ruling's run apart, are what is due at the last run; each house
    /// nets to 0; each statement closes where the next opens and where the ledger says.
    #[test]
    fn every_statement_adds_up(deeds in deeds()) {
        let ledger = play(&deeds).ledger;
        let (views, state) = (&ledger.fold, &ledger.fold.state);
        for project in state.projects.keys() {
            for unit in shares(state, *project) {
                let parts: i64 = unit.parts.iter().map(|part| part.amount).sum();
                prop_assert_eq!(parts + unit.host_part, unit.base);
            }
        }
        let told = statements(views);
        for ((run, region), statement) in &told {
            for (house, account) in &statement.accounts {
                let key = (*house, *region);
                let known = &state.settlement.runs[*run as usize - 1];
                if let Some(closing) = &known.closing {
                    prop_assert_eq!(account.closing(), closing.get(&key).copied().unwrap_or(0));
                }
                // Every payment is listed, and what is outstanding after the last run is the balance.
                let listed = |payments: &[Payment]| {
                    let own = payments.iter().filter(|payment| payment.clearing == *house);
                    own.map(|payment| -payment.amount).sum::<i64>()
                };
                prop_assert_eq!(account.paid, listed(&statement.payments));
                prop_assert_eq!(account.paid_since, listed(&statement.payments_since));
                if *run as usize == state.settlement.runs.len() && known.closing.is_some() {
                    let balance = state.settlement.balances.get(&key).copied().unwrap_or(0);
                    prop_assert_eq!(account.outstanding(), balance);
                }
                if let Some(next) = state.settlement.runs.get(*run as usize) {
                    prop_assert_eq!(account.closing(), next.opening.get(&key).copied().unwrap_or(0));
                }
            }
        }
        let runs = u32::try_from(state.settlement.runs.len()).unwrap();
        for run in 1..=runs {
            let mut sums: BTreeMap<RegionId, i64> = BTreeMap::new();
            for ((house, _), net) in netting(state, run) {
                *sums.entry(house).or_insert(0) += net.net();
            }
            prop_assert!(sums.values().all(|sum| *sum == 0));
            // What is held is in nobody's sums, and stands on both sides' statements.
            for (id, line) in state.settlement.held(run) {
                for side in [line.account.debtor, line.account.creditor] {
                    prop_assert!(told[&(run, side)].held.iter().any(|(held, _)| *held == id));
                }
            }
        }
        // Balances are what was finalised and not paid.
        let mut balances = hefu_domain::settlement::Balances::new();
        for (_, line) in state.settlement.lines.iter().filter(|(_, line)| line.settled.is_some()) {
            let house = state.regions.common_superior(line.account.debtor, line.account.creditor);
            add(&mut balances, (house, line.account.creditor), line.amount);
            add(&mut balances, (house, line.account.debtor), -line.amount);
        }
        for (_, event) in &ledger.log {
            if let Event::PaymentRecorded(e) = event {
                // It may bear another code by now.
                let id = |code: &RegionCode| {
                    let mut regions = state.regions.iter();
                    regions.find(|region| region.designations.iter().any(|known| known.code == *code)).unwrap().id
                };
                add(&mut balances, (id(&e.clearing), id(&e.region)), e.amount.fen());
            }
        }
        prop_assert_eq!(&balances, &state.settlement.balances);
        // What was booked by the last run is what its cut of the facts gives.
        if let Some(last) = state.settlement.runs.last() {
            let cut = Cut { before: last.position, ..Cut::until(last.period.end()) };
            let then = fold(ledger.log.iter().filter(|(meta, _)| meta.position < last.position));
            for (id, project) in &then.state.projects {
                let mut due = hefu_domain::settlement::entitled(&then.state.regions, project, &cut);
                due.retain(|_, amount| *amount != 0);
                let mut booked = state.settlement.booked.get(id).cloned().unwrap_or_default();
                booked.retain(|_, amount| *amount != 0);
                prop_assert_eq!(due, booked);
            }
        }
    }
}
