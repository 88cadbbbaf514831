//! Commands: what a person in an authority asks the ledger to record. The JSON form *is* the contract.
//!
//! Who signs is in the envelope, not here. Names and meanings are those of `docs/COMMANDS.md`, whose JSON Schema is
//! generated from these types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_path_to_error::Segment;
use uuid::Uuid;

use crate::{
    amount::{Decimal, Money},
    authority::{KeyEntry, Roots},
    dispute::{DisputeId, DisputeReason, EvidenceItem, Matter, Remedy},
    fault::Fault,
    id::{ChainHead, Digest, EnterpriseCode, Evidence, KeyId, ProjectId, PublicKey},
    indicator::IndicatorCode,
    period::Period,
    policy::Policy,
    redaction::Residue,
    region::{Adjacency, RegionCode, RegionEntry},
    tax::TaxKind,
    terms::ProposedTerms,
    tier::Tier,
    time::Date,
    vintage::VintageKind,
};

/// A second signature inside a command that needs more than one person. Checked in the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Who signs.
    pub public: PublicKey,
    /// Ed25519 over the command without its endorsements (FORMAT section 4), base64.
    pub sig: String,
}

/// The ledger that a new one goes on from: the last that was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Continues {
    /// Chain value of its last record, BLAKE3.
    pub head: ChainHead,
    /// Its name.
    pub origin: String,
    /// Root of the tree over its records (RFC 6962), SHA-256.
    pub root: Digest,
    /// Number of its records.
    pub size: u64,
}

/// What an answering command answers: nobody is bound to terms they did not see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Id of the command answered.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: Uuid,
    /// SHA-256 of that stored command.
    pub sha256: Digest,
}

/// A part of a project that becomes a project of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitPart {
    /// Parts per million of single indicators, where they differ from `ppm`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_indicator: BTreeMap<IndicatorCode, u32>,
    /// Government codes of the new project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Its name.
    pub name: String,
    /// Its parts per million of every indicator, of the planned investment, and of what is left of a tax cap or outlay.
    pub ppm: u32,
    /// Its identity.
    pub project: ProjectId,
}

/// Why a tier is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExhaustReason {
    /// No land.
    Land,
    /// No energy quota.
    Energy,
    /// No environmental capacity.
    Environment,
    /// Outside the area's industrial position.
    IndustryPosition,
    /// Nobody takes it.
    NoTaker,
    /// The enterprise's choice.
    EnterpriseChoice,
}

