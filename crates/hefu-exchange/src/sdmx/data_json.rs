//! Data as SDMX-JSON 2.0. Values are strings, so that no reader rounds them; so are attribute values, because the schema
//! takes an integer for two things at once (trap 6).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    answer::{Action, DataSet, Written},
    model,
    structure_json::{message, named},
};

/// A data message.
pub(super) fn write(written: &Written<'_>) -> Vec<u8> {
    let link = json!([{"urn": model::flow_urn(written.data.flow), "rel": "dataflow"}]);
    let index = Index::of(written);
    let sets: Vec<Value> = written.sets.iter().map(|set| data_set(&index, written, set, &link)).collect();
    let places: Vec<usize> = (0..sets.len()).collect();
    let structure = index.structure(written, &places, &link);
    message("data", written.prepared, None, &json!({"dataSets": sets, "structures": [structure]}))
}

/// The values of every component, sorted; a value is written as its place.
struct Index {
    key: Vec<Vec<String>>,
    periods: Vec<String>,
    series: Vec<Vec<String>>,
    observations: Vec<Vec<String>>,
}

fn sorted<'v>(values: impl Iterator<Item = &'v String>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn place(values: &[String], value: &String) -> usize {
    values.binary_search(value).unwrap_or_default()
}

impl Index {
    fn of(written: &Written<'_>) -> Index {
        let series = || written.sets.iter().flat_map(|set| &set.series);
        let observations = || series().flat_map(|series| &series.observations);
        Index {
            key: (0..5).map(|at| sorted(series().map(|series| &series.key[at]))).collect(),
            periods: sorted(observations().map(|obs| &obs.period)),
            series: (0..2).map(|at| sorted(series().map(|series| &series.attributes[at]))).collect(),
            observations: (0..3).map(|at| sorted(observations().map(|obs| &obs.attributes[at]))).collect(),
        }
    }

    fn structure(&self, written: &Written<'_>, sets: &[usize], link: &Value) -> Value {
        let component = |id: &str, more: Value| {
            let mut object = named(id, model::concept(id), written.zh);
            object.extend(more.as_object().cloned().unwrap_or_default());
            Value::Object(object)
        };
        let coded = |list: Option<&str>, values: &[String]| -> Vec<Value> {
            let list = list.and_then(|id| written.codelists.iter().find(|list| list.id == id));
            let value = |value: &String| match list {
                Some(list) => Value::Object(named(value, list.names(value), written.zh)),
                None => json!({"value": value}),
            };
            values.iter().map(value).collect()
        };
        let dimension = |(at, (id, list)): (usize, &(&str, &str))| {
            component(id, json!({"keyPosition": at, "values": coded(Some(list), &self.key[at])}))
        };
        let dimensions: Vec<Value> = model::DIMENSIONS.iter().enumerate().map(dimension).collect();
        let time = component("TIME_PERIOD", json!({"keyPosition": 5, "values": coded(None, &self.periods)}));
        let attributes =
            |known: &[model::Attribute], values: &[Vec<String>], relationship: Value| -> Vec<Value> {
                let wanted = known.iter().zip(values).filter(|_| written.data.attributes);
                let one = |((id, list, _), values): (&model::Attribute, &Vec<String>)| {
                    component(id, json!({"relationship": relationship, "values": coded(*list, values)}))
                };
                wanted.map(one).collect()
            };
        let of_series = json!({"dimensions": model::DIMENSIONS.map(|(id, _)| id)});
        json!({
            "dataSets": sets,
            "dimensions": {"dataSet": [], "series": dimensions, "observation": [time]},
            "measures": {"observation": [component("OBS_VALUE", json!({"format": {"dataType": "Double"}}))]},
            "attributes": {
                "dataSet": [],
                "series": attributes(&model::SERIES_ATTRIBUTES, &self.series, of_series),
                "observation":
                    attributes(&model::OBSERVATION_ATTRIBUTES, &self.observations, json!({"observation": {}})),
            },
            "links": link,
        })
    }
}

fn data_set(index: &Index, written: &Written<'_>, set: &DataSet, link: &Value) -> Value {
    let mut all = Map::new();
    for series in &set.series {
        let name: Vec<String> = index
            .key
            .iter()
            .zip(&series.key)
            .map(|(values, value)| place(values, value).to_string())
            .collect();
        let places = |values: &[Vec<String>], own: &[String]| -> Vec<Value> {
            let wanted = values.iter().zip(own).filter(|_| written.data.attributes);
            wanted.map(|(values, value)| json!(place(values, value))).collect()
        };
        let observation = |obs: &super::select::Obs| {
            let mut cells = vec![json!(obs.value)];
            cells.extend(places(&index.observations, &obs.attributes));
            (place(&index.periods, &obs.period).to_string(), Value::Array(cells))
        };
        let observations: Map<String, Value> = series.observations.iter().map(observation).collect();
        let attributes = places(&index.series, &series.attributes);
        all.insert(name.join(":"), json!({"attributes": attributes, "observations": observations}));
    }
    let action = match set.action {
        Action::Replace => "Replace",
        Action::Delete => "Delete",
    };
    let mut object = json!({
        "structure": 0, "action": action, "validFrom": set.from.to_string(), "links": link, "series": all,
    });
    if let Some(until) = set.until {
        object["validTo"] = json!(until.to_string());
    }
    object
}
