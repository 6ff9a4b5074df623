//! Tools that Anthropic defines and the caller runs: on the wire they are a name and a version, because Claude was
//! taught them. Another model must be told what they are: a function with the arguments that the caller's program
//! expects, as Anthropic documents them.
//!
//! Not here: tools that Anthropic runs itself (`web_search`, `code_execution`). Nobody else can.

use serde_json::{Value, json};

use crate::chat::{ChatRequest, Tool};
use crate::openai_chat::{Fields, text};
use crate::raw::Raw;

#[cfg(test)]
#[path = "client_tools_tests.rs"]
mod tests;

/// `request` with these tools as functions; `None` if it has none.
pub(crate) fn as_functions(request: &ChatRequest) -> Option<ChatRequest> {
    let at = request.extras.iter().position(|(name, _)| name == "tools")?;
    let hosted: Vec<Raw> = serde_json::from_str(request.extras[at].1.text()).ok()?;
    let functions: Vec<Option<Tool>> = hosted.iter().map(function).collect();
    if functions.iter().all(Option::is_none) {
        return None;
    }
    let mut request = request.clone();
    let rest: Vec<&Raw> =
        hosted.iter().zip(&functions).filter(|(_, tool)| tool.is_none()).map(|(raw, _)| raw).collect();
    match Raw::of(&rest) {
        Ok(raw) if !rest.is_empty() => request.extras[at].1 = raw,
        _ => drop(request.extras.remove(at)),
    }
    request.tools.splice(0..0, functions.into_iter().flatten());
    Some(request)
}

fn function(raw: &Raw) -> Option<Tool> {
    let fields = Fields::read(raw.value(), "tools").ok()?;
    let kind = text(fields.get("type")?).into_owned();
    // The version is a date behind the name.
    let (family, _) = kind.rsplit_once('_')?;
    let (description, properties, required) = match family {
        "bash" => bash(),
        "text_editor" => text_editor(),
        "computer" => computer(),
        "memory" => memory(),
        _ => return None,
    };
    let schema = json!({"type": "object", "properties": properties, "required": required});
    Some(Tool {
        name: text(fields.get("name")?).into_owned(),
        description: Some(screen(&fields, description)),
        parameters: Some(Raw::of(&schema).ok()?),
        strict: None,
        hints: Vec::new(),
    })
}

/// A computer's description says how large its screen is.
fn screen(fields: &Fields<'_>, description: &str) -> String {
    let side = |name| fields.get(name).map(|raw| raw.get());
    match (side("display_width_px"), side("display_height_px")) {
        (Some(width), Some(height)) => format!("{description} The screen is {width} by {height} pixels."),
        _ => description.to_owned(),
    }
}

/// A description, the arguments, and which of them are required.
type Signature = (&'static str, Value, &'static [&'static str]);

fn bash() -> Signature {
    let properties = json!({
        "command": {"type": "string", "description": "The command to run. Required unless the tool is restarted."},
        "restart": {"type": "boolean", "description": "Whether to start a new session instead."},
    });
    ("Run a command in a shell whose session persists between calls.", properties, &[])
}

fn text_editor() -> Signature {
    let properties = json!({
        "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "undo_edit"]},
        "path": {"type": "string", "description": "Path of the file or directory."},
        "file_text": {"type": "string", "description": "For create: the content of the file."},
        "old_str": {"type": "string", "description": "For str_replace: the text to replace; it must occur once."},
        "new_str": {"type": "string", "description": "For str_replace and insert: the new text."},
        "insert_line": {"type": "integer", "description": "For insert: the line after which to insert, 0 for the beginning."},
        "insert_text": {"type": "string", "description": "For insert: the text to insert."},
        "view_range": {"type": "array", "items": {"type": "integer"}, "description": "For view: first and last line; -1 is the end."},
    });
    ("View, create and edit text files.", properties, &["command", "path"])
}

fn computer() -> Signature {
    let properties = json!({
        "action": {"type": "string", "enum": ["key", "type", "mouse_move", "left_click", "left_click_drag", "right_click",
            "middle_click", "double_click", "triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait",
            "screenshot", "cursor_position"]},
        "coordinate": {"type": "array", "items": {"type": "integer"}, "description": "x and y, in pixels from the top left."},
        "start_coordinate": {"type": "array", "items": {"type": "integer"}, "description": "For left_click_drag: where it starts."},
        "text": {"type": "string", "description": "What to type, or the key to press."},
        "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
        "scroll_amount": {"type": "integer"},
        "duration": {"type": "number", "description": "For hold_key and wait: seconds."},
    });
    ("Use a computer's mouse and keyboard, and take screenshots.", properties, &["action"])
}

fn memory() -> Signature {
    let properties = json!({
        "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "delete", "rename"]},
        "path": {"type": "string", "description": "Path below /memories."},
        "file_text": {"type": "string", "description": "For create: the content of the file."},
        "old_str": {"type": "string", "description": "For str_replace: the text to replace; it must occur once."},
        "new_str": {"type": "string", "description": "For str_replace: the new text."},
        "insert_line": {"type": "integer", "description": "For insert: the line after which to insert, 0 for the beginning."},
        "insert_text": {"type": "string", "description": "For insert: the text to insert."},
        "old_path": {"type": "string", "description": "For rename."},
        "new_path": {"type": "string", "description": "For rename."},
        "view_range": {"type": "array", "items": {"type": "integer"}, "description": "For view: first and last line."},
    });
    ("Keep notes in files below /memories, which persist between conversations.", properties, &["command"])
}
