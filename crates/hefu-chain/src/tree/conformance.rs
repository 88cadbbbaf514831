//! Proofs that others made, good and bad: `testdata/merkle.jsonl` of transparency-dev/merkle.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields, rename_all = "camelCase")]
enum Vector {
    #[serde(rename_all = "camelCase")]
    Inclusion {
        name: String,
        leaf_idx: u64,
        tree_size: u64,
        root: String,
        leaf_hash: String,
        proof: Vec<String>,
        want_err: bool,
    },
    #[serde(rename_all = "camelCase")]
    Consistency {
        name: String,
        size1: u64,
        size2: u64,
        root1: String,
        root2: String,
        proof: Vec<String>,
        want_err: bool,
    },
}

/// Theirs is text of any length, and some have words in place of a hash: here a hash that nothing leads to.
fn hash(text: &str) -> TreeHash {
    let bytes = c2sp::base64(text).unwrap();
    bytes.as_slice().try_into().map_or_else(|_| TreeHash::leaf(&bytes), TreeHash)
}

fn hashes(texts: &[String]) -> Vec<TreeHash> {
    texts.iter().map(|text| hash(text)).collect()
}

#[test]
fn proofs_of_strangers_are_accepted_and_refused_as_they_say() {
    let vectors = include_str!("../../testdata/merkle.jsonl");
    let mut seen = [0, 0];
    for line in vectors.lines() {
        let nothing = line.contains(":\"\"");
        let (name, good, want_err) = match serde_json::from_str(line).unwrap() {
            Vector::Inclusion { name, leaf_idx, tree_size, root, leaf_hash, proof, want_err } => {
                let (leaf, root) = (hash(&leaf_hash), hash(&root));
                let verified = verify_inclusion(leaf_idx, tree_size, &leaf, &hashes(&proof), &root);
                (name, verified.is_ok(), want_err)
            }
            Vector::Consistency { name, size1, size2, root1, root2, proof, want_err } => {
                let (old, new) = (hash(&root1), hash(&root2));
                let verified = verify_consistency(size1, &old, size2, &new, &hashes(&proof));
                (name, verified.is_ok(), want_err)
            }
        };
        // Every tree grows from the empty one: here we say so (as c2sp.org/tlog-witness needs), there it is no question.
        let from_nothing = name == "consistency/additional/size1-is-zero-and-size2-is-not-zero";
        // No hash at all is refused where it is read; our types cannot hold it.
        let good = good && !nothing;
        assert_eq!(good, !want_err || from_nothing, "{name}");
        seen[usize::from(good)] += 1;
    }
    assert_eq!(seen, [183, 13]);
}
