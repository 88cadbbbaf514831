//! A region's own book: its cells, its sheets, its amounts. What is accepted means the same when it is written plainly;
//! what is refused has a place.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use hefu_domain::amount::format_minor;
use hefu_domain::indicator::{Indicator, Unit};
use hefu_domain::policy::built_in_indicators;
use hefu_exchange::book::{self, Book, Named, Options};
use hefu_exchange::import::quantity::{MoneyUnit, minor_units};
use hefu_exchange::matching::{BookLine, Key, NamedBy};
use hefu_exchange::problem::FileError;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The one project on record.
const KNOWN: &str = "2501-330108-04-01-123456";

fn named(text: &str) -> Named {
    match text {
        KNOWN => "0198b2c4-7d3e-7000-8000-000000000001"
            .parse()
            .map_or(Named::Nothing, |id| Named::One(id, NamedBy::Code)),
        "乙" => Named::Several,
        _ => text.parse().map_or(Named::Nothing, |id| Named::One(id, NamedBy::Id)),
    }
}

fn read(bytes: &[u8], catalogue: &[Indicator]) -> Result<Book, FileError> {
    let options = Options {
        file: "fuzz",
        sheet: None,
        catalogue,
        find_project: &named,
        unit: MoneyUnit::Yuan,
        indicator: None,
        period: None,
    };
    book::read(bytes, &options)
}

/// A book of whatever format: every wrong cell has a row and says what to do, no row is both right and wrong, and the
/// good lines, written as plain CSV, are read again as they are.
pub fn book(bytes: &[u8]) -> bool {
    let catalogue = built_in_indicators();
    let book = match read(bytes, &catalogue) {
        Ok(book) => book,
        Err(error) => {
            assert!(!error.zh().is_empty() && !error.code().is_empty());
            return false;
        }
    };
    assert!(book.lines.is_sorted_by_key(|line| line.row) && book.errors.is_sorted_by_key(|error| error.row));
    for error in &book.errors {
        assert!(error.row.is_some_and(|row| row > 0), "{error:?}");
        assert!(book.lines.iter().all(|line| Some(line.row) != error.row), "{error:?}");
        assert!(!book.totals.iter().any(|row| Some(*row) == error.row), "{error:?}");
    }
    if book.lines.is_empty() {
        return false;
    }
    let plain = plainly(&book.lines, &catalogue);
    let again = read(plain.as_bytes(), &catalogue).expect("a plain table");
    assert_eq!(again.errors, [], "{plain}");
    let meaning = |book: &Book| book.lines.iter().map(meaning).collect::<Vec<_>>();
    assert_eq!(meaning(&again), meaning(&book), "{plain}");
    book.errors.is_empty()
}

/// All of a line but where it stands, and whether a formula stands behind it.
fn meaning(line: &BookLine) -> BookLine {
    let named_by = if matches!(line.project, Key::Known(_)) { NamedBy::Id } else { NamedBy::Nothing };
    BookLine { row: 0, formula: false, named_by, ..line.clone() }
}

/// The lines as the plainest table there is.
fn plainly(lines: &[BookLine], catalogue: &[Indicator]) -> String {
    let mut text = "项目,指标,报告期,金额\n".to_owned();
    for BookLine { project, indicator, period, minor, .. } in lines {
        let project = match project {
            Key::Known(id) => id.to_string(),
            Key::Unknown(name) => name.replace('"', "\"\""),
        };
        let of_line = catalogue.iter().find(|known| known.code == *indicator).expect("it was found there");
        let amount = format_minor(i128::from(*minor), of_line.unit.scale());
        writeln!(text, "\"{project}\",{indicator},{period},{amount}").expect("memory");
    }
    text
}

/// The parts of the smallest workbook around one sheet.
const PARTS: [(&str, &str); 4] = [
    (
        "[Content_Types].xml",
        r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="账册" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
    ),
];

/// The XML of a sheet, put into a workbook: cells of every kind, where a flipped bit of the packed file would only break
/// its checksum.
pub fn book_sheet(xml: &[u8]) -> bool {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let parts = PARTS.map(|(name, text)| (name, text.as_bytes()));
    for (name, bytes) in parts.into_iter().chain([("xl/worksheets/sheet1.xml", xml)]) {
        archive.start_file(name, stored).expect("a part in memory");
        archive.write_all(bytes).expect("memory");
    }
    book(&archive.finish().expect("an archive in memory").into_inner())
}

const MONEY: [(MoneyUnit, u8); 5] = [
    (MoneyUnit::Yuan, 0),
    (MoneyUnit::Thousand, 3),
    (MoneyUnit::TenThousand, 4),
    (MoneyUnit::Million, 6),
    (MoneyUnit::HundredMillion, 8),
];

/// An amount as people write it, on the second line the unit above it if there is one: read exactly, so that written in
/// any unit of money it is the same amount, and no digit more can be added.
pub fn amount(bytes: &[u8]) -> bool {
    let Some(text) = crate::text(bytes) else { return false };
    let (number, named) = text.split_once('\n').map_or((text, None), |(number, unit)| (number, Some(unit)));
    let mut accepted = false;
    for (unit, scale) in [(Unit::Cny, 2), (Unit::Persons, 0), (Unit::Projects, 0)] {
        let Ok(minor) = minor_units(number, named, unit, MoneyUnit::TenThousand) else { continue };
        accepted = true;
        assert_eq!(
            minor_units(&format!(" {number} "), named, unit, MoneyUnit::TenThousand).ok(),
            Some(minor)
        );
        let units = if unit == Unit::Cny { &MONEY[..] } else { &[(MoneyUnit::Yuan, 0)][..] };
        for (money, power) in units {
            let written = format_minor(i128::from(minor), power + scale);
            let unit_above = (unit == Unit::Cny).then(|| money.name());
            assert_eq!(
                minor_units(&written, unit_above, unit, MoneyUnit::Yuan).ok(),
                Some(minor),
                "{written}"
            );
            if power + scale > 0 {
                let finer = format!("{written}1");
                assert!(minor_units(&finer, unit_above, unit, MoneyUnit::Yuan).is_err(), "{finer}");
            }
        }
    }
    accepted
}
