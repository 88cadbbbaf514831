//! How far a move goes (measure 4: 原地—本地—周边—扩大范围).

use serde::{Deserialize, Serialize};

use crate::{
    policy::TierRule,
    region::{Level, RegionId, RegionTree},
};

/// A tier of the ordered movement, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 原地: the same site.
    OriginalSite,
    /// 本地: the same county.
    Local,
    /// 周边: an adjacent county, or the same prefecture-level city.
    Neighbouring,
    /// 扩大范围: anything else, another province included.
    Wider,
}

impl Tier {
    /// All tiers, nearest first.
    pub const ALL: [Tier; 4] = [Tier::OriginalSite, Tier::Local, Tier::Neighbouring, Tier::Wider];

    /// Place in the order, 0 for the nearest.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::OriginalSite => "original_site",
            Tier::Local => "local",
            Tier::Neighbouring => "neighbouring",
            Tier::Wider => "wider",
        }
    }

    /// The name the notice uses.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Tier::OriginalSite => "原地",
            Tier::Local => "本地",
            Tier::Neighbouring => "周边",
            Tier::Wider => "扩大范围",
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The tier of a candidate destination from the origin's point of view (semantics section 2).
/// `same_site` holds only when both sites are known and equal.
pub fn tier_of(
    tree: &RegionTree,
    rule: &TierRule,
    origin: RegionId,
    destination: RegionId,
    same_site: bool,
) -> Tier {
    if origin == destination {
        return if same_site { Tier::OriginalSite } else { Tier::Local };
    }
    let adjacent = tree.border(origin, destination).is_some_and(|border| rule.borders.contains(&border));
    let city = |id| tree.at_level(id, Level::Prefecture);
    let same_city = rule.same_prefecture && city(origin).is_some() && city(origin) == city(destination);
    if adjacent || same_city { Tier::Neighbouring } else { Tier::Wider }
}
