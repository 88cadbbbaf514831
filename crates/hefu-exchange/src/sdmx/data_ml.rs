//! Data as SDMX-ML: generic 2.1 for clients that have not asked for the structure, structure-specific 2.1 and 3.0 for
//! those that have. A value that is missing is left out (trap 3).

use super::{
    answer::{Action, DataSet, Written},
    model,
    structure_ml::{Version, dsd_reference, header},
    xml::{Xml, document, element, empty, text},
};

fn action(set: &DataSet) -> &'static str {
    match set.action {
        Action::Replace => "Replace",
        Action::Delete => "Delete",
    }
}

/// The attributes of a data set; `prefix` is that of their namespace.
fn data_set(set: &DataSet, prefix: &str) -> Vec<(String, String)> {
    let mut attributes = vec![
        (format!("{prefix}structureRef"), model::DSD.to_owned()),
        (format!("{prefix}action"), action(set).to_owned()),
        (format!("{prefix}validFromDate"), set.from.to_string()),
    ];
    attributes.extend(set.until.map(|until| (format!("{prefix}validToDate"), until.to_string())));
    attributes
}

fn borrowed(attributes: &[(String, String)]) -> Vec<(&str, &str)> {
    attributes.iter().map(|(name, value)| (&**name, &**value)).collect()
}

/// Generic data, SDMX-ML 2.1.
pub(super) fn generic(written: &Written<'_>) -> Vec<u8> {
    let version = Version::V21;
    let [message, generic, common] =
        ["message", "data/generic", "common"].map(|part| version.namespace(part));
    let spaces = [("xmlns:mes", &*message), ("xmlns:gen", &*generic), ("xmlns:com", &*common)];
    let (attributes, observations) = (written.data.attributes, written.data.observations);
    document("mes:GenericData", &spaces, |xml| {
        header(xml, "DATA", written.prepared, |xml| {
            let structure = [("structureID", model::DSD), ("dimensionAtObservation", "TIME_PERIOD")];
            element(xml, "mes:Structure", &structure, |xml| {
                element(xml, "com:Structure", &[], dsd_reference);
            });
        });
        for set in &written.sets {
            element(xml, "mes:DataSet", &borrowed(&data_set(set, "")), |xml| {
                for series in &set.series {
                    element(xml, "gen:Series", &[], |xml| {
                        let key = model::DIMENSIONS.iter().map(|(id, _)| *id).zip(&series.key);
                        values(xml, "gen:SeriesKey", key);
                        if attributes {
                            let known = model::SERIES_ATTRIBUTES.iter().map(|(id, ..)| *id);
                            values(xml, "gen:Attributes", known.zip(&series.attributes));
                        }
                        for obs in series.observations.iter().filter(|_| observations) {
                            element(xml, "gen:Obs", &[], |xml| {
                                empty(xml, "gen:ObsDimension", &[("value", &obs.period)]);
                                if let Some(value) = &obs.value {
                                    empty(xml, "gen:ObsValue", &[("value", value)]);
                                }
                                if attributes {
                                    let known = model::OBSERVATION_ATTRIBUTES.iter().map(|(id, ..)| *id);
                                    values(xml, "gen:Attributes", known.zip(&obs.attributes));
                                }
                            });
                        }
                    });
                }
            });
        }
    })
}

fn values<'v>(xml: &mut Xml, name: &str, pairs: impl Iterator<Item = (&'static str, &'v String)>) {
    element(xml, name, &[], |xml| {
        pairs.for_each(|(id, value)| empty(xml, "gen:Value", &[("id", id), ("value", value)]));
    });
}

/// Structure-specific data.
pub(super) fn specific(written: &Written<'_>, version: Version) -> Vec<u8> {
    let own = format!("{}:ObsLevelDim:TIME_PERIOD", model::dsd_urn());
    let [message, specific, common] =
        ["message", "data/structurespecific", "common"].map(|part| version.namespace(part));
    let spaces = [
        ("xmlns:mes", &*message),
        ("xmlns:ss", &*specific),
        ("xmlns:com", &*common),
        ("xmlns:ns1", &*own),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ];
    let (attributes, observations) = (written.data.attributes, written.data.observations);
    document("mes:StructureSpecificData", &spaces, |xml| {
        header(xml, "DATA", written.prepared, |xml| {
            let structure = [
                ("structureID", model::DSD),
                ("namespace", &*own),
                ("dimensionAtObservation", "TIME_PERIOD"),
            ];
            element(xml, "mes:Structure", &structure, |xml| match version {
                Version::V21 => element(xml, "com:Structure", &[], dsd_reference),
                Version::V30 => text(xml, "com:Structure", &[], &model::dsd_urn()),
            });
        });
        for set in &written.sets {
            let mut of_set = data_set(set, "ss:");
            of_set.push(("xsi:type".to_owned(), "ns1:DataSetType".to_owned()));
            of_set.push(("ss:dataScope".to_owned(), "DataStructure".to_owned()));
            element(xml, "mes:DataSet", &borrowed(&of_set), |xml| {
                for series in &set.series {
                    let key = model::DIMENSIONS
                        .iter()
                        .map(|(id, _)| *id)
                        .zip(series.key.iter().map(String::as_str));
                    let known = model::SERIES_ATTRIBUTES.iter().map(|(id, ..)| *id);
                    let of_series = known.zip(series.attributes.iter().map(String::as_str));
                    let all: Vec<(&str, &str)> = key.chain(of_series.filter(|_| attributes)).collect();
                    element(xml, "Series", &all, |xml| {
                        for obs in series.observations.iter().filter(|_| observations) {
                            let mut all = vec![("TIME_PERIOD", obs.period.as_str())];
                            all.extend(obs.value.as_ref().map(|value| ("OBS_VALUE", value.as_str())));
                            let known = model::OBSERVATION_ATTRIBUTES.iter().map(|(id, ..)| *id);
                            let of_obs = known.zip(obs.attributes.iter().map(String::as_str));
                            all.extend(of_obs.filter(|_| attributes));
                            empty(xml, "Obs", &all);
                        }
                    });
                }
            });
        }
    })
}
