//! The same over HTTP and JSON: answers, problems, pages, records, tiles, health.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    time::Duration,
};

use hefu_api::{access::Role, routes::ROUTES, v1};
use hefu_chain::{
    checkpoint::Checkpoint,
    tile::{parse_entries, parse_hashes},
    tree::TreeHash,
};
use hefu_domain::indicator::IndicatorCode;
use hefu_engine::Reader;
use hefu_projections::vintages;
use serde_json::{Value, json};
use ureq::{Agent, Body, http::Response};

use crate::{
    bench::{Bench, P1, report},
    schema,
};

/// Somebody who asks, with a token or without.
pub(crate) struct Caller {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Caller {
    pub(crate) fn of(bench: &Bench, token: Option<String>) -> Caller {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Caller { agent: Agent::new_with_config(config), url: bench.url(), token }
    }

    pub(crate) fn role(bench: &Bench, role: Role, region: Option<&str>) -> Caller {
        Caller::of(bench, Some(bench.token(role, region)))
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Response<Body> {
        self.get_with(path, &[])
    }

    fn send(&self, put: bool, path: &str, kind: &str, body: &[u8]) -> Response<Body> {
        let url = format!("{}{path}", self.url);
        let mut request = if put { self.agent.put(url) } else { self.agent.post(url) };
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.header("content-type", kind).send(body).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response<Body> {
        self.send(false, path, "application/json", body.to_string().as_bytes())
    }

    pub(crate) fn post_as(&self, path: &str, kind: &str, body: &str) -> String {
        self.send(false, path, kind, body.as_bytes()).body_mut().read_to_string().unwrap()
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        good(self.get(path))
    }
}

pub(crate) fn header<'r>(response: &'r Response<Body>, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub(crate) fn good(mut response: Response<Body>) -> Value {
    let text = response.body_mut().read_to_string().unwrap();
    assert_eq!(response.status(), 200, "{text}");
    assert_eq!(header(&response, "content-type"), "application/json");
    serde_json::from_str(&text).unwrap()
}

fn bad(mut response: Response<Body>) -> (u16, String, String) {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let problem: Value = serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(problem["status"], response.status().as_u16());
    assert_eq!(problem["type"], format!("urn:hefu:error:{}", problem["code"].as_str().unwrap()));
    assert_eq!(schema::faults("Problem", &problem), Vec::<String>::new());
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), text("code"), text("field"))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    let request = v1::SubmitRequest { command: bytes.to_vec(), dry_run: false };
    serde_json::to_value(request).unwrap()["command"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_wires_answer_alike() {
    let bench = Bench::serve();
    let token = bench.token(Role::Statistics, None);
    let mut client = bench.client(Some(token.clone())).await;
    let question = v1::IndicatorsRequest {
        region: "330000".to_owned(),
        period: "2023".to_owned(),
        indicators: vec!["INV_FAI".to_owned(), "N_PRJ".to_owned()],
        children: true,
        ..Default::default()
    };
    let grpc = client.query.indicators(question).await.unwrap().into_inner();
    let path = "/v1/indicators?region=330000&period=2023&indicators=INV_FAI&indicators=N_PRJ&children=true";
    let statistics = Caller::of(&bench, Some(token));
    let http = tokio::task::block_in_place(|| statistics.json(path));
    assert_eq!(http, serde_json::to_value(&grpc).unwrap());
    assert_eq!(http["rows"][0]["figures"]["territorial"], "35000000.50");
    let project = client.query.project(v1::ProjectRequest { project: P1.to_owned(), moment: None }).await;
    let http = tokio::task::block_in_place(|| statistics.json(&format!("/v1/projects/{P1}")));
    assert_eq!(http, serde_json::to_value(project.unwrap().into_inner()).unwrap());
}

#[test]
fn every_answer_is_as_the_document_says() {
    let bench = Bench::serve();
    let auditor = Caller::role(&bench, Role::Auditor, None);
    let document = auditor.json("/v1/openapi.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = format!("{document:#}\n");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json is out of date; `UPDATE=1 cargo test -p hefu-server` writes it anew"
    );
    let size = auditor.json("/v1/checkpoint")["size"].as_str().unwrap().parse::<u64>().unwrap();
    let mut asked = BTreeSet::new();
    for (path, gives) in [
        ("/v1/indicators?region=330000&period=2023&children=true".to_owned(), "IndicatorsResponse"),
        ("/v1/explain?region=330000&period=2023&indicator=INV_FAI".to_owned(), "ExplainResponse"),
        ("/v1/projects".to_owned(), "ProjectsResponse"),
        (format!("/v1/projects/{P1}"), "ProjectResponse"),
        (format!("/v1/projects/{P1}/suggestions"), "SuggestResponse"),
        ("/v1/circulation?region=330000".to_owned(), "CirculationResponse"),
        ("/v1/disputes".to_owned(), "DisputesResponse"),
        ("/v1/vintages".to_owned(), "VintagesResponse"),
        ("/v1/checkpoint".to_owned(), "CheckpointResponse"),
        (format!("/v1/proofs/inclusion?position={}", size - 1), "InclusionProofResponse"),
        ("/v1/proofs/consistency?old_size=1".to_owned(), "ConsistencyProofResponse"),
        ("/v1/records".to_owned(), "ReadRecordsResponse"),
        ("/v1/cursors/none".to_owned(), "GetCursorResponse"),
    ] {
        assert_eq!(schema::faults(gives, &auditor.json(&path)), Vec::<String>::new(), "{path}");
        asked.insert(gives);
    }
    // The rest is asked by other tests, or has no answer in this history.
    let given = |operation: &str| document["paths"].to_string().contains(operation);
    assert!(ROUTES.iter().all(|route| given(route.operation.name())));
    assert_eq!(asked.len(), 13);
}

#[test]
fn an_answer_that_is_known_is_not_sent_again() {
    let mut bench = Bench::serve();
    let statistics = Caller::role(&bench, Role::Statistics, None);
    let path = "/v1/indicators?region=330881&period=2023";
    let first = statistics.get(path);
    let tag = header(&first, "etag").to_owned();
    assert!(tag.starts_with('"') && header(&first, "vary").contains("Authorization"));
    assert!(header(&first, "cache-control").contains("private"));
    let mut again = statistics.get_with(path, &[("if-none-match", &tag)]);
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, &*tag));
    assert_eq!(again.body_mut().read_to_string().unwrap(), "");
    let command = bench.sign("330881", report("2023-08", "1.00"));
    good(statistics.post("/v1/commands", &json!({"command": base64(&command)})));
    assert_eq!(
        statistics.get_with(path, &[("if-none-match", &tag)]).status(),
        200,
        "it is another answer now"
    );
}

#[test]
fn pages_follow_each_other_by_their_links() {
    let bench = Bench::serve();
    let statistics = Caller::role(&bench, Role::Statistics, None);
    let question = "/v1/indicators?region=330000&period=2023&children=true";
    let whole = statistics.json(question)["rows"].as_array().unwrap().clone();
    let (mut path, mut rows, mut pages) = (format!("{question}&page_size=13"), Vec::new(), 0);
    loop {
        let response = statistics.get(&path);
        let link = header(&response, "link").to_owned();
        let page = good(response);
        rows.extend(page["rows"].as_array().unwrap().clone());
        pages += 1;
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else {
            assert_eq!((link.as_str(), &page["next_page_token"]), ("", &json!("")));
            break;
        };
        path = next.to_owned();
    }
    assert!(pages > 2 && rows == whole);
}

#[test]
fn what_cannot_be_answered_is_a_problem() {
    let bench = Bench::serve();
    let (anybody, statistics) = (Caller::of(&bench, None), Caller::role(&bench, Role::Statistics, None));
    let own = Caller::role(&bench, Role::Region, Some("330881"));
    let problem = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    // What is wrong with the words is said at once, whatever position the question would wait for.
    for (more, expected) in [
        ("", problem(400, "usage", "period")),
        ("&period=2023&childern=true", problem(400, "usage", "childern")),
        ("&period=2023&children=yes", problem(400, "usage", "children")),
        ("&period=2023&page_size=10001", problem(400, "usage", "page_size")),
        ("&period=2023&as_of=2199-01-01", problem(400, "usage", "as_of")),
        ("&period=2023&as_of=99999", problem(409, "position_not_reached", "as_of")),
        ("&period=2023&vintage=none", problem(404, "unknown_vintage", "vintage")),
        ("&period=2023-13&min_position=99999", problem(400, "usage", "period")),
        ("&period=2023&page_size=10001&min_position=99999", problem(400, "usage", "page_size")),
    ] {
        assert_eq!(bad(statistics.get(&format!("/v1/indicators?region=330000{more}"))), expected, "{more}");
    }
    for (caller, path, expected) in [
        (&statistics, "/v1/nothing", problem(404, "unknown_path", "")),
        (&statistics, "/v2/indicators", problem(404, "unknown_path", "")),
        (&statistics, "/v1/indicators?region=%FF&period=2023", problem(404, "unknown_region", "region")),
        (&statistics, "/v1/projects/%FF", problem(400, "usage", "")),
        (&statistics, "/v1/projects/nobody", problem(404, "unknown_project", "")),
        (&statistics, "/v1/records?follow=true", problem(400, "usage", "follow")),
        (&statistics, "/tile/0/x001/000", problem(404, "no_such_tile", "")),
        (&statistics, "/tile/../head", problem(404, "no_such_tile", "")),
        (&anybody, "/v1/projects", problem(401, "token_needed", "")),
        (&anybody, "/tile/entries/000.p/1", problem(401, "token_needed", "")),
        (&own, "/tile/entries/000.p/1", problem(403, "foreign_region", "")),
        (&own, "/v1/indicators?region=330108&period=2023", problem(403, "foreign_region", "")),
    ] {
        assert_eq!(bad(caller.get(path)), expected, "{path}");
    }
    let wrong = Caller::of(&bench, Some("hefu_000000000000_00".to_owned()));
    let refused = wrong.get("/v1/projects");
    assert_eq!(header(&refused, "www-authenticate"), "Bearer");
    assert_eq!(bad(refused), problem(401, "bad_token", ""));
    // People are told in their language, whose it is stands beside it.
    let mut told = statistics.get_with("/v1/nothing", &[("accept-language", "zh-CN,zh;q=0.9")]);
    assert_eq!(header(&told, "content-language"), "zh");
    assert!(told.body_mut().read_to_string().unwrap().contains("没有这个路径"));
    for (path, kind, body, expected) in [
        ("/v1/commands", "text/plain", &b"{}"[..], problem(415, "other_media", "")),
        ("/v1/commands", "application/json", b"{", problem(400, "usage", "")),
        ("/v1/commands", "application/json", b"{\"comand\": \"\"}", problem(400, "usage", "")),
        ("/v1/commands", "application/json", b"{\"command\": \"?\"}", problem(400, "usage", "")),
        (
            "/v1/commands",
            "application/json",
            b"{\"command\": \"e30=\"}",
            problem(400, "bad_envelope", "envelope"),
        ),
        ("/v1/commands?dry_run=true", "application/json", b"{}", problem(400, "usage", "dry_run")),
    ] {
        assert_eq!(bad(anybody.send(false, path, kind, body)), expected, "{path} {body:?}");
    }
    let other = anybody.send(false, "/v1/projects", "application/json", b"{}");
    assert!(header(&other, "allow").contains("GET"));
    assert_eq!(bad(other), problem(405, "other_method", ""));
    let long = vec![b' '; (6 << 20) + 1];
    assert_eq!(
        bad(anybody.send(false, "/v1/commands", "application/json", &long)),
        problem(413, "too_large", "")
    );
}

#[test]
fn commands_come_in_and_receipts_go_out() {
    let mut bench = Bench::serve();
    let (anybody, statistics) = (Caller::of(&bench, None), Caller::role(&bench, Role::Statistics, None));
    let command = base64(&bench.sign("330881", report("2023-08", "100.25")));
    let tried = good(anybody.post("/v1/commands", &json!({"command": command, "dry_run": true})));
    assert!(tried["accepted"].get("receipt").is_none_or(Value::is_null));
    let accepted = good(anybody.post("/v1/commands", &json!({"command": command})))["accepted"].clone();
    assert_eq!(schema::faults("Accepted", &accepted), Vec::<String>::new());
    let (id, position) = (accepted["id"].as_str().unwrap(), accepted["position"].as_str().unwrap());
    let found = anybody.json(&format!("/v1/receipts/{id}"));
    assert_eq!(found["accepted"]["receipt"], accepted["receipt"]);
    let path =
        format!("/v1/indicators?region=330881&period=2023-08&indicators=INV_FAI&min_position={position}");
    assert_eq!(statistics.json(&path)["rows"][0]["figures"]["territorial"], "100.25");
    // A refusal by a rule is a problem, with what the log signed.
    let foreign = base64(&bench.sign("330108", report("2023-09", "1.00")));
    let mut refused = anybody.post("/v1/commands", &json!({"command": foreign}));
    let problem: Value = serde_json::from_str(&refused.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!((refused.status().as_u16(), problem["code"].as_str()), (403, Some("foreign_office")));
    assert_eq!(problem["refusal"]["code"], "foreign_office");
    // Of many, each has its answer.
    let other = base64(&bench.sign("330881", report("2023-09", "1.00")));
    let batch = good(anybody.post("/v1/commands/batch", &json!({"commands": [foreign, other]})));
    assert_eq!(schema::faults("SubmitBatchResponse", &batch), Vec::<String>::new());
    assert_eq!(batch["answers"][0]["refused"]["code"], "foreign_office");
    assert!(batch["answers"][1]["accepted"]["position"].is_string());
}

#[test]
fn records_come_in_pages_and_in_lines() {
    let mut bench = Bench::serve();
    let auditor = Caller::role(&bench, Role::Auditor, None);
    let page = auditor.json("/v1/records?limit=3");
    assert_eq!(page["records"].as_array().unwrap().len(), 3);
    let rest = auditor.json(&format!("/v1/records?from={}", page["next"].as_str().unwrap()));
    assert_eq!((&rest["records"][0]["position"], &rest["caught_up"]), (&page["next"], &json!(true)));
    let mut lines = auditor.get("/v1/records/stream?limit=3");
    assert_eq!(header(&lines, "content-type"), "application/x-ndjson");
    let text = lines.body_mut().read_to_string().unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["records"], page["records"]);
    // A cursor is set by who has processed what it points behind.
    let next = rest["next"].as_str().unwrap();
    let set = auditor.send(
        true,
        "/v1/cursors/books",
        "application/json",
        json!({"position": next}).to_string().as_bytes(),
    );
    good(set);
    assert_eq!(auditor.json("/v1/cursors/books")["position"], next);
    let misled = br#"{"name": "other", "position": "1"}"#;
    let misled = bad(auditor.send(true, "/v1/cursors/books", "application/json", misled));
    assert_eq!(misled, (400, "usage".to_owned(), "name".to_owned()));
    // Whoever follows sees what comes, and the end when the server stops.
    let tail = auditor.get("/v1/records/stream?cursor=books&follow=true");
    let mut tail = BufReader::new(tail.into_body().into_reader()).lines();
    let mut line =
        || -> Option<Value> { tail.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap()) };
    assert_eq!(line().unwrap()["caught_up"], true);
    let command = base64(&bench.sign("330881", report("2023-08", "1.00")));
    good(auditor.post("/v1/commands", &json!({"command": command})));
    assert_eq!(line().unwrap()["records"][0]["position"], next);
    bench.stop();
    let mut last = line().unwrap();
    while let Some(later) = line() {
        last = later;
    }
    assert_eq!((&last["problem"]["code"], &last["problem"]["status"]), (&json!("stopping"), &json!(503)));
}

#[test]
fn the_log_is_a_site_of_tiles() {
    let bench = Bench::serve();
    let (anybody, auditor) = (Caller::of(&bench, None), Caller::role(&bench, Role::Auditor, None));
    let note = anybody.get("/checkpoint").body_mut().read_to_string().unwrap();
    let signed = anybody.json("/v1/checkpoint");
    assert_eq!(note, signed["note"].as_str().unwrap());
    let text = note.split("\n\n").next().unwrap();
    let checkpoint: Checkpoint = format!("{text}\n").parse().unwrap();
    let width = u16::try_from(checkpoint.size).unwrap();
    let read = |caller: &Caller, path: String| {
        let mut response = caller.get(&path);
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, "application/octet-stream")
        );
        response.body_mut().read_to_vec().unwrap()
    };
    let hashes = read(&anybody, format!("/tile/0/000.p/{width}"));
    let hashes = parse_hashes(&hashes, width).unwrap();
    let entries = read(&auditor, format!("/tile/entries/000.p/{width}"));
    let leaves: Vec<TreeHash> =
        parse_entries(&entries, width).unwrap().into_iter().map(TreeHash::leaf).collect();
    assert_eq!(leaves, hashes);
    let wider = anybody.get(&format!("/tile/0/000.p/{}", width + 1));
    assert_eq!(bad(wider).0, 404, "beyond the checkpoint nothing is signed");
}

