//! `hefu policy`: the parameters in force, as the file that `init --policy` reads.

use hefu_exchange::{policy, regions};

use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    render,
};

/// `hefu policy`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The built-in policy of Zhejiang instead of the ledger's
    #[arg(long, conflicts_with = "as_of")]
    pub(crate) built_in: bool,
    /// As in force at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let shown = if args.built_in {
        policy::to_toml(&policy::zhejiang(&regions::zhejiang()))
    } else {
        policy::to_toml(&find::reader(context, args.as_of)?.0.views.state.policy)
    };
    render::write_out(shown.as_bytes())?;
    Ok(0)
}
