//! `hefu region`: what regions were and are called, where they lay and lie, and what ended in what.

use clap::Subcommand;
use hefu_domain::{region::RegionCode, time::Date};
use serde_json::{Value, json};

use crate::{
    context::Context,
    error::Result,
    find,
    lang::text,
    render::{self, Column, Page, Table, plain, shown},
    write::{self, Signing},
};

/// `hefu region`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Names, codes and superiors of a region, each from its day on
    Show(Show),
    /// Give a region another name; no figure changes
    Rename(Rename),
    /// Give a region another code; no figure changes
    Recode(Recode),
    /// End a county in another, which takes its place
    Merge(Merge),
    /// Let a part of a county go to another, with projects
    Split(Split),
    /// Put a region under another superior
    Reparent(Reparent),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The region: code or name
    pub(crate) region: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rename {
    /// The region: code or name
    pub(crate) region: String,
    /// Effective date
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// Chinese name
    #[arg(long, value_name = "TEXT")]
    pub(crate) name_zh: String,
    /// English name
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) name_en: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Recode {
    /// The region: code or name
    pub(crate) region: String,
    /// Effective date
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// The new code
    #[arg(long, value_name = "CODE")]
    pub(crate) code: RegionCode,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The county that ends: code or name
    pub(crate) region: String,
    /// The county that goes on
    #[arg(long, value_name = "REGION")]
    pub(crate) into: String,
    #[command(flatten)]
    pub(crate) decision: Decision,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Split {
    /// The county that is split and goes on: code or name
    pub(crate) region: String,
    /// The county that the part goes to
    #[arg(long, value_name = "REGION")]
    pub(crate) into: String,
    /// A project that goes with it: located there, or once moved away from there; may be repeated
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Vec<String>,
    #[command(flatten)]
    pub(crate) decision: Decision,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Reparent {
    /// The region: code or name
    pub(crate) region: String,
    /// The new superior
    #[arg(long, value_name = "REGION")]
    pub(crate) under: String,
    #[command(flatten)]
    pub(crate) decision: Decision,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

/// What a change rests on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Decision {
    /// Effective date
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Date,
    /// The decision it rests on, such as 国函〔2021〕29号
    #[arg(long, value_name = "TEXT")]
    pub(crate) document: String,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Show(args) => show(context, &args),
        What::Rename(Rename { region, date, name_zh, name_en, signing }) => {
            write::one(context, &signing, |state| {
                let fields = [
                    ("region", Some(code(state, &region)?)),
                    ("date", Some(date.to_string().into())),
                    ("name_zh", Some(name_zh.into())),
                    ("name_en", Some(name_en.into())),
                ];
                Ok(write::fields("rename_region", fields))
            })
        }
        What::Recode(Recode { region, date, code: new, signing }) => write::one(context, &signing, |state| {
            let fields = [
                ("region", Some(code(state, &region)?)),
                ("date", Some(date.to_string().into())),
                ("code", Some(new.to_string().into())),
            ];
            Ok(write::fields("recode_region", fields))
        }),
        What::Merge(Merge { region, into, decision, signing }) => write::one(context, &signing, |state| {
            let fields = [("region", Some(code(state, &region)?)), ("into", Some(code(state, &into)?))];
            Ok(write::fields("merge_region", fields.into_iter().chain(decision.fields())))
        }),
        What::Split(Split { region, into, project, decision, signing }) => {
            write::one(context, &signing, |state| {
                let found = project.iter().map(|name| find::project(state, name));
                let projects = found.map(|known| known.map(|(id, _)| id.to_string()));
                let fields = [
                    ("region", Some(code(state, &region)?)),
                    ("into", Some(code(state, &into)?)),
                    ("projects", Some(json!(projects.collect::<Result<Vec<_>>>()?))),
                ];
                Ok(write::fields("split_region", fields.into_iter().chain(decision.fields())))
            })
        }
        What::Reparent(Reparent { region, under, decision, signing }) => {
            write::one(context, &signing, |state| {
                let fields =
                    [("region", Some(code(state, &region)?)), ("parent", Some(code(state, &under)?))];
                Ok(write::fields("reparent_region", fields.into_iter().chain(decision.fields())))
            })
        }
    }
}

impl Decision {
    fn fields(self) -> [(&'static str, Option<Value>); 2] {
        [("date", Some(self.date.to_string().into())), ("document", Some(self.document.into()))]
    }
}

fn code(state: &hefu_domain::state::State, name: &str) -> Result<Value> {
    Ok(find::region(state, name)?.code().to_string().into())
}

fn show(context: &Context, args: &Show) -> Result<u8> {
    let reader = context.reader()?;
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?;
    let lang = context.lang;
    let named = |id| {
        let known = state.regions.get(id);
        shown(format!("{} {}", known.code(), lang.region(known)), known.code().to_string())
    };
    let day = |from: Option<Date>| match from {
        Some(day) => plain(day.to_string()),
        None => shown("–", Value::Null),
    };
    let mut table = Table::new(vec![
        Column::text("from", "自", "from"),
        Column::text("what", "事项", "what"),
        Column::text("is", "内容", "is"),
    ])
    .titled(text(
        format!("{} {}", region.code(), region.now().name_zh),
        format!("{} {}", region.code(), lang.region(region)),
    ));
    for known in &region.designations {
        let is = plain(format!("{} {}", known.code, known.name_zh));
        table.rows.push(vec![
            day(known.from),
            shown(lang.pick("名称和代码", "name and code"), "designation"),
            is,
        ]);
    }
    // The last superior of a region that ended is what it ended in.
    let superiors = region.superiors.len() - usize::from(region.ended.is_some());
    for known in &region.superiors[..superiors] {
        let what = shown(lang.pick("上级", "superior"), "superior");
        table.rows.push(vec![day(known.from), what, named(known.region)]);
    }
    if let Some(ended) = region.ended {
        let what = shown(lang.pick("撤并入", "ended in"), "ended_in");
        table.rows.push(vec![plain(ended.date.to_string()), what, named(ended.into)]);
    }
    let pairs =
        vec![("region", region.code().to_string().into()), ("lineage", render::Json::List(table.objects()))];
    let page = Page { tables: vec![table], data: None, notes: Vec::new(), json: render::Json::Object(pairs) };
    render::print(context, &page)?;
    Ok(0)
}
