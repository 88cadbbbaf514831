//! Regions from tables: the built-in Zhejiang, or any tree in the same columns.
//!
//! A table holds one row per area with a code, a level and a superior; the nation is implicit. Borders come in a second
//! table. Refuses codes that stand twice, superiors that are missing or not of a higher level, and borders of anything
//! but two counties: a tree that is read here is one the ledger accepts.

use std::collections::BTreeMap;

use hefu_domain::{
    policy::{CountyList, Zone},
    region::{Adjacency, Border, Level, RegionCode, RegionEntry, RegionTree},
};

use crate::{
    import::scalar,
    problem::{FileError, Problem},
    sheet::{Field, Row, Sheet, field},
    text::fold,
};

mod built_in;

pub use built_in::zhejiang;

/// What a new ledger needs to know about its areas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionData {
    /// Borders between counties.
    pub adjacency: Vec<Adjacency>,
    /// The region whose coordinator adopts policy and regions: the first province, or the topmost region.
    pub host: RegionCode,
    /// Dated lists of counties, such as the mountain and island counties.
    pub lists: Vec<CountyList>,
    /// The areas, superiors first, otherwise in the order of the file.
    pub regions: Vec<RegionEntry>,
    /// Zones.
    pub zones: Vec<Zone>,
}

const AREA: &[Field] = &[
    field("code", &["代码", "行政区划代码", "地区代码"], true),
    field("name_zh", &["名称", "中文名称", "地区名称", "地区", "name"], true),
    field("name_en", &["英文名称", "英文名"], false),
    field("level", &["级别", "层级"], true),
    field("parent", &["上级", "上级代码", "上级地区"], true),
    field("valid_from", &["生效日期", "起始日期"], false),
];

const BORDER: &[Field] = &[
    field("a", &["甲", "地区甲", "acode"], true),
    field("b", &["乙", "地区乙", "bcode"], true),
    field("kind", &["类型", "边界类型"], true),
];

/// Reads a tree of regions and, if given, its borders; each text comes with the name of its file. Lists and zones are
/// empty: they belong to the policy.
pub fn read(
    regions_csv: &str,
    file: &str,
    adjacency_csv: Option<(&str, &str)>,
) -> Result<RegionData, FileError> {
    let regions = areas(&[(regions_csv, file)])?;
    let adjacency =
        adjacency_csv.map_or_else(|| Ok(Vec::new()), |(text, name)| borders(text, name, &regions))?;
    let whole = |problem| FileError::new(file, problem);
    let province = regions.iter().find(|entry| entry.level == Level::Province);
    let host = province.or(regions.first()).ok_or_else(|| whole(Problem::NoRegions {}))?.code;
    if let Err(bad) = RegionTree::default().with(&regions, &adjacency) {
        return Err(whole(Problem::BadTree { why: bad.to_string(), why_zh: bad.zh() }));
    }
    Ok(RegionData { adjacency, host, lists: Vec::new(), regions, zones: Vec::new() })
}

/// The areas of one or several tables that belong together.
fn areas(tables: &[(&str, &str)]) -> Result<Vec<RegionEntry>, FileError> {
    let mut found: Vec<(RegionEntry, FileError)> = Vec::new();
    let mut rows: BTreeMap<RegionCode, u64> = BTreeMap::new();
    for (text, file) in tables {
        let sheet = Sheet::read_whole(text, file, AREA)?;
        for row in &sheet.rows {
            let entry = area(&sheet, row)?;
            if entry.level == Level::Nation {
                continue;
            }
            if let Some(first) = rows.insert(entry.code, row.number) {
                return Err(sheet.error(row, "code", Problem::DuplicateRegion { row: first }));
            }
            found.push((entry, sheet.error(row, "parent", Problem::BadParent {})));
        }
    }
    let top = found.iter().map(|(entry, _)| entry.level).min();
    let levels: BTreeMap<RegionCode, Level> = found.iter().map(|(e, _)| (e.code, e.level)).collect();
    for (entry, bad_parent) in &found {
        match entry.parent {
            Some(parent) if levels.get(&parent).is_some_and(|level| *level < entry.level) => {}
            None if entry.level == Level::Province || Some(entry.level) == top => {}
            Some(_) => return Err(bad_parent.clone()),
            None => {
                return Err(FileError { problem: Box::new(Problem::MissingParent {}), ..bad_parent.clone() });
            }
        }
    }
    found.sort_by_key(|(entry, _)| entry.level);
    Ok(found.into_iter().map(|(entry, _)| entry).collect())
}

fn area(sheet: &Sheet, row: &Row) -> Result<RegionEntry, FileError> {
    let level = level(sheet.need(row, "level")?);
    let parent = sheet.get(row, "parent").map(|_| code(sheet, row, "parent")).transpose()?;
    let valid_from = sheet
        .get(row, "valid_from")
        .map(|text| scalar::date(text).ok_or_else(|| sheet.error(row, "valid_from", Problem::BadDate {})));
    Ok(RegionEntry {
        code: code(sheet, row, "code")?,
        level: level.ok_or_else(|| sheet.error(row, "level", Problem::BadLevel {}))?,
        name_en: sheet.get(row, "name_en").unwrap_or_default().to_owned(),
        name_zh: sheet.need(row, "name_zh")?.to_owned(),
        parent: parent.filter(|code| *code != RegionCode::NATION),
        valid_from: valid_from.transpose()?,
    })
}

