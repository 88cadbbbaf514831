//! `docs/ERRORS.md` is the table of `hefu_api::problem`.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::{fmt::Write as _, fs, path::Path};

use hefu_api::problem::{Kind, Problem};
use hefu_domain::rejection::Rejection;
use tonic_types::StatusExt as _;

const HEAD: &str = "# What failures are called

Written by a test from the table in `hefu-api` (`UPDATE=1 cargo test -p hefu-api`), so it cannot be out of date. Every failure
has a stable code of its own, the same on every wire; its kind says how a wire marks it.

Over gRPC a status carries `google.rpc.ErrorInfo` (domain `hefu`, reason the code in capitals, metadata `code` and, where the
log signed it, `refusal`), `google.rpc.LocalizedMessage` in Chinese, and `google.rpc.BadRequest` with the field that is wrong.

| kind | gRPC | HTTP | exit code |
|---|---|---|---|
";

#[test]
fn the_document_is_the_table() {
    let mut made = HEAD.to_owned();
    for kind in Kind::ALL {
        let _ = writeln!(made, "| {kind:?} | {:?} | {} | {} |", kind.grpc(), kind.http(), kind.exit());
    }
    made.push_str("\n## Rules\n\nThe kind of each refusal by a rule, by its code; `RULES.md` says what the rules are.\n\n");
    for kind in Kind::ALL {
        let codes = Rejection::CODES.iter().filter(|code| Kind::of_rule(code) == kind);
        let codes: Vec<String> = codes.map(|code| format!("`{code}`")).collect();
        if !codes.is_empty() {
            let _ = writeln!(made, "- {kind:?}: {}.", codes.join(", "));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ERRORS.md");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != made && std::env::var_os("UPDATE").is_some() {
        fs::write(&path, made).unwrap();
    } else {
        assert!(
            kept == made,
            "docs/ERRORS.md is out of date; `UPDATE=1 cargo test -p hefu-api` writes it anew"
        );
    }
}

#[test]
fn a_problem_says_the_same_on_every_wire() {
    let problem = Problem::usage("period", "报告期不对", "the period is wrong");
    let status = problem.status();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert_eq!(status.get_details_error_info().unwrap().reason, "USAGE");
    assert_eq!(status.get_details_localized_message().unwrap().message, "报告期不对");
    let json = problem.json(true);
    let expected = serde_json::json!({
        "type": "urn:hefu:error:usage", "title": "报告期不对", "status": 400, "code": "usage", "field": "period",
    });
    assert_eq!(json, expected);
    assert_eq!(problem.json(false)["title"], "the period is wrong");
}
