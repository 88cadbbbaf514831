//! Random histories: commands, most of them lawful, walked through `decide` one by one.

use hefu_domain::{
    amount::{Decimal, Money},
    command::{
        AcceptTransfer, AdoptPolicy, AmendProject, CloseProject, Command, ConfirmClaim, DeclineTransfer,
        ExhaustReason, ExhaustTier, LandProject, MergeRegion, ProposeTransfer, RecodeRegion,
        RegisterEnterprise, RegisterProject, RejectClaim, RenameRegion, ReparentRegion, ReportObservation,
        SplitRegion, StartConstruction, StartProduction, WithdrawTransfer,
    },
    id::ProjectId,
    indicator::{Class, Indicator, Kind, Unit},
    period::Period,
    policy::{ClaimConfirmation, Policy},
    region::{RegionCode, RegionId},
    state::{ClaimStatus, Project},
    terms::{MultiHop, ProposedCredit, ProposedCredits, ProposedTerms, Trigger},
    tier::Tier,
    time::Date,
};
use hefu_projections::Views;
use proptest::prelude::*;

use super::ledger::{Ledger, date, genesis, noon, project};

/// One step. Small numbers choose among what there is, so that a failing history shrinks to a readable one.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Register {
        project: u8,
        county: u8,
        month: u8,
        planned: u8,
    },
    Amend {
        project: u8,
        days: u16,
        planned: u8,
    },
    /// Through all tiers to another county; stops after so many of the steps it takes.
    Move {
        project: u8,
        county: u8,
        terms: Box<ProposedTerms>,
        days: u16,
        stop: u8,
    },
    /// An accepted transfer lands after all.
    Land {
        project: u8,
        days: u16,
    },
    Build {
        project: u8,
        days: u16,
    },
    Produce {
        project: u8,
        days: u16,
    },
    Close {
        project: u8,
        days: u16,
    },
    Judge {
        project: u8,
        transfer: u8,
        confirm: bool,
    },
    Report {
        project: u8,
        indicator: u8,
        year: u8,
        slot: u8,
        value: i64,
    },
    Policy {
        superior: bool,
        last_hop: bool,
        large: u8,
    },
    Rename {
        county: u8,
    },
    Recode {
        county: u8,
    },
    /// A county ends in another.
    Unite {
        county: u8,
        into: u8,
        days: u16,
    },
    /// A part of a county goes to another, with a project.
    Part {
        county: u8,
        into: u8,
        project: u8,
        days: u16,
    },
    /// A county comes under another city.
    Reparent {
        county: u8,
        city: u8,
        days: u16,
    },
    /// A command somebody has no right to or that is out of order.
    Wrong {
        project: u8,
        county: u8,
        what: u8,
    },
}

pub(crate) const INDICATORS: [&str; 6] = ["INV_FAI", "VA_IND", "OUTPUT", "RD_EXP", "ZS_FUND", "EMP"];
/// Two provinces, four cities.
pub(crate) const COUNTIES: [&str; 8] =
    ["330108", "330122", "330881", "330681", "361102", "330109", "330802", "361123"];
pub(crate) const CITIES: [&str; 4] = ["330100", "330600", "330800", "361100"];
const YEARS: [i16; 3] = [2024, 2025, 2026];

/// The built-in catalogue and two ratios.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy { proposal_expires_workdays: 0, ..Policy::default() };
    for (code, numerator, denominator) in [("VA_RATE", "VA_IND", "OUTPUT"), ("VA_HEAD", "VA_IND", "EMP")] {
        policy.indicators.push(Indicator {
            class: Class::ValueAdded,
            code: code.parse().unwrap(),
            count: None,
            denominator: Some(denominator.parse().unwrap()),
            kind: Kind::Ratio,
            name_en: String::new(),
            name_zh: String::new(),
            numerator: Some(numerator.parse().unwrap()),
            unit: Unit::Quotient,
        });
    }
    policy
}

fn credit() -> BoxedStrategy<Option<ProposedCredit>> {
    let weight = prop_oneof![
        2 => Just(10_000u32), 2 => Just(5_000), 1 => Just(0), 1 => Just(3_333), 1 => Just(6_667), 2 => 0..=10_000u32
    ];
    let pair = prop_oneof![
        // Exactly 100 %, or whatever.
        1 => (0..=10_000u32).prop_map(|origin| (origin, 10_000 - origin)),
        2 => (weight.clone(), weight),
    ];
    let months = prop_oneof![Just(60u32), Just(24), Just(12), Just(6), Just(1), Just(0)];
    let trigger = prop_oneof![
        5 => Just(Trigger::Landing), 2 => Just(Trigger::ConstructionStart),
        2 => Just(Trigger::ProductionStart), 1 => Just(Trigger::FirstTax)
    ];
    let given = (pair, months, trigger).prop_map(|((origin, destination), months, trigger)| ProposedCredit {
        destination_bp: Some(destination),
        months: Some(months),
        origin_bp: Some(origin),
        trigger: Some(trigger),
    });
    proptest::option::weighted(0.8, given).boxed()
}

