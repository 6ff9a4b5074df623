//! Credentials that need work: signatures, and tokens that are fetched and run out.
//!
//! [`Credential::authorize`] gives the headers of one request. A token that is at hand costs a load and a
//! clone; one that nears its end is replaced in the background, once, see [`cache`]. Where a credential comes
//! from: [`aws`], [`google`], [`azure`], [`ibm`], [`oracle`], `databricks`. Not here: plain API keys, which are prebuilt headers of a deployment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use secrecy::{ExposeSecret, SecretString};

use crate::settings::{AwsSettings, AzureSettings, GoogleSettings, IbmSettings, OracleSettings};
use crate::transport::Tls;
pub use crate::web::Web;

pub mod aws;
pub mod azure;
mod cache;
mod databricks;
mod file;
pub mod google;
pub mod ibm;
mod jwt;
pub mod oracle;
mod reference;
#[cfg(test)]
mod tests;
mod time;
mod token;

use cache::{Cached, Fetched};

/// The headers that authorize a request.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

/// What lets requests of one deployment through.
#[derive(Clone, Debug)]
pub struct Credential(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Fixed(Arc<Headers>),
    Token(Arc<Cached<Headers>>),
    Aws(Arc<aws::Signature>),
    Oracle(Arc<oracle::Signature>),
}

/// A request that is complete but for its authorization.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a Method,
    /// The absolute address, its path encoded as it is sent.
    pub url: &'a Uri,
    /// The headers that are signed where requests are signed; a `host` is derived from `url`.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// What credentials stand in: the environment, the network, the time.
#[derive(Clone)]
pub struct Surroundings {
    /// The variables of the process.
    pub variables: Arc<BTreeMap<String, String>>,
    /// The way to token endpoints.
    pub web: Web,
    /// What connections to hosts that callers name trust.
    pub tls: Tls,
    /// The time.
    pub clock: Clock,
}

/// Tells the time in seconds since 1970.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The configuration or the environment says something unusable.
    #[error("{field}: {problem}")]
    Setting { field: String, problem: String },
    /// A file cannot be used.
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    /// A token endpoint was not reached; it may be later.
    #[error("{place} was not reached: {problem}")]
    Unreachable { place: String, problem: String },
    /// A token endpoint said no.
    #[error("{place} refused with status {status}: {message}")]
    Refused { place: String, status: u16, message: String },
    /// A token endpoint said something else than its documentation promises.
    #[error("{place} answered unexpectedly: {problem}")]
    Malformed { place: String, problem: String },
    /// Nothing is configured and nothing was found.
    #[error("no credentials were found; looked at {looked_at}")]
    Nowhere { looked_at: String },
}

