//! A witness at work: check, remember, cosign; in this order.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use hefu_chain::{
    add_checkpoint::{AddCheckpoint, MAX_PROOF},
    checkpoint::{BadCheckpoint, Checkpoint},
    cosignature::cosign,
    evidence::{Evidence, Kind, Prefix},
    hash::Sha256Digest,
    key::SecretKey,
    note::{KeyKind, KeyName, Note, VerifierKey},
    origin::Origin,
    tree::{BadProof, prefix_root, verify_consistency},
};
use serde_json::{Value, json};

use crate::{
    config::Config,
    error::WitnessError,
    folder::{self, Disk, Files},
    reply::{Reply, origin_of},
    state::State,
};

/// A request is at most this long; a checkpoint with a few signatures has some hundred bytes.
pub const MAX_REQUEST: usize = 64 * 1024 + 45 * MAX_PROOF;

/// A witness's folder, locked for one process.
pub struct Witness {
    dir: PathBuf,
    config: Config,
    key: SecretKey,
    verifier: VerifierKey,
    states: BTreeMap<Origin, Mutex<State>>,
    disk: Box<dyn Disk>,
    stopped: AtomicBool,
    /// Held as long as this lives: two processes could cosign two histories.
    _lock: File,
}

impl Witness {
    /// Makes a witness: its folder, its key, and nothing to watch yet. The seed is random, from the edge.
    pub fn create(dir: &Path, name: KeyName, seed: [u8; 32]) -> Result<VerifierKey, WitnessError> {
        let (config, key) = (dir.join("witness.json"), dir.join("key.json"));
        if config.exists() || key.exists() {
            return Err(WitnessError::Exists(dir.to_owned()));
        }
        let secret = SecretKey::from_seed(seed);
        let verifier = VerifierKey::new(name.clone(), KeyKind::Cosignature, secret.public())?;
        for folder in [dir, &dir.join("state"), &dir.join("seen"), &dir.join("evidence")] {
            folder::make(folder)?;
        }
        write_key(&key, &secret)?;
        Files
            .replace(&config, &Config::new(name).to_bytes())
            .map_err(WitnessError::file("write", &config))?;
        Ok(verifier)
    }

    /// Opens a witness for cosigning. Everything it remembers is written again before it is believed.
    pub fn open(dir: &Path) -> Result<Witness, WitnessError> {
        Witness::open_on(dir, Box::new(Files))
    }

    /// The same, writing through `disk`.
    pub fn open_on(dir: &Path, disk: Box<dyn Disk>) -> Result<Witness, WitnessError> {
        let config = load_config(dir)?;
        let lock = take_lock(dir)?;
        let key = read_key(&dir.join("key.json"))?;
        let verifier = VerifierKey::new(config.name.clone(), KeyKind::Cosignature, key.public())?;
        let mut states = BTreeMap::new();
        for state in load_states(dir, &config, &verifier)? {
            let path = state_path(dir, &state.origin);
            disk.replace(&path, &state.to_bytes()).map_err(WitnessError::file("write", &path))?;
            states.insert(state.origin.clone(), Mutex::new(state));
        }
        let (dir, stopped) = (dir.to_owned(), AtomicBool::new(false));
        Ok(Witness { dir, config, key, verifier, states, disk, stopped, _lock: lock })
    }

    /// Watches a log, or trusts a further key of one that is watched. What was cosigned before stays remembered.
    pub fn add_log(dir: &Path, key: VerifierKey) -> Result<Origin, WitnessError> {
        let mut config = load_config(dir)?;
        let _lock = take_lock(dir)?;
        let watched = config.logs.clone();
        let origin = config.add(key)?;
        let path = state_path(dir, &origin);
        // The memory comes first: a log that is watched without one is refused at opening.
        if !path.exists() {
            if watched.iter().any(|log| log.origin == origin) {
                return Err(WitnessError::Forgotten { origin, path });
            }
            let state = State::new(origin.clone()).to_bytes();
            Files.replace(&path, &state).map_err(WitnessError::file("write", &path))?;
        }
        let path = dir.join("witness.json");
        Files.replace(&path, &config.to_bytes()).map_err(WitnessError::file("write", &path))?;
        Ok(origin)
    }

    /// What a witness is and remembers, without its lock: it may be at work meanwhile.
    pub fn look(dir: &Path) -> Result<(VerifierKey, Vec<State>), WitnessError> {
        let config = load_config(dir)?;
        let key = read_key(&dir.join("key.json"))?;
        let verifier = VerifierKey::new(config.name.clone(), KeyKind::Cosignature, key.public())?;
        let states = load_states(dir, &config, &verifier)?;
        Ok((verifier, states))
    }

    /// The key that its cosignatures are checked with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The newest cosigned checkpoint of the log whose name has this hash ([`origin_hash`]).
    pub fn latest(&self, hash: &str) -> Option<Note> {
        let (_, state) = self.states.iter().find(|(origin, _)| origin_hash(origin) == hash)?;
        // A state is replaced as a whole or not at all, so one left by a panic is still a state.
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cosigned.as_ref().map(|(_, note)| note.clone())
    }

