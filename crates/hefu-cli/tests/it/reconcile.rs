//! A region's own book beside the ledger.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};

use crate::support::{Place, Ran};

const CODE: &str = "2501-330108-04-01-123456";

/// A project of 330108 with two months of investment.
fn place() -> Place {
    let place = Place::new();
    place.write("e.csv", "统一社会信用代码,企业名称,地区\n91330100799655058B,杭州示例装备有限公司,滨江区\n");
    place.run(&["import", "enterprises", "e.csv", "--as", "330108"]).exits(0);
    let project = format!(
        "项目名称,统一社会信用代码,行业,计划投资(万元),项目代码,登记日期\n\
         示例电驱项目,91330100799655058B,C34,120000,{CODE},2023-01-10\n"
    );
    place.write("p.csv", &project);
    place.run(&["import", "projects", "p.csv", "--as", "330108"]).exits(0);
    let values =
        format!("项目代码,指标,报告期,数值(万元)\n{CODE},INV_FAI,2023-03,100\n{CODE},INV_FAI,2023-04,50\n");
    place.write("o.csv", &values);
    place.run(&["import", "observations", "o.csv", "--as", "330108"]).exits(0);
    place
}

fn book(place: &Place, rows: &[(&str, &str, &str)]) {
    let mut text = "项目代码,指标,报告期,金额(万元)\n".to_owned();
    for (code, period, amount) in rows {
        writeln!(text, "{code},INV_FAI,{period},{amount}").unwrap();
    }
    place.write("book.csv", &text);
}

fn reconcile(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&["reconcile", "book.csv", "--region", "330108"][..], more].concat())
}

/// Class and state of every group.
fn said(result: &Value) -> Vec<(String, Option<String>)> {
    let text = |group: &Value, key: &str| group[key].as_str().map(str::to_owned);
    let groups = result["groups"].as_array().unwrap();
    groups.iter().map(|group| (text(group, "class").unwrap(), text(group, "state"))).collect()
}

#[test]
fn from_breaks_to_none() {
    let place = place();
    let size = place.size();
    book(&place, &[(CODE, "2023-03", "100"), (CODE, "2023-04", "49.5"), ("nobody", "2023-04", "7")]);
    let first = reconcile(&place, &[]).exits(1).json();
    let row = |class: &str, state: Option<&str>| (class.to_owned(), state.map(str::to_owned));
    assert_eq!(
        said(&first),
        [row("matched", None), row("value_differs", Some("new")), row("missing_in_ledger", Some("new"))]
    );
    let bridge: Vec<(&str, &str)> = first["bridge"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["net"].as_str().unwrap()))
        .collect();
    assert_eq!(
        bridge,
        [
            ("book", "1565000.00"),
            ("matched", "0.00"),
            ("value_differs", "5000.00"),
            ("missing_in_ledger", "-70000.00"),
            ("ledger", "1500000.00"),
            ("residual", "0.00"),
        ]
    );
    // The same book again: nothing changes, and nothing is written.
    let memory = place.path("L.reconcile").join("330108-shared.json");
    let kept = fs::read_to_string(&memory).unwrap();
    let again = reconcile(&place, &[]).exits(1).json();
    assert_eq!((&again["repeated"], said(&again)), (&json!(true), said(&first)));
    assert_eq!(fs::read_to_string(&memory).unwrap(), kept);
    // The amount changes, the break does not; the other one is gone.
    book(&place, &[(CODE, "2023-03", "100"), (CODE, "2023-04", "48")]);
    let second = reconcile(&place, &[]).exits(1).json();
    assert_eq!(second["groups"][1]["state"], "persisting");
    assert_eq!(second["groups"][1]["break"], first["groups"][1]["break"]);
    assert_eq!(second["resolved"].as_array().unwrap().len(), 1);
    // All of it in one line of the year.
    book(&place, &[(CODE, "2023", "150")]);
    let third = reconcile(&place, &["--no-memory"]).exits(0).json();
    assert_eq!(
        (said(&third), &third["groups"][0]["rule"]),
        (vec![row("matched", None)], &json!("parts_of_period"))
    );
    book(&place, &[(CODE, "2023-03", "100"), (CODE, "2023-04", "49.5")]);
    let near = reconcile(&place, &["--no-memory", "--tolerance-percent", "1"]).exits(0).json();
    assert_eq!(near["groups"][1]["class"], "within_tolerance");
    assert_eq!(place.size(), size, "the ledger is only looked at");
}

#[test]
fn a_workbook_comes_out_and_goes_in_again() {
    let place = place();
    book(&place, &[(CODE, "2023-03", "100"), (CODE, "2023-04", "x")]);
    let refused = reconcile(&place, &["--out", "out.xlsx"]).exits(65).json();
    assert_eq!(
        (refused["errors"][0]["code"].as_str(), refused["groups"].as_array().unwrap().len()),
        (Some("bad_number"), 0)
    );
    assert!(place.path("out.xlsx").exists(), "the errors are in the workbook");
    let skipped = reconcile(&place, &["--skip-bad", "--out", "out.xlsx"]).exits(65).json();
    let classes: Vec<String> = said(&skipped).into_iter().map(|(class, _)| class).collect();
    assert_eq!(classes, ["matched"]);
    assert!(!place.path("out.xlsx.part").exists());
    // The workbook is no book, and says so.
    let error = place.run(&["reconcile", "out.xlsx", "--region", "330108"]).exits(65).error();
    assert!(
        ["missing_columns", "which_sheet", "no_rows"].contains(&error["code"].as_str().unwrap()),
        "{error}"
    );
    for lang in ["zh", "en"] {
        let shown =
            place.table(lang, &["reconcile", "book.csv", "--region", "330108", "--skip-bad", "--no-memory"]);
        let shown = shown.exits(65).out;
        assert!(
            shown.contains(["仅用于考核，不得对外公开", "For assessment only"][usize::from(lang == "en")]),
            "{shown}"
        );
    }
}

#[test]
fn another_regions_book_harms_nobody() {
    let place = place();
    book(&place, &[(CODE, "2023-03", "100")]);
    let error = place.run(&["reconcile", "book.csv", "--region", "330881"]).exits(1).error();
    assert_eq!(error["code"], "foreign_book");
    assert!(error["hint"].as_str().unwrap().contains("--region 330108"), "{error}");
    assert!(!place.path("L.reconcile").exists());
    fs::create_dir_all(place.path("L.reconcile")).unwrap();
    place.write("L.reconcile/330108-shared.json", "{");
    assert_eq!(reconcile(&place, &[]).exits(65).error()["code"], "bad_memory");
    assert_eq!(
        reconcile(&place, &["--period", "2022", "--no-memory"]).exits(65).error()["code"],
        "nothing_in_scope"
    );
}
