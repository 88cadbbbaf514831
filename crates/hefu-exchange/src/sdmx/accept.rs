//! In which form to answer: the `Accept` header against what is offered.
//!
//! | | `*/*` | also |
//! |---|---|---|
//! | v1 structure | ML 2.1 | |
//! | v1 data | generic ML 2.1 | structure-specific ML 2.1, CSV 1.0 |
//! | v2 structure | ML 3.0 | JSON 2.0 |
//! | v2 data | ML 3.0 | CSV 2.0, CSV 1.0, JSON 2.0 |
//! | v2 availability, schema | JSON 2.0 | |

use super::{Question, Refusal, path::Api, refusal::Code};

/// A form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SDMX-ML 2.1 structure.
    StructureMl21,
    /// SDMX-ML 3.0 structure.
    StructureMl30,
    /// SDMX-JSON 2.0 structure.
    StructureJson,
    /// SDMX-ML 2.1 generic data.
    GenericMl21,
    /// SDMX-ML 2.1 structure-specific data.
    SpecificMl21,
    /// SDMX-ML 3.0 data.
    DataMl30,
    /// SDMX-CSV 1.0.
    Csv1,
    /// SDMX-CSV 2.0.
    Csv2,
    /// SDMX-JSON 2.0 data.
    DataJson,
}

impl Format {
    /// Its media type without and with version.
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Format::StructureMl21 => {
                ("structure+xml", "2.1", "application/vnd.sdmx.structure+xml;version=2.1")
            }
            Format::StructureMl30 => {
                ("structure+xml", "3.0.0", "application/vnd.sdmx.structure+xml;version=3.0.0")
            }
            Format::StructureJson => {
                ("structure+json", "2.0.0", "application/vnd.sdmx.structure+json;version=2.0.0")
            }
            Format::GenericMl21 => {
                ("genericdata+xml", "2.1", "application/vnd.sdmx.genericdata+xml;version=2.1")
            }
            Format::SpecificMl21 => (
                "structurespecificdata+xml",
                "2.1",
                "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
            ),
            Format::DataMl30 => ("data+xml", "3.0.0", "application/vnd.sdmx.data+xml;version=3.0.0"),
            Format::Csv1 => ("data+csv", "1.0.0", "application/vnd.sdmx.data+csv;version=1.0.0"),
            Format::Csv2 => ("data+csv", "2.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
            Format::DataJson => ("data+json", "2.0.0", "application/vnd.sdmx.data+json;version=2.0.0"),
        }
    }

    /// Its media type. The clients choose their reader by it (trap 3 of the response rules).
    pub const fn media_type(self) -> &'static str {
        self.parts().2
    }

    /// Whether it fits one media range of an `Accept` header.
    fn fits(self, range: &str, version: Option<&str>) -> bool {
        let (name, own, _) = self.parts();
        let by_name = match range {
            "*/*" | "application/*" => true,
            "application/xml" | "text/xml" => name.ends_with("+xml"),
            "application/json" => name.ends_with("+json"),
            "text/csv" => name.ends_with("+csv"),
            _ => range.strip_prefix("application/vnd.sdmx.").is_some_and(|rest| rest == name),
        };
        // `2.0.0+` means 2.0.0 or a later one of 2; `2.1.0` of ML 2.1 is written so by newer clients.
        let by_version = version.is_none_or(|version| {
            let bare = version.strip_suffix('+').unwrap_or(version);
            bare == own || bare.strip_suffix(".0") == Some(own) || own.strip_suffix(".0") == Some(bare)
        });
        by_name && by_version
    }
}

/// What is offered for a question, the default first.
pub fn offered(question: &Question) -> &'static [Format] {
    match question {
        Question::Structure(asked) if asked.api == Api::V1 => &[Format::StructureMl21],
        Question::Structure(_) => &[Format::StructureMl30, Format::StructureJson],
        Question::Data(asked) if asked.api == Api::V1 => {
            &[Format::GenericMl21, Format::SpecificMl21, Format::Csv1]
        }
        Question::Data(_) => &[Format::DataMl30, Format::Csv2, Format::Csv1, Format::DataJson],
        Question::Availability(_) | Question::Schema(_) => &[Format::StructureJson],
    }
}

/// The best of what is offered: by the quality the client gives, then by its order, then by ours.
pub fn negotiate(question: &Question, accept: Option<&str>) -> Result<Format, Refusal> {
    let offered = offered(question);
    let accept = accept.filter(|text| !text.trim().is_empty()).unwrap_or("*/*");
    let mut ranges: Vec<(u32, &str, Option<&str>)> = Vec::new();
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let (mut version, mut quality) = (None, 1_000);
        for part in parts {
            match part.split_once('=') {
                Some(("version", text)) => version = Some(text.trim_matches('"')),
                Some(("q", text)) => quality = thousandths(text),
                _ => {}
            }
        }
        ranges.push((quality, name, version));
    }
    ranges.sort_by_key(|range| std::cmp::Reverse(range.0));
    let wanted = ranges.iter().filter(|range| range.0 > 0);
    let found = wanted.into_iter().find_map(|(_, name, version)| {
        let name = name.to_ascii_lowercase();
        offered.iter().find(|format| format.fits(&name, *version)).copied()
    });
    found.ok_or_else(|| {
        let all = offered.iter().map(|format| format.media_type()).collect::<Vec<_>>().join(", ");
        Refusal::new(
            Code::NotAcceptable,
            ("Accept", accept),
            format!("offered: {all}"),
            format!("可提供:{all}"),
        )
    })
}

/// A quality of 0 to 1 with three decimals, in thousandths; what cannot be read counts as 1.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, padded.parse::<u32>()) {
        ("0", Ok(thousandths)) => thousandths,
        _ => 1_000,
    }
}
