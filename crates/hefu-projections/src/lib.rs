//! The answers of Hefu: folds over the log, one per question.
//!
//! [`Views`] is all of them together, true at one position. Everything here can be thrown away and folded again from
//! the log; nothing here can refuse a fact. Not here: storage, the order of commands, anything that is not a function
//! of the events so far.

pub mod as_of;
pub mod circulation;
pub mod contested;
pub mod counted;
pub mod counting;
pub mod disclosure;
pub mod explain;
pub mod find;
pub mod marks;
mod past;
pub mod report;
pub mod revised;
pub mod revisions;
pub mod settlement;
pub mod status;
mod unsettled;
pub mod vintages;

use hefu_domain::{
    event::Event,
    evolve::Inconsistent,
    id::ProjectId,
    region::{RegionCode, RegionId},
    state::{Meta, Project, State, Transfer},
    terms::Trigger,
    time::{Date, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::{counting::Counting, unsettled::Unsettled};

/// Every answer, as known after the first `size` records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Views {
    /// Number of records folded.
    pub size: u64,
    /// Instant of the last of them.
    pub ts: Timestamp,
    /// Enterprises, projects, regions, keys, policy.
    pub state: State,
    /// The indicator cube.
    pub counting: Counting,
    unsettled: Unsettled,
}

/// A ledger's state of knowledge in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Then {
    /// Number of records known.
    pub size: u64,
    /// Instant of the last of them.
    pub ts: Timestamp,
}

impl Views {
    /// Folds the next record. The registry and the cube move together: no reader sees one without the other.
    pub fn apply(&mut self, meta: &Meta, event: &Event) -> Result<(), Inconsistent> {
        let Views { state, counting, .. } = self;
        let extent = unsettled::extent(state);
        match reach(state, event) {
            Reach::Nothing => state.evolve(meta, event)?,
            Reach::Value => {
                state.evolve(meta, event)?;
                counting.observe(state, meta.position, event);
            }
            Reach::Standing(project, from) => {
                counting.withdraw(state, meta.position, project, from);
                state.evolve(meta, event)?;
                counting.restore(state, meta.position, project, from);
            }
            Reach::HandedOn(project, from) => {
                counting.withdraw(state, meta.position, project, from);
                state.evolve(meta, event)?;
                counting.part_with(state, project, from);
                counting.restore(state, meta.position, project, from);
            }
            Reach::Formed(project, from) => {
                state.evolve(meta, event)?;
                counting.take_over(state, meta.position, project);
                counting.restore(state, meta.position, project, from);
            }
            Reach::Areas(projects, from) => {
                for project in &projects {
                    counting.withdraw(state, meta.position, *project, from);
                }
                state.evolve(meta, event)?;
                for project in &projects {
                    counting.restore(state, meta.position, *project, from);
                }
            }
            Reach::Policy => {
                state.evolve(meta, event)?;
                counting.recount(state, meta.position);
            }
        }
        if unsettled::changes_lists(event) {
            self.unsettled.note_lists(meta.position);
        }
        if unsettled::extent(&self.state) != extent {
            self.unsettled.note_contested(&self.state, meta.position);
        }
        (self.size, self.ts) = (meta.position + 1, meta.ts);
        Ok(())
    }

    /// Every figure on today's tree, as if it had always been: the geography `current`. `None` if no region ever ended, gave
    /// a part away or changed its superior, so that these views say the same.
    pub fn restated(&self) -> Option<Views> {
        let state = self.state.restated()?;
        let counting = self.counting.recounted(&state);
        Some(Views { size: self.size, ts: self.ts, state, counting, unsettled: self.unsettled.clone() })
    }
}

/// What an event can change in the cube.
enum Reach {
    Nothing,
    /// One observation.
    Value,
    /// Who takes part in the project's observations that end on or after the day, and its counts.
    Standing(ProjectId, Date),
    /// The project's values from the day on leave it.
    HandedOn(ProjectId, Date),
    /// A project begins with values that were another's.
    Formed(ProjectId, Date),
    /// The same for many projects: regions took others' places, or came under others.
    Areas(Vec<ProjectId>, Date),
    /// Which projects are large.
    Policy,
}

/// The projects in which a region, or one under it, has a part.
fn areas(state: &State, code: RegionCode, from: Date) -> Reach {
    let Some(region) = state.regions.find(code).map(|region| region.id) else { return Reach::Nothing };
    let within = |id: RegionId| state.regions.upward_on(id, Date::MAX).any(|above| above == region);
    let ruled = |project: &Project| project.ruled_credits.values().flatten().any(|(id, _)| within(*id));
    let concerned =
        state.projects.iter().filter(|(_, project)| project.regions().any(within) || ruled(project));
    Reach::Areas(concerned.map(|(id, _)| *id).collect(), from)
}

