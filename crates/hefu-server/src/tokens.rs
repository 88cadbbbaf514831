//! Bearer tokens: who may ask, in which role and for which region, until when.
//!
//! `tokens.json` in the service's folder beside the ledger. A token is shown once, when it is made; the file holds the
//! SHA-256 of its secret, which has 256 random bits, so that nothing slower is needed. A running server sees at once
//! what another process wrote: creating and revoking needs no restart.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use hefu_api::{
    access::{Caller, Role},
    problem::{Kind, Problem},
};
use hefu_chain::hash::Sha256Digest;
use hefu_domain::{region::RegionCode, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What every token begins with, so that a secret in a wrong place is recognised.
const PREFIX: &str = "hefu_";

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its id, for lists and revocation: 12 hexadecimal digits.
    pub id: String,
    /// Whom it was given to.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// Code of the region, where the role has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<RegionCode>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it opens nothing.
    pub expires: Timestamp,
    /// Since when it is revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked: Option<Timestamp>,
    /// SHA-256 of the secret.
    pub sha256: Sha256Digest,
}

/// What a new token is to be.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whom it is for.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The region, where the role has one.
    pub region: Option<RegionCode>,
    /// From when on it opens nothing.
    pub expires: Timestamp,
}

/// The tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The system said no.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is not one of tokens.
    #[error("{}: {why}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// No token has the id.
    #[error("there is no token `{0}`")]
    Unknown(String),
    /// The role needs a region and there is none, or the other way round.
    #[error("the role {0} needs a region")]
    NeedsRegion(Role),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    tokens: Vec<Token>,
}

/// When the file was written, and how long it was: it is read again if either changes.
type Stamp = Option<(SystemTime, u64, u64)>;

/// The tokens of a ledger.
pub struct Tokens {
    folder: PathBuf,
    known: Mutex<(Stamp, Vec<Token>)>,
}

impl Tokens {
    /// Those in a service's folder.
    pub fn of(folder: &Path) -> Tokens {
        Tokens { folder: folder.to_owned(), known: Mutex::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("tokens.json")
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Result<Vec<Token>, TokenError> {
        let path = self.path();
        match fs::read(&path) {
            Ok(bytes) => {
                let kept: Result<Kept, _> = serde_json::from_slice(&bytes);
                Ok(kept.map_err(|error| TokenError::BadFile { path, why: error.to_string() })?.tokens)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(TokenError::File { path, source }),
        }
    }

    /// Makes a token of 32 random bytes, and gives it with what is kept of it. It is on disk when this returns.
    pub fn create(
        &self,
        grant: Grant,
        random: [u8; 38],
        now: Timestamp,
    ) -> Result<(String, Token), TokenError> {
        let Grant { name, role, region, expires } = grant;
        if role.needs_region() && region.is_none() {
            return Err(TokenError::NeedsRegion(role));
        }
        let (id, secret) = (hex(&random[..6]), hex(&random[6..]));
        let token = Token {
            id: id.clone(),
            name,
            role: role.name().to_owned(),
            region,
            created: now,
            expires,
            revoked: None,
            sha256: Sha256Digest::of(secret.as_bytes()),
        };
        self.change(|tokens| {
            tokens.push(token.clone());
            Ok(())
        })?;
        Ok((format!("{PREFIX}{id}_{secret}"), token))
    }

    /// Revokes a token for good.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<Token, TokenError> {
        let mut revoked = None;
        self.change(|tokens| {
            let token = tokens.iter_mut().find(|token| token.id == id);
            let token = token.ok_or_else(|| TokenError::Unknown(id.to_owned()))?;
            token.revoked.get_or_insert(now);
            revoked = Some(token.clone());
            Ok(())
        })?;
        revoked.ok_or_else(|| TokenError::Unknown(id.to_owned()))
    }

    /// Who brings this token. Every reason for which it does not serve looks the same from outside.
    pub fn caller(&self, text: &str, now: Timestamp) -> Result<Caller, Problem> {
        let refused = || {
            Problem::new(
                Kind::Unauthenticated,
                "bad_token",
                "访问令牌无效、已过期或已撤销",
                "the token is wrong, expired or revoked",
            )
        };
        let (id, secret) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or_else(refused)?;
        let sha256 = Sha256Digest::of(secret.as_bytes());
        let known = self.known().map_err(|error| {
            tracing::error!("the tokens cannot be read: {error}");
            Problem::new(Kind::Unavailable, "stopped", "访问令牌无法读取", "the tokens cannot be read")
        })?;
        let token = known.into_iter().find(|token| token.id == id && token.sha256 == sha256);
        let token =
            token.filter(|token| token.revoked.is_none() && now < token.expires).ok_or_else(refused)?;
        let role = token.role.parse().map_err(|_| refused())?;
        Ok(Caller { token: token.id, role, region: token.region })
    }

    /// The tokens as the file has them now.
    fn known(&self) -> Result<Vec<Token>, TokenError> {
        use std::os::unix::fs::MetadataExt;
        let stamp = fs::metadata(self.path()).ok();
        let stamp = stamp.and_then(|file| Some((file.modified().ok()?, file.len(), file.ino())));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_none() || known.0 != stamp {
            *known = (stamp, self.list()?);
        }
        Ok(known.1.clone())
    }

    /// Changes the file as a whole, one process at a time.
    fn change(&self, how: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>) -> Result<(), TokenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TokenError::File { path, source }
        };
        let builder = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        builder.map_err(failed(&self.folder))?;
        let turn = File::open(&self.folder).and_then(|folder| folder.lock().map(|()| folder));
        let _turn = turn.map_err(failed(&self.folder))?;
        let mut tokens = self.list()?;
        how(&mut tokens)?;
        let path = self.path();
        let mut text = serde_json::to_vec_pretty(&Kept { tokens })
            .map_err(|error| TokenError::BadFile { path: path.clone(), why: error.to_string() })?;
        text.push(b'\n');
        replace(&path, &text).map_err(failed(&path))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Replaces a file that only its owner may read; whole or not at all, durable before it returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
