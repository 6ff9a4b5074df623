use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use serde_json::json;

use super::*;
use crate::credential::Credential;
use crate::credential::tests::{
    Hand, NOW, around, around_at, authorization, eventually, headers, rsa_key, verified,
};
use crate::stand_in::{StandIn, answer};

const TOKEN: &str = r#"{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}"#;

fn with(object: &Value) -> GoogleSettings {
    GoogleSettings { credentials: Some(object.to_string().into()), ..GoogleSettings::default() }
}

fn account(pem: &str, endpoint: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "my-project", "private_key_id": "key-1", "private_key": pem,
        "client_email": "robot@my-project.iam.gserviceaccount.com", "token_uri": endpoint,
    })
}

#[tokio::test]
async fn a_service_account_signs_for_its_token_and_signs_again_before_it_ends() {
    let (pem, public) = rsa_key();
    let server = StandIn::start(|_| answer(200, TOKEN)).await;
    let hand = Hand::new();
    let settings = with(&account(&pem, &server.url("/token")));
    let credential = Credential::google(&settings, &around_at(&[], &hand)).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer ya29.token");
    authorization(&credential).await;
    assert_eq!(server.seen().len(), 1, "it is kept");
    let asked = server.seen().remove(0);
    assert_eq!(asked.field("grant_type").unwrap(), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (header, claims) = verified(&asked.field("assertion").unwrap(), &public, &RSA_PKCS1_2048_8192_SHA256);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}));
    assert_eq!(
        claims,
        json!({
            "iss": "robot@my-project.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": server.url("/token"), "iat": NOW, "exp": NOW + 3600,
        })
    );
    hand.advance(3400);
    authorization(&credential).await;
    eventually(async || server.seen().len() == 2).await;
}

#[tokio::test]
async fn credentials_come_as_a_path_too_and_from_the_environment() {
    let (pem, _) = rsa_key();
    let server = StandIn::start(|_| answer(200, TOKEN)).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("application_default_credentials.json");
    // Keys that went through a shell hold `\n` as two characters.
    let object = account(&pem.replace('\n', "\\n"), &server.url("/token"));
    std::fs::write(&path, object.to_string()).unwrap();
    let (path, directory) = (path.to_str().unwrap(), directory.path().to_str().unwrap());
    let by_path = GoogleSettings { credentials: Some(path.into()), ..GoogleSettings::default() };
    let none = GoogleSettings::default();
    for (settings, variables) in [
        (&by_path, vec![]),
        (&none, vec![("VERTEXAI_CREDENTIALS", path)]),
        (&none, vec![("GOOGLE_APPLICATION_CREDENTIALS", path)]),
        (&none, vec![("CLOUDSDK_CONFIG", directory)]),
    ] {
        let credential = Credential::google(settings, &around(&variables)).unwrap();
        assert_eq!(authorization(&credential).await, "Bearer ya29.token", "{variables:?}");
    }
}

#[tokio::test]
async fn a_persons_refresh_token_names_who_pays() {
    let server = StandIn::start(|_| answer(200, TOKEN)).await;
    let object = json!({
        "type": "authorized_user", "client_id": "c.apps.googleusercontent.com", "client_secret": "d-secret",
        "refresh_token": "1//refresh", "quota_project_id": "payer", "token_uri": server.url("/token"),
    });
    let credential = Credential::google(&with(&object), &around(&[])).unwrap();
    let given = headers(&credential).await.unwrap();
    assert_eq!(given["authorization"], "Bearer ya29.token");
    assert_eq!(given["x-goog-user-project"], "payer");
    let asked = server.seen().remove(0);
    assert_eq!(asked.field("grant_type").unwrap(), "refresh_token");
    assert_eq!(asked.field("refresh_token").unwrap(), "1//refresh");
}

fn external(server: &StandIn, source: &Value) -> Value {
    json!({
        "type": "external_account", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "token_url": server.url("/sts"), "credential_source": source,
    })
}

