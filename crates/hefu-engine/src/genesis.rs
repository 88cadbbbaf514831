//! A new ledger: record 0, signed by the log's key and k root keys; and, for trials, keys for every authority.

use std::{fs, path::Path};

use hefu_chain::origin::Origin;
use hefu_domain::{
    authority::{KeyEntry, Role, RootKey, Roots},
    command::{Command, Continues, CreateLedger, RegisterKeys},
    policy::Policy,
    region::{Adjacency, RegionCode, RegionEntry},
    time::Timestamp,
};
use hefu_store::Backend;
use serde_json::{Map, Value};

use crate::{
    answer::{Answer, EngineError},
    authenticate::Authenticator,
    keys::{KeyStore, StoredKey},
    ledger::Mode,
    open::{self, Options},
    sign::{Draft, Signer, endorse},
};

/// What a ledger begins with.
pub struct Genesis {
    /// Name: a schema-less URL.
    pub origin: Origin,
    /// Region whose coordinator adopts policy and regions.
    pub host: RegionCode,
    /// The first policy.
    pub policy: Policy,
    /// Regions, superiors first.
    pub regions: Vec<RegionEntry>,
    /// Borders.
    pub adjacency: Vec<Adjacency>,
    /// The log's key.
    pub log_key: StoredKey,
    /// Root keys; the first `threshold` of them sign.
    pub roots: Vec<StoredKey>,
    /// How many root keys must sign together.
    pub threshold: u32,
    /// Back-end of the log.
    pub backend: Backend,
    /// The ledger it goes on from, if there was one.
    pub continues: Option<Continues>,
    /// Keys of authorities, registered by the roots; their secrets are with their holders.
    pub authorities: Vec<KeyEntry>,
}

/// Makes a ledger in `dir`, which must not exist. It appears whole or not at all; its keys are saved first.
pub fn create(dir: &Path, genesis: &Genesis, clock: fn() -> Timestamp) -> Result<(), EngineError> {
    create_with(dir, genesis, clock, &[])
}

/// Makes a ledger for trials: three root keys of which two sign, and a key for every region and role.
pub fn create_dev(
    dir: &Path,
    origin: Origin,
    host: RegionCode,
    policy: Policy,
    (regions, adjacency): (Vec<RegionEntry>, Vec<Adjacency>),
    backend: Backend,
    clock: fn() -> Timestamp,
) -> Result<(), EngineError> {
    let root = |number| StoredKey::generate(&format!("root holder {number}"), None);
    let mut authorities = Vec::new();
    let codes = regions.iter().map(|region| region.code).chain([RegionCode::NATION]);
    for code in codes {
        for role in Role::ALL {
            // Two persons in every coordinator's office: recovery of a key needs both.
            let persons = if role == Role::Coordinator { &["", " (deputy)"][..] } else { &[""] };
            for deputy in persons {
                let person = format!("{code} {}{deputy}", role.name());
                authorities.push(StoredKey::generate(&person, Some((code, role)))?);
            }
        }
    }
    let genesis = Genesis {
        origin,
        host,
        policy,
        regions,
        adjacency,
        log_key: StoredKey::generate("operator", None)?,
        roots: vec![root(1)?, root(2)?, root(3)?],
        threshold: 2,
        backend,
        continues: None,
        authorities: Vec::new(),
    };
    create_with(dir, &genesis, clock, &authorities)
}

