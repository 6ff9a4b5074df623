//! Microsoft Entra tokens.
//!
//! What is configured comes first, in LiteLLM's order: a token (or an `oidc/…` reference exchanged for one), a
//! client with its secret, a certificate, a user with a password. What the machine offers comes only where
//! it is allowed: workload identity, then managed identity (App Service, then the instance's metadata).

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest;
use http::header::{HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use super::cache::Fetched;
use super::jwt::Signer;
use super::token::{self, Token};
use super::{
    CredentialError, Headers, Surroundings, either, either_secret, file, reference, secret_value, setting,
};
use crate::settings::AzureSettings;
use crate::web::{Ask, form};

const DEFAULT_SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const ENTRA: &str = "Microsoft Entra";
const MANAGED: &str = "the Azure managed identity endpoint";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Where a token comes from.
#[derive(Debug)]
pub(super) struct Source {
    way: Way,
    scope: String,
    around: Surroundings,
}

#[derive(Debug)]
enum Way {
    Ready(SecretString),
    Secret {
        app: App,
        secret: SecretString,
    },
    Certificate {
        app: App,
        signer: Signer,
    },
    User {
        app: App,
        username: String,
        password: SecretString,
    },
    /// An identity token of somebody whom Entra trusts; the string is the field it was written in.
    Federated {
        app: App,
        field: &'static str,
        token: SecretString,
    },
    Managed {
        client_id: Option<String>,
    },
}

/// An application in a tenant.
#[derive(Debug)]
struct App {
    /// The tenant's token endpoint.
    endpoint: String,
    client_id: String,
}

impl Source {
    pub(super) fn new(settings: &AzureSettings, around: &Surroundings) -> Result<Self, CredentialError> {
        let scope = either(settings.scope.as_deref(), "AZURE_SCOPE", around);
        Ok(Self {
            way: way(settings, around)?,
            scope: scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
            around: around.clone(),
        })
    }

    /// The token that needs no fetching.
    pub(super) fn ready(&self) -> Option<&SecretString> {
        match &self.way {
            Way::Ready(token) => Some(token),
            _ => None,
        }
    }

    pub(super) async fn fetch(&self) -> Result<Fetched<Headers>, CredentialError> {
        let token = match &self.way {
            Way::Ready(token) => Token { text: token.clone(), expires: u64::MAX },
            Way::Secret { app, secret } => {
                self.client(app, &[("client_secret", secret.expose_secret())]).await?
            }
            Way::Certificate { app, signer } => {
                let now = self.around.clock.now();
                let assertion = signer.sign(&json!({
                    "aud": app.endpoint, "iss": app.client_id, "sub": app.client_id,
                    "jti": Uuid::now_v7().to_string(), "nbf": now, "iat": now, "exp": now + 600,
                }))?;
                self.assert(app, &assertion).await?
            }
            Way::Federated { app, field, token } => {
                let token = reference::resolve(field, token, &self.around).await?;
                self.assert(app, token.expose_secret()).await?
            }
            Way::User { app, username, password } => {
                self.ask(
                    app,
                    &[
                        ("grant_type", "password"),
                        ("username", username),
                        ("password", password.expose_secret()),
                    ],
                )
                .await?
            }
            Way::Managed { client_id } => self.managed(client_id.as_deref()).await?,
        };
        token.headers()
    }

    async fn client(&self, app: &App, proof: &[(&str, &str)]) -> Result<Token, CredentialError> {
        let pairs = [&[("grant_type", "client_credentials")], proof].concat();
        self.ask(app, &pairs).await
    }

    async fn assert(&self, app: &App, assertion: &str) -> Result<Token, CredentialError> {
        self.client(app, &[("client_assertion_type", ASSERTION), ("client_assertion", assertion)]).await
    }

    async fn ask(&self, app: &App, pairs: &[(&str, &str)]) -> Result<Token, CredentialError> {
        let pairs = [pairs, &[("client_id", &app.client_id), ("scope", &self.scope)]].concat();
        token::fetch(&self.around, ENTRA, Ask::form(&app.endpoint, &pairs)).await
    }

    async fn managed(&self, client_id: Option<&str>) -> Result<Token, CredentialError> {
        // Managed identities are asked for a resource, not for a scope.
        let resource = self.scope.strip_suffix("/.default").unwrap_or(&self.scope);
        let mut pairs = vec![("resource", resource)];
        pairs.extend(client_id.map(|id| ("client_id", id)));
        let around = &self.around;
        let ask = match (around.variable("IDENTITY_ENDPOINT"), around.variable("IDENTITY_HEADER")) {
            (Some(endpoint), Some(header)) => {
                pairs.push(("api-version", "2019-08-01"));
                Ask::get(format!("{endpoint}?{}", form(&pairs))).header(
                    HeaderName::from_static("x-identity-header"),
                    secret_value("IDENTITY_HEADER", header)?,
                )
            }
            _ => {
                pairs.push(("api-version", "2018-02-01"));
                let base = around.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
                let base = base.unwrap_or("http://169.254.169.254").trim_end_matches('/');
                Ask::get(format!("{base}/metadata/identity/oauth2/token?{}", form(&pairs)))
                    .header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"))
            }
        };
        token::fetch(around, MANAGED, ask.within(Duration::from_secs(1))).await
    }
}

fn way(settings: &AzureSettings, around: &Surroundings) -> Result<Way, CredentialError> {
    let client_id = either(settings.client_id.as_deref(), "AZURE_CLIENT_ID", around);
    let app = || app(settings, client_id.as_deref(), around);
    if let Some(token) = either_secret(settings.token.as_ref(), "AZURE_AD_TOKEN", around) {
        let field = "azure_ad_token";
        return match token.expose_secret().starts_with("oidc/") {
            true => Ok(Way::Federated { app: app()?, field, token }),
            false => Ok(Way::Ready(token)),
        };
    }
    if let Some(secret) = either_secret(settings.client_secret.as_ref(), "AZURE_CLIENT_SECRET", around) {
        return Ok(Way::Secret { app: app()?, secret });
    }
    let certificate = either(settings.certificate_path.as_deref(), "AZURE_CLIENT_CERTIFICATE_PATH", around);
    if let Some(path) = certificate {
        return Ok(Way::Certificate { app: app()?, signer: certificate_signer(Path::new(&path))? });
    }
    let password = either_secret(settings.password.as_ref(), "AZURE_PASSWORD", around);
    if let (Some(username), Some(password)) =
        (either(settings.username.as_deref(), "AZURE_USERNAME", around), password)
    {
        return Ok(Way::User { app: app()?, username, password });
    }
    if !settings.ambient {
        return Err(CredentialError::Nowhere {
            looked_at: "azure_ad_token, client_secret, client_certificate_path, azure_username with \
                        azure_password; set enable_azure_ad_token_refresh to use the machine's identity"
                .to_owned(),
        });
    }
    match around.variable("AZURE_FEDERATED_TOKEN_FILE") {
        Some(path) => {
            // Read anew for each exchange: the cluster rotates it.
            let token = format!("oidc/file/{path}").into();
            Ok(Way::Federated { app: app()?, field: "AZURE_FEDERATED_TOKEN_FILE", token })
        }
        None => Ok(Way::Managed { client_id }),
    }
}

fn app(
    settings: &AzureSettings,
    client_id: Option<&str>,
    around: &Surroundings,
) -> Result<App, CredentialError> {
    let tenant = either(settings.tenant_id.as_deref(), "AZURE_TENANT_ID", around);
    let tenant = tenant.ok_or_else(|| setting("tenant_id", "is missing"))?;
    if !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.') {
        return Err(setting("tenant_id", "is not the id or the domain of a tenant"));
    }
    let client_id = client_id.ok_or_else(|| setting("client_id", "is missing"))?;
    let authority = around.variable("AZURE_AUTHORITY_HOST").unwrap_or("login.microsoftonline.com");
    let scheme = if authority.contains("://") { "" } else { "https://" };
    let endpoint = format!("{scheme}{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
    Ok(App { endpoint, client_id: client_id.to_owned() })
}

fn certificate_signer(path: &Path) -> Result<Signer, CredentialError> {
    let pem = SecretString::from(file::read_now(path)?);
    let certificate = CertificateDer::from_pem_slice(pem.expose_secret().as_bytes())
        .map_err(|_| file::unusable(path, "holds no certificate in PEM form"))?;
    Signer::azure(&pem, digest::digest(&digest::SHA256, &certificate).as_ref())
}

#[cfg(test)]
#[path = "azure_tests.rs"]
mod tests;