impl Credential {
    /// Signs for `service` in `region` (see [`aws::region`]), or sends a Bedrock key.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn aws(
        settings: &AwsSettings,
        service: &'static str,
        region: &str,
        around: &Surroundings,
    ) -> Result<Self, CredentialError> {
        match aws::bearer(settings, service, around) {
            Some(key) => Ok(Self(Kind::Fixed(Arc::new(vec![bearer("api_key", &key)?])))),
            None => aws::Signature::new(settings, service, region, around)
                .map(|signature| Self(Kind::Aws(Arc::new(signature)))),
        }
    }

    /// A Google access token.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn google(settings: &GoogleSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        let source = Arc::new(google::Source::new(settings, around)?);
        Ok(Self::token(around, move || {
            let source = Arc::clone(&source);
            async move { source.fetch().await }
        }))
    }

    /// A Microsoft Entra token.
    ///
    /// # Errors
    /// What is wrong with the settings, or that they and the environment name no way to a token.
    pub fn azure(settings: &AzureSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        let source = Arc::new(azure::Source::new(settings, around)?);
        if let Some(token) = source.ready() {
            return Ok(Self(Kind::Fixed(Arc::new(vec![bearer("azure_ad_token", token)?]))));
        }
        Ok(Self::token(around, move || {
            let source = Arc::clone(&source);
            async move { source.fetch().await }
        }))
    }

    /// An IBM Cloud token, or what Cloud Pak for Data takes as it is. `key` is the environment's.
    ///
    /// # Errors
    /// What is wrong with the settings, or that neither they nor the environment hold a key.
    pub fn ibm(
        settings: &IbmSettings,
        key: Option<&SecretString>,
        around: &Surroundings,
    ) -> Result<Self, CredentialError> {
        let source = match ibm::way(settings, key, around)? {
            ibm::Way::Ready(header) => return Ok(Self(Kind::Fixed(Arc::new(vec![header])))),
            ibm::Way::Exchange(source) => Arc::new(source),
        };
        Ok(Self::token(around, move || {
            let source = Arc::clone(&source);
            async move { source.fetch().await }
        }))
    }

    /// A token of the Databricks workspace at `base`.
    ///
    /// # Errors
    /// What is wrong with the settings, or that neither they nor the environment name a service principal.
    pub fn databricks(
        settings: &AzureSettings,
        base: &str,
        around: &Surroundings,
    ) -> Result<Self, CredentialError> {
        let source = Arc::new(databricks::Source::new(settings, base, around)?);
        Ok(Self::token(around, move || {
            let source = Arc::clone(&source);
            async move { source.fetch().await }
        }))
    }

    /// Signs for Oracle Cloud.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn oracle(settings: &OracleSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        Ok(Self(Kind::Oracle(Arc::new(oracle::Signature::new(settings, around)?))))
    }

    /// The headers, where they are the same for every request.
    #[must_use]
    pub fn fixed(&self) -> Option<&Headers> {
        match &self.0 {
            Kind::Fixed(headers) => Some(headers),
            Kind::Token(_) | Kind::Aws(_) | Kind::Oracle(_) => None,
        }
    }

    /// The headers for `request`. Cheap while what it takes is at hand.
    ///
    /// # Errors
    /// Why there are none. A failure is remembered for a few seconds.
    pub async fn authorize(&self, request: Unsigned<'_>) -> Result<Headers, CredentialError> {
        match &self.0 {
            Kind::Fixed(headers) => Ok(headers.to_vec()),
            Kind::Token(cached) => Ok(cached.get().await?.to_vec()),
            Kind::Aws(signature) => signature.sign(&request).await,
            Kind::Oracle(signature) => signature.sign(&request),
        }
    }

    fn token<F, Fut>(around: &Surroundings, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Fetched<Headers>, CredentialError>> + Send + 'static,
    {
        Self(Kind::Token(Arc::new(Cached::new(around.clock.clone(), fetch))))
    }
}

impl Surroundings {
    /// Those of a process with these variables.
    #[must_use]
    pub fn new(variables: BTreeMap<String, String>, tls: &Tls) -> Self {
        let (variables, web) = (Arc::new(variables), Web::new(tls));
        Self { variables, web, tls: tls.clone(), clock: Clock::system() }
    }

    /// A variable that is set to more than space.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
        })
    }

    /// Any clock.
    #[must_use]
    pub fn new(seconds: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(seconds))
    }

    fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Surroundings({} variables)", self.variables.len())
    }
}

/// The parameter where it is set, else the variable.
fn either(param: Option<&str>, variable: &str, around: &Surroundings) -> Option<String> {
    let param = param.map(str::trim).filter(|value| !value.is_empty());
    param.or_else(|| around.variable(variable)).map(str::to_owned)
}

/// The same for secrets.
fn either_secret(
    param: Option<&SecretString>,
    variable: &str,
    around: &Surroundings,
) -> Option<SecretString> {
    either(param.map(ExposeSecret::expose_secret), variable, around).map(SecretString::from)
}

fn bearer(field: &str, token: &SecretString) -> Result<(HeaderName, HeaderValue), CredentialError> {
    let value = format!("Bearer {}", token.expose_secret().trim());
    Ok((AUTHORIZATION, secret_value(field, &value)?))
}

fn secret_value(field: &str, text: &str) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| setting(field, "holds characters that no HTTP header can carry (a line break?)"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn setting(field: &str, problem: impl Into<String>) -> CredentialError {
    CredentialError::Setting { field: field.to_owned(), problem: problem.into() }
}

fn malformed(place: &str, problem: impl Into<String>) -> CredentialError {
    CredentialError::Malformed { place: place.to_owned(), problem: problem.into() }
}
