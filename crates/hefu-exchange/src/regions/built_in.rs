//! Zhejiang, built in: see `data/zhejiang/README.md` for where each table is from and how far to trust it.

use std::collections::BTreeSet;

use hefu_domain::{
    policy::{CountyList, Zone},
    time::Date,
};

use super::{Field, FileError, RegionData, Sheet, areas, borders, code, field};

/// The tables built into the binary.
macro_rules! built_in {
    ($file:literal) => {
        (include_str!(concat!("../../data/zhejiang/", $file)), $file)
    };
}

const REGIONS: (&str, &str) = built_in!("regions.csv");
const NEIGHBOURS: (&str, &str) = built_in!("neighbours.csv");
const ADJACENCY: (&str, &str) = built_in!("adjacency.csv");
const ZONES: (&str, &str) = built_in!("zones.csv");

const MEMBERSHIP: &[Field] =
    &[field("code", &[], true), field("mountain_26", &[], true), field("mountain_island_25", &[], true)];

const ZONE: &[Field] = &[
    field("host", &[], true),
    field("name", &[], true),
    field("kind", &[], true),
    field("industries", &[], true),
];

/// Zhejiang: the province, 11 cities and 90 counties; the counties across its border with their superiors, so that a
/// project can leave the province; the mountain and island counties; some zones.
pub fn zhejiang() -> RegionData {
    tables().unwrap_or_else(|error| unreachable!("the built-in tables are read in a test: {error}"))
}

fn tables() -> Result<RegionData, FileError> {
    let regions = areas(&[REGIONS, NEIGHBOURS])?;
    let adjacency = borders(ADJACENCY.0, ADJACENCY.1, &regions)?;
    let day = |year, month, day| Date::new(year, month, day);
    let lists = vec![
        list("mountain_26", "山区26县", None, day(2024, 8, 20))?,
        list("mountain_island_25", "山区海岛25县", day(2024, 8, 21), None)?,
    ];
    let host = regions[0].code;
    Ok(RegionData { adjacency, host, lists, regions, zones: zones()? })
}

fn list(
    key: &'static str,
    name: &str,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<CountyList, FileError> {
    let sheet = Sheet::read_whole(REGIONS.0, REGIONS.1, MEMBERSHIP)?;
    let members = sheet.rows.iter().filter(|row| sheet.get(row, key) == Some("1"));
    let counties = members.map(|row| code(&sheet, row, "code")).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(CountyList { counties, from, name: name.to_owned(), to })
}

fn zones() -> Result<Vec<Zone>, FileError> {
    let sheet = Sheet::read_whole(ZONES.0, ZONES.1, ZONE)?;
    let zone = |row| {
        let industries = sheet.get(row, "industries").unwrap_or_default();
        Ok(Zone {
            host: code(&sheet, row, "host")?,
            industries: industries.split(' ').filter(|i| !i.is_empty()).map(str::to_owned).collect(),
            kind: sheet.need(row, "kind")?.to_owned(),
            name: sheet.need(row, "name")?.to_owned(),
        })
    };
    sheet.rows.iter().map(zone).collect()
}

#[cfg(test)]
mod tests {
    use hefu_domain::{
        policy::TierRule,
        region::{Level, RegionCode, RegionTree},
        tier::{Tier, tier_of},
    };

    use super::*;

    fn region(text: &str) -> RegionCode {
        text.parse().unwrap()
    }

    #[test]
    fn zhejiang_has_eleven_cities_and_ninety_counties() {
        let data = tables().unwrap();
        let tree = RegionTree::default().with(&data.regions, &data.adjacency).unwrap();
        let host = tree.find(data.host).unwrap();
        assert_eq!((host.now().name_zh.as_str(), tree.subtree(host.id).len()), ("浙江省", 1 + 11 + 90));
        assert_eq!(tree.children(host.id).len(), 11);
        let inside = data.regions.iter().filter(|r| r.code.as_str().starts_with("33"));
        for county in inside.filter(|r| r.level == Level::County) {
            let at_border =
                data.adjacency.iter().any(|border| border.a == county.code || border.b == county.code);
            assert!(at_border, "{} has no neighbour", county.name_zh);
        }
        let provinces = tree.children(hefu_domain::region::RegionId(0));
        assert_eq!(provinces.len(), 6, "Zhejiang and its five neighbours");
        assert!(data.regions.iter().all(|r| !r.name_en.is_empty()));
    }

    #[test]
    fn the_lists_and_zones_name_counties_of_zhejiang() {
        let data = tables().unwrap();
        let tree = RegionTree::default().with(&data.regions, &data.adjacency).unwrap();
        let sizes: Vec<usize> = data.lists.iter().map(|list| list.counties.len()).collect();
        assert_eq!(sizes, [26, 25]);
        let left: Vec<_> = data.lists[0].counties.difference(&data.lists[1].counties).copied().collect();
        assert_eq!(left, [region("330326"), region("330802"), region("331102")], "平阳, 柯城, 莲都");
        let host = tree.find(data.host).unwrap().id;
        let listed = data.lists.iter().flat_map(|list| list.counties.iter().copied());
        for code in listed.chain(data.zones.iter().map(|zone| zone.host)) {
            let county = tree.find(code).unwrap();
            assert!(county.level == Level::County && tree.is_within(county.id, host), "{code}");
        }
        assert_eq!(data.zones.len(), 6);
    }

    #[test]
    fn tiers_follow_borders_and_cities() {
        let data = tables().unwrap();
        let tree = RegionTree::default().with(&data.regions, &data.adjacency).unwrap();
        for (from, to, tier) in [
            ("330108", "330108", Tier::Local),
            ("330108", "330109", Tier::Neighbouring), // a border
            ("330108", "330122", Tier::Neighbouring), // one city, no border
            ("330108", "330881", Tier::Wider),
            ("330424", "330604", Tier::Neighbouring), // across Hangzhou Bay
            ("330881", "361123", Tier::Neighbouring), // across the province's border
            ("330881", "361102", Tier::Wider),
            ("330482", "310116", Tier::Neighbouring),
            ("310116", "310118", Tier::Wider), // no city above them, no border in the table
        ] {
            let id = |code| tree.find(region(code)).unwrap().id;
            assert_eq!(tier_of(&tree, &TierRule::default(), id(from), id(to), false), tier, "{from} to {to}");
        }
    }
}
