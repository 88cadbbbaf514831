//! What the verifier has to say. One finding per bad thing; nothing is summed up or left out.

use serde::Serialize;

use super::Options;
use crate::checkpoint::Checkpoint;
use crate::hash::ChainHash;
use crate::key::PublicKey;
use crate::log_keys::LogKeys;
use crate::origin::Origin;

/// The kinds of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The leaf is not the one that was chained.
    LeafAltered,
    /// The body is not the one the leaf commits to.
    BodyAltered,
    /// The body is absent; the leaf still commits to it.
    BodyWithheld,
    /// The command is not the one the leaf commits to, or speaks of another record.
    CommandAltered,
    /// The command is absent.
    CommandMissing,
    /// Two neighbours do not fit together, and nothing tells which is the altered one.
    LinkBroken,
    /// Records are absent.
    Missing,
    /// The same record stands here again.
    Duplicated,
    /// The record is not in its place.
    Swapped,
    /// The record is not part of the chain.
    Inserted,
    /// The log ends before a record that it once stood behind.
    TruncatedTail,
    /// Bytes after the last commit: a torn write, or damage to the last commit.
    TornTail,
    /// A frame's checksum, length or padding is wrong, or bytes are no frame.
    FrameDamaged,
    /// The leaf or command cannot be read, or its type and version are unknown.
    UnknownSchema,
    /// The command is not signed by the key it names.
    CommandSignatureWrong,
    /// The commit is not signed by the log.
    CommitSignatureWrong,
    /// The commit does not describe the records before it.
    CommitMismatch,
    /// The record does not continue its stream.
    StreamBroken,
    /// The record is older than the one before.
    TimeWentBack,
    /// The log is not the one whose head was signed.
    HeadDisagrees,
    /// Another ledger is named.
    OriginWrong,
    /// The file's header is wrong.
    HeaderDamaged,
    /// A public key is nowhere in the log, so signatures by it could not be checked.
    KeyUnknown,
    /// The checkpoint cannot be read, or a signature on it is wrong.
    CheckpointForged,
    /// The checkpoint has no signature of a known key of the log.
    CheckpointUnsigned,
    /// There is no checkpoint.
    CheckpointMissing,
    /// The checkpoint is older than one that was made of this log.
    CheckpointBehind,
    /// There is no head file: records lost at the end cannot be noticed.
    HeadMissing,
    /// Too few witnesses cosigned the checkpoint.
    QuorumMissing,
    /// The log signed another history than the one that is here.
    Fork,
    /// The log signed a longer history than the one that is here.
    Rollback,
    /// A tile does not hold the hashes that the tree has; the records are not concerned.
    TileDamaged,
    /// A tile is absent; the records are not concerned.
    TileMissing,
    /// A path does not lead from its record to the signed root.
    ProofWrong,
    /// A line of an evidence bundle is not what its last line vouches for, or is no such line.
    BundleDamaged,
}

impl FindingKind {
    /// Something is only absent: not proven, but not proven bad.
    pub fn is_absence(self) -> bool {
        match self {
            Self::BodyWithheld
            | Self::CommandMissing
            | Self::Missing
            | Self::TornTail
            | Self::KeyUnknown
            | Self::CheckpointUnsigned
            | Self::CheckpointMissing
            | Self::CheckpointBehind
            | Self::HeadMissing
            | Self::QuorumMissing
            | Self::TileMissing => true,
            Self::LeafAltered
            | Self::BodyAltered
            | Self::CommandAltered
            | Self::LinkBroken
            | Self::Duplicated
            | Self::Swapped
            | Self::Inserted
            | Self::TruncatedTail
            | Self::FrameDamaged
            | Self::UnknownSchema
            | Self::CommandSignatureWrong
            | Self::CommitSignatureWrong
            | Self::CommitMismatch
            | Self::StreamBroken
            | Self::TimeWentBack
            | Self::HeadDisagrees
            | Self::OriginWrong
            | Self::HeaderDamaged
            | Self::CheckpointForged
            | Self::Fork
            | Self::Rollback
            | Self::TileDamaged
            | Self::ProofWrong
            | Self::BundleDamaged => false,
        }
    }
}

