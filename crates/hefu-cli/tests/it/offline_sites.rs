//! Both verifiers on a site of several tiles, whose files are damaged, missing, moved: the same verdict, and the same
//! records.

use std::{collections::BTreeSet, fs, path::Path};

use hefu_chain::{
    chain::ChainContext,
    checkpoint::Checkpoint,
    hash::Sha256Digest,
    key::{KeyId, SecretKey},
    leaf::Leaf,
    origin::Origin,
    tile::{Kind, Tile, TileBuilder, encode_entries, encode_hashes},
    tree::TreeHash,
    verify::{self, Options},
};
use hefu_offline::note::LogKey;
use hefu_store::FolderSource;
use tempfile::TempDir;
use uuid::Uuid;

/// Two full tiles and a partial one.
const SIZE: u64 = 600;
/// Earlier checkpoints, of which partial tiles are left.
const SIZES: [u64; 3] = [266, 517, SIZE];

fn origin() -> Origin {
    "wide.example/sites".parse().unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_seed([0x10; 32])
}

/// The leaf of a record that follows one with this chain value.
fn leaf(at: u64, prev: hefu_chain::hash::ChainHash) -> Vec<u8> {
    let leaf = Leaf {
        actor: KeyId([7; 16]),
        body_sha256: Sha256Digest::of(&at.to_be_bytes()),
        command: Uuid::from_u128(at.into()),
        command_sha256: Sha256Digest::of(b"command"),
        prev,
        seq: at,
        stream: "ledger".into(),
        stream_prev: at.checked_sub(1),
        stream_seq: at,
        ts: "2026-01-01T00:00:00.000000Z".into(),
        kind: "policy.set".into(),
        v: 1,
    };
    leaf.as_ref().encode().unwrap()
}

struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(TempDir::new().unwrap());
        let chain = ChainContext::new(&origin());
        let (mut prev, mut builder, mut leaves) = (chain.start(), TileBuilder::new(), Vec::new());
        for at in 0..SIZE {
            let bytes = leaf(at, prev);
            prev = chain.link(&bytes);
            for (tile, hashes) in builder.push(TreeHash::leaf(&bytes)) {
                site.write(&tile.to_string(), &encode_hashes(&hashes));
            }
            leaves.push(bytes);
            let size = builder.size();
            if !SIZES.contains(&size) {
                continue;
            }
            for (tile, hashes) in builder.partials() {
                site.write(&tile.to_string(), &encode_hashes(hashes));
            }
            for tile in Tile::all(size).filter(|tile| tile.kind() == Kind::Entries) {
                let [from, to] =
                    [tile.leaves().start, tile.leaves().end].map(|at| usize::try_from(at).unwrap());
                let entries = encode_entries(leaves[from..to].iter().map(Vec::as_slice)).unwrap();
                site.write(&tile.to_string(), &entries);
            }
            let note = Checkpoint { origin: origin(), size, root: builder.root() }.sign(&key()).unwrap();
            for name in ["checkpoint".to_owned(), format!("checkpoint.{size}")] {
                site.write(&name, note.to_string().as_bytes());
            }
        }
        site
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.dir().join(path)).unwrap()
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.dir().join(path)).unwrap();
    }

    fn edit(&self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.read(path);
        edit(&mut bytes);
        self.write(path, &bytes);
    }

    /// Edits the leaves of a bundle.
    fn leaves(&self, path: &str, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let (bytes, mut leaves) = (self.read(path), Vec::new());
        let mut rest = bytes.as_slice();
        while let Some((len, after)) = rest.split_first_chunk() {
            let (leaf, after) = after.split_at(u16::from_be_bytes(*len).into());
            leaves.push(leaf.to_vec());
            rest = after;
        }
        edit(&mut leaves);
        let entry = |leaf: &Vec<u8>| [&u16::try_from(leaf.len()).unwrap().to_be_bytes()[..], leaf].concat();
        self.write(path, &leaves.iter().flat_map(entry).collect::<Vec<u8>>());
    }

    /// The one verdict and the same records of both.
    fn agree(&self, what: &str) -> (u8, BTreeSet<u64>) {
        let options = Options {
            origin: Some(origin()),
            log_key: Some(key().public()),
            threads: 2,
            ..Options::default()
        };
        let theirs = verify::site(&FolderSource::new(self.dir()), &options).unwrap();
        let vkey = LogKey { name: Some(origin().to_string()), public: key().public().0 };
        let ours = hefu_offline::verify(self.dir(), Some(&vkey)).unwrap();
        let meant: BTreeSet<u64> = theirs.findings.iter().filter_map(|finding| finding.position).collect();
        let said: BTreeSet<u64> = ours.findings.iter().filter_map(|finding| finding.position).collect();
        let both = format!("{what}\n{:#?}\n{:#?}", theirs.findings, ours.findings);
        assert_eq!((theirs.verdict.exit_code(), &meant), (ours.verdict as u8, &said), "{both}");
        assert!(theirs.findings.is_empty() == ours.findings.is_empty(), "{both}");
        (ours.verdict as u8, said)
    }
}

