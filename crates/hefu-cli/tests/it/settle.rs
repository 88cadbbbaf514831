//! From tax to a finalised statement and its payment, as two counties and their province do it.

use std::{fmt::Write as _, fs, path::Path};

use calamine::{Data, Reader as _};
use serde_json::json;

use crate::{golden, support::Place};

pub(crate) const JOURNAL: &str = r#"
{"as":"330108","type":"register_enterprise","enterprise":"91330100799655058B","name":"江南精工","region":"330108"}
{"as":"330108","type":"register_project","project":"0198b2c4-7d3e-7000-8000-000000000002","name":"P","enterprise":"91330100799655058B","industry":"C34","origin":"330108","planned_investment":"1.00","date":"2023-01-10"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"original_site","reason":"land"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"local","reason":"land"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"neighbouring","reason":"land"}
{"as":"330108","type":"propose_transfer","project":"0198b2c4-7d3e-7000-8000-000000000002","destination":"330881","terms":{"tax":{"template":"ningde_2017"}}}
{"as":"330881","type":"accept_transfer","project":"0198b2c4-7d3e-7000-8000-000000000002"}
{"as":"330881","type":"land_project","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-06-01"}
{"as":"330881","type":"report_tax","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-07-10","kind":"vat","amount":"1000.00"}
{"as":"330881/treasury","type":"report_tax","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-08-10","kind":"cit","amount":"500.01"}
"#;

#[test]
fn from_tax_to_a_paid_statement() {
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);

    // 400.00 of VAT and 160.00 of income tax are the county's; half of it is the origin's.
    let args = ["settle", "statement", "2023", "--region", "滨江区"];
    let statement = place.run(&args).exits(0).json();
    assert_eq!(statement["status"], "not confirmed");
    let account = json!({"clearing": "330000", "opening": "0.00", "accrued": "280.00", "corrections": "0.00",
        "rulings": "0.00", "paid": "0.00", "closing": "280.00", "held": "0.00", "paid_since": "0.00",
        "outstanding": "280.00"});
    assert_eq!(statement["accounts"], json!([account]));
    assert_eq!(statement["lines"][0]["line"], "1-1");
    let behind = place.run(&["settle", "explain", "1-1"]).exits(0).json();
    let receipts = behind["receipts"].as_array().unwrap();
    let bases: Vec<_> = receipts.iter().map(|receipt| receipt["base"].as_str().unwrap()).collect();
    assert_eq!(bases, ["400.00", "160.00"]);
    // Half of 560.00, said once and not beside every receipt.
    let steps = json!([{"unit": "year-1", "base": "560.00", "step": "share", "of": "560.00", "bp": 5000,
        "scale_bp": null, "amount": "280.00"}]);
    assert_eq!((&behind["steps"], &behind["due"]), (&steps, &json!("280.00")));

    let early = place.run(&["settle", "finalise", "2023", "--as", "330000/treasury"]).exits(1).error();
    assert_eq!(early["code"], "statement_unconfirmed");
    place.run(&["settle", "confirm", "2023", "--as", "330108/treasury"]).exits(0);
    place.run(&["settle", "confirm", "2023", "--as", "330881/treasury"]).exits(0);
    place.run(&["settle", "finalise", "2023", "--as", "330000/treasury"]).exits(0);
    let pay = |amount| {
        let parties = ["--from", "330881", "--to", "330000", "--date", "2024-03-01", "--voucher", "B-7"];
        place.run(&[&["settle", "pay", amount][..], &parties, &["--as", "330000/treasury"]].concat())
    };
    assert_eq!(pay("280.01").exits(1).error()["code"], "payment_exceeds");
    let early = [
        "settle",
        "pay",
        "280.00",
        "--from",
        "330881",
        "--to",
        "330000",
        "--date",
        "2023-12-31",
        "--as",
        "330000/treasury",
    ];
    assert_eq!(place.run(&early).exits(1).error()["code"], "payment_early");
    pay("280.00").exits(0);
    assert_eq!(pay("280.00").exits(1).error()["code"], "payment_known");
    // Whoever has paid sees it at once.
    let paid = place.run(&["settle", "statement", "2023", "--region", "330881"]).exits(0).json();
    let account = &paid["accounts"][0];
    assert_eq!(
        [&account["closing"], &account["paid_since"], &account["outstanding"]],
        [&json!("-280.00"), &json!("-280.00"), &json!("0.00")]
    );
    let payment = json!({"date": "2024-03-01", "clearing": "330000", "voucher": "B-7", "amount": "-280.00",
        "counted": "paid_since", "position": place.size() - 1});
    assert_eq!((&paid["payments"], &paid["opening_of"]), (&json!([payment]), &json!(null)));
    let nets = place.run(&["settle", "netting", "2023"]).exits(0).json();
    let net: Vec<_> =
        nets["nets"].as_array().unwrap().iter().map(|row| row["net"].as_str().unwrap()).collect();
    assert_eq!(net, ["280.00", "-280.00"]);

    // The next year opens where this one closed.
    place.run(&["settle", "run", "2024", "--as", "330000/treasury"]).exits(0);
    let next = place.run(&["settle", "statement", "2024", "--region", "330881"]).exits(0).json();
    let account = &next["accounts"][0];
    assert_eq!((&account["opening"], &account["paid"]), (&json!("-280.00"), &json!("-280.00")));
    assert_eq!(account["closing"], "0.00");
    assert_eq!(
        (&next["payments"][0]["voucher"], &next["payments"][0]["counted"], &next["opening_of"]),
        (&json!("B-7"), &json!("paid"), &json!("2023"))
    );

    // Closed periods, and all of it once more by an auditor.
    place.run(&["period", "close", "2023", "--as", "330000/statistics"]).exits(0);
    let again = place.run(&["period", "close", "2023", "--as", "330000/statistics"]).exits(1).error();
    assert_eq!(again["code"], "period_out_of_order");
    let replayed = place.run(&["audit", "replay"]).exits(0).json();
    assert_eq!((&replayed["verdict"], &replayed["findings"]), (&json!("proven"), &json!([])));
    place.run(&["check"]).exits(0);

    let table = place.table("zh", &args).exits(0).out;
    assert!(table.contains("期初") && table.contains("280.00") && table.contains("已定稿,已确认"), "{table}");
}

