//! The phases, each run by a process of its own. Each prints one line of JSON.

#![expect(clippy::cast_precision_loss, reason = "figures for people: rates and ratios, never amounts")]

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use hefu_chain::{
    chain::ChainContext,
    command::SignedCommand,
    key::PublicKey,
    record::RecordRef,
    verify::{self, Segment},
};
use hefu_domain::{period::Period, state::IndicatorId};
use hefu_engine::{Answer, Engine, Export, KeyStore, Mode, Options, Publisher, Reader, replay_views};
use hefu_exchange::{policy, regions};
use hefu_store::Backend;
use serde_json::{Value, json};

use super::{
    bare::{self, Signed},
    book,
    handed::Handed,
    journal,
};

const PART: usize = 1024;

pub(super) fn run(phase: &str, dir: &Path, commands: u64) -> Result<Value> {
    let files = Files { ledger: dir.join("ledger"), journal: dir.join("journal.jsonl"), dir: dir.to_owned() };
    match phase {
        "prepare" => files.prepare(commands),
        "bare" => files.bare(),
        "load" => files.load(commands),
        "open" => files.open(),
        "latency" => files.latency(),
        "queries" => files.queries(),
        "verify" => files.verify(),
        "publish" => files.publish(),
        "site" => Handed::at(dir).site(&files.ledger),
        "address" => Handed::at(dir).address(&files.ledger),
        "bundle" => Handed::at(dir).bundle(&files.ledger),
        "book" => book::measure(),
        other => bail!("no phase `{other}`"),
    }
}

struct Files {
    dir: PathBuf,
    ledger: PathBuf,
    journal: PathBuf,
}

impl Files {
    fn prepare(&self, commands: u64) -> Result<Value> {
        let data = regions::zhejiang();
        let policy = policy::zhejiang(&data);
        let origin: hefu_chain::origin::Origin = "bench.example/zj".parse()?;
        let areas = (data.regions, data.adjacency);
        let clock = hefu_engine::system_clock;
        let backend = Backend::Segments;
        hefu_engine::create_dev(&self.ledger, origin.clone(), data.host, policy, areas, backend, clock)?;
        let reader = Reader::open(&self.ledger)?;
        let store = KeyStore::beside(&self.ledger);
        journal::write(&self.journal, &origin, &reader.views.state.regions, &store, 0..commands)?;
        Ok(json!({"commands": commands}))
    }

    fn bare(&self) -> Result<Value> {
        let sync = bare::fdatasync(&self.dir, 2000)?;
        Ok(json!({"fdatasync_us": micros(sync)}))
    }

    /// Loads the journal as `submit` does, then dies without a goodbye: what is left is what kill -9 leaves.
    fn load(&self, commands: u64) -> Result<Value> {
        let bare_per_s = self.bare_bulk()?;
        let engine = Engine::open(&self.ledger, Options::default())?;
        let start = Instant::now();
        let mut tickets = VecDeque::new();
        for part in journal::parts(&self.journal, PART)? {
            tickets.push_back(engine.submit(part, Mode::Each, None));
            if tickets.len() > 2 {
                accepted(tickets.pop_front())?;
            }
        }
        for ticket in tickets {
            accepted(Some(ticket))?;
        }
        let per_s = rate(commands, start);
        let line = json!({"commands_per_s": per_s, "bare_per_s": bare_per_s, "rss_mb": memory("VmHWM:")});
        println!("{line}");
        std::process::abort();
    }

    fn bare_bulk(&self) -> Result<f64> {
        let reader = Reader::open(&self.ledger)?;
        let some = self.some_signed(&reader, 50_000)?;
        let took = bare::bulk(&self.dir, &some, PART)?;
        Ok(some.len() as f64 / took.as_secs_f64())
    }

    fn some_signed(&self, reader: &Reader, most: usize) -> Result<Vec<Signed>> {
        let keys = &reader.views.state.keyring.keys;
        let mut some = Vec::new();
        for bytes in journal::parts(&self.journal, PART)?.flatten().take(most) {
            let command = SignedCommand::parse(bytes)?;
            let key = hefu_domain::id::KeyId(command.key().0);
            let public = keys.get(&key).context("the journal's keys are registered")?.public;
            let (message, signature) = (command.signing_message(), command.signature());
            let stored = command.into_bytes();
            some.push(Signed { public: PublicKey(public.0), message, signature, stored });
        }
        Ok(some)
    }

