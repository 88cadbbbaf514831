//! What an evidence file proves to somebody who has nothing but the log's key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hefu_chain::evidence::{BadEvidence, Evidence, Finding};
use serde_json::json;

use crate::{
    cmd::audit::key::LogKey,
    context::{Context, read_file},
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{self, Column, Page, Table, plain, shown},
};

/// `hefu audit witness evidence`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An evidence file, or the folder of a witness for all of its
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// The log's verifier key, had from elsewhere, or a file that holds it
    #[arg(long, value_name = "VKEY|FILE")]
    key: String,
    /// The log's site, which decides where a file alone does not
    #[arg(long, value_name = "URL|DIR")]
    site: Option<String>,
    /// Write the file, completed with proofs from the site, to this one
    #[arg(long, value_name = "FILE", requires = "site")]
    out: Option<PathBuf>,
}

/// Checks one file or all of a witness. The worst answer is the exit code.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    let key = LogKey::read(&args.key)?;
    let files =
        if args.path.is_dir() { hefu_witness::evidence_files(&args.path)? } else { vec![args.path.clone()] };
    judge(context, &files, &key, args.site.as_deref(), args.out.as_deref())
}

/// Checks one file, for `audit verify`.
pub(in crate::cmd::audit) fn verify(context: &Context, path: &Path, key: Option<&LogKey>) -> Result<u8> {
    let Some(key) = key else {
        let message = text("核验证据需要账本公钥", "evidence is checked with the log's public key");
        let hint = text("用 --key 或 --policy 给出", "give it with --key or --policy");
        return Err(CliError::usage(message).hint(hint));
    };
    judge(context, &[path.to_owned()], key, None, None)
}

fn judge(
    context: &Context,
    files: &[PathBuf],
    key: &LogKey,
    site: Option<&str>,
    out: Option<&Path>,
) -> Result<u8> {
    let mut table = Table::new(vec![
        Column::text("file", "文件", "file"),
        Column::text("finding", "结论", "finding"),
        Column::text("why", "说明", "why"),
    ]);
    let (mut worst, mut listed) = (exit::DONE, Vec::new());
    for path in files {
        let name = path.display().to_string();
        let bad = |error: &BadEvidence| {
            let why = error.to_string();
            let message = text(format!("{name} 不是证据"), format!("{name} is no evidence"));
            CliError::new("not_evidence", exit::BAD_INPUT, message).why(text(why.clone(), why))
        };
        let mut evidence = Evidence::parse(&read_file(path)?).map_err(|error| bad(&error))?;
        let origin = evidence.seen.text().lines().next().and_then(|line| line.parse().ok());
        let keys: Vec<_> = origin.as_ref().and_then(|origin| key.verifier(origin)).into_iter().collect();
        let mut note = None;
        if let Some(place) = site {
            note = evidence.ask(&keys, &*super::super::site::open(place, context.lang)?).err();
        }
        let finding = evidence.check(&keys).map_err(|error| bad(&error))?;
        let (code, word, says) = words(&finding);
        worst = worst.max(code);
        let why = note
            .map_or(says.clone(), |note| text(format!("{};{note}", says.zh), format!("{}; {note}", says.en)));
        listed.push(
            json!({"file": name, "kind": evidence.kind, "finding": word, "why": why.get(context.lang)}),
        );
        table.rows.push(vec![plain(name.clone()), shown(word, word), plain(why.get(context.lang))]);
        if let Some(out) = out {
            fs::write(out, evidence.to_bytes()).map_err(|error| {
                CliError::io(("创建", "create"), out, &error).exiting(exit::CANNOT_CREATE)
            })?;
        }
    }
    render::print(
        context,
        &Page { tables: vec![table], data: None, notes: Vec::new(), json: json!(listed).into() },
    )?;
    Ok(worst)
}

fn words(finding: &Finding) -> (u8, &'static str, Text) {
    match finding {
        Finding::Proven { size, .. } => (
            exit::PROVEN_BAD,
            "proven",
            text(
                format!("账本签署了两份历史,前 {size} 条记录不同"),
                format!("the log signed two histories: their first {size} records differ"),
            ),
        ),
        Finding::Open { smaller, larger } => (
            exit::REFUSED,
            "open",
            text(
                format!(
                    "仅凭文件无法判断 {} 条与 {} 条是否同一历史;用 --site 查账本的站点",
                    smaller.size, larger.size
                ),
                format!(
                    "the file alone does not tell whether {} and {} records are one history; ask the log's site with --site",
                    smaller.size, larger.size
                ),
            ),
        ),
        Finding::Cleared => {
            (exit::DONE, "cleared", text("两个检查点属于同一历史", "both checkpoints are of one history"))
        }
    }
}
