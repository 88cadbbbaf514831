//! How a settlement line came to its amount, and every record behind it: receipts, refunds, deficits, the steps of the
//! division, what was booked before, rulings; with proofs. The steps add up to what is due.

use std::{collections::BTreeMap, fs, path::Path};

use hefu_domain::{
    event::Event,
    settlement::{Line, LineClass, LineId},
    state::State,
    tax::explain::{Step, Why},
};
use hefu_engine::{Reader, RecordView};
use hefu_projections::settlement::{self, Behind};

use super::{
    lines::{Seen, lines_table, row},
    show::money,
};
use crate::{
    cmd::project::summary,
    context::Context,
    error::{CliError, Result, exit},
    find::{self, AsOf},
    lang::{Lang, Text, text},
    render::{self, Column, Json, Page, Table, plain, shown},
};

/// `hefu settle explain`, `hefu report explain --line`
pub(crate) fn explain(
    context: &Context,
    id: LineId,
    (as_of, proofs): (Option<AsOf>, Option<&Path>),
) -> Result<u8> {
    let (reader, position) = find::reader(context, as_of)?;
    let state = &reader.views.state;
    let line = find::line(state, id)?;
    let mut lines = lines_table();
    let held = line.settled.is_none() && line.disputed.is_some();
    let seen = Seen { from: None, held, until: reader.views.ts.date() };
    lines.rows.push(row(context, &reader.views, id, line, seen));
    let ruling = line.class == LineClass::Ruling;
    let behind = behind(context, state, line, id)?;
    let receipts = receipts(&behind);
    let divided: &[Behind] = if ruling { &[] } else { &behind };
    let steps = steps(context, divided);
    let units = behind.iter().map(|one| &one.unit);
    let found = records(&reader, id, line, &settlement::positions(units))?;
    let mut table = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("ts", "入账时间", "recorded at"),
        Column::text("type", "事件", "event"),
        Column::text("summary", "摘要", "summary"),
    ])
    .titled(text("记录", "Records"));
    for view in found.values() {
        table.rows.push(vec![
            plain(view.leaf.seq),
            plain(view.leaf.ts.clone()),
            plain(view.event.kind()),
            plain(summary(&view.event)),
        ]);
    }
    if let Some(folder) = proofs {
        prove(context, folder, found.keys().copied())?;
    }
    let mut json = vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("line", Json::List(lines.objects())),
        ("receipts", Json::List(receipts.objects())),
        ("steps", Json::List(steps.objects())),
    ];
    let notes = if ruling {
        let of = line.of.map(|of| of.to_string()).unwrap_or_default();
        json.push(("of", of.clone().into()));
        vec![text(
            format!("裁定或和解对明细 {of} 的差额;见其记录"),
            format!("the difference that a ruling or an agreement made to line {of}; see its records"),
        )]
    } else {
        booked(state, (id, line), &behind, &mut json)
    };
    json.push(("records", Json::List(table.objects())));
    let tables = [lines, receipts, steps, table].into_iter().enumerate();
    let tables = tables.filter(|(at, table)| *at == 0 || !table.rows.is_empty()).map(|(_, table)| table);
    render::print(context, &Page { tables: tables.collect(), data: None, notes, json: Json::Object(json) })?;
    Ok(exit::DONE)
}

/// What is behind a line as its run saw it: from the ledger as it was when the run began.
fn behind(context: &Context, state: &State, line: &Line, id: LineId) -> Result<Vec<Behind>> {
    let run = (id.run as usize).checked_sub(1).and_then(|place| state.settlement.runs.get(place));
    let Some(before) = run.and_then(|run| run.position.checked_sub(1)) else { return Ok(Vec::new()) };
    let (then, _) = find::reader(context, Some(AsOf::Position(before)))?;
    Ok(settlement::behind(&then.views.state, state, line, id))
}

