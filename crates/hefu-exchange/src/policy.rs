//! Policies as files: Zhejiang's, and TOML that a person edits.
//!
//! A file names only what differs from the defaults; a list or catalogue it names replaces the default one as a whole.
//! Unknown keys are refused: a misspelt limit must not silently stay at its default.

use std::fmt::Write;

use hefu_domain::{
    fault::Fault,
    policy::{Calendar, DayRange, Policy},
    rejection::phrase_zh,
    time::Date,
};
use serde_json::Value;

use crate::{
    problem::{FileError, Problem, syntax_zh},
    regions::RegionData,
};

/// Days off, first and last, by the notice of the State Council's General Office.
const HOLIDAYS: [[&str; 2]; 13] = [
    // 2025: 国办发明电〔2024〕12号
    ["2025-01-01", "2025-01-01"],
    ["2025-01-28", "2025-02-04"],
    ["2025-04-04", "2025-04-06"],
    ["2025-05-01", "2025-05-05"],
    ["2025-05-31", "2025-06-02"],
    ["2025-10-01", "2025-10-08"],
    // 2026: 国办发明电〔2025〕7号
    ["2026-01-01", "2026-01-03"],
    ["2026-02-15", "2026-02-23"],
    ["2026-04-04", "2026-04-06"],
    ["2026-05-01", "2026-05-05"],
    ["2026-06-19", "2026-06-21"],
    ["2026-09-25", "2026-09-27"],
    ["2026-10-01", "2026-10-07"],
];

/// Weekend days on which work is made up, by the same notices.
const MAKEUP_WORKDAYS: [&str; 11] = [
    "2025-01-26",
    "2025-02-08",
    "2025-04-27",
    "2025-09-28",
    "2025-10-11",
    "2026-01-04",
    "2026-02-14",
    "2026-02-28",
    "2026-05-09",
    "2026-09-20",
    "2026-10-10",
];

/// The defaults with the lists and zones of `data` and the holidays of 2025 and 2026.
pub fn zhejiang(data: &RegionData) -> Policy {
    let mut policy = Policy { calendar: calendar(), ..Policy::default() };
    policy.suggest.lists.clone_from(&data.lists);
    policy.suggest.zones.clone_from(&data.zones);
    policy
}

fn calendar() -> Calendar {
    let day = |text: &str| text.parse::<Date>().unwrap_or_else(|error| unreachable!("{error}"));
    Calendar {
        holidays: HOLIDAYS.iter().map(|[from, to]| DayRange { from: day(from), to: day(to) }).collect(),
        makeup_workdays: MAKEUP_WORKDAYS.iter().map(|text| day(text)).collect(),
    }
}

/// Reads a policy file. What it leaves out keeps its default.
pub fn read_toml(text: &str, file: &str) -> Result<Policy, FileError> {
    let text = text.trim_start_matches('\u{feff}');
    let policy: Policy = toml::from_str(text).map_err(|error| {
        let words = error.message().replace('\n', " ");
        let given = error.span().and_then(|span| text.get(span));
        let fault = toml_fault(&words, given);
        let located = FileError::new(file, Problem::BadToml { why: fault.en, why_zh: fault.zh });
        let Some(span) = error.span() else { return located };
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        FileError {
            row: Some(before.matches('\n').count() as u64 + 1),
            column: Some((line.chars().count() + 1).to_string()),
            value: text
                .get(span)
                .map(|t| t.chars().take(60).collect::<String>())
                .filter(|t| !t.contains('\n')),
            ..located
        }
    })?;
    match policy.defect() {
        Some(part) => Err(FileError::new(file, Problem::BadPolicy { part, part_zh: phrase_zh(part) })),
        None => Ok(policy),
    }
}

/// What is wrong with one value of a policy file: of its type, or of the text's form.
fn toml_fault(words: &str, given: Option<&str>) -> Fault {
    let quoted = given.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let value = quoted.map(|text| Value::String(text.to_owned()));
    let fault = Fault::of_words(words, value.as_ref(), "bad_toml");
    if fault.code == "bad_toml" { Fault { zh: syntax_zh(words), ..fault } } else { fault }
}

