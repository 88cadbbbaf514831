//! The files an audit reads: as they lie there, without a lock and without believing any of them.

use std::{ops::ControlFlow, path::Path};

use hefu_chain::{
    chain::ChainContext,
    frame::{self, Commit, FileHeader},
    origin::Origin,
};
use hefu_store::{Backend, CommitRef, LogReader, OpenOptions, segments::SegmentLog};

use crate::{
    error::{CliError, Result, exit, store_error},
    lang::text,
};

/// There is nothing to verify at this place.
pub(super) fn no_ledger(place: &Path) -> CliError {
    let name = place.display().to_string();
    let message = text(format!("{name} 没有可核验的账本"), format!("there is no log to verify at {name}"));
    let hint = text(
        "可核验:账本目录、导出的站点、证明文件、证据包",
        "to be verified: a ledger's directory, an exported site, a proof, a bundle",
    );
    CliError::new("no_ledger", exit::IO, message).hint(hint).at("file", name)
}

/// The log of a ledger, for reading.
pub(crate) fn log(dir: &Path) -> Result<std::sync::Arc<dyn LogReader>> {
    let opened = match Backend::of(dir) {
        Backend::Segments => SegmentLog::open_reader(dir),
        Backend::Sled => Backend::Sled.open(dir, &OpenOptions::default()).map(|(log, _)| log.reader()),
    };
    opened.map_err(|error| store_error(&error))
}

/// A log that is kept in sled, in the bytes of a segment file, so that one verifier judges both.
pub(super) fn as_segment(log: &dyn LogReader, origin: &Origin) -> Result<Vec<u8>> {
    let start = ChainContext::new(origin).start();
    let mut out = FileHeader { base: 0, prev_head: start.0 }.encode().to_vec();
    let mut batch_offset = out.len() as u64;
    let mut covering: Option<CommitRef> = None;
    let mut failed = None;
    let scanned = log.scan(0, &mut |record| {
        let next = record.position + 1;
        let written = frame::encode_record(&mut out, &record).map_err(hefu_store::StoreError::from);
        let found = written.and_then(|()| match covering {
            Some(commit) if next <= commit.end() => Ok(covering),
            Some(_) | None => log.commit_at(record.position),
        });
        covering = match found {
            Ok(found) => found,
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        };
        if let Some(CommitRef { first, count, head, signature }) =
            covering.filter(|commit| commit.end() == next)
        {
            frame::encode_commit(&mut out, &Commit { first, count, batch_offset, head, signature });
            batch_offset = out.len() as u64;
        }
        ControlFlow::Continue(())
    });
    match scanned.err().or(failed) {
        Some(error) => Err(store_error(&error)),
        None => Ok(out),
    }
}
