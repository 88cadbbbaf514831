//! Enterprises and projects from tables.

use hefu_domain::{
    amount::format_minor,
    id::{EnterpriseCode, ProjectId},
};

use super::{Cells, Imported, Options, scalar};
use crate::{
    problem::{FileError, Problem},
    sheet::{Field, Sheet, field},
    text::fold,
};

const ENTERPRISE: &[Field] = &[
    field("enterprise", &["统一社会信用代码", "信用代码", "企业代码", "企业", "uscc"], true),
    field("name", &["名称", "企业名称", "单位名称", "企业"], true),
    field(
        "region",
        &["登记地", "登记地代码", "地区", "地区代码", "行政区划代码", "行政区划", "所在地"],
        false,
    ),
];

const PROJECT: &[Field] = &[
    field("project", &["项目编号", "项目id", "id"], false),
    field("codes", &["项目代码", "赋码", "代码", "code"], false),
    field("name", &["名称", "项目名称", "项目"], true),
    field("enterprise", &["统一社会信用代码", "信用代码", "企业代码", "企业", "uscc"], true),
    field("industry", &["行业", "行业代码", "国民经济行业", "国民经济行业代码"], true),
    field("origin", &["登记地", "登记地代码", "迁出地", "地区", "地区代码", "所在地", "region"], false),
    field("site", &["场址", "地块", "园区", "建设地点"], false),
    field("planned_investment", &["计划投资", "计划总投资", "总投资", "计划投资额", "总投资额"], true),
    field("unit", &["单位", "计量单位", "金额单位"], false),
    field("date", &["日期", "登记日期"], false),
];

/// A table of enterprises.
pub fn enterprises(bytes: &[u8], options: &Options) -> Result<Imported, FileError> {
    let sheet = Sheet::open(bytes, options.file, options.sheet, ENTERPRISE)?;
    let mut imported = Imported::of(&sheet);
    let mut seen = super::Seen::default();
    for row in &sheet.rows {
        let mut cells = Cells::new(&sheet, row);
        let code = enterprise(&mut cells);
        seen.check(&mut cells, "enterprise", code.as_ref());
        let name = cells.text("name");
        let region = cells.region("region", options);
        let fields = [("enterprise", code), ("name", name), ("region", region)];
        cells.finish(
            "register_enterprise",
            fields.map(|(key, text)| (key, text.map(Into::into))),
            &mut imported,
        );
    }
    imported.errors.sort_by_key(|error| error.row);
    Ok(imported)
}

/// A table of projects.
pub fn projects(bytes: &[u8], options: &Options) -> Result<Imported, FileError> {
    let sheet = Sheet::open(bytes, options.file, options.sheet, PROJECT)?;
    let mut imported = Imported::of(&sheet);
    let mut seen = super::Seen::default();
    let mut seen_codes = super::Seen::default();
    for row in &sheet.rows {
        let mut cells = Cells::new(&sheet, row);
        let project = match (cells.get("project"), options.new_project) {
            (None, Some(new)) => Some(new().to_string()),
            _ => cells.need("project", |text| {
                let id: Result<ProjectId, _> = fold(text).to_lowercase().parse();
                id.map(|id| id.to_string()).map_err(|_| Problem::UnknownProject {})
            }),
        };
        seen.check(&mut cells, "project", project.as_ref());
        let codes: Vec<String> = cells.get("codes").map(project_codes).unwrap_or_default();
        for code in &codes {
            seen_codes.check(&mut cells, "codes", Some(code));
        }
        let code = enterprise(&mut cells);
        let industry = cells.need("industry", industry);
        let date = cells.optional("date", |text| scalar::date(text).ok_or(Problem::BadDate {}));
        let fen = cells.need_money("planned_investment", None, options);
        let investment = fen.map(|fen| format_minor(i128::from(fen), 2));
        let fields = [
            ("codes", (!codes.is_empty()).then(|| codes.into())),
            ("date", date.map(|date| date.to_string().into())),
            ("enterprise", code.map(Into::into)),
            ("industry", industry.map(Into::into)),
            ("name", cells.text("name").map(Into::into)),
            ("origin", cells.region("origin", options).map(Into::into)),
            ("planned_investment", investment.map(Into::into)),
            ("project", project.map(Into::into)),
            ("site", cells.get("site").map(Into::into)),
        ];
        cells.finish("register_project", fields, &mut imported);
    }
    imported.errors.sort_by_key(|error| error.row);
    Ok(imported)
}

fn enterprise(cells: &mut Cells) -> Option<String> {
    cells.need("enterprise", |text| {
        let code: Result<EnterpriseCode, _> = fold(text).to_uppercase().parse();
        code.map(|code| code.to_string())
            .map_err(|bad| Problem::BadEnterprise { why: bad.to_string(), why_zh: bad.zh() })
    })
}

/// Several codes in one cell stand beside each other.
fn project_codes(cell: &str) -> Vec<String> {
    let codes = fold(cell);
    let codes = codes.split(['、', ';', ',', ' ', '\n']).map(str::trim);
    codes.filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

/// `C34`, or `34` where the section follows from the division: 13 to 43 are manufacturing (C).
fn industry(text: &str) -> Result<String, Problem> {
    let code = fold(text).to_uppercase();
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (letter, digits) = code.split_at_checked(1).unwrap_or_default();
    let division = code.get(..2).and_then(|division| division.parse::<u8>().ok());
    if letter.bytes().all(|b| b.is_ascii_uppercase()) && digits.len() <= 4 && is_digits(digits) {
        Ok(code)
    } else if (2..=4).contains(&code.len())
        && is_digits(&code)
        && division.is_some_and(|d| (13..=43).contains(&d))
    {
        Ok(format!("C{code}"))
    } else {
        Err(Problem::BadIndustry {})
    }
}
