//! What clients really ask, what they stumble over, and the bytes of every form of message.
//!
//! The requests are those that PyPI `sdmx1` 2.28.0 and `pysdmx` 1.21.0 were seen to send. Golden files are rewritten
//! with `UPDATE=1`. What the clients make of the messages is tried in `.ci/sdmx`.

use std::{cell::Cell, fs, path::Path};

use hefu_domain::{
    indicator::{IndicatorCode, Unit},
    period::Period,
    region::RegionCode,
    time::Timestamp,
};

use super::{
    cube::{Area, Look, Measured, Public},
    refusal::Code,
    *,
};

/// A small ledger: one project went from 滨江 to 江山; 研发 there is one enterprise's. At its second instant a figure
/// was corrected.
struct Small {
    position: u64,
}

fn code<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

impl Cube for Small {
    fn position(&self) -> u64 {
        self.position
    }

    fn instant(&self) -> Timestamp {
        code(if self.position < 240 { "2026-02-01T00:00:00.000000Z" } else { "2026-11-23T08:00:00.000000Z" })
    }

    fn areas(&self) -> Vec<Area> {
        let area = |own, parent: Option<&str>, zh: &str, en: &str| Area {
            code: code(own),
            parent: parent.map(code),
            zh: zh.to_owned(),
            en: en.to_owned(),
        };
        vec![
            area("330000", None, "浙江省", "Zhejiang"),
            area("330100", Some("330000"), "杭州市", "Hangzhou"),
            area("330108", Some("330100"), "滨江区", "Binjiang"),
            area("330800", Some("330000"), "衢州市", ""),
            area("330881", Some("330800"), "江山市 <&\"", "Jiangshan"),
        ]
    }

    fn indicators(&self) -> Vec<Measured> {
        ["INV_FAI", "RD_EXP"]
            .map(|own| Measured { code: code(own), zh: String::new(), en: own.to_owned(), unit: Unit::Cny })
            .into()
    }

    fn periods(&self, _: IndicatorCode) -> Vec<Period> {
        ["2025-01", "2025-Q1", "2025", "2026"].map(code).into()
    }

    fn has(&self, area: RegionCode, _: IndicatorCode, basis: Basis) -> bool {
        basis != Basis::Elimination || !matches!(area.as_str(), "330108" | "330881")
    }

    fn publishes(&self, period: Period) -> bool {
        period != code("2025-01")
    }

    fn figures(&self, area: RegionCode, _: IndicatorCode, period: Period) -> Figures {
        let amount = if self.position < 240 { "119999.99" } else { "120000.00" };
        let (here, elsewhere) = match area.as_str() {
            "330108" | "330100" => ("0.00", amount),
            _ => (amount, "0.00"),
        };
        let shared = if here == "0.00" { elsewhere } else { here };
        let elimination = match area.as_str() {
            "330000" => Some(format!("-{amount}")),
            "330108" | "330881" => None,
            _ => Some("0.00".to_owned()),
        };
        let figures = [here, shared, elsewhere, here].map(|text| Some(text.to_owned()));
        let [territorial, shared, origin, destination] = figures;
        Figures {
            values: [territorial, shared, origin, destination, elimination],
            status: if period == code("2026") { "P" } else { "A" },
            from_elsewhere: elsewhere != "0.00",
        }
    }

    fn public(&self, area: RegionCode, indicator: IndicatorCode, period: Period) -> Public {
        match (code::<Period>("2025-01") == period, indicator.as_str()) {
            (true, _) => Public::NoSuchPeriod,
            (false, "RD_EXP") => Public::Suppressed(if area.as_str() == "330881" { "A" } else { "D" }),
            (false, _) => Public::Shown,
        }
    }

    fn credit_reason(&self, area: RegionCode, _: IndicatorCode, _: Period) -> Option<&'static str> {
        (area.as_str() == "330100").then_some("A")
    }
}

/// Counts how often it was looked at.
#[derive(Default)]
struct Ledger {
    looks: Cell<usize>,
}

impl Source for Ledger {
    fn look(&self, when: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        self.looks.set(self.looks.get() + 1);
        let early = match when {
            When::Now => false,
            When::At(then) if *then < code("2026-01-01T00:00:00.000000Z") => {
                return Err(Refusal::new(Code::NoData, ("asOf", ""), "nothing then", "那时没有"));
            }
            When::At(then) => *then < code("2026-06-01T00:00:00.000000Z"),
            When::Vintage(name) => name == "first",
        };
        look(&Small { position: if early { 118 } else { 240 } })
    }

