//! What kind of file it is, and whether unpacking it is safe: looked at before anything is parsed.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::problem::{FileError, Problem};

/// A workbook may unpack to this many bytes.
const MOST: u64 = 512 << 20;
/// Beyond [`FREE`] a part may be this many times as large as it is packed.
const RATIO: u64 = 200;
/// A part up to this size is not measured against its packed size.
const FREE: u64 = 4 << 20;
/// Parts of a workbook.
const PARTS: usize = 2_000;

/// A file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A workbook of this decade.
    Xlsx,
    /// Text.
    Text,
}

/// The kind of a file. Every part of a workbook is unpacked once, into nothing, to see how large it is: what a part says
/// of its own size is not believed.
pub(super) fn kind(bytes: &[u8], file: &str) -> Result<Kind, FileError> {
    let bad = |problem| FileError::new(file, problem);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(bad(Problem::EmptyFile {}));
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = bytes.windows(name.len()).any(|window| window == name);
        return Err(bad(if encrypted {
            Problem::Encrypted {}
        } else {
            Problem::OtherWorkbook { kind: "xls" }
        }));
    }
    if !bytes.starts_with(b"PK") {
        return Ok(Kind::Text);
    }
    let broken = |why: String| bad(Problem::NotAWorkbook { why });
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("xl/workbook.bin") {
        return Err(bad(Problem::OtherWorkbook { kind: "xlsb" }));
    }
    if has("content.xml") {
        return Err(bad(Problem::OtherWorkbook { kind: "ods" }));
    }
    if !has("[Content_Types].xml") {
        return Err(broken("a ZIP archive of something else".to_owned()));
    }
    if archive.len() > PARTS {
        return Err(bad(Problem::UnpacksTooLarge { limit: format!("{PARTS} parts") }));
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(zip::result::ZipError::PASSWORD_REQUIRED) => {
                bad(Problem::Encrypted {})
            }
            error => broken(error.to_string()),
        })?;
        let most = FREE.max(part.compressed_size().saturating_mul(RATIO));
        let limit = most.min(MOST - total);
        let unpacked = std::io::copy(&mut part.by_ref().take(limit + 1), &mut std::io::sink());
        let unpacked = unpacked.map_err(|error| broken(error.to_string()))?;
        if unpacked > limit {
            let limit = match most.cmp(&(MOST - total)) {
                std::cmp::Ordering::Less => format!("{RATIO} times its size"),
                std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => format!("{} MiB", MOST >> 20),
            };
            return Err(bad(Problem::UnpacksTooLarge { limit }));
        }
        total += unpacked;
    }
    Ok(Kind::Xlsx)
}
