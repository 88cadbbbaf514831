//! The policy of witnesses that is kept beside a ledger: `<L>.keys/witnesses.json`.
//!
//! It lies with the keys and not in the ledger, so that a ledger that is replaced by an older copy is still held to it.
//! What cannot be read is an error: a ledger that had witnesses never opens as if it had none.

use std::path::PathBuf;

use hefu_chain::policy::Policy;
use hefu_client::FailMode;
use hefu_engine::KeyStore;
use hefu_witness::{Disk, Files};
use serde::{Deserialize, Serialize};

use crate::{
    error::{CliError, Result, exit},
    lang::text,
};

/// The file's name in the key store.
const KEPT: &str = hefu_engine::WITNESSES;
/// What the file is.
const FORM: &str = "hefu-witnesses-v1";

/// The policy kept for a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) policy: Policy,
    pub(crate) mode: FailMode,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    fail: Fail,
    form: String,
    /// A file of C2SP tlog-policy.
    policy: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fail {
    Closed,
    Open,
}

impl Kept {
    fn place(keys: &KeyStore) -> PathBuf {
        keys.folder().join(KEPT)
    }

    /// What is kept; nothing if the ledger has no witnesses.
    pub(crate) fn read(keys: &KeyStore) -> Result<Option<Kept>> {
        let path = Kept::place(keys);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CliError::io(("读取", "read"), &path, &error)),
        };
        let bad = |why: String| {
            let name = path.display().to_string();
            let message = text(format!("{name} 不可用"), format!("{name} cannot be used"));
            let hint = text(
                "用 `hefu audit witness use` 重新设定见证人",
                "set the witnesses again with `hefu audit witness use`",
            );
            CliError::new("bad_file", exit::IO, message)
                .why(text(why.clone(), why))
                .hint(hint)
                .at("file", name)
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if stored.form != FORM {
            return Err(bad(format!("its form is not {FORM}")));
        }
        let policy =
            stored.policy.parse().map_err(|error: hefu_chain::policy::BadPolicy| bad(error.to_string()))?;
        let mode = match stored.fail {
            Fail::Closed => FailMode::Closed,
            Fail::Open => FailMode::Open,
        };
        Ok(Some(Kept { policy, mode }))
    }

    /// Keeps it, whole or not at all. Returns where.
    pub(crate) fn write(&self, keys: &KeyStore) -> Result<PathBuf> {
        let path = Kept::place(keys);
        let fail = match self.mode {
            FailMode::Closed => Fail::Closed,
            FailMode::Open => Fail::Open,
        };
        let stored = Stored { fail, form: FORM.to_owned(), policy: self.policy.to_string() };
        let mut bytes = serde_json::to_vec(&stored).map_err(|error| {
            let why = error.to_string();
            CliError::new("failed", exit::IO, text("无法完成", "this could not be done"))
                .why(text(why.clone(), why))
        })?;
        bytes.push(b'\n');
        Files.replace(&path, &bytes).map_err(|error| CliError::io(("写入", "write"), &path, &error))?;
        Ok(path)
    }

    /// Forgets it. Says whether there was one.
    pub(crate) fn remove(keys: &KeyStore) -> Result<bool> {
        let path = Kept::place(keys);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(CliError::io(("删除", "remove"), &path, &error)),
        }
    }

    /// How it goes on without them, for programs.
    pub(crate) fn fail(&self) -> &'static str {
        match self.mode {
            FailMode::Closed => "closed",
            FailMode::Open => "open",
        }
    }
}
