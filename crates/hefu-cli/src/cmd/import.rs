//! `hefu import`: a table that a region keeps anyway, as signed commands.
//!
//! Nothing is imported unless every row is right, or the caller says to skip the wrong ones. All of them are listed.

mod known;

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use clap::{Subcommand, ValueEnum};
use hefu_domain::{region::RegionCode, state::State};
use hefu_engine::{Draft, Mode, system_clock};
use hefu_exchange::{
    FileError,
    import::{self, Imported, Options, quantity::MoneyUnit},
};
use serde_json::Value;

use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Column, Format, Json, Page, Table, plain},
    writing::{Answered, Writing},
};

/// `hefu import`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Values of indicators: project or code, indicator, period, value, unit
    Observations(Observations),
    /// Tax receipts and refunds: project or code, date, tax, amount, unit, refunded day, voucher
    Taxes(Projects),
    /// Projects: name, enterprise, industry, planned investment, code, date
    Projects(Projects),
    /// Enterprises: unified social credit code, name, region
    Enterprises(Input),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// The table, CSV or XLSX
    pub(crate) file: PathBuf,
    /// Sheet of a workbook; by default the only one with the columns
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,
    /// The office whose key signs, such as 330108 or 330108/statistics
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) signer: String,
    /// Import the rows that are right and list the others
    #[arg(long)]
    pub(crate) skip_bad: bool,
    /// Decide, but record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Observations {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Values are year-to-date (累计)
    #[arg(long)]
    pub(crate) cumulative: bool,
    /// Unit of amounts where the table names none
    #[arg(long, value_name = "UNIT", default_value = "yuan")]
    pub(crate) unit: Money,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Projects {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Unit of amounts where the table names none
    #[arg(long, value_name = "UNIT", default_value = "yuan")]
    pub(crate) unit: Money,
}

/// How the table is to be read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    read: Reader,
    unit: Money,
    cumulative: bool,
}

/// A unit of money.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Money {
    #[value(alias = "元")]
    Yuan,
    #[value(alias = "万元")]
    TenThousand,
    #[value(alias = "亿元")]
    HundredMillion,
}

/// What became of the rows.
#[derive(Default)]
struct Outcome {
    rows: usize,
    imported: u64,
    repeated: u64,
    /// Hidden rows that were read.
    hidden: Vec<u64>,
    /// Rows left out because they are on record exactly as written.
    known: Vec<u64>,
    bad: Vec<FileError>,
    refused: Vec<(u64, CliError)>,
    positions: Option<(u64, u64)>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    let (reading, input) = match args.what {
        What::Observations(Observations { input, cumulative, unit }) => {
            (Reading { read: import::observations, unit, cumulative }, input)
        }
        What::Taxes(Projects { input, unit }) => {
            (Reading { read: import::taxes, unit, cumulative: false }, input)
        }
        What::Projects(Projects { input, unit }) => {
            (Reading { read: import::projects, unit, cumulative: false }, input)
        }
        What::Enterprises(input) => {
            (Reading { read: import::enterprises, unit: Money::Yuan, cumulative: false }, input)
        }
    };
    let bytes = read_file(&input.file)?;
    let ledger = Writing::open(context)?;
    let outcome = rows(&ledger, &input, &bytes, reading);
    // Closing comes first: the ledger is left clean whatever the table held.
    let closed = ledger.close();
    let outcome = outcome?;
    closed?;
    told(context, &input, outcome)
}

type Reader = fn(&[u8], &Options<'_>) -> std::result::Result<Imported, FileError>;

fn rows(ledger: &Writing<'_>, input: &Input, bytes: &[u8], reading: Reading) -> Result<Outcome> {
    let name = input.file.display().to_string();
    let (mut signer, keys) = ledger.signer()?;
    let region = keys.load(&input.signer)?.file.region;
    let located = |(row, error): (u64, CliError)| (row, error.at("file", name.clone()).at("row", row));
    let mut outcome = Outcome::default();
    let mut commands = Vec::new();
    let mut numbers = Vec::new();
    ledger.known(true, |state| {
        let Imported { drafts, errors, hidden } =
            understood(state, (&name, input.sheet.as_deref()), region, bytes, reading)?;
        (outcome.rows, outcome.bad, outcome.hidden) = (drafts.len(), errors, hidden);
        let bad_rows: BTreeSet<_> = outcome.bad.iter().filter_map(|error| error.row).collect();
        outcome.rows += bad_rows.len();
        let known::Sorted { new: drafts, known, differing } = known::sorted(state, drafts);
        outcome.repeated = known.len() as u64;
        outcome.known = known;
        outcome.refused.extend(differing.into_iter().map(located));
        let wrong = !outcome.bad.is_empty() || !outcome.refused.is_empty();
        if wrong && !input.skip_bad {
            return Ok(());
        }
        for (row, command) in drafts {
            let draft = Draft { command, id: None, signer: input.signer.clone() };
            commands.push(signer.sign(draft, state, system_clock())?.into_bytes());
            numbers.push(row);
        }
        Ok(())
    })?;
    if commands.is_empty() {
        return Ok(outcome);
    }
    let mode = match (input.dry_run, input.skip_bad) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Each,
        (false, false) => Mode::Atomic,
    };
    for (row, answer) in numbers.into_iter().zip(ledger.submit(commands, mode).wait()?) {
        match answer {
            Answered::Accepted(one) if one.repeated => outcome.repeated += 1,
            Answered::Accepted(one) => {
                outcome.imported += 1;
                let last = one.position + u64::from(one.records.max(1)) - 1;
                outcome.positions = Some((outcome.positions.map_or(one.position, |(first, _)| first), last));
            }
            Answered::Skipped => {}
            Answered::Refused(why, _) => {
                outcome.refused.push(located((row, CliError::refused(why))));
            }
        }
    }
    if mode == Mode::Atomic && !outcome.refused.is_empty() {
        (outcome.imported, outcome.positions) = (0, None);
    }
    Ok(outcome)
}

