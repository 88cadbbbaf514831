//! From the log to what is known: read, check the chain, decode, fold.
//!
//! The only way from bytes to knowledge: opening, reload after a failure, readers and `check` all run it. A snapshot
//! spares what it stands for if its head is the log's own; on any doubt it is ignored.

use std::{ops::ControlFlow, path::Path, sync::mpsc, thread};

use hefu_chain::{chain::ChainContext, hash::ChainHash, key::PublicKey as ChainKey, origin::Origin};
use hefu_domain::event::Event;
use hefu_projections::Views;
use hefu_store::LogReader;

use crate::{
    answer::{EngineError, inconsistent},
    decode::{self, Fact},
    heads::Heads,
    snapshot,
};

/// A fold that can be continued.
pub(crate) struct Folded {
    pub(crate) views: Views,
    pub(crate) heads: Heads,
    pub(crate) head: ChainHash,
}

/// The name of a ledger and its log's key, from record 0.
pub(crate) fn identity(log: &dyn LogReader) -> Result<(Origin, ChainKey), EngineError> {
    let bad = EngineError::bad_record(0);
    let record = log.get(0)?.ok_or_else(|| bad("the log is empty".to_owned()))?;
    match decode::fact(log, &record.as_ref())?.event {
        Event::LedgerCreated(e) => {
            let origin = e.origin.parse().map_err(|error| bad(format!("{error}")))?;
            Ok((origin, ChainKey(e.log_public.0)))
        }
        _ => Err(bad("it does not create the ledger".to_owned())),
    }
}

/// The answers as known after the first `until` records (all, if `None`), from a snapshot where one serves.
pub fn replay_views(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    until: Option<u64>,
    use_snapshot: bool,
) -> Result<Views, EngineError> {
    let until = until.unwrap_or(u64::MAX).min(log.size());
    fold(dir, log, origin, until, use_snapshot, true).map(|(folded, _)| folded.views)
}

/// Folds the first `until` records. A thread reads, checks the chain and decodes; this one folds.
pub(crate) fn fold(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    until: u64,
    use_snapshot: bool,
    views_only: bool,
) -> Result<(Folded, u64), EngineError> {
    let start = if use_snapshot { believable(dir, log, &ChainContext::new(origin), until) } else { None };
    fold_on(start, log, origin, until, views_only, &mut |_| {})
}

/// Folds what the log has beyond what is folded.
pub(crate) fn fold_from(
    start: Folded,
    log: &dyn LogReader,
    origin: &Origin,
) -> Result<(Folded, u64), EngineError> {
    fold_on(Some(start), log, origin, log.size(), false, &mut |_| {})
}

/// Folds the first `until` records, showing the answers at each of `sizes`, which ascend, on the way.
pub(crate) fn visit(
    dir: &Path,
    log: &dyn LogReader,
    origin: &Origin,
    sizes: &[u64],
    show: &mut dyn FnMut(&Views),
) -> Result<(), EngineError> {
    let mut left = sizes.iter().copied().filter(|size| *size <= log.size()).peekable();
    let (Some(first), Some(last)) = (left.peek().copied(), sizes.iter().rfind(|size| **size <= log.size()))
    else {
        return Ok(());
    };
    let start = believable(dir, log, &ChainContext::new(origin), first);
    let mut at = |views: &Views| {
        while left.next_if(|size| *size < views.size).is_some() {}
        if left.next_if_eq(&views.size).is_some() {
            show(views);
        }
    };
    if let Some(Folded { views, .. }) = &start {
        at(views);
    }
    fold_on(start, log, origin, *last, true, &mut at).map(drop)
}

fn fold_on(
    start: Option<Folded>,
    log: &dyn LogReader,
    origin: &Origin,
    until: u64,
    views_only: bool,
    each: &mut dyn FnMut(&Views),
) -> Result<(Folded, u64), EngineError> {
    let chain = ChainContext::new(origin);
    let Folded { mut views, mut heads, mut head } = start.unwrap_or_else(|| Folded {
        views: Views::default(),
        heads: Heads::default(),
        head: chain.start(),
    });
    let from = views.size;
    let head_ref = &mut head;
    thread::scope(|scope| {
        // Bounded: a fold that is slower than the disk must not fill the memory.
        let (sender, facts) = mpsc::sync_channel::<Result<Vec<Fact>, EngineError>>(4);
        scope.spawn(move || {
            if let Err(error) = read(log, &chain, from, until, head_ref, &sender) {
                let _ = sender.send(Err(error));
            }
        });
        for batch in facts {
            for Fact { meta, event, stream, .. } in batch? {
                let bad = EngineError::bad_record(meta.position);
                views.apply(&meta, &event).map_err(|error| bad(inconsistent(&error)))?;
                each(&views);
                if !views_only {
                    heads.note(meta.position, stream, meta.command);
                }
            }
        }
        Ok::<(), EngineError>(())
    })?;
    Ok((Folded { views, heads, head }, from))
}

/// Reads, checks the chain, decodes; sends batches until done or nobody listens.
fn read(
    log: &dyn LogReader,
    chain: &ChainContext,
    from: u64,
    until: u64,
    head: &mut ChainHash,
    sender: &mpsc::SyncSender<Result<Vec<Fact>, EngineError>>,
) -> Result<(), EngineError> {
    let mut batch = Vec::with_capacity(512);
    let mut failed = None;
    let mut decoder = decode::Decoder::new(log);
    if from >= until {
        return Ok(());
    }
    log.scan(from, &mut |record| {
        if record.position >= until {
            return ControlFlow::Break(());
        }
        match decoder.linked(&record, chain, head) {
            Ok(fact) => batch.push(fact),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        if batch.len() < 512 {
            return ControlFlow::Continue(());
        }
        match sender.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(512)))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

/// The newest snapshot whose head is the log's own at that size.
fn believable(dir: &Path, log: &dyn LogReader, chain: &ChainContext, until: u64) -> Option<Folded> {
    let snapshot = snapshot::newest(dir, until)?;
    let last = log.get(snapshot.views.size.checked_sub(1)?).ok().flatten()?;
    let head = chain.link(&last.leaf);
    if head.0 != snapshot.head {
        tracing::warn!("the snapshot belongs to another history and is ignored");
        return None;
    }
    Some(Folded { views: snapshot.views, heads: snapshot.heads, head })
}
