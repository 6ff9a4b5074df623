//! Looks for rows of the log: by what they are about, a page at a time.
//!
//! Pages have numbers, but deep ones are not reached by reading everything before them: the page's first row is looked
//! for in an index alone, from the nearer end, and rows are read from there.

use policy::money::Cost;

use super::log::{NAMES, SpendLog};
use crate::db::{Db, DbError};
use crate::entity::{Owned, borrowed, escaped};

/// Which rows; every condition that is there must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogFilter<'a> {
    /// Begun then or later, in milliseconds of Unix time.
    pub from_ms: Option<i64>,
    /// Begun then or earlier.
    pub to_ms: Option<i64>,
    /// The call's id, or the one that the provider gave its reply.
    pub request_id: Option<&'a str>,
    /// The key's hash.
    pub api_key: Option<&'a str>,
    pub key_alias: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub team_id: Option<&'a str>,
    pub organization_id: Option<&'a str>,
    pub end_user: Option<&'a str>,
    pub session_id: Option<&'a str>,
    /// As the upstream knows it, or the public name.
    pub model: Option<&'a str>,
    pub model_group: Option<&'a str>,
    pub model_id: Option<&'a str>,
    pub tag: Option<&'a str>,
    pub failed: Option<bool>,
    pub cache_hit: Option<bool>,
    pub min_spend: Option<Cost>,
    pub max_spend: Option<Cost>,
    /// The HTTP status, or the kind of failure.
    pub error_code: Option<&'a str>,
    /// The failure's message contains it, in any case of letters.
    pub error_message: Option<&'a str>,
    /// An id, an alias or a model contains it, in any case of letters.
    pub search: Option<&'a str>,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOrder {
    /// When the call began: the only one that stays fast however many rows there are.
    #[default]
    Start,
    End,
    Spend,
    Tokens,
    Duration,
    Model,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// From 1.
    pub number: u64,
    /// Rows a page.
    pub size: u64,
    pub order: LogOrder,
    /// The latest or largest first.
    pub descending: bool,
    /// Instead of a number: the rows behind this one, in the order of their start.
    pub behind: Option<Edge>,
}

/// Where a row stands in the order of starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// When the call began, in milliseconds of Unix time.
    pub started_at: i64,
    /// Its id.
    pub request_id: String,
}

struct Conditions {
    parts: Vec<String>,
    params: Vec<Owned>,
}

impl Db {
    /// A page of the log, and how many rows match in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn spend_logs(
        &self,
        filter: &LogFilter<'_>,
        page: &LogPage,
    ) -> Result<(Vec<SpendLog>, u64), DbError> {
        let total = self.count_logs(filter).await?;
        Ok((self.log_page(filter, page, total).await?, total))
    }

    /// The same without the number of all.
    ///
    /// # Errors
    /// The database's.
    pub async fn spend_logs_behind(
        &self,
        filter: &LogFilter<'_>,
        page: &LogPage,
    ) -> Result<Vec<SpendLog>, DbError> {
        self.log_page(filter, page, u64::MAX).await
    }

    async fn count_logs(&self, filter: &LogFilter<'_>) -> Result<u64, DbError> {
        let conditions = filter.conditions();
        let row = self.row(&count(&conditions), &borrowed(&conditions.params)).await?;
        row.map_or(Ok(0), |row| Ok(row.int("total")?.cast_unsigned()))
    }

    async fn log_page(
        &self,
        filter: &LogFilter<'_>,
        page: &LogPage,
        total: u64,
    ) -> Result<Vec<SpendLog>, DbError> {
        let mut conditions = filter.conditions();
        let skipped = page.number.saturating_sub(1).saturating_mul(page.size);
        if page.order != LogOrder::Start {
            let sql = sorted(&mut conditions, page, skipped);
            return self
                .rows(&sql, &borrowed(&conditions.params))
                .await?
                .iter()
                .map(SpendLog::read)
                .collect();
        }
        if let Some(edge) = &page.behind {
            conditions.starting_at(edge, if page.descending { "<" } else { ">" });
        } else if skipped > 0 {
            if skipped >= total {
                return Ok(Vec::new());
            }
            let Some(edge) = self.edge(filter, page.descending, skipped, total).await? else {
                return Ok(Vec::new());
            };
            conditions.starting_at(&edge, if page.descending { "<=" } else { ">=" });
        }
        let sql = in_order(&mut conditions, page);
        self.rows(&sql, &borrowed(&conditions.params)).await?.iter().map(SpendLog::read).collect()
    }

    /// The row with so many before it.
    async fn edge(
        &self,
        filter: &LogFilter<'_>,
        descending: bool,
        skipped: u64,
        total: u64,
    ) -> Result<Option<Edge>, DbError> {
        let from_behind = total - 1 - skipped;
        let (descending, skipped) =
            if from_behind < skipped { (!descending, from_behind) } else { (descending, skipped) };
        let mut conditions = filter.conditions();
        let sql = edge(&mut conditions, descending, skipped);
        let Some(row) = self.row(&sql, &borrowed(&conditions.params)).await? else { return Ok(None) };
        Ok(Some(Edge { started_at: row.int("started_at")?, request_id: row.text("request_id")? }))
    }
}

