//! Sums of days, grouped as they are asked for. The sums themselves are made by [`crate::projector`].

use policy::money::Cost;

use crate::db::{Db, DbError, Row};
use crate::entity::{Owned, borrowed};

/// What sums are split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Day,
    /// The user, team, … of the kind that is asked for.
    Entity,
    ApiKey,
    Model,
    ModelGroup,
    Provider,
    Endpoint,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Day,
        Self::Entity,
        Self::ApiKey,
        Self::Model,
        Self::ModelGroup,
        Self::Provider,
        Self::Endpoint,
    ];

    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Entity => "entity_id",
            Self::ApiKey => "api_key",
            Self::Model => "model",
            Self::ModelGroup => "model_group",
            Self::Provider => "provider",
            Self::Endpoint => "endpoint",
        }
    }
}

/// Whose sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Everybody's.
    #[default]
    Everything,
    User,
    Team,
    Organization,
    Customer,
    Tag,
}

impl Of {
    const fn word(self) -> &'static str {
        match self {
            Self::Everything => "global",
            Self::User => "user",
            Self::Team => "team",
            Self::Organization => "organization",
            Self::Customer => "customer",
            Self::Tag => "tag",
        }
    }
}

/// Which sums; every condition that is there must hold. Days are `2026-01-31`, both inclusive.
#[derive(Clone, Copy, Debug, Default)]
pub struct DailyFilter<'a> {
    pub of: Of,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    /// Of these users, teams, …; an empty list is nobody.
    pub only: Option<&'a [String]>,
    /// Of no others than these.
    pub except: &'a [String],
    /// Of these keys; an empty list is none.
    pub api_keys: Option<&'a [String]>,
    /// The upstream's or the public name.
    pub model: Option<&'a str>,
}

/// The order of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SumOrder {
    /// By what they are split by, days descending.
    #[default]
    Key,
    /// The most expensive first.
    Spend,
}

/// A sum. What it is not split by is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub day: String,
    pub entity: String,
    pub api_key: String,
    pub model: String,
    pub model_group: String,
    pub provider: String,
    pub endpoint: String,
    pub counts: Counts,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub spend: Cost,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub requests: i64,
    pub successful: i64,
    pub failed: i64,
    pub cache_hits: i64,
    /// Calls whose cost is not known, and not in `spend`.
    pub unpriced: i64,
    /// All calls' times together.
    pub duration_ms: i64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            spend: self.spend.saturating_add(other.spend),
            input_tokens: self.input_tokens + other.input_tokens,
            output_tokens: self.output_tokens + other.output_tokens,
            cache_read_tokens: self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens + other.cache_write_tokens,
            requests: self.requests + other.requests,
            successful: self.successful + other.successful,
            failed: self.failed + other.failed,
            cache_hits: self.cache_hits + other.cache_hits,
            unpriced: self.unpriced + other.unpriced,
            duration_ms: self.duration_ms + other.duration_ms,
        }
    }
}

const COUNTS: [&str; 11] = [
    "spend",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "requests",
    "successful",
    "failed",
    "cache_hits",
    "unpriced",
    "duration_ms",
];

impl Db {
    /// Sums split by `by`, at most `most` behind the first `skipped`.
    ///
    /// # Errors
    /// The database's.
    pub async fn sums(
        &self,
        filter: &DailyFilter<'_>,
        by: &[By],
        order: SumOrder,
        skipped: u64,
        most: u64,
    ) -> Result<Vec<Sum>, DbError> {
        let (sql, params) = sums(filter, by, order, skipped, most);
        self.rows(&sql, &borrowed(&params)).await?.iter().map(|row| sum(row, by)).collect()
    }

    /// How many sums there are when they are split by `by`.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_sums(&self, filter: &DailyFilter<'_>, by: &[By]) -> Result<u64, DbError> {
        let (sql, params) = counted(filter, by);
        let row = self.row(&sql, &borrowed(&params)).await?;
        row.map_or(Ok(0), |row| Ok(row.int("total")?.cast_unsigned()))
    }

    /// Everything together.
    ///
    /// # Errors
    /// The database's.
    pub async fn whole_sum(&self, filter: &DailyFilter<'_>) -> Result<Counts, DbError> {
        let sums = self.sums(filter, &[], SumOrder::Key, 0, 1).await?;
        Ok(sums.first().map(|sum| sum.counts).unwrap_or_default())
    }
}

