//! Links by which users set their first password, and how they change it later.
//!
//! The link is a secret: only its hash is kept, and it is shown once.

use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::hash::{hash, hex};
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use http::HeaderMap;
use http::header::SET_COOKIE;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Tx;
use store::entity::{InvitationFields, Record, UserFields};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Refused, Sent, Stored};
use crate::login::{self, Source};
use crate::operator::{Answer, Asked, Operator, bad, missing, now_ms};
use crate::passwords::{self, Verdict};
use crate::sessions;
use crate::shown;
use crate::throttle::LOGINS;

/// How long a link is good.
const GOOD_FOR: Duration = Duration::from_hours(7 * 24);

/// Who is invited.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Invited {
    /// A user.
    user_id: String,
}

/// Which invitation.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Its id.
    invitation_id: String,
}

/// What is changed of an invitation.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Change {
    /// Its id.
    invitation_id: String,
    /// Whether it was used.
    is_accepted: bool,
}

/// A link that was followed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Link {
    /// The invitation's id.
    invite_link: String,
}

/// A first password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Claim {
    /// The invitation's id.
    invitation_link: String,
    /// Whose it is.
    user_id: String,
    /// The password they chose.
    password: String,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    /// The one it was, where there was one.
    #[serde(alias = "old_password")]
    current_password: Option<String>,
    /// The one it is to be.
    #[serde(alias = "password")]
    new_password: String,
}

/// Invites a user: the id is the secret of the link, and is shown this once.
#[utoipa::path(post, path = "/invitation/new", operation_id = "invitation_new", tag = "login", request_body = Invited,
    responses((status = 200, description = "The invitation"), (status = 404, description = "There is no such user")))]
pub(crate) async fn new(operator: Operator, Sent(sent): Sent<Invited>) -> Answer {
    let mut edit = operator.begin().await?;
    let Some(user) = edit.get::<UserFields>(&sent.user_id).await? else {
        // Who may invite only some users is told the same of all others.
        operator.must("POST", "/invitation/new", &About::default())?;
        return Err(missing("user_id", format!("User id={} does not exist in db", sent.user_id)));
    };
    let about = About {
        owner: Some(&user.id),
        organization: user.fields.organization_id.as_deref(),
        ..About::default()
    };
    operator.must("POST", "/invitation/new", &about)?;
    let is_plain =
        matches!(user.fields.user_role.as_deref(), None | Some("internal_user" | "internal_user_viewer"));
    if !operator.is_admin() && !is_plain {
        return Err(bad("user_id", "Only a proxy admin invites an administrator."));
    }
    let mut secret = [0; 32];
    rand::fill(&mut secret).map_err(|_| Refusal::new(500, "There are no random numbers."))?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let good_for = i64::try_from(GOOD_FOR.as_millis()).unwrap_or(i64::MAX);
    let fields =
        InvitationFields { user_id: user.id, expires_at: edit.now + good_for, ..InvitationFields::default() };
    let record = edit.record(hashed(&secret), fields);
    edit.add(&record).await?;
    operator.finish(edit).await?;
    let mut shown = row(&record);
    shown["id"] = secret.into();
    Ok(Json(shown))
}

/// An invitation.
#[utoipa::path(get, path = "/invitation/info", operation_id = "invitation_info", tag = "login", params(Which),
    responses((status = 200, description = "The invitation"), (status = 404, description = "There is none")))]
pub(crate) async fn info(operator: Operator, Asked(which): Asked<Which>) -> Answer {
    operator.must("GET", "/invitation/info", &About::default())?;
    let record = operator.db.get::<InvitationFields>(&id(&which.invitation_id)).await?;
    record.map(|record| Json(row(&record))).ok_or_else(unknown)
}

/// Marks an invitation as used, or as not.
#[utoipa::path(post, path = "/invitation/update", operation_id = "invitation_update", tag = "login", request_body = Change,
    responses((status = 200, description = "The invitation"), (status = 404, description = "There is none")))]