#[test]
fn a_vintage_answers_what_it_froze() {
    let mut bench = Bench::new();
    let reader = Reader::open(&bench.dir).unwrap();
    let (indicator, period): (IndicatorCode, _) = ("INV_FAI".parse().unwrap(), "2023-07".parse().unwrap());
    let digest = vintages::digest(&reader.views, &[indicator], &[period]);
    let position = reader.views.size - 1;
    let freeze = json!({
        "type": "freeze_vintage", "name": "2023-07 flash", "kind": "flash", "indicators": ["INV_FAI"],
        "periods": ["2023-07"], "position": position, "digest": digest.to_string(),
    });
    let freeze = bench.sign("330000/statistics", freeze);
    let later = bench.sign("330881", report("2023-07", "1.00"));
    bench.start(None);
    let statistics = Caller::role(&bench, Role::Statistics, None);
    for command in [freeze, later] {
        good(statistics.post("/v1/commands", &json!({"command": base64(&command)})));
    }
    let vintages = statistics.json("/v1/vintages");
    assert_eq!(schema::faults("VintagesResponse", &vintages), Vec::<String>::new());
    assert_eq!(vintages["rows"][0]["name"], "2023-07 flash");
    let question = "/v1/indicators?region=330881&period=2023-07";
    let territorial = |path: &str| statistics.json(path)["rows"][0]["figures"]["territorial"].clone();
    assert_eq!(territorial(question), "1.00");
    assert_eq!(territorial(&format!("{question}&vintage=2023-07+flash")), "35000000.50");
    let other = "/v1/indicators?region=330881&period=2023&vintage=2023-07%20flash";
    assert_eq!(bad(statistics.get(other)), (422, "not_in_vintage".to_owned(), "period".to_owned()));
    let both = format!("{question}&vintage=2023-07+flash&as_of=3");
    assert_eq!(bad(statistics.get(&both)), (400, "usage".to_owned(), "vintage".to_owned()));
}

