//! The index answers what the log holds, heals by rebuilding, and is never needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hefu_store::index::{Index, IndexEntry, IndexError};

/// The streams and types of the first `size` records of a made-up log.
fn events(from: u64, size: u64) -> Vec<(u64, String, String)> {
    (from..size)
        .map(|position| {
            let stream = match position % 4 {
                0 => "ledger".to_owned(),
                1 => format!("enterprise/{}", position % 7),
                _ => format!("project/{}", position % 31),
            };
            (position, stream, format!("kind.{}", position % 3))
        })
        .collect()
}

fn apply(index: &mut Index, size: u64) -> Result<(), IndexError> {
    let events = events(index.applied().0, size);
    let entries: Vec<IndexEntry<'_>> = events
        .iter()
        .map(|(position, stream, kind)| IndexEntry { position: *position, stream, kind })
        .collect();
    index.apply(&entries, size, [size.to_le_bytes()[0]; 32])
}

fn check(index: &Index) {
    let size = index.applied().0;
    let mut expected: [BTreeMap<String, Vec<u64>>; 3] = Default::default();
    for (position, stream, kind) in events(0, size) {
        let category = stream.split('/').next().unwrap().to_owned();
        for (space, name) in [stream, kind, category].into_iter().enumerate() {
            expected[space].entry(name).or_default().push(position);
        }
    }
    for (space, names) in expected.iter().enumerate() {
        for (name, positions) in names {
            let read = |from, limit| match space {
                0 => index.stream(name, from, limit).unwrap(),
                1 => index.by_type(name, from, limit).unwrap(),
                _ => index.by_category(name, from, limit).unwrap(),
            };
            assert_eq!(&read(0, usize::MAX), positions);
            let middle = positions[positions.len() / 2];
            for from in [middle, middle + 1] {
                let after: Vec<u64> = positions.iter().copied().filter(|at| *at >= from).take(5).collect();
                assert_eq!(read(from, 5), after);
            }
        }
    }
    assert!(index.stream("nobody", 0, 9).unwrap().is_empty());
    assert!(index.stream("project", 0, 9).unwrap().is_empty());
    index.check().unwrap();
}

#[test]
fn it_answers_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("index");
    let mut index = Index::open(&folder).unwrap();
    assert_eq!(index.applied(), (0, [0; 32]));
    for size in [1, 2, 700, 701, 4000] {
        apply(&mut index, size).unwrap();
        check(&index);
    }
    index.set_cursor("mail", 17).unwrap();
    index.close().unwrap();

    let (mut index, rebuilt) = Index::open_or_rebuild(&folder).unwrap();
    assert_eq!(rebuilt, None);
    assert_eq!(index.applied(), (4000, [4000_u64.to_le_bytes()[0]; 32]));
    assert_eq!((index.cursor("mail").unwrap(), index.cursor("post").unwrap()), (Some(17), None));
    check(&index);
    apply(&mut index, 4100).unwrap();
    drop(index);
    check(&Index::open(&folder).unwrap());
}

