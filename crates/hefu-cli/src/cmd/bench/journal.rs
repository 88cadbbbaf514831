//! The journal of the bulk load: firms, projects and monthly observations of 90 counties, signed beforehand.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result};
use hefu_chain::{
    canonical,
    command::{EnvelopeParts, SignedCommand},
    origin::Origin,
};
use hefu_domain::{
    id::{BadEnterpriseCode, EnterpriseCode},
    region::{Level, RegionTree},
    time::Timestamp,
};
use hefu_engine::{KeyStore, StoredKey, system_clock};
use serde_json::{Value, json};
use uuid::Uuid;

/// Observations of one project: nine indicators, and months enough.
const OBSERVATIONS: u64 = 98;

/// Writes the commands with these numbers, signed on two threads, one a line. Other numbers are other projects.
pub(super) fn write(
    path: &Path,
    origin: &Origin,
    tree: &RegionTree,
    store: &KeyStore,
    numbers: std::ops::Range<u64>,
) -> Result<()> {
    let counties = tree.iter().filter(|region| region.level == Level::County).take(90);
    let counties: Vec<String> = counties.map(|region| region.code().to_string()).collect();
    let keys: Vec<StoredKey> = counties.iter().map(|code| store.load(code)).collect::<Result<_, _>>()?;
    let now = system_clock();
    let mut out = BufWriter::new(File::create(path)?);
    let numbers: Vec<u64> = numbers.collect();
    for part in numbers.chunks(16_384) {
        let (left, right) = part.split_at(part.len() / 2);
        let sign = |numbers: &[u64]| -> Result<Vec<SignedCommand>> {
            numbers.iter().map(|number| signed(*number, origin, &counties, &keys, now)).collect()
        };
        let (left, right) = std::thread::scope(|scope| {
            let left = scope.spawn(|| sign(left));
            let right = sign(right);
            (left.join(), right)
        });
        let left = left.map_err(|_| anyhow::anyhow!("a signing thread panicked"))??;
        for command in left.iter().chain(&right?) {
            out.write_all(command.bytes())?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(())
}

fn signed(
    number: u64,
    origin: &Origin,
    counties: &[String],
    keys: &[StoredKey],
    now: Timestamp,
) -> Result<SignedCommand> {
    let (project, step) = (number / (OBSERVATIONS + 2), number % (OBSERVATIONS + 2));
    let office = usize::try_from(project)? % counties.len();
    let command = command(project, step, &counties[office]);
    let json = canonical::to_vec(&command)?;
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    let parts = EnvelopeParts {
        at: &now.to_string(),
        command_json: &json,
        id: Uuid::from_u128(u128::from(number) << 64 | 0xbe0c),
        ledger: origin,
        nonce,
        not_after: &now.plus_seconds(86_400).to_string(),
    };
    SignedCommand::sign(parts, &keys[office].secret).context("signing the journal")
}

fn command(project: u64, step: u64, county: &str) -> Value {
    let id = Uuid::from_u128(0x0198_b2c4_0000_7000_8000_0000_0000_0000 + u128::from(project));
    match step {
        0 => json!({"type": "register_enterprise", "enterprise": enterprise(project), "region": county,
                    "name": format!("测试企业{project}有限公司")}),
        1 => json!({"type": "register_project", "project": id.to_string(), "enterprise": enterprise(project),
                    "origin": county, "name": format!("测试裂变项目{project}"), "industry": "C34",
                    "date": "2019-01-10", "planned_investment": "1200000000.00"}),
        _ => {
            let indicators =
                ["INV_FAI", "INV_TECH", "VA_IND", "OUTPUT", "RD_EXP", "ZS_FUND", "ZS_FDI", "EMP"];
            let nth = step - 2;
            let indicator = indicators[usize::try_from(nth % 8).unwrap_or_default()];
            let month = nth / 8;
            let amount = 1_000_000 + (project * 7919 + step * 104_729) % 90_000_000;
            let value =
                if indicator == "EMP" { format!("{}", amount % 5000) } else { format!("{amount}.37") };
            json!({"type": "report_observation", "project": id.to_string(), "indicator": indicator,
                   "period": format!("{}-{:02}", 2023 + month / 12, month % 12 + 1), "value": value})
        }
    }
}

fn enterprise(project: u64) -> String {
    let body = format!("9133010{project:010}");
    match format!("{body}0").parse::<EnterpriseCode>() {
        Err(BadEnterpriseCode::Check(_, check)) => format!("{body}{check}"),
        Ok(_) | Err(BadEnterpriseCode::Form(_) | BadEnterpriseCode::Capitals(..)) => format!("{body}0"),
    }
}

/// Reads the journal in parts.
pub(super) fn parts(path: &Path, size: usize) -> Result<impl Iterator<Item = Vec<Vec<u8>>>> {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(path)?).split(b'\n');
    Ok(std::iter::from_fn(move || {
        let part: Vec<Vec<u8>> = lines.by_ref().take(size).map_while(Result::ok).collect();
        (!part.is_empty()).then_some(part)
    }))
}
