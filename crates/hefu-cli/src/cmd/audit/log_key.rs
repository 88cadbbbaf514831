//! `hefu audit rotate-log-key`: the log gets a new key of its own.
//!
//! In normal life the old key signs that; with `--root` the root keys do, because the old one is lost or in wrong hands.
//! The new key is made here and lies in the key store before the ledger names it.

use hefu_engine::{By, NotRotated, StoredKey, rotate_log_key};
use serde_json::json;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render::{self, Column, Page, Table, plain},
};

/// `hefu audit rotate-log-key`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old key is lost or in wrong hands: these root keys sign instead, such as root-1; once for each
    #[arg(long = "root", value_name = "KEY")]
    pub(crate) roots: Vec<String>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let keys = context.keys()?;
    let roots: Vec<StoredKey> =
        args.roots.iter().map(|name| keys.load(name)).collect::<std::result::Result<_, _>>()?;
    let by = if roots.is_empty() { By::OldKey } else { By::Roots(&roots) };
    let rotated = rotate_log_key(context.dir()?, &context.options()?, &by).map_err(|error| match error {
        NotRotated::Engine(error) => error.into(),
        NotRotated::Refused(refused) => CliError::refused(&refused),
    })?;
    let until = rotated.both_until.map(|until| until.to_string());
    let mut data = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("key", "新密钥", "new key"),
        Column::text("public", "新公钥", "new public key"),
        Column::text("old", "旧密钥", "old key"),
        Column::text("both_until", "双签至", "both sign until"),
    ]);
    data.rows.push(vec![
        plain(rotated.position),
        plain(rotated.key.to_string()),
        plain(rotated.public.to_string()),
        plain(rotated.old.to_string()),
        plain(until.clone()),
    ]);
    let json = json!({"position": rotated.position, "key": rotated.key, "public": rotated.public,
        "old": rotated.old, "both_until": until});
    let folder = keys.folder().display();
    let old = format!("{folder}/log-{}.key", rotated.old);
    let note = match until {
        Some(until) => text(
            format!("请公布新公钥;{until} 之前检查点由新旧两把密钥共同签署,此后销毁 {old}"),
            format!("publish the new key; until {until} both keys sign checkpoints, then destroy {old}"),
        ),
        None => text(
            format!("请公布新公钥;旧密钥此后的签名无效,若 {old} 还在,请销毁"),
            format!(
                "publish the new key; what the old one signs from now on is void: destroy {old} if it is there"
            ),
        ),
    };
    render::print(
        context,
        &Page { tables: Vec::new(), data: Some(data), notes: vec![note], json: json.into() },
    )?;
    Ok(exit::DONE)
}
