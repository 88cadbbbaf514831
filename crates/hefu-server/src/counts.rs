//! What the service has done, for its operator: how often each operation ended how, and how long it took. Whose question
//! it was, and about what, is not kept.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hefu_api::operation::Operation;

/// Upper bounds of the times that are told apart, in microseconds and as Prometheus writes them in seconds.
pub(crate) const BOUNDS: [(u64, &str); 6] = [
    (1_000, "0.001"),
    (5_000, "0.005"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// Times of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// How many lay above the bound before and not above this one.
    pub(crate) within: [u64; BOUNDS.len()],
    /// How many there were.
    pub(crate) count: u64,
    /// Their sum, in microseconds.
    pub(crate) micros: u64,
}

/// Everything counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct All {
    /// By operation and `ok` or the code of the problem.
    pub(crate) outcomes: BTreeMap<(Operation, &'static str), u64>,
    /// By operation.
    pub(crate) times: BTreeMap<Operation, Times>,
}

/// The counts of a service.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    all: Mutex<All>,
    read: AtomicU64,
}

impl Counts {
    /// One more answer.
    pub(crate) fn note(&self, operation: Operation, outcome: &'static str, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        *all.outcomes.entry((operation, outcome)).or_default() += 1;
        let times = all.times.entry(operation).or_default();
        times.count += 1;
        times.micros = times.micros.saturating_add(micros);
        if let Some(at) = BOUNDS.iter().position(|(bound, _)| micros <= *bound) {
            times.within[at] += 1;
        }
    }

    /// So many more records were taken from the log for readers.
    pub(crate) fn note_read(&self, records: usize) {
        self.read.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Records taken from the log for readers so far.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Everything so far.
    pub(crate) fn all(&self) -> All {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_within_the_first_bound_that_it_does_not_exceed() {
        let counts = Counts::default();
        for micros in [1_000, 1_001, 60_000_000] {
            counts.note(Operation::Project, "ok", Duration::from_micros(micros));
        }
        counts.note(Operation::Project, "unknown_project", Duration::ZERO);
        let all = counts.all();
        let times = all.times[&Operation::Project];
        assert_eq!((times.within, times.count, times.micros), ([2, 1, 0, 0, 0, 0], 4, 60_002_001));
        assert_eq!(all.outcomes[&(Operation::Project, "ok")], 3);
        assert_eq!(all.outcomes[&(Operation::Project, "unknown_project")], 1);
    }
}
