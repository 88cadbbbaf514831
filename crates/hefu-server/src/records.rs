//! Checkpoints, proofs, and the records themselves, in steps: a step is read while its answer is sent, never more.

use std::{ops::ControlFlow, sync::Arc, sync::PoisonError};

use axum::body::Bytes;
use hefu_api::{
    access::{Caller, Reach},
    operation::Operation,
    problem::{Kind, Problem},
    v1,
};
use hefu_chain::leaf::LeafRef;
use hefu_engine::EngineError;
use hefu_projections::find;

use crate::desk::{Desk, failed, stops};

/// Records looked at in one step.
const STEP_RECORDS: u64 = 4096;
/// Bytes of one step, from which on no more is added to it: a message stays below the 4 MiB that clients take.
const STEP_BYTES: usize = 1 << 20;

/// The newest checkpoint.
pub(crate) async fn checkpoint(desk: &Arc<Desk>, caller: &Caller) -> Result<v1::CheckpointResponse, Problem> {
    caller.reach(Operation::Checkpoint)?;
    desk.work(|desk| {
        let prover = desk.engine.prover()?;
        let published = prover.checkpoint();
        let root = published.checkpoint.root.0.to_vec();
        Ok(v1::CheckpointResponse { note: published.note.to_string(), size: published.checkpoint.size, root })
    })
    .await
}

/// The proof that a record is in the tree.
pub(crate) async fn inclusion(
    desk: &Arc<Desk>,
    caller: &Caller,
    request: v1::InclusionProofRequest,
) -> Result<v1::InclusionProofResponse, Problem> {
    let reach = caller.reach(Operation::InclusionProof)?;
    desk.work(move |desk| {
        if reach != Reach::Everything {
            desk.own_record(reach, request.position)?;
        }
        let proof = desk.engine.prover()?.inclusion(request.position)?;
        Ok(v1::InclusionProofResponse { proof: proof.to_string() })
    })
    .await
}

/// The proof that one tree grew from another.
pub(crate) async fn consistency(
    desk: &Arc<Desk>,
    caller: &Caller,
    request: v1::ConsistencyProofRequest,
) -> Result<v1::ConsistencyProofResponse, Problem> {
    caller.reach(Operation::ConsistencyProof)?;
    desk.work(move |desk| {
        let prover = desk.engine.prover()?;
        let old_size = request.old_size;
        let new_size =
            if request.new_size == 0 { prover.checkpoint().checkpoint.size } else { request.new_size };
        let hashes = prover.consistency(old_size, new_size)?;
        Ok(v1::ConsistencyProofResponse {
            old_size,
            old_root: prover.root(old_size)?.0.to_vec(),
            new_size,
            new_root: prover.root(new_size)?.0.to_vec(),
            hashes: hashes.into_iter().map(|hash| hash.0.to_vec()).collect(),
        })
    })
    .await
}

/// Where a cursor stands.
pub(crate) async fn get_cursor(
    desk: &Arc<Desk>,
    caller: Caller,
    request: v1::GetCursorRequest,
) -> Result<v1::GetCursorResponse, Problem> {
    caller.reach(Operation::GetCursor)?;
    let name = request.name;
    desk.work(move |desk| {
        let position = desk.cursors.get(&caller, &name)?;
        Ok(v1::GetCursorResponse { name, position })
    })
    .await
}

/// Moves a cursor.
pub(crate) async fn set_cursor(
    desk: &Arc<Desk>,
    caller: Caller,
    request: v1::SetCursorRequest,
) -> Result<v1::SetCursorResponse, Problem> {
    caller.reach(Operation::SetCursor)?;
    let v1::SetCursorRequest { name, position } = request;
    let size = *desk.grown.borrow();
    if position > size {
        let (zh, en) = (format!("账本只有 {size} 条记录"), format!("the log has only {size} records"));
        return Err(Problem::new(Kind::NotYet, "position_not_reached", zh, en).at("position"));
    }
    desk.work(move |desk| desk.cursors.set(&caller, &name, position)).await?;
    Ok(v1::SetCursorResponse {})
}

impl Desk {
    /// Fails unless the record is one of a project that the caller's own region is a party to.
    fn own_record(&self, reach: Reach, position: u64) -> Result<(), Problem> {
        let foreign = || {
            let (zh, en) =
                ("该记录不属于本令牌地区的项目", "the record is of no project of the token's region");
            Problem::new(Kind::Denied, "foreign_region", zh, en).at("position")
        };
        let record = self.engine.log().get(position).map_err(EngineError::from)?;
        let record = record.ok_or_else(foreign)?;
        let leaf = LeafRef::parse(&record.leaf).map_err(|_| failed())?;
        let project = leaf.stream.strip_prefix("project/").ok_or_else(foreign)?;
        self.now(|known| {
            let state = &known.views.state;
            let (_, found) = find::project(state, project).map_err(|_| foreign())?;
            if reach.party(state, found)? { Ok(()) } else { Err(foreign()) }
        })
    }
}

/// Records being read for one caller.
pub(crate) struct Reading {
    desk: Arc<Desk>,
    /// Position of the next record to look at.
    next: u64,
    events: Vec<String>,
    stream: Option<String>,
    follow: bool,
    /// Records still wanted.
    left: u64,
    /// Everything known has been looked at.
    caught_up: bool,
    over: bool,
}