/// What each part of a policy file is for.
const COMMENTS: [(&str, &str); 23] = [
    (
        "at_max_age_seconds",
        "签署后最迟多少秒内须入账 / a command may be signed at most this long before it is recorded",
    ),
    ("at_max_lead_seconds", "签署人时钟最多可快多少秒 / a signer's clock may be ahead by at most this"),
    ("calendar", "节假日与调休上班日(国务院办公厅通知) / public holidays and make-up working days"),
    (
        "claim_confirmation",
        "认定方式:acceptance 迁入地接受即生效,superior 由共同上级认定 / who makes a claim count",
    ),
    (
        "default_credits",
        "未约定时的计入比例(万分比)与期限 / weights (basis points) and windows where the terms are silent",
    ),
    ("default_tax", "未约定时的税收分成 / tax schedule where the terms are silent"),
    ("disclosure", "公开表的披露控制 / disclosure control of public tables"),
    (
        "dispute_answer_workdays",
        "争议答复期限(工作日),0 为不限 / working days for the answer to a dispute; 0: no limit",
    ),
    (
        "dispute_appeal_workdays",
        "申请复核期限(工作日),0 为裁定即生效 / working days for an appeal; 0: a ruling is final at once",
    ),
    (
        "dispute_ruling_workdays",
        "裁定期限(工作日),逾期交上一级,0 为不限 / working days for a ruling before the next level takes over; 0: no limit",
    ),
    ("exhaustion_needs_evidence", "层级用尽是否须附证据 / whether exhausting a tier needs evidence"),
    ("indicators", "指标目录;写出即整体替换 / the catalogue; naming it replaces it as a whole"),
    (
        "key_recovery_delay_hours",
        "密钥恢复公示时长(小时) / published delay before a recovered key takes effect",
    ),
    (
        "log_key_window_days",
        "账本密钥更换后双签的天数 / days after a rotation of the log's key during which both keys sign checkpoints",
    ),
    ("large_project", "大项目门槛(元) / from this planned investment on a project counts as large"),
    ("multi_hop", "多次流转:chain 各迁出地均保留,last_hop 仅最近迁出地 / the multi-hop rule"),
    (
        "proposal_expires_workdays",
        "提议未答复的失效工作日,0 为不失效 / working days until an unanswered proposal expires",
    ),
    (
        "statement_confirm_workdays",
        "结算单确认期(工作日),0 为须全部确认 / working days to confirm a statement, 0: all must",
    ),
    ("suggest", "去向推荐计分、名单与产业平台 / how destinations are ranked; lists and zones"),
    ("tax_rates", "各税种地方与县级留成比例(万分比) / local and county-retained parts by kind of tax"),
    ("tax_templates", "可供提议引用的税收分成模板 / tax schedules that a proposal can name"),
    ("tier_min_open_workdays", "每一层级最短开放工作日 / shortest time a tier stays open, in working days"),
    ("tier_rule", "何为“周边” / which counties are neighbours"),
];

/// All of a policy; a record leaves out what is built in, a person wants to see it.
fn whole(policy: &Policy) -> Result<String, toml::ser::Error> {
    let mut table = toml::Table::try_from(policy)?;
    let days = toml::Value::from(policy.statement_confirm_workdays);
    table.entry("statement_confirm_workdays").or_insert(days);
    table.entry("disclosure").or_insert(toml::Value::try_from(policy.disclosure)?);
    table.entry("tax_rates").or_insert(toml::Value::try_from(&policy.tax_rates)?);
    table.entry("tax_templates").or_insert(toml::Value::try_from(&policy.tax_templates)?);
    toml::to_string(&table)
}