/// Every receipt: received + refunded − incentives − deficit = base, or a deficit that is left.
fn receipts(behind: &[Behind]) -> Table {
    let mut table = Table::new(vec![
        Column::text("date", "入库日", "paid on"),
        Column::text("kind", "税种", "tax"),
        Column::number("county", "县级留成", "county part"),
        Column::number("refunded", "其中退税", "of it refunded"),
        Column::number("incentives", "奖补", "incentives"),
        Column::number("deficit", "结转亏欠", "deficit brought forward"),
        Column::number("base", "可分享基数", "base"),
        Column::number("deficit_left", "留待结转", "deficit carried on"),
        Column::text("deficit_from", "亏欠来自记录", "deficit from records"),
        Column::text("refunds", "退税记录", "refunds"),
        Column::text("positions", "记录", "records"),
    ])
    .titled(text(
        "入库:县级留成 − 奖补 − 结转亏欠 = 可分享基数,不足为 0 并结转",
        "Receipts: county part − incentives − deficit brought forward = base; not below 0, the rest is carried on",
    ));
    let list = |positions: &[u64]| positions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    for one in behind {
        for ((receipt, carried), refunds) in one.unit.receipts.iter().zip(&one.carried).zip(&one.refunds) {
            let taken: Vec<u64> = refunds.iter().map(|refund| refund.position).collect();
            table.rows.push(vec![
                plain(receipt.date.to_string()),
                plain(receipt.kind.to_string()),
                money(receipt.county),
                money(receipt.refunded),
                money(receipt.incentives),
                money(carried.deficit),
                money(receipt.base),
                money(receipt.deficit),
                plain(list(&carried.positions)),
                plain(list(&taken)),
                plain(list(&receipt.positions)),
            ]);
        }
    }
    table
}

/// From the base of every unit to the creditor's part, step by step.
fn steps(context: &Context, behind: &[Behind]) -> Table {
    let mut table = Table::new(vec![
        Column::text("unit", "分段", "unit"),
        Column::number("base", "分段基数", "base of the unit"),
        Column::text("step", "步骤", "step"),
        Column::number("of", "计算数", "of"),
        Column::number("bp", "比例(万分比)", "share, bp"),
        Column::number("scale_bp", "阶梯(万分比)", "bracket, bp"),
        Column::number("amount", "金额", "amount"),
    ])
    .titled(text("计算:各步之和即应得", "Steps: they add up to what is due"));
    for one in behind {
        let unit = match one.unit.receipt {
            Some((date, kind, _)) => shown(format!("{date} {kind}"), format!("{date} {kind}")),
            None => shown(context.lang.phase(one.part.phase), one.part.phase.to_string()),
        };
        for step in &one.steps {
            let (key, words) = why(step);
            let of = match step.why {
                Why::Rounding => plain(None::<String>),
                Why::Outlay | Why::Share | Why::Earlier | Why::Cap => money(step.of),
            };
            table.rows.push(vec![
                unit.clone(),
                money(one.unit.base),
                shown(words.get(context.lang), key),
                of,
                plain(step.bp),
                plain(step.scale_bp),
                money(step.amount),
            ]);
        }
    }
    table
}

/// A step in words, with its name for programs.
fn why(step: &Step) -> (&'static str, Text) {
    let agreed = step.agreed.map(|money| money.to_string()).unwrap_or_default();
    match step.why {
        Why::Outlay => (
            "outlay",
            text(
                format!("先还垫付(约定 {agreed},尚欠见计算数)"),
                format!("outlay repaid first (of {agreed} agreed; left: see `of`)"),
            ),
        ),
        Why::Share => ("share", text("按比例分享", "share")),
        Why::Earlier => ("earlier", text("先前转移优先", "earlier transfers are served first")),
        Why::Rounding => ("rounding", text("分以下进位", "fractions of a fen")),
        Why::Cap => (
            "cap",
            text(
                format!("超出封顶(封顶 {agreed},余额见计算数)"),
                format!("beyond the cap (of {agreed} agreed; left: see `of`)"),
            ),
        ),
    }
}