/// What is done, and the verdict and the records that both must come to.
type Case<'a> = (&'a str, &'a dyn Fn(&Site), u8, &'a [u64]);

fn cases(cases: &[Case<'_>]) {
    for (what, act, verdict, records) in cases {
        let site = Site::new();
        act(&site);
        let expected = (*verdict, records.iter().copied().collect());
        assert_eq!(site.agree(what), expected, "{what}");
    }
}

#[test]
fn a_whole_site_is_proven_by_both() {
    cases(&[("nothing", &|_| (), 0, &[])]);
}

#[test]
fn records_that_are_changed_in_their_bundles() {
    const BUNDLE: &str = "tile/entries/001";
    cases(&[
        ("altered", &|site| site.leaves(BUNDLE, |leaves| leaves[44][20] ^= 1), 2, &[300]),
        ("a number altered", &|site| site.leaves(BUNDLE, |leaves| rename(&mut leaves[44], 301)), 2, &[300]),
        ("dropped", &|site| site.leaves(BUNDLE, |leaves| drop(leaves.remove(44))), 1, &[300]),
        ("twice", &|site| site.leaves(BUNDLE, |leaves| leaves.insert(44, leaves[44].clone())), 2, &[300]),
        ("swapped", &|site| site.leaves(BUNDLE, |leaves| leaves.swap(44, 45)), 2, &[300, 301]),
        (
            "inserted",
            &|site| {
                site.leaves(BUNDLE, |leaves| {
                    let mut alien = leaves[44].clone();
                    alien[20] ^= 1;
                    leaves.insert(44, alien);
                });
            },
            2,
            &[300],
        ),
        (
            "several",
            &|site| {
                site.leaves("tile/entries/000", |leaves| leaves[9][20] ^= 1);
                site.leaves(BUNDLE, |leaves| drop(leaves.remove(44)));
                site.leaves("tile/entries/002.p/88", |leaves| leaves[87][20] ^= 1);
            },
            2,
            &[9, 300, 599],
        ),
        ("a wrong length", &|site| site.edit(BUNDLE, |bytes| bytes[1] ^= 4), 2, &[256]),
        ("cut off", &|site| site.leaves(BUNDLE, |leaves| leaves.truncate(200)), 1, &[456]),
    ]);
}

/// Gives a leaf another number.
fn rename(leaf: &mut Vec<u8>, number: u64) {
    let text = String::from_utf8(std::mem::take(leaf)).unwrap();
    *leaf = text.replacen("\"seq\":300", &format!("\"seq\":{number}"), 1).into_bytes();
}

#[test]
fn surplus_bytes_are_nobodys() {
    for path in [
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/entries/002.p/5",
        "tile/0/001",
        "tile/0/002.p/5",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ] {
        cases(&[(path, &|site| site.edit(path, |bytes| bytes.extend(b"surplus }")), 2, &[])]);
    }
}

#[test]
fn tiles_that_are_damaged_or_missing() {
    cases(&[
        ("a flip", &|site| site.edit("tile/0/001", |tile| tile[44 * 32] ^= 1), 2, &[300]),
        ("a flip above", &|site| site.edit("tile/1/000.p/2", |tile| tile[1] ^= 1), 2, &[]),
        ("cut", &|site| site.edit("tile/0/001", |tile| tile.truncate(40)), 2, &[]),
        ("gone", &|site| site.remove("tile/0/001"), 1, &[]),
        ("gone above", &|site| site.remove("tile/1/000.p/2"), 1, &[]),
        ("a bundle gone", &|site| site.remove("tile/entries/001"), 1, &[256]),
        (
            "bundle and tile gone",
            &|site| {
                site.remove("tile/0/001");
                site.remove("tile/entries/001");
            },
            1,
            &[256],
        ),
        (
            "tiles gone, and a record altered",
            &|site| {
                site.remove("tile/0/000");
                site.leaves("tile/entries/001", |leaves| leaves[44][20] ^= 1);
            },
            2,
            &[300],
        ),
        ("an earlier one", &|site| site.edit("tile/0/001.p/10", |tile| tile[9 * 32] ^= 1), 2, &[265]),
        (
            "an earlier bundle",
            &|site| site.leaves("tile/entries/002.p/5", |leaves| leaves[2][20] ^= 1),
            2,
            &[514],
        ),
    ]);
}

#[test]
fn files_in_each_others_place() {
    let swap_with = |site: &Site, kind: &str, other: &str| {
        let [one, other] = ["000", other].map(|number| format!("tile/{kind}/{number}"));
        let (first, second) = (site.read(&one), site.read(&other));
        site.write(&one, &second);
        site.write(&other, &first);
    };
    let swap = |site: &Site, kind: &str| swap_with(site, kind, "001");
    cases(&[
        (
            "with the partial ones",
            &|site| {
                swap_with(site, "entries", "002.p/88");
                swap_with(site, "0", "002.p/88");
            },
            2,
            &[0, 512],
        ),
        ("bundles with the partial one", &|site| swap_with(site, "entries", "002.p/88"), 2, &[0, 512]),
        ("tiles with the partial one", &|site| swap_with(site, "0", "002.p/88"), 2, &[0, 512]),
        ("bundles", &|site| swap(site, "entries"), 2, &[0, 256]),
        ("tiles", &|site| swap(site, "0"), 2, &[0, 256]),
        (
            "both",
            &|site| {
                swap(site, "entries");
                swap(site, "0");
            },
            2,
            &[0, 256],
        ),
    ]);
}

#[test]
fn the_beginning_of_a_tile_under_the_name_of_the_whole() {
    let rename = |site: &Site, kind: &str| {
        let bytes = site.read(&format!("tile/{kind}/002.p/88"));
        site.remove(&format!("tile/{kind}/002.p/88"));
        site.write(&format!("tile/{kind}/002"), &bytes);
    };
    cases(&[
        ("entries", &|site| rename(site, "entries"), 1, &[512]),
        ("hashes", &|site| rename(site, "0"), 1, &[]),
    ]);
}

#[test]
fn tiles_of_a_newer_checkpoint_are_noted() {
    let site = Site::new();
    let newer = |site: &Site| {
        let options = Options { log_key: Some(key().public()), ..Options::default() };
        let theirs = verify::site(&FolderSource::new(site.dir()), &options).unwrap();
        let vkey = LogKey { name: None, public: key().public().0 };
        let ours = hefu_offline::verify(site.dir(), Some(&vkey)).unwrap();
        [theirs.notes, ours.notes]
            .map(|notes| notes.iter().any(|note| note.starts_with("tiles of more than")))
    };
    assert_eq!(newer(&site), [false, false]);
    site.write("checkpoint", &site.read("checkpoint.517"));
    assert_eq!(site.agree("the checkpoint before").0, 0);
    assert_eq!(newer(&site), [true, true]);
}

#[test]
fn a_checkpoint_that_another_key_signed_is_nobodys_word() {
    let site = Site::new();
    let text = String::from_utf8(site.read("checkpoint")).unwrap();
    let said: Checkpoint = text[..=text.find("\n\n").unwrap()].parse().unwrap();
    site.write("checkpoint", said.sign(&SecretKey::from_seed([9; 32])).unwrap().to_string().as_bytes());
    assert_eq!(site.agree("a stranger's").0, 1);
}

/// Numbers that look random and are the same in every run.
fn below(seed: &mut u64, limit: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % limit
}

#[test]
fn whatever_is_done_to_one_file_both_say_the_same() {
    let site = Site::new();
    let mut paths: Vec<String> = Tile::all(SIZE).map(|tile| tile.to_string()).collect();
    paths.extend(["tile/0/001.p/10", "tile/0/002.p/5", "tile/entries/001.p/10"].map(str::to_owned));
    let mut seed = 7;
    for round in 0..400 {
        let path = &paths[below(&mut seed, paths.len())];
        let good = site.read(path);
        let at = below(&mut seed, good.len());
        let mut bytes = good.clone();
        match round % 5 {
            0 | 1 => bytes[at] ^= 1 << below(&mut seed, 8),
            2 => bytes.truncate(at),
            3 => drop(bytes.remove(at)),
            _ => bytes.insert(at, b'x'),
        }
        site.write(path, &bytes);
        let (verdict, _) = site.agree(&format!("round {round}: {path}, byte {at}"));
        assert_ne!(verdict, 0, "round {round}: {path}, byte {at}");
        site.write(path, &good);
    }
}