/// A debtor disputes a line: it is held apart with its age, ruled on, and the next run pays the difference.
#[test]
fn a_disputed_line_is_held_ruled_on_and_settled() {
    const D: &str = "0198b2c4-0000-7000-9000-000000000001";
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    let open = ["dispute", "open", "--line", "1-1", "--reason", "terms_misapplied", "--amount", "250.00"];
    let open = [&open[..], &["--id", D, "--as", "330881/treasury"]].concat();
    let unknown: Vec<&str> = open.iter().map(|arg| if *arg == "1-1" { "1-7" } else { arg }).collect();
    assert_eq!(place.run(&unknown).exits(1).error()["code"], "no_such_line");
    place.run(&open).exits(0);
    let shown = place.run(&["dispute", "show", D]).exits(0).json();
    assert_eq!((&shown["matter"]["line"], &shown["ruler"]), (&json!("1-1"), &json!("330000")));
    let statement =
        |year: &str| place.run(&["settle", "statement", year, "--region", "330108"]).exits(0).json();
    let held = statement("2023");
    let account = &held["accounts"][0];
    assert_eq!(
        (&account["accrued"], &account["closing"], &account["held"]),
        (&json!("0.00"), &json!("0.00"), &json!("280.00"))
    );
    assert_eq!((&held["lines"][0]["line"], &held["lines"][0]["age_days"]), (&json!("1-1"), &json!(0)));
    for region in ["330108", "330881"] {
        place.run(&["settle", "confirm", "2023", "--as", &format!("{region}/treasury")]).exits(0);
    }
    place.run(&["settle", "finalise", "2023", "--as", "330000/treasury"]).exits(0);
    let frozen = statement("2023")["lines"].clone();
    assert_eq!(
        (&frozen[0]["held"], &frozen[0]["age_days"], frozen[0]["disputed"].is_string()),
        (&json!("held"), &json!(0), true)
    );

    place.run(&["dispute", "answer", D, "--statement", "按协议", "--as", "330108/treasury"]).exits(0);
    let rule =
        ["dispute", "rule", D, "--remedy", "correct_value", "--value", "260.00", "--reasons", "据协议"];
    place.run(&[&rule[..], &["--as", "330000"]].concat()).exits(0);
    place.run(&["dispute", "approve", D, "--as", "330000/coordinator"]).exits(0);
    for region in ["330108", "330881"] {
        place.run(&["dispute", "waive", D, "--as", region]).exits(0);
    }
    assert_eq!(place.run(&open).exits(1).error()["code"], "line_decided");
    // What was frozen stays as it was, whatever became of the dispute.
    assert_eq!(statement("2023")["lines"], frozen);
    place.run(&["settle", "run", "2024", "--as", "330000/treasury"]).exits(0);
    let next = statement("2024");
    let account = &next["accounts"][0];
    assert_eq!(
        (&account["accrued"], &account["rulings"], &account["closing"]),
        (&json!("280.00"), &json!("-20.00"), &json!("260.00"))
    );
    let replayed = place.run(&["audit", "replay"]).exits(0).json();
    assert_eq!((&replayed["verdict"], &replayed["findings"]), (&json!("proven"), &json!([])));
    place.run(&["check"]).exits(0);
}

