//! `hefu audit export`: the tree as a static site, for tools that nobody here wrote.

use std::path::PathBuf;

use hefu_engine::{Export, Exported};

use super::{checkpoint::described, witness::Asking};
use crate::{
    context::Context,
    error::{Result, exit},
    lang::text,
    render::{self, Column, Page, Table, plain},
};

/// `hefu audit export`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the site: a new one, or one to go on from
    #[arg(value_name = "DIR")]
    pub(crate) site: PathBuf,
    /// Leave out the entries: checkpoint and hashes only, fit for witnesses and the public
    #[arg(long)]
    pub(crate) public: bool,
    /// Write the key that checkpoints are checked with to this file, outside the site
    #[arg(long, value_name = "FILE")]
    pub(crate) vkey: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let Args { site, public, vkey, asking } = args;
    let asked = asking.publisher(context)?;
    let publisher = &asked.publisher;
    // Read twice at most: before anything is signed, and to write what is new.
    let records = publisher.size().saturating_sub(publisher.signed_size()) + publisher.size();
    let verifier = publisher.verifier().to_string();
    let to = Export { dir: site.clone(), public: *public, vkey: vkey.clone() };
    let exported = asked.publish(context, |publisher| {
        let progress = context.progress(Some(records), &text("导出", "exporting"));
        publisher.export(&to, &|more| progress.more(more))
    })?;
    print(context, args, &exported, &verifier)?;
    Ok(exit::DONE)
}

fn print(context: &Context, args: &Args, exported: &Exported, vkey: &str) -> Result {
    let Exported { published, from, files } = exported;
    let (size, root) = (published.checkpoint.size, published.checkpoint.root);
    let dir = args.site.display().to_string();
    let mut json = described(published);
    let more = [("site", plain(dir.clone())), ("from", plain(*from)), ("files", plain(*files))];
    for (key, cell) in more.into_iter().chain([("vkey", plain(vkey)), ("public", plain(args.public))]) {
        json[key] = cell.value;
    }
    let mut data = Table::new(vec![
        Column::text("site", "站点", "site"),
        Column::number("size", "记录数", "records"),
        Column::number("from", "原有", "before"),
        Column::number("files", "写入文件", "files"),
        Column::text("root", "树根", "root"),
        Column::text("vkey", "验证密钥", "key"),
    ]);
    let row = data.columns.iter().map(|column| plain(json[column.key].clone())).collect();
    data.rows.push(row);
    let notes = vec![
        text(
            format!("{dir}:{size} 条记录(原有 {from}),写入 {files} 个文件;树根 {root}"),
            format!("{dir}: {size} records ({from} before), {files} files written; root {root}"),
        ),
        text(format!("验证密钥:{vkey}"), format!("key: {vkey}")),
    ];
    render::print(context, &Page { tables: Vec::new(), data: Some(data), notes, json: json.into() })
}