fn count(conditions: &Conditions) -> String {
    format!("SELECT COUNT(*) AS total FROM spend_logs{}", conditions.all())
}

fn edge(conditions: &mut Conditions, descending: bool, skipped: u64) -> String {
    let direction = direction(descending);
    let (all, skipped) = (conditions.all(), conditions.number(skipped));
    format!(
        "SELECT started_at, request_id FROM spend_logs{all} \
         ORDER BY started_at {direction}, request_id {direction} LIMIT 1 OFFSET {skipped}"
    )
}

fn in_order(conditions: &mut Conditions, page: &LogPage) -> String {
    let direction = direction(page.descending);
    let (all, size) = (conditions.all(), conditions.number(page.size));
    format!(
        "SELECT {NAMES} FROM spend_logs{all} ORDER BY started_at {direction}, request_id {direction} LIMIT {size}"
    )
}

fn sorted(conditions: &mut Conditions, page: &LogPage, skipped: u64) -> String {
    let by = match page.order {
        LogOrder::Start => "started_at",
        LogOrder::End => "ended_at",
        LogOrder::Spend => "spend",
        LogOrder::Tokens => "input_tokens + output_tokens",
        LogOrder::Duration => "ended_at - started_at",
        LogOrder::Model => "model_group",
    };
    let direction = direction(page.descending);
    let all = conditions.all();
    let (size, skipped) = (conditions.number(page.size), conditions.number(skipped));
    format!(
        "SELECT {NAMES} FROM spend_logs{all} ORDER BY {by} {direction}, started_at {direction}, \
         request_id {direction} LIMIT {size} OFFSET {skipped}"
    )
}

const fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

impl Conditions {
    fn all(&self) -> String {
        if self.parts.is_empty() { String::new() } else { format!(" WHERE {}", self.parts.join(" AND ")) }
    }

    fn number(&mut self, number: u64) -> String {
        self.params.push(Owned::Int(i64::try_from(number).unwrap_or(i64::MAX)));
        format!("${}", self.params.len())
    }

    fn text(&mut self, text: &str) -> String {
        self.params.push(Owned::Text(text.to_owned()));
        format!("${}", self.params.len())
    }

    fn compare(&mut self, column: &str, operator: &str, value: i64) {
        self.params.push(Owned::Int(value));
        self.parts.push(format!("{column} {operator} ${}", self.params.len()));
    }

    fn starting_at(&mut self, edge: &Edge, operator: &str) {
        self.params.push(Owned::Int(edge.started_at));
        let at = self.params.len();
        let id = self.text(&edge.request_id);
        self.parts.push(format!("(started_at, request_id) {operator} (${at}, {id})"));
    }
}

