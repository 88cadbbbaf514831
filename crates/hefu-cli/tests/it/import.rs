//! Tables that regions keep anyway.

use serde_json::json;

use crate::support::{Place, SAMPLE};

#[test]
fn enterprises_projects_and_observations() {
    let place = Place::new();
    place.write("e.csv", "统一社会信用代码,企业名称,地区\n91330100799655058B,杭州示例装备有限公司,滨江区\n");
    place.run(&["import", "enterprises", "e.csv", "--as", "330108"]).exits(0);
    place.write(
        "p.csv",
        "项目名称,统一社会信用代码,行业,计划投资(万元),项目代码,登记日期\n\
         示例电驱项目,91330100799655058B,C34,120000,2501-330108-04-01-123456,2023-01-10\n",
    );
    place.run(&["import", "projects", "p.csv", "--as", "330108"]).exits(0);
    place.write(
        "o.csv",
        "项目代码,指标,报告期,累计值(万元)\n\
         2501-330108-04-01-123456,INV_FAI,2023年1-2月,100\n\
         2501-330108-04-01-123456,固定资产投资,2023年1-3月,350.5\n",
    );
    let tried =
        place.run(&["import", "observations", "o.csv", "--as", "330108", "--cumulative", "--dry-run"]);
    assert_eq!(tried.exits(0).json()["imported"], 2);
    let done =
        place.run(&["import", "observations", "o.csv", "--as", "330108", "--cumulative"]).exits(0).json();
    assert_eq!((&done["rows"], &done["imported"]), (&json!(2), &json!(2)));
    let report =
        ["report", "indicators", "--region", "330108", "--period", "2023-Q1", "--indicator", "INV_FAI"];
    assert_eq!(place.run(&report).exits(0).json()["rows"][0]["territorial"], "3505000.00");
}

#[test]
fn every_wrong_cell_is_listed_and_nothing_is_imported() {
    let place = Place::new();
    place.write("j.jsonl", &SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "j.jsonl"]).exits(0);
    let size = place.size();
    place.write(
        "o.csv",
        "项目代码,指标,报告期,数值\n\
         2501-330108-04-01-123456,INV_FAI,2023-03,100\n\
         2501-330108-04-01-123456,INV_FAI,2023-13,abc\n\
         unknown,INV_FAI,2023-04,7\n",
    );
    let args = ["import", "observations", "o.csv", "--as", "330108"];
    let ran = place.run(&args).exits(65);
    let result = ran.json();
    assert_eq!(result["imported"], 0);
    let errors = result["errors"].as_array().unwrap();
    let codes: Vec<&str> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["bad_period", "bad_number", "unknown_project"]);
    assert_eq!(
        (&errors[1]["row"], &errors[1]["column"], &errors[1]["value"]),
        (&json!(3), &json!("数值"), &json!("abc"))
    );
    assert_eq!(place.size(), size);
    let skipped = place.run(&[&args[..], &["--skip-bad"]].concat()).exits(65).json();
    assert_eq!(skipped["imported"], 1);
    assert_eq!(place.size(), size + 1);
    let shown = place.table("zh", &args).exits(65).err;
    assert!(shown.contains("行 3") && shown.contains("不是报告期"), "{shown}");
}

#[test]
fn a_rule_refuses_the_whole_table() {
    let place = Place::new();
    place.write("j.jsonl", &SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "j.jsonl"]).exits(0);
    let size = place.size();
    place.write("o.csv", "code,indicator,period,value\n2501-330108-04-01-123456,INV_FAI,2023-03,1\n2501-330108-04-01-123456,INV_FAI,2099-03,1\n");
    let error = place.run(&["import", "observations", "o.csv", "--as", "330108"]).exits(1).error();
    assert_eq!((&error["code"], &error["row"]), (&json!("period_in_future"), &json!(3)));
    assert_eq!(place.size(), size);
}

#[test]
fn an_amount_broken_in_two_is_refused_with_its_row() {
    let place = Place::new();
    place.write("j.jsonl", &SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "j.jsonl"]).exits(0);
    let size = place.size();
    place.write("o.csv", "code,indicator,period,value\n2501-330108-04-01-123456,INV_FAI,2023-03,1,234.56\n");
    let error = place.run(&["import", "observations", "o.csv", "--as", "330108"]).exits(65).error();
    assert_eq!((&error["code"], &error["row"]), (&json!("surplus_cells"), &json!(2)));
    assert!(error["hint"].as_str().unwrap().contains("\"1,234.56\""));
    assert_eq!(place.size(), size);
}

#[test]
fn rows_are_counted_not_errors_and_the_first_decides_the_exit_code() {
    let place = Place::new();
    place.write("j.jsonl", &SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "j.jsonl"]).exits(0);
    place.write(
        "o.csv",
        "code,indicator,period,value\n2501-330108-04-01-123456,x,2023-13,1\n2501-330108-04-01-123456,INV_FAI,2023-03,1\n",
    );
    let args = ["import", "observations", "o.csv", "--as", "330108"];
    let result = place.run(&args).exits(65).json();
    assert_eq!((&result["rows"], &result["wrong"]), (&json!(2), &json!(1)));
    assert_eq!(result["errors"].as_array().unwrap().len(), 2);
    place.write("o.csv", "code,indicator,period,value\n2501-330108-04-01-123456,INV_FAI,2023-03,1\n");
    let foreign = place.run(&["import", "observations", "o.csv", "--as", "330881"]).exits(77).json();
    assert_eq!((&foreign["wrong"], &foreign["errors"][0]["code"]), (&json!(1), &json!("foreign_office")));
    for (text, code) in [("", "empty_file"), ("code,indicator,period,value\n", "no_rows")] {
        place.write("o.csv", text);
        assert_eq!(place.run(&args).exits(65).error()["code"], code);
    }
}

#[test]
fn only_observations_are_cumulative() {
    let place = Place::new();
    for what in ["enterprises", "projects"] {
        place.run(&["import", what, "x.csv", "--as", "330108", "--cumulative"]).exits(64);
    }
}
