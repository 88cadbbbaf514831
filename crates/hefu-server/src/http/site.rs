//! The log as a site of tiles (c2sp.org/tlog-tiles), from the ledger's own directory. What is signed for everybody,
//! everybody may read: the checkpoint and the hashes. Entries are leaves: only for those who may read every record.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use hefu_api::{
    access::Reach,
    operation::Operation,
    problem::{Kind, Problem},
};
use hefu_chain::tile::Tile;

use super::{
    caller,
    reply::{Asked, problem},
};
use crate::desk::Desk;

/// Hashes never change: what is in a tile is hashed into every later checkpoint.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The newest signed checkpoint.
pub(super) async fn checkpoint(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let note = desk.work(|desk| Ok(desk.engine.prover()?.checkpoint().note.to_string())).await;
    match note {
        Ok(note) => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, note).into_response()
        }
        Err(error) => problem(&error, Asked::of(&request).zh),
    }
}

/// A tile under that checkpoint.
pub(super) async fn tile(
    State(desk): State<Arc<Desk>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let asked = Asked::of(&request);
    let entries = path.starts_with("entries/");
    let who = caller(&desk, request.headers());
    let read = async {
        if entries && who?.reach(Operation::ReadRecords)? != Reach::Everything {
            let (zh, en) = ("只有可读全部记录者可读", "only for those who may read every record");
            return Err(Problem::new(Kind::Denied, "foreign_region", zh, en));
        }
        let tile: Tile = format!("tile/{path}").parse().map_err(|_| missing())?;
        desk.work(move |desk| desk.engine.prover()?.tile(tile)?.ok_or_else(missing)).await
    };
    match read.await {
        Ok(bytes) => {
            // What a record holds may be redacted; a leaf is not, but it is for few.
            let cache = if entries { "private, no-cache" } else { FOREVER };
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, cache),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => problem(&error, asked.zh),
    }
}

fn missing() -> Problem {
    Problem::new(Kind::Unknown, "no_such_tile", "没有这个瓦片", "the log has no such tile")
}

#[cfg(test)]
mod tests {
    use hefu_chain::tile::Kind as Holds;

    use super::*;

    #[test]
    fn only_a_name_that_begins_with_entries_is_one_of_entries() {
        let tile: Tile = "tile/entries/000.p/3".parse().unwrap();
        assert_eq!(tile.kind(), Holds::Entries);
        assert!("tile/0/entries/000".parse::<Tile>().is_err());
        assert!("tile/./entries/000".parse::<Tile>().is_err());
    }
}
