//! Rows as they are shown: under LiteLLM's names, with a value for every field it has, and times in ISO 8601.

use serde_json::Value;
use store::entity::{BudgetFields, Entity, KeyFields, Limits, Object, Record};

use crate::access::Refused;
use crate::edit;
use crate::secrets;

/// What is shown for a field that a row does not have.
#[derive(Clone, Copy)]
pub(crate) enum Blank {
    Null,
    List,
    Object,
}

/// Fields in the order they are shown.
pub(crate) type Shape = &'static [(&'static str, Blank)];

/// The limits of anything.
pub(crate) const LIMITS: Shape = &[
    ("max_budget", Blank::Null),
    ("soft_budget", Blank::Null),
    ("budget_duration", Blank::Null),
    ("max_parallel_requests", Blank::Null),
    ("tpm_limit", Blank::Null),
    ("rpm_limit", Blank::Null),
    ("tpd_limit", Blank::Null),
    ("model_max_budget", Blank::Object),
    ("budget_limits", Blank::Null),
];

/// Limits that LiteLLM keeps in metadata, where its clients look for them.
const ALSO_METADATA: [&str; 2] = ["model_rpm_limit", "model_tpm_limit"];

/// A row.
pub(crate) fn row<T: Entity>(id: &str, record: &Record<T>, shape: Shape) -> Result<Object, Refused> {
    let mut fields = edit::object(&record.fields)?;
    let mut shown = Object::new();
    shown.insert(id.to_owned(), record.id.clone().into());
    for (name, blank) in shape.iter().chain(LIMITS) {
        let value = fields.remove(*name).unwrap_or_else(|| blank.value());
        shown.insert((*name).to_owned(), value);
    }
    shown.extend(fields);
    if let Some(Value::Number(expiry)) = shown.get("temp_budget_expiry") {
        let expiry = time(expiry.as_i64());
        shown.insert("temp_budget_expiry".to_owned(), expiry);
    }
    let limits: Vec<(String, Value)> = ALSO_METADATA
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), shown.get(*name)?.clone())))
        .collect();
    if let Some(Value::Object(metadata)) = shown.get_mut("metadata") {
        metadata.extend(limits);
    }
    shown.insert("spend".to_owned(), record.spend.as_f64().into());
    shown.insert("budget_reset_at".to_owned(), time(record.budget_reset_at));
    shown.insert("created_at".to_owned(), time(Some(record.created_at)));
    shown.insert("created_by".to_owned(), record.created_by.clone().into());
    shown.insert("updated_at".to_owned(), time(Some(record.updated_at)));
    shown.insert("updated_by".to_owned(), record.updated_by.clone().into());
    let mut shown = Value::Object(shown);
    secrets::mask(&mut shown);
    match shown {
        Value::Object(shown) => Ok(shown),
        _ => Ok(Object::new()),
    }
}

/// A key; its id is its hash.
pub(crate) fn key(record: &Record<KeyFields>) -> Result<Value, Refused> {
    const SHAPE: Shape = &[
        ("key_name", Blank::Null),
        ("key_alias", Blank::Null),
        ("user_id", Blank::Null),
        ("team_id", Blank::Null),
        ("organization_id", Blank::Null),
        ("project_id", Blank::Null),
        ("models", Blank::List),
        ("aliases", Blank::Object),
        ("config", Blank::Object),
        ("permissions", Blank::Object),
        ("metadata", Blank::Object),
        ("blocked", Blank::Null),
    ];
    let mut shown = row("token", record, SHAPE)?;
    shown.insert("expires".to_owned(), time(record.fields.expires));
    Ok(Value::Object(shown))
}

/// A shared budget.
pub(crate) fn budget(record: &Record<BudgetFields>) -> Result<Object, Refused> {
    let mut shown = row("budget_id", record, &[("allowed_models", Blank::List)])?;
    shown.remove("spend");
    Ok(shown)
}

/// LiteLLM's `litellm_budget_table`: the limits that are in force, a row's own over those of its shared budget.
/// `null` when there are none.
pub(crate) fn budget_table(
    budget_id: Option<&str>,
    own: &Limits,
    shared: Option<&Record<BudgetFields>>,
    reset_at: Option<i64>,
) -> Result<Value, Refused> {
    let fields = BudgetFields { allowed_models: Vec::new(), limits: in_force(own, shared)? };
    if budget_id.is_none() && fields == BudgetFields::default() {
        return Ok(Value::Null);
    }
    let mut shown = Object::new();
    let mut limits = edit::object(&fields)?;
    shown.insert("budget_id".to_owned(), budget_id.into());
    for (name, blank) in LIMITS {
        shown.insert((*name).to_owned(), limits.remove(*name).unwrap_or_else(|| blank.value()));
    }
    shown.insert("budget_reset_at".to_owned(), time(reset_at));
    Ok(Value::Object(shown))
}

/// A row's own limits over those of its shared budget.
pub(crate) fn in_force(own: &Limits, shared: Option<&Record<BudgetFields>>) -> Result<Limits, Refused> {
    let Some(shared) = shared else { return Ok(own.clone()) };
    let own = edit::object(&BudgetFields { allowed_models: Vec::new(), limits: own.clone() })?;
    Ok(edit::overlay(&shared.fields, &own)?.limits)
}

/// A time in milliseconds of Unix time in ISO 8601.
pub(crate) fn time(ms: Option<i64>) -> Value {
    match ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
        Some(time) => time.to_string().into(),
        None => Value::Null,
    }
}

impl Blank {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::List => Value::Array(Vec::new()),
            Self::Object => Value::Object(Object::new()),
        }
    }
}
