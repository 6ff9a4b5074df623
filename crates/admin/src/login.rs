//! Logging in to the dashboard and out of it.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use gateway::settings::GeneralSettings;
use http::header::{LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::{Filter, Record, UserFields};
use utoipa::ToSchema;

use crate::access::{Known, Refused, Sent};
use crate::operator::now_ms;
use crate::passwords::{self, Verdict};
use crate::sessions::{self, Begun, COOKIE_NAME};
use crate::throttle::LOGINS;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Login {
    /// The administrator's name, or a user's email or id.
    username: String,
    /// Theirs.
    password: String,
}

/// Where a request comes from.
pub(crate) struct Source(pub(crate) IpAddr);

impl FromRequestParts<Gateway> for Source {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Refused> {
        match parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            Some(ConnectInfo(peer)) => Ok(Self(peer.ip())),
            None => Err(Refusal::new(500, "It is not known where this request comes from.").into()),
        }
    }
}

/// Logs in from a form: a cookie, and on to the dashboard.
#[utoipa::path(post, path = "/login", operation_id = "login_form", tag = "login",
    request_body(content = Login, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Logged in"), (status = 401, description = "Wrong"), (status = 429, description = "Too many tries")))]
pub(crate) async fn form(
    State(gateway): State<Gateway>,
    source: Source,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let mut login = Login { username: String::new(), password: String::new() };
    for (name, value) in url::form_urlencoded::parse(&body) {
        match &*name {
            "username" => login.username = value.into_owned(),
            "password" => login.password = value.into_owned(),
            _ => {}
        }
    }
    let begun = log_in(&gateway, &source, &headers, login).await?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = format!("{}?login=success", ui(&gateway));
    response.headers_mut().insert(LOCATION, gateway::deployment::label(&to));
    response.headers_mut().append(SET_COOKIE, cookie(&gateway, &headers, &begun));
    Ok(response)
}

/// Logs in from a program: the token, also as a cookie.
#[utoipa::path(post, path = "/v2/login", operation_id = "login_json_body", tag = "login", request_body = Login,
    responses((status = 200, description = "Where to go, and the token"), (status = 401, description = "Wrong"), (status = 429, description = "Too many tries")))]
pub(crate) async fn json_body(
    State(gateway): State<Gateway>,
    source: Source,
    headers: HeaderMap,
    Sent(login): Sent<Login>,
) -> Result<Response, Refused> {
    let begun = log_in(&gateway, &source, &headers, login).await?;
    let to = format!("{}?login=success", ui(&gateway));
    let mut response = Json(json!({"redirect_url": to, "token": begun.token})).into_response();
    response.headers_mut().append(SET_COOKIE, cookie(&gateway, &headers, &begun));
    Ok(response)
}

/// Ends the session that is shown.
#[utoipa::path(post, path = "/session/logout", operation_id = "login_logout", tag = "login",
    responses((status = 200, description = "Logged out"), (status = 401, description = "There is no session")))]
pub(crate) async fn logout(_: Known, State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    if let Some(claims) = sessions::shown(&gateway, &headers) {
        sessions::end(&claims);
    }
    let mut response = Json(json!({"message": "Logged out"})).into_response();
    let gone = format!("{COOKIE_NAME}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    response.headers_mut().append(SET_COOKIE, gateway::deployment::label(&gone));
    response
}

/// What the dashboard must know before anybody has logged in.
#[utoipa::path(get, path = "/.well-known/litellm-ui-config", operation_id = "ui_config", tag = "login",
    responses((status = 200, description = "Addresses and ways to log in")))]
pub(crate) async fn ui_config(State(gateway): State<Gateway>) -> Json<Value> {
    Json(config(&gateway))
}

/// The same as `/.well-known/litellm-ui-config`.
#[utoipa::path(get, path = "/litellm/.well-known/litellm-ui-config", operation_id = "ui_config_prefixed", tag = "login",
    responses((status = 200, description = "Addresses and ways to log in")))]
pub(crate) async fn ui_config_prefixed(State(gateway): State<Gateway>) -> Json<Value> {
    Json(config(&gateway))
}

fn config(gateway: &Gateway) -> Value {
    let snapshot = gateway.live.snapshot();
    let dashboard = &snapshot.general.dashboard;
    let root = if dashboard.root_path.is_empty() { "/" } else { dashboard.root_path.as_str() };
    json!({
        "server_root_path": root,
        "proxy_base_url": dashboard.base_url,
        "gateway_base_url": null,
        "auto_redirect_to_sso": false,
        "admin_ui_disabled": dashboard.disabled,
        "sso_configured": false,
        "hide_default_credentials_hint": true,
        "is_control_plane": false,
        "mcp_stdio_enabled": false,
        "use_si_terminology": false,
        "claude_code_marketplace_auth_required": true,
        "workers": [],
    })
}

