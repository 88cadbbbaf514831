//! Two implementations of the same formats, by people who do not know each other, on the same trees and notes: what one
//! makes the other accepts, byte for byte the same; what one refuses the other refuses.

use hefu_chain::checkpoint::Checkpoint;
use hefu_chain::cosignature::cosign;
use hefu_chain::key::SecretKey;
use hefu_chain::note::{KeyKind, KeyName, Note, VerifierKey};
use hefu_chain::origin::Origin;
use hefu_chain::tile::{Kind, Tile};
use hefu_chain::tree::{self, MemoryTree, TreeHash};
use metamorphic_log::checkpoint::Checkpoint as TheirCheckpoint;
use metamorphic_log::note::{SignedNote, VerifierKey as TheirKey, sign_cosignature_ed25519, sign_ed25519};
use metamorphic_log::tile::{Tile as TheirTile, tiles_for_size};
use metamorphic_log::{merkle, proof};

const SEED: [u8; 32] = [1; 32];
const WITNESS: [u8; 32] = [2; 32];
const TIME: u64 = 1_767_225_600;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn plain(hashes: &[TreeHash]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.0.to_vec()).collect()
}

/// Trees of random sizes with random leaves: roots, both kinds of proof, and each verifier on the other's proofs, good
/// and with one bit flipped.
#[test]
fn trees_and_proofs() {
    let mut numbers = Numbers(1);
    for _ in 0..12 {
        let size = 1 + numbers.below(700);
        let mut leaf = |_| (0..numbers.below(40)).map(|_| numbers.below(256) as u8).collect();
        let leaves: Vec<Vec<u8>> = (0..size).map(&mut leaf).collect();
        let mut ours: MemoryTree = leaves.iter().map(|leaf| TreeHash::leaf(leaf)).collect();
        let mut theirs = merkle::MerkleTree::new();
        for leaf in &leaves {
            theirs.push(leaf);
        }
        let root = tree::root(&mut ours, size).unwrap();
        assert_eq!(root.0, theirs.root());
        for _ in 0..20 {
            let index = numbers.below(size);
            let leaf = TreeHash(theirs.leaf_hash(index).unwrap());
            let mut path = tree::inclusion(&mut ours, index, size).unwrap();
            assert_eq!(plain(&path), theirs.inclusion_proof(index, size).map_to_vec());
            let agree = |index: u64, path: &[TreeHash]| {
                let ours = tree::verify_inclusion(index, size, &leaf, path, &root).is_ok();
                assert_eq!(
                    ours,
                    proof::verify_inclusion(index, size, &leaf.0, &plain(path), &root.0).is_ok()
                );
                ours
            };
            assert!(agree(index, &path));
            // Another place, another length, another bit.
            agree(numbers.below(size + 2), &path);
            if let Some(hash) = path.last_mut() {
                hash.0[numbers.below(32) as usize] ^= 1 << numbers.below(8);
                assert!(!agree(index, &path));
            }
            path.pop();
            agree(index, &path);

            let old = 1 + numbers.below(size);
            let old_root = tree::root(&mut ours, old).unwrap();
            assert_eq!(old_root.0, theirs.root_at(old));
            let mut grown = tree::consistency(&mut ours, old, size).unwrap();
            assert_eq!(plain(&grown), theirs.consistency_proof(old, size).map_to_vec());
            let agree = |old: u64, grown: &[TreeHash]| {
                let ours = tree::verify_consistency(old, &old_root, size, &root, grown).is_ok();
                let theirs =
                    proof::verify_consistency(old, size, &plain(grown), &old_root.0, &root.0).is_ok();
                assert_eq!(ours, theirs, "{old} of {size}");
                ours
            };
            assert!(agree(old, &grown));
            agree(1 + numbers.below(size), &grown);
            if let Some(hash) = grown.first_mut() {
                hash.0[numbers.below(32) as usize] ^= 1 << numbers.below(8);
                assert!(!agree(old, &grown));
            }
        }
    }
}

