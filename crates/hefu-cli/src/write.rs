//! One command from the command line into the ledger: signed here, submitted, answered.

use hefu_domain::state::State;
use hefu_engine::{Accepted, Draft, Mode, system_clock};
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    error::{CliError, Result},
    lang::{Text, text},
    render::{self, Column, Page, Table, plain, shown},
    writing::{Answered, Writing},
};

/// Who signs, and whether it is only tried.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Signing {
    /// The office whose key signs, such as 330108 or 330108/coordinator
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) signer: String,
    /// Decide, but record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A command's fields.
pub(crate) type Fields = Map<String, Value>;

/// Builds the fields from the state, signs, submits, prints the answer.
pub(crate) fn one(
    context: &Context,
    signing: &Signing,
    fields: impl FnOnce(&State) -> Result<Fields>,
) -> Result<u8> {
    let accepted = recorded(context, signing, fields)?;
    told(context, &accepted, signing.dry_run, Vec::new(), Vec::new())
}

/// The same with fields that need no look at the state.
pub(crate) fn complete(context: &Context, signing: &Signing, fields: Fields) -> Result<u8> {
    let accepted = submitted(context, signing, false, |_| Ok(fields))?;
    told(context, &accepted, signing.dry_run, Vec::new(), Vec::new())
}

/// Builds the fields from the state, signs, submits.
pub(crate) fn recorded(
    context: &Context,
    signing: &Signing,
    fields: impl FnOnce(&State) -> Result<Fields>,
) -> Result<Accepted> {
    submitted(context, signing, true, fields)
}

fn submitted(
    context: &Context,
    signing: &Signing,
    looks: bool,
    fields: impl FnOnce(&State) -> Result<Fields>,
) -> Result<Accepted> {
    let ledger = Writing::open(context)?;
    let outcome = submit(&ledger, signing, looks, fields);
    // Closing comes first: a refusal leaves the ledger as clean as an acceptance.
    let closed = ledger.close();
    let accepted = outcome?;
    closed?;
    Ok(accepted)
}

/// Prints the answer, and what else is to be known about the command.
pub(crate) fn told(
    context: &Context,
    accepted: &Accepted,
    dry_run: bool,
    more: Vec<(&'static str, Value)>,
    said: Vec<Text>,
) -> Result<u8> {
    let mut table = Table::new(vec![
        Column::text("id", "命令编号", "command"),
        Column::number("position", "位置", "position"),
        Column::number("records", "记录数", "records"),
        Column::text("head", "链头", "head"),
    ]);
    let head = accepted.receipt.as_ref().map(|receipt| receipt.head.to_string());
    let short = head.clone().map_or_else(String::new, |head| head[..16].to_owned());
    table.rows.push(vec![
        plain(accepted.id.to_string()),
        plain(accepted.position),
        plain(accepted.records),
        shown(short, head),
    ]);
    let mut json = receipt_json(accepted, dry_run);
    for (key, value) in more {
        json[key] = value;
    }
    let dry = text("仅试算,未入账", "only tried; nothing was recorded");
    let mut notes = said;
    notes.extend(dry_run.then_some(dry));
    render::print(context, &Page { tables: vec![table], data: None, notes, json: json.into() })?;
    Ok(0)
}

fn submit(
    ledger: &Writing<'_>,
    signing: &Signing,
    looks: bool,
    fields: impl FnOnce(&State) -> Result<Fields>,
) -> Result<Accepted> {
    let command = ledger.known(looks, fields)?;
    let (mut signer, _) = ledger.signer()?;
    let looks = signer.looks(&command);
    let draft = Draft { command, id: None, signer: signing.signer.clone() };
    let signed = ledger.known(looks, |state| Ok(signer.sign(draft, state, system_clock())?))?;
    let id = signed.id().to_string();
    let mode = if signing.dry_run { Mode::DryRun } else { Mode::Each };
    let answers = ledger.submit(vec![signed.into_bytes()], mode).wait();
    match answers.map_err(|error| error.at("id", id))?.into_iter().next() {
        Some(Answered::Accepted(accepted)) => Ok(accepted),
        Some(Answered::Refused(why, _)) => Err(CliError::refused(why)),
        Some(Answered::Skipped) | None => {
            Err(hefu_engine::EngineError::Stopped("no answer".to_owned()).into())
        }
    }
}

/// What is kept of an acceptance: enough to prove it later.
pub(crate) fn receipt_json(accepted: &Accepted, dry_run: bool) -> Value {
    let Accepted { id, position, records, leaf, receipt, repeated } = accepted;
    let mut object = json!({
        "id": id.to_string(), "position": position, "records": records, "repeated": repeated,
        "leaf": String::from_utf8_lossy(leaf), "receipt": receipt,
    });
    if dry_run {
        object["dry_run"] = json!(true);
    }
    object
}

/// The fields of a command; empty ones are left out.
pub(crate) fn fields(kind: &str, pairs: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Fields {
    let mut fields = Map::from_iter([("type".to_owned(), json!(kind))]);
    fields.extend(pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    fields
}
