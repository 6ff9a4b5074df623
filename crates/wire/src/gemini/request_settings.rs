//! The settings of a request: `generationConfig`, `tools` and `toolConfig`, read.

use serde_json::value::RawValue;

use super::members::{Members, read};
use super::schema;
use crate::chat::{ChatRequest, Shape, Thinking, ThinkingMode, Tool, ToolChoice};
use crate::fault::TranslateError;
use crate::openai_chat::{list, malformed, text, typed};
use crate::raw::Raw;

/// Reads `generationConfig`; true when the client wants to see thoughts.
pub(super) fn config(request: &mut ChatRequest, raw: &RawValue) -> Result<bool, TranslateError> {
    let path = "generationConfig";
    let mut kept = Members::default();
    let (mut json, mut schema) = (false, None);
    let mut shows_thoughts = false;
    for (name, raw) in read(raw, path)?.0.into_iter().filter(|(_, raw)| raw.get() != "null") {
        let path = format!("{path}.{name}");
        let sampling = &mut request.sampling;
        match name.as_ref() {
            "temperature" => sampling.temperature = typed(raw, &path, "a number")?,
            "topP" => sampling.top_p = typed(raw, &path, "a number")?,
            "maxOutputTokens" => sampling.max_tokens = typed(raw, &path, "a whole number")?,
            "candidateCount" => sampling.choices = typed(raw, &path, "a whole number")?,
            "stopSequences" => sampling.stop = typed(raw, &path, "a list of strings")?.unwrap_or_default(),
            "seed" => sampling.seed = typed(raw, &path, "a whole number")?,
            "presencePenalty" => sampling.presence_penalty = typed(raw, &path, "a number")?,
            "frequencyPenalty" => sampling.frequency_penalty = typed(raw, &path, "a number")?,
            "responseLogprobs" => sampling.logprobs = typed(raw, &path, "true or false")?,
            "logprobs" => sampling.top_logprobs = typed(raw, &path, "a whole number")?,
            "topK" => request.extras.push(("top_k".to_owned(), Raw::from(raw))),
            "responseModalities" => modalities(request, raw, &path)?,
            "responseMimeType" if text(raw) == "application/json" => json = true,
            "responseMimeType" if text(raw) == "text/plain" => {}
            "responseSchema" => schema = Some(schema::widened(&Raw::from(raw), &path)?),
            "responseJsonSchema" => schema = Some(Raw::from(raw)),
            "thinkingConfig" => {
                shows_thoughts = thinking(request, raw, &path)?;
                kept.set(&name, raw)?;
            }
            _ => kept.set(&name, raw)?,
        }
    }
    request.shape = match schema {
        Some(schema) => Shape::Schema { name: None, schema, strict: None },
        None if json => Shape::Json,
        None => Shape::Text,
    };
    if !kept.is_empty() {
        let raw = Raw::of(&kept).map_err(|error| malformed(path, &error.to_string()))?;
        request.extras.push((path.to_owned(), raw));
    }
    Ok(shows_thoughts)
}

fn modalities(request: &mut ChatRequest, raw: &RawValue, path: &str) -> Result<(), TranslateError> {
    let words: Option<Vec<String>> = typed(raw, path, "a list of strings")?;
    let words: Vec<String> = words.unwrap_or_default().iter().map(|word| word.to_ascii_lowercase()).collect();
    // Text is what everyone answers with.
    if !words.is_empty() && words != ["text"] {
        let raw = Raw::of(&words).map_err(|error| malformed(path, &error.to_string()))?;
        request.extras.push(("modalities".to_owned(), raw));
    }
    Ok(())
}