    fn history(&self, _: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        [118, 200, 240].into_iter().try_for_each(|position| look(&Small { position }))
    }
}

fn ask(address: &str, accept: &str, viewer: Viewer) -> Result<(String, String), Refusal> {
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let question = parse(path, query)?;
    let message = answer(&question, &Ledger::default(), viewer, Some(accept), None)?;
    Ok((message.media_type.to_owned(), String::from_utf8(message.body).unwrap()))
}

fn all(address: &str, accept: &str) -> String {
    ask(address, accept, Viewer::Everything).unwrap_or_else(|refusal| panic!("{address}: {refusal}")).1
}

fn refused(address: &str, viewer: Viewer) -> Code {
    ask(address, "*/*", viewer).unwrap_err().code
}

const CSV1: &str = "application/vnd.sdmx.data+csv;version=1.0.0";
const CSV2: &str = "application/vnd.sdmx.data+csv;version=2.0.0";
const JSON: &str = "application/vnd.sdmx.structure+json;version=2.0.0";

#[test]
fn every_form_has_its_golden_file() {
    let data = "/v2/data/dataflow/HEFU/DF_CREDIT/+/A.*.*.*.*";
    let v1 = "/v1/data/HEFU,DF_CREDIT/A....";
    let key = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330108.INV_FAI.S.*";
    for (name, address, accept) in [
        ("structure-2.0.json", "/v2/structure/dataflow/HEFU/DF_CREDIT/1.0.0?references=all", JSON),
        ("structure-3.0.xml", "/v2/structure/dataflow/HEFU/DF_CREDIT/+?references=all", "*/*"),
        ("structure-2.1.xml", "/v1/dataflow/HEFU/DF_CREDIT/latest?references=all", "*/*"),
        ("availability-2.0.json", "/v2/availability/dataflow/HEFU/DF_CREDIT/1.0.0?references=all", JSON),
        ("schema-2.0.json", "/v2/schema/dataflow/HEFU/DF_CREDIT/1.0.0/", JSON),
        ("data-1.0.csv", data, CSV1),
        ("data-2.0.csv", data, CSV2),
        ("data-2.0.json", data, "application/vnd.sdmx.data+json;version=2.0.0"),
        ("data-3.0.xml", data, "application/vnd.sdmx.data+xml;version=3.0.0"),
        ("data-generic-2.1.xml", v1, "*/*"),
        ("data-specific-2.1.xml", v1, "application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
        ("history-3.0.xml", &format!("{key}?includeHistory=true"), "*/*"),
        ("updated-2.0.csv", &format!("{key}?updatedAfter=2026-03-01T00:00:00%2B00:00"), CSV2),
    ] {
        let text = all(address, accept);
        // One object a line, so that a difference can be read.
        let text = if Path::new(name).extension().is_some_and(|extension| extension == "json") {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            serde_json::to_string_pretty(&value).unwrap() + "\n"
        } else {
            text
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sdmx").join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert!(text == golden, "{name} is not its golden file; UPDATE=1 rewrites it");
    }
}

/// The agency in the address is the id under which a user registers the source, so it must be ours.
#[test]
fn observed_requests_are_understood() {
    for (address, accept, media) in [
        // sdmx1, SDMX 2.1
        ("/v1/dataflow/HEFU/all/latest", "*/*", "structure+xml;version=2.1"),
        ("/v1/dataflow/HEFU/DF_CREDIT/latest?references=all", "*/*", "structure+xml;version=2.1"),
        ("/v1/datastructure/HEFU/DSD_INDICATORS/latest?references=all", "*/*", "structure+xml;version=2.1"),
        ("/v1/codelist/HEFU/CL_AREA/latest", "*/*", "structure+xml;version=2.1"),
        ("/v1/data/DF_CREDIT/.CN330881..S+T.?startPeriod=2025", "*/*", "genericdata+xml;version=2.1"),
        (
            "/v1/data/DF_CREDIT/A.CN330881.RD_EXP..",
            "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
            "structurespecificdata+xml;version=2.1",
        ),
        ("/v1/data/DF_CREDIT?detail=serieskeysonly", "*/*", "genericdata+xml;version=2.1"),
        // sdmx1, SDMX 3.0
        ("/v2/structure/dataflow/HEFU/DF_CREDIT/+?references=all", "*/*", "structure+xml;version=3.0.0"),
        ("/v2/data/dataflow/HEFU/DF_CREDIT/+/A.CN330000.INV_FAI.*.*", "*/*", "data+xml;version=3.0.0"),
        ("/v2/data/*/HEFU/DF_CREDIT/+/A.CN330000.INV_FAI.*.*", "*/*", "data+xml;version=3.0.0"),
        // pysdmx RestService
        (
            "/v1/dataflow/HEFU/DF_CREDIT?references=all",
            "application/vnd.sdmx.structure+xml;version=2.1",
            "structure+xml;version=2.1",
        ),
        ("/v1/data/HEFU%2CDF_CREDIT/A.CN330881.../", CSV1, "data+csv;version=1.0.0"),
        ("/v2/structure/dataflow/HEFU/DF_CREDIT/1.0.0?references=all", JSON, "structure+json;version=2.0.0"),
        ("/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330881.%2A.%2A.%2A/", CSV2, "data+csv;version=2.0.0"),
        (
            "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330881.%2A.%2A.%2A?asOf=2026-03-01T00%3A00%3A00%2B00%3A00",
            CSV2,
            "data+csv;version=2.0.0",
        ),
        (
            "/v2/structure/dataflow/HEFU/DF_CREDIT/1.0.0?references=all",
            "application/vnd.sdmx.structure+xml;version=3.0.0",
            "structure+xml;version=3.0.0",
        ),
        (
            "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/",
            "application/vnd.sdmx.data+xml;version=3.0.0",
            "data+xml;version=3.0.0",
        ),
        // pysdmx RegistryClient
        ("/v2/structure/codelist/HEFU/CL_COUNT_BASIS/", JSON, "structure+json;version=2.0.0"),
        (
            "/v2/structure/dataflow/HEFU/DF_CREDIT/1.0.0?detail=referencepartial&references=all",
            JSON,
            "structure+json;version=2.0.0",
        ),
        ("/v2/schema/dataflow/HEFU/DF_CREDIT/1.0.0/", JSON, "structure+json;version=2.0.0"),
        // pysdmx connectors
        ("/v2/structure/dataflow?detail=allcompletestubs", JSON, "structure+json;version=2.0.0"),
        (
            "/v2/availability/dataflow/HEFU/DF_CREDIT/1.0.0?references=all",
            JSON,
            "structure+json;version=2.0.0",
        ),
        (
            "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0?c%5BREF_AREA%5D=CN330881&c%5BCOUNT_BASIS%5D=S%2CT&dimensionAtObservation=AllDimensions",
            CSV2,
            "data+csv;version=2.0.0",
        ),
    ] {
        let answered = ask(address, accept, Viewer::Everything);
        let (found, body) = answered.unwrap_or_else(|refusal| panic!("{address}: {refusal}"));
        assert_eq!(found, format!("application/vnd.sdmx.{media}"), "{address}");
        assert!(!body.is_empty(), "{address}");
    }
}

fn column(csv: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    let mut values: Vec<String> = reader.records().map(|row| row.unwrap()[place].to_owned()).collect();
    values.dedup();
    values
}

#[test]
fn trap_1_areas_have_letters_and_six_digits_are_understood() {
    let flow = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0";
    let by_code = all(&format!("{flow}/A.CN330881.*.T.*"), CSV2);
    assert_eq!(column(&by_code, "REF_AREA"), ["CN330881"]);
    assert_eq!(all(&format!("{flow}/A.330881.*.T.*"), CSV2), by_code);
    assert_eq!(all(&format!("{flow}?c[FREQ]=A&c[COUNT_BASIS]=T&c[REF_AREA]=330881"), CSV2), by_code);
    let lists = all("/v2/structure/codelist/HEFU/CL_AREA", "*/*");
    assert!(lists.contains("<str:Parent>CN330800</str:Parent>"), "{lists}");
}

#[test]
fn trap_2_values_are_declared_double_and_positions_long() {
    for accept in [JSON, "*/*"] {
        let structure = all("/v2/structure/datastructure/HEFU/DSD_INDICATORS", accept);
        assert!(structure.contains("Double") && structure.contains("Long"), "{structure}");
        assert!(!structure.contains("Decimal") && !structure.contains("Integer"), "{structure}");
    }
    assert!(
        all("/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330881.INV_FAI.T._T", CSV2).contains(",120000.00,")
    );
}

#[test]
fn trap_3_a_suppressed_value_is_left_out_or_nan() {
    let key = "A.CN330881.RD_EXP.T._T?startPeriod=2025&endPeriod=2025";
    let public = |address: String, accept: &str| ask(&address, accept, Viewer::Public).unwrap().1;
    let v2 = format!("/v2/data/dataflow/HEFU/DF_TERRITORIAL/1.0.0/{key}");
    let v1 = format!("/v1/data/DF_TERRITORIAL/{key}");
    assert!(public(v2.clone(), CSV2).ends_with("_T,2025,NaN,CNY,0,Q,C,240\r\n"));
    assert!(public(v2.clone(), CSV1).ends_with("_T,2025,,CNY,0,Q,C,240\r\n"));
    let specific = public(v2, "*/*");
    assert!(
        specific
            .contains("<Obs TIME_PERIOD=\"2025\" OBS_STATUS=\"Q\" CONF_STATUS=\"C\" LEDGER_SEQ=\"240\"/>"),
        "{specific}"
    );
    let generic = public(v1, "*/*");
    assert!(generic.contains("gen:ObsDimension") && !generic.contains("gen:ObsValue"), "{generic}");
}

#[test]
fn trap_4_no_measure_relationship() {
    for accept in [JSON, "*/*"] {
        let structure = all("/v2/structure/*?references=all", accept);
        assert!(!structure.to_ascii_lowercase().contains("measurerelationship"));
    }
}

/// Trap 5 is a client's: it reads 3.0 only if its reader was loaded before a 2.1 message; `.ci/sdmx` loads it.
#[test]
fn trap_6_attributes_are_strings_and_sets_have_links() {
    let address = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330000.INV_FAI.T._T";
    let text = all(address, "application/vnd.sdmx.data+json;version=2.0.0");
    let message: serde_json::Value = serde_json::from_str(&text).unwrap();
    let structure = &message["data"]["structures"][0];
    assert_eq!(structure["attributes"]["observation"][2]["values"][0]["value"], "240");
    assert!(structure["attributes"]["series"][0]["relationship"]["dimensions"].is_array());
    assert!(
        message["data"]["dataSets"][0]["links"][0]["urn"].as_str().unwrap().ends_with("DF_CREDIT(1.0.0)")
    );
    assert_eq!(message["data"]["dataSets"][0]["series"]["0:0:0:0:0"]["observations"]["0"][0], "120000.00");
}

#[test]
fn trap_7_availability_counts_in_annotations() {
    let address =
        "/v2/availability/dataflow/HEFU/DF_CREDIT/1.0.0?references=all&c[REF_AREA]=CN330881&c[FREQ]=A";
    let message: serde_json::Value = serde_json::from_str(&all(address, JSON)).unwrap();
    let constraint = &message["data"]["dataConstraints"][0];
    let rows =
        all("/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0?c[REF_AREA]=CN330881&c[FREQ]=A", CSV2).lines().count()
            - 1;
    assert_eq!(constraint["role"], "Actual");
    assert_eq!(constraint["annotations"][0]["type"], "sdmx_metrics");
    assert_eq!(constraint["annotations"][0]["title"], rows.to_string());
    for part in ["dataflows", "dataStructures", "codelists", "conceptSchemes"] {
        assert!(!message["data"][part].as_array().unwrap().is_empty(), "{part}");
    }
}

#[test]
fn trap_8_a_schema_links_to_what_it_is_of() {
    let message: serde_json::Value =
        serde_json::from_str(&all("/v2/schema/dataflow/HEFU/DF_TERRITORIAL/1.0.0", JSON)).unwrap();
    let links: Vec<&str> = message["meta"]["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["urn"].as_str().unwrap())
        .collect();
    assert!(links[0].ends_with("Dataflow=HEFU:DF_TERRITORIAL(1.0.0)"), "{links:?}");
    assert!(links[1].ends_with("DataStructure=HEFU:DSD_INDICATORS(1.0.0)"), "{links:?}");
}

#[test]
fn trap_9_names_are_in_both_languages_and_escaped() {
    let xml = all("/v1/codelist/HEFU/CL_AREA/latest", "*/*");
    assert!(
        xml.contains("<com:Name xml:lang=\"zh\">江山市 &lt;&amp;")
            && xml.contains("<com:Name xml:lang=\"en\">Jiangshan")
    );
    let json: serde_json::Value =
        serde_json::from_str(&all("/v2/structure/codelist/HEFU/CL_AREA", JSON)).unwrap();
    let codes = &json["data"]["codelists"][0]["codes"];
    assert_eq!((&codes[1]["name"], &codes[1]["names"]["en"]), (&"杭州市".into(), &"Hangzhou".into()));
    // Without an English name the Chinese one stands there: never nothing.
    assert_eq!(codes[3]["names"]["en"], "衢州市");
}

#[test]
fn trap_10_a_plus_sign_is_a_plus_sign() {
    let both = all("/v1/data/DF_CREDIT/A.CN330881.INV_FAI.S+T._T", CSV1);
    assert_eq!(column(&both, "COUNT_BASIS"), ["T", "S"]);
    let encoded = all("/v1/data/DF_CREDIT/A.CN330881.INV_FAI.S%2BT._T", CSV1);
    assert_eq!(encoded, both);
    let key = "/v2/data/dataflow/HEFU/DF_CREDIT/+/A.CN330881.INV_FAI.T._T";
    for as_of in [
        "2026-03-01T00:00:00+00:00",
        "2026-03-01T00%3A00%3A00%2B00%3A00",
        "2026-03-01T08:00:00%2B08:00",
        "2026-02-28",
    ] {
        assert!(all(&format!("{key}?asOf={as_of}"), CSV2).contains(",119999.99,"), "{as_of}");
    }
    assert!(all(key, CSV2).contains(",120000.00,"));
}

/// Found with the clients: one takes JSON for SDMX only if its schema is among the first 350 characters.
#[test]
fn trap_11_the_schema_comes_first() {
    for address in ["/v2/structure/dataflow", "/v2/schema/dataflow/HEFU/DF_CREDIT/1.0.0"] {
        let start: String = all(address, JSON).chars().take(350).collect();
        assert!(start.contains("2.0.0/sdmx-json-structure-schema.json"), "{start}");
    }
}

#[test]
fn filters_choose_cells() {
    let flow = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0";
    let periods = |query: &str| {
        column(
            &all(&format!("{flow}?c[REF_AREA]=CN330881&c[COUNT_BASIS]=T&c[INDICATOR]=INV_FAI&{query}"), CSV2),
            "TIME_PERIOD",
        )
    };
    assert_eq!(periods(""), ["2025", "2026", "2025-Q1", "2025-01"]);
    assert_eq!(periods("c[TIME_PERIOD]=ge:2025%2Ble:2025"), ["2025", "2025-Q1", "2025-01"]);
    assert_eq!(periods("c[TIME_PERIOD]=gt:2025"), ["2026"]);
    assert_eq!(periods("c[TIME_PERIOD]=2026,2025-Q1"), ["2026", "2025-Q1"]);
    assert_eq!(periods("startPeriod=2025-01&endPeriod=2025-M03"), ["2025-Q1", "2025-01"]);
    assert_eq!(periods("c[FREQ]=ne:A"), ["2025-Q1", "2025-01"]);
    assert_eq!(periods("c[OBS_STATUS]=P"), ["2026"]);
    assert_eq!(periods("c[FREQ]=A&lastNObservations=1"), ["2026"]);
    assert_eq!(
        column(&all(&format!("{flow}?c[REF_AREA]=sw:CN3308"), CSV2), "REF_AREA"),
        ["CN330800", "CN330881", "CN330800", "CN330881", "CN330800", "CN330881"]
    );
    let keys = all(&format!("{flow}/A.CN330881.INV_FAI.T._T,A.CN330108.RD_EXP.S._T"), CSV2);
    assert_eq!(column(&keys, "REF_AREA"), ["CN330108", "CN330881"]);
    assert_eq!(all(&format!("{flow}/A.CN331099"), CSV2).lines().count(), 1, "an empty table has its header");
}

#[test]
fn each_viewer_sees_what_is_his() {
    let credit = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0";
    let territorial = "/v2/data/dataflow/HEFU/DF_TERRITORIAL/1.0.0";
    assert_eq!(refused(credit, Viewer::Public), Code::NotAllowed);
    assert_eq!(refused("/v1/data/DF_CREDIT?detail=serieskeysonly", Viewer::Public), Code::NotAllowed);
    let public = ask(territorial, CSV2, Viewer::Public).unwrap().1;
    assert_eq!(column(&public, "COUNT_BASIS"), ["T"]);
    assert_eq!(column(&public, "FREQ"), ["A", "Q"], "a month is not published");
    assert!(public.contains(",RD_EXP,T,_T,2025,NaN,CNY,0,Q,C,") && !public.contains(",Q,A,"), "{public}");
    let bureau = ask(territorial, CSV2, Viewer::Everything).unwrap().1;
    assert!(
        bureau.contains("CN330881,RD_EXP,T,_T,2025,NaN,CNY,0,Q,A,") && bureau.contains(",Q,D,"),
        "{bureau}"
    );
    // Inside, a figure that must not be published is shown and marked.
    assert!(all(credit, CSV2).contains("A,CN330881,RD_EXP,T,_T,2025,120000.00,CNY,0,A,A,240"));
    // A region: its own subtree, and totals of its superiors that give nothing away.
    let binjiang = Viewer::Region(code("330108"));
    let seen = ask(credit, CSV2, binjiang).unwrap().1;
    assert_eq!(column(&seen, "REF_AREA")[..3], ["CN330000", "CN330100", "CN330108"]);
    assert!(seen.contains("A,CN330108,INV_FAI,S,_T,2025,120000.00,CNY,0,W,N,"), "{seen}");
    assert!(seen.contains("A,CN330100,INV_FAI,S,_T,2025,NaN,CNY,0,Q,A,"), "S − T there is one project's");
    assert!(seen.contains("A,CN330000,INV_FAI,S,_T,2025,120000.00,CNY,0,A,N,"));
    assert_eq!(refused(&format!("{credit}/A.CN330881"), binjiang), Code::NotAllowed);
    // Two positions differ by single facts.
    for past in ["asOf=2026-03-01T00:00:00Z", "includeHistory=true", "updatedAfter=2026-03-01"] {
        assert_eq!(refused(&format!("{territorial}?{past}"), Viewer::Public), Code::NotAllowed, "{past}");
        assert_eq!(refused(&format!("{credit}?{past}"), binjiang), Code::NotAllowed, "{past}");
    }
}

/// `asOf` is an instant or a vintage; `updatedAfter` says what to replace; a history has every figure once.
#[test]
fn the_past_is_asked_in_three_ways() {
    let key = "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0/A.CN330108.INV_FAI.S._T";
    let at = |query: &str| all(&format!("{key}?c[TIME_PERIOD]=2025&{query}"), CSV2);
    assert!(at("asOf=vintage:first").contains(",119999.99,CNY,0,W,N,118"));
    assert!(at("asOf=vintage%3Asecond").contains(",120000.00,CNY,0,W,N,240"));
    assert_eq!(at("asOf=vintage:second"), at(""));
    // What was reported twice alike is not an update; before the ledger began all is new.
    assert_eq!(at("updatedAfter=2026-12-01").lines().count(), 1);
    assert!(at("updatedAfter=2026-03-01").contains(",R,A,CN330108,INV_FAI,S,_T,2025,120000.00,"));
    assert_eq!(at("updateAfter=2026-03-01"), at("updatedAfter=2026-03-01"), "as sdmx1 writes it");
    assert_eq!(at("updatedAfter=2020-01-01").lines().count(), at("").lines().count());
    let history = all(&format!("{key}?c[TIME_PERIOD]=2025&includeHistory=true"), "*/*");
    assert_eq!(history.matches("<Obs ").count(), 2, "a look that changed nothing is no data set: {history}");
    assert_eq!(
        all(&format!("{key}?c[TIME_PERIOD]=2025&includeHistory=True"), "*/*"),
        history,
        "as sdmx1 writes it"
    );
    assert!(history.contains("validFromDate") && history.contains("validToDate"), "{history}");
    for both in ["includeHistory=true", "updatedAfter=2026-03-01"] {
        let place = format!("{key}?asOf=vintage:first&{both}");
        assert_eq!(refused(&place, Viewer::Everything), Code::NotOffered, "{both}");
    }
    let territorial = "/v2/data/dataflow/HEFU/DF_TERRITORIAL?asOf=vintage:first";
    assert_eq!(refused(territorial, Viewer::Public), Code::NotAllowed);
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (address, place, wanted) in [
        ("/v3/data", "path", Code::NoSuchResource),
        ("/v2/dataa/x", "path", Code::NoSuchResource),
        ("/v2/data/dataflow/HEFU/DF_X", "dataflow", Code::NoSuchArtefact),
        ("/v2/data/dataflow/HEFU/*", "dataflow", Code::BadSyntax),
        ("/v2/data/dataflow/ESTAT/DF_CREDIT", "agency", Code::NoSuchArtefact),
        ("/v2/data/dataflow/HEFU/DF_CREDIT/2.0.0", "version", Code::NoSuchArtefact),
        ("/v2/data/provisionagreement/HEFU/DF_CREDIT", "context", Code::NotOffered),
        ("/v2/data/dataflow/HEFU/DF_CREDIT/+/A.B.C.D.E.F", "key", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?c[COLOUR]=red", "c[COLOUR]", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?c[FREQ]=eq:", "c[FREQ]", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?c[TIME_PERIOD]=ge:yesterday", "c[TIME_PERIOD]", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?asOf=2026-03-01T00:00:00", "asOf", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?limit=5", "limit", Code::NotOffered),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?colour=red", "colour", Code::BadSyntax),
        ("/v2/data/dataflow/HEFU/DF_CREDIT?firstNObservations=-1", "firstNObservations", Code::BadSyntax),
        (
            "/v2/data/dataflow/HEFU/DF_CREDIT?dimensionAtObservation=AllDimensions",
            "dimensionAtObservation",
            Code::NotOffered,
        ),
        ("/v2/data/dataflow/HEFU/%ff", "path", Code::BadSyntax),
        ("/v2/structure/codelist/HEFU/CL_X", "id", Code::NoSuchArtefact),
        ("/v2/structure/hierarchy/HEFU", "path", Code::NoSuchArtefact),
        ("/v2/structure/codelist/HEFU?references=everything", "references", Code::BadSyntax),
        ("/v1/data/DF_CREDIT/A.CN331099", "key", Code::NoData),
        ("/v1/schema/dataflow/HEFU/DF_CREDIT", "path", Code::NotOffered),
    ] {
        let refusal = ask(address, "*/*", Viewer::Everything).unwrap_err();
        assert_eq!((refusal.code, refusal.place.as_str()), (wanted, place), "{address}: {refusal}");
        assert!(!refusal.why_zh.is_ascii(), "{address} is refused in Chinese as well");
    }
}

#[test]
fn the_form_is_negotiated() {
    let media = |accept: &str| {
        ask("/v2/data/dataflow/HEFU/DF_CREDIT", accept, Viewer::Everything)
            .map(|(media, _)| media)
            .map_err(|refusal| refusal.code)
    };
    for (accept, found) in [
        ("application/vnd.sdmx.data+csv", "data+csv;version=2.0.0"),
        ("application/vnd.sdmx.data+csv;version=2.0.0+", "data+csv;version=2.0.0"),
        ("application/vnd.sdmx.data+csv; version=\"1.0.0\"", "data+csv;version=1.0.0"),
        ("text/csv", "data+csv;version=2.0.0"),
        ("application/json", "data+json;version=2.0.0"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "data+xml;version=3.0.0"),
        ("application/vnd.sdmx.data+xml;version=3.0.0;q=0.1, text/csv;q=0.5", "data+csv;version=2.0.0"),
        ("", "data+xml;version=3.0.0"),
    ] {
        assert_eq!(media(accept).unwrap(), format!("application/vnd.sdmx.{found}"), "{accept}");
    }
    for accept in ["application/vnd.sdmx.data+csv;version=3.0.0", "text/html", "*/*;q=0"] {
        assert_eq!(media(accept), Err(Code::NotAcceptable), "{accept}");
    }
}

/// What is not acceptable is refused before anything is read.
#[test]
fn nothing_is_read_in_vain() {
    let ledger = Ledger::default();
    let question = parse("/v2/data/dataflow/HEFU/DF_CREDIT", None).unwrap();
    answer(&question, &ledger, Viewer::Everything, Some("text/html"), None).unwrap_err();
    answer(&question, &ledger, Viewer::Everything, None, None).unwrap();
    assert_eq!(ledger.looks.get(), 1);
}
