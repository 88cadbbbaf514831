//! Events: facts in the past tense, complete, never edited. A mistake is answered by a later fact.
//!
//! The `type` and `v` stand in the record's leaf, the fields here in its body's `data`.

use serde::{Deserialize, Serialize};

use crate::{
    amount::{Decimal, Money},
    authority::{KeyEntry, Roots},
    command::{Continues, ExhaustReason},
    dispute::{DisputeId, DisputeReason, EvidenceItem, Matter, Remedy},
    id::{Digest, EnterpriseCode, Evidence, KeyId, ProjectId, PublicKey},
    indicator::IndicatorCode,
    period::Period,
    policy::Policy,
    redaction::Residue,
    region::{Adjacency, RegionCode, RegionEntry},
    settlement::{LineClass, LineId},
    tax::{TaxKind, schedule::Phase},
    terms::Terms,
    tier::Tier,
    time::{Date, Timestamp},
    vintage::VintageKind,
};

/// Declares the event structs, the enum over them, and the mapping to and from `type` and JSON data.
macro_rules! events {
    ($($(#[$doc:meta])* $tag:literal $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
            impl From<$name> for Event { fn from(event: $name) -> Event { Event::$name(event) } }
        )*

        /// Every event.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant, reason = "the large ones are rare; the common ones stay flat")]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        impl Event {
            /// The names of all event types, in documentation order.
            pub const NAMES: &'static [&'static str] = &[$($tag,)*];

            /// The leaf's `type`.
            pub const fn kind(&self) -> &'static str {
                match self { $(Event::$name(_) => $tag,)* }
            }

            /// The body's `data` as a JSON value, whose keys are sorted.
            pub fn to_value(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self { $(Event::$name(event) => serde_json::to_value(event),)* }
            }

            /// The body's `data` as JSON text. Fields are declared in the order of their names, so the text is
            /// canonical as it stands; the writer checks that.
            pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Event::$name(event) => serde_json::to_vec(event),)* }
            }

            /// Reads `data` of the given `type` and schema version.
            pub fn parse(kind: &str, v: u32, data: &[u8]) -> Result<Event, UnknownEvent> {
                if v != SCHEMA_VERSION {
                    return Err(UnknownEvent::Schema { kind: kind.to_owned(), v });
                }
                let malformed = |error: serde_json::Error| UnknownEvent::Data {
                    kind: kind.to_owned(),
                    why: error.to_string(),
                };
                match kind {
                    $($tag => serde_json::from_slice::<$name>(data).map(Event::$name).map_err(malformed),)*
                    _ => Err(UnknownEvent::Schema { kind: kind.to_owned(), v }),
                }
            }
        }
    };
}

/// The schema version all events have today.
pub const SCHEMA_VERSION: u32 = 1;

/// A record this version of the software cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownEvent {
    /// No such type, or a version from another time.
    #[error("unknown schema: type `{kind}` version {v}")]
    Schema {
        /// The leaf's `type`.
        kind: String,
        /// The leaf's `v`.
        v: u32,
    },
    /// The data does not fit the type.
    #[error("data of `{kind}` is malformed: {why}")]
    Data {
        /// The leaf's `type`.
        kind: String,
        /// What the parser said.
        why: String,
    },
}

