//! Workload identity federation: the identity token of another cloud or of a cluster, exchanged for Google's.
//!
//! Subject tokens come from a file, an address or AWS. Not here: executables and X.509 certificates.

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::FIELD;
use super::kind::text;
use crate::credential::token::{self, Token};
use crate::credential::{CredentialError, Surroundings, aws, file, malformed, secret_value, setting};
use crate::web::Ask;

const PLACE: &str = "Google STS";
const SUBJECT: &str = "the subject token's endpoint";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An `external_account`.
#[derive(Debug)]
pub(super) struct External {
    audience: String,
    subject_token_type: String,
    endpoint: String,
    subject: Subject,
    /// `id:secret` in base64, where the pool wants its client to authenticate.
    client: Option<SecretString>,
    user_project: Option<String>,
}

/// Where the identity token stands.
#[derive(Debug)]
enum Subject {
    File { path: String, field: Option<String> },
    Url { url: String, headers: Vec<(HeaderName, HeaderValue)>, field: Option<String> },
    Aws { source: Value },
}

impl External {
    pub(super) fn read(object: &Value) -> Result<Self, CredentialError> {
        let client = match (object["client_id"].as_str(), object["client_secret"].as_str()) {
            (Some(id), Some(secret)) => {
                use base64::Engine as _;
                let pair = format!("{id}:{secret}");
                Some(base64::engine::general_purpose::STANDARD.encode(pair).into())
            }
            _ => None,
        };
        Ok(Self {
            audience: text(object, "audience")?.to_owned(),
            subject_token_type: text(object, "subject_token_type")?.to_owned(),
            endpoint: text(object, "token_url")?.to_owned(),
            subject: Subject::read(&object["credential_source"])?,
            client,
            user_project: object["workforce_pool_user_project"].as_str().map(str::to_owned),
        })
    }

    pub(super) async fn token(
        &self,
        scopes: &[String],
        around: &Surroundings,
    ) -> Result<Token, CredentialError> {
        let subject = self.subject.token(&self.audience, around).await?;
        let scope = scopes.join(" ");
        let options = self.user_project.as_ref().map(|project| json!({"userProject": project}).to_string());
        let mut pairs = vec![
            ("grant_type", EXCHANGE),
            ("audience", &self.audience),
            ("scope", &scope),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", subject.expose_secret()),
        ];
        pairs.extend(options.as_deref().map(|options| ("options", options)));
        let mut ask = Ask::form(&self.endpoint, &pairs);
        if let Some(client) = &self.client {
            let value = secret_value("client_secret", &format!("Basic {}", client.expose_secret()))?;
            ask = ask.header(AUTHORIZATION, value);
        }
        token::fetch(around, PLACE, ask).await
    }
}

impl Subject {
    fn read(source: &Value) -> Result<Self, CredentialError> {
        let json = source["format"]["type"].as_str() == Some("json");
        let field = json.then(|| {
            source["format"]["subject_token_field_name"].as_str().unwrap_or("access_token").to_owned()
        });
        if source["environment_id"].as_str().is_some_and(|id| id.starts_with("aws")) {
            return Ok(Self::Aws { source: source.clone() });
        }
        if let Some(path) = source["file"].as_str() {
            return Ok(Self::File { path: path.to_owned(), field });
        }
        if let Some(url) = source["url"].as_str() {
            let written = source["headers"].as_object().into_iter().flatten();
            let headers = written
                .map(|(name, value)| {
                    let header = HeaderName::from_bytes(name.as_bytes()).ok()?;
                    Some((header, HeaderValue::from_str(value.as_str()?).ok()?))
                })
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    setting(FIELD, "credential_source.headers holds something that is no header")
                })?;
            return Ok(Self::Url { url: url.to_owned(), headers, field });
        }
        Err(setting(
            FIELD,
            "credential_source names neither a file nor a url nor aws; others are not supported",
        ))
    }

    async fn token(&self, audience: &str, around: &Surroundings) -> Result<SecretString, CredentialError> {
        match self {
            Self::Aws { source } => aws::identity::signed(audience, source, around).await,
            Self::File { path, field } => part(&file::token(path).await?, field.as_deref()),
            Self::Url { url, headers, field } => {
                let ask = headers
                    .iter()
                    .fold(Ask::get(url), |ask, (name, value)| ask.header(name.clone(), value.clone()));
                part(&token::text(around, SUBJECT, ask).await?.into(), field.as_deref())
            }
        }
    }
}

/// The text itself or one member of the JSON it is.
fn part(text: &SecretString, field: Option<&str>) -> Result<SecretString, CredentialError> {
    let text = text.expose_secret().trim();
    let Some(field) = field else { return Ok(text.into()) };
    let object: Value = serde_json::from_str(text).unwrap_or_default();
    let token = object[field].as_str().map(SecretString::from);
    token.ok_or_else(|| malformed(SUBJECT, format!("there is no `{field}` in it")))
}
