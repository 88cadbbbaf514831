//! What a treasurer expects of matching, and its laws over random books.

use hefu_domain::period::Period;
use proptest::prelude::*;

use super::*;

const FAI: &str = "INV_FAI";

fn catalogue() -> Vec<Indicator> {
    hefu_domain::policy::built_in_indicators()
}

fn project(number: u8) -> ProjectId {
    format!("0198b2c4-7d3e-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

fn book(lines: &[(u8, &str, i64)]) -> Vec<BookLine> {
    let line = |(row, (number, when, minor)): (usize, &(u8, &str, i64))| BookLine {
        row: row as u64 + 2,
        project: Key::Known(project(*number)),
        named_by: NamedBy::Code,
        indicator: FAI.parse().unwrap(),
        period: period(when),
        minor: *minor,
        formula: false,
    };
    lines.iter().enumerate().map(line).collect()
}

fn ledger(lines: &[(u8, &str, i64)]) -> Vec<LedgerLine> {
    let line = |(at, (number, when, minor)): (usize, &(u8, &str, i64))| LedgerLine {
        project: project(*number),
        indicator: FAI.parse().unwrap(),
        period: period(when),
        minor: *minor,
        records: vec![at as u64],
    };
    lines.iter().enumerate().map(line).collect()
}

fn tolerance(absolute: i64, relative_ppm: u32) -> Tolerance {
    Tolerance { absolute: BTreeMap::from([(FAI.parse().unwrap(), absolute)]), relative_ppm }
}

type Lines<'a> = &'a [(u8, &'a str, i64)];

/// Class, rule, and how many lines of either side, by group.
fn said(
    ours: Lines,
    theirs: Lines,
    tolerance: &Tolerance,
) -> Vec<(&'static str, &'static str, usize, usize)> {
    let groups = match_lines(&book(ours), &ledger(theirs), &catalogue(), tolerance);
    groups.iter().map(|g| (g.class.name(), g.rule.name(), g.book.len(), g.ledger.len())).collect()
}

#[test]
fn every_class_in_words() {
    let none = Tolerance::default();
    for (ours, theirs, expected) in [
        (&[(1, "2023-07", 100)][..], &[(1, "2023-07", 100)][..], &[("matched", "one_to_one", 1, 1)][..]),
        // Two payments of one month; and with a third one that has nothing to do with it.
        (
            &[(1, "2023-07", 60), (1, "2023-07", 40)],
            &[(1, "2023-07", 100)],
            &[("matched", "sum_in_period", 2, 1)],
        ),
        (
            &[(1, "2023-07", 60), (1, "2023-07", 40), (1, "2023-07", 7)],
            &[(1, "2023-07", 100)],
            &[("matched", "sum_in_period", 2, 1), ("missing_in_ledger", "alone", 1, 0)],
        ),
        // A year in the book, quarters in the ledger; and the other way round.
        (
            &[(1, "2023", 100)],
            &[(1, "2023-Q1", 30), (1, "2023-Q2", 70)],
            &[("matched", "parts_of_period", 1, 2)],
        ),
        (
            &[(1, "2023-01", 1), (1, "2023-02", 2)],
            &[(1, "2023-Q1", 3)],
            &[("matched", "parts_of_period", 2, 1)],
        ),
        // Cut in different places.
        (
            &[(1, "2023-01", 10), (1, "2023-02..03", 20)],
            &[(1, "2023-01..02", 25), (1, "2023-03", 5)],
            &[("matched", "overlapping", 2, 2)],
        ),
        (&[(1, "2023-07", 90)], &[(1, "2023-07", 100)], &[("value_differs", "one_to_one", 1, 1)]),
        (&[(1, "2023-07", 100)], &[(1, "2023-08", 100)], &[("period_differs", "one_to_one", 1, 1)]),
        (
            &[(1, "2023-07", 100), (1, "2023-07", 100)],
            &[(1, "2023-07", 100)],
            &[("matched", "one_to_one", 1, 1), ("duplicate", "alone", 1, 0)],
        ),
        // A copy of what the ledger has not is a copy all the same.
        (
            &[(1, "2023-07", 100), (1, "2023-07", 100)],
            &[],
            &[("missing_in_ledger", "alone", 1, 0), ("duplicate", "alone", 1, 0)],
        ),
        (&[], &[(1, "2023-07", 100)], &[("missing_in_book", "alone", 0, 1)]),
        // Never across projects.
        (
            &[(1, "2023-07", 100)],
            &[(2, "2023-07", 100)],
            &[("missing_in_ledger", "alone", 1, 0), ("missing_in_book", "alone", 0, 1)],
        ),
        // Zero and nothing are the same.
        (&[(1, "2023-07", 0)], &[], &[("matched", "zero", 1, 0)]),
        (&[], &[(1, "2023-07", 0)], &[("matched", "zero", 0, 1)]),
        (&[(1, "2023-07", 0)], &[(1, "2023-07", 5)], &[("value_differs", "one_to_one", 1, 1)]),
        // An amount that stands for its own period is not carried to another.
        (
            &[(1, "2023-07", 50)],
            &[(1, "2023-07", 60), (1, "2023-08", 50)],
            &[("value_differs", "one_to_one", 1, 1), ("missing_in_book", "alone", 0, 1)],
        ),
        // A correction downwards is an amount like any other.
        (&[(1, "2023-07", -5)], &[(1, "2023-07", 5)], &[("value_differs", "one_to_one", 1, 1)]),
    ] {
        assert_eq!(said(ours, theirs, &none), expected, "{ours:?} against {theirs:?}");
    }
}

/// Five lines of one statement; the book has their sum in one row.
const FIVE: Lines = &[
    (1, "2023", -10_000_000),
    (1, "2023", -3_023_400),
    (1, "2023", -2_000_065),
    (1, "2023", -700_000),
    (1, "2023", -300_000),
];

#[test]
fn one_row_that_stands_for_five_lines_is_one_group() {
    let none = Tolerance::default();
    for (row, limits, class) in [
        (-16_023_465, &none, "matched"),
        (-16_023_466, &none, "value_differs"),
        (-16_023_464, &none, "value_differs"),
        (-16_023_466, &tolerance(1, 0), "within_tolerance"),
        (-16_023_467, &tolerance(1, 0), "value_differs"),
        // What it owes, written above zero.
        (16_023_465, &none, "value_differs"),
    ] {
        assert_eq!(said(&[(1, "2023", row)], FIVE, limits), [(class, "sum_in_period", 1, 5)], "{row}");
    }
    let groups =
        match_lines(&book(&[(1, "2023", -16_023_466)]), &ledger(FIVE), &catalogue(), &Tolerance::default());
    assert_eq!(groups[0].net(), 1, "a fen, and not four lines beside it");
}

#[test]
fn rows_of_the_book_stand_for_some_of_the_lines() {
    let none = Tolerance::default();
    // Two rows: the first is one line, the second the sum of the other four; then that sum is a fen off.
    for (second, class) in [(-6_023_465, "matched"), (-6_023_466, "value_differs")] {
        let ours: Lines = &[(1, "2023", -10_000_000), (1, "2023", second)];
        let mut found = said(ours, FIVE, &none);
        found.sort_unstable();
        let mut expected = [("matched", "one_to_one", 1, 1), (class, "sum_in_period", 1, 4)];
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
    // A row that adds up some of the lines; the others are missing in the book.
    let mut found = said(&[(1, "2023", -2_700_065)], FIVE, &none);
    found.sort_unstable();
    let alone = ("missing_in_book", "alone", 0, 1);
    assert_eq!(found, [("matched", "sum_in_period", 1, 2), alone, alone, alone]);
    // A row near to one line, and far from the sum of all, is that line.
    assert_eq!(
        said(&[(1, "2023", 101)], &[(1, "2023", 100), (1, "2023", 40)], &none),
        [("value_differs", "one_to_one", 1, 1), ("missing_in_book", "alone", 0, 1)]
    );
    // As many rows as lines, two of them wrong: two breaks, each of one line.
    assert_eq!(
        said(&[(1, "2023", 101), (1, "2023", 42)], &[(1, "2023", 100), (1, "2023", 40)], &none),
        [("value_differs", "one_to_one", 1, 1), ("value_differs", "one_to_one", 1, 1)]
    );
    // Very many lines are compared as a whole, though each row is three fen from a line.
    let lines =
        |count: i64, more: i64| (0..count).map(|at| (1, "2023", at * 10_000 + more)).collect::<Vec<_>>();
    assert_eq!(said(&lines(301, 3), &lines(300, 0), &none), [("value_differs", "sum_in_period", 301, 300)]);
}

#[test]
fn tolerance_is_the_larger_of_the_two_limits() {
    let ours: Lines = &[(1, "2023-07", 10_050)];
    let theirs: Lines = &[(1, "2023-07", 10_000)];
    for (limits, class) in [
        (tolerance(50, 0), "within_tolerance"),
        (tolerance(49, 0), "value_differs"),
        (tolerance(0, 5_000), "within_tolerance"),
        (tolerance(0, 4_999), "value_differs"),
        (tolerance(1, 5_000), "within_tolerance"),
    ] {
        assert_eq!(said(ours, theirs, &limits)[0].0, class, "{limits:?}");
    }
    // What is exact is claimed first, whatever the tolerance.
    let two: Lines = &[(1, "2023-07", 100), (1, "2023-07", 99)];
    assert_eq!(
        said(two, &[(1, "2023-07", 100)], &tolerance(5, 0)),
        [("matched", "one_to_one", 1, 1), ("missing_in_ledger", "alone", 1, 0)]
    );
}

#[test]
fn a_stock_is_compared_at_the_end_of_its_period() {
    let stock = catalogue().into_iter().find(|i| i.kind == Kind::Stock).map(|i| i.code);
    let Some(code) = stock else { return };
    let (mut ours, mut theirs) =
        (book(&[(1, "2023", 70)]), ledger(&[(1, "2023-11", 50), (1, "2023-12", 70)]));
    for line in &mut ours {
        line.indicator = code;
    }
    for line in &mut theirs {
        line.indicator = code;
    }
    let groups = match_lines(&ours, &theirs, &catalogue(), &Tolerance::default());
    let classes: Vec<&str> = groups.iter().map(|group| group.class.name()).collect();
    assert_eq!(
        classes,
        ["matched", "missing_in_book"],
        "the year's stock is December's, and adds up to nothing"
    );
}

#[test]
fn a_line_by_id_is_claimed_before_the_same_line_by_name() {
    let mut ours = book(&[(1, "2023-07", 100), (1, "2023-07", 100)]);
    ours[0].named_by = NamedBy::Name;
    ours[1].named_by = NamedBy::Id;
    let groups = match_lines(&ours, &ledger(&[(1, "2023-07", 100)]), &catalogue(), &Tolerance::default());
    assert_eq!((groups[0].book.as_slice(), groups[1].book.as_slice()), (&[1][..], &[0][..]));
}

#[test]
fn amounts_written_with_the_other_sign_are_said() {
    let signs = |ours: Lines, theirs: Lines| {
        opposite(&match_lines(&book(ours), &ledger(theirs), &catalogue(), &Tolerance::default()))
    };
    assert_eq!(signs(&[(1, "2023", 16_023_465)], FIVE), 1, "one row for all");
    let rows: Vec<(u8, &str, i64)> =
        FIVE.iter().map(|(number, when, minor)| (*number, *when, -minor)).collect();
    assert_eq!(signs(&rows, FIVE), 1, "row by row");
    assert_eq!(signs(&[(1, "2023", 16_023_466)], FIVE), 0, "a fen more is no sign");
    assert_eq!(signs(FIVE, FIVE), 0);
    assert_eq!(signs(&[(1, "2023", 5)], &[(2, "2023", -5)]), 0, "never across projects");
}

#[test]
fn the_bridge_shows_gross_beside_net() {
    let ours = book(&[(1, "2023-07", 90), (1, "2023-08", 110), (2, "2023-07", 5)]);
    let theirs = ledger(&[(1, "2023-07", 100), (1, "2023-08", 100), (2, "2023-08", 5)]);
    let groups = match_lines(&ours, &theirs, &catalogue(), &Tolerance::default());
    let bridge = &bridges(&ours, &theirs, &groups)[0];
    assert_eq!((bridge.book, bridge.ledger, bridge.residual()), (205, 205, 0));
    // The totals agree, and nothing else does.
    assert_eq!(bridge.gross(), 30);
    let step = |class| bridge.steps.iter().find(|(c, _)| *c == class).unwrap().1;
    assert_eq!(step(Class::ValueDiffers), Step { groups: 2, net: 0, gross: 20 });
    assert_eq!(step(Class::PeriodDiffers), Step { groups: 1, net: 0, gross: 10 });
}

#[test]
fn a_break_keeps_its_id_when_its_amount_changes() {
    let ids = |ours: Lines| -> Vec<String> {
        let groups =
            match_lines(&book(ours), &ledger(&[(1, "2023-07", 100)]), &catalogue(), &Tolerance::default());
        breaks("330881", "shared", &groups).into_iter().map(|one| one.id).collect()
    };
    let first = ids(&[(1, "2023-07", 90)]);
    assert_eq!(first, ["B-a80a20c5c1f485e1"]);
    assert_eq!(ids(&[(1, "2023-07", 80)]), first);
    assert_ne!(ids(&[(1, "2023-08", 90)]), first);
    // Two copies are two breaks.
    let copies = ids(&[(1, "2023-07", 100), (1, "2023-07", 100), (1, "2023-07", 100)]);
    assert_eq!(copies.len(), 2);
    assert_ne!(copies[0], copies[1]);
}

#[test]
fn new_persisting_resolved() {
    use memory::{Memory, Remembered, Run, State};
    let run = |book: &str| Run { book: book.to_owned(), head: "h".to_owned(), options: String::new() };
    let one = |id: &str, indicator: &str, since: &str| {
        let remembered = Remembered {
            class: Class::ValueDiffers,
            difference: "1.00".to_owned(),
            indicator: indicator.to_owned(),
            span: ("2023-07-01".to_owned(), "2023-07-31".to_owned()),
            project: "p".to_owned(),
            since: since.to_owned(),
            state: State::New,
        };
        (id.to_owned(), remembered)
    };
    let states = |memory: &Memory| -> Vec<(String, &str, String)> {
        memory.breaks.iter().map(|(id, b)| (id.clone(), b.state.name(), b.since.clone())).collect()
    };
    let fai = |old: &Remembered| old.indicator == FAI;
    let mut memory = Memory::new("x.example/zj", "330881", "shared");
    memory.advance(run("1"), BTreeMap::from([one("a", FAI, "d1"), one("b", "OUT_REV", "d1")]), |_| true);
    let first = memory.clone();
    memory.advance(run("1"), BTreeMap::new(), |_| true);
    assert_eq!(memory, first, "the same run again changes nothing");
    memory.advance(run("2"), BTreeMap::from([one("a", FAI, "d2"), one("c", FAI, "d2")]), fai);
    let row = |id: &str, state, since: &str| (id.to_owned(), state, since.to_owned());
    assert_eq!(states(&memory), [row("a", "persisting", "d1"), row("b", "new", "d1"), row("c", "new", "d2")]);
    memory.advance(run("3"), BTreeMap::from([one("c", FAI, "d3")]), fai);
    assert_eq!(
        states(&memory),
        [row("a", "resolved", "d1"), row("b", "new", "d1"), row("c", "persisting", "d2")]
    );
    memory.advance(run("4"), BTreeMap::from([one("a", FAI, "d4")]), |_| true);
    assert_eq!(
        states(&memory),
        [row("a", "new", "d4"), row("b", "resolved", "d1"), row("c", "resolved", "d2")]
    );
    let text = memory.to_text().unwrap();
    assert_eq!(Memory::parse(&text, "x.example/zj", "330881", "shared").unwrap(), memory);
    assert!(Memory::parse(&text, "x.example/zj", "330108", "shared").is_err());
    assert!(Memory::parse("{}", "x.example/zj", "330881", "shared").is_err());
}

const PERIODS: &[&str] =
    &["2023-01", "2023-02", "2023-03", "2023-01..02", "2023-Q1", "2023-Q2", "2023", "2024-01", "2024"];

fn some_lines(most: usize) -> impl Strategy<Value = Vec<(u8, &'static str, i64)>> {
    let line = (1u8..=2, proptest::sample::select(PERIODS), -3i64..=6);
    proptest::collection::vec(line, 0..most)
}

/// The groups without the indices, which follow the order of the lines.
fn shape(groups: &[Group]) -> Vec<Group> {
    let mut groups: Vec<Group> = groups.to_vec();
    for group in &mut groups {
        group.book = vec![0; group.book.len()];
        group.ledger = vec![0; group.ledger.len()];
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Every line is in exactly one group, the residual is zero, and the groups' sums are those of their lines.
    #[test]
    fn every_line_once_and_no_residual(ours in some_lines(14), theirs in some_lines(10), limit in 0i64..3) {
        let (ours, theirs) = (book(&ours), ledger(&theirs));
        let groups = match_lines(&ours, &theirs, &catalogue(), &tolerance(limit, 0));
        let mut seen: Vec<usize> = groups.iter().flat_map(|group| group.book.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..ours.len()).collect::<Vec<_>>());
        let mut seen: Vec<usize> = groups.iter().flat_map(|group| group.ledger.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..theirs.len()).collect::<Vec<_>>());
        for bridge in bridges(&ours, &theirs, &groups) {
            prop_assert_eq!(bridge.residual(), 0);
            let within = |(_, step): &(Class, Step)| step.net.abs() <= step.gross;
            prop_assert!(bridge.steps.iter().all(within));
        }
        for group in &groups {
            let sum: i128 = group.book.iter().map(|at| i128::from(ours[*at].minor)).sum();
            prop_assert_eq!(sum, group.book_minor);
            match group.class {
                Class::Matched => prop_assert_eq!(group.net(), 0),
                Class::WithinTolerance => prop_assert!(group.net().abs() <= i128::from(limit)),
                Class::PeriodDiffers => prop_assert_eq!(group.net(), 0),
                Class::ValueDiffers => prop_assert!(!group.book.is_empty() && !group.ledger.is_empty()),
                Class::MissingInBook => prop_assert!(group.book.is_empty()),
                Class::MissingInLedger | Class::Duplicate => prop_assert!(group.ledger.is_empty()),
            }
        }
    }

    /// The order of the rows, and of the ledger's lines, changes nothing.
    #[test]
    fn the_order_of_rows_does_not_matter(
        (ours, mixed) in some_lines(14).prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        (theirs, turned) in some_lines(10).prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let none = Tolerance::default();
        let one = match_lines(&book(&ours), &ledger(&theirs), &catalogue(), &none);
        let other = match_lines(&book(&mixed), &ledger(&turned), &catalogue(), &none);
        prop_assert_eq!(shape(&one), shape(&other));
        let ids = |groups: &[Group]| breaks("330881", "shared", groups).into_iter().map(|b| b.id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&one), ids(&other));
    }

    /// A book that is the ledger's own lines has no break.
    #[test]
    fn the_ledgers_own_lines_match(theirs in some_lines(10)) {
        let mut once: Vec<(u8, &str, i64)> = Vec::new();
        for line in theirs {
            let clash = |l: &&(u8, &str, i64)| l.0 == line.0 && period(l.1).overlaps(period(line.1));
            if !once.iter().any(|l| clash(&l)) {
                once.push(line);
            }
        }
        let groups = match_lines(&book(&once), &ledger(&once), &catalogue(), &Tolerance::default());
        prop_assert!(groups.iter().all(|group| group.class == Class::Matched));
    }
}
