//! A request's path and query as a question. Strict: what is not understood is refused, with its place.
//!
//! A plus sign is a plus sign, in the path and in the query: it stands for "or", for "latest", and in offsets. Clients
//! leave it unencoded (trap 10), and add a slash to the end of what has no query.

mod structures;

use std::collections::BTreeSet;

use hefu_domain::time::Timestamp;

use self::structures::structure;
use super::{Flow, Refusal, cube::When, filter::Filter, model, refusal::Code, time};

/// The version of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// REST 1.5, of SDMX 2.1: `/sdmx/v1`.
    V1,
    /// REST 2, of SDMX 3.0: `/sdmx/v2`.
    V2,
}

/// A kind of structural artefact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Dataflows.
    Dataflow,
    /// Data structures.
    DataStructure,
    /// Concept schemes.
    ConceptScheme,
    /// Code lists.
    Codelist,
}

/// Structures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The interface asked.
    pub api: Api,
    /// Kinds to answer with, and of the first kind only these ids; none: all.
    pub kinds: BTreeSet<Kind>,
    /// The kind that `ids` are of.
    pub of: Option<Kind>,
    /// Ids; none: all.
    pub ids: Vec<String>,
}

/// Data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent parameters of a request")]
pub struct Data {
    /// The interface asked.
    pub api: Api,
    /// The dataflow.
    pub flow: Flow,
    /// The cells.
    pub filter: Filter,
    /// Whether attributes are wanted.
    pub attributes: bool,
    /// Whether observations are wanted, not only series.
    pub observations: bool,
    /// Whether every observation is to stand by itself.
    pub flat: bool,
    /// Only so many first observations of a series.
    pub first: Option<usize>,
    /// Only so many last observations of a series.
    pub last: Option<usize>,
    /// As known then.
    pub as_of: When,
    /// Only what has changed since.
    pub updated_after: Option<Timestamp>,
    /// Everything that was ever shown.
    pub history: bool,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Structures.
    Structure(Structure),
    /// Data.
    Data(Data),
    /// Which data there are.
    Availability(Data),
    /// What data of a dataflow look like.
    Schema(Flow),
}

impl Data {
    /// All of a dataflow.
    pub fn all(api: Api, flow: Flow) -> Data {
        Data {
            api,
            flow,
            filter: Filter::default(),
            attributes: true,
            observations: true,
            flat: false,
            first: None,
            last: None,
            as_of: When::Now,
            updated_after: None,
            history: false,
        }
    }
}

/// Reads what follows `/sdmx` in an address: `/v2/data/dataflow/HEFU/DF_CREDIT/+/A.CN330000.*?c[COUNT_BASIS]=S,T`.
pub fn parse(path: &str, query: Option<&str>) -> Result<Question, Refusal> {
    let segments = path.split('/').skip_while(|part| part.is_empty()).map(|part| decoded("path", part));
    let mut segments = segments.collect::<Result<Vec<String>, _>>()?;
    while segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded("query", name)?, decoded("query", value)?))
    });
    let pairs = pairs.collect::<Result<Vec<(String, String)>, Refusal>>()?;
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["v1", "data", rest @ ..] => data_v1(rest, &pairs).map(Question::Data),
        ["v2", "data", rest @ ..] => data_v2(rest, &pairs).map(Question::Data),
        ["v2", "availability", rest @ ..] => data_v2(rest, &pairs).map(Question::Availability),
        ["v2", "schema", context, rest @ ..] => {
            if *context != "dataflow" {
                return Err(not_offered("context", context));
            }
            let flow = flow_of(rest.first().copied(), rest.get(1).copied(), rest.get(2).copied())?;
            Ok(Question::Schema(flow))
        }
        ["v2", "structure", rest @ ..] => structure(Api::V2, rest, &pairs).map(Question::Structure),
        ["v1", kind, rest @ ..] if !matches!(*kind, "schema" | "availableconstraint" | "metadata") => {
            let words: Vec<&str> = [*kind].into_iter().chain(rest.iter().copied()).collect();
            structure(Api::V1, &words, &pairs).map(Question::Structure)
        }
        ["v1", other, ..] => Err(not_offered("path", other)),
        _ => Err(Refusal::new(
            Code::NoSuchResource,
            ("path", path),
            "ask for /v2/structure, /v2/data, /v2/availability, /v2/schema, or /v1/dataflow, /v1/datastructure, \
             /v1/codelist, /v1/conceptscheme, /v1/data",
            "可用的有 /v2/structure、/v2/data、/v2/availability、/v2/schema 和 /v1/dataflow、/v1/datastructure、\
             /v1/codelist、/v1/conceptscheme、/v1/data",
        )),
    }
}

