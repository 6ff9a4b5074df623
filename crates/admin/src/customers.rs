//! Customers: the end users of applications. `/end_user/…` is the same as `/customer/…`.

use axum::Json;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{CustomerFields, Filter, Limits, Object, Record};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Operator, bad, missing};
use crate::part::Part;
use crate::shown::{self, Blank, Shape};
use crate::{budgets, edit, terms};

const SHAPE: Shape = &[
    ("blocked", Blank::Null),
    ("alias", Blank::Null),
    ("allowed_model_region", Blank::Null),
    ("default_model", Blank::Null),
    ("models", Blank::List),
    ("budget_id", Blank::Null),
    ("metadata", Blank::Object),
    ("object_permission", Blank::Null),
];

/// Customers, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CustomerIds)]
pub(crate) struct Many {
    user_ids: Vec<String>,
}

/// A customer, by id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    end_user_id: String,
}

/// Which customers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// A part of the id or the alias, in any case of letters.
    search: Option<String>,
}

/// Makes a customer. Those who are not made are known from their first call on, without limits.
#[utoipa::path(post, path = "/customer/new", operation_id = "customer_new", tag = "customers", request_body = Object,
    responses((status = 200, description = "The customer"), (status = 400, description = "There is such a customer")))]
pub(crate) async fn customer_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/customer/new", &About::default())?;
    let id = id(&mut sent)?;
    let spend = match sent.remove("spend") {
        None | Some(Value::Null) => policy::money::Cost::ZERO,
        Some(spend) => {
            policy::money::Cost::from_json(&spend).map_err(|error| bad("spend", format!("spend: {error}")))?
        }
    };
    terms::settle(&mut sent, &Object::new())?;
    let fields: CustomerFields = edit::overlay(&CustomerFields::default(), &sent)?;
    check(&fields)?;
    let mut edit = operator.begin().await?;
    if edit.get::<CustomerFields>(&id).await?.is_some() {
        let message = format!("Customer already exists, passed user_id={id}. Please pass a new user_id.");
        return Err(bad("user_id", message));
    }
    let mut customer = edit.record(id, fields);
    (customer.spend, customer.total_spend) = (spend, spend);
    customer.budget_reset_at =
        budgets::reset_at(&operator, &mut edit, &customer.fields.limits, &customer.fields.budget_id).await?;
    edit.add(&customer).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&operator, &customer).await?))
}

fn id(sent: &mut Object) -> Result<String, Refused> {
    let Some(Value::String(id)) = sent.remove("user_id") else {
        return Err(bad("user_id", "user_id: Field required"));
    };
    terms::check_name("user_id", &id)?;
    Ok(id)
}

fn check(fields: &CustomerFields) -> Result<(), Refused> {
    terms::check(&fields.limits)?;
    if fields.budget_id.is_some() && fields.limits != Limits::default() {
        return Err(bad(
            "budget_id",
            "Set either a budget_id or the fields of a budget (max_budget, …), not both.",
        ));
    }
    match fields.allowed_model_region.as_deref() {
        None | Some("eu" | "us") => Ok(()),
        Some(_) => Err(bad("allowed_model_region", "allowed_model_region: must be eu or us")),
    }
}

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(post, path = "/customer/update", operation_id = "customer_update", tag = "customers", request_body = Object,
    responses((status = 200, description = "The customer"), (status = 404, description = "No such customer")))]
pub(crate) async fn customer_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/customer/update", &About::default())?;
    let id = id(&mut sent)?;
    let mut edit = operator.begin().await?;
    let Some(mut customer) = edit.get::<CustomerFields>(&id).await? else { return Err(unknown(&id)) };
    let before = customer.fields.clone();
    terms::settle(&mut sent, &before.metadata)?;
    customer.fields = edit::overlay(&before, &sent)?;
    // A new shared budget takes the place of the limits the customer had.
    if customer.fields.budget_id != before.budget_id && customer.fields.limits == before.limits {
        customer.fields.limits = Limits::default();
    }
    check(&customer.fields)?;
    let fields = &customer.fields;
    if fields.limits.budget_duration != before.limits.budget_duration || fields.budget_id != before.budget_id
    {
        customer.budget_reset_at =
            budgets::reset_at(&operator, &mut edit, &fields.limits, &fields.budget_id).await?;
    }
    edit.change("updated", &before, &mut customer).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&operator, &customer).await?))
}

