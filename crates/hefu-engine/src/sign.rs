//! Signing for a person at this machine: a draft becomes the exact bytes that are sent and stored.

use std::collections::HashMap;

use hefu_chain::{
    canonical,
    command::{self, EnvelopeParts, SignedCommand},
    origin::Origin,
};
use hefu_domain::{
    dispute::DisputeId,
    id::{Digest, ProjectId},
    state::{Project, State},
    time::Timestamp,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    answer::EngineError,
    keys::{KeyStore, StoredKey},
    random_bytes,
};

/// Commands that answer something which only the state tells.
const ANSWERS: [&str; 6] = [
    "confirm_claim",
    "reject_claim",
    "approve_ruling",
    "decline_ruling",
    "confirm_statement",
    "finalise_settlement",
];

/// A command to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The fields of the command, `type` included.
    pub command: Map<String, Value>,
    /// Its id; left out: a new one.
    pub id: Option<Uuid>,
    /// Name of the key that signs, as the key store knows it.
    pub signer: String,
}

/// Signs drafts with the keys of one key store.
pub struct Signer {
    origin: Origin,
    store: KeyStore,
    keys: HashMap<String, StoredKey>,
    /// Proposals signed here and perhaps not recorded yet: what a following answer answers.
    proposals: HashMap<ProjectId, (Uuid, Digest)>,
    valid_seconds: i64,
}

impl Signer {
    /// A signer for one ledger. What it signs stays valid for a day.
    pub fn new(origin: Origin, store: KeyStore) -> Signer {
        Signer { origin, store, keys: HashMap::new(), proposals: HashMap::new(), valid_seconds: 86_400 }
    }

    /// Signs a draft at `now`. `state` tells which proposal an answer answers, when it does not say so itself.
    pub fn sign(
        &mut self,
        draft: Draft,
        state: &State,
        now: Timestamp,
    ) -> Result<SignedCommand, EngineError> {
        self.sign_until(draft, state, now, now.plus_seconds(self.valid_seconds))
    }

    /// The same, valid until `not_after`.
    pub fn sign_until(
        &mut self,
        draft: Draft,
        state: &State,
        now: Timestamp,
        not_after: Timestamp,
    ) -> Result<SignedCommand, EngineError> {
        let Draft { mut command, id, signer } = draft;
        self.fill_subject(&mut command, state);
        let kind = command.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let project = command.get("project").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let json = canonical::to_vec(&command).map_err(|error| EngineError::Sign(error.to_string()))?;
        let key = match self.keys.get(&signer) {
            Some(key) => key,
            None => self.keys.entry(signer.clone()).or_insert(self.store.load(&signer)?),
        };
        let parts = EnvelopeParts {
            at: &now.to_string(),
            command_json: &json,
            id: id.map_or_else(|| new_id(now), Ok)?,
            ledger: &self.origin,
            nonce: random_bytes()?,
            not_after: &not_after.to_string(),
        };
        let signed = SignedCommand::sign(parts, &key.secret).map_err(|e| EngineError::Sign(e.to_string()))?;
        if let Some(project) = project.filter(|_| kind == "propose_transfer") {
            self.proposals.insert(project, (signed.id(), Digest(signed.digest().0)));
        }
        Ok(signed)
    }

