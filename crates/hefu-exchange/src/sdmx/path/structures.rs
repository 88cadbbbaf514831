//! The part of an address that asks for structures: which artefacts, and which of those they refer to.

use std::collections::BTreeSet;

use super::{Api, Kind, Structure, any, ours};
use crate::sdmx::{Refusal, refusal::Code};

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "dataflow" => Kind::Dataflow,
        "datastructure" => Kind::DataStructure,
        "conceptscheme" => Kind::ConceptScheme,
        "codelist" => Kind::Codelist,
        _ => return None,
    })
}

pub(super) fn structure(api: Api, rest: &[&str], pairs: &[(String, String)]) -> Result<Structure, Refusal> {
    let name = rest.first().copied().unwrap_or("*");
    let of = kind_of(name);
    if of.is_none() && !(any(name) || name == "structure") {
        let why = "there are dataflow, datastructure, codelist and conceptscheme";
        return Err(Refusal::new(
            Code::NoSuchArtefact,
            ("path", name),
            why,
            "可用的有 dataflow、datastructure、codelist、conceptscheme",
        ));
    }
    ours(rest.get(1).copied(), rest.get(3).copied())?;
    let id = rest.get(2).copied().unwrap_or("*");
    let ids = if any(id) { Vec::new() } else { id.split([',', '+']).map(str::to_owned).collect() };
    let mut references = "none";
    let mut stubs = false;
    for (name, value) in pairs {
        match name.as_str() {
            "references" => references = value,
            "detail" => stubs = value.starts_with("all"),
            _ => {
                let why = "no parameter of this resource";
                return Err(Refusal::new(Code::BadSyntax, (name, value), why, "没有此参数"));
            }
        }
    }
    let everything =
        || BTreeSet::from([Kind::Dataflow, Kind::DataStructure, Kind::ConceptScheme, Kind::Codelist]);
    let Some(kind) = of else { return Ok(Structure { api, kinds: everything(), of: None, ids }) };
    // Every dataflow has the one data structure, which has all code lists and the one concept scheme.
    let level = |kind: Kind| match kind {
        Kind::Dataflow => 0,
        Kind::DataStructure => 1,
        Kind::ConceptScheme | Kind::Codelist => 2,
    };
    let own = level(kind);
    let wanted = |other: Kind| match references {
        "none" => false,
        "children" => level(other) == own + 1,
        "descendants" => level(other) > own,
        "parents" => level(other) + 1 == own,
        "ancestors" => level(other) < own,
        "parentsandsiblings" => level(other) + 1 == own || level(other) == own,
        _ => true,
    };
    let known = ["none", "children", "descendants", "parents", "ancestors", "parentsandsiblings", "all"];
    if !known.contains(&references) && kind_of(references).is_none() {
        let why = "write none, children, descendants, parents, ancestors, parentsandsiblings, all or a kind";
        return Err(Refusal::new(Code::BadSyntax, ("references", references), why, "references 的值无效"));
    }
    let only = kind_of(references);
    let chosen = |other: &Kind| {
        *other == kind || (!stubs && only.map_or_else(|| wanted(*other), |only| *other == only))
    };
    let kinds = everything().into_iter().filter(chosen).collect();
    Ok(Structure { api, kinds, of, ids })
}
