use std::path::Path;

use http::header::AUTHORIZATION;

use super::*;
use crate::credential::Credential;
use crate::credential::tests::{Hand, around, around_at, authorization, eventually, headers};
use crate::stand_in::{Seen, StandIn, answer};

fn credential(settings: &AwsSettings, around: &Surroundings) -> Result<Credential, CredentialError> {
    Credential::aws(settings, "bedrock", "us-east-1", around)
}

/// The answer of STS as its documentation shows it, with a number in the key and an hour to live.
fn assumed(number: usize, until: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/demo/TestAR</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>secret{number}</SecretAccessKey>\
         <SessionToken>session{number}</SessionToken><Expiration>{until}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

async fn sts() -> StandIn {
    let count = std::sync::atomic::AtomicUsize::new(0);
    StandIn::start(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        // NOW is 22:57:15; the second answer lasts longer.
        answer(
            200,
            assumed(number, if number == 1 { "2026-11-24T23:57:15Z" } else { "2026-11-25T01:57:15Z" }),
        )
    })
    .await
}

fn configured() -> AwsSettings {
    AwsSettings {
        access_key_id: Some("AKIDEXAMPLE".into()),
        secret_access_key: Some("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
        ..AwsSettings::default()
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_of_the_configuration_and_of_the_environment_sign() {
    let settings = AwsSettings { session_token: Some("a-session".into()), ..configured() };
    let signed = headers(&credential(&settings, &around(&[])).unwrap()).await.unwrap();
    let value = signed[AUTHORIZATION].to_str().unwrap();
    assert!(
        value.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
        ),
        "{value}"
    );
    assert_eq!(signed["x-amz-date"], "20261124T225715Z");
    assert_eq!(signed["x-amz-security-token"], "a-session");

    let around = around(&[("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
    let value = authorization(&credential(&AwsSettings::default(), &around).unwrap()).await;
    assert!(value.contains("Credential=AKIAENV/"), "{value}");
}

#[tokio::test]
async fn half_a_pair_of_keys_is_refused_at_once() {
    let settings = AwsSettings { secret_access_key: None, ..configured() };
    let error = credential(&settings, &around(&[])).unwrap_err();
    assert_eq!(error.to_string(), "aws_secret_access_key: is missing beside aws_access_key_id");
}

#[tokio::test]
async fn bedrock_keys_are_bearer_tokens() {
    let env = around(&[("AWS_BEARER_TOKEN_BEDROCK", "from-environment"), ("AWS_ACCESS_KEY_ID", "AKIAENV")]);
    let settings = AwsSettings { bearer: Some("bedrock-key".into()), ..AwsSettings::default() };
    assert_eq!(authorization(&credential(&settings, &env).unwrap()).await, "Bearer bedrock-key");
    let by_environment = credential(&AwsSettings::default(), &env).unwrap();
    assert_eq!(authorization(&by_environment).await, "Bearer from-environment");
    let explicit = authorization(&credential(&configured(), &env).unwrap()).await;
    assert!(explicit.contains("Credential=AKIDEXAMPLE/"), "a deployment's own keys win: {explicit}");
    let other = Credential::aws(&configured(), "sagemaker", "us-east-1", &env).unwrap();
    assert!(authorization(&other).await.starts_with("AWS4-HMAC-SHA256"));
}

#[tokio::test]
async fn a_role_is_assumed_and_assumed_again_before_it_ends() {
    let sts = sts().await;
    let hand = Hand::new();
    let settings = AwsSettings {
        role: Some("arn:aws:iam::123456789012:role/demo".into()),
        session_name: Some("a-session".into()),
        external_id: Some("external&id".into()),
        sts_endpoint: Some(sts.url("/")),
        ..configured()
    };
    let credential = credential(&settings, &around_at(&[], &hand)).unwrap();
    let signed = headers(&credential).await.unwrap();
    assert!(signed[AUTHORIZATION].to_str().unwrap().contains("Credential=ASIA1/"));
    assert_eq!(signed["x-amz-security-token"], "session1");
    let asked = sts.seen().remove(0);
    let field = |name| asked.field(name).unwrap();
    assert_eq!((field("Action").as_str(), field("Version").as_str()), ("AssumeRole", "2011-06-15"));
    assert_eq!(field("RoleArn"), "arn:aws:iam::123456789012:role/demo");
    assert_eq!(
        (field("RoleSessionName").as_str(), field("ExternalId").as_str()),
        ("a-session", "external&id")
    );
    assert!(asked.header("authorization").contains("Credential=AKIDEXAMPLE/20261124/us-east-1/sts/"));

    assert!(authorization(&credential).await.contains("ASIA1"));
    assert_eq!(sts.seen().len(), 1, "it is kept");
    hand.advance(3600 - 290);
    eventually(async || authorization(&credential).await.contains("Credential=ASIA2/")).await;
    assert_eq!(sts.seen().len(), 2);
}

#[tokio::test]
async fn a_pods_token_file_gives_its_role_or_the_one_asked_for() {
    let sts = sts().await;
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "token", "a.b.c\n");
    let endpoint = sts.url("/");
    let around = around(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &path),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"),
        ("AWS_ENDPOINT_URL_STS", &endpoint),
    ]);
    let own = credential(&AwsSettings::default(), &around).unwrap();
    assert!(authorization(&own).await.contains("Credential=ASIA1/"));
    let asked = sts.seen().remove(0);
    assert_eq!(asked.field("Action").unwrap(), "AssumeRoleWithWebIdentity");
    assert_eq!(asked.field("RoleArn").unwrap(), "arn:aws:iam::1:role/pod");
    assert_eq!(asked.field("WebIdentityToken").unwrap(), "a.b.c");
    assert_eq!(asked.header("authorization"), "", "the token is the proof");

    // Another role is assumed with the pod's own.
    let settings = AwsSettings { role: Some("arn:aws:iam::2:role/other".into()), ..AwsSettings::default() };
    assert!(authorization(&credential(&settings, &around).unwrap()).await.contains("Credential=ASIA3/"));
    let steps: Vec<_> = sts.seen().iter().skip(1).map(|seen| seen.field("Action").unwrap()).collect();
    assert_eq!(steps, ["AssumeRoleWithWebIdentity", "AssumeRole"]);
    assert!(sts.seen()[2].header("authorization").contains("Credential=ASIA2/"));
}

#[tokio::test]
async fn an_identity_token_of_the_configuration_needs_and_gives_a_role() {
    let sts = sts().await;
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "token", "d.e.f");
    let mut settings = AwsSettings {
        web_identity_token: Some(format!("oidc/file/{path}").into()),
        sts_endpoint: Some(sts.url("/")),
        ..AwsSettings::default()
    };
    let error = credential(&settings, &around(&[])).unwrap_err();
    assert!(error.to_string().starts_with("aws_web_identity_token: needs aws_role_name"), "{error}");
    settings.role = Some("arn:aws:iam::1:role/pod".into());
    assert!(authorization(&credential(&settings, &around(&[])).unwrap()).await.contains("ASIA1"));
    assert_eq!(sts.seen()[0].field("WebIdentityToken").unwrap(), "d.e.f");
}

#[tokio::test]
async fn profiles_stand_on_profiles() {
    let sts = sts().await;
    let directory = tempfile::tempdir().unwrap();
    let credentials = write(
        directory.path(),
        "credentials",
        "# a comment\n[base]\naws_access_key_id = AKIABASE\naws_secret_access_key=secret # not this\n\n\
         [loop]\nrole_arn = r\nsource_profile = pool\n[pool]\nrole_arn = r\nsource_profile = loop\n",
    );
    let config = write(
        directory.path(),
        "config",
        "[default]\nregion = eu-north-1\n[profile work]\nrole_arn = arn:aws:iam::1:role/work\n\
         source_profile = base\nexternal_id = x1\nregion = eu-west-3\ns3 =\n  region = no\n\
         [profile sso]\nsso_session = corp\n[sso-session corp]\nsso_region = us-east-1\n",
    );
    let endpoint = sts.url("/");
    let around = around(&[
        ("AWS_CONFIG_FILE", &config),
        ("AWS_SHARED_CREDENTIALS_FILE", &credentials),
        ("AWS_ENDPOINT_URL_STS", &endpoint),
    ]);
    let named = |name: &str| AwsSettings { profile: Some(name.to_owned()), ..AwsSettings::default() };
    let base = authorization(&credential(&named("base"), &around).unwrap()).await;
    assert!(base.contains("Credential=AKIABASE/"), "{base}");
    let work = authorization(&credential(&named("work"), &around).unwrap()).await;
    assert!(work.contains("Credential=ASIA1/"), "{work}");
    let asked = sts.seen().remove(0);
    assert_eq!(asked.field("ExternalId").unwrap(), "x1");
    assert!(asked.header("authorization").contains("Credential=AKIABASE/"));
    assert_eq!(region(&named("work"), "m", &around).unwrap(), "eu-west-3");
    assert_eq!(region(&AwsSettings::default(), "m", &around).unwrap(), "eu-north-1");
    for (name, why) in [
        ("loop", "are a circle"),
        ("sso", "by sso_session, which is not supported"),
        ("none", "there is no profile `none`"),
    ] {
        let error = headers(&credential(&named(name), &around).unwrap()).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_container_asks_the_endpoint_it_was_given() {
    let endpoint = StandIn::start(|_| {
        answer(
            200,
            r#"{"RoleArn":"r","AccessKeyId":"ASIACONTAINER","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-24T23:57:15Z"}"#,
        )
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let token = write(directory.path(), "token", "eks-token\n");
    let url = endpoint.url("/v1/credentials");
    let given = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ];
    let value = authorization(&credential(&AwsSettings::default(), &around(&given)).unwrap()).await;
    assert!(value.contains("Credential=ASIACONTAINER/"), "{value}");
    assert_eq!(endpoint.seen()[0].header("authorization"), "eks-token");

    let far = around(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://198.51.100.7/")]);
    let error = headers(&credential(&AwsSettings::default(), &far).unwrap()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Setting { .. }), "{error}");
}

fn imds(seen: &Seen) -> http::Response<bytes::Bytes> {
    let has_session = seen.header("x-aws-ec2-metadata-token") == "imds-session";
    match seen.target.as_str() {
        "/latest/api/token" if seen.method == "PUT" => answer(200, "imds-session"),
        "/latest/meta-data/iam/security-credentials/" if has_session => answer(200, "web-role"),
        "/latest/meta-data/iam/security-credentials/web-role" if has_session => answer(
            200,
            r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAIMDS","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-24T23:57:15Z"}"#,
        ),
        _ => answer(401, ""),
    }
}

#[tokio::test]
async fn an_instance_is_asked_last_and_only_where_that_is_allowed() {
    let server = StandIn::start(imds).await;
    let url = server.url("");
    let endpoint = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str());
    let value = authorization(&credential(&AwsSettings::default(), &around(&[endpoint])).unwrap()).await;
    assert!(value.contains("Credential=ASIAIMDS/"), "{value}");
    assert_eq!(server.seen().len(), 3);

    let off = around(&[endpoint, ("AWS_EC2_METADATA_DISABLED", "true")]);
    let error = headers(&credential(&AwsSettings::default(), &off).unwrap()).await.unwrap_err();
    assert!(matches!(&error, CredentialError::Nowhere { .. }), "{error}");
    let keys = around(&[endpoint, ("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")]);
    headers(&credential(&AwsSettings::default(), &keys).unwrap()).await.unwrap();
    assert_eq!(server.seen().len(), 3, "it was not asked again");
}

#[tokio::test]
async fn what_sts_says_no_to_is_told_without_our_secrets() {
    let server = StandIn::start(|_| answer(403, "<Error><Code>AccessDenied</Code></Error>")).await;
    let settings = AwsSettings {
        role: Some("arn:aws:iam::1:role/demo".into()),
        sts_endpoint: Some(server.url("/")),
        ..configured()
    };
    let credential = credential(&settings, &around(&[])).unwrap();
    let error = headers(&credential).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "AWS STS refused with status 403: <Error><Code>AccessDenied</Code></Error>"
    );
    let shown = format!("{credential:?} {error:?} {settings:?}");
    assert!(!shown.contains("wJalr"), "{shown}");
}

#[test]
fn the_region_has_an_order_and_a_shape() {
    let arn = "arn:aws:bedrock:ap-south-1:123456789012:inference-profile/apac.model-v1:0";
    let named = |region: &str| AwsSettings { region: Some(region.to_owned()), ..AwsSettings::default() };
    let none = AwsSettings::default();
    let variables = [("AWS_REGION", "eu-west-1"), ("AWS_REGION_NAME", "eu-west-2")];
    assert_eq!(region(&named("us-gov-west-1"), arn, &around(&variables)).unwrap(), "us-gov-west-1");
    assert_eq!(region(&none, arn, &around(&variables)).unwrap(), "ap-south-1");
    assert_eq!(region(&none, &format!("converse/{arn}"), &around(&variables)).unwrap(), "ap-south-1");
    assert_eq!(region(&none, "m", &around(&variables)).unwrap(), "eu-west-2");
    assert_eq!(region(&none, "m", &around(&variables[..1])).unwrap(), "eu-west-1");
    assert_eq!(region(&none, "m", &around(&[])).unwrap(), "us-west-2");
    for bad in ["us-east-1.evil.example/", "us-east-1@evil", "../..", "US-EAST-1", "-a", "useast"] {
        let error = region(&named(bad), "m", &around(&[])).unwrap_err();
        assert!(error.to_string().starts_with("aws_region_name: "), "{bad}: {error}");
    }
}
