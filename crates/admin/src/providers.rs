//! The providers, from the table that serves them. Public: it says nothing about this installation.

use axum::Json;
use serde_json::{Value, json};
use wire::provider::{self, KeyRule, Provider};

/// The names that may stand in front of a model, in alphabetical order.
#[utoipa::path(get, path = "/public/providers", tag = "public", security(()),
    responses((status = 200, description = "Names of providers")))]
pub(crate) async fn names() -> Json<Vec<&'static str>> {
    Json(provider::all().iter().map(|row| row.name).collect())
}

/// What each provider needs to be called.
#[utoipa::path(get, path = "/public/providers/fields", tag = "public", security(()),
    responses((status = 200, description = "One row a provider: names, formats, credential fields")))]
pub(crate) async fn fields() -> Json<Vec<Value>> {
    Json(provider::all().iter().map(row).collect())
}

fn row(provider: &Provider) -> Value {
    let field = |key: &str,
                 label: &str,
                 kind: &str,
                 required: bool,
                 variables: &[&str],
                 default: Option<&str>| {
        json!({
            "key": key, "label": label, "field_type": kind, "required": required, "default_value": default,
            "tooltip": (!variables.is_empty()).then(|| format!("or the environment variable {}", variables.join(" or "))),
        })
    };
    let mut fields = vec![field(
        "api_base",
        "API base",
        "text",
        provider.base_url.is_none() && !provider.local,
        provider.base_env,
        provider.base_url,
    )];
    if provider.key != KeyRule::None {
        let required = provider.key == KeyRule::Required;
        fields.push(field("api_key", "API key", "password", required, provider.key_env, None));
    }
    let formats: Vec<&str> = provider.speaks.iter().map(|speaks| speaks.format.title()).collect();
    json!({
        "provider": provider.name,
        "provider_display_name": provider.title,
        "litellm_provider": provider.name,
        "formats": formats,
        "credential_fields": fields,
    })
}