    fn open(&self) -> Result<Value> {
        let options = Options { index: false, ..Options::default() };
        let start = Instant::now();
        let engine = Engine::open(&self.ledger, options)?;
        let seconds = start.elapsed().as_secs_f64();
        let rss = memory("VmRSS:");
        let events = engine.views().read().map_or(0, |views| views.size);
        let replayed = engine.opened().replayed;
        engine.close()?;
        Ok(json!({"seconds": seconds, "events": events, "replayed": replayed, "rss_mb": rss}))
    }

    /// One writer that waits for each answer.
    fn latency(&self) -> Result<Value> {
        let journal = self.dir.join("single.jsonl");
        let reader = Reader::open(&self.ledger)?;
        let store = KeyStore::beside(&self.ledger);
        let other_projects = 1_000_000_000..1_000_002_000;
        journal::write(&journal, &reader.origin, &reader.views.state.regions, &store, other_projects)?;
        let options = Options { index: false, ..Options::default() };
        let engine = Engine::open(&self.ledger, options)?;
        let mut samples = Vec::new();
        for bytes in journal::parts(&journal, 1)?.flatten() {
            let start = Instant::now();
            accepted(Some(engine.submit(vec![bytes], Mode::Each, None)))?;
            samples.push(start.elapsed());
        }
        engine.close()?;
        samples.sort_unstable();
        let at = |share: usize| micros(samples[samples.len() * share / 100]);
        Ok(json!({"p50_us": at(50), "p99_us": at(99)}))
    }

    fn queries(&self) -> Result<Value> {
        let reader = Reader::open(&self.ledger)?;
        let start = Instant::now();
        let views = replay_views(&self.ledger, reader.log(), &reader.origin, None, false)?;
        let rebuild = rate(views.size, start);
        let regions: Vec<_> = views.state.regions.iter().map(|region| region.id).collect();
        let periods: Vec<Period> = ["2023", "2023-Q3", "2023-07", "2024-01..02", "2024"]
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let indicators = u16::try_from(views.state.indicators.len())?;
        let mut samples = Vec::new();
        for number in 0..20_000usize {
            let region = regions[number * 31 % regions.len()];
            let period = periods[number % periods.len()];
            let indicator = IndicatorId(u16::try_from(number)? % indicators);
            let start = Instant::now();
            std::hint::black_box(views.counting.row(&views.state, region, indicator, period));
            samples.push(start.elapsed());
        }
        samples.sort_unstable();
        let at = |share: usize| samples[samples.len() * share / 100].as_secs_f64() * 1e6;
        let mut past = Vec::new();
        for number in 0..2_000u64 {
            let region = regions[usize::try_from(number * 31)? % regions.len()];
            let period = periods[usize::try_from(number)? % periods.len()];
            let indicator = IndicatorId(u16::try_from(number)? % indicators);
            let size = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % views.size;
            let start = Instant::now();
            std::hint::black_box(views.counting.row_at(&views.state, region, (indicator, period), size));
            past.push(start.elapsed());
        }
        past.sort_unstable();
        let past_at = |share: usize| past[past.len() * share / 100].as_secs_f64() * 1e6;
        let engine = Engine::open(&self.ledger, Options::default())?;
        engine.close()?;
        let index = folder_bytes(&self.ledger.join("index")) as f64;
        let segments = folder_bytes(&self.ledger.join("segments")) as f64;
        Ok(json!({"rebuild_per_s": rebuild, "cell_p50_us": at(50), "cell_p99_us": at(99),
                  "past_p50_us": past_at(50), "past_p99_us": past_at(99),
                  "index_ratio": index / segments}))
    }

