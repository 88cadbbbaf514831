//! The issue's sequence: init, submit, report, verify; and the exact JSON of a report.

use serde_json::{Value, json};

use crate::support::{PROJECT, Place};

fn indicators<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args =
        vec!["report", "indicators", "--region", "330000", "--period", "2023", "--indicator", "INV_FAI"];
    args.extend(more);
    args
}

fn row(report: &Value, region: &str) -> Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["region"] == region).unwrap_or_else(|| panic!("no row {region}")).clone()
}

#[test]
fn the_sequence_of_the_issue() {
    let place = Place::with_sample();
    let report = place.run(&indicators(&["--children"])).exits(0).json();
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["checkpoint", "position", "rows"]);
    assert_eq!(report["checkpoint"].as_str().unwrap().len(), 64);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1 + 11 + 90, "the province, its cities and counties");
    assert_eq!(rows[0]["region"], "330000");
    assert_eq!((&rows[1]["region"], &rows[2]["region"]), (&json!("330100"), &json!("330102")));
    let expected = |region, t, s, origin, destination, x: Value| {
        json!({
            "region": region, "indicator": "INV_FAI", "period": "2023", "territorial": t, "shared": s,
            "as_origin": origin, "as_destination": destination, "elimination": x, "status": "A",
        })
    };
    let province =
        expected("330000", "45000000.50", "45000000.50", "0.00", "45000000.50", json!("-21000000.30"));
    assert_eq!(row(&report, "330000"), province);
    let origin = expected("330108", "10000000.00", "31000000.30", "21000000.30", "10000000.00", Value::Null);
    assert_eq!(row(&report, "330108"), origin);
    let destination = expected("330881", "35000000.50", "35000000.50", "0.00", "35000000.50", Value::Null);
    assert_eq!(row(&report, "330881"), destination);
    assert_eq!(row(&report, "331127"), expected("331127", "0.00", "0.00", "0.00", "0.00", Value::Null));

    let verified = place.run(&["audit", "verify"]).exits(0).json();
    assert_eq!(verified["verdict"], "proven");
    assert_eq!(verified["head"], report["checkpoint"]);
    let replayed = place.run(&["audit", "replay"]).exits(0).json();
    assert_eq!((&replayed["verdict"], &replayed["findings"]), (&json!("proven"), &json!([])));
    place.run(&["check"]).exits(0);
}

#[test]
fn counts_are_integers_and_all_indicators_are_the_default() {
    let place = Place::with_sample();
    let args = ["report", "indicators", "--region", "江山市", "--period", "2023"];
    let report = place.run(&args).exits(0).json();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 11);
    let of = |code: &str| rows.iter().find(|row| row["indicator"] == code).unwrap();
    assert_eq!(of("N_PRJ")["territorial"], "1");
    assert_eq!(of("N_PRJ_1BN_IMPL")["shared"], "1");
    assert_eq!((&of("EMP")["territorial"], &of("EMP")["status"]), (&json!("0"), &json!("M")));
}

