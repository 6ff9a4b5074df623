use aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::credential::Credential;
use crate::credential::tests::{
    Hand, NOW, around, around_at, authorization, eventually, headers, pem, rsa_key, verified,
};
use crate::stand_in::{StandIn, answer};

const TOKEN: &str =
    r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0.entra"}"#;

async fn entra() -> StandIn {
    StandIn::start(|_| answer(200, TOKEN)).await
}

fn app_settings() -> AzureSettings {
    AzureSettings {
        tenant_id: Some("contoso.onmicrosoft.com".into()),
        client_id: Some("client-1".into()),
        ..AzureSettings::default()
    }
}

#[tokio::test]
async fn a_clients_secret_gives_a_token_until_shortly_before_its_end() {
    let server = entra().await;
    let authority = server.url("/");
    let hand = Hand::new();
    let around = around_at(&[("AZURE_AUTHORITY_HOST", &authority)], &hand);
    let settings = AzureSettings { client_secret: Some("s&cret".into()), ..app_settings() };
    let credential = Credential::azure(&settings, &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJ0.entra");
    authorization(&credential).await;
    assert_eq!(server.seen().len(), 1, "it is kept");
    let asked = server.seen().remove(0);
    assert_eq!(asked.target, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    let field = |name| asked.field(name).unwrap();
    assert_eq!(field("grant_type"), "client_credentials");
    assert_eq!((field("client_id").as_str(), field("client_secret").as_str()), ("client-1", "s&cret"));
    assert_eq!(field("scope"), "https://cognitiveservices.azure.com/.default");
    hand.advance(3400);
    authorization(&credential).await;
    eventually(async || server.seen().len() == 2).await;
}

#[tokio::test]
async fn all_of_it_may_come_from_the_environment() {
    let server = entra().await;
    let authority = server.url("");
    let around = around(&[
        ("AZURE_AUTHORITY_HOST", authority.as_str()),
        ("AZURE_TENANT_ID", "t1"),
        ("AZURE_CLIENT_ID", "c1"),
        ("AZURE_CLIENT_SECRET", "s1"),
        ("AZURE_SCOPE", "https://ai.azure.com/.default"),
    ]);
    let credential = Credential::azure(&AzureSettings::default(), &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJ0.entra");
    assert_eq!(server.seen()[0].target, "/t1/oauth2/v2.0/token");
    assert_eq!(server.seen()[0].field("scope").unwrap(), "https://ai.azure.com/.default");
}

#[tokio::test]
async fn a_certificate_signs_for_the_client() {
    let server = entra().await;
    let authority = server.url("");
    let (key, public) = rsa_key();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client.pem");
    // Only its thumbprint matters here, so any bytes will do.
    std::fs::write(&path, pem("CERTIFICATE", b"a certificate") + &key).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let settings = AzureSettings { certificate_path: Some(path), ..app_settings() };
    let around = around(&[("AZURE_AUTHORITY_HOST", &authority)]);
    let credential = Credential::azure(&settings, &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJ0.entra");
    let asked = server.seen().remove(0);
    assert_eq!(asked.field("client_assertion_type").unwrap(), ASSERTION);
    let (header, claims) =
        verified(&asked.field("client_assertion").unwrap(), &public, &RSA_PSS_2048_8192_SHA256);
    let thumbprint = digest::digest(&digest::SHA256, b"a certificate");
    assert_eq!(header["x5t#S256"], URL_SAFE_NO_PAD.encode(thumbprint));
    assert_eq!(header["alg"], "PS256");
    assert_eq!(claims["aud"], server.url("/contoso.onmicrosoft.com/oauth2/v2.0/token"));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-1"), &json!("client-1")));
    assert_eq!(claims["exp"], NOW + 600);
}

#[tokio::test]
async fn a_user_with_a_password_is_asked_for_as_one() {
    let server = entra().await;
    let authority = server.url("");
    let settings = AzureSettings {
        username: Some("me@contoso.com".into()),
        password: Some("pass word".into()),
        ..app_settings()
    };
    let around = around(&[("AZURE_AUTHORITY_HOST", &authority)]);
    authorization(&Credential::azure(&settings, &around).unwrap()).await;
    let asked = server.seen().remove(0);
    assert_eq!(asked.field("grant_type").unwrap(), "password");
    assert_eq!(asked.field("username").unwrap(), "me@contoso.com");
    assert_eq!(asked.field("password").unwrap(), "pass word");
}

#[tokio::test]
async fn a_token_is_sent_as_it_is_and_a_reference_is_exchanged() {
    let settings = AzureSettings { token: Some("eyJ0.static\n".into()), ..AzureSettings::default() };
    let credential = Credential::azure(&settings, &around(&[])).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJ0.static");

    let server = entra().await;
    let github = StandIn::start(|_| answer(200, r#"{"value":"github-jwt"}"#)).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "file-jwt\n").unwrap();
    let path = path.to_str().unwrap();
    let (authority, request_url, metadata) = (server.url(""), github.url("/id?v=1"), github.at.to_string());
    let around = around(&[
        ("AZURE_AUTHORITY_HOST", authority.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &request_url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token"),
        ("GCE_METADATA_HOST", &metadata),
        ("TOKEN_PATH", path),
        ("MY_TOKEN", "env-jwt"),
        ("CIRCLE_OIDC_TOKEN", "circle-jwt"),
    ]);
    for (reference, token) in [
        (format!("oidc/file/{path}"), "file-jwt"),
        ("oidc/env/MY_TOKEN".to_owned(), "env-jwt"),
        ("oidc/env_path/TOKEN_PATH".to_owned(), "file-jwt"),
        ("oidc/circleci/".to_owned(), "circle-jwt"),
        ("oidc/github/api://AzureADTokenExchange".to_owned(), "github-jwt"),
        ("oidc/google/https://example.com".to_owned(), r#"{"value":"github-jwt"}"#),
    ] {
        let settings = AzureSettings { token: Some(reference.clone().into()), ..app_settings() };
        let credential = Credential::azure(&settings, &around).unwrap();
        assert_eq!(authorization(&credential).await, "Bearer eyJ0.entra", "{reference}");
        assert_eq!(server.seen().pop().unwrap().field("client_assertion").unwrap(), token, "{reference}");
    }
    let asked = github.seen();
    assert_eq!(asked[0].target, "/id?v=1&audience=api%3A%2F%2FAzureADTokenExchange");
    assert_eq!(asked[0].header("authorization"), "Bearer request-token");
    assert_eq!(asked[1].field("audience").unwrap(), "https://example.com");

    let settings = AzureSettings { token: Some("oidc/moon/x".into()), ..app_settings() };
    let error = headers(&Credential::azure(&settings, &around).unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("azure_ad_token: oidc/moon is not known"), "{error}");
}

#[tokio::test]
async fn what_the_machine_offers_is_used_only_where_that_is_allowed() {
    let server = StandIn::start(|_| {
        // As the documentation shows it: numbers as text.
        answer(
            200,
            r#"{"access_token":"managed","expires_in":"3599","expires_on":"1506484173","resource":"r","token_type":"Bearer"}"#,
        )
    })
    .await;
    let host = server.url("");
    let here = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", host.as_str())];
    let error = Credential::azure(&AzureSettings::default(), &around(&here)).unwrap_err();
    assert!(matches!(error, CredentialError::Nowhere { .. }), "{error}");
    assert!(server.seen().is_empty());

    let ambient = AzureSettings { ambient: true, client_id: Some("mine".into()), ..AzureSettings::default() };
    let credential = Credential::azure(&ambient, &around(&here)).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer managed");
    let asked = server.seen().remove(0);
    assert!(asked.target.starts_with("/metadata/identity/oauth2/token?"), "{}", asked.target);
    assert_eq!(asked.header("metadata"), "true");
    assert_eq!(asked.field("resource").unwrap(), "https://cognitiveservices.azure.com");
    assert_eq!(asked.field("client_id").unwrap(), "mine");
}

#[tokio::test]
async fn app_service_and_clusters_have_their_own_ways() {
    let until = (NOW + 3600).to_string();
    let body = format!(r#"{{"access_token":"app-service","expires_on":"{until}","resource":"r"}}"#);
    let server = StandIn::start(move |seen| match seen.target.starts_with("/msi/token?") {
        true => answer(200, body.clone()),
        false => answer(200, TOKEN),
    })
    .await;
    let ambient = AzureSettings { ambient: true, ..AzureSettings::default() };
    let endpoint = server.url("/msi/token");
    let service = around(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "guid")]);
    let credential = Credential::azure(&ambient, &service).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer app-service");
    assert_eq!(server.seen()[0].header("x-identity-header"), "guid");

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "pod-jwt").unwrap();
    let authority = server.url("/");
    let cluster = around(&[
        ("AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap()),
        ("AZURE_TENANT_ID", "t1"),
        ("AZURE_CLIENT_ID", "c1"),
        ("AZURE_AUTHORITY_HOST", &authority),
    ]);
    let credential = Credential::azure(&ambient, &cluster).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJ0.entra");
    assert_eq!(server.seen()[1].field("client_assertion").unwrap(), "pod-jwt");
}

#[tokio::test]
async fn refusals_and_mistakes_are_told() {
    let server = StandIn::start(|_| {
        answer(401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret\r\nprovided."}"#)
    })
    .await;
    let authority = server.url("");
    let around = around(&[("AZURE_AUTHORITY_HOST", &authority)]);
    let mut settings = AzureSettings { client_secret: Some("wrong-secret".into()), ..app_settings() };
    let credential = Credential::azure(&settings, &around).unwrap();
    let error = headers(&credential).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Microsoft Entra refused with status 401: AADSTS7000215: Invalid client secret provided."
    );
    assert!(!format!("{credential:?}{settings:?}").contains("wrong-secret"));
    settings.tenant_id = Some("../../evil".into());
    let error = Credential::azure(&settings, &around).unwrap_err();
    assert!(error.to_string().starts_with("tenant_id: "), "{error}");
    settings.tenant_id = None;
    let error = Credential::azure(&settings, &around).unwrap_err();
    assert_eq!(error.to_string(), "tenant_id: is missing");
}
