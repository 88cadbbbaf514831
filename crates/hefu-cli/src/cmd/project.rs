//! `hefu project`: one project, or all of them; and projects that come of others.

mod history;
mod list;
mod restructure;
mod show;
mod suggest;

use clap::Subcommand;

pub(crate) use history::{signer, summary};

use crate::{context::Context, error::Result, find::AsOf};

/// `hefu project`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Particulars, places, transfers and the open tier of a project
    Show(One),
    /// Projects and where they are
    List(list::Args),
    /// Every record of a project
    History(One),
    /// Rank the counties that could take a project
    Suggest(One),
    /// Split a project into projects of their own; by the office that holds it
    Split(restructure::Split),
    /// Merge projects with the same claims; by the office that holds them
    Merge(restructure::Merge),
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Show(args) => show::run(context, &args),
        What::List(args) => list::run(context, &args),
        What::History(args) => history::run(context, &args),
        What::Suggest(args) => suggest::run(context, &args),
        What::Split(args) => restructure::split(context, args),
        What::Merge(args) => restructure::merge(context, &args),
    }
}
