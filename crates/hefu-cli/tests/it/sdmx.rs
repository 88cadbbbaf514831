//! A server of figures on a real ledger: the past by instant, by vintage, as a history and as changes is what the command
//! line says of it. What real clients make of the messages is tried in `.ci/sdmx`.

use std::time::Duration;

use hefu_client::{Answer, Http};

use crate::{
    support::Place,
    vintages::{freeze, report},
    witness::Serving,
};

/// The territorial investment of Zhejiang, by year.
const KEY: &str = "data/dataflow/HEFU/DF_CREDIT/+/A.CN330000.INV_FAI.T._T?c[TIME_PERIOD]=2023";

fn get(server: &Serving, address: &str) -> Answer {
    let url = format!("{}/sdmx/v2/{address}", server.url).replace('[', "%5B").replace(']', "%5D");
    Http::new(Duration::from_mins(1)).get(&url, 1 << 24).unwrap()
}

/// The values of an attribute in a message of SDMX-ML, in order.
fn all(answer: &Answer, attribute: &str) -> Vec<String> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let start = format!(" {attribute}=\"");
    let pieces = text.split(&start).skip(1);
    pieces.map(|piece| piece.split('"').next().unwrap().to_owned()).collect()
}

fn values(server: &Serving, more: &str) -> Vec<String> {
    let answer = get(server, &format!("{KEY}{more}"));
    assert_eq!(answer.status, 200, "{more}: {}", String::from_utf8_lossy(&answer.body));
    all(&answer, "OBS_VALUE")
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[test]
fn the_past_is_served_as_the_command_line_tells_it() {
    let place = Place::with_sample();
    let first = now();
    place.run(&freeze("2023 flash", "flash")).exits(0);
    report(&place, "INV_FAI", "2023-07", "36000000.50");
    let second = now();
    report(&place, "INV_FAI", "2023-08", "10.00");
    place.run(&freeze("2023 final", "final")).exits(0);
    report(&place, "INV_FAI", "2023-08", "5.00");
    let server = Serving::start(&place, &["-L", "L", "report", "sdmx", "--viewer", "everything"]);

    let told = |more: &[&str]| {
        let report =
            ["report", "indicators", "--region", "330000", "--period", "2023", "--indicator", "INV_FAI"];
        let report = place.run(&[&report[..], more].concat()).exits(0).json();
        report["rows"][0]["territorial"].as_str().unwrap().to_owned()
    };
    for (query, words) in [
        (String::new(), &[][..]),
        (format!("&asOf={first}"), &["--as-of", &first]),
        (format!("&asOf={second}"), &["--as-of", &second]),
        ("&asOf=vintage:2023%20flash".to_owned(), &["--vintage", "2023 flash"]),
        ("&asOf=vintage:2023%20final".to_owned(), &["--vintage", "2023 final"]),
    ] {
        assert_eq!(values(&server, &query), [told(words)], "{query}");
    }
    assert_eq!(values(&server, &format!("&asOf={second}")), ["46000000.50"]);

    // A vintage shows what it froze, and nothing else.
    let other = "data/dataflow/HEFU/DF_CREDIT/+/*.CN330000?asOf=vintage:2023%20final";
    let frozen = get(&server, other);
    let unique =
        |attribute: &str| all(&frozen, attribute).into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(unique("INDICATOR").into_iter().collect::<Vec<_>>(), ["INV_FAI"]);
    assert_eq!(unique("TIME_PERIOD").into_iter().collect::<Vec<_>>(), ["2023"]);
    assert_eq!(get(&server, &format!("{KEY}&asOf=vintage:2024")).status, 404);

    // Every figure that was ever shown, once; what was shown from an instant on is what was known at it.
    let history = get(&server, &format!("{KEY}&includeHistory=true"));
    let shown = all(&history, "OBS_VALUE");
    assert_eq!(shown[shown.len() - 3..], ["46000000.50", "46000010.50", "46000005.50"]);
    let from = all(&history, "ss:validFromDate");
    assert_eq!(from.len(), shown.len());
    for (instant, value) in from.iter().zip(&shown) {
        assert_eq!(&values(&server, &format!("&asOf={instant}")), std::slice::from_ref(value), "{instant}");
    }
    let until = get(&server, &format!("{KEY}&includeHistory=true&asOf={second}"));
    assert_eq!(all(&until, "OBS_VALUE").last(), Some(&"46000000.50".to_owned()));

    // What has changed since.
    assert_eq!(values(&server, &format!("&updatedAfter={first}")), ["46000005.50"]);
    assert_eq!(get(&server, &format!("{KEY}&updatedAfter={}", now())).status, 404, "nothing");
    assert_eq!(values(&server, "&updatedAfter=2020-01-01"), ["46000005.50"]);
}

#[test]
fn each_viewer_is_served_what_is_his() {
    let place = Place::with_sample();
    let public = Serving::start(&place, &["-L", "L", "report", "sdmx"]);
    let status = |server: &Serving, address: &str| get(server, address).status;
    let credit = "data/dataflow/HEFU/DF_CREDIT/+/A.CN330108.INV_FAI.S._T";
    assert_eq!(status(&public, credit), 403);
    assert_eq!(status(&public, &format!("{KEY}&asOf={}", now())), 403);
    let table = get(&public, "data/dataflow/HEFU/DF_TERRITORIAL/+/A.CN330000.INV_FAI");
    assert_eq!(table.status, 200);
    assert_eq!(all(&table, "OBS_VALUE"), Vec::<String>::new(), "the sample has one enterprise");
    assert!(all(&table, "CONF_STATUS").iter().all(|mark| mark == "C"));

    let own = Serving::start(&place, &["-L", "L", "report", "sdmx", "--viewer", "330108"]);
    assert_eq!(all(&get(&own, &format!("{credit}?c[TIME_PERIOD]=2023")), "OBS_VALUE"), ["31000000.30"]);
    assert_eq!(status(&own, &credit.replace("330108", "330881")), 403, "another region's");
}
