//! Breaks by an id that is the same in every run.

use std::collections::BTreeMap;

use hefu_domain::period::Period;
use sha2::{Digest, Sha256};

use super::{Group, Key};

/// A group that somebody has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// `B-` and 16 hex digits of the SHA-256 of what it is about: region, basis, project, indicator, class, periods; and
    /// a number where several are about the same. Amounts and rows are not part of it: a break whose amount changes is
    /// the same break.
    pub id: String,
    /// The group, as an index.
    pub group: usize,
}

/// The breaks among the groups, in their order.
pub fn breaks(region: &str, basis: &str, groups: &[Group]) -> Vec<Break> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut breaks = Vec::new();
    for (index, group) in groups.iter().enumerate().filter(|(_, group)| group.class.is_break()) {
        let about = about(region, basis, group);
        let number = seen.entry(about.clone()).and_modify(|number| *number += 1).or_insert(1);
        let digest = Sha256::digest(format!("hefu-break-v1\n{about}\n{number}"));
        let hex = hex::encode(&digest[..8]);
        breaks.push(Break { id: format!("B-{hex}"), group: index });
    }
    breaks
}

fn about(region: &str, basis: &str, group: &Group) -> String {
    let project = match &group.project {
        Key::Known(id) => id.to_string(),
        Key::Unknown(text) => format!("?{text}"),
    };
    let list = |periods: &[Period]| periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let (class, indicator) = (group.class.name(), group.indicator);
    let (ours, theirs) = (list(&group.book_periods), list(&group.ledger_periods));
    format!("{region}\n{basis}\n{project}\n{indicator}\n{class}\n{ours}\n{theirs}")
}