/// The policy as a file to start from, with a comment on every part.
pub fn to_toml(policy: &Policy) -> String {
    let body = whole(policy).unwrap_or_else(|error| unreachable!("a policy has a TOML form: {error}"));
    let mut text = String::from(
        "# 合符账本政策 / policy of a Hefu ledger. 省略的键取默认值;未知的键会被拒绝。\n\
         # What is left out keeps its default; unknown keys are refused.\n\n",
    );
    let mut explained = Vec::new();
    let mut in_table = false;
    for line in body.lines() {
        let key = line.trim_start_matches('[').split(['.', ']', ' ', '=']).next().unwrap_or_default();
        let comment = COMMENTS.iter().find(|(name, _)| *name == key && !explained.contains(name));
        in_table |= line.starts_with('[');
        let is_part = !in_table || line.starts_with('[');
        if let Some((name, comment)) = comment.filter(|_| is_part) {
            explained.push(*name);
            let _ = writeln!(text, "# {comment}");
        }
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions;

    #[test]
    fn a_policy_survives_its_file() {
        let policy = zhejiang(&regions::zhejiang());
        let text = to_toml(&policy);
        assert_eq!(read_toml(&text, "p.toml").unwrap(), policy, "{text}");
        assert_eq!(read_toml(&to_toml(&Policy::default()), "p.toml").unwrap(), Policy::default());
        assert_eq!(read_toml("", "p.toml").unwrap(), Policy::default());
        let value = serde_json::to_value(&policy).unwrap();
        for (key, value) in value.as_object().unwrap() {
            assert!(COMMENTS.iter().any(|(name, _)| name == key), "{key} has no comment");
            assert!(
                value.is_null() || text.contains(COMMENTS.iter().find(|(n, _)| n == key).unwrap().1),
                "{key}"
            );
        }
    }

    #[test]
    fn a_wrong_policy_is_located() {
        for (text, row, column, code) in [
            ("large_project = \"1\"\nmulti_hops = \"chain\"\n", Some(2), Some("1"), "bad_toml"),
            ("[default_credits.research]\n  weight = 5\n", Some(2), Some("3"), "bad_toml"),
            ("[calendar]\nmakeup_workdays = [\"2025-02-30\"]\n", Some(2), Some("19"), "bad_toml"),
            ("at_max_age_seconds = -1\n", Some(1), Some("22"), "bad_toml"),
            ("x = ", Some(1), Some("5"), "bad_toml"),
            ("[default_credits.research]\norigin_bp = 10001\n", None, None, "bad_policy"),
        ] {
            let error = read_toml(text, "p.toml").unwrap_err();
            assert_eq!((error.row, error.column.as_deref(), error.code()), (row, column, code), "{error}");
            let said: String = error.zh().split('`').step_by(2).skip(1).collect();
            let mut words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let english = words.find(|word| word.len() > 4 && word.bytes().all(|b| b.is_ascii_lowercase()));
            assert_eq!(english, None, "{}", error.zh());
        }
        let error = read_toml("multi_hops = \"chain\"", "p.toml").unwrap_err().to_string();
        assert!(error.starts_with("p.toml, row 1, column 1: `multi_hops` unknown field"), "{error}");
    }

    #[test]
    fn the_calendar_is_the_notices() {
        let calendar = zhejiang(&regions::zhejiang()).calendar;
        assert!(calendar.makeup_workdays.iter().all(|day| day.is_weekend()));
        let day = |text: &str| text.parse::<Date>().unwrap();
        // By the notices both years have 248 working days, with 5 and 6 of them made up on weekends.
        for (year, made_up) in [(2025, 5), (2026, 6)] {
            let first = Date::new(year, 1, 1).unwrap();
            let days = std::iter::successors(Some(first), |day| Some(day.tomorrow()));
            let days = days.take_while(|day| day.year() == year);
            assert_eq!(days.filter(|day| calendar.is_workday(*day)).count(), 248, "{year}");
            let worked = calendar.makeup_workdays.iter().filter(|day| day.year() == year);
            assert_eq!(worked.count(), made_up);
        }
        // 27 January 2025 is the last working day before the Spring Festival; work resumes on 5 February.
        assert_eq!(calendar.add_workdays(day("2025-01-27"), 1), day("2025-02-05"));
        assert_eq!(calendar.add_workdays(day("2026-09-30"), 3), day("2026-10-10"));
        assert!(!calendar.is_workday(day("2026-02-23")) && calendar.is_workday(day("2026-02-28")));
    }
}
