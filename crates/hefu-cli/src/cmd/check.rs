//! `hefu check`: are the things beside the log, which can be thrown away, what the log says?

use std::{collections::BTreeMap, fs, ops::ControlFlow};

use hefu_chain::{chain::ChainContext, leaf::LeafRef};
use hefu_engine::replay_views;
use hefu_store::{DirLock, LogReader, StoreError, index::Index};
use serde_json::json;

use crate::{
    cmd::audit::files,
    context::Context,
    error::{CliError, Result, exit, store_error},
    lang::{Text, text},
    render::{self, Column, Page, Table, shown},
};

/// `hefu check`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Remove snapshot and index; they are made again from the log
    #[arg(long)]
    pub(crate) rebuild: bool,
}

/// What a look at one thing gave: a word for programs, one for people.
struct Look {
    what: &'static str,
    name: Text,
    state: &'static str,
    says: Text,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let log = files::log(context.dir()?)?;
    let looks = [snapshot(context, &*log)?, index(context, &*log)?];
    let bad = looks.iter().any(|look| look.state == "differs");
    if args.rebuild {
        rebuild(context)?;
    }
    let mut table =
        Table::new(vec![Column::text("what", "对象", "what"), Column::text("state", "状态", "state")]);
    for look in &looks {
        let (name, says) = (look.name.get(context.lang), look.says.get(context.lang));
        table.rows.push(vec![shown(name, look.what), shown(says, look.state)]);
    }
    let listed: Vec<_> = looks.iter().map(|look| json!({"what": look.what, "state": look.state})).collect();
    let json = json!({"records": log.size(), "rebuilt": args.rebuild, "looks": listed});
    let notes = match (bad, args.rebuild) {
        (_, true) => vec![text(
            "快照和索引已移除,下次打开账本时重建",
            "snapshot and index are removed; they are made again when the ledger is opened",
        )],
        (true, false) => {
            vec![text("运行 `hefu check --rebuild` 重建", "make them again with `hefu check --rebuild`")]
        }
        (false, false) => Vec::new(),
    };
    render::print(context, &Page { tables: vec![table], data: None, notes, json: json.into() })?;
    Ok(if bad && !args.rebuild { exit::REFUSED } else { exit::DONE })
}

/// The fold from the snapshot against the fold from zero.
fn snapshot(context: &Context, log: &dyn LogReader) -> Result<Look> {
    let name = text("快照", "snapshot");
    let folder = context.dir()?.join("snapshot");
    let any = fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
    let origin = context.reader()?.origin;
    let dir = context.dir()?;
    let fold = |use_snapshot| replay_views(dir, log, &origin, None, use_snapshot);
    let from_zero = fold(false)?;
    let (state, says) = if !any {
        (
            "absent",
            text(
                format!("无;{} 条记录均可读", from_zero.size),
                format!("none; all {} records can be read", from_zero.size),
            ),
        )
    } else if fold(true)? == from_zero {
        ("same", text("与账本一致", "what the log says"))
    } else {
        ("differs", text("与账本不一致", "not what the log says"))
    };
    Ok(Look { what: "snapshot", name, state, says })
}

/// The index against the leaves.
fn index(context: &Context, log: &dyn LogReader) -> Result<Look> {
    let name = text("索引", "index");
    let look = |state, says| Ok(Look { what: "index", name: name.clone(), state, says });
    let folder = context.dir()?.join("index");
    if !folder.is_dir() {
        return look("absent", text("无", "none"));
    }
    // Held while the index is read: a writer that starts meanwhile is told to wait.
    let _lock = match DirLock::acquire(context.dir()?) {
        Ok(lock) => lock,
        Err(StoreError::Locked { .. }) => {
            return look("in_use", text("正在使用,未检查", "in use; not looked at"));
        }
        Err(error) => return Err(store_error(&error)),
    };
    let index = match Index::open(&folder) {
        Ok(index) => index,
        Err(error) => {
            return look("differs", text(format!("无法读取:{error}"), format!("cannot be read: {error}")));
        }
    };
    let wrong = compare(&index, log, &ChainContext::new(&context.reader()?.origin))?;
    let size = index.applied().0;
    // The index is only read here: a failure to close it says nothing about what it holds.
    let _ = index.close();
    match wrong {
        None => look(
            "same",
            text(format!("与账本一致(至 {size} 条)"), format!("what the log says, up to {size} records")),
        ),
        Some(what) => {
            look("differs", text(format!("与账本不一致:{what}"), format!("not what the log says: {what}")))
        }
    }
}

/// The first stream or type whose positions differ.
fn compare(index: &Index, log: &dyn LogReader, chain: &ChainContext) -> Result<Option<String>> {
    let (size, head) = index.applied();
    let mut names: BTreeMap<(bool, String), Vec<u64>> = BTreeMap::new();
    let mut reached = chain.start().0;
    let scanned = log.scan(0, &mut |record| {
        if record.position >= size {
            return ControlFlow::Break(());
        }
        reached = chain.link(record.leaf).0;
        if let Ok(leaf) = LeafRef::parse(record.leaf) {
            names.entry((true, leaf.stream.to_owned())).or_default().push(record.position);
            names.entry((false, leaf.kind.to_owned())).or_default().push(record.position);
        }
        ControlFlow::Continue(())
    });
    scanned.map_err(|error| store_error(&error))?;
    if size > log.size() || (size > 0 && head != reached) {
        return Ok(Some("head".to_owned()));
    }
    for ((stream, name), positions) in names {
        let found =
            if stream { index.stream(&name, 0, usize::MAX) } else { index.by_type(&name, 0, usize::MAX) };
        if found.map_or(true, |found| found != positions) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Removes what can be made again. Only the one writer may.
fn rebuild(context: &Context) -> Result {
    let _lock = DirLock::acquire(context.dir()?).map_err(|error| store_error(&error))?;
    for folder in ["index", "snapshot"] {
        let path = context.dir()?.join(folder);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::io(("移除", "remove"), &path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}
