//! `model_list` to deployments: each entry checked whole, its mistakes named together.

use std::collections::HashMap;

use gateway::settings::{
    AwsSettings, AzureSettings, CredentialSettings, DeploymentSettings, GoogleSettings, IbmSettings,
    OracleSettings,
};
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::{Map as JsonMap, Value};
use wire::provider::resolve::{ResolveError, resolve};

use super::credentials::Credentials;
use super::fields::{self, Fields, as_number};
use super::keys::{self, Standing};
use super::misplaced;
use super::problem::Problems;
use super::source::{Span, is_secret_key};
use super::tree::{Entry, Map, Node};
use crate::env::Environment;

/// The deployments of a list, in its order, and where each stands. Entries with errors are noted and left out.
pub(super) fn read(
    list: &[Node],
    environment: &Environment,
    credentials: &Credentials,
    problems: &mut Problems,
) -> Vec<(DeploymentSettings, Span)> {
    let mut ids: HashMap<String, Span> = HashMap::new();
    let mut deployments = Vec::new();
    for node in list {
        let Some(deployment) = read_entry(node, environment, credentials, problems) else { continue };
        if let Some(Value::String(id)) = deployment.model_info.get("id")
            && let Some(first) = ids.insert(id.clone(), node.span)
        {
            let message = format!("the id `{id}` is also that of the entry on line {}", first.line);
            problems.error(
                Some(node.span),
                message,
                Some("ids tell deployments apart: change one".to_owned()),
            );
        }
        deployments.push((deployment, node.span));
    }
    deployments
}

/// One deployment, or nothing after what is wrong with it was noted, or where it does not serve here.
pub(super) fn read_entry(
    node: &Node,
    environment: &Environment,
    credentials: &Credentials,
    problems: &mut Problems,
) -> Option<DeploymentSettings> {
    let Some(entry) = node.map() else {
        let message = format!("an entry of `model_list` is a map, and this is {}", node.kind());
        problems.error(Some(node.span), message, Some("it starts with `- model_name: …`".to_owned()));
        return None;
    };
    let is_misplaced = misplaced::report(entry, problems);
    if !is_misplaced {
        fields::check_keys(&keys::ENTRY, entry, problems);
    }
    let mut fields = Fields { map: entry, problems };
    let model_name = fields.text("model_name").filter(|name| !name.trim().is_empty());
    let blocked = fields.flag("blocked").unwrap_or(false);
    let entry_limits = (fields.whole("rpm"), fields.whole("tpm"));
    let params = if is_misplaced { None } else { fields.table("litellm_params") };
    let info = fields.table("model_info").or_else(|| params?.get("model_info")?.value.map());
    // A value of the wrong type was named by its reader; only what is missing is left to say.
    if model_name.is_none()
        && fields.entry("model_name").is_none_or(|entry| entry.value.letters() == Some(""))
    {
        let help = "it is the name callers use, such as `model_name: gpt-4o`";
        problems.error(Some(node.span), "this entry has no `model_name`", Some(help.to_owned()));
    }
    let Some(params) = params else {
        if !is_misplaced && entry.get("litellm_params").is_none_or(|params| params.value.is_null()) {
            let help = "add below `model_name`:\n  litellm_params:\n    model: openai/gpt-4o";
            problems.error(Some(node.span), "this entry has no `litellm_params`", Some(help.to_owned()));
        }
        return None;
    };
    let completed = credentials.complete(params, problems);
    let mut deployment = read_params(&completed, problems)?;
    let info = info.map(|info| read_info(info, problems)).unwrap_or_default();
    let limit = |name: &str| info.get(name).and_then(Value::as_u64);
    deployment.rpm = entry_limits.0.or(deployment.rpm).or_else(|| limit("rpm"));
    deployment.tpm = entry_limits.1.or(deployment.tpm).or_else(|| limit("tpm"));
    let active = is_active(&info, environment) && !blocked;
    deployment.model_info = info;
    deployment.model_name = model_name?;
    active.then_some(deployment)
}

