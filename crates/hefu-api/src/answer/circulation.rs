//! Who sent projects where.

use hefu_projections::circulation::{Flow, circulation};

use super::{Known, Question, region};
use crate::{access::Reach, operation::Operation, problem::Problem, v1};

impl Question for v1::CirculationRequest {
    const OPERATION: Operation = Operation::Circulation;
    type Answer = v1::CirculationResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let region = region(state, &self.region, reach)?;
        reach.inside(state, region)?;
        let mut flows: Vec<_> = circulation(state, region).into_iter().collect();
        flows.sort_by_key(|((origin, destination, tier), _)| {
            (state.code(*origin), state.code(*destination), *tier)
        });
        let row = |((origin, destination, tier), flow)| {
            let Flow { proposed, open, accepted, landed, ended } = flow;
            v1::Flow {
                origin: state.code(origin).to_string(),
                destination: state.code(destination).to_string(),
                tier: hefu_domain::tier::Tier::name(tier).to_owned(),
                proposed,
                open,
                accepted,
                landed,
                ended,
            }
        };
        let rows = flows.into_iter().map(row).collect();
        Ok(v1::CirculationResponse { position: known.position, checkpoint: known.checkpoint(), rows })
    }
}
