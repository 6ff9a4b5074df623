//! Rows of any kind: made, read, listed, changed, deleted. One SQL text, with the table's name filled in.

use super::{Entity, Kind, Record};
use crate::db::{Db, DbError, Param, Row, Tx};

const COLUMNS: &str = "id, alias, user_id, team_id, organization_id, budget_id, blocked, expires_at, spend, total_spend, \
                       budget_reset_at, created_at, created_by, updated_at, updated_by, body";

/// Which rows; every condition that is there must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Exactly this id.
    pub id: Option<&'a str>,
    /// Any of these ids.
    pub ids: Option<&'a [String]>,
    /// Exactly this alias.
    pub alias: Option<&'a str>,
    /// The id or the alias contains it, in any case of letters.
    pub search: Option<&'a str>,
    /// Of this user.
    pub user_id: Option<&'a str>,
    /// Of this team.
    pub team_id: Option<&'a str>,
    /// Of this organization.
    pub organization_id: Option<&'a str>,
    /// Of any of these teams.
    pub any_team: Option<&'a [String]>,
    /// Under this shared budget.
    pub budget_id: Option<&'a str>,
    /// Of this user, or made by them.
    pub of_or_by: Option<&'a str>,
    /// Made by this user.
    pub created_by: Option<&'a str>,
    /// Blocked or not.
    pub blocked: Option<bool>,
    /// Expired at this time (milliseconds of Unix time) or not.
    pub expired: Option<(i64, bool)>,
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// When it was made.
    #[default]
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// Its alias.
    Alias,
    /// Its id.
    Id,
    /// Its spend.
    Spend,
    /// When it expires.
    ExpiresAt,
}

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// From 1.
    pub number: u64,
    /// Rows a page.
    pub size: u64,
    /// What it is sorted by.
    pub order: Order,
    /// The largest first.
    pub descending: bool,
}

/// A row that was deleted.
#[derive(Clone, Debug)]
pub struct Deleted<T> {
    /// As it was.
    pub record: Record<T>,
    /// Milliseconds of Unix time.
    pub deleted_at: i64,
    /// Who did it: a user id.
    pub deleted_by: Option<String>,
}

impl Tx {
    /// Adds a row, and tells the replicas.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when there is one with this id.
    pub async fn insert<T: Entity>(&mut self, record: &Record<T>) -> Result<(), DbError> {
        let body = body(&record.fields)?;
        let columns = record.fields.columns();
        let sql = format!(
            "INSERT INTO {} ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            T::KIND.table()
        );
        let params = [
            (&record.id).into(),
            columns.alias.into(),
            columns.user_id.into(),
            columns.team_id.into(),
            columns.organization_id.into(),
            columns.budget_id.into(),
            columns.blocked.into(),
            columns.expires_at.into(),
            record.spend.into(),
            record.total_spend.into(),
            record.budget_reset_at.into(),
            record.created_at.into(),
            (&record.created_by).into(),
            record.updated_at.into(),
            (&record.updated_by).into(),
            body.as_str().into(),
        ];
        self.execute(&sql, &params).await?;
        self.changed(T::KIND, &record.id, record.updated_at).await
    }

