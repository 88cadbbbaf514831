//! A small ledger behind a server: 滨江 330108 registered a project that moved to 江山 330881; 桐庐 330122 has no part in it.

use std::{path::PathBuf, time::Duration};

use hefu_api::{
    access::Role,
    v1::{
        audit_service_client::AuditServiceClient, ledger_service_client::LedgerServiceClient,
        query_service_client::QueryServiceClient,
    },
};
use hefu_domain::{policy::Policy, region::RegionEntry, state::State};
use hefu_engine::{
    Draft, Engine, KeyStore, Mode, Options, Schedule, Signer, create_dev, random_bytes, system_clock,
};
use hefu_server::{Grant, Limits, Listen, Server, Service, Serving, Tls, Tokens, service_folder};
use hefu_store::Backend;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use tonic::{
    Request,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

pub(crate) const P1: &str = "0198b2c4-0000-7000-8000-000000000001";
const FIRM: &str = "91330100799655058B";
const ORIGIN: &str = "test.example/ledger";

/// The ledger, and the server in front of it.
pub(crate) struct Bench {
    pub(crate) dir: PathBuf,
    pub(crate) signer: Signer,
    serving: Option<Serving>,
    _temp: tempfile::TempDir,
}

/// Puts a token on every request.
#[derive(Clone)]
pub(crate) struct Bearer(Option<String>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, tonic::Status> {
        if let Some(token) = &self.0 {
            let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

type Wire = InterceptedService<Channel, Bearer>;

/// The three services for one caller.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) ledger: LedgerServiceClient<Wire>,
    pub(crate) query: QueryServiceClient<Wire>,
    pub(crate) audit: AuditServiceClient<Wire>,
}

fn area(code: &str, level: &str, parent: Option<&str>) -> RegionEntry {
    serde_json::from_value(json!({"code": code, "level": level, "name_zh": code, "parent": parent})).unwrap()
}

impl Bench {
    /// With the history, served in clear on loopback.
    pub(crate) fn serve() -> Bench {
        let mut bench = Bench::new();
        bench.start(None);
        bench
    }

    /// With the history, not served yet.
    pub(crate) fn new() -> Bench {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("ledger");
        let regions = vec![
            area("330000", "province", None),
            area("330100", "prefecture", Some("330000")),
            area("330108", "county", Some("330100")),
            area("330122", "county", Some("330100")),
            area("330800", "prefecture", Some("330000")),
            area("330881", "county", Some("330800")),
        ];
        let (origin, host) = (ORIGIN.parse().unwrap(), "330000".parse().unwrap());
        let policy = Policy::default();
        create_dev(&dir, origin, host, policy, (regions, Vec::new()), Backend::Segments, system_clock)
            .unwrap();
        let signer = Signer::new(ORIGIN.parse().unwrap(), KeyStore::beside(&dir));
        let mut bench = Bench { dir, signer, serving: None, _temp: temp };
        let engine = bench.engine();
        for (signer, command) in history() {
            let state = engine.views().read().unwrap().state.clone();
            let bytes = bench.sign_on(&state, signer, command);
            let answers = engine.submit(vec![bytes], Mode::Each, None).wait().unwrap();
            assert!(answers[0].accepted().is_some(), "{answers:?}");
        }
        engine.checkpoint_now().unwrap();
        engine.close().unwrap();
        bench
    }

    fn engine(&self) -> Engine {
        let notary = Some(Schedule { every: Duration::from_hours(1), at_stop: false });
        Engine::open(&self.dir, Options { index: false, notary, ..Options::default() }).unwrap()
    }

    /// Puts commands on record before anybody is served.
    pub(crate) fn record(&mut self, commands: Vec<Vec<u8>>) {
        let engine = self.engine();
        let answers = engine.submit(commands, Mode::Each, None).wait().unwrap();
        assert!(answers.iter().all(|answer| answer.accepted().is_some()), "{:?}", answers[0]);
        engine.close().unwrap();
    }

    pub(crate) fn start(&mut self, tls: Option<Tls>) {
        self.start_with(tls, Limits::default());
    }

    pub(crate) fn start_with(&mut self, tls: Option<Tls>, limits: Limits) {
        let listen = Listen { address: "127.0.0.1:0".parse().unwrap(), exposed: false };
        let serve = || {
            let server = Server::listen_with(listen, tls, limits).unwrap();
            Service::new(&self.dir, self.engine(), server).unwrap().spawn().unwrap()
        };
        // The server has a runtime of its own, as the test has.
        self.serving = Some(block_in_place(serve));
    }

    pub(crate) fn stop(&mut self) {
        block_in_place(|| self.serving.take().unwrap().stop().unwrap());
    }

    pub(crate) fn url(&self) -> String {
        self.serving.as_ref().unwrap().url()
    }

    /// The bytes of a signed command.
    pub(crate) fn sign(&mut self, signer: &str, command: Value) -> Vec<u8> {
        self.sign_on(&State::default(), signer, command)
    }

    fn sign_on(&mut self, state: &State, signer: &str, command: Value) -> Vec<u8> {
        let Value::Object(command) = command else { panic!("a command is an object") };
        let draft = Draft { command, id: None, signer: signer.to_owned() };
        self.signer.sign(draft, state, system_clock()).unwrap().into_bytes()
    }

    pub(crate) fn tokens(&self) -> Tokens {
        Tokens::of(&service_folder(&self.dir))
    }

    /// A new token of a role.
    pub(crate) fn token(&self, role: Role, region: Option<&str>) -> String {
        let now = system_clock();
        let region = region.map(|code| code.parse().unwrap());
        let grant = Grant { name: role.name().to_owned(), role, region, expires: now.plus_seconds(3600) };
        self.tokens().create(grant, random_bytes().unwrap(), now).unwrap().0
    }

    /// The services for somebody with a token, or without one.
    pub(crate) async fn client(&self, token: Option<String>) -> Client {
        self.client_over(Channel::from_shared(self.url()).unwrap(), token).await
    }

    /// The same for somebody who takes little at once.
    pub(crate) async fn narrow_client(&self, token: Option<String>) -> Client {
        let endpoint = Channel::from_shared(self.url()).unwrap();
        let endpoint = endpoint.initial_stream_window_size(1 << 16).initial_connection_window_size(1 << 16);
        self.client_over(endpoint, token).await
    }

    async fn client_over(&self, endpoint: Endpoint, token: Option<String>) -> Client {
        let endpoint = if self.url().starts_with("https") {
            let ca = Certificate::from_pem(include_bytes!("data/ca.pem"));
            endpoint.tls_config(ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost")).unwrap()
        } else {
            endpoint
        };
        let channel = endpoint.connect().await.unwrap();
        let bearer = Bearer(token);
        Client {
            ledger: LedgerServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            query: QueryServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            audit: AuditServiceClient::with_interceptor(channel, bearer),
        }
    }

    /// The services for a role.
    pub(crate) async fn as_role(&self, role: Role, region: Option<&str>) -> Client {
        let token = self.token(role, region);
        self.client(Some(token)).await
    }
}

/// A value that 江山 reports for the project.
pub(crate) fn report(period: &str, value: &str) -> Value {
    json!({"type": "report_observation", "project": P1, "indicator": "INV_FAI", "period": period, "value": value})
}

fn history() -> Vec<(&'static str, Value)> {
    let project = json!({
        "type": "register_project", "project": P1, "name": "内生裂变项目", "enterprise": FIRM, "industry": "C34",
        "origin": "330108", "planned_investment": "1200000000.00", "date": "2023-01-10",
    });
    vec![
        (
            "330108",
            json!({"type": "register_enterprise", "enterprise": FIRM, "name": "某企业", "region": "330108"}),
        ),
        ("330108", project),
        ("330108", json!({"type": "exhaust_tier", "project": P1, "tier": "original_site", "reason": "land"})),
        ("330108", json!({"type": "exhaust_tier", "project": P1, "tier": "local", "reason": "land"})),
        ("330108", json!({"type": "exhaust_tier", "project": P1, "tier": "neighbouring", "reason": "land"})),
        ("330108", json!({"type": "propose_transfer", "project": P1, "destination": "330881"})),
        ("330881", json!({"type": "accept_transfer", "project": P1})),
        ("330881", json!({"type": "land_project", "project": P1, "date": "2023-06-01"})),
        ("330881", report("2023-07", "35000000.50")),
    ]
}