#[test]
fn operators_see_whether_it_lives_and_what_it_did() {
    let bench = Bench::serve();
    let anybody = Caller::of(&bench, None);
    let text = |path: &str| {
        let mut response = anybody.get(path);
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    assert_eq!(text("/livez"), (200, "live\n".to_owned()));
    assert_eq!(text("/readyz"), (200, "ok accepting\nok ledger\nok writer\n".to_owned()));
    let statistics = Caller::role(&bench, Role::Statistics, None);
    statistics.json(&format!("/v1/projects/{P1}"));
    anybody.get(&format!("/v1/projects/{P1}"));
    let (status, metrics) = text("/metrics");
    assert_eq!(status, 200);
    for line in [
        "hefu_answers_total{operation=\"Project\",outcome=\"ok\"} 1",
        "hefu_answers_total{operation=\"Project\",outcome=\"token_needed\"} 1",
        "hefu_answer_seconds_count{operation=\"Project\"} 2",
        "hefu_answer_seconds_bucket{operation=\"Project\",le=\"+Inf\"} 2",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is not in\n{metrics}");
    }
    let size: u64 = statistics.json("/v1/records?limit=1")["next"].as_str().unwrap().parse().unwrap();
    assert_eq!(size, 1);
    assert!(metrics.contains("\nhefu_records "));
}

/// Many at once, most of them too slow or too loud; whoever behaves is answered.
#[test]
fn strangers_do_not_stop_the_service() {
    use std::{io::Write as _, net::TcpStream};
    let bench = Bench::serve();
    let address = bench.url().strip_prefix("http://").unwrap().to_owned();
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for bytes in [
        &b"GET / HTTP/1.1\r\nbad header\r\n\r\n"[..],
        b"\x00\xff\xff\xff",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff",
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = stream.write_all(bytes);
    }
    let mut long = TcpStream::connect(&address).unwrap();
    let _ = long.write_all(format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(64 * 1024)).as_bytes());
    let anybody = Caller::of(&bench, None);
    assert_eq!(anybody.get("/livez").status(), 200);
    drop(silent);
}
