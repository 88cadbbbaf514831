//! An auditor's verifier of a Hefu ledger, made to be read. It shares no code with the ledger it judges.
//!
//! It reads files and prints what is wrong with them. It writes nothing, fetches nothing and believes nothing but the
//! log's public key that it is given. `docs/FORMAT.md` says what the bytes mean; the sections named below are its.
//!
//! Read the modules in this order; an hour is enough:
//!
//! 1. [`hash`]: the two hash functions, the tree, signatures (sections 3, 5, 7).
//! 2. [`note`]: the log's key and the signed checkpoint (section 7).
//! 3. [`record`]: the leaf of a record, its signed command, and how each leaf continues the one before (sections 1 to 4).
//! 4. `parts`: the body and the command that a leaf commits to, and what was redacted (sections 2 to 4).
//! 5. `rotation`, `signed`: who replaced the log's key, and what the log signed about itself (sections 3 to 7).
//! 6. `frame`: where records stand in a file (section 6).
//! 7. [`tiles`], `entries`: the files of a site, and the leaves in them (section 7).
//! 8. [`segments`], [`site`], [`proof`], [`bundle`]: what can be handed to an auditor (sections 6, 7 and 9).
//!
//! What it cannot say: whether the rules of the policy were followed (`hefu audit replay` decides every command again),
//! and whether somebody else was shown another history (witnesses and saved checkpoints tell).

pub mod bundle;
mod entries;
mod frame;
pub mod hash;
pub mod note;
mod parts;
pub mod proof;
pub mod record;
mod rotation;
pub mod segments;
mod signed;
pub mod site;
pub mod tiles;

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use note::LogKey;

/// What everything comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is there and fits. Exit code 0.
    #[default]
    Proven,
    /// Something is absent; nothing is proven bad. Exit code 1.
    NotProven,
    /// Something is there and wrong. Exit code 2.
    ProvenBad,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The record, if it can be told.
    pub position: Option<u64>,
    /// The file.
    pub file: String,
    /// Where in the file.
    pub offset: Option<u64>,
    /// [`Verdict::NotProven`] for something absent, [`Verdict::ProvenBad`] for something wrong.
    pub weight: Verdict,
    /// What is wrong.
    pub reason: String,
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The worst of all findings.
    pub verdict: Verdict,
    /// The ledger.
    pub origin: Option<String>,
    /// How many records the ledger has, as far as this file or directory tells.
    pub size: u64,
    /// How many records were hashed.
    pub records: u64,
    /// How many signatures of commands were checked.
    pub signatures: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What the reader should know besides.
    pub notes: Vec<String>,
}

/// Where something is: a file, and as much more as is known.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a str,
    /// The record.
    pub position: Option<u64>,
    /// Where in the file.
    pub offset: Option<u64>,
}

impl<'a> Place<'a> {
    /// A file as a whole.
    pub fn file(file: &'a str) -> Self {
        Self { file, position: None, offset: None }
    }

    /// A record in a file.
    pub fn record(file: &'a str, position: u64) -> Self {
        Self { file, position: Some(position), offset: None }
    }

    /// The same, at this offset of the file.
    pub fn at(self, offset: usize) -> Self {
        Self { offset: Some(offset as u64), ..self }
    }
}

impl Report {
    /// Notes that something is there and wrong.
    pub fn bad(&mut self, place: Place<'_>, reason: impl Into<String>) {
        self.find(Verdict::ProvenBad, place, reason.into());
    }

    /// Notes that something is not there.
    pub fn absent(&mut self, place: Place<'_>, reason: impl Into<String>) {
        self.find(Verdict::NotProven, place, reason.into());
    }

    /// Takes over what was found elsewhere.
    fn take(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            self.verdict = self.verdict.max(finding.weight);
            self.findings.push(finding);
        }
    }

    fn find(&mut self, weight: Verdict, place: Place<'_>, reason: String) {
        self.verdict = self.verdict.max(weight);
        let Place { file, position, offset } = place;
        self.findings.push(Finding { position, file: file.to_owned(), offset, weight, reason });
    }
}

/// Judges what lies at `path`: a ledger's directory, an exported site, a proof file, or an evidence bundle.
///
/// Without a key a ledger's directory is checked against the key that its own record 0 names, a bundle against the one
/// in its first line, and the report says so; a site and a proof are then not proven. Fails when files cannot be read or are none of these.
pub fn verify(path: &Path, key: Option<&LogKey>) -> io::Result<Report> {
    let mut report = Report::default();
    if path.join("segments").is_dir() {
        segments::verify(path, key, &mut report)?;
    } else if path.join("checkpoint").is_file() {
        site::verify(path, key, &mut report)?;
    } else {
        let bytes = fs::read(path)?;
        if bytes.starts_with(b"{") {
            bundle::verify(&bytes, key, &mut report);
        } else if bytes.starts_with(proof::MAGIC) {
            proof::verify(&bytes, key, &mut report);
        } else {
            let what =
                "neither a ledger's directory with segments, nor a site, nor a proof file, nor a bundle";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
    }
    report.findings.sort_by(|a, b| (a.position, &a.file, a.offset).cmp(&(b.position, &b.file, b.offset)));
    Ok(report)
}
