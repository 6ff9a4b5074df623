//! The responses that OpenAI keeps for its clients: read, continued, deleted. In memory, bounded in number.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use serde_json::{Value, json};

use super::openai;
use super::prompt::Prompt;
use super::rules::list;

/// The oldest are forgotten beyond this.
const MOST: usize = 1024;

#[derive(Default)]
pub(crate) struct KeptResponses(Mutex<VecDeque<Kept>>);

struct Kept {
    response: Value,
    /// The items that the request brought, each with an id.
    input: Vec<Value>,
    /// What the conversation was before it.
    earlier: Vec<Value>,
}

impl KeptResponses {
    /// Keeps a response unless the request forbids it.
    pub(crate) fn keep(&self, prompt: &Prompt, response: Value) {
        if prompt.body["store"] == false {
            return;
        }
        let id = response["id"].as_str().unwrap_or_default();
        let input = input_items(&prompt.body["input"], id);
        let mut kept = self.lock();
        kept.push_back(Kept { input, earlier: prompt.earlier.clone(), response });
        if kept.len() > MOST {
            kept.pop_front();
        }
    }

    /// The conversation that a response with this id ends.
    pub(crate) fn conversation(&self, id: &str) -> Option<Vec<Value>> {
        let kept = self.lock();
        let kept = kept.iter().find(|kept| kept.response["id"] == id)?;
        let own = kept.input.iter().chain(list(&kept.response["output"]));
        Some(kept.earlier.iter().chain(own).cloned().collect())
    }

    /// `GET` and `DELETE …/responses/{id}`, `GET …/responses/{id}/input_items`; none for other calls.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Option<(u16, Value)> {
        let rest = path.rsplit_once("/responses/")?.1;
        let (id, inner) = rest.split_once('/').unwrap_or((rest, ""));
        let mut kept = self.lock();
        let place = kept.iter().position(|kept| kept.response["id"] == id);
        let found =
            |place: Option<usize>, body: &dyn Fn(&Kept) -> Value| match place.and_then(|at| kept.get(at)) {
                Some(kept) => (200, body(kept)),
                None => (404, openai::error(404, &format!("Response with id '{id}' not found."))),
            };
        match (method, inner) {
            (&Method::GET, "") => Some(found(place, &|kept| kept.response.clone())),
            (&Method::GET, "input_items") => Some(found(place, &|kept| {
                // Newest first unless asked otherwise, as the reference says.
                let data: Vec<&Value> = kept.input.iter().rev().collect();
                let end = |item: Option<&&Value>| item.map_or(Value::Null, |item| item["id"].clone());
                json!({"object": "list", "first_id": end(data.first()), "last_id": end(data.last()), "has_more": false, "data": data})
            })),
            (&Method::DELETE, "") => {
                let answer = found(place, &|_| json!({"id": id, "object": "response", "deleted": true}));
                if let Some(place) = place {
                    kept.remove(place);
                }
                Some(answer)
            }
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As the API lists them: a text is a user's message, and every item has an id.
fn input_items(input: &Value, response: &str) -> Vec<Value> {
    let items = match input {
        Value::String(text) => {
            vec![
                json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}),
            ]
        }
        other => list(other).to_vec(),
    };
    let with_id = |(index, mut item): (usize, Value)| {
        if item.is_object() && item.get("id").is_none() {
            item["id"] = json!(format!("msg_{response}_{index}"));
        }
        item
    };
    items.into_iter().enumerate().map(with_id).collect()
}
