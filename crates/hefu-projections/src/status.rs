//! How far a figure can be relied on, as one letter of SDMX's `OBS_STATUS`.

use hefu_domain::time::Date;

use crate::{Views, contested::Outcomes, counting::Row};

/// Status of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `M`: nothing was reported that could be shown.
    Missing,
    /// `V`: a contested claim or observation can still move it.
    Contested,
    /// `P`: the period is not over.
    Provisional,
    /// `A`: none of these.
    Normal,
}

impl Status {
    /// Of a row with what it may become. The first that fits, in the order above; a period is over once the views know
    /// of a day after its last.
    pub fn of(views: &Views, row: &Row, outcomes: Option<&Outcomes>) -> Status {
        Status::on(views.ts.date(), row, outcomes)
    }

    /// The same, on the last day that is known of.
    pub(crate) fn on(day: Date, row: &Row, outcomes: Option<&Outcomes>) -> Status {
        match outcomes {
            _ if row.missing => Status::Missing,
            Some(_) => Status::Contested,
            None if row.period.end() >= day => Status::Provisional,
            None => Status::Normal,
        }
    }

    /// Its letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Status::Missing => "M",
            Status::Contested => "V",
            Status::Provisional => "P",
            Status::Normal => "A",
        }
    }
}
