//! Sites of more than one full tile: at every level damage is found where it is, in stale partial tiles as well.

use super::super::testlog::{log, log_key, origin, records};
use super::super::{Options, PUBLIC, Report, Verdict};
use super::world::{Files, judge_site, options};
use crate::chain::ChainContext;
use crate::checkpoint::Checkpoint;
use crate::leaf::LeafRef;
use crate::source::MemorySource;
use crate::tile::{Kind, Tile, TileBuilder, encode_entries, encode_hashes};
use crate::tree::TreeHash;

/// Three levels: the lowest with 258 full tiles and a partial one, the next with a full and a partial one, one hash on top.
const TALL: u64 = 65_536 + 2 * 256 + 88;
/// Two full bundles and a partial one.
const WIDE: u64 = 600;

/// The tree and the checkpoint over some leaf hashes; partial tiles of smaller `sizes` are kept beside the newer ones.
fn tiles(leaves: impl Iterator<Item = TreeHash>, sizes: &[u64]) -> Files {
    let mut files = Files::new();
    let mut builder = TileBuilder::new();
    for leaf in leaves {
        for (tile, hashes) in builder.push(leaf) {
            files.insert(tile.to_string(), encode_hashes(&hashes));
        }
        if sizes.contains(&builder.size()) {
            files.extend(builder.partials().map(|(tile, hashes)| (tile.to_string(), encode_hashes(hashes))));
            let (size, root) = (builder.size(), builder.root());
            let note = Checkpoint { origin: origin(), size, root }.sign(&log_key()).unwrap();
            files.insert("checkpoint".to_owned(), note.to_string().into_bytes());
        }
    }
    files
}

/// A public site: what the leaves say is not asked.
fn tall() -> Files {
    let leaves = (0..TALL).map(|at| TreeHash::leaf(&at.to_be_bytes()));
    let mut files = tiles(leaves, &[5 * 256 + 100, 17 * 256, TALL - 256, TALL - 78, TALL]);
    files.insert(PUBLIC.to_owned(), Vec::new());
    files
}

/// A site with entries, all of one stream.
fn wide() -> Files {
    let chain = ChainContext::new(&origin());
    let mut leaf = LeafRef::parse(&records(&log())[4].leaf).unwrap().to_leaf();
    leaf.prev = chain.start();
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    for at in 0..WIDE {
        (leaf.seq, leaf.stream_seq, leaf.stream_prev) = (at, at, at.checked_sub(1));
        let bytes = leaf.as_ref().encode().unwrap();
        leaf.prev = chain.link(&bytes);
        leaves.push(bytes);
    }
    let sizes = [256 + 10, 512 + 5, WIDE];
    let mut files = tiles(leaves.iter().map(|leaf| TreeHash::leaf(leaf)), &sizes);
    for size in sizes {
        for tile in Tile::all(size).filter(|tile| tile.kind() == Kind::Entries) {
            let of = tile.leaves();
            let these = &leaves[usize::try_from(of.start).unwrap()..usize::try_from(of.end).unwrap()];
            files.insert(tile.to_string(), encode_entries(these.iter().map(Vec::as_slice)).unwrap());
        }
    }
    files
}

