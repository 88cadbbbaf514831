//! Refusals: why a command changes nothing. Typed values, in the order of the checks, each with a stable code.

use crate::{
    amount::{BadDecimal, Decimal, Money},
    dispute::DisputeId,
    id::{EnterpriseCode, Evidence, KeyId, ProjectId},
    indicator::IndicatorCode,
    period::Period,
    region::{BadRegion, RegionCode},
    settlement::LineId,
    tax::TaxKind,
    tier::Tier,
    time::Date,
};

/// A part of a refusal as a Chinese sentence has it.
trait Chinese {
    fn zh(&self) -> String;
}

macro_rules! same_in_chinese {
    ($($type:ty)*) => { $(impl Chinese for $type {
        fn zh(&self) -> String {
            self.to_string()
        }
    })* };
}

same_in_chinese! { u32 u64 Date Decimal Money TaxKind DisputeId EnterpriseCode Evidence KeyId ProjectId IndicatorCode LineId Period RegionCode }

impl Chinese for Tier {
    fn zh(&self) -> String {
        self.name_zh().to_owned()
    }
}

impl Chinese for BadDecimal {
    fn zh(&self) -> String {
        BadDecimal::zh(*self).to_owned()
    }
}

impl Chinese for BadRegion {
    fn zh(&self) -> String {
        BadRegion::zh(self)
    }
}

impl Chinese for &'static str {
    fn zh(&self) -> String {
        phrase_zh(self)
    }
}

impl Chinese for String {
    fn zh(&self) -> String {
        phrase_zh(self)
    }
}

/// What the rules call people and days in a refusal; names of fields and other data stay as they are.
pub fn phrase_zh(phrase: &str) -> String {
    let known = match phrase {
        "the host's coordinator" => "主办地区的协调机构",
        "a region's office" => "地区的经办机构",
        "a coordinator" => "协调机构",
        "a region's office or statistics bureau" => "地区的经办机构或统计机构",
        "the host's statistics bureau" => "主办地区的统计机构",
        "a region's treasury or office" => "地区的财政机构或经办机构",
        "a region's treasury or coordinator" => "地区的财政机构或协调机构",
        "a region's office or coordinator" => "地区的经办机构或协调机构",
        "a region's office, statistics bureau or treasury" => "地区的经办、统计或财政机构",
        "opened" => "待答复",
        "argued" => "待裁定",
        "ruled" => "已裁定待复核",
        "final" => "已生效",
        "settled" => "已和解",
        "withdrawn" => "已撤回",
        "root keys" => "根密钥",
        "a key of an authority" => "机构的密钥",
        "its holder, a superior coordinator or a root key" => "密钥持有人、上级协调机构或根密钥",
        "the superior authority" => "上级机构",
        "two other persons of the superior authority" => "上级机构的另外两人",
        "the key said to be lost" => "所称遗失的密钥",
        "the authority whose record it is" => "该记录所属的机构",
        "an auditor of the region, of one above it or of the host" => "本地区、其上级或主办地区的审计机构",
        "the log's key" => "账本密钥",
        "the log's key or root keys" => "账本密钥或根密钥",
        "the log's new key" => "账本的新密钥",
        "the new key" => "新密钥",
        "once it is open" => "开放之后",
        "disclosure: more than 100 %" => "披露控制的百分比超过 100 %",
        "indicators: a code appears twice" => "指标目录中代码重复",
        "indicators: kind, unit, count, numerator and denominator do not fit together" => {
            "指标目录中性质、单位、计数方式、分子与分母不相配"
        }
        _ => {
            if let Some(day) = phrase.strip_prefix("after ") {
                return format!("{day} 之后");
            }
            if let Some(number) = phrase.strip_suffix(" root keys") {
                return format!("{number} 把根密钥");
            }
            phrase
        }
    };
    known.to_owned()
}