    /// Writes the fields of a row that is there, and tells the replicas. What was spent stays as it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn update<T: Entity>(&mut self, record: &Record<T>) -> Result<bool, DbError> {
        let body = body(&record.fields)?;
        let columns = record.fields.columns();
        let sql = format!(
            "UPDATE {} SET alias = $2, user_id = $3, team_id = $4, organization_id = $5, budget_id = $6, blocked = $7, \
             expires_at = $8, budget_reset_at = $9, updated_at = $10, updated_by = $11, body = $12 WHERE id = $1",
            T::KIND.table()
        );
        let params = [
            (&record.id).into(),
            columns.alias.into(),
            columns.user_id.into(),
            columns.team_id.into(),
            columns.organization_id.into(),
            columns.budget_id.into(),
            columns.blocked.into(),
            columns.expires_at.into(),
            record.budget_reset_at.into(),
            record.updated_at.into(),
            (&record.updated_by).into(),
            body.as_str().into(),
        ];
        let found = self.execute(&sql, &params).await? > 0;
        if found {
            self.changed(T::KIND, &record.id, record.updated_at).await?;
        }
        Ok(found)
    }

    /// Gives a row another id, and tells the replicas, as a change of `from>to`.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when there is one with the new id.
    pub async fn rename(&mut self, kind: Kind, from: &str, to: &str, now_ms: i64) -> Result<bool, DbError> {
        let sql = format!("UPDATE {} SET id = $2 WHERE id = $1", kind.table());
        let found = self.execute(&sql, &[from.into(), to.into()]).await? > 0;
        if found {
            // One change, so that whoever follows knows it for the same row.
            self.changed(kind, &format!("{from}>{to}"), now_ms).await?;
        }
        Ok(found)
    }

    /// Sets what a row has spent in the running period, and when that ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_spend(
        &mut self,
        kind: Kind,
        id: &str,
        spend: policy::money::Cost,
        budget_reset_at: Option<i64>,
        now_ms: i64,
    ) -> Result<bool, DbError> {
        let sql = format!("UPDATE {} SET spend = $2, budget_reset_at = $3 WHERE id = $1", kind.table());
        let found = self.execute(&sql, &[id.into(), spend.into(), budget_reset_at.into()]).await? > 0;
        if found {
            self.changed(kind, id, now_ms).await?;
        }
        Ok(found)
    }

    /// Deletes a row, keeps a copy of it, and tells the replicas.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete<T: Entity>(
        &mut self,
        id: &str,
        now_ms: i64,
        actor: Option<&str>,
    ) -> Result<Option<Record<T>>, DbError> {
        let Some(record) = self.get::<T>(id).await? else { return Ok(None) };
        let body = body(&record.fields)?;
        let table = T::KIND.table();
        self.execute(
            "INSERT INTO deleted (kind, id, body, spend, total_spend, created_at, deleted_at, deleted_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                table.into(),
                id.into(),
                body.as_str().into(),
                record.spend.into(),
                record.total_spend.into(),
                record.created_at.into(),
                now_ms.into(),
                actor.into(),
            ],
        )
        .await?;
        self.execute(&format!("DELETE FROM {table} WHERE id = $1"), &[id.into()]).await?;
        self.changed(T::KIND, id, now_ms).await?;
        Ok(Some(record))
    }

    /// The row with this id, as this transaction sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn get<T: Entity>(&mut self, id: &str) -> Result<Option<Record<T>>, DbError> {
        let sql = by_id(T::KIND);
        self.row(&sql, &[id.into()]).await?.as_ref().map(record).transpose()
    }

    /// The rows that match, as this transaction sees them.
    ///
    /// # Errors
    /// The database's.
    pub async fn find<T: Entity>(&mut self, filter: &Filter<'_>) -> Result<Vec<Record<T>>, DbError> {
        let (condition, params) = filter.condition();
        let sql = format!("SELECT {COLUMNS} FROM {}{condition} ORDER BY created_at, id", T::KIND.table());
        self.rows(&sql, &borrowed(&params)).await?.iter().map(record).collect()
    }

    async fn changed(&mut self, kind: Kind, id: &str, now_ms: i64) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO changes (kind, id, at) VALUES ($1, $2, $3)",
            &[kind.table().into(), id.into(), now_ms.into()],
        )
        .await?;
        self.announce().await
    }
}

impl Db {
    /// The row with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn get<T: Entity>(&self, id: &str) -> Result<Option<Record<T>>, DbError> {
        self.row(&by_id(T::KIND), &[id.into()]).await?.as_ref().map(record).transpose()
    }

    /// All rows that match, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn find<T: Entity>(&self, filter: &Filter<'_>) -> Result<Vec<Record<T>>, DbError> {
        let (condition, params) = filter.condition();
        let sql = format!("SELECT {COLUMNS} FROM {}{condition} ORDER BY created_at, id", T::KIND.table());
        self.rows(&sql, &borrowed(&params)).await?.iter().map(record).collect()
    }

    /// A page of the rows that match, and how many match in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn page<T: Entity>(
        &self,
        filter: &Filter<'_>,
        page: Page,
    ) -> Result<(Vec<Record<T>>, u64), DbError> {
        let (condition, mut params) = filter.condition();
        let table = T::KIND.table();
        let count = format!("SELECT COUNT(*) AS total FROM {table}{condition}");
        let total = match self.row(&count, &borrowed(&params)).await? {
            Some(row) => row.int("total")?,
            None => 0,
        };
        let order = page.order.column();
        let direction = if page.descending { "DESC" } else { "ASC" };
        let (limit, offset) = (params.len() + 1, params.len() + 2);
        let sql = format!(
            "SELECT {COLUMNS} FROM {table}{condition} ORDER BY {order} {direction}, id {direction} \
             LIMIT ${limit} OFFSET ${offset}"
        );
        let size = i64::try_from(page.size).unwrap_or(i64::MAX);
        params.push(Owned::Int(size));
        params.push(Owned::Int(
            i64::try_from(page.number.saturating_sub(1)).unwrap_or(i64::MAX).saturating_mul(size),
        ));
        let rows = self.rows(&sql, &borrowed(&params)).await?;
        Ok((rows.iter().map(record).collect::<Result<_, _>>()?, u64::try_from(total).unwrap_or(0)))
    }

    /// The rows of a kind behind `after` in the order of ids, `size` of them: for reading all without holding all.
    ///
    /// # Errors
    /// The database's.
    pub async fn after<T: Entity>(&self, after: &str, size: u32) -> Result<Vec<Record<T>>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM {} WHERE id > $1 ORDER BY id LIMIT $2", T::KIND.table());
        let rows = self.rows(&sql, &[after.into(), i64::from(size).into()]).await?;
        rows.iter().map(record).collect()
    }

    /// Rows that were deleted, the last one first.
    ///
    /// # Errors
    /// The database's.
    pub async fn deleted<T: Entity>(
        &self,
        number: u64,
        size: u64,
    ) -> Result<(Vec<Deleted<T>>, u64), DbError> {
        let table = T::KIND.table();
        let total =
            match self.row("SELECT COUNT(*) AS total FROM deleted WHERE kind = $1", &[table.into()]).await? {
                Some(row) => row.int("total")?,
                None => 0,
            };
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let offset = i64::try_from(number.saturating_sub(1)).unwrap_or(i64::MAX).saturating_mul(size);
        let rows = self
            .rows(
                "SELECT id, body, spend, total_spend, created_at, deleted_at, deleted_by FROM deleted WHERE kind = $1 \
                 ORDER BY number DESC LIMIT $2 OFFSET $3",
                &[table.into(), size.into(), offset.into()],
            )
            .await?;
        let rows = rows.iter().map(deleted).collect::<Result<_, _>>()?;
        Ok((rows, u64::try_from(total).unwrap_or(0)))
    }
}

