//! Copies of the state for dry runs of several commands, each decided on what the ones before would leave.
//!
//! They are made on the caller's thread, one after the other. While one is made nothing can be published; so after each
//! there is a pause in proportion, and whoever tries without end costs the writers a tenth of their time at most. One
//! command alone needs no copy.

use std::{
    sync::{Mutex, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use hefu_domain::state::State;
use hefu_projections::Views;

/// So many times as long as a copy took no other one is made.
const PAUSE: u32 = 9;

/// Who makes them.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// When the next one may be made.
    next: Mutex<Option<Instant>>,
}

impl Trials {
    /// What is published now. Waits for its turn.
    pub(super) fn copy(&self, views: &RwLock<Views>) -> Box<State> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = *next {
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let views = views.read().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let state = Box::new(views.state.clone());
        drop(views);
        let took = begun.elapsed();
        *next = Some(begun + took + took.saturating_mul(PAUSE).min(Duration::from_secs(10)));
        state
    }
}
