//! Which regions a report is drawn on: those of each figure's own time, or today's.

use clap::ValueEnum;
use hefu_engine::Reader;

use crate::{
    error::{CliError, Result},
    lang::{Text, text},
    render::Json,
};

/// The choice: a figure stands where its period's last day puts it, or every figure where today's tree puts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Geography {
    #[default]
    Filed,
    Current,
}

impl Geography {
    /// Fails for a report that has figures as filed only.
    pub(super) fn allowed(self, filed_only: bool) -> Result {
        if self == Geography::Filed || !filed_only {
            return Ok(());
        }
        let message = text(
            "版次、公开表和 SDMX 只按填报时的区划",
            "a vintage, a public table and SDMX have figures as filed only",
        );
        let hint = text("去掉 --geography current", "leave out --geography current");
        Err(CliError::usage(message).hint(hint).at("field", "geography"))
    }

    /// The reader, on these regions.
    pub(super) fn of(self, mut reader: Reader) -> Reader {
        let restated = if self == Geography::Current { reader.views.restated() } else { None };
        if let Some(views) = restated {
            reader.views = views;
        }
        reader
    }

    /// For programs: nothing where figures are as they always were.
    pub(super) fn json(self) -> Option<(&'static str, Json)> {
        (self == Geography::Current).then(|| ("geography", "current".into()))
    }

    /// For people.
    pub(super) fn note(self) -> Option<Text> {
        (self == Geography::Current).then(|| {
            text("按现行区划重列,非当时公布数", "restated onto today's regions; not as it was published")
        })
    }
}
