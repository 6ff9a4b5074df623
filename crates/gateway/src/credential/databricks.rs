//! Databricks' tokens: the id and secret of a service principal are exchanged, at the workspace itself, for one that
//! lasts an hour. What is configured comes before what the environment holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::{AUTHORIZATION, HeaderValue};
use secrecy::ExposeSecret;

use super::cache::Fetched;
use super::{CredentialError, Headers, Surroundings, either, either_secret, secret_value, setting, token};
use crate::settings::AzureSettings;
use crate::web::Ask;

const WORKSPACE: &str = "the Databricks workspace";

/// Where a token comes from.
#[derive(Debug)]
pub(super) struct Source {
    endpoint: String,
    basic: HeaderValue,
    around: Surroundings,
}

impl Source {
    /// `base` is the address of the workspace or of anything below it.
    pub(super) fn new(
        settings: &AzureSettings,
        base: &str,
        around: &Surroundings,
    ) -> Result<Self, CredentialError> {
        let id = either(settings.client_id.as_deref(), "DATABRICKS_CLIENT_ID", around);
        let secret = either_secret(settings.client_secret.as_ref(), "DATABRICKS_CLIENT_SECRET", around);
        let (id, secret) = match (id, secret) {
            (Some(id), Some(secret)) => (id, secret),
            (None, Some(_)) => return Err(setting("client_id", "is missing")),
            (_, None) => {
                let looked_at =
                    "client_id and client_secret, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET";
                return Err(CredentialError::Nowhere { looked_at: looked_at.to_owned() });
            }
        };
        let uri: Option<Uri> = base.parse().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
        let (scheme, host) = parts.ok_or_else(|| setting("api_base", "is not the address of a workspace"))?;
        let basic = STANDARD.encode(format!("{id}:{}", secret.expose_secret()));
        Ok(Self {
            endpoint: format!("{scheme}://{host}/oidc/v1/token"),
            basic: secret_value("client_secret", &format!("Basic {basic}"))?,
            around: around.clone(),
        })
    }

    pub(super) async fn fetch(&self) -> Result<Fetched<Headers>, CredentialError> {
        let pairs = [("grant_type", "client_credentials"), ("scope", "all-apis")];
        let ask = Ask::form(&self.endpoint, &pairs).header(AUTHORIZATION, self.basic.clone());
        token::fetch(&self.around, WORKSPACE, ask).await?.headers()
    }
}

#[cfg(test)]
#[path = "databricks_tests.rs"]
mod tests;
