//! `hefu demo`: a ledger of Zhejiang with a made-up history of three years, played through the same rules, signatures
//! and disks as a real one; its provincial table with the bridge; a county's book with its breaks, a dispute through two
//! instances, two settled years; its verification; and all of it served on this machine.

mod desk;
mod history;
mod quarrel;
mod settling;

use std::{
    collections::VecDeque,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::PoisonError,
};

use hefu_api::access::Role;
use hefu_domain::{period::Period, region::RegionId, state::State};
use hefu_engine::{
    Answer, Draft, Engine, KeyStore, Mode, Options, Reader, Signer, Ticket, random_bytes, system_clock,
};
use hefu_exchange::{policy, regions};
use hefu_server::{Grant, Tokens, service_folder};
use hefu_store::Backend;
use history::{FIRST_YEAR, Size, Step};

use super::{audit, report, serve};
use crate::{
    context::{Context, Place},
    error::{CliError, Result, exit},
    lang::{Lang, text},
};

/// The demo's name: a directory with a ledger of this name may be replaced by a new demo, no other.
const ORIGIN: &str = "demo.hefu.example/zhejiang";
/// Years that are settled.
const SETTLED: i16 = 2;
/// Commands signed and submitted together.
const PART: usize = 512;

/// `hefu demo`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to put it; an older demo there is replaced
    #[arg(long, value_name = "DIR", default_value = "hefu-demo")]
    pub(crate) dir: PathBuf,
    /// Projects
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=90_000))]
    pub(crate) projects: u32,
    /// Months, from January 2023 on
    #[arg(long, value_name = "M", default_value_t = 36, value_parser = clap::value_parser!(u32).range(12..=45))]
    pub(crate) months: u32,
    /// The same seed tells the same history
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only play and report; serve nothing
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// Where to serve it; another port is taken if this one is in use
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7379")]
    pub(crate) listen: SocketAddr,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    make(&args.dir)?;
    let steps = play(context, args)?;
    let here = Context { place: Place::Dir(args.dir.clone()), ..context.clone() };
    here.say(&text(
        format!("已记录 {steps} 条命令。最近一个整年全省及各市固定资产投资,在地与共享两种口径:"),
        format!(
            "{steps} commands are on record. Fixed-asset investment of the last whole year, on both bases:"
        ),
    ));
    let years = i16::try_from(args.months / 12).unwrap_or(1);
    let year: Period = Period::months(FIRST_YEAR + years - 1, 1, 12)
        .ok_or_else(|| CliError::usage(text("年份超出范围", "the year is out of range")))?;
    report::demo_table(&here, year)?;
    if !quarrel::play(&here, year)? {
        here.say(&text(
            "没有县按全额计入已迁出的项目,故不演示对账和争议",
            "no county counts in full what it gave away: no book to reconcile, no dispute",
        ));
    }
    settling::play(&here, years.min(SETTLED))?;
    here.say(&text("逐条核验(字节、链、签名):", "Verifying every byte, link and signature:"));
    let verified = audit::verify_here(&here)?;
    here.say(&text("按规则重放每条命令:", "Deciding every command again by the rules:"));
    let replayed = audit::replay_here(&here)?;
    told(&here)?;
    let proven = verified.max(replayed);
    if args.no_serve || proven != exit::DONE {
        return Ok(proven);
    }
    serve(&here, args.listen, year)
}

/// Serves the demo on this machine until it is told to stop, with a token for everything, valid for a day.
fn serve(context: &Context, address: SocketAddr, year: Period) -> Result<u8> {
    let now = system_clock();
    let grant = Grant {
        name: "demo".to_owned(),
        role: Role::Statistics,
        region: None,
        expires: now.plus_seconds(24 * 3600),
    };
    let tokens = Tokens::of(&service_folder(context.dir()?));
    let (token, _) = tokens.create(grant, random_bytes()?, now)?;
    let server = serve::listen_here(address)?;
    serve::answer(context, server, 10, |url| {
        let question = format!("{url}/v1/indicators?region=330000&period={year}&indicators=INV_FAI");
        let figures = format!("{url}/sdmx/v2/data/dataflow/HEFU/DF_TERRITORIAL/+/A.CN330000");
        let lines = |lang: Lang| {
            let rows = [
                (lang.pick("HTTP/JSON", "HTTP/JSON"), format!("{url}/v1/openapi.json")),
                (lang.pick("gRPC", "gRPC"), format!("{} (hefu.v1)", url.trim_start_matches("http://"))),
                (lang.pick("SDMX", "SDMX"), format!("{url}/sdmx/v2, {url}/sdmx/v1")),
                (lang.pick("检查点与瓦片", "checkpoint and tiles"), format!("{url}/checkpoint")),
                (lang.pick("运行状况", "health"), format!("{url}/readyz, {url}/metrics")),
            ];
            rows.map(|(name, value)| format!("  {name}: {value}\n")).concat()
        };
        context.say(&text(
            format!(
                "正在提供服务;Ctrl-C 停止。\n{}令牌(全部可见,一天内有效):{token}\n  \
                 curl -H 'Authorization: Bearer {token}' '{question}'\n  curl '{figures}'\n  \
                 HEFU_TOKEN={token} hefu -L {url} report indicators --region 330000 --children --period {year}",
                lines(Lang::Zh)
            ),
            format!(
                "It is being served; Ctrl-C stops it.\n{}A token that sees everything, valid for a day: {token}\n  \
                 curl -H 'Authorization: Bearer {token}' '{question}'\n  curl '{figures}'\n  \
                 HEFU_TOKEN={token} hefu -L {url} report indicators --region 330000 --children --period {year}",
                lines(Lang::En)
            ),
        ));
        Ok(())
    })
}

