//! Commands over HTTP as a stream: requests in lines, answers in lines, as `SubmitBatch` has them over gRPC.
//!
//! The answer begins at once and goes on as requests come; a failure is its last line. Whoever sends more than a few
//! requests that are each answered, reads meanwhile.

use std::sync::Arc;

use axum::{
    body::{Body, BodyDataStream},
    extract::{Request, State},
    response::Response,
};
use hefu_api::{
    operation::Operation,
    problem::{Kind, Problem},
    query, v1,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::StreamExt as _;

use super::{
    BODY, caller,
    reply::{self, AHEAD, in_chinese, problem},
    takes,
};
use crate::{
    desk::{Desk, stops},
    submit::{PATIENCE, Requests, late},
};

/// Bytes that are still taken after a failure, so that it can be read by whoever sends first and reads then.
const LEFT: usize = 128 << 20;

/// `POST /v1/commands/stream`.
pub(super) async fn commands(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let zh = in_chinese(&parts.headers);
    let begin = async {
        // A token is not needed; a wrong one is still told.
        caller(&desk, &parts.headers)?;
        takes(&parts.headers, "application/x-ndjson")
    };
    if let Err(error) = desk.counted(Operation::SubmitBatch, begin).await {
        return problem(&error, zh);
    }
    let (answers, lines) = mpsc::channel(AHEAD);
    let mut body = Lines::of(body);
    tokio::spawn(async move {
        let outcome = tokio::select! {
            outcome = talk(&desk, &mut body, &answers, zh) => outcome,
            // Nobody is left to tell.
            () = answers.closed() => return,
        };
        if let Err(error) = outcome {
            let _ = answers.send(reply::line::<v1::SubmitBatchResponse>(Err(error), zh)).await;
            drop((answers, desk));
            body.pass().await;
        }
    });
    reply::streamed(lines)
}

async fn talk(
    desk: &Arc<Desk>,
    body: &mut Lines,
    answers: &mpsc::Sender<axum::body::Bytes>,
    zh: bool,
) -> Result<(), Problem> {
    let mut requests = Requests::new(desk.clone());
    let mut stopping = desk.stopping.clone();
    loop {
        let line = tokio::select! {
            line = body.next() => line?,
            // What was answered is on record; what comes later is to be sent again elsewhere or later.
            _ = stopping.wait_for(|stop| *stop) => return Err(stops()),
        };
        let Some(line) = line else { return requests.end() };
        let unread = |error: serde_json::Error| {
            Problem::usage(
                "",
                format!("请求无法读取:{error}"),
                format!("the request cannot be read: {error}"),
            )
        };
        let asked = query::from_json(serde_json::from_slice(&line).map_err(unread)?)?;
        drop(line);
        for due in requests.take(asked).await? {
            let answer = due.answer().await?;
            if answers.send(reply::line(Ok(answer), zh)).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// The lines of a body as they come.
struct Lines {
    body: BodyDataStream,
    got: Vec<u8>,
    over: bool,
}

impl Lines {
    fn of(body: Body) -> Lines {
        Lines { body: body.into_data_stream(), got: Vec::new(), over: false }
    }

    /// The next one that is not empty; nothing at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.got[seen..].iter().position(|byte| *byte == b'\n') {
                let rest = self.got.split_off(seen + at + 1);
                let line = std::mem::replace(&mut self.got, rest);
                seen = 0;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            seen = self.got.len();
            if seen > BODY {
                let (zh, en) = (format!("一行至多 {BODY} 字节"), format!("a line has at most {BODY} bytes"));
                return Err(Problem::new(Kind::TooLarge, "too_large", zh, en));
            }
            if self.over {
                let last = std::mem::take(&mut self.got);
                return Ok(Some(last).filter(|last| !last.trim_ascii().is_empty()));
            }
            match self.more().await? {
                Some(bytes) => self.got.extend_from_slice(&bytes),
                None => self.over = true,
            }
        }
    }

    async fn more(&mut self) -> Result<Option<axum::body::Bytes>, Problem> {
        let more = timeout(PATIENCE, self.body.next()).await.map_err(|_| late())?;
        more.transpose().map_err(|error| {
            Problem::usage(
                "",
                format!("请求无法读取:{error}"),
                format!("the request cannot be read: {error}"),
            )
        })
    }

    /// Takes what is left and looks at none of it.
    async fn pass(&mut self) {
        let mut left = LEFT;
        while let Ok(Some(bytes)) = self.more().await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                return;
            }
        }
    }
}
