//! `hefu reconcile`: a region's own book beside what the ledger counts for it.
//!
//! The ledger is only looked at. What the last run found is kept beside it, so that a break is new, persists or is
//! resolved. Nothing is matched unless every cell is right, or the caller says to skip the wrong rows.

mod challenge;
mod exhibit;
mod keep;
mod ledger;
mod page;
mod sheets;
mod subject;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
};

use clap::ValueEnum;
use hefu_domain::{
    amount::Decimal,
    dispute::DisputeId,
    id::ProjectId,
    indicator::{Indicator, IndicatorCode},
    period::Period,
    region::RegionId,
    settlement::LineId,
    state::State,
};
use hefu_engine::{Reader, system_clock};
use hefu_exchange::{
    book::{self, Book, Named},
    import::quantity::MoneyUnit,
    matching::{
        self, Break, Group, LedgerLine, NamedBy, Tolerance,
        memory::{Memory, Run},
    },
};

pub(crate) use challenge::Challenge;
pub(crate) use keep::{write_whole, write_whole_with};

use super::import::Money;
use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    find::{self, AsOf},
    lang::text,
};

/// `hefu reconcile`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The book: .xlsx or CSV
    pub(crate) book: PathBuf,
    /// The region whose book it is: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: String,
    /// Only this period; by default from the book's first to its last
    #[arg(long, value_name = "PERIOD")]
    pub(crate) period: Option<Period>,
    /// Only this indicator; may be repeated; by default those the book names
    #[arg(long, value_name = "INDICATOR")]
    pub(crate) indicator: Vec<String>,
    /// The basis the book is kept on
    #[arg(long, value_name = "BASIS", default_value = "shared")]
    pub(crate) basis: BookBasis,
    /// The sheet of a workbook
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,
    /// Unit of amounts where the book names none
    #[arg(long, value_name = "UNIT", default_value = "yuan")]
    pub(crate) unit: Money,
    /// How far apart two amounts may be: yuan, persons
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub(crate) tolerance: Decimal,
    /// The same in percent of the ledger's amount; the larger of the two holds
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    pub(crate) tolerance_percent: Decimal,
    /// Match the rows that are right and list the others
    #[arg(long)]
    pub(crate) skip_bad: bool,
    /// As known at a position, a date or an instant; such a run is not remembered
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
    /// Write a workbook: bridge, matched, breaks, errors
    #[arg(long, value_name = "FILE.xlsx")]
    pub(crate) out: Option<PathBuf>,
    /// Where the last run is remembered; by default beside the ledger
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: Option<PathBuf>,
    /// Neither look at the last run nor remember this one
    #[arg(long, conflicts_with = "memory")]
    pub(crate) no_memory: bool,
    #[command(flatten)]
    pub(crate) challenge: Challenge,
}

/// What a book records. A region's own figure is the shared one; `settlement` is what its statements say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum BookBasis {
    Shared,
    Territorial,
    AsOrigin,
    AsDestination,
    Settlement,
}

impl BookBasis {
    pub(super) const fn name(self) -> &'static str {
        match self {
            BookBasis::Shared => "shared",
            BookBasis::Territorial => "territorial",
            BookBasis::AsOrigin => "as_origin",
            BookBasis::AsDestination => "as_destination",
            BookBasis::Settlement => "settlement",
        }
    }
}

/// Everything that was found.
struct Found<'a> {
    context: &'a Context,
    args: &'a Args,
    reader: &'a Reader,
    position: u64,
    region: RegionId,
    digest: String,
    book: Book,
    /// Good lines outside the scope, left out of every total.
    outside: usize,
    scope: ledger::Scope,
    /// What a book of this basis may name.
    catalogue: Vec<Indicator>,
    ledger: Vec<LedgerLine>,
    /// For settlement: the statement's line behind each of the ledger's.
    statement: Vec<LineId>,
    /// Projects of which the region counts anything at all.
    parties: BTreeSet<ProjectId>,
    groups: Vec<Group>,
    breaks: Vec<Break>,
    /// Its open disputes.
    disputes: Vec<DisputeId>,
    /// With the state of every break; empty where nothing is remembered.
    memory: Option<Memory>,
    /// This very run was the last one.
    repeated: bool,
}

