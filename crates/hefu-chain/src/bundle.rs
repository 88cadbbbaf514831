//! The evidence bundle: records with bodies, commands and paths to one signed checkpoint, in one file.
//!
//! Lines of canonical JSON, written and read one at a time: a bundle may be larger than memory. This module knows the
//! lines; [`crate::verify::bundle`] judges them.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::key::PublicKey;
use crate::origin::Origin;
use crate::tree::TreeHash;

/// The value of `format` in the first line.
pub const FORMAT: &str = "hefu-bundle-v1";
/// How every first line begins that has a question without quotes in it; enough to tell a bundle from other files.
pub const BEGINS: &[u8] = b"{\"asked\":{";

/// What a bundle is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Asked {
    /// Every record of a project.
    Project {
        /// Which.
        project: Uuid,
    },
    /// The records behind one figure.
    Cell {
        /// Code of the indicator.
        indicator: String,
        /// The period, as it was written.
        period: String,
        /// Code of the region.
        region: String,
    },
    /// Every record of a range.
    Range {
        /// The position after the last.
        end: u64,
        /// The first position.
        first: u64,
    },
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What was asked.
    pub asked: Asked,
    /// The signed note.
    pub checkpoint: String,
    /// [`FORMAT`].
    pub format: String,
    /// The log's key, for those who trust the file anyway.
    pub log_key: PublicKey,
    /// The ledger.
    pub origin: Origin,
}

/// Why a record is in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// It registers a public key that signed one of the commands.
    Key,
    /// It redacts one of the others, or is the one a redaction names.
    Redaction,
}

/// The line of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The body; nothing if it is withheld.
    pub body: Option<String>,
    /// The command; nothing if an earlier line has it, or it is withheld.
    pub command: Option<String>,
    /// The position.
    pub index: u64,
    /// The leaf.
    pub leaf: String,
    /// From the leaf's sibling upwards to the root of the checkpoint.
    pub path: Vec<TreeHash>,
    /// Why it is here.
    pub why: Reason,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// How many lines stand before it.
    pub lines: u64,
    /// SHA-256 of all bytes before it, in hex.
    pub sha256: String,
}

/// One line with its line feed: canonical JSON, of whatever length.
pub fn encode<T: Serialize>(line: &T) -> io::Result<Vec<u8>> {
    let mut value = serde_json::to_value(line)?;
    value.sort_all_objects();
    let mut bytes = serde_json::to_vec(&value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads what [`encode`] wrote; every other spelling of the same is refused.
pub fn decode<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let line: T = serde_json::from_slice(bytes).ok()?;
    (encode(&line).ok()? == bytes).then_some(line)
}

/// Writes a bundle line by line.
pub struct Writer<W> {
    out: W,
    digest: Sha256,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { out, digest: Sha256::new(), lines: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    /// Writes the line of a record. Records must ascend.
    pub fn record(&mut self, line: &Line) -> io::Result<()> {
        self.line(line)
    }

    /// Writes the last line and gives the sink back.
    pub fn finish(mut self) -> io::Result<W> {
        let sha256 = hex::encode(self.digest.clone().finalize());
        let last = encode(&Last { lines: self.lines, sha256 })?;
        self.out.write_all(&last)?;
        Ok(self.out)
    }

    fn line<T: Serialize>(&mut self, line: &T) -> io::Result<()> {
        let bytes = encode(line)?;
        self.digest.update(&bytes);
        self.lines += 1;
        self.out.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_bundle() {
        let header = Header {
            asked: Asked::Range { end: 1, first: 0 },
            checkpoint: "ledger.example/moves\n1\n…\n".into(),
            format: FORMAT.into(),
            log_key: PublicKey([0x11; 32]),
            origin: "ledger.example/moves".parse().unwrap(),
        };
        let line = Line {
            body: None,
            command: Some("{\"envelope\":\"\\u0001\"}".into()),
            index: 0,
            leaf: "{}".into(),
            path: vec![TreeHash::EMPTY],
            why: Reason::Asked,
        };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        writer.record(&line).unwrap();
        let bytes = writer.finish().unwrap();
        let golden = [
            concat!(
                r#"{"asked":{"end":1,"first":0,"kind":"range"},"checkpoint":"ledger.example/moves\n1\n…\n","#,
                r#""format":"hefu-bundle-v1","log_key":"1111111111111111111111111111111111111111111111111111111111111111","#,
                r#""origin":"ledger.example/moves"}"#,
            ),
            concat!(
                r#"{"body":null,"command":"{\"envelope\":\"\\u0001\"}","index":0,"leaf":"{}","#,
                r#""path":["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],"why":"asked"}"#,
            ),
        ];
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.lines().take(2).eq(golden), "{text}");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(decode::<Line>(lines[1].as_bytes()), Some(line));
        assert_eq!(decode::<Line>(lines[1].replace(",\"why", ", \"why").as_bytes()), None);
        let last: Last = decode(lines[2].as_bytes()).unwrap();
        let before = [lines[0], lines[1]].concat();
        assert_eq!(last, Last { lines: 2, sha256: hex::encode(Sha256::digest(before.as_bytes())) });
    }
}
