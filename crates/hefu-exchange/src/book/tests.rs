//! Books as regions keep them, good and bad, and the same book in two formats.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use hefu_domain::{id::ProjectId, policy::built_in_indicators};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::matching::Key;

const A: &str = "2501-330108-04-01-123456";
const B: &str = "2501-330108-04-01-654321";

fn id(last: u8) -> ProjectId {
    format!("0198b2c4-7d3e-7000-8000-0000000000{last:02x}").parse().unwrap()
}

fn named(text: &str) -> Named {
    match text {
        A => Named::One(id(1), NamedBy::Code),
        B => Named::One(id(2), NamedBy::Code),
        "甲" => Named::One(id(1), NamedBy::Name),
        "乙" => Named::Several,
        _ => text.parse().map_or(Named::Nothing, |id| Named::One(id, NamedBy::Id)),
    }
}

fn with<T>(change: impl FnOnce(&mut Options), then: impl FnOnce(&Options) -> T) -> T {
    let catalogue = built_in_indicators();
    let mut options = Options {
        file: "book",
        sheet: None,
        catalogue: &catalogue,
        find_project: &named,
        unit: MoneyUnit::Yuan,
        indicator: None,
        period: None,
    };
    change(&mut options);
    then(&options)
}

fn read_plain(bytes: &[u8]) -> Result<Book, FileError> {
    with(|_| {}, |options| read(bytes, options))
}

/// Row, code, cell or column of every error.
fn errors(book: &Book) -> Vec<(u64, &'static str, String)> {
    let place = |e: &FileError| {
        e.sheet.as_ref().and_then(|s| s.cell.clone()).or(e.column.clone()).unwrap_or_default()
    };
    book.errors.iter().map(|e| (e.row.unwrap(), e.code(), place(e))).collect()
}

/// Row, period and fen of every line.
fn lines(book: &Book) -> Vec<(u64, String, i64)> {
    book.lines.iter().map(|line| (line.row, line.period.to_string(), line.minor)).collect()
}

#[test]
fn a_book_of_another_program_with_every_kind_of_trouble() {
    let bytes = include_bytes!("../../testdata/book-openpyxl.xlsx");
    let book = read_plain(bytes).unwrap();
    assert_eq!(book.sheet.as_deref(), Some("账册"), "the cover has no header, the old book is hidden");
    let line = |row, period: &str, fen| (row, period.to_owned(), fen);
    assert_eq!(
        lines(&book),
        [
            line(4, "2023-07", 3_500_000_000),
            line(5, "2023-08", 1_234_500_000),
            line(7, "2023-10", -12_300_000),
            line(9, "2023-09", 100_000),
        ]
    );
    let error = |row, code, cell: &str| (row, code, cell.to_owned());
    assert_eq!(
        errors(&book),
        [
            error(6, "not_calculated", "E6"),
            error(8, "merged_cell", "A8"),
            error(10, "cell_error", "E10"),
            error(11, "bad_period", "D11"),
            error(11, "bad_number", "E11"),
        ]
    );
    assert_eq!(book.totals, [12]);
    assert!(
        book.errors[1].to_string().contains("sheet 账册") && book.errors[1].to_string().contains("A7:A8")
    );
    let old = with(|o| o.sheet = Some("旧账"), |o| read(bytes, o)).unwrap();
    assert_eq!(old.lines.len(), 1, "a hidden sheet is read when it is named");
    let wrong = with(|o| o.sheet = Some("新账"), |o| read(bytes, o)).unwrap_err();
    assert_eq!(wrong.code(), "no_such_sheet");
}

#[test]
fn amounts_and_periods_as_people_write_them() {
    let text = "填报单位:江山市,,,\n项目,指标,报告期,金额（亿元）\n\
                甲,INV_FAI,2023年1-2月,12\n甲,INV_FAI,2023-01..02,−0.00000001\n甲,INV_FAI,2023Q3,\"（1,234.00）\"\n\
                甲,INV_FAI,2023年3季度,5亿元\n甲,INV_FAI,2023/7/1,1\n甲,INV_FAI,2023-07-31,1\n甲,INV_FAI,45108,1\n";
    let book = read_plain(text.as_bytes()).unwrap();
    let shown: Vec<(String, i64)> = lines(&book).into_iter().map(|(_, period, fen)| (period, fen)).collect();
    let line = |period: &str, fen| (period.to_owned(), fen);
    assert_eq!(
        shown,
        [
            line("2023-01..02", 120_000_000_000),
            line("2023-01..02", -100),
            line("2023-Q3", -12_340_000_000_000),
            line("2023-Q3", 50_000_000_000),
            line("2023-07", 10_000_000_000),
            line("2023-07", 10_000_000_000),
            line("2023-07", 10_000_000_000),
        ]
    );
    assert_eq!(book.errors, []);
}

