//! Who may ask, and what is sent: handlers that need a caller take [`Known`] as an argument, those with a body [`Sent`].

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use gateway::deliver;
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use http::request::Parts;
use wire::format::Format;

/// Proof that the caller was identified.
pub(crate) struct Known;

/// A JSON body; one that does not fit is refused in the same shape as everything else.
pub(crate) struct Sent<T>(pub(crate) T);

/// A refusal as an axum response.
pub(crate) struct Refused(pub(crate) Refusal);

impl FromRequestParts<Gateway> for Known {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Refused> {
        match gateway.live.snapshot().keys.identify(&parts.headers) {
            Ok(_) => Ok(Self),
            Err(refusal) => Err(Refused(refusal)),
        }
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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        deliver::bare_refusal(&self.0, Format::OpenAiChat, None).map(axum::body::Body::new)
    }
}
