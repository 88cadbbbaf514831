//! Disputes (semantics section 6): what is disputed, what a ruling may do about it, and where a dispute stands.
//!
//! Only the words and the questions one may ask of them. Who may act and what follows is in `decide::dispute`; an
//! evidence file itself is never here, only its digest.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};
use uuid::Uuid;

use crate::{
    amount::Decimal,
    id::{BadUuid, Digest, Evidence, KeyId, ProjectId, one_spelling},
    indicator::IndicatorCode,
    period::Period,
    region::{RegionCode, RegionId},
    settlement::LineId,
    state::{ClaimStatus, IndicatorId},
    time::{Date, serde_as_text},
};

/// A dispute's own identity: a UUID that the opener chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisputeId(pub Uuid);

impl FromStr for DisputeId {
    type Err = BadUuid;

    fn from_str(text: &str) -> Result<DisputeId, BadUuid> {
        one_spelling(text).map(DisputeId)
    }
}

impl fmt::Display for DisputeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(DisputeId, u128, |d| d.0.as_u128(), |n| Some(DisputeId(Uuid::from_u128(n))));

/// What kind of thing is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatterKind {
    /// The origin's claim under a transfer; with `indicator` and `period`, what it gives there.
    Claim,
    /// A reported value: `indicator` and `period` as reported.
    Observation,
    /// A transfer as a whole: whether its claim should stand.
    Transfer,
    /// A line of a settlement: `line`, of this project.
    Line,
}

/// What is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// The indicator of an observation; narrows a claim.
    #[serde(default)]
    pub indicator: Option<IndicatorCode>,
    /// Kind.
    pub kind: MatterKind,
    /// The settlement line, such as `2-17`.
    #[serde(default)]
    pub line: Option<LineId>,
    /// The period of an observation; narrows a claim.
    #[serde(default)]
    pub period: Option<Period>,
    /// The project.
    pub project: ProjectId,
    /// Number of the transfer, from 0; for a claim or a transfer.
    #[serde(default)]
    pub transfer: Option<u32>,
}

impl Serialize for Matter {
    /// In JSON a matter without a line is written as before there were any; a snapshot holds every field.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Matter { indicator, kind, line, period, project, transfer } = self;
        let written = line.is_some() || !serializer.is_human_readable();
        let mut matter = serializer.serialize_struct("Matter", 5 + usize::from(written))?;
        matter.serialize_field("indicator", indicator)?;
        matter.serialize_field("kind", kind)?;
        if written {
            matter.serialize_field("line", line)?;
        }
        matter.serialize_field("period", period)?;
        matter.serialize_field("project", project)?;
        matter.serialize_field("transfer", transfer)?;
        matter.end()
    }
}

/// Why something is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The value is wrong.
    ValueWrong,
    /// The value belongs to another period.
    PeriodWrong,
    /// The project was elsewhere.
    LocationWrong,
    /// A claim that was agreed is not counted.
    ClaimMissing,
    /// A claim is counted that has no ground.
    ClaimUnfounded,
    /// The terms were applied wrongly.
    TermsMisapplied,
    /// The same thing is counted twice.
    Duplicate,
    /// Another reason, said in the statement.
    Other,
}

/// A piece of evidence: what the file is. The file stays with its holder, outside the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EvidenceItem {
    /// What it shows.
    pub description: String,
    /// The region whose office keeps the file.
    pub holder: RegionCode,
    /// Media type, such as `application/pdf`.
    pub media_type: String,
    /// Digest of the file.
    pub sha256: Evidence,
    /// Bytes.
    pub size: u64,
}

/// What a ruling or a settlement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemedyKind {
    /// Nothing changes; after an earlier ruling on the same dispute: what it changed is taken back.
    Dismiss,
    /// The claim counts.
    ConfirmClaim,
    /// The claim does not count.
    RejectClaim,
    /// The observation has this `value`; or the settlement line should say this `value`, in CNY.
    CorrectValue,
    /// `region` is given (or, if negative, loses) `amount` over the observations in the claim's indicator and period.
    Credit,
}