/// The cells of a workbook's only sheet, one a line.
fn cells(path: &Path) -> String {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let names = book.sheet_names();
    let [name] = names.as_slice() else { panic!("one sheet, not {names:?}") };
    let range = book.worksheet_range(name).unwrap();
    let mut text = format!("{name}\n");
    for (row, column, cell) in range.used_cells() {
        let letter = char::from(b'A' + u8::try_from(column).unwrap());
        let kind = match cell {
            Data::Float(_) => "number ",
            Data::String(value) if value.is_empty() => continue,
            _ => "",
        };
        writeln!(text, "{letter}{}: {kind}{cell}", row + 1).unwrap();
    }
    text
}

/// The statement on paper: the cells are those of a file, and the amounts those of the JSON.
#[test]
fn a_statement_is_printed_and_signed() {
    const D: &str = "0198b2c4-0000-7000-9000-000000000001";
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    let statement = ["settle", "statement", "2023", "--region", "330108"];
    let print = |lang: &str, out: &str| {
        let args = ["-L", "L", "--lang", lang, "--format", "xlsx"];
        place.run_bare(&[&args[..], &statement, &["--out", out]].concat()).exits(0);
        golden::undated(&cells(&place.path(out)))
    };
    golden::same("statement-xlsx.zh.txt", &print("zh", "a.xlsx"));
    golden::same("statement-xlsx.en.txt", &print("en", "b.xlsx"));
    assert_eq!(fs::read(place.path("a.xlsx")).unwrap().get(..2), Some(&b"PK"[..]));
    assert!(cells(&place.path("a.xlsx")).contains("number 280"));

    // Disputed, the line stands apart.
    let open =
        ["dispute", "open", "--line", "1-1", "--reason", "other", "--id", D, "--as", "330108/treasury"];
    place.run(&open).exits(0);
    golden::same("statement-xlsx-held.zh.txt", &print("zh", "c.xlsx"));

    assert_eq!(
        place.run(&["settle", "statement", "2024", "--region", "330108"]).exits(1).error()["code"],
        "no_such_settlement"
    );
    place.run(&[&statement[..], &["--out", "d.json"]].concat()).exits(0);
    assert!(fs::read_to_string(place.path("d.json")).unwrap().contains("\"closing\""));
}

/// Each number on a line is due less booked, and each record behind it is proven.
#[test]
fn a_line_is_explained_and_proven() {
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);
    place.run(&["report", "explain", "--line", "1-1", "--proofs", "P"]).exits(1);
    place.run(&["audit", "checkpoint"]).exits(0);
    let told = place.run(&["report", "explain", "--line", "1-1", "--proofs", "P"]).exits(0).json();
    assert_eq!(
        (&told["due"], &told["booked_before"], &told["booked_in_run"]),
        (&json!("280.00"), &json!("0.00"), &json!("280.00"))
    );
    let records = told["records"].as_array().unwrap();
    let kinds: Vec<&str> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "transfer.proposed",
            "transfer.accepted",
            "project.landed",
            "tax.received",
            "tax.received",
            "settlement.accrued"
        ]
    );
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    for record in records {
        let proof = format!("P/{}.tlog-proof", record["position"]);
        let verdict =
            place.run_bare(&["--format", "json", "audit", "verify", &proof, "--key", "log.vkey"]).exits(0);
        assert_eq!(verdict.json()["verdict"], "proven");
    }
    assert_eq!(place.run(&["settle", "explain", "1-1"]).exits(0).json()["due"], "280.00");
    place.run(&["report", "explain", "--region", "330108"]).exits(64);
}

