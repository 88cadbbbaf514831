//! What was found, as a workbook: bridge, breaks, matched, errors.

use hefu_engine::system_clock;
use hefu_exchange::{
    output::{self, Header},
    workbook::{self, Sheet},
};

use super::{Found, page};
use crate::{
    cmd::report::notice,
    error::{CliError, Result, exit},
    lang::{Lang, text},
    render::Column,
};

/// The bytes of the workbook.
pub(super) fn workbook(found: &Found<'_>) -> Result<Vec<u8>> {
    let lang = found.context.lang;
    let state = found.state();
    let place = state.regions.get(found.region);
    let book = found.args.book.file_name().unwrap_or_default().to_string_lossy();
    let title = format!("{} {} · {book}", place.code(), lang.region(place));
    let notice = page::confidential(found).then(|| notice().get(lang).to_owned());
    let notes: Vec<String> = page::notes(found).iter().map(|note| note.get(lang).to_owned()).collect();
    let sheet = |name: &str, tables: Vec<(Option<String>, output::Table)>| Sheet {
        name: name.to_owned(),
        title: title.clone(),
        notice: notice.clone(),
        tables,
        notes: Vec::new(),
    };
    let one = |table: &crate::render::Table| (None, table.exact());
    let breaks = page::group_table(found, |group| group.class.is_break());
    let matched = page::group_table(found, |group| !group.class.is_break());
    let mut last = vec![one(&breaks)];
    let resolved = page::resolved_table(found);
    if !resolved.rows.is_empty() {
        last.push((Some(lang.pick("已消除的差异", "Resolved breaks").to_owned()), resolved.exact()));
    }
    let sheets = [
        Sheet { notes, ..sheet(lang.pick("桥接", "bridge"), vec![one(&page::bridge_table(found))]) },
        sheet(lang.pick("差异", "breaks"), last),
        sheet(lang.pick("相符", "matched"), vec![one(&matched)]),
        sheet(lang.pick("错误", "errors"), vec![(None, errors(found))]),
    ];
    let titles = Header::Title(lang.pick(output::Lang::Zh, output::Lang::En));
    let today = system_clock().date();
    let day = today.to_string();
    let day = day.get(8..).and_then(|day| day.parse().ok()).unwrap_or(1);
    let made = (u16::try_from(today.year()).unwrap_or(2000), today.month(), day);
    workbook::write(&sheets, titles, made).map_err(|error| {
        let why = error.to_string();
        let message = text("无法生成工作簿", "the workbook cannot be made");
        CliError::new("workbook", exit::CANNOT_CREATE, message).why(text(why.clone(), why))
    })
}

/// Every wrong cell, with its address.
fn errors(found: &Found<'_>) -> output::Table {
    let lang = found.context.lang;
    let mut table = output::Table::new(vec![
        Column::text("sheet", "工作表", "sheet"),
        Column::text("cell", "单元格", "cell"),
        Column::number("row", "行", "row"),
        Column::text("column", "列", "column"),
        Column::text("value", "值", "value"),
        Column::text("code", "代码", "code"),
        Column::text("why", "问题", "problem"),
        Column::text("hint", "处理", "what to do"),
    ]);
    for error in &found.book.errors {
        let (problem, place) = (&error.problem, error.sheet.as_deref());
        let (why, hint) = match lang {
            Lang::Zh => (problem.why_zh(), problem.hint_zh()),
            Lang::En => (problem.why(), problem.hint()),
        };
        table.rows.push(vec![
            output::Cell::text_or_null(place.map(|place| &place.name)),
            output::Cell::text_or_null(place.and_then(|place| place.cell.as_ref())),
            output::Cell::number_or_null(error.row),
            output::Cell::text_or_null(error.column.as_ref()),
            output::Cell::text_or_null(error.value.as_ref()),
            output::Cell::text(error.code()),
            output::Cell::text(&why),
            output::Cell::text(&hint),
        ]);
    }
    table
}
