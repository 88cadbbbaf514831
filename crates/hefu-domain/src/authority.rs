//! Who may act: keys belong to a person in an authority, an authority is an office of a region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{KeyId, PublicKey},
    region::{RegionCode, RegionId},
    time::Timestamp,
};

/// The capacity in which a key acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A region's office for moving projects: registers, offers, accepts, lands, reports.
    Office,
    /// The statistics bureau: reports and corrects observations.
    Statistics,
    /// The treasury: tax and settlement.
    Treasury,
    /// The coordinator: policy, regions, keys of subordinate authorities.
    Coordinator,
    /// The auditor: reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// The roles that an authority of a region can hold.
    pub const ALL: [Role; 5] =
        [Role::Office, Role::Statistics, Role::Treasury, Role::Coordinator, Role::Auditor];

    /// The name used in commands and key files.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Office => "office",
            Role::Statistics => "statistics",
            Role::Treasury => "treasury",
            Role::Coordinator => "coordinator",
            Role::Auditor => "auditor",
        }
    }
}

/// A key as it is put on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Key id: the first 32 hex digits of SHA-256(public).
    pub key: KeyId,
    /// The person who holds it; two keys of one person count as one pair of eyes.
    pub person: String,
    /// Ed25519 public key.
    pub public: PublicKey,
    /// Region of the authority.
    pub region: RegionCode,
    /// Its role.
    pub role: Role,
}

/// One of the k-of-n root keys named at genesis; none is the operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RootKey {
    /// Key id.
    pub key: KeyId,
    /// The person who holds it.
    pub person: String,
    /// Ed25519 public key.
    pub public: PublicKey,
}

/// The root keys and how many of them must sign together.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Roots {
    /// The n keys.
    pub keys: Vec<RootKey>,
    /// k.
    pub threshold: u32,
}

/// A registered key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Public key.
    pub public: PublicKey,
    /// Holder.
    pub person: String,
    /// Authority's region.
    pub region: RegionId,
    /// Authority's role.
    pub role: Role,
    /// Since when it may no longer sign.
    pub ended: Option<Timestamp>,
    /// Position from which on its commands are suspect.
    pub compromised_since: Option<u64>,
}

/// A key recovery that was announced and waits for its delay to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The key that replaces the lost one.
    pub new: KeyEntry,
    /// When it takes effect.
    pub effective_at: Timestamp,
}

/// A key that the log signs with, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogKey {
    /// Its id.
    pub key: KeyId,
    /// Public key.
    pub public: PublicKey,
    /// Position of the record from which on it signs.
    pub from: u64,
}

/// All keys of one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keyring {
    /// The log's own key (the operator's): signs receipts and ticks.
    pub log: Option<KeyId>,
    /// Its public key.
    pub log_public: Option<PublicKey>,
    /// The keys that the log signed with before, oldest first.
    pub log_before: Vec<LogKey>,
    /// Position of the record from which on the log's present key signs.
    pub log_from: u64,
    /// Root keys.
    pub roots: Roots,
    /// Keys of authorities.
    pub keys: BTreeMap<KeyId, Key>,
    /// Announced recoveries by the lost key.
    pub recoveries: BTreeMap<KeyId, Recovery>,
}

impl Keyring {
    /// The root key with this id.
    pub fn root(&self, id: KeyId) -> Option<&RootKey> {
        self.roots.keys.iter().find(|root| root.key == id)
    }
}
