//! Answers as a workbook (XLSX): sheets of notes and tables, for people who print them and pass them on.
//!
//! A number that a spreadsheet would round is written as text: a number cell keeps 15 significant digits, no more.
//! Nothing is written as a formula. The same sheets give the same bytes: the file names no time but the one it is given.
//! Nothing here decides what stands on a sheet.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::output::{Cell, Header, Table};

/// Significant digits that a number cell keeps.
const CERTAIN_DIGITS: usize = 15;
/// A column is at most this wide, in half-width characters.
const WIDEST: usize = 48;
/// Rows looked at to find how wide a column is.
const MEASURED: usize = 500;

/// A sheet: a title, what must not be overlooked, tables one under another, and notes below them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its name: at most 31 characters, none of `[]:*?/\`.
    pub name: String,
    /// The first line.
    pub title: String,
    /// Printed in red under the title and in the footer of every page, such as 仅用于考核，不得对外公开.
    pub notice: Option<String>,
    /// The tables, each with a title of its own if it has one.
    pub tables: Vec<(Option<String>, Table)>,
    /// Lines below the tables.
    pub notes: Vec<String>,
}

/// Why a workbook cannot be made: a sheet's name, or more rows than a sheet holds (1,048,576).
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be made: {0}")]
pub struct WorkbookError(#[from] XlsxError);

struct Formats {
    title: Format,
    notice: Format,
    part: Format,
    header: Format,
    text: Format,
    /// Numbers that are written as text.
    digits: Format,
    /// Numbers by their decimals.
    numbers: Vec<Format>,
}

impl Formats {
    fn new() -> Formats {
        let boxed = || Format::new().set_border(FormatBorder::Thin).set_border_color(Color::RGB(0x00BF_BFBF));
        let digits = boxed().set_align(FormatAlign::Right).set_align(FormatAlign::Top);
        let shown = |decimals: usize| match decimals {
            0 => "#,##0".to_owned(),
            some => format!("#,##0.{}", "0".repeat(some)),
        };
        let numbers = (0..=CERTAIN_DIGITS).map(|decimals| digits.clone().set_num_format(shown(decimals)));
        Formats {
            numbers: numbers.collect(),
            digits: digits.clone(),
            title: Format::new().set_bold().set_font_size(14),
            notice: Format::new().set_bold().set_font_color(Color::RGB(0x00C0_0000)),
            part: Format::new().set_bold(),
            header: boxed()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter)
                .set_background_color(Color::RGB(0x00E7_E6E6)),
            text: boxed().set_align(FormatAlign::Top).set_text_wrap(),
        }
    }
}

/// The bytes of a workbook with these sheets. `made` is the day (year, month, day) it says it was made on.
pub fn write(sheets: &[Sheet], header: Header, made: (u16, u8, u8)) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    let title = sheets.first().map(|sheet| sheet.title.as_str()).unwrap_or_default();
    let day = ExcelDateTime::from_ymd(made.0, made.1, made.2)?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&day));
    let formats = Formats::new();
    for sheet in sheets {
        fill(workbook.add_worksheet(), sheet, header, &formats)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn fill(page: &mut Worksheet, sheet: &Sheet, header: Header, formats: &Formats) -> Result<(), XlsxError> {
    page.set_name(&sheet.name)?;
    page.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    let footer = sheet.notice.as_deref().unwrap_or_default().replace('&', "&&");
    page.set_footer(format!("&L{footer}&R&P / &N"));
    let mut row = 0;
    page.write_string_with_format(row, 0, &sheet.title, &formats.title)?;
    if let Some(notice) = &sheet.notice {
        row += 1;
        page.write_string_with_format(row, 0, notice, &formats.notice)?;
    }
    let mut widths: Vec<usize> = Vec::new();
    for (title, table) in &sheet.tables {
        row += 2;
        if let Some(title) = title {
            page.write_string_with_format(row, 0, title, &formats.part)?;
            row += 1;
        }
        let first = row;
        measure(&mut widths, table, header);
        for (at, column) in (0u16..).zip(&table.columns) {
            page.write_string_with_format(row, at, column.header(header), &formats.header)?;
        }
        for cells in &table.rows {
            row += 1;
            for (at, cell) in (0u16..).zip(cells) {
                put(page, (row, at), cell, formats)?;
            }
        }
        if sheet.tables.len() > 1 {
            // One range repeats on every printed page: of several tables, what the sheet is about.
            page.set_repeat_rows(0, 0)?;
        } else if !table.columns.is_empty() {
            let last = u16::try_from(table.columns.len() - 1).unwrap_or(u16::MAX);
            page.set_freeze_panes(first + 1, 0)?;
            page.set_repeat_rows(first, first)?;
            page.autofilter(first, 0, row, last)?;
        }
    }
    row += 1;
    for note in &sheet.notes {
        row += 1;
        page.write_string(row, 0, note)?;
    }
    for (at, width) in (0u16..).zip(widths) {
        page.set_column_width(at, u32::try_from(width).unwrap_or(8))?;
    }
    Ok(())
}

fn put(page: &mut Worksheet, at: (u32, u16), cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
    match cell {
        Cell::Null | Cell::Bool(_) | Cell::Text(_) => {
            page.write_string_with_format(at.0, at.1, cell.as_str(), &formats.text)?;
        }
        Cell::Number(text) => match as_number(text) {
            Some((number, decimals)) => {
                page.write_number_with_format(at.0, at.1, number, &formats.numbers[decimals])?;
            }
            None => {
                page.write_string_with_format(at.0, at.1, text, &formats.digits)?;
            }
        },
    }
    Ok(())
}

/// A decimal text as a number cell and its decimals, if the cell keeps every digit.
fn as_number(text: &str) -> Option<(f64, usize)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let certain = whole.trim_start_matches('0').len() + fraction.len() <= CERTAIN_DIGITS;
    (plain && certain).then(|| text.parse().ok().map(|number| (number, fraction.len())))?
}