fn create_with(
    dir: &Path,
    genesis: &Genesis,
    clock: fn() -> Timestamp,
    authorities: &[StoredKey],
) -> Result<(), EngineError> {
    let exists = |path: &Path| EngineError::BadFile {
        path: path.to_owned(),
        why: "exists already; a ledger is made in a new place".to_owned(),
    };
    let store = KeyStore::beside(dir);
    for path in [dir, store.folder()] {
        if path.exists() {
            return Err(exists(path));
        }
    }
    let mut part = dir.file_name().unwrap_or_default().to_owned();
    part.push(format!(".part-{}", std::process::id()));
    let part = dir.with_file_name(part);
    let part_store = KeyStore::beside(&part);
    let made = fill(&part, &part_store, genesis, clock, authorities);
    if made.is_err() {
        let _ = fs::remove_dir_all(&part);
        let _ = fs::remove_dir_all(part_store.folder());
        return made;
    }
    fs::rename(part_store.folder(), store.folder()).map_err(EngineError::file("rename", store.folder()))?;
    fs::rename(&part, dir).map_err(EngineError::file("rename", dir))?;
    open::sync_folder(dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn fill(
    dir: &Path,
    store: &KeyStore,
    genesis: &Genesis,
    clock: fn() -> Timestamp,
    authorities: &[StoredKey],
) -> Result<(), EngineError> {
    fs::create_dir_all(dir).map_err(EngineError::file("create", dir))?;
    store.save("log", &genesis.log_key)?;
    for (number, root) in genesis.roots.iter().enumerate() {
        store.save(&format!("root-{}", number + 1), root)?;
    }
    for key in authorities {
        if let Some(entry) = key.entry() {
            let deputy = if entry.person.ends_with("(deputy)") { "-deputy" } else { "" };
            store.save(&format!("{}/{}{deputy}", entry.region, entry.role.name()), key)?;
        }
    }
    let origin = genesis.origin.clone();
    let options = Options { clock, ..Options::default() };
    let mut ledger = open::create_ledger(dir, genesis, &options)?;
    let mut signer = Signer::new(origin.clone(), store.clone());
    let mut commands = vec![("log", create_command(&origin, genesis)?)];
    let own = authorities.iter().filter_map(StoredKey::entry);
    let entries: Vec<KeyEntry> = own.chain(genesis.authorities.iter().cloned()).collect();
    for keys in entries.chunks(500) {
        let command = RegisterKeys { endorsements: Vec::new(), keys: keys.to_vec() };
        let others = genesis.roots.iter().skip(1).take(genesis.threshold as usize - 1);
        commands.push(("root-1", endorsed(&origin, &command.into(), others)?));
    }
    for (name, command) in commands {
        let draft = Draft { command, id: None, signer: name.to_owned() };
        let signed = signer.sign(draft, &ledger.state, clock())?;
        let checked = Authenticator::new(origin.clone(), ledger.keys.clone()).read(vec![signed.into_bytes()]);
        for answer in ledger.commit(&checked, Mode::Each)? {
            if let Answer::Refused(refused, _) = answer {
                return Err(EngineError::Sign(refused.to_string()));
            }
        }
    }
    open::close(dir, ledger, false)
}

fn create_command(origin: &Origin, genesis: &Genesis) -> Result<Map<String, Value>, EngineError> {
    let Genesis { host, policy, regions, adjacency, log_key, roots, threshold, .. } = genesis;
    let keys = roots.iter().map(|root| RootKey {
        key: root.file.key,
        person: root.file.person.clone(),
        public: root.file.public,
    });
    let command = CreateLedger {
        adjacency: adjacency.clone(),
        continues: genesis.continues.clone(),
        endorsements: Vec::new(),
        format: 1,
        host: *host,
        log_key: log_key.file.key,
        log_public: log_key.file.public,
        origin: origin.to_string(),
        policy: policy.clone(),
        regions: regions.clone(),
        roots: Roots { keys: keys.collect(), threshold: *threshold },
        suite: "blake3-sha256-ed25519".to_owned(),
    };
    endorsed(origin, &command.into(), roots.iter().take(*threshold as usize))
}

/// The command as JSON with the endorsements of `keys` filled in.
pub(crate) fn endorsed<'k>(
    origin: &Origin,
    command: &Command,
    keys: impl Iterator<Item = &'k StoredKey>,
) -> Result<Map<String, Value>, EngineError> {
    let sign = |error: String| EngineError::Sign(error);
    let Value::Object(mut map) = serde_json::to_value(command).map_err(|error| sign(error.to_string()))?
    else {
        return Err(sign("a command is an object".to_owned()));
    };
    for key in keys {
        endorse(origin, &mut map, key)?;
    }
    Ok(map)
}
