//! The signature of one request, as the headers it is sent with; the signing itself is [`wire::sigv4`].
//!
//! Only what cannot change on the way is signed: host, content type, date and session token.

use http::header::{AUTHORIZATION, HeaderName};
use secrecy::ExposeSecret;
use url::form_urlencoded;
use wire::sigv4::{self, Credentials, Scope};

use super::Keys;
use crate::credential::{CredentialError, Headers, Unsigned, secret_value, setting};

/// What binds a signed request to one audience at Google.
pub(super) const TARGET: &str = "x-goog-cloud-target-resource";

/// The headers that sign `request` at `now`, in seconds since 1970.
pub(super) fn sign(
    request: &Unsigned<'_>,
    keys: &Keys,
    service: &str,
    region: &str,
    now: u64,
) -> Result<Headers, CredentialError> {
    let host = request.url.authority().ok_or_else(|| setting("api_base", "is not an absolute address"))?;
    let mut headers = vec![("host", host.as_str())];
    for name in ["content-type", TARGET] {
        if let Some(value) = request.headers.get(name) {
            headers.push((name, value.to_str().map_err(|_| setting(name, "is not text"))?));
        }
    }
    let query: Vec<_> = form_urlencoded::parse(request.url.query().unwrap_or_default().as_bytes()).collect();
    let query: Vec<_> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    let path = match request.url.path() {
        "" => "/",
        path => path,
    };
    let signed = sigv4::sign(
        &sigv4::Request {
            method: request.method.as_str(),
            path,
            query: &query,
            headers: &headers,
            body: request.body,
        },
        &Credentials {
            access_key_id: keys.access_key_id.expose_secret(),
            secret_access_key: &keys.secret_access_key,
            session_token: keys.session_token.as_ref(),
        },
        Scope { region, service },
        now,
    );
    let header = |name, field, value: &str| Ok((HeaderName::from_static(name), secret_value(field, value)?));
    let mut headers = vec![
        (AUTHORIZATION, secret_value("aws_access_key_id", &signed.authorization)?),
        header("x-amz-date", "date", &signed.date)?,
    ];
    if let Some(token) = &keys.session_token {
        headers.push(header("x-amz-security-token", "aws_session_token", token.expose_secret())?);
    }
    Ok(headers)
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