/// What is due by the end of the run's period, what earlier runs booked of it, what this run adds.
fn booked(
    state: &State,
    (id, line): (LineId, &Line),
    behind: &[Behind],
    json: &mut Vec<(&'static str, Json)>,
) -> Vec<Text> {
    let exact = |fen: i64| hefu_domain::amount::format_minor(i128::from(fen), 2);
    let own = |wanted: &dyn Fn(LineId) -> bool| -> Vec<(LineId, &Line)> {
        let same = |other: &Line| {
            other.project == line.project && other.account == line.account && other.class != LineClass::Ruling
        };
        let lines = state.settlement.lines.iter().map(|(known, other)| (*known, other));
        lines.filter(|(known, other)| wanted(*known) && same(other)).collect()
    };
    let sum = |lines: &[(LineId, &Line)]| -> i64 { lines.iter().map(|(_, line)| line.amount).sum() };
    let (before, run) = (own(&|known| known.run < id.run), own(&|known| known.run == id.run));
    let due: i64 = behind.iter().flat_map(|one| &one.steps).map(|step| step.amount).sum();
    json.extend([
        ("due", exact(due).into()),
        ("booked_before", exact(sum(&before)).into()),
        ("booked_in_run", exact(sum(&run)).into()),
    ]);
    let listed = |lines: &[(LineId, &Line)], lang: Lang| {
        let one = |(id, line): &(LineId, &Line)| {
            format!("{id} {} {}", lang.line_class(line.class), exact(line.amount))
        };
        lines.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let (due, old, new) = (exact(due), exact(sum(&before)), exact(sum(&run)));
    let mut notes = vec![text(
        format!("至本期末应得 {due} − 以前各期已入账 {old} = 本期入账 {new}"),
        format!(
            "due by the end of the period {due} − booked by earlier runs {old} = booked by this run {new}"
        ),
    )];
    if !before.is_empty() {
        let (zh, en) = (listed(&before, Lang::Zh), listed(&before, Lang::En));
        notes.push(text(format!("以前各期:{zh}"), format!("by earlier runs: {en}")));
    }
    if run.len() > 1 {
        let (zh, en) = (listed(&run, Lang::Zh), listed(&run, Lang::En));
        notes.push(text(format!("本期:{zh}"), format!("by this run: {en}")));
    }
    notes
}

/// The records that make a line what it is, by position: receipts, the terms and the course that phases follow from, the
/// runs that booked it, the disputes about it.
fn records(reader: &Reader, id: LineId, line: &Line, receipts: &[u64]) -> Result<BTreeMap<u64, RecordView>> {
    let account = line.account;
    let disputed = line.of.unwrap_or(id);
    let mut found: BTreeMap<u64, RecordView> = BTreeMap::new();
    for view in reader.history(line.project)? {
        let counts = match &view.event {
            Event::TaxReceived(_) | Event::TaxRefunded(_) => receipts.contains(&view.leaf.seq),
            Event::TransferProposed(e) => e.transfer == account.transfer,
            Event::TransferAccepted(e) => e.transfer == account.transfer,
            Event::ClaimConfirmed(e) => e.transfer == account.transfer,
            Event::ProjectLanded(_) | Event::ConstructionStarted(_) | Event::ProductionStarted(_) => true,
            Event::SettlementAccrued(e) => {
                let own = |entry: &hefu_domain::event::LineEntry| {
                    let lines = &reader.views.state.settlement.lines;
                    lines.get(&entry.line).is_some_and(|known| known.account == account)
                };
                e.run <= id.run && e.lines.iter().any(own)
            }
            Event::LineRuled(e) => e.line == disputed,
            _ => false,
        };
        if counts {
            found.insert(view.leaf.seq, view);
        }
    }
    let disputes = reader.views.state.disputes.iter();
    for (dispute, _) in disputes.filter(|(_, known)| known.matter.line == Some(disputed)) {
        found.extend(reader.dispute(*dispute)?.into_iter().map(|view| (view.leaf.seq, view)));
    }
    // Nothing that came after the point asked about.
    found.retain(|position, _| *position < reader.views.size);
    Ok(found)
}

/// Writes `<position>.tlog-proof` for every record.
fn prove(context: &Context, folder: &Path, positions: impl Iterator<Item = u64>) -> Result {
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::io(("创建", "create"), path, error).exiting(exit::CANNOT_CREATE)
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut count = 0;
    for position in positions {
        let proof = context.prove(position)?;
        let path = folder.join(format!("{position}.tlog-proof"));
        fs::write(&path, proof.to_string()).map_err(|error| failed(&path, &error))?;
        count += 1;
    }
    let name = folder.display();
    context.say(&text(
        format!("{count} 份证明在 {name};核验:hefu audit verify FILE --key …"),
        format!("{count} proofs in {name}; to check one: hefu audit verify FILE --key …"),
    ));
    Ok(())
}
