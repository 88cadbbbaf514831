//! From tax to a finalised statement and its payment, as two counties and their province do it.

use serde_json::json;

use crate::support::Place;

pub(crate) const JOURNAL: &str = r#"
{"as":"330108","type":"register_enterprise","enterprise":"91330100799655058B","name":"江南精工","region":"330108"}
{"as":"330108","type":"register_project","project":"0198b2c4-7d3e-7000-8000-000000000002","name":"P","enterprise":"91330100799655058B","industry":"C34","origin":"330108","planned_investment":"1.00","date":"2023-01-10"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"original_site","reason":"land"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"local","reason":"land"}
{"as":"330108","type":"exhaust_tier","project":"0198b2c4-7d3e-7000-8000-000000000002","tier":"neighbouring","reason":"land"}
{"as":"330108","type":"propose_transfer","project":"0198b2c4-7d3e-7000-8000-000000000002","destination":"330881","terms":{"tax":{"template":"ningde_2017"}}}
{"as":"330881","type":"accept_transfer","project":"0198b2c4-7d3e-7000-8000-000000000002"}
{"as":"330881","type":"land_project","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-06-01"}
{"as":"330881","type":"report_tax","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-07-10","kind":"vat","amount":"1000.00"}
{"as":"330881/treasury","type":"report_tax","project":"0198b2c4-7d3e-7000-8000-000000000002","date":"2023-08-10","kind":"cit","amount":"500.01"}
"#;

#[test]
fn from_tax_to_a_paid_statement() {
    let place = Place::new();
    place.write("journal.jsonl", JOURNAL.trim_start());
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["settle", "run", "2023", "--as", "330000/treasury"]).exits(0);

    // 400.00 of VAT and 160.00 of income tax are the county's; half of it is the origin's.
    let args = ["settle", "statement", "2023", "--region", "滨江区"];
    let statement = place.run(&args).exits(0).json();
    assert_eq!(statement["status"], "not confirmed");
    let account = json!({"clearing": "330000", "opening": "0.00", "accrued": "280.00", "corrections": "0.00",
        "rulings": "0.00", "paid": "0.00", "closing": "280.00", "held": "0.00"});
    assert_eq!(statement["accounts"], json!([account]));
    assert_eq!(statement["lines"][0]["line"], "1-1");
    let behind = place.run(&["settle", "explain", "1-1"]).exits(0).json();
    let receipts = behind["receipts"].as_array().unwrap();
    let bases: Vec<_> = receipts.iter().map(|receipt| receipt["base"].as_str().unwrap()).collect();
    assert_eq!(bases, ["400.00", "160.00"]);

    let early = place.run(&["settle", "finalise", "2023", "--as", "330000/treasury"]).exits(1).error();
    assert_eq!(early["code"], "statement_unconfirmed");
    place.run(&["settle", "confirm", "2023", "--as", "330108/treasury"]).exits(0);
    place.run(&["settle", "confirm", "2023", "--as", "330881/treasury"]).exits(0);
    place.run(&["settle", "finalise", "2023", "--as", "330000/treasury"]).exits(0);
    let pay = |amount| {
        let parties =
            ["--from", "330881", "--to", "330000", "--date", "2024-03-01", "--as", "330000/treasury"];
        place.run(&[&["settle", "pay", amount][..], &parties].concat())
    };
    assert_eq!(pay("280.01").exits(1).error()["code"], "payment_exceeds");
    pay("280.00").exits(0);
    let nets = place.run(&["settle", "netting", "2023"]).exits(0).json();
    let net: Vec<_> =
        nets["nets"].as_array().unwrap().iter().map(|row| row["net"].as_str().unwrap()).collect();
    assert_eq!(net, ["280.00", "-280.00"]);

    // The next year opens where this one closed.
    place.run(&["settle", "run", "2024", "--as", "330000/treasury"]).exits(0);
    let next = place.run(&["settle", "statement", "2024", "--region", "330881"]).exits(0).json();
    let account = &next["accounts"][0];
    assert_eq!((&account["opening"], &account["paid"]), (&json!("-280.00"), &json!("-280.00")));
    assert_eq!(account["closing"], "0.00");

    // Closed periods, and all of it once more by an auditor.
    place.run(&["period", "close", "2023", "--as", "330000/statistics"]).exits(0);
    let again = place.run(&["period", "close", "2023", "--as", "330000/statistics"]).exits(1).error();
    assert_eq!(again["code"], "period_out_of_order");
    let replayed = place.run(&["audit", "replay"]).exits(0).json();
    assert_eq!((&replayed["verdict"], &replayed["findings"]), (&json!("proven"), &json!([])));
    place.run(&["check"]).exits(0);

    let table = place.table("zh", &args).exits(0).out;
    assert!(table.contains("期初") && table.contains("280.00") && table.contains("已定稿,已确认"), "{table}");
}
