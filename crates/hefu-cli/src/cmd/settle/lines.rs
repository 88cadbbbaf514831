//! Settlement lines, and every record behind one: receipts, terms, what was booked before, rulings; with proofs.

use std::{collections::BTreeMap, fs, path::Path};

use hefu_domain::{
    event::Event,
    region::RegionId,
    settlement::{Line, LineClass, LineId},
};
use hefu_engine::{Reader, RecordView};
use hefu_projections::{Views, settlement};

use super::show::{money, place};
use crate::{
    cmd::{dispute::age, project::summary},
    context::Context,
    error::{CliError, Result, exit},
    find::{self, AsOf},
    lang::{Lang, text},
    render::{self, Cell, Column, Json, Page, Table, plain, shown},
};

pub(super) fn lines_table() -> Table {
    Table::new(vec![
        Column::text("line", "编号", "line"),
        Column::text("project", "项目", "project"),
        Column::text("debtor", "应付方", "debtor"),
        Column::text("creditor", "应收方", "creditor"),
        Column::text("phase", "阶段", "phase"),
        Column::text("class", "类别", "class"),
        Column::number("amount", "金额", "amount"),
        Column::text("disputed", "争议起始", "disputed since"),
        Column::number("age_days", "天数", "age in days"),
    ])
}

/// A line; seen from a region, what it owes is negative.
pub(super) fn row(
    context: &Context,
    views: &Views,
    id: LineId,
    line: &Line,
    from: Option<RegionId>,
) -> Vec<Cell> {
    let (state, lang, account) = (&views.state, context.lang, line.account);
    let amount = if from == Some(account.debtor) { -line.amount } else { line.amount };
    vec![
        plain(id.to_string()),
        plain(line.project.to_string()),
        place(context, state, account.debtor),
        place(context, state, account.creditor),
        shown(lang.phase(account.phase), account.phase.to_string()),
        shown(lang.line_class(line.class), Lang::En.line_class(line.class)),
        money(amount),
        plain(line.disputed.map(|day| day.to_string())),
        plain(line.disputed.map(|day| age(day, views.ts.date()))),
    ]
}

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
    lines.rows.push(row(context, &reader.views, id, line, None));
    let behind = settlement::explain(state, line, id);
    let mut receipts = Table::new(vec![
        Column::text("date", "入库日", "paid on"),
        Column::text("kind", "税种", "tax"),
        Column::number("county", "县级留成", "county part"),
        Column::number("incentives", "奖补", "incentives"),
        Column::number("base", "可分享基数", "base"),
        Column::number("unit_base", "分段基数", "base of the unit"),
        Column::number("bp", "比例(万分比)", "share, bp"),
        Column::number("amount", "应得", "due"),
        Column::text("positions", "记录", "records"),
    ])
    .titled(text("依据", "Behind it"));
    for (unit, part) in &behind {
        for receipt in &unit.receipts {
            let positions: Vec<String> = receipt.positions.iter().map(ToString::to_string).collect();
            receipts.rows.push(vec![
                plain(receipt.date.to_string()),
                plain(receipt.kind.to_string()),
                money(receipt.county),
                money(receipt.incentives),
                money(receipt.base),
                money(unit.base),
                plain(part.bp),
                money(part.amount),
                plain(positions.join(" ")),
            ]);
        }
    }
    // What is due by the end of the run's period, what earlier runs booked of it, what this run adds.
    let same = |other: &Line| {
        other.project == line.project && other.account == line.account && other.class != LineClass::Ruling
    };
    let booked = |wanted: &dyn Fn(LineId) -> bool| -> i64 {
        let lines = state.settlement.lines.iter().filter(|(known, other)| wanted(**known) && same(other));
        lines.map(|(_, other)| other.amount).sum()
    };
    let due: i64 = behind.iter().map(|(_, part)| part.amount).sum();
    let (before, run) = (booked(&|known| known.run < id.run), booked(&|known| known.run == id.run));
    let found = records(&reader, id, line, &settlement::positions(behind.iter().map(|(unit, _)| unit)))?;
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
    let exact = |fen: i64| hefu_domain::amount::format_minor(i128::from(fen), 2);
    let mut json = vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("line", Json::List(lines.objects())),
        ("receipts", Json::List(receipts.objects())),
    ];
    let note = if line.class == LineClass::Ruling {
        let of = line.of.map(|of| of.to_string()).unwrap_or_default();
        json.push(("of", of.clone().into()));
        text(
            format!("裁定或和解对明细 {of} 的差额;见其记录"),
            format!("the difference that a ruling or an agreement made to line {of}; see its records"),
        )
    } else {
        json.extend([
            ("due", exact(due).into()),
            ("booked_before", exact(before).into()),
            ("booked_in_run", exact(run).into()),
        ]);
        text(
            format!(
                "至本期末应得 {} − 以前各期已入账 {} = 本期入账 {}",
                exact(due),
                exact(before),
                exact(run)
            ),
            format!(
                "due by the end of the period {} − booked by earlier runs {} = booked by this run {}",
                exact(due),
                exact(before),
                exact(run)
            ),
        )
    };
    json.push(("records", Json::List(table.objects())));
    let tables = vec![lines, receipts, table];
    render::print(context, &Page { tables, data: None, notes: vec![note], json: Json::Object(json) })?;
    Ok(exit::DONE)
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
