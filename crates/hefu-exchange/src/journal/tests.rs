use std::io::{BufReader, Cursor, Read};

use super::*;

const PROJECT: &str = "0198b2c4-7d3e-7000-8000-0123456789ab";

fn read(journal: &[u8]) -> Vec<Result<Line, JournalError>> {
    // A small buffer: lines straddle it.
    Lines::new(BufReader::with_capacity(16, Cursor::new(journal.to_vec())), "j.jsonl").collect()
}

fn signed() -> String {
    format!("{{\"envelope\":{{\"at\":\"…\",\"command\":{{}}}},\"sig\":\"{}==\"}}", "A".repeat(86))
}

/// The one problem of a journal: line, column, field, code.
fn check(journal: impl AsRef<[u8]>, line: u64, column: Option<usize>, field: Option<&str>, code: &str) {
    let error = read(journal.as_ref()).into_iter().find_map(Result::err).unwrap();
    let found = (error.line, error.column, error.field.as_deref(), error.code());
    assert_eq!(found, (line, column, field, code), "{error} / {}", error.zh());
}

#[test]
fn drafts_are_split_from_how_they_are_signed() {
    let journal = format!(
        "\u{feff}{{\"as\":\"330108\",\"type\":\"withdraw_transfer\",\"project\":\"{PROJECT}\",\"id\":\"{PROJECT}\",\
         \"at\":\"2026-01-01T00:00:00.000000Z\",\"not_after\":null,\"key\":\"{}\"}}\r\n\n   \n{{\"type\":\"tick\"}}",
        "ab".repeat(16)
    );
    let lines: Vec<Line> = read(journal.as_bytes()).into_iter().map(Result::unwrap).collect();
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 4]);
    let LineKind::Unsigned(draft) = &lines[0].kind else { panic!("a draft") };
    assert_eq!(draft.signer.as_deref(), Some("330108"));
    assert_eq!(draft.id.unwrap().to_string(), PROJECT);
    assert_eq!(draft.at.as_deref(), Some("2026-01-01T00:00:00.000000Z"));
    assert_eq!(draft.key, Some("ab".repeat(16)));
    assert_eq!(draft.command.keys().collect::<Vec<_>>(), ["project", "type"]);
}

#[test]
fn signed_lines_keep_their_bytes() {
    let canonical = signed();
    let spaced = canonical.replacen(':', ": ", 1);
    let journal = format!("{canonical}\r\n {spaced} \n");
    let lines: Vec<LineKind> = read(journal.as_bytes()).into_iter().map(|line| line.unwrap().kind).collect();
    assert_eq!(lines, [canonical, spaced].map(|line| LineKind::Signed(line.into_bytes())));
    check("{\"envelope\":{},\"sig\":\"\",\"as\":\"330108\"}", 1, None, None, "bad_envelope");
    check("{\"envelope\":{}}", 1, None, None, "bad_envelope");
}

#[test]
fn key_belongs_to_the_command_where_the_command_has_one() {
    for name in Command::NAMES {
        let probe = format!("{{\"type\":\"{name}\",\"key\":1}}");
        let why = Command::parse(probe.as_bytes()).unwrap_err().to_string();
        assert_eq!(!why.contains("unknown field `key`"), OWN_KEY.contains(name), "{name}: {why}");
    }
    let key = "ab".repeat(16);
    let line = format!("{{\"type\":\"revoke_key\",\"key\":\"{key}\",\"reason\":\"lost\"}}");
    let LineKind::Unsigned(draft) = read(line.as_bytes()).remove(0).unwrap().kind else { panic!("a draft") };
    assert_eq!((draft.key, draft.command["key"].as_str()), (None, Some(key.as_str())));
}

