//! Tools and the choice among them, written flat as the Responses API has them.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::custom;
use crate::anthropic_messages::block_type;
use crate::chat::{ChatRequest, Tool, ToolChoice};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::search::Location;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// What a request says about tools.
pub(super) struct Toolbox<'a> {
    pub(super) tools: Vec<OneTool<'a>>,
    pub(super) choice: Option<Choice<'a>>,
}

/// A function, or a tool passed on as it came.
pub(super) enum OneTool<'a> {
    Function(Function<'a>),
    Verbatim(Cow<'a, Raw>),
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    r#type: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Cow<'a, Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// A word, or a tool.
pub(super) enum Choice<'a> {
    Word(&'static str),
    Tool { kind: &'static str, name: &'a str },
    Verbatim(&'a Raw),
}

impl Serialize for OneTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneTool::Function(function) => function.serialize(serializer),
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl Serialize for Choice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            r#type: &'static str,
            name: &'a str,
        }
        match self {
            Choice::Word(word) => serializer.serialize_str(word),
            Choice::Tool { kind, name } => Named { r#type: kind, name }.serialize(serializer),
            Choice::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl<'a> Toolbox<'a> {
    pub(super) fn of(
        request: &'a ChatRequest,
        names: &'a Renames,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let ours = request.format == Format::OpenAiResponses;
        let mut tools = Vec::with_capacity(request.tools.len());
        for tool in &request.tools {
            tools.push(match custom::declared(tool) {
                Some(raw) if ours => OneTool::Verbatim(Cow::Borrowed(raw)),
                _ => OneTool::Function(function(tool, names, ours)?),
            });
        }
        let extra = |wanted: &str| request.extras.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
        if let Some(raw) = extra("tools") {
            hosted(raw, request.format, &mut tools, losses)?;
        }
        if let Some(raw) = extra("web_search_options") {
            tools.push(OneTool::Verbatim(Cow::Owned(web_search(raw)?)));
        }
        let custom = |name: &str| {
            ours && request.tools.iter().any(|tool| tool.name == *name && custom::declared(tool).is_some())
        };
        let choice = match &request.tool_choice {
            Some(ToolChoice::Auto) => Some(Choice::Word("auto")),
            Some(ToolChoice::Never) => Some(Choice::Word("none")),
            Some(ToolChoice::Required) => Some(Choice::Word("required")),
            Some(ToolChoice::Named(name)) => {
                let kind = if custom(name) { "custom" } else { "function" };
                Some(Choice::Tool { kind, name: names.sent(name) })
            }
            None => extra("tool_choice").filter(|_| ours).map(Choice::Verbatim),
        };
        Ok(Self { tools, choice })
    }
}

fn function<'a>(tool: &'a Tool, names: &'a Renames, ours: bool) -> Result<Function<'a>, TranslateError> {
    let parameters = match &tool.parameters {
        Some(raw) => Cow::Borrowed(raw),
        None => Cow::Owned(
            Raw::parse(r#"{"type":"object","properties":{}}"#.to_owned())
                .map_err(|error| malformed("tools", &error.to_string()))?,
        ),
    };
    Ok(Function {
        r#type: "function",
        name: names.sent(&tool.name),
        description: tool.description.as_deref(),
        parameters,
        // Here, unlike anywhere else, a tool is strict unless it says otherwise.
        strict: if ours { tool.strict } else { Some(tool.strict.unwrap_or_default()) },
    })
}

/// Tools that are not modelled: our own kinds in this API's words, Anthropic's search, and losses.
fn hosted<'a>(
    raw: &Raw,
    format: Format,
    tools: &mut Vec<OneTool<'a>>,
    losses: &mut Vec<Loss>,
) -> Result<(), TranslateError> {
    let hosted: Vec<Raw> =
        serde_json::from_str(raw.text()).map_err(|_| malformed("tools", "must be a list"))?;
    for tool in hosted {
        let kind = block_type(&tool);
        if format == Format::OpenAiResponses {
            tools.push(OneTool::Verbatim(Cow::Owned(tool)));
        } else if format == Format::AnthropicMessages && kind.starts_with("web_search_") {
            tools.push(OneTool::Verbatim(Cow::Owned(anthropic_search(&tool, losses)?)));
        } else {
            let why = "the Responses API knows functions and its own tools, not this kind";
            losses.push(Loss { field: "tools".to_owned(), why });
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct WebSearch<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<Filters<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_context_size: Option<&'a serde_json::value::RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_location: Option<Location<'a>>,
}

#[derive(Serialize)]
struct Filters<'a> {
    allowed_domains: &'a serde_json::value::RawValue,
}

/// The search of OpenAI's chat completions.
fn web_search(raw: &Raw) -> Result<Raw, TranslateError> {
    let path = "web_search_options";
    let options = Fields::read(raw.value(), path)?;
    let tool = WebSearch {
        r#type: "web_search",
        filters: None,
        search_context_size: options.get("search_context_size"),
        user_location: Location::in_options(&options)?,
    };
    Raw::of(&tool).map_err(|error| malformed(path, &error.to_string()))
}

/// The search that Anthropic runs.
fn anthropic_search(raw: &Raw, losses: &mut Vec<Loss>) -> Result<Raw, TranslateError> {
    let path = "tools";
    let tool = Fields::read(raw.value(), path)?;
    for (member, _) in tool.others(&["type", "name", "allowed_domains", "user_location", "cache_control"]) {
        losses.push(Loss { field: format!("tools.{member}"), why: "OpenAI's search does not know it" });
    }
    let place = tool.get("user_location").map(|raw| Fields::read(raw, "tools.user_location")).transpose()?;
    let search = WebSearch {
        r#type: "web_search",
        filters: tool.get("allowed_domains").map(|allowed_domains| Filters { allowed_domains }),
        search_context_size: None,
        user_location: place.as_ref().map(Location::of),
    };
    Raw::of(&search).map_err(|error| malformed(path, &error.to_string()))
}
