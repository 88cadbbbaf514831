//! What the witnesses of a ledger saw, against what the ledger has.

use std::path::PathBuf;

use hefu_client::{FailMode, Standing};
use hefu_engine::Shown;
use serde_json::{Value, json};

use super::super::verify::read_policy;
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Column, Page, Table, plain, shown},
    witnesses::{Witnesses, must_name},
};

/// `hefu audit witness check`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy file with the witnesses and where they are (C2SP tlog-policy); by default the one kept for the ledger
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
}

/// Asks and compares. Exit 2 if a witness saw another history, 1 if one cannot be asked.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let witnesses = match &args.witnesses {
        Some(file) => Witnesses::new(read_policy(file)?, FailMode::Closed),
        None => context.witnesses()?.ok_or_else(|| {
            let message = text("请指明见证政策文件", "name a policy of witnesses");
            let hint = text(
                "--witnesses FILE,或先用 `hefu audit witness use FILE` 设定",
                "--witnesses FILE, or set one with `hefu audit witness use FILE`",
            );
            CliError::usage(message).hint(hint)
        })?,
    };
    let log = Shown::open(context.dir()?)?;
    must_name(witnesses.policy(), log.origin().as_str())?;
    let mut table = Table::new(vec![
        Column::text("witness", "见证人", "witness"),
        Column::text("standing", "状态", "standing"),
        Column::number("size", "记录数", "records"),
        Column::text("why", "说明", "why"),
    ]);
    let (mut worst, mut listed) = (exit::DONE, Vec::new());
    for (witness, standing) in witnesses.standings(&log) {
        let (code, word, says, size) = words(&standing);
        worst = worst.max(code);
        let shown_note = match &standing {
            Standing::Ahead(_, note) | Standing::Differs(_, note) => json!(note),
            Standing::Agrees(..) | Standing::New | Standing::Silent(_) => Value::Null,
        };
        let why = says.get(context.lang).to_owned();
        listed.push(
            json!({"witness": witness, "standing": word, "size": size, "why": why, "checkpoint": shown_note}),
        );
        table.rows.push(vec![plain(witness), shown(word, word), plain(size), plain(why)]);
    }
    let json = json!({"size": log.size(), "witnesses": listed});
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json: json.into() })?;
    Ok(worst)
}

fn words(standing: &Standing) -> (u8, &'static str, Text, Value) {
    match standing {
        Standing::Agrees(seen, _) => {
            (exit::DONE, "agrees", text("一致", "the ledger has what it saw"), json!(seen.size))
        }
        Standing::New => (exit::DONE, "new", text("尚未联署", "it has cosigned nothing yet"), Value::Null),
        Standing::Ahead(seen, _) => (
            exit::PROVEN_BAD,
            "ahead",
            text(
                "见证过的记录比账本多:账本丢失了记录,或由旧备份恢复",
                "it saw more records: the ledger lost some, or is an older backup",
            ),
            json!(seen.size),
        ),
        Standing::Differs(seen, _) => (
            exit::PROVEN_BAD,
            "differs",
            text("见证过另一份历史", "it saw another history"),
            json!(seen.size),
        ),
        Standing::Silent(why) => (exit::REFUSED, "silent", text(why.clone(), why.clone()), Value::Null),
    }
}