pub(crate) async fn update(operator: Operator, Sent(change): Sent<Change>) -> Answer {
    operator.must("POST", "/invitation/update", &About::default())?;
    let mut edit = operator.begin().await?;
    let record = edit.get::<InvitationFields>(&id(&change.invitation_id)).await?;
    let mut record = record.ok_or_else(unknown)?;
    let before = record.fields.clone();
    record.fields.is_accepted = change.is_accepted;
    record.fields.accepted_at = change.is_accepted.then_some(edit.now);
    edit.change("updated", &before, &mut record).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&record)))
}

/// Takes an invitation back.
#[utoipa::path(post, path = "/invitation/delete", operation_id = "invitation_delete", tag = "login", request_body = Which,
    responses((status = 200, description = "The invitation that was"), (status = 404, description = "There is none")))]
pub(crate) async fn delete(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    operator.must("POST", "/invitation/delete", &About::default())?;
    let mut edit = operator.begin().await?;
    let record = edit.remove::<InvitationFields>(&id(&which.invitation_id)).await?.ok_or_else(unknown)?;
    operator.finish(edit).await?;
    Ok(Json(row(&record)))
}

/// Who a link is for; it is not used up by this.
#[utoipa::path(get, path = "/onboarding/get_token", operation_id = "invitation_get_token", tag = "login", params(Link),
    responses((status = 200, description = "Who is invited, and where to go"), (status = 401, description = "The link is not good")))]
pub(crate) async fn get_token(
    State(gateway): State<Gateway>,
    Stored(db): Stored,
    source: Source,
    Asked(link): Asked<Link>,
) -> Answer {
    LOGINS.enter(source.0, Instant::now())?;
    let record = db.get::<InvitationFields>(&hashed(&link.invite_link)).await?;
    let record = record.filter(is_good).ok_or_else(not_good)?;
    let user = db.get::<UserFields>(&record.fields.user_id).await?.ok_or_else(not_good)?;
    LOGINS.forgive(source.0);
    Ok(Json(json!({
        "login_url": format!("{}onboarding?invitation_id={}", login::ui(&gateway), link.invite_link),
        "user_id": user.id,
        "user_email": user.fields.user_email,
    })))
}

/// Sets the password of who was invited, and logs them in. The link is used up.
#[utoipa::path(post, path = "/onboarding/claim_token", operation_id = "invitation_claim", tag = "login", request_body = Claim,
    responses((status = 200, description = "Logged in"), (status = 401, description = "The link is not good")))]
pub(crate) async fn claim(
    State(gateway): State<Gateway>,
    Stored(db): Stored,
    source: Source,
    headers: HeaderMap,
    Sent(claim): Sent<Claim>,
) -> Result<Response, Refused> {
    LOGINS.enter(source.0, Instant::now())?;
    passwords::check(&claim.password)?;
    let link = hashed(&claim.invitation_link);
    let asked = db.get::<InvitationFields>(&link).await?;
    asked.filter(|record| is_good(record) && record.fields.user_id == claim.user_id).ok_or_else(not_good)?;
    let hash = passwords::hashed(claim.password).await?;
    let mut tx = db.begin().await?;
    let now = now_ms();
    // Looked at again: two may have followed the link at once.
    let mut record = tx.get::<InvitationFields>(&link).await?.filter(is_good).ok_or_else(not_good)?;
    record.fields.is_accepted = true;
    record.fields.accepted_at = Some(now);
    record.updated_at = now;
    tx.update(&record).await?;
    let user = set_password(&mut tx, &claim.user_id, hash, now).await?.ok_or_else(not_good)?;
    tx.commit().await?;
    gateway.live.catch_up().await;
    LOGINS.forgive(source.0);
    logged_in(&gateway, &headers, &user)
}

/// Changes one's own password. All sessions that began with the old one end; this one goes on under the token returned.
#[utoipa::path(post, path = "/user/password/change", operation_id = "invitation_change", tag = "login", request_body = NewPassword,
    responses((status = 200, description = "It is changed"), (status = 401, description = "The current password is wrong")))]
