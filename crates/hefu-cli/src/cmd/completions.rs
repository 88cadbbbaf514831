//! `hefu completions`: what the shell needs to complete our words.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{args::Cli, error::Result, render};

/// `hefu completions`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    pub(crate) shell: Shell,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<u8> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "hefu", &mut script);
    render::write_out(&script)?;
    Ok(0)
}
