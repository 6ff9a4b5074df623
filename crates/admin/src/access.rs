//! Who may ask: handlers that need a caller take [`Known`] as an argument.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use gateway::deliver;
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use http::request::Parts;
use wire::format::Format;

/// Proof that the caller was identified.
pub(crate) struct Known;

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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        deliver::bare_refusal(&self.0, Format::OpenAiChat, None).map(axum::body::Body::new)
    }
}