async fn federation() -> StandIn {
    StandIn::start(|seen| match seen.target.as_str() {
        "/sts" => answer(200, r#"{"access_token":"federated","expires_in":3600,"token_type":"Bearer"}"#),
        "/subject" => answer(200, r#"{"id_token":"from-url"}"#),
        "/impersonate" => {
            answer(200, r#"{"accessToken":"impersonated","expireTime":"2026-11-24T23:57:15Z"}"#)
        }
        _ => answer(404, ""),
    })
    .await
}

#[tokio::test]
async fn a_clusters_token_is_exchanged_and_acts_for_a_service_account() {
    let server = federation().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "from-file\n").unwrap();
    let mut object = external(&server, &json!({"file": path}));
    let plain = Credential::google(&with(&object), &around(&[])).unwrap();
    assert_eq!(authorization(&plain).await, "Bearer federated");
    let asked = server.seen().remove(0);
    let field = |name| asked.field(name).unwrap();
    assert_eq!(field("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!(field("subject_token"), "from-file");
    assert_eq!(field("audience"), object["audience"]);
    assert_eq!(field("requested_token_type"), "urn:ietf:params:oauth:token-type:access_token");

    object["service_account_impersonation_url"] = server.url("/impersonate").into();
    let acting = Credential::google(&with(&object), &around(&[])).unwrap();
    assert_eq!(authorization(&acting).await, "Bearer impersonated");
    let last = server.seen().pop().unwrap();
    assert_eq!(last.header("authorization"), "Bearer federated");
    let body: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(body["scope"], json!(["https://www.googleapis.com/auth/cloud-platform"]));
}

#[tokio::test]
async fn an_identity_token_may_stand_in_json_at_an_address() {
    let server = federation().await;
    let source = json!({
        "url": server.url("/subject"), "headers": {"Metadata": "True"},
        "format": {"type": "json", "subject_token_field_name": "id_token"},
    });
    let credential = Credential::google(&with(&external(&server, &source)), &around(&[])).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer federated");
    assert_eq!(server.seen()[0].header("metadata"), "True");
    assert_eq!(server.seen()[1].field("subject_token").unwrap(), "from-url");
}

#[tokio::test]
async fn an_identity_at_aws_is_a_signed_request() {
    let server = federation().await;
    let source = json!({
        "environment_id": "aws1",
        "regional_cred_verification_url":
            "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    });
    let object = external(&server, &source);
    let around = around(&[
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_REGION", "eu-west-1"),
    ]);
    let credential = Credential::google(&with(&object), &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer federated");
    let subject = server.seen()[0].field("subject_token").unwrap();
    let text = url::form_urlencoded::parse(format!("v={subject}").as_bytes()).next().unwrap().1.into_owned();
    let request: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(request["method"], "POST");
    assert_eq!(
        request["url"],
        "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    );
    let header = |name: &str| {
        let pairs = request["headers"].as_array().unwrap();
        pairs.iter().find(|pair| pair["key"] == name).unwrap()["value"].as_str().unwrap()
    };
    assert_eq!(header("host"), "sts.eu-west-1.amazonaws.com");
    assert_eq!(header("x-amz-security-token"), "session");
    assert_eq!(header("x-goog-cloud-target-resource"), object["audience"]);
    let signed = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource";
    assert!(header("authorization").contains(signed), "{}", header("authorization"));
}

#[tokio::test]
async fn the_machines_own_account_is_asked_last() {
    let server = StandIn::start(|seen| match seen.target.as_str() {
        "/computeMetadata/v1/project/project-id" => answer(200, "machine-project"),
        target if target.starts_with("/computeMetadata/v1/instance/service-accounts/default/token?") => {
            answer(200, TOKEN)
        }
        _ => answer(404, ""),
    })
    .await;
    let host = server.at.to_string();
    let here = around(&[("GCE_METADATA_HOST", &host)]);
    let none = GoogleSettings::default();
    assert_eq!(authorization(&Credential::google(&none, &here).unwrap()).await, "Bearer ya29.token");
    assert_eq!(server.seen()[0].header("metadata-flavor"), "Google");
    assert_eq!(project_of_machine(&here).await.unwrap(), "machine-project");

    // Nobody listens on the discard port.
    let away = around(&[("GCE_METADATA_HOST", "127.0.0.1:9")]);
    let error = headers(&Credential::google(&none, &away).unwrap()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("no credentials were found; looked at vertex_credentials"),
        "{error}"
    );
}

#[test]
fn unusable_credentials_are_named_and_not_shown() {
    let (pem, _) = rsa_key();
    let mut wrong = account(&pem, "x");
    wrong["private_key"] = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----".into();
    for (text, says) in [
        (r#"{"type":"service_account""#.to_owned(), "vertex_credentials: is not a JSON object"),
        (wrong.to_string(), "vertex_credentials.private_key: holds an unusable RSA key"),
        (json!({"type": "service_account"}).to_string(), "vertex_credentials.client_email: is missing"),
        (json!({"type": "gdch"}).to_string(), "vertex_credentials: the type `gdch` is not supported"),
        (json!({}).to_string(), "vertex_credentials.type: is missing"),
        ("/nowhere/key.json".to_owned(), "/nowhere/key.json: "),
    ] {
        let settings = GoogleSettings { credentials: Some(text.into()), ..GoogleSettings::default() };
        let error = Credential::google(&settings, &around(&[])).unwrap_err().to_string();
        assert!(error.starts_with(says) && !error.contains("c2VjcmV0"), "{error}");
    }
}

#[test]
fn project_and_location_have_an_order_and_a_shape() {
    let (pem, _) = rsa_key();
    let mut settings = with(&account(&pem, "x"));
    let found = |settings: &GoogleSettings, variables: &[(&str, &str)]| {
        place(settings, &around(variables)).map(|place| (place.project.unwrap_or_default(), place.location))
    };
    let pair = |project: &str, location: &str| Ok((project.to_owned(), location.to_owned()));
    assert_eq!(found(&settings, &[]), pair("my-project", "us-central1"));
    let variables = [("VERTEXAI_PROJECT", "by-env"), ("VERTEXAI_LOCATION", "europe-west4")];
    assert_eq!(found(&settings, &variables), pair("by-env", "europe-west4"));
    settings.project = Some("by-param".into());
    settings.location = Some("global".into());
    assert_eq!(found(&settings, &variables), pair("by-param", "global"));
    assert_eq!(found(&GoogleSettings::default(), &[]), pair("", "us-central1"));
    settings.location = Some("evil.example/".into());
    assert!(found(&settings, &[]).unwrap_err().to_string().starts_with("vertex_location: "));
}