impl Order {
    const fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Alias => "alias",
            Self::Id => "id",
            Self::Spend => "spend",
            Self::ExpiresAt => "expires_at",
        }
    }
}

pub(crate) enum Owned {
    Int(i64),
    Text(String),
}

pub(crate) fn borrowed(params: &[Owned]) -> Vec<Param<'_>> {
    params
        .iter()
        .map(|param| match param {
            Owned::Int(value) => (*value).into(),
            Owned::Text(value) => value.as_str().into(),
        })
        .collect()
}

impl Filter<'_> {
    fn condition(&self) -> (String, Vec<Owned>) {
        let mut parts: Vec<String> = Vec::new();
        let mut params: Vec<Owned> = Vec::new();
        let equal = [
            ("id", self.id),
            ("alias", self.alias),
            ("user_id", self.user_id),
            ("team_id", self.team_id),
            ("organization_id", self.organization_id),
            ("budget_id", self.budget_id),
            ("created_by", self.created_by),
        ];
        for (column, value) in equal {
            if let Some(value) = value {
                params.push(Owned::Text(value.to_owned()));
                parts.push(format!("{column} = ${}", params.len()));
            }
        }
        if let Some(user) = self.of_or_by {
            params.push(Owned::Text(user.to_owned()));
            let at = params.len();
            parts.push(format!("(user_id = ${at} OR created_by = ${at})"));
        }
        if let Some(search) = self.search {
            params.push(Owned::Text(format!("%{}%", escaped(&search.to_lowercase()))));
            let at = params.len();
            parts.push(format!("(LOWER(id) LIKE ${at} ESCAPE '!' OR LOWER(alias) LIKE ${at} ESCAPE '!')"));
        }
        for (column, values) in [("id", self.ids), ("team_id", self.any_team)] {
            let Some(values) = values else { continue };
            let marks: Vec<String> = values
                .iter()
                .map(|value| {
                    params.push(Owned::Text(value.clone()));
                    format!("${}", params.len())
                })
                .collect();
            parts.push(if marks.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("{column} IN ({})", marks.join(", "))
            });
        }
        if let Some(blocked) = self.blocked {
            params.push(Owned::Int(i64::from(blocked)));
            parts.push(format!("blocked = ${}", params.len()));
        }
        if let Some((now, expired)) = self.expired {
            params.push(Owned::Int(now));
            let at = params.len();
            parts.push(if expired {
                format!("expires_at <= ${at}")
            } else {
                format!("(expires_at IS NULL OR expires_at > ${at})")
            });
        }
        let text = if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
        (text, params)
    }
}

/// A text as a piece of a `LIKE` pattern with `!` for escapes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn by_id(kind: Kind) -> String {
    format!("SELECT {COLUMNS} FROM {} WHERE id = $1", kind.table())
}

fn body<T: Entity>(fields: &T) -> Result<String, DbError> {
    serde_json::to_string(fields).map_err(|error| DbError::Statement(error.to_string()))
}

fn fields<T: Entity>(row: &Row, id: &str) -> Result<T, DbError> {
    serde_json::from_str(&row.text("body")?)
        .map_err(|error| DbError::Corrupt(format!("{} {id}: {error}", T::KIND.table())))
}

fn record<T: Entity>(row: &Row) -> Result<Record<T>, DbError> {
    let id = row.text("id")?;
    Ok(Record {
        fields: fields(row, &id)?,
        id,
        spend: row.cost("spend")?,
        total_spend: row.cost("total_spend")?,
        budget_reset_at: row.maybe_int("budget_reset_at")?,
        created_at: row.int("created_at")?,
        created_by: row.maybe_text("created_by")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.maybe_text("updated_by")?,
    })
}

fn deleted<T: Entity>(row: &Row) -> Result<Deleted<T>, DbError> {
    let id = row.text("id")?;
    Ok(Deleted {
        record: Record {
            fields: fields(row, &id)?,
            id,
            spend: row.cost("spend")?,
            total_spend: row.cost("total_spend")?,
            budget_reset_at: None,
            created_at: row.int("created_at")?,
            created_by: None,
            updated_at: row.int("deleted_at")?,
            updated_by: None,
        },
        deleted_at: row.int("deleted_at")?,
        deleted_by: row.maybe_text("deleted_by")?,
    })
}
