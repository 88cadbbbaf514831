//! Every operation × role × region, asked of a real server; `docs/ACCESS.md` is the outcome.

use std::{fmt::Write as _, fs, path::Path};

use hefu_api::{access::Role, operation::Operation, v1};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};

use crate::bench::{Bench, Client, P1, report};

/// Whose token asks: the region's code and what the document calls it.
const REGIONS: [(&str, &str); 6] = [
    ("330881", "destination"),
    ("330108", "origin"),
    ("330122", "other county"),
    ("330800", "destination's city"),
    ("330100", "origin's city"),
    ("330000", "province"),
];

const HEAD: &str = "# Who may see what

Written by a test that asks a real server (`UPDATE=1 cargo test -p hefu-server`), so it cannot be out of date. A cell says
whose tokens get an answer; everyone else is refused with `token_needed`, `role_may_not` or `foreign_region`. Signed
commands need no token: the signature is the credential, and `RIGHTS.md` says who may sign what.

The case: a project moved from the **origin** (a county in the **origin's city**) to the **destination** (in the
**destination's city**, of the same **province**); the **other county** has no part in it. Asked is about the project, and
about the figures of the destination.

| operation | public | region | statistics | treasury | coordinator | auditor | admin |
|---|---|---|---|---|---|---|---|
";

const TAIL: &str = "
Over HTTP the same holds: it is the same table, asked by the same code. Figures that are public, with disclosure control, are
`DF_TERRITORIAL` under `/sdmx`, for everybody; `DF_CREDIT` is for those to whom `Indicators` answers. `/checkpoint` and the hash
tiles are for everybody, entries (`/tile/entries/…`) for those who may read every record. A region also sees the consolidated totals of its superiors (`Indicators` without `children`).
";

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_rights() {
    let mut bench = Bench::serve();
    let command = bench.sign("330881", report("2023-08", "1.00"));
    let mut clients: Vec<(Role, Option<&str>, Client)> = Vec::new();
    for role in Role::ALL {
        if role == Role::Public {
            clients.push((role, None, bench.client(None).await));
        } else if role.needs_region() {
            for (code, name) in REGIONS {
                clients.push((role, Some(name), bench.as_role(role, Some(code)).await));
            }
        } else {
            clients.push((role, None, bench.as_role(role, None).await));
        }
    }
    let mut made = HEAD.to_owned();
    for operation in Operation::ALL {
        let mut cells = Vec::new();
        for role in Role::ALL {
            let mut answered = Vec::new();
            for (_, name, client) in clients.iter().filter(|(one, ..)| *one == role) {
                let outcome = call(operation, client.clone(), &command).await;
                match outcome {
                    Ok(()) => answered.push(name.unwrap_or("yes")),
                    Err(status) => {
                        let right = matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated);
                        assert!(right, "{operation:?} as {role} {name:?}: {status}");
                    }
                }
            }
            let everyone = role.needs_region() && answered.len() == REGIONS.len();
            cells.push(match answered.as_slice() {
                [] => "–".to_owned(),
                _ if everyone => "everyone".to_owned(),
                some => some.join(", "),
            });
        }
        let _ = writeln!(made, "| {} | {} |", operation.name(), cells.join(" | "));
    }
    made.push_str(TAIL);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ACCESS.md");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != made && std::env::var_os("UPDATE").is_some() {
        fs::write(&path, made).unwrap();
    } else {
        assert!(
            kept == made,
            "docs/ACCESS.md is out of date; `UPDATE=1 cargo test -p hefu-server` writes it anew"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_sees_its_superiors_totals_and_nothing_below_them() {
    let bench = Bench::serve();
    let ask = async |region: &str, children| {
        let mut client = bench.as_role(Role::Region, Some("330122")).await;
        let question = v1::IndicatorsRequest {
            region: region.to_owned(),
            period: "2023".to_owned(),
            children,
            ..Default::default()
        };
        client.query.indicators(question).await.map(|answer| answer.into_inner().rows.len())
    };
    assert!(ask("330122", true).await.is_ok(), "its own");
    assert!(ask("330100", false).await.is_ok() && ask("330000", false).await.is_ok(), "its superiors");
    for (region, children) in [("330100", true), ("330000", true), ("330108", false), ("330800", false)] {
        assert_eq!(ask(region, children).await.unwrap_err().code(), Code::PermissionDenied, "{region}");
    }
    let mut other = bench.as_role(Role::Region, Some("330122")).await;
    let projects = other.query.projects(v1::ProjectsRequest::default()).await.unwrap().into_inner();
    assert!(projects.rows.is_empty(), "it is a party to none");
    let everything = v1::ReadRecordsRequest::default();
    assert_eq!(other.audit.read_records(everything).await.unwrap_err().code(), Code::InvalidArgument);
}

/// Asks; whatever is not about rights counts as an answer.
async fn call(operation: Operation, client: Client, command: &[u8]) -> Result<(), Status> {
    let Client { mut ledger, mut query, mut audit } = client;
    let (project, region, period) = (P1.to_owned(), "330881".to_owned(), "2023".to_owned());
    let submit = v1::SubmitRequest { command: command.to_vec(), dry_run: true };
    let outcome = match operation {
        Operation::Submit => ledger.submit(submit).await.map(drop),
        Operation::SubmitBatch => {
            let nothing = tokio_stream::iter(Vec::<v1::SubmitBatchRequest>::new());
            ledger.submit_batch(nothing).await.map(drop)
        }
        Operation::GetReceipt => {
            ledger.get_receipt(v1::GetReceiptRequest { id: P1.to_owned() }).await.map(drop)
        }
        Operation::Indicators => {
            let question = v1::IndicatorsRequest { region, period, ..Default::default() };
            query.indicators(question).await.map(drop)
        }
        Operation::Explain => {
            let indicator = "INV_FAI".to_owned();
            let question =
                v1::ExplainRequest { region, indicator, period, moment: None, geography: String::new() };
            query.explain(question).await.map(drop)
        }
        Operation::Project => query.project(v1::ProjectRequest { project, moment: None }).await.map(drop),
        Operation::Projects => query.projects(v1::ProjectsRequest::default()).await.map(drop),
        Operation::Circulation => {
            query.circulation(v1::CirculationRequest { region, moment: None }).await.map(drop)
        }
        Operation::Disputes => query.disputes(v1::DisputesRequest::default()).await.map(drop),
        Operation::Statements => {
            query.statements(v1::StatementsRequest { region, period, moment: None }).await.map(drop)
        }
        Operation::Vintages => query.vintages(v1::VintagesRequest::default()).await.map(drop),
        Operation::Suggest => query.suggest(v1::SuggestRequest { project, moment: None }).await.map(drop),
        Operation::Checkpoint => audit.checkpoint(v1::CheckpointRequest {}).await.map(drop),
        Operation::InclusionProof => {
            // The newest record under the checkpoint is the project's.
            let size = audit.checkpoint(v1::CheckpointRequest {}).await.unwrap().into_inner().size;
            audit.inclusion_proof(v1::InclusionProofRequest { position: size - 1 }).await.map(drop)
        }
        Operation::ConsistencyProof => {
            let question = v1::ConsistencyProofRequest { old_size: 1, new_size: 0 };
            audit.consistency_proof(question).await.map(drop)
        }
        Operation::ReadRecords => {
            let question = v1::ReadRecordsRequest { project, ..Default::default() };
            match audit.read_records(question).await {
                Ok(stream) => stream.into_inner().next().await.unwrap().map(drop),
                Err(error) => Err(error),
            }
        }
        Operation::GetCursor => {
            audit.get_cursor(v1::GetCursorRequest { name: "table".to_owned() }).await.map(drop)
        }
        Operation::SetCursor => {
            let question = v1::SetCursorRequest { name: "table".to_owned(), position: 0 };
            audit.set_cursor(question).await.map(drop)
        }
    };
    match outcome {
        Err(status) if status.code() == Code::NotFound => Ok(()),
        outcome => outcome,
    }
}
