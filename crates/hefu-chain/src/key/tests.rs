//! Signatures: published vectors, ZIP-215 alone and in batches.

use super::*;
use curve25519_dalek::constants::EIGHT_TORSION;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// RFC 8032, section 7.1, test 2.
#[test]
fn published_vector() {
    let seed = crate::text::hex(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
    let key = SecretKey::from_seed(seed);
    assert_eq!(key.public().to_string(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let signature = key.sign(&[0x72]);
    assert_eq!(hex::encode(&signature.0[..8]), "92a009a9f0d4cab8");
    assert!(key.public().verify(&[0x72], &signature));
    assert!(!key.public().verify(&[0x73], &signature));
    assert_eq!(signature.to_string().parse(), Ok(signature));
    assert!(!format!("{key:?}").contains("4ccd08"));
}

#[test]
fn a_batch_names_the_wrong_ones() {
    let messages: Vec<Vec<u8>> = (0..300_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let mut items: Vec<BatchItem<'_>> = messages
        .iter()
        .zip((0..5).cycle())
        .map(|(message, seed)| {
            let key = key(seed);
            BatchItem { public: key.public(), message, signature: key.sign(message) }
        })
        .collect();
    assert!(verify_batch(&items).iter().all(|good| *good));
    items[17].signature.0[0] ^= 1;
    items[99].message = b"other";
    items[120].public = key(9).public();
    let wrong: Vec<usize> =
        verify_batch(&items).iter().enumerate().filter(|(_, good)| !**good).map(|(at, _)| at).collect();
    assert_eq!(wrong, [17, 99, 120]);
    assert_eq!(verify_batch(&[]), Vec::<bool>::new());
}

/// Every encoding of a point of small order: eight canonical ones and six that ZIP-215 admits besides.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let canonical = EIGHT_TORSION.map(|point| point.compress().0);
    let mut all = canonical.to_vec();
    // y + p still fits 255 bits for y = 0 and y = 1; x = 0 may carry a set sign bit.
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    let mut p_plus_one = p;
    p_plus_one[0] = 0xee;
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = p;
    minus_one[0] = 0xec;
    for mut spelling in [p, p_plus_one, one, minus_one] {
        for sign in [0, 0x80] {
            spelling[31] = (spelling[31] & 0x7f) | sign;
            if CompressedEdwardsY(spelling).decompress().is_some() && !all.contains(&spelling) {
                all.push(spelling);
            }
        }
    }
    all
}

/// The ZIP-215 matrix: every small-order key with every small-order R and s = 0 is valid, alone and in a batch.
#[test]
fn zip_215_matrix_alone_and_in_batches() {
    let points = small_order_encodings();
    assert_eq!(points.len(), 14);
    let mut items = Vec::new();
    for public in &points {
        assert!(PublicKey(*public).is_weak());
        for r in &points {
            let mut signature = Signature([0; 64]);
            signature.0[..32].copy_from_slice(r);
            let item = BatchItem { public: PublicKey(*public), message: b"Zcash", signature };
            assert!(item.public.verify(item.message, &item.signature));
            items.push(item);
        }
    }
    assert_eq!(items.len(), 196);
    assert!(verify_batch(&items).iter().all(|good| *good));
    // s = order of the group is not canonical: never valid, in no company.
    let order: [u8; 32] =
        crate::text::hex(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut bad = items[5];
    bad.signature.0[32..].copy_from_slice(&order);
    assert!(!bad.public.verify(bad.message, &bad.signature));
    items.push(bad);
    let answers = verify_batch(&items);
    assert_eq!(answers.iter().filter(|good| !**good).count(), 1);
    assert!(!answers[196]);
}

#[test]
fn honest_keys_are_not_weak() {
    for seed in 0..20 {
        assert!(!key(seed).public().is_weak());
    }
    assert!(PublicKey([0xff; 32]).is_weak());
    // y = 2 is no point of the curve.
    let mut two = [0; 32];
    two[0] = 2;
    assert!(PublicKey(two).is_weak());
}
