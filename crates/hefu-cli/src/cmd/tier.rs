//! `hefu tier`: a tier that offers no place, or that a superior lets a project skip.

use clap::{Subcommand, ValueEnum};
use hefu_domain::{id::Evidence, tier::Tier};
use serde_json::{Value, json};

use crate::{
    context::Context,
    error::Result,
    find,
    write::{self, Signing},
};

/// `hefu tier`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Declare that a tier offers no place; by the office that holds the project
    Exhaust(Exhaust),
    /// Let a project skip a tier; by the superior
    Waive(Waive),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Exhaust {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// The tier
    pub(crate) tier: TierName,
    /// Why
    #[arg(long)]
    pub(crate) reason: Reason,
    /// Digest of an evidence file, sha256:<64 hex digits>
    #[arg(long, value_name = "DIGEST")]
    pub(crate) evidence: Vec<Evidence>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Waive {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// The tier
    pub(crate) tier: TierName,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// A tier by its name in commands.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum TierName {
    OriginalSite,
    Local,
    Neighbouring,
    Wider,
}

impl TierName {
    /// The tier.
    pub(crate) fn tier(self) -> Tier {
        match self {
            TierName::OriginalSite => Tier::OriginalSite,
            TierName::Local => Tier::Local,
            TierName::Neighbouring => Tier::Neighbouring,
            TierName::Wider => Tier::Wider,
        }
    }
}

/// A reason code.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Reason {
    Land,
    Energy,
    Environment,
    IndustryPosition,
    NoTaker,
    EnterpriseChoice,
}

impl Reason {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Exhaust(Exhaust { project, tier, reason, evidence, signing }) => {
            write::one(context, &signing, |state| {
                let (project, _) = find::project(state, &project)?;
                let evidence: Vec<String> = evidence.iter().map(ToString::to_string).collect();
                let evidence = (!evidence.is_empty()).then(|| json!(evidence));
                Ok(fields("exhaust_tier", project.to_string(), tier, reason.name(), evidence))
            })
        }
        What::Waive(Waive { project, tier, reason, signing }) => write::one(context, &signing, |state| {
            let (project, _) = find::project(state, &project)?;
            Ok(fields("waive_tier", project.to_string(), tier, reason, None))
        }),
    }
}

fn fields(
    kind: &str,
    project: String,
    tier: TierName,
    reason: String,
    evidence: Option<Value>,
) -> write::Fields {
    let tier = tier.tier().name();
    write::fields(
        kind,
        [
            ("project", Some(project.into())),
            ("tier", Some(tier.into())),
            ("reason", Some(reason.into())),
            ("evidence", evidence),
        ],
    )
}