/// A budget is Anthropic's word for it, a level OpenAI's. A budget of −1 leaves it to the model, like none at all.
fn thinking(request: &mut ChatRequest, raw: &RawValue, path: &str) -> Result<bool, TranslateError> {
    let config = read(raw, path)?;
    let budget: Option<i64> = config.typed("thinkingBudget", path, "a whole number")?;
    let said = budget.and_then(|budget| match u64::try_from(budget) {
        Ok(0) => Some((ThinkingMode::Off, r#"{"type":"disabled"}"#.to_owned())),
        Ok(budget) => {
            let raw = format!(r#"{{"type":"enabled","budget_tokens":{budget}}}"#);
            Some((ThinkingMode::Budget(budget), raw))
        }
        Err(_) => None,
    });
    if let Some((mode, raw)) = said {
        let raw = Raw::parse(raw).map_err(|error| malformed(path, &error.to_string()))?;
        request.thinking = Some(Thinking { mode, raw });
    }
    let level: Option<String> = config.typed("thinkingLevel", path, "a string")?;
    request.reasoning_effort = level.map(|level| level.to_ascii_lowercase());
    Ok(config.typed("includeThoughts", path, "true or false")?.unwrap_or_default())
}

/// Reads `tools`: functions are modelled, search has a word of OpenAI's, the rest is kept.
pub(super) fn tools(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let elements = if raw.get().starts_with('[') { list(raw, "tools")? } else { vec![raw] };
    let mut hosted = Vec::new();
    for (at, raw) in elements.into_iter().enumerate() {
        let path = format!("tools[{at}]");
        for (name, raw) in read(raw, &path)?.0.into_iter().filter(|(_, raw)| raw.get() != "null") {
            match name.as_ref() {
                "functionDeclarations" => functions(request, raw, &format!("{path}.{name}"))?,
                "googleSearch" if read(raw, &path)?.0.is_empty() => {
                    let raw = Raw::from(raw);
                    request.extras.push(("web_search_options".to_owned(), raw));
                }
                _ => {
                    let mut tool = Members::default();
                    tool.set(&name, raw)?;
                    hosted.push(tool);
                }
            }
        }
    }
    if !hosted.is_empty() {
        let raw = Raw::of(&hosted).map_err(|error| malformed("tools", &error.to_string()))?;
        request.extras.push(("tools".to_owned(), raw));
    }
    Ok(())
}

fn functions(request: &mut ChatRequest, raw: &RawValue, path: &str) -> Result<(), TranslateError> {
    for (at, raw) in list(raw, path)?.into_iter().enumerate() {
        let path = format!("{path}[{at}]");
        let function = read(raw, &path)?;
        let parameters = match (function.get("parametersJsonSchema"), function.get("parameters")) {
            (Some(raw), _) => Some(Raw::from(raw)),
            (None, Some(raw)) => Some(schema::widened(&Raw::from(raw), &format!("{path}.parameters"))?),
            (None, None) => None,
        };
        request.tools.push(Tool {
            name: function.required_text("name", &path)?,
            description: function.typed("description", &path, "a string")?,
            parameters,
            strict: None,
            hints: function.others(&["name", "description", "parameters", "parametersJsonSchema"]),
        });
    }
    Ok(())
}

/// Reads `toolConfig`; whatever of it has no word of ours is kept whole.
pub(super) fn tool_config(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "toolConfig";
    let whole = read(raw, path)?;
    let mut kept = !whole.others(&["functionCallingConfig"]).is_empty();
    if let Some(raw) = whole.get("functionCallingConfig") {
        let path = "toolConfig.functionCallingConfig";
        let config = read(raw, path)?;
        let mode: Option<String> = config.typed("mode", path, "a string")?;
        let names: Option<Vec<String>> = config.typed("allowedFunctionNames", path, "a list of strings")?;
        let names = names.unwrap_or_default();
        request.tool_choice = match mode.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("MODE_UNSPECIFIED") => None,
            Some("AUTO") => Some(ToolChoice::Auto),
            Some("NONE") => Some(ToolChoice::Never),
            Some("ANY") => Some(match &names[..] {
                [name] => ToolChoice::Named(name.clone()),
                _ => ToolChoice::Required,
            }),
            Some("VALIDATED") => {
                kept = true;
                Some(ToolChoice::Auto)
            }
            Some(_) => {
                return Err(malformed(format_args!("{path}.mode"), "must be AUTO, ANY, NONE or VALIDATED"));
            }
        };
        if names.len() > 1 {
            request.tools.retain(|tool| names.contains(&tool.name));
        }
    }
    if kept {
        request.extras.push((path.to_owned(), Raw::from(raw)));
    }
    Ok(())
}
