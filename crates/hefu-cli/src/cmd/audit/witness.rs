//! `hefu audit witness`: another office watches the log, and the log asks for its word.

mod asking;
mod check;
pub(super) mod evidence;
mod serve;
mod setup;
mod using;

use clap::Subcommand;
use hefu_witness::WitnessError;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
};

pub(super) use asking::Asking;
pub(crate) use serve::{Listening, serve};

/// `hefu audit witness`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a witness: a folder with a key of its own
    Init(setup::Init),
    /// Watch a log, or trust a further key of one
    AddLog(setup::AddLog),
    /// Cosign over HTTP what grows from what was seen (C2SP tlog-witness)
    Serve(serve::Args),
    /// What the witness remembers
    Status(setup::Status),
    /// What an evidence file proves, with nothing but the log's key
    Evidence(evidence::Args),
    /// Keep a policy of witnesses for this ledger: asked whenever it opens for writing or publishes
    Use(using::Args),
    /// Ask the witnesses of this ledger what they saw, and compare
    Check(check::Args),
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Init(args) => setup::init(context, &args),
        What::AddLog(args) => setup::add_log(context, &args),
        What::Serve(args) => serve::run(context, &args),
        What::Status(args) => setup::status(context, &args),
        What::Evidence(args) => evidence::run(context, &args),
        What::Use(args) => using::run(context, &args),
        What::Check(args) => check::run(context, &args),
    }
}

impl From<WitnessError> for CliError {
    fn from(error: WitnessError) -> CliError {
        let why = error.to_string();
        let (code, exit, zh, en) = match &error {
            WitnessError::File { .. } => {
                ("io", exit::IO, "见证人的文件无法访问", "a file of the witness failed")
            }
            WitnessError::BadFile { .. } => {
                ("bad_file", exit::IO, "见证人的文件不可用", "a file of the witness cannot be used")
            }
            WitnessError::Exists(_) => (
                "witness_exists",
                exit::CANNOT_CREATE,
                "该目录已有见证人",
                "the folder already holds a witness",
            ),
            WitnessError::Busy(_) => {
                ("busy", exit::IO, "见证人正由另一进程使用", "another process works with this witness")
            }
            WitnessError::Forgotten { .. } => (
                "witness_forgot",
                exit::IO,
                "见证人对该账本的记忆已丢失,不得再为其联署;请停用此密钥",
                "the witness has lost its memory of the log and must not cosign for it again; retire its key",
            ),
            WitnessError::NotALogKey | WitnessError::Key(_) => {
                ("bad_key", exit::BAD_INPUT, "这不是账本的验证密钥", "this is not a log's verifier key")
            }
            WitnessError::Cosignature(_) | WitnessError::Stopped => {
                ("stopped", exit::IO, "见证人已停止联署", "the witness has stopped")
            }
        };
        CliError::new(code, exit, text(zh, en)).why(text(why.clone(), why))
    }
}
