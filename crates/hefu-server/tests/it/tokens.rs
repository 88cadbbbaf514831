//! Tokens: shown once, expiring, revocable while the server runs.

use hefu_api::{access::Role, v1};
use hefu_engine::{random_bytes, system_clock};
use hefu_server::{Grant, TokenError};
use tonic::Code;

use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let bench = Bench::serve();
    let token = bench.token(Role::Auditor, None);
    let ask = async || {
        let mut client = bench.client(Some(token.clone())).await;
        client.query.projects(v1::ProjectsRequest::default()).await.map_err(|error| error.code())
    };
    assert!(ask().await.is_ok());
    let id = bench.tokens().list().unwrap().remove(0).id;
    bench.tokens().revoke(&id, system_clock()).unwrap();
    assert_eq!(ask().await.unwrap_err(), Code::Unauthenticated);
    assert!(matches!(bench.tokens().revoke("nobody", system_clock()), Err(TokenError::Unknown(_))));
}

#[test]
fn only_the_whole_token_in_its_time_serves() {
    let bench = Bench::new();
    let tokens = bench.tokens();
    let now = system_clock();
    let grant = Grant {
        name: "统计局".to_owned(),
        role: Role::Region,
        region: Some("330881".parse().unwrap()),
        expires: now.plus_seconds(60),
    };
    let (secret, kept) = tokens.create(grant.clone(), random_bytes().unwrap(), now).unwrap();
    let caller = tokens.caller(&secret, now).unwrap();
    assert_eq!((caller.role, caller.region, caller.token), (Role::Region, grant.region, kept.id.clone()));
    let file = std::fs::read_to_string(hefu_server::service_folder(&bench.dir).join("tokens.json")).unwrap();
    assert!(!file.contains(secret.rsplit('_').next().unwrap()), "the file does not hold the secret");
    let refused = |text: &str, at| tokens.caller(text, at).unwrap_err().code;
    assert_eq!(refused(&secret, now.plus_seconds(60)), "bad_token", "expired");
    assert_eq!(refused(&secret[..secret.len() - 1], now), "bad_token");
    assert_eq!(refused(&secret.to_uppercase(), now), "bad_token");
    assert_eq!(refused(&format!("hefu_{}_", kept.id), now), "bad_token");
    assert_eq!(refused("", now), "bad_token");
    let nowhere = Grant { region: None, ..grant };
    let refused = tokens.create(nowhere, random_bytes().unwrap(), now).unwrap_err();
    assert!(matches!(refused, TokenError::NeedsRegion(Role::Region)));
}
