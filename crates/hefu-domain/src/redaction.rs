//! What remains of a record that is redacted: everything the rules and figures need, without the free texts.
//!
//! Names, sites, reasons, government codes and evidence digests go; dates, amounts, regions, ids and terms stay, so that
//! a fold over what remains gives the same figures. Not every event can be redacted: those about the ledger, its
//! regions, keys and policy are what everything else is checked with, and observations have no text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::{
    dispute::EvidenceItem,
    event::{Event, SCHEMA_VERSION},
    evolve::Inconsistent,
    id::ProjectId,
    state::State,
};

/// Stands where a text was.
pub const MARK: &str = "■■■";

/// The event that remains of a redacted one: `{"data":{…},"type":"…","v":1}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residue(pub Box<Event>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    data: serde_json::Value,
    #[serde(rename = "type")]
    kind: String,
    v: u32,
}

impl Serialize for Residue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let data = self.0.to_value().map_err(ser::Error::custom)?;
        Parts { data, kind: self.0.kind().to_owned(), v: SCHEMA_VERSION }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Residue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Residue, D::Error> {
        let Parts { data, kind, v } = Parts::deserialize(deserializer)?;
        let data = serde_json::to_vec(&data).map_err(de::Error::custom)?;
        Event::parse(&kind, v, &data).map(|event| Residue(Box::new(event))).map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Residue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Residue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "The event that remains of a redacted one: its texts are ■■■, its codes and evidence gone, all else as it was.",
            "properties": {
                "data": { "type": "object", "description": "The event's data." },
                "type": { "type": "string", "description": "The event's type, as in the record's leaf." },
                "v": { "type": "integer", "description": "Its schema version." },
            },
            "required": ["data", "type", "v"],
            "additionalProperties": false,
        })
    }
}

fn blank(text: &str) -> String {
    if text.is_empty() { String::new() } else { MARK.to_owned() }
}

fn blank_some(text: Option<&String>) -> Option<String> {
    text.map(|text| blank(text))
}

fn blank_evidence(items: &mut [EvidenceItem]) {
    for item in items {
        item.description = blank(&item.description);
    }
}

impl Event {
    /// What remains of this event when it is redacted; `None` if it cannot be. Blanking twice is blanking once.
    pub fn blanked(&self) -> Option<Event> {
        let mut left = self.clone();
        match &mut left {
            Event::EnterpriseRegistered(e) => e.name = blank(&e.name),
            Event::ProjectRegistered(e) => {
                e.codes.clear();
                e.name = blank(&e.name);
                e.site = blank_some(e.site.as_ref());
            }
            Event::ProjectAmended(e) => {
                e.codes.clear();
                e.name = blank_some(e.name.as_ref());
            }
            Event::TierExhausted(e) => e.evidence.clear(),
            Event::TierWaived(e) => e.reason = blank(&e.reason),
            Event::TransferProposed(e) => e.site = blank_some(e.site.as_ref()),
            Event::TransferDeclined(e) => e.reason = blank(&e.reason),
            Event::TransferWithdrawn(e) => e.reason = blank(&e.reason),
            Event::ClaimRejected(e) => e.reason = blank(&e.reason),
            Event::ProjectLanded(e) => e.site = blank_some(e.site.as_ref()),
            Event::ProjectSuspended(e) => e.reason = blank(&e.reason),
            Event::ProjectClosed(e) => e.reason = blank(&e.reason),
            Event::ProjectSplit(e) => e.reason = blank(&e.reason),
            Event::ProjectMerged(e) => e.reason = blank(&e.reason),
            Event::ProjectFormed(e) => {
                e.codes.clear();
                e.name = blank(&e.name);
            }
            Event::DisputeOpened(e) => {
                e.statement = blank(&e.statement);
                blank_evidence(&mut e.evidence);
            }
            Event::DisputeJoined(e) => {
                e.statement = blank(&e.statement);
                blank_evidence(&mut e.evidence);
            }
            Event::DisputeAnswered(e) => {
                e.statement = blank(&e.statement);
                blank_evidence(&mut e.evidence);
            }
            Event::EvidenceAdded(e) => blank_evidence(&mut e.evidence),
            Event::EvidenceWithdrawn(e) => e.reason = blank(&e.reason),
            Event::DisputeSettled(e) => e.statement = blank(&e.statement),
            Event::DisputeWithdrawn(e) => e.reason = blank(&e.reason),
            Event::RulingProposed(e) => e.reasons = blank(&e.reasons),
            Event::RulingDeclined(e) => e.reason = blank(&e.reason),
            Event::RulingAppealed(e) => {
                e.statement = blank(&e.statement);
                blank_evidence(&mut e.evidence);
            }
            Event::LedgerCreated(_)
            | Event::RegionsRegistered(_)
            | Event::RegionRenamed(_)
            | Event::RegionRecoded(_)
            | Event::RegionMerged(_)
            | Event::RegionSplit(_)
            | Event::RegionReparented(_)
            | Event::PolicyAdopted(_)
            | Event::KeysRegistered(_)
            | Event::KeyRotated(_)
            | Event::LogKeyRotated(_)
            | Event::KeyRevoked(_)
            | Event::KeyRecoveryAnnounced(_)
            | Event::KeyRecoveryCancelled(_)
            | Event::KeyRecovered(_)
            | Event::RecordRedacted(_)
            | Event::TransferConsented(_)
            | Event::TransferAccepted(_)
            | Event::TransferExpired(_)
            | Event::ClaimConfirmed(_)
            | Event::ConstructionStarted(_)
            | Event::ProductionStarted(_)
            | Event::ProjectResumed(_)
            | Event::ObservationReported(_)
            | Event::ObservationCorrected(_)
            | Event::DisputeEscalated(_)
            | Event::RulingApproved(_)
            | Event::AppealWaived(_)
            | Event::RulingFinal(_)
            | Event::ObservationRuled(_)
            | Event::CreditRuled(_)
            | Event::LineRuled(_)
            // Voucher numbers stay: a payment that is reported twice is found by them.
            | Event::TaxReceived(_)
            | Event::TaxRefunded(_)
            | Event::PeriodClosed(_)
            | Event::VintageFrozen(_)
            | Event::SettlementOpened(_)
            | Event::SettlementAccrued(_)
            | Event::StatementConfirmed(_)
            | Event::SettlementFinalised(_)
            | Event::PaymentRecorded(_) => return None,
        }
        Some(left)
    }
}

