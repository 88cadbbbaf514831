//! A result as a workbook or a Parquet file; and how many rows were given away, with their digest.
//!
//! The digest is the SHA-256 of the rows as CSV, whatever the form of the file: the same rows have the same digest in
//! every form, and a CSV file has it as its own.

use std::io::{IsTerminal, Write};

use hefu_engine::system_clock;
use hefu_exchange::{
    columnar,
    output::{self, Counted, Header},
    workbook::{self, Sheet},
};
use serde_json::Value;

use super::{
    Column, Json, Page,
    table::{self, InAFile},
};
use crate::{
    cmd::report::notice,
    context::Context,
    error::{CliError, Result, exit},
    lang::{Lang, text},
};

/// The rows a file holds.
pub(super) fn rows(page: &Page) -> Option<InAFile<'_>> {
    page.data.as_ref().or(page.tables.first()).map(InAFile)
}

/// Says how many rows went out, and their digest.
pub(super) fn say_rows(context: &Context, counted: &Counted) {
    let Counted { rows, sha256 } = counted;
    context.say(&text(
        format!("{rows} 行,sha256 {sha256}(按 CSV 计)"),
        format!("{rows} rows, sha256 {sha256} (as CSV)"),
    ));
}

/// Fails where the bytes of a file would go to a terminal.
pub(crate) fn not_to_a_terminal(context: &Context) -> Result {
    if context.out.is_some() || !std::io::stdout().is_terminal() {
        return Ok(());
    }
    let message = text("此格式不能显示在终端上", "this format cannot be shown on a terminal");
    let hint = text("用 --out 指明文件,或重定向", "name a file with --out, or redirect");
    Err(CliError::usage(message).hint(hint).at("field", "format"))
}

/// Writes the rows as a Parquet file, with the single facts of the result as its metadata.
pub(super) fn parquet(context: &Context, page: &Page, out: impl Write + Send) -> Result {
    let rows = rows(page).ok_or_else(|| {
        let message =
            text("此结果不是表,没有 parquet 形式", "this result is no table and has no parquet form");
        CliError::usage(message).at("field", "format")
    })?;
    let named = |(key, value): (String, String)| (format!("hefu.{key}"), value);
    let mut about: Vec<(String, String)> = facts(&page.json).into_iter().map(named).collect();
    about.push(("hefu.notes".to_owned(), notes(context.lang, page).join("\n")));
    columnar::write(out, &rows, &about).map_err(|error| unmade(&error.to_string()))
}

/// The page as a workbook: what people see, the rows, and what the file is about.
pub(super) fn xlsx(context: &Context, page: &Page) -> Result<Vec<u8>> {
    let lang = context.lang;
    let notes = notes(lang, page);
    let warned = page.notes.contains(&notice());
    let title = notes.first().cloned().unwrap_or_default();
    let sheet = |name: &str, tables: Vec<(Option<String>, output::Table)>| Sheet {
        name: name.to_owned(),
        title: title.clone(),
        notice: warned.then(|| notice().get(lang).to_owned()),
        tables,
        notes: Vec::new(),
    };
    let drawn = page.tables.iter();
    let drawn = drawn.map(|one| (one.title.as_ref().map(|title| title.get(lang).to_owned()), one.exact()));
    let mut sheets = vec![Sheet { notes, ..sheet(lang.pick("报表", "report"), drawn.collect()) }];
    if let Some(data) = &page.data {
        let unit = vec![lang.pick("金额单位:元", "money in CNY").to_owned()];
        let data = data.file(table::in_a_file);
        sheets.push(Sheet { notes: unit, ..sheet(lang.pick("数据", "data"), vec![(None, data)]) });
    }
    sheets.push(sheet(lang.pick("说明", "about"), vec![(None, about(page))]));
    let today = system_clock().date();
    let day = today.to_string().get(8..).and_then(|day| day.parse().ok()).unwrap_or(1);
    let made = (u16::try_from(today.year()).unwrap_or(2000), today.month(), day);
    let titles = Header::Title(lang.pick(output::Lang::Zh, output::Lang::En));
    workbook::write(&sheets, titles, made).map_err(|error| unmade(&error.to_string()))
}

/// Position, checkpoint and what else is one fact, with the count and digest of the rows.
fn about(page: &Page) -> output::Table {
    let mut about = output::Table::new(vec![
        Column::text("fact", "项目", "fact"),
        Column::text("value", "内容", "value"),
    ]);
    let mut all = facts(&page.json);
    if let Some(rows) = rows(page) {
        let Counted { rows, sha256 } = output::counted(&rows);
        all.push(("rows".to_owned(), rows.to_string()));
        all.push(("sha256".to_owned(), sha256));
    }
    about.rows =
        all.iter().map(|(key, value)| vec![output::Cell::text(key), output::Cell::text(value)]).collect();
    about
}

/// The single facts of a result, those one level down included.
fn facts(json: &Json) -> Vec<(String, String)> {
    let Json::Object(pairs) = json else { return Vec::new() };
    let mut all = Vec::new();
    for (key, value) in pairs {
        match value {
            Json::Value(Value::String(text)) => all.push(((*key).to_owned(), text.clone())),
            Json::Value(Value::Number(number)) => all.push(((*key).to_owned(), number.to_string())),
            Json::Object(_) => {
                all.extend(facts(value).into_iter().map(|(below, text)| (format!("{key}.{below}"), text)));
            }
            Json::Value(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_))
            | Json::List(_) => {}
        }
    }
    all
}

fn notes(lang: Lang, page: &Page) -> Vec<String> {
    page.notes.iter().map(|note| note.get(lang).to_owned()).collect()
}

fn unmade(why: &str) -> CliError {
    let message = text("无法生成文件", "the file cannot be made");
    CliError::new("export", exit::CANNOT_CREATE, message).why(text(why, why))
}
