//! What was found, as tables for people and objects for programs.

use hefu_domain::{
    amount::format_minor,
    indicator::{Indicator, IndicatorCode},
    period::Period,
    settlement::LineId,
};
use hefu_exchange::matching::{
    Break, Class, Group, Key, bridges,
    memory::{Remembered, State as Standing},
    opposite,
};
use serde_json::Value;

use super::{BookBasis, Found, challenge};
use crate::{
    cmd::{import::few, report::notice},
    error::{CliError, Result},
    lang::{Text, text},
    render::{self, Cell, Column, Format, Json, Page, Table, plain, shown, thousands},
};

/// A table on the screen lists at most this many breaks; files have all of them.
const FEW: usize = 50;

/// Prints it.
pub(super) fn print(found: &Found<'_>) -> Result {
    let errors: Vec<CliError> = found.book.errors.iter().cloned().map(CliError::from).collect();
    crate::report_some(found.context, &errors);
    let mut tables = Vec::new();
    if !found.groups.is_empty() {
        tables.push(bridge_table(found));
        let mut breaks = group_table(found, |group| group.class.is_break());
        breaks.title = Some(text("差异", "Breaks"));
        breaks.rows.truncate(FEW);
        if !breaks.rows.is_empty() {
            tables.push(breaks);
        }
        let resolved = resolved_table(found);
        if !resolved.rows.is_empty() {
            tables.push(resolved);
        }
    }
    let data = group_table(found, |_| true);
    let json = Json::Object(vec![
        ("position", found.position.into()),
        ("checkpoint", found.reader.head.to_string().into()),
        ("region", found.state().code(found.region).to_string().into()),
        ("basis", found.args.basis.name().into()),
        ("book", book_json(found)),
        ("repeated", found.repeated.into()),
        ("bridge", Json::List(bridge_table(found).objects())),
        ("groups", Json::List(data.objects())),
        ("resolved", Json::List(resolved_table(found).objects())),
        ("errors", Json::List(errors.iter().map(|e| Json::Value(e.to_json(found.context.lang))).collect())),
    ]);
    if matches!(found.context.format, Format::Jsonl | Format::Csv) {
        // Lines have no place for notes; what is not in the groups must be said all the same.
        for note in left_out(found) {
            found.context.say(&note);
        }
    }
    render::print(found.context, &Page { tables, data: Some(data), notes: notes(found), json })
}

fn book_json(found: &Found<'_>) -> Json {
    let scope = &found.scope;
    let days = |pick: fn(&(hefu_domain::time::Date, hefu_domain::time::Date)) -> String| {
        Json::Value(scope.days.as_ref().map_or(Value::Null, |days| pick(days).into()))
    };
    let indicators: Vec<String> = scope.indicators.iter().map(ToString::to_string).collect();
    Json::Object(vec![
        ("file", found.args.book.display().to_string().into()),
        ("sheet", found.book.sheet.clone().into()),
        ("sha256", found.digest.clone().into()),
        ("lines", found.book.lines.len().into()),
        ("outside", found.outside.into()),
        ("totals", found.book.totals.clone().into()),
        ("hidden", found.book.hidden.clone().into()),
        ("indicators", indicators.into()),
        ("first_day", days(|(first, _)| first.to_string())),
        ("last_day", days(|(_, last)| last.to_string())),
    ])
}

/// Whether shared figures are shown: they are not for publication.
pub(super) fn confidential(found: &Found<'_>) -> bool {
    match found.args.basis {
        BookBasis::Shared | BookBasis::AsOrigin | BookBasis::AsDestination => true,
        BookBasis::Territorial | BookBasis::Settlement => false,
    }
}