/// The table as commands, with the ledger's own names at hand.
fn understood(
    state: &State,
    (name, sheet): (&str, Option<&str>),
    region: Option<RegionCode>,
    bytes: &[u8],
    reading: Reading,
) -> Result<Imported> {
    let mut names: HashMap<&str, Option<RegionCode>> = HashMap::new();
    for region in state.regions.iter().filter(|region| region.ended.is_none()) {
        // A name that two regions bear is nobody's.
        let code = region.code();
        names.entry(&region.now().name_zh).and_modify(|known| *known = None).or_insert(Some(code));
    }
    let options = Options {
        find_project: &|code| state.project_codes.get(code).copied(),
        find_region: &|name| names.get(name).copied().flatten(),
        landings: &|id| {
            let stays = state.projects.get(&id).map_or(&[][..], |project| &project.stays);
            stays.iter().skip(1).map(|stay| stay.from).collect()
        },
        new_project: Some(&|| hefu_domain::id::ProjectId(uuid::Uuid::now_v7())),
        region,
        sheet,
        taxes: &state.policy.tax_rates,
        unit: match reading.unit {
            Money::Yuan => MoneyUnit::Yuan,
            Money::TenThousand => MoneyUnit::TenThousand,
            Money::HundredMillion => MoneyUnit::HundredMillion,
        },
        cumulative: reading.cumulative,
        ..Options::new(name, &state.policy.indicators)
    };
    Ok((reading.read)(bytes, &options)?)
}

/// The first of some rows.
pub(crate) fn few(rows: &[u64]) -> String {
    let first: Vec<String> = rows.iter().take(10).map(ToString::to_string).collect();
    first.join(", ") + if rows.len() > 10 { ", …" } else { "" }
}

fn told(context: &Context, input: &Input, outcome: Outcome) -> Result<u8> {
    let Outcome { rows, imported, repeated, hidden, known, bad, refused, positions } = outcome;
    let bad = bad.into_iter().map(|error| (error.row.unwrap_or_default(), CliError::from(error)));
    let mut errors: Vec<(u64, CliError)> = bad.chain(refused).collect();
    // In the order of the file; the first one decides the exit code.
    errors.sort_by_key(|(row, _)| *row);
    let wrong = errors.iter().map(|(row, _)| row).collect::<BTreeSet<_>>().len();
    let errors: Vec<CliError> = errors.into_iter().map(|(_, error)| error).collect();
    let code = errors.first().map_or(exit::DONE, CliError::exit);
    let mut table = Table::new(vec![
        Column::number("rows", "行数", "rows"),
        Column::number("imported", "入账", "imported"),
        Column::number("repeated", "已在账", "already recorded"),
        Column::number("wrong", "有误", "wrong"),
        Column::number("first_position", "首位置", "first position"),
        Column::number("last_position", "末位置", "last position"),
    ]);
    let positions = positions.filter(|_| !input.dry_run);
    table.rows.push(vec![
        plain(rows),
        plain(imported),
        plain(repeated),
        plain(wrong),
        plain(positions.map(|(first, _)| first)),
        plain(positions.map(|(_, last)| last)),
    ]);
    crate::report_some(context, &errors);
    let mut json = table.objects().into_iter().next().unwrap_or(Json::List(Vec::new()));
    if let Json::Object(pairs) = &mut json {
        let listed: Vec<Value> = errors.iter().map(|error| error.to_json(context.lang)).collect();
        pairs.push(("known_rows", known.clone().into()));
        pairs.push(("hidden_rows", hidden.clone().into()));
        pairs.push(("dry_run", input.dry_run.into()));
        pairs.push(("errors", Json::List(listed.into_iter().map(Json::Value).collect())));
    }
    let mut notes = Vec::new();
    if !hidden.is_empty() {
        let (count, rows) = (hidden.len(), few(&hidden));
        notes.push(text(
            format!("{count} 行在表中被隐藏,照常读取(第 {rows} 行)"),
            format!("{count} rows are hidden in the workbook and were read like the others (row {rows})"),
        ));
    }
    if !known.is_empty() {
        let (count, rows) = (known.len(), few(&known));
        notes.push(text(
            format!("{count} 行与账上记录完全相同,未再入账(第 {rows} 行)"),
            format!("{count} rows are on record exactly as written and were left out (row {rows})"),
        ));
    }
    if matches!(context.format, Format::Jsonl | Format::Csv) {
        // Lines have no place for notes.
        for note in &notes {
            context.say(note);
        }
    }
    if !errors.is_empty() && !input.skip_bad {
        notes.push(text(
            "有误的行须先更正,未导入任何行;--skip-bad 只导入正确的行",
            "nothing was imported: correct the rows above, or import only the others with --skip-bad",
        ));
    } else if input.dry_run {
        notes.push(text("仅试算,未入账", "only tried; nothing was recorded"));
    }
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(code)
}
