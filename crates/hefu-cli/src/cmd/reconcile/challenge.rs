//! From a break to a dispute: what is disputed, whether the region may, and the book as evidence.
//!
//! A break says that book and ledger differ; only a party may say that the ledger is wrong. What a region reports itself
//! it corrects, what the book has wrong the book's keeper corrects: such breaks are refused with what to do instead.

use hefu_domain::{
    amount::Decimal,
    dispute::{Dispute, DisputeId},
    event::Event,
};
use hefu_exchange::matching::{Group, Key};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{BookBasis, Found, exhibit, subject::subject};
use crate::{
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Page},
    write::{self, Signing},
};

/// Turning a break into a dispute.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Challenge {
    /// Turn this break into a dispute, with the book as evidence
    #[arg(long = "dispute", value_name = "BREAK", conflicts_with = "as_of")]
    pub(crate) open: Option<String>,
    /// Identity of the dispute, a UUID; by default a new one
    #[arg(long, value_name = "UUID", requires = "open")]
    pub(crate) id: Option<Uuid>,
    /// What to dispute; by default what the break suggests
    #[arg(long, value_name = "KIND", requires = "open", value_parser = ["claim", "observation"])]
    pub(crate) kind: Option<String>,
    /// What it should be, in the indicator's unit; by default what the book says
    #[arg(long, value_name = "AMOUNT", requires = "open", allow_hyphen_values = true)]
    pub(crate) amount: Option<Decimal>,
    /// Why, in words
    #[arg(long, value_name = "TEXT", requires = "open")]
    pub(crate) statement: Option<String>,
    /// The key that signs; by default that of the region's office
    #[arg(long = "as", value_name = "KEY", requires = "open")]
    pub(crate) signer: Option<String>,
    /// Decide, but record nothing
    #[arg(long, requires = "open")]
    pub(crate) dry_run: bool,
}

/// Opens the dispute, or says which one there is already.
pub(super) fn open(found: &Found<'_>, id: &str) -> Result<u8> {
    let context = found.context;
    let state = found.state();
    let one = found.breaks.iter().find(|one| one.id == id);
    let one = one.ok_or_else(|| no_break(found, id))?;
    let group = &found.groups[one.group];
    own_key(found)?;
    let subject = subject(found, group).map_err(|error| error.at("break", id))?;
    let options = &found.args.challenge;
    let code = state.code(found.region).to_string();
    let signing =
        Signing { signer: options.signer.clone().unwrap_or_else(|| code.clone()), dry_run: options.dry_run };
    let open = state.open_disputes.get(&subject.matter).copied();
    let known = open.map(|dispute| spoken(found, dispute)).transpose()?;
    if let Some(dispute) = open.filter(|_| known == Some(true)) {
        let json =
            json!({"break": id, "dispute": dispute.to_string(), "opened": false, "matter": subject.matter});
        let notes = vec![text(
            format!("该差异已在争议 {dispute} 中,未另行提出"),
            format!("this break is disputed already: {dispute}; nothing was recorded"),
        )];
        let page = Page { tables: Vec::new(), data: None, notes, json: json.into() };
        render::print(context, &page)?;
        return Ok(exit::DONE);
    }
    let evidence = exhibit::evidence(found, id, group, signing.dry_run)?;
    let dispute = options.id.unwrap_or_else(Uuid::now_v7).to_string();
    let statement = options.statement.clone().unwrap_or_else(|| exhibit::statement(found, id, group));
    let fields = write::fields(
        "open_dispute",
        [
            ("dispute", Some(json!(dispute))),
            ("matter", Some(json!(subject.matter))),
            ("reason", Some(json!(subject.reason))),
            ("amount", subject.amount.as_ref().map(|amount| amount.to_string().into())),
            ("statement", Some(json!(statement))),
            ("evidence", Some(json!(evidence))),
        ],
    );
    let accepted = write::recorded(context, &signing, |_| Ok(fields))?;
    let more = vec![
        ("break", json!(id)),
        ("dispute", json!(dispute)),
        ("opened", json!(!signing.dry_run)),
        ("joined", json!(open.map(|into| into.to_string()))),
        ("matter", json!(subject.matter)),
        ("amount", subject.amount.map_or(Value::Null, |amount| amount.to_string().into())),
        ("evidence", json!(evidence)),
    ];
    let said = match open {
        Some(into) => {
            text(format!("争议编号 {dispute},并入 {into}"), format!("dispute {dispute}, joined to {into}"))
        }
        None => text(format!("争议编号 {dispute}"), format!("dispute {dispute}")),
    };
    write::told(context, &accepted, signing.dry_run, more, vec![said])
}

