//! SDMX beside the other wires: the past as the log has it, to each caller what is his, nothing sent twice, clear errors.
//! What real clients make of the messages is tried in `.ci/sdmx`.

use hefu_api::access::Role;
use serde_json::{Value, json};
use ureq::{Body, http::Response};

use crate::{
    bench::{Bench, report},
    http::{Caller, base64, good, header},
};

/// The territorial investment of the province, by year.
const KEY: &str = "/sdmx/v2/data/dataflow/HEFU/DF_CREDIT/+/A.CN330000.INV_FAI.T._T?c%5BTIME_PERIOD%5D=2023";

/// What a message of SDMX-ML says in an attribute, in order.
fn all(mut answer: Response<Body>, attribute: &str) -> Vec<String> {
    let text = answer.body_mut().read_to_string().unwrap();
    assert_eq!(answer.status(), 200, "{text}");
    let start = format!(" {attribute}=\"");
    let pieces = text.split(&start).skip(1).map(|piece| piece.split('"').next());
    pieces.map(|piece| piece.unwrap().to_owned()).collect()
}

fn values(caller: &Caller, more: &str) -> Vec<String> {
    all(caller.get(&format!("{KEY}{more}")), "OBS_VALUE")
}

/// Reports a value, and gives the instant it is on record from.
fn reported(bench: &mut Bench, period: &str, value: &str) -> String {
    let command = base64(&bench.sign("330881", report(period, value)));
    let accepted = good(Caller::of(bench, None).post("/v1/commands", &json!({"command": command})));
    let id = accepted["accepted"]["id"].as_str().unwrap().to_owned();
    let auditor = Caller::role(bench, Role::Auditor, None);
    let path = format!("/v1/records?from={}", accepted["accepted"]["position"].as_str().unwrap());
    let record = auditor.json(&path)["records"][0].clone();
    let record: hefu_api::v1::Record = serde_json::from_value(record).unwrap();
    let leaf: Value = serde_json::from_slice(&record.leaf).unwrap();
    assert_eq!(leaf["command"], id);
    leaf["ts"].as_str().unwrap().to_owned()
}

#[test]
fn the_past_is_answered_from_the_log() {
    let mut bench = Bench::serve();
    let statistics = Caller::role(&bench, Role::Statistics, None);
    assert_eq!(values(&statistics, ""), ["35000000.50"]);
    let first = reported(&mut bench, "2023-08", "1.00");
    let second = reported(&mut bench, "2023-08", "2.00");
    assert_eq!(values(&statistics, ""), ["35000002.50"], "what was acknowledged is answered");
    assert_eq!(values(&statistics, &format!("&asOf={first}")), ["35000001.50"]);
    assert_eq!(values(&statistics, &format!("&asOf={second}")), ["35000002.50"]);
    assert_eq!(values(&statistics, "&asOf=2199-01-01T00:00:00Z"), ["35000002.50"], "all of it");
    let history = values(&statistics, "&includeHistory=true");
    assert_eq!(history[history.len() - 3..], ["35000000.50", "35000001.50", "35000002.50"]);
    let from = all(statistics.get(&format!("{KEY}&includeHistory=true")), "ss:validFromDate");
    assert_eq!(from.len(), history.len());
    for (instant, value) in from.iter().zip(&history) {
        assert_eq!(&values(&statistics, &format!("&asOf={instant}")), std::slice::from_ref(value));
    }
    // What has changed since: the new figure; of what has not, nothing.
    assert_eq!(values(&statistics, &format!("&updatedAfter={first}")), ["35000002.50"]);
    let (status, problem) = refused(statistics.get(&format!("{KEY}&updatedAfter={second}")));
    assert_eq!(status, 404, "{problem}");
}

