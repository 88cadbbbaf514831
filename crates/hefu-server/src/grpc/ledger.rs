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
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Service, status};
use crate::{desk::stops, submit};

/// Batches of one stream that may wait for the writer, or for the reader of their answers.
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
            let (line, waiting) = mpsc::channel(AHEAD);
            let session = Session::default();
            // One batch is read and checked while the ones before it are written; nothing after a failure is taken.
            tokio::spawn(async move {
                let mut mode = None;
                let mut stopping = desk.stopping.clone();
                loop {
                    let next = tokio::select! {
                        next = requests.message() => next,
                        // What was answered is on record; what comes later is to be sent again elsewhere or later.
                        _ = stopping.wait_for(|stop| *stop) => Err(status(stops())),
                        // Nobody is left to tell.
                        () = line.closed() => break,
                    };
                    let handed_in = match next {
                        Ok(None) => break,
                        Err(error) => Err(error),
                        Ok(Some(asked)) => match submit::mode(&asked) {
                            Err(wrong) => Err(status(wrong)),
                            Ok(asks) => {
                                let mode = *mode.get_or_insert(asks);
                                let handed_in =
                                    desk.hand_in(asked.commands, mode, Some(session.clone())).await;
                                handed_in.map(|handed_in| (handed_in, mode)).map_err(status)
                            }
                        },
                    };
                    let over = handed_in.is_err();
                    if line.send(handed_in).await.is_err() || over {
                        break;
                    }
                }
            });
            let stream = ReceiverStream::new(waiting).then(async |handed_in| {
                let (handed_in, mode) = handed_in?;
                submit::answered(handed_in, mode).await.map_err(status)
            });
            let stream: Self::SubmitBatchStream = Box::pin(stream);
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
