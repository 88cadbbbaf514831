//! What disputes left on one observation, and what is still open about it: for explanations.

use hefu_domain::{
    dispute::{DisputeId, Matter, MatterKind},
    region::RegionId,
    state::{ClaimStatus, State},
};

use crate::explain::Line;

/// Marks of one line behind a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The dispute that fixed its value.
    pub ruled_by: Option<DisputeId>,
    /// What rulings gave regions or took from them; minor units.
    pub credits: Vec<(RegionId, i64)>,
    /// Transfers whose claim waits for the superior.
    pub pending: Vec<u32>,
    /// Open disputes that touch it.
    pub disputes: Vec<DisputeId>,
}

impl Marks {
    /// The marks of a line.
    pub fn of(state: &State, line: &Line) -> Marks {
        let Some(project) = state.projects.get(&line.project) else { return Marks::default() };
        let key = (line.indicator, line.period);
        let reported = line.position.is_some();
        let landed = |number: u32| {
            let transfer = project.transfers.get(number as usize)?;
            project.landed(transfer).filter(|day| *day <= line.period.end()).map(|_| transfer)
        };
        let pending = (0u32..).take(project.transfers.len()).filter(|number| {
            landed(*number)
                .is_some_and(|known| known.claim == ClaimStatus::Pending && known.origin != known.destination)
        });
        let touches = |matter: &Matter| {
            let narrow = matter.indicator.zip(matter.period);
            let narrow = narrow.map(|(code, period)| (state.indicator(code).map(|(id, _)| id), period));
            let here = match matter.kind {
                MatterKind::Claim | MatterKind::Transfer => {
                    matter.transfer.is_some_and(|number| landed(number).is_some())
                        && narrow.is_none_or(|(id, period)| {
                            reported && id == Some(line.indicator) && period.contains(line.period)
                        })
                }
                MatterKind::Observation => reported && narrow == Some((Some(line.indicator), line.period)),
                MatterKind::Line => false,
            };
            matter.project == line.project && here
        };
        let disputes = state.open_disputes.iter().filter(|(matter, _)| touches(matter));
        Marks {
            ruled_by: project.ruled_values.get(&key).copied().filter(|_| reported),
            credits: project.ruled_credits.get(&key).cloned().unwrap_or_default(),
            pending: pending.collect(),
            disputes: disputes.map(|(_, id)| *id).collect(),
        }
    }

    /// Whether anything is still open.
    pub fn is_contested(&self) -> bool {
        !self.pending.is_empty() || !self.disputes.is_empty()
    }
}