/// `litellm_params`, or nothing when there is no model that can be reached.
fn read_params(params: &Map, problems: &mut Problems) -> Option<DeploymentSettings> {
    let mut deployment = DeploymentSettings::default();
    sort_keys(params, &mut deployment, problems);
    let mut fields = Fields { map: params, problems };
    let model = fields.text("model");
    deployment.provider = fields.text("custom_llm_provider");
    deployment.api_key = fields.secret("api_key");
    deployment.api_base = read_base(&mut fields);
    deployment.api_version = fields.text("api_version");
    deployment.azure_ad_token = fields.secret("azure_ad_token");
    deployment.credential = read_credential(&mut fields);
    deployment.organization = fields.text("organization");
    for name in ["headers", "extra_headers"] {
        read_headers(&mut fields, name, &mut deployment.extra_headers);
    }
    deployment.extra_body = fields.table("extra_body").map(Map::json).unwrap_or_default();
    let request_timeout = fields.seconds("request_timeout");
    deployment.timeout = fields.seconds("timeout").or(request_timeout);
    deployment.stream_timeout = fields.seconds("stream_timeout");
    deployment.num_retries = fields.whole("num_retries");
    deployment.weight = fields.amount("weight");
    deployment.rpm = fields.whole("rpm");
    deployment.tpm = fields.whole("tpm");
    deployment.order = fields.whole("order");
    deployment.max_parallel = fields.whole("max_parallel_requests");
    deployment.cooldown_time = fields.pause("cooldown_time");
    deployment.tags = fields.texts("tags");
    deployment.region = fields.text("region_name");
    deployment.drop_params = fields.flag("drop_params");
    deployment.additional_drop_params = fields.texts("additional_drop_params");
    deployment.allowed_openai_params = fields.texts("allowed_openai_params");
    deployment.chat_only = fields.flag("use_chat_completions_api").unwrap_or(false);
    deployment.mock_response = fields.text("mock_response");
    let written = params.get("model").filter(|entry| !entry.value.is_null());
    let Some(written) = written else {
        let help = "it says who serves the model: `model: openai/gpt-4o`, `model: ollama/llama3`";
        let place = params.entries.first().map(|entry| entry.key_span);
        problems.error(place, "`litellm_params` has no `model`", Some(help.to_owned()));
        return None;
    };
    deployment.model = model?;
    is_reachable(&deployment, written, params, problems).then_some(deployment)
}

/// How a credential is got that is not a plain key.
fn read_credential(fields: &mut Fields<'_, '_>) -> CredentialSettings {
    let aws = AwsSettings {
        bearer: None,
        access_key_id: fields.secret("aws_access_key_id"),
        secret_access_key: fields.secret("aws_secret_access_key"),
        session_token: fields.secret("aws_session_token"),
        region: fields.text("aws_region_name"),
        profile: fields.text("aws_profile_name"),
        role: fields.text("aws_role_name"),
        session_name: fields.text("aws_session_name"),
        external_id: fields.secret("aws_external_id"),
        web_identity_token: fields.secret("aws_web_identity_token"),
        sts_endpoint: fields.text("aws_sts_endpoint"),
        runtime_endpoint: fields.text("aws_bedrock_runtime_endpoint"),
    };
    let google = GoogleSettings {
        credentials: json_or_text(fields, "vertex_credentials")
            .or_else(|| json_or_text(fields, "vertex_ai_credentials")),
        project: fields.text("vertex_project").or_else(|| fields.text("vertex_ai_project")),
        location: fields.text("vertex_location").or_else(|| fields.text("vertex_ai_location")),
        scopes: Vec::new(),
    };
    let azure = AzureSettings {
        token: fields.secret("azure_ad_token"),
        tenant_id: fields.text("tenant_id"),
        client_id: fields.text("client_id"),
        client_secret: fields.secret("client_secret"),
        certificate_path: fields.text("client_certificate_path"),
        username: fields.text("azure_username"),
        password: fields.secret("azure_password"),
        scope: fields.text("azure_scope"),
        ambient: false,
    };
    let ibm = IbmSettings {
        api_key: None,
        token: fields.secret("token"),
        zen_api_key: fields.secret("zen_api_key"),
        region: fields.text("watsonx_region_name"),
        project: fields.text("watsonx_project"),
        space: fields.text("deployment_space_id"),
    };
    let oracle = OracleSettings {
        user: fields.text("oci_user"),
        tenancy: fields.text("oci_tenancy"),
        fingerprint: fields.text("oci_fingerprint"),
        key: fields.secret("oci_key"),
        key_file: fields.text("oci_key_file"),
        region: fields.text("oci_region"),
    };
    CredentialSettings { aws, google, azure, ibm, oracle }
}

