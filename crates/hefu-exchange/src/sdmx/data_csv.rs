//! SDMX-CSV 1.0 and 2.0. A value that is missing is empty in 1.0; in 2.0 it is `NaN`, "intentionally missing": an empty
//! cell breaks a client (trap 3).

use super::{
    answer::{Action, Written},
    model,
};

const FIXED: [&str; 2] = ["TIME_PERIOD", "OBS_VALUE"];

/// SDMX-CSV 1.0.
pub(super) fn version_1(written: &Written<'_>) -> Vec<u8> {
    let flow = identity(written);
    rows(written, &["DATAFLOW"], "", |_| vec![flow.clone()])
}

/// SDMX-CSV 2.0. What a data set does is a letter: replace or delete.
pub(super) fn version_2(written: &Written<'_>) -> Vec<u8> {
    let flow = identity(written);
    rows(written, &["STRUCTURE", "STRUCTURE_ID", "ACTION"], "NaN", |action| {
        let letter = match action {
            Action::Replace => "R",
            Action::Delete => "D",
        };
        vec!["dataflow".to_owned(), flow.clone(), letter.to_owned()]
    })
}

fn identity(written: &Written<'_>) -> String {
    format!("{}:{}({})", model::AGENCY, written.data.flow.id(), model::VERSION)
}

fn rows(
    written: &Written<'_>,
    leading: &[&str],
    missing: &str,
    lead: impl Fn(Action) -> Vec<String>,
) -> Vec<u8> {
    let (attributes, observations) = (written.data.attributes, written.data.observations);
    let mut header: Vec<&str> = leading.to_vec();
    header.extend(model::DIMENSIONS.map(|(id, _)| id));
    if observations {
        header.extend(FIXED);
    }
    if attributes {
        header.extend(model::SERIES_ATTRIBUTES.iter().map(|(id, ..)| *id));
        if observations {
            header.extend(model::OBSERVATION_ATTRIBUTES.iter().map(|(id, ..)| *id));
        }
    }
    let mut all: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for set in &written.sets {
        for series in &set.series {
            let mut start = lead(set.action);
            start.extend(series.key.iter().cloned());
            if !observations {
                if attributes {
                    start.extend(series.attributes.iter().cloned());
                }
                all.push(start);
                continue;
            }
            for obs in &series.observations {
                let mut row = start.clone();
                row.push(obs.period.clone());
                row.push(obs.value.clone().unwrap_or_else(|| missing.to_owned()));
                if attributes {
                    row.extend(series.attributes.iter().chain(&obs.attributes).cloned());
                }
                all.push(row);
            }
        }
    }
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in all {
        writer
            .write_record(&row)
            .unwrap_or_else(|error| unreachable!("memory takes rows of one width: {error}"));
    }
    writer.into_inner().unwrap_or_else(|error| unreachable!("memory takes all: {error}"))
}
