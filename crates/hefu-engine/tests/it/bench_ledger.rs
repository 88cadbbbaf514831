//! A small ledger to test on: two counties of one city, one of another, keys for everyone.

use std::path::{Path, PathBuf};

use hefu_domain::{policy::Policy, region::RegionEntry};
use hefu_engine::{
    Accepted, Answer, Draft, Engine, KeyStore, Mode, Options, Signer, create_dev, system_clock,
};
use hefu_store::Backend;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const P1: &str = "0198b2c4-0000-7000-8000-000000000001";
pub(crate) const FIRM: &str = "91330100799655058B";

pub(crate) struct Bench {
    pub(crate) dir: PathBuf,
    _temp: Option<tempfile::TempDir>,
}

fn area(code: &str, level: &str, parent: Option<&str>) -> RegionEntry {
    serde_json::from_value(json!({"code": code, "level": level, "name_zh": code, "parent": parent})).unwrap()
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::with(Policy::default(), Backend::Segments)
    }

    pub(crate) fn with(policy: Policy, backend: Backend) -> Bench {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("ledger");
        let regions = vec![
            area("330000", "province", None),
            area("330100", "prefecture", Some("330000")),
            area("330108", "county", Some("330100")),
            area("330122", "county", Some("330100")),
            area("330800", "prefecture", Some("330000")),
            area("330881", "county", Some("330800")),
        ];
        let origin = "test.example/ledger".parse().unwrap();
        let host = "330000".parse().unwrap();
        create_dev(&dir, origin, host, policy, (regions, Vec::new()), backend, system_clock).unwrap();
        Bench { dir, _temp: Some(temp) }
    }

    pub(crate) fn at(dir: &Path) -> Bench {
        Bench { dir: dir.to_owned(), _temp: None }
    }

    pub(crate) fn open(&self) -> Engine {
        Engine::open(&self.dir, Options { index: false, ..Options::default() }).unwrap()
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::new("test.example/ledger".parse().unwrap(), KeyStore::beside(&self.dir))
    }
}

pub(crate) fn draft(signer: &str, command: Value) -> Draft {
    let Value::Object(command) = command else { panic!("a command is an object") };
    Draft { command, id: None, signer: signer.to_owned() }
}

/// Signs and submits one command.
pub(crate) fn say(engine: &Engine, signer: &mut Signer, by: &str, command: Value) -> Answer {
    let bytes = sign(engine, signer, by, command).1;
    engine.submit(vec![bytes], Mode::Each, None).wait().unwrap().remove(0)
}

pub(crate) fn sign(engine: &Engine, signer: &mut Signer, by: &str, command: Value) -> (Uuid, Vec<u8>) {
    let state = engine.views().read().unwrap().state.clone();
    let signed = signer.sign(draft(by, command), &state, system_clock()).unwrap();
    (signed.id(), signed.into_bytes())
}

pub(crate) fn ok(answer: &Answer) -> &Accepted {
    match answer {
        Answer::Accepted(accepted) => accepted,
        Answer::Refused(refused, _) => panic!("refused: {refused}"),
    }
}

pub(crate) fn code(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted(_) => "ok",
        Answer::Refused(refused, _) => refused.code(),
    }
}

/// A firm and a project in 330108.
pub(crate) fn project(engine: &Engine, signer: &mut Signer) {
    let firm = json!({"type": "register_enterprise", "enterprise": FIRM, "name": "甲", "region": "330108"});
    ok(&say(engine, signer, "330108", firm));
    let project = json!({"type": "register_project", "project": P1, "name": "裂变", "enterprise": FIRM,
        "industry": "C34", "origin": "330108", "planned_investment": "1200000000.00", "date": "2023-01-10"});
    ok(&say(engine, signer, "330108", project));
}

pub(crate) fn report(value: u64) -> Value {
    json!({"type": "report_observation", "project": P1, "indicator": "INV_FAI", "period": "2023-07",
        "value": format!("{value}.00")})
}