#[test]
fn every_wrong_cell_is_located() {
    let text = format!(
        "code,indicator,period,amount,unit\n\
         {A},INV_FAI,2023-07,5%,\n{A},INV_FAI,2023-07,5万元,亿元\n{A},NOPE,2023-13,1,\n{A},N_PRJ,2023-07,1,\n\
         乙,INV_FAI,2023-07,1,\n,INV_FAI,2023-07,1,\n{A},INV_FAI,2023-07-15,1,\n{A},INV_FAI,2023-07,0.001,\n\
         {A},INV_FAI,2023-07,1.2E+09,\n{A},INV_FAI,2023-07,1,234,.56\nnobody,INV_FAI,2023-07,1,\n"
    );
    let book = read_plain(text.as_bytes()).unwrap();
    let codes: Vec<(u64, &str)> = book.errors.iter().map(|e| (e.row.unwrap(), e.code())).collect();
    assert_eq!(
        codes,
        [
            (2, "bad_number"),
            (3, "unit_conflict"),
            (4, "unknown_indicator"),
            (4, "bad_period"),
            (5, "derived_indicator"),
            (6, "ambiguous_project"),
            (7, "empty"),
            (8, "bad_period"),
            (9, "too_fine"),
            (10, "shortened_number"),
            (11, "surplus_cells"),
        ]
    );
    // A code that names nothing is no wrong cell: its amount is part of the book's total.
    assert_eq!(book.lines.len(), 1);
    assert_eq!(book.lines[0].project, Key::Unknown("nobody".to_owned()));
}

/// `1,234.56` without quotation marks, in a row that leaves out the remark: as long as the header, and two cells of one.
#[test]
fn half_a_number_is_no_amount() {
    let table = |amount: &str| format!("项目代码,指标,报告期,金额,备注\n{A},INV_FAI,2023-07,{amount}\n");
    for torn in ["1,234.56", "12,345", "1,234,567.89", "-1,234.56", "(1,234)", "1,234万元", "１,２３４"]
    {
        let book = read_plain(table(torn).as_bytes()).unwrap();
        assert_eq!(book.lines, [], "{torn}");
        assert!(["torn_number", "surplus_cells"].contains(&book.errors[0].code()), "{torn}");
    }
    for whole in ["\"1,234.56\"", "1.00,234", "1,23", "1,2345", "1000,234", "0,234", "1,", "1", "1,见附件"]
    {
        let book = read_plain(table(whole).as_bytes()).unwrap();
        assert_eq!((book.errors.len(), book.lines.len()), (0, 1), "{whole}");
    }
    let tabs = table("1,234").replace(',', "\t");
    assert_eq!(read_plain(tabs.as_bytes()).unwrap().lines.len(), 1, "a comma separates nothing here");
}

#[test]
fn a_table_without_a_column_takes_what_was_asked_for() {
    let text = format!("项目代码,金额\n{A},7\n");
    assert_eq!(read_plain(text.as_bytes()).unwrap_err().code(), "missing_columns");
    let asked = |o: &mut Options| {
        (o.indicator, o.period) = (Some("INV_FAI".parse().unwrap()), Some("2023-07".parse().unwrap()));
    };
    let book = with(asked, |o| read(text.as_bytes(), o)).unwrap();
    assert_eq!(lines(&book), [(2, "2023-07".to_owned(), 700)]);
}

/// A workbook with one sheet of three columns and these cells below the header.
fn workbook(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    for (column, title) in (0u16..).zip(["项目代码", "指标", "报告期", "金额"]) {
        page.write_string(0, column, title).unwrap();
    }
    fill(page);
    workbook.save_to_buffer().unwrap()
}

fn row(page: &mut rust_xlsxwriter::Worksheet, row: u32) {
    page.write_string(row, 0, A).unwrap();
    page.write_string(row, 1, "INV_FAI").unwrap();
    page.write_string(row, 2, "2023-07").unwrap();
}

#[test]
fn number_cells_are_exact_or_refused() {
    let bytes = workbook(|page| {
        let cells =
            [0.1, 0.1 + 0.2, 4.35, 9_999_999_999_999.99, 1e15 + 0.01, 10_000_000_000_000.0, 0.005, -0.29];
        for (at, number) in (1u32..).zip(cells) {
            row(page, at);
            page.write_number(at, 3, number).unwrap();
        }
        row(page, 9);
        page.write_string(9, 3, "10000000000000.01").unwrap();
        row(page, 10);
        page.write_formula(10, 3, Formula::new("=1+1").set_result("2")).unwrap();
    });
    let book = read_plain(&bytes).unwrap();
    let fen: Vec<(u64, i64)> = book.lines.iter().map(|line| (line.row, line.minor)).collect();
    let exact = [
        (2, 10),
        (3, 30),
        (4, 435),
        (5, 999_999_999_999_999),
        (9, -29),
        (10, 1_000_000_000_000_001),
        (11, 200),
    ];
    assert_eq!(fen, exact);
    assert!(book.lines[6].formula && !book.lines[0].formula);
    let error = |row, code, cell: &str| (row, code, cell.to_owned());
    assert_eq!(
        errors(&book),
        [error(6, "number_precision", "D6"), error(7, "number_precision", "D7"), error(8, "too_fine", "D8"),]
    );
}

