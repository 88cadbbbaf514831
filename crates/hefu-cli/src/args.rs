//! The command line. Each command's own arguments stand in its file; the Chinese words for all of them in `help`.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use crate::{
    cmd::{
        audit, backup, bench, check, completions, demo, dispute, endorse, import, init, period, policy,
        project, reconcile, region, report, restore, serve, settle, submit, tick, tier, token, transfer,
        vintage,
    },
    lang::Lang,
    render::Format,
};

/// Hefu (合符): a ledger in which two regions each hold half of the same record
#[derive(Debug, Parser)]
#[command(name = "hefu", version, disable_help_flag = true, disable_version_flag = true)]
#[command(disable_help_subcommand = true, max_term_width = 100, arg_required_else_help = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The ledger's directory, or the URL of its service (HEFU_TOKEN, HEFU_CA, HEFU_KEYS)
    #[arg(
        short = 'L',
        long,
        global = true,
        value_name = "DIR|URL",
        env = "HEFU_LEDGER",
        default_value = "hefu-ledger"
    )]
    pub(crate) ledger: PathBuf,
    /// Language; by default that of the locale
    #[arg(long, global = true, value_name = "LANG")]
    pub(crate) lang: Option<Lang>,
    /// Form of the result; by default a table on a terminal, else jsonl
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Say less; results are still printed
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more, on stderr; repeat for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// No colours
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Print help
    #[arg(short, long, global = true, action = ArgAction::Help)]
    pub(crate) help: Option<bool>,
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    pub(crate) version: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new ledger: keys, policy, regions
    Init(init::Args),
    /// Submit a journal: one command a line, signed or to be signed
    Submit(submit::Args),
    /// Add further signatures to commands that need several
    Endorse(endorse::Args),
    /// Import a table of observations, taxes, projects or enterprises
    Import(import::Args),
    /// Look at projects
    Project(project::Args),
    /// Regions: their lineage, and changes of name, code, extent and superior
    Region(region::Args),
    /// Move a project: propose, accept, decline, withdraw
    Transfer(transfer::Args),
    /// Close a tier: exhaust it, or let a project skip it
    Tier(tier::Args),
    /// Disputes: open, answer, evidence, settle, rule, appeal
    Dispute(dispute::Args),
    /// Let time pass: expire proposals and complete key recoveries that are due
    Tick(tick::Args),
    /// Indicators, circulation, and what is behind a figure
    Report(report::Args),
    /// Match a region's own book with what the ledger counts for it
    Reconcile(reconcile::Args),
    /// Settle tax shares: run, statement, confirm, finalise, pay
    Settle(settle::Args),
    /// Close periods
    Period(period::Args),
    /// Freeze figures under a name, and compare what was frozen
    Vintage(vintage::Args),
    /// Answer over the wire: gRPC, HTTP and SDMX on one port, for other machines with TLS
    Serve(serve::Args),
    /// Tokens for those who ask over the wire
    Token(token::Args),
    /// Prove that nothing was changed
    Audit(audit::Args),
    /// Copy the ledger to a folder from which it can be restored, beside a writer at work
    Backup(backup::Args),
    /// Put a backup in the place of a ledger that was lost
    Restore(restore::Args),
    /// Print the policy in force as a file for `init --policy`
    Policy(policy::Args),
    /// Compare snapshot and index with the log
    Check(check::Args),
    /// Play a made-up history of Zhejiang
    Demo(demo::Args),
    /// Measure the speed of this machine
    Bench(bench::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}
