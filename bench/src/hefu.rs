//! Hefu over gRPC.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, bail};
use hefu_api::v1::{
    IndicatorsRequest, Moment, ReadRecordsRequest, SubmitBatchRequest, SubmitRequest, answer,
    audit_service_client::AuditServiceClient, ledger_service_client::LedgerServiceClient,
    query_service_client::QueryServiceClient,
};
use tonic::{Request, transport::Channel};

use crate::{Load, all, rate};

/// Commands in one message of a stream.
const PART: usize = 256;

async fn channel(url: &str) -> Result<Channel> {
    Ok(Channel::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await?)
}

/// One connection a writer; every command must be accepted.
pub(crate) async fn write(url: &str, load: Arc<Load>) -> Result<f64> {
    let mut writers = Vec::new();
    for _ in 0..load.len() {
        writers.push(LedgerServiceClient::new(channel(url).await?));
    }
    let submit = |mut writer: LedgerServiceClient<Channel>, command: Vec<u8>| async move {
        // A refusal is a status.
        writer.submit(SubmitRequest { command, dry_run: false }).await?;
        Ok(())
    };
    all(load, writers, submit).await
}

/// One stream; every command must be accepted.
pub(crate) async fn stream(url: &str, commands: Vec<Vec<u8>>) -> Result<f64> {
    let count = commands.len();
    let mut writer = LedgerServiceClient::new(channel(url).await?);
    let parts: Vec<SubmitBatchRequest> = commands
        .chunks(PART)
        .map(|part| SubmitBatchRequest { commands: part.to_vec(), ..SubmitBatchRequest::default() })
        .collect();
    let start = Instant::now();
    let mut answers = writer.submit_batch(tokio_stream::iter(parts)).await?.into_inner();
    let mut accepted = 0;
    while let Some(message) = answers.message().await? {
        for answer in message.answers {
            match answer.outcome {
                Some(answer::Outcome::Accepted(_)) => accepted += 1,
                other => bail!("not accepted: {other:?}"),
            }
        }
    }
    if accepted != count {
        bail!("{accepted} of {count} commands were answered");
    }
    Ok(rate(count, start))
}

/// A token of an auditor.
pub(crate) fn token(hefu: &Path, ledger: &Path) -> Result<String> {
    let made = Command::new(hefu)
        .arg("-L")
        .arg(ledger)
        .args(["token", "create", "bench", "--role", "auditor", "--format", "json"])
        .output()?;
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).context("no token was made")?;
    Ok(told["token"].as_str().context("a token")?.to_owned())
}

fn bearer<T>(token: &str, message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

/// Reads every record once.
pub(crate) async fn records(url: &str, token: &str) -> Result<f64> {
    let mut client = AuditServiceClient::new(channel(url).await?).max_decoding_message_size(64 << 20);
    let start = Instant::now();
    let all = ReadRecordsRequest::default();
    let mut stream = client.read_records(bearer(token, all)?).await?.into_inner();
    let mut count = 0;
    while let Some(message) = stream.message().await? {
        count += message.records.len();
    }
    Ok(rate(count, start))
}

/// Single cells, by 16 who ask at once and by one; and as of positions in the past.
pub(crate) async fn ask(url: &str, token: &str) -> Result<()> {
    let client = QueryServiceClient::new(channel(url).await?);
    let regions = ["330108", "330122", "330100", "330881", "330000", "330700", "330281", "330109"];
    let indicators = ["INV_FAI", "VA_IND", "RD_EXP", "OUTPUT"];
    let question = move |number: u64, as_of: Option<u64>| {
        let at = usize::try_from(number).unwrap_or(0);
        IndicatorsRequest {
            region: regions[at % regions.len()].to_owned(),
            period: ["2023", "2023-Q3", "2023-07", "2024-01..02"][at / 8 % 4].to_owned(),
            indicators: vec![indicators[at / 32 % 4].to_owned()],
            moment: as_of.map(|as_of| Moment { as_of: as_of.to_string(), ..Moment::default() }),
            ..IndicatorsRequest::default()
        }
    };
    let first = client.clone().indicators(bearer(token, question(0, None))?).await?.into_inner();
    let size = first.position;
    let (askers, each) = (16u64, 2_000u64);
    let start = Instant::now();
    let tasks = (0..askers).map(|asker| {
        let (mut client, token) = (client.clone(), token.to_owned());
        tokio::spawn(async move {
            for number in 0..each {
                let answer =
                    client.indicators(bearer(&token, question(asker * each + number, None))?).await?;
                if answer.into_inner().rows.len() != 1 {
                    bail!("one cell was asked for");
                }
            }
            Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    let cells = rate(usize::try_from(askers * each)?, start);
    println!("| one cell, server on one core, 16 ask at once | {cells:.0}/s | | | | ≥ 5,000/s |");
    let mut client = client;
    // Not before the regions were there.
    let position = |number: u64| 1_000 + number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (size - 1_000);
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for round in 0..20u64 {
        for number in 0..100u64 {
            let asked = bearer(token, question(number, Some(position(round))))?;
            let start = Instant::now();
            client.indicators(asked).await?;
            (if number == 0 { &mut first } else { &mut again }).push(start.elapsed());
        }
    }
    for (what, mut took) in [("the first", first), ("each further one", again)] {
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
        let (half, most) = (at(50), at(99));
        println!(
            "| {what} cell as of a past position of {size} records, p50 (p99) | {half:.2} ms ({most:.2} ms) | | | | < 10 ms |"
        );
    }
    Ok(())
}