impl State {
    /// Puts the mark where a text of the record at `position` stands, so that this is the state that a fold over what
    /// remains of the log would give.
    pub(crate) fn forget(&mut self, position: u64, residue: &Event) -> Result<(), Inconsistent> {
        match residue {
            Event::EnterpriseRegistered(e) => {
                let known = self.enterprises.get_mut(&e.enterprise);
                let known = known.ok_or_else(|| Inconsistent(format!("enterprise {}", e.enterprise)))?;
                known.name.clone_from(&e.name);
            }
            Event::ProjectRegistered(e) => {
                self.forget_name(position, e.project, Some(&e.name))?;
                if let Some(stay) = self.project_mut(e.project)?.stays.first_mut() {
                    stay.site.clone_from(&e.site);
                }
            }
            Event::ProjectAmended(e) => self.forget_name(position, e.project, e.name.as_ref())?,
            Event::ProjectFormed(e) => self.forget_name(position, e.project, Some(&e.name))?,
            Event::TransferProposed(e) => {
                self.transfer_mut(e.project, e.transfer)?.site.clone_from(&e.site);
            }
            Event::ProjectLanded(e) => {
                let stays = &mut self.project_mut(e.project)?.stays;
                for stay in stays.iter_mut().filter(|stay| stay.transfer == Some(e.transfer)) {
                    stay.site.clone_from(&e.site);
                }
            }
            // Their texts are not in the state; or they cannot be redacted.
            Event::TierExhausted(_)
            | Event::TierWaived(_)
            | Event::TransferDeclined(_)
            | Event::TransferWithdrawn(_)
            | Event::ClaimRejected(_)
            | Event::ProjectSuspended(_)
            | Event::ProjectClosed(_)
            | Event::ProjectSplit(_)
            | Event::ProjectMerged(_)
            | Event::LedgerCreated(_)
            | Event::RegionsRegistered(_)
            | Event::RegionRenamed(_)
            | Event::RegionRecoded(_)
            | Event::RegionMerged(_)
            | Event::RegionSplit(_)
            | Event::RegionReparented(_)
            | Event::PolicyAdopted(_)
            | Event::KeysRegistered(_)
            | Event::KeyRotated(_)
            | Event::LogKeyRotated(_)
            | Event::KeyRevoked(_)
            | Event::KeyRecoveryAnnounced(_)
            | Event::KeyRecoveryCancelled(_)
            | Event::KeyRecovered(_)
            | Event::RecordRedacted(_)
            | Event::TransferConsented(_)
            | Event::TransferAccepted(_)
            | Event::TransferExpired(_)
            | Event::ClaimConfirmed(_)
            | Event::ConstructionStarted(_)
            | Event::ProductionStarted(_)
            | Event::ProjectResumed(_)
            | Event::ObservationReported(_)
            | Event::ObservationCorrected(_)
            // The state keeps no words of a dispute, and of its evidence the digests only, which stay.
            | Event::DisputeOpened(_)
            | Event::DisputeJoined(_)
            | Event::DisputeAnswered(_)
            | Event::DisputeEscalated(_)
            | Event::EvidenceAdded(_)
            | Event::EvidenceWithdrawn(_)
            | Event::DisputeSettled(_)
            | Event::DisputeWithdrawn(_)
            | Event::RulingProposed(_)
            | Event::RulingDeclined(_)
            | Event::RulingApproved(_)
            | Event::RulingAppealed(_)
            | Event::AppealWaived(_)
            | Event::RulingFinal(_)
            | Event::ObservationRuled(_)
            | Event::CreditRuled(_)
            | Event::LineRuled(_)
            | Event::TaxReceived(_)
            | Event::TaxRefunded(_)
            | Event::PeriodClosed(_)
            | Event::VintageFrozen(_)
            | Event::SettlementOpened(_)
            | Event::SettlementAccrued(_)
            | Event::StatementConfirmed(_)
            | Event::SettlementFinalised(_)
            | Event::PaymentRecorded(_) => {}
        }
        Ok(())
    }

    /// Forgets the codes that the record gave, and the name if it is still the one in force.
    fn forget_name(
        &mut self,
        position: u64,
        id: ProjectId,
        name: Option<&String>,
    ) -> Result<(), Inconsistent> {
        let project = self.project_mut(id)?;
        if let Some(name) = name.filter(|_| project.named_at == position) {
            project.name.clone_from(name);
        }
        let (gone, kept) =
            std::mem::take(&mut project.codes).into_iter().partition(|alias| alias.at == position);
        project.codes = kept;
        let gone: Vec<crate::state::Alias> = gone;
        for alias in gone {
            self.project_codes.remove(&alias.code);
        }
        Ok(())
    }
}
