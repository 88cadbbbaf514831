//! A question, a source of figures and a viewer become a message.

use hefu_domain::time::Timestamp;

use super::{
    Refusal,
    accept::{self, Format},
    cube::{Cube, Flow, Source, Viewer, When},
    data_csv, data_json, data_ml, model,
    path::{Data, Question, Structure},
    refusal::Code,
    select::{Depth, MOST, Series, select},
    structure_json, structure_ml,
};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// What to do with a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Replace,
    Delete,
}

/// One data set: what was shown, from when, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataSet {
    pub(super) action: Action,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) series: Vec<Series>,
}

/// Everything a writer of data needs.
pub(super) struct Written<'w> {
    pub(super) data: &'w Data,
    pub(super) prepared: Timestamp,
    pub(super) sets: Vec<DataSet>,
    pub(super) codelists: Vec<model::Codelist>,
    pub(super) zh: bool,
}

/// Answers. `accept` and `languages` are the headers of that name. The same question at the same position always gives
/// the same bytes.
pub fn answer(
    question: &Question,
    source: &dyn Source,
    viewer: Viewer,
    accept: Option<&str>,
    languages: Option<&str>,
) -> Result<Message, Refusal> {
    let format = accept::negotiate(question, accept)?;
    let zh = prefers_chinese(languages);
    let mut body = None;
    match question {
        Question::Structure(asked) => source.look(&When::Now, &mut |cube| {
            body = Some(structure(asked, cube, format, zh)?);
            Ok(())
        })?,
        Question::Schema(flow) => source.look(&When::Now, &mut |cube| {
            body = Some(structure_json::schema(cube, *flow, zh));
            Ok(())
        })?,
        Question::Availability(asked) => {
            allowed(asked, viewer)?;
            source.look(&asked.as_of, &mut |cube| {
                let series = select(cube, asked, viewer, Depth::Periods)?;
                body = Some(structure_json::availability(cube, asked, &series, zh));
                Ok(())
            })?;
        }
        Question::Data(asked) => {
            allowed(asked, viewer)?;
            body = Some(data(asked, source, viewer, format, zh)?);
        }
    }
    let body = body.ok_or_else(|| {
        Refusal::new(Code::Unreadable, ("source", ""), "the figures could not be read", "无法读取数据")
    })?;
    Ok(Message { media_type: format.media_type(), body })
}

/// Differences of two positions show single facts: only those who see everything may ask for the past (disclosure).
fn allowed(asked: &Data, viewer: Viewer) -> Result<(), Refusal> {
    let past = asked.as_of != When::Now || asked.history || asked.updated_after.is_some();
    if past && viewer != Viewer::Everything {
        let why = "the past is not for this viewer: two positions differ by single facts";
        return Err(Refusal::new(Code::NotAllowed, ("asOf", ""), why, "无权查看历史:两个位置之差即单项事实"));
    }
    Ok(())
}

fn structure(asked: &Structure, cube: &dyn Cube, format: Format, zh: bool) -> Result<Vec<u8>, Refusal> {
    let mut codelists = model::codelists(cube);
    let mut flows = Flow::ALL.to_vec();
    let named = |id: &str| asked.ids.is_empty() || asked.ids.iter().any(|other| other == id);
    let known = match asked.of {
        Some(super::path::Kind::Codelist) => {
            codelists.retain(|list| named(list.id));
            !codelists.is_empty()
        }
        Some(super::path::Kind::Dataflow) => {
            flows.retain(|flow| named(flow.id()));
            !flows.is_empty()
        }
        Some(super::path::Kind::DataStructure) => named(model::DSD),
        Some(super::path::Kind::ConceptScheme) => named(model::CONCEPTS),
        None => true,
    };
    if !known {
        let ids = asked.ids.join(",");
        return Err(Refusal::new(
            Code::NoSuchArtefact,
            ("id", &ids),
            "no artefact has this id",
            "没有此标识的结构",
        ));
    }
    let parts = structure_ml::Parts { kinds: &asked.kinds, flows: &flows, codelists: &codelists };
    Ok(match format {
        Format::StructureMl21 => structure_ml::write(structure_ml::Version::V21, &parts, cube.instant()),
        Format::StructureMl30 => structure_ml::write(structure_ml::Version::V30, &parts, cube.instant()),
        Format::StructureJson
        | Format::GenericMl21
        | Format::SpecificMl21
        | Format::DataMl30
        | Format::Csv1
        | Format::Csv2
        | Format::DataJson => structure_json::structures(&parts, cube.instant(), zh),
    })
}

