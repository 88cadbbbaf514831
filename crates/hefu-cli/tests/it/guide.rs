//! The commands of `docs/AUDITOR.md`, run in order in an empty folder: each must succeed and print what the page says.
//!
//! Commands of other programs than `hefu` are run only where `HEFU_GUIDE_TOOLS` (a list of folders, like `PATH`) says
//! where they are, as `.ci/strangers` does.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Programs that are not there in every run of the tests.
const OTHERS: [&str; 4] = ["hefu-offline-verify", "python3", "aics-tlog", "tlog-tiles"];

/// A command, and the lines that are shown under it.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// The steps of all blocks of the kind `console`.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line, line.strip_prefix("$ ")) {
            (false, "```console", _) => inside = true,
            (false, ..) => {}
            (true, "```", _) => inside = false,
            (true, _, Some(command)) => {
                steps.push(Step { command: command.to_owned(), shown: Vec::new() });
            }
            (true, shown, None) => steps.last_mut().unwrap().shown.push(shown.to_owned()),
        }
    }
    steps
}

/// Is this the line that the page shows? `…` stands for any text.
fn is_like(line: &str, shown: &str) -> bool {
    let mut pieces = shown.split('…');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
    for piece in between {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn what_the_auditors_guide_says_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let page = std::fs::read_to_string(root.join("docs/AUDITOR.md")).unwrap();
    let tools = env::var("HEFU_GUIDE_TOOLS").ok();
    let mut path = vec![Path::new(env!("CARGO_BIN_EXE_hefu")).parent().unwrap().to_owned()];
    path.extend(tools.iter().flat_map(|tools| env::split_paths(tools).collect::<Vec<PathBuf>>()));
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let path = env::join_paths(path).unwrap();

    let folder = TempDir::new().unwrap();
    let (mut run, mut left_out) = (0, 0);
    for Step { command, shown } in steps(&page) {
        if tools.is_none() && OTHERS.iter().any(|other| command.starts_with(other)) {
            left_out += 1;
            continue;
        }
        // As on a terminal: tables, and both outputs in one place.
        let script = format!(
            "exec 2>&1; set -eo pipefail; hefu() {{ command hefu --format table --lang en \"$@\"; }}\n{command}"
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("HEFU", &root)
            .env_remove("HEFU_LEDGER")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "$ {command}\n{said}");
        let mut lines = said.lines();
        for shown in shown.iter().filter(|shown| *shown != "…") {
            assert!(
                lines.any(|line| is_like(line, shown)),
                "$ {command}\nno line `{shown}` (in order) in\n{said}"
            );
        }
        run += 1;
    }
    assert!(run >= 20 && (tools.is_none() || left_out == 0), "{run} run, {left_out} left out");
}

#[test]
fn a_line_is_compared_but_for_what_is_left_out() {
    for (line, shown) in [("a", "a"), ("a b c", "a…c"), ("a b c", "…b…"), ("abc", "…"), ("x 11 y z", "…11…z")]
    {
        assert!(is_like(line, shown), "{line} {shown}");
    }
    for (line, shown) in [("ab", "a"), ("a b d", "a…c"), ("b", "a…"), ("", "a"), ("y 11", "…11…y")] {
        assert!(!is_like(line, shown), "{line} {shown}");
    }
}