pub(crate) fn terms() -> BoxedStrategy<ProposedTerms> {
    let rule =
        prop_oneof![2 => Just(None), 2 => Just(Some(MultiHop::Chain)), 1 => Just(Some(MultiHop::LastHop))];
    (credit(), credit(), credit(), credit(), rule)
        .prop_map(|(attraction, investment, research, value_added, multi_hop)| {
            let credits = ProposedCredits { attraction, investment, research, value_added };
            ProposedTerms { arbiter: None, credits, multi_hop, tax: None }
        })
        .boxed()
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -20..=100i64, 2 => -1_000_000..=10_000_000i64, 1 => -1_000_000_000_000..=1_000_000_000_000i64]
}

pub(crate) fn step() -> BoxedStrategy<Step> {
    let project = 1..=4u8;
    let county = 0..8u8;
    let days = prop_oneof![3 => 0..40u16, 2 => 0..400u16];
    prop_oneof![
        2 => (project.clone(), county.clone(), 0..20u8, 0..4u8)
            .prop_map(|(project, county, month, planned)| Step::Register { project, county, month, planned }),
        1 => (project.clone(), days.clone(), 0..4u8)
            .prop_map(|(project, days, planned)| Step::Amend { project, days, planned }),
        6 => (project.clone(), county.clone(), terms(), days.clone(), prop_oneof![6 => Just(9u8), 1 => 0..9u8])
            .prop_map(|(project, county, terms, days, stop)| {
                Step::Move { project, county, terms: Box::new(terms), days, stop }
            }),
        1 => (project.clone(), days.clone()).prop_map(|(project, days)| Step::Land { project, days }),
        3 => (project.clone(), days.clone()).prop_map(|(project, days)| Step::Build { project, days }),
        2 => (project.clone(), days.clone()).prop_map(|(project, days)| Step::Produce { project, days }),
        1 => (project.clone(), 0..900u16).prop_map(|(project, days)| Step::Close { project, days }),
        4 => (project.clone(), 0..4u8, prop::bool::weighted(0.7))
            .prop_map(|(project, transfer, confirm)| Step::Judge { project, transfer, confirm }),
        24 => (project.clone(), 0..6u8, 0..3u8, any::<u8>(), value())
            .prop_map(|(project, indicator, year, slot, value)| Step::Report { project, indicator, year, slot, value }),
        1 => (any::<bool>(), any::<bool>(), 0..4u8)
            .prop_map(|(superior, last_hop, large)| Step::Policy { superior, last_hop, large }),
        1 => county.clone().prop_map(|county| Step::Rename { county }),
        1 => county.clone().prop_map(|county| Step::Recode { county }),
        2 => (project, county, 0..12u8).prop_map(|(project, county, what)| Step::Wrong { project, county, what }),
    ]
    .boxed()
}

/// A history begins with some projects, so that most steps find one; in half of them claims wait for the superior.
pub(crate) fn history() -> BoxedStrategy<Vec<Step>> {
    let begin = (0..8u8, 0..8u8, 0..8u8).prop_map(|counties| {
        let begin =
            |(number, county)| Step::Register { project: number + 1, county, month: number, planned: number };
        [counties.0, counties.1, counties.2]
            .into_iter()
            .enumerate()
            .map(|(i, c)| begin((u8::try_from(i).unwrap(), c)))
            .collect()
    });
    let rule = (any::<bool>(), any::<bool>()).prop_map(|(superior, last_hop)| Step::Policy {
        superior,
        last_hop,
        large: 2,
    });
    (rule, begin, proptest::collection::vec(step(), 10..80))
        .prop_map(|(rule, begin, rest): (Step, Vec<Step>, _)| {
            [rule].into_iter().chain(begin).chain(rest).collect()
        })
        .boxed()
}

/// A change of regions.
pub(crate) fn area_step() -> BoxedStrategy<Step> {
    let (county, days) = (0..8u8, 0..1_000u16);
    prop_oneof![
        2 => (county.clone(), county.clone(), days.clone())
            .prop_map(|(county, into, days)| Step::Unite { county, into, days }),
        3 => (county.clone(), county.clone(), 1..=4u8, days.clone())
            .prop_map(|(county, into, project, days)| Step::Part { county, into, project, days }),
        3 => (county, 0..4u8, days).prop_map(|(county, city, days)| Step::Reparent { county, city, days }),
    ]
    .boxed()
}