impl LogFilter<'_> {
    fn conditions(&self) -> Conditions {
        let mut all = Conditions { parts: Vec::new(), params: Vec::new() };
        self.equal(&mut all);
        for (column, operator, value) in [
            ("started_at", ">=", self.from_ms),
            ("started_at", "<=", self.to_ms),
            ("spend", ">=", self.min_spend.map(Cost::nano)),
            ("spend", "<=", self.max_spend.map(Cost::nano)),
        ] {
            if let Some(value) = value {
                all.compare(column, operator, value);
            }
        }
        match self.failed {
            // Written as the partial index has it.
            Some(true) => all.parts.push("failed = 1".to_owned()),
            Some(false) => all.parts.push("failed = 0".to_owned()),
            None => {}
        }
        match self.cache_hit {
            Some(true) => all.parts.push("cache_hit = 1".to_owned()),
            Some(false) => all.parts.push("COALESCE(cache_hit, 0) = 0".to_owned()),
            None => {}
        }
        self.containing(&mut all);
        all
    }

    fn equal(&self, all: &mut Conditions) {
        let equal = [
            ("api_key", self.api_key),
            ("key_alias", self.key_alias),
            ("user_id", self.user_id),
            ("team_id", self.team_id),
            ("organization_id", self.organization_id),
            ("end_user", self.end_user),
            ("session_id", self.session_id),
            ("model_group", self.model_group),
            ("model_id", self.model_id),
        ];
        for (column, value) in equal {
            if let Some(value) = value {
                let value = all.text(value);
                all.parts.push(format!("{column} = {value}"));
            }
        }
        let either = [("request_id", "response_id", self.request_id), ("model", "model_group", self.model)];
        for (one, other, value) in either {
            if let Some(value) = value {
                let value = all.text(value);
                all.parts.push(format!("({one} = {value} OR {other} = {value})"));
            }
        }
        if let Some(code) = self.error_code {
            let value = all.text(code);
            all.parts.push(format!("(CAST(status_code AS TEXT) = {value} OR error_class = {value})"));
        }
    }

    fn containing(&self, all: &mut Conditions) {
        if let Some(tag) = self.tag {
            // Tags are kept as a JSON list of texts.
            let value = all.text(&format!("%{}%", escaped(&serde_json::Value::from(tag).to_string())));
            all.parts.push(format!("tags LIKE {value} ESCAPE '!'"));
        }
        if let Some(message) = self.error_message {
            let value = all.text(&format!("%{}%", escaped(&message.to_lowercase())));
            all.parts.push(format!("LOWER(error_message) LIKE {value} ESCAPE '!'"));
        }
        if let Some(search) = self.search {
            let value = all.text(&format!("%{}%", escaped(&search.to_lowercase())));
            let columns =
                ["request_id", "response_id", "key_alias", "user_id", "end_user", "model_group", "model"];
            let any: Vec<_> =
                columns.iter().map(|column| format!("LOWER({column}) LIKE {value} ESCAPE '!'")).collect();
            all.parts.push(format!("({})", any.join(" OR ")));
        }
    }
}

/// Every statement of this file, with all conditions at once and with none.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let text = Some("x");
    let everything = LogFilter {
        from_ms: Some(1),
        to_ms: Some(1),
        request_id: text,
        api_key: text,
        key_alias: text,
        user_id: text,
        team_id: text,
        organization_id: text,
        end_user: text,
        session_id: text,
        model: text,
        model_group: text,
        model_id: text,
        tag: text,
        failed: Some(true),
        cache_hit: Some(false),
        min_spend: Some(Cost::ZERO),
        max_spend: Some(Cost::ZERO),
        error_code: text,
        error_message: text,
        search: text,
    };
    let rest = LogFilter { failed: Some(false), cache_hit: Some(true), ..LogFilter::default() };
    let orders = [LogOrder::End, LogOrder::Spend, LogOrder::Tokens, LogOrder::Duration, LogOrder::Model];
    let mut all = Vec::new();
    for filter in [everything, rest, LogFilter::default()] {
        for descending in [false, true] {
            all.push(count(&filter.conditions()));
            all.push(edge(&mut filter.conditions(), descending, 1));
            let page = LogPage { number: 1, size: 1, order: LogOrder::Start, descending, behind: None };
            for operator in ["<", "<=", ">", ">="] {
                let mut conditions = filter.conditions();
                conditions.starting_at(&Edge { started_at: 1, request_id: "x".to_owned() }, operator);
                all.push(in_order(&mut conditions, &page));
            }
            all.push(in_order(&mut filter.conditions(), &page));
            all.extend(
                orders.map(|order| sorted(&mut filter.conditions(), &LogPage { order, ..page.clone() }, 1)),
            );
        }
    }
    all
}
