//! `hefu dispute settle`: an agreement that every party signs.
//!
//! At one machine all keys are named. At several, a party names only its own with `--with` and gets a line to hand over;
//! the next adds its signature to the line, the last signs and submits it.

use std::path::PathBuf;

use hefu_engine::endorse;
use serde_json::{Value, json};

use super::remedy::Chosen;
use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    find,
    lang::text,
    render::{self, Page},
    write::{self, Fields, Signing},
};

/// `hefu dispute settle`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dispute
    #[arg(required_unless_present = "line")]
    pub(crate) dispute: Option<String>,
    #[command(flatten)]
    pub(crate) remedy: Option<Chosen>,
    /// In words
    #[arg(long, value_name = "TEXT")]
    pub(crate) statement: Option<String>,
    /// The agreement as another party handed it over, instead of its parts
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dispute", "kind", "statement"])]
    pub(crate) line: Option<PathBuf>,
    /// A party that agrees, by its key; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(crate) with: Vec<String>,
    /// The party whose key signs and submits; left out: print the line to hand over
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) signer: Option<String>,
    /// Decide, but record nothing
    #[arg(long, requires = "signer")]
    pub(crate) dry_run: bool,
}

/// Runs it.
pub(super) fn run(context: &Context, args: Args) -> Result<u8> {
    let reader = context.reader()?;
    let mut fields = match (&args.line, &args.dispute, &args.remedy) {
        (Some(path), _, _) => line(path)?,
        (None, Some(dispute), Some(remedy)) => {
            let id = find::dispute(&reader.views.state, dispute)?;
            write::fields(
                "settle_dispute",
                [
                    ("dispute", Some(json!(id.to_string()))),
                    ("remedy", Some(remedy.json(&reader.views.state)?)),
                    ("statement", args.statement.clone().map(Value::from)),
                ],
            )
        }
        (None, _, _) => {
            return Err(CliError::usage(text(
                "须用 --remedy 说明达成的结果",
                "say what was agreed with --remedy",
            )));
        }
    };
    for name in &args.with {
        let key = context
            .keys_for(&reader.origin)?
            .load(name)
            .map_err(|error| CliError::from(error).at("field", "with"))?;
        endorse(&reader.origin, &mut fields, &key)?;
    }
    drop(reader);
    if let Some(signer) = args.signer {
        return write::complete(context, &Signing { signer, dry_run: args.dry_run }, fields);
    }
    let next = "hefu dispute settle --line FILE --as KEY";
    context.say(&text(format!("交另一方签署:{next}"), format!("for the other party to sign: {next}")));
    let json = Value::Object(fields).into();
    render::print(context, &Page { tables: Vec::new(), data: None, notes: Vec::new(), json })?;
    Ok(exit::DONE)
}

fn line(path: &std::path::Path) -> Result<Fields> {
    let bytes = read_file(path)?;
    let bad = |why: String| {
        let name = path.display().to_string();
        let message = text(format!("{name} 不是一份和解"), format!("{name} does not hold an agreement"));
        CliError::new("bad_agreement", exit::BAD_INPUT, message).why(text(why.clone(), why)).at("file", name)
    };
    let fields: Fields = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if fields.get("type").and_then(Value::as_str) != Some("settle_dispute") {
        return Err(bad("type: settle_dispute".to_owned()));
    }
    Ok(fields)
}