/// Their hashes as the lists their verifier takes.
trait MapToVec {
    fn map_to_vec(self) -> Vec<Vec<u8>>;
}

impl MapToVec for Vec<merkle::Hash> {
    fn map_to_vec(self) -> Vec<Vec<u8>> {
        self.into_iter().map(|hash| hash.to_vec()).collect()
    }
}

/// A checkpoint signed and cosigned by either is the same note, and both believe it, and neither one that is altered.
#[test]
fn notes_and_cosignatures() {
    let origin: Origin = "ledger.example/moves".parse().unwrap();
    let witness: KeyName = "witness.example/w1".parse().unwrap();
    let (key, second) = (SecretKey::from_seed(SEED), SecretKey::from_seed(WITNESS));
    let checkpoint = Checkpoint { origin: origin.clone(), size: 12_345, root: TreeHash::leaf(b"x") };
    let mut note = checkpoint.sign(&key).unwrap();
    note.add(cosign(&witness, &second, TIME, note.text()).unwrap()).unwrap();
    let text = note.to_string();

    let body = TheirCheckpoint::new(origin.as_str(), 12_345, checkpoint.root.0).unwrap().marshal();
    assert_eq!(body, note.text());
    let signatures = vec![
        sign_ed25519(&body, origin.as_str(), &SEED).unwrap(),
        sign_cosignature_ed25519(&body, witness.as_str(), &WITNESS, TIME).unwrap(),
    ];
    assert_eq!(SignedNote::new(body, signatures).unwrap().marshal(), text);

    let keys = [
        VerifierKey::of_log(&origin, key.public()).unwrap(),
        VerifierKey::new(witness, KeyKind::Cosignature, second.public()).unwrap(),
    ];
    let their_keys = keys.each_ref().map(|key| TheirKey::parse(&key.to_string()).unwrap());
    for (ours, theirs) in keys.iter().zip(&their_keys) {
        assert_eq!(ours.to_string(), theirs.encode());
    }
    let believed = |text: &str| {
        let ours = Note::parse(text.as_bytes()).is_ok_and(|note| Checkpoint::open(&note, &keys).is_ok());
        (ours, TheirCheckpoint::from_signed_note(text, &their_keys).is_ok())
    };
    assert_eq!(believed(&text), (true, true));
    assert_eq!(SignedNote::parse(&text).unwrap().verify(&their_keys).unwrap().len(), 2);
    // The text and its signatures: a flipped bit of the text, or of the bytes of a signature, is believed by neither.
    let signatures = text.rfind("\n\n").unwrap();
    for at in 0..signatures {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(altered) = String::from_utf8(bytes) else { continue };
        assert_eq!(believed(&altered), (false, false), "byte {at}");
    }
}

/// The same names for the same tiles, and the same tiles for the same size.
#[test]
fn tiles() {
    let mut numbers = Numbers(2);
    for _ in 0..2000 {
        let scale = 10_u64.pow(u32::try_from(numbers.below(9)).unwrap());
        let (level, index) = (numbers.below(6) as u8, numbers.below(1 + scale));
        let width = 1 + numbers.below(256) as u16;
        let theirs = TheirTile::new(level, index, width).unwrap();
        let Ok(ours) = Tile::new(Kind::Hashes(level), index, width) else { continue };
        assert_eq!(ours.to_string(), theirs.path());
        let entries = Tile::new(Kind::Entries, index, width).unwrap();
        assert_eq!(entries.to_string(), theirs.entries_path());
        assert_eq!(TheirTile::parse_path(&ours.to_string()).ok(), Some(theirs));
    }
    for size in (0..600).chain([65_535, 65_536, 65_537, 70_000]) {
        let mut ours: Vec<String> = Tile::all(size)
            .filter(|tile| tile.kind() != Kind::Entries)
            .map(|tile| tile.to_string())
            .collect();
        let mut theirs: Vec<String> = tiles_for_size(size).iter().map(TheirTile::path).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{size}");
    }
}
