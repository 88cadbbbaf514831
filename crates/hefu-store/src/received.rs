//! Records that came from elsewhere, to be read like a log. Nothing is known of commits: whoever asks for one gets none.

use std::{ops::ControlFlow, sync::Arc};

use crate::log::{borrowed, fill_command};
use crate::{CommitRef, LogReader, Record, RecordRef, StoreError};

#[derive(Debug)]
struct Received(Vec<Record>);

/// A log of these records; `None` unless they are all from position 0 on, in order. Whether they are linked to each other
/// is for the reader to find out.
pub fn received(records: Vec<Record>) -> Option<Arc<dyn LogReader>> {
    let in_order = (0..).zip(&records).all(|(position, record)| position == record.position);
    in_order.then(|| Arc::new(Received(records)) as Arc<dyn LogReader>)
}

impl LogReader for Received {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn scan(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for record in self.0.iter().skip(from) {
            if visit(borrowed(record)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, position: u64) -> Result<Option<Record>, StoreError> {
        let at = |position: u64| usize::try_from(position).ok().and_then(|at| self.0.get(at)).cloned();
        fill_command(position, |position| Ok(at(position)))
    }

    fn commit_at(&self, _: u64) -> Result<Option<CommitRef>, StoreError> {
        Ok(None)
    }

    fn last_commit(&self) -> Option<CommitRef> {
        None
    }
}
