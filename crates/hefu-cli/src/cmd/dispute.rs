//! `hefu dispute`: a quarrel about a figure, from its opening to its end.
//!
//! Each act is one signed command. Evidence files go to the folder beside the ledger; the command holds their digests.

mod act;
mod course;
mod evidence;
mod files;
mod list;
mod remedy;
mod settle;
mod show;

use clap::Subcommand;

use crate::{context::Context, error::Result};

pub(crate) use files::media_type;
pub(crate) use list::{age, columns, row_cells};

/// `hefu dispute`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Dispute a claim, an observation, a transfer or a settlement line; by a party to it
    Open(act::Open),
    /// Answer a dispute; by the party it is directed against
    Answer(act::Say),
    /// Add, get, withdraw and check evidence
    Evidence(evidence::Args),
    /// End a dispute by agreement of all parties
    Settle(settle::Args),
    /// Withdraw a dispute; by its opener
    Withdraw(act::Give),
    /// Propose a ruling; by the ruling authority
    Rule(act::Rule),
    /// Approve the proposed ruling; by another person of the ruling authority
    Approve(act::Plain),
    /// Decline the proposed ruling; by the ruling authority
    Decline(act::Give),
    /// Appeal a ruling to the next level; by a party
    Appeal(act::Say),
    /// Give up the appeal; by a party
    Waive(act::Plain),
    /// One dispute: its course, its limits, who acts next
    Show(show::Args),
    /// Disputes, their stage and who acts next
    List(list::Args),
}

/// One dispute, as a demo shows it.
pub(crate) fn demo_show(context: &Context, id: &str) -> Result<u8> {
    show::run(context, &show::Args { dispute: id.to_owned(), as_of: None })
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Open(args) => act::open(context, &args),
        What::Answer(args) => act::say(context, "answer_dispute", &args),
        What::Evidence(args) => evidence::run(context, args),
        What::Settle(args) => settle::run(context, args),
        What::Withdraw(args) => act::give(context, "withdraw_dispute", &args),
        What::Rule(args) => act::rule(context, &args),
        What::Approve(args) => act::plain(context, "approve_ruling", &args),
        What::Decline(args) => act::give(context, "decline_ruling", &args),
        What::Appeal(args) => act::say(context, "appeal_ruling", &args),
        What::Waive(args) => act::plain(context, "waive_appeal", &args),
        What::Show(args) => show::run(context, &args),
        What::List(args) => list::run(context, &args),
    }
}
