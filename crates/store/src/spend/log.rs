//! The log of calls: one row each. How rows are looked for is in [`super::search`].

use policy::money::Cost;
use serde_json::{Map, Value};
use wire::reply::Usage;

use super::{endpoint, whole};
use crate::db::{Column, DbError, Param, Row, Tx};
use crate::ledger::{Charge, Ending, Pricing};

use Column::{Int, Text};

const COLUMNS: usize = 36;
const TYPES: [Column; COLUMNS] = [
    Text, Int, Int, Int, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Int,
    Text, Int, Int, Int, Int, Text, Int, Text, Int, Text, Text, Int, Int, Int, Text, Text, Text, Text,
];
pub(super) const NAMES: &str = "request_id, started_at, ended_at, first_token_at, call_type, api_key, key_alias, user_id, \
     team_id, organization_id, project_id, end_user, model, model_group, model_id, provider, api_base, spend, pricing, \
     input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, counts, failed, ending, status_code, error_class, \
     error_message, stream, cache_hit, retries, tags, session_id, requester_ip, response_id";

/// A call that has ended. Times are milliseconds of Unix time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpendLog {
    /// The call's id.
    pub request_id: String,
    pub started_at: i64,
    pub ended_at: i64,
    pub first_token_at: Option<i64>,
    /// LiteLLM's name of the kind of call.
    pub call_type: String,
    /// The key's hash.
    pub api_key: String,
    pub key_alias: Option<String>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    pub organization_id: Option<String>,
    pub project_id: Option<String>,
    pub end_user: Option<String>,
    /// As the upstream knows it.
    pub model: String,
    pub model_group: String,
    /// The deployment.
    pub model_id: String,
    pub provider: String,
    pub api_base: Option<String>,
    pub spend: Cost,
    /// `priced`, `unpriced`, `free` or `cached`.
    pub pricing: String,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    /// The other counts that are not zero.
    pub counts: Map<String, Value>,
    pub failed: bool,
    /// `complete`, `abandoned` or `failed`.
    pub ending: String,
    /// The HTTP status; 0 when the client saw none.
    pub status_code: i64,
    pub error_class: Option<String>,
    pub error_message: Option<String>,
    pub stream: bool,
    pub cache_hit: Option<bool>,
    pub retries: i64,
    pub tags: Vec<String>,
    pub session_id: Option<String>,
    pub requester_ip: Option<String>,
    pub response_id: Option<String>,
}

impl SpendLog {
    /// The row of a charge.
    #[must_use]
    pub fn of(charge: &Charge<'_>) -> Self {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let usage = charge.usage.unwrap_or_default();
        let started_at = whole(charge.started_unix_ms());
        Self {
            request_id: charge.call.clone().into_owned(),
            started_at,
            ended_at: whole(charge.ended_unix_ms),
            first_token_at: charge.first_token_ms.map(|after| started_at + whole(after)),
            call_type: if charge.route.is_empty() { charge.operation.clone() } else { charge.route.clone() }
                .into_owned(),
            api_key: charge.caller.clone().into_owned(),
            key_alias: text(&charge.key_alias),
            user_id: text(&charge.user),
            team_id: text(&charge.team),
            organization_id: text(&charge.organization),
            project_id: text(&charge.project),
            end_user: text(&charge.end_user),
            model: charge.upstream_model.clone().into_owned(),
            model_group: charge.model_group.clone().into_owned(),
            model_id: charge.deployment.clone().into_owned(),
            provider: charge.provider.clone().into_owned(),
            api_base: text(&charge.api_base),
            spend: charge.cost.unwrap_or(Cost::ZERO),
            pricing: pricing(charge).to_owned(),
            input_tokens: whole(usage.input),
            output_tokens: whole(usage.output),
            cache_read_tokens: whole(usage.cache_read),
            cache_write_tokens: whole(usage.cache_write.saturating_add(usage.cache_write_1h)),
            counts: counts(&usage),
            failed: charge.ending == Ending::Failed,
            ending: ending(charge.ending).to_owned(),
            status_code: i64::from(charge.status),
            error_class: text(&charge.error_class),
            error_message: text(&charge.error_message),
            stream: charge.stream,
            cache_hit: charge.cache_hit,
            retries: i64::from(charge.retries),
            tags: charge.tags.to_vec(),
            session_id: text(&charge.session),
            requester_ip: text(&charge.requester_ip),
            response_id: text(&charge.response_id),
        }
    }