#[test]
fn it_takes_only_what_continues() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = Index::open(&dir.path().join("index")).unwrap();
    apply(&mut index, 5).unwrap();
    let entry = |position, stream| IndexEntry { position, stream, kind: "kind" };
    for (entries, size) in [
        (vec![entry(6, "ledger")], 6),
        (vec![entry(5, "ledger")], 7),
        (vec![entry(4, "ledger"), entry(5, "ledger")], 6),
        (vec![], 4),
    ] {
        let refused = index.apply(&entries, size, [1; 32]);
        assert!(
            size == 4 || matches!(refused, Err(IndexError::OutOfOrder { applied: 5, .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(index.apply(&[entry(5, "a\0b")], 6, [1; 32]), Err(IndexError::Name)));
}

fn damage(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = folder.join("db");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

fn filled(folder: &Path) {
    let (mut index, _) = Index::open_or_rebuild(folder).unwrap();
    let size = index.applied().0 + 2000;
    apply(&mut index, size).unwrap();
    index.close().unwrap();
}

#[test]
fn a_bad_folder_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("index");
    for round in 0..2 {
        filled(&folder);
        damage(&folder, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x10));
        fs::write(folder.join("conf"), "not a configuration").unwrap();
        let (index, rebuilt) = Index::open_or_rebuild(&folder).unwrap();
        assert!(rebuilt.is_some_and(|reason| reason.moved_to.ends_with(format!("index.bad-{round}"))));
        assert_eq!(index.applied(), (0, [0; 32]));
        drop(index);
        fs::remove_dir_all(&folder).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the newest bad folder is kept");
}

/// sled may notice damage at once, when the damaged page is read, or never if the page is dead or cut off. It must
/// not answer wrongly: what a check passes is right for the size it says it has applied.
#[test]
fn a_damaged_file_gives_no_wrong_answers() {
    let dir = tempfile::tempdir().unwrap();
    let sound = dir.path().join("sound");
    filled(&sound);
    let bytes = fs::read(sound.join("db")).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    for (n, at) in (0..used).step_by(used / 12).enumerate() {
        for cut in [false, true] {
            let folder = dir.path().join(format!("{n}-{cut}"));
            fs::create_dir(&folder).unwrap();
            for entry in fs::read_dir(&sound).unwrap().filter_map(Result::ok).filter(|e| e.path().is_file()) {
                fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
            damage(&folder, |bytes| if cut { bytes.truncate(at) } else { bytes[at] ^= 4 });
            let (index, _) = Index::open_or_rebuild(&folder).unwrap();
            if index.check().is_ok() {
                check(&index);
            }
        }
    }
}

/// What was done to the files of an index that did not stop cleanly is noticed by counting, or it is gone with what it
/// damaged. Either way, once the index has caught up with the log it answers as before.
#[test]
fn opening_heals_what_was_done_to_the_files() {
    const SIZE: u64 = 2000;
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str, size: u64| {
        let folder = dir.path().join(name);
        let mut index = Index::open(&folder).unwrap();
        apply(&mut index, size).unwrap();
        drop(index);
        fs::read(folder.join("db")).unwrap()
    };
    let (sound, yesterday) = (made("sound", SIZE), made("yesterday", SIZE / 2));
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut harms: Vec<(String, Vec<u8>)> = vec![
        ("empty".to_owned(), Vec::new()),
        ("yesterday's".to_owned(), yesterday),
        ("all other".to_owned(), sound.iter().map(|byte| byte ^ 0x10).collect()),
    ];
    for eighth in 1..8 {
        let at = used * eighth / 8;
        let harmed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = sound.clone();
            change(&mut bytes);
            bytes
        };
        harms.push((format!("bit of byte {at}"), harmed(&|bytes| bytes[at] ^= 4)));
        harms.push((format!("cut at {at}"), harmed(&|bytes| bytes.truncate(at))));
        let swap = |bytes: &mut Vec<u8>| {
            let (front, back) = bytes.split_at_mut(at);
            let len = front.len().min(back.len()).min(512);
            front[..len].swap_with_slice(&mut back[..len]);
        };
        harms.push((format!("swapped at {at}"), harmed(&swap)));
    }
    harms.push(("nothing to open".to_owned(), sound.iter().map(|byte| byte ^ 0x10).collect()));
    let mut moved = Vec::new();
    for (number, (harm, bytes)) in harms.into_iter().enumerate() {
        let folder = dir.path().join(number.to_string());
        fs::create_dir(&folder).unwrap();
        fs::copy(dir.path().join("sound/conf"), folder.join("conf")).unwrap();
        fs::write(folder.join("db"), bytes).unwrap();
        if harm == "nothing to open" {
            fs::write(folder.join("conf"), "not a configuration").unwrap();
        }
        let (mut index, rebuilt) = Index::open_or_rebuild(&folder).unwrap();
        if let Some(reason) = rebuilt {
            assert!(reason.moved_to.exists(), "{harm}: {reason:?}");
            assert_eq!(index.applied(), (0, [0; 32]), "{harm}");
            moved.push(harm.clone());
        }
        assert!(index.applied().0 <= SIZE, "{harm}");
        if index.applied().0 < SIZE {
            apply(&mut index, SIZE).unwrap();
        }
        check(&index);
    }
    // What sled itself skips is as if never written; what it cannot open at all is moved aside.
    assert!(moved.contains(&"nothing to open".to_owned()), "{moved:?}");
}
