//! An export that is cut short, by kill -9 or by the power: run again, it makes the very site that an undisturbed run
//! makes.
//!
//! Where the cut falls is counted in files and bytes, never in time. The process is killed as soon as so many files are
//! there; the power takes away what was not synced yet, file by file, in every way it may.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    publish::projects,
    support::{Place, hefu},
};

type Files = BTreeMap<String, Vec<u8>>;

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        // A folder may not be there yet while somebody else makes it.
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(path, fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

fn count(folder: &Path) -> usize {
    files(folder).len()
}

fn put(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A ledger of two checkpoints, with the site as it was at the first, and as it is at the second if nothing disturbs it.
struct Sites {
    place: Place,
    first: Files,
    second: Files,
    /// A site that is made at the second checkpoint at once.
    fresh: Files,
}

impl Sites {
    fn new() -> Sites {
        let place = Place::with_sample();
        let grow = |numbers| {
            place.write("more.jsonl", &projects(numbers));
            place.run(&["submit", "more.jsonl"]).exits(0);
        };
        let export = |site: &str| {
            place.run(&["audit", "export", site]).exits(0);
            files(&place.path(site))
        };
        grow(0..250);
        let first = export("grown");
        grow(250..600);
        let second = export("grown");
        let fresh = export("fresh");
        assert!(fresh.len() > 7 && second.len() > first.len() + 3, "{:?}", second.keys());
        Sites { place, first, second, fresh }
    }

    /// An export of what lies in `site` gives what an undisturbed one gives.
    fn goes_on(&self, expected: &Files, what: &str) {
        self.place.run(&["audit", "export", "site"]).exits(0);
        let made = files(&self.place.path("site"));
        let differ = |path: &&String| made.get(*path) != expected.get(*path);
        let paths: Vec<&String> = made.keys().chain(expected.keys()).filter(differ).collect();
        assert!(paths.is_empty(), "{what}: {paths:?}");
        let again = self.place.run(&["audit", "export", "site"]).exits(0).json();
        assert_eq!(again["files"], 0, "{what}: nothing is left to do");
    }
}

/// The process dies as soon as so many files are there: none of them, some, all but the checkpoint.
#[test]
fn an_export_killed_between_any_two_files_goes_on() {
    let sites = Sites::new();
    let site = sites.place.path("site");
    for (before, expected) in [(Files::new(), &sites.fresh), (sites.first.clone(), &sites.second)] {
        let (had, new) = (before.len(), expected.len() - before.len());
        let mut cut_short = 0;
        for files_there in 0..new {
            put(&site, &before);
            let mut child = export(&sites.place).spawn().unwrap();
            while count(&site) < had + files_there && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            child.wait().unwrap();
            let left = files(&site);
            cut_short += usize::from(left != *expected);
            // A checkpoint is there only when all it speaks of is.
            let newest = left.get("checkpoint") == expected.get("checkpoint");
            let whole = expected.iter().all(|(path, bytes)| left.get(path) == Some(bytes));
            assert!(!newest || whole, "killed with {files_there} files: a checkpoint without its tiles");
            sites.goes_on(expected, &format!("killed with {files_there} new files of {new}"));
        }
        assert!(cut_short > 0, "no run was cut short");
    }
}

fn export(place: &Place) -> Command {
    let mut command = hefu();
    command.current_dir(place.path("")).args(["-L", "L", "audit", "export", "site"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What the power leaves of a file that was not synced.
#[derive(Clone, Copy, Debug)]
enum Left {
    Nothing,
    Empty,
    Half,
    Zeros,
    Whole,
}

const LEFT: [Left; 5] = [Left::Nothing, Left::Empty, Left::Half, Left::Zeros, Left::Whole];

impl Left {
    fn of(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Left::Nothing => None,
            Left::Empty => Some(Vec::new()),
            Left::Half => Some(bytes[..bytes.len() / 2].to_vec()),
            Left::Zeros => Some(vec![0; bytes.len()]),
            Left::Whole => Some(bytes.to_vec()),
        }
    }
}

/// Before the checkpoint is in its place any tile that it brings may be lost, cut or zero. One after another each file is
/// left in each way, the others in another.
#[test]
fn an_export_that_the_power_cut_goes_on() {
    let sites = Sites::new();
    let site = sites.place.path("site");
    for (before, expected) in [(Files::new(), &sites.fresh), (sites.first.clone(), &sites.second)] {
        let new: Vec<&String> =
            expected.keys().filter(|path| !before.contains_key(*path) && *path != "checkpoint").collect();
        for at in 0..4 {
            for (turn, part) in LEFT.into_iter().enumerate() {
                let mut there = before.clone();
                for (number, path) in new.iter().enumerate() {
                    let left = LEFT[(turn + number * (at + 1)) % LEFT.len()];
                    there.extend(left.of(&expected[*path]).map(|bytes| ((*path).clone(), bytes)));
                }
                // The new checkpoint is written beside the old one.
                let part = part.of(&expected["checkpoint"]);
                there.extend(part.map(|bytes| ("export.part".to_owned(), bytes)));
                put(&site, &there);
                // The folders of the tiles were made before the files in them.
                fs::create_dir_all(site.join("tile/entries")).unwrap();
                let what = format!("cut {at}/{turn}, left {:?}", there.keys());
                sites.goes_on(expected, &what);
            }
        }
    }
}
