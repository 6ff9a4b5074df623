//! An operator at work: who asks, the database, and [`Edit`], the transaction in which they write. Whatever it
//! writes on their behalf stands in the audit log too.
//!
//! Not here: what may be written (each resource), how rows are shown ([`crate::shown`]).

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use http::request::Parts;
use policy::roles::Object as About;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::db::{Db, Tx};
use store::entity::{Entity, Filter, Record};

use crate::access::{Known, Refused, Stored};
use crate::edit;
use crate::secrets;

/// What a management route answers.
pub(crate) type Answer = Result<Json<Value>, Refused>;

/// Names somebody else as the actor; believed of proxy admins only.
const CHANGED_BY: &str = "litellm-changed-by";

/// Who asks, with what it takes to answer them.
pub(crate) struct Operator {
    pub(crate) who: Known,
    pub(crate) db: Db,
    pub(crate) gateway: Gateway,
    changed_by: Option<String>,
}

/// The query of a request; one that does not fit is refused in the same shape as everything else.
pub(crate) struct Asked<T>(pub(crate) T);

/// What an operator changes at once: all of it, or nothing.
pub(crate) struct Edit {
    pub(crate) tx: Tx,
    /// Milliseconds of Unix time.
    pub(crate) now: i64,
    actor: String,
    actor_key: Option<String>,
}

impl FromRequestParts<Gateway> for Operator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Refused> {
        let who = Known::from_request_parts(parts, gateway).await?;
        let Stored(db) = Stored::from_request_parts(parts, gateway).await?;
        let named = parts.headers.get(CHANGED_BY).and_then(|value| value.to_str().ok());
        let changed_by = named.filter(|_| who.0.is_admin()).map(str::to_owned);
        Ok(Self { who, db, gateway: gateway.clone(), changed_by })
    }
}

impl<T: DeserializeOwned> FromRequestParts<Gateway> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Refused> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(problem) => Err(Refusal::new(422, problem.body_text()).with_param("query").into()),
        }
    }
}

impl Operator {
    /// The user who asks.
    pub(crate) fn user(&self) -> Option<&str> {
        self.who.0.user_id.as_deref()
    }

    /// May do everything.
    pub(crate) fn is_admin(&self) -> bool {
        self.who.0.is_admin()
    }

    /// May read everything.
    pub(crate) fn sees_all(&self) -> bool {
        self.is_admin() || self.who.0.role == "proxy_admin_viewer"
    }

    /// Goes on only if the operator may call this route about `about`.
    pub(crate) fn must(&self, method: &str, path: &str, about: &About<'_>) -> Result<(), Refused> {
        self.who.must(method, path, about)
    }

    /// Begins to write.
    pub(crate) async fn begin(&self) -> Result<Edit, Refused> {
        Ok(Edit {
            tx: self.db.begin().await?,
            now: now_ms(),
            actor: self.changed_by.clone().unwrap_or_else(|| self.who.0.actor().to_owned()),
            actor_key: self.who.0.key.clone(),
        })
    }

    /// Writes all of it; the next call knows of it.
    pub(crate) async fn finish(&self, edit: Edit) -> Result<(), Refused> {
        edit.tx.commit().await?;
        self.gateway.live.catch_up().await;
        Ok(())
    }
}

impl Edit {
    /// A row that is made now.
    pub(crate) fn record<T: Entity>(&self, id: impl Into<String>, fields: T) -> Record<T> {
        Record::new(id, fields, self.now, Some(&self.actor))
    }

    /// The row with this id.
    pub(crate) async fn get<T: Entity>(&mut self, id: &str) -> Result<Option<Record<T>>, Refused> {
        Ok(self.tx.get(id).await?)
    }

    /// The rows that match.
    pub(crate) async fn find<T: Entity>(&mut self, filter: &Filter<'_>) -> Result<Vec<Record<T>>, Refused> {
        Ok(self.tx.find(filter).await?)
    }

    /// Adds a row.
    pub(crate) async fn add<T: Entity>(&mut self, record: &Record<T>) -> Result<(), Refused> {
        self.tx.insert(record).await?;
        self.note::<T>("created", &record.id, None, Some(&record.fields)).await
    }

    /// Writes a row's fields over those it had; `action` is the word of the audit log.
    pub(crate) async fn change<T: Entity>(
        &mut self,
        action: &str,
        before: &T,
        record: &mut Record<T>,
    ) -> Result<(), Refused> {
        self.follow(record).await?;
        self.note(action, &record.id, Some(before), Some(&record.fields)).await
    }

    /// Writes a row that only follows a change which is in the audit log already.
    pub(crate) async fn follow<T: Entity>(&mut self, record: &mut Record<T>) -> Result<(), Refused> {
        record.updated_at = self.now;
        record.updated_by = Some(self.actor.clone());
        self.tx.update(record).await?;
        Ok(())
    }

    /// Deletes a row, which is kept in the archive.
    pub(crate) async fn remove<T: Entity>(&mut self, id: &str) -> Result<Option<Record<T>>, Refused> {
        let removed = self.tx.delete::<T>(id, self.now, Some(&self.actor)).await?;
        if let Some(record) = &removed {
            self.note("deleted", id, Some(&record.fields), None).await?;
        }
        Ok(removed)
    }

    async fn note<T: Entity>(
        &mut self,
        action: &str,
        id: &str,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), Refused> {
        let text = |fields: Option<&T>| -> Result<Option<String>, Refused> {
            let Some(fields) = fields else { return Ok(None) };
            let mut value = Value::Object(edit::object(fields)?);
            secrets::mask(&mut value);
            Ok(Some(value.to_string()))
        };
        let (before, after) = (text(before)?, text(after)?);
        let columns = "(at, actor, actor_key, action, kind, id, before, after)";
        let sql = format!("INSERT INTO audit {columns} VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        let params = [
            self.now.into(),
            (&self.actor).into(),
            (&self.actor_key).into(),
            action.into(),
            T::KIND.table().into(),
            id.into(),
            (&before).into(),
            (&after).into(),
        ];
        self.tx.execute(&sql, &params).await?;
        Ok(())
    }
}

/// A field that does not hold what it must.
pub(crate) fn bad(field: &str, message: impl Into<String>) -> Refused {
    Refusal::new(400, message).with_kind("bad_request_error").with_param(field).into()
}

/// Something that is not there.
pub(crate) fn missing(field: &str, message: impl Into<String>) -> Refused {
    Refusal::new(404, message).with_kind("not_found_error").with_param(field).into()
}

/// Something that this operator may not do.
pub(crate) fn forbidden(field: &str, message: impl Into<String>) -> Refused {
    Refusal::new(403, message).with_kind("auth_error").with_param(field).into()
}

/// Milliseconds of Unix time.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
