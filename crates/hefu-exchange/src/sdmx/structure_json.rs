//! Structures as SDMX-JSON 2.0; availability and schema, which are structures as well.

use std::collections::BTreeSet;

use hefu_domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    cube::{Cube, Flow},
    model::{self, Codelist},
    path::{Data, Kind},
    select::Series,
    structure_ml::Parts,
};

/// A message: its header first, and in that its schema. A client looks for it in the first 350 characters.
#[derive(Serialize)]
struct Message<'m> {
    meta: Meta<'m>,
    data: &'m Value,
}

#[derive(Serialize)]
struct Meta<'m> {
    schema: String,
    id: String,
    prepared: String,
    test: bool,
    #[serde(rename = "contentLanguages")]
    content_languages: [&'m str; 2],
    sender: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Value>,
}

/// A message.
pub(super) fn message(kind: &str, prepared: Timestamp, links: Option<Value>, data: &Value) -> Vec<u8> {
    let meta = Meta {
        schema: format!("https://json.sdmx.org/2.0.0/sdmx-json-{kind}-schema.json"),
        id: kind.to_ascii_uppercase(),
        prepared: prepared.to_string(),
        test: false,
        content_languages: ["zh", "en"],
        sender: json!({"id": model::AGENCY}),
        links,
    };
    let message = serde_json::to_vec(&Message { meta, data });
    message.unwrap_or_else(|error| unreachable!("strings and lists are JSON: {error}"))
}

/// Both names (trap 9), and the one in the language asked for.
pub(super) fn named(id: &str, (zh, en): (&str, &str), prefer_zh: bool) -> Map<String, Value> {
    let object = json!({"id": id, "name": if prefer_zh { zh } else { en }, "names": {"zh": zh, "en": en}});
    object.as_object().cloned().unwrap_or_default()
}

fn artefact(id: &str, names: (&str, &str), zh: bool, more: &Value) -> Value {
    let mut object = named(id, names, zh);
    object.insert("agencyID".to_owned(), json!(model::AGENCY));
    object.insert("version".to_owned(), json!(model::VERSION));
    object.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(object)
}

/// A structure message.
pub(super) fn structures(parts: &Parts<'_>, prepared: Timestamp, zh: bool) -> Vec<u8> {
    message("structure", prepared, None, &Value::Object(lists(parts, zh)))
}

fn lists(parts: &Parts<'_>, zh: bool) -> Map<String, Value> {
    let mut data = Map::new();
    for kind in parts.kinds {
        let (name, list) = match kind {
            Kind::Dataflow => ("dataflows", parts.flows.iter().map(|flow| dataflow(*flow, zh)).collect()),
            Kind::DataStructure => ("dataStructures", vec![data_structure(zh)]),
            Kind::ConceptScheme => ("conceptSchemes", vec![concepts(zh)]),
            Kind::Codelist => ("codelists", parts.codelists.iter().map(|list| codelist(list, zh)).collect()),
        };
        data.insert(name.to_owned(), Value::Array(list));
    }
    data
}

fn dataflow(flow: Flow, zh: bool) -> Value {
    artefact(flow.id(), model::flow_names(flow), zh, &json!({"structure": model::dsd_urn()}))
}

fn codelist(list: &Codelist, zh: bool) -> Value {
    let code = |code: &model::Code| {
        let mut object = named(&code.id, (&code.zh, &code.en), zh);
        object.extend(code.parent.as_ref().map(|parent| ("parent".to_owned(), json!(parent))));
        Value::Object(object)
    };
    let codes: Vec<Value> = list.codes.iter().map(code).collect();
    artefact(list.id, (list.zh, list.en), zh, &json!({"codes": codes}))
}

fn concepts(zh: bool) -> Value {
    let concepts: Vec<Value> = model::CONCEPT_NAMES
        .iter()
        .map(|(id, zh_name, en)| Value::Object(named(id, (zh_name, en), zh)))
        .collect();
    artefact(model::CONCEPTS, ("概念", "Concepts"), zh, &json!({"concepts": concepts}))
}

