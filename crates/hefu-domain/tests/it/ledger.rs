//! A ledger in memory with a clock the test sets: decide, evolve, nothing else.
//!
//! Keys are made from names: `330108.office` is the office of 滨江, `330100.coordinator` the coordinator of Hangzhou,
//! `330108.office/2` a second key there, `log` the operator, `root1` to `root3` the root keys (two of three sign).
//! Shared with the tests of `hefu-projections`, which fold `Views` instead of `State`.

use std::collections::BTreeSet;

use hefu_domain::{
    authority::{KeyEntry, Role, RootKey, Roots},
    command::{Command, CreateLedger, RegisterKeys, Subject},
    decide::{Context, Original, decide},
    event::Event,
    id::{Digest, KeyId, ProjectId, PublicKey},
    policy::Policy,
    region::{Adjacency, Border, Level, RegionCode, RegionEntry, RegionId},
    rejection::Rejection,
    state::{Meta, State},
    time::{Date, Timestamp},
};
use uuid::Uuid;

/// What the events are folded into.
pub(crate) trait Fold: Clone + Default {
    fn state(&self) -> &State;
    fn fold(&mut self, meta: &Meta, event: &Event);
}

impl Fold for State {
    fn state(&self) -> &State {
        self
    }

    fn fold(&mut self, meta: &Meta, event: &Event) {
        self.evolve(meta, event).unwrap();
    }
}

/// Everything recorded so far, and what follows from it.
#[derive(Clone)]
pub(crate) struct Ledger<F> {
    pub(crate) fold: F,
    pub(crate) log: Vec<(Meta, Event)>,
    pub(crate) now: Timestamp,
    /// Who signed what is in the log.
    actors: Vec<KeyId>,
    commands: u128,
}

impl<F: Fold> Ledger<F> {
    /// Before record 0, on Monday 5 January 2026 at noon in China.
    pub(crate) fn empty() -> Ledger<F> {
        Ledger {
            fold: F::default(),
            log: Vec::new(),
            now: noon(date("2026-01-05")),
            actors: Vec::new(),
            commands: 0,
        }
    }

    /// A ledger of `regions` under `policy`, with one key for every role of every region.
    pub(crate) fn found(genesis: CreateLedger) -> Ledger<F> {
        let mut ledger = Ledger::empty();
        let codes: Vec<RegionCode> = genesis.regions.iter().map(|entry| entry.code).collect();
        ledger.submit(&["log", "root1", "root2"], &genesis.into()).unwrap();
        let keys = codes
            .into_iter()
            .chain([RegionCode::NATION])
            .flat_map(|code| Role::ALL.map(|role| key_entry(&format!("{code}.{}", role.name()), None)));
        let keys = RegisterKeys { endorsements: Vec::new(), keys: keys.collect() };
        ledger.submit(&["root1", "root2"], &keys.into()).unwrap();
        ledger
    }

    pub(crate) fn state(&self) -> &State {
        self.fold.state()
    }

    /// Signs with the first name, endorses with the others; folds what follows.
    pub(crate) fn submit(
        &mut self,
        signers: &[&str],
        command: &Command,
    ) -> Result<Vec<&'static str>, Rejection> {
        let events = self.decide(signers, command)?;
        self.commands += 1;
        let id = Uuid::from_u128(self.commands);
        for event in &events {
            let position = self.log.len() as u64;
            let (command_sha256, actor) = (digest(id), key(signers[0]));
            let meta = Meta { position, ts: self.now, command: id, command_sha256, actor };
            self.fold.fold(&meta, event);
            self.log.push((meta, event.clone()));
            self.actors.push(key(signers[0]));
        }
        Ok(events.iter().map(Event::kind).collect())
    }

    /// What would follow.
    pub(crate) fn decide(&self, signers: &[&str], command: &Command) -> Result<Vec<Event>, Rejection> {
        let endorsers: Vec<PublicKey> = signers[1..].iter().map(|name| public(name)).collect();
        let original = match command {
            Command::RedactRecord(c) => {
                let at = usize::try_from(c.position).unwrap();
                let known = self.log.get(at).zip(self.actors.get(at));
                known.map(|((_, event), actor)| Original { actor: *actor, event: Some(event) })
            }
            _ => None,
        };
        let context = Context { ts: self.now, key: key(signers[0]), endorsers: &endorsers, original };
        decide(self.state(), &context, command)
    }

    /// The subject an answer to the newest transfer of a project must carry.
    pub(crate) fn subject(&self, project: ProjectId, transfer: Option<u32>) -> Option<Subject> {
        let transfers = &self.state().projects.get(&project)?.transfers;
        let index = transfer.map_or(transfers.len().checked_sub(1)?, |number| number as usize);
        let transfer = transfers.get(index)?;
        Some(Subject { id: transfer.command, sha256: transfer.command_sha256 })
    }

    pub(crate) fn region(&self, code: &str) -> RegionId {
        self.state().regions.find(code.parse().unwrap()).unwrap().id
    }
}