/// What stands below the tables.
pub(super) fn notes(found: &Found<'_>) -> Vec<Text> {
    let (position, head) = (found.position, &found.reader.head);
    let mut notes = vec![text(
        format!("截至位置 {position},链头 {head}"),
        format!("as of position {position}, head {head}"),
    )];
    let mut say = |zh: String, en: String| notes.push(text(zh, en));
    say(format!("范围:{}", found.scope), format!("scope: {}", found.scope));
    if found.groups.is_empty() && !found.book.errors.is_empty() {
        say(
            "有误的单元格须先更正,未对账;--skip-bad 只对正确的行".to_owned(),
            "nothing was matched: correct the cells above, or match only the other rows with --skip-bad"
                .to_owned(),
        );
    }
    notes.extend(left_out(found));
    let mut say = |zh: String, en: String| notes.push(text(zh, en));
    let formulas = found.book.lines.iter().filter(|line| line.formula).count();
    if formulas > 0 {
        say(
            format!("{formulas} 个金额取自公式的已存结果"),
            format!("{formulas} amounts are the stored results of formulas"),
        );
    }
    let signs = if found.args.basis == BookBasis::Settlement { opposite(&found.groups) } else { 0 };
    if signs > 0 {
        say(
            format!("{signs} 个项目的差异仅在正负号:应付写为负数,应收写为正数"),
            format!(
                "{signs} projects differ by the sign alone: write what the region owes below zero, what it is owed above"
            ),
        );
    }
    if found.repeated {
        say(
            "与上次对账完全相同,没有变化".to_owned(),
            "the same book and ledger as in the last run: nothing has changed".to_owned(),
        );
    }
    if found.breaks.len() > FEW {
        let count = found.breaks.len();
        say(
            format!("共 {count} 项差异,此处列 {FEW} 项;--out 或 --format jsonl 列出全部"),
            format!("{count} breaks, of which {FEW} are shown; --out or --format jsonl lists all"),
        );
    }
    if confidential(found) {
        notes.push(notice());
    }
    notes
}

/// Rows that are in no group, or that whoever looks at the book does not see.
fn left_out(found: &Found<'_>) -> Vec<Text> {
    let mut notes = Vec::new();
    let mut say = |zh: String, en: String| notes.push(text(zh, en));
    if found.outside > 0 {
        let count = found.outside;
        say(format!("{count} 行不在范围内,未计"), format!("{count} lines outside the scope were left out"));
    }
    let (totals, hidden) = (&found.book.totals, &found.book.hidden);
    if !totals.is_empty() {
        let (count, rows) = (totals.len(), few(totals));
        say(
            format!("{count} 行合计未计(第 {rows} 行)"),
            format!("{count} rows of totals were left out (row {rows})"),
        );
    }
    if !hidden.is_empty() {
        let (count, rows) = (hidden.len(), few(hidden));
        say(
            format!("{count} 行在表中被隐藏,照常计入(第 {rows} 行)"),
            format!("{count} rows are hidden in the workbook and were counted like the others (row {rows})"),
        );
    }
    notes
}

fn entry<'f>(found: &'f Found<'_>, code: IndicatorCode) -> Option<&'f Indicator> {
    found.catalogue.iter().find(|entry| entry.code == code)
}

/// Decimals of an indicator's minor unit.
pub(super) fn scale(found: &Found<'_>, code: IndicatorCode) -> u8 {
    entry(found, code).map_or(0, |entry| entry.unit.scale())
}

fn amount(found: &Found<'_>, code: IndicatorCode, minor: i128) -> Cell {
    let exact = format_minor(minor, scale(found, code));
    shown(thousands(&exact), exact)
}

