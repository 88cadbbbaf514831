//! Regions (GB/T 2260): a tree of nation, provinces, cities and counties that changes over time.
//!
//! A code alone does not identify an area: 余杭 330110 shrank in 2021 and kept its code. So inside the ledger a
//! region is a [`RegionId`] that never changes; names, codes, its superior and its end are dated attributes of it. What
//! the tree was on a day is in [`dated`].

pub mod dated;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::{Date, serde_as_text};

/// A GB/T 2260 code such as `330881`. Invariant: six ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode([u8; 6]);

/// A text that is not six digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a region code of six digits like 330881")]
pub struct BadRegionCode(pub String);

impl RegionCode {
    /// The national root, superior of every province.
    pub const NATION: RegionCode = RegionCode(*b"000000");

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for RegionCode {
    type Err = BadRegionCode;

    fn from_str(text: &str) -> Result<RegionCode, BadRegionCode> {
        match <[u8; 6]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(RegionCode(digits)),
            _ => Err(BadRegionCode(text.to_owned())),
        }
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(RegionCode, [u8; 6], |c| c.0, |digits| digits
    .iter()
    .all(u8::is_ascii_digit)
    .then_some(RegionCode(digits)));

/// A region's identity inside one ledger, kept through renaming and recoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegionId(pub u16);

/// The level of a region in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The national root.
    Nation,
    /// 省, 自治区, 直辖市.
    Province,
    /// 地级市.
    Prefecture,
    /// 县, 市, 区: where projects are located. Always a leaf.
    County,
}

/// One area as it enters the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegionEntry {
    /// GB/T 2260 code.
    pub code: RegionCode,
    /// Level in the tree.
    pub level: Level,
    /// English name.
    #[serde(default)]
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// The direct superior; absent for a province, whose superior is the nation.
    #[serde(default)]
    pub parent: Option<RegionCode>,
    /// First day on which the code means this area, when known.
    #[serde(default)]
    pub valid_from: Option<Date>,
}

/// What kind of border two counties share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// A land border inside one province.
    Land,
    /// Across a bay or river.
    Water,
    /// Across the sea, for island counties.
    Sea,
    /// A land border between provinces.
    LandXprov,
}

/// Two counties that share a border.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Adjacency {
    /// One county.
    pub a: RegionCode,
    /// The other.
    pub b: RegionCode,
    /// The border's kind.
    pub kind: Border,
}

/// One code or name a region has had, from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Designation {
    /// In force from this day; `None`: since before records.
    pub from: Option<Date>,
    /// Code in force.
    pub code: RegionCode,
    /// Chinese name in force.
    pub name_zh: String,
    /// English name in force.
    pub name_en: String,
}

/// A superior a region has had, from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superior {
    /// In force from this day; `None`: since before records.
    pub from: Option<Date>,
    /// Position of the record that says so; 0 for the one it was registered with.
    pub at: u64,
    /// The superior.
    pub region: RegionId,
}

/// The end of a region: what it was went to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// From this day on.
    pub date: Date,
    /// Position of the record that says so.
    pub at: u64,
    /// Its successor.
    pub into: RegionId,
}

/// A region with its history of names, codes and superiors (its lineage).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Identity.
    pub id: RegionId,
    /// Level in the tree.
    pub level: Level,
    /// Direct superior now; `None` for the nation alone. Of a region that ended: its successor, so that whoever may see
    /// and decide for the successor may for it.
    pub parent: Option<RegionId>,
    /// All superiors, oldest first; the last is the present one.
    pub superiors: Vec<Superior>,
    /// Whether and when it ended.
    pub ended: Option<Ended>,
    /// Designations, oldest first; the last is in force.
    pub designations: Vec<Designation>,
}

impl Region {
    /// The designation in force.
    pub fn now(&self) -> &Designation {
        self.designations.last().unwrap_or_else(|| unreachable!("a region is created with a designation"))
    }

    /// The code in force.
    pub fn code(&self) -> RegionCode {
        self.now().code
    }
}

/// Why areas cannot enter the tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRegion {
    /// The code is taken.
    #[error("region {0} is already in the tree")]
    Duplicate(RegionCode),
    /// The superior is not in the tree, or comes later in the list.
    #[error("the superior {parent} of region {code} is not in the tree")]
    UnknownParent {
        /// The area.
        code: RegionCode,
        /// Its superior.
        parent: RegionCode,
    },
    /// The superior is not of a higher level.
    #[error("region {0} must lie under a superior of a higher level")]
    Level(RegionCode),
    /// A border names an area that is not a county of the tree.
    #[error("a border names {0}, which is not a county of the tree")]
    Border(RegionCode),
    /// More than 65,535 regions.
    #[error("a ledger holds at most 65,535 regions")]
    TooMany,
}

/// All regions of one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionTree {
    regions: Vec<Region>,
    by_code: BTreeMap<RegionCode, RegionId>,
    borders: BTreeMap<(RegionId, RegionId), Border>,
    /// The days on which a region ended or got another superior; none if today's tree counts for all days.
    days: BTreeSet<Date>,
}

impl Default for RegionTree {
    /// The nation alone.
    fn default() -> RegionTree {
        let designation = Designation {
            from: None,
            code: RegionCode::NATION,
            name_zh: "全国".to_owned(),
            name_en: "China".to_owned(),
        };
        let nation = Region {
            id: RegionId(0),
            level: Level::Nation,
            parent: None,
            superiors: Vec::new(),
            ended: None,
            designations: vec![designation],
        };
        RegionTree {
            regions: vec![nation],
            by_code: BTreeMap::from([(RegionCode::NATION, RegionId(0))]),
            borders: BTreeMap::new(),
            days: BTreeSet::new(),
        }
    }
}