/// Declares the refusals with their code, English and Chinese text.
macro_rules! rejections {
    ($($(#[$doc:meta])* $code:literal $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* } $en:literal $zh:literal)*) => {
        /// Why a command was refused. Declaration order is check order.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Rejection {
            $($(#[$doc])* #[error($en)] $name { $($(#[$field_doc])* $field: $type),* },)*
        }

        impl Rejection {
            /// The stable code of this refusal.
            pub const fn code(&self) -> &'static str {
                match self { $(Rejection::$name { .. } => $code,)* }
            }

            /// The codes of all refusals, in check order.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The refusal in Chinese.
            pub fn zh(&self) -> String {
                match self { $(Rejection::$name { $($field),* } => { $(let $field = $field.zh(); let _ = &$field;)* format!($zh) })* }
            }
        }
    };
}

rejections! {
    /// No ledger yet, or one already.
    "ledger_exists" LedgerExists {} "the ledger already exists" "账本已存在"
    /// The first command must create the ledger.
    "ledger_missing" LedgerMissing {} "the ledger has not been created" "账本尚未创建"
    /// A genesis field cannot be used.
    "bad_genesis" BadGenesis { /** Which. */ field: &'static str } "create_ledger: `{field}` cannot be used" "创建账本:`{field}` 不可用"
    /// The key is not on record.
    "unknown_key" UnknownKey { /** The key. */ key: KeyId } "key {key} is not registered" "密钥 {key} 未登记"
    /// The key was rotated, recovered or revoked.
    "key_ended" KeyEnded { /** The key. */ key: KeyId } "key {key} may no longer sign" "密钥 {key} 已停用"
    /// The signer's role may not do this.
    "wrong_role" WrongRole { /** Who may. */ needed: &'static str } "only {needed} may do this" "只有 {needed} 可以执行此操作"
    /// A second signature is missing.
    "endorsement_missing" EndorsementMissing { /** Whose. */ needed: String } "this needs the signature of {needed} as well" "还需要 {needed} 的签名"
    /// The region is not in the tree.
    "unknown_region" UnknownRegion { /** The code. */ region: RegionCode } "region {region} is not in the tree" "地区 {region} 不在地区树中"
    /// A county is needed.
    "not_a_county" NotACounty { /** The code. */ region: RegionCode } "region {region} is not a county" "地区 {region} 不是县级"
    /// The region ended.
    "region_ended" RegionEnded { /** The region. */ region: RegionCode, /** Its successor. */ into: RegionCode } "region {region} ended: {into} has its place" "地区 {region} 已撤并:由 {into} 承接"
    /// A change that would change nothing.
    "same_region" SameRegion { /** The region. */ region: RegionCode } "this is {region} already: name another region" "现已是 {region}:请指明另一地区"
    /// The region is a party to an open dispute.
    "region_disputed" RegionDisputed { /** The region. */ region: RegionCode, /** Where. */ dispute: DisputeId } "dispute {dispute} of {region} must end first: nobody can be put in its place in the middle of it" "须先了结 {region} 的争议 {dispute}:争议当中不得更换当事方"
    /// Another region's office.
    "foreign_office" ForeignOffice { /** The signer's region. */ signer: RegionCode, /** Whose act it is. */ needed: RegionCode }
        "{signer} may not act here: this is for {needed}" "{signer} 无权操作:应由 {needed} 办理"
    /// The tree refuses the areas.
    "bad_region" BadRegion { /** Why. */ why: BadRegion } "{why}" "地区数据不可用:{why}"
    /// The code names another region.
    "region_code_taken" RegionCodeTaken { /** The code. */ code: RegionCode } "code {code} names another region" "代码 {code} 已属于另一地区"
    /// The policy cannot be used.
    "bad_policy" BadPolicy { /** What is wrong. */ field: &'static str } "the policy cannot be used: {field}" "政策参数不可用:{field}"
    /// A known indicator may not change what it measures.
    "indicator_redefined" IndicatorRedefined { /** Which. */ indicator: IndicatorCode }
        "indicator {indicator} may not change class, kind, unit or derivation: give the new one a new code"
        "指标 {indicator} 不得改变类别、性质、单位或派生方式:请使用新代码"
    /// The key is already on record.
    "key_known" KeyKnown { /** The key. */ key: KeyId } "key {key} is already registered" "密钥 {key} 已登记"
    /// No recovery was announced.
    "no_recovery" NoRecovery { /** The key. */ key: KeyId } "no recovery of key {key} is announced" "没有公告密钥 {key} 的恢复"
    /// A recovery is already announced.
    "recovery_announced" RecoveryAnnounced { /** The key. */ key: KeyId } "a recovery of key {key} is already announced" "密钥 {key} 的恢复已公告"
    /// The log has no such record.
    "no_such_record" NoSuchRecord { /** Position. */ position: u64 } "there is no record {position}" "没有第 {position} 号记录"
    /// The record is redacted already.
    "already_redacted" AlreadyRedacted { /** Position. */ position: u64, /** Which record did. */ by: u64 } "record {position} was redacted by record {by}" "第 {position} 号记录已由第 {by} 号记录遮盖"
    /// Records about the ledger itself, and those without text, cannot be redacted.
    "not_redactable" NotRedactable { /** Position. */ position: u64 } "record {position} has no free text that could be withheld" "第 {position} 号记录没有可遮盖的文字"
    /// What is to remain is not the record without its texts.
    "residue_differs" ResidueDiffers { /** Position. */ position: u64 } "the residue is not record {position} with its texts blanked and nothing else changed" "所留内容并非仅遮盖文字后的第 {position} 号记录"
    /// Nothing waits for time to pass.
    "nothing_due" NothingDue {} "nothing is due" "没有到期事项"
    /// A text is empty, too long or holds control characters.
    "bad_text" BadText { /** Field. */ field: &'static str } "`{field}` must be 1 to 500 characters without control characters" "`{field}` 须为 1 至 500 个字符且不含控制字符"
    /// The enterprise is already registered.
    "enterprise_known" EnterpriseKnown { /** Which. */ enterprise: EnterpriseCode } "enterprise {enterprise} is already registered" "企业 {enterprise} 已登记"
    /// The enterprise is not registered.
    "unknown_enterprise" UnknownEnterprise { /** Which. */ enterprise: EnterpriseCode } "enterprise {enterprise} is not registered" "企业 {enterprise} 未登记"
    /// The project is already registered.
    "project_known" ProjectKnown { /** Which. */ project: ProjectId } "project {project} is already registered" "项目 {project} 已登记"
    /// The project is not registered.
    "unknown_project" UnknownProject { /** Which. */ project: ProjectId } "project {project} is not registered" "项目 {project} 未登记"
    /// The government code is another project's alias.
    "project_code_taken" ProjectCodeTaken { /** Code. */ code: String, /** Whose. */ project: ProjectId } "code {code} already belongs to project {project}" "代码 {code} 已属于项目 {project}"
    /// Not a GB/T 4754 code.
    "bad_industry" BadIndustry { /** What was given. */ industry: String } "`{industry}` is not an industry code like C34" "`{industry}` 不是 C34 这样的行业代码"
    /// Planned investment is negative.
    "negative_investment" NegativeInvestment {} "planned investment may not be negative" "计划投资不得为负"
    /// Nothing would change.
    "nothing_to_amend" NothingToAmend {} "the amendment changes nothing" "没有需要变更的内容"
    /// The project has ended.
    "project_closed" ProjectClosed { /** When. */ date: Date } "the project was closed on {date}" "项目已于 {date} 关闭"
    /// The project went on as others.
    "project_handed_on" ProjectHandedOn { /** When. */ date: Date } "the project was split or merged on {date}: report it for what came of it" "项目已于 {date} 拆分或合并:请按其后的项目填报"
    /// 2 to 100 different projects are needed.
    "bad_parts" BadParts {} "a split or a merger names 2 to 100 projects, each once" "拆分或合并须列出 2 至 100 个项目,且不重复"
    /// The parts are not the whole.
    "parts_sum" PartsSum { /** Of what. */ of: String, /** Their sum. */ sum: u64 } "the parts of {of} sum to {sum} per million, not 1000000" "{of} 的各部分合计为百万分之 {sum},应为 1000000"
    /// Something about the project is disputed.
    "project_disputed" ProjectDisputed { /** Where. */ dispute: DisputeId } "dispute {dispute} about this project must end first" "须先了结与该项目有关的争议 {dispute}"
    /// The period lies before the project came of others.
    "period_before_project" PeriodBeforeProject { /** Which. */ period: Period, /** Its first day. */ from: Date } "period {period} ends before this project came of others on {from}" "报告期 {period} 结束于本项目 {from} 由其他项目形成之前"
    /// Projects are merged that belong to different firms.
    "enterprises_differ" EnterprisesDiffer {} "only projects of one enterprise are merged" "只有同一企业的项目可以合并"
    /// Projects are merged that different regions may count.
    "claims_differ" ClaimsDiffer { /** One of them. */ project: ProjectId } "project {project} has other claims than the rest: projects are merged where every value counts for the same regions" "项目 {project} 的计入权益与其余项目不同:只有各值计入方相同的项目可以合并"
    /// A business date lies after the day of recording.
    "date_in_future" DateInFuture { /** The date. */ date: Date, /** Day of recording. */ today: Date } "{date} lies after today, {today}" "{date} 晚于今天 {today}"
    /// A business date lies before one it must follow.
    "date_out_of_order" DateOutOfOrder { /** The date. */ date: Date, /** What it must not precede. */ earliest: Date } "{date} lies before {earliest}, which it must follow" "{date} 早于应在其前的 {earliest}"
    /// The tier is already exhausted or waived.
    "tier_already_closed" TierAlreadyClosed { /** Tier. */ tier: Tier } "tier {tier} is already exhausted or waived" "层级 {tier} 已穷尽或已豁免"
    /// The tier must stay open longer.
    "tier_open_too_short" TierOpenTooShort { /** Tier. */ tier: Tier, /** First day. */ until: String } "tier {tier} must stay open: it may be exhausted {until}" "层级 {tier} 开放时间不足:{until} 方可穷尽"
    /// Policy asks for evidence.
    "evidence_missing" EvidenceMissing {} "policy asks for evidence" "政策要求提供证据"
    /// A transfer is under way.
    "proposal_pending" ProposalPending { /** Where to. */ destination: RegionCode } "a transfer to {destination} is already under way" "向 {destination} 的流转正在进行"
    /// No transfer waits for an answer.
    "no_open_proposal" NoOpenProposal {} "no transfer of this project waits for an answer" "该项目没有待答复的流转提议"
    /// The answer does not say what it answers.
    "subject_missing" SubjectMissing {} "the command must carry the `subject` it answers" "命令必须携带其答复的 `subject`"
    /// The answer is to another proposal.
    "subject_mismatch" SubjectMismatch {} "the `subject` is not the open proposal: look at its terms again" "`subject` 与当前提议不符:请重新查看条款"
    /// The tier is not open.
    "tier_not_open" TierNotOpen { /** The destination's. */ tier: Tier, /** What is open. */ open: Tier }
        "the destination lies in tier {tier}, but only tiers up to {open} are open: exhaust or have waived the nearer ones first"
        "目的地属于层级 {tier},目前仅开放至 {open}:请先穷尽或豁免更近的层级"
    /// Terms hold more than 100 %, or a window beyond 100 years.
    "terms_out_of_range" TermsOutOfRange { /** Field. */ field: &'static str } "terms: `{field}` is out of range" "条款:`{field}` 超出范围"
    /// The proposal was not answered in time.
    "proposal_expired" ProposalExpired { /** Last day. */ expires: Date } "the proposal expired on {expires}" "该提议已于 {expires} 过期"
    /// No such transfer.
    "no_such_transfer" NoSuchTransfer { /** Number. */ transfer: u32 } "the project has no transfer {transfer}" "该项目没有第 {transfer} 号流转"
    /// The claim is not pending.
    "claim_not_pending" ClaimNotPending { /** Number. */ transfer: u32 } "the claim of transfer {transfer} is not pending" "第 {transfer} 号流转的权益不处于待认定状态"
    /// Nothing was accepted that could land.
    "not_accepted" NotAccepted {} "no accepted transfer waits for its landing" "没有已接受而待落地的流转"
    /// Paused.
    "project_suspended" ProjectSuspended {} "the project is suspended" "项目已暂停"
    /// Not paused.
    "not_suspended" NotSuspended {} "the project is not suspended" "项目未暂停"
    /// Construction has started here.
    "already_started" AlreadyStarted { /** When. */ date: Date } "it already started on {date}" "已于 {date} 开始"
    /// Construction must come first.
    "construction_not_started" ConstructionNotStarted {} "construction has not started" "尚未开工"
    /// The policy does not list the indicator.
    "unknown_indicator" UnknownIndicator { /** Which. */ indicator: IndicatorCode } "indicator {indicator} is not in the catalogue" "指标 {indicator} 不在目录中"
    /// Counts and ratios are computed, never reported.
    "derived_indicator" DerivedIndicator { /** Which. */ indicator: IndicatorCode } "indicator {indicator} is derived by the ledger and cannot be reported" "指标 {indicator} 由账本派生,不得填报"
    /// The value does not fit the unit.
    "bad_value" BadValue { /** Why. */ why: BadDecimal } "the value is {why}" "数值不可用:{why}"
    /// The period is not over.
    "period_in_future" PeriodInFuture { /** Which. */ period: Period, /** Day of recording. */ today: Date } "period {period} is not over on {today}" "报告期 {period} 在 {today} 尚未结束"
    /// The project ended before the period.
    "period_after_closing" PeriodAfterClosing { /** Which. */ period: Period, /** When it ended. */ closed: Date } "period {period} begins after the project was closed on {closed}" "报告期 {period} 始于项目 {closed} 关闭之后"
    /// The period shares months with one already reported.
    "period_overlaps" PeriodOverlaps { /** Which. */ period: Period, /** Reported before. */ existing: Period } "period {period} overlaps {existing}, which is already reported" "报告期 {period} 与已填报的 {existing} 重叠"
    /// One frequency per project, indicator and year.
    "frequency_mixed" FrequencyMixed { /** Which. */ period: Period, /** Reported before. */ existing: Period } "period {period} has another frequency than {existing}, reported before for this year" "报告期 {period} 与本年已填报的 {existing} 频率不同"
    /// A ruling or an agreement fixed the value.
    "value_ruled" ValueRuled { /** By which dispute. */ dispute: DisputeId } "the value was fixed in dispute {dispute}: dispute it again instead of reporting over it" "该数值已由争议 {dispute} 裁定,不得覆盖填报:请另行提出争议"
    /// The matter lacks a field, or has one that does not belong to its kind.
    "bad_matter" BadMatter { /** Which. */ field: &'static str } "matter: `{field}` is missing or does not belong to this kind" "争议标的:`{field}` 缺失或不适用于该类型"
    /// The region is no party to what is disputed.
    "not_a_party" NotAParty { /** Which. */ region: RegionCode } "{region} is no party to this" "{region} 不是当事方"
    /// There is no such claim or value to dispute.
    "nothing_to_dispute" NothingToDispute {} "there is nothing on record that could be disputed here" "此处没有可争议的记录"
    /// The id is already used.
    "dispute_known" DisputeKnown { /** Which. */ dispute: DisputeId } "dispute {dispute} is already on record" "争议 {dispute} 已登记"
    /// Somebody joined the dispute: it is no longer the opener's alone.
    "others_joined" OthersJoined { /** Who. */ region: RegionCode } "{region} has joined this dispute: settle it with all parties, or let it be ruled" "{region} 已并入本争议:请与各方和解,或等待裁定"
    /// The same region already disputes it.
    "already_disputed" AlreadyDisputed { /** The open dispute. */ dispute: DisputeId } "this is already disputed in {dispute}: add evidence there" "该事项已在争议 {dispute} 中:请在其中补充证据"
    /// The settlement has no such line.
    "no_such_line" NoSuchLine { /** Which. */ line: LineId } "the settlement has no line {line}" "结算中没有明细 {line}"
    /// The line was decided, or the opener gave it up, in an earlier dispute.
    "line_decided" LineDecided { /** Which dispute. */ dispute: DisputeId } "this line was decided, or given up by this region, in dispute {dispute}: only a ruling there can change it" "该明细已在争议 {dispute} 中了结或由本地区撤回:只能在该争议中另行裁定"
    /// No such dispute.
    "unknown_dispute" UnknownDispute { /** Which. */ dispute: DisputeId } "dispute {dispute} is not on record" "争议 {dispute} 未登记"
    /// It goes on in another.
    "dispute_is_joined" DisputeIsJoined { /** Which. */ into: DisputeId } "this dispute was joined to {into}: act there" "该争议已并入 {into}:请在其中办理"
    /// The dispute is at another point of its course.
    "dispute_stage" DisputeStage { /** Where it stands. */ stage: &'static str } "the dispute is {stage}: this comes at another point of its course" "争议处于 {stage} 阶段,此时不能办理"
    /// The limit is over.
    "limit_passed" LimitPassed { /** Last day. */ due: Date } "the limit ended on {due}" "期限已于 {due} 届满"
    /// No such evidence in this dispute, or it was withdrawn.
    "unknown_evidence" UnknownEvidence { /** Which. */ sha256: Evidence } "`{sha256}` is not evidence in this dispute" "`{sha256}` 不是本争议中的证据"
    /// The same digest twice.
    "evidence_twice" EvidenceTwice {} "the same piece of evidence is named twice" "同一证据重复列出"
    /// The remedy does not fit what is disputed.
    "remedy_mismatch" RemedyMismatch {} "the remedy does not fit what is disputed, or lacks a figure" "裁定内容与争议标的不符,或缺少数额"
    /// The ruling would give more than the whole or take more than there is.
    "ruling_too_large" RulingTooLarge { /** What would do. */ largest: Decimal } "a region cannot hold more than the whole or less than nothing: at most {largest} can be ruled" "一地所计不得超过全额或低于零:最多可裁定 {largest}"
    /// Nothing waits for approval.
    "no_ruling_proposed" NoRulingProposed {} "no ruling waits for approval" "没有待批准的裁定"
    /// Four eyes.
    "same_person" SamePerson { /** Who. */ person: String } "`{person}` proposed it: another person must approve" "`{person}` 为提出人:须由另一人批准"
    /// The party gave up its appeal.
    "appeal_waived" AppealWaived {} "this party gave up its appeal" "该方已放弃复核"
    /// The policy has no rate for the kind.
    "unknown_tax_kind" UnknownTaxKind { /** Kind. */ kind: TaxKind } "the policy has no rate for tax `{kind}` on that day" "政策中没有该日税种 `{kind}` 的分成比例"
    /// A receipt is positive, a refund negative and names what it refunds.
    "tax_sign" TaxSign {} "tax received is positive, its incentives not negative; a refund is negative and names the day of what it refunds in `refund_of`" "入库税款须为正、奖补不得为负;退税须为负并在 `refund_of` 写明原入库日"
    /// The same receipt again.
    "tax_known" TaxKnown { /** Day. */ date: Date } "the payment of {date} with this voucher, or without one of this amount, is on record: another payment needs a `voucher` of its own" "{date} 已登记同一凭证号(无凭证号时为同一金额)的款项:如确为另一笔,请填写其自己的 `voucher`"
    /// More is refunded than was paid.
    "refund_exceeds" RefundExceeds { /** What is left. */ paid: Money, /** Day. */ date: Date } "only {paid} of this tax was paid on {date} and not refunded yet, or more incentives are taken back than were granted" "{date} 该税种尚未退还的入库额仅 {paid},或追回的奖补超过已给予的"
    /// The policy has no such template.
    "unknown_template" UnknownTemplate { /** Name. */ template: String } "the policy has no tax template `{template}`" "政策中没有税收分成模板 `{template}`"
    /// A date in a closed period needs everybody's signature.
    "date_in_closed_period" DateInClosedPeriod { /** Date. */ date: Date, /** The last closed period. */ closed: Period, /** Whose signature is missing. */ needed: RegionCode }
        "{date} lies in a closed period (closed through {closed}): the parties and their superior must sign, {needed} has not" "{date} 属于已关账期间(已关至 {closed}):须各方及其共同上级签署,{needed} 尚未签署"
    /// Periods are closed and settled one after another.
    "period_out_of_order" PeriodOutOfOrder { /** Which. */ period: Period, /** First day expected. */ expected: Date } "{period} does not begin on {expected}, the day after the last one ended" "{period} 并非始于上一期结束次日 {expected}"
    /// The name is taken.
    "vintage_known" VintageKnown { /** Where. */ position: u64 } "this name was frozen in record {position}: a vintage stays as it is, give the new one another name" "该名称已由第 {position} 号记录冻结:已冻结的版本不变,请另取名称"
    /// A vintage names at least one indicator and period, each once.
    "bad_vintage" BadVintage { /** Field. */ field: &'static str } "`{field}` must name 1 to 200, each once" "`{field}` 须列出 1 至 200 项,且不重复"
    /// The run before is not finalised.
    "settlement_open" SettlementOpen { /** Which. */ period: Period } "the settlement of {period} is not finalised yet" "{period} 的结算尚未定稿"
    /// No run for the period.
    "no_such_settlement" NoSuchSettlement { /** Which. */ period: Period } "{period} has no settlement run" "{period} 没有结算"
    /// The run is finalised.
    "settlement_finalised" SettlementFinalised { /** Which. */ period: Period } "the settlement of {period} is finalised: what is found later goes into the next one" "{period} 的结算已定稿:其后发现的差异计入下期"
    /// The statement is confirmed.
    "statement_confirmed" StatementConfirmed { /** Whose. */ region: RegionCode } "{region} has confirmed its statement already" "{region} 已确认其结算单"
    /// Somebody has not confirmed and still has time.
    "statement_unconfirmed" StatementUnconfirmed { /** Who. */ region: RegionCode, /** Until when. */ until: String } "not before {region} has confirmed its statement{until}" "{region} 尚未确认其结算单,确认期未满"
    /// An amount must be positive.
    "not_positive" NotPositive { /** Field. */ field: &'static str } "`{field}` must be positive" "`{field}` 须为正"
    /// The payment is on record.
    "payment_known" PaymentKnown { /** Its day. */ date: Date } "the payment of {date} with this voucher, or without one of this amount, is on record: another payment needs a `voucher` of its own" "{date} 已登记同一凭证号(无凭证号时为同一金额)的收付:如确为另一笔,请填写其自己的 `voucher`"
    /// The payment lies before what it would pay.
    "payment_early" PaymentEarly { /** Its day. */ date: Date, /** The oldest settlement not paid. */ period: Period } "{date} does not lie after {period}, the oldest settlement it could pay" "{date} 不晚于 {period},即最早未付清的结算期"
    /// Neither side is the clearing house.
    "not_through_clearing" NotThroughClearing { /** The clearing house of the two. */ clearing: RegionCode } "the account is with {clearing}: a payment goes from or to it" "账户设在 {clearing}:收付须经其进出"
    /// More than is due.
    "payment_exceeds" PaymentExceeds { /** What is due. */ due: Money } "only {due} is due" "应付额仅 {due}"
}
