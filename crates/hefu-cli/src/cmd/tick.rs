//! `hefu tick`: lets time pass.

use crate::{
    context::Context,
    error::Result,
    write::{self, Signing},
};

/// `hefu tick`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Decide, but record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs it. Time is the log's own business, so its key signs.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let signing = Signing { signer: "log".to_owned(), dry_run: args.dry_run };
    write::complete(context, &signing, write::fields("tick", []))
}
