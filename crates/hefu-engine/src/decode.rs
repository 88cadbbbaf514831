//! From stored bytes back to facts: the inverse of what the writer encodes.

use hefu_chain::{body, chain::ChainContext, hash::ChainHash, leaf::LeafRef, record::RecordRef};
use hefu_domain::{event::Event, id::Digest, state::Meta, time::Timestamp};

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
}

/// Reads one record.
pub(crate) fn fact(record: &RecordRef<'_>) -> Result<Fact, EngineError> {
    Decoder::default().fact(record)
}

/// Reads records one after another. All records of a commit tend to carry the same instant, so it is read once.
#[derive(Default)]
pub(crate) struct Decoder {
    stamp: String,
    ts: Timestamp,
}

impl Decoder {
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
        let body = body::split(record.body).map_err(|error| bad(error.to_string()))?;
        let event = Event::parse(leaf.kind, leaf.v, body.data).map_err(|error| bad(unknown_event(&error)))?;
        let meta = Meta {
            position: record.position,
            ts: self.ts,
            command: leaf.command,
            command_sha256: Digest(leaf.command_sha256.0),
        };
        let stream = StreamKey::of(&event);
        Ok((Fact { meta, event, stream }, leaf.prev))
    }
}
