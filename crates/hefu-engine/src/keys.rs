//! The local key store, `<DIR>.keys/`: one file a key, mode 0600, outside the data directory.
//!
//! A key is found by name: `log` (the log's present key), `log-<key id>` (one it had or will have), `root-1`, `330108` (the office of 330108) or `330108/statistics`.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use hefu_chain::{
    key::{PublicKey as ChainKey, SecretKey},
    origin::Origin,
};
use hefu_domain::{
    authority::{KeyEntry, Role},
    id::{KeyId, PublicKey},
    region::RegionCode,
};
use serde::{Deserialize, Serialize};

use crate::{answer::EngineError, random_bytes};

/// The file in a key store that says who the ledger's witnesses are. It is no key; what stands in it is for whoever asks
/// them.
pub const WITNESSES: &str = "witnesses.json";

/// The file in a key store that names the ledger that its keys sign for over the wire, where nobody else says so.
const ORIGIN: &str = "origin";

/// What a key file holds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// Key id.
    pub key: KeyId,
    /// Who holds it.
    pub person: String,
    /// Public key.
    pub public: PublicKey,
    /// Region of its authority; `None` for log and root keys.
    pub region: Option<RegionCode>,
    /// Role of its authority.
    pub role: Option<Role>,
    /// The secret: 64 hex digits.
    pub secret: PublicKey,
}

/// A key with its secret in memory.
pub struct StoredKey {
    /// What is public about it, and its holder.
    pub file: KeyFile,
    /// The secret.
    pub secret: SecretKey,
}

impl StoredKey {
    /// A new random key.
    pub fn generate(person: &str, authority: Option<(RegionCode, Role)>) -> Result<StoredKey, EngineError> {
        Ok(StoredKey::from_seed(random_bytes()?, person, authority))
    }

    /// The key of a seed.
    pub fn from_seed(seed: [u8; 32], person: &str, authority: Option<(RegionCode, Role)>) -> StoredKey {
        let secret = SecretKey::from_seed(seed);
        let file = KeyFile {
            key: KeyId(secret.id().0),
            person: person.to_owned(),
            public: PublicKey(secret.public().0),
            region: authority.map(|(region, _)| region),
            role: authority.map(|(_, role)| role),
            secret: PublicKey(seed),
        };
        StoredKey { file, secret }
    }

    /// The entry that registers it, if it belongs to an authority.
    pub fn entry(&self) -> Option<KeyEntry> {
        let KeyFile { key, person, public, region, role, .. } = self.file.clone();
        Some(KeyEntry { key, person, public, region: region?, role: role? })
    }
}

/// The folder of secret keys beside a ledger.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
}

impl KeyStore {
    /// The key store beside the ledger in `dir`; nothing is read yet.
    pub fn beside(dir: &Path) -> KeyStore {
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(".keys");
        KeyStore { folder: dir.with_file_name(name) }
    }

    /// The key store in a folder; nothing is read yet.
    pub fn at(folder: &Path) -> KeyStore {
        KeyStore { folder: folder.to_owned() }
    }

