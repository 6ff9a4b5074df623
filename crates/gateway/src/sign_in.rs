//! Providers that take no plain key: which address their models have here, and the credential that opens it.

use http::{HeaderMap, Method};
use wire::bedrock;
use wire::fault::{Fault, FaultKind};
use wire::provider::{Auth, Provider, SignIn};

use crate::credential::{Credential, CredentialError, Surroundings, Unsigned, aws, google};
use crate::settings::DeploymentSettings;
use crate::transport::{Destination, fault};

/// What a sign-in comes to.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The base URL, where the configuration names none.
    pub(crate) base: Option<String>,
    /// What is asked for each request.
    pub(crate) credential: Credential,
}

/// Prepares the sign-in that `provider` needs for `model`; `None` where a key is enough.
///
/// # Errors
/// What is missing or wrong, for the person who configures it.
pub(crate) fn prepare(
    entry: &DeploymentSettings,
    provider: &Provider,
    model: &str,
    around: Option<&Surroundings>,
) -> Result<Option<SignedIn>, String> {
    let Auth::SignIn(sign_in) = provider.auth else { return Ok(None) };
    let around =
        around.ok_or_else(|| format!("{} needs a sign-in, which is not set up here", entry.model))?;
    let signed_in = match sign_in {
        SignIn::Aws { service } => amazon(entry, provider, model, service, around),
        SignIn::Google => googles(entry, around),
        SignIn::Ibm | SignIn::Oracle => {
            return Err(format!(
                "{} needs a sign-in to {}, which is not supported yet",
                entry.model,
                sign_in.title()
            ));
        }
    };
    signed_in.map(Some).map_err(|error| error.to_string())
}

fn amazon(
    entry: &DeploymentSettings,
    provider: &Provider,
    model: &str,
    service: &'static str,
    around: &Surroundings,
) -> Result<SignedIn, CredentialError> {
    let mut settings = entry.credential.aws.clone();
    settings.bearer = entry.api_key.clone().or(settings.bearer);
    if let Some(region) = bedrock::Address::of(model).region.filter(|_| settings.region.is_none()) {
        settings.region = Some(region.to_owned());
    }
    let region = aws::region(&settings, model, around)?;
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let named = provider.base_env.iter().find_map(|name| around.variable(name));
    let own = provider.base(|name| (name == "AWS_REGION_NAME").then(|| region.clone()));
    let own = own.map(|base| format!("{base}{suffix}"));
    let base = settings.runtime_endpoint.clone().or_else(|| named.map(str::to_owned)).or(own);
    Ok(SignedIn { base, credential: Credential::aws(&settings, service, &region, around)? })
}

fn googles(entry: &DeploymentSettings, around: &Surroundings) -> Result<SignedIn, CredentialError> {
    let settings = &entry.credential.google;
    let place = google::place(settings, around)?;
    let project = place.project.ok_or_else(|| CredentialError::Setting {
        field: "vertex_project".to_owned(),
        problem: "is not set, and neither the credentials nor VERTEXAI_PROJECT name a project".to_owned(),
    })?;
    let location = &place.location;
    let host = match location.as_str() {
        "global" => "https://aiplatform.googleapis.com".to_owned(),
        location => format!("https://{location}-aiplatform.googleapis.com"),
    };
    // A base of one's own stands for Google's host, unless it names a project already.
    let given = entry.api_base.as_deref().map(|base| base.trim_end_matches('/'));
    let base = match given {
        Some(base) if base.contains("/projects/") => base.to_owned(),
        other => format!("{}/v1/projects/{project}/locations/{location}", other.unwrap_or(&host)),
    };
    Ok(SignedIn { base: Some(base), credential: Credential::google(settings, around)? })
}

/// Adds what lets the request through to its headers.
///
/// # Errors
/// A [`Fault`] when there is no credential to be had now.
pub(crate) async fn sign(
    credential: &Credential,
    to: &Destination,
    method: &Method,
    headers: &mut HeaderMap,
    body: &[u8],
) -> Result<(), Fault> {
    let unsigned = Unsigned { method, url: &to.uri, headers, body };
    let added = credential.authorize(unsigned).await.map_err(|error| {
        let (kind, status) = match &error {
            CredentialError::Unreachable { .. } | CredentialError::Malformed { .. } => {
                (FaultKind::Connection, 500)
            }
            _ => (FaultKind::Authentication, 401),
        };
        fault(kind, status, error.to_string())
    })?;
    headers.extend(added.into_iter().map(|(name, value)| (Some(name), value)));
    Ok(())
}
