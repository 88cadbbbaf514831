//! `hefu audit redact`: the texts of one record leave the ledger; figures, hashes and proofs stay as they are.
//!
//! Two persons sign. At one machine both keys are named. At two, the auditor names his own only and gets a line to hand
//! over, which the office submits under its key: `hefu submit LINE --as OFFICE`.

use hefu_domain::{event::Event, redaction::Residue, rejection::Rejection};
use hefu_engine::{Reader, Refused, endorse};
use serde_json::{Value, json};

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Page},
    write::{self, Fields, Signing},
};

/// `hefu audit redact`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Position of the record
    pub(crate) position: u64,
    /// Why; this text stays on record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The office whose record it is; left out: print the command for it to submit
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) signer: Option<String>,
    /// The auditor who endorses it, such as 330108/auditor
    #[arg(long, value_name = "KEY")]
    pub(crate) auditor: Option<String>,
    /// Decide, but record nothing
    #[arg(long, requires = "signer")]
    pub(crate) dry_run: bool,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let reader = context.reader()?;
    let fields = command(context, &reader, &args)?;
    let Some(signer) = args.signer else {
        let next = "hefu submit LINE --as OFFICE";
        context.say(&text(format!("由该机构提交:{next}"), format!("for the office to submit: {next}")));
        let json = Value::Object(fields).into();
        return render::print(context, &Page { tables: Vec::new(), data: None, notes: Vec::new(), json })
            .map(|()| exit::DONE);
    };
    drop(reader);
    let done = write::complete(context, &Signing { signer, dry_run: args.dry_run }, fields)?;
    if !args.dry_run {
        context.say(&text(
            "文字已从账本目录移除;备份、导出的证据包和各人保存的日志需另行处理",
            "the texts are gone from the ledger's directory; backups, bundles and journals that people keep are not touched",
        ));
    }
    Ok(done)
}

/// The command as the record stands, with the auditor's endorsement if there is one to give it.
fn command(context: &Context, reader: &Reader, args: &Args) -> Result<Fields> {
    let position = args.position;
    let refused =
        |rejection: Rejection| CliError::refused(&Refused::Rule(rejection)).at("position", position);
    let view = reader.record(position)?.ok_or_else(|| refused(Rejection::NoSuchRecord { position }))?;
    if let Some(by) = view.redacted_by {
        return Err(refused(Rejection::AlreadyRedacted { position, by }));
    }
    let left = view.event.blanked().filter(|left| *left != view.event);
    let left = left.ok_or_else(|| refused(Rejection::NotRedactable { position }))?;
    show(context, &view.event, &left);
    let residue = serde_json::to_value(Residue(Box::new(left))).unwrap_or_default();
    let mut fields = write::fields(
        "redact_record",
        [
            ("position", Some(json!(position))),
            ("reason", Some(json!(args.reason))),
            ("residue", Some(residue)),
        ],
    );
    if let Some(name) = &args.auditor {
        let key = context
            .keys_for(&reader.origin)?
            .load(name)
            .map_err(|error| CliError::from(error).at("field", "auditor"))?;
        endorse(&reader.origin, &mut fields, &key)?;
    }
    Ok(fields)
}

/// Says which fields lose their text.
fn show(context: &Context, event: &Event, left: &Event) {
    let (Ok(before), Ok(after)) = (event.to_value(), left.to_value()) else { return };
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return };
    context.say(&text(format!("遮盖 {}:", event.kind()), format!("withheld of {}:", event.kind())));
    for (field, value) in before.iter().filter(|(field, value)| after.get(*field) != Some(*value)) {
        let now = after.get(field).unwrap_or(&Value::Null);
        let line = format!("  {field}: {value} → {now}");
        context.say(&text(line.clone(), line));
    }
}