    /// Answers a request. `time` is now, in seconds since 1970; it goes into the cosignature.
    ///
    /// Check and memory of one log are one step: no second request for the log comes between.
    pub fn add_checkpoint(&self, request: &[u8], time: u64) -> Reply {
        self.answer(request, time).unwrap_or_else(|reply| reply)
    }

    fn answer(&self, request: &[u8], time: u64) -> Result<Reply, Reply> {
        let AddCheckpoint { old, proof, checkpoint: note } =
            AddCheckpoint::parse(request).map_err(Reply::Malformed)?;
        let origin = origin_of(note.text()).ok_or(Reply::NoCheckpoint)?;
        let log = self.config.logs.iter().find(|log| log.origin == origin).ok_or(Reply::UnknownLog)?;
        let state = self.states.get(&origin).ok_or(Reply::UnknownLog)?;
        // The signature first: what nobody signed is not looked at.
        let signed = note.verify(&log.keys).map_err(|_| Reply::NotSigned)?;
        let offered: Checkpoint = note.text().parse().map_err(|error| unreadable(note.text(), error))?;
        let note =
            only(&note, |id| signed.iter().any(|signed| signed.key.id() == id)).ok_or(Reply::NotSigned)?;
        if old > offered.size {
            return Err(Reply::OldTooLarge);
        }
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped.load(Ordering::SeqCst) {
            return Err(WitnessError::Stopped.into());
        }
        self.suspect(&state, &offered, &note, old, &proof)?;
        if old != state.size() {
            return Err(Reply::Conflict(state.size()));
        }
        verify_consistency(old, &state.root(), offered.size, &offered.root, &proof)
            .map_err(Reply::Inconsistent)?;
        let line = cosign(&self.config.name, &self.key, time, note.text());
        let line = line.map_err(|error| Reply::Failed(error.into()))?;
        let mut cosigned = note.clone();
        cosigned.add(line.clone()).map_err(|_| Reply::NoCheckpoint)?;
        let next = State { origin, cosigned: Some((offered.clone(), cosigned)) };
        self.persist(&self.seen_path(&offered), note.to_string().as_bytes())?;
        self.persist(&state_path(&self.dir, &next.origin), &next.to_bytes())?;
        *state = next;
        self.clear(&note);
        Ok(Reply::Cosigned(line))
    }

    /// Keeps what the log should not have signed. A signature of the log is behind it, so this is worth a write.
    fn suspect(
        &self,
        state: &State,
        offered: &Checkpoint,
        note: &Note,
        old: u64,
        proof: &[hefu_chain::tree::TreeHash],
    ) -> Result<(), WitnessError> {
        let Some((newest, newest_note)) = &state.cosigned else { return Ok(()) };
        let keep = |kind, seen: &Note, prefix| {
            let evidence = Evidence { kind, seen: seen.clone(), offered: note.clone(), prefix };
            self.keep(&evidence)
        };
        let earlier = if offered.size == newest.size {
            Some(newest_note.clone())
        } else {
            folder::read(&self.seen_path(offered))?.and_then(|bytes| Note::parse(&bytes).ok())
        };
        if let Some(seen) = earlier {
            return if seen.text() == note.text() { Ok(()) } else { keep(Kind::Fork, &seen, None) };
        }
        if offered.size < newest.size {
            return keep(Kind::Rollback, newest_note, None);
        }
        let wrong = verify_consistency(old, &newest.root, offered.size, &offered.root, proof).is_err();
        if old == newest.size && wrong {
            // The proof of a forked log is right for the history it has: it says how that began.
            let prefix = prefix_root(old, offered.size, &offered.root, proof)
                .map(|root| Prefix { proof: proof.to_vec(), root });
            return keep(Kind::Inconsistent, newest_note, prefix);
        }
        Ok(())
    }

    /// Writes an evidence file, once for what was offered; one that proves more replaces one that proves less.
    fn keep(&self, evidence: &Evidence) -> Result<(), WitnessError> {
        let path = self.evidence_path(evidence.kind, &evidence.offered);
        let weaker = |bytes: &Vec<u8>| {
            evidence.prefix.is_some() && Evidence::parse(bytes).is_ok_and(|there| there.prefix.is_none())
        };
        if folder::read(&path)?.is_none_or(|there| weaker(&there)) {
            self.disk.replace(&path, &evidence.to_bytes()).map_err(WitnessError::file("write", &path))?;
        }
        Ok(())
    }

    /// A suspicion against a checkpoint that turned out to grow from the last one is none.
    fn clear(&self, note: &Note) {
        // If it cannot be removed it is found cleared when it is checked.
        let _ = fs::remove_file(self.evidence_path(Kind::Inconsistent, note));
    }

    /// Durable, or nothing is cosigned any more.
    fn persist(&self, path: &Path, bytes: &[u8]) -> Result<(), WitnessError> {
        let written = path
            .parent()
            .map_or(Ok(()), |folder| if folder.is_dir() { Ok(()) } else { folder::make(folder) });
        let written =
            written.and_then(|()| self.disk.replace(path, bytes).map_err(WitnessError::file("write", path)));
        if written.is_err() {
            self.stopped.store(true, Ordering::SeqCst);
        }
        written
    }

