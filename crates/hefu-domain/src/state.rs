//! The state the rules look at: everything that happened, folded.
//!
//! Holds what a decision or a report may need and nothing it can do without; amounts of observations live in the
//! counting projection. Ordered maps only, so that every fold of the same log is the same value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    amount::{Decimal, Money},
    authority::{Keyring, Role},
    dispute::{Dispute, DisputeId, Joined, Matter},
    id::{Digest, EnterpriseCode, KeyId, ProjectId},
    indicator::{Indicator, IndicatorCode},
    period::Period,
    policy::Policy,
    region::{RegionCode, RegionId, RegionTree},
    settlement::Settlement,
    tax::{TaxEntry, TaxKind, first_tax, paid_days},
    terms::{Terms, Trigger},
    tier::Tier,
    time::{Date, Timestamp},
    vintage::Vintages,
};

/// What the record around an event adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Position of the record.
    pub position: u64,
    /// When the ledger learned of it.
    pub ts: Timestamp,
    /// The command that caused it.
    pub command: Uuid,
    /// SHA-256 of that stored command.
    pub command_sha256: Digest,
    /// The key that signed it.
    pub actor: KeyId,
}

/// Who signed a command, in which capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The log's own key: the operator.
    Log,
    /// A root key.
    Root(KeyId),
    /// A person in an authority.
    Authority {
        /// The key.
        key: KeyId,
        /// Its holder.
        person: String,
        /// Region of the authority.
        region: RegionId,
        /// Role of the authority.
        role: Role,
    },
}

/// An indicator's identity inside one ledger, kept through policy versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IndicatorId(pub u16);

/// A registered enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enterprise {
    /// Name.
    pub name: String,
    /// Registering county.
    pub region: RegionId,
}

/// A time a project spends in one place, from registration or a landing on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// The county.
    pub region: RegionId,
    /// Plot, park or zone.
    pub site: Option<String>,
    /// First day.
    pub from: Date,
    /// The transfer that brought it here; `None` at the origin.
    pub transfer: Option<u32>,
    /// Construction start here.
    pub construction: Option<Date>,
    /// Production start here.
    pub production: Option<Date>,
}

/// What became of a proposal. Each has exactly one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Waits for an answer.
    Open,
    /// Accepted by everyone it needs; not landed yet.
    Accepted,
    /// Accepted and landed, with the index of the stay it began.
    Landed {
        /// Index into the project's stays.
        stay: u32,
    },
    /// Declined.
    Declined,
    /// Withdrawn.
    Withdrawn,
    /// Not answered in time.
    Expired,
}

/// Where the origin's claim under a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimStatus {
    /// Not accepted yet, or waiting for the superior's confirmation.
    Pending,
    /// Counts while its window is open.
    Confirmed,
    /// Never counts.
    Rejected,
}

/// One transfer of a project, from proposal on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// 迁出地.
    pub origin: RegionId,
    /// 迁入地.
    pub destination: RegionId,
    /// Site at the destination.
    pub site: Option<String>,
    /// Tier of the destination.
    pub tier: Tier,
    /// Terms in full.
    pub terms: Terms,
    /// Who rules on disputes across provinces, if not the national root.
    pub arbiter: Option<RegionId>,
    /// What became of it.
    pub outcome: Outcome,
    /// The origin's claim.
    pub claim: ClaimStatus,
    /// Regions whose acceptance is still needed.
    pub awaiting: BTreeSet<RegionId>,
    /// Last day for an answer.
    pub expires: Option<Date>,
    /// Id of the proposing command.
    pub command: Uuid,
    /// Digest of the proposing command.
    pub command_sha256: Digest,
    /// Position of the proposal.
    pub proposed_at: u64,
    /// Position of the acceptance, once there is one.
    pub accepted_at: Option<u64>,
}

/// One round of offering outward, begun at registration or a landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When it began.
    pub opened: Timestamp,
    /// When each tier was exhausted or waived.
    pub closed: [Option<Timestamp>; 4],
}

