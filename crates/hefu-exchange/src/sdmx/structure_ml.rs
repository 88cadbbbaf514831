//! Structures as SDMX-ML 2.1 and 3.0. They differ in how artefacts are referred to, and in the order of things.

use std::collections::BTreeSet;

use hefu_domain::time::Timestamp;

use super::{
    cube::Flow,
    model::{self, Codelist},
    path::Kind,
    xml::{Xml, document, element, empty, names, text},
};

/// A version of SDMX-ML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V21,
    V30,
}

impl Version {
    /// The namespace of a part.
    pub(super) fn namespace(self, part: &str) -> String {
        let version = match self {
            Version::V21 => "v2_1",
            Version::V30 => "v3_0",
        };
        format!("http://www.sdmx.org/resources/sdmxml/schemas/{version}/{part}")
    }
}

/// What a message holds.
pub(super) struct Parts<'p> {
    pub(super) kinds: &'p BTreeSet<Kind>,
    pub(super) flows: &'p [Flow],
    pub(super) codelists: &'p [Codelist],
}

/// A structure message.
pub(super) fn write(version: Version, parts: &Parts<'_>, prepared: Timestamp) -> Vec<u8> {
    let [message, structure, common] = ["message", "structure", "common"].map(|part| version.namespace(part));
    let spaces = [("xmlns:mes", &*message), ("xmlns:str", &*structure), ("xmlns:com", &*common)];
    document("mes:Structure", &spaces, |xml| {
        header(xml, "STRUCTURES", prepared, |_| {});
        element(xml, "mes:Structures", &[], |xml| {
            let order = match version {
                Version::V21 => [Kind::Dataflow, Kind::Codelist, Kind::ConceptScheme, Kind::DataStructure],
                Version::V30 => [Kind::Codelist, Kind::ConceptScheme, Kind::Dataflow, Kind::DataStructure],
            };
            for kind in order.into_iter().filter(|kind| parts.kinds.contains(kind)) {
                match kind {
                    Kind::Dataflow => dataflows(xml, version, parts.flows),
                    Kind::Codelist => codelists(xml, version, parts.codelists),
                    Kind::ConceptScheme => concepts(xml, version),
                    Kind::DataStructure => data_structure(xml, version),
                }
            }
        });
    })
}

/// The header of a message.
pub(super) fn header(xml: &mut Xml, id: &str, prepared: Timestamp, structure: impl FnOnce(&mut Xml)) {
    element(xml, "mes:Header", &[], |xml| {
        text(xml, "mes:ID", &[], id);
        text(xml, "mes:Test", &[], "false");
        text(xml, "mes:Prepared", &[], &prepared.to_string());
        empty(xml, "mes:Sender", &[("id", model::AGENCY)]);
        structure(xml);
    });
}

fn artefact(
    xml: &mut Xml,
    (name, id, urn): (&str, &str, &str),
    called: (&str, &str),
    inner: impl FnOnce(&mut Xml),
) {
    let attributes = [("id", id), ("urn", urn), ("agencyID", model::AGENCY), ("version", model::VERSION)];
    element(xml, name, &attributes, |xml| {
        names(xml, called);
        inner(xml);
    });
}

fn dataflows(xml: &mut Xml, version: Version, flows: &[Flow]) {
    element(xml, "str:Dataflows", &[], |xml| {
        for flow in flows {
            let urn = model::flow_urn(*flow);
            artefact(xml, ("str:Dataflow", flow.id(), &urn), model::flow_names(*flow), |xml| match version {
                Version::V21 => element(xml, "str:Structure", &[], dsd_reference),
                Version::V30 => text(xml, "str:Structure", &[], &model::dsd_urn()),
            });
        }
    });
}

/// A reference to the data structure, as SDMX-ML 2.1 writes it.
pub(super) fn dsd_reference(xml: &mut Xml) {
    reference(xml, "datastructure", "DataStructure", model::DSD);
}

fn reference(xml: &mut Xml, package: &str, class: &str, id: &str) {
    let attributes = [
        ("id", id),
        ("version", model::VERSION),
        ("agencyID", model::AGENCY),
        ("package", package),
        ("class", class),
    ];
    empty(xml, "Ref", &attributes);
}

fn codelists(xml: &mut Xml, version: Version, lists: &[Codelist]) {
    element(xml, "str:Codelists", &[], |xml| {
        for list in lists {
            let urn = model::codelist_urn(list.id);
            artefact(xml, ("str:Codelist", list.id, &urn), (list.zh, list.en), |xml| {
                for code in &list.codes {
                    let urn = model::urn("codelist", "Code", list.id, Some(&code.id));
                    element(xml, "str:Code", &[("id", &code.id), ("urn", &urn)], |xml| {
                        names(xml, (&code.zh, &code.en));
                        match (&code.parent, version) {
                            (Some(parent), Version::V21) => {
                                element(xml, "str:Parent", &[], |xml| empty(xml, "Ref", &[("id", parent)]));
                            }
                            (Some(parent), Version::V30) => text(xml, "str:Parent", &[], parent),
                            (None, _) => {}
                        }
                    });
                }
            });
        }
    });
}

