//! Providers that take no plain key: which address their models have here, and the credential that opens it.

use http::{HeaderMap, Method};
use secrecy::ExposeSecret;
use wire::bedrock;
use wire::fault::{Fault, FaultKind};
use wire::provider::{Addressing, Auth, Provider, SignIn};

use crate::credential::{Credential, CredentialError, Surroundings, Unsigned, aws, google, ibm, oracle};
use crate::settings::{DeploymentSettings, ProviderSettings};
use crate::transport::Destination;

/// What a sign-in comes to.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The base URL, where the configuration names none.
    pub(crate) base: Option<String>,
    /// What is asked for each request, unless it is the same for all.
    pub(crate) credential: Credential,
    /// A request field that says who pays, where the request does not.
    pub(crate) owner: Option<(&'static str, String)>,
}

/// Prepares the sign-in that `provider` needs for `model`; `None` where a key is enough.
///
/// # Errors
/// What is missing or wrong, for the person who configures it.
pub(crate) fn prepare(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    provider: &Provider,
    model: &str,
    around: Option<&Surroundings>,
) -> Result<Option<SignedIn>, String> {
    let Auth::SignIn(sign_in) = provider.auth else {
        let takes_entra = matches!(provider.addressing, Addressing::Azure | Addressing::AzureAi);
        let signed_in = match around {
            Some(around) if takes_entra => entra(entry, known, around),
            Some(around) if provider.name == DATABRICKS => databricks(entry, known, around),
            Some(_) | None => Ok(None),
        };
        return signed_in.map_err(|error| error.to_string());
    };
    let around =
        around.ok_or_else(|| format!("{} needs a sign-in, which is not set up here", entry.model))?;
    let signed_in = match sign_in {
        SignIn::Aws { service } => amazon(entry, provider, model, service, around),
        SignIn::Google => googles(entry, around),
        SignIn::Ibm => ibms(entry, known, around),
        SignIn::Oracle => oracles(entry, provider, around),
    };
    signed_in.map(Some).map_err(|error| error.to_string())
}

/// Takes keys, and tokens of service principals.
const DATABRICKS: &str = "databricks";

/// A token of Databricks in the place of a key, in the same order.
fn databricks(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    around: &Surroundings,
) -> Result<Option<SignedIn>, CredentialError> {
    let settings = &entry.credential.azure;
    let environments = settings.client_secret.is_none() && known.is_some_and(|it| it.api_key.is_some());
    let base = entry.api_base.as_deref().or_else(|| known?.api_base.as_deref());
    let Some(base) = base.filter(|_| entry.api_key.is_none() && !environments) else { return Ok(None) };
    match Credential::databricks(settings, base, around) {
        Ok(credential) => Ok(Some(SignedIn { base: None, credential, owner: None })),
        // Then a key is missed, and its absence is told.
        Err(CredentialError::Nowhere { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A token of Microsoft Entra in the place of a key. What the entry says comes before a key of the environment, and
/// that before what else the environment offers.
fn entra(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    around: &Surroundings,
) -> Result<Option<SignedIn>, CredentialError> {
    let settings = &entry.credential.azure;
    match &settings.token {
        // A token as it is needs no more work than a key.
        Some(token) if !token.expose_secret().starts_with("oidc/") => return Ok(None),
        Some(_) => {}
        None => {
            let says_how = settings.client_secret.is_some()
                || settings.certificate_path.is_some()
                || (settings.username.is_some() && settings.password.is_some());
            let environments = !says_how && known.is_some_and(|known| known.api_key.is_some());
            if entry.api_key.is_some() || environments {
                return Ok(None);
            }
        }
    }
    match Credential::azure(settings, around) {
        Ok(credential) => Ok(Some(SignedIn { base: None, credential, owner: None })),
        // Then a key is missed, and its absence is told.
        Err(CredentialError::Nowhere { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn ibms(
    entry: &DeploymentSettings,
    known: Option<&ProviderSettings>,
    around: &Surroundings,
) -> Result<SignedIn, CredentialError> {
    let mut settings = entry.credential.ibm.clone();
    settings.api_key = entry.api_key.clone();
    let given = known.is_some_and(|known| known.api_base.is_some());
    Ok(SignedIn {
        base: if given { None } else { ibm::base(&settings)? },
        credential: Credential::ibm(&settings, known.and_then(|known| known.api_key.as_ref()), around)?,
        owner: ibm::owner(&settings, around),
    })
}

fn oracles(
    entry: &DeploymentSettings,
    provider: &Provider,
    around: &Surroundings,
) -> Result<SignedIn, CredentialError> {
    let settings = &entry.credential.oracle;
    let base = provider.base(|name| match name {
        "OCI_REGION" => Some(oracle::region(settings, around)),
        name => around.variable(name).map(str::to_owned),
    });
    let credential = Credential::oracle(settings, around)?;
    Ok(SignedIn { base, credential, owner: oracle::compartment(around) })
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
    let credential = Credential::aws(&settings, service, &region, around)?;
    Ok(SignedIn { base, credential, owner: None })
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
    let credential = Credential::google(settings, around)?;
    Ok(SignedIn { base: Some(base), credential, owner: None })
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
        Fault::new(kind, status, error.to_string())
    })?;
    headers.extend(added.into_iter().map(|(name, value)| (Some(name), value)));
    Ok(())
}
