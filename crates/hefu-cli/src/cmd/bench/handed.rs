//! What an auditor is handed, verified as `audit verify` does: a site in a folder, the same site at an address, an
//! evidence bundle of every record. Each is a phase of its own, so that its memory is its own.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use hefu_chain::{
    bundle::Asked,
    verify::{self, Options, Report},
};
use hefu_client::{Http, Site};
use hefu_engine::{Positions, Shown, Wanted};
use hefu_store::FolderSource;
use serde_json::{Value, json};

use super::phases::{memory, rate};

/// No request on one machine takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is handed over, in the folder of the bench.
pub(super) struct Handed {
    pub(super) site: PathBuf,
    bundle: PathBuf,
}

impl Handed {
    pub(super) fn at(dir: &Path) -> Handed {
        Handed { site: dir.join("site"), bundle: dir.join("all.bundle") }
    }

    /// Writes the bundle of the first `size` records.
    pub(super) fn write_bundle(&self, ledger: &Path, size: u64) -> Result<()> {
        let asked = Asked::Range { end: size, first: 0 };
        let wanted = Wanted { asked, records: Positions::Range(0..size) };
        hefu_engine::bundle(ledger, &wanted, &mut File::create(&self.bundle)?, &|_| {})?;
        Ok(())
    }

    pub(super) fn site(&self, ledger: &Path) -> Result<Value> {
        judged(ledger, |options| Ok(verify::site(&FolderSource::new(&self.site), options)?))
    }

    /// Served by a process of its own over the loopback.
    pub(super) fn address(&self, ledger: &Path) -> Result<Value> {
        let mut server = Serving::start(&self.site)?;
        let site = Site::new(Http::new(PATIENCE), &server.url()?).context("the server names its address")?;
        judged(ledger, |options| Ok(verify::site(&site, options)?))
    }

    /// With every body and the signature of every command.
    pub(super) fn bundle(&self, ledger: &Path) -> Result<Value> {
        let bytes = std::fs::metadata(&self.bundle)?.len();
        let mut line = judged(ledger, |options| {
            Ok(verify::bundle(&mut BufReader::new(File::open(&self.bundle)?), options)?)
        })?;
        line["megabytes"] = json!(bytes / 1_000_000);
        Ok(line)
    }
}

fn judged(ledger: &Path, judge: impl FnOnce(&Options<'_>) -> Result<Report>) -> Result<Value> {
    let log_key = Shown::open(ledger)?.keys().newest().context("record 0 names the log's key")?;
    let threads = thread::available_parallelism()?.get();
    let options = Options { log_key: Some(log_key), threads, ..Options::default() };
    let start = Instant::now();
    let report = judge(&options)?;
    let per_s = rate(report.records, start);
    if let Some(finding) = report.findings.first() {
        bail!("the verifier found {finding:?}");
    }
    Ok(json!({"per_s": per_s, "records": report.records, "commands": report.commands,
              "rss_mb": memory("VmHWM:")}))
}

/// `hefu audit serve-tiles`, ended with this.
struct Serving(Child);

impl Serving {
    fn start(site: &Path) -> Result<Serving> {
        let mut serve = Command::new(std::env::current_exe()?);
        serve.args(["audit", "serve-tiles", "--listen", "127.0.0.1:0"]).arg(site);
        Ok(Serving(serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?))
    }

    /// The address, once it listens.
    fn url(&mut self) -> Result<String> {
        let mut line = String::new();
        let output = self.0.stdout.take().context("the output is a pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("the server says where it listens")?;
        Ok(said["url"].as_str().context("an address")?.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
