use super::*;

const LARGEST: u64 = 300;

/// RFC 6962 section 2.1 as it stands there: slow, and shares nothing with the code.
mod definition {
    use super::TreeHash;
    use sha2::{Digest as _, Sha256};

    pub(super) fn entry(at: u64) -> Vec<u8> {
        format!("entry {at}").into_bytes()
    }

    fn sha(parts: &[&[u8]]) -> TreeHash {
        TreeHash(Sha256::digest(parts.concat()).into())
    }

    fn split(entries: &[Vec<u8>]) -> usize {
        let mut k = 1;
        while k * 2 < entries.len() {
            k *= 2;
        }
        k
    }

    pub(super) fn root(entries: &[Vec<u8>]) -> TreeHash {
        match entries {
            [] => sha(&[]),
            [entry] => sha(&[&[0], entry]),
            _ => {
                let (left, right) = entries.split_at(split(entries));
                sha(&[&[1], &root(left).0, &root(right).0])
            }
        }
    }

    pub(super) fn path(m: usize, entries: &[Vec<u8>]) -> Vec<TreeHash> {
        if entries.len() == 1 {
            return vec![];
        }
        let (left, right) = entries.split_at(split(entries));
        let (mut path, sibling) = if m < left.len() {
            (path(m, left), root(right))
        } else {
            (path(m - left.len(), right), root(left))
        };
        path.push(sibling);
        path
    }

    pub(super) fn subproof(m: usize, entries: &[Vec<u8>], known: bool) -> Vec<TreeHash> {
        if m == entries.len() {
            return if known { vec![] } else { vec![root(entries)] };
        }
        let (left, right) = entries.split_at(split(entries));
        let (mut proof, sibling) = if m <= left.len() {
            (subproof(m, left, known), root(right))
        } else {
            (subproof(m - left.len(), right, false), root(left))
        };
        proof.push(sibling);
        proof
    }
}

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(definition::entry).collect()
}

fn leaves(size: u64) -> Vec<TreeHash> {
    entries(size).iter().map(|entry| TreeHash::leaf(entry)).collect()
}

fn memory(size: u64) -> MemoryTree {
    leaves(size).into_iter().collect()
}

