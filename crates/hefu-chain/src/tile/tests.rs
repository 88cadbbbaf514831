use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::tree::{self, HashSource as _, MemoryTree, TreeHash};

fn paths(tiles: impl Iterator<Item = Tile>) -> Vec<String> {
    tiles.map(|tile| tile.to_string()).collect()
}

fn leaf(at: u64) -> TreeHash {
    TreeHash::leaf(&at.to_be_bytes())
}

#[test]
fn published_paths() {
    let tile = Tile::new(Kind::Hashes(0), 1_234_067, 256).unwrap();
    assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
    assert_eq!("tile/0/x001/x234/067".parse(), Ok(tile));
    for (path, kind, index, width) in [
        ("tile/entries/000", Kind::Entries, 0, 256),
        ("tile/entries/x001/000.p/1", Kind::Entries, 1000, 1),
        ("tile/2/999.p/255", Kind::Hashes(2), 999, 255),
        ("tile/7/000.p/127", Kind::Hashes(7), 0, 127),
    ] {
        let tile = Tile::new(kind, index, width).unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    for bad in [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x01/001",
        "tile/0/x001",
        "tile/0/001/",
        "tile/00/001",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/001.p",
        "tile/0/001.p/1/",
        "tile/0/001.p/1.p/1",
        "/tile/0/001",
        "tile//001",
        "tile/0/",
        "tile/Entries/001",
        "tile/0/../001",
        "tile/0/x00a/001",
        "tile/0/+01",
        "tile/0/٠٠١",
        "checkpoint",
        "",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(bad.parse::<Tile>(), Err(BadPath::Shape), "{bad}");
    }
    // Well spelled, but beyond 2^63 - 1 leaves.
    for bad in ["tile/7/000.p/128", "tile/7/000", "tile/7/001.p/1", "tile/8/000.p/1", "tile/63/000"] {
        assert_eq!(bad.parse::<Tile>(), Err(BadPath::Tile(BadTile)), "{bad}");
    }
    assert!(Tile::new(Kind::Entries, 0, 0).is_err() && Tile::new(Kind::Entries, 0, 257).is_err());
    assert!(Tile::new(Kind::Hashes(255), 0, 1).is_err() && Tile::new(Kind::Entries, u64::MAX, 1).is_err());
}

#[test]
fn published_tiles_of_a_size() {
    let hashes = |size| Tile::all(size).filter(|tile| tile.kind() != Kind::Entries);
    assert_eq!(Tile::all(0).count(), 0);
    assert_eq!(paths(Tile::all(1)), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert_eq!(paths(hashes(256)), ["tile/0/000", "tile/1/000.p/1"]);
    let all = paths(hashes(70_000));
    assert_eq!(all.len(), 273 + 1 + 1 + 1 + 1);
    assert_eq!(all[272], "tile/0/272");
    assert_eq!(all[273..], ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
    assert_eq!(Tile::all(70_000).filter(|tile| tile.kind() == Kind::Entries).count(), 274);
    assert_eq!(Tile::fresh(70_000, 70_000).count(), 0);
    assert_eq!(
        paths(Tile::fresh(254, 257)),
        ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]
    );
    assert_eq!(Tile::at(Kind::Hashes(7), 0, u64::MAX).map(|tile| tile.width()), Some(127));
    assert_eq!(Tile::at(Kind::Hashes(8), 0, u64::MAX), None);
}

#[test]
fn a_tile_knows_its_leaves() {
    let tile: Tile = "tile/1/001.p/17".parse().unwrap();
    assert_eq!(tile.leaves(), 65_536..69_888);
    assert!(tile.is_within(70_000) && !tile.is_within(69_887) && !tile.is_full());
    assert!(Tile::all(70_000).all(|tile| tile.is_within(70_000)));
    assert!(Tile::all(70_000).all(|tile| Tile::at(tile.kind(), tile.index(), 70_000) == Some(tile)));
}

/// Builds a site leaf by leaf: at every size its tiles are those that should be there, with the right root, and the
/// builder goes on from them.
#[test]
fn a_growing_site() {
    let mut site: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    let mut memory = MemoryTree::new();
    let mut builder = TileBuilder::new();
    let (mut last, mut published) = (0, 0);
    for size in 1..=66_000_u64 {
        memory.push(leaf(size - 1));
        for (tile, hashes) in builder.push(leaf(size - 1)) {
            assert!(tile.is_full());
            assert!(site.insert(tile, encode_hashes(&hashes)).is_none(), "{tile} given twice");
        }
        let publish = size < 1100 || size % 509 == 0 || (65_530..65_540).contains(&size);
        if !publish {
            continue;
        }
        for (tile, hashes) in builder.partials() {
            site.insert(tile, encode_hashes(hashes));
        }
        let root = tree::root(&mut memory, size).unwrap();
        assert_eq!((builder.size(), builder.root()), (size, root));
        assert!(
            Tile::all(size).filter(|tile| tile.kind() != Kind::Entries).all(|tile| {
                site.get(&tile).is_some_and(|bytes| parse_hashes(bytes, tile.width()).is_ok())
            })
        );
        let read = |tile: Tile| site.get(&tile).cloned().ok_or("no such file");
        assert_eq!(TileBuilder::resume(size, read), Ok(builder.clone()));
        let mut tiles = TileSource::new(size, read);
        assert_eq!(tree::root(&mut tiles, size), Ok(root));
        let index = size * 7 % size.max(1);
        for index in [0, index, size / 2, size - 1] {
            let path = tree::inclusion(&mut tiles, index, size).unwrap();
            assert_eq!(tree::verify_inclusion(index, size, &leaf(index), &path, &root), Ok(()));
        }
        let grown = tree::consistency(&mut tiles, published, size).unwrap();
        assert_eq!(
            tree::verify_consistency(published, &{ last_root(&mut memory, published) }, size, &root, &grown),
            Ok(())
        );
        assert_eq!(grown, tree::consistency(&mut memory, published, size).unwrap());
        last += 1;
        published = size;
    }
    assert!(last > 1200);
}

fn last_root(memory: &mut MemoryTree, size: u64) -> TreeHash {
    tree::root(memory, size).unwrap()
}

#[test]
fn a_source_says_what_is_wrong() {
    let good = |tile: Tile| Ok::<_, Infallible>(vec![0; 32 * usize::from(tile.width())]);
    let mut source = TileSource::new(300, good);
    assert_eq!(source.size(), 300);
    for (level, index) in [(0, 300), (8, 1), (9, 0), (2, 75), (64, 0), (200, 0), (0, u64::MAX)] {
        let outside = NoTile::Outside { level, index, size: 300 };
        assert_eq!(source.hash(level, index), Err(outside));
    }
    assert!(source.hash(0, 299).is_ok() && source.hash(8, 0).is_ok() && source.hash(2, 74).is_ok());
    let tile = "tile/0/001.p/44".parse().unwrap();
    let mut source = TileSource::new(300, |_| Err::<Vec<u8>, _>("gone"));
    assert_eq!(source.hash(0, 256), Err(NoTile::Read { tile, error: "gone" }));
    let mut source = TileSource::new(300, |_| Ok::<_, Infallible>(vec![0; 45 * 32]));
    let error = source.hash(0, 256).unwrap_err();
    assert_eq!(error.to_string(), "tile/0/001.p/44: a tile of width 44 has 1408 bytes of hashes, not 1440");
    assert_eq!(error, NoTile::Bytes { tile, error: BadBytes::Length { width: 44, len: 1440 } });
}

#[test]
fn bundles_have_limits() {
    let long = vec![0; MAX_ENTRY_LEN + 1];
    assert_eq!(encode_entries([&long[..]]), Err(BadBytes::Entry(0)));
    let bytes = encode_entries([&long[1..]]).unwrap();
    assert_eq!(parse_entries(&bytes, 1), Ok(vec![&long[1..]]));
    assert_eq!(encode_entries(std::iter::repeat_n(&b""[..], 257)), Err(BadBytes::Width(256)));
    assert_eq!(encode_entries(std::iter::repeat_n(&b""[..], 256)).map(|bytes| bytes.len()), Ok(512));
    assert_eq!(parse_entries(&bytes[..9], 1), Err(BadBytes::Short(0)));
    assert_eq!(parse_entries(&bytes, 2), Err(BadBytes::Short(1)));
    assert_eq!(parse_entries(&[0, 0, 0], 1), Err(BadBytes::Width(1)));
    assert!(parse_hashes(&[0; 31], 1).is_err() && parse_hashes(&[0; 32], 2).is_err());
}

proptest! {
    #[test]
    fn every_tile_has_one_path(level in 0_u8..8, index in 0..u64::MAX >> 9, shift in 0_u32..56, width in 1_u16..=256) {
        let kind = if level == 7 { Kind::Entries } else { Kind::Hashes(level) };
        if let Ok(tile) = Tile::new(kind, index >> shift, width) {
            prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        }
    }

    #[test]
    fn a_path_that_is_read_is_written_the_same(path in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
        }
    }

    #[test]
    fn fresh_tiles_are_the_difference(old in 0_u64..80_000, more in 0_u64..80_000) {
        let had: std::collections::BTreeSet<Tile> = Tile::all(old).collect();
        let fresh: Vec<Tile> = Tile::fresh(old, old + more).collect();
        let expected: Vec<Tile> = Tile::all(old + more).filter(|tile| !had.contains(tile)).collect();
        prop_assert_eq!(fresh, expected);
    }

    #[test]
    fn a_bundle_that_is_read_is_written_the_same(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..20),
        at in any::<prop::sample::Index>(),
        xor in any::<u8>(),
    ) {
        let mut bytes = encode_entries(entries.iter().map(Vec::as_slice)).unwrap();
        let width = u16::try_from(entries.len()).unwrap();
        prop_assert_eq!(parse_entries(&bytes, width).unwrap(), entries);
        let at = at.index(bytes.len());
        bytes[at] ^= xor;
        if let Ok(read) = parse_entries(&bytes, width) {
            prop_assert_eq!(encode_entries(read).unwrap(), bytes);
        }
    }
}