/// Undoes percent-encoding, and nothing else.
fn decoded(place: &str, text: &str) -> Result<String, Refusal> {
    let bad = || {
        let why = "not percent-encoded UTF-8";
        Refusal::new(Code::BadSyntax, (place, text), why, "不是有效的百分号编码(UTF-8)")
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else { return Err(bad()) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

fn not_offered(place: &str, value: &str) -> Refusal {
    Refusal::new(
        Code::NotOffered,
        (place, value),
        "part of the standard, but not offered here",
        "标准中有,但此处未提供",
    )
}

fn any(text: &str) -> bool {
    matches!(text, "" | "*" | "all" | "latest" | "~" | "+")
}

/// Whether a selector of agencies and one of versions choose what is ours.
fn ours(agency: Option<&str>, version: Option<&str>) -> Result<(), Refusal> {
    let gone =
        |place, value, why: &str, zh: &str| Refusal::new(Code::NoSuchArtefact, (place, value), why, zh);
    let agency = agency.unwrap_or("*");
    if !any(agency) && !agency.split([',', '+']).any(|one| one == model::AGENCY) {
        let why = format!("the agency here is {}", model::AGENCY);
        return Err(gone("agency", agency, &why, &format!("此处的机构标识是 {}", model::AGENCY)));
    }
    let version = version.unwrap_or("*");
    // `1+` is the newest of 1.x, `1.0` what SDMX 2.1 would write.
    let fits =
        |one: &str| matches!(one, "1.0.0" | "1.0" | "1" | "1+" | "1.0+" | "1.0.0+" | "1+.0.0" | "1.0+.0");
    if !any(version) && !version.split(',').any(fits) {
        return Err(gone("version", version, "the version here is 1.0.0", "此处的版本是 1.0.0"));
    }
    Ok(())
}

fn flow_of(agency: Option<&str>, id: Option<&str>, version: Option<&str>) -> Result<Flow, Refusal> {
    ours(agency, version)?;
    let id = id.unwrap_or("*");
    if any(id) {
        return Err(Refusal::new(
            Code::BadSyntax,
            ("dataflow", id),
            "name one dataflow: DF_TERRITORIAL or DF_CREDIT",
            "请指明一个数据流:DF_TERRITORIAL 或 DF_CREDIT",
        ));
    }
    Flow::ALL.into_iter().find(|flow| flow.id() == id).ok_or_else(|| {
        Refusal::new(
            Code::NoSuchArtefact,
            ("dataflow", id),
            "the dataflows here are DF_TERRITORIAL and DF_CREDIT",
            "此处的数据流是 DF_TERRITORIAL 和 DF_CREDIT",
        )
    })
}

fn data_v1(rest: &[&str], pairs: &[(String, String)]) -> Result<Data, Refusal> {
    let named: Vec<&str> = rest.first().copied().unwrap_or_default().split(',').collect();
    let flow = match named.as_slice() {
        [id] => flow_of(None, Some(id), None)?,
        [agency, id] => flow_of(Some(agency), Some(id), None)?,
        [agency, id, version] => flow_of(Some(agency), Some(id), Some(version))?,
        _ => {
            let why = "write FLOW, AGENCY,FLOW or AGENCY,FLOW,VERSION";
            return Err(Refusal::new(Code::BadSyntax, ("dataflow", rest[0]), why, "请写作 机构,数据流,版本"));
        }
    };
    data(Data::all(Api::V1, flow), rest.get(1).copied(), pairs)
}

fn data_v2(rest: &[&str], pairs: &[(String, String)]) -> Result<Data, Refusal> {
    let context = rest.first().copied().unwrap_or("*");
    if !any(context) && context != "dataflow" {
        return Err(not_offered("context", context));
    }
    let flow = flow_of(rest.get(1).copied(), rest.get(2).copied(), rest.get(3).copied())?;
    data(Data::all(Api::V2, flow), rest.get(4).copied(), pairs)
}

fn data(mut data: Data, key: Option<&str>, pairs: &[(String, String)]) -> Result<Data, Refusal> {
    data.filter.key(key.unwrap_or_default())?;
    for (name, value) in pairs {
        let bad = || {
            let why = "not a value this parameter takes";
            Refusal::new(Code::BadSyntax, (name, value), why, "参数值无效")
        };
        if let Some(id) = name.strip_prefix("c[").and_then(|rest| rest.strip_suffix(']')) {
            data.filter.component(id, value)?;
            continue;
        }
        match name.as_str() {
            "startPeriod" => data.filter.from = Some(time::span(name, value)?.0),
            "endPeriod" => data.filter.to = Some(time::span(name, value)?.1),
            "firstNObservations" => data.first = Some(value.parse().map_err(|_| bad())?),
            "lastNObservations" => data.last = Some(value.parse().map_err(|_| bad())?),
            "asOf" => {
                data.as_of = match value.strip_prefix("vintage:") {
                    Some(vintage) => When::Vintage(vintage.to_owned()),
                    None => When::At(time::instant(name, value)?),
                };
            }
            // sdmx1 2.28 writes `updateAfter` to REST 2.
            "updatedAfter" | "updateAfter" => data.updated_after = Some(time::instant(name, value)?),
            // Python writes `True`.
            "includeHistory" => data.history = value.to_ascii_lowercase().parse().map_err(|_| bad())?,
            "dimensionAtObservation" => match value.as_str() {
                "TIME_PERIOD" => {}
                "AllDimensions" => data.flat = true,
                _ => return Err(not_offered(name, value)),
            },
            "detail" => match value.as_str() {
                "full" => {}
                "dataonly" => data.attributes = false,
                "serieskeysonly" => (data.attributes, data.observations) = (false, false),
                "nodata" => data.observations = false,
                _ => return Err(bad()),
            },
            "attributes" => match value.as_str() {
                "dsd" | "all" => {}
                "none" => data.attributes = false,
                _ => return Err(not_offered(name, value)),
            },
            "measures" => match value.as_str() {
                "all" | "OBS_VALUE" => {}
                "none" => data.observations = false,
                _ => return Err(not_offered(name, value)),
            },
            // What an availability is to be given with: always everything.
            "mode" | "references" | "reportingYearStartDay" => {}
            "limit" | "offset" | "sort" | "reportingTaxonomy" => return Err(not_offered(name, value)),
            _ => {
                let why = "no parameter of this resource";
                return Err(Refusal::new(Code::BadSyntax, (name, value), why, "没有此参数"));
            }
        }
    }
    if data.history && data.updated_after.is_some() {
        return Err(not_offered("includeHistory", "with updatedAfter"));
    }
    let changes = data.history || data.updated_after.is_some();
    if let (true, When::Vintage(vintage)) = (changes, &data.as_of) {
        let why = "a vintage has no history; ask for an instant";
        return Err(Refusal::new(Code::NotOffered, ("asOf", vintage), why, "版本没有历史,请写时刻"));
    }
    Ok(data)
}
