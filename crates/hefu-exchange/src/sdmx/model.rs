//! The structures: two dataflows, one data structure, its concepts and code lists.
//!
//! Area codes carry `CN` before GB/T 2260: codes of digits alone break in two places of two clients (trap 1). Codes and
//! names of statuses are those of SDMX's cross-domain code lists.

use hefu_domain::indicator::Unit;

use super::cube::{Area, Basis, Cube, Flow, Measured};

/// The maintenance agency.
pub const AGENCY: &str = "HEFU";
/// The version of every artefact.
pub const VERSION: &str = "1.0.0";
/// The data structure.
pub const DSD: &str = "DSD_INDICATORS";
/// The concept scheme.
pub const CONCEPTS: &str = "CS_INDICATORS";

/// The dimensions with their code lists, in the order of the key; `TIME_PERIOD` follows.
pub const DIMENSIONS: [(&str, &str); 5] = [
    ("FREQ", "CL_FREQ"),
    ("REF_AREA", "CL_AREA"),
    ("INDICATOR", "CL_INDICATOR"),
    ("COUNT_BASIS", "CL_COUNT_BASIS"),
    ("MOVE_SCOPE", "CL_MOVE_SCOPE"),
];

/// An attribute: id, code list, whether mandatory.
pub type Attribute = (&'static str, Option<&'static str>, bool);

/// Attributes of a series.
pub const SERIES_ATTRIBUTES: [Attribute; 2] =
    [("UNIT_MEASURE", Some("CL_UNIT"), true), ("UNIT_MULT", Some("CL_UNIT_MULT"), true)];

/// Attributes of an observation.
pub const OBSERVATION_ATTRIBUTES: [Attribute; 3] = [
    ("OBS_STATUS", Some("CL_OBS_STATUS"), true),
    ("CONF_STATUS", Some("CL_CONF_STATUS"), false),
    ("LEDGER_SEQ", None, false),
];

/// Whether a dimension or attribute has this id.
pub fn is_component(id: &str) -> bool {
    let attributes = SERIES_ATTRIBUTES.iter().chain(&OBSERVATION_ATTRIBUTES).map(|(name, ..)| *name);
    id == "TIME_PERIOD" || DIMENSIONS.iter().map(|(name, _)| *name).chain(attributes).any(|name| name == id)
}

/// Concepts: id, Chinese, English.
pub const CONCEPT_NAMES: [(&str, &str, &str); 12] = [
    ("FREQ", "频率", "Frequency"),
    ("REF_AREA", "地区", "Reference area"),
    ("INDICATOR", "指标", "Indicator"),
    ("COUNT_BASIS", "计数口径", "Counting basis"),
    ("MOVE_SCOPE", "流转层级", "Tier of the transfer"),
    ("TIME_PERIOD", "报告期", "Reference period"),
    ("OBS_VALUE", "观测值", "Observation value"),
    ("UNIT_MEASURE", "计量单位", "Unit of measure"),
    ("UNIT_MULT", "单位乘数", "Unit multiplier"),
    ("OBS_STATUS", "观测状态", "Observation status"),
    ("CONF_STATUS", "保密状态", "Confidentiality status"),
    ("LEDGER_SEQ", "账本位置", "Position of the ledger at which the value was computed"),
];

/// The names of a concept.
pub fn concept(id: &str) -> (&'static str, &'static str) {
    let found = CONCEPT_NAMES.iter().find(|(name, ..)| *name == id);
    found.map_or(("", ""), |(_, zh, en)| (*zh, *en))
}

/// The names of a dataflow.
pub const fn flow_names(flow: Flow) -> (&'static str, &'static str) {
    match flow {
        Flow::Territorial => ("在地口径指标(可公开)", "Indicators on the territorial basis (public)"),
        Flow::Credit => (
            "在地与共享口径指标(仅用于考核,不得对外公开)",
            "Indicators on both bases (for assessment only; not for publication)",
        ),
    }
}

/// The names of the data structure.
pub const DSD_NAMES: (&str, &str) =
    ("内生裂变项目指标数据结构", "Indicators of projects that move between regions");

/// A code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// The code above it.
    pub parent: Option<String>,
}

/// A code list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codelist {
    /// Its id.
    pub id: &'static str,
    /// Chinese name.
    pub zh: &'static str,
    /// English name.
    pub en: &'static str,
    /// Its codes.
    pub codes: Vec<Code>,
}

impl Codelist {
    /// A code's names; the code itself where it has none.
    pub fn names<'c>(&'c self, id: &'c str) -> (&'c str, &'c str) {
        self.codes.iter().find(|code| code.id == id).map_or((id, id), |code| (&code.zh, &code.en))
    }
}

/// The code of an area.
pub fn area_code(code: impl std::fmt::Display) -> String {
    format!("CN{code}")
}

/// The code of a unit.
pub const fn unit_code(unit: Unit) -> &'static str {
    match unit {
        Unit::Cny => "CNY",
        Unit::Persons => "PS",
        Unit::Projects => "PRJ",
        Unit::Quotient => "PURE_NUMB",
    }
}

fn fixed(id: &'static str, zh: &'static str, en: &'static str, codes: &[(&str, &str, &str)]) -> Codelist {
    let code = |(id, zh, en): &(&str, &str, &str)| Code {
        id: (*id).to_owned(),
        zh: (*zh).to_owned(),
        en: (*en).to_owned(),
        parent: None,
    };
    Codelist { id, zh, en, codes: codes.iter().map(code).collect() }
}

