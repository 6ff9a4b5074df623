//! The kinds of credentials that Google's JSON files hold, and how each becomes a token.

use std::pin::Pin;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::external::External;
use super::{FIELD, SCOPE, machine_token};
use crate::credential::jwt::Signer;
use crate::credential::token::{self, Token};
use crate::credential::{CredentialError, Surroundings, bearer, malformed, setting, time};
use crate::web::Ask;

const PLACE: &str = "Google's token endpoint";
const IAM: &str = "Google IAM";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// One way to a token.
#[derive(Debug)]
pub(super) enum Way {
    /// `service_account`: an assertion signed with its key.
    Account { email: String, signer: Signer, endpoint: String },
    /// `authorized_user`: a person's refresh token, as `gcloud` leaves it.
    User { client_id: String, client_secret: SecretString, refresh_token: SecretString, endpoint: String },
    /// `external_account`: the identity token of somebody whom Google trusts.
    External(Box<External>),
    /// A service account that another identity may act for.
    Impersonated { base: Box<Way>, url: String, delegates: Vec<Value> },
    /// The machine's service account.
    Metadata,
}

type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Token, CredentialError>> + Send + 'a>>;

impl Way {
    /// Boxed: an impersonation stands on another way.
    pub(super) fn token<'a>(&'a self, scopes: &'a [String], around: &'a Surroundings) -> Fetching<'a> {
        Box::pin(async move {
            match self {
                Self::Account { email, signer, endpoint } => {
                    let now = around.clock.now();
                    let assertion = signer.sign(&json!({
                        "iss": email, "scope": scopes.join(" "), "aud": endpoint, "iat": now, "exp": now + 3600,
                    }))?;
                    let pairs = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
                    token::fetch(around, PLACE, Ask::form(endpoint, &pairs)).await
                }
                Self::User { client_id, client_secret, refresh_token, endpoint } => {
                    let pairs = [
                        ("grant_type", "refresh_token"),
                        ("client_id", client_id),
                        ("client_secret", client_secret.expose_secret()),
                        ("refresh_token", refresh_token.expose_secret()),
                    ];
                    token::fetch(around, PLACE, Ask::form(endpoint, &pairs)).await
                }
                Self::External(external) => external.token(scopes, around).await,
                Self::Impersonated { base, url, delegates } => {
                    let base = base.token(&[SCOPE.to_owned()], around).await?;
                    impersonate(url, delegates, scopes, &base, around).await
                }
                Self::Metadata => machine_token(scopes, around).await,
            }
        })
    }
}

/// Reads a credentials object. `depth` counts the impersonations above it.
pub(super) fn read(object: &Value, depth: usize) -> Result<Way, CredentialError> {
    let kind = text(object, "type")?;
    let way = match kind {
        "service_account" => Way::Account {
            email: text(object, "client_email")?.to_owned(),
            signer: Signer::google(
                &SecretString::from(text(object, "private_key")?),
                object["private_key_id"].as_str(),
            )?,
            endpoint: endpoint(object),
        },
        "authorized_user" => Way::User {
            client_id: text(object, "client_id")?.to_owned(),
            client_secret: text(object, "client_secret")?.into(),
            refresh_token: text(object, "refresh_token")?.into(),
            endpoint: endpoint(object),
        },
        "external_account" => Way::External(Box::new(External::read(object)?)),
        "impersonated_service_account" if depth == 0 => Way::Impersonated {
            base: Box::new(read(&object["source_credentials"], depth + 1)?),
            url: text(object, "service_account_impersonation_url")?.to_owned(),
            delegates: object["delegates"].as_array().cloned().unwrap_or_default(),
        },
        other => {
            let problem = format!(
                "the type `{}` is not supported; supported are service_account, authorized_user, external_account \
                 and impersonated_service_account",
                other.escape_debug()
            );
            return Err(setting(FIELD, problem));
        }
    };
    let Some(url) =
        object["service_account_impersonation_url"].as_str().filter(|_| kind == "external_account")
    else {
        return Ok(way);
    };
    Ok(Way::Impersonated { base: Box::new(way), url: url.to_owned(), delegates: Vec::new() })
}

async fn impersonate(
    url: &str,
    delegates: &[Value],
    scopes: &[String],
    base: &Token,
    around: &Surroundings,
) -> Result<Token, CredentialError> {
    let (name, value) = bearer("access_token", &base.text)?;
    let body = json!({"scope": scopes, "lifetime": "3600s", "delegates": delegates});
    let answer = token::object(around, IAM, Ask::json(url, &body).header(name, value)).await?;
    let text = answer["accessToken"].as_str().ok_or_else(|| malformed(IAM, "there is no accessToken"))?;
    let expires = answer["expireTime"].as_str().and_then(time::parse);
    Ok(Token { text: text.into(), expires: expires.ok_or_else(|| malformed(IAM, "there is no expireTime"))? })
}

fn endpoint(object: &Value) -> String {
    object["token_uri"].as_str().unwrap_or(TOKEN_URI).to_owned()
}

/// A member that must be there.
pub(super) fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, CredentialError> {
    object[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| setting(&format!("{FIELD}.{name}"), "is missing"))
}
