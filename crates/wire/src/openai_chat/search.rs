//! Where a search is asked from, as chat completions say it in `web_search_options`, for upstreams that are told in
//! words of their own. How much is searched is each upstream's own affair.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Fields;
use crate::fault::TranslateError;

/// About where somebody is; OpenAI's and Anthropic's tools take the same object.
#[derive(Serialize)]
pub(crate) struct Location<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'a RawValue>,
}

impl<'a> Location<'a> {
    /// The place that `place` describes.
    pub(crate) fn of(place: &Fields<'a>) -> Self {
        Self {
            r#type: "approximate",
            city: place.get("city"),
            region: place.get("region"),
            country: place.get("country"),
            timezone: place.get("timezone"),
        }
    }

    /// The `user_location` of `web_search_options`, with or without the `approximate` around it.
    pub(crate) fn in_options(options: &Fields<'a>) -> Result<Option<Self>, TranslateError> {
        let Some(raw) = options.get("user_location") else { return Ok(None) };
        let path = "web_search_options.user_location";
        let place = Fields::read(raw, path)?;
        let inner = place.get("approximate").map(|raw| Fields::read(raw, format_args!("{path}.approximate")));
        Ok(Some(Self::of(&inner.transpose()?.unwrap_or(place))))
    }
}
