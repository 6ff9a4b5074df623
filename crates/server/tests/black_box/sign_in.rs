//! Providers whose credential is fetched or made first: Entra, IBM, Oracle, Amazon's endpoints. Amazon's and
//! Google's models are in `clouds`.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Asked, CANARY, Said, Stage, StandIn, chat, run, streamed};

const ENTRA: &str = "eyJ0.a-token-of-entra";

/// Azure behind `$FAKE` without a key, in an environment.
fn azure(params: &str, more: &str, environment: &[(&str, &str)]) -> Stage {
    let config = format!(
        "
model_list:
  - model_name: gpt
    litellm_params: {{model: azure/up, api_base: $FAKE, {params}}}
router_settings: {{num_retries: 0}}
{more}
"
    );
    Stage::open_in(&config, environment)
}

/// What Azure was shown in the place of a key.
async fn shown(stage: &Stage) -> (Option<String>, Option<String>) {
    let reply = stage.server.chat(&chat("gpt")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = stage.provider.requests().pop().unwrap();
    (received.header("authorization").map(str::to_owned), received.header("api-key").map(str::to_owned))
}

fn bearer(token: &str) -> (Option<String>, Option<String>) {
    (Some(format!("Bearer {token}")), None)
}

#[tokio::test]
async fn azure_takes_a_token_for_a_clients_secret_and_keeps_it() {
    let entra = StandIn::tokens(ENTRA);
    let url = entra.url();
    let params = "tenant_id: contoso.example, client_id: c1, client_secret: os.environ/THE_SECRET";
    let environment =
        [("AZURE_AUTHORITY_HOST", url.as_str()), ("THE_SECRET", "s&cret"), ("AZURE_API_KEY", CANARY)];
    let stage = azure(params, "", &environment);
    assert_eq!(shown(&stage).await, bearer(ENTRA), "what the entry says wins over the environment's key");
    assert_eq!(shown(&stage).await, bearer(ENTRA));
    let [asked] = &*entra.asked() else { panic!("{:?}", entra.asked()) };
    assert_eq!(asked.path, "/contoso.example/oauth2/v2.0/token");
    assert!(asked.body.contains("client_secret=s%26cret"), "{}", asked.body);
    assert!(!stage.server.log().contains("s&cret"));
    assert!(!stage.server.log().contains("no effect"), "{}", stage.server.log());
}

#[tokio::test]
async fn azure_signs_in_with_what_the_environment_has() {
    let entra = StandIn::tokens(ENTRA);
    let url = entra.url();
    let client = [("AZURE_TENANT_ID", "t1"), ("AZURE_CLIENT_ID", "c1")];
    let ways: [&[(&str, &str)]; 2] =
        [&[("AZURE_CLIENT_SECRET", "s1")], &[("AZURE_USERNAME", "u1"), ("AZURE_PASSWORD", "p1")]];
    for way in ways {
        let environment = [&client, way, &[("AZURE_AUTHORITY_HOST", url.as_str())]].concat();
        assert_eq!(shown(&azure("", "", &environment)).await, bearer(ENTRA));
    }
    let grants: Vec<String> = entra.asked().into_iter().map(|asked| asked.body).collect();
    assert!(grants[0].contains("client_secret=s1") && grants[1].contains("password=p1"), "{grants:?}");
    assert_eq!(
        shown(&azure("", "", &[("AZURE_AD_TOKEN", "eyJ0.ready-made")])).await,
        bearer("eyJ0.ready-made")
    );
    let with_key = [&client, ways[0], &[("AZURE_API_KEY", CANARY)]].concat();
    assert_eq!(shown(&azure("", "", &with_key)).await, (None, Some(CANARY.to_owned())), "a key is enough");
}

#[tokio::test]
async fn azure_exchanges_the_clusters_identity_only_where_it_may() {
    let entra = StandIn::tokens(ENTRA);
    let url = entra.url();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "a-token-of-the-cluster\n").unwrap();
    let environment = [
        ("AZURE_AUTHORITY_HOST", url.as_str()),
        ("AZURE_TENANT_ID", "t1"),
        ("AZURE_CLIENT_ID", "c1"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let stage = azure("", "litellm_settings: {enable_azure_ad_token_refresh: true}", &environment);
    assert_eq!(shown(&stage).await, bearer(ENTRA));
    let asked = entra.asked().pop().unwrap();
    assert!(asked.body.contains("client_assertion=a-token-of-the-cluster"), "{}", asked.body);
    assert_eq!(shown(&azure("azure_ad_token: oidc/azure", "", &environment)).await, bearer(ENTRA));

    let stage = azure("", "", &environment);
    let reply = stage.server.chat(&chat("gpt")).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert!(reply.message().contains("no API key is set"), "{}", reply.text());
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn azure_takes_the_machines_identity() {
    let machine = StandIn::tokens(ENTRA);
    let endpoint = format!("{}/msi/token", machine.url());
    let environment = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "h1")];
    let stage = azure("", "litellm_settings: {enable_azure_ad_token_refresh: true}", &environment);
    assert_eq!(shown(&stage).await, bearer(ENTRA));
    let asked = machine.asked().pop().unwrap();
    assert!(asked.path.starts_with("/msi/token?resource="), "{}", asked.path);
    assert_eq!(asked.header("x-identity-header"), Some("h1"));
}

#[tokio::test]
async fn azure_ai_signs_in_too_and_a_refusal_is_told() {
    let entra = StandIn::start(|_| {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
        (401, "application/json", body.to_owned())
    });
    let url = entra.url();
    let stage = Stage::open_in(
        "model_list:\n  - {model_name: gpt, litellm_params: {model: azure_ai/up, api_base: $FAKE, tenant_id: t, client_id: c, client_secret: wrong-secret}}\nrouter_settings: {num_retries: 0}\n",
        &[("AZURE_AUTHORITY_HOST", &url)],
    );
    let reply = stage.server.chat(&chat("gpt")).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert!(reply.message().contains("AADSTS7000215"), "{}", reply.text());
    assert!(!reply.text().contains("wrong-secret") && stage.provider.requests().is_empty());
}

const IBM: &str = "eyJraWQ.a-token-of-ibm";

/// A watsonx that answers chat as its documentation shows it.
fn watsonx() -> StandIn {
    StandIn::start(|_| {
        let answer = json!({"id": "chat-1", "model_id": "ibm/granite", "created": 1_720_000_000,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Light scatters."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}});
        (200, "application/json", answer.to_string())
    })
}

#[tokio::test]
async fn watsonx_exchanges_a_key_and_names_who_pays() {
    let (iam, upstream) = (StandIn::tokens(IBM), watsonx());
    let iam_url = format!("{}/identity/token", iam.url());
    let url = upstream.url();
    let environment = [
        ("WATSONX_IAM_URL", iam_url.as_str()),
        ("WATSONX_URL", url.as_str()),
        ("WATSONX_APIKEY", CANARY),
        ("WATSONX_PROJECT_ID", "p1"),
    ];
    let config = "model_list:\n  - {model_name: granite, litellm_params: {model: watsonx/ibm/granite}}\n  - {model_name: spaced, litellm_params: {model: watsonx/ibm/granite, space_id: s1}}\n";
    let stage = Stage::open_in(config, &environment);
    for (model, owner) in [("granite", ("project_id", "p1")), ("spaced", ("space_id", "s1"))] {
        let reply = stage.server.chat(&chat(model)).await;
        assert_eq!((reply.status, reply.content().as_str()), (200, "Light scatters."), "{}", reply.text());
        let asked = upstream.asked().pop().unwrap();
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {IBM}").as_str()));
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body[owner.0], owner.1, "{body}");
        assert_eq!(body.get("project_id").is_some(), owner.0 == "project_id", "{body}");
    }
    let asked = iam.asked().remove(0);
    assert_eq!(asked.path, "/identity/token");
    assert!(asked.body.ends_with(&format!("apikey={CANARY}")), "{}", asked.body);
}

#[tokio::test]
async fn watsonx_takes_ready_made_tokens_and_hides_them() {
    let token = "a-token-made-elsewhere";
    let upstream = StandIn::start(|asked| {
        let said = json!({"errors": [{"code": "authentication_token_not_valid", "message": format!("Failed: {}", asked.header("authorization").unwrap())}]});
        (401, "application/json", said.to_string())
    });
    let url = upstream.url();
    for (params, header) in [
        (format!("token: {token}"), format!("Bearer {token}")),
        (format!("zen_api_key: {token}"), format!("ZenApiKey {token}")),
    ] {
        let config = format!(
            "model_list:\n  - {{model_name: granite, litellm_params: {{model: watsonx/ibm/granite, project_id: p, api_base: '{url}', {params}}}}}\nrouter_settings: {{num_retries: 0}}\n"
        );
        let stage = Stage::open_in(&config, &[("WATSONX_APIKEY", CANARY)]);
        let reply = stage.server.chat(&chat("granite")).await;
        assert_eq!(reply.status, 401, "{}", reply.text());
        assert_eq!(upstream.asked().pop().unwrap().header("authorization"), Some(header.as_str()));
        assert!(!reply.text().contains(token), "{}", reply.text());
        assert!(!stage.server.get("/model/info").await.text().contains(token));
    }
}

#[tokio::test]
async fn oracle_is_sent_signed_requests() {
    let upstream = StandIn::start(|_: &Asked| -> Said {
        let answer = json!({"chatResponse": {"apiFormat": "GENERIC", "timeCreated": "2025-01-01T00:00:00Z",
            "choices": [{"index": 0, "message": {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Light scatters."}]}, "finishReason": "stop"}]}});
        (200, "application/json", answer.to_string())
    });
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key.pem");
    std::fs::write(&key, rsa_key()).unwrap();
    let config = format!(
        "model_list:\n  - model_name: llama\n    litellm_params: {{model: oci/meta.llama-3.3-70b-instruct, api_base: '{}', oci_user: u1, oci_tenancy: t1, oci_fingerprint: 'aa:bb', oci_key_file: {}}}\n",
        upstream.url(),
        key.display()
    );
    let stage = Stage::open_in(&config, &[("OCI_COMPARTMENT_ID", "ocid1.compartment.oc1..c")]);
    let reply = stage.server.chat(&chat("llama")).await;
    assert_eq!((reply.status, reply.content().as_str()), (200, "Light scatters."), "{}", reply.text());
    let asked = upstream.asked().pop().unwrap();
    assert_eq!(asked.path, "/20231130/actions/chat");
    let authorization = asked.header("authorization").unwrap();
    assert!(authorization.starts_with("Signature version=\"1\",keyId=\"t1/u1/aa:bb\""), "{authorization}");
    assert!(asked.header("date").unwrap().ends_with(" GMT") && asked.header("x-content-sha256").is_some());
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["compartmentId"], "ocid1.compartment.oc1..c");
}

#[tokio::test]
async fn what_oracle_misses_is_told() {
    let stage = Stage::open(
        "model_list:\n  - {model_name: llama, litellm_params: {model: oci/meta.llama-3.3-70b-instruct, api_base: $FAKE}}\nrouter_settings: {num_retries: 0}\n",
    );
    let reply = stage.server.chat(&chat("llama")).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert!(reply.message().contains("oci_tenancy: is missing"), "{}", reply.text());
    assert!(stage.provider.requests().is_empty());
}

/// A key of no one's, in PEM form.
fn rsa_key() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Light scatters."},"finish_reason":"stop"}],"usage":{"prompt_tokens":6,"completion_tokens":3,"total_tokens":9}}"#;
const CHAT_STREAM: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Light scatters."},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

"#;
const TEXT: &str = r#"[{"generated_text":"Light scatters."}]"#;
const TEXT_STREAM: &str = r#"data:{"index":1,"token":{"id":401,"text":"Light scatters.","logprob":-0.1,"special":false},"generated_text":null,"details":null}

data:{"index":2,"token":{"id":2,"text":"</s>","logprob":-0.1,"special":true},"generated_text":"Light scatters.","details":{"finish_reason":"eos_token","generated_tokens":3,"input_length":6,"seed":null}}

"#;

#[tokio::test]
async fn sagemakers_endpoints_answer_signed_requests_whole_and_streamed() {
    for (provider, whole, stream) in [("sagemaker_chat", CHAT, CHAT_STREAM), ("sagemaker", TEXT, TEXT_STREAM)]
    {
        let stage = Stage::open(&format!(
            "model_list:\n  - model_name: endpoint\n    litellm_params: {{model: {provider}/my-endpoint, api_base: $FAKE, aws_access_key_id: AKIDEXAMPLE, aws_secret_access_key: wJalrXUtnFEMI, aws_region_name: eu-west-1}}\n"
        ));
        stage.script("*", json!({"raw": whole, "headers": {"content-type": "application/json"}}));
        let reply = stage.server.chat(&chat("endpoint")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.content(), "Light scatters.");
        let asked = stage.provider.requests().pop().unwrap();
        assert_eq!(asked.path, "/endpoints/my-endpoint/invocations");
        let signature = asked.header("authorization").unwrap();
        assert!(signature.contains("/eu-west-1/sagemaker/aws4_request"), "{signature}");

        // The container's events are cut anywhere.
        let (head, tail) = stream.split_at(40);
        let body = STANDARD.encode([testkit::payload_part(head), testkit::payload_part(tail)].concat());
        let kind = "application/vnd.amazon.eventstream";
        stage.script("*", json!({"raw": {"base64": body}, "headers": {"content-type": kind}}));
        let reply = stage.server.chat(&streamed("endpoint")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains("Light scatters."), "{}", reply.text());
        assert!(reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
        let asked = stage.provider.requests().pop().unwrap();
        assert_eq!(asked.path, "/endpoints/my-endpoint/invocations-response-stream");
    }
}

#[test]
fn a_check_of_the_file_knows_the_keys() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    let config = "model_list:\n  - {model_name: gpt, litellm_params: {model: azure/up, api_base: 'https://r.openai.azure.com', tenant_id: t, client_id: c, client_secret: s, azure_scope: x}}\nlitellm_settings: {enable_azure_ad_token_refresh: true}\n";
    std::fs::write(&file, config).unwrap();
    let (succeeded, said) = run(&["check", file.to_str().unwrap()]);
    assert!(succeeded && !said.contains("Entra") && !said.contains("enable_azure"), "{said}");
}