/// One bad thing and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The record; none when it belongs to no record.
    pub position: Option<u64>,
    /// The file.
    pub segment: String,
    /// The offset of the frame in the file.
    pub offset: Option<u64>,
    /// The stream of the record, when its leaf can be read.
    pub stream: Option<String>,
    /// What kind of damage.
    pub kind: FindingKind,
    /// The field, when it can be told.
    pub field: Option<&'static str>,
    /// What stands there.
    pub stored: Option<String>,
    /// What should.
    pub expected: Option<String>,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, segment: &str) -> Self {
        Self {
            position: None,
            segment: segment.to_owned(),
            offset: None,
            stream: None,
            kind,
            field: None,
            stored: None,
            expected: None,
        }
    }

    /// Only a tile is concerned, no record.
    pub(super) fn is_of_tiles(&self) -> bool {
        matches!(self.kind, FindingKind::TileDamaged | FindingKind::TileMissing)
    }

    pub(super) fn at(mut self, position: u64, offset: u64) -> Self {
        self.position = Some(position);
        self.offset = Some(offset);
        self
    }

    pub(super) fn position(mut self, position: u64) -> Self {
        self.position = Some(position);
        self
    }

    pub(super) fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(super) fn stream(mut self, stream: Option<&str>) -> Self {
        self.stream = stream.map(str::to_owned);
        self
    }

    pub(super) fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    pub(super) fn stored(self, stored: impl ToString) -> Self {
        self.stored_opt(Some(stored))
    }

    pub(super) fn expected(self, expected: impl ToString) -> Self {
        self.expected_opt(Some(expected))
    }

    pub(super) fn stored_opt(mut self, stored: Option<impl ToString>) -> Self {
        self.stored = stored.map(|stored| stored.to_string());
        self
    }

    pub(super) fn expected_opt(mut self, expected: Option<impl ToString>) -> Self {
        self.expected = expected.map(|expected| expected.to_string());
        self
    }
}

/// The sum of all findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is there and fits.
    #[default]
    Proven,
    /// Something is absent; nothing is proven bad.
    NotProven,
    /// Something is proven bad.
    ProvenBad,
}

impl Verdict {
    /// The exit code of `verify`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::NotProven => 1,
            Self::ProvenBad => 2,
        }
    }
}

/// A record whose content is withheld because a redaction on record says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The record.
    pub position: u64,
    /// The record that redacted it.
    pub redacted_by: u64,
}

/// The verifier's report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The sum.
    pub verdict: Verdict,
    /// The checkpoint that was compared with, whether signed rightly or not.
    pub checkpoint: Option<Checkpoint>,
    /// The ledger it is.
    pub origin: Option<Origin>,
    /// The key the newest commits were checked against.
    pub log_key: Option<PublicKey>,
    /// All keys that commits were checked against, by the record each signs from.
    #[serde(skip)]
    pub log_keys: LogKeys,
    /// The position after the last committed record.
    pub size: u64,
    /// The chain value of the last committed record, computed.
    pub head: Option<ChainHash>,
    /// Records re-hashed.
    pub records: u64,
    /// Commit frames read.
    pub commits: u64,
    /// Signed commands read.
    pub commands: u64,
    /// Every bad thing, by segment and position.
    pub findings: Vec<Finding>,
    /// Records whose content was redacted; no findings.
    pub withheld: Vec<Withheld>,
    /// What the reader should know besides.
    pub notes: Vec<String>,
}

impl Report {
    /// Sums up, and says on what the verdict stands.
    pub(super) fn settle(&mut self, options: &Options<'_>) {
        self.verdict = if self.findings.is_empty() {
            Verdict::Proven
        } else if self.findings.iter().all(|finding| finding.kind.is_absence()) {
            Verdict::NotProven
        } else {
            Verdict::ProvenBad
        };
        // What is proven bad is so with or without an anchor.
        if options.log_key.is_none() && options.policy.is_none() && self.verdict != Verdict::ProvenBad {
            self.notes.push("self-consistent, no outside anchor: no key of the log was given".into());
        }
    }
}