async fn log_in(
    gateway: &Gateway,
    source: &Source,
    headers: &HeaderMap,
    login: Login,
) -> Result<Begun, Refused> {
    // A page elsewhere must not log a browser in as somebody else.
    if !sessions::is_own_page(headers) {
        return Err(Refusal::new(403, "Logins come from the gateway's own pages.")
            .with_kind("auth_error")
            .into());
    }
    let snapshot = gateway.live.snapshot();
    let general = &snapshot.general;
    if general.master_key.is_none() {
        let message =
            "Master key not set. Without one there is nothing to log in to; set general_settings.master_key.";
        return Err(Refusal::new(500, message).with_kind("auth_error").with_param("master_key").into());
    }
    LOGINS.enter(source.0, Instant::now())?;
    let begun = match is_administrator(general, &login) {
        true => sessions::begin(general, None),
        false => as_user(gateway, general, login).await?,
    };
    let begun = begun.ok_or_else(wrong)?;
    LOGINS.forgive(source.0);
    Ok(begun)
}

fn is_administrator(general: &GeneralSettings, login: &Login) -> bool {
    let Some(password) = sessions::administrators(general) else { return false };
    let same = |one: &str, other: &str| {
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        verify_slices_are_equal(hash(one).as_ref(), hash(other).as_ref()).is_ok()
    };
    same(&login.username, &general.dashboard.username) & same(&login.password, &password)
}

async fn as_user(
    gateway: &Gateway,
    general: &GeneralSettings,
    login: Login,
) -> Result<Option<Begun>, Refused> {
    let db = gateway.live.db();
    let user = match &db {
        Some(db) => named(db, &login.username).await?,
        None => None,
    };
    let kept = user.as_ref().and_then(|user| user.fields.password.clone());
    let verdict = passwords::verify(login.password, kept).await?;
    let (Some(db), Some(mut user)) = (db, user.filter(|user| !user.fields.blocked)) else { return Ok(None) };
    match verdict {
        Verdict::Wrong => return Ok(None),
        Verdict::Right => {}
        Verdict::Outdated(hash) => {
            let mut tx = db.begin().await?;
            if let Some(mut now) = tx.get::<UserFields>(&user.id).await?
                && now.fields.password == user.fields.password
            {
                now.fields.password = Some(hash);
                now.updated_at = now_ms();
                tx.update(&now).await?;
                user = now;
            }
            tx.commit().await?;
            gateway.live.catch_up().await;
        }
    }
    Ok(sessions::begin(general, Some((&user.id, &user.fields))))
}

/// The user with this email, in any case of letters, or this id.
async fn named(db: &Db, name: &str) -> Result<Option<Record<UserFields>>, Refused> {
    if name.is_empty() {
        return Ok(None);
    }
    if let Some(user) = db.get::<UserFields>(name).await? {
        return Ok(Some(user));
    }
    let found = db.find::<UserFields>(&Filter { search: Some(name), ..Filter::default() }).await?;
    let is_theirs = |email: &String| email.eq_ignore_ascii_case(name);
    Ok(found.into_iter().find(|user| user.fields.user_email.as_ref().is_some_and(is_theirs)))
}

fn wrong() -> Refused {
    let message = "Invalid credentials used to access UI.\nCheck 'UI_USERNAME', 'UI_PASSWORD' in .env file";
    Refusal::new(401, message).with_kind("auth_error").with_param("invalid_credentials").into()
}

/// Where the dashboard is.
pub(crate) fn ui(gateway: &Gateway) -> String {
    let snapshot = gateway.live.snapshot();
    let dashboard = &snapshot.general.dashboard;
    let base = dashboard.base_url.as_deref().unwrap_or_default().trim_end_matches('/');
    format!("{base}{}/ui/", dashboard.root_path)
}

/// The session's cookie: scripts do not read it, other sites do not send it, and it goes over TLS alone where the login
/// came so.
pub(crate) fn cookie(gateway: &Gateway, headers: &HeaderMap, begun: &Begun) -> HeaderValue {
    static FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-proto");
    let snapshot = gateway.live.snapshot();
    let base = snapshot.general.dashboard.base_url.as_deref().unwrap_or_default();
    let secure =
        base.starts_with("https://") || headers.get(&FORWARDED).is_some_and(|scheme| scheme == "https");
    let age = begun.claims.exp - begun.claims.iat;
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE_NAME}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", begun.token);
    gateway::deployment::label(&text)
}
