//! `hefu report`: what each area shows, where projects went, and what is behind a figure.

pub(crate) mod basis;
mod bridge;
mod circulation;
mod disputes;
mod explain;
mod frozen;
mod geography;
mod indicators;
mod outcomes;
mod public;
pub(crate) mod revised;
mod revisions;
mod sdmx;

use std::path::PathBuf;

use clap::Subcommand;
use hefu_domain::{period::Period, region::Level};

use crate::{
    context::Context,
    error::Result,
    lang::{Text, text},
};

/// `hefu report`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
    /// Write the result to this file, whole or not at all
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

impl Args {
    /// Whether it is the one report that SDMX has a form for.
    pub(crate) fn is_of_indicators(&self) -> bool {
        matches!(self.what, What::Indicators(_))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Indicators of a region on the territorial and the shared basis
    Indicators(indicators::Args),
    /// Who sent projects where, in which tier, and what came of it
    Circulation(circulation::Args),
    /// Disputes that are not over, with age, ruler and limit
    Disputes(disputes::Args),
    /// What each vintage said, by how much figures were revised, and why
    Revisions(revisions::Args),
    /// Serve indicators as SDMX to the tools of a statistics bureau
    Sdmx(sdmx::Args),
    /// Every record behind one figure
    Explain(explain::Args),
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let context = &Context { out: args.out, ..context.clone() };
    match args.what {
        What::Indicators(args) => indicators::run(context, &args),
        What::Circulation(args) => circulation::run(context, &args),
        What::Disputes(args) => disputes::run(context, &args),
        What::Revisions(args) => revisions::run(context, &args),
        What::Sdmx(args) => sdmx::run(context, &args),
        What::Explain(args) => explain::run(context, &args),
    }
}

/// The host's fixed-asset investment of a year with its bridge, down to the prefectures: what a demo ends with.
pub(crate) fn demo_table(context: &Context, year: Period) -> Result<u8> {
    let args = indicators::Args {
        region: "330000".to_owned(),
        period: year,
        indicator: vec!["INV_FAI".to_owned()],
        basis: Vec::new(),
        children: true,
        bridge: true,
        explain_elimination: false,
        public: false,
        as_of: None,
        vintage: None,
        geography: geography::Geography::Filed,
        labels: indicators::Labels::Code,
        unit: indicators::Money::TenThousand,
    };
    indicators::show(context, &args, indicators::Reach { lowest: Level::Prefecture, few: 2 })
}

/// What stands on every report that shows the shared basis (semantics section 8).
pub(crate) fn notice() -> Text {
    text("仅用于考核，不得对外公开", "For assessment only; not for publication")
}