/// A county's tax comes from its own table, CSV or workbook; the shares show at once.
#[test]
fn tax_is_imported_and_shared() {
    let place = Place::new();
    let registry = JOURNAL.trim_start().lines().filter(|line| !line.contains("report_tax"));
    place.write("journal.jsonl", &registry.fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "journal.jsonl"]).exits(0);
    let project = "0198b2c4-7d3e-7000-8000-000000000002";
    let head = "项目编号,入库日期,税种,税额(万元),原入库日期,完税凭证号\n";
    let row = |rest: &str| format!("{project},{rest}\n");
    place.write(
        "bad.csv",
        &format!("{head}{}{}", row("2023-07-10,增值税,0.1,,V1"), row("2023-07-11,关税,1,,")),
    );
    let import = |file: &str, more: &[&str]| {
        place.run(&[&["import", "taxes", file, "--as", "330881/treasury"][..], more].concat())
    };
    // A factor of ten thousand is never guessed, wherever two places name a unit for one amount.
    for (name, text) in [
        ("u1.csv", format!("项目编号,入库日期,税种,税额(万元),单位\n{project},2023-07-10,增值税,100,元\n")),
        (
            "u2.csv",
            format!("单位:万元,,,\n项目编号,入库日期,税种,税额(元)\n{project},2023-07-10,增值税,100\n"),
        ),
    ] {
        place.write(name, &text);
        let told = import(name, &[]).exits(65).json();
        let error = &told["errors"][0];
        assert_eq!(
            (&error["code"], &error["field"], &told["imported"]),
            (&json!("unit_conflict"), &json!("amount"), &json!(0))
        );
    }
    let refused = import("bad.csv", &[]).exits(65).json();
    assert_eq!((&refused["imported"], &refused["errors"][0]["code"]), (&json!(0), &json!("unknown_tax")));
    assert_eq!((&refused["errors"][0]["row"], &refused["errors"][0]["column"]), (&json!(3), &json!("税种")));

    let rows = [
        row("2023-07-10,增值税,0.1,,V1"),
        row("2023-08-10,cit,500.01元,,"),
        row("2024-02-01,vat,-0.02,2023-07-10,"),
    ];
    place.write("t.csv", &format!("{head}{}", rows.concat().replace("500.01元", "0.050001")));
    assert_eq!(import("t.csv", &["--dry-run"]).exits(0).json()["imported"], 3);
    assert_eq!(import("t.csv", &[]).exits(0).json()["imported"], 3);
    // The same list again: nothing is counted twice. With a row more: that row.
    let again = import("t.csv", &[]).exits(0).json();
    assert_eq!(
        (&again["rows"], &again["imported"], &again["repeated"], &again["known_rows"]),
        (&json!(3), &json!(0), &json!(3), &json!([2, 3, 4]))
    );
    let mut longer = rows.concat().replace("500.01元", "0.050001");
    longer += &row("2024-12-20,vat,0.00005,,V9");
    place.write("t.csv", &format!("{head}{longer}"));
    let more = import("t.csv", &[]).exits(0).json();
    assert_eq!((&more["imported"], &more["repeated"]), (&json!(1), &json!(3)));
    // Another amount under a voucher on record, twice: both rows are named, and nothing is imported.
    let changed =
        [row("2023-07-10,增值税,0.2,,V1"), row("2024-12-20,vat,0.2,,V9"), row("2024-12-21,vat,0.2,,V10")];
    place.write("c.csv", &format!("{head}{}", changed.concat()));
    let refused = import("c.csv", &[]).exits(1).json();
    let told: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|e| (&e["code"], &e["row"])).collect();
    assert_eq!(told, [(&json!("tax_known"), &json!(2)), (&json!("tax_known"), &json!(3))]);
    assert_eq!(refused["imported"], 0);
    let shares = place.run(&["project", "show", project]).exits(0).json()["tax_shares"].clone();
    let parts: Vec<_> = shares
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| (unit["base"].clone(), unit["parts"][0]["amount"].clone()))
        .collect();
    // 400 + 160 of the first production year less the 80 that were refunded; the row added later.
    let pair = |base, part| (json!(base), json!(part));
    assert_eq!(parts, [pair("480.00", "240.00"), pair("0.20", "0.10")]);
    let shown = place.table("zh", &["project", "show", project]).exits(0).out;
    assert!(shown.contains("投产第 1 年") && shown.contains("330108 50.00% 240.00"), "{shown}");
}

/// A business date in a closed period: both parties and their superior sign, at one machine after another.
#[test]
fn a_date_in_a_closed_period_is_signed_by_all() {
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["period", "close", "2023", "--as", "330000/statistics"]).exits(0);
    let start = r#"{"as":"330881","type":"start_construction","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-07-01"}"#;
    place.write("start.jsonl", &format!("{start}\n"));
    let refused = place.run(&["submit", "start.jsonl"]).exits(1).error();
    assert_eq!(refused["code"], "date_in_closed_period");
    let one = place.run(&["endorse", "start.jsonl", "--with", "330108"]).exits(0).out;
    place.write("one.jsonl", &one);
    assert_eq!(place.run(&["submit", "one.jsonl"]).exits(1).error()["code"], "date_in_closed_period");
    let both = place.run(&["endorse", "one.jsonl", "--with", "330000"]).exits(0).out;
    place.write("forged.jsonl", &both.replace("2023-07-01", "2023-08-01"));
    assert_eq!(place.run(&["submit", "forged.jsonl"]).exits(1).error()["code"], "bad_endorsement");
    place.write("both.jsonl", &both);
    place.run(&["submit", "both.jsonl"]).exits(0);
    let shown = place.run(&["project", "show", "0198b2c4-7d3e-7000-8000-000000000002"]).exits(0).json();
    assert_eq!(shown["stays"][1]["construction"], "2023-07-01");
    place.run(&["endorse", "none.jsonl", "--with", "330000"]).exits(65);
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
}
