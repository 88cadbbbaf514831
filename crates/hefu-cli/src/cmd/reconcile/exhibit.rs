//! The book as evidence: its rows of one break as a small file, and the book itself. Both lie in the evidence folder; the
//! ledger gets their digests. The rows can stay when the book, which tells more, is withdrawn.

use hefu_chain::hash::Sha256Digest;
use hefu_domain::{
    amount::format_minor,
    dispute::EvidenceItem,
    id::{Digest, Evidence},
};
use hefu_exchange::{
    matching::{Group, Key},
    output::{self, Header},
};
use hefu_store::evidence::Put;

use super::{Found, page};
use crate::{
    cmd::dispute::media_type,
    context::read_file,
    error::{CliError, Result, exit},
    lang::text,
    render::Column,
};

/// The break in words.
pub(super) fn statement(found: &Found<'_>, id: &str, group: &Group) -> String {
    let scale = page::scale(found, group.indicator);
    let amount = |minor: i128| format_minor(minor, scale);
    format!(
        "对账差异 {id}({}):账册 {},账本 {}",
        page::class_text(group.class).zh,
        amount(group.book_minor),
        amount(group.ledger_minor)
    )
}

/// The book's rows as a file of their own, and the book itself.
pub(super) fn evidence(
    found: &Found<'_>,
    id: &str,
    group: &Group,
    dry_run: bool,
) -> Result<Vec<EvidenceItem>> {
    let path = &found.args.book;
    let folder = found.context.evidence()?;
    let holder = found.state().code(found.region);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let sheet = found.book.sheet.as_ref().map(|sheet| format!(" 工作表“{sheet}”")).unwrap_or_default();
    let keep = |bytes: &[u8]| -> Result<Put> {
        if dry_run {
            return Ok(Put { sha256: Sha256Digest::of(bytes), size: bytes.len() as u64 });
        }
        Ok(folder.put_bytes(bytes)?)
    };
    let mut items = Vec::new();
    let mut add = |put: Put, description: String, media_type: &str| {
        items.push(EvidenceItem {
            description,
            holder,
            media_type: media_type.to_owned(),
            sha256: Evidence(Digest(put.sha256.0)),
            size: put.size,
        });
    };
    if !group.book.is_empty() {
        let rows: Vec<String> = rows(found, group).iter().map(ToString::to_string).collect();
        let description = format!("账册 {name}{sheet} 第 {} 行,差异 {id}", rows.join("、"));
        add(keep(&extract(found, id, group)?)?, description, "text/csv");
    }
    add(keep(&read_file(path)?)?, format!("账册 {name}"), media_type(path));
    Ok(items)
}

fn rows(found: &Found<'_>, group: &Group) -> Vec<u64> {
    let mut rows: Vec<u64> = group.book.iter().map(|at| found.book.lines[*at].row).collect();
    rows.sort_unstable();
    rows
}

/// The break's rows as they were understood, with the digest of the book they stand in.
fn extract(found: &Found<'_>, id: &str, group: &Group) -> Result<Vec<u8>> {
    let mut table = output::Table::new(vec![
        Column::text("break", "差异编号", "break"),
        Column::text("book", "账册", "book"),
        Column::text("sha256", "摘要", "digest"),
        Column::text("sheet", "工作表", "sheet"),
        Column::number("row", "行", "row"),
        Column::text("project", "项目", "project"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::number("amount", "金额", "amount"),
    ]);
    let scale = page::scale(found, group.indicator);
    let name = found.args.book.file_name().unwrap_or_default().to_string_lossy();
    let mut lines: Vec<_> = group.book.iter().map(|at| &found.book.lines[*at]).collect();
    lines.sort_by_key(|line| line.row);
    for line in lines {
        let project = match &line.project {
            Key::Known(id) => id.to_string(),
            Key::Unknown(text) => text.clone(),
        };
        table.rows.push(vec![
            output::Cell::text(id),
            output::Cell::text(&name),
            output::Cell::text(&found.digest),
            output::Cell::text_or_null(found.book.sheet.as_ref()),
            output::Cell::number_or_null(Some(line.row)),
            output::Cell::text(&project),
            output::Cell::text(line.indicator.as_str()),
            output::Cell::text(&line.period.to_string()),
            output::Cell::Number(format_minor(i128::from(line.minor), scale)),
        ]);
    }
    let mut out = Vec::new();
    table.write_csv(&mut out, Header::Key, false).map_err(|error| {
        let why = error.to_string();
        CliError::new("io", exit::IO, text("无法写出证据", "the evidence cannot be written"))
            .why(text(why.clone(), why))
    })?;
    Ok(out)
}