pub(crate) async fn change(
    operator: Operator,
    source: Source,
    headers: HeaderMap,
    Sent(sent): Sent<NewPassword>,
) -> Result<Response, Refused> {
    let user_id = operator.user().unwrap_or_default().to_owned();
    operator.must("POST", "/user/password/change", &About { owner: Some(&user_id), ..About::default() })?;
    LOGINS.enter(source.0, Instant::now())?;
    passwords::check(&sent.new_password)?;
    let Some(user) = operator.db.get::<UserFields>(&user_id).await? else {
        return Err(missing(
            "user_id",
            "Only users of the database have passwords here; the administrator's is UI_PASSWORD.",
        ));
    };
    let given = sent.current_password.unwrap_or_default();
    if user.fields.password.is_none()
        || passwords::verify(given, user.fields.password.clone()).await? == Verdict::Wrong
    {
        let message = "The current password is wrong.";
        return Err(Refusal::new(401, message).with_kind("auth_error").with_param("current_password").into());
    }
    let hash = passwords::hashed(sent.new_password).await?;
    let mut tx = operator.db.begin().await?;
    let now = now_ms();
    let changed = set_password(&mut tx, &user_id, hash, now).await?;
    let changed = changed.ok_or_else(|| missing("user_id", "This user is gone."))?;
    tx.commit().await?;
    operator.gateway.live.catch_up().await;
    LOGINS.forgive(source.0);
    logged_in(&operator.gateway, &headers, &changed)
}

fn logged_in(gateway: &Gateway, headers: &HeaderMap, user: &Record<UserFields>) -> Result<Response, Refused> {
    let general = &gateway.live.snapshot().general;
    let begun = sessions::begin(general, Some((&user.id, &user.fields)));
    let begun = begun.ok_or_else(|| Refusal::new(500, "Without a master key there are no sessions."))?;
    let body = json!({
        "login_url": format!("{}?login=success", login::ui(gateway)),
        "token": begun.token,
        "user_id": user.id,
        "user_email": user.fields.user_email,
    });
    let mut response = Json(body).into_response();
    response.headers_mut().append(SET_COOKIE, login::cookie(gateway, headers, &begun));
    Ok(response)
}

async fn set_password(
    tx: &mut Tx,
    user_id: &str,
    hash: String,
    now: i64,
) -> Result<Option<Record<UserFields>>, Refused> {
    let Some(mut user) = tx.get::<UserFields>(user_id).await? else { return Ok(None) };
    user.fields.password = Some(hash);
    user.updated_at = now;
    user.updated_by = Some(user_id.to_owned());
    tx.update(&user).await?;
    let sql =
        "INSERT INTO audit (at, actor, action, kind, id, after) VALUES ($1, $2, 'updated', 'users', $2, $3)";
    tx.execute(sql, &[now.into(), user_id.into(), "{\"password\":\"*****\"}".into()]).await?;
    Ok(Some(user))
}

fn is_good(record: &Record<InvitationFields>) -> bool {
    !record.fields.is_accepted && record.fields.expires_at > now_ms()
}

fn hashed(secret: &str) -> String {
    hex(&hash(secret.as_bytes()))
}

/// Operators name an invitation by its secret or by its hash; only the secret opens it.
fn id(sent: &str) -> String {
    let is_hash = sent.len() == 64 && sent.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { sent.to_owned() } else { hashed(sent) }
}

fn row(record: &Record<InvitationFields>) -> Value {
    json!({
        "id": record.id,
        "user_id": record.fields.user_id,
        "is_accepted": record.fields.is_accepted,
        "accepted_at": shown::time(record.fields.accepted_at),
        "expires_at": shown::time(Some(record.fields.expires_at)),
        "created_at": shown::time(Some(record.created_at)),
        "created_by": record.created_by,
        "updated_at": shown::time(Some(record.updated_at)),
        "updated_by": record.updated_by,
    })
}

fn unknown() -> Refused {
    missing("invitation_id", "Invitation id does not exist in the database.")
}

fn not_good() -> Refused {
    let message = "Invalid invitation link: it is unknown, used or expired. Ask for another.";
    Refusal::new(401, message).with_kind("auth_error").with_param("invite_link").into()
}
