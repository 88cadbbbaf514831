//! Writing over gRPC.

use std::pin::Pin;

use hefu_api::{
    operation::Operation,
    v1::{
        GetReceiptRequest, GetReceiptResponse, SubmitBatchRequest, SubmitBatchResponse, SubmitRequest,
        SubmitResponse, ledger_service_server::LedgerService,
    },
};
use hefu_engine::Session;
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Service, status};
use crate::{desk::stops, submit};

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
                let mut stopping = desk.stopping.clone();
                loop {
                    let next = tokio::select! {
                        next = requests.message() => next,
                        // What was answered is on record; what comes later is to be sent again elsewhere or later.
                        _ = stopping.wait_for(|stop| *stop) => Err(status(stops())),
                        // Nobody is left to tell.
                        () = answers.closed() => break,
                    };
                    let asked = match next {
                        Ok(Some(asked)) => asked,
                        Ok(None) => break,
                        Err(error) => {
                            let _ = answers.send(Err(error)).await;
                            break;
                        }
                    };
                    let wanted = match (mode, submit::mode(&asked)) {
                        (None, Ok(first)) => *mode.insert(first),
                        (Some(first), Ok(_)) => first,
                        (_, Err(error)) => {
                            let _ = answers.send(Err(status(error))).await;
                            break;
                        }
                    };
                    let done = submit::batch(&desk, asked.commands, wanted, Some(session.clone())).await;
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