events! {
    /// The ledger exists, under this name, with these algorithms and keys.
    "ledger.created" LedgerCreated {
        /// The ledger it goes on from.
        #[serde(default, skip_serializing_if = "Option::is_none")] continues: Option<Continues>,
        /// Byte format version.
        format: u32,
        /// Region whose coordinator adopts policy.
        host: RegionCode,
        /// Key id of the log.
        log_key: KeyId,
        /// Public key of the log.
        log_public: PublicKey,
        /// Name.
        origin: String,
        /// Root keys.
        roots: Roots,
        /// Algorithm suite.
        suite: String,
    }
    /// Areas and borders entered the tree.
    "regions.registered" RegionsRegistered {
        /// Borders.
        adjacency: Vec<Adjacency>,
        /// Areas, superiors first.
        regions: Vec<RegionEntry>,
    }
    /// A region changed its name.
    "region.renamed" RegionRenamed {
        /// Effective date.
        date: Date,
        /// New English name.
        name_en: String,
        /// New Chinese name.
        name_zh: String,
        /// The region.
        region: RegionCode,
    }
    /// A region changed its code.
    "region.recoded" RegionRecoded {
        /// New code.
        code: RegionCode,
        /// Effective date.
        date: Date,
        /// Code until then.
        region: RegionCode,
    }
    /// A county ended in another, which has its place from the day on. Its keys ended with it.
    "region.merged" RegionMerged {
        /// Effective date.
        date: Date,
        /// The decision it rests on.
        document: String,
        /// The county that goes on.
        into: RegionCode,
        /// The county that ended.
        region: RegionCode,
    }
    /// A part of a county went to another, with what the county had in these projects.
    "region.split" RegionSplit {
        /// Effective date.
        date: Date,
        /// The decision it rests on.
        document: String,
        /// The county that the part went to.
        into: RegionCode,
        /// The projects that went over, by id.
        projects: Vec<ProjectId>,
        /// The county it was a part of.
        region: RegionCode,
    }
    /// A region came under another superior.
    "region.reparented" RegionReparented {
        /// Effective date.
        date: Date,
        /// The decision it rests on.
        document: String,
        /// The new superior.
        parent: RegionCode,
        /// The region.
        region: RegionCode,
    }
    /// A policy came into force.
    "policy.adopted" PolicyAdopted {
        /// The policy.
        policy: Policy,
        /// Its number, from 1.
        version: u32,
    }
    /// Authorities' keys were registered.
    "keys.registered" KeysRegistered {
        /// The keys.
        keys: Vec<KeyEntry>,
    }
    /// A key was replaced by its holder.
    "key.rotated" KeyRotated {
        /// The new key.
        new: KeyEntry,
        /// The key it replaces.
        old: KeyId,
    }
    /// The log's own key was replaced: what the log signs from this record on, this one included, the new key signs.
    "log_key.rotated" LogKeyRotated {
        /// While records come until then, checkpoints carry the old key's signature as well; none if it signs no more.
        both_until: Option<Timestamp>,
        /// The new key.
        key: KeyId,
        /// The key it replaces.
        old: KeyId,
        /// The new public key.
        public: PublicKey,
    }
    /// A key was ended.
    "key.revoked" KeyRevoked {
        /// Position from which on its commands are suspect.
        compromised_since: Option<u64>,
        /// The key.
        key: KeyId,
        /// Why.
        reason: String,
    }
    /// A new key for a lost one was announced.
    "key.recovery_announced" KeyRecoveryAnnounced {
        /// When it takes effect.
        effective_at: Timestamp,
        /// The lost key.
        lost: KeyId,
        /// The new key.
        new: KeyEntry,
        /// The second person of the superior authority.
        second: KeyId,
    }
    /// An announced recovery was stopped.
    "key.recovery_cancelled" KeyRecoveryCancelled {
        /// The key said to be lost.
        lost: KeyId,
    }
    /// A lost key was replaced.
    "key.recovered" KeyRecovered {
        /// The lost key.
        lost: KeyId,
        /// The new key.
        new: KeyEntry,
    }
    /// A record's free texts were withheld, with its command.
    "record.redacted" RecordRedacted {
        /// The auditor who endorsed it.
        auditor: KeyId,
        /// The record.
        position: u64,
        /// Why.
        reason: String,
        /// What remains of its event.
        residue: Residue,
    }
    /// An enterprise was registered.
    "enterprise.registered" EnterpriseRegistered {
        /// Unified social credit code.
        enterprise: EnterpriseCode,
        /// Name.
        name: String,
        /// Registering county.
        region: RegionCode,
    }
    /// A project was registered.
    "project.registered" ProjectRegistered {
        /// Aliases.
        codes: Vec<String>,
        /// Day of registration.
        date: Date,
        /// The firm.
        enterprise: EnterpriseCode,
        /// GB/T 4754 code.
        industry: String,
        /// Name.
        name: String,
        /// County of origin.
        origin: RegionCode,
        /// Planned investment in CNY.
        planned_investment: Money,
        /// Identity.
        project: ProjectId,
        /// Site.
        site: Option<String>,
    }
    /// A project's particulars changed.
    "project.amended" ProjectAmended {
        /// Aliases added.
        codes: Vec<String>,
        /// From this day.
        date: Date,
        /// New name.
        name: Option<String>,
        /// Planned investment in force from `date`.
        planned_investment: Option<Money>,
        /// The project.
        project: ProjectId,
    }
    /// A tier offers no place.
    "tier.exhausted" TierExhausted {
        /// Evidence digests.
        evidence: Vec<Evidence>,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: ExhaustReason,
        /// The tier.
        tier: Tier,
    }
    /// A superior let the project skip a tier.
    "tier.waived" TierWaived {
        /// Who waived.
        by: RegionCode,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// The tier.
        tier: Tier,
    }
    /// A transfer was proposed, under these terms in full.
    "transfer.proposed" TransferProposed {
        /// Who rules on disputes across provinces, if not the national root.
        #[serde(default, skip_serializing_if = "Option::is_none")] arbiter: Option<RegionCode>,
        /// Earlier origins whose live claims the terms reduce: they must accept too.
        consents: Vec<RegionCode>,
        /// Where to.
        destination: RegionCode,
        /// Last day on which it can be answered.
        expires: Option<Date>,
        /// Where from.
        origin: RegionCode,
        /// The project.
        project: ProjectId,
        /// Site there.
        site: Option<String>,
        /// Terms in full.
        terms: Terms,
        /// Tier the destination lies in.
        tier: Tier,
        /// Number of the transfer in its project, from 0.
        transfer: u32,
    }
    /// One of several regions whose acceptance a proposal needs accepted it.
    "transfer.consented" TransferConsented {
        /// Who.
        by: RegionCode,
        /// The project.
        project: ProjectId,
        /// Number of the transfer.
        transfer: u32,
    }
    /// Everyone whose acceptance a proposal needs has accepted it.
    "transfer.accepted" TransferAccepted {
        /// Who accepted last.
        by: RegionCode,
        /// Whether the origin's claim still waits for the superior's confirmation.
        claim_pending: bool,
        /// The project.
        project: ProjectId,
        /// Number of the transfer.
        transfer: u32,
    }
    /// A proposal was declined.
    "transfer.declined" TransferDeclined {
        /// Who.
        by: RegionCode,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// Number of the transfer.
        transfer: u32,
    }
    /// A proposal was withdrawn.
    "transfer.withdrawn" TransferWithdrawn {
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// Number of the transfer.
        transfer: u32,
    }
    /// A proposal was not answered in time.
    "transfer.expired" TransferExpired {
        /// The project.
        project: ProjectId,
        /// Number of the transfer.
        transfer: u32,
    }
    /// A pending claim was confirmed (认定).
    "claim.confirmed" ClaimConfirmed {
        /// Who confirmed.
        by: RegionCode,
        /// The project.
        project: ProjectId,
        /// Number of the transfer.
        transfer: u32,
    }
    /// A pending claim was rejected.
    "claim.rejected" ClaimRejected {
        /// Who rejected.
        by: RegionCode,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
        /// Number of the transfer.
        transfer: u32,
    }
    /// The project arrived: it is located at the destination from this day on.
    "project.landed" ProjectLanded {
        /// Effective date.
        date: Date,
        /// The project.
        project: ProjectId,
        /// Where.
        region: RegionCode,
        /// Site.
        site: Option<String>,
        /// Number of the transfer.
        transfer: u32,
    }
    /// Construction started.
    "construction.started" ConstructionStarted {
        /// The day.
        date: Date,
        /// The project.
        project: ProjectId,
    }
    /// Production started.
    "production.started" ProductionStarted {
        /// The day.
        date: Date,
        /// The project.
        project: ProjectId,
    }
    /// The project paused.
    "project.suspended" ProjectSuspended {
        /// The day.
        date: Date,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
    }
    /// The project went on.
    "project.resumed" ProjectResumed {
        /// The day.
        date: Date,
        /// The project.
        project: ProjectId,
    }
    /// The project ended.
    "project.closed" ProjectClosed {
        /// The day.
        date: Date,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
    }
    /// The project was split: it ended, and its values from that day on are those of its parts.
    "project.split" ProjectSplit {
        /// First day of the parts.
        date: Date,
        /// The parts, in the order of their ids; each has its own record.
        into: Vec<ProjectId>,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
    }
    /// The project was merged with others: it ended, and its values from that day on are those of the new one.
    "project.merged" ProjectMerged {
        /// First day of the new project.
        date: Date,
        /// The new project.
        into: ProjectId,
        /// The project.
        project: ProjectId,
        /// Why.
        reason: String,
    }
    /// A project came of a split or a merger, with the claims and the past of what it was.
    "project.formed" ProjectFormed {
        /// Government codes.
        codes: Vec<String>,
        /// First day.
        date: Date,
        /// What it was: the project it was part of, or those that were merged, in the order of their ids.
        from: Vec<ProjectId>,
        /// Name.
        name: String,
        /// Planned investment.
        planned_investment: Money,
        /// The project.
        project: ProjectId,
        /// What is left for it of the caps and outlays of tax terms.
        tax_left: Vec<TaxLeft>,
        /// Its values on record.
        values: Vec<FormedValue>,
    }
    /// A value was reported for the first time.
    "observation.reported" ObservationReported {
        /// Indicator.
        indicator: IndicatorCode,
        /// Reference period.
        period: Period,
        /// The project.
        project: ProjectId,
        /// Value, with the decimals of its unit.
        value: Decimal,
    }
    /// A value replaced the one reported before.
    "observation.corrected" ObservationCorrected {
        /// Indicator.
        indicator: IndicatorCode,
        /// Reference period.
        period: Period,
        /// The project.
        project: ProjectId,
        /// Value, with the decimals of its unit.
        value: Decimal,
    }
    /// A dispute was opened.
    "dispute.opened" DisputeOpened {
        /// The other parties, first the one that must answer.
        against: Vec<RegionCode>,
        /// What the opener says it should be.
        amount: Option<Decimal>,
        /// Who opened it.
        by: RegionCode,
        /// Identity.
        dispute: DisputeId,
        /// Last day for the answer.
        due: Option<Date>,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
        /// What is disputed.
        matter: Matter,
        /// Reason code.
        reason: DisputeReason,
        /// Who will rule.
        ruler: RegionCode,
        /// In words.
        statement: String,
    }
    /// A second dispute about the same thing was joined to the first.
    "dispute.joined" DisputeJoined {
        /// What its opener says it should be.
        amount: Option<Decimal>,
        /// Who opened it.
        by: RegionCode,
        /// Its identity.
        dispute: DisputeId,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
        /// The dispute that goes on.
        into: DisputeId,
        /// Reason code.
        reason: DisputeReason,
        /// In words.
        statement: String,
    }
    /// A dispute was answered.
    "dispute.answered" DisputeAnswered {
        /// Who answered.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Last day for a ruling.
        due: Option<Date>,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
        /// The answer.
        statement: String,
    }
    /// Somebody was silent beyond the limit: the dispute goes to who rules, or from there to the next level.
    "dispute.escalated" DisputeEscalated {
        /// The dispute.
        dispute: DisputeId,
        /// Last day for a ruling.
        due: Option<Date>,
        /// Who is to rule now.
        ruler: RegionCode,
    }
    /// Evidence was added.
    "evidence.added" EvidenceAdded {
        /// Who added it.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
    }
    /// A piece of evidence was withdrawn.
    "evidence.withdrawn" EvidenceWithdrawn {
        /// Who withdrew it.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        reason: String,
        /// Which.
        sha256: Evidence,
    }
    /// The parties agreed. The facts that make the difference follow.
    "dispute.settled" DisputeSettled {
        /// Who brought the agreement.
        by: RegionCode,
        /// By how much the disputed figure moves.
        difference: Option<Decimal>,
        /// The dispute.
        dispute: DisputeId,
        /// What was agreed.
        remedy: Remedy,
        /// In words.
        statement: String,
    }
    /// A dispute was withdrawn.
    "dispute.withdrawn" DisputeWithdrawn {
        /// Who opened it.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        reason: String,
    }
    /// A ruling was proposed.
    "ruling.proposed" RulingProposed {
        /// The ruling authority.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// The evidence it rests on.
        evidence: Vec<Evidence>,
        /// The policy it was made under.
        policy_version: u32,
        /// The reasons.
        reasons: String,
        /// What is to happen.
        remedy: Remedy,
    }
    /// A proposed ruling was declined by the ruling authority itself.
    "ruling.declined" RulingDeclined {
        /// The ruling authority.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Why.
        reason: String,
    }
    /// A ruling was made by two persons.
    "ruling.approved" RulingApproved {
        /// The ruling authority.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Last day for an appeal; `null` if there is none.
        due: Option<Date>,
        /// What is to happen.
        remedy: Remedy,
    }
    /// A ruling was appealed: the next level rules.
    "ruling.appealed" RulingAppealed {
        /// Who appealed.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
        /// Last day for a ruling.
        due: Option<Date>,
        /// Evidence.
        evidence: Vec<EvidenceItem>,
        /// Who rules now.
        ruler: RegionCode,
        /// Why.
        statement: String,
    }
    /// A party gave up its appeal.
    "appeal.waived" AppealWaived {
        /// Who.
        by: RegionCode,
        /// The dispute.
        dispute: DisputeId,
    }
    /// A ruling is final. The facts that make the difference follow.
    "ruling.final" RulingFinal {
        /// By how much the disputed figure moves.
        difference: Option<Decimal>,
        /// The dispute.
        dispute: DisputeId,
        /// If nothing of it could be booked any more: the code of the refusal that says why.
        lapsed: Option<String>,
    }
    /// A reported value was replaced by a ruling or an agreement.
    "observation.ruled" ObservationRuled {
        /// The dispute.
        dispute: DisputeId,
        /// Indicator.
        indicator: IndicatorCode,
        /// Reference period.
        period: Period,
        /// The project.
        project: ProjectId,
        /// Value, with the decimals of its unit.
        value: Decimal,
    }
    /// A region's share of one observation was raised or lowered by a ruling or an agreement.
    "credit.ruled" CreditRuled {
        /// By how much, in the indicator's unit.
        amount: Decimal,
        /// The dispute.
        dispute: DisputeId,
        /// Indicator.
        indicator: IndicatorCode,
        /// Reference period of the observation.
        period: Period,
        /// The project.
        project: ProjectId,
        /// Whose share.
        region: RegionCode,
    }
    /// What a settlement line gives was raised or lowered by a ruling or an agreement; the next run writes the difference.
    "line.ruled" LineRuled {
        /// By how much, in CNY; positive: the debtor owes more.
        amount: Money,
        /// The dispute.
        dispute: DisputeId,
        /// The line.
        line: LineId,
        /// The project.
        project: ProjectId,
    }
    /// A county received tax from a project.
    "tax.received" TaxReceived {
        /// The whole amount in CNY.
        amount: Money,
        /// The county-retained part of the local part, in CNY.
        county: Money,
        /// The day.
        date: Date,
        /// Incentives granted out of it, in CNY.
        incentives: Money,
        /// Kind of tax.
        kind: TaxKind,
        /// The local part, in CNY.
        local: Money,
        /// The project.
        project: ProjectId,
        /// The county.
        region: RegionCode,
        /// Number of the payment voucher.
        voucher: Option<String>,
    }
    /// A county paid tax back to a project.
    "tax.refunded" TaxRefunded {
        /// The whole amount in CNY, negative.
        amount: Money,
        /// The county-retained part of it, in CNY, not positive.
        county: Money,
        /// The day.
        date: Date,
        /// Incentives clawed back, in CNY, not positive.
        incentives: Money,
        /// Kind of tax.
        kind: TaxKind,
        /// The local part of it, in CNY, not positive.
        local: Money,
        /// The project.
        project: ProjectId,
        /// The day the refunded tax was paid.
        refund_of: Date,
        /// The county.
        region: RegionCode,
        /// Number of the payment voucher.
        voucher: Option<String>,
    }
    /// A period was closed.
    "period.closed" PeriodClosed {
        /// The period.
        period: Period,
    }
    /// Figures were frozen under a name.
    "vintage.frozen" VintageFrozen {
        /// SHA-256 of the answers as the bureau saw them.
        digest: Digest,
        /// The record that last changed the regions up to the position.
        geography: u64,
        /// The indicators.
        indicators: Vec<IndicatorCode>,
        /// How mature the figures are.
        kind: VintageKind,
        /// The name.
        name: String,
        /// The periods.
        periods: Vec<Period>,
        /// Number of the policy in force at the position.
        policy_version: u32,
        /// The last record that is known in it.
        position: u64,
    }
    /// A settlement run began.
    "settlement.opened" SettlementOpened {
        /// How many lines it wrote; they follow, by project.
        lines: u32,
        /// Balances it begins with: those the run before closed with.
        opening: Vec<Balance>,
        /// What was paid since the run before; positive: by the region.
        paid: Vec<Balance>,
        /// The period.
        period: Period,
        /// Its number, from 1.
        run: u32,
    }
    /// A run wrote the lines of one project.
    "settlement.accrued" SettlementAccrued {
        /// The lines.
        lines: Vec<LineEntry>,
        /// The project.
        project: ProjectId,
        /// Number of the run.
        run: u32,
    }
    /// A region counter-signed its statement.
    "statement.confirmed" StatementConfirmed {
        /// The period.
        period: Period,
        /// Who.
        region: RegionCode,
        /// Number of the run.
        run: u32,
    }
    /// A run was finalised: its lines are balances now.
    "settlement.finalised" SettlementFinalised {
        /// Balances it closes with.
        closing: Vec<Balance>,
        /// Lines held apart because they are disputed.
        held: Vec<LineId>,
        /// The period.
        period: Period,
        /// Number of the run.
        run: u32,
        /// Regions that had not counter-signed when the limit had passed.
        silent: Vec<RegionCode>,
    }
    /// Money went to or from a clearing house.
    "payment.recorded" PaymentRecorded {
        /// Amount in CNY; positive: paid by the region, negative: paid to it.
        amount: Money,
        /// The clearing house: the lowest common superior whose treasury nets.
        clearing: RegionCode,
        /// The day.
        date: Date,
        /// The region.
        region: RegionCode,
        /// Number of the bank voucher.
        voucher: Option<String>,
    }
}

