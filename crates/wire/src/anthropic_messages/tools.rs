//! Tools, the choice among them and the shape of the answer, written as Anthropic's `tools`, `tool_choice` and
//! `output_config.format`. A schema that the model cannot be given becomes a tool whose arguments are the answer.

use serde::Serialize;

use super::ANSWER_TOOL;
use super::claude::Claude;
use super::schema;
use crate::chat::{ChatRequest, Shape, Tool, ToolChoice};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::search::Location;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// What a request says about tools.
#[derive(Default)]
pub(super) struct Toolbox<'a> {
    pub(super) tools: Vec<OneTool<'a>>,
    pub(super) choice: Option<Choice<'a>>,
    /// The schema of `output_config.format`.
    pub(super) format: Option<Raw>,
    /// Whether there is an answer tool.
    pub(super) answers: bool,
    /// Whether the model is made to call a tool, so that no prose can come before an answer by tool.
    pub(super) forced: bool,
}

/// A tool of the caller's or ours, or one passed on as it came.
pub(super) enum OneTool<'a> {
    Function(Declaration<'a>),
    Verbatim(Raw),
}

#[derive(Serialize)]
pub(super) struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: Raw,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defer_loading: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_callers: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_examples: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eager_input_streaming: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<&'a Raw>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

impl Serialize for OneTool<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneTool::Function(declaration) => declaration.serialize(serializer),
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl<'a> Toolbox<'a> {
    /// The tools of `request`. `thinks`: models that think refuse to be made to call one.
    pub(super) fn of(
        request: &'a ChatRequest,
        claude: Claude,
        names: &'a Renames,
        thinks: bool,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let mut toolbox = Self::default();
        for tool in &request.tools {
            toolbox.tools.push(OneTool::Function(declaration(tool, claude, names)?));
        }
        if let Some((_, raw)) = request.extras.iter().find(|(name, _)| name == "tools") {
            toolbox.hosted(raw, request.format, losses)?;
        }
        if let Some((_, raw)) = request.extras.iter().find(|(name, _)| name == "web_search_options") {
            toolbox.tools.push(OneTool::Verbatim(web_search(raw)?));
        }
        // The API wants tools declared wherever one was ever called.
        if toolbox.tools.is_empty() && request.tool_names().next().is_some() {
            toolbox.tools.push(OneTool::Function(plain(super::UNAVAILABLE, super::UNAVAILABLE_WORDS, "{}")?));
        }
        let forcible = !thinks && claude.can_be_forced();
        if let Shape::Schema { schema, .. } = &request.shape {
            if claude.takes_schema() {
                toolbox.format = Some(schema::cleaned(schema)?);
            } else {
                toolbox.answers = true;
                let answer = plain(ANSWER_TOOL, super::ANSWER_WORDS, schema.text())?;
                toolbox.tools.push(OneTool::Function(answer));
            }
        }
        toolbox.choose(request, names, forcible, losses);
        Ok(toolbox)
    }

    fn choose(
        &mut self,
        request: &'a ChatRequest,
        names: &'a Renames,
        forcible: bool,
        losses: &mut Vec<Loss>,
    ) {
        let wanted = request.tool_choice.as_ref();
        let of = |r#type, name| Some(Choice { r#type, name, disable_parallel_tool_use: None });
        let answer_only = request.tools.is_empty() || wanted == Some(&ToolChoice::Never);
        self.choice = match wanted {
            Some(ToolChoice::Named(name)) if forcible => of("tool", Some(names.sent(name))),
            _ if self.answers && forcible && answer_only => of("tool", Some(ANSWER_TOOL)),
            _ if self.answers && forcible => of("any", None),
            Some(ToolChoice::Required) if forcible => of("any", None),
            Some(ToolChoice::Required | ToolChoice::Named(_)) => {
                let why = "this model cannot be made to call a tool, or not while it thinks";
                losses.push(Loss { field: "tool_choice".to_owned(), why });
                of("auto", None)
            }
            Some(ToolChoice::Never) if !self.answers => of("none", None),
            Some(ToolChoice::Auto | ToolChoice::Never) => of("auto", None),
            None => None,
        };
        if self.tools.is_empty() {
            self.choice = None;
            return;
        }
        self.forced = self.choice.as_ref().is_some_and(|choice| matches!(choice.r#type, "any" | "tool"));
        if let Some(parallel) = request.parallel_tool_calls {
            let choice = self.choice.get_or_insert(Choice {
                r#type: "auto",
                name: None,
                disable_parallel_tool_use: None,
            });
            if choice.r#type != "none" {
                choice.disable_parallel_tool_use = Some(!parallel);
            }
        }
    }

    /// Tools that Anthropic runs or knows: the caller wrote them in Anthropic's words, whatever format it spoke.
    fn hosted(&mut self, raw: &Raw, format: Format, losses: &mut Vec<Loss>) -> Result<(), TranslateError> {
        const HOSTED: [&str; 8] = [
            "bash_",
            "code_execution_",
            "computer_",
            "memory_",
            "text_editor_",
            "tool_search_tool_",
            "web_fetch_",
            "web_search_",
        ];
        let tools: Vec<Raw> =
            serde_json::from_str(raw.text()).map_err(|_| malformed("tools", "must be a list"))?;
        for tool in tools {
            let kind = super::block_type(&tool);
            // OpenAI's own tools of the Responses API begin with the same words.
            let known =
                format != Format::OpenAiResponses && HOSTED.iter().any(|prefix| kind.starts_with(prefix));
            if format == Format::AnthropicMessages || known {
                self.tools.push(OneTool::Verbatim(tool));
            } else {
                let why = "Anthropic knows functions and its own tools, not this kind";
                losses.push(Loss { field: "tools".to_owned(), why });
            }
        }
        Ok(())
    }
}

fn declaration<'a>(
    tool: &'a Tool,
    claude: Claude,
    names: &'a Renames,
) -> Result<Declaration<'a>, TranslateError> {
    let hint = |wanted: &str| tool.hints.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
    let parameters = tool.parameters.as_ref().map_or("{}", Raw::text);
    Ok(Declaration {
        strict: tool.strict.filter(|_| claude.takes_schema()),
        description: tool.description.as_deref(),
        defer_loading: hint("defer_loading"),
        allowed_callers: hint("allowed_callers"),
        input_examples: hint("input_examples"),
        eager_input_streaming: hint("eager_input_streaming"),
        cache_control: hint("cache_control"),
        ..plain(names.sent(&tool.name), "", parameters)?
    })
}

