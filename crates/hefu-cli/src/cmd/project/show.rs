//! One project: what it is, where it was, who claims what.

use hefu_domain::{
    amount::format_minor,
    indicator::Class,
    state::{Outcome, Project, State, Stay, Transfer},
    tax::schedule::{Part, Unit},
    tier::Tier,
};
use hefu_projections::settlement;
use serde_json::{Value, json};

use super::One;
use crate::{
    context::Context,
    error::Result,
    find,
    lang::{Lang, text},
    render::{self, Cell, Column, Page, Table, plain, shown},
};

/// Runs it.
pub(crate) fn run(context: &Context, args: &One) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let (id, project) = find::project(state, &args.project)?;
    let observations = reader.views.counting.observations(id).len();
    let units = settlement::shares(state, id);
    let mut tables = vec![
        particulars(context.lang, state, &id.to_string(), project, observations),
        stays(context.lang, state, project),
        transfers(context.lang, state, project),
    ];
    tables.extend((!units.is_empty()).then(|| shares(context.lang, state, &units)));
    let open = project.round.open();
    let json = json!({
        "position": position,
        "checkpoint": reader.head.to_string(),
        "project": id.to_string(),
        "name": project.name,
        "codes": project.codes.iter().map(|alias| &alias.code).collect::<Vec<_>>(),
        "enterprise": project.enterprise.to_string(),
        "industry": project.industry,
        "registered": project.registered.to_string(),
        "planned_investment": planned(project).to_string(),
        "suspended": project.suspended,
        "came_of": project.came_of.as_ref().map(|came| came.from.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "closed": project.closed.map(|date| date.to_string()),
        "region": state.code(project.holder()).to_string(),
        "stays": project.stays.iter().map(|stay| stay_json(state, stay)).collect::<Vec<_>>(),
        "transfers": project.transfers.iter().map(|one| transfer_json(state, project, one)).collect::<Vec<_>>(),
        "open_tier": open.name(),
        "observations": observations,
        "tax_shares": units.iter().map(|unit| unit_json(state, unit)).collect::<Vec<_>>(),
    });
    let closed: Vec<&str> = Tier::ALL
        .into_iter()
        .filter(|tier| project.round.closed[tier.index()].is_some())
        .map(|tier| context.lang.tier(tier))
        .collect();
    let closed = if closed.is_empty() { "-".to_owned() } else { closed.join(", ") };
    let notes = vec![text(
        format!("当前开放层级:{};已穷尽或豁免:{closed}", Lang::Zh.tier(open)),
        format!("open tier: {}; exhausted or waived: {closed}", Lang::En.tier(open)),
    )];
    render::print(context, &Page { tables, data: None, notes, json: json.into() })?;
    Ok(0)
}

/// Planned investment in force.
pub(crate) fn planned(project: &Project) -> hefu_domain::amount::Money {
    project.planned.last().map(|(_, amount)| *amount).unwrap_or_default()
}

fn particulars(lang: Lang, state: &State, id: &str, project: &Project, observations: usize) -> Table {
    let region = state.regions.get(project.holder());
    let enterprise = state.enterprises.get(&project.enterprise).map(|enterprise| enterprise.name.as_str());
    let status = match (project.closed, project.suspended) {
        (Some(date), _) if project.handed_on.is_some() => {
            format!("{} {date}", lang.pick("已拆分或合并", "split or merged"))
        }
        (Some(date), _) => format!("{} {date}", lang.pick("已关闭", "closed")),
        (None, true) => lang.pick("已暂停", "suspended").to_owned(),
        (None, false) => lang.pick("在建或在产", "active").to_owned(),
    };
    let rows = [
        (lang.pick("项目", "project"), id.to_owned()),
        (lang.pick("名称", "name"), project.name.clone()),
        (
            lang.pick("代码", "codes"),
            project.codes.iter().map(|alias| alias.code.as_str()).collect::<Vec<_>>().join(", "),
        ),
        (
            lang.pick("企业", "enterprise"),
            format!("{} {}", project.enterprise, enterprise.unwrap_or_default()),
        ),
        (lang.pick("行业", "industry"), project.industry.clone()),
        (lang.pick("登记日期", "registered"), project.registered.to_string()),
        (
            lang.pick("计划投资(元)", "planned investment (CNY)"),
            render::thousands(&planned(project).to_string()),
        ),
        (lang.pick("所在地", "located in"), format!("{} {}", region.code(), lang.region(region))),
        (lang.pick("状态", "status"), status),
        (lang.pick("观测值", "observations"), observations.to_string()),
    ];
    let mut table =
        Table::new(vec![Column::text("field", "项", "field"), Column::text("value", "值", "value")]);
    table.rows = rows.into_iter().map(|(field, value)| vec![plain(field), plain(value)]).collect();
    table
}

