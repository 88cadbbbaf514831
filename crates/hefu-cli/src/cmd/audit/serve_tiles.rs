//! `hefu audit serve-tiles`: a site of tiles over HTTP, for auditors' tools.

use std::path::PathBuf;

use super::witness::{Listening, serve};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
};

/// `hefu audit serve-tiles`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the site, as `audit export` makes it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    listening: Listening,
}

/// Serves until it is told to stop.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    // A ledger's directory has a checkpoint, too, but no tiles of a site.
    if !args.folder.join("checkpoint").is_file() || !args.folder.join("tile").is_dir() {
        let name = args.folder.display().to_string();
        let message = text(format!("{name} 不是站点"), format!("{name} holds no site"));
        let hint = text("先运行 `hefu audit export`", "make one with `hefu audit export`");
        return Err(CliError::new("no_site", exit::IO, message).hint(hint).at("file", name));
    }
    serve(context, args.listening, hefu_server::tiles(args.folder.clone()))
}
