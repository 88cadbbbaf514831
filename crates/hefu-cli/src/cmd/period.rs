//! `hefu period`: closing periods.

use clap::Subcommand;
use hefu_domain::period::Period;

use crate::{
    context::Context,
    error::Result,
    write::{self, Signing},
};

/// `hefu period`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Close a period, in order; by the host's statistics bureau
    Close(Close),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Close {
    /// The period
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let What::Close(Close { period, signing }) = args.what;
    let fields = write::fields("close_period", [("period", Some(period.to_string().into()))]);
    write::complete(context, &signing, fields)
}
