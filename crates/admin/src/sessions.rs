//! Sessions of the dashboard: who logged in, as a signed token that a browser keeps as a cookie.
//!
//! The token is LiteLLM's: a JWT by HMAC-SHA256 with its claims. The key that signs it is derived from the master key
//! for this purpose alone, so what opens secrets at rest cannot make sessions. A session ends with its
//! time, at its logout, when the password that began it is changed, and when its user is blocked or gone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::directory::Identity;
use gateway::life::Gateway;
use gateway::settings::GeneralSettings;
use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use store::entity::UserFields;
use store::seal::derived;

use crate::operator::now_ms;

/// The cookie's name.
pub(crate) const COOKIE_NAME: &str = "token";
/// The only header there is: what says anything else is not ours, whatever it says.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const LABEL: &str = "dashboard sessions 1";
const LONGEST: usize = 8 << 10;
/// Logouts that are remembered until their sessions would have ended.
const MOST_ENDED: usize = 10_000;

static ENDED: Mutex<Option<HashMap<String, i64>>> = Mutex::new(None);
static KEY_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-litellm-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
];
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a session's token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) user_id: String,
    /// The same session as a token that is only good as a bearer token; where LiteLLM has a virtual key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) user_email: Option<String>,
    pub(crate) user_role: String,
    pub(crate) login_method: String,
    pub(crate) premium_user: bool,
    pub(crate) auth_header_name: String,
    pub(crate) disabled_non_admin_personal_key_creation: bool,
    pub(crate) server_root_path: String,
    /// Logged in as the administrator, not as a user of the database.
    pub(crate) administrator: bool,
    /// What changes when the password changes.
    pub(crate) proof: String,
    pub(crate) jti: String,
    /// Seconds of Unix time.
    pub(crate) iat: i64,
    /// Seconds of Unix time.
    pub(crate) exp: i64,
}

/// A session that begins now.
pub(crate) struct Begun {
    pub(crate) token: String,
    pub(crate) claims: Claims,
}

/// Begins a session of a user, or of the administrator.
pub(crate) fn begin(general: &GeneralSettings, user: Option<(&str, &UserFields)>) -> Option<Begun> {
    let now = now_ms() / 1000;
    let dashboard = &general.dashboard;
    let session = i64::try_from(dashboard.session.as_secs()).unwrap_or(i64::MAX);
    let secret = match user {
        Some((_, fields)) => fields.password.clone()?,
        None => administrators(general)?,
    };
    let mut claims = Claims {
        user_id: user.map_or("default_user_id", |(id, _)| id).to_owned(),
        key: None,
        user_email: user.and_then(|(_, fields)| fields.user_email.clone()),
        user_role: match user {
            Some((_, fields)) => fields.user_role.clone().unwrap_or_else(|| "internal_user".to_owned()),
            None => "proxy_admin".to_owned(),
        },
        login_method: "username_password".to_owned(),
        premium_user: true,
        auth_header_name: "Authorization".to_owned(),
        disabled_non_admin_personal_key_creation: false,
        server_root_path: dashboard.root_path.clone(),
        administrator: user.is_none(),
        proof: proof(general, &secret)?,
        jti: uuid::Uuid::now_v7().to_string(),
        iat: now,
        exp: now.saturating_add(session),
    };
    claims.key = Some(sign(general, &claims)?);
    let token = sign(general, &claims)?;
    Some(Begun { token, claims })
}

/// Who a session is of, if there is one in `headers`: a bearer token, or a cookie that a page of this very origin sends.
pub(crate) fn identity(gateway: &Gateway, headers: &HeaderMap) -> Option<Identity> {
    let claims = shown(gateway, headers)?;
    if claims.administrator {
        return Some(Identity { master: false, ..Identity::master() });
    }
    let books = gateway.live.books()?;
    Some(books.directory.user_identity(Some(&claims.user_id)))
}

/// The session in `headers`, if it is still good.
pub(crate) fn shown(gateway: &Gateway, headers: &HeaderMap) -> Option<Claims> {
    let general = &gateway.live.snapshot().general;
    let claims = read(general, token(headers)?)?;
    let secret = if claims.administrator {
        administrators(general)
    } else {
        let user = gateway.live.books()?.directory.user(&claims.user_id)?;
        user.record.fields.password.clone().filter(|_| !user.record.fields.blocked)
    };
    (proof(general, &secret?)? == claims.proof).then_some(claims)
}

/// Ends a session before its time.
pub(crate) fn end(claims: &Claims) {
    let now = now_ms() / 1000;
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = ended.get_or_insert_default();
    ended.retain(|_, until| *until > now);
    if ended.len() < MOST_ENDED {
        ended.insert(claims.jti.clone(), claims.exp);
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(sent) = headers.get(AUTHORIZATION) {
        let (scheme, token) = sent.to_str().ok()?.trim().split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    if KEY_HEADERS.iter().any(|name| headers.contains_key(name)) {
        return None;
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie = cookies.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then_some(value)
    })?;
    is_own_page(headers).then_some(cookie)
}

/// A browser sends cookies along with whatever any page asks for. Only pages of this origin may use them; browsers say
/// where a request is from.
pub(crate) fn is_own_page(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(&FETCH_SITE) {
        // `none`: the user typed the address.
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    origin.is_some() && origin == host
}

fn sign(general: &GeneralSettings, claims: &Claims) -> Option<String> {
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
    let signed = format!("{HEADER}.{body}");
    let tag = hmac::sign(&key(general)?, signed.as_bytes());
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)))
}

/// What a token says, if we signed it and its time has not come.
fn read(general: &GeneralSettings, token: &str) -> Option<Claims> {
    if token.len() > LONGEST {
        return None;
    }
    let (signed, tag) = token.rsplit_once('.')?;
    let body = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    hmac::verify(&key(general)?, signed.as_bytes(), &tag).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = ended.as_ref().is_some_and(|ended| ended.contains_key(&claims.jti));
    (claims.exp > now_ms() / 1000 && !ended).then_some(claims)
}

/// The password that the administrator logs in with.
pub(crate) fn administrators(general: &GeneralSettings) -> Option<String> {
    let password = general.dashboard.password.as_ref().or(general.master_key.as_ref())?;
    Some(password.expose_secret().to_owned())
}

/// Tells nothing of `secret`, and is another for every other.
fn proof(general: &GeneralSettings, secret: &str) -> Option<String> {
    let tag = hmac::sign(&key(general)?, format!("proof\0{secret}").as_bytes());
    Some(URL_SAFE_NO_PAD.encode(tag.as_ref().get(..16)?))
}

fn key(general: &GeneralSettings) -> Option<hmac::Key> {
    let key = derived(general.master_key.as_ref(), LABEL).ok()?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