/// What a region is owed (or, negative, owes) at a clearing house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// Amount in CNY.
    pub amount: Money,
    /// The clearing house.
    pub clearing: RegionCode,
    /// The region.
    pub region: RegionCode,
}

/// A value on record that a new project takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormedValue {
    /// Indicator.
    pub indicator: IndicatorCode,
    /// Reference period.
    pub period: Period,
    /// Value in the indicator's unit.
    pub value: Decimal,
}

/// What is left of the limits in a transfer's tax terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxLeft {
    /// Of the cap, in CNY.
    pub cap: Option<Money>,
    /// Of the outlay that is repaid first, in CNY.
    pub outlay: Option<Money>,
    /// The transfer.
    pub transfer: u32,
}

/// A settlement line as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineEntry {
    /// What the debtor owes more (or, negative, less) than was booked before, in CNY.
    pub amount: Money,
    /// Why.
    pub class: LineClass,
    /// Who is owed.
    pub creditor: RegionCode,
    /// Who owes.
    pub debtor: RegionCode,
    /// Its id.
    pub line: LineId,
    /// For a ruling: the line it answers.
    pub of: Option<LineId>,
    /// The phase of the schedule.
    pub phase: Phase,
    /// The transfer whose terms give it.
    pub transfer: u32,
}

