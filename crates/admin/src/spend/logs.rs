//! The log of calls, a page at a time, and one call with what was said in it.

use axum::Json;
use axum::extract::{Path, Query};
use gateway::directory::Identity;
use gateway::hash::key_id;
use gateway::refusal::Refusal;
use policy::money::Cost;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::spend::search::{Edge, LogFilter, LogOrder, LogPage};
use utoipa::IntoParams;

use super::sight::Sight;
use super::{Answer, day, row, summary};
use crate::access::{Known, Refused, Stored};

/// Rows without dates, as LiteLLM has it.
const NEWEST: u64 = 10_000;
const LARGEST_PAGE: u64 = 1_000;

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// A key or its hash.
    pub(crate) api_key: Option<String>,
    /// A user.
    pub(crate) user_id: Option<String>,
    /// The call's id, or the provider's id of its reply.
    request_id: Option<String>,
    /// A session.
    session_id: Option<String>,
    /// A team.
    team_id: Option<String>,
    /// The least it cost, in USD.
    min_spend: Option<f64>,
    /// The most it cost, in USD.
    max_spend: Option<f64>,
    /// `2026-01-31 08:00:00` or a day, in UTC.
    pub(crate) start_date: Option<String>,
    /// `2026-01-31 08:00:00` or a day, in UTC.
    pub(crate) end_date: Option<String>,
    /// `success` or `failure`.
    status_filter: Option<String>,
    /// `true` or `false`.
    cache_hit_filter: Option<String>,
    /// The public name or the upstream's.
    model: Option<String>,
    /// A deployment.
    model_id: Option<String>,
    /// The public name.
    model_group: Option<String>,
    /// What people call the key.
    key_alias: Option<String>,
    /// An end user.
    end_user: Option<String>,
    /// An HTTP status or a kind of failure.
    error_code: Option<String>,
    /// Part of what the failure said.
    error_message: Option<String>,
    /// A tag.
    tag: Option<String>,
    /// Part of an id, an alias or a model.
    search: Option<String>,
    /// `startTime`, `endTime`, `spend`, `total_tokens`, `request_duration_ms` or `model`.
    sort_by: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
    /// From 1.
    page: Option<u64>,
    /// Rows a page, 50 where nothing is said, 1,000 at most.
    page_size: Option<u64>,
    /// `next_cursor` of the page before, instead of a page number.
    cursor: Option<String>,
    /// `true`: sums of days instead of rows, when there are dates.
    summarize: Option<bool>,
}

/// Rows of the log, or sums of days.
#[utoipa::path(get, path = "/spend/logs", operation_id = "spend_logs_list", tag = "spend", params(Wanted),
    responses((status = 200, description = "Rows, or with dates the sums of each day")))]
pub(crate) async fn list(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/logs", &Object::default())?;
    let dated = wanted.start_date.is_some() && wanted.end_date.is_some();
    if dated && wanted.summarize.unwrap_or(true) {
        return summary::of_days(&db, &who.0, &wanted).await;
    }
    let seen = Seen::of(&who.0, &wanted)?;
    let page = LogPage {
        number: 1,
        size: wanted.page_size.unwrap_or(NEWEST).min(NEWEST),
        order: LogOrder::Start,
        descending: true,
        behind: None,
    };
    let logs = db.spend_logs_behind(&seen.filter(&wanted), &page).await?;
    Ok(Json(logs.iter().map(|log| row::shown(log, None)).collect()))
}

/// Rows of the log, a page at a time.
#[utoipa::path(get, path = "/spend/logs/v2", operation_id = "spend_logs_page", tag = "spend", params(Wanted),
    responses((status = 200, description = "A page, and how many rows there are")))]
pub(crate) async fn page(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/logs/v2", &Object::default())?;
    paged(&db, &who.0, &wanted).await
}

/// The same as `/spend/logs/v2`.
#[utoipa::path(get, path = "/spend/logs/ui", operation_id = "spend_logs_page_for_ui", tag = "spend", params(Wanted),
    responses((status = 200, description = "A page, and how many rows there are")))]
pub(crate) async fn page_for_ui(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/logs/ui", &Object::default())?;
    paged(&db, &who.0, &wanted).await
}

/// The rows of one session.
#[utoipa::path(get, path = "/spend/logs/session/ui", operation_id = "spend_logs_session", tag = "spend", params(Wanted),
    responses((status = 200, description = "A page, and how many rows there are"), (status = 400, description = "No session named")))]
pub(crate) async fn session(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/logs/session/ui", &Object::default())?;
    if wanted.session_id.is_none() {
        return Err(Refusal::new(400, "Please provide session_id").with_param("session_id").into());
    }
    paged(&db, &who.0, &wanted).await
}

/// One call with what was said in it, where that is kept.
#[utoipa::path(get, path = "/spend/logs/ui/{request_id}", operation_id = "spend_logs_one", tag = "spend",
    params(("request_id" = String, Path, description = "The call's id, or the provider's id of its reply")),
    responses((status = 200, description = "The row"), (status = 404, description = "There is none, or it is not yours")))]
pub(crate) async fn one(who: Known, Stored(db): Stored, Path(request_id): Path<String>) -> Answer {
    who.must("GET", "/spend/logs/ui/{request_id}", &Object::default())?;
    let filter = LogFilter { request_id: Some(&request_id), ..LogFilter::default() };
    let page = LogPage { number: 1, size: 1, order: LogOrder::Start, descending: true, behind: None };
    let found = db.spend_logs_behind(&filter, &page).await?;
    let own = |log: &&store::spend::log::SpendLog| Sight::of(&who.0, log.team_id.as_deref()).has(log);
    let Some(log) = found.first().filter(own) else {
        let message = format!("There is no log of a request {request_id}.");
        return Err(Refusal::new(404, message).with_kind("not_found_error").with_param("request_id").into());
    };
    let said = db.transcript(&log.request_id).await?;
    Ok(Json(row::shown(log, said)))
}

