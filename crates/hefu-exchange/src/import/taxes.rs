//! Tax receipts and refunds from tables: what a county's treasury has of a project's taxes.

use hefu_domain::{
    amount::format_minor,
    tax::{TaxKind, TaxRate},
};

use super::{Cells, Imported, Options, Seen, project, scalar};
use crate::{
    problem::{FileError, Problem},
    sheet::{Field, Sheet, field},
    text::fold,
};

const TAXES: &[Field] = &[
    field("project", &["项目", "项目编号", "项目id"], false),
    field("code", &["项目代码", "赋码", "代码", "projectcode"], false),
    field("date", &["入库日期", "缴款日期", "缴纳日期", "日期", "入库日", "退库日期"], true),
    field("kind", &["税种", "税种代码", "税种名称", "tax"], true),
    field("amount", &["税额", "入库税额", "入库金额", "实缴税额", "实缴金额", "金额"], true),
    field("incentives", &["奖补", "奖补金额", "奖励补助", "财政奖补"], false),
    field("refund_of", &["原入库日期", "原入库日", "退税原入库日期", "所退税款入库日期"], false),
    field("voucher", &["凭证号", "完税凭证号", "税票号码", "凭证编号", "完税凭证"], false),
    field("unit", &["单位", "计量单位", "金额单位"], false),
];

/// A table of tax: each row a receipt, or a refund with the day of what it refunds.
pub fn taxes(bytes: &[u8], options: &Options) -> Result<Imported, FileError> {
    let sheet = Sheet::open(bytes, options.file, options.sheet, TAXES)?;
    super::has_project(&sheet, options)?;
    let mut imported = Imported::of(&sheet);
    let mut seen = Seen::default();
    for row in &sheet.rows {
        let mut cells = Cells::new(&sheet, row);
        let project = project(&mut cells, options);
        let day = |text: &str| scalar::date(text).ok_or(Problem::BadDate {});
        let date = cells.need("date", day);
        let kind = cells.need("kind", |text| kind(text, options.taxes));
        let amount = cells.need_money("amount", None, options);
        // Incentives stand beside the amount: without a unit of their own they are in its unit.
        let granted = cells.get("incentives").is_some();
        let incentives = granted.then(|| cells.need_money("incentives", Some("amount"), options)).flatten();
        let refund_of = cells.optional("refund_of", day);
        let voucher = cells.get("voucher").map(str::to_owned);
        if let Some(amount) = amount
            && cells.errors.is_empty()
            && (amount < 0) != refund_of.is_some()
        {
            cells.wrong::<()>("amount", Problem::RefundForm {});
        }
        // What makes two payments one in the ledger, too: day, kind, and the voucher or else the amount.
        if let (Some(project), Some(date), Some(kind), Some(amount)) = (project, date, kind, amount) {
            let paid = refund_of.unwrap_or(date);
            let apart = voucher.clone().unwrap_or_else(|| format!("{amount} fen"));
            seen.check(&mut cells, "date", Some(&format!("{project} {paid} {kind} {date} {apart}")));
        }
        let money = |fen: i64| format_minor(i128::from(fen), 2);
        let fields = [
            ("amount", amount.map(money)),
            ("date", date.map(|date| date.to_string())),
            ("incentives", incentives.map(money)),
            ("kind", kind.map(|kind| kind.to_string())),
            ("project", project.map(|project| project.to_string())),
            ("refund_of", refund_of.map(|day| day.to_string())),
            ("voucher", voucher),
        ];
        let fields = fields.map(|(key, text)| (key, text.map(Into::into)));
        cells.finish("report_tax", fields, &mut imported);
    }
    imported.errors.sort_by_key(|error| error.row);
    Ok(imported)
}

/// The kind of tax with this code or name.
fn kind(text: &str, rates: &[TaxRate]) -> Result<TaxKind, Problem> {
    let folded = fold(text);
    let is_named = |rate: &&TaxRate| {
        rate.kind.as_str().eq_ignore_ascii_case(&folded)
            || rate.name_zh == folded
            || rate.name_zh == text
            || rate.name_en.eq_ignore_ascii_case(&folded)
    };
    let found = rates.iter().find(is_named).map(|rate| rate.kind);
    found.ok_or_else(|| Problem::UnknownTax { known: listed(rates) })
}

