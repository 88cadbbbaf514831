//! `hefu bench`: how fast, against a bare loop of the same work on the same machine in the same run.
//!
//! Each phase is a process of its own, so that its memory is its own and an abrupt end is a real one. Figures are
//! ratios first: the machine's own speed is measured beside ours.

mod bare;
mod book;
mod handed;
mod journal;
mod phases;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Measures this machine and this build.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Commands in the bulk journal; each is one record.
    #[arg(long, default_value_t = 200_000)]
    commands: u64,
    /// Where to work; left out: a temporary folder beside the current one, removed at the end.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// One phase only (used by the command itself).
    #[arg(long, hide = true)]
    phase: Option<String>,
}

/// One measured line of the report.
#[derive(Clone, Debug, Serialize)]
struct Line {
    what: &'static str,
    measured: String,
    bare: String,
    ratio: Option<f64>,
    target: &'static str,
    reached: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let (Some(phase), Some(dir)) = (&args.phase, &args.dir) {
        println!("{}", phases::run(phase, dir, args.commands)?);
        return Ok(());
    }
    let temp = std::env::current_dir()?.join(format!("hefu-bench-{}", std::process::id()));
    let dir = args.dir.clone().unwrap_or_else(|| temp.clone());
    if dir.exists() {
        bail!("{} exists already", dir.display());
    }
    std::fs::create_dir_all(&dir)?;
    let measured = measure(&dir, args.commands);
    if args.dir.is_none() {
        std::fs::remove_dir_all(&temp).ok();
    }
    let lines = measured?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json!({"commands": args.commands, "lines": lines}))?);
    } else {
        print(&lines, args.commands);
    }
    Ok(())
}

fn measure(dir: &Path, commands: u64) -> Result<Vec<Line>> {
    let phase = |name: &str| -> Result<Value> {
        eprintln!("bench: {name}");
        child(name, dir, commands)
    };
    phase("prepare")?;
    let bare = phase("bare")?;
    let load = phase("load")?;
    let open_killed = phase("open")?;
    let latency = phase("latency")?;
    let queries = phase("queries")?;
    let verify = phase("verify")?;
    let publish = phase("publish")?;
    let handed = [phase("site")?, phase("address")?, phase("bundle")?];
    let reopened = phase("open")?;
    let book = phase("book")?;
    let figure = |value: &Value, key: &str| value[key].as_f64().unwrap_or_default();
    let mut lines = Vec::new();
    let bulk = figure(&load, "commands_per_s");
    let bare_bulk = figure(&load, "bare_per_s");
    lines.push(Line {
        what: "bulk submission of a signed journal, 90 keys",
        measured: format!("{bulk:.0} commands/s"),
        bare: format!("{bare_bulk:.0}/s (same syncs, signature checks, hashes)"),
        ratio: Some(bulk / bare_bulk),
        target: ">= 50,000/s",
        reached: bulk >= 50_000.0,
    });
    let (p50, sync) = (figure(&latency, "p50_us"), figure(&bare, "fdatasync_us"));
    lines.push(Line {
        what: "one writer, one command at a time, p50",
        measured: format!("{p50:.0} us (p99 {:.0})", figure(&latency, "p99_us")),
        bare: format!("{sync:.0} us fdatasync"),
        ratio: Some(p50 / sync),
        target: "<= 1.5 x fdatasync + 100 us",
        reached: p50 <= 1.5 * sync + 100.0,
    });
    for (what, ours, loops, target, least) in [
        ("audit verify, everything", "full_per_s", "bare_full_per_s", ">= 0.7 of the bare loop", 0.7),
        ("audit verify, hashes alone", "hashes_per_s", "bare_hashes_per_s", ">= 0.4 of the bare loop", 0.4),
    ] {
        let (ours, loops) = (figure(&verify, ours), figure(&verify, loops));
        let (measured, bare) = (format!("{ours:.0} records/s"), format!("{loops:.0}/s"));
        lines.push(Line {
            what,
            measured,
            bare,
            ratio: Some(ours / loops),
            target,
            reached: ours / loops >= least,
        });
    }
    let rebuild = figure(&queries, "rebuild_per_s");
    lines.push(Line {
        what: "all projections rebuilt from the log",
        measured: format!("{rebuild:.0} events/s"),
        bare: String::new(),
        ratio: None,
        target: ">= 400,000/s",
        reached: rebuild >= 400_000.0,
    });
    let cell = figure(&queries, "cell_p99_us");
    lines.push(Line {
        what: "one cell with all bases, p99",
        measured: format!("{cell:.1} us (p50 {:.1})", figure(&queries, "cell_p50_us")),
        bare: String::new(),
        ratio: None,
        target: "< 1 ms",
        reached: cell < 1000.0,
    });
    let past = figure(&queries, "past_p99_us");
    lines.push(Line {
        what: "one cell as of a past position, p99",
        measured: format!("{past:.0} us (p50 {:.0})", figure(&queries, "past_p50_us")),
        bare: String::new(),
        ratio: None,
        target: "< 10 ms at 1 M observations",
        reached: past < 10_000.0,
    });
    lines.extend(published(&publish));
    lines.extend(verified(&handed));
    for (what, value, target, most) in [
        ("open after kill -9", &open_killed, "< 2 s at 1 M events", 2.0),
        ("open after a clean stop", &reopened, "< 0.5 s at 1 M events", 0.5),
    ] {
        let seconds = figure(value, "seconds");
        let events = figure(value, "events");
        lines.push(Line {
            what,
            measured: format!(
                "{seconds:.3} s at {events:.0} events ({:.0} replayed)",
                figure(value, "replayed")
            ),
            bare: String::new(),
            ratio: None,
            target,
            reached: seconds < most,
        });
    }
    let seconds = figure(&book, "seconds");
    lines.push(Line {
        what: "a book of 100,000 rows read from XLSX and matched",
        measured: format!("{seconds:.2} s ({:.2} s of it reading)", figure(&book, "read_s")),
        bare: String::new(),
        ratio: None,
        target: "< 5 s",
        reached: seconds < 5.0,
    });
    for (what, value) in
        [("memory of the writer after bulk load, peak", &load), ("memory of an opened ledger", &open_killed)]
    {
        let megabytes = figure(value, "rss_mb");
        lines.push(Line {
            what,
            measured: format!("{megabytes:.0} MB"),
            bare: String::new(),
            ratio: None,
            target: "<= 300 MB at 1 M events",
            reached: megabytes <= 300.0,
        });
    }
    let (disk, index) = (figure(&verify, "disk_ratio"), figure(&queries, "index_ratio"));
    lines.push(Line {
        what: "segments on disk / bytes of leaves, bodies, commands",
        measured: format!("{disk:.3} (sled index: {index:.3} more)"),
        bare: String::new(),
        ratio: Some(disk),
        target: "<= 1.15 (index <= 0.3)",
        reached: disk <= 1.15 && index <= 0.3,
    });
    Ok(lines)
}

