//! `hefu endorse`: a further signature inside commands that need several, as for dates in closed periods.
//!
//! Takes journal lines, adds the consent of the named keys, and prints the lines to hand on. Whoever holds the last
//! signature submits them with `hefu submit`. A consent is to every field as it stands: nobody may change one afterwards.

use std::path::PathBuf;

use hefu_engine::endorse;
use hefu_exchange::journal::{Draft, LineKind, Lines};
use serde_json::Value;

use super::submit::{input, unreadable};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render,
};

/// `hefu endorse`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Commands, one JSON object a line; - reads stdin
    pub(crate) file: PathBuf,
    /// Who consents, by its key; may be repeated
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) with: Vec<String>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let reader = context.reader()?;
    let keys = context.keys_for(&reader.origin)?;
    let load = |name: &String| keys.load(name).map_err(|error| CliError::from(error).at("field", "with"));
    let keys = args.with.iter().map(load).collect::<Result<Vec<_>>>()?;
    let name = args.file.display().to_string();
    let mut out = Vec::new();
    for line in Lines::new(input(&args.file)?, &name) {
        let line = line.map_err(|error| {
            let number = error.line;
            unreadable(error).at("file", name.clone()).at("line", number)
        })?;
        let at = |error: CliError| error.at("file", name.clone()).at("line", line.number);
        let LineKind::Unsigned(Draft { mut command, id, at: instant, not_after, key, signer }) = line.kind
        else {
            let message = text("该行已签署,不能再附签", "the line is signed: nothing can be added to it");
            return Err(at(CliError::new("already_signed", exit::BAD_INPUT, message)));
        };
        for key in &keys {
            endorse(&reader.origin, &mut command, key).map_err(|error| at(error.into()))?;
        }
        // What stands beside the command stays beside it.
        let id = id.map(|id| id.to_string());
        let beside = [("as", signer), ("id", id), ("at", instant), ("not_after", not_after), ("key", key)];
        command.extend(
            beside.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))),
        );
        out.extend_from_slice(Value::Object(command).to_string().as_bytes());
        out.push(b'\n');
    }
    render::write_out(&out)?;
    context
        .say(&text("交下一方附签,或用 `hefu submit` 提交", "for the next to endorse, or for `hefu submit`"));
    Ok(exit::DONE)
}
