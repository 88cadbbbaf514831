//! Hefu's service against servers that others use for the same, on one machine, in one run, by one driver.
//!
//! ```text
//! bench/run ──▶ this driver ──▶ hefu serve       signed commands, one by one and streamed; questions; records
//!                    │
//!                    ├────────▶ umadb            events of the same bytes, one by one
//!                    └────────▶ PostgreSQL       rows of the same bytes, chained by hash in one order
//! ```
//!
//! Every writer waits for its answer: the data is on disk by then, with all three. Rounds alternate between the servers, and
//! ratios are of medians. Hefu checks a signature, decides by the rules, links, signs a receipt and answers it; the others
//! store bytes.

mod hefu;
mod postgres;
mod umadb;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

/// Commands of one project in the journal; they depend on each other and stay with one writer, in order.
const PROJECT: usize = 100;

/// Compares the servers.
#[derive(Parser)]
struct Args {
    /// The `hefu` to measure
    #[arg(long)]
    hefu: PathBuf,
    /// The `umadb` server
    #[arg(long)]
    umadb: PathBuf,
    /// How to connect to PostgreSQL; left out: not measured
    #[arg(long)]
    postgres: Option<String>,
    /// An empty folder to work in
    #[arg(long)]
    dir: PathBuf,
    /// Records in the ledger that is read
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Rounds of each measurement of writers
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Questions only, of the server at this address, with this token (used by the command itself)
    #[arg(long, num_args = 2, value_names = ["URL", "TOKEN"], hide = true)]
    ask: Option<Vec<String>>,
}

/// What every writer sends: one list for each writer, in order.
type Load = Vec<Vec<Vec<u8>>>;

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    if let Some([url, token]) = args.ask.as_deref() {
        return runtime.block_on(hefu::ask(url, token));
    }
    println!("| what | Hefu | UmaDB | PostgreSQL | Hefu : UmaDB | to reach |");
    println!("|---|---|---|---|---|---|");
    writers(&args, &runtime)?;
    reads(&args, &runtime)
}

/// Writers that wait for each answer, 64 and one; then one stream.
fn writers(args: &Args, runtime: &tokio::runtime::Runtime) -> Result<()> {
    let (crowd, lone, streamed) = (64 * 400, 2_000, 100_000);
    let commands = args.rounds * (crowd + lone + streamed);
    let (ledger, journal) = prepare(args, "writing", u64::try_from(commands)?)?;
    let mut rest = journal.into_iter();
    let mut next = |count: usize| rest.by_ref().take(count).collect::<Vec<_>>();
    let hefu = Server::hefu(args, &ledger, &[])?;
    let umadb = Server::umadb(args)?;
    let post = args.postgres.as_deref();
    if let Some(at) = post {
        runtime.block_on(postgres::prepare(at))?;
    }
    for (clients, count, target) in [(64, crowd, "≥ 1.0"), (1, lone, "≥ 1.5")] {
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..args.rounds {
            let load = Arc::new(dealt(next(count), clients));
            rates[0].push(runtime.block_on(hefu::write(&hefu.url, load.clone()))?);
            rates[1].push(runtime.block_on(umadb::write(&umadb.url, load.clone()))?);
            if let Some(at) = post {
                rates[2].push(runtime.block_on(postgres::write(at, load))?);
            }
        }
        let [hefu, umadb, post] = rates.map(median);
        let post = post.map_or("–".to_owned(), |rate| format!("{rate:.0}/s"));
        let (hefu, umadb) = (hefu.unwrap_or(f64::NAN), umadb.unwrap_or(f64::NAN));
        println!(
            "| {clients} writers, each waits for its answer | {hefu:.0}/s | {umadb:.0}/s | {post} | {:.2} | {target} |",
            hefu / umadb
        );
    }
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        rates.push(runtime.block_on(hefu::stream(&hefu.url, next(streamed)))?);
    }
    let rate = median(rates).unwrap_or(f64::NAN);
    println!("| one stream of commands (`SubmitBatch`) | {rate:.0}/s | | | | ≥ 30,000/s |");
    Ok(())
}