    /// The first checkpoint, one of 1,000 new records beside a writer, proofs, and a site.
    fn publish(&self) -> Result<Value> {
        let start = Instant::now();
        let first = Publisher::open(&self.ledger)?.checkpoint(&|_| {})?.checkpoint.size;
        let read_back = rate(first, start);
        let journal = self.dir.join("more.jsonl");
        let reader = Reader::open(&self.ledger)?;
        let store = KeyStore::beside(&self.ledger);
        let other_projects = 2_000_000_000..2_000_001_000;
        journal::write(&journal, &reader.origin, &reader.views.state.regions, &store, other_projects)?;
        drop(reader);
        let engine = Engine::open(&self.ledger, Options { index: false, ..Options::default() })?;
        for part in journal::parts(&journal, PART)? {
            accepted(Some(engine.submit(part, Mode::Each, None)))?;
        }
        let start = Instant::now();
        let size = engine.checkpoint_now()?.checkpoint.size;
        let lag = start.elapsed().as_secs_f64();
        let prover = engine.prover()?;
        let mut samples = Vec::new();
        for number in 0..20_000u64 {
            let position = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % size;
            let start = Instant::now();
            std::hint::black_box(prover.inclusion(position)?);
            samples.push(start.elapsed());
        }
        samples.sort_unstable();
        let at = |share: usize| micros(samples[samples.len() * share / 100]);
        engine.close()?;
        let handed = Handed::at(&self.dir);
        let to = Export { dir: handed.site.clone(), public: false, vkey: None };
        let start = Instant::now();
        Publisher::open(&self.ledger)?.export(&to, &|_| {})?;
        let export = rate(size, start);
        let megabytes = folder_bytes(&handed.site) as f64 / 1e6;
        handed.write_bundle(&self.ledger, size)?;
        Ok(json!({"read_back_per_s": read_back, "new": size - first, "size": size, "lag_s": lag,
                  "proof_p50_us": at(50), "proof_p99_us": at(99), "export_per_s": export, "site_mb": megabytes}))
    }

    fn verify(&self) -> Result<Value> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.ledger.join("segments"))?.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
        files.sort();
        let images: Vec<(String, Vec<u8>)> = files
            .iter()
            .map(|path| {
                Ok((
                    path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    std::fs::read(path)?,
                ))
            })
            .collect::<Result<_>>()?;
        let segments: Vec<Segment<'_>> = images.iter().map(|(name, bytes)| Segment { name, bytes }).collect();
        let threads = std::thread::available_parallelism()?.get();
        let full = |hashes_only: bool| -> Result<f64> {
            let start = Instant::now();
            let options = verify::Options { threads, hashes_only, ..verify::Options::default() };
            let report = verify::verify(&segments, options);
            if !report.findings.is_empty() {
                bail!("the verifier found {:?}", report.findings[0]);
            }
            Ok(rate(report.size, start))
        };
        let (full_per_s, hashes_per_s) = (full(false)?, full(true)?);
        let reader = Reader::open(&self.ledger)?;
        let some = self.some_signed(&reader, 50_000)?;
        let chain = ChainContext::new(&reader.origin);
        let loops = |work: &(dyn Fn(&[Signed]) + Sync)| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for part in some.chunks(some.len().div_ceil(threads)) {
                    scope.spawn(move || work(part));
                }
            });
            rate(some.len() as u64, start)
        };
        let hashes = |part: &[Signed]| part.iter().for_each(|one| bare::hash(&chain, &one.stored));
        let bare_hashes = loops(&hashes);
        let bare_full = loops(&|part: &[Signed]| {
            hashes(part);
            bare::check(part);
        });
        let mut logical = 0u64;
        reader.log().scan(0, &mut |record: RecordRef<'_>| {
            logical += (record.leaf.len() + record.body.len() + record.command.len()) as u64;
            std::ops::ControlFlow::Continue(())
        })?;
        let stored: u64 = images.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        Ok(json!({"full_per_s": full_per_s, "hashes_per_s": hashes_per_s, "bare_full_per_s": bare_full,
                  "bare_hashes_per_s": bare_hashes, "disk_ratio": stored as f64 / logical as f64}))
    }
}

fn accepted(ticket: Option<hefu_engine::Ticket>) -> Result<()> {
    for answer in ticket.map_or(Ok(Vec::new()), hefu_engine::Ticket::wait)? {
        if let Answer::Refused(refused, _) = answer {
            bail!("refused: {refused}");
        }
    }
    Ok(())
}

pub(super) fn rate(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

fn micros(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A figure of `/proc/self/status` in MB.
pub(super) fn memory(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