/// The kinds there are, each once.
fn listed(rates: &[TaxRate]) -> String {
    let mut names: Vec<String> =
        rates.iter().map(|rate| format!("{} ({})", rate.name_zh, rate.kind)).collect();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use hefu_domain::{id::ProjectId, tax::built_in_rates};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::{
        output::{self, Column, Header, Lang},
        workbook,
    };

    const ID: &str = "0198b2c4-7d3e-7000-8000-000000000001";
    const HEAD: &str = "项目代码,入库日期,税种,税额(万元),奖补,原入库日期,完税凭证号\n";

    fn read(bytes: &[u8]) -> Result<Imported, FileError> {
        let rates = built_in_rates();
        let id = ProjectId(Uuid::parse_str(ID).unwrap());
        let options = Options {
            find_project: &|code| (code == "A-1").then_some(id),
            taxes: &rates,
            ..Options::new("t", &[])
        };
        taxes(bytes, &options)
    }

    fn drafts(imported: &Imported) -> Vec<Value> {
        imported.drafts.iter().map(|(_, fields)| Value::Object(fields.clone())).collect()
    }

    #[test]
    fn receipts_and_refunds_are_read() {
        let text = format!(
            "{HEAD}A-1,2024年3月15日,增值税,123.456789,1.5万元,,V1\n{ID},2024/5/1,VAT,-40,,2024-03-15,\n"
        );
        let imported = read(text.as_bytes()).unwrap();
        assert_eq!(imported.errors, vec![]);
        assert_eq!(
            drafts(&imported),
            [
                json!({"type": "report_tax", "amount": "1234567.89", "date": "2024-03-15", "incentives": "15000.00",
                    "kind": "vat", "project": ID, "voucher": "V1"}),
                json!({"type": "report_tax", "amount": "-400000.00", "date": "2024-05-01", "kind": "vat", "project": ID,
                    "refund_of": "2024-03-15"}),
            ]
        );
        let english = format!("project,date,kind,amount,unit,refund_of\n{ID},2024-03-15,cit,7,元,\n");
        assert_eq!(drafts(&read(english.as_bytes()).unwrap())[0]["amount"], "7.00");
    }

    #[test]
    fn every_wrong_cell_is_located() {
        let rows = [
            "B-2,2024-13-01,关税,x,,,",
            "A-1,2024-03-15,增值税,-1,,,",
            "A-1,2024-03-15,增值税,1,,2024-03-01,",
            "A-1,2024-03-15,增值税,1.0000001,,,",
            "A-1,2024-03-15,增值税,1,,,",
            "A-1,2024-03-15,vat,1,,,",
            "A-1,2024-03-15,vat,1,,,V2",
        ];
        let imported = read(format!("{HEAD}{}\n", rows.join("\n")).as_bytes()).unwrap();
        let told: Vec<(u64, &str, &str)> = imported
            .errors
            .iter()
            .map(|error| (error.row.unwrap(), error.field.unwrap(), error.code()))
            .collect();
        assert_eq!(
            told,
            [
                (2, "code", "unknown_project"),
                (2, "date", "bad_date"),
                (2, "kind", "unknown_tax"),
                (2, "amount", "bad_number"),
                (3, "amount", "refund_form"),
                (4, "amount", "refund_form"),
                (5, "amount", "too_fine"),
                (7, "date", "duplicate_row"),
            ]
        );
        assert_eq!(imported.drafts.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [6, 8]);
        let bare = read("入库日期,税种,税额\n2024-03-15,增值税,1\n".as_bytes()).unwrap_err();
        assert_eq!(bare.code(), "missing_columns");
    }

    /// The same table as a workbook gives the same commands, and its faults have an address.
    #[test]
    fn a_workbook_is_read_like_text() {
        let columns = ["项目代码", "入库日期", "税种", "税额(万元)", "完税凭证号"];
        let mut table = output::Table::new(
            columns
                .map(|name| {
                    if name.starts_with("税额") {
                        Column::number(name, name, name)
                    } else {
                        Column::text(name, name, name)
                    }
                })
                .to_vec(),
        );
        for (amount, voucher) in [("123.4567", "V1"), ("99999999999.99", "V2")] {
            let text = |text: &str| output::Cell::text(text);
            table.rows.push(vec![
                text("A-1"),
                text("2024-03-15"),
                text("增值税"),
                output::Cell::number(amount),
                text(voucher),
            ]);
        }
        let sheet = workbook::Sheet {
            name: "税款".to_owned(),
            title: "2024 年".to_owned(),
            tables: vec![(None, table)],
            ..workbook::Sheet::default()
        };
        let bytes = workbook::write(&[sheet], Header::Title(Lang::Zh), (2026, 1, 2)).unwrap();
        let imported = read(&bytes).unwrap();
        assert_eq!(drafts(&imported)[0]["amount"], "1234567.00");
        let error = &imported.errors[0];
        assert_eq!((error.code(), error.row), ("number_precision", Some(5)));
        assert_eq!(error.sheet.as_ref().unwrap().cell.as_deref(), Some("D5"));
    }
}
