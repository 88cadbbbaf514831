//! The files of a site, over HTTP.

use std::io;

use hefu_chain::source::Source;

use crate::http::Http;

/// No file of a site is longer: 256 entries of 65,535 bytes, each with its length.
const MAX_FILE: u64 = 256 * (65_535 + 2);

/// A site at an address.
#[derive(Debug, Clone)]
pub struct Site {
    http: Http,
    base: String,
}

impl Site {
    /// The site whose files begin with this address, `https://…` or `http://…`.
    ///
    /// Nothing if it begins otherwise.
    pub fn new(http: Http, url: &str) -> Option<Site> {
        let known = url.starts_with("https://") || url.starts_with("http://");
        known.then(|| Site { http, base: url.trim_end_matches('/').to_owned() })
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.base
    }
}

impl Source for Site {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let url = format!("{}/{path}", self.base);
        let answer = self.http.get(&url, MAX_FILE).map_err(io::Error::other)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 | 410 => Ok(None),
            // What is not for everybody is not there for somebody who does not say who asks.
            401 if !self.http.has_token() => Ok(None),
            300..=399 => Err(io::Error::other(format!("{url}: a redirect, which is not followed"))),
            _ => Err(io::Error::other(format!("{url}: {}", answer.says()))),
        }
    }
}
