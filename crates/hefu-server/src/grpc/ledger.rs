//! Writing over gRPC.

use std::pin::Pin;

use hefu_api::{
    operation::Operation,
    v1::{
        GetReceiptRequest, GetReceiptResponse, SubmitBatchRequest, SubmitBatchResponse, SubmitRequest,
        SubmitResponse, ledger_service_server::LedgerService,
    },
};
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Service, status};
use crate::{
    desk::stops,
    submit::{self, Due, PATIENCE, Requests, late},
};

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
            let mut taken = Requests::new(desk.clone());
            // One batch is read and checked while the ones before it are written; nothing after a failure is taken.
            tokio::spawn(async move {
                let mut stopping = desk.stopping.clone();
                loop {
                    let next = tokio::select! {
                        next = requests.message() => next,
                        () = sleep(PATIENCE), if taken.waits() => Err(status(late())),
                        // What was answered is on record; what comes later is to be sent again elsewhere or later.
                        _ = stopping.wait_for(|stop| *stop) => Err(status(stops())),
                        // Nobody is left to tell.
                        () = line.closed() => break,
                    };
                    let due = match next {
                        Ok(None) => match taken.end() {
                            Ok(()) => break,
                            Err(error) => Err(status(error)),
                        },
                        Err(error) => Err(error),
                        Ok(Some(asked)) => taken.take(asked).await.map_err(status),
                    };
                    let (due, over) = match due {
                        Ok(due) => (due.into_iter().map(Ok).collect(), false),
                        Err(error) => (vec![Err(error)], true),
                    };
                    for one in due {
                        if line.send(one).await.is_err() {
                            return;
                        }
                    }
                    if over {
                        break;
                    }
                }
            });
            let stream = ReceiverStream::new(waiting)
                .then(async |due: Result<Due, Status>| due?.answer().await.map_err(status));
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