/// The lines about checkpoints, proofs and sites.
fn published(publish: &Value) -> [Line; 4] {
    let figure = |key: &str| publish[key].as_f64().unwrap_or_default();
    let line = |what, measured, target, reached| Line {
        what,
        measured,
        bare: String::new(),
        ratio: None,
        target,
        reached,
    };
    let (lag, export, p99) = (figure("lag_s"), figure("export_per_s"), figure("proof_p99_us"));
    [
        line(
            "first checkpoint: everything read back",
            format!("{:.0} records/s", figure("read_back_per_s")),
            "",
            true,
        ),
        line(
            "checkpoint behind the head",
            format!("{:.1} ms for {:.0} new of {:.0} records", lag * 1e3, figure("new"), figure("size")),
            "< 1 s at 1 M records",
            lag < 1.0,
        ),
        line(
            "inclusion proof, p99",
            format!("{p99:.0} us (p50 {:.0})", figure("proof_p50_us")),
            "< 1 ms at 1 M records",
            p99 < 1000.0,
        ),
        line(
            "audit export of a new site",
            format!("{export:.0} records/s ({:.0} MB)", figure("site_mb")),
            ">= 300,000/s",
            export >= 300_000.0,
        ),
    ]
}

/// The lines about what an auditor is handed.
fn verified(handed: &[Value; 3]) -> [Line; 3] {
    let titles = [
        "audit verify of a site in a folder",
        "audit verify of a site at an address (loopback)",
        "audit verify of a bundle of everything, with signatures",
    ];
    std::array::from_fn(|at| {
        let figure = |key: &str| handed[at][key].as_f64().unwrap_or_default();
        let (per_s, records, memory) = (figure("per_s"), figure("records"), figure("rss_mb"));
        let measured = format!("{per_s:.0} records/s ({records:.0} records; {memory:.0} MB of memory)");
        let (bare, ratio) = (String::new(), None);
        Line { what: titles[at], measured, bare, ratio, target: "", reached: records > 0.0 }
    })
}

fn child<T: DeserializeOwned>(phase: &str, dir: &Path, commands: u64) -> Result<T> {
    let output = Command::new(std::env::current_exe()?)
        .args(["bench", "--phase", phase, "--commands", &commands.to_string(), "--dir"])
        .arg(dir)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("phase {phase}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().with_context(|| format!("phase {phase} printed nothing"))?;
    serde_json::from_str(line).with_context(|| format!("phase {phase} printed `{line}`"))
}

fn print(lines: &[Line], commands: u64) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_header(["what", "measured", "bare", "ratio", "target", "reached"]);
    for line in lines {
        let ratio = line.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let reached = if line.reached { "yes" } else { "NO" };
        table.add_row([line.what, &line.measured, &line.bare, &ratio, line.target, reached]);
    }
    println!("{table}\n{commands} commands in the bulk journal");
}
