//! The URL of one operation at one deployment, from a row of the table and a base URL. Pure text: whether the
//! address may be reached at all is decided by the transport.

use super::base_url::BaseUrl;
use super::{Addressing, Auth, Provider, Speaks, placeholder};
use crate::format::{Format, Operation};

/// Azure OpenAI's `api-version` when none is configured; the same as LiteLLM's.
pub const AZURE_API_VERSION: &str = "2025-02-01-preview";

/// Where a request goes, and what depends on that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// An absolute http(s) URL.
    pub url: String,
    /// The one for streams, where that is another.
    pub stream_url: Option<String>,
    /// The one that counts tokens.
    pub count_url: Option<String>,
    /// The model as the upstream names it.
    pub model: String,
    /// Whether the body's `model` is what the upstream reads; otherwise the URL says it.
    pub model_in_body: bool,
    /// How a key is shown at this address. Never [`Auth::Azure`].
    pub auth: Auth,
}

impl Address {
    /// One URL for everything.
    fn one(url: String, model: &str, model_in_body: bool, auth: Auth) -> Self {
        Self { url, stream_url: None, count_url: None, model: model.to_owned(), model_in_body, auth }
    }
}

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The row knows no base URL and none was given.
    #[error("api_base: {provider} needs one{}", or_variables(.variables))]
    NoBase { provider: &'static str, variables: &'static [&'static str] },
    /// The base URL cannot be used.
    #[error("api_base: {problem}")]
    Base { problem: &'static str },
    /// The model cannot be part of a URL.
    #[error("model: {problem}")]
    Model { problem: &'static str },
    /// The version is not a version.
    #[error("api_version: must be made of letters, digits, dots and dashes, such as {AZURE_API_VERSION}")]
    ApiVersion,
    /// The provider is answered inside the gateway.
    #[error("{provider} is answered by the gateway itself and has no address")]
    BuiltIn { provider: &'static str },
}

fn or_variables(variables: &[&str]) -> String {
    match variables {
        [] => String::new(),
        names => format!(" (or the environment variable {})", names.join(" or ")),
    }
}

/// The address of `speaks` at `provider`.
///
/// `api_base` is used as given, with or without a version; only what it already holds of the path is not added
/// again. `api_version` matters to Azure alone.
///
/// # Errors
/// When there is no base URL, or a part is not fit for a URL; names the configuration field.
pub fn address(
    provider: &Provider,
    speaks: &Speaks,
    api_base: Option<&str>,
    model: &str,
    api_version: Option<&str>,
) -> Result<Address, AddressError> {
    if provider.addressing == Addressing::BuiltIn {
        return Err(AddressError::BuiltIn { provider: provider.name });
    }
    let base = base(provider, api_base)?;
    let api_version = api_version.map(str::trim).filter(|version| !version.is_empty());
    if !api_version.is_none_or(is_version) {
        return Err(AddressError::ApiVersion);
    }
    match provider.addressing {
        Addressing::Azure => azure(&base, speaks, model, api_version),
        Addressing::AzureAi => azure_ai(provider, &base, speaks, model, api_version),
        Addressing::RagFlow => ragflow(provider, &base, speaks, model),
        Addressing::Joined | Addressing::BuiltIn => {
            let model = provider.model_name.and_then(|name| name(model)).unwrap_or_else(|| model.to_owned());
            let own =
                api_base.is_none_or(|given| Some(given.trim().trim_end_matches('/')) == provider.base_url);
            let first = speaks.elsewhere.filter(|_| !own).unwrap_or(speaks.path);
            let named = named(first, &model)?;
            let url = |path: &str| {
                if path.starts_with("https://") {
                    // NVIDIA, the only one, has underscores there for the dots of a name.
                    let named =
                        named.as_ref().map(|(place, model)| path.replace(place, &model.replace('.', "_")));
                    return named.unwrap_or_else(|| path.to_owned());
                }
                let path = placed(provider, base.path, speaks.format, path);
                let path = match &named {
                    None => path,
                    Some((place, model)) => path.replace(place, model),
                };
                // A path may bring a query of its own (`?alt=sse`).
                match path.split_once('?') {
                    None => base.with(&path, base.query),
                    Some((path, own)) => base.with(path, Some(&joined_query(base.query, own))),
                }
            };
            if speaks.format == Format::BedrockRerank {
                return Ok(agent_runtime(url(first), base.host, &model, provider));
            }
            if speaks.format == Format::VertexRerank {
                return Ok(Address::one(search_engine(&url(first), base.host), &model, true, provider.auth));
            }
            Ok(Address {
                url: url(first),
                stream_url: speaks.stream_path.map(url),
                count_url: speaks.count_path.map(url),
                model,
                model_in_body: named.is_none(),
                auth: speaks.auth.unwrap_or(provider.auth),
            })
        }
    }
}

/// Google ranks on a host beside that of the models, and in no place in particular.
fn search_engine(url: &str, host: &str) -> String {
    let url = match host.ends_with("aiplatform.googleapis.com") {
        true => url.replacen(host, "discoveryengine.googleapis.com", 1),
        false => url.to_owned(),
    };
    let places =
        url.split_once("/locations/").and_then(|(project, rest)| Some((project, rest.split_once('/')?)));
    match places {
        Some((project, (_, rest))) => format!("{project}/locations/global/{rest}"),
        None => url,
    }
}

/// Bedrock ranks on a host beside that of the models, and takes nothing shorter than an ARN for a model's name.
fn agent_runtime(url: String, host: &str, model: &str, provider: &Provider) -> Address {
    let url = url.replacen("://bedrock-runtime.", "://bedrock-agent-runtime.", 1);
    let region = host.strip_prefix("bedrock-runtime.").and_then(|rest| rest.split('.').next());
    let arn = region.filter(|_| !model.starts_with("arn:")).map(|region| {
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:bedrock:{region}::foundation-model/{model}")
    });
    Address::one(url, arn.as_deref().unwrap_or(model), true, provider.auth)
}

fn base<'a>(provider: &Provider, api_base: Option<&'a str>) -> Result<BaseUrl<'a>, AddressError> {
    let given = api_base.map(str::trim).filter(|base| !base.is_empty());
    let text = match (given, provider.base_url) {
        (Some(given), _) => given,
        (None, Some(own)) => match placeholder(own) {
            None => own,
            Some(_) => return Err(no_base(provider)),
        },
        (None, None) => return Err(no_base(provider)),
    };
    BaseUrl::parse(text).map_err(|problem| AddressError::Base { problem })
}

fn no_base(provider: &Provider) -> AddressError {
    AddressError::NoBase { provider: provider.name, variables: provider.base_env }
}

/// The place in `path` for the model, and what to write there; `None` when the body names the model.
fn named(path: &str, model: &str) -> Result<Option<(&'static str, String)>, AddressError> {
    if path.contains("{model}") {
        return Ok(Some(("{model}", segment(model)?)));
    }
    if path.contains("{segments}") {
        let segments = model.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        return Ok(Some(("{segments}", segments.join("/"))));
    }
    Ok(None)
}

/// `path` below `base_path`, or, for a path with two slashes, in the place of the path of the row's own base URL.
fn placed(provider: &Provider, base_path: &str, format: Format, path: &str) -> String {
    if path == "/" {
        return base_path.to_owned();
    }
    let (route, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    if matches!(format, Format::Own(_)) && base_path.ends_with(route) {
        return format!("{base_path}{query}");
    }
    let Some(path) = path.strip_prefix('/').filter(|path| path.starts_with('/')) else {
        return joined(base_path, format, path);
    };
    let own = provider
        .base_url
        .and_then(|base| base.split_once("://"))
        .map_or("", |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    let stem = OPENAI_ROUTES.iter().find_map(|route| base_path.strip_suffix(route)).unwrap_or(base_path);
    // People write `/v1` for vendors whose own path is another one.
    let stem = [own, "/v1"].iter().find_map(|tail| stem.strip_suffix(tail)).unwrap_or(stem);
    joined(stem, format, path)
}

const OPENAI_ROUTES: &[&str] = &["/chat/completions", "/completions", "/embeddings", "/responses"];
const MESSAGES_ROUTE: &str = "/v1/messages";
/// Servers whose full URLs people paste.
const OWN_ROUTES: &[&str] = &["/generate_stream", "/generate"];
const COHERE_ROUTES: &[&str] = &["/v2/chat"];
/// Of embeddings and rankings in formats of their own, and of chat beside them.
const DIRECT_ROUTES: &[&str] = &["/embeddings", "/embed", "/rerank", "/ranking", "/reranking", "/chat"];
const OLLAMA_ROUTES: &[&str] = &["/api/chat", "/api/generate", "/api/embed"];

/// `path` below `base_path`, without doubling what `base_path` already says: a whole route
/// (people paste full URLs) or the first segments of the path (`/v1`, `/api`).
fn joined(base_path: &str, format: Format, path: &str) -> String {
    let parent = path.rsplit_once('/').map_or("", |(head, _)| head);
    let (routes, head, route): (&[&str], _, _) = match format {
        Format::OllamaChat | Format::OllamaGenerate | Format::OllamaEmbed => (OLLAMA_ROUTES, parent, path),
        Format::AnthropicMessages => {
            let (lead, route) = path.split_at(path.find("/v1/messages").unwrap_or(0));
            let pasted = base_path.ends_with(MESSAGES_ROUTE);
            let stem = OPENAI_ROUTES.iter().find_map(|route| base_path.strip_suffix(route));
            match stem {
                Some(stem) if !pasted => return joined(stem, format, path),
                _ => (&[MESSAGES_ROUTE], path.get(..lead.len() + "/v1".len()).unwrap_or(path), route),
            }
        }
        Format::OpenAiResponses => (OPENAI_ROUTES, parent, &path[parent.len()..]),
        Format::Own(_) => (OWN_ROUTES, parent, &path[parent.len()..]),
        // The OpenAI-compatible API of the same host stands one step further down.
        Format::Gemini if base_path.ends_with("/openai") => {
            return joined(base_path.strip_suffix("/openai").unwrap_or(base_path), format, path);
        }
        Format::Gemini => (&[], parent, path),
        Format::CohereChat => (COHERE_ROUTES, parent, path),
        Format::BedrockConverse => (&[], parent, path),
        Format::OpenAiChat | Format::OpenAiCompletions | Format::OpenAiEmbeddings => {
            let at = path.rfind(format.operation().route()).unwrap_or(0);
            let (head, route) = path.split_at(at);
            (OPENAI_ROUTES, head, route)
        }
        // Embeddings and reranking in formats of their own.
        _ => (DIRECT_ROUTES, parent, &path[parent.len()..]),
    };
    if let Some(stem) = routes.iter().find_map(|route| base_path.strip_suffix(route)) {
        return format!("{stem}{route}");
    }
    let mut said = head;
    while !said.is_empty() && !base_path.ends_with(said) {
        said = said.rsplit_once('/').map_or("", |(shorter, _)| shorter);
    }
    let rest = path.strip_prefix(said).unwrap_or(path);
    format!("{base_path}{rest}")
}

/// Azure OpenAI's two APIs: deployments in the path with a dated version, and v1 with the model in the body.
fn azure(
    base: &BaseUrl<'_>,
    speaks: &Speaks,
    model: &str,
    api_version: Option<&str>,
) -> Result<Address, AddressError> {
    // Names that only select the rules of a model family; the deployment's name follows.
    let series = ["gpt5_series/", "o_series/"];
    let deployment = series.iter().find_map(|prefix| model.strip_prefix(prefix)).unwrap_or(model);
    let v1_stem = OPENAI_ROUTES
        .iter()
        .find_map(|route| base.path.strip_suffix(route))
        .unwrap_or(base.path)
        .strip_suffix("/openai/v1");
    if speaks.format == Format::OpenAiResponses {
        return Ok(azure_responses(base, v1_stem, deployment, api_version));
    }
    if v1_stem.is_some() || matches!(api_version, Some("v1" | "latest" | "preview")) {
        let stem = v1_stem.or_else(|| base.path.strip_suffix("/openai")).unwrap_or(base.path);
        // Only `preview` is a value of the v1 API's own parameter; a dated version belongs to the other API.
        let version = api_version.filter(|version| *version == "preview");
        let url = base.with(&format!("{stem}/openai/v1{}", speaks.path), query(base, version).as_deref());
        return Ok(Address::one(url, deployment, true, Auth::Bearer));
    }
    let path = if base.path.contains("/openai/deployments/") {
        joined(base.path, speaks.format, speaks.path)
    } else {
        let stem = base.path.strip_suffix("/openai").unwrap_or(base.path);
        format!("{stem}/openai/deployments/{}{}", segment(deployment)?, speaks.path)
    };
    let url = base.with(&path, query(base, Some(api_version.unwrap_or(AZURE_API_VERSION))).as_deref());
    Ok(Address::one(url, deployment, false, Auth::Header("api-key")))
}

/// Responses are a matter of the v1 API alone, whatever version the deployment's other calls ask for.
fn azure_responses(
    base: &BaseUrl<'_>,
    v1_stem: Option<&str>,
    deployment: &str,
    api_version: Option<&str>,
) -> Address {
    let stem = base.path.split("/openai/deployments/").next().unwrap_or(base.path);
    let stem = v1_stem.or_else(|| stem.strip_suffix("/openai")).unwrap_or(stem);
    let stem = stem.strip_suffix("/models").unwrap_or(stem);
    let settled = v1_stem.is_some() || matches!(api_version, Some("v1" | "latest"));
    let version = (!settled || api_version == Some("preview")).then_some("preview");
    let auth = if settled { Auth::Bearer } else { Auth::Header("api-key") };
    let url = base.with_version(&format!("{stem}/openai/v1/responses"), version);
    Address::one(url, deployment, true, auth)
}

/// Azure AI Foundry. A resource's own host serves models below `/models`, an Azure OpenAI host is Azure
/// OpenAI, and any other host is a serverless endpoint that looks like OpenAI.
fn azure_ai(
    provider: &Provider,
    base: &BaseUrl<'_>,
    speaks: &Speaks,
    model: &str,
    api_version: Option<&str>,
) -> Result<Address, AddressError> {
    if speaks.format == Format::AnthropicMessages {
        let stem = OPENAI_ROUTES.iter().find_map(|route| base.path.strip_suffix(route)).unwrap_or(base.path);
        let stem = stem.strip_suffix("/models").unwrap_or(stem);
        let url = |path| base.with(&joined(stem, speaks.format, path), base.query);
        return Ok(Address {
            count_url: speaks.count_path.map(url),
            ..Address::one(url(speaks.path), model, true, speaks.auth.unwrap_or(provider.auth))
        });
    }
    let foundry = base.is_under("services.ai.azure.com");
    if speaks.format.operation() == Operation::Rerank {
        let path = if foundry { "/providers/cohere/v2/rerank" } else { speaks.path };
        let auth = if foundry { Auth::Header("api-key") } else { provider.auth };
        let stem = base.path.strip_suffix("/models").unwrap_or(base.path);
        let url = base.with(&joined(stem, speaks.format, path), query(base, api_version).as_deref());
        return Ok(Address::one(url, model, true, auth));
    }
    if base.is_under("openai.azure.com") || (foundry && base.path.contains("/openai/")) {
        return azure(base, speaks, model, api_version);
    }
    if speaks.format == Format::OpenAiResponses {
        return Ok(azure_responses(base, None, model, api_version));
    }
    let path = if foundry {
        let route = speaks.format.operation().route();
        let stem = base.path.strip_suffix(route).unwrap_or(base.path);
        let stem = stem.strip_suffix("/models").unwrap_or(stem);
        format!("{stem}/models{route}")
    } else {
        joined(base.path, speaks.format, speaks.path)
    };
    let url = base.with(&path, query(base, api_version).as_deref());
    let auth = if foundry { Auth::Header("api-key") } else { provider.auth };
    Ok(Address::one(url, model, true, auth))
}

/// RAGFlow: `chat/ID/MODEL` and `agent/ID/MODEL` name the assistant that answers.
fn ragflow(
    provider: &Provider,
    base: &BaseUrl<'_>,
    speaks: &Speaks,
    model: &str,
) -> Result<Address, AddressError> {
    let problem = AddressError::Model { problem: "must be ragflow/chat/ID/MODEL or ragflow/agent/ID/MODEL" };
    let mut parts = model.splitn(3, '/');
    let (Some(kind), Some(id), Some(model)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(problem);
    };
    let family = match kind {
        "chat" => "chats_openai",
        "agent" => "agents_openai",
        _ => return Err(problem),
    };
    let stem = base.path.strip_suffix("/v1").unwrap_or(base.path);
    let stem = stem.strip_suffix("/api").unwrap_or(stem);
    let path = format!("{stem}/api/v1/{family}/{}{}", segment(id)?, speaks.path);
    let url = base.with(&path, base.query);
    Ok(Address::one(url, model, true, provider.auth))
}

/// Two queries as one.
fn joined_query(base: Option<&str>, own: &str) -> String {
    base.map_or_else(|| own.to_owned(), |base| format!("{base}&{own}"))
}

/// The query of `base` with `api-version` added, unless it has one.
fn query(base: &BaseUrl<'_>, api_version: Option<&str>) -> Option<String> {
    let own = base.query;
    let has_version = own.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("api-version=")));
    match (own, api_version.filter(|_| !has_version)) {
        (None, None) => None,
        (Some(own), None) => Some(own.to_owned()),
        (None, Some(version)) => Some(format!("api-version={version}")),
        (Some(own), Some(version)) => Some(format!("{own}&api-version={version}")),
    }
}

/// `name` as one segment of a path. A name can come from a caller (wildcard deployments), so it must not be
/// able to climb out of its place.
fn segment(name: &str) -> Result<String, AddressError> {
    if matches!(name, "" | "." | "..") {
        return Err(AddressError::Model { problem: "cannot be empty, `.` or `..` in a URL" });
    }
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(encoded)
}

fn is_version(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
