//! `hefu audit`: is everything as it was recorded, and does it follow from the rules?

mod bundle;
mod checkpoint;
mod export;
pub(crate) mod files;
mod key;
mod log_key;
mod monitor;
mod proof;
mod prove;
mod redact;
mod replay;
mod serve_tiles;
mod signed;
mod site;
mod verify;
mod witness;

pub(crate) use key::LogKey;
pub(crate) use verify::read_policy;
pub(crate) use witness::{Listening, serve};

use clap::Subcommand;

use crate::{context::Context, error::Result};

/// `hefu audit`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Hash everything again and list every bad record; needs no key and no lock
    Verify(verify::Args),
    /// Decide every command again and compare
    Replay(replay::Args),
    /// Read back what is new and sign the tree over all records
    Checkpoint(checkpoint::Args),
    /// Sign a checkpoint and write the tree as a static site for auditors (C2SP tlog-tiles)
    Export(export::Args),
    /// Withhold a record's texts for good; by the office whose record it is and an auditor
    Redact(redact::Args),
    /// List what a key signed, and what of it is suspect
    Key(signed::Args),
    /// Give the log a new key of its own; by the old one, or by root keys if that is lost or stolen
    RotateLogKey(log_key::Args),
    /// Prove that a record is in the tree of the newest checkpoint
    Prove(prove::Args),
    /// Put everything behind a project, a figure or a range into one file that verifies offline
    Bundle(bundle::Args),
    /// Serve an exported site over HTTP
    ServeTiles(serve_tiles::Args),
    /// Be a witness of a log, or ask the witnesses of this one
    Witness(witness::Args),
    /// Hold a site to what the run before saw; tell new records, raise alarms
    Monitor(monitor::Args),
}

/// Verifies the ledger of the context.
pub(crate) fn verify_here(context: &Context) -> Result<u8> {
    verify::run(context, &verify::Args::default())
}

/// Replays the ledger of the context.
pub(crate) fn replay_here(context: &Context) -> Result<u8> {
    replay::run(context, &replay::Args {})
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Verify(args) => verify::run(context, &args),
        What::Replay(args) => replay::run(context, &args),
        What::Checkpoint(args) => checkpoint::run(context, &args),
        What::Export(args) => export::run(context, &args),
        What::Redact(args) => redact::run(context, args),
        What::Key(args) => signed::run(context, &args),
        What::RotateLogKey(args) => log_key::run(context, &args),
        What::Prove(args) => prove::run(context, &args),
        What::Bundle(args) => bundle::run(context, &args),
        What::ServeTiles(args) => serve_tiles::run(context, &args),
        What::Witness(args) => witness::run(context, args),
        What::Monitor(args) => monitor::run(context, &args),
    }
}
