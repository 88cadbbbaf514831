//! Signing the lines that nobody signed yet, and telling whether one is on record already.

use std::collections::HashMap;

use hefu_chain::command::SignedCommand;
use hefu_domain::{
    id::{Digest, KeyId, ProjectId},
    time::Timestamp,
};
use hefu_engine::{KeyStore, Signer, system_clock};
use hefu_exchange::journal::Draft;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    error::{CliError, Result, exit},
    lang::text,
    writing::Writing,
};

/// A line signed here stays valid for a day from now.
const VALID_SECONDS: i64 = 86_400;

/// A proposal that came signed: id and digest of its bytes.
type Proposal = (Uuid, Digest);

/// Signs drafts.
pub(super) struct Stamp<'a, 't> {
    ledger: &'t Writing<'t>,
    /// The signer and its keys, once there is something to sign.
    tools: Option<(Signer, KeyStore)>,
    /// Key ids by name.
    known: HashMap<String, KeyId>,
    /// Who signs lines that name nobody.
    default: Option<&'a str>,
    /// Proposals of this run that came signed and may not be published yet. The signer remembers its own.
    proposals: HashMap<ProjectId, Proposal>,
}

impl<'a, 't> Stamp<'a, 't> {
    pub(super) fn new(ledger: &'t Writing<'t>, default: Option<&'a str>) -> Self {
        Stamp { ledger, tools: None, known: HashMap::new(), default, proposals: HashMap::new() }
    }

    fn tools(&mut self) -> Result<&mut (Signer, KeyStore)> {
        Ok(match &mut self.tools {
            Some(tools) => tools,
            nothing @ None => nothing.insert(self.ledger.signer()?),
        })
    }

    /// Remembers a signed proposal, so that an unsigned answer further down can name it.
    pub(super) fn note(&mut self, signed: &[u8]) {
        const TYPE: &[u8] = b"\"type\":\"propose_transfer\"";
        if !signed.windows(TYPE.len()).any(|window| window == TYPE) {
            return;
        }
        // What cannot be read is refused by the engine in its own words.
        let Ok(signed) = SignedCommand::parse(signed.to_vec()) else { return };
        let Ok(command) = serde_json::from_slice::<Map<String, Value>>(signed.command_json()) else { return };
        if let Some(project) = project(&command) {
            self.proposals.insert(project, (signed.id(), Digest(signed.digest().0)));
        }
    }

    /// The name of the key for a draft, once the key is there and is the one the line names.
    fn key(&mut self, draft: &Draft) -> Result<(String, KeyId)> {
        let default = self.default;
        let name = draft.signer.as_deref().or(default).ok_or_else(|| {
            let message = text("该行未说明由谁签署", "the line does not say who signs it");
            let hint = text(
                "在该行加上 \"as\":\"330108\",或使用 --as",
                "add \"as\":\"330108\" to the line, or use --as",
            );
            CliError::new("signer_missing", exit::BAD_INPUT, message).hint(hint).at("field", "as")
        })?;
        let id = if let Some(id) = self.known.get(name) {
            *id
        } else {
            let key = self.tools()?.1.load(name).map_err(|error| CliError::from(error).at("field", "as"))?;
            *self.known.entry(name.to_owned()).or_insert(key.file.key)
        };
        match &draft.key {
            Some(wanted) if *wanted != id.to_string() => {
                let message = text(
                    format!("密钥 `{name}` 是 {id},不是该行所写的 {wanted}"),
                    format!("the key `{name}` is {id}, not {wanted} as the line says"),
                );
                Err(CliError::new("other_key", exit::BAD_INPUT, message).at("field", "key"))
            }
            Some(_) | None => Ok((name.to_owned(), id)),
        }
    }

    /// Whether a command on record is this draft: same order, same key. The subject may have been filled in.
    pub(super) fn same(&mut self, draft: &Draft, recorded: &[u8]) -> Result<bool> {
        let (_, key) = self.key(draft)?;
        let Ok(signed) = SignedCommand::parse(recorded.to_vec()) else { return Ok(false) };
        let Ok(mut command) = serde_json::from_slice::<Map<String, Value>>(signed.command_json()) else {
            return Ok(false);
        };
        if !draft.command.contains_key("subject") {
            command.remove("subject");
        }
        Ok(signed.key().0 == key.0 && command == draft.command)
    }

    /// The bytes of the signed command.
    pub(super) fn sign(&mut self, mut draft: Draft) -> Result<Vec<u8>> {
        let (name, _) = self.key(&draft)?;
        let now = system_clock();
        let instant = |text: Option<String>| text.and_then(|text| text.parse::<Timestamp>().ok());
        let at = instant(draft.at).unwrap_or(now);
        let not_after = instant(draft.not_after).unwrap_or(now.plus_seconds(VALID_SECONDS));
        self.settle_subject(&mut draft.command);
        let draft = hefu_engine::Draft { command: draft.command, id: draft.id, signer: name };
        let ledger = self.ledger;
        let (signer, _) = self.tools()?;
        let looks = signer.looks(&draft.command);
        ledger.known(looks, |state| Ok(signer.sign_until(draft, state, at, not_after)?.into_bytes()))
    }

    /// Names a proposal that came signed as the subject of an answer to it.
    fn settle_subject(&mut self, command: &mut Map<String, Value>) {
        let Some(project) = project(command) else { return };
        match kind(command) {
            // From here on the signer knows the newer one.
            "propose_transfer" => {
                self.proposals.remove(&project);
            }
            "accept_transfer" | "decline_transfer" | "withdraw_transfer"
                if !command.contains_key("subject") =>
            {
                if let Some((id, sha256)) = self.proposals.get(&project) {
                    let subject = json!({"id": id.to_string(), "sha256": sha256.to_string()});
                    command.insert("subject".to_owned(), subject);
                }
            }
            _ => {}
        }
    }
}

/// Whether the draft can only be signed on a state that knows everything before it.
pub(super) fn needs_published(draft: &Draft) -> bool {
    let answers = matches!(
        kind(&draft.command),
        "confirm_claim"
            | "reject_claim"
            | "approve_ruling"
            | "decline_ruling"
            | "confirm_statement"
            | "finalise_settlement"
    );
    answers && !draft.command.contains_key("subject")
}

fn kind(command: &Map<String, Value>) -> &str {
    command.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn project(command: &Map<String, Value>) -> Option<ProjectId> {
    command.get("project").and_then(Value::as_str)?.parse().ok()
}