/// From the book's total to the ledger's.
pub(super) fn bridge_table(found: &Found<'_>) -> Table {
    let mut table = Table::new(vec![
        Column::text("indicator", "指标", "indicator"),
        Column::text("step", "步骤", "step"),
        Column::number("count", "项数", "count"),
        Column::number("net", "净额", "net"),
        Column::number("gross", "毛额", "gross"),
    ])
    .titled(text("桥接:由账册到账本", "Bridge: from the book to the ledger"));
    for bridge in bridges(&found.book.lines, &found.ledger, &found.groups) {
        let code = bridge.indicator;
        let lang = found.context.lang;
        let unit = entry(found, code).map_or("", |entry| lang.unit(entry.unit));
        let name = shown(format!("{code} ({unit})"), code.to_string());
        let money = |minor: i128| amount(found, code, minor);
        let nothing = || plain(None::<String>);
        let mut row = |step: &Text, key: &str, count: Cell, net: Cell, gross: Cell| {
            table.rows.push(vec![name.clone(), shown(step.get(lang), key), count, net, gross]);
        };
        let lines = plain(bridge.book_lines);
        row(&text("账册合计", "total of the book"), "book", lines, money(bridge.book), nothing());
        for (class, step) in &bridge.steps {
            if step.groups > 0 {
                let sign =
                    text(format!("+ {}", class_text(*class).zh), format!("+ {}", class_text(*class).en));
                row(&sign, class.name(), plain(step.groups), money(step.net), money(step.gross));
            }
        }
        let lines = plain(bridge.ledger_lines);
        let gross = money(bridge.gross());
        row(&text("= 账本合计", "= total of the ledger"), "ledger", lines, money(bridge.ledger), gross);
        row(&text("余差", "residual"), "residual", nothing(), money(bridge.residual()), nothing());
    }
    table
}

/// A class in words.
pub(super) fn class_text(class: Class) -> Text {
    match class {
        Class::Matched => text("相符", "matched"),
        Class::WithinTolerance => text("容差内", "within tolerance"),
        Class::ValueDiffers => text("金额不符", "value differs"),
        Class::PeriodDiffers => text("报告期不符", "period differs"),
        Class::MissingInBook => text("账册缺", "missing in book"),
        Class::MissingInLedger => text("账本缺", "missing in ledger"),
        Class::Duplicate => text("重复", "duplicate"),
    }
}

fn state_text(state: Standing) -> Text {
    match state {
        Standing::New => text("新增", "new"),
        Standing::Persisting => text("持续", "persisting"),
        Standing::Resolved => text("已消除", "resolved"),
    }
}

/// Why the ledger has nothing for a line.
fn reason(found: &Found<'_>, group: &Group) -> Option<(&'static str, Text)> {
    match (&group.project, group.class) {
        (Key::Unknown(_), _) => Some(("unknown_project", text("项目未登记", "no such project on record"))),
        (Key::Known(id), Class::MissingInLedger) if !found.parties.contains(id) => {
            Some(("not_counted", text("本地区不计入该项目", "the region counts nothing of it")))
        }
        (Key::Known(_), Class::MissingInLedger) => Some(if found.args.basis == BookBasis::Settlement {
            ("not_on_statement", text("结算单上没有", "not on the statement"))
        } else {
            ("not_reported", text("该期没有上报", "nothing reported for the period"))
        }),
        (Key::Known(_), _) => None,
    }
}

