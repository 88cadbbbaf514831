//! `hefu audit bundle`: everything behind a project, a figure or a range, in one file that verifies offline.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use hefu_chain::bundle::Asked;
use hefu_domain::period::Period;
use hefu_engine::{Bundled, Positions, Reader, Wanted};
use hefu_projections::explain::explain;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::text,
};

/// `hefu audit bundle`
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("asked").required(true).args(["project", "cell", "range"])))]
pub(crate) struct Args {
    /// Every record of this project: UUID or government code
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// The records that `report explain` names for a figure: 330881/INV_FAI/2023
    #[arg(long, value_name = "REGION/INDICATOR/PERIOD")]
    pub(crate) cell: Option<String>,
    /// Every record from one position up to, and without, another: 10..20
    #[arg(long, value_name = "A..B")]
    pub(crate) range: Option<String>,
    /// Write the bundle to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let wanted = match (&args.project, &args.cell, &args.range) {
        (Some(name), _, _) => project(&context.reader()?, name)?,
        (_, Some(cell), _) => figure(&context.reader()?, cell)?,
        (_, _, Some(range)) => span(range)?,
        (None, None, None) => return Err(CliError::usage(text("未指明证据范围", "nothing was asked for"))),
    };
    let progress = context.progress(None, &text("读取", "reading"));
    let make = |out: &mut dyn Write| -> Result<Bundled> {
        let mut out = BufWriter::new(out);
        let bundled = hefu_engine::bundle(context.dir()?, &wanted, &mut out, &|more| progress.more(more))?;
        out.flush().map_err(|error| unwritten(args.out.as_deref(), &error))?;
        Ok(bundled)
    };
    let bundled = match &args.out {
        None => make(&mut io::stdout().lock())?,
        Some(path) => whole_or_nothing(path, make)?,
    };
    drop(progress);
    let Bundled { checkpoint, asked, more, uncovered } = bundled;
    context.say(&text(
        format!("证据包:{asked} 条记录,另附 {more} 条(登记签署密钥等);{} 条记录的检查点", checkpoint.size),
        format!(
            "bundle: {asked} records, and {more} that register signers' keys or redact; checkpoint of {} records",
            checkpoint.size
        ),
    ));
    if uncovered > 0 {
        context.say(&text(
            format!("有 {uncovered} 条记录晚于检查点,未收入;先运行 `hefu audit checkpoint`"),
            format!("{uncovered} records are newer than the checkpoint and left out; run `hefu audit checkpoint` first"),
        ));
    }
    if let Some(path) = &args.out {
        let next = format!("hefu audit verify {} --key …", path.display());
        context.say(&text(format!("核验:{next}"), format!("to check it: {next}")));
    }
    Ok(exit::DONE)
}

/// Writes beside the place and moves it there when it is whole.
fn whole_or_nothing(path: &Path, make: impl FnOnce(&mut dyn Write) -> Result<Bundled>) -> Result<Bundled> {
    let mut part = path.to_owned().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let failed = |error: io::Error| unwritten(Some(path), &error);
    let mut file = File::create(&part).map_err(failed)?;
    let made = make(&mut file).and_then(|bundled| {
        file.sync_all().and_then(|()| fs::rename(&part, path)).map_err(failed)?;
        Ok(bundled)
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made
}

fn unwritten(path: Option<&Path>, error: &io::Error) -> CliError {
    CliError::io(("写入", "write"), path.unwrap_or(Path::new("-")), error).exiting(exit::CANNOT_CREATE)
}

fn project(reader: &Reader, name: &str) -> Result<Wanted> {
    let (id, _) = find::project(&reader.views.state, name)?;
    let records = reader.history(id)?.iter().map(|view| view.leaf.seq).collect();
    Ok(Wanted { asked: Asked::Project { project: id.0 }, records: Positions::Each(records) })
}

/// The records that `report explain` names; for a count, which no single record reports, those of the projects.
fn figure(reader: &Reader, cell: &str) -> Result<Wanted> {
    let mut parts = cell.splitn(3, '/');
    let (Some(region), Some(indicator), Some(written)) = (parts.next(), parts.next(), parts.next()) else {
        let message = text(
            format!("`{cell}` 应为 地区/指标/报告期,如 330881/INV_FAI/2023"),
            format!("`{cell}` is not REGION/INDICATOR/PERIOD, such as 330881/INV_FAI/2023"),
        );
        return Err(CliError::usage(message));
    };
    let period: Period = written.parse().map_err(|error| {
        CliError::usage(text(format!("报告期 `{written}`:{error}"), format!("period `{written}`: {error}")))
    })?;
    let state = &reader.views.state;
    let region = find::region(state, region)?;
    let id = find::indicator(state, indicator)?;
    let mut records = BTreeSet::new();
    for line in explain(&reader.views, region.id, id, period) {
        records.extend(line.position.into_iter().chain(line.transfers));
        if line.position.is_none() {
            records.extend(reader.history(line.project)?.iter().map(|view| view.leaf.seq));
        }
    }
    if records.is_empty() {
        let message = text(format!("{cell} 背后没有记录"), format!("there is no record behind {cell}"));
        return Err(CliError::new("no_records", exit::REFUSED, message).at("value", cell));
    }
    let asked = Asked::Cell {
        indicator: indicator.to_owned(),
        period: written.to_owned(),
        region: region.code().to_string(),
    };
    Ok(Wanted { asked, records: Positions::Each(records) })
}

fn span(written: &str) -> Result<Wanted> {
    let ends =
        written.split_once("..").and_then(|(first, end)| Some((first.parse().ok()?, end.parse().ok()?)));
    let Some((first, end)) = ends.filter(|(first, end): &(u64, u64)| first < end) else {
        let message = text(
            format!("`{written}` 应为 起始位置..结束位置(不含),如 10..20"),
            format!("`{written}` is not A..B with A below B, such as 10..20"),
        );
        return Err(CliError::usage(message));
    };
    Ok(Wanted { asked: Asked::Range { end, first }, records: Positions::Range(first..end) })
}