/// A folder beside the ledger, named after it.
fn beside(dir: &Path, end: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(end);
    dir.with_file_name(name)
}

/// An empty ledger of Zhejiang with keys for everyone.
fn make(dir: &Path) -> Result {
    let keys = KeyStore::beside(dir);
    if dir.exists() {
        let ours = Reader::open(dir).is_ok_and(|reader| reader.origin.as_str() == ORIGIN);
        if !ours {
            let path = dir.display().to_string();
            let message = text(
                format!("{path} 已存在,且不是演示账本"),
                format!("{path} exists and is not a demo ledger"),
            );
            let hint = text("用 --dir 换一个目录", "choose another place with --dir");
            return Err(CliError::new("exists", exit::CANNOT_CREATE, message).hint(hint).at("file", path));
        }
        let others = [".evidence", ".reconcile", ".books", ".service"].map(|end| beside(dir, end));
        let others = others.iter().map(PathBuf::as_path).filter(|other| other.exists());
        for old in [dir, keys.folder()].into_iter().chain(others) {
            fs::remove_dir_all(old).map_err(|source| hefu_engine::EngineError::File {
                op: "remove",
                path: old.to_owned(),
                source,
            })?;
        }
    }
    let data = regions::zhejiang();
    let policy = policy::zhejiang(&data);
    let origin = ORIGIN.parse().map_err(|_| CliError::usage(text("名称无效", "the name is not valid")))?;
    let areas = (data.regions, data.adjacency);
    hefu_engine::create_dev(dir, origin, data.host, policy, areas, Backend::Segments, system_clock)?;
    Ok(())
}

/// Plays the history; how many commands it had.
fn play(context: &Context, args: &Args) -> Result<usize> {
    let engine = Engine::open(&args.dir, Options::default())?;
    let played = tell(context, args, &engine);
    // Closing comes first: what was recorded stays whole whatever happened after it.
    let closed = engine.close();
    let steps = played?;
    closed?;
    Ok(steps)
}

fn tell(context: &Context, args: &Args, engine: &Engine) -> Result<usize> {
    let state = |engine: &Engine| -> State {
        engine.views().read().unwrap_or_else(PoisonError::into_inner).state.clone()
    };
    let first = state(engine);
    let size = Size { projects: args.projects, months: args.months, seed: args.seed };
    let steps = history::history(&first.regions, &first.policy, size);
    let count = steps.len();
    let progress = context.progress(Some(count as u64), &text("演示历史", "playing the history"));
    let mut signer = Signer::new(engine.origin().clone(), KeyStore::beside(&args.dir));
    let mut waiting: VecDeque<(usize, Ticket)> = VecDeque::new();
    let mut steps = steps.into_iter();
    loop {
        let part: Vec<Step> = steps.by_ref().take(PART).collect();
        if part.is_empty() {
            break;
        }
        let mut commands = Vec::with_capacity(part.len());
        for Step { signer: by, command } in part {
            // Answers in this history follow proposals signed by this very signer, which remembers them.
            let draft = Draft { command, id: None, signer: by };
            commands.push(signer.sign(draft, &first, system_clock())?.into_bytes());
        }
        waiting.push_back((commands.len(), engine.submit(commands, Mode::Each, None)));
        if waiting.len() > 2 {
            progress.more(accepted(waiting.pop_front())?);
        }
    }
    while let Some(next) = waiting.pop_front() {
        progress.more(accepted(Some(next))?);
    }
    Ok(count)
}

fn accepted(next: Option<(usize, Ticket)>) -> Result<u64> {
    let Some((count, ticket)) = next else { return Ok(0) };
    for answer in ticket.wait()? {
        if let Answer::Refused(refused, _) = answer {
            return Err(CliError::refused(&refused));
        }
    }
    Ok(count as u64)
}

/// What to try next, on a project that moved.
fn told(context: &Context) -> Result {
    let reader = context.reader()?;
    let state = &reader.views.state;
    let moved = state.projects.iter().max_by_key(|(_, project)| project.stays.len());
    let (id, place): (String, RegionId) = moved
        .map_or((String::new(), RegionId(0)), |(id, project)| (id.to_string(), project.current().region));
    let dir = context.dir()?.display();
    let county = state.code(place);
    context.say(&text(
        format!(
            "账本在 {dir},密钥在 {dir}.keys。可以继续试:\n  \
             hefu -L {dir} project show {id}\n  hefu -L {dir} project history {id}\n  \
             hefu -L {dir} report indicators --region {county} --period 2024 --bridge\n  \
             hefu -L {dir} report explain --region 330000 --indicator INV_FAI --period 2024\n  \
             hefu -L {dir} report circulation --region 330100\n  \
             hefu -L {dir} dispute list\n  hefu -L {dir} settle netting 2023\n  hefu -L {dir} audit verify"
        ),
        format!(
            "The ledger is in {dir}, its keys in {dir}.keys. Try next:\n  \
             hefu -L {dir} project show {id}\n  hefu -L {dir} project history {id}\n  \
             hefu -L {dir} report indicators --region {county} --period 2024 --bridge\n  \
             hefu -L {dir} report explain --region 330000 --indicator INV_FAI --period 2024\n  \
             hefu -L {dir} report circulation --region 330100\n  \
             hefu -L {dir} dispute list\n  hefu -L {dir} settle netting 2023\n  hefu -L {dir} audit verify"
        ),
    ));
    Ok(())
}
