//! Auditing over gRPC.

use std::pin::Pin;

use hefu_api::v1::{
    CheckpointRequest, CheckpointResponse, ConsistencyProofRequest, ConsistencyProofResponse,
    GetCursorRequest, GetCursorResponse, InclusionProofRequest, InclusionProofResponse, ReadRecordsRequest,
    ReadRecordsResponse, SetCursorRequest, SetCursorResponse, audit_service_server::AuditService,
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
        let caller = self.caller(&request)?;
        records::checkpoint(&self.desk, &caller).await.map(Response::new).map_err(status)
    }

    async fn inclusion_proof(
        &self,
        request: Request<InclusionProofRequest>,
    ) -> Result<Response<InclusionProofResponse>, Status> {
        let caller = self.caller(&request)?;
        let answer = records::inclusion(&self.desk, &caller, request.into_inner()).await;
        answer.map(Response::new).map_err(status)
    }

    async fn consistency_proof(
        &self,
        request: Request<ConsistencyProofRequest>,
    ) -> Result<Response<ConsistencyProofResponse>, Status> {
        let caller = self.caller(&request)?;
        let answer = records::consistency(&self.desk, &caller, request.into_inner()).await;
        answer.map(Response::new).map_err(status)
    }

    async fn read_records(
        &self,
        request: Request<ReadRecordsRequest>,
    ) -> Result<Response<Self::ReadRecordsStream>, Status> {
        let caller = self.caller(&request)?;
        let mut reading = Reading::begin(&self.desk, &caller, request.into_inner()).await.map_err(status)?;
        let (answers, stream) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
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
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn get_cursor(
        &self,
        request: Request<GetCursorRequest>,
    ) -> Result<Response<GetCursorResponse>, Status> {
        let caller = self.caller(&request)?;
        let answer = records::get_cursor(&self.desk, caller, request.into_inner()).await;
        answer.map(Response::new).map_err(status)
    }

    async fn set_cursor(
        &self,
        request: Request<SetCursorRequest>,
    ) -> Result<Response<SetCursorResponse>, Status> {
        let caller = self.caller(&request)?;
        let answer = records::set_cursor(&self.desk, caller, request.into_inner()).await;
        answer.map(Response::new).map_err(status)
    }
}
