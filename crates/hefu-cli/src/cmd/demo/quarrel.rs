//! The demo's quarrel: a county's own book beside the ledger, the break in it, and the dispute that comes of it.
//!
//! The book is made from what the ledger counts for the county, with the mistakes that books have. What the break is
//! disputed as, who must answer and who rules is not told here: the ledger says it.

use std::path::{Path, PathBuf};

use hefu_domain::{
    amount::format_minor,
    dispute::{Dispute, DisputeId},
    period::Period,
    region::RegionId,
    state::State,
};
use hefu_engine::Reader;
use hefu_exchange::{
    matching::{Class, memory::Memory},
    output::{Cell, Header, Lang, Table},
    workbook::{self, Sheet},
};
use hefu_projections::counted::{Counted, counted};
use serde_json::json;

use super::{ORIGIN, beside, desk::Desk};
use crate::{
    cmd::{dispute, import::Money, reconcile},
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render::Column,
};

/// What the book is about.
const INDICATOR: &str = "INV_FAI";

/// The county's book, and what it says of one figure that the ledger has otherwise.
struct Own {
    code: String,
    path: PathBuf,
    /// The disputed value as reported, in fen.
    reported: i64,
}

/// Writes a book, reconciles it, and takes its break through all instances. `false`: no county counts in full
/// what it gave away.
pub(super) fn play(context: &Context, year: Period) -> Result<bool> {
    let reader = context.reader()?;
    let Some(own) = book(&reader, context.dir()?, year)? else { return Ok(false) };
    drop(reader);
    let Own { code, path, reported } = own;
    let file = path.display();
    context.say(&text(
        format!("{code} 用自己的账册 {file} 与账本核对:"),
        format!("{code} reconciles its own book {file} with the ledger:"),
    ));
    let mut args = reconcile::Args {
        book: path.clone(),
        region: code.clone(),
        period: Some(year),
        indicator: vec![INDICATOR.to_owned()],
        basis: reconcile::BookBasis::Shared,
        sheet: None,
        unit: Money::Yuan,
        tolerance: hefu_domain::amount::Decimal::from_minor(0, 0),
        tolerance_percent: hefu_domain::amount::Decimal::from_minor(0, 0),
        skip_bad: false,
        as_of: None,
        out: None,
        memory: None,
        no_memory: false,
        challenge: reconcile::Challenge::default(),
    };
    reconcile::run(context, &args)?;
    let found = broken(context, &code)?;
    context.say(&text(
        format!("{code} 将差异 {found} 提为争议;裁定、复核之后:"),
        format!("{code} turns the break {found} into a dispute; after ruling and appeal:"),
    ));
    args.challenge.open = Some(found);
    reconcile::run(context, &args)?;
    let id = argue(context.dir()?, &code, reported)?;
    dispute::demo_show(context, &id.to_string())?;
    Ok(true)
}

/// The break whose value differs, as the run before remembers it.
fn broken(context: &Context, code: &str) -> Result<String> {
    let path = beside(context.dir()?, ".reconcile").join(format!("{code}-shared.json"));
    let kept =
        std::fs::read_to_string(&path).map_err(|error| CliError::io(("读取", "read"), &path, &error))?;
    let memory = Memory::parse(&kept, ORIGIN, code, "shared");
    let found = memory.ok().and_then(|memory| {
        let mut breaks = memory.breaks.into_iter();
        breaks.find(|(_, known)| known.class == Class::ValueDiffers).map(|(id, _)| id)
    });
    found.ok_or_else(|| {
        CliError::new("unknown_break", exit::REFUSED, text("账册没有差异", "the book has no break"))
    })
}

/// The county that counts most for projects it gave away whole, and its book with the usual mistakes.
fn book(reader: &Reader, dir: &Path, year: Period) -> Result<Option<Own>> {
    let state = &reader.views.state;
    let Some((indicator, _)) = INDICATOR.parse().ok().and_then(|code| state.indicator(code)) else {
        return Ok(None);
    };
    let mut origins: Vec<RegionId> = Vec::new();
    for project in state.projects.values() {
        let moved = project.transfers.iter().filter(|transfer| project.landed(transfer).is_some());
        origins.extend(moved.filter(|one| one.origin != one.destination).map(|one| one.origin));
    }
    origins.sort_unstable();
    origins.dedup();
    let lines = |region| counted(&reader.views, region, |i, period| i == indicator && year.contains(period));
    let whole = |line: &Counted| {
        let value = state.projects.get(&line.project).and_then(|p| p.value(indicator, line.period));
        line.share.as_destination == 0
            && value.is_some_and(|value| value > 0 && value == line.share.as_origin)
    };
    let all = origins.into_iter().map(|region| (region, lines(region)));
    // The first of the largest, so that a seed tells one story.
    let most = all.map(|(region, lines)| (lines.iter().filter(|line| whole(line)).count(), region, lines));
    let most =
        most.filter(|(count, ..)| *count > 0).reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((_, region, lines)) = most else { return Ok(None) };
    let Some(quarrel) = lines.iter().position(&whole) else { return Ok(None) };
    let code = state.code(region).to_string();
    let bytes = sheet(state, &lines, quarrel, &code)?;
    let path = beside(dir, ".books").join(format!("{code}.xlsx"));
    reconcile::write_whole(&path, &bytes)?;
    Ok(Some(Own { code, path, reported: lines[quarrel].share.as_origin }))
}