    /// The path that it was made at.
    #[must_use]
    pub fn endpoint(&self) -> &'static str {
        endpoint(&self.call_type, &self.call_type)
    }

    pub(super) fn read(row: &Row) -> Result<Self, DbError> {
        let json = |column| -> Result<Value, DbError> {
            let text = row.maybe_text(column)?;
            // Written by us; anything else is shown as nothing rather than hiding the row.
            Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
        };
        Ok(Self {
            request_id: row.text("request_id")?,
            started_at: row.int("started_at")?,
            ended_at: row.int("ended_at")?,
            first_token_at: row.maybe_int("first_token_at")?,
            call_type: row.text("call_type")?,
            api_key: row.text("api_key")?,
            key_alias: row.maybe_text("key_alias")?,
            user_id: row.maybe_text("user_id")?,
            team_id: row.maybe_text("team_id")?,
            organization_id: row.maybe_text("organization_id")?,
            project_id: row.maybe_text("project_id")?,
            end_user: row.maybe_text("end_user")?,
            model: row.text("model")?,
            model_group: row.text("model_group")?,
            model_id: row.text("model_id")?,
            provider: row.text("provider")?,
            api_base: row.maybe_text("api_base")?,
            spend: row.cost("spend")?,
            pricing: row.text("pricing")?,
            input_tokens: row.int("input_tokens")?,
            output_tokens: row.int("output_tokens")?,
            cache_read_tokens: row.int("cache_read_tokens")?,
            cache_write_tokens: row.int("cache_write_tokens")?,
            counts: json("counts")?.as_object().cloned().unwrap_or_default(),
            failed: row.int("failed")? != 0,
            ending: row.text("ending")?,
            status_code: row.int("status_code")?,
            error_class: row.maybe_text("error_class")?,
            error_message: row.maybe_text("error_message")?,
            stream: row.int("stream")? != 0,
            cache_hit: row.maybe_int("cache_hit")?.map(|hit| hit != 0),
            retries: row.int("retries")?,
            tags: serde_json::from_value(json("tags")?).unwrap_or_default(),
            session_id: row.maybe_text("session_id")?,
            requester_ip: row.maybe_text("requester_ip")?,
            response_id: row.maybe_text("response_id")?,
        })
    }
}

const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::Abandoned => "abandoned",
        Ending::Failed => "failed",
    }
}

const fn pricing(charge: &Charge<'_>) -> &'static str {
    match charge.pricing {
        // Records of the first programs do not say.
        Pricing::Unpriced if charge.cost.is_some() => "priced",
        Pricing::Unpriced => "unpriced",
        Pricing::Priced => "priced",
        Pricing::Free => "free",
        Pricing::Cached => "cached",
    }
}

fn counts(usage: &Usage) -> Map<String, Value> {
    let counts = [
        ("cache_write_1h", usage.cache_write_1h),
        ("reasoning", usage.reasoning),
        ("audio_input", usage.audio_input),
        ("audio_output", usage.audio_output),
        ("searches", usage.searches),
        ("search_units", usage.search_units),
    ];
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect()
}

/// Adds rows; one that is there already stays as it is.
pub(crate) async fn insert(tx: &mut Tx, logs: &[SpendLog]) -> Result<u64, DbError> {
    let json = |log: &SpendLog| {
        let counts = (!log.counts.is_empty()).then(|| Value::Object(log.counts.clone()).to_string());
        let tags = (!log.tags.is_empty()).then(|| Value::from(log.tags.clone()).to_string());
        (counts, tags)
    };
    let json: Vec<_> = logs.iter().map(json).collect();
    let rows: Vec<_> =
        logs.iter().zip(&json).map(|(log, (counts, tags))| params(log, counts, tags)).collect();
    tx.execute_many(&TYPES, add, &rows).await
}

fn add(values: &str) -> String {
    format!("INSERT INTO spend_logs ({NAMES}) VALUES {values} ON CONFLICT (request_id) DO NOTHING")
}

fn params<'a>(
    log: &'a SpendLog,
    counts: &'a Option<String>,
    tags: &'a Option<String>,
) -> [Param<'a>; COLUMNS] {
    [
        (&log.request_id).into(),
        log.started_at.into(),
        log.ended_at.into(),
        log.first_token_at.into(),
        (&log.call_type).into(),
        (&log.api_key).into(),
        (&log.key_alias).into(),
        (&log.user_id).into(),
        (&log.team_id).into(),
        (&log.organization_id).into(),
        (&log.project_id).into(),
        (&log.end_user).into(),
        (&log.model).into(),
        (&log.model_group).into(),
        (&log.model_id).into(),
        (&log.provider).into(),
        (&log.api_base).into(),
        log.spend.into(),
        (&log.pricing).into(),
        log.input_tokens.into(),
        log.output_tokens.into(),
        log.cache_read_tokens.into(),
        log.cache_write_tokens.into(),
        counts.into(),
        log.failed.into(),
        (&log.ending).into(),
        log.status_code.into(),
        (&log.error_class).into(),
        (&log.error_message).into(),
        log.stream.into(),
        log.cache_hit.map(i64::from).into(),
        log.retries.into(),
        tags.into(),
        (&log.session_id).into(),
        (&log.requester_ip).into(),
        (&log.response_id).into(),
    ]
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    use crate::db::{lengths, values};
    lengths().map(|length| add(&values(&TYPES, length))).collect()
}