async fn paged(db: &Db, who: &Identity, wanted: &Wanted) -> Answer {
    let seen = Seen::of(who, wanted)?;
    let filter = seen.filter(wanted);
    let page = wanted.log_page()?;
    let (logs, total) = db.spend_logs(&filter, &page).await?;
    let last = logs.last().filter(|_| logs.len() as u64 == page.size && page.order == LogOrder::Start);
    Ok(Json(json!({
        "data": logs.iter().map(|log| row::shown(log, None)).collect::<Vec<_>>(),
        "total": total,
        "page": page.number,
        "page_size": page.size,
        "total_pages": total.div_ceil(page.size),
        "next_cursor": last.map(|log| format!("{}:{}", log.started_at, log.request_id)),
    })))
}

/// What is left of a wish once it is narrowed to what the caller sees.
struct Seen {
    api_key: Option<String>,
    user_id: Option<String>,
    team_id: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    failed: Option<bool>,
    cache_hit: Option<bool>,
    min_spend: Option<Cost>,
    max_spend: Option<Cost>,
}

impl Seen {
    fn of(who: &Identity, wanted: &Wanted) -> Result<Self, Refused> {
        let mut seen = Self {
            api_key: wanted.api_key.as_deref().map(key_id),
            user_id: wanted.user_id.clone(),
            team_id: wanted.team_id.clone(),
            from_ms: wanted
                .start_date
                .as_deref()
                .map(|at| day::instant(at, "start_date", false))
                .transpose()?,
            to_ms: wanted.end_date.as_deref().map(|at| day::instant(at, "end_date", true)).transpose()?,
            failed: one_of(wanted.status_filter.as_deref(), "status_filter", ["failure", "success"])?,
            cache_hit: one_of(wanted.cache_hit_filter.as_deref(), "cache_hit_filter", ["true", "false"])?,
            min_spend: dollars(wanted.min_spend, "min_spend")?,
            max_spend: dollars(wanted.max_spend, "max_spend")?,
        };
        match Sight::of(who, wanted.team_id.as_deref()) {
            Sight::All => {}
            Sight::Team(team) => seen.team_id = Some(team),
            Sight::User(user) => seen.user_id = Some(user),
            Sight::Key(key) => seen.api_key = Some(key),
        }
        Ok(seen)
    }

    fn filter<'a>(&'a self, wanted: &'a Wanted) -> LogFilter<'a> {
        LogFilter {
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            request_id: wanted.request_id.as_deref(),
            api_key: self.api_key.as_deref(),
            key_alias: wanted.key_alias.as_deref(),
            user_id: self.user_id.as_deref(),
            team_id: self.team_id.as_deref(),
            organization_id: None,
            end_user: wanted.end_user.as_deref(),
            session_id: wanted.session_id.as_deref(),
            model: wanted.model.as_deref(),
            model_group: wanted.model_group.as_deref(),
            model_id: wanted.model_id.as_deref(),
            tag: wanted.tag.as_deref(),
            failed: self.failed,
            cache_hit: self.cache_hit,
            min_spend: self.min_spend,
            max_spend: self.max_spend,
            error_code: wanted.error_code.as_deref(),
            error_message: wanted.error_message.as_deref(),
            search: wanted.search.as_deref(),
        }
    }
}

impl Wanted {
    fn log_page(&self) -> Result<LogPage, Refused> {
        let order = match self.sort_by.as_deref() {
            None | Some("startTime") => LogOrder::Start,
            Some("endTime") => LogOrder::End,
            Some("spend") => LogOrder::Spend,
            Some("total_tokens") => LogOrder::Tokens,
            Some("request_duration_ms") => LogOrder::Duration,
            Some("model") => LogOrder::Model,
            Some(other) => return Err(misfit("sort_by", other)),
        };
        let ascending = one_of(self.sort_order.as_deref(), "sort_order", ["asc", "desc"])?;
        let behind = self.cursor.as_deref().map(edge).transpose()?;
        Ok(LogPage {
            number: self.page.unwrap_or(1).max(1),
            size: self.page_size.unwrap_or(50).clamp(1, LARGEST_PAGE),
            order: if behind.is_some() { LogOrder::Start } else { order },
            descending: !ascending.unwrap_or(false),
            behind,
        })
    }
}

fn edge(cursor: &str) -> Result<Edge, Refused> {
    let read = cursor.split_once(':').and_then(|(at, id)| Some((at.parse().ok()?, id)));
    let (started_at, id) = read.ok_or_else(|| misfit("cursor", cursor))?;
    Ok(Edge { started_at, request_id: id.to_owned() })
}

/// Whether it is the first of two words.
fn one_of(value: Option<&str>, name: &str, words: [&str; 2]) -> Result<Option<bool>, Refused> {
    match value.map(str::to_lowercase).as_deref() {
        None | Some("") => Ok(None),
        Some(word) if word == words[0] => Ok(Some(true)),
        Some(word) if word == words[1] => Ok(Some(false)),
        Some(other) => Err(misfit(name, other)),
    }
}

fn dollars(value: Option<f64>, name: &str) -> Result<Option<Cost>, Refused> {
    let Some(value) = value else { return Ok(None) };
    Cost::from_json(&Value::from(value))
        .map(Some)
        .map_err(|error| Refused(Refusal::new(400, format!("{name} {error}")).with_param(name)))
}

fn misfit(name: &str, value: &str) -> Refused {
    let shown: String = value.chars().take(100).collect();
    Refusal::new(400, format!("{name} cannot be {shown:?}")).with_param(name).into()
}
