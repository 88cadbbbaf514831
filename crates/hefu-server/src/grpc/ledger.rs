//! Writing over gRPC.

use std::pin::Pin;

use hefu_api::{
    ledger::{accepted, answer, outcome},
    problem::{Kind, Problem},
    v1::{
        GetReceiptRequest, GetReceiptResponse, SubmitBatchRequest, SubmitBatchResponse, SubmitRequest,
        SubmitResponse, ledger_service_server::LedgerService,
    },
};
use hefu_engine::{Mode, Session};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Service, status};
use crate::desk::{Desk, failed};

/// Batches of one stream that may wait for the reader of their answers.
const AHEAD: usize = 4;

#[tonic::async_trait]
impl LedgerService for Service {
    type SubmitBatchStream = Pin<Box<dyn Stream<Item = Result<SubmitBatchResponse, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        // A token is not needed; a wrong one is still told.
        self.caller(&request)?;
        let SubmitRequest { command, dry_run } = request.into_inner();
        let response = submit_one(&self.desk, command, dry_run).await.map_err(status)?;
        Ok(Response::new(response))
    }

    async fn submit_batch(
        &self,
        request: Request<Streaming<SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitBatchStream>, Status> {
        self.caller(&request)?;
        let mut requests = request.into_inner();
        let (answers, stream) = mpsc::channel(AHEAD);
        let (desk, session) = (self.desk.clone(), Session::default());
        tokio::spawn(async move {
            let mut mode = None;
            loop {
                let batch = match requests.message().await {
                    Ok(Some(batch)) => batch,
                    Ok(None) => break,
                    Err(error) => {
                        let _ = answers.send(Err(error)).await;
                        break;
                    }
                };
                let mode = *mode.get_or_insert(if batch.stop_at_refusal { Mode::Stop } else { Mode::Each });
                let done = desk.submit(batch.commands, mode, Some(session.clone())).await;
                let done =
                    done.map(|all| SubmitBatchResponse { answers: all.into_iter().map(answer).collect() });
                let over = done.is_err();
                if answers.send(done.map_err(status)).await.is_err() || over {
                    break;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn get_receipt(
        &self,
        request: Request<GetReceiptRequest>,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        self.caller(&request)?;
        let response = receipt(&self.desk, request.into_inner().id).await.map_err(status)?;
        Ok(Response::new(response))
    }
}

/// One command.
pub(crate) async fn submit_one(
    desk: &std::sync::Arc<Desk>,
    command: Vec<u8>,
    dry_run: bool,
) -> Result<SubmitResponse, Problem> {
    let mode = if dry_run { Mode::DryRun } else { Mode::Each };
    let answers = desk.submit(vec![command], mode, None).await?;
    let accepted = outcome(answers.into_iter().next().ok_or_else(failed)?)?;
    Ok(SubmitResponse { accepted: Some(accepted) })
}

/// The receipt of a command.
pub(crate) async fn receipt(desk: &std::sync::Arc<Desk>, id: String) -> Result<GetReceiptResponse, Problem> {
    let wrong = |_| Problem::usage("id", "编号应为 UUID", "the id is a UUID");
    let uuid = uuid::Uuid::try_parse(&id).map_err(wrong)?;
    let found = desk.work(move |desk| Ok(desk.engine.recorded(vec![uuid])?)).await?;
    let recorded = found.into_iter().next().flatten().ok_or_else(|| {
        let (zh, en) = (format!("没有命令 `{id}`"), format!("there is no command `{id}`"));
        Problem::new(Kind::Unknown, "unknown_command_id", zh, en).at("id")
    })?;
    Ok(GetReceiptResponse { accepted: Some(accepted(recorded.accepted)) })
}
