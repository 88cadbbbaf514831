//! `hefu init`: a new ledger, its keys, its policy and its regions.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hefu_chain::origin::Origin;
use hefu_domain::{policy::Policy, region::RegionCode};
use hefu_engine::{EngineError, Genesis, KeyStore, StoredKey, create, create_dev, system_clock};
use hefu_exchange::{policy, regions, regions::RegionData, text::decode};
use hefu_store::Backend;

use crate::{
    context::{Context, read_file},
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Column, Json, Page, Table, plain},
};

/// Which log a ledger is made with.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Log {
    #[default]
    Segments,
    Sled,
}

/// `hefu init`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to make it; the folder must not exist
    pub(crate) dir: PathBuf,
    /// Name of the ledger: a URL without its scheme, such as ledger.example.cn/zj
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Origin,
    /// Table of regions, or zhejiang for the built-in one
    #[arg(long, value_name = "FILE|zhejiang")]
    pub(crate) regions: PathBuf,
    /// Table of borders between counties
    #[arg(long, value_name = "FILE")]
    pub(crate) adjacency: Option<PathBuf>,
    /// Policy in TOML; by default the built-in one
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Region whose coordinator adopts policy and regions; by default the first province
    #[arg(long, value_name = "REGION")]
    pub(crate) host: Option<RegionCode>,
    /// Make a key for every region and role, for trials and tests
    #[arg(long)]
    pub(crate) dev_keys: bool,
    /// Number of root keys
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) roots: u32,
    /// How many root keys must sign together
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) threshold: u32,
    /// Who holds a root key; once for each
    #[arg(long, value_name = "PERSON")]
    pub(crate) root_person: Vec<String>,
    /// Back-end of the log
    #[arg(long, value_name = "LOG", default_value = "segments")]
    pub(crate) log: Log,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let built_in = args.regions.as_os_str() == "zhejiang";
    let data = if built_in && args.adjacency.is_none() { regions::zhejiang() } else { tables(args)? };
    let policy = match &args.policy {
        Some(path) => {
            let config = |error: CliError| error.exiting(exit::BAD_CONFIG);
            let toml = read_text(path).map_err(config)?;
            policy::read_toml(&toml, &path.display().to_string()).map_err(|error| config(error.into()))?
        }
        None if built_in => policy::zhejiang(&data),
        None => Policy::default(),
    };
    let host = args.host.unwrap_or(data.host);
    if !data.regions.iter().any(|entry| entry.code == host) {
        let message = text(format!("没有地区 {host}"), format!("there is no region {host}"));
        return Err(CliError::usage(message).at("field", "host"));
    }
    if args.threshold > args.roots {
        let message =
            text("共同签署数不能大于根密钥数", "the threshold is larger than the number of root keys");
        return Err(CliError::usage(message).at("field", "threshold"));
    }
    let backend = match args.log {
        Log::Segments => Backend::Segments,
        Log::Sled => Backend::Sled,
    };
    let keys = KeyStore::beside(&args.dir);
    for path in [args.dir.as_path(), keys.folder()] {
        if path.exists() {
            let path = path.display().to_string();
            let message = text(format!("{path} 已存在"), format!("{path} exists already"));
            let hint =
                text("账本建在新的目录;请换一个名称", "a ledger is made in a new place: choose another name");
            return Err(CliError::new("exists", exit::CANNOT_CREATE, message).hint(hint).at("file", path));
        }
    }
    let (regions, origin) = (data.regions.len(), args.origin.clone());
    let made = if args.dev_keys {
        create_dev(&args.dir, origin, host, policy, (data.regions, data.adjacency), backend, system_clock)
    } else {
        let person = |number: u32| {
            let named = args.root_person.get(number as usize - 1).cloned();
            named.unwrap_or_else(|| format!("root holder {number}"))
        };
        let roots = (1..=args.roots).map(|number| StoredKey::generate(&person(number), None));
        let genesis = Genesis {
            origin,
            host,
            policy,
            regions: data.regions,
            adjacency: data.adjacency,
            log_key: StoredKey::generate("operator", None)?,
            roots: roots.collect::<std::result::Result<_, _>>()?,
            threshold: args.threshold,
            backend,
            continues: None,
            authorities: Vec::new(),
        };
        create(&args.dir, &genesis, system_clock)
    };
    made.map_err(uncreated)?;
    told(context, args, &keys, regions)
}

fn told(context: &Context, args: &Args, keys: &KeyStore, regions: usize) -> Result<u8> {
    let (dir, folder) = (args.dir.display().to_string(), keys.folder().display().to_string());
    let mut table = Table::new(vec![
        Column::text("ledger", "账本", "ledger"),
        Column::text("origin", "名称", "origin"),
        Column::number("regions", "地区数", "regions"),
        Column::text("keys", "密钥目录", "keys"),
    ]);
    let origin = args.origin.to_string();
    table.rows.push(vec![plain(dir.clone()), plain(origin), plain(regions), plain(folder.clone())]);
    let json = table.objects().into_iter().next().unwrap_or(Json::List(Vec::new()));
    let next = format!("hefu -L {dir} submit journal.jsonl");
    let warning = if args.dev_keys {
        text(
            "密钥目录含所有地区的密钥,仅供试用",
            "the key folder holds the keys of every region: for trials only",
        )
    } else {
        text(
            "请将根密钥移至各持有人处,账本目录只留 log.key",
            "give the root keys to their holders and leave only log.key beside the ledger",
        )
    };
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    context.say(&warning);
    context.say(&text(format!("下一步:{next}"), format!("next: {next}")));
    Ok(exit::DONE)
}

fn tables(args: &Args) -> Result<RegionData> {
    let config = |error: CliError| error.exiting(exit::BAD_CONFIG);
    let csv = read_text(&args.regions).map_err(|error| {
        let hint = text(
            "内置地区只有 zhejiang;其他地区请给出 CSV 地区表",
            "only `zhejiang` is built in; for other regions name a table in CSV",
        );
        config(if args.regions.exists() { error } else { error.hint(hint) })
    })?;
    let borders = args.adjacency.as_ref().map(|path| Ok((read_text(path)?, path.display().to_string())));
    let borders: Option<(String, String)> = borders.transpose().map_err(config)?;
    let borders = borders.as_ref().map(|(text, file)| (text.as_str(), file.as_str()));
    let read = regions::read(&csv, &args.regions.display().to_string(), borders);
    read.map_err(|error| config(error.into()))
}

fn read_text(path: &Path) -> Result<String> {
    Ok(decode(&read_file(path)?, &path.display().to_string())?)
}

/// Whatever stops the making of a ledger is a failure to create.
fn uncreated(error: EngineError) -> CliError {
    let refused = matches!(error, EngineError::Sign(_));
    let exit = if refused { exit::BAD_CONFIG } else { exit::CANNOT_CREATE };
    CliError::from(error).exiting(exit)
}
