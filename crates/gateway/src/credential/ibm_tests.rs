use super::*;
use crate::credential::Credential;
use crate::credential::tests::{Hand, around, around_at, authorization, eventually};
use crate::stand_in::{StandIn, answer};

/// As IBM's documentation of its IAM shows it.
const TOKEN: &str = r#"{"access_token":"eyJraWQ","refresh_token":"not_supported","token_type":"Bearer","expires_in":3600,"expiration":1795564635,"scope":"ibm openid"}"#;

fn secret(text: &str) -> Option<SecretString> {
    Some(text.into())
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_is_kept_until_shortly_before_its_end() {
    let server = StandIn::start(|_| answer(200, TOKEN)).await;
    let url = server.url("/identity/token");
    let hand = Hand::new();
    let around = around_at(&[("WATSONX_IAM_URL", &url)], &hand);
    let settings = IbmSettings { api_key: secret("k&y"), ..IbmSettings::default() };
    let credential = Credential::ibm(&settings, None, &around).unwrap();
    assert_eq!(authorization(&credential).await, "Bearer eyJraWQ");
    authorization(&credential).await;
    assert_eq!(server.seen().len(), 1, "it is kept");
    let asked = server.seen().remove(0);
    assert_eq!(asked.target, "/identity/token");
    assert_eq!(asked.field("grant_type").unwrap(), "urn:ibm:params:oauth:grant-type:apikey");
    assert_eq!(asked.field("apikey").unwrap(), "k&y");
    hand.advance(3400);
    authorization(&credential).await;
    eventually(async || server.seen().len() == 2).await;
}

#[tokio::test]
async fn what_is_configured_comes_before_the_environment() {
    let around = around(&[("WATSONX_TOKEN", "theirs"), ("WATSONX_ZENAPIKEY", "zen")]);
    let none = IbmSettings::default();
    let with_token = IbmSettings { token: secret("ours"), ..none.clone() };
    let with_zen = IbmSettings { zen_api_key: secret("dXNlcjprZXk="), ..none.clone() };
    for (settings, header) in
        [(&none, "Bearer theirs"), (&with_token, "Bearer ours"), (&with_zen, "ZenApiKey dXNlcjprZXk=")]
    {
        let credential = Credential::ibm(settings, secret("key").as_ref(), &around).unwrap();
        assert!(credential.fixed().is_some(), "no request needs work");
        assert_eq!(authorization(&credential).await, header);
    }
    let with_key = IbmSettings { api_key: secret("k"), ..none };
    assert!(Credential::ibm(&with_key, None, &around).unwrap().fixed().is_none(), "the key is exchanged");
}

#[tokio::test]
async fn a_refusal_says_what_ibm_said() {
    let said =
        r#"{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found.","context":{}}"#;
    let server = StandIn::start(move |_| answer(400, said)).await;
    let url = server.url("/identity/token");
    let around = around(&[("WATSONX_IAM_URL", &url)]);
    let credential = Credential::ibm(&IbmSettings::default(), secret("wrong-key").as_ref(), &around).unwrap();
    let error = crate::credential::tests::headers(&credential).await.unwrap_err().to_string();
    assert_eq!(error, "IBM Cloud IAM refused with status 400: Provided API key could not be found.");
}

#[test]
fn without_a_key_there_is_no_way() {
    let error = Credential::ibm(&IbmSettings::default(), None, &around(&[])).unwrap_err().to_string();
    assert!(error.starts_with("no credentials were found; looked at api_key, token, zen_api_key"), "{error}");
}

#[test]
fn somebody_pays() {
    let own = IbmSettings { space: Some("s1".to_owned()), ..IbmSettings::default() };
    let none = IbmSettings::default();
    let both = around(&[("WX_PROJECT_ID", "p2"), ("WATSONX_DEPLOYMENT_SPACE_ID", "s2")]);
    assert_eq!(owner(&own, &both), Some(("space_id", "s1".to_owned())));
    assert_eq!(owner(&none, &both), Some(("project_id", "p2".to_owned())));
    let space = around(&[("WATSONX_DEPLOYMENT_SPACE_ID", "s2")]);
    assert_eq!(owner(&none, &space), Some(("space_id", "s2".to_owned())));
    assert_eq!(owner(&none, &around(&[])), None);
}

#[test]
fn a_region_is_an_address_and_cannot_be_another_host() {
    let of = |region: &str| base(&IbmSettings { region: Some(region.to_owned()), ..IbmSettings::default() });
    assert_eq!(of("eu-de").unwrap().unwrap(), "https://eu-de.ml.cloud.ibm.com");
    assert!(of("evil.example/").is_err());
}