fn stays(lang: Lang, state: &State, project: &Project) -> Table {
    let mut table = Table::new(vec![
        Column::text("from", "自", "from"),
        Column::text("region", "地区", "region"),
        Column::text("site", "地块", "site"),
        Column::text("construction", "开工", "construction"),
        Column::text("production", "投产", "production"),
    ])
    .titled(text("所在地", "Places"));
    for stay in &project.stays {
        table.rows.push(vec![
            plain(stay.from.to_string()),
            region(lang, state, stay.region),
            plain(stay.site.clone()),
            plain(stay.construction.map(|date| date.to_string())),
            plain(stay.production.map(|date| date.to_string())),
        ]);
    }
    table
}

fn transfers(lang: Lang, state: &State, project: &Project) -> Table {
    let mut table = Table::new(vec![
        Column::number("transfer", "序号", "no."),
        Column::text("origin", "迁出地", "origin"),
        Column::text("destination", "迁入地", "destination"),
        Column::text("tier", "层级", "tier"),
        Column::text("outcome", "结果", "outcome"),
        Column::text("claim", "权益", "claim"),
        Column::text("landed", "落地", "landed"),
        Column::text("terms", "迁出/迁入比例与月数", "origin/destination, months"),
    ])
    .titled(text("流转", "Transfers"));
    for (number, transfer) in project.transfers.iter().enumerate() {
        table.rows.push(vec![
            plain(number),
            region(lang, state, transfer.origin),
            region(lang, state, transfer.destination),
            shown(lang.tier(transfer.tier), transfer.tier.name()),
            plain(lang.outcome(transfer.outcome)),
            plain(claim(lang, transfer)),
            plain(project.landed(transfer).map(|date| date.to_string())),
            plain(terms(lang, transfer)),
        ]);
    }
    table
}

/// Where the claim stands; a proposal that came to nothing has none.
fn claim(lang: Lang, transfer: &Transfer) -> &'static str {
    match transfer.outcome {
        Outcome::Open | Outcome::Accepted | Outcome::Landed { .. } => lang.claim(transfer.claim),
        Outcome::Declined | Outcome::Withdrawn | Outcome::Expired => "-",
    }
}