impl Event {
    /// The stream the event belongs to.
    pub fn stream(&self) -> String {
        if let Event::EnterpriseRegistered(e) = self {
            return format!("enterprise/{}", e.enterprise);
        }
        if let Some(dispute) = self.dispute() {
            return format!("dispute/{dispute}");
        }
        if let Event::SettlementOpened(SettlementOpened { run, .. })
        | Event::StatementConfirmed(StatementConfirmed { run, .. })
        | Event::SettlementFinalised(SettlementFinalised { run, .. }) = self
        {
            return format!("settlement/{run}");
        }
        self.project().map_or_else(|| "ledger".to_owned(), |project| format!("project/{project}"))
    }

    /// The dispute whose course it is part of. What a ruling does to a figure belongs to the project.
    pub fn dispute(&self) -> Option<DisputeId> {
        match self {
            Event::DisputeOpened(e) => Some(e.dispute),
            Event::DisputeJoined(e) => Some(e.into),
            Event::DisputeAnswered(e) => Some(e.dispute),
            Event::DisputeEscalated(e) => Some(e.dispute),
            Event::EvidenceAdded(e) => Some(e.dispute),
            Event::EvidenceWithdrawn(e) => Some(e.dispute),
            Event::DisputeSettled(e) => Some(e.dispute),
            Event::DisputeWithdrawn(e) => Some(e.dispute),
            Event::RulingProposed(e) => Some(e.dispute),
            Event::RulingDeclined(e) => Some(e.dispute),
            Event::RulingApproved(e) => Some(e.dispute),
            Event::RulingAppealed(e) => Some(e.dispute),
            Event::AppealWaived(e) => Some(e.dispute),
            Event::RulingFinal(e) => Some(e.dispute),
            _ => None,
        }
    }