#[test]
fn days_in_a_workbook_stand_for_their_month() {
    let bytes = workbook(|page| {
        let day = Format::new().set_num_format("yyyy\"年\"m\"月\"");
        for (at, (month, date)) in (1u32..).zip([(7, 1), (7, 31), (7, 2)]) {
            row(page, at);
            let when = ExcelDateTime::from_ymd(2023, month, date).unwrap();
            page.write_datetime_with_format(at, 2, &when, &day).unwrap();
            page.write_number(at, 3, 1).unwrap();
        }
    });
    let book = read_plain(&bytes).unwrap();
    assert_eq!(lines(&book), [(2, "2023-07".to_owned(), 100), (3, "2023-07".to_owned(), 100)]);
    assert_eq!(errors(&book), [(4, "bad_period", "C4".to_owned())]);
}

#[test]
fn what_is_no_book_is_named() {
    let two = {
        let mut workbook = Workbook::new();
        for name in ["一", "二"] {
            let page = workbook.add_worksheet().set_name(name).unwrap();
            for (column, title) in (0u16..).zip(["项目代码", "指标", "报告期", "金额"]) {
                page.write_string(0, column, title).unwrap();
            }
            page.write_string(1, 0, A).unwrap();
        }
        workbook.save_to_buffer().unwrap()
    };
    let zipped = |parts: &[(&str, &[u8])]| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let bomb = zipped(&[("[Content_Types].xml", b""), ("xl/worksheets/sheet1.xml", &vec![b' '; 16 << 20])]);
    assert!(bomb.len() < 100_000);
    let encrypted: Vec<u8> = [0xd0, 0xcf, 0x11, 0xe0]
        .into_iter()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let good = workbook(|page| row(page, 1));
    for (bytes, code) in [
        (b"".to_vec(), "empty_file"),
        (b" \r\n".to_vec(), "empty_file"),
        (b"\x00\x01\x02".to_vec(), "not_text"),
        (b"%PDF-1.7\n".to_vec(), "missing_columns"),
        ("项目代码,指标,报告期,金额\n".as_bytes().to_vec(), "no_rows"),
        ("项目代码,指标,报告期,金额,数值\nx,y,z,1,2\n".as_bytes().to_vec(), "duplicate_column"),
        (b"PK\x03\x04 broken".to_vec(), "not_a_workbook"),
        (zipped(&[("readme.txt", b"x")]), "not_a_workbook"),
        (zipped(&[("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"<a>")]), "not_a_workbook"),
        (zipped(&[("content.xml", b"x")]), "other_workbook"),
        (zipped(&[("xl/workbook.bin", b"x")]), "other_workbook"),
        (vec![0xd0, 0xcf, 0x11, 0xe0, 1, 2, 3], "other_workbook"),
        (encrypted, "encrypted"),
        (bomb, "unpacks_too_large"),
        (two, "which_sheet"),
        (workbook(|_| {}), "no_rows"),
        (good[..good.len() / 2].to_vec(), "not_a_workbook"),
    ] {
        let error = read_plain(&bytes).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn a_lone_cell_in_the_far_corner_costs_nothing() {
    let bytes = workbook(|page| {
        row(page, 1);
        page.write_number(1, 3, 7).unwrap();
        page.write_string(1_048_575, 200, "x").unwrap();
        page.write_string(1_048_575, 16_383, "x").unwrap();
    });
    let book = read_plain(&bytes).unwrap();
    assert_eq!(lines(&book), [(2, "2023-07".to_owned(), 700)]);
    assert_eq!(book.errors.last().and_then(|e| e.row), Some(1_048_576));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The same book as CSV and as a workbook with number cells gives the same lines.
    #[test]
    fn the_format_does_not_matter(
        rows in proptest::collection::vec((0usize..3, 1u8..=12, -99_999_999_999_999i64..=99_999_999_999_999), 1..30),
    ) {
        let amount = |fen: i64| hefu_domain::amount::format_minor(i128::from(fen), 2);
        let project = |at: usize| [A, B, "unknown"][at];
        let mut text = "项目代码,指标,报告期,金额\n".to_owned();
        for (at, month, fen) in &rows {
            writeln!(text, "{},INV_FAI,2023-{month:02},{}", project(*at), amount(*fen)).unwrap();
        }
        let bytes = workbook(|page| {
            for (line, (at, month, fen)) in (1u32..).zip(&rows) {
                row(page, line);
                page.write_string(line, 0, project(*at)).unwrap();
                page.write_string(line, 2, format!("2023-{month:02}")).unwrap();
                page.write_number(line, 3, amount(*fen).parse::<f64>().unwrap()).unwrap();
            }
        });
        let (csv, xlsx) = (read_plain(text.as_bytes()).unwrap(), read_plain(&bytes).unwrap());
        prop_assert_eq!(csv.errors, vec![]);
        prop_assert_eq!(csv.lines, xlsx.lines);
    }

    /// Bytes that are no workbook, and workbooks with a byte changed, end in an answer.
    #[test]
    fn hostile_bytes_end_in_an_answer(at in 0usize..6000, byte in any::<u8>()) {
        let mut bytes = include_bytes!("../../testdata/book-openpyxl.xlsx").to_vec();
        let place = at % bytes.len();
        bytes[place] = byte;
        let _ = read_plain(&bytes);
    }
}