/// A text, or a mapping as the JSON it stands for.
fn json_or_text(fields: &mut Fields<'_, '_>, key: &str) -> Option<SecretString> {
    let entry = fields.entry(key)?;
    match entry.value.map() {
        Some(map) => Some(Value::Object(map.json()).to_string().into()),
        None => fields.secret(key),
    }
}

/// Each key to where it counts: ours, a price, or a field of the request; and what is shown of it.
fn sort_keys(params: &Map, deployment: &mut DeploymentSettings, problems: &mut Problems) {
    for entry in &params.entries {
        let key = entry.key.as_str();
        if !is_secret_key(key) && key != "model_info" {
            deployment.shown_params.insert(key.to_owned(), without_secrets(entry.value.json()));
        }
        if keys::is_price(key) {
            check_price(entry, problems);
            deployment.prices.insert(key.to_owned(), entry.value.json());
            continue;
        }
        match keys::PARAMS.standing(key) {
            Some(Standing::Served) => {}
            Some(Standing::NotYet(reason)) => fields::not_yet(entry, reason, problems),
            None => {
                if !keys::is_request_field(key)
                    && let Some(name) = fields::slip_of(key, &keys::PARAMS)
                {
                    let message = format!("`{key}` is sent to the provider as a field of each request");
                    problems.warn(Some(entry.key_span), message, Some(format!("did you mean `{name}`?")));
                }
                if !entry.value.is_null() {
                    deployment.defaults.insert(key.to_owned(), entry.value.json());
                }
            }
        }
    }
    if let Some(base_model) = params.get("base_model").and_then(|entry| entry.value.letters()) {
        deployment.model_info.insert("base_model".to_owned(), Value::String(base_model.to_owned()));
    }
}

/// Whether the provider is one that can be reached; says why not. Providers that are known and not served
/// leave the entry out and let the rest start.
fn is_reachable(
    deployment: &DeploymentSettings,
    written: &Entry,
    params: &Map,
    problems: &mut Problems,
) -> bool {
    let model = deployment.model.as_str();
    if model == "*" && deployment.provider.is_none() {
        return true;
    }
    // The provider of a bare name is looked up in the catalog of models when the snapshot is compiled.
    match resolve(model, deployment.provider.as_deref(), deployment.api_base.as_deref(), |_| None) {
        Ok(_) => true,
        Err(ResolveError::NoProvider { model, .. }) if !model.contains('/') => true,
        Err(ResolveError::NotYet { name, reason }) => {
            let message = format!("this entry is left out: the provider `{name}` is not available");
            problems.warn(Some(written.value.span), message, Some(reason.to_owned()));
            false
        }
        Err(ResolveError::UnknownProvider { name, nearest }) => {
            let span = params.get("custom_llm_provider").map_or(written.value.span, |entry| entry.value.span);
            problems.error(
                Some(span),
                format!("there is no provider `{name}`"),
                Some(provider_help(nearest, None)),
            );
            false
        }
        Err(ResolveError::NoProvider { model, nearest }) => {
            let (prefix, rest) = model.split_once('/').unwrap_or(("", &model));
            let message = format!("there is no provider `{prefix}` (in `{model}`)");
            problems.error(Some(written.value.span), message, Some(provider_help(nearest, Some(rest))));
            false
        }
        Err(ResolveError::NoModel) => {
            let help = "write `PROVIDER/MODEL`, such as `openai/gpt-4o`".to_owned();
            problems.error(Some(written.value.span), "`model` names no model", Some(help));
            false
        }
    }
}