#[test]
fn a_wrong_line_is_located() {
    check(
        "{\"type\":\"tick\"}\n\n{\"type\":\"tick\",\"type\":\"tick\"}",
        3,
        Some(21),
        Some("type"),
        "duplicate_key",
    );
    check("  {\"a\":{\"b\":[0,1.5]}}", 1, Some(18), Some("a.b[1]"), "number_form");
    check("{\"a\":9007199254740992}", 1, Some(21), Some("a"), "number_form");
    check("{\"a\":-0}", 1, Some(7), Some("a"), "number_form");
    check("{\"a\":NaN}", 1, Some(6), Some("a"), "bad_json");
    check("{\"type\":\"tick\"} x", 1, Some(17), None, "bad_json");
    check("[1]", 1, None, None, "not_an_object");
    check(b"{\"a\":\"\xb5\"}", 1, Some(7), None, "not_utf8");
    check("{\"type\":\"tick\",\"id\":\"x\"}", 1, None, Some("id"), "bad_field");
    check("{\"type\":\"tick\",\"as\":5}", 1, None, Some("as"), "bad_field");
    check("{\"type\":\"tick\",\"at\":\"2026-01-01\"}", 1, None, Some("at"), "bad_field");
    check("{\"type\":\"tock\"}", 1, None, Some("type"), "unknown_command");
    check("{\"as\":\"330108\"}", 1, None, Some("type"), "missing_field");
    let terms = "{\"credits\":{\"investment\":{\"origin_bp\":\"all\"}}}";
    let line = format!(
        "{{\"type\":\"propose_transfer\",\"project\":\"{PROJECT}\",\"destination\":\"330881\",\"terms\":{terms}}}"
    );
    check(line, 1, None, Some("terms.credits.investment.origin_bp"), "bad_type");
}

#[test]
fn limits_hold_and_the_next_line_is_read() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}\n", "[".repeat(levels - 1), "]".repeat(levels - 1));
    check(nested(33), 1, Some(38), Some(&deepest(32)), "too_deep");
    assert_eq!(read(nested(32).as_bytes())[0].as_ref().unwrap_err().code(), "missing_field");
    let mut journal = vec![b' '; MAX_LINE + 1];
    journal.extend_from_slice(b"\n{\"type\":\"tick\"}\n");
    let lines = read(&journal);
    assert_eq!(lines[0].as_ref().unwrap_err().code(), "too_long");
    assert_eq!(lines[1].as_ref().unwrap().number, 2);
    assert_eq!(lines.len(), 2);
}

/// The path of the innermost list in `nested`.
fn deepest(levels: usize) -> String {
    format!("a{}", "[0]".repeat(levels - 1))
}

#[test]
fn a_file_that_breaks_off_ends_the_reading() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let lines: Vec<_> = Lines::new(BufReader::new(Broken), "j").collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].as_ref().unwrap_err().code(), "io");
}

/// Hands out bytes, and counts how often it is asked and how many are taken.
struct Counted<'a> {
    rest: &'a [u8],
    asked: usize,
    taken: usize,
}

/// Bytes handed out at a time.
const PIECE: usize = 64;

impl Read for Counted<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("a journal is read where it lies")
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.asked += 1;
        Ok(&self.rest[..self.rest.len().min(PIECE)])
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        self.rest = &self.rest[amount..];
    }
}

/// A journal costs what it is long: every byte is taken once, the file is asked once a piece and once a line, and what
/// is kept in memory is one line, however many there are.
#[test]
fn a_journal_is_read_once_and_one_line_is_kept() {
    let two = format!(
        "{{\"as\":\"330881\",\"type\":\"report_observation\",\"project\":\"{PROJECT}\",\"indicator\":\"INV_FAI\",\
         \"period\":\"2023-07\",\"value\":\"35000000.50\"}}\n{}\n",
        signed()
    );
    let longest = two.lines().map(str::len).max().unwrap();
    for times in [1, 10, 100, 1000] {
        let journal = two.repeat(times);
        let mut lines = Lines::new(Counted { rest: journal.as_bytes(), asked: 0, taken: 0 }, "j");
        assert_eq!(lines.by_ref().flatten().count(), 2 * times);
        assert_eq!(lines.reader.taken, journal.len());
        assert!(
            lines.reader.asked <= journal.len().div_ceil(PIECE) + 2 * times + 1,
            "{}",
            lines.reader.asked
        );
        assert!(lines.buffer.capacity() <= 2 * longest, "{} for {longest}", lines.buffer.capacity());
    }
}
