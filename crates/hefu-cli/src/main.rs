//! `hefu`: the ledger at the command line. Results on stdout, talk on stderr, a stable code for every error.

mod args;
mod cmd;
mod context;
mod error;
mod find;
mod help;
mod lang;
mod progress;
mod remote;
mod render;
mod usage;
mod witnesses;
mod write;
mod writing;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::{
    args::Command,
    context::Context,
    error::{CliError, Result, exit},
    render::Format,
};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match usage::parse(&words) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    trace(cli.global.verbose);
    let mut context = Context::new(&cli.global);
    if matches!(cli.command, Command::Demo(_)) && cli.global.format.is_none() {
        // A demonstration is for people, wherever its output goes.
        context.format = Format::Table;
    }
    let code = match run(&context, cli.command) {
        Ok(code) => code,
        Err(error) => {
            report(&context, &error);
            error.exit()
        }
    };
    ExitCode::from(code)
}

fn run(context: &Context, command: Command) -> Result<u8> {
    let indicators = matches!(&command, Command::Report(args) if args.is_of_indicators());
    if context.format == Format::SdmxCsv && !indicators {
        return Err(render::only_indicators());
    }
    match command {
        Command::Init(args) => cmd::init::run(context, &args),
        Command::Submit(args) => cmd::submit::run(context, &args),
        Command::Endorse(args) => cmd::endorse::run(context, &args),
        Command::Import(args) => cmd::import::run(context, args),
        Command::Project(args) => cmd::project::run(context, args),
        Command::Region(args) => cmd::region::run(context, args),
        Command::Transfer(args) => cmd::transfer::run(context, args),
        Command::Tier(args) => cmd::tier::run(context, args),
        Command::Dispute(args) => cmd::dispute::run(context, args),
        Command::Tick(args) => cmd::tick::run(context, &args),
        Command::Report(args) => cmd::report::run(context, args),
        Command::Reconcile(args) => cmd::reconcile::run(context, &args),
        Command::Settle(args) => cmd::settle::run(context, args),
        Command::Period(args) => cmd::period::run(context, args),
        Command::Vintage(args) => cmd::vintage::run(context, args),
        Command::Serve(args) => cmd::serve::run(context, &args),
        Command::Token(args) => cmd::token::run(context, args),
        Command::Audit(args) => cmd::audit::run(context, args),
        Command::Backup(args) => cmd::backup::run(context, &args),
        Command::Restore(args) => cmd::restore::run(context, &args),
        Command::Policy(args) => cmd::policy::run(context, &args),
        Command::Check(args) => cmd::check::run(context, &args),
        Command::Demo(args) => cmd::demo::run(context, &args),
        Command::Bench(args) => Ok(cmd::bench::run(&args).map(|()| exit::DONE)?),
        Command::Completions(args) => cmd::completions::run(&args),
    }
}

/// The screen says this many errors of a file; JSON on stdout and the workbook have them all.
const SHOWN: usize = 50;

/// Reports the first errors of many, and how many there are.
fn report_some(context: &Context, errors: &[CliError]) {
    for error in errors.iter().take(SHOWN) {
        report(context, error);
    }
    if let Some(more) = errors.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        context.say(&lang::text(
            format!("另有 {more} 处错误未列出:--format json 在标准输出列出全部"),
            format!("{more} more errors are not shown: --format json lists all of them on stdout"),
        ));
    }
}

/// An error to stderr, in the form of the results.
fn report(context: &Context, error: &CliError) {
    if error.code() == render::PIPE_CLOSED {
        return;
    }
    let shown = match context.format {
        Format::Json | Format::Jsonl => format!("{}\n", error.to_json(context.lang)),
        Format::Table | Format::Csv | Format::Markdown | Format::Xlsx | Format::Parquet | Format::SdmxCsv => {
            error.to_text(context.lang, context.colour)
        }
    };
    // Nobody is left to tell when stderr is gone.
    let _ = io::stderr().write_all(shown.as_bytes());
}

fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter =
        tracing_subscriber::EnvFilter::new(format!("hefu={level},hefu_engine={level},hefu_store={level}"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
}