fn provider_help(nearest: Option<&str>, model: Option<&str>) -> String {
    match (nearest, model) {
        (Some(nearest), Some(model)) => format!("did you mean `{nearest}/{model}`?"),
        (Some(nearest), None) => format!("did you mean `{nearest}`?"),
        (None, Some(model)) => format!(
            "write `PROVIDER/{model}`; for a server that speaks OpenAI's API, `openai_like/{model}` with its `api_base`"
        ),
        (None, None) => {
            "for a server that speaks OpenAI's API write `openai_like` and its `api_base`".to_owned()
        }
    }
}

fn read_base(fields: &mut Fields<'_, '_>) -> Option<String> {
    let name = if fields.entry("api_base").is_some() { "api_base" } else { "base_url" };
    let base = fields.text(name)?;
    let base = base.trim();
    let has_host = |rest: &str| {
        rest.starts_with(|next: char| !matches!(next, '/' | '?' | '#' | ':') && !next.is_whitespace())
    };
    let is_url = ["http://", "https://"].iter().any(|scheme| base.strip_prefix(scheme).is_some_and(has_host));
    if !is_url || base.contains(char::is_whitespace) {
        let span = fields.entry(name).map(|entry| entry.value.span);
        let help = "write it whole, such as `http://localhost:11434`";
        fields.problems.error(
            span,
            format!("`{name}` must be an http:// or https:// address"),
            Some(help.to_owned()),
        );
        return None;
    }
    Some(base.to_owned())
}

fn read_headers(fields: &mut Fields<'_, '_>, name: &str, headers: &mut Vec<(String, SecretString)>) {
    let Some(table) = fields.table(name) else { return };
    for entry in &table.entries {
        let value = entry.value.letters();
        if HeaderName::from_bytes(entry.key.as_bytes()).is_err() {
            fields.problems.error(Some(entry.key_span), "this is not the name of a header", None);
        } else if let Some(value) = value.filter(|value| HeaderValue::from_str(value).is_ok()) {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&entry.key));
            headers.push((entry.key.clone(), SecretString::from(value)));
        } else {
            let message = format!("the header `{}` must be one line of text", entry.key);
            fields.problems.error(Some(entry.value.span), message, None);
        }
    }
}

fn read_info(info: &Map, problems: &mut Problems) -> JsonMap<String, Value> {
    for entry in &info.entries {
        if keys::is_price(&entry.key) {
            check_price(entry, problems);
        }
    }
    let id = Fields { map: info, problems }.text("id");
    let mut info = info.json();
    if let Some(id) = id {
        info.insert("id".to_owned(), Value::String(id));
    }
    info
}

fn check_price(entry: &Entry, problems: &mut Problems) {
    if entry.value.is_null() || entry.value.list().is_some() || entry.value.map().is_some() {
        return;
    }
    if as_number(&entry.value).is_none_or(|price| !price.is_finite() || price < 0.0) {
        let message = format!("`{}` must be a price in US dollars, such as 3e-7", entry.key);
        problems.error(Some(entry.value.span), message, None);
    }
}

/// `model_info.supported_environments` against `LITELLM_ENVIRONMENT`, where both are given.
fn is_active(info: &JsonMap<String, Value>, environment: &Environment) -> bool {
    let (Some(Value::Array(supported)), Some(here)) =
        (info.get("supported_environments"), environment.filled("LITELLM_ENVIRONMENT"))
    else {
        return true;
    };
    supported.iter().any(|name| name.as_str() == Some(here))
}

/// The value without what stands under secret keys, at any depth.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, _)| !is_secret_key(key))
                .map(|(key, value)| (key, without_secrets(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
