//! A measurement, not a test: `cargo test --release -p hefu-chain tree::speed -- --ignored --nocapture`.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use super::{Frontier, TreeHash, inclusion, verify_inclusion};
use crate::tile::{Tile, TileBuilder, TileSource, encode_hashes};

#[test]
#[ignore = "a measurement; run in release"]
fn speed() {
    const RECORDS: u32 = 1_000_000;
    let entry = [7; 400];
    let per_second = |start: Instant| f64::from(RECORDS) / start.elapsed().as_secs_f64();

    let start = Instant::now();
    let leaves: Vec<TreeHash> = (0..RECORDS).map(|_| TreeHash::leaf(black_box(&entry))).collect();
    println!("leaf hashes of 400 bytes: {:.0}/s", per_second(start));

    let start = Instant::now();
    let mut frontier = Frontier::new();
    for leaf in &leaves {
        frontier.append(*leaf);
    }
    println!("frontier appends: {:.0}/s", per_second(start));

    let start = Instant::now();
    let mut builder = TileBuilder::new();
    let mut site = std::collections::HashMap::new();
    for leaf in &leaves {
        site.extend(builder.push(*leaf).into_iter().map(|(tile, hashes)| (tile, encode_hashes(&hashes))));
    }
    site.extend(builder.partials().map(|(tile, hashes)| (tile, encode_hashes(hashes))));
    println!("tile builder pushes: {:.0}/s", per_second(start));

    let start = Instant::now();
    let root = builder.root();
    println!("root from partial tiles: {:?}", start.elapsed());
    assert_eq!(root, frontier.root());

    let size = builder.size();
    let start = Instant::now();
    for index in 0..100 {
        let read = |tile: Tile| Ok::<_, Infallible>(site.get(&tile).cloned().unwrap_or_default());
        let mut tiles = TileSource::new(size, read);
        let path = inclusion(&mut tiles, index * 9973, size).unwrap();
        verify_inclusion(index * 9973, size, &leaves[0], &path, &root).unwrap();
    }
    println!("inclusion proof from cold tiles, made and verified: {:?}", start.elapsed() / 100);
}