impl RegionTree {
    /// The region a code names: the one it names now, else the last that bore it.
    pub fn find(&self, code: RegionCode) -> Option<&Region> {
        self.by_code.get(&code).map(|id| self.get(*id))
    }

    /// The region with this identity. Identities come from this tree only.
    pub fn get(&self, id: RegionId) -> &Region {
        &self.regions[usize::from(id.0)]
    }

    /// All regions, in order of entry (superiors first).
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter()
    }

    /// The region itself and its superiors, nearest first.
    pub fn upward(&self, id: RegionId) -> impl Iterator<Item = RegionId> {
        std::iter::successors(Some(id), |id| self.get(*id).parent)
    }

    /// Whether `inner` is `outer` or lies under it.
    pub fn is_within(&self, inner: RegionId, outer: RegionId) -> bool {
        self.upward(inner).any(|id| id == outer)
    }

    /// Direct subordinates now, by code.
    pub fn children(&self, id: RegionId) -> Vec<RegionId> {
        let below = self.regions.iter().filter(|region| region.parent == Some(id) && region.ended.is_none());
        let mut children: Vec<RegionId> = below.map(|region| region.id).collect();
        children.sort_by_key(|id| self.get(*id).code());
        children
    }

    /// The region and everything under it, each superior directly before its subordinates, by code.
    pub fn subtree(&self, id: RegionId) -> Vec<RegionId> {
        let mut all = vec![id];
        for child in self.children(id) {
            all.extend(self.subtree(child));
        }
        all
    }

    /// The superior at this level, or the region itself if it is of this level.
    pub fn at_level(&self, id: RegionId, level: Level) -> Option<RegionId> {
        self.upward(id).find(|id| self.get(*id).level == level)
    }

    /// The lowest region that holds both (two counties of one city: the city).
    pub fn common_superior(&self, a: RegionId, b: RegionId) -> RegionId {
        self.upward(a).find(|id| self.is_within(b, *id)).unwrap_or(RegionId(0))
    }

    /// The border two counties share, if any.
    pub fn border(&self, a: RegionId, b: RegionId) -> Option<Border> {
        self.borders.get(&(a.min(b), a.max(b))).copied()
    }

    /// All borders, by the codes now in force.
    pub fn adjacency(&self) -> Vec<Adjacency> {
        let borders = self.borders.iter();
        let living = |id: &RegionId| self.get(*id).ended.is_none();
        borders
            .filter(|((a, b), _)| living(a) && living(b))
            .map(|((a, b), kind)| Adjacency { a: self.get(*a).code(), b: self.get(*b).code(), kind: *kind })
            .collect()
    }

    /// All areas but the nation, superiors first, as they are now; without those that ended.
    pub fn entries(&self) -> Vec<RegionEntry> {
        let mut below: Vec<&Region> =
            self.iter().filter(|region| region.parent.is_some() && region.ended.is_none()).collect();
        below.sort_by_key(|region| region.level);
        let below = below.into_iter();
        let entry = |region: &Region| {
            let parent =
                region.parent.filter(|parent| *parent != RegionId(0)).map(|parent| self.get(parent).code());
            let Designation { from, code, name_zh, name_en } = region.now().clone();
            RegionEntry { code, level: region.level, name_en, name_zh, parent, valid_from: from }
        };
        below.map(entry).collect()
    }

    /// Adds areas (superiors before subordinates) and borders; all or nothing.
    pub fn with(&self, entries: &[RegionEntry], adjacency: &[Adjacency]) -> Result<RegionTree, BadRegion> {
        let mut tree = self.clone();
        for entry in entries {
            tree.add(entry)?;
        }
        for Adjacency { a, b, kind } in adjacency {
            let (a, b) = (tree.county(*a)?, tree.county(*b)?);
            tree.borders.insert((a.min(b), a.max(b)), *kind);
        }
        Ok(tree)
    }

    fn county(&self, code: RegionCode) -> Result<RegionId, BadRegion> {
        let county = self.find(code).filter(|region| region.level == Level::County);
        county.map(|region| region.id).ok_or(BadRegion::Border(code))
    }

    fn add(&mut self, entry: &RegionEntry) -> Result<(), BadRegion> {
        let RegionEntry { code, level, name_en, name_zh, parent, valid_from } = entry.clone();
        if self.by_code.contains_key(&code) {
            return Err(BadRegion::Duplicate(code));
        }
        let parent = parent.unwrap_or(RegionCode::NATION);
        let superior = self.find(parent).ok_or(BadRegion::UnknownParent { code, parent })?;
        if superior.level >= level {
            return Err(BadRegion::Level(code));
        }
        let superiors = vec![Superior { from: None, at: 0, region: superior.id }];
        let parent = Some(superior.id);
        let id = RegionId(u16::try_from(self.regions.len()).map_err(|_| BadRegion::TooMany)?);
        let designations = vec![Designation { from: valid_from, code, name_zh, name_en }];
        self.regions.push(Region { id, level, parent, superiors, ended: None, designations });
        self.by_code.insert(code, id);
        Ok(())
    }

    /// Gives a region a new designation (rename, recode). A code it leaves keeps finding it.
    pub(crate) fn redesignate(&mut self, id: RegionId, designation: Designation) {
        self.by_code.insert(designation.code, id);
        self.regions[usize::from(id.0)].designations.push(designation);
    }
}