/// A history in which regions change.
pub(crate) fn with_areas() -> BoxedStrategy<Vec<Step>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), area_step()), 1..8);
    let mixed = (history(), changes).prop_map(|(mut steps, changes)| {
        for (place, change) in changes {
            steps.insert(place.index(steps.len() + 1), change);
        }
        steps
    });
    mixed.boxed()
}

/// A ledger at the beginning of 2027, so that whatever the steps report lies in the past.
pub(crate) fn begin() -> Ledger<Views> {
    let mut ledger = Ledger::found(genesis(policy()));
    ledger.now = noon(date("2027-01-05"));
    let enterprise = "91330100799655058B".parse().unwrap();
    let command =
        RegisterEnterprise { enterprise, name: "Hefu Test Co".to_owned(), region: "330108".parse().unwrap() };
    ledger.submit(&["330108.office"], &command.into()).unwrap();
    ledger
}

impl Walk {
    pub(crate) fn begin() -> Walk {
        Walk { ledger: begin(), counties: 8 }
    }
}

/// Walks the steps; what is refused changes nothing.
pub(crate) fn play(steps: &[Step]) -> Ledger<Views> {
    let mut walk = Walk::begin();
    walk.steps(steps);
    walk.ledger
}

/// The same, with all moves inside Zhejiang.
pub(crate) fn play_inside(steps: &[Step]) -> Ledger<Views> {
    let mut walk = Walk { ledger: begin(), counties: 4 };
    walk.steps(steps);
    walk.ledger
}

/// The day `days` after another.
pub(crate) fn later(from: Date, days: u16) -> Date {
    (0..days).fold(from, |day, _| day.tomorrow())
}

const PLANNED: [i64; 4] = [0, 99_999_999_999, 100_000_000_000, 500_000_000_000];

pub(crate) struct Walk {
    pub(crate) ledger: Ledger<Views>,
    /// How many of the counties take part.
    counties: u8,
}

impl Walk {
    fn county(&self, county: u8) -> RegionCode {
        // By the identity it entered with: its code may have changed.
        let id = self.ledger.region(COUNTIES[usize::from(county % self.counties)]);
        self.ledger.state().code(id)
    }

    pub(crate) fn project(&self, number: u8) -> Option<(ProjectId, Project)> {
        let id = project(&format!("P{number}"));
        self.ledger.state().projects.get(&id).map(|project| (id, project.clone()))
    }

    /// The office's key bears the code its region entered with.
    pub(crate) fn office(&self, region: RegionId) -> String {
        format!("{}.office", self.ledger.state().regions.get(region).designations[0].code)
    }

