//! The evidence folder: whole or nothing, the same once and twice, hashed anew at every reading.

use std::{fs, os::unix::fs::PermissionsExt};

use hefu_chain::hash::Sha256Digest;
use hefu_store::evidence::{EvidenceFolder, Holding, Put};

/// SHA-256 of `abc` (FIPS 180-2, appendix B.1).
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct Place {
    dir: tempfile::TempDir,
    folder: EvidenceFolder,
    abc: Sha256Digest,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("contract.pdf"), "abc").unwrap();
        let folder = EvidenceFolder::beside(&dir.path().join("L"));
        Place { dir, folder, abc: ABC.parse().unwrap() }
    }

    fn put(&self) -> Put {
        self.folder.put(&self.dir.path().join("contract.pdf")).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.folder()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_file_is_kept_under_its_digest_once() {
    let place = Place::new();
    assert_eq!(place.folder.folder(), place.dir.path().join("L.evidence"));
    assert_eq!(place.folder.list().unwrap(), []);
    for _ in 0..2 {
        assert_eq!(place.put(), Put { sha256: place.abc, size: 3 });
        assert_eq!(place.names(), [ABC]);
    }
    assert_eq!(place.folder.list().unwrap(), [place.abc]);
    assert_eq!(place.folder.holding(&place.abc).unwrap(), Holding::Whole(3));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(place.folder.folder().to_owned()), mode(place.folder.path(&place.abc))), (0o700, 0o600));
}

#[test]
fn an_altered_file_is_not_given_out_and_can_be_put_right() {
    let place = Place::new();
    place.put();
    fs::write(place.folder.path(&place.abc), "abd").unwrap();
    let other = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9".parse().unwrap();
    let to = place.dir.path().join("out.pdf");
    assert_eq!(place.folder.holding(&place.abc).unwrap(), Holding::Altered(other));
    assert_eq!(place.folder.get(&place.abc, &to).unwrap(), Holding::Altered(other));
    assert!(!to.exists());
    place.put();
    assert_eq!(place.folder.get(&place.abc, &to).unwrap(), Holding::Whole(3));
    assert_eq!(fs::read(&to).unwrap(), b"abc");
    let left = fs::read_dir(place.dir.path()).unwrap().count();
    assert_eq!(left, 3, "contract, copy and folder; nothing unfinished");
}

#[test]
fn a_withdrawn_file_is_gone_and_a_second_time_is_no_error() {
    let place = Place::new();
    assert!(!place.folder.withdraw(&place.abc).unwrap());
    place.put();
    assert!(place.folder.withdraw(&place.abc).unwrap());
    assert!(!place.folder.withdraw(&place.abc).unwrap());
    assert_eq!(place.folder.holding(&place.abc).unwrap(), Holding::Missing);
    assert_eq!(place.folder.get(&place.abc, &place.dir.path().join("out")).unwrap(), Holding::Missing);
}

#[test]
fn what_cannot_be_read_leaves_nothing_and_what_a_crash_left_is_no_evidence() {
    let place = Place::new();
    assert!(place.folder.put(&place.dir.path().join("none.pdf")).is_err());
    assert!(place.folder.put(place.dir.path()).is_err(), "a folder");
    assert_eq!(place.names(), [] as [String; 0]);
    fs::write(place.folder.folder().join(".evidence-1-0.part"), "ab").unwrap();
    place.put();
    assert_eq!(place.folder.list().unwrap(), [place.abc]);
}