/// Questions and records of a ledger that holds many.
fn reads(args: &Args, runtime: &tokio::runtime::Runtime) -> Result<()> {
    let (ledger, _) = prepare(args, "reading", args.records)?;
    // The phase ends as kill -9 would end it.
    phase(args, "load", &args.dir.join("reading"), args.records).ok();
    let token = hefu::token(&args.hefu, &ledger)?;
    let server = Server::hefu(args, &ledger, &[])?;
    let rate = runtime.block_on(hefu::records(&server.url, &token))?;
    println!("| `ReadRecords`, whole ledger of {} records | {rate:.0}/s | | | | ≥ 500,000/s |", args.records);
    drop(server);
    // One core for the server, the other for who asks.
    let server = Server::hefu(args, &ledger, &["taskset", "-c", "0"])?;
    let me = std::env::current_exe()?;
    let shown = args.dir.display().to_string();
    let common = ["--hefu", "-", "--umadb", "-", "--dir", &shown, "--ask", &server.url, &token];
    let status = Command::new("taskset").args(["-c", "1"]).arg(me).args(common).status()?;
    if !status.success() {
        bail!("the questions failed");
    }
    Ok(())
}

/// A new ledger and its journal of signed commands.
fn prepare(args: &Args, name: &str, commands: u64) -> Result<(PathBuf, Vec<Vec<u8>>)> {
    let dir = args.dir.join(name);
    std::fs::create_dir_all(&dir)?;
    phase(args, "prepare", &dir, commands)?;
    let journal = std::fs::File::open(dir.join("journal.jsonl"))?;
    let journal = BufReader::new(journal).split(b'\n').collect::<Result<_, _>>()?;
    Ok((dir.join("ledger"), journal))
}

fn phase(args: &Args, name: &str, dir: &Path, commands: u64) -> Result<()> {
    let status = Command::new(&args.hefu)
        .args(["bench", "--phase", name, "--commands", &commands.to_string(), "--dir"])
        .arg(dir)
        .stdout(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { bail!("`hefu bench --phase {name}` failed") }
}

/// Whole projects, one after another, to each writer in turn.
fn dealt(commands: Vec<Vec<u8>>, writers: usize) -> Load {
    let mut load: Load = vec![Vec::new(); writers];
    for (number, project) in commands.chunks(PROJECT).enumerate() {
        load[number % writers].extend(project.iter().cloned());
    }
    load
}

/// Sends every writer's list, all writers at once; messages a second.
async fn all<W, F>(
    load: Arc<Load>,
    writers: Vec<W>,
    write: impl Fn(W, Vec<u8>) -> F + Copy + Send + 'static,
) -> Result<f64>
where
    W: Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let count: usize = load.iter().map(Vec::len).sum();
    let start = Instant::now();
    let tasks = writers.into_iter().enumerate().map(|(place, writer)| {
        let load = load.clone();
        tokio::spawn(async move {
            for message in &load[place] {
                write(writer.clone(), message.clone()).await?;
            }
            anyhow::Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(rate(count, start))
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> Option<f64> {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

/// A server that ends with this value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// `hefu serve` on a free port, started by `before` (which may bind it to a core).
    fn hefu(args: &Args, ledger: &Path, before: &[&str]) -> Result<Server> {
        let words: Vec<&std::ffi::OsStr> =
            before.iter().map(std::ffi::OsStr::new).chain([args.hefu.as_os_str()]).collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .arg("-L")
            .arg(ledger)
            .args(["serve", "--listen", "127.0.0.1:0", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        let told: serde_json::Value = serde_json::from_str(&line).context("the server said nothing")?;
        let url = told["url"].as_str().context("the server tells its address")?.to_owned();
        Ok(Server { child, url })
    }

    fn umadb(args: &Args) -> Result<Server> {
        // A free port, given back; nobody else is expected to take it here.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(&args.umadb)
            .args(["--listen", &format!("127.0.0.1:{port}"), "--db-path"])
            .arg(args.dir.join("uma.db"))
            .stdout(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Server { child, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().ok();
        self.child.wait().ok();
    }
}
