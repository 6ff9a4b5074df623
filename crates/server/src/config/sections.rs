//! `general_settings`, `router_settings` and `litellm_settings` to settings.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway::settings::{AliasSettings, GeneralSettings};
use policy::period::{Calendar, CalendarError, Period};
use secrecy::{ExposeSecret as _, SecretString};

use super::fields::{Fields, check_keys};
use super::keys;
use super::problem::Problems;
use super::source::Span;
use super::tree::Map;
use crate::env::Environment;

const MIB: u64 = 1 << 20;

/// The section under `name`, its keys checked; nothing when it is missing or null.
pub(super) fn section<'a>(
    root: &'a Map,
    section: &keys::Section,
    problems: &mut Problems,
) -> Option<&'a Map> {
    let map = Fields { map: root, problems }.table(section.name)?;
    check_keys(section, map, problems);
    Some(map)
}

pub(super) fn general(
    map: Option<&Map>,
    environment: &Environment,
    problems: &mut Problems,
) -> GeneralSettings {
    let mut general = GeneralSettings::default();
    let empty = Map::default();
    let map = map.unwrap_or(&empty);
    general.master_key = master_key(map, environment, problems);
    let mut fields = Fields { map, problems };
    general.key_header = fields.text("litellm_key_header_name");
    if let Some(name) = &general.key_header
        && http::HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        let span = fields.entry("litellm_key_header_name").map(|entry| entry.value.span);
        fields.problems.error(span, "`litellm_key_header_name` is not the name of a header", None);
    }
    general.strict = fields.flag("strict").unwrap_or(false);
    general.completion_model = fields.text("completion_model");
    general.embedding_model = fields.text("embedding_model");
    general.max_request_bytes = megabytes(&mut fields, "max_request_size_mb", general.max_request_bytes);
    general.max_response_bytes = megabytes(&mut fields, "max_response_size_mb", general.max_response_bytes);
    general.max_parallel_requests = fields.whole("global_max_parallel_requests");
    general.always_include_stream_usage = fields.flag("always_include_stream_usage").unwrap_or(false);
    general.media.allowed_hosts = fields.texts("media_allowed_hosts");
    general.call_id_in_errors = fields.flag("include_call_id_in_error_body").unwrap_or(false);
    general.custom_keys_disabled = fields.flag("disable_custom_api_keys").unwrap_or(false);
    general.store_models =
        fields.flag("store_model_in_db").unwrap_or(false) || environment.is_on("STORE_MODEL_IN_DB");
    general.mock_testing = fields.flag("dangerously_allow_mock_testing_request_params").unwrap_or(false);
    general.database_url = database_url(&mut fields, environment);
    general.database_connections =
        fields.whole("database_connection_pool_limit").unwrap_or(general.database_connections).max(2);
    general.logs_kept = period(&mut fields, "maximum_spend_logs_retention_period");
    let interval = period(&mut fields, "maximum_spend_logs_retention_interval");
    general.logs_looked_at = interval.unwrap_or(general.logs_looked_at);
    general
}

/// A length of time such as `7d`; a bare number is seconds.
fn period(fields: &mut Fields<'_, '_>, key: &str) -> Option<Duration> {
    let span = fields.entry(key).map(|entry| entry.value.span);
    let text = fields.text(key)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{text}s"));
    match Period::parse(plain.as_deref().unwrap_or(&text)) {
        Ok(period) => Some(Duration::from_millis(period.after(0))),
        Err(error) => {
            fields.problems.error(span, format!("`{key}` {error}"), None);
            None
        }
    }
}

/// The file's address of a database, else `DATABASE_URL`. Other databases than PostgreSQL are none.
fn database_url(fields: &mut Fields<'_, '_>, environment: &Environment) -> Option<SecretString> {
    let entry = fields.entry("database_url").map(|entry| entry.value.span);
    let url = fields
        .secret("database_url")
        .or_else(|| environment.filled("DATABASE_URL").map(|url| SecretString::from(url.to_owned())))?;
    let known = ["postgresql://", "postgres://"].iter().any(|scheme| url.expose_secret().starts_with(scheme));
    if !known {
        let message = "the address of the database must begin with `postgresql://`";
        let help = "leave it out to keep everything in a file beside this one".to_owned();
        fields.problems.error(entry, message, Some(help));
        return None;
    }
    Some(url)
}