    /// Signs with a key in memory. `command` must be complete.
    pub(crate) fn sign_with(
        &self,
        key: &StoredKey,
        command: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<SignedCommand, EngineError> {
        let sign = |error: String| EngineError::Sign(error);
        let json = canonical::to_vec(command).map_err(|error| sign(error.to_string()))?;
        let parts = EnvelopeParts {
            at: &now.to_string(),
            command_json: &json,
            id: new_id(now)?,
            ledger: &self.origin,
            nonce: random_bytes()?,
            not_after: &now.plus_seconds(self.valid_seconds).to_string(),
        };
        SignedCommand::sign(parts, &key.secret).map_err(|error| sign(error.to_string()))
    }

    /// Whether signing a command takes a look at the state, because it answers something and does not say what.
    pub fn looks(&self, command: &Map<String, Value>) -> bool {
        let kind = command.get("type").and_then(Value::as_str).unwrap_or_default();
        if command.contains_key("subject") {
            return false;
        }
        match kind {
            "accept_transfer" | "decline_transfer" | "withdraw_transfer" => {
                let project = command.get("project").and_then(Value::as_str);
                let project = project.and_then(|text| text.parse::<ProjectId>().ok());
                project.is_none_or(|project| !self.proposals.contains_key(&project))
            }
            _ => ANSWERS.contains(&kind),
        }
    }

    fn fill_subject(&self, command: &mut Map<String, Value>, state: &State) {
        let kind = command.get("type").and_then(Value::as_str).unwrap_or_default();
        let answers_open = matches!(kind, "accept_transfer" | "decline_transfer" | "withdraw_transfer");
        let about_claim = matches!(kind, "confirm_claim" | "reject_claim");
        if matches!(kind, "approve_ruling" | "decline_ruling") && !command.contains_key("subject") {
            let id = command.get("dispute").and_then(Value::as_str).and_then(|text| text.parse().ok());
            let known = id.and_then(|id: DisputeId| state.disputes.get(&id));
            if let Some(proposal) = known.and_then(|known| known.proposal.as_ref()) {
                let subject = json!({"id": proposal.command.to_string(), "sha256": proposal.command_sha256.to_string()});
                command.insert("subject".to_owned(), subject);
            }
            return;
        }
        if !command.contains_key("subject") && matches!(kind, "confirm_statement" | "finalise_settlement") {
            let period = command.get("period").and_then(Value::as_str).and_then(|text| text.parse().ok());
            if let Some((_, run)) = period.and_then(|period| state.settlement.run(period)) {
                let (id, sha256) = (run.command.to_string(), run.command_sha256.to_string());
                command.insert("subject".to_owned(), json!({"id": id, "sha256": sha256}));
            }
            return;
        }
        if command.contains_key("subject") || !(answers_open || about_claim) {
            return;
        }
        let Some(id) = command.get("project").and_then(Value::as_str).and_then(|text| text.parse().ok())
        else {
            return;
        };
        let project = state.projects.get(&id);
        let recorded = |project: &Project, number: usize| {
            project.transfers.get(number).map(|transfer| (transfer.command, transfer.command_sha256))
        };
        let number = command.get("transfer").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let subject = if answers_open {
            let open = project.and_then(|p| p.transfers.last().map(|t| (t.command, t.command_sha256)));
            self.proposals.get(&id).copied().or(open)
        } else {
            let known = project.zip(number).and_then(|(project, number)| recorded(project, number));
            known.or_else(|| self.proposals.get(&id).copied())
        };
        if let Some((id, sha256)) = subject {
            command.insert("subject".to_owned(), json!({"id": id.to_string(), "sha256": sha256.to_string()}));
        }
    }
}

/// Adds the consent of a key's holder to a command: to all of its fields as they stand.
pub fn endorse(
    origin: &Origin,
    command: &mut Map<String, Value>,
    key: &StoredKey,
) -> Result<(), EngineError> {
    let sign = |error: String| EngineError::Sign(error);
    let json = canonical::to_vec(command).map_err(|error| sign(error.to_string()))?;
    let by = command::endorse(origin, &json, &key.secret).map_err(|error| sign(error.to_string()))?;
    let endorsement = json!({"public": by.public.to_string(), "sig": by.sig.to_string()});
    match command.entry("endorsements").or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(endorsements) => endorsements.push(endorsement),
        _ => return Err(sign("`endorsements` is not a list".to_owned())),
    }
    Ok(())
}

/// A new UUID v7.
pub(crate) fn new_id(now: Timestamp) -> Result<Uuid, EngineError> {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes()?).into_uuid())
}
