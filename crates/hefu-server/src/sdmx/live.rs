//! SDMX over a ledger that is open for writing: what is known now, to whom the token says.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use hefu_api::access::{Caller, Role};
use hefu_domain::time::Timestamp;
use hefu_engine::system_clock;
use hefu_exchange::sdmx::{Refusal, Source, Viewer, When, cube::Look, refusal::Code};
use hefu_projections::as_of::AsOf;

use super::{LedgerCube, LedgerFolder, sdmx};
use crate::{
    desk::Desk,
    http::{caller, in_chinese, problem},
};

/// Routes for a desk, to be nested under `/sdmx`.
pub(crate) fn live(desk: Arc<Desk>, ledger: &Path) -> Router {
    let source = Arc::new(Live { desk: desk.clone(), folder: LedgerFolder::new(ledger.to_owned()) });
    let known = desk.clone();
    let viewer =
        move |headers: &HeaderMap| caller(&known, headers).map_or(Viewer::Public, |who| viewer(&who));
    sdmx(source, viewer).layer(from_fn_with_state(desk, told))
}

/// A token that does not serve is told, and not taken for none.
async fn told(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    match caller(&desk, request.headers()) {
        Ok(_) => next.run(request).await,
        Err(error) => problem(&error, in_chinese(request.headers())),
    }
}

/// What a caller may see of the figures: what `Indicators` would answer, and what is public.
fn viewer(caller: &Caller) -> Viewer {
    match (caller.role, caller.region) {
        (Role::Statistics | Role::Auditor, _) => Viewer::Everything,
        (Role::Region | Role::Coordinator, Some(region)) => Viewer::Region(region),
        (Role::Region | Role::Coordinator, None) | (Role::Public | Role::Treasury | Role::Admin, _) => {
            Viewer::Public
        }
    }
}

struct Live {
    desk: Arc<Desk>,
    folder: LedgerFolder,
}

impl Source for Live {
    fn look(&self, when: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        let past = |instant: &Timestamp| *instant < system_clock();
        let then = match when {
            When::At(instant) if past(instant) => {
                self.desk.past(AsOf::Instant(*instant)).map_err(|error| match error.code {
                    "usage" => Refusal::new(Code::NoData, ("asOf", ""), error.en, error.zh),
                    _ => Refusal::new(Code::Unreadable, ("source", ""), error.en, error.zh),
                })?
            }
            // The folder checks the vintage's digest.
            When::Vintage(_) => return self.folder.look(when, look),
            When::Now | When::At(_) => None,
        };
        match then {
            Some(reader) => look(&LedgerCube::of(&reader.views)),
            // A copy: whoever asks for many figures must not keep the writer waiting.
            None => look(&LedgerCube::of(&self.desk.copy())),
        }
    }

    fn history(&self, until: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        self.folder.history(until, look)
    }
}
