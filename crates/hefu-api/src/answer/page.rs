//! Pages: a token says as of which position the pages are, and where the next one begins.

use crate::problem::Problem;

/// Rows on a page unless the caller says.
const ROWS: u32 = 1000;
/// Rows on a page at most.
const MOST: u32 = 10_000;

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The position that all pages are true at.
    pub position: u64,
    /// The first row.
    pub row: usize,
}

impl Token {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Token, Problem> {
        let parts = text.split_once('-');
        let read = parts.and_then(|(position, row)| {
            Some(Token { position: position.parse().ok()?, row: row.parse().ok()? })
        });
        read.ok_or_else(|| {
            Problem::usage(
                "page_token",
                "页标记无效:原样取自上一页",
                "not a page token: take it from the page before",
            )
        })
    }
}

/// The rows of one page, and the token of the next.
pub(super) fn page<T>(
    rows: impl Iterator<Item = T>,
    position: u64,
    (size, token): (u32, &str),
) -> Result<(Vec<T>, String), Problem> {
    let size = match size {
        0 => ROWS,
        1..=MOST => size,
        _ => {
            let (zh, en) = (format!("每页至多 {MOST} 行"), format!("a page has at most {MOST} rows"));
            return Err(Problem::usage("page_size", zh, en));
        }
    };
    let first = if token.is_empty() { 0 } else { Token::parse(token)?.row };
    let mut rows = rows.skip(first);
    let page: Vec<T> = rows.by_ref().take(size as usize).collect();
    let more = rows.next().is_some();
    let next = if more { format!("{position}-{}", first + page.len()) } else { String::new() };
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let (rows, next) = page(0..7, 41, (3, &token)).unwrap();
            all.extend(rows);
            if next.is_empty() {
                break;
            }
            assert_eq!(Token::parse(&next).unwrap().position, 41);
            token = next;
        }
        assert_eq!(all, (0..7).collect::<Vec<_>>());
        assert_eq!(page(0..3, 0, (3, "")).unwrap().1, "", "nothing follows a last page that is full");
    }

    #[test]
    fn a_page_has_a_limit_and_a_token_a_form() {
        assert_eq!(page(0..1, 0, (10_001, "")).unwrap_err().field, "page_size");
        for text in ["7", "a-1", "1-", "-1-2", "18446744073709551616-0"] {
            assert_eq!(Token::parse(text).unwrap_err().field, "page_token", "{text}");
        }
    }
}
