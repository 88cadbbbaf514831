//! Tile paths: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`, one spelling per tile.

use std::fmt;
use std::str::FromStr;

use super::{BadTile, FULL, Kind, Tile};
use crate::c2sp;

/// Text is not the path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// It is spelled otherwise.
    #[error("a tile path is `tile/<level or entries>/<x000/…/000>[.p/<1 to 255>]`")]
    Shape,
    /// It is spelled well, but no log has such a tile.
    #[error(transparent)]
    Tile(#[from] BadTile),
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        // Groups of three digits; all but the last are marked, so that no file is also a folder.
        let mut unit = 1;
        while self.index / unit >= 1000 {
            unit *= 1000;
        }
        while unit > 1 {
            write!(f, "x{:03}/", self.index / unit % 1000)?;
            unit /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = BadPath;

    fn from_str(path: &str) -> Result<Self, BadPath> {
        let rest = path.strip_prefix("tile/").ok_or(BadPath::Shape)?;
        let (kind, rest) = rest.split_once('/').ok_or(BadPath::Shape)?;
        let kind = if kind == "entries" { Kind::Entries } else { Kind::Hashes(small(kind, 0, 63)?) };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, small(width, 1, 255)?.into()),
            None => (rest, FULL),
        };
        Ok(Self::new(kind, parse_index(index).ok_or(BadPath::Shape)?, width)?)
    }
}

fn small(text: &str, least: u64, most: u64) -> Result<u8, BadPath> {
    let number = c2sp::decimal(text).filter(|number| (least..=most).contains(number));
    number.and_then(|number| u8::try_from(number).ok()).ok_or(BadPath::Shape)
}

fn parse_index(text: &str) -> Option<u64> {
    // A leading group of zeros would be a second spelling.
    if text.starts_with("x000/") {
        return None;
    }
    let (marked, last) = text.rsplit_once('/').map_or((None, text), |(marked, last)| (Some(marked), last));
    let mut index = 0;
    for group in marked.into_iter().flat_map(|marked| marked.split('/')) {
        index = push(index, group.strip_prefix('x')?)?;
    }
    push(index, last)
}

fn push(index: u64, group: &str) -> Option<u64> {
    if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    index.checked_mul(1000)?.checked_add(group.parse().ok()?)
}
