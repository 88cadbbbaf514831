//! `hefu project split|merge`: projects that come of others.

use hefu_domain::{amount::Decimal, time::Date};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    context::Context,
    error::{CliError, Result},
    find,
    lang::text,
    write::{self, Signing},
};

/// Parts per million in one per cent.
const PER_CENT: u8 = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Split {
    /// UUID or government code of the project
    pub(crate) project: String,
    /// First day of the new projects
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// A new project: its name and its part, as 一期=60% (at most four decimals); once for each
    #[arg(long = "into", value_name = "NAME=PART", required = true)]
    pub(crate) into: Vec<Part>,
    /// Identity of each new project, a UUID; by default new ones
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Vec<Uuid>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// UUIDs or government codes of the projects
    #[arg(required = true, num_args = 2..)]
    pub(crate) projects: Vec<String>,
    /// Name of the new project
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: String,
    /// First day of the new project
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// Government code of the new project
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Identity of the new project, a UUID; by default a new one
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<Uuid>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// A new project's name and part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: String,
    ppm: u32,
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(written: &str) -> std::result::Result<Part, String> {
        let read = || {
            let (name, part) = written.rsplit_once('=')?;
            let per_cent: Decimal = part.trim().strip_suffix(['%', '%'])?.trim().parse().ok()?;
            let ppm = u32::try_from(per_cent.minor(PER_CENT).ok()?).ok()?;
            Some(Part { name: name.trim().to_owned(), ppm })
        };
        read().ok_or_else(|| format!("`{written}` is not a name and a part, such as 一期=60%"))
    }
}

pub(super) fn split(context: &Context, args: Split) -> Result<u8> {
    if !args.id.is_empty() && args.id.len() != args.into.len() {
        let message = text("--id 与 --into 的个数不同", "--id and --into are not given equally often");
        return Err(CliError::usage(message).at("field", "id"));
    }
    let ids: Vec<String> = (0..args.into.len())
        .map(|place| args.id.get(place).copied().unwrap_or_else(Uuid::now_v7).to_string())
        .collect();
    let parts = args.into.iter().zip(&ids);
    let into: Vec<Value> =
        parts.map(|(part, id)| json!({"name": part.name, "ppm": part.ppm, "project": id})).collect();
    let accepted = write::recorded(context, &args.signing, |state| {
        let (project, _) = find::project(state, &args.project)?;
        let fields = [
            ("project", Some(project.to_string().into())),
            ("date", Some(args.date.to_string().into())),
            ("into", Some(into.into())),
            ("reason", Some(args.reason.into())),
        ];
        Ok(write::fields("split_project", fields))
    })?;
    let said = args.into.iter().zip(&ids);
    let said = said.map(|(part, id)| text(format!("{}:{id}", part.name), format!("{}: {id}", part.name)));
    write::told(context, &accepted, args.signing.dry_run, vec![("into", json!(ids))], said.collect())
}

pub(super) fn merge(context: &Context, args: &Merge) -> Result<u8> {
    let id = args.id.unwrap_or_else(Uuid::now_v7).to_string();
    let accepted = write::recorded(context, &args.signing, |state| {
        let found = args.projects.iter().map(|name| find::project(state, name));
        let from = found.map(|known| known.map(|(id, _)| id.to_string())).collect::<Result<Vec<_>>>()?;
        let fields = [
            ("project", Some(id.clone().into())),
            ("from", Some(json!(from))),
            ("date", Some(args.date.to_string().into())),
            ("name", Some(args.name.clone().into())),
            ("codes", Some(json!(args.code))),
            ("reason", Some(args.reason.clone().into())),
        ];
        Ok(write::fields("merge_projects", fields))
    })?;
    let said = text(format!("{}:{id}", args.name), format!("{}: {id}", args.name));
    write::told(context, &accepted, args.signing.dry_run, vec![("project", json!(id))], vec![said])
}