fn code(sheet: &Sheet, row: &Row, key: &'static str) -> Result<RegionCode, FileError> {
    let code = fold(sheet.need(row, key)?).parse();
    code.map_err(|_| sheet.error(row, key, Problem::BadRegion {}))
}

fn level(text: &str) -> Option<Level> {
    match fold(text).to_lowercase().as_str() {
        "nation" | "国" | "国家" | "全国" => Some(Level::Nation),
        "province" | "省" | "省级" | "自治区" | "直辖市" => Some(Level::Province),
        "prefecture" | "city" | "市" | "市级" | "地市" | "地级市" | "设区市" | "地级" => {
            Some(Level::Prefecture)
        }
        "county" | "县" | "县级" | "区" | "县市区" | "县级市" | "市辖区" => Some(Level::County),
        _ => None,
    }
}

fn borders(text: &str, file: &str, regions: &[RegionEntry]) -> Result<Vec<Adjacency>, FileError> {
    let sheet = Sheet::read_whole(text, file, BORDER)?;
    let counties: Vec<RegionCode> =
        regions.iter().filter(|entry| entry.level == Level::County).map(|entry| entry.code).collect();
    let mut seen: BTreeMap<(RegionCode, RegionCode), u64> = BTreeMap::new();
    let mut borders = Vec::with_capacity(sheet.rows.len());
    for row in &sheet.rows {
        let county = |key| {
            let code = code(&sheet, row, key)?;
            let known = counties.contains(&code).then_some(code);
            known.ok_or_else(|| sheet.error(row, key, Problem::BadBorder {}))
        };
        let (a, b) = (county("a")?, county("b")?);
        if a == b {
            return Err(sheet.error(row, "b", Problem::BadBorder {}));
        }
        if let Some(first) = seen.insert((a.min(b), a.max(b)), row.number) {
            return Err(sheet.error(row, "b", Problem::DuplicateRow { row: first }));
        }
        let kind = match fold(sheet.need(row, "kind")?).to_lowercase().as_str() {
            "land" | "陆地" | "陆" => Border::Land,
            "water" | "水域" | "水" => Border::Water,
            "sea" | "海域" | "海" => Border::Sea,
            "land_xprov" | "省际" | "省界" => Border::LandXprov,
            _ => return Err(sheet.error(row, "kind", Problem::BadBorderKind {})),
        };
        borders.push(Adjacency { a, b, kind });
    }
    Ok(borders)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CITY: &str = "级别,代码,名称,上级,备注\n县,330108,滨江区,330100,x\n市,330100,杭州市,,\n\n县,330106,西湖区,330100,\n";

    #[test]
    fn columns_and_rows_stand_in_any_order() {
        let data = read(CITY, "r.csv", Some(("a,b,kind\n330108,330106,land\n", "b.csv"))).unwrap();
        assert_eq!(data.host.to_string(), "330100");
        let codes: Vec<String> = data.regions.iter().map(|entry| entry.code.to_string()).collect();
        assert_eq!(codes, ["330100", "330108", "330106"]);
        assert_eq!(data.adjacency.len(), 1);
    }

    #[test]
    fn a_wrong_table_is_located() {
        let head = "code,name_zh,level,parent\n330000,浙江省,province,000000\n";
        for (rows, row, column, code) in [
            ("33010,杭州市,prefecture,330000", Some(3), "code", "bad_region"),
            ("330100,杭州市,town,330000", Some(3), "level", "bad_level"),
            ("330100,,prefecture,330000", Some(3), "name_zh", "empty"),
            ("330100,杭州市,prefecture,340000", Some(3), "parent", "bad_parent"),
            ("330100,杭州市,prefecture,", Some(3), "parent", "missing_parent"),
            ("\n330000,浙江省,province,", Some(4), "code", "duplicate_region"),
        ] {
            let error = read(&format!("{head}{rows}\n"), "r.csv", None).unwrap_err();
            let place = (error.row, error.column.as_deref(), error.code());
            assert_eq!(place, (row, Some(column), code), "{error} / {}", error.zh());
        }
        for (borders, code) in [
            ("a,b,kind\n330108,330109,land\n", "bad_border"),
            ("a,b,kind\n330108,330108,land\n", "bad_border"),
            ("a,b,kind\n330108,330106,road\n", "bad_border_kind"),
            ("a,b,kind\n330108,330106,land\n330106,330108,sea\n", "duplicate_row"),
            ("a,kind\n", "missing_columns"),
        ] {
            assert_eq!(read(CITY, "r.csv", Some((borders, "b.csv"))).unwrap_err().code(), code);
        }
        assert_eq!(read("code,name_zh,level,parent\n", "r.csv", None).unwrap_err().code(), "no_regions");
        assert_eq!(read("", "r.csv", None).unwrap_err().code(), "empty_file");
        assert_eq!(
            read("code,level,parent\n", "r.csv", None).unwrap_err().to_string(),
            "r.csv, row 1: no header row with the column 名称 (name_zh); name the columns in one of the first ten rows"
        );
        let wide = format!("{head}330100,杭州市,prefecture,330000,x\n");
        assert_eq!(read(&wide, "r.csv", None).unwrap_err().code(), "surplus_cells");
    }
}
