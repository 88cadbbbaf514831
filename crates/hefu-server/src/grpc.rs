//! The services over gRPC: each method finds the caller, asks the desk, and turns a problem into a status.

mod audit;
mod ledger;
mod query;

use std::sync::Arc;

use axum::Router;
use hefu_api::{
    access::Caller,
    operation::Operation,
    problem::Problem,
    v1::{
        audit_service_server::AuditServiceServer, ledger_service_server::LedgerServiceServer,
        query_service_server::QueryServiceServer,
    },
};
use tokio::runtime::Handle;
use tonic::{Request, Response, Status, service::Routes};

use crate::{desk::Desk, server::ServerError};

/// Bytes of one message that is read.
const MESSAGE: usize = 4 << 20;

/// A service over a desk.
#[derive(Clone)]
struct Service {
    desk: Arc<Desk>,
}

/// All services, with reflection and health.
pub(crate) fn services(desk: Arc<Desk>, runtime: &Handle) -> Result<Router, ServerError> {
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(hefu_api::DESCRIPTION)
    };
    let undescribed = |error| ServerError::Io(std::io::Error::other(error));
    // Many tools still ask for the older of the two.
    let (newer, older) = (described().build_v1(), described().build_v1alpha());
    let (health, answers) = tonic_health::server::health_reporter();
    let mut stopping = desk.stopping.clone();
    let service = Service { desk };
    let routes = Routes::new(answers)
        .add_service(newer.map_err(undescribed)?)
        .add_service(older.map_err(undescribed)?)
        .add_service(LedgerServiceServer::new(service.clone()).max_decoding_message_size(MESSAGE))
        .add_service(QueryServiceServer::new(service.clone()).max_decoding_message_size(MESSAGE))
        .add_service(AuditServiceServer::new(service).max_decoding_message_size(MESSAGE));
    let reporter = async move {
        health.set_serving::<LedgerServiceServer<Service>>().await;
        health.set_serving::<QueryServiceServer<Service>>().await;
        health.set_serving::<AuditServiceServer<Service>>().await;
        // A sender that has gone means stop, too.
        let _ = stopping.wait_for(|stop| *stop).await;
        health.set_not_serving::<LedgerServiceServer<Service>>().await;
        health.set_not_serving::<QueryServiceServer<Service>>().await;
        health.set_not_serving::<AuditServiceServer<Service>>().await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    };
    runtime.spawn(reporter);
    Ok(routes.prepare().into_axum_router().reset_fallback())
}

impl Service {
    /// One call: who asks, the work, its outcome counted.
    async fn call<M, A, F, T>(
        &self,
        operation: Operation,
        request: Request<M>,
        what: F,
    ) -> Result<Response<A>, Status>
    where
        F: FnOnce(Arc<Desk>, Caller, M) -> T,
        T: Future<Output = Result<A, Problem>>,
    {
        let authorization = request.metadata().get("authorization").map(|value| value.as_bytes().to_vec());
        let work = async {
            let caller = self.desk.caller(authorization.as_deref())?;
            what(self.desk.clone(), caller, request.into_inner()).await
        };
        self.desk.counted(operation, work).await.map(Response::new).map_err(status)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn status(problem: Problem) -> Status {
    problem.status()
}
