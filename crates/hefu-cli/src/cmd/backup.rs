//! `hefu backup`: a copy of the ledger that can take its place, beside a writer at work.

use std::path::PathBuf;

use hefu_engine::{BackedUp, backup};

use crate::{
    context::Context,
    error::{Result, exit},
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown},
};

/// `hefu backup`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the backup: a new one, or an earlier backup of this ledger to go on from
    pub(crate) to: PathBuf,
    /// Copy the secret keys beside the ledger too, to a folder beside the backup
    #[arg(long)]
    pub(crate) keys: bool,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    context.exists()?;
    let progress = context.progress(None, &text("核验", "verifying"));
    let done = backup(context.dir()?, &args.to, args.keys, &|more| progress.more(more))?;
    drop(progress);
    let BackedUp { origin, size, head, before, files, bytes, keys } = done;
    let mut table = Table::new(vec![
        Column::text("backup", "备份", "backup"),
        Column::text("origin", "账本", "ledger"),
        Column::number("size", "记录数", "records"),
        Column::number("before", "此前", "before"),
        Column::number("files", "写入文件", "files written"),
        Column::number("bytes", "写入字节", "bytes written"),
        Column::number("keys", "密钥", "keys"),
        Column::text("head", "链头", "head"),
    ]);
    let head = head.to_string();
    table.rows.push(vec![
        plain(args.to.display().to_string()),
        plain(origin.to_string()),
        plain(size),
        plain(before),
        plain(files),
        plain(bytes),
        plain(keys),
        shown(head[..16].to_owned(), head),
    ]);
    let json = table.objects().into_iter().next().unwrap_or(Json::List(Vec::new()));
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    if !args.keys {
        context.say(&text(
            "未含密钥:请另行保管日志密钥 log.key,没有它恢复后的账本只能查看",
            "no keys in it: keep log.key elsewhere, without it a restored ledger can only be read",
        ));
    }
    Ok(exit::DONE)
}
