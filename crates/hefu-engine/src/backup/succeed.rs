//! A new ledger in the place of one that cannot go on under its name.
//!
//! When more was seen of a ledger than any backup holds, restoring it would deny what was acknowledged. Then a new one
//! begins, under a new name, with new log and root keys, and its record 0 cites the old head. Regions, borders and policy
//! as last in force come with it, and the authorities' keys, which its roots register. Enterprises, projects and figures
//! do not: they are the regions' acts, and nobody but they may sign them. The old records stay in the backup.

use std::path::Path;

use hefu_chain::origin::Origin;
use hefu_domain::{
    authority::KeyEntry,
    command::Continues,
    id::{ChainHead, Digest},
    time::Timestamp,
};
use hefu_store::Backend;

use super::{BackupError, Inspected};
use crate::{
    genesis::{Genesis, create},
    keys::{KeyStore, StoredKey},
    reader::Reader,
};

/// Makes the ledger `name` in `to`, which must not exist, on a backup that was inspected.
///
/// The authorities' secret keys are copied from `<backup>.keys` where they are; the new root keys are made here.
pub fn succeed(
    backup: &Path,
    standing: &Inspected,
    to: &Path,
    name: &Origin,
    clock: fn() -> Timestamp,
) -> Result<(), BackupError> {
    if *name == standing.origin {
        let why = "a new ledger needs a new name".to_owned();
        return Err(BackupError::Place { path: to.to_owned(), why });
    }
    let state = Reader::open(backup)?.views.state;
    let ring = &state.keyring;
    let living = ring.keys.iter().filter(|(_, key)| key.ended.is_none());
    let entry = |(id, key): (&hefu_domain::id::KeyId, &hefu_domain::authority::Key)| KeyEntry {
        key: *id,
        person: key.person.clone(),
        public: key.public,
        region: state.code(key.region),
        role: key.role,
    };
    let roots = ring.roots.keys.iter().map(|root| StoredKey::generate(&root.person, None));
    let genesis = Genesis {
        origin: name.clone(),
        host: state.host,
        policy: state.policy.clone(),
        regions: state.regions.entries(),
        adjacency: state.regions.adjacency(),
        log_key: StoredKey::generate("operator", None)?,
        roots: roots.collect::<Result<_, _>>()?,
        threshold: ring.roots.threshold,
        backend: Backend::Segments,
        continues: Some(Continues {
            head: ChainHead(standing.head.0),
            origin: standing.origin.to_string(),
            root: Digest(standing.root.0),
            size: standing.size,
        }),
        authorities: living.map(entry).collect(),
    };
    create(to, &genesis, clock)?;
    let kept = KeyStore::beside(backup);
    if kept.folder().is_dir() {
        let operators = |name: &str| name == "log.key" || name.starts_with("root-");
        kept.copy_some(&KeyStore::beside(to), |name| !operators(name))?;
    }
    Ok(())
}