    pub(crate) fn submit(&mut self, signer: &str, command: impl Into<Command>) -> bool {
        self.ledger.submit(&[signer], &command.into()).is_ok()
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Register { project: number, county, month, planned } => {
                let origin = self.county(*county);
                let region = self.ledger.region(origin.as_str());
                let command = RegisterProject {
                    codes: Vec::new(),
                    date: Some(date("2023-11-15").add_months(u32::from(*month))),
                    endorsements: Vec::new(),
                    enterprise: "91330100799655058B".parse().unwrap(),
                    industry: "C34".to_owned(),
                    name: format!("P{number}"),
                    origin,
                    planned_investment: Money::from_fen(PLANNED[usize::from(*planned)]),
                    project: project(&format!("P{number}")),
                    site: None,
                };
                self.submit(&self.office(region), command);
            }
            Step::Amend { project, days, planned } => self.held(*project, |id, project| {
                let date = Some(later(project.planned.last().unwrap().0, *days));
                let planned_investment = Some(Money::from_fen(PLANNED[usize::from(*planned)]));
                AmendProject {
                    codes: Vec::new(),
                    date,
                    endorsements: Vec::new(),
                    name: None,
                    planned_investment,
                    project: id,
                }
                .into()
            }),
            Step::Move { project, county, terms, days, stop } => {
                self.transfer(*project, *county, terms, *days, *stop);
            }
            Step::Land { project: number, days } => {
                if let Some((id, project)) = self.project(*number) {
                    self.land(id, &project, *days);
                }
            }
            Step::Build { project, days } => self.held(*project, |project, life| {
                StartConstruction { date: later(life.latest, *days), endorsements: Vec::new(), project }
                    .into()
            }),
            Step::Produce { project, days } => self.held(*project, |project, life| {
                StartProduction { date: later(life.latest, *days), endorsements: Vec::new(), project }.into()
            }),
            Step::Close { project, days } => self.held(*project, |project, life| {
                CloseProject {
                    date: later(life.latest, *days),
                    endorsements: Vec::new(),
                    project,
                    reason: String::new(),
                }
                .into()
            }),
            Step::Judge { project: number, transfer, confirm } => {
                let Some((project, life)) = self.project(*number) else { return };
                // Among the pending ones, if there are any.
                let pending = |number: &usize| life.transfers[*number].claim == ClaimStatus::Pending;
                let waiting: Vec<usize> = (0..life.transfers.len()).filter(pending).collect();
                let place = usize::from(*transfer);
                let number = waiting.get(place % waiting.len().max(1)).copied().unwrap_or(place);
                let Some(hop) = life.transfers.get(number) else { return };
                let transfer = u32::try_from(number).unwrap();
                let superior = self.ledger.state().regions.common_superior(hop.origin, hop.destination);
                let signer = self.office(superior);
                let subject = self.ledger.subject(project, Some(transfer));
                if *confirm {
                    self.submit(&signer, ConfirmClaim { project, subject, transfer });
                } else {
                    self.submit(&signer, RejectClaim { project, reason: "no".to_owned(), subject, transfer });
                }
            }
            Step::Report { project: number, indicator, year, slot, value } => {
                let Some((project, life)) = self.project(*number) else { return };
                let period = period(*number, *indicator, YEARS[usize::from(*year)], *slot);
                let code = INDICATORS[usize::from(*indicator)];
                let scale = if code == "EMP" { 0 } else { 2 };
                let command = ReportObservation {
                    indicator: code.parse().unwrap(),
                    period,
                    project,
                    value: Decimal::from_minor(*value, scale),
                };
                let there = self.ledger.state().regions.heir(life.located(period.end()));
                self.submit(&self.office(there), command);
            }
            Step::Policy { superior, last_hop, large } => {
                let mut policy = policy();
                if *superior {
                    policy.claim_confirmation = ClaimConfirmation::Superior;
                }
                if *last_hop {
                    policy.multi_hop = MultiHop::LastHop;
                }
                policy.large_project = Money::from_fen(PLANNED[usize::from(*large)]);
                self.submit("330000.coordinator", AdoptPolicy { policy });
            }
            Step::Rename { county } => {
                let (region, date) = (self.county(*county), self.ledger.now.date());
                let (name_zh, name_en) = ("新名".to_owned(), String::new());
                self.submit("330000.coordinator", RenameRegion { date, name_en, name_zh, region });
            }
            Step::Recode { county } => {
                let (region, date) = (self.county(*county), self.ledger.now.date());
                let code = format!("99{:04}", self.ledger.log.len()).parse().unwrap();
                self.submit("330000.coordinator", RecodeRegion { code, date, region });
            }
            Step::Unite { county, into, days } => {
                let (region, into) = (self.county(*county), self.county(*into));
                let (date, document) = (later(date("2024-01-01"), *days), "国函".to_owned());
                let endorsements = Vec::new();
                self.submit("000000.coordinator", MergeRegion { date, document, endorsements, into, region });
            }
            Step::Part { county, into, project: number, days } => {
                let (region, into) = (self.county(*county), self.county(*into));
                let (date, document) = (later(date("2024-01-01"), *days), "国函".to_owned());
                let (endorsements, projects) = (Vec::new(), vec![project(&format!("P{number}"))]);
                self.submit(
                    "000000.coordinator",
                    SplitRegion { date, document, endorsements, into, projects, region },
                );
            }
            Step::Reparent { county, city, days } => {
                let region = self.county(*county);
                let parent = CITIES[usize::from(*city)].parse().unwrap();
                let (date, document) = (later(date("2024-01-01"), *days), "国函".to_owned());
                let endorsements = Vec::new();
                self.submit(
                    "000000.coordinator",
                    ReparentRegion { date, document, endorsements, parent, region },
                );
            }
            Step::Wrong { project: number, county, what } => self.wrong(*number, *county, *what),
        }
    }

    /// A command of the holder.
    fn held(&mut self, number: u8, command: impl Fn(ProjectId, &Project) -> Command) {
        if let Some((id, project)) = self.project(number) {
            let signer = self.office(project.holder());
            self.submit(&signer, command(id, &project));
        }
    }

    fn transfer(&mut self, number: u8, county: u8, terms: &ProposedTerms, days: u16, stop: u8) {
        let Some((id, life)) = self.project(number) else { return };
        let holder = self.office(life.holder());
        for tier in [Tier::OriginalSite, Tier::Local, Tier::Neighbouring].into_iter().take(usize::from(stop))
        {
            let reason = ExhaustReason::NoTaker;
            self.submit(&holder, ExhaustTier { evidence: Vec::new(), project: id, reason, tier });
        }
        if stop < 4 {
            return;
        }
        let destination = self.county(county);
        let terms = Some(terms.clone());
        self.submit(&holder, ProposeTransfer { destination, project: id, site: None, terms });
        let awaiting: Vec<RegionId> = match self.ledger.state().projects[&id].transfers.last() {
            Some(transfer) => transfer.awaiting.iter().copied().collect(),
            None => return,
        };
        let subject = self.ledger.subject(id, None);
        for (place, region) in awaiting.into_iter().enumerate() {
            let signer = self.office(region);
            match stop {
                4 => {
                    self.submit(
                        &holder,
                        WithdrawTransfer { project: id, reason: String::new(), subject: subject.clone() },
                    );
                }
                5 => {
                    let reason = String::new();
                    self.submit(&signer, DeclineTransfer { project: id, reason, subject: subject.clone() });
                }
                6 if place > 0 => {}
                _ => {
                    self.submit(&signer, AcceptTransfer { project: id, subject: subject.clone() });
                }
            }
        }
        if stop > 7 {
            let (_, life) = self.project(number).unwrap();
            self.land(id, &life, days);
        }
    }

    fn land(&mut self, project: ProjectId, life: &Project, days: u16) {
        let Some(transfer) = life.transfers.last() else { return };
        let signer = self.office(transfer.destination);
        self.submit(
            &signer,
            LandProject { date: later(life.latest, days), endorsements: Vec::new(), project, site: None },
        );
    }

    fn wrong(&mut self, number: u8, county: u8, what: u8) {
        let Some((project, life)) = self.project(number) else { return };
        let signer = self.office(self.ledger.region(self.county(county).as_str()));
        let date = date("2023-01-01");
        let size = self.ledger.log.len();
        let refused = match what {
            0 => !self.submit(&signer, LandProject { date, endorsements: Vec::new(), project, site: None }),
            1 => !self.submit(&signer, StartConstruction { date, endorsements: Vec::new(), project }),
            2 => !self.submit(&signer, StartProduction { date, endorsements: Vec::new(), project }),
            3 => !self.submit(
                &signer,
                CloseProject { date, endorsements: Vec::new(), project, reason: String::new() },
            ),
            4 => !self.submit(&signer, AcceptTransfer { project, subject: None }),
            5 => !self.submit(
                "stranger",
                CloseProject { date, endorsements: Vec::new(), project, reason: String::new() },
            ),
            6 => {
                let (indicator, period) = ("N_PRJ".parse().unwrap(), Period::months(2025, 1, 12).unwrap());
                let value = Decimal::from_minor(1, 0);
                !self.submit(&signer, ReportObservation { indicator, period, project, value })
            }
            7 => {
                let (indicator, period) = ("INV_FAI".parse().unwrap(), Period::months(2027, 1, 1).unwrap());
                let value = Decimal::from_minor(1, 0);
                !self.submit(&signer, ReportObservation { indicator, period, project, value })
            }
            8 => !self.submit(
                "330000.coordinator",
                CloseProject { date, endorsements: Vec::new(), project, reason: String::new() },
            ),
            9 => {
                let reason = "no".to_owned();
                !self.submit(&signer, RejectClaim { project, reason, subject: None, transfer: 0 })
            }
            10 => {
                let region = self.ledger.state().code(life.current().region);
                !self.submit(&signer, RecodeRegion { code: "123456".parse().unwrap(), date, region })
            }
            _ => !self.submit(&signer, AdoptPolicy { policy: Policy::default() }),
        };
        assert!(refused, "wrong command {what} of {signer} was accepted");
        assert_eq!(self.ledger.log.len(), size, "what is refused changes nothing");
    }
}

/// Mostly the one frequency that this project, indicator and year have; sometimes another.
fn period(number: u8, indicator: u8, year: i16, slot: u8) -> Period {
    let usual = (number + indicator + u8::try_from(year % 7).unwrap()) % 3;
    let frequency = if slot >= 240 { slot % 3 } else { usual };
    let (first, last) = match frequency {
        0 => match slot % 13 {
            12 => (1, 2),
            month => (month + 1, month + 1),
        },
        1 => (slot % 4 * 3 + 1, slot % 4 * 3 + 3),
        _ => (1, 12),
    };
    Period::months(year, first, last).unwrap()
}
