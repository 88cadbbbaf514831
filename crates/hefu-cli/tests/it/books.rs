//! Books as they should not be: each gets an answer that names the place and what to do.

use std::{
    fs,
    io::{Cursor, Write as _},
};

use rust_xlsxwriter::{Formula, Workbook, Worksheet};
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::Place;

const CODE: &str = "2501-330108-04-01-123456";

/// A workbook with a book in one sheet.
fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet().set_name("账册").unwrap();
    for (column, title) in (0u16..).zip(["项目代码", "指标", "报告期", "金额(万元)"]) {
        page.write_string(0, column, title).unwrap();
    }
    fill(page);
    workbook.save_to_buffer().unwrap()
}

fn row(page: &mut Worksheet, at: u32, amount: f64) {
    for (column, text) in (0u16..).zip([CODE, "INV_FAI", "2023-03"]) {
        page.write_string(at, column, text).unwrap();
    }
    page.write_number(at, 3, amount).unwrap();
}

/// The only error of a book, which is the answer's, too.
fn error(place: &Place, name: &str, bytes: &[u8], more: &[&str]) -> Value {
    fs::write(place.path(name), bytes).unwrap();
    let ran =
        place.run(&[&["reconcile", name, "--region", "330108", "--no-memory"], more].concat()).exits(65);
    let told = ran.err.lines().rev().find(|line| line.starts_with('{')).unwrap();
    let error: Value = serde_json::from_str(told).unwrap();
    assert!(error["detail"].is_string() && error["hint"].is_string(), "{error}");
    assert_eq!(error["file"], name, "{error}");
    for lang in ["zh", "en"] {
        let args = [&["reconcile", name, "--region", "330108", "--no-memory"], more].concat();
        let told = place.table(lang, &args).exits(65).err;
        assert!(told.contains(error["code"].as_str().unwrap()) && told.contains(name), "{told}");
    }
    error
}

/// Code, row and cell.
fn place_of(error: &Value) -> (&str, u64, &str) {
    let cell = error["cell"].as_str().or(error["column"].as_str()).unwrap_or_default();
    (error["code"].as_str().unwrap(), error["row"].as_u64().unwrap_or_default(), cell)
}

#[test]
fn every_bad_cell_is_located() {
    let place = Place::with_sample();
    let located = |name: &str, bytes: Vec<u8>, expected: (&str, u64, &str)| {
        let error = error(&place, name, &bytes, &[]);
        assert_eq!(place_of(&error), expected, "{error}");
        assert_eq!(error["sheet"], "账册");
    };
    let merged = book(|page| {
        row(page, 1, 1000.0);
        page.merge_range(2, 0, 3, 0, CODE, &rust_xlsxwriter::Format::new()).unwrap();
        for at in [2, 3] {
            page.write_string(at, 1, "INV_FAI").unwrap();
            page.write_string(at, 2, "2023-03").unwrap();
            page.write_number(at, 3, 1.0).unwrap();
        }
    });
    located("merged.xlsx", merged, ("merged_cell", 4, "A4"));
    let broken = book(|page| {
        row(page, 1, 1000.0);
        page.write_formula(1, 3, Formula::new("=Z1/0").set_result("#DIV/0!")).unwrap();
    });
    located("broken.xlsx", broken, ("cell_error", 2, "D2"));
    let text_date = book(|page| {
        row(page, 1, 1000.0);
        page.write_string(1, 2, "二〇二三年三月").unwrap();
    });
    located("date.xlsx", text_date, ("bad_period", 2, "C2"));
    let mixed = book(|page| {
        row(page, 1, 1000.0);
        row(page, 2, 0.0);
        page.write_string(2, 3, "0.1亿元").unwrap();
    });
    located("mixed.xlsx", mixed, ("unit_conflict", 3, "D3"));
    let unknown = book(|page| {
        row(page, 1, 1000.0);
        page.write_string(1, 1, "INV_NONE").unwrap();
    });
    located("indicator.xlsx", unknown, ("unknown_indicator", 2, "B2"));
    let long = book(|page| row(page, 1, 123_456_789_012.0));
    located("long.xlsx", long, ("number_precision", 2, "D2"));

    let torn = format!("项目代码,指标,报告期,金额,备注\n{CODE},INV_FAI,2023-03,1,234.56\n");
    let torn = error(&place, "torn.csv", torn.as_bytes(), &[]);
    assert_eq!((place_of(&torn), &torn["value"]), (("torn_number", 2, "金额"), &Value::from("1")));
}

/// A workbook of another program, with a formula that nobody calculated: every wrong cell in one answer.
#[test]
fn all_wrong_cells_are_told_at_once() {
    let place = Place::with_sample();
    let bytes = include_bytes!("../../../hefu-exchange/testdata/book-openpyxl.xlsx");
    fs::write(place.path("theirs.xlsx"), bytes).unwrap();
    let ran = place.run(&["reconcile", "theirs.xlsx", "--region", "330108", "--no-memory"]).exits(65);
    let errors = ran.json()["errors"].clone();
    let located: Vec<(&str, u64, &str)> = errors.as_array().unwrap().iter().map(place_of).collect();
    let wrong = [
        ("not_calculated", 6, "E6"),
        ("merged_cell", 8, "A8"),
        ("cell_error", 10, "E10"),
        ("bad_period", 11, "D11"),
        ("bad_number", 11, "E11"),
    ];
    assert_eq!(located, wrong);
}

