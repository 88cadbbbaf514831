//! Making a witness, telling it of logs, looking at what it remembers.

use std::path::PathBuf;

use hefu_chain::note::KeyName;
use hefu_witness::Witness;
use serde_json::{Value, json};

use crate::{
    cmd::audit::key::LogKey,
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Column, Page, Table, plain},
};

/// `hefu audit witness init`
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Folder of the witness, to be made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Its name, such as witness.example/330100; cosignatures carry it
    #[arg(long, value_name = "NAME")]
    name: KeyName,
}

/// `hefu audit witness add-log`
#[derive(Debug, clap::Args)]
pub(crate) struct AddLog {
    /// Folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The log's verifier key, or a file that holds it
    #[arg(value_name = "VKEY|FILE")]
    vkey: String,
}

/// `hefu audit witness status`
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Makes a witness.
pub(super) fn init(context: &Context, args: &Init) -> Result<u8> {
    let key = Witness::create(&args.folder, args.name.clone(), hefu_engine::random_bytes()?)?;
    let dir = args.folder.display();
    let mut data = Table::new(vec![Column::text("vkey", "验证密钥", "key")]);
    data.rows.push(vec![plain(key.to_string())]);
    let notes = vec![
        text(format!("验证密钥:{key}"), format!("key: {key}")),
        text(
            format!("接着:hefu audit witness add-log {dir} LOG.vkey"),
            format!("next: hefu audit witness add-log {dir} LOG.vkey"),
        ),
    ];
    let json = json!({"vkey": key});
    render::print(context, &Page { tables: Vec::new(), data: Some(data), notes, json: json.into() })?;
    Ok(exit::DONE)
}

/// Watches a log.
pub(super) fn add_log(context: &Context, args: &AddLog) -> Result<u8> {
    let key = LogKey::read(&args.vkey)?;
    let named = key.origin().and_then(|origin| key.verifier(&origin));
    let Some(key) = named else {
        let message = text("需要带账本名称的验证密钥", "a verifier key that names its log is needed");
        let hint =
            text("由 `hefu audit export … --vkey FILE` 写出", "`hefu audit export … --vkey FILE` writes it");
        return Err(CliError::new("bad_key", exit::BAD_INPUT, message).hint(hint));
    };
    let origin = Witness::add_log(&args.folder, key)?;
    context.say(&text(format!("已开始见证 {origin}"), format!("{origin} is watched now")));
    Ok(exit::DONE)
}

/// Tells what it remembers.
pub(super) fn status(context: &Context, args: &Status) -> Result<u8> {
    let (key, states) = Witness::look(&args.folder)?;
    let evidence = hefu_witness::evidence_files(&args.folder)?.len();
    let mut table = Table::new(vec![
        Column::text("origin", "账本", "log"),
        Column::number("size", "记录数", "records"),
        Column::text("root", "树根", "root"),
    ]);
    let mut logs = Vec::new();
    for state in &states {
        let root = state.cosigned.as_ref().map_or(Value::Null, |(checkpoint, _)| json!(checkpoint.root));
        table.rows.push(vec![plain(state.origin.as_str()), plain(state.size()), plain(root.clone())]);
        logs.push(json!({"origin": state.origin, "size": state.size(), "root": root}));
    }
    let notes = vec![text(
        format!("见证人 {key};证据文件 {evidence} 份"),
        format!("witness {key}; {evidence} evidence files"),
    )];
    let json = json!({"vkey": key, "logs": logs, "evidence": evidence});
    render::print(context, &Page { tables: vec![table], data: None, notes, json: json.into() })?;
    Ok(exit::DONE)
}
