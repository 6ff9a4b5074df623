//! watsonx.ai's chat: OpenAI's messages under other names for what is around them.
//!
//! | OpenAI | watsonx |
//! | --- | --- |
//! | `model` | `model_id`; nothing where the path names a deployment |
//! | `tool_choice` as a word | `tool_choice_option`; an object stays |
//! | `max_completion_tokens` | `max_tokens` |
//! | `stream`, `stream_options` | not sent: the path asks for a stream, which always counts |
//! | `strict`, `additionalProperties: false` of tools | removed; `strict: true` is a loss |
//! | – | `project_id` or `space_id`, which a model (not a deployment) needs |
//!
//! Replies are OpenAI's, read by its readers. The token that calls need is exchanged elsewhere, see
//! [`crate::provider::SignIn::Ibm`].

use bytes::Bytes;

use crate::chat::ChatRequest;
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::extras::strict_tools;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::{ChatUpstream, malformed};
use crate::provider::members::Members;
use crate::provider::nested::strip_tools;

/// We speak watsonx's chat to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatsonxChat {
    /// Whether a deployment is asked, which brings its model and its space.
    pub deployment: bool,
}

/// Where usage is counted; of the operator's configuration, not of the caller.
pub(crate) const OWNERS: [&str; 2] = ["project_id", "space_id"];

const UNKNOWN: [&str; 13] = [
    "audio",
    "logit_bias",
    "metadata",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
    "store",
    "top_k",
    "verbosity",
    "web_search_options",
];

impl UpstreamCodec for WatsonxChat {
    fn format(&self) -> Format {
        Format::Own(if self.deployment { Dialect::WatsonxDeployment } else { Dialect::Watsonx })
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut outbound = ChatUpstream.encode(request, target)?;
        outbound.losses.retain(|loss| !OWNERS.contains(&loss.field.as_str()));
        let edited = {
            let mut members =
                Members::read(&outbound.body).map_err(|error| malformed("body", &error.to_string()))?;
            self.rewrite(request, &mut members, &mut outbound.losses)?;
            members.edited()
        };
        if let Some(body) = edited {
            outbound.body = Bytes::from(body);
        }
        Ok(outbound)
    }
}

impl WatsonxChat {
    fn rewrite(
        &self,
        request: &ChatRequest,
        members: &mut Members<'_>,
        losses: &mut Vec<Loss>,
    ) -> Result<(), TranslateError> {
        if self.deployment {
            members.remove("model");
            OWNERS.iter().for_each(|name| members.remove(name));
        } else {
            members.rename("model", "model_id");
            for (name, raw) in owner(request)? {
                members.set(name, raw.to_owned());
            }
        }
        for name in ["stream", "stream_options", "user"] {
            members.remove(name);
        }
        if members.get("max_tokens").is_none() {
            members.rename("max_completion_tokens", "max_tokens");
        }
        if members.get("tool_choice").is_some_and(|choice| choice.starts_with('"')) {
            members.rename("tool_choice", "tool_choice_option");
        }
        if let Some(tools) =
            members.get("tools").and_then(|tools| strip_tools(tools, &["strict", "additionalProperties"]))
        {
            members.set("tools", tools);
        }
        strict_tools(request, "watsonx does not hold calls to a schema", losses);
        for name in UNKNOWN.iter().filter(|name| !says_what_is(name, members.get(name))) {
            losses.push(Loss { field: (*name).to_owned(), why: "watsonx does not take it" });
        }
        UNKNOWN.iter().for_each(|name| members.remove(name));
        Ok(())
    }
}

/// Whether leaving the field out changes nothing.
fn says_what_is(name: &str, json: Option<&str>) -> bool {
    matches!(
        (name, json),
        (_, None | Some("null"))
            | ("metadata" | "prompt_cache_key" | "safety_identifier", _)
            | ("modalities", Some("[\"text\"]"))
            | ("parallel_tool_calls", Some("true"))
            | ("service_tier", Some("\"auto\""))
            | ("store", Some("false"))
            | ("logit_bias", Some("{}"))
    )
}

/// The project or space that pays.
pub(crate) fn owner(request: &ChatRequest) -> Result<Vec<(&'static str, &str)>, TranslateError> {
    let given = |owner: &'static str| {
        let found = request.extras.iter().find(|(name, raw)| name == owner && raw.text() != "null");
        found.map(|(_, raw)| (owner, raw.text()))
    };
    let owners: Vec<_> = OWNERS.into_iter().filter_map(given).collect();
    match owners.is_empty() {
        true => {
            Err(malformed("project_id", "watsonx needs a project_id or a space_id: set it in litellm_params"))
        }
        false => Ok(owners),
    }
}
