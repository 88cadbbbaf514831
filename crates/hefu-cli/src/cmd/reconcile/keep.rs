//! The memory of the last run, and files that are written whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use hefu_exchange::matching::memory::Memory;

use super::Found;
use crate::{
    error::{CliError, Result, exit},
    lang::text,
};

/// Where a region's runs are remembered: beside the ledger and never in it; over a URL only where `--memory` says. `None`:
/// they are not.
pub(super) fn path(found: &Found<'_>, code: &str) -> Option<PathBuf> {
    if found.args.no_memory || found.args.as_of.is_some() {
        return None;
    }
    let named = found.args.memory.clone();
    named.or_else(|| {
        let dir = found.context.dir().ok()?;
        let mut folder = dir.file_name().unwrap_or_default().to_owned();
        folder.push(".reconcile");
        Some(dir.with_file_name(folder).join(format!("{code}-{}.json", found.args.basis.name())))
    })
}

/// What is remembered, as text.
pub(super) fn load(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(kept) => Ok(Some(kept)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(bad_memory(path, error.to_string())),
        Err(error) => Err(CliError::io(("读取", "read"), path, &error)),
    }
}

/// A memory that is none, or another region's.
pub(super) fn bad_memory(path: &Path, why: String) -> CliError {
    let name = path.display();
    let message =
        text(format!("{name} 不是这份账册的对账记录"), format!("{name} is not the memory of this book"));
    let hint = text(
        "移走该文件,或用 --memory 指明另一个;账本不受影响",
        "move the file aside, or name another with --memory; the ledger is not concerned",
    );
    CliError::new("bad_memory", exit::BAD_INPUT, message)
        .why(text(why.clone(), why))
        .hint(hint)
        .at("file", name.to_string())
}

/// Remembers a run.
pub(super) fn save(path: &Path, memory: &Memory) -> Result {
    let kept = memory.to_text().map_err(|error| bad_memory(path, error.to_string()))?;
    write_whole(path, kept.as_bytes())
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result {
    let failed = |error: io::Error| failed(path, &error);
    write_whole_with(path, |out| out.write_all(bytes).map_err(failed))
}

/// The same for what is written piece by piece.
pub(crate) fn write_whole_with<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
) -> Result<T> {
    let failed = |error: io::Error| failed(path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut part = path.file_name().unwrap_or_default().to_owned();
    part.push(".part");
    let part = path.with_file_name(part);
    let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
    let done = write(&mut out).inspect_err(|_| {
        // Half a file is of no use; the error is what there is to be told.
        let _ = fs::remove_file(&part);
    })?;
    let settle = || -> io::Result<()> {
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, path)?;
        File::open(folder)?.sync_all()
    };
    settle().map_err(failed)?;
    Ok(done)
}

fn failed(path: &Path, error: &io::Error) -> CliError {
    CliError::io(("写入", "write"), path, error).exiting(exit::CANNOT_CREATE)
}