fn reach(state: &State, event: &Event) -> Reach {
    // The claim of a transfer that has not landed weighs nothing yet.
    let landed = |project: ProjectId, number: u32| {
        let known = state.projects.get(&project)?;
        known.landed(known.transfers.get(number as usize)?)
    };
    let claim = |project, number| {
        landed(project, number).map_or(Reach::Nothing, |from| Reach::Standing(project, from))
    };
    // Tax moves a window that begins with the first of it.
    let first_tax = |project: ProjectId| {
        let Some(known) = state.projects.get(&project) else { return Reach::Nothing };
        let waits = |transfer: &&Transfer| {
            let credits = &transfer.terms.credits;
            let all = [&credits.attraction, &credits.investment, &credits.research, &credits.value_added];
            all.iter().any(|credit| credit.trigger == Trigger::FirstTax)
        };
        let from = known.transfers.iter().filter(waits).filter_map(|transfer| known.landed(transfer)).min();
        from.map_or(Reach::Nothing, |from| Reach::Standing(project, from))
    };
    match event {
        Event::ObservationReported(_) | Event::ObservationCorrected(_) | Event::ObservationRuled(_) => {
            Reach::Value
        }
        Event::CreditRuled(e) => Reach::Standing(e.project, e.period.end()),
        Event::ProjectRegistered(e) => Reach::Standing(e.project, e.date),
        Event::ProjectAmended(e) => Reach::Standing(e.project, e.date),
        Event::ProjectLanded(e) => Reach::Standing(e.project, e.date),
        Event::ConstructionStarted(e) => Reach::Standing(e.project, e.date),
        Event::ProductionStarted(e) => Reach::Standing(e.project, e.date),
        Event::ProjectClosed(e) => Reach::Standing(e.project, e.date),
        Event::ProjectSplit(e) => Reach::HandedOn(e.project, e.date),
        Event::ProjectMerged(e) => Reach::HandedOn(e.project, e.date),
        Event::ProjectFormed(e) => Reach::Formed(e.project, e.date),
        Event::ClaimConfirmed(e) => claim(e.project, e.transfer),
        Event::ClaimRejected(e) => claim(e.project, e.transfer),
        Event::TaxReceived(e) => first_tax(e.project),
        Event::TaxRefunded(e) => first_tax(e.project),
        Event::RegionMerged(e) => areas(state, e.region, e.date),
        Event::RegionSplit(e) => Reach::Areas(e.projects.clone(), e.date),
        Event::RegionReparented(e) => areas(state, e.region, e.date),
        Event::PolicyAdopted(_) => Reach::Policy,
        Event::LedgerCreated(_)
        | Event::RegionsRegistered(_)
        | Event::RegionRenamed(_)
        | Event::RegionRecoded(_)
        | Event::KeysRegistered(_)
        | Event::KeyRotated(_)
        | Event::LogKeyRotated(_)
        | Event::KeyRevoked(_)
        | Event::KeyRecoveryAnnounced(_)
        | Event::KeyRecoveryCancelled(_)
        | Event::KeyRecovered(_)
        | Event::RecordRedacted(_)
        | Event::EnterpriseRegistered(_)
        | Event::TierExhausted(_)
        | Event::TierWaived(_)
        | Event::TransferProposed(_)
        | Event::TransferConsented(_)
        | Event::TransferAccepted(_)
        | Event::TransferDeclined(_)
        | Event::TransferWithdrawn(_)
        | Event::TransferExpired(_)
        | Event::ProjectSuspended(_)
        | Event::ProjectResumed(_)
        | Event::DisputeOpened(_)
        | Event::DisputeJoined(_)
        | Event::DisputeAnswered(_)
        | Event::DisputeEscalated(_)
        | Event::EvidenceAdded(_)
        | Event::EvidenceWithdrawn(_)
        | Event::DisputeSettled(_)
        | Event::DisputeWithdrawn(_)
        | Event::RulingProposed(_)
        | Event::RulingDeclined(_)
        | Event::RulingApproved(_)
        | Event::RulingAppealed(_)
        | Event::AppealWaived(_)
        | Event::RulingFinal(_)
        | Event::LineRuled(_)
        | Event::PeriodClosed(_)
        | Event::VintageFrozen(_)
        | Event::SettlementOpened(_)
        | Event::SettlementAccrued(_)
        | Event::StatementConfirmed(_)
        | Event::SettlementFinalised(_)
        | Event::PaymentRecorded(_) => Reach::Nothing,
    }
}
