//! What a client may change for one call, in body fields or headers, under LiteLLM's names.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, USER_AGENT};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::envelope::Envelope;

use crate::refusal::Refusal;

/// A longer timeout means none.
const LONGEST: f64 = 86_400.0;
/// More retries help nobody.
const MOST_RETRIES: u64 = 100;

// Names parsed once; parsing one costs more than looking it up.
static TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
static RETRIES: HeaderName = HeaderName::from_static("x-litellm-num-retries");

/// The wishes of one call. Absent means: as configured.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// `timeout`, `request_timeout` or `x-litellm-timeout`.
    pub timeout: Option<Duration>,
    /// `num_retries`, `max_retries` or `x-litellm-num-retries`.
    pub retries: Option<u32>,
    /// `drop_params`.
    pub drop_params: Option<bool>,
    /// `additional_drop_params`: fields to leave out; below the top as `tools[*].strict`.
    pub additional_drop_params: Vec<String>,
    /// `allowed_openai_params`: fields to send whatever the provider table says.
    pub allowed_openai_params: Vec<String>,
    /// `extra_body`: fields to set, as JSON text.
    pub extra_body: Vec<(String, Bytes)>,
}

impl Controls {
    /// Reads the wishes of a call.
    ///
    /// # Errors
    /// 400 naming the field or header that is not what it should be.
    pub fn read(envelope: &Envelope, headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut controls = Self::default();
        for name in envelope.names() {
            match name {
                "timeout" | "request_timeout" => controls.timeout = seconds(name, envelope.raw(name))?,
                "num_retries" | "max_retries" => controls.retries = retries(name, envelope.raw(name))?,
                "drop_params" => controls.drop_params = typed(envelope, name, "a boolean")?,
                "additional_drop_params" => {
                    controls.additional_drop_params =
                        typed(envelope, name, "a list of names")?.unwrap_or_default();
                }
                "allowed_openai_params" => {
                    controls.allowed_openai_params =
                        typed(envelope, name, "a list of names")?.unwrap_or_default();
                }
                "extra_body" => controls.extra_body = extra_body(envelope)?,
                _ => {}
            }
        }
        if controls.drop_params.is_none() && is_coding_agent(headers) {
            controls.drop_params = Some(true);
        }
        if let Some(text) = header(headers, &TIMEOUT)? {
            controls.timeout = seconds(TIMEOUT.as_str(), Some(text))?;
        }
        if let Some(text) = header(headers, &RETRIES)? {
            controls.retries = retries(RETRIES.as_str(), Some(text))?;
        }
        Ok(controls)
    }
}

/// Command-line agents send every field of their own vendor's API to whatever model they are pointed at, and
/// have no switch that would stop it.
fn is_coding_agent(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let codex = agent.strip_prefix("codex").is_some_and(|rest| rest.starts_with(['-', '_', ' ', '/']));
    codex || ["claude-cli/", "claude-code/", "GeminiCLI"].iter().any(|name| agent.starts_with(name))
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    value.to_str().map(Some).map_err(|_| wrong(name.as_str(), "plain text"))
}

fn seconds(name: &str, text: Option<&str>) -> Result<Option<Duration>, Refusal> {
    let Some(text) = text.filter(|text| *text != "null") else { return Ok(None) };
    let seconds: f64 =
        text.trim().trim_matches('"').parse().map_err(|_| wrong(name, "a number of seconds"))?;
    if !(seconds > 0.0 && seconds.is_finite()) {
        return Err(wrong(name, "a positive number of seconds"));
    }
    Ok(Some(Duration::from_secs_f64(seconds.min(LONGEST))))
}

fn retries(name: &str, text: Option<&str>) -> Result<Option<u32>, Refusal> {
    let Some(text) = text.filter(|text| *text != "null") else { return Ok(None) };
    let count: u64 =
        text.trim().trim_matches('"').parse().map_err(|_| wrong(name, "a whole number, 0 or more"))?;
    Ok(u32::try_from(count.min(MOST_RETRIES)).ok())
}

fn typed<'a, T: Deserialize<'a>>(
    envelope: &'a Envelope,
    name: &str,
    wanted: &str,
) -> Result<Option<T>, Refusal> {
    let raw = envelope.raw(name).unwrap_or("null");
    serde_json::from_str(raw).map_err(|_| wrong(name, wanted))
}

fn extra_body(envelope: &Envelope) -> Result<Vec<(String, Bytes)>, Refusal> {
    let fields: Option<std::collections::BTreeMap<String, &RawValue>> =
        typed(envelope, "extra_body", "an object")?;
    let fields = fields.unwrap_or_default();
    // The model and the kind of reply were decided before anyone looked in here.
    if let Some(name) = fields.keys().find(|name| matches!(name.as_str(), "model" | "stream")) {
        return Err(Refusal::new(
            400,
            format!("'{name}' must not be inside extra_body: send it at the top level."),
        )
        .with_param(format!("extra_body.{name}")));
    }
    let bytes = |raw: &RawValue| Bytes::copy_from_slice(raw.get().as_bytes());
    Ok(fields.into_iter().map(|(name, raw)| (name, bytes(raw))).collect())
}

fn wrong(name: &str, wanted: &str) -> Refusal {
    Refusal::new(400, format!("'{name}' must be {wanted}.")).with_param(name)
}