fn flipped(hash: &TreeHash, bit: usize) -> TreeHash {
    let mut hash = *hash;
    hash.0[bit / 8] ^= 1 << (bit % 8);
    hash
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

#[test]
fn roots_are_those_of_the_definition() {
    let entries = entries(LARGEST);
    let mut tree = memory(LARGEST);
    let mut frontier = Frontier::new();
    assert_eq!(tree.size(), LARGEST);
    for size in 0..=LARGEST {
        let expected = definition::root(&entries[..usize_of(size)]);
        assert_eq!(root(&mut tree, size), Ok(expected), "{size}");
        assert_eq!(frontier.root(), expected, "{size}");
        assert_eq!(frontier.size(), size);
        assert_eq!(Frontier::from_parts(size, frontier.hashes().to_vec()), Ok(frontier.clone()));
        assert_eq!(
            Frontier::from_parts(size + 1, frontier.hashes().to_vec()).is_ok(),
            (size + 1).count_ones() == size.count_ones()
        );
        frontier.append(TreeHash::leaf(&definition::entry(size)));
    }
    assert_eq!(definition::root(&[]), TreeHash::EMPTY);
    assert_eq!(root(&mut tree, LARGEST + 1), Err(NoHash { level: 0, index: LARGEST }));
    assert!(Frontier::from_parts(u64::MAX, vec![TreeHash::EMPTY; 64]).is_err());
}

#[test]
fn inclusion_proofs_are_those_of_the_definition_and_nothing_else_verifies() {
    let (entries, leaves, mut tree) = (entries(LARGEST), leaves(LARGEST), memory(LARGEST));
    let mut bit = 0;
    for size in 1..=LARGEST {
        let root = root(&mut tree, size).unwrap();
        for index in 0..size {
            let leaf = &leaves[usize_of(index)];
            let mut proof = inclusion(&mut tree, index, size).unwrap();
            if size <= 64 || index % 16 == size % 16 {
                assert_eq!(proof, definition::path(usize_of(index), &entries[..usize_of(size)]));
            }
            let check = |leaf: &TreeHash, proof: &[TreeHash], root: &TreeHash| {
                verify_inclusion(index, size, leaf, proof, root)
            };
            assert_eq!(check(leaf, &proof, &root), Ok(()), "{index} of {size}");
            // Every bit of a small tree, one bit after another in larger ones.
            let bits = if size <= 16 { 0..256 } else { bit..bit + 1 };
            bit = (bit + 1) % 256;
            for bit in bits {
                assert_eq!(check(&flipped(leaf, bit), &proof, &root), Err(BadProof::Root));
                assert_eq!(check(leaf, &proof, &flipped(&root, bit)), Err(BadProof::Root));
                for at in 0..proof.len() {
                    let good = proof[at];
                    proof[at] = flipped(&good, bit);
                    assert_eq!(check(leaf, &proof, &root), Err(BadProof::Root));
                    proof[at] = good;
                }
            }
            // Other places and lengths.
            let others = if size <= 40 { 0..size } else { index.saturating_sub(2)..size.min(index + 3) };
            for other in others {
                let result = verify_inclusion(other, size, leaf, &proof, &root);
                assert_eq!(result.is_ok(), other == index, "{other} for {index} of {size}");
            }
            for at in 0..=proof.len() {
                let mut longer = proof.clone();
                longer.insert(at, *leaf);
                assert!(check(leaf, &longer, &root).is_err());
            }
            if proof.pop().is_some() {
                assert_eq!(check(leaf, &proof, &root), Err(BadProof::Length));
            }
        }
        let beyond = verify_inclusion(size, size, &leaves[0], &[], &root);
        assert_eq!(beyond, Err(BadProof::Index { index: size, size }));
        assert_eq!(inclusion(&mut tree, size, size), Err(Unprovable::Index { index: size, size }));
    }
    assert!(verify_inclusion(0, 0, &TreeHash::EMPTY, &[], &TreeHash::EMPTY).is_err());
}

#[test]
fn consistency_proofs_are_those_of_the_definition_and_nothing_else_verifies() {
    let (entries, mut tree) = (entries(LARGEST), memory(LARGEST));
    let roots: Vec<TreeHash> = (0..=LARGEST).map(|size| root(&mut tree, size).unwrap()).collect();
    let mut bit = 0;
    for new in 1..=LARGEST {
        for old in 1..new {
            let mut proof = consistency(&mut tree, old, new).unwrap();
            if new <= 64 || old % 16 == new % 16 {
                let expected = definition::subproof(usize_of(old), &entries[..usize_of(new)], true);
                assert_eq!(proof, expected, "{old} to {new}");
            }
            let (from, to) = (&roots[usize_of(old)], &roots[usize_of(new)]);
            let check = |from: &TreeHash, to: &TreeHash, proof: &[TreeHash]| {
                verify_consistency(old, from, new, to, proof)
            };
            assert_eq!(check(from, to, &proof), Ok(()), "{old} to {new}");
            let bits = if new <= 16 { 0..256 } else { bit..bit + 1 };
            bit = (bit + 1) % 256;
            for bit in bits {
                assert!(check(&flipped(from, bit), to, &proof).is_err());
                assert_eq!(check(from, &flipped(to, bit), &proof), Err(BadProof::NewRoot));
                for at in 0..proof.len() {
                    let good = proof[at];
                    proof[at] = flipped(&good, bit);
                    assert!(check(from, to, &proof).is_err());
                    proof[at] = good;
                }
            }
            for at in 0..=proof.len() {
                let mut longer = proof.clone();
                longer.insert(at, *from);
                assert!(check(from, to, &longer).is_err());
            }
            proof.pop();
            assert_eq!(check(from, to, &proof), Err(BadProof::Length));
            assert_eq!(check(from, to, &[]), Err(BadProof::Length));
            let reversed = verify_consistency(new, to, old, from, &proof);
            assert_eq!(reversed, Err(BadProof::Sizes { old: new, new: old }));
        }
    }
}

#[test]
fn equal_sizes_and_empty_trees() {
    let mut tree = memory(5);
    let (four, five) = (root(&mut tree, 4).unwrap(), root(&mut tree, 5).unwrap());
    assert_eq!(consistency(&mut tree, 5, 5), Ok(vec![]));
    assert_eq!(consistency(&mut tree, 0, 5), Ok(vec![]));
    assert_eq!(consistency(&mut tree, 5, 4), Err(Unprovable::Sizes { old: 5, new: 4 }));
    let empty = TreeHash::EMPTY;
    let check = verify_consistency;
    assert_eq!(check(5, &five, 5, &five, &[]), Ok(()));
    assert_eq!(check(5, &four, 5, &five, &[]), Err(BadProof::NewRoot));
    assert_eq!(check(5, &five, 5, &five, &[four]), Err(BadProof::Length));
    assert_eq!(check(0, &empty, 5, &five, &[]), Ok(()));
    assert_eq!(check(0, &four, 5, &five, &[]), Err(BadProof::OldRoot));
    assert_eq!(check(0, &empty, 5, &five, &[four]), Err(BadProof::Length));
    assert_eq!(check(0, &empty, 0, &empty, &[]), Ok(()));
    assert_eq!(check(0, &five, 0, &five, &[]), Err(BadProof::OldRoot));
    assert_eq!(check(0, &empty, 0, &five, &[]), Err(BadProof::NewRoot));
}

/// The checks end, and do not overflow, at sizes no tree has.
#[test]
fn huge_sizes_are_only_refused() {
    let hash = TreeHash::EMPTY;
    for size in [MAX_SIZE, 1 << 63, u64::MAX] {
        for index in [0, 1, size / 2, size - 1] {
            for len in [0, 1, 62, 63, 64, 65, 200] {
                let proof = vec![hash; len];
                assert!(verify_inclusion(index, size, &hash, &proof, &hash).is_err());
                if index > 0 {
                    assert!(verify_consistency(index, &hash, size, &hash, &proof).is_err());
                }
            }
        }
    }
}

#[test]
fn hashes_have_one_spelling() {
    let text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(TreeHash::EMPTY.to_string(), text);
    assert_eq!(text.parse(), Ok(TreeHash::EMPTY));
    assert_eq!(TreeHash::from_hex(&TreeHash::EMPTY.to_hex()), Ok(TreeHash::EMPTY));
    for bad in ["", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", &text.replace("FU=", "FV="), &text[4..]] {
        assert_eq!(bad.parse::<TreeHash>(), Err(NotTreeHash), "{bad}");
    }
    let json = serde_json::to_string(&TreeHash::EMPTY).unwrap();
    assert_eq!(serde_json::from_str::<TreeHash>(&json).unwrap(), TreeHash::EMPTY);
}

/// Whoever holds a proof for one older tree knows how the newer tree began, whatever the older tree was.
#[test]
fn a_proof_tells_how_the_newer_tree_began() {
    let mut tree = memory(20);
    let roots: Vec<TreeHash> = (0..=20).map(|size| root(&mut tree, size).unwrap()).collect();
    for new in 1..=20 {
        for old in 0..=new {
            let proof = consistency(&mut tree, old, new).unwrap();
            let (old_root, new_root) =
                (roots[usize::try_from(old).unwrap()], roots[usize::try_from(new).unwrap()]);
            let known = old > 0 && old < new && !old.is_power_of_two();
            assert_eq!(prefix_root(old, new, &new_root, &proof), known.then_some(old_root), "{old} {new}");
            assert_eq!(prefix_root(old, new, &old_root, &proof), None);
            assert_eq!(prefix_root(old, new, &new_root, proof.get(1..).unwrap_or_default()), None);
        }
    }
}