/// The workbook: one value too high, one line left out, one written twice, one of a project nobody knows.
fn sheet(state: &State, lines: &[Counted], quarrel: usize, code: &str) -> Result<Vec<u8>> {
    let mut table = Table::new(vec![
        Column::text("code", "项目代码", "project code"),
        Column::text("name", "项目名称", "name"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::number("amount", "计入额(元)", "amount"),
    ]);
    let mut row = |project: &str, name: &str, period: &str, fen: i64| {
        table.rows.push(vec![
            Cell::text(project),
            Cell::text(name),
            Cell::text("固定资产投资"),
            Cell::text(period),
            Cell::Number(format_minor(i128::from(fen), 2)),
        ]);
    };
    for (at, line) in lines.iter().enumerate() {
        let project = &state.projects[&line.project];
        let alias =
            project.codes.first().map_or_else(|| line.project.to_string(), |alias| alias.code.clone());
        let share = line.share.as_origin + line.share.as_destination;
        let (period, left_out) = (line.period.to_string(), at == quarrel + 2);
        if at == quarrel {
            row(&alias, &project.name, &period, share + share / 20);
        } else if !left_out {
            row(&alias, &project.name, &period, share);
        }
        if at == quarrel + 1 {
            row(&alias, &project.name, &period, share);
        }
    }
    row("9901-000000-04-01-999999", "(代码有误)", &lines[quarrel].period.to_string(), 1_234_567);
    let sheet = Sheet {
        name: "账册".to_owned(),
        title: format!("{code} 固定资产投资共享计入台账"),
        tables: vec![(None, table)],
        ..Sheet::default()
    };
    workbook::write(&[sheet], Header::Title(Lang::Zh), (2026, 1, 5)).map_err(|error| {
        let why = error.to_string();
        CliError::new("workbook", exit::CANNOT_CREATE, text("无法生成工作簿", "the workbook cannot be made"))
            .why(text(why.clone(), why))
    })
}

/// Answer, ruling, appeal, and the ruling of the next level.
fn argue(dir: &Path, code: &str, reported: i64) -> Result<DisputeId> {
    let mut desk = Desk::open(dir)?;
    let argued = (|| {
        let state = desk.state();
        let opened = state.disputes.iter().find(|(_, known)| state.code(known.by).as_str() == code);
        let (id, dispute) = opened.ok_or_else(|| CliError::usage(text("没有争议", "there is no dispute")))?;
        let id = *id;
        let other = state.code(dispute.others[0]).to_string();
        desk.say(
            &other,
            json!({"type": "answer_dispute", "dispute": id, "statement": "按合同和付款凭证如数上报"}),
        )?;
        rule(&mut desk, id, reported + reported / 50, "已核对合同,超出部分为下月付款")?;
        desk.say(code, json!({"type": "appeal_ruling", "dispute": id, "statement": "验收单显示当月已完工"}))?;
        rule(&mut desk, id, reported + reported / 25, "复核验收单后改定")?;
        Ok(id)
    })();
    desk.close()?;
    argued
}

/// A ruling by whoever is competent now: one person proposes it, another approves it.
fn rule(desk: &mut Desk, id: DisputeId, fen: i64, reasons: &str) -> Result {
    let state = desk.state();
    let Dispute { ruler, evidence, .. } = &state.disputes[&id];
    let ruler = state.code(*ruler).to_string();
    let evidence: Vec<String> = evidence.iter().map(|(digest, _)| digest.to_string()).collect();
    let remedy = json!({"kind": "correct_value", "value": format_minor(i128::from(fen), 2)});
    let propose = json!({"type": "propose_ruling", "dispute": id, "evidence": evidence, "reasons": reasons, "remedy": remedy});
    desk.say(&ruler, propose)?;
    desk.say(&format!("{ruler}/coordinator"), json!({"type": "approve_ruling", "dispute": id}))
}
