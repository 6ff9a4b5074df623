//! Answers of OAuth token endpoints: Google's, Entra's, IBM's and those of managed identities.

use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::cache::Fetched;
use super::{CredentialError, Headers, Surroundings, malformed, secret_value};
use crate::web::Ask;

/// How much of an endpoint's explanation is repeated.
const MOST_SAID: usize = 300;

/// A token and when it ends, in seconds since 1970.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretString,
    pub(super) expires: u64,
}

/// Sends `ask` and reads the JSON object of a successful answer.
pub(super) async fn object(around: &Surroundings, place: &str, ask: Ask) -> Result<Value, CredentialError> {
    let body = text(around, place, ask).await?;
    match serde_json::from_str(&body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(malformed(place, "the answer is not a JSON object")),
    }
}

/// Sends `ask` and reads the text of a successful answer.
pub(super) async fn text(around: &Surroundings, place: &str, ask: Ask) -> Result<String, CredentialError> {
    let answer = around
        .web
        .send(ask)
        .await
        .map_err(|problem| CredentialError::Unreachable { place: place.to_owned(), problem })?;
    if !answer.status.is_success() {
        let message = said(&answer.body);
        return Err(CredentialError::Refused {
            place: place.to_owned(),
            status: answer.status.as_u16(),
            message,
        });
    }
    String::from_utf8(answer.body.into()).map_err(|_| malformed(place, "the answer is not UTF-8"))
}

/// Asks for `{access_token, expires_in | expires_on}`.
pub(super) async fn fetch(around: &Surroundings, place: &str, ask: Ask) -> Result<Token, CredentialError> {
    let asked_at = around.clock.now();
    let answer = object(around, place, ask).await?;
    let text = answer["access_token"].as_str().filter(|token| !token.is_empty());
    let text = text.ok_or_else(|| malformed(place, "the answer has no access_token"))?.into();
    // Managed identities write numbers as text, and some App Service versions write no `expires_in`.
    let expires = match seconds(&answer["expires_in"]) {
        Some(lifetime) => asked_at.saturating_add(lifetime),
        None => seconds(&answer["expires_on"])
            .ok_or_else(|| malformed(place, "the answer has neither expires_in nor expires_on"))?,
    };
    Ok(Token { text, expires })
}

impl Token {
    /// The token as the header it is sent in.
    pub(super) fn headers(&self) -> Result<Fetched<Headers>, CredentialError> {
        let value = format!("Bearer {}", self.text.expose_secret());
        Ok(Fetched {
            value: vec![(AUTHORIZATION, secret_value("access_token", &value)?)],
            expires: Some(self.expires),
        })
    }
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// What an endpoint says about its refusal, in the spellings of OAuth, Google, AWS, IBM and plain text.
fn said(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = [
        "/error_description",
        "/error/message",
        "/error/status",
        "/error",
        "/message",
        "/Message",
        "/errorMessage",
    ];
    let from_json = words.iter().find_map(|at| value.pointer(at)?.as_str().map(str::to_owned));
    let text = from_json.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(MOST_SAID).collect()
}
