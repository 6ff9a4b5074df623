//! IBM Cloud's tokens: an API key is exchanged for one that lasts an hour. Tokens and the keys of Cloud Pak for
//! Data, which are sent as they are, come first; what is configured comes before what the environment holds.

use http::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::cache::Fetched;
use super::{CredentialError, Headers, Surroundings, bearer, either_secret, secret_value, setting, token};
use crate::settings::IbmSettings;
use crate::web::Ask;

const IAM: &str = "IBM Cloud IAM";
const IAM_URL: &str = "https://iam.cloud.ibm.com/identity/token";
const GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";

/// How a request is authorized.
#[derive(Debug)]
pub(super) enum Way {
    Ready((HeaderName, HeaderValue)),
    Exchange(Source),
}

/// Where a token comes from.
#[derive(Debug)]
pub(super) struct Source {
    key: SecretString,
    url: String,
    around: Surroundings,
}

pub(super) fn way(
    settings: &IbmSettings,
    key: Option<&SecretString>,
    around: &Surroundings,
) -> Result<Way, CredentialError> {
    let configured = settings.token.is_some() || settings.zen_api_key.is_some() || settings.api_key.is_some();
    let given = |param: Option<&SecretString>, variable: &str| match configured {
        true => param.cloned(),
        false => either_secret(None, variable, around),
    };
    if let Some(token) = given(settings.token.as_ref(), "WATSONX_TOKEN") {
        return bearer("token", &token).map(Way::Ready);
    }
    if let Some(key) = given(settings.zen_api_key.as_ref(), "WATSONX_ZENAPIKEY") {
        let value = format!("ZenApiKey {}", key.expose_secret().trim());
        return Ok(Way::Ready((AUTHORIZATION, secret_value("zen_api_key", &value)?)));
    }
    let key = settings.api_key.as_ref().or(key).ok_or_else(|| CredentialError::Nowhere {
        looked_at: "api_key, token, zen_api_key, WATSONX_TOKEN, WATSONX_ZENAPIKEY, WATSONX_APIKEY".to_owned(),
    })?;
    let url = around.variable("WATSONX_IAM_URL").unwrap_or(IAM_URL).to_owned();
    Ok(Way::Exchange(Source { key: key.clone(), url, around: around.clone() }))
}

impl Source {
    pub(super) async fn fetch(&self) -> Result<Fetched<Headers>, CredentialError> {
        let pairs = [("grant_type", GRANT), ("apikey", self.key.expose_secret().trim())];
        let ask = Ask::form(&self.url, &pairs).header(ACCEPT, HeaderValue::from_static("application/json"));
        token::fetch(&self.around, IAM, ask).await?.headers()
    }
}

/// Who pays: a request field for calls that name neither a project nor a space themselves.
pub(crate) fn owner(settings: &IbmSettings, around: &Surroundings) -> Option<(&'static str, String)> {
    const PROJECTS: [&str; 3] = ["WATSONX_PROJECT_ID", "WX_PROJECT_ID", "PROJECT_ID"];
    const SPACES: [&str; 4] = ["WATSONX_DEPLOYMENT_SPACE_ID", "WATSONX_SPACE_ID", "WX_SPACE_ID", "SPACE_ID"];
    let project = |id: &str| ("project_id", id.to_owned());
    let space = |id: &str| ("space_id", id.to_owned());
    let set = |names: &[&str]| names.iter().find_map(|name| around.variable(name));
    (settings.project.as_deref().map(project))
        .or_else(|| settings.space.as_deref().map(space))
        .or_else(|| set(&PROJECTS).map(project))
        .or_else(|| set(&SPACES).map(space))
}

/// The address of a region.
pub(crate) fn base(settings: &IbmSettings) -> Result<Option<String>, CredentialError> {
    let Some(region) = settings.region.as_deref() else { return Ok(None) };
    if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(setting("watsonx_region_name", "is not the name of a region"));
    }
    Ok(Some(format!("https://{region}.ml.cloud.ibm.com")))
}

#[cfg(test)]
#[path = "ibm_tests.rs"]
mod tests;
