use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::import::{default_catalogue, enterprises, projects};

const P1: &str = "0198b2c4-7d3e-7000-8000-000000000001";
const P2: &str = "0198b2c4-7d3e-7000-8000-000000000002";

/// Drafts as `row type field…` lines, errors as `row column code` lines.
fn lines(imported: &Imported) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let draft = |(row, command): &(u64, serde_json::Map<String, Value>)| {
        let fields: Vec<String> = command.values().map(text).collect();
        format!("{row} {}", fields.join(" ").replace(P1, "P1").replace(P2, "P2"))
    };
    let error = |e: &FileError| {
        format!("{} {} {}", e.row.unwrap_or(0), e.column.clone().unwrap_or_default(), e.code())
    };
    imported.drafts.iter().map(draft).chain(imported.errors.iter().map(error)).collect()
}

fn check(csv: &str, cumulative: bool, expected: &[&str]) {
    let catalogue = default_catalogue();
    let find = |code: &str| (code == "2501-330108-04-01-123456").then(|| P1.parse().unwrap());
    let options = Options { cumulative, find_project: &find, ..Options::new("book.csv", &catalogue) };
    let imported = observations(csv.as_bytes(), &options).unwrap();
    for (_, command) in &imported.drafts {
        hefu_domain::command::Command::parse(&serde_json::to_vec(command).unwrap()).unwrap();
    }
    assert_eq!(lines(&imported), expected, "{csv}");
}

#[test]
fn observations_in_chinese_and_english() {
    check(
        &format!(
            "附件1,,,,\n填报单位:江山市,,,,\n报告期,指标,项目,数值（万元）,备注\n2023年7月,固定资产投资,{P1},\"3,500.00005\",x\n"
        ),
        false,
        &["4 INV_FAI 2023-07 P1 report_observation 35000000.50"],
    );
    check(
        &format!(
            "固定资产投资表,,,\n填报单位：江山市,,,（单位：万元、%）\n项目,指标,报告期,数值\n{P1},INV_FAI,2023-07,1\n"
        ),
        false,
        &["4 INV_FAI 2023-07 P1 report_observation 10000.00"],
    );
    check(
        "code,indicator,period,value,unit\n\n2501-330108-04-01-123456,inv_fai,2023-Q3,1.5,亿元\n2501-330108-04-01-123456,EMP,2023-Q3,120,人\n",
        false,
        &["3 INV_FAI 2023-Q3 P1 report_observation 150000000.00", "4 EMP 2023-Q3 P1 report_observation 120"],
    );
}

#[test]
fn every_wrong_cell_is_named_beside_the_good_rows() {
    check(
        &format!(
            "项目,项目代码,指标,报告期,数值,单位\n{P1},,INV_FAI,2023-01,1,\n{P1},,INV_FAI,2023/1/1,一,\nx,,INV_FAX,2023-02,2,\n\
             {P2},2501-330108-04-01-123456,INV_FAI,2023-02,2,\n,,N_PRJ,2023-02,2,\n{P1},,INV_FAI,2023年1月,3,\n{P1},,EMP,2023-01,3,元\n"
        ),
        false,
        &[
            "2 INV_FAI 2023-01 P1 report_observation 1.00",
            "3 报告期 bad_period",
            "3 数值 bad_number",
            "4 项目 unknown_project",
            "4 指标 unknown_indicator",
            "5 项目代码 project_conflict",
            "6 项目 empty",
            "6 指标 derived_indicator",
            "7 报告期 duplicate_row",
            "8 数值 bad_unit",
        ],
    );
}