impl Round {
    /// A round that begins now, with only `original_site` open.
    pub fn new(opened: Timestamp) -> Round {
        Round { opened, closed: [None; 4] }
    }

    /// The outermost open tier: every nearer one is exhausted or waived.
    pub fn open(&self) -> Tier {
        let first_unfinished = Tier::ALL.into_iter().find(|tier| self.closed[tier.index()].is_none());
        first_unfinished.unwrap_or(Tier::Wider)
    }

    /// When a tier opened, if it is open.
    pub fn opened_at(&self, tier: Tier) -> Option<Timestamp> {
        self.closed[..tier.index()]
            .iter()
            .try_fold(self.opened, |opened, closed| Some(opened.max((*closed)?)))
    }
}

/// A value on record for a run of months of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reported {
    /// First month, 1 to 12.
    pub first: u8,
    /// Last month.
    pub last: u8,
    /// Minor units.
    pub value: i64,
}

/// A government project code by which a project is known too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The code.
    pub code: String,
    /// Position of the record that gave it.
    pub at: u64,
}

/// The projects that another came of, by a split or a merger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameOf {
    /// The project it was part of, or those that were merged.
    pub from: Vec<ProjectId>,
    /// The days they had paid tax on until then.
    pub paid: Vec<Date>,
    /// Position of the record.
    pub at: u64,
}

/// A region's part in a project that went to another region, because regions were merged or a part of one went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// Position of the record that says so.
    pub at: u64,
    /// From this day on.
    pub date: Date,
    /// Whose part it was.
    pub from: RegionId,
    /// Whose it is.
    pub to: RegionId,
}

/// A project and its whole life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The firm.
    pub enterprise: EnterpriseCode,
    /// Name in force.
    pub name: String,
    /// Position of the record that gave the name.
    pub named_at: u64,
    /// GB/T 4754 code.
    pub industry: String,
    /// Government project codes.
    pub codes: Vec<Alias>,
    /// Day of registration.
    pub registered: Date,
    /// Day of closing.
    pub closed: Option<Date>,
    /// Whether it is paused.
    pub suspended: bool,
    /// Date of the latest milestone: the next may not lie before it.
    pub latest: Date,
    /// Planned investment, each in force from its day on, oldest first.
    pub planned: Vec<(Date, Money)>,
    /// Where it was, oldest first; never empty. Regions are those it was recorded under: [`Project::heir`].
    pub stays: Vec<Stay>,
    /// All proposals, oldest first.
    pub transfers: Vec<Transfer>,
    /// The present round.
    pub round: Round,
    /// Values on record, by indicator and year, in the order of their months.
    pub reported: BTreeMap<(IndicatorId, i16), Vec<Reported>>,
    /// Values that a ruling fixed, and by which dispute.
    pub ruled_values: BTreeMap<(IndicatorId, Period), DisputeId>,
    /// What rulings gave regions or took from them, by observation; minor units.
    pub ruled_credits: BTreeMap<(IndicatorId, Period), Vec<(RegionId, i64)>>,
    /// What it came of, if it was not registered.
    pub came_of: Option<CameOf>,
    /// When it was split or merged: its values from that day on are those of what came of it.
    pub handed_on: Option<Date>,
    /// Whose parts went to whom, in the order of their records.
    pub successions: Vec<Succession>,
    /// Tax by the day it was paid and kind, refunds beside what they refund.
    pub taxes: BTreeMap<(Date, TaxKind), Vec<TaxEntry>>,
}

impl Project {
    /// Where it is now: its holder.
    pub fn current(&self) -> &Stay {
        self.stays.last().unwrap_or_else(|| unreachable!("a project is registered with a stay"))
    }

    /// The region under which its place on a day was recorded. Days before registration count for the origin.
    pub fn stood(&self, day: Date) -> RegionId {
        let stay = self.stays.iter().rev().find(|stay| stay.from <= day);
        stay.unwrap_or_else(|| &self.stays[0]).region
    }

