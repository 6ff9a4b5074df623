//! Roles, assumed at the Security Token Service.

use http::Method;
use http::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::{Keys, sign};
use crate::credential::{CredentialError, Surroundings, Unsigned, either, malformed, setting, time, token};
use crate::settings::AwsSettings;
use crate::web::Ask;

const PLACE: &str = "AWS STS";

/// The service's endpoint for one region.
pub(super) struct Sts<'a> {
    endpoint: String,
    region: &'a str,
    around: &'a Surroundings,
}

impl<'a> Sts<'a> {
    pub(super) fn new(settings: &AwsSettings, region: &'a str, around: &'a Surroundings) -> Self {
        let configured = either(settings.sts_endpoint.as_deref(), "AWS_STS_ENDPOINT", around)
            .or_else(|| either(None, "AWS_ENDPOINT_URL_STS", around));
        let endpoint = configured.unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://sts.{region}.amazonaws.com{suffix}/")
        });
        Self { endpoint, region, around }
    }

    /// `AssumeRoleWithWebIdentity`.
    pub(super) async fn with_token(
        &self,
        role: &str,
        session: &str,
        token: &SecretString,
    ) -> Result<Keys, CredentialError> {
        let ask = self.ask(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token.expose_secret()),
        ]);
        keys(&token::text(self.around, PLACE, ask).await?)
    }

    /// `AssumeRole`, signed with `base`.
    pub(super) async fn with_keys(
        &self,
        role: &str,
        session: &str,
        external_id: Option<&SecretString>,
        base: &Keys,
    ) -> Result<Keys, CredentialError> {
        let mut pairs = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
        ];
        pairs.extend(external_id.map(|id| ("ExternalId", id.expose_secret())));
        let mut ask = self.ask(&pairs);
        let url = ask
            .url()
            .parse()
            .map_err(|error| setting("aws_sts_endpoint", format!("is not an address: {error}")))?;
        let headers: HeaderMap = ask.headers_mut().clone();
        let unsigned = Unsigned { method: &Method::POST, url: &url, headers: &headers, body: ask.body() };
        let signature = sign::sign(&unsigned, base, "sts", self.region, self.around.clock.now())?;
        ask.headers_mut().extend(signature);
        keys(&token::text(self.around, PLACE, ask).await?)
    }

    fn ask(&self, pairs: &[(&str, &str)]) -> Ask {
        Ask::form(&self.endpoint, pairs)
    }
}

/// The `Credentials` of an answer. Their values are base64 and dates, so nothing is escaped in them.
fn keys(xml: &str) -> Result<Keys, CredentialError> {
    let element = |name: &str| {
        let (_, rest) = xml.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    };
    let secret = |name: &str| {
        element(name).map(SecretString::from).ok_or_else(|| malformed(PLACE, format!("there is no {name}")))
    };
    let expires = element("Expiration").and_then(time::parse);
    Ok(Keys {
        access_key_id: secret("AccessKeyId")?,
        secret_access_key: secret("SecretAccessKey")?,
        session_token: Some(secret("SessionToken")?),
        expires: Some(expires.ok_or_else(|| malformed(PLACE, "there is no Expiration"))?),
    })
}
