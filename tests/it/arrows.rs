//! The arrows between crates: `docs/ARCHITECTURE.md` draws them, this test holds the crates to them.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Who may know whom. Tests may know everyone.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "hefu-cli",
        &[
            "hefu-exchange",
            "hefu-engine",
            "hefu-projections",
            "hefu-store",
            "hefu-witness",
            "hefu-server",
            "hefu-api",
            "hefu-client",
            "hefu-chain",
            "hefu-domain",
        ],
    ),
    ("hefu-exchange", &["hefu-projections", "hefu-domain"]),
    ("hefu-engine", &["hefu-projections", "hefu-store", "hefu-chain", "hefu-domain"]),
    ("hefu-projections", &["hefu-domain"]),
    ("hefu-store", &["hefu-chain"]),
    (
        "hefu-server",
        &[
            "hefu-api",
            "hefu-exchange",
            "hefu-engine",
            "hefu-projections",
            "hefu-witness",
            "hefu-chain",
            "hefu-domain",
        ],
    ),
    ("hefu-api", &["hefu-engine", "hefu-projections", "hefu-store", "hefu-domain"]),
    ("hefu-client", &["hefu-chain"]),
    ("hefu-witness", &["hefu-chain"]),
    ("hefu-chain", &[]),
    // It judges the others' files, so it may share nothing with them.
    ("hefu-offline", &[]),
    ("hefu-domain", &[]),
    ("hefu-fuzz", &["hefu-chain", "hefu-domain", "hefu-exchange", "hefu-offline"]),
    ("hefu-tests", &[]),
];

#[test]
fn crates_know_only_whom_they_may() {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let listed = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let metadata: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let drawn: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, drawn, "a crate appeared or went: draw it here and in docs/ARCHITECTURE.md");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, may) = ARROWS.iter().find(|(drawn, _)| *drawn == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let for_tests = dependency["kind"] == "dev";
            if names.contains(to) && !for_tests {
                assert!(may.contains(&to), "{name} may not depend on {to}");
            }
        }
    }
}
