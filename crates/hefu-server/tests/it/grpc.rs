//! Writing, reading and auditing over gRPC.

use hefu_api::{access::Role, v1};
use hefu_server::{Limits, Listen, Server, ServerError, Tls};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::bench::{Bench, P1, report};

fn indicators(region: &str, children: bool) -> v1::IndicatorsRequest {
    v1::IndicatorsRequest {
        region: region.to_owned(),
        period: "2023".to_owned(),
        indicators: vec!["INV_FAI".to_owned()],
        children,
        ..Default::default()
    }
}

fn figure(row: &v1::IndicatorRow) -> (&str, &str, &str) {
    let figures = row.figures.as_ref().unwrap();
    (&row.region, figures.territorial.as_deref().unwrap(), figures.shared.as_deref().unwrap())
}

pub(crate) fn code(status: &Status) -> (Code, String) {
    let details = status.get_details_error_info().unwrap();
    assert_eq!(details.domain, "hefu");
    assert_eq!(details.reason, details.metadata["code"].to_ascii_uppercase());
    (status.code(), details.metadata["code"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_at_once() {
    let mut bench = Bench::serve();
    let bytes = bench.sign("330881", report("2023-08", "100.25"));
    let (mut anybody, mut statistics) =
        (bench.client(None).await, bench.as_role(Role::Statistics, None).await);
    let tried = v1::SubmitRequest { command: bytes.clone(), dry_run: true };
    let tried = anybody.ledger.submit(tried).await.unwrap().into_inner().accepted.unwrap();
    assert!(tried.receipt.is_none(), "nothing was recorded");
    let submit = v1::SubmitRequest { command: bytes.clone(), dry_run: false };
    let accepted = anybody.ledger.submit(submit.clone()).await.unwrap().into_inner().accepted.unwrap();
    assert_eq!(accepted.position, tried.position);
    let moment = v1::Moment { min_position: accepted.position, ..Default::default() };
    let question = v1::IndicatorsRequest { moment: Some(moment), ..indicators("330000", true) };
    let answer = statistics.query.indicators(question).await.unwrap().into_inner();
    assert_eq!(answer.position, accepted.position);
    assert_eq!(answer.checkpoint, accepted.receipt.as_ref().unwrap().head);
    let rows: Vec<_> = answer.rows.iter().map(figure).collect();
    let full = "35000100.75";
    let expected = [
        ("330000", full, full),
        ("330100", "0.00", full),
        ("330108", "0.00", full),
        ("330122", "0.00", "0.00"),
        ("330800", full, full),
        ("330881", full, full),
    ];
    assert_eq!(rows, expected);
    assert!(answer.notice.contains("仅用于考核"));
    // Both cities count it, the province once.
    assert_eq!(answer.rows[0].figures.as_ref().unwrap().elimination.as_deref(), Some("-35000100.75"));
    // The same command again: the same receipt, and from GetReceipt, too.
    let again = anybody.ledger.submit(submit).await.unwrap().into_inner().accepted.unwrap();
    assert!(again.repeated && again.receipt == accepted.receipt);
    let asked = v1::GetReceiptRequest { id: accepted.id.clone() };
    let found = anybody.ledger.get_receipt(asked).await.unwrap().into_inner().accepted.unwrap();
    assert_eq!((found.position, found.receipt), (accepted.position, accepted.receipt));
    // As of the position before, the new value is unknown.
    let as_of = (accepted.position - 1).to_string();
    let moment = v1::Moment { as_of, ..Default::default() };
    let question = v1::IndicatorsRequest { moment: Some(moment), ..indicators("330881", false) };
    let answer = statistics.query.indicators(question.clone()).await.unwrap().into_inner();
    assert_eq!(answer.position, accepted.position - 1);
    assert_eq!(figure(&answer.rows[0]).1, "35000000.50");
    // Told from the sums' past it is what a fold up to there finds; no region has changed, so both geographies are one.
    let folded = v1::IndicatorsRequest { geography: "current".to_owned(), ..question };
    assert_eq!(statistics.query.indicators(folded).await.unwrap().into_inner(), answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_rule_and_carries_the_logs_signature() {
    let mut bench = Bench::serve();
    let mut anybody = bench.client(None).await;
    let command = bench.sign("330108", report("2023-08", "1.00"));
    let refused = anybody.ledger.submit(v1::SubmitRequest { command, dry_run: false }).await.unwrap_err();
    assert_eq!(code(&refused), (Code::PermissionDenied, "foreign_office".to_owned()));
    let info = refused.get_details_error_info().unwrap();
    let refusal: serde_json::Value = serde_json::from_str(&info.metadata["refusal"]).unwrap();
    assert_eq!(refusal["code"], "foreign_office");
    let words = refused.get_details_localized_message().unwrap();
    assert_eq!(words.locale, "zh-CN");
    let command = b"{}".to_vec();
    let bad = anybody.ledger.submit(v1::SubmitRequest { command, dry_run: false }).await.unwrap_err();
    assert_eq!(code(&bad), (Code::InvalidArgument, "bad_envelope".to_owned()));
    let id = "0198b2c4-0000-7000-8000-00000000ffff".to_owned();
    let unknown = anybody.ledger.get_receipt(v1::GetReceiptRequest { id }).await.unwrap_err();
    assert_eq!(code(&unknown), (Code::NotFound, "unknown_command_id".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_commands_is_answered_one_by_one() {
    let mut bench = Bench::serve();
    let mut batch = |stop_at_refusal| {
        let good = bench.sign("330881", report("2023-09", "1.00"));
        let bad = bench.sign("330108", report("2023-10", "1.00"));
        let last = bench.sign("330881", report("2023-11", "1.00"));
        let one = |commands| v1::SubmitBatchRequest { commands, stop_at_refusal, ..Default::default() };
        vec![one(vec![good, bad]), one(vec![last])]
    };
    let (going_on, stopping) = (batch(false), batch(true));
    let mut client = bench.client(None).await;
    let mut codes = async |requests| {
        let stream = client.ledger.submit_batch(tokio_stream::iter::<Vec<_>>(requests)).await.unwrap();
        let answers: Vec<_> = stream.into_inner().map(|answer| answer.unwrap().answers).collect().await;
        let code = |answer: v1::Answer| match answer.outcome.unwrap() {
            v1::answer::Outcome::Accepted(_) => "ok".to_owned(),
            v1::answer::Outcome::Refused(refused) => refused.code,
        };
        answers.into_iter().map(|all| all.into_iter().map(code).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(codes(going_on).await, [vec!["ok", "foreign_office"], vec!["ok"]]);
    assert_eq!(codes(stopping).await, [vec!["ok", "foreign_office"], vec!["skipped"]]);
}

/// Batches are checked ahead of those being written, and answered in the order in which they came.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_is_answered_in_order() {
    let mut bench = Bench::serve();
    let batches: Vec<v1::SubmitBatchRequest> = (0..12)
        .map(|batch| {
            let commands =
                (0..20).map(|n| bench.sign("330881", report("2023-09", &format!("{batch}{n:02}.00"))));
            v1::SubmitBatchRequest { commands: commands.collect(), ..Default::default() }
        })
        .collect();
    let mut client = bench.client(None).await;
    let stream = client.ledger.submit_batch(tokio_stream::iter(batches)).await.unwrap();
    let answers: Vec<_> = stream.into_inner().map(|answer| answer.unwrap().answers).collect().await;
    assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [20; 12]);
    let position = |answer: v1::Answer| match answer.outcome.unwrap() {
        v1::answer::Outcome::Accepted(accepted) => accepted.position,
        v1::answer::Outcome::Refused(refused) => panic!("{}", refused.code),
    };
    let positions: Vec<u64> = answers.into_iter().flatten().map(position).collect();
    assert!(positions.windows(2).all(|two| two[0] < two[1]), "{positions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_its_answer() {
    let bench = Bench::serve();
    let mut all = bench.as_role(Role::Auditor, None).await;
    let project = v1::ProjectRequest { project: P1.to_owned(), moment: None };
    let shown = all.query.project(project).await.unwrap().into_inner();
    assert_eq!((shown.region.as_str(), shown.observations), ("330881", 1));
    assert_eq!(shown.stays.iter().map(|stay| stay.region.as_str()).collect::<Vec<_>>(), ["330108", "330881"]);
    assert_eq!(
        (shown.transfers[0].outcome.as_str(), shown.transfers[0].claim.as_str()),
        ("landed", "confirmed")
    );
    let listed = all.query.projects(v1::ProjectsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.rows.iter().map(|row| row.project.as_str()).collect::<Vec<_>>(), [P1]);
    let flows = all.query.circulation(v1::CirculationRequest::default()).await.unwrap().into_inner();
    let flow = &flows.rows[0];
    assert_eq!(
        (flow.origin.as_str(), flow.destination.as_str(), flow.tier.as_str()),
        ("330108", "330881", "wider")
    );
    assert_eq!((flow.proposed, flow.landed), (1, 1));
    let explain = v1::ExplainRequest {
        region: "330108".to_owned(),
        indicator: "INV_FAI".to_owned(),
        period: "2023".to_owned(),
        ..Default::default()
    };
    let explained = all.query.explain(explain).await.unwrap().into_inner();
    let line = &explained.lines[0];
    assert_eq!((line.value.as_str(), line.location.as_str()), ("35000000.50", "330881"));
    let parts: Vec<_> = line.participants.iter().map(|part| (part.region.as_str(), part.weight_bp)).collect();
    assert_eq!(parts, [("330881", 10_000), ("330108", 10_000)]);
    let suggest = v1::SuggestRequest { project: P1.to_owned(), moment: None };
    let suggested = all.query.suggest(suggest).await.unwrap().into_inner();
    assert_eq!(suggested.open_tier, "original_site", "landing opened a new round");
    let disputes = all.query.disputes(v1::DisputesRequest::default()).await.unwrap().into_inner();
    assert!(disputes.rows.is_empty() && disputes.position == shown.position);
    let statement = v1::StatementsRequest { region: "330108".into(), period: "2023".into(), moment: None };
    let none = all.query.statements(statement).await.unwrap_err();
    assert_eq!(code(&none), (Code::NotFound, "no_such_settlement".to_owned()));
    let nowhere = all.query.indicators(indicators("999999", false)).await.unwrap_err();
    assert_eq!(code(&nowhere), (Code::NotFound, "unknown_region".to_owned()));
    let unclear = v1::IndicatorsRequest { period: "last year".to_owned(), ..indicators("330000", false) };
    let unclear = all.query.indicators(unclear).await.unwrap_err();
    assert_eq!(unclear.get_details_bad_request().unwrap().field_violations[0].field, "period");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_stand_as_filed_or_on_todays_regions() {
    let mut bench = Bench::serve();
    let away = serde_json::json!({"type": "reparent_region", "region": "330881", "parent": "330100",
        "date": "2024-01-01", "document": "国函"});
    let command = bench.sign("330000/coordinator", away);
    let mut all = bench.as_role(Role::Statistics, None).await;
    let submit = v1::SubmitRequest { command, dry_run: false };
    let position = all.ledger.submit(submit).await.unwrap().into_inner().accepted.unwrap().position;
    let ask = |geography: &str| {
        let moment = v1::Moment { min_position: position, ..Default::default() };
        v1::IndicatorsRequest {
            moment: Some(moment),
            geography: geography.to_owned(),
            ..indicators("330000", true)
        }
    };
    let filed = all.query.indicators(ask("")).await.unwrap().into_inner();
    assert_eq!(all.query.indicators(ask("filed")).await.unwrap().into_inner().rows, filed.rows);
    let current = all.query.indicators(ask("current")).await.unwrap().into_inner();
    let territorial = |answer: &v1::IndicatorsResponse| -> Vec<(String, String)> {
        let rows = answer.rows.iter().map(figure);
        rows.filter(|row| row.0.ends_with("00") || row.0 == "330881")
            .map(|(region, territorial, _)| (region.to_owned(), territorial.to_owned()))
            .collect()
    };
    let full = "35000000.50";
    let told = |rows: [(&str, &str); 4]| rows.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    assert_eq!(
        territorial(&filed),
        told([("330000", full), ("330100", "0.00"), ("330800", full), ("330881", full)])
    );
    assert_eq!(
        territorial(&current),
        told([("330000", full), ("330100", full), ("330881", full), ("330800", "0.00")])
    );
    let wrong = all.query.indicators(ask("yesterday")).await.unwrap_err();
    assert_eq!(wrong.get_details_bad_request().unwrap().field_violations[0].field, "geography");
    let explain = v1::ExplainRequest {
        region: "330100".into(),
        indicator: "INV_FAI".into(),
        period: "2023".into(),
        moment: None,
        geography: "current".into(),
    };
    let behind = all.query.explain(explain).await.unwrap().into_inner();
    assert_eq!(figure(&behind.figure.unwrap()).1, full);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_of_one_position_while_the_ledger_grows() {
    let mut bench = Bench::serve();
    let bytes = bench.sign("330881", report("2023-12", "1.00"));
    let mut all = bench.as_role(Role::Auditor, None).await;
    let question = v1::IndicatorsRequest { page_size: 4, ..indicators("330000", true) };
    let first = all.query.indicators(question.clone()).await.unwrap().into_inner();
    all.ledger.submit(v1::SubmitRequest { command: bytes, dry_run: false }).await.unwrap();
    let rest = v1::IndicatorsRequest { page_token: first.next_page_token.clone(), ..question };
    let second = all.query.indicators(rest).await.unwrap().into_inner();
    assert_eq!((first.rows.len(), second.rows.len()), (4, 2));
    assert_eq!((second.position, second.checkpoint.as_str()), (first.position, first.checkpoint.as_str()));
    assert_eq!(figure(&second.rows[1]), ("330881", "35000000.50", "35000000.50"));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_streamed_tailed_and_taken_up_after_a_restart() {
    let mut bench = Bench::serve();
    let bytes = bench.sign("330881", report("2023-08", "1.00"));
    let token = bench.token(Role::Auditor, None);
    let mut client = bench.client(Some(token.clone())).await;
    let all = v1::ReadRecordsRequest::default();
    let steps: Vec<_> = client.audit.read_records(all).await.unwrap().into_inner().collect().await;
    let steps: Vec<_> = steps.into_iter().map(Result::unwrap).collect();
    let positions: Vec<u64> = steps.iter().flat_map(|step| &step.records).map(|one| one.position).collect();
    let size = steps.last().unwrap().next;
    assert_eq!(positions, (0..size).collect::<Vec<_>>());
    assert!(steps.last().unwrap().caught_up);
    // Only values, as they come.
    let events = vec!["observation.reported".to_owned()];
    let follow = v1::ReadRecordsRequest { from: size, events, follow: true, ..Default::default() };
    let mut tail = client.audit.read_records(follow).await.unwrap().into_inner();
    assert!(tail.next().await.unwrap().unwrap().caught_up);
    client.ledger.submit(v1::SubmitRequest { command: bytes, dry_run: false }).await.unwrap();
    let step = tail.next().await.unwrap().unwrap();
    assert_eq!((step.records.len(), step.records[0].position, step.next), (1, size, size + 1));
    let body = String::from_utf8_lossy(&step.records[0].body).into_owned();
    assert!(body.contains("\"2023-08\""), "{body}");
    let name = "bureau-1".to_owned();
    let unset = client.audit.get_cursor(v1::GetCursorRequest { name: name.clone() }).await.unwrap();
    assert_eq!(unset.into_inner().position, None);
    let set = v1::SetCursorRequest { name: name.clone(), position: step.next };
    client.audit.set_cursor(set).await.unwrap();
    // A stop ends the stream that would go on for ever, and the cursor is still there afterwards.
    bench.stop();
    let end = tail.next().await.unwrap().unwrap_err();
    assert_eq!(code(&end), (Code::Unavailable, "stopping".to_owned()));
    bench.start(None);
    let mut client = bench.client(Some(token)).await;
    let kept = client.audit.get_cursor(v1::GetCursorRequest { name: name.clone() }).await.unwrap();
    assert_eq!(kept.into_inner().position, Some(size + 1));
    let rest = v1::ReadRecordsRequest { cursor: name.clone(), ..Default::default() };
    let steps: Vec<_> = client.audit.read_records(rest).await.unwrap().into_inner().collect().await;
    assert!(steps.into_iter().all(|step| step.unwrap().records.is_empty()));
    // Another token has cursors of its own.
    let mut other = bench.as_role(Role::Auditor, None).await;
    let other = other.audit.get_cursor(v1::GetCursorRequest { name }).await.unwrap();
    assert_eq!(other.into_inner().position, None);
    for name in ["", ".", "..", "../../x", "a/b", &"x".repeat(65)] {
        let bad = v1::SetCursorRequest { name: name.to_owned(), position: 0 };
        assert_eq!(client.audit.set_cursor(bad).await.unwrap_err().code(), Code::InvalidArgument, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_signed_is_proven() {
    let bench = Bench::serve();
    let mut auditor = bench.as_role(Role::Auditor, None).await;
    let checkpoint = auditor.audit.checkpoint(v1::CheckpointRequest {}).await.unwrap().into_inner();
    assert!(checkpoint.note.starts_with("test.example/ledger\n"));
    let position = checkpoint.size - 1;
    let proof = auditor.audit.inclusion_proof(v1::InclusionProofRequest { position }).await.unwrap();
    let proof: hefu_chain::proof::TlogProof = proof.into_inner().proof.parse().unwrap();
    assert!(
        proof.to_string().contains(checkpoint.note.lines().nth(2).unwrap()),
        "it leads to the checkpoint"
    );
    let grown = v1::ConsistencyProofRequest { old_size: 1, new_size: 0 };
    let grown = auditor.audit.consistency_proof(grown).await.unwrap().into_inner();
    assert_eq!((grown.new_size, &grown.new_root), (checkpoint.size, &checkpoint.root));
    let hash = |bytes: &Vec<u8>| hefu_chain::tree::TreeHash(bytes.as_slice().try_into().unwrap());
    let hashes: Vec<_> = grown.hashes.iter().map(hash).collect();
    let (old, new) = (hash(&grown.old_root), hash(&grown.new_root));
    hefu_chain::tree::verify_consistency(1, &old, grown.new_size, &new, &hashes).unwrap();
    let beyond = v1::InclusionProofRequest { position: checkpoint.size + 1000 };
    let beyond = auditor.audit.inclusion_proof(beyond).await.unwrap_err();
    assert_eq!(code(&beyond), (Code::NotFound, "unknown_position".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_others_may_connect_and_without_they_may_not() {
    let data = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data").join(name);
    let tls = Tls::read(&data("server.pem"), &data("server.key")).unwrap();
    let listen = Listen { address: "0.0.0.0:0".parse().unwrap(), exposed: false };
    let listens =
        |tls| tokio::task::block_in_place(|| Server::listen_with(listen, tls, Limits::default()).map(drop));
    assert!(matches!(listens(None), Err(ServerError::Exposed(_))));
    assert!(listens(Some(tls.clone())).is_ok());
    assert!(matches!(Tls::read(&data("server.key"), &data("server.key")), Err(ServerError::Tls { .. })));
    let mut bench = Bench::new();
    bench.start(Some(tls));
    assert!(bench.url().starts_with("https://"));
    let mut statistics = bench.as_role(Role::Statistics, None).await;
    let answer = statistics.query.indicators(indicators("330881", false)).await.unwrap().into_inner();
    assert_eq!(figure(&answer.rows[0]).1, "35000000.50");
}
