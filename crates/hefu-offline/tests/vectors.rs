//! The inclusion proofs of strangers, good and bad (`hefu-chain/testdata/merkle.jsonl`), followed by our own code.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use hefu_offline::hash::{Hash, climb, from_base64};
use serde_json::Value;

#[test]
fn inclusion_proofs_of_strangers() {
    let hash = |text: &Value| -> Option<Hash> { from_base64(text.as_str()?)?.try_into().ok() };
    let mut seen = [0, 0];
    for line in include_str!("../../hefu-chain/testdata/merkle.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        if !vector["name"].as_str().unwrap().starts_with("inclusion") {
            continue;
        }
        let (index, size) = (vector["leafIdx"].as_u64().unwrap(), vector["treeSize"].as_u64().unwrap());
        let followed = || {
            let path: Option<Vec<Hash>> = vector["proof"].as_array()?.iter().map(hash).collect();
            climb(index, size, hash(&vector["leafHash"])?, &path?)
        };
        let good = followed().is_some_and(|root| hash(&vector["root"]) == Some(root));
        assert_eq!(good, !vector["wantErr"].as_bool().unwrap(), "{}", vector["name"]);
        seen[usize::from(good)] += 1;
    }
    assert_eq!(seen[0] + seen[1], 98);
    assert!(seen[1] >= 5);
}
