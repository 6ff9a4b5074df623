//! Identity tokens of others: where the token stands that proves to a cloud who we are.
//!
//! LiteLLM's `oidc/…` references, and what else its parameters take: a file's path or the token itself.

use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::{CredentialError, Surroundings, bearer, file, malformed, setting, token};
use crate::web::{Ask, form};

/// The identity token that `written` (the value of `field`) means.
pub(super) async fn resolve(
    field: &str,
    written: &SecretString,
    around: &Surroundings,
) -> Result<SecretString, CredentialError> {
    let text = written.expose_secret().trim();
    let Some(reference) = text.strip_prefix("oidc/") else {
        // A JWT holds two dots and no slash; a path is absolute.
        return if text.starts_with('/') { file::token(text).await } else { Ok(text.into()) };
    };
    let (kind, rest) = reference.split_once('/').unwrap_or((reference, ""));
    let variable = |name: &str| {
        around
            .variable(name)
            .map(str::to_owned)
            .ok_or_else(|| setting(field, format!("the environment variable {name} is not set")))
    };
    match kind {
        // `oidc/file//run/token` names an absolute path.
        "file" => file::token(rest).await,
        "env" => variable(rest).map(SecretString::from),
        "env_path" => file::token(variable(rest)?).await,
        "circleci" => variable("CIRCLE_OIDC_TOKEN").map(SecretString::from),
        "circleci_v2" => variable("CIRCLE_OIDC_TOKEN_V2").map(SecretString::from),
        "azure" => file::token(variable("AZURE_FEDERATED_TOKEN_FILE")?).await,
        "github" => {
            let (url, key) =
                (variable("ACTIONS_ID_TOKEN_REQUEST_URL")?, variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?);
            github(&url, &key.into(), rest, around).await
        }
        "google" => google(rest, around).await,
        _ => Err(setting(
            field,
            format!(
                "oidc/{kind} is not known; known are file, env, env_path, github, google, azure, circleci and \
                 circleci_v2"
            ),
        )),
    }
}

async fn github(
    url: &str,
    key: &SecretString,
    audience: &str,
    around: &Surroundings,
) -> Result<SecretString, CredentialError> {
    let place = "the GitHub Actions token endpoint";
    let joint = if url.contains('?') { '&' } else { '?' };
    let (name, value) = bearer("ACTIONS_ID_TOKEN_REQUEST_TOKEN", key)?;
    let ask = Ask::get(format!("{url}{joint}{}", form(&[("audience", audience)]))).header(name, value);
    let answer = token::object(around, place, ask).await?;
    let text = answer["value"].as_str().ok_or_else(|| malformed(place, "the answer has no value"))?;
    Ok(text.into())
}

async fn google(audience: &str, around: &Surroundings) -> Result<SecretString, CredentialError> {
    let base = super::google::metadata_base(around);
    let query = form(&[("audience", audience), ("format", "full")]);
    let ask = Ask::get(format!("{base}/instance/service-accounts/default/identity?{query}"))
        .header(HeaderName::from_static("metadata-flavor"), HeaderValue::from_static("Google"))
        .within(Duration::from_secs(1));
    Ok(token::text(around, "the Google metadata server", ask).await?.trim().into())
}
