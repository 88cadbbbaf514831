//! Evidence on the command line: `FILE` or `FILE:what it shows`, put into the folder and told to the ledger.

use std::path::{Path, PathBuf};

use hefu_domain::{
    dispute::EvidenceItem,
    id::{Digest, Evidence},
    region::RegionCode,
};
use serde_json::{Value, json};

use crate::{
    context::{Context, not_a_folder},
    error::{CliError, Result, exit},
    lang::text,
};

/// Media types by the end of a file's name.
const TYPES: [(&str, &str); 13] = [
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("ofd", "application/ofd"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
];

/// A file and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exhibit {
    path: PathBuf,
    description: String,
}

impl std::str::FromStr for Exhibit {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Exhibit, Self::Err> {
        // A name with a colon in it is a file if there is one.
        let split = text.split_once(':').filter(|_| !Path::new(text).exists());
        Ok(match split {
            Some((path, description)) => {
                Exhibit { path: PathBuf::from(path), description: description.to_owned() }
            }
            None => Exhibit { path: PathBuf::from(text), description: named(Path::new(text)) },
        })
    }
}

fn named(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Puts the files into the folder and gives the items for the command; nothing if there are none.
pub(super) fn put(context: &Context, exhibits: &[Exhibit], signer: &str) -> Result<Option<Value>> {
    if exhibits.is_empty() {
        return Ok(None);
    }
    let folder = context.evidence()?;
    let holder = holder(context, signer)?;
    let mut items: Vec<Value> = Vec::new();
    for Exhibit { path, description } in exhibits {
        not_a_folder(path)?;
        if !path.exists() {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(CliError::io(("读取", "read"), path, &missing).exiting(exit::BAD_INPUT));
        }
        let put = folder.put(path)?;
        let item = EvidenceItem {
            description: description.clone(),
            holder,
            media_type: media_type(path).to_owned(),
            sha256: Evidence(Digest(put.sha256.0)),
            size: put.size,
        };
        context.say(&text(
            format!("证据 {} 已存入 {}", item.sha256, folder.folder().display()),
            format!("evidence {} is kept in {}", item.sha256, folder.folder().display()),
        ));
        items.push(json!(item));
    }
    Ok(Some(Value::Array(items)))
}

/// The media type of a file, by the end of its name.
pub(crate) fn media_type(path: &Path) -> &'static str {
    let end = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = TYPES.iter().find(|(known, _)| *known == end);
    known.map_or("application/octet-stream", |(_, kind)| kind)
}

/// The region whose key signs keeps the file.
fn holder(context: &Context, signer: &str) -> Result<RegionCode> {
    let key =
        context.signing_keys()?.load(signer).map_err(|error| CliError::from(error).at("field", "as"))?;
    key.file.region.ok_or_else(|| {
        let message = text(
            format!("密钥 `{signer}` 不属于任何地区"),
            format!("the key `{signer}` belongs to no region"),
        );
        CliError::new("no_holder", exit::REFUSED, message).at("field", "as")
    })
}