fn plain<'a>(name: &'a str, description: &'a str, schema: &str) -> Result<Declaration<'a>, TranslateError> {
    Ok(Declaration {
        name,
        description: Some(description),
        input_schema: object_schema(schema, name)?,
        strict: None,
        defer_loading: None,
        allowed_callers: None,
        input_examples: None,
        eager_input_streaming: None,
        cache_control: None,
    })
}

/// `schema`, with the `type` that Anthropic requires of it.
fn object_schema(schema: &str, name: &str) -> Result<Raw, TranslateError> {
    let path = format!("tools.{name}.parameters");
    let whole = Raw::parse(schema.to_owned()).map_err(|_| malformed(&path, "must be an object"))?;
    let fields = Fields::read(whole.value(), &path)?;
    let text = match fields.get("type") {
        Some(_) => return Ok(whole),
        None if fields.0.is_empty() => r#"{"type":"object","properties":{}}"#.to_owned(),
        None => format!(r#"{{"type":"object",{}"#, whole.text().trim_start_matches('{')),
    };
    Raw::parse(text).map_err(|_| malformed(&path, "must be an object with a type"))
}

/// OpenAI's `web_search_options` as the tool that Anthropic runs. The bounds for the context sizes are LiteLLM's.
fn web_search(raw: &Raw) -> Result<Raw, TranslateError> {
    #[derive(Serialize)]
    struct WebSearch<'a> {
        r#type: &'static str,
        name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_uses: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<Location<'a>>,
    }
    let path = "web_search_options";
    let options = Fields::read(raw.value(), path)?;
    let size: Option<String> = options.typed("search_context_size", path, "a string")?;
    let max_uses = size.map(|size| match size.as_str() {
        "low" => 1,
        "high" => 10,
        _ => 5,
    });
    let user_location = Location::in_options(&options)?;
    let tool = WebSearch { r#type: "web_search_20250305", name: "web_search", max_uses, user_location };
    Raw::of(&tool).map_err(|error| malformed(path, &error.to_string()))
}
