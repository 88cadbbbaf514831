//! Named cursors: how far a reader of records has come. One small file each, in the service's folder beside the ledger,
//! under the id of the token that set it; they survive a restart and belong to nobody else.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use hefu_api::{
    access::Caller,
    problem::{Kind, Problem},
};

use crate::tokens::replace;

/// Cursors of one token.
const MOST: usize = 100;

/// The cursors of a ledger.
pub(crate) struct Cursors {
    folder: PathBuf,
    /// One write at a time.
    turn: Mutex<()>,
}

impl Cursors {
    /// Those in a service's folder.
    pub(crate) fn of(folder: &Path) -> Cursors {
        Cursors { folder: folder.join("cursors"), turn: Mutex::new(()) }
    }

    /// Where a cursor stands; `None` if it was never set.
    pub(crate) fn get(&self, caller: &Caller, name: &str) -> Result<Option<u64>, Problem> {
        let path = self.path(caller, name)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let position = text.trim_end().parse();
        position.map(Some).map_err(|error| failed(&path, &io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Moves a cursor. It is on disk when this returns.
    pub(crate) fn set(&self, caller: &Caller, name: &str, position: u64) -> Result<(), Problem> {
        let path = self.path(caller, name)?;
        let folder = path.parent().unwrap_or(&self.folder);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| failed(folder, &error))?;
        if !path.exists() {
            let there = fs::read_dir(folder).map_err(|error| failed(folder, &error))?.count();
            if there >= MOST {
                let (zh, en) =
                    (format!("每个令牌至多 {MOST} 个游标"), format!("a token has at most {MOST} cursors"));
                return Err(Problem::new(Kind::TooLarge, "too_many_cursors", zh, en));
            }
        }
        replace(&path, format!("{position}\n").as_bytes()).map_err(|error| failed(&path, &error))
    }

    fn path(&self, caller: &Caller, name: &str) -> Result<PathBuf, Problem> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(letter) && !name.starts_with('.');
        if !fits {
            return Err(Problem::usage(
                "name",
                "游标名为 1 至 64 个字母、数字、-、_ 或 .,不以 . 开头",
                "a cursor's name has 1 to 64 letters, digits, -, _ and ., and does not begin with .",
            ));
        }
        // `name.cursor` becomes `name.part` while it is written: no other cursor has that name.
        Ok(self.folder.join(&caller.token).join(format!("{name}.cursor")))
    }
}

fn failed(path: &Path, error: &io::Error) -> Problem {
    tracing::error!("{}: {error}", path.display());
    Problem::new(Kind::Unavailable, "failed", "游标无法读写", "the cursor cannot be read or written")
}
