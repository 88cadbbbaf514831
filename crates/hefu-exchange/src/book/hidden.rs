//! Which rows of a sheet are hidden, by hand or by a filter. They count like all others; whoever looks at the sheet does
//! not see them and has to be told.
//!
//! Best effort: of a workbook whose parts do not say, no row is hidden. What the cells hold is not looked at here.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
};

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event, attributes::Attribute},
};
use zip::ZipArchive;

/// The numbers of the hidden rows of a sheet, from 1. The guard has measured every part.
pub(super) fn rows(bytes: &[u8], sheet: &str) -> BTreeSet<u64> {
    hidden(bytes, sheet).unwrap_or_default()
}

fn hidden(bytes: &[u8], sheet: &str) -> Option<BTreeSet<u64>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let book = part(&mut archive, "xl/workbook.xml")?;
    let mut id = None;
    tags(&book, |tag| {
        if tag.local_name().as_ref() == "sheet" && attribute(tag, "name").as_deref() == Some(sheet) {
            let named = |one: &Attribute<'_>| one.key.local_name().as_ref() == "id";
            id = tag.attributes().flatten().find(named).map(|one| one.value.into_owned());
        }
    })?;
    let (id, links) = (id?, part(&mut archive, "xl/_rels/workbook.xml.rels")?);
    let mut target = None;
    tags(&links, |tag| {
        if tag.local_name().as_ref() == "Relationship" && attribute(tag, "Id").as_ref() == Some(&id) {
            target = attribute(tag, "Target");
        }
    })?;
    let target = target?;
    let name = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
    let cells = part(&mut archive, &name)?;
    let (mut rows, mut number) = (BTreeSet::new(), 0);
    // Most sheets hide nothing, and the word does not occur.
    if !cells.contains("hidden=") {
        return Some(rows);
    }
    tags(&cells, |tag| {
        if tag.local_name().as_ref() == "row" {
            number = attribute(tag, "r").and_then(|text| text.parse().ok()).unwrap_or(number + 1);
            if matches!(attribute(tag, "hidden").as_deref(), Some("1" | "true")) {
                rows.insert(number);
            }
        }
    })?;
    Some(rows)
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Option<String> {
    let mut text = String::new();
    archive.by_name(name).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Every opening tag. `None` if it is no XML.
fn tags(xml: &str, mut look: impl FnMut(&BytesStart<'_>)) -> Option<()> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) | Event::Empty(tag) => look(&tag),
            Event::Eof => return Some(()),
            _ => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}
