//! Why a request is not answered: the script's failure, a missing header, or a rule of the vendor, in the
//! vendor's shape.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::prompt::{Dialect, Prompt};
use super::rules::{Checked, Rejection};
use super::script::Script;
use super::vendor::Vendor;
use super::{
    anthropic, anthropic_rules, bedrock, bedrock_rules, cohere, gemini, gemini_rules, ollama, openai,
    responses, responses_rules,
};

pub(crate) struct Refusal {
    pub(crate) status: u16,
    message: String,
    /// The field at fault, dotted.
    path: Option<String>,
    code: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn scripted(script: &Script, status: u16) -> Self {
        let message = match &script.error {
            Some(Value::String(message)) => message.clone(),
            _ if status == 404 => "this provider has no such path".to_owned(),
            _ => format!("scripted failure {status}"),
        };
        Self { status, message, path: None, code: None }
    }

    /// What the vendor would refuse.
    pub(crate) fn of(script: &Script, prompt: &Prompt, headers: &HeaderMap) -> Option<Self> {
        let differs = |(name, value): &(&String, &String)| {
            headers.get(name.as_str()).is_none_or(|sent| sent.as_bytes() != value.as_bytes())
        };
        if let Some((name, _)) = script.require_header.iter().find(differs) {
            let message = format!("invalid or missing credentials in `{name}`");
            return Some(Self { status: 401, message, path: None, code: None });
        }
        if script.lenient {
            return None;
        }
        check(prompt, headers).err().map(|rejection| Self::from_rule(prompt.dialect, rejection))
    }

    pub(crate) fn unknown_response(id: &str) -> Self {
        Self {
            status: 400,
            message: format!("Previous response with id '{id}' not found."),
            path: Some("previous_response_id".to_owned()),
            code: Some("previous_response_not_found"),
        }
    }

    fn from_rule(dialect: Dialect, rejection: Rejection) -> Self {
        let vendor = vendor(dialect);
        let (message, code) = match dialect {
            Dialect::Anthropic(_) | Dialect::AnthropicCount => (anthropic::phrase(&rejection), None),
            Dialect::Responses | Dialect::ResponsesCount => {
                (responses::phrase(&rejection), responses::code(&rejection))
            }
            Dialect::Gemini(_) => (gemini::phrase(&rejection), None),
            Dialect::Bedrock(_) => (bedrock::phrase(&rejection), None),
            _ => (vendor.map(|vendor| vendor.phrase(&rejection)).unwrap_or_default(), None),
        };
        let status = vendor.map_or(rejection.status, |vendor| vendor.status(&rejection.flaw));
        Self { status, message, path: Some(rejection.path), code }
    }

    pub(crate) fn body(&self, prompt: &Prompt, index: u64) -> Value {
        let (status, message) = (self.status, self.message.as_str());
        match prompt.dialect {
            dialect if dialect.is_ollama() => ollama::error(message),
            Dialect::Anthropic(anthropic::Host::Bedrock) => bedrock::error(message),
            Dialect::Anthropic(_) | Dialect::AnthropicCount => anthropic::error(status, message, index),
            Dialect::Gemini(_) => {
                let error = gemini::error(status, message);
                // A stream that is an array fails as an array.
                if prompt.streams() && !prompt.alt_sse { json!([error]) } else { error }
            }
            Dialect::Bedrock(_) => bedrock::error(message),
            dialect => match vendor(dialect) {
                Some(vendor) => vendor.error(status, message, index),
                None => {
                    let mut error = openai::error(status, message);
                    error["error"]["param"] = json!(self.path.as_deref().map(super::rules::bracketed));
                    error["error"]["code"] = json!(self.code);
                    error
                }
            },
        }
    }

    /// Headers that the vendor sends with an error.
    pub(crate) fn headers(&self, dialect: Dialect) -> HeaderMap {
        let on_bedrock =
            matches!(dialect, Dialect::Bedrock(_) | Dialect::Anthropic(anthropic::Host::Bedrock))
                || vendor(dialect) == Some(Vendor::Bedrock);
        let kind = HeaderValue::from_static(bedrock::error_type(self.status));
        HeaderMap::from_iter(on_bedrock.then(|| (HeaderName::from_static("x-amzn-errortype"), kind)))
    }
}

fn vendor(dialect: Dialect) -> Option<Vendor> {
    match dialect {
        Dialect::Cohere => Some(Vendor::Cohere),
        Dialect::Embed(embed) => Some(embed.vendor()),
        Dialect::Rerank(rerank) => Some(rerank.vendor()),
        _ => None,
    }
}

fn check(prompt: &Prompt, headers: &HeaderMap) -> Checked {
    match prompt.dialect {
        Dialect::Anthropic(host) => anthropic_rules::check(prompt, headers, host),
        Dialect::AnthropicCount => anthropic_rules::check_count(prompt),
        Dialect::Responses | Dialect::ResponsesCount => responses_rules::check(prompt),
        Dialect::Gemini(verb) => gemini_rules::check(prompt, verb),
        Dialect::Bedrock(call) => bedrock_rules::check(prompt, call),
        Dialect::Cohere => cohere::check(prompt),
        Dialect::Embed(embed) => embed.check(prompt),
        Dialect::Rerank(rerank) => rerank.check(prompt),
        // These hosts are many and take much; what one of them refuses is its own affair.
        Dialect::Chat
        | Dialect::Completions
        | Dialect::Embeddings
        | Dialect::OllamaChat
        | Dialect::OllamaGenerate
        | Dialect::OllamaEmbed
        | Dialect::Other => Ok(()),
    }
}