fn refused(mut answer: Response<Body>) -> (u16, Value) {
    let text = answer.body_mut().read_to_string().unwrap();
    assert_eq!(header(&answer, "content-type"), "application/problem+json", "{text}");
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

#[test]
fn shared_figures_are_for_those_who_may_see_them() {
    let bench = Bench::serve();
    let own = Caller::role(&bench, Role::Region, Some("330881"));
    let (anybody, treasury) =
        (Caller::of(&bench, None), Caller::role(&bench, Role::Treasury, Some("330881")));
    let wrong = Caller::of(&bench, Some("hefu_000000000000_00".to_owned()));
    let credit = |region: &str| format!("/sdmx/v2/data/dataflow/HEFU/DF_CREDIT/+/A.CN{region}.INV_FAI.S._T");
    let status = |caller: &Caller, path: &str| caller.get(path).status().as_u16();
    let shared = all(own.get(&format!("{}?c%5BTIME_PERIOD%5D=2023", credit("330881"))), "OBS_VALUE");
    assert_eq!(shared, ["35000000.50"]);
    for (caller, region, expected) in [
        (&anybody, "330881", 403),
        (&treasury, "330881", 403),
        (&own, "330108", 403),
        (&wrong, "330881", 401),
    ] {
        assert_eq!(refused(caller.get(&credit(region))).0, expected);
    }
    // The public table is for everybody, with what would give an enterprise away left out; its past is not.
    let public = "/sdmx/v2/data/dataflow/HEFU/DF_TERRITORIAL/+/A.CN330000.INV_FAI";
    let marks = all(anybody.get(public), "CONF_STATUS");
    assert!(!marks.is_empty() && marks.iter().all(|mark| mark == "C"), "{marks:?}");
    assert_eq!(status(&anybody, &format!("{public}?asOf=2024-01-01T00:00:00Z")), 403);
    assert_eq!(status(&anybody, "/sdmx/v2/structure/dataflow/HEFU/*/*"), 200);
    assert_eq!(status(&anybody, "/sdmx/v1/dataflow/HEFU"), 200);
}

#[test]
fn figures_that_are_known_are_not_sent_again() {
    let mut bench = Bench::serve();
    let statistics = Caller::role(&bench, Role::Statistics, None);
    let csv = ("accept", "application/vnd.sdmx.data+csv;version=2.0.0");
    let first = statistics.get_with(KEY, &[csv]);
    let tag = header(&first, "etag").to_owned();
    assert!(tag.starts_with('"') && header(&first, "vary").contains("Authorization"));
    assert!(header(&first, "cache-control").contains("private"));
    let mut again = statistics.get_with(KEY, &[csv, ("if-none-match", &tag)]);
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, &*tag));
    assert_eq!(again.body_mut().read_to_string().unwrap(), "");
    // In another form it is another answer, and so it is once something was reported.
    assert_eq!(statistics.get_with(KEY, &[("if-none-match", &tag)]).status(), 200);
    reported(&mut bench, "2023-08", "1.00");
    assert_eq!(statistics.get_with(KEY, &[csv, ("if-none-match", &tag)]).status(), 200);
}

#[test]
fn a_question_that_is_wrong_is_told_why() {
    let bench = Bench::serve();
    let statistics = Caller::role(&bench, Role::Statistics, None);
    for (path, status) in [
        (KEY.replace("DF_CREDIT", "DF_NONE"), 404),
        (KEY.replace("CN330000", "CN990000"), 404),
        (format!("{KEY}&asOf=yesterday"), 400),
        (format!("{KEY}&updatedAfter=2023-01-01&includeHistory=true"), 501),
        (format!("{KEY}&asOf=vintage:none"), 404),
        ("/sdmx/v2/data/dataflow".to_owned(), 400),
        ("/sdmx/v2/nothing".to_owned(), 404),
    ] {
        let (told, problem) = refused(statistics.get(&path));
        assert_eq!((told, &problem["status"]), (status, &json!(status)), "{path}: {problem}");
        assert!(problem["title"].is_string(), "{problem}");
    }
    let unheard = statistics.get_with(KEY, &[("accept", "image/png")]);
    assert_eq!(refused(unheard).0, 406);
}