/// Widens the columns for a table's headers and its first rows. A Chinese character is two wide.
fn measure(widths: &mut Vec<usize>, table: &Table, header: Header) {
    let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    if widths.len() < table.columns.len() {
        widths.resize(table.columns.len(), 8);
    }
    for (at, column) in table.columns.iter().enumerate() {
        let cells = table.rows.iter().take(MEASURED).filter_map(|row| row.get(at));
        let widest = cells.map(|cell| width(cell.as_str()) + if column.numeric { 4 } else { 0 }).max();
        let widest = widest.unwrap_or(0).max(width(column.header(header)));
        widths[at] = widths[at].max(widest + 2).min(WIDEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Column, Lang};

    fn sheet() -> Sheet {
        let mut table = Table::new(vec![
            Column::text("region", "地区", "Region"),
            Column::number("value", "数值", "Value"),
        ]);
        table.rows.push(vec![Cell::text("=1+1"), Cell::number("-1234.50")]);
        table.rows.push(vec![Cell::Null, Cell::number("12345678901234567.89")]);
        Sheet {
            name: "桥接".to_owned(),
            title: "对账".to_owned(),
            notice: Some("仅用于考核，不得对外公开".to_owned()),
            tables: vec![(None, table)],
            notes: vec!["完".to_owned()],
        }
    }

    #[test]
    fn the_same_sheets_give_the_same_bytes_and_read_back() {
        use calamine::{Data, Reader};
        let made = write(&[sheet()], Header::Title(Lang::Zh), (2026, 1, 2)).unwrap();
        assert_eq!(made, write(&[sheet()], Header::Title(Lang::Zh), (2026, 1, 2)).unwrap());
        let mut read: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(made)).unwrap();
        let range = read.worksheet_range("桥接").unwrap();
        let at = |row, column| range.get_value((row, column)).cloned();
        assert_eq!(at(1, 0), Some(Data::String("仅用于考核，不得对外公开".to_owned())));
        assert_eq!(at(3, 1), Some(Data::String("数值".to_owned())));
        assert_eq!(at(4, 0), Some(Data::String("=1+1".to_owned())), "a text, not a formula");
        assert_eq!(at(4, 1), Some(Data::Float(-1234.5)));
        assert_eq!(at(5, 1), Some(Data::String("12345678901234567.89".to_owned())), "no digit is lost");
        assert!(write(&[Sheet { name: "a/b".to_owned(), ..sheet() }], Header::Key, (2026, 1, 2)).is_err());
    }

    #[test]
    fn a_number_cell_only_where_it_keeps_every_digit() {
        assert_eq!(as_number("-0.50"), Some((-0.5, 2)));
        assert_eq!(as_number("9999999999999.99"), Some((9_999_999_999_999.99, 2)));
        for text in ["10000000000000.00", "1e5", "", "-", "NaN", "1,000"] {
            assert_eq!(as_number(text), None, "{text}");
        }
    }
}
