//! The sled column of the tamper matrix: what is done to the index of a ledger that was stopped, and what opening makes
//! of it. Nothing rests on the index, so no verifier reads it. What each cell says is kept in `sled_index.tsv` for
//! `docs/TAMPER.md` (`UPDATE=1`).

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use hefu_engine::{Engine, Options, Reader};
use hefu_store::index::Index;
use tempfile::TempDir;

use crate::bench_ledger::{Bench, ok, project, report, say};

/// One cell: what is done to the folder of the index, and what is said of it; or why nothing is.
struct Cell {
    attack: &'static str,
    act: Option<fn(&Path)>,
    said: &'static str,
}

const fn done(attack: &'static str, act: fn(&Path), said: &'static str) -> Cell {
    Cell { attack, act: Some(act), said }
}

const fn none(attack: &'static str, said: &'static str) -> Cell {
    Cell { attack, act: None, said }
}

/// One declaration makes the test and the row of the table.
macro_rules! cells {
    ($($name:ident = $kind:ident $args:tt),+ $(,)?) => {
        const CELLS: &[(&str, Cell)] = &[$((stringify!($name), $kind $args)),+];
        $(cells!(@$kind $name);)+
    };
    (@done $name:ident) => {
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    };
    (@none $name:ident) => {};
}

/// Of yesterday, of today, and of a second history that began yesterday; each with its index.
struct Ledgers {
    _temp: TempDir,
    yesterday: PathBuf,
    today: PathBuf,
    other: PathBuf,
}

static LEDGERS: LazyLock<Ledgers> = LazyLock::new(|| {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    let (yesterday, today, other) = (at("yesterday"), at("today"), at("other"));
    let bench = Bench::new();
    let indexed = || Options { index: true, ..Options::default() };
    let engine = Engine::open(&bench.dir, indexed()).unwrap();
    project(&engine, &mut bench.signer());
    engine.close().unwrap();
    copy(&bench.dir, &yesterday);
    for (to, from) in [(&today, 0), (&other, 100)] {
        copy(&yesterday, to);
        copy(&bench.dir.with_extension("keys"), &to.with_extension("keys"));
        let bench = Bench::at(to);
        let engine = Engine::open(to, indexed()).unwrap();
        for value in from..from + 30 {
            ok(&say(&engine, &mut bench.signer(), "330108", report(value)));
        }
        engine.close().unwrap();
    }
    Ledgers { _temp: temp, yesterday, today, other }
});

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The file that sled keeps everything in, edited. What begins with zeros was never written.
fn edit(index: &Path, edit: impl FnOnce(&mut Vec<u8>, usize)) {
    let mut bytes = fs::read(index.join("db")).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    edit(&mut bytes, used);
    fs::write(index.join("db"), bytes).unwrap();
}

fn put(index: &Path, other: &Path) {
    fs::remove_dir_all(index).unwrap();
    copy(&other.join("index"), index);
}

const SAME: &str = "not read by a verifier; sled finds it or skips it, what is lost is read from the log again: \
                    after opening the same answers";
const ANEW: &str = "not read by a verifier; opening makes it anew from the log: the same answers";
const OTHER: &str = "not read by a verifier; opening finds that its head is not the log's, sets it aside as \
                     `index.other` and makes it anew: the same answers";

cells!(
    flip = done("flip a bit", |index| edit(index, |bytes, used| bytes[used / 2] ^= 4), SAME),
    dropped = done("drop", |index| fs::remove_dir_all(index).unwrap(), ANEW),
    duplicate = done("duplicate", |index| edit(index, |bytes, used| bytes.extend_from_within(..used)), SAME,),
    swap = done(
        "swap",
        |index| edit(index, |bytes, used| {
            let (front, back) = bytes.split_at_mut(used / 2);
            let len = front.len().min(back.len()).min(512);
            front[..len].swap_with_slice(&mut back[..len]);
        }),
        SAME,
    ),
    insert = done(
        "insert",
        |index| edit(index, |bytes, used| drop(bytes.splice(used / 2..used / 2, [7; 64]))),
        SAME,
    ),
    truncate = done("truncate", |index| edit(index, |bytes, _| bytes.clear()), ANEW),
    rechain = done("re-chain", |index| put(index, &LEDGERS.other), OTHER),
    fork = done("fork", |index| put(index, &LEDGERS.other), OTHER),
    roll_back = done(
        "roll back",
        |index| put(index, &LEDGERS.yesterday),
        "not read by a verifier; opening goes on from where it ends: the same answers",
    ),
    redact = none("redact", "it has names of streams and types and their positions, no text"),
);

/// What opening makes of it: from where it goes on, and whether another history's index is set aside.
fn check(name: &str) {
    let (_, cell) = CELLS.iter().find(|(cell, _)| *cell == name).unwrap();
    let Cell { attack, act, said } = cell;
    let temp = tempfile::tempdir().unwrap();
    let (dir, probe) = (temp.path().join("ledger"), temp.path().join("probe"));
    copy(&LEDGERS.today, &dir);
    copy(&LEDGERS.today.with_extension("keys"), &dir.with_extension("keys"));
    let index = dir.join("index");
    act.unwrap()(&index);
    if index.exists() {
        copy(&index, &probe);
    }
    let kept = Index::open(&probe).map_or(0, |index| index.applied().0);
    Engine::open(&dir, Options { index: true, ..Options::default() }).unwrap().close().unwrap();

    let log = Reader::open(&dir).unwrap();
    let size = log.views.size;
    let opened = Index::open(&index).unwrap();
    assert_eq!(opened.applied(), (size, log.head.0), "{attack}");
    for at in 0..size {
        let leaf = log.record(at).unwrap().unwrap().leaf;
        let lists = [
            opened.stream(&leaf.stream, at, 1),
            opened.by_type(&leaf.kind, at, 1),
            opened.by_category(leaf.stream.split('/').next().unwrap(), at, 1),
        ];
        assert!(lists.into_iter().all(|list| list.unwrap() == [at]), "{attack}: record {at}");
    }
    opened.check().unwrap();
    let aside = dir.join("index.other").exists();
    assert_eq!(aside, *said == OTHER, "{attack}");
    assert!(*said != ANEW || kept == 0, "{attack}: {kept}");
    let yesterday = kept > 0 && kept < size && !aside;
    assert!(yesterday || !said.contains("goes on from"), "{attack}: {kept}");
}

#[test]
fn the_column_is_published() {
    let mut column = String::new();
    for (_, Cell { attack, act, said }) in CELLS {
        let dash = if act.is_some() { "" } else { "— " };
        let _ = writeln!(column, "{attack}\t{dash}{said}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sled_index.tsv");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &column).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == column, "sled_index.tsv differs; UPDATE=1 cargo test -p hefu-engine sled_index");
}