/// What a ruling or a settlement does, with its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// For `credit`: the difference, in the indicator's unit.
    #[serde(default)]
    pub amount: Option<Decimal>,
    /// Kind.
    pub kind: RemedyKind,
    /// For `credit`: whose share.
    #[serde(default)]
    pub region: Option<RegionCode>,
    /// For `correct_value`: the right value, in the indicator's unit; of a line, in CNY.
    #[serde(default)]
    pub value: Option<Decimal>,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits for the counterparty's answer.
    Opened,
    /// Answered, or the time for it is over: it can be settled or ruled on.
    Argued,
    /// A ruling is approved and may still be appealed.
    Ruled,
    /// The ruling is final and in force.
    Final,
    /// The parties agreed.
    Settled,
    /// The opener withdrew it.
    Withdrawn,
}

impl Stage {
    /// The name used in reports and refusals.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Opened => "opened",
            Stage::Argued => "argued",
            Stage::Ruled => "ruled",
            Stage::Final => "final",
            Stage::Settled => "settled",
            Stage::Withdrawn => "withdrawn",
        }
    }

    /// Whether what is disputed is still open.
    pub fn is_open(self) -> bool {
        match self {
            Stage::Opened | Stage::Argued | Stage::Ruled => true,
            Stage::Final | Stage::Settled | Stage::Withdrawn => false,
        }
    }
}

/// A ruling that one person of the ruling authority proposed and another must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who proposed it; two keys of one person count as one pair of eyes.
    pub person: String,
    /// With which key.
    pub key: KeyId,
    /// What it would do.
    pub remedy: Remedy,
    /// The proposing command.
    pub command: Uuid,
    /// Its digest.
    pub command_sha256: Digest,
}

/// How things stood before the first ruling in force, for a ruling that supersedes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The claim.
    pub claim: Option<ClaimStatus>,
    /// The observed value, minor units; or what the settlement line says with what was ruled on it, fen.
    pub value: Option<i64>,
}

/// A dispute that goes on in another about the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The dispute that goes on.
    pub into: DisputeId,
    /// Who opened this one.
    pub by: RegionId,
    /// What its opener says it should be.
    pub amount: Option<Decimal>,
}

/// One dispute and its whole life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// What about.
    pub matter: Matter,
    /// Who opened it.
    pub by: RegionId,
    /// The other parties, first the one that must answer.
    pub others: Vec<RegionId>,
    /// Why.
    pub reason: DisputeReason,
    /// What the opener says it should be, in the unit of the indicator; of a line, in CNY.
    pub amount: Option<Decimal>,
    /// Day of opening.
    pub opened: Date,
    /// Where it stands.
    pub stage: Stage,
    /// Last day of the limit that runs: for the answer, the ruling or the appeal.
    pub due: Option<Date>,
    /// Who rules.
    pub ruler: RegionId,
    /// Whether it was appealed: there is one appeal.
    pub appealed: bool,
    /// Parties that gave up their appeal.
    pub waived: BTreeSet<RegionId>,
    /// Evidence by digest, with its holder; what was withdrawn is no longer here.
    pub evidence: Vec<(Evidence, RegionId)>,
    /// A ruling that waits for the second person.
    pub proposal: Option<Proposal>,
    /// The ruling approved, or what the parties agreed.
    pub remedy: Option<Remedy>,
    /// Before the first ruling in force.
    pub before: Before,
    /// What rulings in force gave or took, by observation and region; minor units.
    pub credited: Vec<(IndicatorId, Period, RegionId, i64)>,
}

impl Dispute {
    /// The opener and the others.
    pub fn parties(&self) -> impl Iterator<Item = RegionId> {
        std::iter::once(self.by).chain(self.others.iter().copied())
    }

    /// Whether a region is one of them.
    pub fn is_party(&self, region: RegionId) -> bool {
        self.parties().any(|party| party == region)
    }
}
