//! Vintages: named freezes of figures. What was published under a name keeps its position for ever.
//!
//! A vintage holds no figure. It names what was frozen (indicators, periods) and where (a position), and the digest of
//! the answers as the bureau that froze them saw them. Who asks later folds the log up to that position again and
//! compares the digest: so a vintage cannot change, not even by a change of this program, without being noticed.
//! Policy and geography are those of the position; the positions of the records that set them are kept beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{id::Digest, indicator::IndicatorCode, period::Period, time::Timestamp};

/// How far figures have matured (快报 → 年报 → 普查修订).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VintageKind {
    /// 快报: the first figures after a period.
    Flash,
    /// 初步数: before all reports are in.
    Preliminary,
    /// 年报: final figures.
    Final,
    /// 基准修订: a revision that goes back, as after a census.
    Benchmark,
}

impl VintageKind {
    /// The name used in commands.
    pub const fn name(self) -> &'static str {
        match self {
            VintageKind::Flash => "flash",
            VintageKind::Preliminary => "preliminary",
            VintageKind::Final => "final",
            VintageKind::Benchmark => "benchmark",
        }
    }

    /// The Chinese name.
    pub const fn name_zh(self) -> &'static str {
        match self {
            VintageKind::Flash => "快报",
            VintageKind::Preliminary => "初步数",
            VintageKind::Final => "年报",
            VintageKind::Benchmark => "基准修订",
        }
    }
}

/// A freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vintage {
    /// How mature.
    pub kind: VintageKind,
    /// What is frozen.
    pub indicators: Vec<IndicatorCode>,
    /// Of which periods.
    pub periods: Vec<Period>,
    /// The last record its answers know.
    pub position: u64,
    /// SHA-256 of its answers (FORMAT, "Vintages").
    pub digest: Digest,
    /// Number of the policy in force at its position.
    pub policy_version: u32,
    /// The record that last changed the regions before or at its position.
    pub geography: u64,
    /// The record that froze it.
    pub frozen_at: u64,
    /// When that was recorded.
    pub ts: Timestamp,
}

/// All vintages, and where policy and regions changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vintages {
    /// By name.
    pub frozen: BTreeMap<String, Vintage>,
    /// Positions at which a policy came into force; the first is version 1.
    pub policies: Vec<u64>,
    /// Positions at which regions changed.
    pub geographies: Vec<u64>,
}

impl Vintages {
    /// The policy version in force after the record at `position`; 0 before any.
    pub fn policy_at(&self, position: u64) -> u32 {
        let before = self.policies.partition_point(|adopted| *adopted <= position);
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// The last record up to `position` that changed the regions; 0, which creates the ledger, if none did.
    pub fn geography_at(&self, position: u64) -> u64 {
        let before = self.geographies.partition_point(|changed| *changed <= position);
        before.checked_sub(1).map_or(0, |last| self.geographies[last])
    }

    /// The vintages by position, then by the record that froze them: the order in which they became known.
    pub fn in_order(&self) -> Vec<(&str, &Vintage)> {
        let mut all: Vec<_> = self.frozen.iter().map(|(name, vintage)| (name.as_str(), vintage)).collect();
        all.sort_by_key(|(_, vintage)| (vintage.position, vintage.frozen_at));
        all
    }
}
