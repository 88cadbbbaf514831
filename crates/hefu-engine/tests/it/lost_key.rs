//! Drill: an office has lost its key. Two persons of the authority above bring a new one on record.

use hefu_chain::key::SecretKey;
use hefu_domain::{
    authority::Role,
    id::{KeyId, PublicKey},
    policy::Policy,
};
use hefu_engine::{KeyStore, Reader, StoredKey, endorse, replay};
use hefu_store::Backend;
use serde_json::{Value, json};

use crate::bench_ledger::{Bench, code, ok, project, report, say};

#[test]
fn an_office_that_lost_its_key_signs_again_with_a_new_one() {
    let policy = Policy { key_recovery_delay_hours: 0, ..Policy::default() };
    let bench = Bench::with(policy, Backend::Segments);
    let engine = bench.open();
    let mut signer = bench.signer();
    project(&engine, &mut signer);
    let keys = KeyStore::beside(&bench.dir);
    let lost = keys.load("330108").unwrap();
    let new = StoredKey::generate("Li", Some(("330108".parse().unwrap(), Role::Office))).unwrap();
    let recover = |endorsers: &[&StoredKey]| {
        let command = json!({"type": "recover_key", "lost": lost.file.key, "person": "Li",
            "key": new.file.key, "public": new.file.public});
        let Value::Object(mut command) = command else { unreachable!() };
        for key in endorsers {
            endorse(&"test.example/ledger".parse().unwrap(), &mut command, key).unwrap();
        }
        Value::Object(command)
    };
    let second = keys.load("330100/coordinator-deputy").unwrap();
    // The coordinator alone cannot, nor two without the new key's word.
    for endorsers in [&[][..], &[&second][..], &[&new][..]] {
        let refused = say(&engine, &mut signer, "330100/coordinator", recover(endorsers));
        assert_eq!(code(&refused), "endorsement_missing");
    }
    ok(&say(&engine, &mut signer, "330100/coordinator", recover(&[&second, &new])));
    // Announced, not yet in force: the old key still signs, until a tick lets the delay end.
    ok(&say(&engine, &mut signer, "330108", report(1)));
    ok(&say(&engine, &mut signer, "log", json!({"type": "tick"})));
    assert_eq!(code(&say(&engine, &mut signer, "330108", report(2))), "key_ended");
    keys.save("330108/new", &new).unwrap();
    ok(&say(&engine, &mut signer, "330108/new", report(3)));
    engine.close().unwrap();
    let reader = Reader::open(&bench.dir).unwrap();
    assert_eq!(replay(reader.log(), &|_| {}).unwrap().findings, []);
    let ring = &reader.views.state.keyring;
    assert!(ring.keys[&lost.file.key].ended.is_some() && ring.keys[&new.file.key].ended.is_none());
    let public = SecretKey::from_seed(new.file.secret.0).public();
    assert_eq!((KeyId(public.id().0), PublicKey(public.0)), (new.file.key, new.file.public));
}
