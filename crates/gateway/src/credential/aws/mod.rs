//! Access keys for AWS and the signatures made with them.
//!
//! What is configured comes first, what the machine offers last; see [`chain`] for the order. Roles are
//! assumed through [`sts`]; containers and instances are asked by [`machine`]; `~/.aws` is read by [`profile`].

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::cache::Cached;
use super::{CredentialError, Headers, Surroundings, Unsigned, either, either_secret, setting};
use crate::settings::AwsSettings;

mod chain;
pub(super) mod identity;
mod machine;
mod profile;
mod sign;
mod sts;

const DEFAULT_REGION: &str = "us-west-2";

/// What requests are signed with.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) access_key_id: SecretString,
    pub(super) secret_access_key: SecretString,
    pub(super) session_token: Option<SecretString>,
    /// Seconds since 1970.
    pub(super) expires: Option<u64>,
}

/// Signs for one service in one region.
#[derive(Debug)]
pub(super) struct Signature {
    service: &'static str,
    region: String,
    keys: Arc<Cached<Keys>>,
    around: Surroundings,
}

impl Signature {
    pub(super) fn new(
        settings: &AwsSettings,
        service: &'static str,
        region: &str,
        around: &Surroundings,
    ) -> Result<Self, CredentialError> {
        let region = checked(region)?;
        chain::check(settings, around)?;
        let ask = Arc::new((settings.clone(), region.clone(), around.clone()));
        let fetch = move || {
            let ask = Arc::clone(&ask);
            async move {
                let (settings, region, around) = &*ask;
                let keys = chain::keys(settings, region, around).await?;
                let expires = keys.expires;
                Ok(super::cache::Fetched { value: keys, expires })
            }
        };
        let keys = Arc::new(Cached::new(around.clock.clone(), fetch));
        Ok(Self { service, region, keys, around: around.clone() })
    }

    pub(super) async fn sign(&self, request: &Unsigned<'_>) -> Result<Headers, CredentialError> {
        let keys = self.keys.get().await?;
        sign::sign(request, &keys, self.service, &self.region, self.around.clock.now())
    }
}

/// The Bedrock key, where one is set. Only Bedrock knows such keys; explicit access keys or a role win over
/// the environment's.
pub(super) fn bearer(settings: &AwsSettings, service: &str, around: &Surroundings) -> Option<SecretString> {
    if !service.starts_with("bedrock") {
        return None;
    }
    if settings.bearer.as_ref().is_some_and(|key| !key.expose_secret().trim().is_empty()) {
        return settings.bearer.clone();
    }
    let explicit = settings.access_key_id.is_some()
        || settings.role.is_some()
        || settings.profile.is_some()
        || settings.web_identity_token.is_some();
    if explicit { None } else { either_secret(None, "AWS_BEARER_TOKEN_BEDROCK", around) }
}

/// The region: `aws_region_name`, the ARN that `model` is, `AWS_REGION_NAME`, `AWS_REGION`,
/// `AWS_DEFAULT_REGION`, the profile's, `us-west-2`. Reads `~/.aws` in the last cases: for start-up.
///
/// # Errors
/// It is not spelled like a region: it becomes part of a host's name.
pub fn region(settings: &AwsSettings, model: &str, around: &Surroundings) -> Result<String, CredentialError> {
    let from_arn = || {
        let arn = model.get(model.find("arn:aws")?..)?;
        arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
    };
    let named = settings.region.clone().filter(|region| !region.trim().is_empty());
    let region = named
        .or_else(from_arn)
        .or_else(|| either(None, "AWS_REGION_NAME", around))
        .or_else(|| either(None, "AWS_REGION", around))
        .or_else(|| either(None, "AWS_DEFAULT_REGION", around))
        .or_else(|| profile::region(settings, around));
    checked(region.as_deref().unwrap_or(DEFAULT_REGION))
}

fn checked(region: &str) -> Result<String, CredentialError> {
    let region = region.trim();
    let letters =
        region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let shape = region.contains('-') && !region.starts_with('-') && !region.ends_with('-');
    if letters && shape && region.len() <= 40 {
        Ok(region.to_owned())
    } else {
        Err(setting("aws_region_name", format!("`{}` is not a region", region.escape_debug())))
    }
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