impl Found<'_> {
    fn state(&self) -> &State {
        &self.reader.views.state
    }
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let bytes = read_file(&args.book)?;
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?.id;
    let settlement = args.basis == BookBasis::Settlement;
    if settlement && !args.indicator.is_empty() {
        let message = text("结算账册没有指标", "a settlement book has no indicators");
        return Err(CliError::usage(message).at("field", "indicator"));
    }
    let catalogue = if settlement { vec![ledger::tax_share()] } else { state.indicators.clone() };
    let named = args
        .indicator
        .iter()
        .map(|name| find::indicator(state, name).map(|id| state.indicators[usize::from(id.0)].code));
    let mut asked: Vec<IndicatorCode> = named.collect::<Result<_>>()?;
    asked.extend(catalogue.iter().filter(|_| settlement).map(|only| only.code));
    let mut book = understood(state, args, (&catalogue, &asked), &bytes)?;
    let all = book.lines.len();
    book.lines.retain(|line| {
        let period = args.period.is_none_or(|period| period.contains(line.period));
        period && (asked.is_empty() || asked.contains(&line.indicator))
    });
    let outside = all - book.lines.len();
    let scope = ledger::Scope::of(&book.lines, &asked, args.period);
    let digest = book::digest(&bytes);
    let mut found = Found {
        context,
        args,
        reader: &reader,
        position,
        region,
        digest,
        book,
        outside,
        scope,
        catalogue,
        ledger: Vec::new(),
        statement: Vec::new(),
        parties: BTreeSet::new(),
        groups: Vec::new(),
        breaks: Vec::new(),
        disputes: Vec::new(),
        memory: None,
        repeated: false,
    };
    if found.book.lines.is_empty() || (!found.book.errors.is_empty() && !args.skip_bad) {
        return unmatched(&found);
    }
    if settlement {
        (found.ledger, found.statement, found.parties) = ledger::statement(state, region, &found.scope);
    } else {
        (found.ledger, found.parties) =
            ledger::lines(&reader.views, region, args.basis, &found.scope, &found.book.lines);
    }
    ledger::refuse_foreign(&found)?;
    let tolerance = tolerance(args, &found.catalogue)?;
    found.groups = matching::match_lines(&found.book.lines, &found.ledger, &found.catalogue, &tolerance);
    let code = state.code(region).to_string();
    found.disputes = challenge::own(&found)?;
    found.breaks = matching::breaks(&code, args.basis.name(), &found.groups);
    let path = keep::path(&found, &code);
    if let Some(path) = &path {
        remember(&mut found, path, &code)?;
    }
    if let Some(out) = &args.out {
        keep::write_whole(out, &sheets::workbook(&found)?)?;
    }
    if let (Some(path), Some(memory), false) = (&path, &found.memory, found.repeated) {
        keep::save(path, memory)?;
    }
    if let Some(id) = &args.challenge.open {
        return challenge::open(&found, id);
    }
    page::print(&found)?;
    Ok(if !found.book.errors.is_empty() {
        exit::BAD_INPUT
    } else if found.breaks.is_empty() {
        exit::DONE
    } else {
        exit::REFUSED
    })
}

/// Every error, and nothing else: the book was not matched.
fn unmatched(found: &Found<'_>) -> Result<u8> {
    if let Some(out) = &found.args.out {
        keep::write_whole(out, &sheets::workbook(found)?)?;
    }
    page::print(found)?;
    if found.book.errors.is_empty() {
        let message = text("账册中没有该范围的数据行", "the book has no line in this scope");
        let hint = text("检查 --period 和 --indicator", "check --period and --indicator");
        return Err(CliError::new("nothing_in_scope", exit::BAD_INPUT, message).hint(hint));
    }
    Ok(exit::BAD_INPUT)
}