#[test]
fn an_answer_as_of_a_past_position_stays() {
    let place = Place::with_sample();
    let now = place.run(&indicators(&["--children"])).exits(0);
    let position = now.json()["position"].to_string();
    place.write(
        "more.jsonl",
        &format!(r#"{{"as":"330881","type":"report_observation","project":"{PROJECT}","indicator":"INV_FAI","period":"2023-08","value":"1.00"}}"#),
    );
    place.run(&["submit", "more.jsonl"]).exits(0);
    assert_ne!(place.run(&indicators(&["--children"])).exits(0).out, now.out);
    assert_eq!(place.run(&indicators(&["--children", "--as-of", &position])).exits(0).out, now.out);
    let before = place.run(&indicators(&["--as-of", "7"])).exits(0).json();
    assert_eq!((&before["position"], &before["rows"][0]["territorial"]), (&json!(7), &json!("10000000.00")));
    place.run(&indicators(&["--as-of", "9999-12-30"])).exits(64);
    place.run(&indicators(&["--as-of", "1999-12-31"])).exits(64);
    place.run(&indicators(&["--as-of", "100000"])).exits(64);
}

#[test]
fn the_bridge_closes_without_a_remainder() {
    let place = Place::with_sample();
    let report = place.run(&indicators(&["--children", "--bridge"])).exits(0).json();
    let fen = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i128>().unwrap();
    let bridge = report["bridge"].as_array().unwrap();
    assert_eq!(bridge.len(), 102);
    for area in bridge {
        let part = |key: &str| fen(&area[key]);
        assert_eq!(
            part("territorial") + part("claims_on_departed") - part("incoming_not_held"),
            part("shared")
        );
        if !area["elimination"].is_null() {
            assert_eq!(part("children_shared") + part("elimination"), part("shared"));
            let lines = area["lines"].as_array().unwrap();
            assert_eq!(lines.iter().map(|line| fen(&line["elimination"])).sum::<i128>(), part("elimination"));
        }
    }
}

#[test]
fn an_explanation_adds_up_to_the_cell() {
    let place = Place::with_sample();
    let args = ["report", "explain", "--region", "330108", "--indicator", "INV_FAI", "--period", "2023"];
    let explained = place.run(&args).exits(0).json();
    assert_eq!(explained["shared"], "31000000.30");
    let rows = explained["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["participants"][1]["region"], "330108");
    assert_eq!(rows[1]["participants"][1]["weight_bp"], 6000);
    assert_eq!((&rows[1]["shared"], &rows[1]["value"]), (&json!("21000000.30"), &json!("35000000.50")));
    assert_eq!(rows[1]["transfers"].as_array().unwrap().len(), 1);
}

#[test]
fn projects_are_found_by_id_and_by_government_code() {
    let place = Place::with_sample();
    let by_id = place.run(&["project", "show", PROJECT]).exits(0).json();
    let by_code = place.run(&["project", "show", "2501-330108-04-01-123456"]).exits(0).json();
    assert_eq!(by_id, by_code);
    assert_eq!((&by_id["region"], &by_id["open_tier"]), (&json!("330881"), &json!("original_site")));
    assert_eq!(by_id["transfers"].as_array().unwrap().len(), 3);
    let history = place.run(&["project", "history", PROJECT]).exits(0).json();
    let kinds: Vec<&str> =
        history["rows"].as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds.len()), ("project.registered", 18));
    let listed = place.run(&["project", "list", "--region", "330800"]).exits(0).json();
    assert_eq!(listed["rows"].as_array().unwrap().len(), 1);
    let flows = place.run(&["report", "circulation"]).exits(0).json();
    let expected = json!([{"origin": "330108", "destination": "330881", "tier": "wider", "proposed": 3,
        "open": 0, "accepted": 0, "landed": 1, "ended": 2}]);
    assert_eq!(flows["rows"], expected);
    let suggested = place.run(&["project", "suggest", PROJECT]).exits(0).json();
    assert_eq!(suggested["rows"][0]["region"], "330881");
}

#[test]
fn the_other_formats_hold_the_same_rows() {
    let place = Place::with_sample();
    let as_format = |format: &str| {
        let mut args = vec!["-L", "L", "--format", format];
        args.extend(indicators(&[]));
        place.run_bare(&args).exits(0).out
    };
    let json: Value = serde_json::from_str(&as_format("json")).unwrap();
    let line: Value = serde_json::from_str(&as_format("jsonl")).unwrap();
    assert_eq!(line, json["rows"][0]);
    assert_eq!(
        as_format("csv"),
        "region,indicator,period,territorial,shared,as_origin,as_destination,elimination,status\n\
         330000,INV_FAI,2023,45000000.50,45000000.50,0.00,45000000.50,-21000000.30,A\n"
    );
    assert!(as_format("markdown").contains("| 330000 Zhejiang | 45,000,000.50 |"));
    // Not a terminal, and no format named: one object a line.
    let mut bare = vec!["-L", "L"];
    bare.extend(indicators(&[]));
    assert_eq!(place.run_bare(&bare).exits(0).out, as_format("jsonl"));
}

#[test]
fn a_single_basis_shows_nothing_else() {
    let place = Place::with_sample();
    let territorial = place.run(&indicators(&["--basis", "territorial"])).exits(0).json();
    let row = territorial["rows"][0].as_object().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["indicator", "period", "region", "status", "territorial"]);
    let table = |more: &[&str]| place.table("zh", &indicators(more)).exits(0).out;
    assert!(!table(&["--basis", "territorial"]).contains("不得对外公开"));
    assert!(table(&["--basis", "shared"]).contains("仅用于考核\u{ff0c}不得对外公开"));
    assert!(table(&["--unit", "ten-thousand"]).contains("4,500.00005"));
}