/// A book is its region's own: nobody else signs for it.
fn own_key(found: &Found<'_>) -> Result {
    let Some(name) = &found.args.challenge.signer else { return Ok(()) };
    let region = found.context.signing_keys()?.load(name)?.file.region;
    let code = found.state().code(found.region);
    if region == Some(code) {
        return Ok(());
    }
    let message = text(
        format!("密钥 `{name}` 不属于账册的地区 {code}"),
        format!("the key `{name}` is not of {code}, whose book it is"),
    );
    Err(CliError::new("foreign_office", exit::NO_PERMISSION, message).at("field", "as"))
}

/// The open disputes of the region: those it is a party to, and those that one it opened was joined to.
pub(super) fn own(found: &Found<'_>) -> Result<Vec<DisputeId>> {
    let mut own = Vec::new();
    for (id, dispute) in found.state().disputes.iter().filter(|(_, dispute)| dispute.stage.is_open()) {
        if dispute.is_party(found.region) || spoken(found, *id)? {
            own.push(*id);
        }
    }
    Ok(own)
}

/// Whether the region has opened this dispute, or one that was joined to it.
fn spoken(found: &Found<'_>, dispute: DisputeId) -> Result<bool> {
    let code = found.state().code(found.region);
    let records = found.reader.dispute(dispute)?;
    Ok(records.iter().any(|record| match &record.event {
        Event::DisputeOpened(opened) => opened.by == code,
        Event::DisputeJoined(joined) => joined.by == code,
        _ => false,
    }))
}

/// The open disputes of the region that are about what a break is about.
pub(super) fn disputes(found: &Found<'_>, group: &Group) -> Vec<String> {
    let Key::Known(id) = group.project else { return Vec::new() };
    let settlement = found.args.basis == BookBasis::Settlement;
    let about = |dispute: &&DisputeId| {
        let Some(Dispute { matter, .. }) = found.state().disputes.get(dispute) else { return false };
        if settlement || matter.line.is_some() {
            let mut lines = group.ledger.iter().filter_map(|at| found.statement.get(*at));
            return lines.any(|line| matter.line == Some(*line));
        }
        let same = matter.project == id && matter.indicator.is_none_or(|own| own == group.indicator);
        let mut periods = group.book_periods.iter().chain(&group.ledger_periods);
        same && periods.any(|period| matter.period.is_none_or(|own| own.overlaps(*period)))
    };
    found.disputes.iter().filter(about).map(ToString::to_string).collect()
}

fn no_break(found: &Found<'_>, id: &str) -> CliError {
    let gone = found.memory.as_ref().and_then(|memory| memory.breaks.get(id)).is_some();
    let message = text(format!("此次对账没有差异 `{id}`"), format!("this book has no break `{id}`"));
    let why = if gone {
        text(
            "它此前存在,现已消除,或不在此次对账的范围内",
            "it was there before: it is resolved now, or outside the scope",
        )
    } else {
        text("差异编号由对账给出", "breaks have the ids that reconciling prints")
    };
    let ids: Vec<&str> = found.breaks.iter().take(5).map(|one| one.id.as_str()).collect();
    let hint = if ids.is_empty() {
        text("此次对账没有差异", "there is no break at all")
    } else {
        let ids = ids.join(", ");
        text(format!("有:{ids}"), format!("there are: {ids}"))
    };
    CliError::new("unknown_break", exit::REFUSED, message).why(why).hint(hint).at("value", id)
}