#[test]
fn an_amount_broken_in_two_by_its_separators_is_refused() {
    let header = "项目,指标,报告期,数值";
    for (row, columns) in [
        (format!("{P1},INV_FAI,2023-01,1,234.56"), header.to_owned()),
        (format!("{P1},INV_FAI,2023-01,1,234,567.00,"), format!("{header},备注")),
        (format!("{P1},INV_FAI,2023-01,1,234.56,"), format!("{header},备注")),
    ] {
        check(
            &format!("{columns}\n{row}\n{P1},INV_FAI,2023-02,2\n"),
            false,
            &["3 INV_FAI 2023-02 P1 report_observation 2.00", "2  surplus_cells"],
        );
    }
    let quoted = format!("{header}\n{P1},INV_FAI,2023-01,\"1,234.56\"\n");
    check(&quoted, false, &["2 INV_FAI 2023-01 P1 report_observation 1234.56"]);
    // Missing cells are empty ones: harmless at the end, refused where a value is needed.
    check(
        &format!("{header},单位,备注\n{P1},INV_FAI,2023-01,5\n{P1},INV_FAI,2023-02\n"),
        false,
        &["2 INV_FAI 2023-01 P1 report_observation 5.00", "3 数值 empty"],
    );
}

#[test]
fn either_name_of_a_project_stands_under_either_header() {
    let code = "2501-330108-04-01-123456";
    for (header, name) in
        [("项目代码", P1), ("code", P1), ("项目", code), ("项目编号", code), ("project", code)]
    {
        check(
            &format!("{header},指标,报告期,数值\n{name},INV_FAI,2023-01,5\n"),
            false,
            &["2 INV_FAI 2023-01 P1 report_observation 5.00"],
        );
    }
}

#[test]
fn a_table_that_is_none_says_why() {
    let catalogue = default_catalogue();
    let refused = |csv: &str| {
        let error = observations(csv.as_bytes(), &Options::new("f.csv", &catalogue)).unwrap_err();
        (error.row, error.code())
    };
    let header = "项目,指标,报告期,数值\n";
    assert_eq!(refused(""), (None, "empty_file"));
    assert_eq!(refused("\n \r\n"), (None, "empty_file"));
    assert_eq!(refused(header), (None, "no_rows"));
    assert_eq!(refused(&format!("{header},,,\n")), (None, "no_rows"));
    let good = format!("{P1},INV_FAI,2023-01,5\n");
    assert_eq!(refused(&format!("{header}{good}\"{good}{good}")), (Some(3), "open_quote"));
    assert_eq!(refused(&format!("{header}{good}\"{good}\"{good}")), (Some(3), "stray_quote"));
    let sound = format!("{header}{P1},INV_FAI,2023-01,\"5\"\n\"{P1}\",INV_FAI,2023-02,6\n");
    check(
        &sound,
        false,
        &["2 INV_FAI 2023-01 P1 report_observation 5.00", "3 INV_FAI 2023-02 P1 report_observation 6.00"],
    );
}

#[test]
fn cumulative_values_become_own_values() {
    check(
        &format!(
            "项目,指标,报告期,累计值(万元),基数\n{P1},INV_FAI,2023年1-3月,15,\n{P1},INV_FAI,2023年1-2月,10,\n{P1},INV_FAI,2024-01,4,\n\
             {P1},INV_FAI,2023-06,30,25\n{P1},INV_FAI,2023-08,40,\n{P1},EMP,2023-08,40人,\n"
        ),
        true,
        &[
            "2 INV_FAI 2023-03 P1 report_observation 50000.00",
            "3 INV_FAI 2023-01..02 P1 report_observation 100000.00",
            "4 INV_FAI 2024-01 P1 report_observation 40000.00",
            "5 INV_FAI 2023-06 P1 report_observation 50000.00",
            "7 EMP 2023-08 P1 report_observation 40",
            "6 报告期 cumulative_gap",
        ],
    );
}

#[test]
fn a_column_of_the_other_kind_is_not_taken() {
    let catalogue = default_catalogue();
    let both = format!("项目,指标,报告期,本期值,累计值\n{P1},INV_FAI,2023-01,1,2\n");
    for (cumulative, value) in [(false, "1.00"), (true, "2.00")] {
        let options = Options { cumulative, ..Options::new("f.csv", &catalogue) };
        let imported = observations(both.as_bytes(), &options).unwrap();
        assert_eq!(imported.drafts[0].1["value"], value);
        let other = if cumulative { both.replace("累计值", "x") } else { both.replace("本期值", "x") };
        assert_eq!(observations(other.as_bytes(), &options).unwrap_err().code(), "missing_columns");
    }
}