impl Reading {
    /// Begins where the request or its cursor says.
    pub(crate) async fn begin(
        desk: &Arc<Desk>,
        caller: &Caller,
        request: v1::ReadRecordsRequest,
    ) -> Result<Reading, Problem> {
        let reach = caller.reach(Operation::ReadRecords)?;
        let v1::ReadRecordsRequest { from, cursor, events, project, follow, limit } = request;
        let unknown = events.iter().find(|event| !hefu_domain::event::Event::NAMES.contains(&event.as_str()));
        if let Some(event) = unknown {
            let (zh, en) = (format!("没有事件 `{event}`"), format!("there is no event `{event}`"));
            return Err(Problem::usage("events", zh, en));
        }
        let caller = caller.clone();
        let begin = move |desk: &Desk| {
            let stream = desk.now(|known| {
                let state = &known.views.state;
                if project.is_empty() {
                    return match reach {
                        Reach::Everything => Ok(None),
                        Reach::Own(_) => Err(Problem::usage(
                            "project",
                            "本令牌只能读取一个项目的记录:请指明项目",
                            "this token reads the records of one project: name it",
                        )),
                    };
                }
                let (id, found) = find::project(state, &project)?;
                reach.project(state, found, &project)?;
                Ok(Some(format!("project/{id}")))
            })?;
            let stands = if cursor.is_empty() { None } else { desk.cursors.get(&caller, &cursor)? };
            Ok((stream, stands.unwrap_or(from)))
        };
        let (stream, next) = desk.work(begin).await?;
        let left = if limit == 0 { u64::MAX } else { limit };
        Ok(Reading { desk: desk.clone(), next, events, stream, follow, left, caught_up: false, over: false })
    }

    /// The next records; nothing once all are sent. Where more were to come and the server stops, that is said last.
    pub(crate) async fn next(&mut self) -> Option<Result<v1::ReadRecordsResponse, Problem>> {
        if self.over {
            return None;
        }
        let (mut grown, mut stopping) = (self.desk.grown.clone(), self.desk.stopping.clone());
        if *stopping.borrow() {
            self.over = true;
            return Some(Err(stops()));
        }
        if self.caught_up {
            let next = self.next;
            tokio::select! {
                more = grown.wait_for(|size| *size > next) => if more.is_err() { return None },
                // A sender that has gone means stop, too.
                _ = stopping.wait_for(|stop| *stop) => {
                    self.over = true;
                    return Some(Err(stops()));
                }
            }
        }
        // What was acknowledged is published already, though the watcher may not have told yet.
        let size = (*grown.borrow()).max(self.desk.published());
        let step = self.step(size).await;
        match &step {
            Ok(step) => {
                self.caught_up = step.caught_up;
                self.over = self.left == 0 || (step.caught_up && !self.follow);
            }
            Err(_) => self.over = true,
        }
        Some(step)
    }

    async fn step(&mut self, size: u64) -> Result<v1::ReadRecordsResponse, Problem> {
        let (first, left) = (self.next, self.left);
        let (events, stream) = (self.events.clone(), self.stream.clone());
        let read = move |desk: &Desk| {
            let end = size.min(first.saturating_add(STEP_RECORDS));
            let (mut found, mut bytes, mut next) = (Vec::new(), Vec::new(), first);
            let mut bad = None;
            let filtered = !events.is_empty() || stream.is_some();
            let scanned = desk.engine.log().scan(first, &mut |record| {
                let full = found.len() as u64 == left || bytes.len() >= STEP_BYTES;
                if record.position >= end || full {
                    return ControlFlow::Break(());
                }
                if filtered {
                    let Ok(leaf) = LeafRef::parse(record.leaf) else {
                        bad = Some(record.position);
                        return ControlFlow::Break(());
                    };
                    let event = events.is_empty() || events.iter().any(|event| event == leaf.kind);
                    if !event || stream.as_deref().is_some_and(|stream| stream != leaf.stream) {
                        next = record.position + 1;
                        return ControlFlow::Continue(());
                    }
                }
                next = record.position + 1;
                let parts = [record.leaf, record.body, record.command];
                found.push((record.position, parts.map(<[u8]>::len), record.redacted_by));
                for part in parts {
                    bytes.extend_from_slice(part);
                }
                ControlFlow::Continue(())
            });
            scanned.map_err(|error| Problem::from(EngineError::from(error)))?;
            if let Some(position) = bad {
                tracing::error!("record {position} cannot be read");
                return Err(failed());
            }
            let mut rest = Bytes::from(bytes);
            let record = |(position, lengths, redacted_by): (u64, [usize; 3], Option<u64>)| {
                let [leaf, body, command] = lengths.map(|length| rest.split_to(length));
                v1::Record { position, leaf, body, command, redacted_by }
            };
            let mut records: Vec<v1::Record> = found.into_iter().map(record).collect();
            // A redaction that is on record counts from then on, whether or not the disk has been cleared yet.
            let views = desk.engine.views().read().unwrap_or_else(PoisonError::into_inner);
            for record in &mut records {
                if let Some(by) = views.state.redactions.get(&record.position) {
                    (record.body, record.command) = (Bytes::new(), Bytes::new());
                    record.redacted_by = Some(*by);
                }
            }
            Ok(v1::ReadRecordsResponse { records, next, caught_up: next >= size })
        };
        let step = self.desk.work(read).await?;
        self.desk.counts.note_read(step.records.len());
        self.next = step.next;
        self.left -= step.records.len() as u64;
        Ok(step)
    }
}
