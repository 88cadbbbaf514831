//! A project is split and merged again from the command line; no figure changes, and the records say what went where.

use serde_json::{Value, json};

use crate::support::{PROJECT, Place};

const IDS: [&str; 3] = [
    "0198b2c4-0000-7000-8000-0000000000a1",
    "0198b2c4-0000-7000-8000-0000000000a2",
    "0198b2c4-0000-7000-8000-0000000000a3",
];

fn figures(place: &Place) -> Value {
    let args = ["report", "indicators", "--region", "330000", "--children", "--period", "2024"];
    place.run(&[&args[..], &["--indicator", "INV_FAI"]].concat()).exits(0).json()["rows"].clone()
}

#[test]
fn what_is_split_and_merged_again_counts_as_before() {
    let place = Place::with_sample();
    let before = figures(&place);
    let whole = place.run(&["project", "show", PROJECT]).exits(0).json();
    let holder = whole["region"].as_str().unwrap_or("330881").to_owned();
    let split = |parts: [&str; 2]| {
        let ids = ["--id", IDS[0], "--id", IDS[1], "--as", &holder];
        let into = ["--into", parts[0], "--into", parts[1], "--date", "2024-09-01"];
        place.run(&[&["project", "split", PROJECT][..], &into, &ids].concat())
    };
    assert_eq!(split(["一期=60%", "二期=39.9999%"]).exits(1).error()["code"], "parts_sum");
    split(["一期=60%", "二期"]).exits(64);
    let done = split(["一期=60%", "二期=40%"]).exits(0).json();
    assert_eq!(done["into"], json!([IDS[0], IDS[1]]));
    let part = place.run(&["project", "show", IDS[0]]).exits(0).json();
    assert_eq!((&part["name"], &part["came_of"]), (&json!("一期"), &json!([PROJECT])));
    assert_eq!(
        place.table("zh", &["project", "show", PROJECT]).exits(0).out.matches("已拆分或合并").count(),
        1
    );
    let merge = ["project", "merge", IDS[1], IDS[0], "--name", "合", "--date", "2024-09-01", "--id", IDS[2]];
    place.run(&[&merge[..], &["--as", &holder]].concat()).exits(0);
    assert_eq!(figures(&place), before);
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
    let history = place.run(&["project", "history", IDS[2]]).exits(0).json();
    assert!(history.to_string().contains("project.formed"), "{history}");
}
