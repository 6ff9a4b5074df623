//! The arguments of a call that come in pieces: each piece names the place of its value in the object, and texts grow.
//! Only Vertex AI sends them so, to those who ask (`streamFunctionCallArguments`). Nothing but the object's first brace
//! can be passed on before the end, for the order of the pieces need not be that of a JSON text.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::openai_chat::{list, object, text};

/// Bounds of what one call may say.
const MOST_BYTES: usize = 1 << 20;
const MOST_STEPS: usize = 32;

#[cfg(test)]
#[path = "partial_tests.rs"]
mod tests;

/// Arguments, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    arguments: Map<String, Value>,
    bytes: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Piece<'a> {
    json_path: Option<&'a RawValue>,
    string_value: Option<&'a RawValue>,
    number_value: Option<&'a RawValue>,
    bool_value: Option<&'a RawValue>,
}

enum Step {
    Name(String),
    At(usize),
}

impl Partial {
    /// Takes in the pieces of one frame; the error says what is wrong with them.
    pub(super) fn take(&mut self, pieces: &RawValue) -> Result<(), String> {
        for raw in list(pieces, "partialArgs").map_err(|error| error.to_string())? {
            self.bytes = self.bytes.saturating_add(raw.get().len());
            if self.bytes > MOST_BYTES {
                return Err("the arguments of a call are too long".to_owned());
            }
            let piece: Piece<'_> = object(raw).ok_or("a piece of arguments that is no object")?;
            let path = piece.json_path.map(text).ok_or("a piece of arguments without a place")?;
            let place = self.place(&path).ok_or("a piece of arguments with an odd place")?;
            match (piece.string_value, place) {
                (Some(more), Value::String(said)) => said.push_str(&text(more)),
                (Some(more), place) => *place = Value::String(text(more).into_owned()),
                (None, place) => {
                    // A piece without a value is null.
                    let value = piece.number_value.or(piece.bool_value).map_or("null", RawValue::get);
                    *place = serde_json::from_str(value).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    /// The arguments' JSON text behind its first brace.
    pub(super) fn rest(&self) -> String {
        serde_json::to_string(&self.arguments).map(|text| text[1..].to_owned()).unwrap_or_default()
    }

    /// The value at `path`, a JSON path such as `$.places[0].name`; made if it is not there yet.
    fn place(&mut self, path: &str) -> Option<&mut Value> {
        let mut steps = steps(path)?.into_iter();
        let Some(Step::Name(name)) = steps.next() else { return None };
        let mut at = self.arguments.entry(name).or_insert(Value::Null);
        for step in steps {
            at = match step {
                Step::Name(name) => {
                    if at.is_null() {
                        *at = Value::Object(Map::new());
                    }
                    at.as_object_mut()?.entry(name).or_insert(Value::Null)
                }
                Step::At(index) => {
                    if at.is_null() {
                        *at = Value::Array(Vec::new());
                    }
                    let list = at.as_array_mut()?;
                    if index == list.len() {
                        list.push(Value::Null);
                    }
                    list.get_mut(index)?
                }
            };
        }
        Some(at)
    }
}

/// The steps of a path of names and indices (RFC 9535).
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= MOST_STEPS {
            return None;
        }
        let step;
        (step, rest) = if let Some(name) = rest.strip_prefix('.') {
            let (name, rest) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
            (Step::Name(name.to_owned()), rest)
        } else if let Some(quoted) = rest.strip_prefix("['") {
            let (name, rest) = quoted.split_once("']")?;
            (Step::Name(name.to_owned()), rest)
        } else if let Some(quoted) = rest.strip_prefix("[\"") {
            let (name, rest) = quoted.split_once("\"]")?;
            (Step::Name(name.to_owned()), rest)
        } else {
            let (index, rest) = rest.strip_prefix('[')?.split_once(']')?;
            (Step::At(index.parse().ok()?), rest)
        };
        steps.push(step);
    }
    Some(steps)
}
