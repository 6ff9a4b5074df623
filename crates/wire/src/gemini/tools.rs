//! Tools and the choice among them, written as Google's `tools` and `toolConfig`.

use serde::Serialize;

use super::model::Gemini;
use super::schema;
use crate::anthropic_messages::block_type;
use crate::chat::{ChatRequest, Tool, ToolChoice};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{Fields, list, malformed};
use crate::raw::Raw;

/// What a request says about tools.
#[derive(Default)]
pub(super) struct Toolbox<'a> {
    /// Elements of `tools`.
    pub(super) tools: Vec<OneTool<'a>>,
    pub(super) choice: Option<Choice<'a>>,
}

/// All functions together, or a tool that Google runs.
pub(super) enum OneTool<'a> {
    Functions(Vec<Declaration<'a>>),
    Verbatim(Raw),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    behavior: Option<&'a Raw>,
}

/// `functionCallingConfig`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Choice<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_function_names: Option<[&'a str; 1]>,
}

impl Serialize for OneTool<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Functions<'a> {
            function_declarations: &'a [Declaration<'a>],
        }
        match self {
            OneTool::Functions(function_declarations) => {
                Functions { function_declarations }.serialize(serializer)
            }
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl<'a> Toolbox<'a> {
    pub(super) fn of(
        request: &'a ChatRequest,
        model: Gemini,
        names: &'a Renames,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let mut toolbox = Self::default();
        if !request.tools.is_empty() {
            let functions = request.tools.iter().map(|tool| declaration(tool, model, names));
            toolbox.tools.push(OneTool::Functions(functions.collect::<Result<_, _>>()?));
            toolbox.choice = request.tool_choice.as_ref().map(|choice| choose(choice, names));
            if request.parallel_tool_calls == Some(false) && request.tools.len() > 1 {
                let why = "Gemini cannot be kept from calling several functions at once";
                losses.push(Loss { field: "parallel_tool_calls".to_owned(), why });
            }
        }
        let mut hosted = Hosted { searches: false, tools: Vec::new() };
        for (name, raw) in &request.extras {
            match name.as_str() {
                "tools" => hosted.read(raw, request.format, losses)?,
                "web_search_options" if raw.text() != "null" => hosted.search()?,
                _ => {}
            }
        }
        // Before the third generation search and functions exclude each other.
        if !request.tools.is_empty() && !model.is_third() && !hosted.tools.is_empty() {
            let field = if hosted.searches { "web_search_options" } else { "tools" };
            let why = "this model cannot be given functions and Google's own tools in one request";
            losses.push(Loss { field: field.to_owned(), why });
            hosted.tools.clear();
        }
        toolbox.tools.extend(hosted.tools.into_iter().map(OneTool::Verbatim));
        Ok(toolbox)
    }
}

fn choose<'a>(choice: &'a ToolChoice, names: &'a Renames) -> Choice<'a> {
    let mode = match choice {
        ToolChoice::Auto => "AUTO",
        ToolChoice::Never => "NONE",
        ToolChoice::Required | ToolChoice::Named(_) => "ANY",
    };
    let allowed_function_names = match choice {
        ToolChoice::Named(name) => Some([names.sent(name)]),
        ToolChoice::Auto | ToolChoice::Never | ToolChoice::Required => None,
    };
    Choice { mode, allowed_function_names }
}

fn declaration<'a>(
    tool: &'a Tool,
    model: Gemini,
    names: &'a Renames,
) -> Result<Declaration<'a>, TranslateError> {
    let hint = |wanted: &str| tool.hints.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
    let path = format!("tools.{}.parameters", tool.name);
    let schema = tool.parameters.as_ref();
    if let Some(schema) = schema {
        Fields::read(schema.value(), &path)?;
    }
    let verbatim = model.takes_json_schema();
    let cleaned = schema.filter(|_| !verbatim).map(|schema| schema::cleaned(schema, &path)).transpose()?;
    Ok(Declaration {
        name: names.sent(&tool.name),
        description: tool.description.as_deref(),
        // The API refuses an object without properties.
        parameters: cleaned.filter(|schema| schema.text() != r#"{"type":"object"}"# && schema.text() != "{}"),
        parameters_json_schema: schema.filter(|schema| verbatim && schema.text() != "{}"),
        response: hint("response"),
        response_json_schema: hint("responseJsonSchema"),
        behavior: hint("behavior"),
    })
}

/// Tools that Google runs.
struct Hosted {
    searches: bool,
    tools: Vec<Raw>,
}

impl Hosted {
    fn read(&mut self, raw: &Raw, format: Format, losses: &mut Vec<Loss>) -> Result<(), TranslateError> {
        for tool in list(raw.value(), "tools")? {
            let tool = Raw::from(tool);
            if format == Format::Gemini || is_googles(&tool) {
                self.tools.push(tool);
            } else if block_type(&tool).starts_with("web_search") {
                self.search()?;
            } else {
                let why = "Gemini knows functions and Google's own tools, not this kind";
                losses.push(Loss { field: "tools".to_owned(), why });
            }
        }
        Ok(())
    }

    fn search(&mut self) -> Result<(), TranslateError> {
        if !std::mem::replace(&mut self.searches, true) {
            let search = Raw::parse(r#"{"googleSearch":{}}"#.to_owned());
            self.tools.push(search.map_err(|error| malformed("tools", &error.to_string()))?);
        }
        Ok(())
    }
}

/// Whether a tool is written in Google's words, by callers of whatever format.
fn is_googles(tool: &Raw) -> bool {
    const NAMES: [&str; 14] = [
        "codeExecution",
        "code_execution",
        "computerUse",
        "computer_use",
        "enterpriseWebSearch",
        "enterprise_web_search",
        "fileSearch",
        "file_search",
        "googleMaps",
        "google_maps",
        "googleSearch",
        "google_search",
        "urlContext",
        "url_context",
    ];
    let fields = Fields::read(tool.value(), "tools").map(|fields| fields.0).unwrap_or_default();
    fields.iter().any(|(name, raw)| NAMES.contains(&name.as_ref()) && raw.get().starts_with('{'))
}
