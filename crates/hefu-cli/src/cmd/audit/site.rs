//! A site by its address: a folder, or a web server.

use std::path::Path;

use hefu_chain::source::Source;
use hefu_client::Site;
use hefu_store::FolderSource;

use crate::{
    error::{CliError, Result, exit},
    lang::{Lang, text},
    remote,
};

/// The site at a web address; nothing if this is none.
pub(super) fn web(place: &str, lang: Lang) -> Result<Option<Site>> {
    Ok(Site::new(remote::http(lang)?, place))
}

/// The site there. Whether it is one shows when it is read.
pub(super) fn open(place: &str, lang: Lang) -> Result<Box<dyn Source>> {
    if let Some(site) = web(place, lang)? {
        return Ok(Box::new(site));
    }
    if Path::new(place).is_dir() {
        return Ok(Box::new(FolderSource::new(place)));
    }
    let message = text(format!("{place} 没有站点"), format!("there is no site at {place}"));
    let hint = text("给出目录,或 http(s):// 地址", "name a folder, or an http(s):// address");
    Err(CliError::new("no_site", exit::IO, message).hint(hint).at("file", place))
}
