//! `hefu transfer`: one move of a project, from its proposal to its answer.

use std::path::PathBuf;

use clap::Subcommand;
use hefu_domain::terms::ProposedTerms;
use serde_json::{Value, json};

use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    find,
    lang::text,
    write::{self, Signing},
};

/// `hefu transfer`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Offer a project to a county; by the office that holds it
    Propose(Propose),
    /// Accept the open proposal; by the destination
    Accept(Answer),
    /// Decline the open proposal; by the destination
    Decline(Answer),
    /// Withdraw the open proposal; by the office that holds the project
    Withdraw(Answer),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Propose {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// The county that is to take it: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) to: String,
    /// Plot, park or zone there
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Terms in JSON; what is missing takes the policy's default
    #[arg(long, value_name = "FILE", conflicts_with_all = ["origin_bp", "destination_bp", "months"])]
    pub(crate) terms: Option<PathBuf>,
    /// Weight of the origin in basis points, for all classes
    #[arg(long, value_name = "BP")]
    pub(crate) origin_bp: Option<u32>,
    /// Weight of the destination in basis points, for all classes
    #[arg(long, value_name = "BP")]
    pub(crate) destination_bp: Option<u32>,
    /// Length of the window in months, for all classes
    #[arg(long, value_name = "N")]
    pub(crate) months: Option<u32>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Answer {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let (kind, answer) = match args.what {
        What::Propose(args) => return propose(context, &args),
        What::Accept(answer) => ("accept_transfer", answer),
        What::Decline(answer) => ("decline_transfer", answer),
        What::Withdraw(answer) => ("withdraw_transfer", answer),
    };
    if kind == "accept_transfer" && answer.reason.is_some() {
        return Err(CliError::usage(text("接受无需说明理由", "an acceptance takes no reason")));
    }
    write::one(context, &answer.signing, |state| {
        let (project, _) = find::project(state, &answer.project)?;
        let reason = answer.reason.clone().map(Value::from);
        Ok(write::fields(kind, [("project", Some(project.to_string().into())), ("reason", reason)]))
    })
}

fn propose(context: &Context, args: &Propose) -> Result<u8> {
    let terms = match &args.terms {
        Some(path) => {
            let name = path.display().to_string();
            let terms: ProposedTerms = serde_json::from_slice(&read_file(path)?).map_err(|error| {
                let why = error.to_string();
                let message = text(format!("{name} 不是条款"), format!("{name} does not hold terms"));
                CliError::new("bad_terms", exit::BAD_INPUT, message)
                    .why(text(why.clone(), why))
                    .at("file", name.clone())
            })?;
            Some(json!(terms))
        }
        None => None,
    };
    write::one(context, &args.signing, |state| {
        let (project, _) = find::project(state, &args.project)?;
        let destination = find::region(state, &args.to)?.code();
        let terms = terms.or_else(|| flat(state.policy.default_credits, args));
        Ok(write::fields(
            "propose_transfer",
            [
                ("project", Some(project.to_string().into())),
                ("destination", Some(destination.to_string().into())),
                ("site", args.site.clone().map(Value::from)),
                ("terms", terms),
            ],
        ))
    })
}

/// The same weights and window for all classes, where the command line names any; the rest is the policy's default.
fn flat(defaults: hefu_domain::terms::Credits, args: &Propose) -> Option<Value> {
    let Propose { origin_bp, destination_bp, months, .. } = args;
    if origin_bp.is_none() && destination_bp.is_none() && months.is_none() {
        return None;
    }
    let credit = |mut credit: hefu_domain::terms::Credit| {
        credit.origin_bp = origin_bp.unwrap_or(credit.origin_bp);
        credit.destination_bp = destination_bp.unwrap_or(credit.destination_bp);
        credit.months = months.unwrap_or(credit.months);
        credit
    };
    Some(json!({"credits": {
        "attraction": credit(defaults.attraction),
        "investment": credit(defaults.investment),
        "research": credit(defaults.research),
        "value_added": credit(defaults.value_added),
    }}))
}
