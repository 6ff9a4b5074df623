//! Tags: labels of calls, with deployments and budgets of their own.

use axum::Json;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::{Filter, Object, Record, TagFields};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Operator, bad, missing};
use crate::part::Part;
use crate::shown::{self, Blank, Shape};
use crate::{budgets, edit, terms};

const SHAPE: Shape = &[
    ("description", Blank::Null),
    ("models", Blank::List),
    ("model_info", Blank::Null),
    ("budget_id", Blank::Null),
];

/// Tags, by name.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TagNames)]
pub(crate) struct Many {
    names: Vec<String>,
}

/// A tag, by name.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TagName)]
pub(crate) struct Gone {
    name: String,
}

/// Which tags were seen in calls.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Seen {
    /// The first day, `YYYY-MM-DD`.
    start_date: Option<String>,
    /// The last day, `YYYY-MM-DD`.
    end_date: Option<String>,
}

/// Makes a tag.
#[utoipa::path(post, path = "/tag/new", operation_id = "tag_new", tag = "tags", request_body = Object,
    responses((status = 200, description = "The tag"), (status = 400, description = "There is such a tag")))]
pub(crate) async fn tag_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/tag/new", &About::default())?;
    let name = name(&mut sent)?;
    let fields: TagFields = edit::overlay(&TagFields::default(), &sent)?;
    terms::check(&fields.limits)?;
    let mut edit = operator.begin().await?;
    if edit.get::<TagFields>(&name).await?.is_some() {
        return Err(bad("name", format!("Tag {name} already exists")));
    }
    let mut tag = edit.record(name, fields);
    tag.budget_reset_at =
        budgets::reset_at(&operator, &mut edit, &tag.fields.limits, &tag.fields.budget_id).await?;
    edit.add(&tag).await?;
    operator.finish(edit).await?;
    let message = format!("Tag {} created successfully", tag.id);
    Ok(Json(json!({"message": message, "tag": row(&operator.db, &tag).await?})))
}

fn name(sent: &mut Object) -> Result<String, Refused> {
    let Some(Value::String(name)) = sent.remove("name") else {
        return Err(bad("name", "name: Field required"));
    };
    terms::check_name("name", &name)?;
    Ok(name)
}

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(post, path = "/tag/update", operation_id = "tag_update", tag = "tags", request_body = Object,
    responses((status = 200, description = "The tag"), (status = 404, description = "No such tag")))]
pub(crate) async fn tag_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/tag/update", &About::default())?;
    let name = name(&mut sent)?;
    let mut edit = operator.begin().await?;
    let Some(mut tag) = edit.get::<TagFields>(&name).await? else { return Err(unknown("name", &name)) };
    let before = tag.fields.clone();
    tag.fields = edit::overlay(&before, &sent)?;
    let fields = &tag.fields;
    terms::check(&fields.limits)?;
    if fields.limits.budget_duration != before.limits.budget_duration || fields.budget_id != before.budget_id
    {
        tag.budget_reset_at =
            budgets::reset_at(&operator, &mut edit, &fields.limits, &fields.budget_id).await?;
    }
    edit.change("updated", &before, &mut tag).await?;
    operator.finish(edit).await?;
    let message = format!("Tag {name} updated successfully");
    Ok(Json(json!({"message": message, "tag": row(&operator.db, &tag).await?})))
}

fn unknown(field: &str, name: &str) -> Refused {
    missing(field, format!("Tag {name} not found"))
}

/// Tags by name.
#[utoipa::path(post, path = "/tag/info", operation_id = "tag_info", tag = "tags", request_body = Many,
    responses((status = 200, description = "The tags by name"), (status = 404, description = "No such tag")))]
pub(crate) async fn tag_info(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    operator.must("POST", "/tag/info", &About::default())?;
    let mut tags = Object::new();
    for name in many.names {
        let tag = operator.db.get::<TagFields>(&name).await?;
        let tag = tag.ok_or_else(|| unknown("names", &name))?;
        tags.insert(name, row(&operator.db, &tag).await?);
    }
    Ok(Json(Value::Object(tags)))
}

/// All tags: those that were made here, a page at a time, then those that calls have had.
#[utoipa::path(get, path = "/tag/list", operation_id = "tag_list", tag = "tags", params(Seen, Part),
    responses((status = 200, description = "A list of tags")))]
pub(crate) async fn tag_list(
    operator: Operator,
    Asked(period): Asked<Seen>,
    Asked(part): Asked<Part>,
) -> Answer {
    operator.must("GET", "/tag/list", &About::default())?;
    let page = part.page(100, true)?;
    let (tags, _) = operator.db.page::<TagFields>(&Filter::default(), page).await?;
    let mut rows = Vec::with_capacity(tags.len());
    for tag in &tags {
        rows.push(row(&operator.db, tag).await?);
    }
    if page.number == 1 {
        for name in seen(&operator.db, &period).await? {
            let text = "This is just a spend tag that was passed dynamically in a request. It does not control any LLM models.";
            rows.push(json!({"name": name, "description": text, "models": null}));
        }
    }
    Ok(Json(rows.into()))
}

/// Deletes a tag; calls may still have it.
#[utoipa::path(post, path = "/tag/delete", operation_id = "tag_delete", tag = "tags", request_body = Gone,
    responses((status = 200, description = "It is gone"), (status = 404, description = "No such tag")))]
pub(crate) async fn tag_delete(operator: Operator, Sent(gone): Sent<Gone>) -> Answer {
    operator.must("POST", "/tag/delete", &About::default())?;
    let mut edit = operator.begin().await?;
    if edit.remove::<TagFields>(&gone.name).await?.is_none() {
        return Err(unknown("name", &gone.name));
    }
    operator.finish(edit).await?;
    Ok(Json(json!({"message": format!("Tag {} deleted successfully", gone.name)})))
}

async fn row(db: &Db, record: &Record<TagFields>) -> Result<Value, Refused> {
    let fields = &record.fields;
    let mut row = shown::row("name", record, SHAPE)?;
    let table = budgets::table(db, &fields.limits, fields.budget_id.as_ref(), record.budget_reset_at).await?;
    row.insert("litellm_budget_table".to_owned(), table);
    Ok(Value::Object(row))
}

/// Names of tags that calls of a period have had and that were not made here.
async fn seen(db: &Db, period: &Seen) -> Result<Vec<String>, Refused> {
    let sql = "SELECT DISTINCT entity_id FROM daily_spend WHERE kind = $1 AND day >= $2 AND day <= $3 \
               AND entity_id NOT IN (SELECT id FROM tags) ORDER BY entity_id LIMIT 1000";
    let first = period.start_date.as_deref().unwrap_or("0000-01-01");
    let last = period.end_date.as_deref().unwrap_or("9999-12-31");
    let rows = db.rows(sql, &["tag".into(), first.into(), last.into()]).await?;
    Ok(rows.iter().map(|row| row.text("entity_id")).collect::<Result<_, _>>()?)
}
