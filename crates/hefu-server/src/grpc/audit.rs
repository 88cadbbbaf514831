//! Auditing over gRPC.

use std::pin::Pin;

use hefu_api::{
    operation::Operation,
    v1::{
        CheckpointRequest, CheckpointResponse, ConsistencyProofRequest, ConsistencyProofResponse,
        GetCursorRequest, GetCursorResponse, InclusionProofRequest, InclusionProofResponse,
        ReadRecordsRequest, ReadRecordsResponse, SetCursorRequest, SetCursorResponse,
        audit_service_server::AuditService,
    },
};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{Service, status};
use crate::records::{self, Reading};

/// Answers that wait for a slow reader; then reading waits, too.
const AHEAD: usize = 2;

#[tonic::async_trait]
impl AuditService for Service {
    type ReadRecordsStream = Pin<Box<dyn Stream<Item = Result<ReadRecordsResponse, Status>> + Send>>;

    async fn checkpoint(
        &self,
        request: Request<CheckpointRequest>,
    ) -> Result<Response<CheckpointResponse>, Status> {
        self.call(Operation::Checkpoint, request, |desk, caller, _| async move {
            records::checkpoint(&desk, &caller).await
        })
        .await
    }

    async fn inclusion_proof(
        &self,
        request: Request<InclusionProofRequest>,
    ) -> Result<Response<InclusionProofResponse>, Status> {
        self.call(Operation::InclusionProof, request, |desk, caller, asked| async move {
            records::inclusion(&desk, &caller, asked).await
        })
        .await
    }

    async fn consistency_proof(
        &self,
        request: Request<ConsistencyProofRequest>,
    ) -> Result<Response<ConsistencyProofResponse>, Status> {
        self.call(Operation::ConsistencyProof, request, |desk, caller, asked| async move {
            records::consistency(&desk, &caller, asked).await
        })
        .await
    }

    async fn read_records(
        &self,
        request: Request<ReadRecordsRequest>,
    ) -> Result<Response<Self::ReadRecordsStream>, Status> {
        self.call(Operation::ReadRecords, request, |desk, caller, asked| async move {
            let mut reading = Reading::begin(&desk, &caller, asked).await?;
            let place = desk.place()?;
            let (answers, stream) = mpsc::channel(AHEAD);
            tokio::spawn(async move {
                let _place = place;
                while let Some(answer) = tokio::select! {
                    answer = reading.next() => answer,
                    () = answers.closed() => None,
                } {
                    let over = answer.is_err();
                    if answers.send(answer.map_err(status)).await.is_err() || over {
                        break;
                    }
                }
            });
            let stream: Self::ReadRecordsStream = Box::pin(ReceiverStream::new(stream));
            Ok(stream)
        })
        .await
    }

    async fn get_cursor(
        &self,
        request: Request<GetCursorRequest>,
    ) -> Result<Response<GetCursorResponse>, Status> {
        self.call(Operation::GetCursor, request, |desk, caller, asked| async move {
            records::get_cursor(&desk, caller, asked).await
        })
        .await
    }

    async fn set_cursor(
        &self,
        request: Request<SetCursorRequest>,
    ) -> Result<Response<SetCursorResponse>, Status> {
        self.call(Operation::SetCursor, request, |desk, caller, asked| async move {
            records::set_cursor(&desk, caller, asked).await
        })
        .await
    }
}