#[test]
fn a_ledger_in_sled_reports_and_verifies_the_same() {
    let place = Place::empty();
    let init =
        ["init", "L", "--origin", "x.example/zj", "--regions", "zhejiang", "--dev-keys", "--log", "sled"];
    place.run_bare(&init).exits(0);
    place.write("journal.jsonl", crate::support::SAMPLE);
    place.run(&["submit", "journal.jsonl"]).exits(0);
    let report = place.run(&indicators(&[])).exits(0).json();
    assert_eq!(report["rows"][0]["shared"], "45000000.50");
    let verified = place.run(&["audit", "verify"]).exits(0).json();
    assert_eq!((&verified["verdict"], &verified["head"]), (&json!("proven"), &report["checkpoint"]));
}

#[test]
fn a_public_table_suppresses_what_single_enterprises_report() {
    let place = Place::with_sample();
    let report = place.run(&indicators(&["--children", "--public"])).exits(0).json();
    let keys: Vec<&String> = report["rows"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["confidentiality", "indicator", "period", "region", "status", "territorial"]);
    // The sample has one enterprise: nothing of it is published, nor of any area that it is part of.
    for region in ["330000", "330100", "330108", "330800", "330881"] {
        let row = row(&report, region);
        assert_eq!(
            (&row["territorial"], &row["status"], &row["confidentiality"]),
            (&Value::Null, &json!("Q"), &json!("C"))
        );
    }
    let elsewhere = row(&report, "331127");
    assert_eq!((&elsewhere["territorial"], &elsewhere["status"]), (&json!("0.00"), &json!("A")));
    assert_eq!(elsewhere["confidentiality"], "F");
    // Never what only offices may see, and no period finer than the policy says.
    place.run(&indicators(&["--public", "--basis", "shared"])).exits(64);
    place.run(&indicators(&["--public", "--bridge"])).exits(64);
    let month = ["report", "indicators", "--region", "330000", "--period", "2023-07", "--public"];
    assert_eq!(place.run(&month).exits(1).error()["code"], "not_published");
}

#[test]
fn sdmx_csv_holds_the_same_figures() {
    let place = Place::with_sample();
    let format = ["--format", "sdmx-csv"];
    let csv =
        place.run_bare(&[&["-L", "L"][..], &indicators(&["--children"]), &format].concat()).exits(0).out;
    let header =
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,INDICATOR,COUNT_BASIS,MOVE_SCOPE,TIME_PERIOD,OBS_VALUE,";
    assert!(csv.starts_with(header), "{csv}");
    let row =
        |key: &str| csv.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key}: {csv}"));
    let place_of = "dataflow,HEFU:DF_CREDIT(1.0.0),R,A";
    assert!(
        row("CN330108,INV_FAI,S,")
            .starts_with(&format!("{place_of},CN330108,INV_FAI,S,_T,2023,31000000.30,CNY,0,W,N,"))
    );
    assert!(row("CN330000,INV_FAI,X,").contains(",-21000000.30,"));
    assert!(row("CN331127,INV_FAI,T,").contains(",0.00,CNY,0,A,F,"));
    // Inside, what must not be published is shown and marked; the public table does not have it.
    assert!(row("CN330881,INV_FAI,T,").contains(",35000000.50,CNY,0,A,A,"));
    let public = [&["-L", "L"][..], &indicators(&["--children", "--public"]), &format].concat();
    let public = place.run_bare(&public).exits(0).out;
    assert!(
        public.contains("CN330881,INV_FAI,T,_T,2023,NaN,CNY,0,Q,C,") && !public.contains(",S,"),
        "{public}"
    );
    // No other command has this form, and none begins before it is refused.
    for other in [&["check"][..], &["report", "circulation"], &["tick"]] {
        let args = [&["-L", "L"][..], other, &format].concat();
        assert!(place.run_bare(&args).exits(64).err.contains("only `report indicators` has sdmx-csv"));
    }
}
