//! Bytes of a file as text: UTF-8, or the GB18030 that Chinese spreadsheets still write.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030};

use crate::problem::{FileError, Problem};

/// Zero-width marks that programs leave around a cell.
const INVISIBLE: [char; 2] = ['\u{feff}', '\u{200b}'];

/// The text of a file: by its byte order mark if it has one, else UTF-8, else GB18030. Every line ends with a line feed,
/// whichever system wrote it. Refuses spreadsheets and anything that is not text.
pub fn decode(bytes: &[u8], file: &str) -> Result<String, FileError> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(FileError::new(file, Problem::Spreadsheet {}));
    }
    let not_text = || FileError::new(file, Problem::NotText {});
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, &bytes[mark..]),
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, bytes),
        None => (GB18030, bytes),
    };
    let (text, failed) = encoding.decode_without_bom_handling(bytes);
    if failed || text.contains('\0') {
        return Err(not_text());
    }
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() })
}

/// Every line ended with a line feed.
pub(crate) fn unix(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text }
}

/// The cell without white space and zero-width marks around it.
pub(crate) fn trim(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || INVISIBLE.contains(&c))
}

/// Full-width letters, digits and signs as ASCII; full-width space as a space.
pub(crate) fn fold(cell: &str) -> Cow<'_, str> {
    if cell.is_ascii() {
        return Cow::Borrowed(cell);
    }
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        '\u{2212}' => '-',
        _ => c,
    };
    Cow::Owned(cell.chars().map(narrow).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_spreadsheets_are_read_in_either_encoding() {
        let (gb, _, _) = GB18030.encode("项目,数值\n");
        for bytes in [gb.as_ref(), "项目,数值\n".as_bytes(), "\u{feff}项目,数值\n".as_bytes()] {
            assert_eq!(decode(bytes, "f.csv").unwrap(), "项目,数值\n");
        }
        for (bytes, code) in
            [(&b"PK\x03\x04"[..], "spreadsheet"), (b"\x81", "not_text"), (b"a\0b", "not_text")]
        {
            assert_eq!(decode(bytes, "f.csv").unwrap_err().code(), code);
        }
    }

    #[test]
    fn every_system_ends_its_lines_alike() {
        assert_eq!(decode(b"a\r\nb\rc\n\r\nd", "f.csv").unwrap(), "a\nb\nc\n\nd");
    }

    #[test]
    fn full_width_becomes_ascii() {
        assert_eq!(fold("１，２３４．５　Ａ－"), "1,234.5 A-");
        assert_eq!(trim("\u{feff} \u{3000}x\u{200b}"), "x");
    }
}
