//! Reading over gRPC: every method is a question to the desk.

use hefu_api::{
    answer::Question,
    v1::{
        CirculationRequest, CirculationResponse, DisputesRequest, DisputesResponse, ExplainRequest,
        ExplainResponse, IndicatorsRequest, IndicatorsResponse, ProjectRequest, ProjectResponse,
        ProjectsRequest, ProjectsResponse, StatementsRequest, StatementsResponse, SuggestRequest,
        SuggestResponse, VintagesRequest, VintagesResponse, query_service_server::QueryService,
    },
};
use tonic::{Request, Response, Status};

use super::Service;

impl Service {
    async fn ask<Q: Question>(&self, request: Request<Q>) -> Result<Response<Q::Answer>, Status> {
        self.call(Q::OPERATION, request, |desk, caller, question: Q| async move {
            desk.ask(&caller, question).await
        })
        .await
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
    vintages: VintagesRequest => VintagesResponse;
    explain: ExplainRequest => ExplainResponse;
    suggest: SuggestRequest => SuggestResponse;
}
