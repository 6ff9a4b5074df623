//! Tools of a request and the choice among them, read.
//!
//! A custom tool becomes a function with one string, a namespace the functions in it under longer names; the reply
//! undoes both. A plain web search becomes `web_search_options`, which other formats know. The rest, tools that
//! OpenAI runs itself, waits in the extras under `tools`.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::custom;
use crate::chat::{ChatRequest, Tool, ToolChoice};
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, list, malformed, typed};
use crate::raw::Raw;

/// Namespaces deeper than anyone has them are not followed.
const DEEPEST: usize = 4;

/// Where functions were that now stand alone: their long name, and the namespace and name they had.
#[derive(Clone, Debug, Default)]
pub(super) struct Spaces(HashMap<String, (String, String)>);

impl Spaces {
    /// The name under which the function `name` of `space` stands alone.
    pub(super) fn flat(&self, space: &str, name: &str) -> String {
        let known = self.0.iter().find(|(_, (at, short))| at == space && short == name);
        known.map_or_else(|| format!("{space}__{name}"), |(flat, _)| flat.clone())
    }

    /// The namespace and name of the function that stands alone under `flat`.
    pub(super) fn of<'a>(&'a self, flat: &'a str) -> (Option<&'a str>, &'a str) {
        self.0.get(flat).map_or((None, flat), |(space, name)| (Some(space), name))
    }
}

/// Reads the tools into `request`.
pub(super) fn tools(request: &mut ChatRequest, raw: &RawValue) -> Result<Spaces, TranslateError> {
    let mut reading = Reading { request, hosted: Vec::new(), spaces: Spaces::default() };
    reading.list(raw, "tools", None, 0)?;
    let Reading { request, hosted, spaces } = reading;
    if !hosted.is_empty() {
        let raw = Raw::of(&hosted).map_err(|error| malformed("tools", &error.to_string()))?;
        request.extras.push(("tools".to_owned(), raw));
    }
    Ok(spaces)
}

struct Reading<'a> {
    request: &'a mut ChatRequest,
    hosted: Vec<Raw>,
    spaces: Spaces,
}

impl Reading<'_> {
    fn list(
        &mut self,
        raw: &RawValue,
        path: &str,
        space: Option<&str>,
        depth: usize,
    ) -> Result<(), TranslateError> {
        for (at, raw) in list(raw, path)?.into_iter().enumerate() {
            let path = format!("{path}[{at}]");
            let tool = Fields::read(raw, &path)?;
            match tool.required_text("type", &path)?.as_str() {
                "function" => self.function(&tool, &path, space)?,
                "custom" => self.request.tools.push(custom::function(&tool, Raw::from(raw), &path)?),
                "namespace" if depth < DEEPEST => {
                    let name = tool.required_text("name", &path)?;
                    let name = space.map_or_else(|| name.clone(), |space| format!("{space}__{name}"));
                    let tools = tool.required("tools", &path)?;
                    self.list(tools, &format!("{path}.tools"), Some(&name), depth + 1)?;
                }
                kind if kind.starts_with("web_search") => match search(&tool)? {
                    Some(options) => self.request.extras.push(("web_search_options".to_owned(), options)),
                    None => self.hosted.push(Raw::from(raw)),
                },
                _ => self.hosted.push(Raw::from(raw)),
            }
        }
        Ok(())
    }

    fn function(&mut self, tool: &Fields<'_>, path: &str, space: Option<&str>) -> Result<(), TranslateError> {
        let mut name = tool.required_text("name", path)?;
        if let Some(space) = space {
            let flat = format!("{space}__{name}");
            self.spaces.0.insert(flat.clone(), (space.to_owned(), name));
            name = flat;
        }
        self.request.tools.push(Tool {
            name,
            description: tool.typed("description", path, "a string")?,
            parameters: tool.get("parameters").map(Raw::from),
            strict: tool.typed("strict", path, "true or false")?,
            hints: tool.others(&["type", "name", "description", "parameters", "strict"]),
        });
        Ok(())
    }
}

/// A search as OpenAI's chat completions ask for it, if that says all of it.
fn search(tool: &Fields<'_>) -> Result<Option<Raw>, TranslateError> {
    #[derive(serde::Serialize)]
    struct Options<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        search_context_size: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<Place>,
    }
    #[derive(serde::Serialize)]
    struct Place {
        r#type: &'static str,
        approximate: serde_json::Map<String, serde_json::Value>,
    }
    let said = ["type", "search_context_size", "user_location", "external_web_access"];
    let offline = tool.get("external_web_access").is_some_and(|raw| raw.get() != "true");
    if offline || !tool.others(&said).is_empty() {
        return Ok(None);
    }
    let place: Option<serde_json::Map<String, serde_json::Value>> =
        tool.typed("user_location", "tools", "an object")?;
    let user_location = place.map(|mut approximate| {
        approximate.retain(|name, value| name != "type" && !value.is_null());
        Place { r#type: "approximate", approximate }
    });
    let options = Options { search_context_size: tool.get("search_context_size"), user_location };
    Raw::of(&options).map(Some).map_err(|error| malformed("tools", &error.to_string()))
}

/// Reads the choice among the tools into `request`.
pub(super) fn choice(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "tool_choice";
    if !raw.get().starts_with('{') {
        request.tool_choice = match typed::<String>(raw, path, "a string or an object")?.as_deref() {
            None => None,
            Some("auto") => Some(ToolChoice::Auto),
            Some("none") => Some(ToolChoice::Never),
            Some("required") => Some(ToolChoice::Required),
            Some(_) => return Err(malformed(path, "must be none, auto, required or an object")),
        };
        return Ok(());
    }
    let choice = Fields::read(raw, path)?;
    match choice.required_text("type", path)?.as_str() {
        "function" | "custom" => {
            request.tool_choice = Some(ToolChoice::Named(choice.required_text("name", path)?));
        }
        // Some clients write the words as objects.
        "auto" => request.tool_choice = Some(ToolChoice::Auto),
        _ => request.extras.push((path.to_owned(), Raw::from(raw))),
    }
    Ok(())
}
