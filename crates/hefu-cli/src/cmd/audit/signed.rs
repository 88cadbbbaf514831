//! `hefu audit key`: everything that a key signed. After a theft: what the thief may have signed.

use std::ops::ControlFlow;

use hefu_chain::leaf::LeafRef;
use hefu_domain::{
    authority::{Key, Role},
    id::KeyId,
    region::RegionCode,
    state::State,
};
use serde_json::json;

use crate::{
    context::Context,
    error::{CliError, Result, exit, store_error},
    lang::text,
    render::{self, Column, Json, Page, Table, plain},
};

/// `hefu audit key`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A key id; or an authority, such as 330108 or 330108/coordinator: then all keys it ever had
    pub(crate) key: String,
    /// Only what was recorded from where the key is said to be compromised
    #[arg(long)]
    pub(crate) suspect: bool,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let reader = context.reader()?;
    let keys = find(&reader.views.state, &args.key)?;
    let mut table = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("ts", "入账时间", "recorded at"),
        Column::text("key", "密钥", "key"),
        Column::text("type", "事件", "event"),
        Column::text("stream", "流", "stream"),
        Column::text("command", "命令编号", "command"),
        Column::text("suspect", "存疑", "suspect"),
    ]);
    let mut last = None;
    let mut suspects = 0;
    let scanned = reader.log().scan(0, &mut |record| {
        let Ok(leaf) = LeafRef::parse(record.leaf) else { return ControlFlow::Continue(()) };
        let signer = keys.iter().find(|(id, _)| id.0 == leaf.actor.0);
        // One line a command, at its first record.
        let Some((id, key)) = signer.filter(|_| last != Some(leaf.command)) else {
            return ControlFlow::Continue(());
        };
        last = Some(leaf.command);
        let suspect = key.compromised_since.is_some_and(|since| since <= record.position);
        if suspect || !args.suspect {
            suspects += u64::from(suspect);
            table.rows.push(vec![
                plain(record.position),
                plain(leaf.ts),
                plain(id.to_string()),
                plain(leaf.kind),
                plain(leaf.stream),
                plain(leaf.command.to_string()),
                plain(suspect),
            ]);
        }
        ControlFlow::Continue(())
    });
    scanned.map_err(|error| store_error(&error))?;
    let described = |(id, key): &(KeyId, &Key)| {
        json!({"key": id.to_string(), "person": key.person, "ended": key.ended.map(|ts| ts.to_string()),
            "compromised_since": key.compromised_since})
    };
    let listed: Vec<Json> = keys.iter().map(|key| described(key).into()).collect();
    let json = Json::Object(vec![
        ("keys", Json::List(listed)),
        ("suspect", suspects.into()),
        ("rows", Json::List(table.objects())),
    ]);
    let note = text(
        format!("{} 条命令,其中 {suspects} 条存疑;存疑不等于无效,只能由裁定更正", table.rows.len()),
        format!(
            "{} commands, {suspects} of them suspect: that undoes nothing, only a ruling or a later fact does",
            table.rows.len()
        ),
    );
    render::print(context, &Page { tables: vec![table], data: None, notes: vec![note], json })?;
    Ok(exit::DONE)
}

/// The key with this id, or all keys that the authority ever had.
fn find<'s>(state: &'s State, name: &str) -> Result<Vec<(KeyId, &'s Key)>> {
    let all = || state.keyring.keys.iter().map(|(id, key)| (*id, key));
    let found: Vec<_> = if let Ok(id) = name.parse::<KeyId>() {
        all().filter(|(known, _)| *known == id).collect()
    } else {
        let (region, role) = name.split_once('/').unwrap_or((name, Role::Office.name()));
        let region = region.parse::<RegionCode>().ok().and_then(|code| state.regions.find(code));
        let of = |key: &Key| region.is_some_and(|region| key.region == region.id) && key.role.name() == role;
        all().filter(|(_, key)| of(key)).collect()
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let message = text(format!("没有密钥 `{name}`"), format!("there is no key `{name}` on record"));
    let hint = text(
        "用密钥编号,或 330108、330108/coordinator 这样的机构名",
        "use a key id, or an authority such as 330108 or 330108/coordinator",
    );
    Err(CliError::new("unknown_key", exit::REFUSED, message).hint(hint).at("value", name))
}
