//! Reports as files: the same rows in every form, and a workbook that says what it is.

use std::fs;

use calamine::{Data, Reader, Xlsx};
use hefu_chain::hash::Sha256Digest;

use crate::support::Place;

const REPORT: [&str; 11] = [
    "-L",
    "L",
    "--lang",
    "zh",
    "report",
    "indicators",
    "--region",
    "330000",
    "--children",
    "--period",
    "2023",
];

/// Exports the report; what was said of its rows.
fn export(place: &Place, format: &str, file: &str, more: &[&str]) -> String {
    let args = [&REPORT[..], &["--format", format, "--out", file], more].concat();
    let ran = place.run_bare(&args).exits(0);
    assert_eq!(ran.out, "", "the result went to the file");
    ran.err
}

fn sheet(place: &Place, file: &str, name: &str) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = calamine::open_workbook(place.path(file)).unwrap();
    book.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

fn texts(row: &[Data]) -> Vec<String> {
    row.iter().map(ToString::to_string).collect()
}

#[test]
fn every_form_holds_the_same_rows() {
    let place = Place::with_sample();
    let said = export(&place, "csv", "r.csv", &["--indicator", "INV_FAI"]);
    for (format, file) in
        [("json", "r.json"), ("jsonl", "r.jsonl"), ("xlsx", "r.xlsx"), ("parquet", "r.parquet")]
    {
        assert_eq!(export(&place, format, file, &["--indicator", "INV_FAI"]), said, "{format}");
    }
    assert!(said.starts_with("102 行,sha256 "), "{said}");
    let csv = fs::read_to_string(place.path("r.csv")).unwrap();
    assert!(said.contains(&Sha256Digest::of(csv.as_bytes()).to_string()), "the file's own digest");
    // Nothing is left of the files as they were written.
    let mut names = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.all(|name| !name.to_string_lossy().ends_with(".part")));
    let county = csv.lines().find(|line| line.starts_with("330881")).unwrap();
    assert_eq!(county, "330881,INV_FAI,2023,35000000.50,35000000.50,0.00,35000000.50,,A");

    let data = sheet(&place, "r.xlsx", "数据");
    assert_eq!(data[1][0].to_string(), "仅用于考核，不得对外公开");
    let header = data.iter().position(|row| row[0] == "地区").unwrap();
    assert_eq!(texts(&data[header])[3..5], ["在地口径", "共享口径"]);
    let rows: Vec<_> = data[header + 1..].iter().take_while(|row| row[0] != Data::Empty).collect();
    assert_eq!(rows.len(), 102);
    let row = rows.iter().find(|row| row[0] == "330881").unwrap();
    assert_eq!(row[3], Data::Float(35_000_000.5), "a number, not a text");
    let about = sheet(&place, "r.xlsx", "说明");
    let fact = |name: &str| about.iter().map(|row| texts(row)).find(|row| row[0] == name).unwrap()[1].clone();
    assert_eq!(fact("rows"), "102");
    assert!(said.contains(&fact("sha256")), "the footer has the digest that was said");
    assert_eq!((fact("policy_version"), fact("checkpoint").len()), ("1".to_owned(), 64));
    assert_eq!(fact("position").parse::<u64>().unwrap() + 1, place.size());
    // What a reader of columns makes of it is tried in `.ci/exports`.
    let parquet = fs::read(place.path("r.parquet")).unwrap();
    assert_eq!(
        (parquet.get(..4), parquet.get(parquet.len() - 4..)),
        (Some(&b"PAR1"[..]), Some(&b"PAR1"[..]))
    );
    let shown = sheet(&place, "r.xlsx", "报表");
    assert!(texts(&shown[3])[0].contains("单位:元"), "{:?}", shown[3]);
}

#[test]
fn labels_are_codes_names_or_both() {
    let place = Place::with_sample();
    let line = |labels: &str| {
        export(
            &place,
            "csv",
            "r.csv",
            &["--indicator", "INV_FAI", "--basis", "territorial", "--labels", labels],
        );
        let csv = fs::read_to_string(place.path("r.csv")).unwrap();
        let end = ",2023,35000000.50,A";
        (
            csv.lines().next().unwrap().to_owned(),
            csv.lines().find(|line| line.ends_with(end)).unwrap().to_owned(),
        )
    };
    let (head, row) = line("both");
    assert_eq!(head, "region,region_name,indicator,indicator_name,period,territorial,status");
    assert_eq!(row, "330800,衢州市,INV_FAI,固定资产投资,2023,35000000.50,A");
    assert_eq!(line("name").1, "衢州市,固定资产投资,2023,35000000.50,A");
    assert_eq!(line("code").1, "330800,INV_FAI,2023,35000000.50,A");
}

#[test]
fn territorial_figures_carry_no_notice_and_files_are_in_yuan() {
    let place = Place::with_sample();
    let more = ["--indicator", "INV_FAI", "--basis", "territorial", "--unit", "ten-thousand"];
    export(&place, "xlsx", "t.xlsx", &more);
    let all = ["报表", "数据", "说明"].map(|name| sheet(&place, "t.xlsx", name)).concat();
    let words: Vec<String> = all.iter().flat_map(|row| texts(row)).collect();
    assert!(!words.iter().any(|word| word.contains("仅用于考核")));
    assert!(!words.iter().any(|word| word.contains("万元")));
    assert!(words.iter().any(|word| word == "35000000.5"));
    // A file that cannot be written leaves nothing behind.
    let args = [&REPORT[..], &["--format", "xlsx", "--out", "L/head/x.xlsx"]].concat();
    place.run_bare(&args).exits(73);
}
