//! Whether the service lives, whether it is ready, and what it has done.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{counts::BOUNDS, desk::Desk};

/// The process answers.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// Whether to send requests here: a line for each thing that must hold, and 503 if one does not.
pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let stopping = *desk.stopping.borrow();
    let known = desk.work(|desk| desk.now(|known| Ok(known.position))).await;
    // The writer answers a look at no command at all, after whatever is before it in the queue.
    let writer = desk.work(|desk| Ok(desk.engine.recorded(Vec::new()).is_ok())).await.unwrap_or(false);
    let trouble = desk.engine.notary().and_then(|standing| standing.trouble);
    let checks = [
        ("accepting", !stopping, "the server is stopping".to_owned()),
        ("ledger", known.is_ok(), "what is known cannot be read".to_owned()),
        ("writer", writer, "the writer does not answer".to_owned()),
    ];
    let mut text = String::new();
    for (name, holds, why) in &checks {
        let _ = if *holds { writeln!(text, "ok {name}") } else { writeln!(text, "NOT {name}: {why}") };
    }
    // Without a new checkpoint everything is still answered.
    if let Some(trouble) = trouble {
        tracing::warn!("no checkpoint: {trouble}");
        text.push_str("warning checkpoint: the last round signed none\n");
    }
    let ready = checks.iter().all(|(_, holds, _)| *holds);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// Counts for Prometheus. Of nobody in particular: operations, outcomes, times, sizes.
pub(super) async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    let mut text = String::new();
    let mut gauge = |name: &str, words: &str, value: u64| {
        let _ = write!(text, "# HELP {name} {words}\n# TYPE {name} gauge\n{name} {value}\n");
    };
    gauge("hefu_records", "Records in the log.", *desk.grown.borrow());
    let signed = desk.engine.notary().map_or(0, |standing| standing.size);
    gauge("hefu_checkpoint_records", "Records under the newest checkpoint.", signed);
    gauge("hefu_connections", "Connections open now.", desk.connections.open());
    gauge("hefu_connections_limit", "Connections that may be open at once.", desk.connections.most());
    gauge("hefu_readers", "Streams of records open now.", desk.reading());
    let _ = write!(
        text,
        "# HELP hefu_records_read_total Records taken from the log for readers.\n# TYPE hefu_records_read_total counter\nhefu_records_read_total {}\n",
        desk.counts.read()
    );
    let _ = write!(
        text,
        "# HELP hefu_build_info The program.\n# TYPE hefu_build_info gauge\nhefu_build_info{{version=\"{}\"}} 1\n",
        env!("CARGO_PKG_VERSION")
    );
    text.push_str(
        "# HELP hefu_answers_total Answers by operation and outcome: ok, or the code of the problem.\n",
    );
    text.push_str("# TYPE hefu_answers_total counter\n");
    let all = desk.counts.all();
    for ((operation, outcome), count) in &all.outcomes {
        let name = operation.name();
        let _ = writeln!(text, "hefu_answers_total{{operation=\"{name}\",outcome=\"{outcome}\"}} {count}");
    }
    text.push_str("# HELP hefu_answer_seconds How long answers took to begin.\n");
    text.push_str("# TYPE hefu_answer_seconds histogram\n");
    for (operation, times) in &all.times {
        let name = operation.name();
        let mut up_to = 0;
        for (bound, count) in BOUNDS.iter().zip(times.within) {
            up_to += count;
            let _ = writeln!(
                text,
                "hefu_answer_seconds_bucket{{operation=\"{name}\",le=\"{}\"}} {up_to}",
                bound.1
            );
        }
        let _ =
            writeln!(text, "hefu_answer_seconds_bucket{{operation=\"{name}\",le=\"+Inf\"}} {}", times.count);
        let (whole, part) = (times.micros / 1_000_000, times.micros % 1_000_000);
        let _ = writeln!(text, "hefu_answer_seconds_sum{{operation=\"{name}\"}} {whole}.{part:06}");
        let _ = writeln!(text, "hefu_answer_seconds_count{{operation=\"{name}\"}} {}", times.count);
    }
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4"), (header::CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}
