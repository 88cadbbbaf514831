//! `hefu audit checkpoint`: what is new read back, and the log's word on the tree over it.

use hefu_engine::Published;
use serde_json::{Value, json};

use super::witness::Asking;
use crate::{
    context::Context,
    error::{Result, exit},
    lang::text,
    render::{self, Format, Page},
};

/// `hefu audit checkpoint`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read every record back, not only those that no earlier checkpoint stands for
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let mut asked = args.asking.publisher(context)?;
    if args.full {
        asked.publisher = asked.publisher.everything();
    }
    let known = if args.full { 0 } else { asked.publisher.signed_size() };
    let new = asked.publisher.size().saturating_sub(known);
    let published = asked.publish(context, |publisher| {
        let progress = context.progress(Some(new), &text("读回", "reading back"));
        publisher.checkpoint(&|more| progress.more(more))
    })?;
    verbatim(context, &published.note.to_string(), &described(&published))?;
    Ok(exit::DONE)
}

/// A checkpoint for programs.
pub(super) fn described(published: &Published) -> Value {
    let Published { checkpoint, note } = published;
    json!({"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root, "note": note})
}

/// Prints a file of another standard as it is, or as a field of an object for those who asked for JSON.
pub(super) fn verbatim(context: &Context, file: &str, json: &Value) -> Result {
    match context.format {
        Format::Json | Format::Jsonl => {
            let json = json.clone().into();
            render::print(context, &Page { tables: Vec::new(), data: None, notes: Vec::new(), json })
        }
        Format::Table | Format::Csv | Format::Markdown | Format::Xlsx | Format::Parquet | Format::SdmxCsv => {
            render::write_out(file.as_bytes())
        }
    }
}
