//! `hefu submit`: a journal into the ledger, one command a line.
//!
//! Lines are read, signed and checked here while the writer commits the ones before. By default everything stops at the
//! first line that is wrong, with what came before on record; the same journal can then be taken up from that line.

mod fields;
mod pipeline;
mod receipts;
mod signing;
mod tally;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use hefu_engine::Mode;
use hefu_exchange::journal::Lines;

pub(crate) use self::tally::unreadable;
use self::{pipeline::Pipeline, receipts::Receipts, tally::Tally};
use crate::{
    context::{Context, not_a_folder},
    error::{CliError, Result, exit},
    lang::text,
    writing::Writing,
};

/// `hefu submit`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The journal in JSON Lines, or - for standard input
    pub(crate) file: PathBuf,
    /// Key for lines that name none, such as 330108 or 330108/statistics
    #[arg(long = "as", value_name = "KEY")]
    pub(crate) signer: Option<String>,
    /// Decide, but record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// All lines or none
    #[arg(long, conflicts_with_all = ["dry_run", "keep_going"])]
    pub(crate) atomic: bool,
    /// Go on after a line that is wrong, and report each
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) keep_going: bool,
    /// Begin at this line
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from_line: u64,
    /// Keep receipts in this folder: every answer, and a proof for each command on record
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
}

impl Args {
    fn mode(&self) -> Mode {
        match (self.dry_run, self.atomic, self.keep_going) {
            (true, _, _) => Mode::DryRun,
            (_, true, _) => Mode::Atomic,
            (_, _, true) => Mode::Each,
            _ => Mode::Stop,
        }
    }

    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let reader = input(&args.file)?;
    let receipts = args.receipts.as_deref().map(Receipts::open).transpose()?;
    let ledger = Writing::open(context)?;
    let mut tally = Tally::new(context, args, receipts);
    let outcome = feed(context, args, &ledger, reader, &mut tally);
    // What is on record has its proof even if a later line was wrong.
    let proven = tally.prove(&ledger);
    // Closing comes first: the ledger is left clean whatever the journal held.
    let closed = ledger.close();
    tally.print()?;
    outcome?;
    proven?;
    closed?;
    Ok(tally.exit())
}

fn feed<'a>(
    context: &Context,
    args: &'a Args,
    ledger: &Writing<'_>,
    reader: Box<dyn BufRead>,
    tally: &mut Tally<'a>,
) -> Result {
    let progress = context.progress(None, &text("提交", "submitting"));
    let mut pipeline = Pipeline::new(ledger, args, tally);
    let mut last = 0;
    let mut lines = Lines::new(reader, &args.name()).filter(|line| {
        last = match line {
            Ok(line) => line.number,
            Err(error) => error.line,
        };
        last >= args.from_line
    });
    loop {
        let batch: Vec<_> = lines.by_ref().take(pipeline::BATCH).collect();
        if batch.is_empty() {
            drop(lines);
            if args.from_line > last.max(1) {
                return Err(no_such_line(args, last));
            }
            return pipeline.finish();
        }
        progress.more(batch.len() as u64);
        if !pipeline.take(batch)? {
            return pipeline.finish();
        }
    }
}

/// `--from-line` names a line behind the last one.
fn no_such_line(args: &Args, last: u64) -> CliError {
    let (file, line) = (args.name(), args.from_line);
    let message = text(format!("{file} 没有第 {line} 行"), format!("{file} has no line {line}"));
    let hint = text(format!("最后一条命令在第 {last} 行"), format!("the last command stands in line {last}"));
    CliError::new("no_such_line", exit::USAGE, message).hint(hint).at("file", file).at("line", line)
}

pub(crate) fn input(path: &Path) -> Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    not_a_folder(path)?;
    let file = File::open(path).map_err(|error| {
        let shown = CliError::io(("打开", "open"), path, &error);
        if error.kind() == io::ErrorKind::NotFound { shown.exiting(exit::BAD_INPUT) } else { shown }
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}