/// The book, read with the ledger's own names at hand.
fn understood(
    state: &State,
    args: &Args,
    (catalogue, asked): (&[Indicator], &[IndicatorCode]),
    bytes: &[u8],
) -> Result<Book> {
    let mut names: HashMap<&str, Option<ProjectId>> = HashMap::new();
    for (id, project) in &state.projects {
        // A name that two projects bear is nobody's.
        names.entry(&project.name).and_modify(|known| *known = None).or_insert(Some(*id));
    }
    let find_project = |text: &str| -> Named {
        if let Ok(id) = text.to_lowercase().parse::<ProjectId>() {
            let known = state.projects.contains_key(&id);
            return if known { Named::One(id, NamedBy::Id) } else { Named::Nothing };
        }
        match (state.project_codes.get(text), names.get(text)) {
            (Some(id), _) => Named::One(*id, NamedBy::Code),
            (None, Some(Some(id))) => Named::One(*id, NamedBy::Name),
            (None, Some(None)) => Named::Several,
            (None, None) => Named::Nothing,
        }
    };
    let name = args.book.display().to_string();
    let options = book::Options {
        file: &name,
        sheet: args.sheet.as_deref(),
        catalogue,
        find_project: &find_project,
        unit: match args.unit {
            Money::Yuan => MoneyUnit::Yuan,
            Money::TenThousand => MoneyUnit::TenThousand,
            Money::HundredMillion => MoneyUnit::HundredMillion,
        },
        indicator: asked.first().copied().filter(|_| asked.len() == 1),
        period: args.period,
    };
    Ok(book::read(bytes, &options)?)
}

/// The limits in every indicator's minor unit.
fn tolerance(args: &Args, catalogue: &[Indicator]) -> Result<Tolerance> {
    let bad = |value: &Decimal, zh: &str, en: &str| {
        CliError::usage(text(format!("容差 `{value}` 无效:{zh}"), format!("`{value}` is no tolerance: {en}")))
    };
    let mut absolute = BTreeMap::new();
    for indicator in catalogue {
        // Half a person is no person.
        let minor = args
            .tolerance
            .minor(indicator.unit.scale())
            .or_else(|_| args.tolerance.minor(6).map(|m| m / 1_000_000));
        let minor = minor.ok().filter(|minor| *minor >= 0);
        let minor =
            minor.ok_or_else(|| bad(&args.tolerance, "须为非负数", "write an amount, not below zero"))?;
        absolute.insert(indicator.code, minor);
    }
    let ppm = args.tolerance_percent.minor(4).ok().and_then(|ppm| u32::try_from(ppm).ok());
    let ppm = ppm.filter(|ppm| *ppm <= 1_000_000);
    let percent = &args.tolerance_percent;
    let relative_ppm =
        ppm.ok_or_else(|| bad(percent, "0 至 100,至多四位小数", "0 to 100, at most four decimals"))?;
    Ok(Tolerance { absolute, relative_ppm })
}

/// Finds the state of every break from what the last run left.
fn remember(found: &mut Found<'_>, path: &std::path::Path, code: &str) -> Result {
    let args = found.args;
    let basis = args.basis.name();
    let origin = found.reader.origin.to_string();
    let mut memory = match keep::load(path)? {
        Some(kept) => {
            Memory::parse(&kept, &origin, code, basis).map_err(|why| keep::bad_memory(path, why))?
        }
        None => Memory::new(&origin, code, basis),
    };
    let options = format!(
        "{} tolerance {} {}% skip_bad {} sheet {:?} unit {:?}",
        found.scope, args.tolerance, args.tolerance_percent, args.skip_bad, args.sheet, args.unit
    );
    let run = Run { book: found.digest.clone(), head: found.reader.head.to_string(), options };
    found.repeated = memory.knows(&run);
    let today = system_clock().date().to_string();
    let breaks =
        found.breaks.iter().map(|one| (one.id.clone(), page::remembered(found, one, &today))).collect();
    let scope = &found.scope;
    memory.advance(run, breaks, |old| scope.speaks_for(old));
    found.memory = Some(memory);
    Ok(())
}