#[test]
fn registries_are_read() {
    let catalogue = default_catalogue();
    let new = || P2.parse().unwrap();
    let find_region = |name: &str| (name == "滨江区").then(|| "330108".parse().unwrap());
    let options =
        Options { new_project: Some(&new), find_region: &find_region, ..Options::new("f.csv", &catalogue) };
    let csv = "企业名称,统一社会信用代码,登记地\n阿里巴巴（中国）网络技术有限公司,91330100799655058b,滨江区\n乙,91330100799655058B,330108\n丙,1,火星\n";
    assert_eq!(
        lines(&enterprises(csv.as_bytes(), &options).unwrap()),
        [
            "2 91330100799655058B 阿里巴巴（中国）网络技术有限公司 330108 register_enterprise",
            "3 统一社会信用代码 duplicate_row",
            "4 统一社会信用代码 bad_enterprise",
            "4 登记地 bad_region",
        ]
    );
    // 企业 is the name, or the code where another column is the name.
    for header in ["企业,统一社会信用代码,地区", "企业名称,企业,地区"] {
        let csv = format!("{header}\n甲,91330100799655058B,330108\n");
        assert_eq!(
            lines(&enterprises(csv.as_bytes(), &options).unwrap()),
            ["2 91330100799655058B 甲 330108 register_enterprise"],
            "{header}"
        );
    }
    let csv = "项目名称,项目代码,企业代码,行业代码,迁出地,计划总投资(亿元),登记日期\n传感器,2501-330108-04-01-123456、b,91330100799655058B,3444,330108,12,2023年1月10日\n";
    assert_eq!(
        lines(&projects(csv.as_bytes(), &options).unwrap()),
        [
            "2 [\"2501-330108-04-01-123456\",\"b\"] 2023-01-10 91330100799655058B C3444 传感器 330108 1200000000.00 P2 register_project",
        ]
    );
    let named = csv.replace("企业代码", "企业");
    assert_eq!(projects(named.as_bytes(), &options).unwrap().errors, []);
    assert_eq!(
        enterprises("名称\nx\n".as_bytes(), &options).unwrap_err().to_string(),
        "f.csv, row 1: no header row with the column 统一社会信用代码 (enterprise); name the columns in one of the first ten rows"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A file's rows may stand in any order: the commands are the same.
    #[test]
    fn row_order_does_not_matter(
        monthly in prop::collection::vec((-10_000i64..10_000, -10_000i64..10_000), 12),
        keys in prop::collection::vec(any::<u32>(), 24),
    ) {
        let mut rows = Vec::new();
        let mut totals = (0, 0);
        for ((first, second), month) in monthly.iter().zip(1..) {
            totals = (totals.0 + first, totals.1 + second);
            rows.push(format!("{P1},INV_FAI,2023-{month:02},{}", totals.0));
            rows.push(format!("{P2},RD_EXP,2023年1-{month}月,{}", totals.1));
        }
        let import = |rows: &[String]| {
            let csv = format!("project,indicator,period,value\n{}\n", rows.join("\n"));
            let catalogue = default_catalogue();
            let options = Options { cumulative: true, ..Options::new("f", &catalogue) };
            let imported = observations(csv.as_bytes(), &options).unwrap();
            assert_eq!(imported.errors, []);
            let mut commands: Vec<String> =
                imported.drafts.into_iter().map(|(_, command)| Value::Object(command).to_string()).collect();
            commands.sort();
            commands
        };
        let sorted = import(&rows);
        let mut order: Vec<usize> = (0..24).collect();
        order.sort_by_key(|index| keys[*index]);
        let shuffled: Vec<String> = order.into_iter().map(|index| rows[index].clone()).collect();
        prop_assert_eq!(import(&shuffled), sorted);
    }
}