fn data_structure(zh: bool) -> Value {
    let format = |kind: &str| json!({"format": {"dataType": kind}});
    let codes = |list: &str| json!({"enumeration": model::codelist_urn(list)});
    let dimension = |(place, (id, list)): (usize, &(&str, &str))| {
        json!({
            "id": id, "position": place, "conceptIdentity": model::concept_urn(id),
            "localRepresentation": codes(list),
        })
    };
    let dimensions: Vec<Value> = model::DIMENSIONS.iter().enumerate().map(dimension).collect();
    let attribute = |(id, list, mandatory): &model::Attribute, series: bool| {
        let relationship = if series {
            json!({"dimensions": model::DIMENSIONS.map(|(id, _)| id)})
        } else {
            json!({"observation": {}})
        };
        json!({
            "id": id, "conceptIdentity": model::concept_urn(id),
            "usage": if *mandatory { "mandatory" } else { "optional" },
            "attributeRelationship": relationship,
            "localRepresentation": list.map_or_else(|| format("Long"), codes),
        })
    };
    let series = model::SERIES_ATTRIBUTES.iter().map(|known| attribute(known, true));
    let observations = model::OBSERVATION_ATTRIBUTES.iter().map(|known| attribute(known, false));
    let attributes: Vec<Value> = series.chain(observations).collect();
    let components = json!({
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": dimensions,
            "timeDimension": {
                "id": "TIME_PERIOD", "conceptIdentity": model::concept_urn("TIME_PERIOD"),
                "localRepresentation": format("ObservationalTimePeriod"),
            },
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [{
                "id": "OBS_VALUE", "conceptIdentity": model::concept_urn("OBS_VALUE"), "usage": "optional",
                "localRepresentation": format("Double"),
            }],
        },
    });
    artefact(model::DSD, model::DSD_NAMES, zh, &json!({"dataStructureComponents": components}))
}

/// What data of a dataflow look like. A client wants the URNs of both in the header (trap 8).
pub(super) fn schema(cube: &dyn Cube, flow: Flow, zh: bool) -> Vec<u8> {
    let kinds = BTreeSet::from([Kind::DataStructure, Kind::ConceptScheme, Kind::Codelist]);
    let parts = Parts { kinds: &kinds, flows: &[], codelists: &model::codelists(cube) };
    let links = json!([
        {"rel": "schema", "urn": model::flow_urn(flow)},
        {"rel": "schema", "urn": model::dsd_urn()},
    ]);
    message("structure", cube.instant(), Some(links), &Value::Object(lists(&parts, zh)))
}

/// Which data there are, with all that is needed to read them in one message.
pub(super) fn availability(cube: &dyn Cube, asked: &Data, series: &[Series], zh: bool) -> Vec<u8> {
    let kinds = BTreeSet::from([Kind::Dataflow, Kind::DataStructure, Kind::ConceptScheme, Kind::Codelist]);
    let parts = Parts { kinds: &kinds, flows: &[asked.flow], codelists: &model::codelists(cube) };
    let mut data = lists(&parts, zh);
    let mut regions: Vec<Value> = Vec::new();
    for (place, (id, _)) in model::DIMENSIONS.iter().enumerate() {
        let values: BTreeSet<&str> = series.iter().map(|series| &*series.key[place]).collect();
        let values: Vec<Value> = values.into_iter().map(|value| json!({"value": value})).collect();
        regions.push(json!({"id": id, "values": values}));
    }
    let observations = || series.iter().flat_map(|series| &series.observations);
    let days = observations().filter_map(|obs| Some((super::time::span("", &obs.period).ok()?, &obs.period)));
    let (first, last) = (days.clone().min_by_key(|(days, _)| days.0), days.max_by_key(|(days, _)| days.1));
    if let (Some((_, first)), Some((_, last))) = (first, last) {
        let end = |period: &String| json!({"period": period, "isInclusive": true});
        regions.push(json!({
            "id": "TIME_PERIOD", "timeRange": {"startPeriod": end(first), "endPeriod": end(last)},
        }));
    }
    // A client takes the counts from annotations of this type on the actual constraint (trap 7).
    let metric =
        |id: &str, count: usize| json!({"id": id, "title": count.to_string(), "type": "sdmx_metrics"});
    let id = format!("AVAIL_{}", asked.flow.id());
    let constraint = json!({
        "role": "Actual",
        "constraintAttachment": {"dataflows": [model::flow_urn(asked.flow)]},
        "annotations": [metric("obs_count", observations().count()), metric("series_count", series.len())],
        "cubeRegions": [{"isIncluded": true, "keyValues": regions}],
    });
    let constraint = artefact(&id, ("可用数据", "Available data"), zh, &constraint);
    data.insert("dataConstraints".to_owned(), json!([constraint]));
    message("structure", cube.instant(), None, &Value::Object(data))
}
