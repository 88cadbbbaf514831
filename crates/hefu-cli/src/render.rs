//! Results in the form that was asked for: a table for people, lines and files for programs.

mod files;
mod table;

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};
use hefu_exchange::output::{self, Header};

pub(crate) use files::not_to_a_terminal;
pub(crate) use hefu_exchange::output::Column;
pub(crate) use table::{Cell, Json, Table, plain, shown};

use crate::{
    cmd::reconcile::write_whole_with,
    context::Context,
    error::{CliError, Result, exit},
    lang::{Text, text},
};

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
    Markdown,
    Xlsx,
    Parquet,
    // Only `report indicators`; a comment for people would make clap's short help a long one.
    SdmxCsv,
}

/// A whole result.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// What people see. Unless there is `data`, the first table is also what files hold.
    pub(crate) tables: Vec<Table>,
    /// The rows for files, where people see them arranged otherwise.
    pub(crate) data: Option<Table>,
    /// Lines below the tables, for people.
    pub(crate) notes: Vec<Text>,
    /// The result as one JSON object.
    pub(crate) json: Json,
}

/// The code of an error that nobody needs to hear: the reader of our output has gone.
pub(crate) const PIPE_CLOSED: &str = "pipe_closed";

/// Prints a result. What is made of rows goes out row by row.
pub(crate) fn print(context: &Context, page: &Page) -> Result {
    let Page { tables, data, notes, json } = page;
    let rows = data.as_ref().or(tables.first());
    let titles = Header::Title(context.lang.pick(output::Lang::Zh, output::Lang::En));
    let mut counted = None;
    match context.format {
        Format::Table => {
            let drawn = tables.iter().map(|table| terminal(context, table)).chain([lines(context, notes)]);
            let parts: Vec<String> = drawn.filter(|part| !part.is_empty()).collect();
            deliver(context, parts.join("\n").as_bytes())?;
        }
        Format::Json => deliver_with(context, |out| json.write(out).map_err(unwritten))?,
        Format::Jsonl => deliver_with(context, |mut out| match rows {
            Some(table) => {
                table.rows.iter().try_for_each(|row| table.object(row).write(&mut out)).map_err(unwritten)
            }
            None => json.write(out).map_err(unwritten),
        })?,
        Format::Csv => match files::rows(page) {
            Some(rows) => {
                let write = |out: &mut Out| output::write_counted(&rows, out).map_err(unwritten);
                counted = Some(deliver_with(context, write)?);
            }
            None => deliver(context, &[])?,
        },
        // `main` lets no other command come this far.
        Format::SdmxCsv => return Err(only_indicators()),
        Format::Markdown => {
            let mut out = Vec::new();
            for table in tables {
                if let Some(title) = &table.title {
                    writeln!(out, "**{}**\n", title.get(context.lang)).map_err(unwritten)?;
                }
                table.file(|cell| cell.show.clone()).write_markdown(&mut out, titles).map_err(unwritten)?;
                out.push(b'\n');
            }
            out.extend_from_slice(lines(context, notes).as_bytes());
            deliver(context, &out)?;
        }
        Format::Xlsx => {
            files::not_to_a_terminal(context)?;
            deliver(context, &files::xlsx(context, page)?)?;
        }
        Format::Parquet => {
            files::not_to_a_terminal(context)?;
            deliver_with(context, |out| files::parquet(context, page, out))?;
        }
    }
    let told = match context.format {
        Format::Xlsx | Format::Parquet => true,
        Format::Csv | Format::Json | Format::Jsonl => data.is_some(),
        Format::Table | Format::Markdown | Format::SdmxCsv => false,
    };
    if let Some(rows) = files::rows(page).filter(|_| told) {
        files::say_rows(context, &counted.unwrap_or_else(|| output::counted(&rows)));
    }
    Ok(())
}

/// The refusal of SDMX for what is no table of indicators.
pub(crate) fn only_indicators() -> CliError {
    let message = text("只有 `report indicators` 可输出 sdmx-csv", "only `report indicators` has sdmx-csv");
    CliError::usage(message).at("field", "format")
}

fn lines(context: &Context, notes: &[Text]) -> String {
    notes.iter().flat_map(|note| [note.get(context.lang), "\n"]).collect()
}

/// Writes to the file that `--out` names, whole or not at all, or to stdout.
pub(crate) fn deliver(context: &Context, bytes: &[u8]) -> Result {
    deliver_with(context, |out| out.write_all(bytes).map_err(unwritten))
}

/// Where a result goes.
type Out<'o> = dyn Write + Send + 'o;

/// The same for what is written piece by piece. Of a file nothing is seen before all of it is on the disk.
fn deliver_with<T>(context: &Context, write: impl FnOnce(&mut Out) -> Result<T>) -> Result<T> {
    let Some(path) = &context.out else {
        let mut out = BufWriter::new(io::stdout());
        let done = write(&mut out)?;
        out.flush().map_err(unwritten)?;
        return Ok(done);
    };
    write_whole_with(path, write)
}

/// Writes to stdout. A closed pipe ends the program without a word, as it does every other filter.
pub(crate) fn write_out(bytes: &[u8]) -> Result {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(unwritten)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritten(error: io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return CliError::new(PIPE_CLOSED, exit::DONE, text("", ""));
    }
    let why = error.to_string();
    let message = text("无法写出结果", "the result cannot be written");
    CliError::new("io", exit::IO, message).why(text(why.clone(), why))
}

fn terminal(context: &Context, table: &Table) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─')));
    // Piped, the table is as wide as it needs; on a terminal long texts wrap.
    drawn.set_content_arrangement(if drawn.is_tty() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    drawn.set_header(table.columns.iter().map(|column| context.lang.pick(column.title_zh, column.title_en)));
    for row in &table.rows {
        drawn.add_row(row.iter().map(|cell| &cell.show));
    }
    for (place, column) in table.columns.iter().enumerate() {
        if let Some(drawn) = drawn.column_mut(place).filter(|_| column.numeric) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    let title =
        table.title.as_ref().map(|title| format!("{}\n", title.get(context.lang))).unwrap_or_default();
    let lines = drawn.lines().map(|line| format!("{}\n", line.trim_end()));
    title + &lines.collect::<String>()
}

/// A decimal text with a comma every three digits, for people.
pub(crate) fn thousands(decimal: &str) -> String {
    let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_every_three_digits() {
        for (plain, grouped) in [
            ("0", "0"),
            ("100", "100"),
            ("1000", "1,000"),
            ("-35000000.50", "-35,000,000.50"),
            ("123456", "123,456"),
        ] {
            assert_eq!(thousands(plain), grouped);
        }
    }
}