/// The genesis of a ledger that spans two provinces and four cities, hosted by Zhejiang.
pub(crate) fn genesis(policy: Policy) -> CreateLedger {
    let roots = ["root1", "root2", "root3"];
    let roots = roots.map(|name| RootKey { key: key(name), person: name.to_owned(), public: public(name) });
    CreateLedger {
        adjacency: BORDERS.map(|(a, b, kind)| border(a, b, kind)).to_vec(),
        continues: None,
        endorsements: Vec::new(),
        format: 1,
        host: code("330000"),
        log_key: key("log"),
        log_public: public("log"),
        origin: "hefu.example/test".to_owned(),
        policy,
        regions: REGIONS.map(|(code, name)| region(code, name)).to_vec(),
        roots: Roots { keys: roots.to_vec(), threshold: 2 },
        suite: "blake3-sha256-ed25519".to_owned(),
    }
}

/// The regions of the scripts.
pub(crate) const REGIONS: [(&str, &str); 14] = [
    ("330000", "浙江省"),
    ("330100", "杭州市"),
    ("330108", "滨江区"),
    ("330109", "萧山区"),
    ("330122", "桐庐县"),
    ("330600", "绍兴市"),
    ("330681", "诸暨市"),
    ("330800", "衢州市"),
    ("330802", "柯城区"),
    ("330881", "江山市"),
    ("360000", "江西省"),
    ("361100", "上饶市"),
    ("361102", "信州区"),
    ("361123", "玉山县"),
];

const BORDERS: [(&str, &str, Border); 5] = [
    ("330108", "330109", Border::Land),
    ("330109", "330681", Border::Land),
    ("330122", "330681", Border::Land),
    ("330802", "330881", Border::Land),
    ("330881", "361123", Border::LandXprov),
];

/// An entry whose level and superior follow from the code.
pub(crate) fn region(text: &str, name: &str) -> RegionEntry {
    let (level, parent) = match (&text[2..], &text[4..]) {
        ("0000", _) => (Level::Province, None),
        (_, "00") => (Level::Prefecture, Some(format!("{}0000", &text[..2]))),
        _ => (Level::County, Some(format!("{}00", &text[..4]))),
    };
    RegionEntry {
        code: code(text),
        level,
        name_en: String::new(),
        name_zh: name.to_owned(),
        parent: parent.map(|parent| code(&parent)),
        valid_from: None,
    }
}

pub(crate) fn border(a: &str, b: &str, kind: Border) -> Adjacency {
    Adjacency { a: code(a), b: code(b), kind }
}

pub(crate) fn code(text: &str) -> RegionCode {
    text.parse().unwrap()
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Noon in China.
pub(crate) fn noon(day: Date) -> Timestamp {
    format!("{day}T04:00:00.000000Z").parse().unwrap()
}

/// `P1`, `P2`, …
pub(crate) fn project(name: &str) -> ProjectId {
    let number: u128 = name.strip_prefix('P').unwrap().parse().unwrap();
    ProjectId(Uuid::from_u128(0x0198_b2c4_0000_7000_8000_0000_0000_0000 + number))
}

/// The key of a name; not a real key: signatures are the engine's business.
pub(crate) fn key(name: &str) -> KeyId {
    KeyId(spread(name).to_be_bytes())
}

pub(crate) fn public(name: &str) -> PublicKey {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&spread(name).to_be_bytes());
    PublicKey(bytes)
}

fn spread(name: &str) -> u128 {
    // FNV-1a, 128 bits.
    name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// The entry of a key named `330108.office` or `330108.office/2`.
pub(crate) fn key_entry(name: &str, person: Option<&str>) -> KeyEntry {
    let (region, rest) = name.split_once('.').unwrap();
    let role = rest.split('/').next().unwrap();
    let role = Role::ALL.into_iter().find(|known| known.name() == role).unwrap();
    let person = person.unwrap_or(name).to_owned();
    KeyEntry { key: key(name), person, public: public(name), region: code(region), role }
}

fn digest(command: Uuid) -> Digest {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(command.as_bytes());
    Digest(bytes)
}

#[test]
fn names_make_distinct_keys() {
    let names = REGIONS.iter().flat_map(|(code, _)| Role::ALL.map(|role| format!("{code}.{}", role.name())));
    let names: Vec<String> = names.chain(["log".to_owned(), "root1".to_owned()]).collect();
    let keys: BTreeSet<KeyId> = names.iter().map(|name| key(name)).collect();
    assert_eq!(keys.len(), names.len());
}
