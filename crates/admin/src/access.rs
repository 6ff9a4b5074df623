//! Who may ask, and what is sent: handlers that need a caller take [`Known`] as an argument, those that need the
//! database [`Stored`], those with a body [`Sent`].

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use gateway::deliver;
use gateway::directory::Identity;
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use http::request::Parts;
use policy::roles::Object;
use store::db::{Db, DbError};
use wire::format::Format;

use crate::sessions;

/// The caller, identified.
pub(crate) struct Known(pub(crate) Identity);

/// The database, which must be there.
pub(crate) struct Stored(pub(crate) Db);

/// A JSON body; one that does not fit is refused in the same shape as everything else.
pub(crate) struct Sent<T>(pub(crate) T);

/// A refusal as an axum response.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Refusal);

impl FromRequestParts<Gateway> for Known {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Refused> {
        if let Some(identity) = sessions::identity(gateway, &parts.headers) {
            return Ok(Self(identity));
        }
        match gateway.live.identify(&parts.headers) {
            Ok(identity) => Ok(Self(identity)),
            Err(refusal) => Err(Refused(refusal)),
        }
    }
}

impl Known {
    /// Goes on only if the caller may call this route about `object`.
    ///
    /// # Errors
    /// 401 in LiteLLM's words.
    pub(crate) fn must(&self, method: &str, path: &str, object: &Object<'_>) -> Result<(), Refused> {
        if self.0.may(method, path, object) {
            return Ok(());
        }
        let user = self.0.user_id.as_deref().map_or_else(|| "None".to_owned(), masked);
        Err(Refusal::new(
            401,
            format!(
                "Authentication Error, Only proxy admin can be used to generate, delete, update info for new \
                 keys/users/teams. Route={path}. Your role={}. Your user_id={user}",
                self.0.role
            ),
        )
        .with_kind("auth_error")
        .into())
    }
}

/// Enough of an id to recognise one's own.
fn masked(id: &str) -> String {
    let shown: String = id.chars().take(4).collect();
    format!("{shown}****")
}

impl FromRequestParts<Gateway> for Stored {
    type Rejection = Refused;

    async fn from_request_parts(_: &mut Parts, gateway: &Gateway) -> Result<Self, Refused> {
        let missing = || {
            Refused(
                Refusal::new(
                    500,
                    "No connected db. Start the gateway with a database to manage keys and teams.",
                )
                .with_kind("no_db_connection"),
            )
        };
        gateway.live.db().map(Self).ok_or_else(missing)
    }
}

impl<T> FromRequest<Gateway> for Sent<T>
where
    Json<T>: FromRequest<Gateway, Rejection = JsonRejection>,
{
    type Rejection = Refused;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Refused> {
        match Json::from_request(request, gateway).await {
            Ok(Json(sent)) => Ok(Self(sent)),
            Err(problem) => Err(Refused(Refusal::new(400, problem.body_text()).with_param("request_body"))),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        let (status, kind) = match &error {
            DbError::Unavailable(_) => (503, "no_db_connection"),
            DbError::Duplicate(_) => (400, "bad_request_error"),
            DbError::Newer { .. }
            | DbError::Migration(_)
            | DbError::Address(_)
            | DbError::Corrupt(_)
            | DbError::Unfit(_)
            | DbError::Statement(_) => (500, "internal_server_error"),
        };
        if status == 500 {
            tracing::error!(%error, "the database failed a management request");
        }
        Self(Refusal::new(status, error.to_string()).with_kind(kind))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        deliver::bare_refusal(&self.0, Format::OpenAiChat, None).map(axum::body::Body::new)
    }
}