/// What is not wrong in form is answered by the matching: negative amounts, repeated rows, codes that name nothing.
#[test]
fn odd_rows_are_matched_and_said() {
    let place = Place::with_sample();
    let bytes = book(|page| {
        row(page, 1, 1000.0);
        row(page, 2, 1000.0);
        row(page, 3, -5.0);
        row(page, 4, 7.0);
        page.write_string(4, 0, "2501-000000-04-01-000000").unwrap();
    });
    fs::write(place.path("odd.xlsx"), bytes).unwrap();
    let ran =
        place.run(&["reconcile", "odd.xlsx", "--region", "330108", "--no-memory", "--period", "2023-03"]);
    let groups = ran.exits(1).json()["groups"].clone();
    let of = |class: &str| {
        let group = groups.as_array().unwrap().iter().find(|group| group["class"] == class).cloned();
        group.unwrap_or_else(|| panic!("no {class} in {groups}"))
    };
    assert_eq!(of("matched")["rows"], serde_json::json!([2]));
    assert_eq!(of("duplicate")["rows"], serde_json::json!([3]));
    let lacking: Vec<(&Value, &Value)> = groups
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["class"] == "missing_in_ledger")
        .map(|group| (&group["rows"], &group["book"]))
        .collect();
    let rows = [serde_json::json!([4]), serde_json::json!([5])];
    assert_eq!(lacking, [(&rows[0], &"-50000.00".into()), (&rows[1], &"70000.00".into())]);
    assert_eq!(groups.as_array().unwrap().last().unwrap()["reason"], "unknown_project");
}

/// Rows nobody sees and rows that are left out are said in every form, with their numbers.
#[test]
fn hidden_rows_and_totals_are_said() {
    let place = Place::with_sample();
    let bytes = book(|page| {
        row(page, 1, 1000.0);
        row(page, 2, 7.0);
        page.set_row_hidden(2).unwrap();
        row(page, 3, 999.0);
        page.write_string(3, 1, "合计").unwrap();
    });
    fs::write(place.path("h.xlsx"), bytes).unwrap();
    let args = ["reconcile", "h.xlsx", "--region", "330108", "--no-memory", "--period", "2023-03"];
    let told = place.run(&args).exits(1).json();
    assert_eq!(
        (&told["book"]["hidden"], &told["book"]["totals"]),
        (&serde_json::json!([3]), &serde_json::json!([4]))
    );
    let lines = place.run_bare(&[&["-L", "L", "--format", "jsonl"][..], &args].concat()).exits(1);
    let table = place.table("en", &args).exits(1);
    for text in [&lines.err, &table.out] {
        assert!(
            text.contains("1 rows are hidden in the workbook and were counted like the others (row 3)"),
            "{text}"
        );
        assert!(text.contains("1 rows of totals were left out (row 4)"), "{text}");
    }
    assert!(!lines.out.contains("999"), "{}", lines.out);
    // A table for import says so, too.
    let import = ["import", "observations", "h.xlsx", "--as", "330108", "--dry-run", "--skip-bad"];
    assert_eq!(place.run(&import).json()["hidden_rows"], serde_json::json!([3]));
}

#[test]
fn a_file_that_is_no_book_says_what_it_is() {
    let place = Place::with_sample();
    let good = book(|page| row(page, 1, 1000.0));
    let zipped = |parts: &[(&str, &[u8])]| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let bomb = zipped(&[("[Content_Types].xml", b""), ("xl/worksheets/sheet1.xml", &vec![b' '; 64 << 20])]);
    let locked: Vec<u8> = [0xd0, 0xcf, 0x11, 0xe0]
        .into_iter()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (name, bytes, more, code) in [
        ("sheet.xlsx", good.clone(), &["--sheet", "二月"][..], "no_such_sheet"),
        ("half.xlsx", good[..good.len() / 2].to_vec(), &[], "not_a_workbook"),
        ("bomb.xlsx", bomb, &[], "unpacks_too_large"),
        ("locked.xlsx", locked, &[], "encrypted"),
        ("old.xls", vec![0xd0, 0xcf, 0x11, 0xe0, 1, 2], &[], "other_workbook"),
        ("open.ods", zipped(&[("content.xml", b"x")]), &[], "other_workbook"),
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0".to_vec(), &[], "not_text"),
        ("letter.csv", "关于报送的函\n".into(), &[], "missing_columns"),
        ("empty.csv", Vec::new(), &[], "empty_file"),
    ] {
        assert_eq!(error(&place, name, &bytes, more)["code"], code, "{name}");
    }
    let wrong = error(&place, "sheet.xlsx", &good, &["--sheet", "二月"]);
    assert!(wrong["detail"].as_str().unwrap().contains("账册"), "the sheets there are: {wrong}");
    fs::write(place.path("good.xlsx"), good).unwrap();
    let args = ["reconcile", "good.xlsx", "--region", "330108", "--no-memory", "--period", "2023-03"];
    place.run(&args).exits(0);
}