    /// The ledger that keys of this folder sign for over the wire; nothing if they have not yet.
    pub fn bound_to(&self) -> Result<Option<String>, EngineError> {
        let path = self.folder.join(ORIGIN);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EngineError::file("read", path)(error)),
        }
    }

    /// From now on keys of this folder sign over the wire for this ledger only.
    pub fn bind(&self, origin: &Origin) -> Result<(), EngineError> {
        let path = self.folder.join(ORIGIN);
        crate::publish::files::replace(&path.with_extension("part"), &path, format!("{origin}\n").as_bytes())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        let file = match name.split_once('/') {
            Some((region, role)) => format!("{region}.{role}.key"),
            None if name.parse::<RegionCode>().is_ok() => format!("{name}.office.key"),
            None => format!("{name}.key"),
        };
        self.folder.join(file.replace(['/', '\\'], "_"))
    }

    /// Copies all keys to another store, readable for their owner only. A key that is there already stays; another one
    /// under its name is an error. The ledger's witnesses go with them, unless the other store names its own. Returns how
    /// many keys were copied.
    pub fn copy_to(&self, to: &KeyStore) -> Result<u64, EngineError> {
        let copied = self.copy_some(to, |_| true)?;
        let (from, path) = (self.folder.join(WITNESSES), to.folder.join(WITNESSES));
        if from.exists() && !path.exists() {
            let bytes = fs::read(&from).map_err(EngineError::file("read", &from))?;
            crate::publish::files::replace(&path.with_extension("part"), &path, &bytes)?;
        }
        Ok(copied)
    }

    /// The same for the files whose name `wanted` takes.
    pub(crate) fn copy_some(&self, to: &KeyStore, wanted: impl Fn(&str) -> bool) -> Result<u64, EngineError> {
        let folder = &to.folder;
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        created.map_err(EngineError::file("create", folder))?;
        let mut copied = 0;
        for entry in fs::read_dir(&self.folder).map_err(EngineError::file("list", &self.folder))? {
            let from = entry.map_err(EngineError::file("list", &self.folder))?.path();
            let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if from.extension().is_none_or(|extension| extension != "key") || !wanted(&name) {
                continue;
            }
            let bytes = fs::read(&from).map_err(EngineError::file("read", &from))?;
            let path = folder.join(&name);
            if path.exists() {
                if fs::read(&path).map_err(EngineError::file("read", &path))? == bytes {
                    continue;
                }
                if name == "log.key" && self.log_key_was_rotated(to)? {
                    continue;
                }
                return Err(EngineError::BadFile {
                    path,
                    why: "another key is there under this name".to_owned(),
                });
            }
            let part = path.with_extension("part");
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
            file.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
                .map_err(EngineError::file("write", &part))?;
            fs::rename(&part, &path).map_err(EngineError::file("rename", &path))?;
            copied += 1;
        }
        crate::open::sync_folder(folder)?;
        Ok(copied)
    }

    /// Brings the name `log` of a copy up to date. Both keys are there under names of their own, if the other one was
    /// rotated away; anything else is a conflict.
    fn log_key_was_rotated(&self, to: &KeyStore) -> Result<bool, EngineError> {
        let (now, then) = (self.load("log")?, to.load("log")?);
        let known = self.log_keys()?.iter().any(|(_, key)| key.file.key == then.file.key);
        if known {
            if !to.path(&log_name(&now)).exists() {
                to.save_log_key(&now)?;
            }
            to.settle_log_key(&now.secret.public())?;
        }
        Ok(known)
    }

    /// Reads a key by name.
    pub fn load(&self, name: &str) -> Result<StoredKey, EngineError> {
        let path = self.path(name);
        let bad = |why: String| EngineError::BadFile { path: path.clone(), why };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(EngineError::NoKey { name: name.to_owned(), path: self.folder.clone() });
            }
            Err(error) => return Err(EngineError::file("read", path)(error)),
        };
        let file: KeyFile = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        let secret = SecretKey::from_seed(file.secret.0);
        if secret.public().0 != file.public.0 || secret.id().0 != file.key.0 {
            return Err(bad("secret, public key and id do not belong together".to_owned()));
        }
        Ok(StoredKey { file, secret })
    }

    /// Writes a new key under a name; an existing file is never replaced.
    pub fn save(&self, name: &str, key: &StoredKey) -> Result<PathBuf, EngineError> {
        let folder = &self.folder;
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        created.map_err(EngineError::file("create", folder))?;
        let path = self.path(name);
        let mut text = serde_json::to_vec_pretty(&key.file)
            .map_err(|error| EngineError::Internal(format!("key file: {error}")))?;
        text.push(b'\n');
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(&text)).map_err(EngineError::file("write", &path))?;
        Ok(path)
    }

    /// Fails if there is no key of the log at all.
    pub(crate) fn has_log_key(&self) -> Result<(), EngineError> {
        if self.log_keys()?.is_empty() { self.load("log").map(|_| ()) } else { Ok(()) }
    }

    /// Every key of the log that is here: `log` and `log-<key id>`.
    fn log_keys(&self) -> Result<Vec<(PathBuf, StoredKey)>, EngineError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(EngineError::file("list", &self.folder)(error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let name = entry.map_err(EngineError::file("list", &self.folder))?.file_name();
            let name = name.to_string_lossy();
            if let Some(name) = name.strip_suffix(".key").filter(|n| *n == "log" || n.starts_with("log-")) {
                keys.push((self.path(name), self.load(name)?));
            }
        }
        Ok(keys)
    }

    /// The log's key with this public key, under whichever of its names.
    pub(crate) fn log_key(&self, public: &ChainKey) -> Result<StoredKey, EngineError> {
        let found = self.log_keys()?.into_iter().find(|(_, key)| key.secret.public() == *public);
        if let Some((_, key)) = found {
            return Ok(key);
        }
        // Says that there is none, or that it cannot be read.
        self.load("log")?;
        Err(EngineError::ForeignLogKey { path: self.folder.clone() })
    }

    /// Writes a key that the log is to sign with, durably, before anything names it.
    pub(crate) fn save_log_key(&self, key: &StoredKey) -> Result<(), EngineError> {
        let path = self.save(&log_name(key), key)?;
        let file = fs::File::open(&path).map_err(EngineError::file("open", &path))?;
        file.sync_all().map_err(EngineError::file("sync", &path))?;
        crate::open::sync_folder(&self.folder)
    }

    /// Removes a key that never came into force.
    pub(crate) fn remove_log_key(&self, key: &StoredKey) {
        let _ = fs::remove_file(self.path(&log_name(key)));
    }

    /// Gives the key that signs the name `log`, and the one that had it a name of its own.
    pub(crate) fn settle_log_key(&self, public: &ChainKey) -> Result<(), EngineError> {
        let keys = self.log_keys()?;
        let plain = self.path("log");
        let Some((path, key)) = keys.iter().find(|(_, key)| key.secret.public() == *public) else {
            return Ok(());
        };
        if *path == plain {
            return Ok(());
        }
        // Somebody may have swapped two files: each goes to the name that no other key has, so none is lost.
        let own = self.path(&log_name(key));
        self.give_name(path, &own, key)?;
        if let Some((_, before)) = keys.iter().find(|(path, _)| *path == plain) {
            self.give_name(&plain, &self.path(&log_name(before)), before)?;
        }
        fs::rename(&own, &plain).map_err(EngineError::file("rename", &own))?;
        crate::open::sync_folder(&self.folder)
    }

    /// Renames the file of a key, never over another key.
    fn give_name(&self, from: &Path, to: &Path, key: &StoredKey) -> Result<(), EngineError> {
        if from == to {
            return Ok(());
        }
        let there = self.log_keys()?.into_iter().find(|(path, _)| path == to);
        if there.is_some_and(|(_, other)| other.file.key != key.file.key) {
            let why = "another key is there under this name".to_owned();
            return Err(EngineError::BadFile { path: to.to_owned(), why });
        }
        fs::rename(from, to).map_err(EngineError::file("rename", from))
    }
}

/// The name of a key of the log that is not in force.
fn log_name(key: &StoredKey) -> String {
    format!("log-{}", key.file.key)
}