fn sums(
    filter: &DailyFilter<'_>,
    by: &[By],
    order: SumOrder,
    skipped: u64,
    most: u64,
) -> (String, Vec<Owned>) {
    let (condition, mut params) = filter.condition();
    let columns: Vec<_> = by.iter().map(|by| by.column()).collect();
    // The sum of BIGINTs is none in PostgreSQL.
    let totals: Vec<_> =
        COUNTS.iter().map(|count| format!("CAST(COALESCE(SUM({count}), 0) AS BIGINT) AS {count}")).collect();
    let selected =
        columns.iter().map(|column| (*column).to_owned()).chain(totals).collect::<Vec<_>>().join(", ");
    let keys: Vec<_> =
        columns.iter().map(|column| if *column == "day" { "day DESC" } else { column }.to_owned()).collect();
    let (group, order) = if columns.is_empty() {
        (String::new(), String::new())
    } else {
        let order = match order {
            SumOrder::Key => keys.join(", "),
            SumOrder::Spend => format!("SUM(spend) DESC, {}", keys.join(", ")),
        };
        (format!(" GROUP BY {}", columns.join(", ")), format!(" ORDER BY {order}"))
    };
    for number in [most, skipped] {
        params.push(Owned::Int(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    let (limit, offset) = (params.len() - 1, params.len());
    let sql = format!(
        "SELECT {selected} FROM daily_spend{condition}{group}{order} LIMIT ${limit} OFFSET ${offset}"
    );
    (sql, params)
}

fn counted(filter: &DailyFilter<'_>, by: &[By]) -> (String, Vec<Owned>) {
    let (condition, params) = filter.condition();
    let columns = by.iter().map(|by| by.column()).collect::<Vec<_>>().join(", ");
    let columns = if columns.is_empty() { "kind" } else { &columns };
    let sql = format!(
        "SELECT COUNT(*) AS total FROM (SELECT DISTINCT {columns} FROM daily_spend{condition}) AS different"
    );
    (sql, params)
}

fn sum(row: &Row, by: &[By]) -> Result<Sum, DbError> {
    let text = |of: By| if by.contains(&of) { row.text(of.column()) } else { Ok(String::new()) };
    Ok(Sum {
        day: text(By::Day)?,
        entity: text(By::Entity)?,
        api_key: text(By::ApiKey)?,
        model: text(By::Model)?,
        model_group: text(By::ModelGroup)?,
        provider: text(By::Provider)?,
        endpoint: text(By::Endpoint)?,
        counts: Counts {
            spend: row.cost("spend")?,
            input_tokens: row.int("input_tokens")?,
            output_tokens: row.int("output_tokens")?,
            cache_read_tokens: row.int("cache_read_tokens")?,
            cache_write_tokens: row.int("cache_write_tokens")?,
            requests: row.int("requests")?,
            successful: row.int("successful")?,
            failed: row.int("failed")?,
            cache_hits: row.int("cache_hits")?,
            unpriced: row.int("unpriced")?,
            duration_ms: row.int("duration_ms")?,
        },
    })
}

impl DailyFilter<'_> {
    fn condition(&self) -> (String, Vec<Owned>) {
        let mut params = vec![Owned::Text(self.of.word().to_owned())];
        let mut parts = vec!["kind = $1".to_owned()];
        let mut text = |text: &str| {
            params.push(Owned::Text(text.to_owned()));
            format!("${}", params.len())
        };
        if let Some(from) = self.from {
            parts.push(format!("day >= {}", text(from)));
        }
        if let Some(to) = self.to {
            parts.push(format!("day <= {}", text(to)));
        }
        for (column, list) in [("entity_id", self.only), ("api_key", self.api_keys)] {
            let Some(list) = list else { continue };
            let marks: Vec<_> = list.iter().map(|it| text(it)).collect();
            parts.push(if marks.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("{column} IN ({})", marks.join(", "))
            });
        }
        if !self.except.is_empty() {
            let marks: Vec<_> = self.except.iter().map(|it| text(it)).collect();
            parts.push(format!("entity_id NOT IN ({})", marks.join(", ")));
        }
        if let Some(model) = self.model {
            let model = text(model);
            parts.push(format!("(model = {model} OR model_group = {model})"));
        }
        (format!(" WHERE {}", parts.join(" AND ")), params)
    }
}

/// Every statement of this file, with all conditions and with none.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let two = ["a".to_owned(), "b".to_owned()];
    let everything = DailyFilter {
        of: Of::Team,
        from: Some("2026-01-01"),
        to: Some("2026-01-31"),
        only: Some(&two),
        except: &two,
        api_keys: Some(&two),
        model: Some("m"),
    };
    let nobody = DailyFilter { only: Some(&[]), api_keys: Some(&[]), ..DailyFilter::default() };
    let mut all = Vec::new();
    for filter in [everything, nobody, DailyFilter::default()] {
        for by in [&[][..], &By::ALL, &[By::Day], &[By::Entity, By::ApiKey]] {
            for order in [SumOrder::Key, SumOrder::Spend] {
                all.push(sums(&filter, by, order, 0, 1).0);
            }
            all.push(counted(&filter, by).0);
        }
    }
    all
}
