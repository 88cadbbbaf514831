//! Worked example A of the verifiable-logs survey, made by another implementation and checked by two more; example B's
//! tree. Here the parts meet.

use crate::checkpoint::Checkpoint;
use crate::cosignature::cosign;
use crate::key::SecretKey;
use crate::note::{KeyKind, Note, VerifierKey};
use crate::policy::Policy;
use crate::proof::{TlogProof, Unproven};
use crate::tile::{Kind, Tile, TileBuilder, encode_entries, encode_hashes};
use crate::tree::{self, Frontier, MemoryTree, TreeHash};

pub(crate) const LOG_KEY: &str = "ledger.example/moves+0ac23cf2+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
pub(crate) const WITNESS_KEY: &str =
    "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
pub(crate) const TIME: u64 = 1_767_225_600;
pub(crate) const ENTRIES: [&[u8]; 3] = [b"move-1\n", b"move-2\n", b"move-3\n"];

/// `move-2.tlog-proof`.
pub(crate) const PROOF: &str = "\
c2sp.org/tlog-proof@v1
index 1
PHRGKvNC1CcB2feKjD+o0kfIfxtiJWBHvTRFKUBUC3c=
29b+09pthQjhJvxvz2QkoEmzqL0tqp+8VblmsxXcYgE=

ledger.example/moves
3
qrpqqdpjWHpPP0LHy4VBQZt1hj/HpdUy3oPXUqDBTWQ=

— ledger.example/moves CsI88sEwcuniDTTwAiOOkVENgc5MsPNkSM33ddo2AtahjjiU+n6NEPYtsyM9irr1NJpRl23m3/AbZDqPhdbLyn2WRQg=
— witness.example/w1 IDJKvgAAAABpVbkAm8P6uBky7xpSnM+cplNt0+W7mA+pMvd8+fmpBQkg3Wp5lH6XRIZuNaZPIJCM+NHAlAFcQnfedOJhYge8yGVUBA==
";

/// The bytes `first`, `first + 1`, … as a seed.
pub(crate) fn key(first: u8) -> SecretKey {
    let mut seed = [first; 32];
    seed.iter_mut().zip(0..).for_each(|(byte, at)| *byte += at);
    SecretKey::from_seed(seed)
}

pub(crate) fn log_key() -> VerifierKey {
    LOG_KEY.parse().unwrap()
}

pub(crate) fn witness_key() -> VerifierKey {
    WITNESS_KEY.parse().unwrap()
}

pub(crate) fn leaves() -> Vec<TreeHash> {
    ENTRIES.map(TreeHash::leaf).to_vec()
}

pub(crate) fn checkpoint() -> Checkpoint {
    let mut frontier = Frontier::new();
    for leaf in leaves() {
        frontier.append(leaf);
    }
    let origin = "ledger.example/moves".parse().unwrap();
    Checkpoint { origin, size: frontier.size(), root: frontier.root() }
}

/// The checkpoint of the example with both signatures.
pub(crate) fn note() -> Note {
    let checkpoint = checkpoint();
    let mut note = checkpoint.sign(&key(0x00)).unwrap();
    let name = "witness.example/w1".parse().unwrap();
    note.add(cosign(&name, &key(0x20), TIME, note.text()).unwrap()).unwrap();
    note
}

