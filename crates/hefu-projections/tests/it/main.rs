//! The figures of Hefu, tested against golden cases, laws and a recount.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../hefu-domain/tests/it/ledger.rs"]
mod ledger;
#[path = "../../../hefu-domain/tests/it/script.rs"]
mod script;

mod areas;
mod contested;
mod disclosure;
mod golden;
mod history;
mod laws;
mod money;
mod recount;
mod scripts;
mod vintages;

use hefu_domain::{
    event::Event,
    state::{Meta, State},
};
use hefu_projections::Views;

impl ledger::Fold for Views {
    fn state(&self) -> &State {
        &self.state
    }

    fn fold(&mut self, meta: &Meta, event: &Event) {
        self.apply(meta, event).unwrap();
    }
}
