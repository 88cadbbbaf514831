//! `hefu audit prove`: one record with its path to a signed checkpoint, in a file that needs nothing beside it.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::checkpoint::verbatim;
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
};

/// `hefu audit prove`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Position of the record
    pub(crate) position: u64,
    /// Write the proof to this file, such as 7.tlog-proof
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let proof = context.prove(args.position)?;
    let file = proof.to_string();
    let Some(path) = &args.out else {
        verbatim(context, &file, &json!({"index": proof.index(), "proof": file}))?;
        return Ok(exit::DONE);
    };
    fs::write(path, &file)
        .map_err(|error| CliError::io(("创建", "create"), path, &error).exiting(exit::CANNOT_CREATE))?;
    let next = format!("hefu audit verify {} --key …", path.display());
    context.say(&text(format!("核验:{next}"), format!("to check it: {next}")));
    Ok(exit::DONE)
}