/// The groups that are wanted, one a row.
pub(super) fn group_table(found: &Found<'_>, wanted: impl Fn(&Group) -> bool) -> Table {
    let mut table = Table::new(vec![
        Column::text("break", "差异编号", "break"),
        Column::text("state", "状态", "state"),
        Column::text("class", "类别", "class"),
        Column::text("project", "项目", "project"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::number("book", "账册", "book"),
        Column::number("ledger", "账本", "ledger"),
        Column::number("difference", "差额", "difference"),
        Column::text("rows", "账册行", "rows"),
        Column::text("records", "记录位置", "records"),
        Column::text("rule", "规则", "rule"),
        Column::text("reason", "原因", "reason"),
        Column::text("since", "首次发现", "since"),
        Column::text("dispute", "争议", "dispute"),
    ]);
    if found.args.basis == BookBasis::Settlement {
        table.columns.push(Column::text("lines", "结算明细", "statement lines"));
    }
    let mut breaks = found.breaks.iter().peekable();
    for (index, group) in found.groups.iter().enumerate() {
        let own = breaks.next_if(|one| one.group == index);
        if wanted(group) {
            table.rows.push(group_row(found, group, own));
        }
    }
    table
}

fn group_row(found: &Found<'_>, group: &Group, own: Option<&Break>) -> Vec<Cell> {
    let lang = found.context.lang;
    let id = own.map(|one| one.id.clone());
    let remembered = id.as_ref().and_then(|id| found.memory.as_ref()?.breaks.get(id));
    let state = remembered.map(|old| old.state);
    let mut rows: Vec<u64> = group.book.iter().map(|at| found.book.lines[*at].row).collect();
    rows.sort_unstable();
    let mut records: Vec<u64> =
        group.ledger.iter().flat_map(|at| found.ledger[*at].records.clone()).collect();
    records.sort_unstable();
    records.dedup();
    let list = |periods: &[Period]| periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let (ours, theirs) = (list(&group.book_periods), list(&group.ledger_periods));
    let period = match (ours.is_empty(), theirs.is_empty()) {
        (false, false) if ours != theirs => format!("{ours} / {theirs}"),
        (true, _) => theirs,
        (false, _) => ours,
    };
    let (name, key) = match &group.project {
        Key::Known(id) => {
            (found.state().projects.get(id).map_or_else(String::new, |p| p.name.clone()), id.to_string())
        }
        Key::Unknown(text) => (text.clone(), text.clone()),
    };
    let because = reason(found, group);
    let disputes = if own.is_some() { challenge::disputes(found, group) } else { Vec::new() };
    let mut row = vec![
        plain(id),
        state.map_or_else(|| plain(None::<String>), |s| shown(state_text(s).get(lang), s.name())),
        shown(class_text(group.class).get(lang), group.class.name()),
        shown(name, key),
        plain(group.indicator.to_string()),
        plain(period),
        if group.book.is_empty() {
            plain(None::<String>)
        } else {
            amount(found, group.indicator, group.book_minor)
        },
        if group.ledger.is_empty() {
            plain(None::<String>)
        } else {
            amount(found, group.indicator, group.ledger_minor)
        },
        amount(found, group.indicator, group.net()),
        plain(rows),
        plain(records),
        plain(group.rule.name()),
        because.map_or_else(|| plain(None::<String>), |(key, words)| shown(words.get(lang), key)),
        plain(remembered.map(|old| old.since.clone())),
        if disputes.is_empty() { plain(None::<String>) } else { plain(disputes) },
    ];
    if found.args.basis == BookBasis::Settlement {
        let mut lines: Vec<LineId> =
            group.ledger.iter().filter_map(|at| found.statement.get(*at).copied()).collect();
        lines.sort_unstable();
        row.push(plain(lines.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    row
}

/// Breaks of the last run that are gone.
pub(super) fn resolved_table(found: &Found<'_>) -> Table {
    let mut table = Table::new(vec![
        Column::text("break", "差异编号", "break"),
        Column::text("class", "类别", "class"),
        Column::text("project", "项目", "project"),
        Column::text("indicator", "指标", "indicator"),
        Column::number("difference", "原差额", "difference was"),
        Column::text("since", "首次发现", "since"),
    ])
    .titled(text("已消除的差异", "Resolved breaks"));
    let known = found.memory.iter().flat_map(|memory| &memory.breaks);
    for (id, old) in known.filter(|(_, old)| old.state == Standing::Resolved && found.scope.speaks_for(old)) {
        table.rows.push(vec![
            plain(id.clone()),
            shown(class_text(old.class).get(found.context.lang), old.class.name()),
            plain(old.project.clone()),
            plain(old.indicator.clone()),
            shown(thousands(&old.difference), old.difference.clone()),
            plain(old.since.clone()),
        ]);
    }
    table
}

/// A break as it is remembered.
pub(super) fn remembered(found: &Found<'_>, one: &Break, today: &str) -> Remembered {
    let group = &found.groups[one.group];
    let periods = || group.book_periods.iter().chain(&group.ledger_periods);
    let first = periods().map(|period| period.start().to_string()).min().unwrap_or_default();
    let last = periods().map(|period| period.end().to_string()).max().unwrap_or_default();
    let scale = scale(found, group.indicator);
    Remembered {
        class: group.class,
        difference: format_minor(group.net(), scale),
        indicator: group.indicator.to_string(),
        span: (first, last),
        project: match &group.project {
            Key::Known(id) => id.to_string(),
            Key::Unknown(text) => text.clone(),
        },
        since: today.to_owned(),
        state: Standing::New,
    }
}
