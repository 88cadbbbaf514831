//! `hefu settle`: from a run over statements and signatures to payments; and what is behind a line.

mod explain;
mod lines;
mod sheet;
mod show;

use std::path::PathBuf;

use clap::Subcommand;
use hefu_domain::{amount::Money, period::Period, settlement::LineId, time::Date};
use serde_json::Value;

pub(crate) use explain::explain as explain_line;

use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    write::{self, Signing},
};

/// `hefu settle`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Compute what hosts owe claimants for a period; by the host's treasury
    Run(Step),
    /// A region's statement: opening, accrued, corrections, rulings, paid, closing
    Statement(Statement),
    /// Who owes whom, gross and net, by clearing house
    Netting(Netting),
    /// How one line came to its amount, and every record behind it
    Explain(Explain),
    /// Counter-sign a region's statement; by its treasury
    Confirm(Step),
    /// Freeze a run: its undisputed lines become balances; by the host's treasury
    Finalise(Step),
    /// Record a payment to or from a clearing house; by the clearing house's treasury
    Pay(Pay),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Step {
    /// The period settled
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Statement {
    /// The period settled
    pub(crate) period: Period,
    /// The region: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: String,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
    /// Write the result to this file, whole or not at all; `--format xlsx` is to be printed and signed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Netting {
    /// The period settled
    pub(crate) period: Period,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The line, such as 2-17
    pub(crate) line: LineId,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
    /// Write a proof of every record behind it into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) proofs: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Pay {
    /// Amount in yuan
    pub(crate) amount: Money,
    /// Who paid: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) from: String,
    /// Who was paid: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) to: String,
    /// The day it was paid
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// Number of the bank voucher
    #[arg(long, value_name = "TEXT")]
    pub(crate) voucher: Option<String>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// One statement, as a demo shows it.
pub(crate) fn demo_statement(context: &Context, period: Period, region: String) -> Result<u8> {
    show::statement(context, &Statement { period, region, as_of: None, out: None })
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let (kind, Step { period, signing }) = match args.what {
        What::Run(step) => ("run_settlement", step),
        What::Confirm(step) => ("confirm_statement", step),
        What::Finalise(step) => ("finalise_settlement", step),
        What::Statement(args) => {
            let context = &Context { out: args.out.clone(), ..context.clone() };
            return show::statement(context, &args);
        }
        What::Netting(args) => return show::netting(context, &args),
        What::Explain(args) => {
            return explain::explain(context, args.line, (args.as_of, args.proofs.as_deref()));
        }
        What::Pay(args) => return pay(context, &args),
    };
    let fields = write::fields(kind, [("period", Some(period.to_string().into()))]);
    write::complete(context, &signing, fields)
}

fn pay(context: &Context, args: &Pay) -> Result<u8> {
    write::one(context, &args.signing, |state| {
        let code =
            |name: &str| find::region(state, name).map(|region| Value::from(region.code().to_string()));
        let fields = [
            ("amount", Some(args.amount.to_string().into())),
            ("date", Some(args.date.to_string().into())),
            ("from", Some(code(&args.from)?)),
            ("to", Some(code(&args.to)?)),
            ("voucher", args.voucher.clone().map(Value::from)),
        ];
        Ok(write::fields("record_payment", fields))
    })
}