#[test]
fn example_a_keys() {
    let log = VerifierKey::of_log(&checkpoint().origin, key(0x00).public()).unwrap();
    assert_eq!(log.public().to_string(), "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
    assert_eq!(log.to_string(), LOG_KEY);
    assert_eq!(log, log_key());
    let name = "witness.example/w1".parse().unwrap();
    let witness = VerifierKey::new(name, KeyKind::Cosignature, key(0x20).public()).unwrap();
    assert_eq!(witness.to_string(), WITNESS_KEY);
    assert_eq!(witness, witness_key());
}

#[test]
fn example_a_tree_and_tiles() {
    let hex = [
        "3c74462af342d42701d9f78a8c3fa8d247c87f1b62256047bd34452940540b77",
        "a2bfeeda3613f37963a726f8640e5bf4d1f9036fc01e65c625a2198e6e516bf6",
        "dbd6fed3da6d8508e126fc6fcf6424a049b3a8bd2daa9fbc55b966b315dc6201",
    ];
    let leaves = leaves();
    assert_eq!(leaves.iter().map(TreeHash::to_hex).collect::<Vec<_>>(), hex);
    let mut tree: MemoryTree = leaves.iter().copied().collect();
    let old = tree::root(&mut tree, 2).unwrap();
    let new = tree::root(&mut tree, 3).unwrap();
    assert_eq!(old.to_hex(), "40de417155a339d5ea7cfeaaadfca76dadc516c9a11853c7f22eeaae7a5a4809");
    assert_eq!(new.to_hex(), "aaba6aa9da63587a4f3f42c7cb8541419b75863fc7a5d532de83d752a0c14d64");
    assert_eq!(checkpoint().root, new);
    let grown = tree::consistency(&mut tree, 2, 3).unwrap();
    assert_eq!(grown, [leaves[2]]);
    assert_eq!(tree::verify_consistency(2, &old, 3, &new, &grown), Ok(()));

    let mut tiles = TileBuilder::new();
    assert!(leaves.iter().all(|leaf| tiles.push(*leaf).is_empty()));
    let partials: Vec<(Tile, String)> =
        tiles.partials().map(|(tile, hashes)| (tile, hex::encode(encode_hashes(hashes)))).collect();
    assert_eq!(partials, [("tile/0/000.p/3".parse().unwrap(), hex.concat())]);
    assert_eq!(tiles.root(), new);
    let entries = encode_entries(ENTRIES).unwrap();
    assert_eq!(hex::encode(entries), "00076d6f76652d310a00076d6f76652d320a00076d6f76652d330a");
    assert_eq!(Tile::at(Kind::Entries, 0, 3).unwrap().to_string(), "tile/entries/000.p/3");
}

#[test]
fn example_a_note_and_proof() {
    let signed = PROOF.split_once("\n\n").unwrap().1;
    assert_eq!(note().to_string(), signed);
    let mut tree: MemoryTree = leaves().into_iter().collect();
    let path = tree::inclusion(&mut tree, 1, 3).unwrap();
    let proof = TlogProof::new(None, 1, path.clone(), note()).unwrap();
    assert_eq!(proof.to_string(), PROOF);
    assert_eq!(TlogProof::parse(PROOF.as_bytes()), Ok(proof.clone()));

    let keys = [log_key(), witness_key()];
    let opened = proof.verify(Some(ENTRIES[1]), &keys).unwrap();
    assert_eq!(opened.checkpoint, checkpoint());
    let times: Vec<Option<u64>> = opened.signatures.iter().map(|signature| signature.time).collect();
    assert_eq!(times, [None, Some(TIME)]);
    assert!(matches!(proof.verify(Some(ENTRIES[0]), &keys), Err(Unproven::Inclusion(_))));
    assert_eq!(proof.verify(None, &keys), Err(Unproven::NoEntry));
    assert!(matches!(proof.verify(Some(ENTRIES[1]), &keys[1..]), Err(Unproven::Checkpoint(_))));

    // The same with the entry inside.
    let carrying = TlogProof::new(Some(ENTRIES[1].to_vec()), 1, path, note()).unwrap();
    let text = PROOF.replace("index", "extra bW92ZS0yCg==\nindex");
    assert_eq!(carrying.to_string(), text);
    assert_eq!(text.parse(), Ok(carrying.clone()));
    assert!(carrying.verify(None, &keys[..1]).is_ok());
    // What the caller holds goes before what the file says.
    assert!(carrying.verify(Some(ENTRIES[2]), &keys).is_err());
}

#[test]
fn example_a_under_a_policy() {
    let proof: TlogProof = PROOF.parse().unwrap();
    let text = format!("log {LOG_KEY}\nwitness w1 {WITNESS_KEY}\nquorum w1\n");
    let policy: Policy = text.parse().unwrap();
    assert_eq!(policy.to_string(), text);
    let judgement = proof.verify_under(Some(ENTRIES[1]), &policy).unwrap();
    assert_eq!(judgement.cosigned, [("w1".to_owned(), TIME)]);
    let alone = TlogProof::new(None, 1, proof.path().to_vec(), checkpoint().sign(&key(0)).unwrap()).unwrap();
    let refused = alone.verify_under(Some(ENTRIES[1]), &policy).unwrap_err();
    assert_eq!(refused.to_string(), "the quorum of witnesses is not met; missing: w1");
}

/// The leaves of example B in `chain`: the root over them.
#[test]
fn example_b_root() {
    let leaves = [
        "2f7c49af340713d2e0f10901f07a59f6e6bc33a498073f8085c1072f77a5899e",
        "f92093c84b2f2640026c4006045dded6f434f8fa5c7ba1f91ad0ab4fa1aa9849",
        "ddac42ae1314c368fec7b8a26d57caa9e2e20c83369cdca59976767720c9395a",
    ];
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(TreeHash::from_hex(leaf).unwrap());
    }
    assert_eq!(frontier.root().to_string(), "P+oQjfST4Mn6dHgyhQp0XFjWPbvH/SAF+7/kSCtEmEM=");
}