/// The terms in short: one entry if all classes have the same.
fn terms(lang: Lang, transfer: &Transfer) -> String {
    let classes = [
        (Class::Investment, lang.pick("投资", "investment")),
        (Class::ValueAdded, lang.pick("增值", "value added")),
        (Class::Research, lang.pick("研发", "research")),
        (Class::Attraction, lang.pick("招商", "attraction")),
    ];
    let credits = &transfer.terms.credits;
    let percent = |bp: u32| {
        let exact = format!("{}.{:02}", bp / 100, bp % 100);
        exact.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let one = |class| {
        let credit = credits.of(class);
        format!("{}/{}% {}", percent(credit.origin_bp), percent(credit.destination_bp), credit.months)
    };
    let same = classes.iter().all(|(class, _)| credits.of(*class) == credits.of(Class::Investment));
    if same {
        return one(Class::Investment);
    }
    classes.iter().map(|(class, name)| format!("{name} {}", one(*class))).collect::<Vec<_>>().join("; ")
}

/// Tax by what is divided as a whole: base, what stays with the host, what others hold.
fn shares(lang: Lang, state: &State, units: &[Unit]) -> Table {
    let mut table = Table::new(vec![
        Column::text("host", "入库地", "host"),
        Column::text("phase", "阶段", "phase"),
        Column::number("receipts", "笔数", "receipts"),
        Column::number("base", "可分享基数", "base"),
        Column::number("host_part", "入库地留", "host's part"),
        Column::text("parts", "分成:地区、比例、金额", "parts: region, share, amount"),
    ])
    .titled(text("税收分成(元)", "Tax shares (CNY)"));
    let money = |fen: i64| format_minor(i128::from(fen), 2);
    for unit in units {
        let phases: Vec<String> = unit.phases.iter().map(|(_, phase)| lang.phase(*phase)).collect();
        let part = |part: &Part| {
            let bp = part.bp;
            let share = format!("{}.{:02}%", bp / 100, bp % 100);
            format!("{} {share} {}", state.code(part.party), render::thousands(&money(part.amount)))
        };
        let parts: Vec<String> = unit.parts.iter().map(part).collect();
        let figure = |fen: i64| shown(render::thousands(&money(fen)), money(fen));
        table.rows.push(vec![
            region(lang, state, unit.host),
            plain(phases.join("; ")),
            plain(unit.receipts.len()),
            figure(unit.base),
            figure(unit.host_part),
            plain(parts.join("; ")),
        ]);
    }
    table
}

fn unit_json(state: &State, unit: &Unit) -> Value {
    let money = |fen: i64| format_minor(i128::from(fen), 2);
    let part = |part: &Part| {
        json!({
            "transfer": part.transfer, "phase": part.phase.to_string(), "region": state.code(part.party).to_string(),
            "share_bp": part.bp, "amount": money(part.amount), "cumulative": money(part.cumulative),
        })
    };
    json!({
        "host": state.code(unit.host).to_string(),
        "phases": unit.phases.iter().map(|(_, phase)| phase.to_string()).collect::<Vec<_>>(),
        "base": money(unit.base), "host_part": money(unit.host_part),
        "parts": unit.parts.iter().map(part).collect::<Vec<_>>(),
        "records": settlement::positions([unit]),
    })
}

fn region(lang: Lang, state: &State, id: hefu_domain::region::RegionId) -> Cell {
    let region = state.regions.get(id);
    shown(format!("{} {}", region.code(), lang.region(region)), region.code().to_string())
}

fn stay_json(state: &State, stay: &Stay) -> Value {
    json!({
        "region": state.code(stay.region).to_string(), "site": stay.site, "from": stay.from.to_string(),
        "transfer": stay.transfer,
        "construction": stay.construction.map(|date| date.to_string()),
        "production": stay.production.map(|date| date.to_string()),
    })
}

fn transfer_json(state: &State, project: &Project, transfer: &Transfer) -> Value {
    let codes = |ids: &std::collections::BTreeSet<_>| {
        ids.iter().map(|id| state.code(*id).to_string()).collect::<Vec<_>>()
    };
    json!({
        "origin": state.code(transfer.origin).to_string(),
        "destination": state.code(transfer.destination).to_string(),
        "site": transfer.site, "tier": transfer.tier.name(),
        "outcome": crate::lang::outcome_key(transfer.outcome), "claim": crate::lang::claim_key(transfer.claim),
        "landed": project.landed(transfer).map(|date| date.to_string()),
        "awaiting": codes(&transfer.awaiting), "expires": transfer.expires.map(|date| date.to_string()),
        "terms": transfer.terms, "proposed_at": transfer.proposed_at, "accepted_at": transfer.accepted_at,
        "subject": {"id": transfer.command.to_string(), "sha256": transfer.command_sha256.to_string()},
    })
}