fn unknown(id: &str) -> Refused {
    missing("end_user_id", format!("End User Id={id} does not exist in db"))
}

/// One customer.
#[utoipa::path(get, path = "/customer/info", operation_id = "customer_info", tag = "customers", params(One),
    responses((status = 200, description = "The customer"), (status = 404, description = "No such customer")))]
pub(crate) async fn customer_info(operator: Operator, Asked(one): Asked<One>) -> Answer {
    operator.must("GET", "/customer/info", &About::default())?;
    let customer = operator.db.get::<CustomerFields>(&one.end_user_id).await?;
    let customer = customer.ok_or_else(|| unknown(&one.end_user_id))?;
    Ok(Json(row(&operator, &customer).await?))
}

/// Customers, a page at a time.
#[utoipa::path(get, path = "/customer/list", operation_id = "customer_list", tag = "customers", params(Wanted, Part),
    responses((status = 200, description = "A list of customers")))]
pub(crate) async fn customer_list(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    operator.must("GET", "/customer/list", &About::default())?;
    let filter = Filter { search: wanted.search.as_deref(), ..Filter::default() };
    let (customers, _) = operator.db.page::<CustomerFields>(&filter, part.page(50, true)?).await?;
    let mut rows = Vec::with_capacity(customers.len());
    for customer in &customers {
        rows.push(row(&operator, customer).await?);
    }
    Ok(Json(rows.into()))
}

/// Deletes customers. All of them, or none.
#[utoipa::path(post, path = "/customer/delete", operation_id = "customer_delete", tag = "customers", request_body = Many,
    responses((status = 200, description = "How many were deleted"), (status = 404, description = "No such customer")))]
pub(crate) async fn customer_delete(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    operator.must("POST", "/customer/delete", &About::default())?;
    let mut edit = operator.begin().await?;
    for id in &many.user_ids {
        if edit.remove::<CustomerFields>(id).await?.is_none() {
            return Err(missing("user_ids", format!("User Id={id} does not exist in db")));
        }
    }
    operator.finish(edit).await?;
    Ok(Json(json!({
        "deleted_customers": many.user_ids.len(),
        "message": format!("Successfully deleted customers with ids: {}", many.user_ids.join(", ")),
    })))
}

/// Refuses all calls for these customers; those who are not known yet are made.
#[utoipa::path(post, path = "/customer/block", operation_id = "customer_block", tag = "customers", request_body = Many,
    responses((status = 200, description = "The customers")))]
pub(crate) async fn customer_block(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    set_blocked(&operator, &many.user_ids, true).await
}

/// Takes calls for these customers again.
#[utoipa::path(post, path = "/customer/unblock", operation_id = "customer_unblock", tag = "customers", request_body = Many,
    responses((status = 200, description = "The customers"), (status = 404, description = "No such customer")))]
pub(crate) async fn customer_unblock(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    set_blocked(&operator, &many.user_ids, false).await
}

