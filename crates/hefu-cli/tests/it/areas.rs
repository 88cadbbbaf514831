//! Regions change from the command line: a county ends in another, a part goes over, one comes under another city; reports stand
//! as filed or on today's tree.

use serde_json::{Value, json};

use crate::support::{PROJECT, Place};

fn rows(place: &Place, region: &str, more: &[&str]) -> Value {
    let args = ["report", "indicators", "--region", region, "--children", "--period", "2024"];
    place.run(&[&args[..], &["--indicator", "INV_FAI"], more].concat()).exits(0).json()
}

/// The territorial figure of a region in a report; nothing if it has no row.
fn territorial(report: &Value, region: &str) -> Option<String> {
    let rows = report["rows"].as_array()?;
    let row = rows.iter().find(|row| row["region"] == region)?;
    row["territorial"].as_str().map(str::to_owned)
}

#[test]
fn a_county_that_ended_keeps_what_was_filed() {
    let place = Place::with_sample();
    let project = place.run(&["project", "show", PROJECT]).exits(0).json();
    let holder = project["region"].as_str().unwrap_or_default().to_owned();
    let city = format!("{}00", &holder[..4]);
    let before = rows(&place, "330000", &[]);
    let other = before["rows"].as_array().and_then(|rows| {
        let near = |row: &&Value| {
            let code = row["region"].as_str().unwrap_or_default();
            code.starts_with(&city[..4]) && code != city && code != holder
        };
        rows.iter().find(near).and_then(|row| row["region"].as_str()).map(str::to_owned)
    });
    let other = other.unwrap();
    let coordinator = format!("{city}/coordinator");
    let decision = ["--date", "2024-12-01", "--document", "国函〔2024〕1号"];
    let merge = |signer: &str| {
        let what = ["region", "merge", &holder, "--into", &other, "--as", signer];
        place.run(&[&what[..], &decision].concat())
    };
    assert_eq!(merge(&format!("{holder}/coordinator")).exits(77).error()["code"], "foreign_office");
    merge(&coordinator).exits(0);
    assert_eq!(merge(&coordinator).exits(1).error()["code"], "region_ended");

    // What ended in November and before stands where it was filed, and at the successor on today's tree; no total moves.
    let filed = rows(&place, "330000", &[]);
    let current = rows(&place, "330000", &["--geography", "current"]);
    assert_eq!(current["geography"], "current");
    assert_eq!(filed.get("geography"), None);
    assert_eq!(territorial(&filed, &holder), territorial(&before, &holder));
    assert_eq!(territorial(&current, &holder), None, "it is not there today");
    assert_eq!(territorial(&current, &other), territorial(&before, &holder));
    for area in ["330000", &city] {
        assert_eq!(territorial(&filed, area), territorial(&before, area));
        assert_eq!(territorial(&current, area), territorial(&before, area));
    }
    let note = place.table(
        "zh",
        &["report", "indicators", "--region", &other, "--period", "2024", "--geography", "current"],
    );
    assert!(note.exits(0).out.contains("按现行区划重列"));
    let public = [
        "report",
        "indicators",
        "--region",
        &other,
        "--period",
        "2024",
        "--public",
        "--geography",
        "current",
    ];
    place.run(&public).exits(64);

    let lineage = place.run(&["region", "show", &holder]).exits(0).json();
    let last = lineage["lineage"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    assert_eq!(
        (&last["from"], &last["what"], &last["is"]),
        (&json!("2024-12-01"), &json!("ended_in"), &json!(other))
    );
    let held = place.run(&["project", "show", PROJECT]).exits(0).json();
    assert_eq!(held["region"], json!(other));
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
}

#[test]
fn a_part_and_a_superior_change() {
    let place = Place::with_sample();
    let project = place.run(&["project", "show", PROJECT]).exits(0).json();
    let holder = project["region"].as_str().unwrap_or_default().to_owned();
    let decision = ["--date", "2024-12-01", "--document", "国函〔2024〕1号"];
    let to = if holder == "330681" { "330108" } else { "330681" };
    let split =
        ["region", "split", &holder, "--into", to, "--project", PROJECT, "--as", "330000/coordinator"];
    place.run(&[&split[..], &decision].concat()).exits(0);
    assert_eq!(place.run(&["project", "show", PROJECT]).exits(0).json()["region"], to);
    let city = if holder.starts_with("3302") { "330600" } else { "330200" };
    let reparent = ["region", "reparent", &holder, "--under", city, "--as", "330000/coordinator"];
    place.run(&[&reparent[..], &decision].concat()).exits(0);
    let home = format!("{}00", &holder[..4]);
    assert!(territorial(&rows(&place, city, &["--geography", "current"]), &holder).is_some());
    assert_eq!(territorial(&rows(&place, &home, &["--geography", "current"]), &holder), None);
    assert!(territorial(&rows(&place, &home, &[]), &holder).is_some());
    let rename = [
        "region",
        "rename",
        &holder,
        "--name-zh",
        "新区",
        "--date",
        "2024-12-02",
        "--as",
        "330000/coordinator",
    ];
    place.run(&rename).exits(0);
    let recode = [
        "region",
        "recode",
        "新区",
        "--code",
        "339999",
        "--date",
        "2024-12-02",
        "--as",
        "330000/coordinator",
    ];
    place.run(&recode).exits(0);
    let lineage = place.run(&["region", "show", "339999"]).exits(0).json();
    assert_eq!(lineage["lineage"].as_array().map(Vec::len), Some(5));
}
