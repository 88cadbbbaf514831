//! From stored bytes back to facts: the inverse of what the writer encodes. Of a redacted record the fact is what the
//! redaction says remains of it.

use hefu_chain::{body, chain::ChainContext, hash::ChainHash, leaf::LeafRef, record::RecordRef};
use hefu_domain::{
    event::Event,
    id::{Digest, KeyId},
    state::Meta,
    time::Timestamp,
};
use hefu_store::LogReader;

use crate::{
    answer::{EngineError, unknown_event},
    heads::StreamKey,
};

/// A record as the folds see it.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) meta: Meta,
    pub(crate) event: Event,
    pub(crate) stream: StreamKey,
    /// The record that redacted this one, if its body is withheld.
    pub(crate) redacted_by: Option<u64>,
}

/// Reads one record.
pub(crate) fn fact(log: &dyn LogReader, record: &RecordRef<'_>) -> Result<Fact, EngineError> {
    Decoder::new(log).fact(record)
}

/// Reads records one after another. All records of a commit tend to carry the same instant, so it is read once.
pub(crate) struct Decoder<'l> {
    /// Where the redactions of withheld records are.
    log: &'l dyn LogReader,
    stamp: String,
    ts: Timestamp,
}

impl<'l> Decoder<'l> {
    pub(crate) fn new(log: &'l dyn LogReader) -> Decoder<'l> {
        Decoder { log, stamp: String::new(), ts: Timestamp::default() }
    }

    /// Reads the next record of the chain and moves `head` on; refuses one that is not linked to it.
    pub(crate) fn linked(
        &mut self,
        record: &RecordRef<'_>,
        chain: &ChainContext,
        head: &mut ChainHash,
    ) -> Result<Fact, EngineError> {
        let (fact, prev) = self.read(record)?;
        if prev != *head {
            return Err(EngineError::bad_record(record.position)(
                "it is not linked to the record before".to_owned(),
            ));
        }
        *head = chain.link(record.leaf);
        Ok(fact)
    }

    /// Reads a record without looking at its link.
    pub(crate) fn fact(&mut self, record: &RecordRef<'_>) -> Result<Fact, EngineError> {
        self.read(record).map(|(fact, _)| fact)
    }

    fn read(&mut self, record: &RecordRef<'_>) -> Result<(Fact, ChainHash), EngineError> {
        let bad = EngineError::bad_record(record.position);
        let leaf = LeafRef::parse(record.leaf).map_err(|error| bad(error.to_string()))?;
        if leaf.seq != record.position {
            return Err(bad(format!("its leaf says seq {}", leaf.seq)));
        }
        if leaf.ts != self.stamp {
            self.ts = leaf.ts.parse().map_err(|error| bad(format!("{error}")))?;
            leaf.ts.clone_into(&mut self.stamp);
        }
        let redacted_by = record.redacted_by.filter(|_| record.body.is_empty());
        let event = match redacted_by {
            Some(by) => self.residue(record, &leaf, by)?,
            None => event(&leaf, record.body).map_err(bad)?,
        };
        let bad = EngineError::bad_record(record.position);
        let meta = Meta {
            position: record.position,
            ts: self.ts,
            command: leaf.command,
            command_sha256: Digest(leaf.command_sha256.0),
            actor: KeyId(leaf.actor.0),
        };
        let stream = StreamKey::of(&event);
        if redacted_by.is_some() && stream.text() != leaf.stream {
            return Err(bad("what is said to remain of it belongs to another stream".to_owned()));
        }
        Ok((Fact { meta, event, stream, redacted_by }, leaf.prev))
    }

    /// What the record `by` says remains of a withheld one.
    fn residue(&self, record: &RecordRef<'_>, leaf: &LeafRef<'_>, by: u64) -> Result<Event, EngineError> {
        let bad = EngineError::bad_record(record.position);
        let unsaid = || bad(format!("it is withheld, and record {by} does not redact it"));
        let redaction = if by > record.position { self.log.get_later(by)? } else { None };
        let redaction = redaction.ok_or_else(unsaid)?;
        let redacting = LeafRef::parse(&redaction.leaf).map_err(|error| bad(error.to_string()))?;
        match event(&redacting, &redaction.body).map_err(&bad)? {
            Event::RecordRedacted(e) if e.position == record.position && e.residue.0.kind() == leaf.kind => {
                Ok(*e.residue.0)
            }
            _ => Err(unsaid()),
        }
    }
}

fn event(leaf: &LeafRef<'_>, stored: &[u8]) -> Result<Event, String> {
    if stored.is_empty() {
        return Err("its body is withheld, and nothing says by which redaction".to_owned());
    }
    let body = body::split(stored).map_err(|error| error.to_string())?;
    Event::parse(leaf.kind, leaf.v, body.data).map_err(|error| unknown_event(&error))
}
