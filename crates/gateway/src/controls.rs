//! What a client may change for one call, in body fields or headers, under LiteLLM's names.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, USER_AGENT};
use policy::route::fallback::{MOST, Target, Wishes};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use wire::envelope::Envelope;
use wire::fault::FaultKind;

use crate::auth::Caller;
use crate::intake;
use crate::refusal::Refusal;
use crate::settings::GeneralSettings;

/// A longer timeout means none.
const LONGEST: f64 = 86_400.0;
/// More retries help nobody.
const MOST_RETRIES: u64 = 100;

// Names parsed once; parsing one costs more than looking it up.
static TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
static STREAM_TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-stream-timeout");
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
    /// `stream_timeout` or `x-litellm-stream-timeout`.
    pub stream_timeout: Option<Duration>,
    /// Where to go when the group has failed.
    pub wishes: Wishes,
    /// `mock_testing_…`: the failure to invent for the group that was asked for.
    pub mock_failure: Option<FaultKind>,
    /// `mock_response`: what to answer instead of asking anyone.
    pub mock_response: Option<String>,
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
                "stream_timeout" => controls.stream_timeout = seconds(name, envelope.raw(name))?,
                _ => controls.read_detour(name, envelope)?,
            }
        }
        if controls.drop_params.is_none() && is_coding_agent(headers) {
            controls.drop_params = Some(true);
        }
        if let Some(text) = header(headers, &TIMEOUT)? {
            controls.timeout = seconds(TIMEOUT.as_str(), Some(text))?;
        }
        if let Some(text) = header(headers, &STREAM_TIMEOUT)? {
            controls.stream_timeout = seconds(STREAM_TIMEOUT.as_str(), Some(text))?;
        }
        if let Some(text) = header(headers, &RETRIES)? {
            controls.retries = retries(RETRIES.as_str(), Some(text))?;
        }
        Ok(controls)
    }

    /// What a field says about fallbacks and invented failures.
    fn read_detour(&mut self, name: &str, envelope: &Envelope) -> Result<(), Refusal> {
        let mock = match name {
            "fallbacks" => return targets(envelope, name).map(|list| self.wishes.general = list),
            "context_window_fallbacks" => {
                return targets(envelope, name).map(|list| self.wishes.context_window = list);
            }
            "content_policy_fallbacks" => {
                return targets(envelope, name).map(|list| self.wishes.content_policy = list);
            }
            "disable_fallbacks" => {
                self.wishes.disabled = typed(envelope, name, "a boolean")?.unwrap_or(false);
                return Ok(());
            }
            "mock_response" => {
                self.mock_response = typed(envelope, name, "a text")?;
                return Ok(());
            }
            "mock_testing_fallbacks" => FaultKind::Internal,
            "mock_testing_context_fallbacks" => FaultKind::ContextWindow,
            "mock_testing_content_policy_fallbacks" => FaultKind::ContentPolicy,
            "mock_testing_rate_limit_error" => FaultKind::RateLimit,
            _ => return Ok(()),
        };
        if typed(envelope, name, "a boolean")?.unwrap_or(false) {
            self.mock_failure = Some(mock);
        }
        Ok(())
    }

    /// Whether the caller may ask for what is invented.
    ///
    /// # Errors
    /// 400 naming what may not be asked.
    pub fn permitted(&self, caller: &Caller, general: &GeneralSettings) -> Result<(), Refusal> {
        let asks = self.mock_failure.is_some() || self.mock_response.is_some();
        if !asks || general.mock_testing || matches!(caller, Caller::Master) {
            return Ok(());
        }
        let field = if self.mock_response.is_some() { "mock_response" } else { "mock_testing_fallbacks" };
        Err(Refusal::new(
            400,
            format!(
                "'{field}' is for tests: it is taken with the master key, or from everybody where \
                 general_settings.dangerously_allow_mock_testing_request_params is true."
            ),
        )
        .with_param(field))
    }
}

/// A list of groups, by name or as `{model: …}` with fields that are set for it.
fn targets(envelope: &Envelope, name: &str) -> Result<Option<Vec<Target>>, Refusal> {
    let wanted = "a list of model names, or of objects with a 'model'";
    let Some(list) = typed::<Vec<Value>>(envelope, name, wanted)? else { return Ok(None) };
    if list.len() > MOST {
        return Err(wrong(name, &format!("a list of at most {MOST}")));
    }
    let target = |(at, value): (usize, Value)| target(&format!("{name}[{at}]"), value);
    list.into_iter().enumerate().map(target).collect::<Result<_, _>>().map(Some)
}

fn target(path: &str, value: Value) -> Result<Target, Refusal> {
    let mut overrides: Map<String, Value> = match value {
        Value::String(group) => return Ok(Target { group, overrides: Map::new() }),
        Value::Object(fields) => fields,
        _ => return Err(wrong(path, "a model name, or an object with a 'model'")),
    };
    let Some(Value::String(group)) = overrides.remove("model") else {
        return Err(wrong(&format!("{path}.model"), "a model name"));
    };
    let decided =
        |name: &str| intake::is_forbidden(name) || intake::steers_the_gateway(name) || name == "stream";
    if let Some(name) = overrides.keys().find(|name| decided(name)) {
        let problem = format!("'{path}.{name}' cannot be set for a fallback.");
        return Err(Refusal::new(400, problem).with_param(format!("{path}.{name}")));
    }
    Ok(Target { group, overrides })
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
