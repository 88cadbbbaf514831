//! What was frozen under a name, and answers from it.

use hefu_domain::{
    period::Period,
    state::{IndicatorId, State},
    vintage::Vintage,
};
use hefu_projections::report::in_force;

use super::{Known, Question};
use crate::{
    access::Reach,
    operation::Operation,
    problem::{Kind, Problem},
    v1,
};

impl Question for v1::VintagesRequest {
    const OPERATION: Operation = Operation::Vintages;
    type Answer = v1::VintagesResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, _: Reach) -> Result<Self::Answer, Problem> {
        let rows = known.state().vintages.in_order().into_iter().map(|(name, vintage)| v1::Vintage {
            name: name.to_owned(),
            kind: vintage.kind.name().to_owned(),
            position: vintage.position,
            digest: vintage.digest.to_string(),
            policy_version: vintage.policy_version,
            geography: vintage.geography,
            frozen_at: vintage.frozen_at,
            frozen: vintage.ts.to_string(),
            indicators: vintage.indicators.iter().map(ToString::to_string).collect(),
            periods: vintage.periods.iter().map(ToString::to_string).collect(),
        });
        let rows = rows.collect();
        Ok(v1::VintagesResponse { position: known.position, checkpoint: known.checkpoint(), rows })
    }
}

/// The indicators asked for, or all: those of the vintage that is answered from, otherwise those of the policy in force.
/// Fails if the vintage did not freeze one of them, or not for the period.
pub(super) fn frozen(
    known: &Known<'_>,
    asked: Vec<IndicatorId>,
    period: Period,
) -> Result<Vec<IndicatorId>, Problem> {
    let state = known.state();
    let Some(vintage) = known.frozen else {
        return Ok(if asked.is_empty() { in_force(state) } else { asked });
    };
    if !vintage.periods.contains(&period) {
        return Err(refused("period", &period.to_string(), vintage.periods.iter().map(ToString::to_string)));
    }
    if asked.is_empty() {
        return Ok(vintage.indicators.iter().filter_map(|code| Some(state.indicator(*code)?.0)).collect());
    }
    match asked.iter().map(|id| code(state, *id)).find(|code| !has(vintage, code)) {
        Some(code) => Err(refused("indicators", &code, vintage.indicators.iter().map(ToString::to_string))),
        None => Ok(asked),
    }
}

fn code(state: &State, id: IndicatorId) -> String {
    state.indicators[usize::from(id.0)].code.to_string()
}

fn has(vintage: &Vintage, code: &str) -> bool {
    vintage.indicators.iter().any(|one| one.as_str() == code)
}

fn refused(field: &str, what: &str, there: impl Iterator<Item = String>) -> Problem {
    let there = there.collect::<Vec<_>>().join(", ");
    let zh = format!("该版本未冻结 {what};其中有 {there}");
    let en = format!("this vintage did not freeze {what}; it has {there}");
    Problem::new(Kind::Rule, "not_in_vintage", zh, en).at(field)
}