fn concepts(xml: &mut Xml, version: Version) {
    let scheme = |xml: &mut Xml| {
        let urn = model::urn("conceptscheme", "ConceptScheme", model::CONCEPTS, None);
        artefact(xml, ("str:ConceptScheme", model::CONCEPTS, &urn), ("概念", "Concepts"), |xml| {
            for (id, zh, en) in model::CONCEPT_NAMES {
                let urn = model::concept_urn(id);
                element(xml, "str:Concept", &[("id", id), ("urn", &urn)], |xml| names(xml, (zh, en)));
            }
        });
    };
    let name = match version {
        Version::V21 => "str:Concepts",
        Version::V30 => "str:ConceptSchemes",
    };
    element(xml, name, &[], scheme);
}

fn identity(xml: &mut Xml, version: Version, concept: &str) {
    match version {
        Version::V30 => text(xml, "str:ConceptIdentity", &[], &model::concept_urn(concept)),
        Version::V21 => element(xml, "str:ConceptIdentity", &[], |xml| {
            let attributes = [
                ("id", concept),
                ("maintainableParentID", model::CONCEPTS),
                ("maintainableParentVersion", model::VERSION),
                ("agencyID", model::AGENCY),
                ("package", "conceptscheme"),
                ("class", "Concept"),
            ];
            empty(xml, "Ref", &attributes);
        }),
    }
}

/// The values a component takes: codes, or a type.
fn representation(xml: &mut Xml, version: Version, codelist: Option<&str>, kind: &str) {
    element(xml, "str:LocalRepresentation", &[], |xml| match (codelist, version) {
        (None, _) => empty(xml, "str:TextFormat", &[("textType", kind)]),
        (Some(list), Version::V30) => text(xml, "str:Enumeration", &[], &model::codelist_urn(list)),
        (Some(list), Version::V21) => {
            element(xml, "str:Enumeration", &[], |xml| reference(xml, "codelist", "Codelist", list));
        }
    });
}

fn data_structure(xml: &mut Xml, version: Version) {
    element(xml, "str:DataStructures", &[], |xml| {
        let urn = model::dsd_urn();
        artefact(xml, ("str:DataStructure", model::DSD, &urn), model::DSD_NAMES, |xml| {
            element(xml, "str:DataStructureComponents", &[], |xml| {
                dimensions(xml, version);
                element(xml, "str:AttributeList", &[("id", "AttributeDescriptor")], |xml| {
                    for known in &model::SERIES_ATTRIBUTES {
                        attribute(xml, version, known, true);
                    }
                    for known in &model::OBSERVATION_ATTRIBUTES {
                        attribute(xml, version, known, false);
                    }
                });
                element(xml, "str:MeasureList", &[("id", "MeasureDescriptor")], |xml| {
                    let (name, attributes): (_, &[(&str, &str)]) = match version {
                        Version::V21 => ("str:PrimaryMeasure", &[("id", "OBS_VALUE")]),
                        Version::V30 => ("str:Measure", &[("id", "OBS_VALUE"), ("usage", "optional")]),
                    };
                    element(xml, name, attributes, |xml| {
                        identity(xml, version, "OBS_VALUE");
                        // With `Decimal` pandas adds texts (trap 2). The text in the message is exact all the same.
                        representation(xml, version, None, "Double");
                    });
                });
            });
        });
    });
}

fn dimensions(xml: &mut Xml, version: Version) {
    element(xml, "str:DimensionList", &[("id", "DimensionDescriptor")], |xml| {
        for (place, (id, list)) in model::DIMENSIONS.iter().enumerate() {
            let position = (place + 1).to_string();
            element(xml, "str:Dimension", &[("id", id), ("position", &position)], |xml| {
                identity(xml, version, id);
                representation(xml, version, Some(list), "");
            });
        }
        let position = (model::DIMENSIONS.len() + 1).to_string();
        let attributes = [("id", "TIME_PERIOD"), ("position", &*position)];
        let attributes = match version {
            Version::V21 => &attributes[..],
            Version::V30 => &attributes[..1],
        };
        element(xml, "str:TimeDimension", attributes, |xml| {
            identity(xml, version, "TIME_PERIOD");
            representation(xml, version, None, "ObservationalTimePeriod");
        });
    });
}

/// No `MeasureRelationship`: it is optional, and a client fails on it (trap 4).
fn attribute(xml: &mut Xml, version: Version, (id, list, mandatory): &model::Attribute, series: bool) {
    let usage = match (version, mandatory) {
        (Version::V21, true) => ("assignmentStatus", "Mandatory"),
        (Version::V21, false) => ("assignmentStatus", "Conditional"),
        (Version::V30, true) => ("usage", "mandatory"),
        (Version::V30, false) => ("usage", "optional"),
    };
    element(xml, "str:Attribute", &[("id", id), usage], |xml| {
        identity(xml, version, id);
        representation(xml, version, *list, "Long");
        element(xml, "str:AttributeRelationship", &[], |xml| match (series, version) {
            (true, Version::V30) => {
                for (dimension, _) in &model::DIMENSIONS {
                    text(xml, "str:Dimension", &[], dimension);
                }
            }
            (true, Version::V21) => {
                for (dimension, _) in &model::DIMENSIONS {
                    element(xml, "str:Dimension", &[], |xml| empty(xml, "Ref", &[("id", dimension)]));
                }
            }
            (false, Version::V30) => empty(xml, "str:Observation", &[]),
            (false, Version::V21) => {
                element(xml, "str:PrimaryMeasure", &[], |xml| empty(xml, "Ref", &[("id", "OBS_VALUE")]));
            }
        });
    });
}
