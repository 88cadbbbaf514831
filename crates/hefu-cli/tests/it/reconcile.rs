//! A region's own book beside the ledger.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};

use crate::{
    settle,
    support::{PROJECT, Place, Ran},
};

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

/// What the demo is to show: a book with breaks, a dispute with ruling and appeal, two settlement years with payments.
#[test]
fn the_demo_shows_money_and_quarrels() {
    let place = Place::empty();
    let small = ["demo", "--dir", "D", "--projects", "30", "--months", "24", "--no-serve", "--quiet"];
    place.run(&small).exits(0);
    let asked = |args: &[&str], code| {
        place.run_bare(&[&["-L", "D", "--format", "json"][..], args].concat()).exits(code).json()
    };
    let ask = |args: &[&str]| asked(args, 0);
    let disputes = ask(&["dispute", "list"]);
    let [dispute] = disputes["rows"].as_array().unwrap().as_slice() else { panic!("{disputes}") };
    let shown = ask(&["dispute", "show", dispute["dispute"].as_str().unwrap()]);
    let course: Vec<&str> =
        shown["records"].as_array().unwrap().iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(
        course,
        [
            "dispute.opened",
            "dispute.answered",
            "ruling.proposed",
            "ruling.approved",
            "ruling.appealed",
            "ruling.proposed",
            "ruling.approved",
            "ruling.final"
        ]
    );
    let book = format!("D.books/{}.xlsx", dispute["by"].as_str().unwrap());
    // A book with breaks: exit code 1.
    let region = dispute["by"].as_str().unwrap();
    let matched = asked(&["reconcile", &book, "--region", region, "--no-memory"], 1);
    let steps: Vec<&str> =
        matched["bridge"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        steps,
        [
            "book",
            "matched",
            "value_differs",
            "missing_in_book",
            "missing_in_ledger",
            "duplicate",
            "ledger",
            "residual"
        ]
    );
    for year in ["2023", "2024"] {
        let nets = ask(&["settle", "netting", year])["nets"].clone();
        let region = nets[0]["region"].as_str().unwrap();
        assert_ne!(ask(&["settle", "statement", year, "--region", region])["lines"], json!([]), "{year}");
    }
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

/// A book against the sample journal, where the destination reported 35,000,000.50 and the origin's share is 60 %.
fn moved(amount: &str) -> Place {
    let place = Place::with_sample();
    book(&place, &[(CODE, "2023-03", "1000"), (CODE, "2023-07", amount)]);
    place
}

fn break_of(result: &Value, class: &str) -> String {
    let groups = result["groups"].as_array().unwrap();
    let found = groups.iter().find(|group| group["class"] == class);
    found.unwrap_or_else(|| panic!("no {class} in {result}"))["break"].as_str().unwrap().to_owned()
}

#[test]
fn a_break_becomes_a_dispute_with_its_rows_as_evidence() {
    let place = moved("2400");
    let first = reconcile(&place, &[]).exits(1).json();
    let id = break_of(&first, "value_differs");
    assert_eq!(first["groups"][1]["dispute"], Value::Null);
    let size = place.size();

    let tried = reconcile(&place, &["--dispute", &id, "--dry-run"]).exits(0).json();
    assert_eq!((&tried["opened"], place.size()), (&json!(false), size));
    assert!(!place.path("L.evidence").exists());

    let opened = reconcile(&place, &["--dispute", &id]).exits(0).json();
    let matter = json!({"indicator": "INV_FAI", "kind": "claim", "period": "2023-07", "project": PROJECT, "transfer": 2});
    assert_eq!((&opened["opened"], &opened["break"], &opened["matter"]), (&json!(true), &json!(id), &matter));
    assert_eq!((&opened["amount"], place.size()), (&json!("24000000.00"), size + 1));
    let dispute = opened["dispute"].as_str().unwrap();
    let shown = place.run(&["dispute", "show", dispute]).exits(0).json();
    assert_eq!((&shown["by"], &shown["reason"]), (&json!("330108"), &json!("terms_misapplied")));
    let files: Vec<&str> =
        shown["evidence"].as_array().unwrap().iter().map(|item| item["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["whole", "whole"]);

    // The rows stand in a file of their own, which names the book by its digest.
    let extract = shown["evidence"][0]["sha256"].as_str().unwrap();
    place.run(&["dispute", "evidence", "get", extract, "--out", "rows.csv"]).exits(0);
    let digest = first["book"]["sha256"].as_str().unwrap();
    let rows = fs::read_to_string(place.path("rows.csv")).unwrap();
    assert!(
        rows.ends_with(&format!("{id},book.csv,{digest},,3,{PROJECT},INV_FAI,2023-07,24000000.00\n")),
        "{rows}"
    );
    assert_eq!(shown["evidence"][1]["sha256"], format!("sha256:{digest}"));

    // Once is enough; and from now on the break names its dispute.
    let again = reconcile(&place, &["--dispute", &id]).exits(0).json();
    assert_eq!((&again["opened"], &again["dispute"]), (&json!(false), &opened["dispute"]));
    assert_eq!(place.size(), size + 1);
    let second = reconcile(&place, &[]).exits(1).json();
    let known = &second["groups"][1];
    assert_eq!((&known["break"], &known["state"]), (&json!(id), &json!("persisting")));
    assert_eq!(known["dispute"], json!([dispute]));
    for lang in ["zh", "en"] {
        let table = place.table(lang, &["reconcile", "book.csv", "--region", "330108"]).exits(1).out;
        assert!(table.contains(dispute), "{table}");
    }
    // What was asked for in words goes over what the break suggests.
    book(&place, &[(CODE, "2023-03", "1000"), (CODE, "2023-07", "2500")]);
    let value = ["--dispute", &id, "--kind", "observation", "--amount", "40000000.50", "--statement", "合同"];
    let value = reconcile(&place, &value).exits(0).json();
    assert_eq!((&value["matter"]["kind"], &value["amount"]), (&json!("observation"), &json!("40000000.50")));
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
}

#[test]
fn only_a_party_disputes_and_only_what_the_ledger_says() {
    let place = moved("2400");
    let size = place.size();
    let refused = |region: &str, rows: &[(&str, &str, &str)], class: &str, more: &[&str]| {
        book(&place, rows);
        let args = ["reconcile", "book.csv", "--region", region, "--no-memory"];
        let id = break_of(&place.run(&args).exits(1).json(), class);
        let args = [&args[..], &["--dispute", &id], more].concat();
        let ran = place.run(&args);
        assert!(ran.code == 1 || ran.code == 77, "{}", ran.err);
        let error = ran.error();
        assert!(error["hint"].is_string() || ran.code == 77, "{error}");
        error["code"].as_str().unwrap().to_owned()
    };
    let origin = |rows: &[_], class: &str| refused("330108", rows, class, &[]);
    // Its own report, and a line that nobody reports.
    assert_eq!(origin(&[(CODE, "2023-03", "1")], "value_differs"), "own_report");
    assert_eq!(origin(&[(CODE, "2023-02", "1")], "missing_in_ledger"), "own_report");
    assert_eq!(origin(&[(CODE, "2023-09", "1")], "missing_in_ledger"), "not_reported");
    assert_eq!(
        origin(&[(CODE, "2023-03", "1000"), ("nobody", "2023-03", "1")], "missing_in_ledger"),
        "unknown_project"
    );
    assert_eq!(
        origin(&[(CODE, "2023-03", "1000"), (CODE, "2023-03", "1000")], "duplicate"),
        "book_duplicate"
    );
    assert_eq!(refused("330881", &[(CODE, "2023-07", "1")], "value_differs", &[]), "own_report");
    assert_eq!(refused("330100", &[(CODE, "2023-07", "1")], "value_differs", &[]), "not_a_party");
    // Nobody signs for another region's book.
    let other = refused("330108", &[(CODE, "2023-07", "1")], "value_differs", &["--as", "330881"]);
    assert_eq!(other, "foreign_office");
    let auditor = refused("330108", &[(CODE, "2023-07", "1")], "value_differs", &["--as", "330108/auditor"]);
    assert_eq!(auditor, "wrong_role");
    let unknown = reconcile(&place, &["--dispute", "B-0000000000000000", "--no-memory"]).exits(1).error();
    assert_eq!(unknown["code"], "unknown_break");
    assert!(unknown["hint"].as_str().unwrap().contains("B-"), "{unknown}");
    reconcile(&place, &["--dispute", "B-0", "--as-of", "3"]).exits(64);
    assert_eq!(place.size(), size, "nothing was recorded");
}

#[test]
fn a_settlement_book_is_matched_with_the_statement() {
    let place = Place::new();
    place.write("journal.jsonl", settle::JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    let against = |region: &str, amount: &str, code: i32| {
        place.write(
            "s.csv",
            &format!("项目,结算期,结算金额\n0198b2c4-7d3e-7000-8000-000000000002,2023,{amount}\n"),
        );
        place.run(&["reconcile", "s.csv", "--region", region, "--basis", "settlement"]).exits(code).json()
    };
    let ours = against("330108", "280", 0);
    assert_eq!(
        (&ours["groups"][0]["class"], &ours["groups"][0]["lines"]),
        (&json!("matched"), &json!(["1-1"]))
    );
    // The debtor's book has what it owes below zero.
    assert_eq!(against("330881", "-280.00", 0)["basis"], "settlement");
    let near = against("330108", "279.99", 1);
    let row = &near["groups"][0];
    assert_eq!((&row["class"], &row["difference"]), (&json!("value_differs"), &json!("0.01")));
    assert_eq!(near["bridge"].as_array().unwrap().last().unwrap()["net"], "0.00");
    let receipts = row["records"].as_array().unwrap().len();
    assert_eq!(receipts, 3, "the run and two receipts: {row}");
    let args =
        ["reconcile", "s.csv", "--region", "330108", "--basis", "settlement", "--indicator", "INV_FAI"];
    place.run(&args).exits(64);
    let args = ["reconcile", "s.csv", "--region", "330102", "--basis", "settlement"];
    assert_eq!(place.run(&args).exits(1).error()["code"], "foreign_book");
}

/// One row of a debtor's book stands for all it owes for the project: a fen off is one break about all of the lines, and
/// a row above zero is told what its sign means.
#[test]
fn one_row_stands_for_several_lines_of_the_statement() {
    let place = Place::new();
    let others = r#""template":"ningde_2017","others":[{"region":"330000","production_years_bp":[1000]}]"#;
    place
        .write("journal.jsonl", &settle::JOURNAL.trim_start().replace(r#""template":"ningde_2017""#, others));
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    let args = ["reconcile", "s.csv", "--region", "330881", "--basis", "settlement", "--no-memory"];
    let book = |amount: &str| {
        let row = format!("0198b2c4-7d3e-7000-8000-000000000002,2023,{amount}\n");
        place.write("s.csv", &format!("项目,结算期,结算金额\n{row}"));
    };
    // 280.00 to 滨江 and 56.00 to the province.
    book("-336.00");
    assert_eq!(place.run(&args).exits(0).json()["groups"][0]["class"], "matched");
    book("-336.01");
    let found = place.run(&args).exits(1).json();
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(
        (groups.len(), &groups[0]["class"], &groups[0]["difference"], &groups[0]["lines"]),
        (1, &json!("value_differs"), &json!("0.01"), &json!(["1-1", "1-2"]))
    );
    let id = groups[0]["break"].as_str().unwrap();
    let refused =
        place.run(&[&args[..], &["--dispute", id, "--as", "330881/treasury"]].concat()).exits(1).error();
    assert_eq!(refused["code"], "several_lines");
    place.run(&[&args[..], &["--tolerance", "0.01"]].concat()).exits(0);
    book("336.00");
    let told = place.table("en", &args).exits(1).out;
    assert!(
        told.contains("1 projects differ by the sign alone: write what the region owes below zero"),
        "{told}"
    );
}

/// A statement that differs from a region's book is disputed from the book: the line is held apart, and what the debtor
/// has below zero is what the creditor should get.
#[test]
fn a_break_with_a_statement_disputes_its_line() {
    let place = Place::new();
    place.write("journal.jsonl", settle::JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    let book = |rows: &str| place.write("s.csv", &format!("项目,结算期,结算金额\n{rows}"));
    let args = ["reconcile", "s.csv", "--region", "330881", "--basis", "settlement"];
    book("0198b2c4-7d3e-7000-8000-000000000002,2023,-250\n");
    let break_id = |class: &str| break_of(&place.run(&args).exits(1).json(), class);
    let id = break_id("value_differs");
    let open = [&args[..], &["--dispute", &id, "--as", "330881/treasury"]].concat();
    let opened = place.run(&open).exits(0).json();
    assert_eq!((&opened["matter"]["line"], &opened["amount"]), (&json!("1-1"), &json!("250.00")));
    assert_eq!(place.run(&open).exits(0).json()["opened"], json!(false));
    let again = place.run(&args).exits(1).json();
    assert_eq!(again["groups"][0]["dispute"], json!([opened["dispute"]]));
    let held = place.run(&["settle", "statement", "2023", "--region", "330881"]).exits(0).json();
    assert_eq!(
        (&held["accounts"][0]["accrued"], &held["accounts"][0]["held"]),
        (&json!("0.00"), &json!("-280.00"))
    );

    // Of another year there is no statement: a break, and nothing to dispute.
    book("0198b2c4-7d3e-7000-8000-000000000002,2023,-280\n0198b2c4-7d3e-7000-8000-000000000002,2024,-1\n");
    let nothing = break_id("missing_in_ledger");
    let refused = place.run(&[&args[..], &["--dispute", &nothing]].concat()).exits(1).error();
    assert_eq!(refused["code"], "no_statement_line");
}