/// A proof file with any one bit changed is refused, or proves nothing under a policy that asks for every signature in
/// it; what is read at all writes the same bytes again.
#[test]
fn every_single_bit_of_a_proof_file_counts() {
    let policy: Policy = format!("log {LOG_KEY}\nwitness w1 {WITNESS_KEY}\nquorum w1\n").parse().unwrap();
    for at in 0..PROOF.len() {
        for bit in 0..8 {
            let mut bytes = PROOF.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let Ok(proof) = TlogProof::parse(&bytes) else { continue };
            assert_eq!(proof.to_string().as_bytes(), bytes, "byte {at} bit {bit}");
            assert!(proof.verify_under(Some(ENTRIES[1]), &policy).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn what_is_no_proof_file() {
    use crate::proof::BadTlogProof::{Checkpoint, Extra, Index, Magic, Path};

    let hash = "PHRGKvNC1CcB2feKjD+o0kfIfxtiJWBHvTRFKUBUC3c=";
    for (from, to, error) in [
        ("@v1", "@v2", Magic),
        ("c2sp", "\nc2sp", Magic),
        ("index 1", "index 01", Index),
        ("index 1", "index -1", Index),
        ("index 1", "index  1", Index),
        ("index 1", "Index 1", Index),
        ("index 1\n", "", Index),
        ("index 1", "index 9223372036854775808", Index),
        ("index 1", "index 1\nextra AA==", Path),
        ("index 1", "extra \nindex 1", Extra),
        ("index 1", "extra AB==\nindex 1", Extra),
        ("index 1", "extra AA==\nextra AA==\nindex 1", Index),
        ("index 1", "extra AA==", Index),
        (hash, &hash[4..], Path),
        ("C3c=", "C3d=", Path),
        ("C3c=", "C3c= ", Path),
        (hash, &[hash; 63].join("\n"), Path),
        ("\n\n", "\n", Path),
        ("BA==\n", "BA==", Checkpoint(crate::note::BadNote::Shape)),
    ] {
        let text = PROOF.replacen(from, to, 1);
        assert_ne!(text, PROOF);
        assert_eq!(text.parse::<TlogProof>(), Err(error), "{to}");
    }
    // A second empty line belongs to the note, which then is no checkpoint.
    let proof: TlogProof = PROOF.replacen("\n\n", "\n\n\n", 1).parse().unwrap();
    assert!(proof.verify(Some(ENTRIES[1]), &[log_key()]).is_err());
    let new = |extra, index, len| TlogProof::new(extra, index, vec![TreeHash::EMPTY; len], note()).err();
    assert_eq!(new(Some(vec![]), 0, 0), Some(Extra));
    assert_eq!(new(None, 1 << 63, 0), Some(Index));
    assert_eq!(new(None, 0, 64), Some(Path));
    let largest =
        TlogProof::new(Some(vec![7; 1 << 20]), (1 << 63) - 1, vec![TreeHash::EMPTY; 63], note()).unwrap();
    assert_eq!(largest.to_string().parse(), Ok(largest));
}