/// What new keys have, and when budgets begin anew.
pub(super) fn keys_and_budgets(
    litellm: Option<&Map>,
    general: &mut GeneralSettings,
    problems: &mut Problems,
) {
    let Some(map) = litellm else { return };
    let mut fields = Fields { map, problems };
    general.key_defaults = fields.table("default_key_generate_params").map(Map::json).unwrap_or_default();
    general.key_upperbounds =
        fields.table("upperbound_key_generate_params").map(Map::json).unwrap_or_default();
    let zone = fields.text("timezone").unwrap_or_else(|| "UTC".to_owned());
    let at = fields.text("budget_reset_time").unwrap_or_else(|| "00:00".to_owned());
    match Calendar::new(&zone, &at) {
        Ok(calendar) => general.calendar = calendar,
        Err(error) => {
            let key = if matches!(error, CalendarError::Zone(_)) { "timezone" } else { "budget_reset_time" };
            let span = fields.entry(key).map(|entry| entry.value.span);
            fields.problems.error(span, format!("`{key}`: {error}"), None);
        }
    }
}

/// The file's master key, else `LITELLM_MASTER_KEY`. An empty one would let everybody in by accident.
fn master_key(map: &Map, environment: &Environment, problems: &mut Problems) -> Option<SecretString> {
    let entry = map.get("master_key").filter(|entry| !entry.value.is_null());
    let span = entry.map(|entry| entry.value.span);
    let key = match (Fields { map, problems }).secret("master_key") {
        Some(key) => key,
        None if entry.is_some() => return None,
        None => SecretString::from(environment.filled("LITELLM_MASTER_KEY")?),
    };
    check_master_key(key.expose_secret(), span, problems);
    Some(key)
}

fn check_master_key(key: &str, span: Option<Span>, problems: &mut Problems) {
    let name = if span.is_some() { "`master_key`" } else { "the variable LITELLM_MASTER_KEY" };
    let help = Some("make one: `echo sk-$(openssl rand -hex 24)`".to_owned());
    if key.trim().is_empty() {
        problems.error(span, format!("{name} is empty"), help);
    } else if keys::is_well_known(key) {
        let message = format!(
            "{name} is a key from tutorials that everybody knows: whoever reaches the gateway can use it"
        );
        problems.warn(span, message, help);
    } else if !key.starts_with("sk-") {
        let message = format!("{name} does not start with `sk-`, as clients and LiteLLM expect of a key");
        problems.warn(span, message, help);
    }
}

fn megabytes(fields: &mut Fields<'_, '_>, key: &str, default: usize) -> usize {
    let Some(size) = fields.amount(key) else { return default };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "bounded just before"
    )]
    let bytes = (size.min(1e6) * MIB as f64) as u64;
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// How often silent streams say that they are alive; 0 means never.
pub(super) fn pings(litellm: Option<&Map>, general: &mut GeneralSettings, problems: &mut Problems) {
    let Some(map) = litellm else { return };
    let mut fields = Fields { map, problems };
    for (key, interval) in [
        ("anthropic_sse_ping_interval_seconds", &mut general.anthropic_ping),
        ("sse_keepalive_ping_interval_seconds", &mut general.keepalive),
    ] {
        if let Some(seconds) = fields.amount(key) {
            let every = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
            *interval = Some(every).filter(|every| !every.is_zero());
        }
    }
}

/// `model_group_alias` over `model_alias_map`.
pub(super) fn aliases(
    router: Option<&Map>,
    litellm: Option<&Map>,
    problems: &mut Problems,
) -> BTreeMap<String, AliasSettings> {
    let mut aliases = BTreeMap::new();
    for (section, key) in [(litellm, "model_alias_map"), (router, "model_group_alias")] {
        let Some(map) = section.and_then(|map| Fields { map, problems }.table(key)) else { continue };
        for entry in &map.entries {
            let alias = match entry.value.map() {
                Some(details) => {
                    let mut fields = Fields { map: details, problems };
                    let hidden = fields.flag("hidden").unwrap_or(false);
                    fields.text("model").map(|target| AliasSettings { target, hidden })
                }
                None => entry
                    .value
                    .letters()
                    .filter(|target| !target.is_empty())
                    .map(|target| AliasSettings { target: target.to_owned(), hidden: false }),
            };
            match alias {
                Some(alias) => _ = aliases.insert(entry.key.clone(), alias),
                None => problems.error(
                    Some(entry.value.span),
                    format!("the alias `{}` must name a model of `model_list`", entry.key),
                    Some("write `alias: name`, or `alias: {model: name, hidden: true}`".to_owned()),
                ),
            }
        }
    }
    aliases
}
