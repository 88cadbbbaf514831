//! Where the figures come from: the cube as known at one position, and who looks at it.

use hefu_domain::{
    indicator::{IndicatorCode, Unit},
    period::Period,
    region::RegionCode,
    time::Timestamp,
};

use super::Refusal;

/// One of the two dataflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// `DF_TERRITORIAL`: the public table.
    Territorial,
    /// `DF_CREDIT`: every basis, restricted.
    Credit,
}

impl Flow {
    /// Both.
    pub const ALL: [Flow; 2] = [Flow::Territorial, Flow::Credit];

    /// Its id.
    pub const fn id(self) -> &'static str {
        match self {
            Flow::Territorial => "DF_TERRITORIAL",
            Flow::Credit => "DF_CREDIT",
        }
    }
}

/// A way of counting, as `COUNT_BASIS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Territorial.
    Territorial,
    /// Shared.
    Shared,
    /// Its part as origin.
    AsOrigin,
    /// Its part as destination.
    AsDestination,
    /// The elimination.
    Elimination,
}

impl Basis {
    /// All, in the order of the code list.
    pub const ALL: [Basis; 5] =
        [Basis::Territorial, Basis::Shared, Basis::AsOrigin, Basis::AsDestination, Basis::Elimination];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Basis::Territorial => "T",
            Basis::Shared => "S",
            Basis::AsOrigin => "S_O",
            Basis::AsDestination => "S_D",
            Basis::Elimination => "X",
        }
    }
}

/// An area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// GB/T 2260 code.
    pub code: RegionCode,
    /// Its direct superior, unless it is the nation.
    pub parent: Option<RegionCode>,
    /// Chinese name.
    pub zh: String,
    /// English name; may be empty.
    pub en: String,
}

/// An indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its code.
    pub code: IndicatorCode,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Unit of its values.
    pub unit: Unit,
}

/// What a public table does with a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Public {
    /// It has no such period.
    NoSuchPeriod,
    /// It shows the figure.
    Shown,
    /// It suppresses the figure, for the reason with this letter of `CONF_STATUS`.
    Suppressed(&'static str),
}

/// All figures of an area, indicator and period, as decimal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// By basis, in the order of [`Basis::ALL`]; `None` where a basis has no value.
    pub values: [Option<String>; 5],
    /// Letter of `OBS_STATUS`: `A`, `P`, `V` or `M`.
    pub status: &'static str,
    /// Whether the shared figure has a part from elsewhere.
    pub from_elsewhere: bool,
}

/// The cube as known at one position.
pub trait Cube {
    /// Position of the last record that is known.
    fn position(&self) -> u64;
    /// Its instant.
    fn instant(&self) -> Timestamp;
    /// All areas, superiors first.
    fn areas(&self) -> Vec<Area>;
    /// The catalogue.
    fn indicators(&self) -> Vec<Measured>;
    /// The years, quarters and months in which anything is known of an indicator, in order of time within each.
    fn periods(&self, indicator: IndicatorCode) -> Vec<Period>;
    /// Whether an area has a figure of an indicator on a basis, be it missing: a county has no elimination, a ratio no
    /// parts.
    fn has(&self, area: RegionCode, indicator: IndicatorCode, basis: Basis) -> bool;
    /// Whether public tables have a period.
    fn publishes(&self, period: Period) -> bool;
    /// The figures of an area, indicator and period.
    fn figures(&self, area: RegionCode, indicator: IndicatorCode, period: Period) -> Figures;
    /// What a public table does with the territorial figure.
    fn public(&self, area: RegionCode, indicator: IndicatorCode, period: Period) -> Public;
    /// Why the difference of shared and territorial must not be seen by those who may not see the projects behind it:
    /// a letter of `CONF_STATUS`.
    fn credit_reason(
        &self,
        area: RegionCode,
        indicator: IndicatorCode,
        period: Period,
    ) -> Option<&'static str>;
}

/// As known when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Now.
    #[default]
    Now,
    /// At an instant.
    At(Timestamp),
    /// As the vintage with this name froze it, and nothing that it did not freeze.
    Vintage(String),
}

/// What is done with a cube.
pub type Look<'l> = dyn FnMut(&dyn Cube) -> Result<(), Refusal> + 'l;

/// A ledger that can be looked at as of any time.
pub trait Source {
    /// Looks at the cube as known then.
    fn look(&self, when: &When, look: &mut Look<'_>) -> Result<(), Refusal>;
    /// Looks at the cube once after every instant, up to `until`, at which a figure may have changed, oldest first.
    fn history(&self, until: &When, look: &mut Look<'_>) -> Result<(), Refusal>;
}

/// Who looks (semantics section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Anybody: `DF_TERRITORIAL`, as known now, without reasons.
    Public,
    /// A region's office: its own subtree, and totals of its superiors.
    Region(RegionCode),
    /// Statistics, coordinator of the host, auditor: everything.
    Everything,
}