async fn set_blocked(operator: &Operator, ids: &[String], blocked: bool) -> Answer {
    operator.must("POST", "/customer/block", &About::default())?;
    let action = if blocked { "blocked" } else { "unblocked" };
    let mut edit = operator.begin().await?;
    let mut customers = Vec::with_capacity(ids.len());
    for id in ids {
        let customer = match edit.get::<CustomerFields>(id).await? {
            Some(mut customer) => {
                let before = customer.fields.clone();
                customer.fields.blocked = blocked;
                edit.change(action, &before, &mut customer).await?;
                customer
            }
            None if blocked => {
                terms::check_name("user_ids", id)?;
                let made = edit.record(id.clone(), CustomerFields { blocked, ..CustomerFields::default() });
                edit.add(&made).await?;
                made
            }
            None => return Err(missing("user_ids", format!("User Id={id} does not exist in db"))),
        };
        customers.push(customer);
    }
    operator.finish(edit).await?;
    let mut rows = Vec::with_capacity(customers.len());
    for customer in &customers {
        rows.push(row(operator, customer).await?);
    }
    Ok(Json(json!({format!("{action}_users"): rows})))
}

async fn row(operator: &Operator, record: &Record<CustomerFields>) -> Result<Value, Refused> {
    let fields = &record.fields;
    let mut row = shown::row("user_id", record, SHAPE)?;
    let table =
        budgets::table(&operator.db, &fields.limits, fields.budget_id.as_ref(), record.budget_reset_at)
            .await?;
    row.insert("litellm_budget_table".to_owned(), table);
    Ok(Value::Object(row))
}

/// The same routes under their older name.
pub(crate) mod end_users {
    use super::{Answer, Asked, Many, Object, One, Operator, Part, Sent, Wanted};

    /// The same as `/customer/new`.
    #[utoipa::path(post, path = "/end_user/new", operation_id = "end_user_new", tag = "customers", request_body = Object,
        responses((status = 200, description = "The customer")))]
    pub(crate) async fn end_user_new(operator: Operator, sent: Sent<Object>) -> Answer {
        super::customer_new(operator, sent).await
    }

    /// The same as `/customer/update`.
    #[utoipa::path(post, path = "/end_user/update", operation_id = "end_user_update", tag = "customers", request_body = Object,
        responses((status = 200, description = "The customer")))]
    pub(crate) async fn end_user_update(operator: Operator, sent: Sent<Object>) -> Answer {
        super::customer_update(operator, sent).await
    }

    /// The same as `/customer/info`.
    #[utoipa::path(get, path = "/end_user/info", operation_id = "end_user_info", tag = "customers", params(One),
        responses((status = 200, description = "The customer")))]
    pub(crate) async fn end_user_info(operator: Operator, one: Asked<One>) -> Answer {
        super::customer_info(operator, one).await
    }

    /// The same as `/customer/list`.
    #[utoipa::path(get, path = "/end_user/list", operation_id = "end_user_list", tag = "customers", params(Wanted, Part),
        responses((status = 200, description = "A list of customers")))]
    pub(crate) async fn end_user_list(
        operator: Operator,
        wanted: Asked<Wanted>,
        part: Asked<Part>,
    ) -> Answer {
        super::customer_list(operator, wanted, part).await
    }

    /// The same as `/customer/delete`.
    #[utoipa::path(post, path = "/end_user/delete", operation_id = "end_user_delete", tag = "customers", request_body = Many,
        responses((status = 200, description = "How many were deleted")))]
    pub(crate) async fn end_user_delete(operator: Operator, many: Sent<Many>) -> Answer {
        super::customer_delete(operator, many).await
    }

    /// The same as `/customer/block`.
    #[utoipa::path(post, path = "/end_user/block", operation_id = "end_user_block", tag = "customers", request_body = Many,
        responses((status = 200, description = "The customers")))]
    pub(crate) async fn end_user_block(operator: Operator, many: Sent<Many>) -> Answer {
        super::customer_block(operator, many).await
    }

    /// The same as `/customer/unblock`.
    #[utoipa::path(post, path = "/end_user/unblock", operation_id = "end_user_unblock", tag = "customers", request_body = Many,
        responses((status = 200, description = "The customers")))]
    pub(crate) async fn end_user_unblock(operator: Operator, many: Sent<Many>) -> Answer {
        super::customer_unblock(operator, many).await
    }
}