    /// Where it was located on a day (semantics R1), by the regions of that day.
    pub fn located(&self, day: Date) -> RegionId {
        self.heir(self.stood(day), day)
    }

    /// Whose a region's part in it was on a day: the region's own, or that of what it went to by then.
    pub fn heir(&self, region: RegionId, day: Date) -> RegionId {
        let by_then = self.successions.iter().filter(|known| known.date <= day);
        by_then.fold(region, |heir, known| if known.from == heir { known.to } else { heir })
    }

    /// Whose a region's part in it is now.
    pub fn now(&self, region: RegionId) -> RegionId {
        self.successions.iter().fold(region, |heir, known| if known.from == heir { known.to } else { heir })
    }

    /// The county that holds it now.
    pub fn holder(&self) -> RegionId {
        self.now(self.current().region)
    }

    /// Every region that is or was a party to it: places, both sides of transfers, and what they went to.
    pub fn regions(&self) -> impl Iterator<Item = RegionId> {
        let stays = self.stays.iter().map(|stay| stay.region);
        let moves = self.transfers.iter().flat_map(|transfer| [transfer.origin, transfer.destination]);
        stays.chain(moves).chain(self.successions.iter().map(|known| known.to))
    }

    /// The proposal that blocks another: open, or accepted and not landed.
    pub fn pending(&self) -> Option<(u32, &Transfer)> {
        let last = self.transfers.last()?;
        let blocks = matches!(last.outcome, Outcome::Open | Outcome::Accepted);
        blocks.then(|| (u32::try_from(self.transfers.len() - 1).unwrap_or(u32::MAX), last))
    }

    /// Planned investment in force on a day.
    pub fn planned_on(&self, day: Date) -> Money {
        let entry = self.planned.iter().rev().find(|(from, _)| *from <= day);
        entry.or(self.planned.first()).map_or(Money::default(), |(_, amount)| *amount)
    }

    /// The day a transfer took effect, if it did.
    pub fn landed(&self, transfer: &Transfer) -> Option<Date> {
        match transfer.outcome {
            Outcome::Landed { stay } => Some(self.stays[stay as usize].from),
            Outcome::Open | Outcome::Accepted | Outcome::Declined | Outcome::Withdrawn | Outcome::Expired => {
                None
            }
        }
    }

    /// The day a claim's window starts; `None` while the trigger is not reached (semantics R2). A start on the landing
    /// day itself counts, wherever it was recorded first.
    pub fn trigger_date(&self, transfer: &Transfer, trigger: Trigger) -> Option<Date> {
        let landed = self.landed(transfer)?;
        let first = |start: fn(&Stay) -> Option<Date>| {
            self.stays.iter().filter_map(start).find(|date| *date >= landed)
        };
        match trigger {
            Trigger::Landing => Some(landed),
            Trigger::ConstructionStart => first(|stay| stay.construction),
            Trigger::ProductionStart => first(|stay| stay.production),
            Trigger::FirstTax => first_tax(self, landed),
        }
    }

    /// The days on which it, or what it came of, paid tax.
    pub fn tax_days(&self) -> impl Iterator<Item = Date> {
        self.came_of.iter().flat_map(|came| came.paid.iter().copied()).chain(paid_days(self))
    }

    /// The periods already reported for an indicator in a year.
    pub fn reported_in(&self, indicator: IndicatorId, year: i16) -> impl Iterator<Item = Period> {
        let months = self.reported.get(&(indicator, year)).into_iter().flatten();
        months.filter_map(move |known| Period::months(year, known.first, known.last))
    }

    /// The value on record for an indicator and exactly this period, minor units.
    pub fn value(&self, indicator: IndicatorId, period: Period) -> Option<i64> {
        let known = self.reported.get(&(indicator, period.year()))?;
        known.iter().find(|known| (known.first, known.last) == period.range()).map(|known| known.value)
    }
}