fn areas(areas: Vec<Area>) -> Codelist {
    let known: std::collections::BTreeSet<_> = areas.iter().map(|area| area.code).collect();
    let code = |area: Area| Code {
        id: area_code(area.code),
        // `com:Name` must not be empty, and clients prefer the English name (trap 9).
        en: if area.en.is_empty() { area.zh.clone() } else { area.en },
        zh: area.zh,
        parent: area.parent.filter(|parent| known.contains(parent)).map(area_code),
    };
    let codes = areas.into_iter().map(code).collect();
    Codelist { id: "CL_AREA", zh: "行政区划(GB/T 2260)", en: "Administrative areas (GB/T 2260)", codes }
}

fn indicators(indicators: Vec<Measured>) -> Codelist {
    let code = |measured: Measured| Code {
        id: measured.code.to_string(),
        en: if measured.en.is_empty() { measured.code.to_string() } else { measured.en },
        zh: if measured.zh.is_empty() { measured.code.to_string() } else { measured.zh },
        parent: None,
    };
    let codes = indicators.into_iter().map(code).collect();
    Codelist { id: "CL_INDICATOR", zh: "指标", en: "Indicators", codes }
}

/// All code lists.
pub fn codelists(cube: &dyn Cube) -> Vec<Codelist> {
    let basis = |basis: Basis| match basis {
        Basis::Territorial => ("T", "在地口径(可加)", "Territorial (adds up)"),
        Basis::Shared => {
            ("S", "共享口径(仅用于考核,不可加)", "Shared (for assessment only; does not add up)")
        }
        Basis::AsOrigin => ("S_O", "共享口径:作为迁出地", "Shared: as origin"),
        Basis::AsDestination => ("S_D", "共享口径:作为所在地", "Shared: as destination"),
        Basis::Elimination => {
            ("X", "抵消:共享口径减去下级之和", "Elimination: shared less the sum of the areas below")
        }
    };
    vec![
        fixed(
            "CL_FREQ",
            "频率",
            "Frequency",
            &[("A", "年度", "Annual"), ("Q", "季度", "Quarterly"), ("M", "月度", "Monthly")],
        ),
        areas(cube.areas()),
        indicators(cube.indicators()),
        fixed("CL_COUNT_BASIS", "计数口径", "Counting basis", &Basis::ALL.map(basis)),
        fixed(
            "CL_MOVE_SCOPE",
            "流转层级",
            "Tier of the transfer",
            &[
                ("_T", "合计", "Total"),
                ("Y", "原地", "Original site"),
                ("B", "本地", "Local"),
                ("Z", "周边", "Neighbouring"),
                ("K", "扩大范围", "Wider"),
            ],
        ),
        fixed(
            "CL_UNIT",
            "计量单位",
            "Unit of measure",
            &[
                ("CNY", "元", "Yuan renminbi"),
                ("PRJ", "个(项目)", "Projects"),
                ("PS", "人", "Persons"),
                ("PURE_NUMB", "比率", "Pure number"),
            ],
        ),
        fixed("CL_UNIT_MULT", "单位乘数", "Unit multiplier", &[("0", "个", "Units")]),
        fixed(
            "CL_OBS_STATUS",
            "观测状态",
            "Observation status",
            &[
                ("A", "正常值", "Normal value"),
                ("M", "缺失", "Missing value; data cannot exist"),
                ("P", "初步值(报告期未满)", "Provisional value"),
                ("Q", "缺失;已抑制", "Missing value; suppressed"),
                ("V", "未核实(存在争议)", "Unvalidated value"),
                ("W", "包含其他地区的数据", "Includes data from another category"),
            ],
        ),
        fixed(
            "CL_CONF_STATUS",
            "保密状态",
            "Confidentiality status",
            &[
                ("F", "可公开", "Free (free for publication)"),
                ("N", "仅限内部使用,不得公开", "Not for publication, restricted for internal use only"),
                ("C", "保密", "Confidential statistical information"),
                ("A", "主抑制:企业过少", "Primary confidentiality due to small counts"),
                ("O", "主抑制:一家独大", "Primary confidentiality due to dominance by one unit"),
                ("T", "主抑制:两家独大", "Primary confidentiality due to dominance by two units"),
                (
                    "M",
                    "主抑制:过于集中",
                    "Primary confidentiality due to data declared confidential based on other measures of concentration",
                ),
                ("D", "次抑制", "Secondary confidentiality set by the sender, not for publication"),
            ],
        ),
    ]
}

/// The URN of an artefact, or of an item in it.
pub fn urn(package: &str, class: &str, id: &str, item: Option<&str>) -> String {
    let item = item.map_or(String::new(), |item| format!(".{item}"));
    format!("urn:sdmx:org.sdmx.infomodel.{package}.{class}={AGENCY}:{id}({VERSION}){item}")
}

/// The URN of a dataflow.
pub fn flow_urn(flow: Flow) -> String {
    urn("datastructure", "Dataflow", flow.id(), None)
}

/// The URN of the data structure.
pub fn dsd_urn() -> String {
    urn("datastructure", "DataStructure", DSD, None)
}

/// The URN of a concept.
pub fn concept_urn(id: &str) -> String {
    urn("conceptscheme", "Concept", CONCEPTS, Some(id))
}

/// The URN of a code list.
pub fn codelist_urn(id: &str) -> String {
    urn("codelist", "Codelist", id, None)
}
