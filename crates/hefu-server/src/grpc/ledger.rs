//! Writing over gRPC.

use std::pin::Pin;

use hefu_api::{
    operation::Operation,
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
use crate::submit;

/// Batches of one stream that may wait for the reader of their answers.
const AHEAD: usize = 4;

#[tonic::async_trait]
impl LedgerService for Service {
    type SubmitBatchStream = Pin<Box<dyn Stream<Item = Result<SubmitBatchResponse, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        // A token is not needed; a wrong one is still told.
        self.call(Operation::Submit, request, |desk, _, asked| async move {
            submit::one(&desk, asked.command, asked.dry_run).await
        })
        .await
    }

    async fn submit_batch(
        &self,
        request: Request<Streaming<SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitBatchStream>, Status> {
        self.call(Operation::SubmitBatch, request, |desk, _, mut requests| async move {
            let (answers, stream) = mpsc::channel(AHEAD);
            let session = Session::default();
            tokio::spawn(async move {
                let mut mode = None;
                loop {
                    let asked = match requests.message().await {
                        Ok(Some(asked)) => asked,
                        Ok(None) => break,
                        Err(error) => {
                            let _ = answers.send(Err(error)).await;
                            break;
                        }
                    };
                    let mode =
                        *mode.get_or_insert(if asked.stop_at_refusal { Mode::Stop } else { Mode::Each });
                    let done = submit::batch(&desk, asked.commands, mode, Some(session.clone())).await;
                    let over = done.is_err();
                    if answers.send(done.map_err(status)).await.is_err() || over {
                        break;
                    }
                }
            });
            let stream: Self::SubmitBatchStream = Box::pin(ReceiverStream::new(stream));
            Ok(stream)
        })
        .await
    }

    async fn get_receipt(
        &self,
        request: Request<GetReceiptRequest>,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        self.call(Operation::GetReceipt, request, |desk, _, asked| async move {
            submit::receipt(&desk, asked.id).await
        })
        .await
    }
}
