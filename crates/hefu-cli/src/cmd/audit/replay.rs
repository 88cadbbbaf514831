//! `hefu audit replay`: every stored command decided again under the rules in force when it came.

use hefu_engine::{ReplayFinding, ReplayReport, WithheldRecord, replay};
use serde_json::json;

use super::files;
use crate::{
    context::Context,
    error::{Result, exit},
    lang::text,
    render::{self, Column, Format, Page, Table, plain},
};

/// `hefu audit replay`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs it.
pub(crate) fn run(context: &Context, _args: &Args) -> Result<u8> {
    let log = files::log(context.dir()?)?;
    let progress = context.progress(Some(log.size()), &text("重演", "replaying"));
    let report = replay(&*log, &|done| progress.at(done))?;
    drop(progress);
    let ReplayReport { records, commands, findings, withheld, suspect } = &report;
    let mut table = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("code", "问题", "code"),
        Column::text("why", "说明", "why"),
    ]);
    for ReplayFinding { position, code, why } in findings {
        table.rows.push(vec![plain(*position), plain(*code), plain(why.clone())]);
    }
    let mut notes = vec![if findings.is_empty() {
        text(
            format!("结论:{commands} 条命令重演后与 {records} 条记录一致"),
            format!("verdict: {records} records follow from {commands} commands"),
        )
    } else {
        text(
            format!("结论:{} 处与规则不符", findings.len()),
            format!("verdict: {} records do not follow from the rules", findings.len()),
        )
    }];
    if !withheld.is_empty() {
        let one =
            |WithheldRecord { position, redacted_by }: &WithheldRecord| format!("{position} ({redacted_by})");
        let listed = withheld.iter().map(one).collect::<Vec<_>>().join(", ");
        notes.push(text(
            format!("{} 条记录的命令已遮盖,无法重演;括号内为遮盖它的记录:{listed}", withheld.len()),
            format!(
                "{} records are not re-decidable, redacted by the record in brackets: {listed}",
                withheld.len()
            ),
        ));
    }
    if !suspect.is_empty() {
        let listed = suspect.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        notes.push(text(
            format!("{} 条命令由后来声明失密的密钥签署:{listed}", suspect.len()),
            format!("{} commands were signed by keys later said to be compromised: {listed}", suspect.len()),
        ));
    }
    let listed: Vec<_> =
        findings.iter().map(|f| json!({"position": f.position, "code": f.code, "why": f.why})).collect();
    let verdict = if findings.is_empty() { "proven" } else { "proven_bad" };
    let json = json!({
        "verdict": verdict, "records": records, "commands": commands, "findings": listed,
        "not_redecidable": withheld.iter().map(|one| json!({"position": one.position, "redacted_by": one.redacted_by}))
            .collect::<Vec<_>>(), "suspect": suspect,
    });
    let drawn = !findings.is_empty() || context.format == Format::Csv;
    let tables = if drawn { vec![table] } else { Vec::new() };
    render::print(context, &Page { tables, data: None, notes, json: json.into() })?;
    Ok(if findings.is_empty() { exit::DONE } else { exit::PROVEN_BAD })
}