    fn seen_path(&self, checkpoint: &Checkpoint) -> PathBuf {
        let folder = self.dir.join("seen").join(origin_hash(&checkpoint.origin));
        folder.join(format!("{:020}.note", checkpoint.size))
    }

    fn evidence_path(&self, kind: Kind, offered: &Note) -> PathBuf {
        let kind = match kind {
            Kind::Fork => "fork",
            Kind::Inconsistent => "inconsistent",
            Kind::Rollback => "rollback",
        };
        let digest = Sha256Digest::of(offered.text().as_bytes()).to_string();
        self.dir.join("evidence").join(format!("{kind}-{}.json", &digest[..16]))
    }
}

/// The name of a log where paths are made of it: SHA-256 of its origin, in hex.
pub fn origin_hash(origin: &Origin) -> String {
    Sha256Digest::of(origin.as_str().as_bytes()).to_string()
}

/// The evidence files of a witness, by name.
pub fn evidence_files(dir: &Path) -> Result<Vec<PathBuf>, WitnessError> {
    let folder = dir.join("evidence");
    Ok(folder::names(&folder, ".json")?.into_iter().map(|name| folder.join(name)).collect())
}

/// A tree without leaves has one root; another is the log's contradiction, not bad spelling.
fn unreadable(text: &str, error: BadCheckpoint) -> Reply {
    let mut lines = text.split('\n').skip(1);
    let root = |line: &str| line.parse::<hefu_chain::tree::TreeHash>().is_ok();
    let empty = lines.next() == Some("0") && lines.next().is_some_and(root);
    match error {
        BadCheckpoint::Root if empty => Reply::Inconsistent(BadProof::NewRoot),
        BadCheckpoint::Lines | BadCheckpoint::Origin | BadCheckpoint::Size | BadCheckpoint::Root => {
            Reply::NoCheckpoint
        }
    }
}

/// The note with the signatures that were checked and no others.
fn only(note: &Note, keep: impl Fn(hefu_chain::note::NoteKeyId) -> bool) -> Option<Note> {
    let mut kept = note.signatures().iter().filter(|line| {
        let own_name = line.name().as_str() == note.text().split('\n').next().unwrap_or_default();
        own_name && keep(line.id())
    });
    let mut out = Note::new(note.text().to_owned(), kept.next()?.clone()).ok()?;
    for line in kept {
        out.add(line.clone()).ok()?;
    }
    Some(out)
}

fn state_path(dir: &Path, origin: &Origin) -> PathBuf {
    dir.join("state").join(format!("{}.json", origin_hash(origin)))
}

fn load_config(dir: &Path) -> Result<Config, WitnessError> {
    let path = dir.join("witness.json");
    let bytes = fs::read(&path).map_err(WitnessError::file("read", &path))?;
    serde_json::from_slice(&bytes).map_err(|error| WitnessError::bad(&path, &error))
}

fn load_states(dir: &Path, config: &Config, own: &VerifierKey) -> Result<Vec<State>, WitnessError> {
    let mut states = Vec::new();
    for log in &config.logs {
        let path = state_path(dir, &log.origin);
        let Some(bytes) = folder::read(&path)? else {
            return Err(WitnessError::Forgotten { origin: log.origin.clone(), path });
        };
        let state = State::parse(&bytes, &log.keys, own).map_err(|why| WitnessError::bad(&path, &why))?;
        if state.origin != log.origin {
            return Err(WitnessError::bad(&path, &"it is about another log"));
        }
        states.push(state);
    }
    Ok(states)
}

fn take_lock(dir: &Path) -> Result<File, WitnessError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(WitnessError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WitnessError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(WitnessError::file("lock", &path)(error)),
    }
}

fn write_key(path: &Path, key: &SecretKey) -> Result<(), WitnessError> {
    let secret = Sha256Digest(key.seed());
    let file = format!("{}\n", json!({"public": key.public(), "secret": secret}));
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut out| {
        out.write_all(file.as_bytes())?;
        out.sync_all()
    });
    written.map_err(WitnessError::file("write", path))
}

fn read_key(path: &Path) -> Result<SecretKey, WitnessError> {
    let bytes = fs::read(path).map_err(WitnessError::file("read", path))?;
    let file: Value = serde_json::from_slice(&bytes).map_err(|error| WitnessError::bad(path, &error))?;
    let field = |name| file.get(name).and_then(Value::as_str);
    let seed = field("secret").and_then(|text| text.parse::<Sha256Digest>().ok());
    let key = SecretKey::from_seed(
        seed.ok_or_else(|| WitnessError::bad(path, &"`secret` is not 64 hex digits"))?.0,
    );
    if field("public") != Some(key.public().to_string().as_str()) {
        return Err(WitnessError::bad(path, &"`public` does not belong to `secret`"));
    }
    Ok(key)
}
