//! The two languages. Chinese and English stand side by side wherever a text is born, so that neither can be forgotten.

use clap::ValueEnum;
use hefu_domain::{
    dispute::{DisputeReason, MatterKind, RemedyKind, Stage},
    indicator::{Indicator, Unit},
    region::Region,
    settlement::LineClass,
    state::{ClaimStatus, Outcome},
    tax::schedule::Phase,
    tier::Tier,
};
use hefu_projections::status::Status;

/// The language of everything a person reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Zh,
    En,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// A text in both languages.
pub(crate) fn text(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

impl Text {
    /// The text in one language.
    pub(crate) fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }
}

impl Lang {
    /// By the environment: the first of the three variables that is set decides, as the C library does it.
    pub(crate) fn of_environment() -> Lang {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let value = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        if value.is_some_and(|value| value.starts_with("zh")) { Lang::Zh } else { Lang::En }
    }

    /// One of two texts.
    pub(crate) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// The name a region has now.
    pub(crate) fn region(self, region: &Region) -> &str {
        let now = region.now();
        if now.name_en.is_empty() { &now.name_zh } else { self.pick(&now.name_zh, &now.name_en) }
    }

    /// The name of an indicator.
    pub(crate) fn indicator(self, indicator: &Indicator) -> &str {
        self.pick(&indicator.name_zh, &indicator.name_en)
    }

    /// The name of a unit.
    pub(crate) fn unit(self, unit: Unit) -> &'static str {
        match unit {
            Unit::Cny => self.pick("元", "CNY"),
            Unit::Persons => self.pick("人", "persons"),
            Unit::Projects => self.pick("个", "projects"),
            Unit::Quotient => self.pick("比率", "ratio"),
        }
    }

    /// A status as a table shows it; nothing for an ordinary figure.
    pub(crate) fn status(self, status: Status) -> &'static str {
        match status {
            Status::Missing => self.pick("缺", "missing"),
            Status::Contested => self.pick("待定", "contested"),
            Status::Provisional => self.pick("期未满", "provisional"),
            Status::Normal => "",
        }
    }

    /// Where a dispute stands.
    pub(crate) fn stage(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Lang::En, stage) => stage.name(),
            (Lang::Zh, Stage::Opened) => "待答复",
            (Lang::Zh, Stage::Argued) => "待裁定",
            (Lang::Zh, Stage::Ruled) => "已裁定,可复核",
            (Lang::Zh, Stage::Final) => "已生效",
            (Lang::Zh, Stage::Settled) => "已和解",
            (Lang::Zh, Stage::Withdrawn) => "已撤回",
        }
    }

    /// What kind of thing is disputed.
    pub(crate) fn matter(self, kind: MatterKind) -> &'static str {
        match kind {
            MatterKind::Claim => self.pick("权益", "claim"),
            MatterKind::Observation => self.pick("观测值", "observation"),
            MatterKind::Transfer => self.pick("流转", "transfer"),
            MatterKind::Line => self.pick("结算明细", "settlement line"),
        }
    }

    /// The phase of a tax schedule.
    pub(crate) fn phase(self, phase: Phase) -> String {
        match (self, phase) {
            (Lang::Zh, Phase::Before) => "开工前".to_owned(),
            (Lang::Zh, Phase::Construction(year)) => format!("建设期 {year} 年"),
            (Lang::Zh, Phase::Year(year)) => format!("投产第 {year} 年"),
            (Lang::Zh, Phase::After) => "分成期满后".to_owned(),
            (Lang::En, Phase::Before) => "before construction".to_owned(),
            (Lang::En, Phase::Construction(year)) => format!("construction {year}"),
            (Lang::En, Phase::Year(year)) => format!("production year {year}"),
            (Lang::En, Phase::After) => "after the schedule".to_owned(),
        }
    }

    /// Why a line is on a statement.
    pub(crate) fn line_class(self, class: LineClass) -> &'static str {
        match class {
            LineClass::Accrued => self.pick("本期应计", "accrued"),
            LineClass::Correction => self.pick("更正", "correction"),
            LineClass::Ruling => self.pick("裁定", "ruling"),
        }
    }

    /// Why something is disputed.
    pub(crate) fn dispute_reason(self, reason: DisputeReason) -> &'static str {
        match reason {
            DisputeReason::ValueWrong => self.pick("数值有误", "value wrong"),
            DisputeReason::PeriodWrong => self.pick("报告期有误", "period wrong"),
            DisputeReason::LocationWrong => self.pick("所在地有误", "location wrong"),
            DisputeReason::ClaimMissing => self.pick("约定的权益未计入", "claim missing"),
            DisputeReason::ClaimUnfounded => self.pick("权益无依据", "claim unfounded"),
            DisputeReason::TermsMisapplied => self.pick("条款适用有误", "terms misapplied"),
            DisputeReason::Duplicate => self.pick("重复计入", "duplicate"),
            DisputeReason::Other => self.pick("其他", "other"),
        }
    }

    /// What a ruling or an agreement does.
    pub(crate) fn remedy(self, kind: RemedyKind) -> &'static str {
        match kind {
            RemedyKind::Dismiss => self.pick("驳回", "dismiss"),
            RemedyKind::ConfirmClaim => self.pick("权益予以认定", "confirm the claim"),
            RemedyKind::RejectClaim => self.pick("权益不予认定", "reject the claim"),
            RemedyKind::CorrectValue => self.pick("数值改为", "correct the value to"),
            RemedyKind::Credit => self.pick("增减份额", "credit"),
        }
    }

    /// The name of a tier.
    pub(crate) fn tier(self, tier: Tier) -> &'static str {
        match (self, tier) {
            (Lang::Zh, tier) => tier.name_zh(),
            (Lang::En, Tier::OriginalSite) => "original site",
            (Lang::En, tier) => tier.name(),
        }
    }

    /// What became of a transfer.
    pub(crate) fn outcome(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Open => self.pick("待答复", "open"),
            Outcome::Accepted => self.pick("已接受", "accepted"),
            Outcome::Landed { .. } => self.pick("已落地", "landed"),
            Outcome::Declined => self.pick("已谢绝", "declined"),
            Outcome::Withdrawn => self.pick("已撤回", "withdrawn"),
            Outcome::Expired => self.pick("已过期", "expired"),
        }
    }

    /// Where a claim stands.
    pub(crate) fn claim(self, claim: ClaimStatus) -> &'static str {
        match claim {
            ClaimStatus::Pending => self.pick("待认定", "pending"),
            ClaimStatus::Confirmed => self.pick("已认定", "confirmed"),
            ClaimStatus::Rejected => self.pick("未获认定", "rejected"),
        }
    }
}

/// The name of an outcome for programs.
pub(crate) fn outcome_key(outcome: Outcome) -> &'static str {
    Lang::En.outcome(outcome)
}

/// The name of a claim's status for programs.
pub(crate) fn claim_key(claim: ClaimStatus) -> &'static str {
    Lang::En.claim(claim)
}
