//! Reading over gRPC: every method is a question to the desk.

use hefu_api::{
    answer::Question,
    v1::{
        CirculationRequest, CirculationResponse, DisputesRequest, DisputesResponse, ExplainRequest,
        ExplainResponse, IndicatorsRequest, IndicatorsResponse, ProjectRequest, ProjectResponse,
        ProjectsRequest, ProjectsResponse, StatementsRequest, StatementsResponse, SuggestRequest,
        SuggestResponse, query_service_server::QueryService,
    },
};
use tonic::{Request, Response, Status};

use super::{Service, status};

impl Service {
    async fn ask<Q: Question>(&self, request: Request<Q>) -> Result<Response<Q::Answer>, Status> {
        let caller = self.caller(&request)?;
        let answer = self.desk.ask(&caller, request.into_inner()).await;
        answer.map(Response::new).map_err(status)
    }
}

macro_rules! questions {
    ($($method:ident: $question:ident => $answer:ident;)*) => {
        #[tonic::async_trait]
        impl QueryService for Service {
            $(async fn $method(&self, request: Request<$question>) -> Result<Response<$answer>, Status> {
                self.ask(request).await
            })*
        }
    };
}

questions! {
    indicators: IndicatorsRequest => IndicatorsResponse;
    project: ProjectRequest => ProjectResponse;
    projects: ProjectsRequest => ProjectsResponse;
    circulation: CirculationRequest => CirculationResponse;
    disputes: DisputesRequest => DisputesResponse;
    statements: StatementsRequest => StatementsResponse;
    explain: ExplainRequest => ExplainResponse;
    suggest: SuggestRequest => SuggestResponse;
}
