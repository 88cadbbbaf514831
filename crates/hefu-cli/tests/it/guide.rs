//! The commands of `docs/AUDITOR.md`, `docs/REGION.md` and `docs/STATISTICS.md`, run in order in an empty folder: each must
//! succeed and print what the page says.
//!
//! Commands of other programs than `hefu` are run only where `HEFU_GUIDE_TOOLS` (a list of folders, like `PATH`) says
//! where they are, as `.ci/strangers` does.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};
use tempfile::TempDir;

/// Programs that are not there in every run of the tests.
const OTHERS: [&str; 4] = ["hefu-offline-verify", "python3", "aics-tlog", "tlog-tiles"];

/// The process groups of the steps: what a step leaves running ends with the test.
#[derive(Default)]
struct Left(Vec<u32>);

impl Drop for Left {
    fn drop(&mut self) {
        for group in &self.0 {
            let group = format!("-{group}");
            let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        }
    }
}

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
    happens("docs/AUDITOR.md", 20);
}

#[test]
fn what_the_regions_guide_says_is_what_happens() {
    if env::var_os("UPDATE").is_some() {
        std::fs::write(root().join("docs/region/book.xlsx"), regions_book()).unwrap();
    }
    happens("docs/REGION.md", 30);
}

/// What the page shows of Python is run by `.ci/sdmx` and `.ci/exports`.
#[test]
fn what_the_bureaus_guide_says_is_what_happens() {
    happens("docs/STATISTICS.md", 12);
}

/// The workbook of the regions' guide, as a county keeps it: a title, a note of the unit, then the table.
fn regions_book() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_ymd(2025, 1, 6).unwrap();
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let page = workbook.add_worksheet().set_name("台账").unwrap();
    page.write_string(0, 0, "滨江区迁出项目指标计入台账(2024年)").unwrap();
    page.write_string(1, 4, "单位:万元").unwrap();
    for (column, title) in (0u16..).zip(["项目代码", "项目名称", "指标", "月份", "计入额"]) {
        page.write_string(2, column, title).unwrap();
    }
    for (row, (month, amount)) in (3u32..).zip([("2024年7月", 3600.0), ("2024年8月", 1200.0)]) {
        for (column, text) in
            (0u16..).zip(["2401-330108-04-01-123456", "示例电驱项目", "固定资产投资", month])
        {
            page.write_string(row, column, text).unwrap();
        }
        page.write_number(row, 4, amount).unwrap();
    }
    page.write_string(5, 0, "合计").unwrap();
    page.write_number(5, 4, 4800.0).unwrap();
    workbook.save_to_buffer().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a page of which at least so many commands must have run.
fn happens(page: &str, least: usize) {
    let root = root();
    let page = std::fs::read_to_string(root.join(page)).unwrap();
    let tools = env::var("HEFU_GUIDE_TOOLS").ok();
    let mut path = vec![Path::new(env!("CARGO_BIN_EXE_hefu")).parent().unwrap().to_owned()];
    path.extend(tools.iter().flat_map(|tools| env::split_paths(tools).collect::<Vec<PathBuf>>()));
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let path = env::join_paths(path).unwrap();

    let folder = TempDir::new().unwrap();
    let (mut run, mut left_out) = (0, 0);
    let mut left = Left::default();
    for Step { command, shown } in steps(&page) {
        if tools.is_none() && OTHERS.iter().any(|other| command.starts_with(other)) {
            left_out += 1;
            continue;
        }
        // As on a terminal: tables, and both outputs in one place; but not where the output goes to a file or a program.
        let form = if command.contains("--format") { "" } else { "--format table" };
        let script = format!(
            "exec 2>&1; set -eo pipefail; out=$(readlink /proc/$$/fd/1)
            hefu() {{
                local me=$BASHPID
                if [ \"$(readlink /proc/$me/fd/1)\" = \"$out\" ]; then command hefu {form} --lang en \"$@\"
                else command hefu --lang en \"$@\"; fi
            }}\n{command}"
        );
        let step = Command::new("bash")
            .args(["-c", &script])
            .process_group(0)
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("HEFU", &root)
            .env_remove("HEFU_LEDGER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if command.ends_with('&') {
            left.0.push(step.id());
        }
        let output = step.wait_with_output().unwrap();
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
    assert!(run >= least && (tools.is_none() || left_out == 0), "{run} run, {left_out} left out");
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
