//! Tools, the choice among them and the shape of the answer, written as Converse's `toolConfig` and `outputConfig`.
//! A schema that the model cannot be given becomes a tool whose arguments are the answer.

use serde::Serialize;

use super::additional::Additional;
use super::block::CachePoint;
use super::family::{Family, Forcing, Kind};
use super::inline;
use crate::anthropic_messages::{
    ANSWER_TOOL, ANSWER_WORDS, UNAVAILABLE, UNAVAILABLE_WORDS, betas, block_type,
};
use crate::chat::{ChatRequest, Shape, Tool, ToolChoice};
use crate::fault::{Loss, TranslateError};
use crate::openai_chat::malformed;
use crate::openai_chat::renames::Renames;
use crate::raw::Raw;

/// `toolConfig`, and what goes with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Toolbox<'a> {
    pub(super) tools: Vec<OneTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    /// Whether there is an answer tool.
    #[serde(skip)]
    pub(super) answers: bool,
    /// Flags that Claude's own tools need.
    #[serde(skip)]
    pub(super) betas: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum OneTool<'a> {
    ToolSpec(Spec<'a>),
    CachePoint(CachePoint),
    SystemTool { name: &'static str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: InputSchema,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct InputSchema {
    json: Raw,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Choice<'a> {
    Auto {},
    Any {},
    Tool { name: &'a str },
}

impl<'a> Toolbox<'a> {
    /// The tools of `request`. `thinks`: Claude refuses to be made to call one while it thinks. `in_history`: the
    /// conversation speaks of tools, so that some must be declared.
    pub(super) fn of(
        request: &'a ChatRequest,
        family: Family,
        names: &'a Renames,
        (thinks, in_history): (bool, bool),
        additional: &mut Additional,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let mut toolbox = Self { tools: Vec::new(), tool_choice: None, answers: false, betas: Vec::new() };
        let never = request.tool_choice == Some(ToolChoice::Never);
        // Converse cannot say that no tool may be called, except by leaving them out.
        if !never {
            for (at, tool) in request.tools.iter().enumerate() {
                toolbox.declare(tool, at, family, names)?;
            }
            toolbox.hosted(request, family, additional, losses)?;
        }
        if let Shape::Schema { schema, .. } = &request.shape
            && !family.takes_schema()
        {
            toolbox.answers = true;
            let path = "response_format.json_schema.schema";
            toolbox.tools.push(spec(ANSWER_TOOL, ANSWER_WORDS, schema.text(), path)?);
        }
        if toolbox.tools.is_empty() && in_history {
            toolbox.tools.push(spec(UNAVAILABLE, UNAVAILABLE_WORDS, "{}", "tools")?);
        }
        let forcing = if family.is_claude() && (thinks || !family.claude.can_be_forced()) {
            None
        } else {
            Some(family.forcing())
        };
        toolbox.choose(request, names, forcing, losses);
        toolbox.one_at_a_time(request, family, additional, losses)?;
        Ok(toolbox)
    }

    /// Whether prose may come before an answer by tool.
    pub(super) fn is_free(&self) -> bool {
        !matches!(self.tool_choice, Some(Choice::Any {} | Choice::Tool { .. }))
    }

    fn declare(
        &mut self,
        tool: &'a Tool,
        at: usize,
        family: Family,
        names: &'a Renames,
    ) -> Result<(), TranslateError> {
        let name = names.sent(&tool.name);
        let description = tool.description.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(name);
        let schema = tool.parameters.as_ref().map_or("{}", Raw::text);
        let mut one = spec(name, description, schema, &format!("tools[{at}].parameters"))?;
        if let OneTool::ToolSpec(spec) = &mut one {
            spec.strict = tool.strict.filter(|_| family.takes_strict());
        }
        self.tools.push(one);
        let mark = tool.hints.iter().find(|(name, _)| name == "cache_control");
        if let Some((_, control)) = mark.filter(|_| family.caches_tools()) {
            self.tools.push(OneTool::CachePoint(CachePoint::of(control, family.caches_an_hour())));
        }
        Ok(())
    }

    /// Tools that a provider runs or knows: Claude's own go to it beside Converse, Nova searches the web.
    fn hosted(
        &mut self,
        request: &ChatRequest,
        family: Family,
        additional: &mut Additional,
        losses: &mut Vec<Loss>,
    ) -> Result<(), TranslateError> {
        let extra = |wanted: &str| request.extras.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
        if extra("web_search_options").is_some() {
            if matches!(family.kind(), Kind::Nova | Kind::Nova2) {
                self.tools.push(OneTool::SystemTool { name: "nova_grounding" });
            } else {
                let why = "this model cannot search the web on Bedrock";
                losses.push(Loss { field: "web_search_options".to_owned(), why });
            }
        }
        let Some(raw) = extra("tools") else { return Ok(()) };
        let listed: Vec<Raw> =
            serde_json::from_str(raw.text()).map_err(|_| malformed("tools", "must be a list"))?;
        let mut passed = Vec::new();
        for tool in listed {
            let flag = betas::of_tool(&block_type(&tool)).filter(|_| family.is_claude());
            let Some(flag) = flag else {
                let why = "Bedrock knows functions, not this kind of tool";
                losses.push(Loss { field: "tools".to_owned(), why });
                continue;
            };
            if !self.betas.contains(&flag) {
                self.betas.push(flag);
            }
            passed.push(tool);
        }
        if passed.is_empty() { Ok(()) } else { additional.set("tools", &passed) }
    }

    /// `forcing` is `None` when the model could be made to call a tool, but not in this call.
    fn choose(
        &mut self,
        request: &'a ChatRequest,
        names: &'a Renames,
        forcing: Option<Forcing>,
        losses: &mut Vec<Loss>,
    ) {
        if self.tools.is_empty() {
            return;
        }
        let most = forcing.unwrap_or(Forcing::No);
        let auto = (forcing != Some(Forcing::No)).then_some(Choice::Auto {});
        let wanted = request.tool_choice.as_ref();
        let answer_only = request.tools.is_empty() || wanted == Some(&ToolChoice::Never);
        // Where there is one tool, some tool is this tool.
        let single = self.tools.iter().filter(|tool| matches!(tool, OneTool::ToolSpec(_))).count() == 1;
        self.tool_choice = match wanted {
            Some(ToolChoice::Named(name)) if most == Forcing::Named => {
                Some(Choice::Tool { name: names.sent(name) })
            }
            _ if self.answers && answer_only && most == Forcing::Named => {
                Some(Choice::Tool { name: ANSWER_TOOL })
            }
            _ if self.answers && most >= Forcing::Any => Some(Choice::Any {}),
            Some(ToolChoice::Required) if most >= Forcing::Any => Some(Choice::Any {}),
            Some(ToolChoice::Named(_)) if most >= Forcing::Any && single => Some(Choice::Any {}),
            Some(ToolChoice::Required | ToolChoice::Named(_)) => {
                let why = "this model cannot be made to call this tool, or not while it thinks";
                losses.push(Loss { field: "tool_choice".to_owned(), why });
                auto
            }
            Some(ToolChoice::Auto) => auto,
            Some(ToolChoice::Never) | None => None,
        };
    }

    fn one_at_a_time(
        &self,
        request: &ChatRequest,
        family: Family,
        additional: &mut Additional,
        losses: &mut Vec<Loss>,
    ) -> Result<(), TranslateError> {
        #[derive(Serialize)]
        struct Single {
            /// Converse writes it where `toolChoice` is given.
            #[serde(skip_serializing_if = "Option::is_none")]
            r#type: Option<&'static str>,
            disable_parallel_tool_use: bool,
        }
        if request.parallel_tool_calls != Some(false) || self.tools.is_empty() {
            return Ok(());
        }
        if !family.is_claude() {
            let why = "this model cannot be kept to one call at a time";
            losses.push(Loss { field: "parallel_tool_calls".to_owned(), why });
            return Ok(());
        }
        let r#type = self.tool_choice.is_none().then_some("auto");
        additional.set("tool_choice", &Single { r#type, disable_parallel_tool_use: true })
    }
}

fn spec<'a>(
    name: &'a str,
    description: &'a str,
    schema: &str,
    path: &str,
) -> Result<OneTool<'a>, TranslateError> {
    let input_schema = InputSchema { json: inline::cleaned(schema, path)? };
    Ok(OneTool::ToolSpec(Spec { name, description, input_schema, strict: None }))
}
