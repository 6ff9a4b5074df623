use super::*;
use crate::credential::Credential;
use crate::credential::tests::{around, authorization};
use crate::stand_in::{StandIn, answer};

/// As Databricks' documentation of OAuth for service principals shows it.
const TOKEN: &str =
    r#"{"access_token":"eyJraWQ","scope":"all-apis","token_type":"Bearer","expires_in":3600}"#;

#[tokio::test]
async fn a_service_principal_gets_a_token_of_its_workspace_and_keeps_it() {
    let server = StandIn::start(|_| answer(200, TOKEN)).await;
    let base = server.url("/serving-endpoints");
    let around = around(&[("DATABRICKS_CLIENT_ID", "theirs"), ("DATABRICKS_CLIENT_SECRET", "s")]);
    let ours = AzureSettings { client_id: Some("ours".to_owned()), ..AzureSettings::default() };
    let credential = Credential::databricks(&ours, &base, &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJraWQ");
    authorization(&credential).await;
    assert_eq!(server.seen().len(), 1, "it is kept");
    let asked = server.seen().remove(0);
    assert_eq!(asked.target, "/oidc/v1/token");
    assert_eq!(asked.field("grant_type").unwrap(), "client_credentials");
    assert_eq!(asked.field("scope").unwrap(), "all-apis");
    assert_eq!(asked.header("authorization"), "Basic b3Vyczpz", "ours:s");
}

#[test]
fn what_is_missing_is_named() {
    let said = |settings: &AzureSettings, base: &str| {
        Credential::databricks(settings, base, &around(&[])).unwrap_err().to_string()
    };
    let none = AzureSettings::default();
    assert!(said(&none, "https://w.cloud.databricks.com").starts_with("no credentials were found"));
    let half = AzureSettings { client_secret: Some("s".into()), ..none };
    assert_eq!(said(&half, "https://w.cloud.databricks.com"), "client_id: is missing");
    let whole = AzureSettings { client_id: Some("i".to_owned()), ..half };
    assert_eq!(said(&whole, "/serving-endpoints"), "api_base: is not the address of a workspace");
}