/// What is said after one file was changed: file, kind, position, offset.
fn after(site: &Files, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> (Vec<String>, Report) {
    let mut files = site.clone();
    change(files.get_mut(path).unwrap_or_else(|| panic!("no {path} in {:?}", site.keys())));
    let report = judge_site(files, None);
    let found = report.findings.iter().map(|finding| {
        let kind = serde_json::to_value(finding.kind).unwrap();
        let position = finding.position.map(|at| format!(" record {at}")).unwrap_or_default();
        let hash = finding.offset.filter(|_| finding.field == Some("hash"));
        let hash = hash.map(|offset| format!(" hash {}", offset / 32)).unwrap_or_default();
        format!("{} {}{position}{hash}", finding.segment, kind.as_str().unwrap())
    });
    (found.collect(), report)
}

fn flip_is(site: &Files, path: &str, hash: usize, expected: &str) {
    let (found, report) = after(site, path, |bytes| bytes[hash * 32 + 9] ^= 4);
    assert_eq!((found, report.verdict), (vec![expected.to_owned()], Verdict::ProvenBad), "{path}");
}

#[test]
fn in_a_tall_tree_damage_is_found_in_its_tile() {
    let site = tall();
    assert_eq!(judge_site(site.clone(), None).findings, []);
    for (path, hash, expected) in [
        // With nothing below it, the tile is known to be damaged, but not which hash.
        ("tile/0/007", 3, "tile/0/007 tile_damaged"),
        ("tile/1/000", 200, "tile/1/000 tile_damaged hash 200"),
        ("tile/1/001.p/2", 1, "tile/1/001.p/2 tile_damaged hash 1"),
        ("tile/2/000.p/1", 0, "tile/2/000.p/1 tile_damaged hash 0"),
        // Nothing vouches for either: these are not the leaves that were signed.
        ("tile/0/258.p/88", 40, "checkpoint fork"),
        // Of earlier checkpoints.
        ("tile/0/005.p/100", 99, "tile/0/005.p/100 tile_damaged record 1379 hash 99"),
        ("tile/0/258.p/10", 4, "tile/0/258.p/10 tile_damaged record 66052 hash 4"),
        ("tile/1/000.p/17", 16, "tile/1/000.p/17 tile_damaged hash 16"),
        ("tile/1/001.p/1", 0, "tile/1/001.p/1 tile_damaged hash 0"),
    ] {
        flip_is(&site, path, hash, expected);
    }
}

#[test]
fn in_a_tall_tree_an_absent_tile_is_named_and_nothing_is_proven_bad() {
    let site = tall();
    for path in ["tile/0/007", "tile/1/000", "tile/1/001.p/2", "tile/2/000.p/1"] {
        let mut files = site.clone();
        files.remove(path);
        let report = judge_site(files, None);
        let found: Vec<&str> = report.findings.iter().map(|finding| finding.segment.as_str()).collect();
        assert_eq!((found, report.verdict), (vec![path], Verdict::NotProven), "{:?}", report.findings);
    }
}

#[test]
fn in_a_wide_tree_tile_and_entry_are_told_apart() {
    let site = wide();
    assert_eq!(judge_site(site.clone(), None).findings, []);
    for (path, hash, expected) in [
        ("tile/0/001", 44, "tile/0/001 tile_damaged record 300 hash 44"),
        ("tile/0/002.p/88", 87, "tile/0/002.p/88 tile_damaged record 599 hash 87"),
        ("tile/1/000.p/2", 1, "tile/1/000.p/2 tile_damaged hash 1"),
        ("tile/0/001.p/10", 9, "tile/0/001.p/10 tile_damaged record 265 hash 9"),
        ("tile/0/002.p/5", 2, "tile/0/002.p/5 tile_damaged record 514 hash 2"),
        ("tile/1/000.p/1", 0, "tile/1/000.p/1 tile_damaged hash 0"),
    ] {
        flip_is(&site, path, hash, expected);
    }
    for (path, at, expected) in [
        ("tile/entries/001", 300, "tile/entries/001 leaf_altered record 300"),
        ("tile/entries/002.p/88", 599, "tile/entries/002.p/88 leaf_altered record 599"),
        ("tile/entries/001.p/10", 265, "tile/entries/001.p/10 tile_damaged record 265"),
        ("tile/entries/002.p/5", 514, "tile/entries/002.p/5 tile_damaged record 514"),
    ] {
        let (found, report) = after(&site, path, |bytes| {
            let seq = format!("\"seq\":{at},");
            let of = |needle: &[u8], from: usize| {
                from + bytes[from..].windows(needle.len()).position(|found| found == needle).unwrap()
            };
            let stream = of(b"\"stream\":\"", of(seq.as_bytes(), 0)) + 12;
            bytes[stream] ^= 1;
        });
        assert_eq!((found, report.verdict), (vec![expected.to_owned()], Verdict::ProvenBad), "{path}");
    }
}

/// What is said of a site: kind, position, field, file.
fn said(files: Files) -> (Vec<String>, Report) {
    let report = judge_site(files, None);
    let said = report.findings.iter().map(|finding| {
        let kind = serde_json::to_value(finding.kind).unwrap();
        let position = finding.position.map_or_else(String::new, |at| format!(" {at}"));
        let offset = finding.offset.map_or_else(String::new, |at| format!(" byte {at}"));
        let field = finding.field.unwrap_or_default();
        format!("{}{position} ({field}) {}{offset}", kind.as_str().unwrap(), finding.segment)
    });
    (said.collect(), report)
}

fn swap(files: &mut Files, one: &str, other: &str) {
    let [first, second] = [one, other].map(|path| files[path].clone());
    files.insert(one.to_owned(), second);
    files.insert(other.to_owned(), first);
}

#[test]
fn files_in_each_others_place_are_one_finding_each() {
    let mut site = wide();
    swap(&mut site, "tile/entries/000", "tile/entries/001");
    let (found, report) = said(site.clone());
    let bundles = ["swapped 0 (file) tile/entries/000", "swapped 256 (file) tile/entries/001"];
    assert_eq!((found, report.verdict), (bundles.map(str::to_owned).to_vec(), Verdict::ProvenBad));
    assert_eq!(report.findings[0].stored.as_deref(), Some("what belongs at record 256"));
    assert_eq!(report.records, WIDE);
    // With their tiles: entries and tiles agree, and only the tree tells.
    swap(&mut site, "tile/0/000", "tile/0/001");
    let (found, _) = said(site);
    let all =
        [bundles[0], "tile_damaged 0 (file) tile/0/000", bundles[1], "tile_damaged 256 (file) tile/0/001"];
    assert_eq!(found, all);
    // A full and the partial one, which are of two lengths.
    let mut site = wide();
    swap(&mut site, "tile/0/001", "tile/0/002.p/88");
    let (found, _) = said(site.clone());
    let tiles = ["tile_damaged 256 (file) tile/0/001", "tile_damaged 512 (file) tile/0/002.p/88"];
    assert_eq!(found, tiles);
    swap(&mut site, "tile/0/001", "tile/0/002.p/88");
    swap(&mut site, "tile/entries/001", "tile/entries/002.p/88");
    swap(&mut site, "tile/0/001", "tile/0/002.p/88");
    let (found, report) = said(site);
    let all = [
        "swapped 256 (file) tile/entries/001",
        "tile_damaged 256 (file) tile/0/001",
        "swapped 512 (file) tile/entries/002.p/88",
        "tile_damaged 512 (file) tile/0/002.p/88",
    ];
    assert_eq!((found, report.records), (all.map(str::to_owned).to_vec(), WIDE));
    // A file put in the place of another whose own is nowhere.
    let mut site = wide();
    let copy = site["tile/entries/000"].clone();
    site.insert("tile/entries/001".into(), copy);
    let (found, report) = said(site);
    let gone = [
        "swapped 256 (file) tile/entries/001",
        "tile_missing () tile/entries/001",
        "missing 256 () tile/entries/001",
    ];
    assert_eq!((found, report.verdict), (gone.map(str::to_owned).to_vec(), Verdict::ProvenBad));
    // A public site has the tiles only.
    let mut site = tall();
    swap(&mut site, "tile/0/007", "tile/0/200");
    let (found, _) = said(site);
    assert_eq!(found, ["tile_damaged 1792 (file) tile/0/007", "tile_damaged 51200 (file) tile/0/200"]);
    let mut site = tall();
    swap(&mut site, "tile/0/007", "tile/0/258.p/88");
    let (found, _) = said(site);
    let both = ["tile_damaged 1792 (file) tile/0/007", "tile_damaged 66048 (file) tile/0/258.p/88"];
    assert_eq!(found, both);
}

#[test]
fn surplus_bytes_are_told_and_no_record_is_blamed() {
    for (path, kind) in [
        ("tile/entries/001", "frame_damaged"),
        ("tile/entries/002.p/88", "frame_damaged"),
        ("tile/entries/002.p/5", "frame_damaged"),
        ("tile/0/001", "tile_damaged"),
        ("tile/0/002.p/88", "tile_damaged"),
        ("tile/0/002.p/5", "tile_damaged"),
        ("tile/1/000.p/2", "tile_damaged"),
    ] {
        for surplus in [&b"\0"[..], b"}", &[7; 40]] {
            let mut site = wide();
            let file = site.get_mut(path).unwrap();
            let end = file.len();
            file.extend(surplus);
            let (found, report) = said(site);
            let expected = format!("{kind} (surplus) {path} byte {end}");
            assert_eq!((found, report.verdict), (vec![expected], Verdict::ProvenBad), "{path}");
            let told = Some(format!("{} bytes", surplus.len()));
            assert_eq!(report.findings[0].stored, told);
        }
    }
}

/// The beginning of a tile under the name of the whole one is no whole one: the partial one is asked for.
#[test]
fn a_partial_tile_under_another_name_is_missing() {
    for (kind, expected) in [
        ("entries", &["tile_missing () tile/entries/002.p/88", "missing 512 () tile/entries/002.p/88"][..]),
        ("0", &["tile_missing () tile/0/002.p/88"]),
    ] {
        let mut site = wide();
        let file = site.remove(&format!("tile/{kind}/002.p/88")).unwrap();
        site.insert(format!("tile/{kind}/002"), file);
        let (found, report) = said(site);
        assert_eq!(found, expected);
        assert_eq!(report.verdict, Verdict::NotProven);
    }
}

/// A site that went on has the whole tile only; an older checkpoint of it is still proven.
#[test]
fn a_partial_tile_is_had_from_the_full_one() {
    let mut site = wide();
    let older = tiles(
        crate::tile::parse_hashes(&site["tile/0/000"], 256)
            .unwrap()
            .into_iter()
            .chain(crate::tile::parse_hashes(&site["tile/0/001"], 256).unwrap()),
        &[256 + 9],
    );
    let told = |site: &Files| {
        let report = judge_site(site.clone(), None);
        assert_eq!(report.findings, []);
        report.notes.iter().any(|note| note.starts_with("tiles of more than 265 records are here"))
    };
    assert!(!told(&site));
    let newer = site.insert("checkpoint".to_owned(), older["checkpoint"].clone()).unwrap();
    assert!(told(&site));
    let since = Options { since: Some(&newer), ..options() };
    let report = super::super::site(&MemorySource(site), &since).unwrap();
    assert_eq!((report.findings.len(), report.verdict), (1, Verdict::ProvenBad), "{:?}", report.findings);
}