fn data(
    asked: &Data,
    source: &dyn Source,
    viewer: Viewer,
    format: Format,
    zh: bool,
) -> Result<Vec<u8>, Refusal> {
    let csv = matches!(format, Format::Csv1 | Format::Csv2);
    if asked.flat && !csv {
        let why = "AllDimensions is offered in CSV only";
        let place = ("dimensionAtObservation", "AllDimensions");
        return Err(Refusal::new(Code::NotOffered, place, why, "AllDimensions 仅用于 CSV"));
    }
    let mut written =
        Written { data: asked, prepared: Timestamp::default(), sets: Vec::new(), codelists: Vec::new(), zh };
    if asked.history {
        history(asked, source, viewer, &mut written.sets)?;
    }
    source.look(&asked.as_of, &mut |cube| {
        written.prepared = cube.instant();
        written.codelists = model::codelists(cube);
        if !asked.history {
            let depth = if asked.observations { Depth::Values } else { Depth::Periods };
            let series = select(cube, asked, viewer, depth)?;
            written.sets.push(DataSet { action: Action::Replace, from: cube.instant(), until: None, series });
        }
        Ok(())
    })?;
    if let Some(since) = asked.updated_after {
        changed(asked, source, viewer, since, &mut written.sets)?;
    }
    written.sets.retain(|set| !set.series.is_empty());
    // Connectors take an empty table for what it is; all others need the status.
    if written.sets.is_empty() && format != Format::Csv2 {
        return Err(Refusal::new(
            Code::NoData,
            ("key", ""),
            "nothing fits the question",
            "没有符合条件的数据",
        ));
    }
    if !asked.observations {
        let series = written.sets.iter_mut().flat_map(|set| &mut set.series);
        series.for_each(|series| series.observations.clear());
    }
    Ok(match format {
        Format::Csv1 => data_csv::version_1(&written),
        Format::Csv2 => data_csv::version_2(&written),
        Format::GenericMl21 => data_ml::generic(&written),
        Format::SpecificMl21 => data_ml::specific(&written, structure_ml::Version::V21),
        Format::DataMl30 => data_ml::specific(&written, structure_ml::Version::V30),
        Format::DataJson | Format::StructureMl21 | Format::StructureMl30 | Format::StructureJson => {
            data_json::write(&written)
        }
    })
}

/// More figures than this are not looked at for one history.
const MOST_LOOKED_AT: usize = 50 * MOST;

/// What was shown after every instant that changed it, each data set whole.
fn history(
    asked: &Data,
    source: &dyn Source,
    viewer: Viewer,
    sets: &mut Vec<DataSet>,
) -> Result<(), Refusal> {
    let (mut figures, mut looked) = (0usize, 0usize);
    source.history(&asked.as_of, &mut |cube| {
        let series = select(cube, asked, viewer, Depth::Values)?;
        let found = series.iter().map(|series| series.observations.len()).sum::<usize>();
        // Looking costs time though nothing has changed.
        looked = looked.saturating_add(found);
        let same = |old: &DataSet| same_figures(&old.series, &series);
        let unchanged = sets.last().is_some_and(same) || (sets.is_empty() && series.is_empty());
        figures += if unchanged { 0 } else { found };
        if figures > MOST || looked > MOST_LOOKED_AT {
            let why = "a long history; ask for fewer areas, indicators or periods";
            return Err(Refusal::new(Code::TooLarge, ("includeHistory", "true"), why, "历史过长,请缩小范围"));
        }
        if unchanged {
            return Ok(());
        }
        if let Some(last) = sets.last_mut() {
            last.until = Some(cube.instant());
        }
        sets.push(DataSet { action: Action::Replace, from: cube.instant(), until: None, series });
        Ok(())
    })
}

/// Leaves what is not as it was, and adds what is gone.
fn changed(
    asked: &Data,
    source: &dyn Source,
    viewer: Viewer,
    since: Timestamp,
    sets: &mut Vec<DataSet>,
) -> Result<(), Refusal> {
    let mut before = Vec::new();
    let looked = source.look(&When::At(since), &mut |cube| {
        before = select(cube, asked, viewer, Depth::Values)?;
        Ok(())
    });
    match looked {
        // Before the ledger began nothing was known: all is new.
        Err(refusal) if refusal.code == Code::NoData => {}
        looked => looked?,
    }
    let Some(now) = sets.first_mut() else { return Ok(()) };
    let gone = differences(&before, &now.series, false);
    now.series = differences(&now.series, &before, true);
    let deleted = DataSet { action: Action::Delete, from: now.from, until: None, series: gone };
    sets.push(deleted);
    Ok(())
}

/// The observations of `all` that `other` does not have; with `values`, that it has otherwise as well.
fn differences(all: &[Series], other: &[Series], values: bool) -> Vec<Series> {
    let known: std::collections::BTreeMap<_, _> = other.iter().map(|series| (&series.key, series)).collect();
    let mut different = all.to_vec();
    for series in &mut different {
        let Some(old) = known.get(&series.key) else { continue };
        series.observations.retain(|obs| {
            let old = old.observations.iter().find(|old| old.period == obs.period);
            old.is_none_or(|old| {
                values && (&old.value, &old.attributes[..2]) != (&obs.value, &obs.attributes[..2])
            })
        });
    }
    different.retain(|series| !series.observations.is_empty());
    different
}

/// Whether two selections show the same, whatever the positions they were read at.
fn same_figures(a: &[Series], b: &[Series]) -> bool {
    differences(a, b, true).is_empty() && differences(b, a, false).is_empty()
}

/// Whether Chinese comes before English in an `Accept-Language` header. Without one it does.
fn prefers_chinese(languages: Option<&str>) -> bool {
    let languages = languages.unwrap_or_default().to_ascii_lowercase();
    let place = |tag: &str| languages.split(',').position(|one| one.trim().starts_with(tag));
    match (place("zh"), place("en")) {
        (Some(zh), Some(en)) => zh < en,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}
