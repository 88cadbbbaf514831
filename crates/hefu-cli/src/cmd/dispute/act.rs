//! Acts of parties and rulers: each one signed command.

use hefu_domain::{dispute::DisputeId, period::Period, settlement::LineId, state::State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    files::{self, Exhibit},
    remedy::Chosen,
};
use crate::{
    context::Context,
    error::Result,
    find,
    lang::text,
    write::{self, Signing},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// UUID or government code of the project; of a line, it is known
    #[arg(required_unless_present = "line")]
    pub(crate) project: Option<String>,
    /// What is disputed
    #[arg(long, value_name = "KIND", value_parser = ["claim", "observation", "transfer"], required_unless_present = "line")]
    pub(crate) kind: Option<String>,
    /// A settlement line instead, such as 2-17
    #[arg(long, value_name = "RUN-NUMBER", conflicts_with_all = ["project", "kind", "transfer", "indicator", "period"])]
    pub(crate) line: Option<LineId>,
    /// Number of the transfer, from 0; by default the last that was accepted
    #[arg(long, value_name = "N")]
    pub(crate) transfer: Option<u32>,
    /// Code of the indicator, for an observation; narrows a claim
    #[arg(long, value_name = "INDICATOR", requires = "period")]
    pub(crate) indicator: Option<String>,
    /// 2023, 2023-Q3, 2023-07 or 2023-01..02
    #[arg(long, value_name = "PERIOD", requires = "indicator")]
    pub(crate) period: Option<Period>,
    /// What it should be, in the indicator's unit; of a line, in yuan
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// Why, as a code
    #[arg(long, value_name = "CODE", value_parser = ["value_wrong", "period_wrong", "location_wrong", "claim_missing", "claim_unfounded", "terms_misapplied", "duplicate", "other"])]
    pub(crate) reason: String,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    pub(crate) statement: Option<String>,
    /// A file and what it shows; may be repeated
    #[arg(long, value_name = "FILE[:TEXT]")]
    pub(crate) evidence: Vec<Exhibit>,
    /// Identity of the dispute, a UUID; by default a new one
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<Uuid>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Say {
    /// The dispute
    pub(crate) dispute: String,
    /// In words
    #[arg(long, value_name = "TEXT")]
    pub(crate) statement: String,
    /// A file and what it shows; may be repeated
    #[arg(long, value_name = "FILE[:TEXT]")]
    pub(crate) evidence: Vec<Exhibit>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Give {
    /// The dispute
    pub(crate) dispute: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Plain {
    /// The dispute
    pub(crate) dispute: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rule {
    /// The dispute
    pub(crate) dispute: String,
    #[command(flatten)]
    pub(crate) remedy: Chosen,
    /// The reasons
    #[arg(long, value_name = "TEXT")]
    pub(crate) reasons: String,
    /// Digest of a piece of evidence it rests on; may be repeated; by default all of them
    #[arg(long, value_name = "SHA256")]
    pub(crate) cite: Vec<String>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// `hefu dispute open`
pub(super) fn open(context: &Context, args: &Open) -> Result<u8> {
    let id = args.id.unwrap_or_else(Uuid::now_v7);
    let evidence = files::put(context, &args.evidence, &args.signing.signer)?;
    let code = write::one(context, &args.signing, |state| {
        let matter = matter(state, args)?;
        Ok(write::fields(
            "open_dispute",
            [
                ("dispute", Some(json!(id.to_string()))),
                ("matter", Some(matter)),
                ("reason", Some(json!(args.reason))),
                ("amount", args.amount.clone().map(Value::from)),
                ("statement", args.statement.clone().map(Value::from)),
                ("evidence", evidence),
            ],
        ))
    })?;
    context.say(&text(format!("争议编号 {id}"), format!("dispute {id}")));
    Ok(code)
}

/// What is disputed, as a command names it.
fn matter(state: &State, args: &Open) -> Result<Value> {
    if let Some(line) = args.line {
        let known = find::line(state, line)?;
        return Ok(json!({"kind": "line", "line": line.to_string(), "project": known.project.to_string()}));
    }
    let kind = args.kind.as_deref().unwrap_or_default();
    let (project, known) = find::project(state, args.project.as_deref().unwrap_or_default())?;
    let last = (0u32..).zip(&known.transfers).filter(|(_, transfer)| transfer.accepted_at.is_some()).last();
    let transfer = match kind {
        "observation" => args.transfer,
        _ => args.transfer.or(last.map(|(number, _)| number)),
    };
    Ok(json!({
        "indicator": args.indicator, "kind": kind, "period": args.period.map(|period| period.to_string()),
        "project": project.to_string(), "transfer": transfer,
    }))
}

/// `hefu dispute answer|appeal`
pub(super) fn say(context: &Context, kind: &str, args: &Say) -> Result<u8> {
    let evidence = files::put(context, &args.evidence, &args.signing.signer)?;
    act(context, kind, &args.dispute, &args.signing, |_| {
        vec![("statement", Some(json!(args.statement))), ("evidence", evidence)]
    })
}

/// `hefu dispute withdraw|decline`
pub(super) fn give(context: &Context, kind: &str, args: &Give) -> Result<u8> {
    act(context, kind, &args.dispute, &args.signing, |_| {
        vec![("reason", args.reason.clone().map(Value::from))]
    })
}

/// `hefu dispute approve|waive`
pub(super) fn plain(context: &Context, kind: &str, args: &Plain) -> Result<u8> {
    act(context, kind, &args.dispute, &args.signing, |_| Vec::new())
}

/// `hefu dispute rule`
pub(super) fn rule(context: &Context, args: &Rule) -> Result<u8> {
    let remedy = args.remedy.json(&context.reader()?.views.state)?;
    act(context, "propose_ruling", &args.dispute, &args.signing, |all| {
        let cited =
            if args.cite.is_empty() { all } else { args.cite.iter().map(|cited| digest(cited)).collect() };
        let evidence = (!cited.is_empty()).then(|| json!(cited));
        vec![("remedy", Some(remedy)), ("reasons", Some(json!(args.reasons))), ("evidence", evidence)]
    })
}

/// With or without the word in front.
pub(super) fn digest(text: &str) -> String {
    if text.starts_with("sha256:") { text.to_owned() } else { format!("sha256:{text}") }
}

/// One command about a dispute that is on record; `fields` gets the digests of its evidence.
pub(super) fn act(
    context: &Context,
    kind: &str,
    dispute: &str,
    signing: &Signing,
    fields: impl FnOnce(Vec<String>) -> Vec<(&'static str, Option<Value>)>,
) -> Result<u8> {
    write::one(context, signing, |state| {
        let id: DisputeId = find::dispute(state, dispute)?;
        let known = state.disputes.get(&id);
        let evidence = known.into_iter().flat_map(|known| &known.evidence);
        let evidence = evidence.map(|(digest, _)| digest.to_string()).collect();
        let mut pairs = fields(evidence);
        pairs.push(("dispute", Some(json!(id.to_string()))));
        Ok(write::fields(kind, pairs))
    })
}