    /// The project it is about, if it is about one.
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Event::LedgerCreated(_)
            | Event::RegionsRegistered(_)
            | Event::RegionRenamed(_)
            | Event::RegionRecoded(_)
            | Event::RegionMerged(_)
            | Event::RegionSplit(_)
            | Event::RegionReparented(_)
            | Event::PolicyAdopted(_)
            | Event::KeysRegistered(_)
            | Event::KeyRotated(_)
            | Event::LogKeyRotated(_)
            | Event::KeyRevoked(_)
            | Event::KeyRecoveryAnnounced(_)
            | Event::KeyRecoveryCancelled(_)
            | Event::KeyRecovered(_)
            | Event::RecordRedacted(_)
            | Event::EnterpriseRegistered(_)
            | Event::PeriodClosed(_)
            | Event::VintageFrozen(_)
            | Event::SettlementOpened(_)
            | Event::StatementConfirmed(_)
            | Event::SettlementFinalised(_)
            | Event::PaymentRecorded(_)
            | Event::DisputeJoined(_)
            | Event::DisputeAnswered(_)
            | Event::DisputeEscalated(_)
            | Event::EvidenceAdded(_)
            | Event::EvidenceWithdrawn(_)
            | Event::DisputeSettled(_)
            | Event::DisputeWithdrawn(_)
            | Event::RulingProposed(_)
            | Event::RulingDeclined(_)
            | Event::RulingApproved(_)
            | Event::RulingAppealed(_)
            | Event::AppealWaived(_)
            | Event::RulingFinal(_) => None,
            Event::DisputeOpened(e) => Some(e.matter.project),
            Event::ObservationRuled(e) => Some(e.project),
            Event::CreditRuled(e) => Some(e.project),
            Event::LineRuled(e) => Some(e.project),
            Event::ProjectRegistered(e) => Some(e.project),
            Event::ProjectAmended(e) => Some(e.project),
            Event::TierExhausted(e) => Some(e.project),
            Event::TierWaived(e) => Some(e.project),
            Event::TransferProposed(e) => Some(e.project),
            Event::TransferConsented(e) => Some(e.project),
            Event::TransferAccepted(e) => Some(e.project),
            Event::TransferDeclined(e) => Some(e.project),
            Event::TransferWithdrawn(e) => Some(e.project),
            Event::TransferExpired(e) => Some(e.project),
            Event::ClaimConfirmed(e) => Some(e.project),
            Event::ClaimRejected(e) => Some(e.project),
            Event::ProjectLanded(e) => Some(e.project),
            Event::ConstructionStarted(e) => Some(e.project),
            Event::ProductionStarted(e) => Some(e.project),
            Event::ProjectSuspended(e) => Some(e.project),
            Event::ProjectResumed(e) => Some(e.project),
            Event::ProjectClosed(e) => Some(e.project),
            Event::ProjectSplit(e) => Some(e.project),
            Event::ProjectMerged(e) => Some(e.project),
            Event::ProjectFormed(e) => Some(e.project),
            Event::ObservationReported(e) => Some(e.project),
            Event::ObservationCorrected(e) => Some(e.project),
            Event::TaxReceived(e) => Some(e.project),
            Event::TaxRefunded(e) => Some(e.project),
            Event::SettlementAccrued(e) => Some(e.project),
        }
    }
}
