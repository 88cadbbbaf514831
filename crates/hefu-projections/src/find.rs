//! What a person names, found on record: regions, projects, indicators. Every way in (command line, services) finds the
//! same thing under the same name, or fails with the same code.

use hefu_domain::{
    dispute::DisputeId,
    id::ProjectId,
    indicator::IndicatorCode,
    region::{Region, RegionCode},
    state::{IndicatorId, Project, State},
    vintage::Vintage,
};
use uuid::Uuid;

/// Nothing on record has that name, or more than one thing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// Asked of a time before the first region.
    #[error("the ledger had no regions yet at that time")]
    NoRegions,
    /// No region, and up to three that are called alike.
    #[error("there is no region `{name}`")]
    Region {
        /// The name.
        name: String,
        /// Code and Chinese name of those like it.
        near: Vec<String>,
    },
    /// Several regions.
    #[error("several regions are called `{name}`: {codes}")]
    AmbiguousRegion {
        /// The name.
        name: String,
        /// Codes of two of them.
        codes: String,
    },
    /// No project.
    #[error("there is no project `{0}`")]
    Project(String),
    /// No dispute.
    #[error("there is no dispute `{0}`")]
    Dispute(String),
    /// No vintage.
    #[error("there is no vintage `{0}`")]
    Vintage(String),
    /// No indicator.
    #[error("there is no indicator `{name}`")]
    Indicator {
        /// The name.
        name: String,
        /// Codes of those on record.
        known: String,
    },
}

impl NotFound {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            NotFound::NoRegions => "no_regions_yet",
            NotFound::Region { .. } => "unknown_region",
            NotFound::AmbiguousRegion { .. } => "ambiguous_region",
            NotFound::Project(_) => "unknown_project",
            NotFound::Dispute(_) => "unknown_dispute",
            NotFound::Vintage(_) => "unknown_vintage",
            NotFound::Indicator { .. } => "unknown_indicator",
        }
    }

    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            NotFound::NoRegions => "那时账本还没有地区".to_owned(),
            NotFound::Region { name, .. } => format!("没有地区 `{name}`"),
            NotFound::AmbiguousRegion { name, codes } => format!("地区名 `{name}` 不唯一:{codes}"),
            NotFound::Project(name) => format!("没有项目 `{name}`"),
            NotFound::Dispute(name) => format!("没有争议 `{name}`"),
            NotFound::Vintage(name) => format!("没有版本 `{name}`"),
            NotFound::Indicator { name, .. } => format!("没有指标 `{name}`"),
        }
    }
}

/// The region with this code or name.
pub fn region<'s>(state: &'s State, name: &str) -> Result<&'s Region, NotFound> {
    let unknown = || {
        // The nation is there from the beginning, the rest a few records later.
        if state.regions.iter().nth(1).is_none() {
            return NotFound::NoRegions;
        }
        let like = |region: &&Region| {
            let (zh, en) = (&region.now().name_zh, region.now().name_en.to_lowercase());
            zh.contains(name) || (!en.is_empty() && en.contains(&name.to_lowercase()))
        };
        let near = state.regions.iter().filter(like).take(3);
        let near = near.map(|region| format!("{} {}", region.code(), region.now().name_zh)).collect();
        NotFound::Region { name: name.to_owned(), near }
    };
    if let Ok(code) = name.parse::<RegionCode>() {
        return state.regions.find(code).ok_or_else(unknown);
    }
    let named =
        |region: &&Region| region.now().name_zh == name || region.now().name_en.eq_ignore_ascii_case(name);
    // One that ended is found by its name where none bears it now.
    let living = state.regions.iter().filter(named).any(|region| region.ended.is_none());
    let named = |region: &&Region| named(region) && (!living || region.ended.is_none());
    let mut found = state.regions.iter().filter(named);
    match (found.next(), found.next()) {
        (Some(region), None) => Ok(region),
        (Some(one), Some(other)) => Err(NotFound::AmbiguousRegion {
            name: name.to_owned(),
            codes: format!("{}, {}", one.code(), other.code()),
        }),
        _ => Err(unknown()),
    }
}

/// The project with this UUID or government code.
pub fn project<'s>(state: &'s State, name: &str) -> Result<(ProjectId, &'s Project), NotFound> {
    let by_id = Uuid::try_parse(name).ok().map(ProjectId);
    let id = by_id.or_else(|| state.project_codes.get(name).copied());
    let found = id.and_then(|id| Some((id, state.projects.get(&id)?)));
    found.ok_or_else(|| NotFound::Project(name.to_owned()))
}

/// The dispute with this UUID, be it joined to another.
pub fn dispute(state: &State, name: &str) -> Result<DisputeId, NotFound> {
    let id = Uuid::try_parse(name).ok().map(DisputeId);
    let known = id.filter(|id| state.disputes.contains_key(id) || state.joined.contains_key(id));
    known.ok_or_else(|| NotFound::Dispute(name.to_owned()))
}

/// The vintage with this name.
pub fn vintage<'s>(state: &'s State, name: &str) -> Result<(&'s str, &'s Vintage), NotFound> {
    let found = state.vintages.frozen.get_key_value(name);
    found.map(|(name, vintage)| (name.as_str(), vintage)).ok_or_else(|| NotFound::Vintage(name.to_owned()))
}

/// The indicator with this code.
pub fn indicator(state: &State, name: &str) -> Result<IndicatorId, NotFound> {
    let code = name.parse::<IndicatorCode>().ok();
    let found = code.and_then(|code| state.indicator(code)).map(|(id, _)| id);
    found.ok_or_else(|| {
        let codes: Vec<&str> = state.indicators.iter().map(|indicator| indicator.code.as_str()).collect();
        NotFound::Indicator { name: name.to_owned(), known: codes.join(", ") }
    })
}