/// Everything the rules look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Number of records folded.
    pub size: u64,
    /// Name of the ledger; empty before record 0.
    pub origin: String,
    /// Region whose coordinator adopts policy and regions.
    pub host: RegionCode,
    /// Keys.
    pub keyring: Keyring,
    /// Regions.
    pub regions: RegionTree,
    /// Policy in force.
    #[serde(with = "crate::as_json")]
    pub policy: Policy,
    /// Its number, from 1; 0 before record 0.
    pub policy_version: u32,
    /// Every indicator any policy named, in order of first appearance; the latest wording.
    pub indicators: Vec<Indicator>,
    /// Their identities.
    pub indicator_ids: BTreeMap<IndicatorCode, IndicatorId>,
    /// Enterprises.
    pub enterprises: BTreeMap<EnterpriseCode, Enterprise>,
    /// Projects.
    pub projects: BTreeMap<ProjectId, Project>,
    /// Which project a government code is an alias of.
    pub project_codes: BTreeMap<String, ProjectId>,
    /// Open proposals by the last day for an answer.
    pub deadlines: BTreeSet<(Date, ProjectId)>,
    /// Accepted transfers, by project and number, whose claim waits for the superior.
    pub waiting_claims: BTreeSet<(ProjectId, u32)>,
    /// Redacted records, each with the record that redacted it.
    pub redactions: BTreeMap<u64, u64>,
    /// Disputes, open and ended.
    pub disputes: BTreeMap<DisputeId, Dispute>,
    /// Disputes that were joined to another.
    pub joined: BTreeMap<DisputeId, Joined>,
    /// The open dispute about each thing that is disputed.
    pub open_disputes: BTreeMap<Matter, DisputeId>,
    /// Disputes by the last day of the limit that runs.
    pub dispute_deadlines: BTreeSet<(Date, DisputeId)>,
    /// Closed periods, in order, without gaps.
    pub closed: Vec<Period>,
    /// Settlement runs, lines and balances.
    pub settlement: Settlement,
    /// Named freezes of figures.
    pub vintages: Vintages,
}

impl Default for State {
    /// Before record 0.
    fn default() -> State {
        State {
            size: 0,
            origin: String::new(),
            host: RegionCode::NATION,
            keyring: Keyring::default(),
            regions: RegionTree::default(),
            policy: Policy { indicators: Vec::new(), ..Policy::default() },
            policy_version: 0,
            indicators: Vec::new(),
            indicator_ids: BTreeMap::new(),
            enterprises: BTreeMap::new(),
            projects: BTreeMap::new(),
            project_codes: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            waiting_claims: BTreeSet::new(),
            redactions: BTreeMap::new(),
            disputes: BTreeMap::new(),
            joined: BTreeMap::new(),
            open_disputes: BTreeMap::new(),
            dispute_deadlines: BTreeSet::new(),
            closed: Vec::new(),
            settlement: Settlement::default(),
            vintages: Vintages::default(),
        }
    }
}

impl State {
    /// The indicator with this code, whether or not the policy in force still lists it.
    pub fn indicator(&self, code: IndicatorCode) -> Option<(IndicatorId, &Indicator)> {
        let id = *self.indicator_ids.get(&code)?;
        Some((id, &self.indicators[usize::from(id.0)]))
    }

    /// What the openers of a dispute say it should be, those that joined it included; `None`: it should not be.
    pub fn said(&self, dispute: DisputeId) -> impl Iterator<Item = Option<&Decimal>> {
        let first = self.disputes.get(&dispute).map(|known| known.amount.as_ref());
        let joined = self.joined.values().filter(move |joined| joined.into == dispute);
        first.into_iter().chain(joined.map(|joined| joined.amount.as_ref()))
    }

    /// The code now in force for a region.
    pub fn code(&self, id: RegionId) -> RegionCode {
        self.regions.get(id).code()
    }
}
