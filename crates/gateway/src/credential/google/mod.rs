//! Google access tokens, and the project and location they are for.
//!
//! Credentials are a JSON object of one of the kinds in [`kind`], or the metadata server of the machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::cache::Fetched;
use super::token::{self, Token};
use super::{CredentialError, Headers, Surroundings, either, either_secret, file, secret_value, setting};
use crate::settings::GoogleSettings;
use crate::web::{Ask, form};

mod external;
mod kind;

use kind::Way;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const DEFAULT_LOCATION: &str = "us-central1";
const METADATA: &str = "the Google metadata server";
const FIELD: &str = "vertex_credentials";

/// Where a token comes from.
#[derive(Debug)]
pub(super) struct Source {
    way: Way,
    scopes: Vec<String>,
    /// Whom to bill, where the credentials are a person's.
    quota_project: Option<String>,
    around: Surroundings,
}

/// For which project and where models are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `None`: only the metadata server may know, see [`project_of_machine`].
    pub project: Option<String>,
    /// A region or `global`.
    pub location: String,
}

impl Source {
    pub(super) fn new(settings: &GoogleSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        let scopes = match settings.scopes.is_empty() {
            true => vec![SCOPE.to_owned()],
            false => settings.scopes.clone(),
        };
        let object = object(settings, around)?;
        let way = match &object {
            Some(object) => kind::read(object, 0)?,
            None => Way::Metadata,
        };
        let quota_project = object.as_ref().and_then(|object| object["quota_project_id"].as_str());
        Ok(Self { way, scopes, quota_project: quota_project.map(str::to_owned), around: around.clone() })
    }

    pub(super) async fn fetch(self: Arc<Self>) -> Result<Fetched<Headers>, CredentialError> {
        let token = self.way.token(&self.scopes, &self.around).await?;
        let mut fetched = token.headers()?;
        if let Some(project) = &self.quota_project {
            let value = secret_value("vertex_credentials.quota_project_id", project)?;
            fetched.value.push((HeaderName::from_static("x-goog-user-project"), value));
        }
        Ok(fetched)
    }
}

/// The project (`vertex_project`, `VERTEXAI_PROJECT`, the credentials' own, `GOOGLE_CLOUD_PROJECT`) and the
/// location (`vertex_location`, `VERTEXAI_LOCATION`, `VERTEX_LOCATION`, `us-central1`). For start-up: it may
/// read the credentials' file.
///
/// # Errors
/// The file cannot be read, or a value could not stand in an address.
pub fn place(settings: &GoogleSettings, around: &Surroundings) -> Result<Place, CredentialError> {
    let location = either(settings.location.as_deref(), "VERTEXAI_LOCATION", around)
        .or_else(|| either(None, "VERTEX_LOCATION", around))
        .unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
    let mut project = either(settings.project.as_deref(), "VERTEXAI_PROJECT", around);
    if project.is_none() {
        let object = object(settings, around)?.unwrap_or_default();
        let own = ["project_id", "quota_project_id"].iter().find_map(|name| object[*name].as_str());
        project = own.map(str::to_owned).or_else(|| either(None, "GOOGLE_CLOUD_PROJECT", around));
    }
    let plain = |text: &str, also: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || also.contains(c))
    };
    if !plain(&location, "") {
        return Err(setting("vertex_location", "is not the name of a location"));
    }
    if project.as_deref().is_some_and(|project| !plain(project, ":._")) {
        return Err(setting("vertex_project", "is not the id of a project"));
    }
    Ok(Place { project, location })
}

/// The project that this machine belongs to.
///
/// # Errors
/// There is no metadata server, or it does not know.
pub async fn project_of_machine(around: &Surroundings) -> Result<String, CredentialError> {
    let base = metadata_base(around);
    let project = token::text(around, METADATA, metadata(format!("{base}/project/project-id"))).await?;
    Ok(project.trim().to_owned())
}

/// A token of the machine's service account.
async fn machine_token(scopes: &[String], around: &Surroundings) -> Result<Token, CredentialError> {
    let base = metadata_base(around);
    let query = form(&[("scopes", &scopes.join(","))]);
    let ask = metadata(format!("{base}/instance/service-accounts/default/token?{query}"));
    token::fetch(around, METADATA, ask).await.map_err(|error| match error {
        CredentialError::Unreachable { .. } => CredentialError::Nowhere {
            looked_at: format!(
                "vertex_credentials, VERTEXAI_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS, the application default \
                 credentials and {METADATA}"
            ),
        },
        other => other,
    })
}

fn metadata(url: String) -> Ask {
    Ask::get(url)
        .within(Duration::from_secs(1))
        .header(HeaderName::from_static("metadata-flavor"), HeaderValue::from_static("Google"))
}

/// The metadata server's address up to and without `/instance` or `/project`.
pub(super) fn metadata_base(around: &Surroundings) -> String {
    let host = around.variable("GCE_METADATA_HOST").unwrap_or("metadata.google.internal");
    format!("http://{host}/computeMetadata/v1")
}

/// The credentials' JSON object: the setting's, the environment's, the one `gcloud` leaves.
fn object(settings: &GoogleSettings, around: &Surroundings) -> Result<Option<Value>, CredentialError> {
    let written = either_secret(settings.credentials.as_ref(), "VERTEXAI_CREDENTIALS", around)
        .or_else(|| either_secret(None, "GOOGLE_APPLICATION_CREDENTIALS", around));
    let text = match written {
        Some(written) if written.expose_secret().starts_with('{') => written,
        Some(path) => file::read_now(Path::new(path.expose_secret()))?.into(),
        None => match left_by_gcloud(around).filter(|path| path.is_file()) {
            Some(path) => file::read_now(&path)?.into(),
            None => return Ok(None),
        },
    };
    parse(&text).map(Some)
}

fn parse(text: &SecretString) -> Result<Value, CredentialError> {
    match serde_json::from_str(text.expose_secret()) {
        Ok(object @ Value::Object(_)) => Ok(object),
        // The parser's words would repeat a piece of the key.
        _ => Err(setting(FIELD, "is not a JSON object")),
    }
}

fn left_by_gcloud(around: &Surroundings) -> Option<PathBuf> {
    let directory = match around.variable("CLOUDSDK_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => match around.variable("APPDATA") {
            Some(data) => Path::new(data).join("gcloud"),
            None => around.home()?.join(".config").join("gcloud"),
        },
    };
    Some(directory.join("application_default_credentials.json"))
}

#[cfg(test)]
#[path = "google_tests.rs"]
mod tests;