/// Declares the command structs (each refusing unknown fields) and the enum over them.
macro_rules! commands {
    ($($(#[$doc:meta])* $tag:literal $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
        )*

        /// Every command, told apart by its `type`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "type")]
        #[allow(clippy::large_enum_variant, reason = "commands live one at a time, on their way to events")]
        pub enum Command {
            $($(#[$doc])* #[serde(rename = $tag)] $name($name),)*
        }

        impl Command {
            /// The `type` of this command.
            pub const fn name(&self) -> &'static str {
                match self { $(Command::$name(_) => $tag,)* }
            }

            /// The names of all commands, in documentation order.
            pub const NAMES: &'static [&'static str] = &[$($tag,)*];

            /// Reads the fields of a command whose `type` is known, to say which field is wrong.
            fn from_fields(kind: &str, fields: Value) -> Result<Command, BadCommand> {
                match kind {
                    $($tag => serde_path_to_error::deserialize::<_, $name>(&fields)
                        .map(Command::$name)
                        .map_err(|error| BadCommand::from_serde(&error, &fields)),)*
                    _ => Err(BadCommand::new("type", Fault::unknown_command(kind))),
                }
            }
        }
        $(impl From<$name> for Command { fn from(command: $name) -> Command { Command::$name(command) } })*
    };
}

commands! {
    /// Record 0: names the ledger, its algorithms, keys, regions and first policy. Signed by the log's key and k root keys.
    "create_ledger" CreateLedger {
        /// Borders between counties.
        #[serde(default)] adjacency: Vec<Adjacency>,
        /// The ledger it goes on from, if another came before.
        #[serde(default, skip_serializing_if = "Option::is_none")] continues: Option<Continues>,
        /// Root signatures.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// Version of the byte format, 1.
        format: u32,
        /// The region whose coordinator adopts policy and regions.
        host: RegionCode,
        /// Key id of the log.
        log_key: KeyId,
        /// Public key of the log.
        log_public: PublicKey,
        /// Name of the ledger: a schema-less URL.
        origin: String,
        /// The first policy.
        policy: Policy,
        /// The regions, superiors first.
        regions: Vec<RegionEntry>,
        /// The root keys.
        roots: Roots,
        /// Algorithm suite, `blake3-sha256-ed25519`.
        suite: String,
    }
    /// Adds areas and borders. By the host's coordinator.
    "register_regions" RegisterRegions {
        /// Borders.
        #[serde(default)] adjacency: Vec<Adjacency>,
        /// Areas, superiors first.
        #[serde(default)] regions: Vec<RegionEntry>,
    }
    /// A region changes its name; no number changes. By the host's coordinator.
    "rename_region" RenameRegion {
        /// Effective date.
        date: Date,
        /// New English name.
        #[serde(default, skip_serializing_if = "String::is_empty")] name_en: String,
        /// New Chinese name.
        name_zh: String,
        /// The region.
        region: RegionCode,
    }
    /// A region changes its code; no number changes. By the host's coordinator.
    "recode_region" RecodeRegion {
        /// The new code.
        code: RegionCode,
        /// Effective date.
        date: Date,
        /// The region, by its present code.
        region: RegionCode,
    }
    /// A county ends in another, which takes its place from a day on: in what is located there, in claims, in tax, in what is owed. By
    /// the coordinator of the host or of a superior of both.
    "merge_region" MergeRegion {
        /// Effective date.
        date: Date,
        /// The decision it rests on, such as 国函〔2021〕29号.
        document: String,
        /// Other signatures that a date in a closed period needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The county that goes on.
        into: RegionCode,
        /// The county that ends.
        region: RegionCode,
    }
    /// A part of a county goes to another (register a new one first), with the projects listed: all that the county has in them is the
    /// other's from a day on. What is not listed stays. By the coordinator of the host or of a superior of both.
    "split_region" SplitRegion {
        /// Effective date.
        date: Date,
        /// The decision it rests on.
        document: String,
        /// Other signatures that a date in a closed period needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The county that the part goes to.
        into: RegionCode,
        /// The projects that go over: located in that part, or once moved away from it.
        #[serde(default)] projects: Vec<ProjectId>,
        /// The county that is split; it goes on.
        region: RegionCode,
    }
    /// A region comes under another superior from a day on. By the coordinator of the host or of a superior of both superiors.
    "reparent_region" ReparentRegion {
        /// Effective date.
        date: Date,
        /// The decision it rests on.
        document: String,
        /// Other signatures that a date in a closed period needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The new superior.
        parent: RegionCode,
        /// The region.
        region: RegionCode,
    }
    /// Puts a whole new policy in force for what comes after. By the host's coordinator.
    "adopt_policy" AdoptPolicy {
        /// The policy.
        policy: Policy,
    }
    /// Registers authorities' first keys. Signed by k root keys.
    "register_keys" RegisterKeys {
        /// Root signatures beside the envelope's own.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// The keys.
        keys: Vec<KeyEntry>,
    }
    /// Replaces the signing key. Signed by the old key, endorsed by the new one.
    "rotate_key" RotateKey {
        /// The new key's signature.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// Id of the new key.
        key: KeyId,
        /// The new public key.
        public: PublicKey,
    }
    /// Replaces the log's own key. Signed by the old key, or by k root keys when it is lost or not safe any more; endorsed by the new key.
    "rotate_log_key" RotateLogKey {
        /// The new key's signature, and those of the roots beside the envelope's own.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// Id of the new key.
        key: KeyId,
        /// The new public key.
        public: PublicKey,
    }
    /// Ends a key. By its holder, by the coordinator of its region or a superior one, or by a root key.
    "revoke_key" RevokeKey {
        /// Position from which on its commands are suspect.
        #[serde(default, skip_serializing_if = "Option::is_none")] compromised_since: Option<u64>,
        /// The key.
        key: KeyId,
        /// Why.
        reason: String,
    }
    /// Announces a new key for one that is lost. By two persons of the superior authority and the new key; takes effect after the published delay.
    "recover_key" RecoverKey {
        /// The second person's and the new key's signatures.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// Id of the new key.
        key: KeyId,
        /// The lost key.
        lost: KeyId,
        /// Who holds the new key.
        person: String,
        /// The new public key.
        public: PublicKey,
    }
    /// Stops an announced recovery: the key is not lost. By the key said to be lost.
    "cancel_key_recovery" CancelKeyRecovery {
        /// The key said to be lost.
        lost: KeyId,
    }
    /// Withholds a record's free texts for good, with its command. By the authority whose record it is, endorsed by an auditor.
    "redact_record" RedactRecord {
        /// The auditor's signature.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// The record.
        position: u64,
        /// Why.
        reason: String,
        /// What remains of its event.
        residue: Residue,
    }
    /// Lets time pass: expires proposals and completes key recoveries that are due. By the log's key.
    "tick" Tick {}
    /// Registers an enterprise with its county.
    "register_enterprise" RegisterEnterprise {
        /// Unified social credit code (GB 32100-2015).
        enterprise: EnterpriseCode,
        /// Name.
        name: String,
        /// The registering office's own region.
        region: RegionCode,
    }
    /// Registers a project (内生裂变项目) in the county where it arises.
    "register_project" RegisterProject {
        /// Government project codes (aliases).
        #[serde(default, skip_serializing_if = "Vec::is_empty")] codes: Vec<String>,
        /// Date of registration; left out: the day of recording.
        #[serde(default, skip_serializing_if = "Option::is_none")] date: Option<Date>,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The firm that spins it out.
        enterprise: EnterpriseCode,
        /// GB/T 4754 code such as `C34`.
        industry: String,
        /// Name.
        name: String,
        /// The county it arises in: the office's own.
        origin: RegionCode,
        /// Planned investment in CNY.
        planned_investment: Money,
        /// Its identity.
        project: ProjectId,
        /// Plot, park or zone.
        #[serde(default, skip_serializing_if = "Option::is_none")] site: Option<String>,
    }
    /// Changes a project's name or planned investment from a day on, or adds codes. By the holder.
    "amend_project" AmendProject {
        /// Further government project codes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] codes: Vec<String>,
        /// From this day; left out: the day of recording.
        #[serde(default, skip_serializing_if = "Option::is_none")] date: Option<Date>,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// New name.
        #[serde(default, skip_serializing_if = "Option::is_none")] name: Option<String>,
        /// Planned investment in force from `date`.
        #[serde(default, skip_serializing_if = "Option::is_none")] planned_investment: Option<Money>,
        /// The project.
        project: ProjectId,
    }
    /// Declares that a tier offers no place. By the holder.
    "exhaust_tier" ExhaustTier {
        /// Evidence digests.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] evidence: Vec<Evidence>,
        /// The project.
        project: ProjectId,
        /// Reason code.
        reason: ExhaustReason,
        /// The tier.
        tier: Tier,
    }
    /// Lets a project skip a tier: the holder's direct superior the inner tiers, the province `neighbouring`.
    "waive_tier" WaiveTier {
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// The tier.
        tier: Tier,
    }
    /// Offers a project to a destination under terms. By the holder.
    "propose_transfer" ProposeTransfer {
        /// The county that is to take it.
        destination: RegionCode,
        /// The project.
        project: ProjectId,
        /// Plot, park or zone there.
        #[serde(default, skip_serializing_if = "Option::is_none")] site: Option<String>,
        /// Terms; what is missing takes the policy's default.
        #[serde(default, skip_serializing_if = "Option::is_none")] terms: Option<ProposedTerms>,
    }
    /// Accepts the open proposal. By the destination, and by an earlier origin whose live claim the terms reduce.
    "accept_transfer" AcceptTransfer {
        /// The project.
        project: ProjectId,
        /// The proposal answered.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Declines the open proposal. By a region whose acceptance it needs.
    "decline_transfer" DeclineTransfer {
        /// The project.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
        /// The proposal answered.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Withdraws the open proposal. By the holder.
    "withdraw_transfer" WithdrawTransfer {
        /// The project.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
        /// The proposal withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Confirms (认定) a pending claim. By the lowest common superior of origin and destination.
    "confirm_claim" ConfirmClaim {
        /// The project.
        project: ProjectId,
        /// The proposal whose claim it is.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
        /// Number of the transfer, from 0.
        transfer: u32,
    }
    /// Rejects a pending claim. By the lowest common superior of origin and destination.
    "reject_claim" RejectClaim {
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// The proposal whose claim it is.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
        /// Number of the transfer, from 0.
        transfer: u32,
    }
    /// The project arrives: location changes on this date. By the destination of the accepted transfer.
    "land_project" LandProject {
        /// Effective date of the transfer.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
        /// Plot, park or zone.
        #[serde(default, skip_serializing_if = "Option::is_none")] site: Option<String>,
    }
    /// Construction starts where the project is. By the holder.
    "start_construction" StartConstruction {
        /// The day.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
    }
    /// Production starts where the project is. By the holder.
    "start_production" StartProduction {
        /// The day.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
    }
    /// The project pauses. By the holder.
    "suspend_project" SuspendProject {
        /// The day.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
    }
    /// The project goes on. By the holder.
    "resume_project" ResumeProject {
        /// The day.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
    }
    /// The project ends. By the holder.
    "close_project" CloseProject {
        /// The day.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The project.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
    }
    /// Splits a project into projects of their own; it ends. Values on record from that day on are divided among them, but
    /// those of closed periods and those a ruling fixed; its claims and their windows go on with each. By the holder.
    "split_project" SplitProject {
        /// First day of the new projects.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The new projects, 2 to 100.
        into: Vec<SplitPart>,
        /// The project.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
    }
    /// Merges projects of one enterprise in one county, with the same claims, into a new one; they end. Their values on
    /// record from that day on are added up, but those of closed periods and those a ruling fixed. By the holder.
    "merge_projects" MergeProjects {
        /// Government codes of the new project.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] codes: Vec<String>,
        /// First day of the new project.
        date: Date,
        /// Signatures of the other parties and their superior, for a date in a closed period.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] endorsements: Vec<Endorsement>,
        /// The projects to merge, 2 to 100.
        from: Vec<ProjectId>,
        /// Its name.
        name: String,
        /// Its identity.
        project: ProjectId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
    }
    /// Reports one value, or replaces the one reported before for the same project, indicator and period.
    "report_observation" ReportObservation {
        /// Indicator code.
        indicator: IndicatorCode,
        /// Reference period.
        period: Period,
        /// The project.
        project: ProjectId,
        /// Value in the indicator's unit.
        value: Decimal,
    }
    /// Disputes a claim, an observation, a transfer or a settlement line. By a party to it.
    "open_dispute" OpenDispute {
        /// What it should be, in the indicator's unit: the value, or the difference. Of a line: what it should say, in CNY.
        #[serde(default, skip_serializing_if = "Option::is_none")] amount: Option<Decimal>,
        /// Its identity, chosen by the opener.
        dispute: DisputeId,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] evidence: Vec<EvidenceItem>,
        /// What is disputed.
        matter: Matter,
        /// Reason code.
        reason: DisputeReason,
        /// In words.
        #[serde(default, skip_serializing_if = "String::is_empty")] statement: String,
    }
    /// Answers a dispute within the limit. By the party it is directed against.
    "answer_dispute" AnswerDispute {
        /// The dispute.
        dispute: DisputeId,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] evidence: Vec<EvidenceItem>,
        /// The answer.
        statement: String,
    }
    /// Adds evidence to an open dispute. By a party.
    "add_evidence" AddEvidence {
        /// The dispute.
        dispute: DisputeId,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
    }
    /// Withdraws a piece of evidence; the record of it stays, the file may go. By its holder.
    "withdraw_evidence" WithdrawEvidence {
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        reason: String,
        /// Which.
        sha256: Evidence,
    }
    /// Ends a dispute by agreement: in force at once. By a party, endorsed by every other party.
    "settle_dispute" SettleDispute {
        /// The dispute.
        dispute: DisputeId,
        /// The other parties' signatures.
        #[serde(default)] endorsements: Vec<Endorsement>,
        /// What was agreed.
        remedy: Remedy,
        /// In words.
        #[serde(default, skip_serializing_if = "String::is_empty")] statement: String,
    }
    /// Withdraws a dispute that is not ruled on. By its opener.
    "withdraw_dispute" WithdrawDispute {
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")] reason: String,
    }
    /// Proposes a ruling, or one that supersedes a ruling in force. By the ruling authority.
    "propose_ruling" ProposeRuling {
        /// The dispute.
        dispute: DisputeId,
        /// The evidence it rests on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] evidence: Vec<Evidence>,
        /// The reasons.
        reasons: String,
        /// What is to happen.
        remedy: Remedy,
    }
    /// Approves a proposed ruling. By another person of the ruling authority.
    "approve_ruling" ApproveRuling {
        /// The dispute.
        dispute: DisputeId,
        /// The proposal approved.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Declines a proposed ruling. By the ruling authority.
    "decline_ruling" DeclineRuling {
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        reason: String,
        /// The proposal declined.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Appeals to the next level, once and within the limit. By a party.
    "appeal_ruling" AppealRuling {
        /// The dispute.
        dispute: DisputeId,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] evidence: Vec<EvidenceItem>,
        /// Why.
        statement: String,
    }
    /// Gives up the appeal; once every party has, the ruling is final. By a party.
    "waive_appeal" WaiveAppeal {
        /// The dispute.
        dispute: DisputeId,
    }
    /// Reports tax that a project paid, or a refund of it. By the county that received it.
    "report_tax" ReportTax {
        /// The whole amount in CNY; negative: a refund.
        amount: Money,
        /// The day it was paid or refunded.
        date: Date,
        /// Incentives the county granted out of it, in CNY; negative in a refund: clawed back.
        #[serde(default, skip_serializing_if = "is_zero")] incentives: Money,
        /// Kind of tax such as `vat`.
        kind: TaxKind,
        /// The project.
        project: ProjectId,
        /// For a refund: the day the refunded tax was paid.
        #[serde(default, skip_serializing_if = "Option::is_none")] refund_of: Option<Date>,
        /// Number of the payment voucher; tells two payments of one day and amount apart.
        #[serde(default, skip_serializing_if = "Option::is_none")] voucher: Option<String>,
    }
    /// Closes a period, in order: its dates then need all parties' signatures. By the host's statistics bureau.
    "close_period" ClosePeriod {
        /// The period.
        period: Period,
    }
    /// Freezes the figures known at a position under a name. By the host's statistics bureau.
    "freeze_vintage" FreezeVintage {
        /// SHA-256 of the answers as the signer saw them (FORMAT, "Vintages").
        digest: Digest,
        /// The indicators.
        indicators: Vec<IndicatorCode>,
        /// How mature the figures are.
        kind: VintageKind,
        /// The name, such as `2026-Q1 flash`: unique in the ledger.
        name: String,
        /// The periods; none may be running.
        periods: Vec<Period>,
        /// The last record that is known in it.
        position: u64,
    }
    /// Computes what hosts owe claimants for a period and writes it down. By the host's treasury or coordinator.
    "run_settlement" RunSettlement {
        /// The period: the first, or the one right after the last.
        period: Period,
    }
    /// Counter-signs a region's statement. By its treasury or coordinator.
    "confirm_statement" ConfirmStatement {
        /// The period of the run.
        period: Period,
        /// The run answered.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Freezes a run: its undisputed lines become balances. By the host's treasury or coordinator.
    "finalise_settlement" FinaliseSettlement {
        /// The period of the run.
        period: Period,
        /// The run finalised.
        #[serde(default, skip_serializing_if = "Option::is_none")] subject: Option<Subject>,
    }
    /// Records a payment to or from a clearing house. By the clearing house's treasury or coordinator.
    "record_payment" RecordPayment {
        /// Amount in CNY.
        amount: Money,
        /// The day it was paid.
        date: Date,
        /// Who paid.
        from: RegionCode,
        /// Who was paid.
        to: RegionCode,
        /// Number of the bank voucher.
        #[serde(default, skip_serializing_if = "Option::is_none")] voucher: Option<String>,
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(money: &Money) -> bool {
    *money == Money::default()
}

/// A command that cannot be read: which field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {}", fault.en)]
pub struct BadCommand {
    /// Path of the field, such as `terms.credits.investment.origin_bp`; empty for the whole.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
}

impl BadCommand {
    fn new(field: &str, fault: Fault) -> BadCommand {
        BadCommand { field: field.to_owned(), fault }
    }

    fn from_serde(error: &serde_path_to_error::Error<serde_json::Error>, fields: &Value) -> BadCommand {
        let path = error.path().to_string();
        let value = error.path().iter().try_fold(fields, |value, step| match step {
            Segment::Map { key } => value.get(key),
            Segment::Seq { index } => value.get(index),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let words = error.inner().to_string();
        // serde names unknown and missing fields in its text only.
        let named = ["unknown field `", "missing field `"].iter().find_map(|start| {
            let rest = words.strip_prefix(start)?;
            rest.split_once('`').map(|(name, _)| name.to_owned())
        });
        let field = match (path.as_str(), named) {
            (".", Some(name)) => name,
            (parent, Some(name)) if !parent.ends_with(&name) => format!("{parent}.{name}"),
            (path, _) => path.to_owned(),
        };
        BadCommand { field, fault: Fault::of_words(&words, value, "bad_command") }
    }
}

impl Command {
    /// Reads a command from its JSON. Duplicate keys and non-canonical forms are refused before this, in the chain.
    pub fn parse(json: &[u8]) -> Result<Command, BadCommand> {
        serde_json::from_slice(json).or_else(|_| {
            let json: Value = serde_json::from_slice(json).map_err(|error| {
                BadCommand::new("", Fault::of_words(&error.to_string(), None, "bad_json"))
            })?;
            let Value::Object(mut fields) = json else {
                return Err(BadCommand::new("", Fault::bad_type(&json, ("an object", "对象"))));
            };
            match fields.remove("type") {
                Some(Value::String(kind)) => Command::from_fields(&kind, Value::Object(fields)),
                Some(other) => Err(BadCommand::new("type", Fault::bad_type(&other, ("a string", "字符串")))),
                None => Err(BadCommand::new("type", Fault::missing_field("type"))),
            }
        })
    }

    /// The second signatures this command carries.
    pub fn endorsements(&self) -> &[Endorsement] {
        match self {
            Command::CreateLedger(c) => &c.endorsements,
            Command::RegisterKeys(c) => &c.endorsements,
            Command::RotateKey(c) => &c.endorsements,
            Command::RotateLogKey(c) => &c.endorsements,
            Command::RecoverKey(c) => &c.endorsements,
            Command::RedactRecord(c) => &c.endorsements,
            Command::SettleDispute(c) => &c.endorsements,
            Command::RegisterProject(c) => &c.endorsements,
            Command::AmendProject(c) => &c.endorsements,
            Command::LandProject(c) => &c.endorsements,
            Command::StartConstruction(c) => &c.endorsements,
            Command::StartProduction(c) => &c.endorsements,
            Command::SuspendProject(c) => &c.endorsements,
            Command::ResumeProject(c) => &c.endorsements,
            Command::CloseProject(c) => &c.endorsements,
            Command::SplitProject(c) => &c.endorsements,
            Command::MergeProjects(c) => &c.endorsements,
            Command::MergeRegion(c) => &c.endorsements,
            Command::SplitRegion(c) => &c.endorsements,
            Command::ReparentRegion(c) => &c.endorsements,
            _ => &[],
        }
    }

    /// The project it is about, if it is about one.
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Command::CreateLedger(_)
            | Command::RegisterRegions(_)
            | Command::RenameRegion(_)
            | Command::RecodeRegion(_)
            | Command::MergeRegion(_)
            | Command::SplitRegion(_)
            | Command::ReparentRegion(_)
            | Command::AdoptPolicy(_)
            | Command::RegisterKeys(_)
            | Command::RotateKey(_)
            | Command::RotateLogKey(_)
            | Command::RevokeKey(_)
            | Command::RecoverKey(_)
            | Command::CancelKeyRecovery(_)
            | Command::RedactRecord(_)
            | Command::Tick(_)
            | Command::RegisterEnterprise(_)
            | Command::ClosePeriod(_)
            | Command::FreezeVintage(_)
            | Command::RunSettlement(_)
            | Command::ConfirmStatement(_)
            | Command::FinaliseSettlement(_)
            | Command::RecordPayment(_)
            | Command::AnswerDispute(_)
            | Command::AddEvidence(_)
            | Command::WithdrawEvidence(_)
            | Command::SettleDispute(_)
            | Command::WithdrawDispute(_)
            | Command::ProposeRuling(_)
            | Command::ApproveRuling(_)
            | Command::DeclineRuling(_)
            | Command::AppealRuling(_)
            | Command::WaiveAppeal(_) => None,
            Command::OpenDispute(c) => Some(c.matter.project),
            Command::RegisterProject(c) => Some(c.project),
            Command::AmendProject(c) => Some(c.project),
            Command::ExhaustTier(c) => Some(c.project),
            Command::WaiveTier(c) => Some(c.project),
            Command::ProposeTransfer(c) => Some(c.project),
            Command::AcceptTransfer(c) => Some(c.project),
            Command::DeclineTransfer(c) => Some(c.project),
            Command::WithdrawTransfer(c) => Some(c.project),
            Command::ConfirmClaim(c) => Some(c.project),
            Command::RejectClaim(c) => Some(c.project),
            Command::LandProject(c) => Some(c.project),
            Command::StartConstruction(c) => Some(c.project),
            Command::StartProduction(c) => Some(c.project),
            Command::SuspendProject(c) => Some(c.project),
            Command::ResumeProject(c) => Some(c.project),
            Command::CloseProject(c) => Some(c.project),
            Command::SplitProject(c) => Some(c.project),
            Command::MergeProjects(c) => Some(c.project),
            Command::ReportObservation(c) => Some(c.project),
            Command::ReportTax(c) => Some(c.project),
        }
    }
}
