//! What a provider's row changes in a request body that is already in the right format: fields renamed,
//! removed, clamped. One interpreter for all rows, over the text of the body: a body that no quirk concerns is
//! not rewritten, and a field that no quirk names keeps its bytes.
//!
//! Not here: translation between formats (the codecs), and the decision what happens to a call that loses
//! something (policy).

use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};

use super::members::Members;
use super::nested;
use crate::fault::{Loss, TranslateError};

/// One oddity. A row's quirks are applied in the order they are listed, each to what the ones before left.
#[derive(Clone, Copy, Debug)]
pub enum Quirk {
    /// `from` is called `to`. When both are given `to` stays and `from` goes.
    Rename { from: &'static str, to: &'static str },
    /// A field that asks for nothing in the answer is removed without a word.
    Drop(&'static str),
    /// Fields the upstream does not take: removed, and reported as losses unless they say what is the case
    /// anyway (null, `n: 1`, a penalty of 0).
    Unsupported(&'static [&'static str]),
    /// A number outside of `low..=high` becomes the nearer end.
    Clamp { field: &'static str, low: f64, high: f64 },
    /// Messages whose content is a list of text parts get one string.
    FlattenText,
    /// `tool_choice: "required"` is said with this word.
    ToolChoiceRequired(&'static str),
    /// Keys removed from tools, their functions and parameter schemas (`additionalProperties` only where false).
    StripToolKeys(&'static [&'static str]),
    /// Keys removed from messages, except those of some roles.
    StripMessageKeys { keys: &'static [&'static str], except_roles: &'static [&'static str] },
    /// Keys removed from the parts of messages.
    StripPartKeys(&'static [&'static str]),
    /// Null fields other than `content` removed from the assistant's messages.
    StripNulls,
    /// `stream_options` is removed.
    NoStreamOptions,
    /// In a body that has `beside`, `field` is `json`, whatever the caller wrote.
    SetField { beside: &'static str, field: &'static str, json: &'static str },
    /// Quirks of some models: the first group with a prefix of the model's name. A prefix ends where a word
    /// ends, so `o1` is one of `o1-mini` and not of `o10`; one that ends with a dot takes any version, an empty one
    /// every model.
    ForModels(&'static [(&'static [&'static str], &'static [Quirk])]),
    /// Quirks of an API whose dated version (`2024-06-01-preview`) is before this day. Versions that are not dates
    /// are the newest.
    Before { day: &'static str, quirks: &'static [Quirk] },
    /// What data cannot say.
    Hook(fn(&mut Edit<'_>)),
}

/// A body after its quirks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirked {
    /// What to send if the losses are accepted; `None`: the body as it was.
    pub body: Option<Vec<u8>>,
    /// What the upstream will not be told. Policy refuses the call, or sends `body` and reports them.
    pub losses: Vec<Loss>,
}

/// What must be in a request for [`apply`] to have anything to do, found out once for a deployment: most
/// requests concern no quirk, and that is seen without reading them as JSON.
#[derive(Debug, Default)]
pub struct Concerns {
    always: bool,
    fields: Vec<&'static str>,
    /// Keys that only matter below the top level, looked for in one pass.
    keys: Option<AhoCorasick>,
}

impl Concerns {
    /// The concerns of `quirks` for `model`.
    #[must_use]
    pub fn of(quirks: &'static [Quirk], model: &str) -> Self {
        let (mut concerns, mut keys) = (Self::default(), Vec::new());
        // Whatever the version is, for it is not known here.
        for quirk in effective(quirks, model, Some(OLDEST)) {
            concerns.add(quirk, &mut keys);
        }
        // Of the kinds of match, this one has vector instructions.
        match AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&keys) {
            Ok(found) => concerns.keys = Some(found).filter(|_| !keys.is_empty()),
            // More keys than can be looked for at once.
            Err(_) => concerns.always = true,
        }
        concerns
    }

    /// Whether a quirk may have something to do. `has` says whether a top-level field is there.
    #[must_use]
    pub fn any(&self, has: impl Fn(&str) -> bool, body: &[u8]) -> bool {
        self.always
            || self.fields.iter().any(|field| has(field))
            || self.keys.as_ref().is_some_and(|keys| keys.is_match(body))
    }

    fn add(&mut self, quirk: &Quirk, below: &mut Vec<&'static str>) {
        match *quirk {
            Quirk::Rename { from: field, .. } | Quirk::Drop(field) | Quirk::Clamp { field, .. } => {
                self.fields.push(field)
            }
            Quirk::Unsupported(fields) => self.fields.extend(fields),
            Quirk::FlattenText => self.fields.push("messages"),
            Quirk::ToolChoiceRequired(_) => self.fields.push("tool_choice"),
            Quirk::StripToolKeys(_) => self.fields.push("tools"),
            Quirk::StripMessageKeys { keys, .. } | Quirk::StripPartKeys(keys) => below.extend(keys),
            Quirk::StripNulls => below.push("null"),
            Quirk::NoStreamOptions => self.fields.push("stream_options"),
            Quirk::SetField { beside, .. } => self.fields.push(beside),
            Quirk::ForModels(_) | Quirk::Before { .. } => {} // Resolved before.
            Quirk::Hook(_) => self.always = true,
        }
    }
}

/// Applies `quirks` to `body`.
///
/// `model` decides which model's rules hold: the upstream's name, or the base model of a deployment whose name
/// says nothing. Fields in `allowed` (`allowed_openai_params`) are sent as they are, whatever the row says.
///
/// # Errors
/// When `body` is not a JSON object.
pub fn apply(
    quirks: &[Quirk],
    model: &str,
    body: &[u8],
    allowed: &[String],
) -> Result<Quirked, TranslateError> {
    apply_at(quirks, model, None, body, allowed)
}

/// The same at an API of this version.
///
/// # Errors
/// When `body` is not a JSON object.
pub fn apply_at(
    quirks: &[Quirk],
    model: &str,
    version: Option<&str>,
    body: &[u8],
    allowed: &[String],
) -> Result<Quirked, TranslateError> {
    let quirks = effective(quirks, model, version);
    if quirks.is_empty() {
        return Ok(Quirked::default());
    }
    let members = Members::read(body).map_err(|error| TranslateError::Malformed {
        field: "body".to_owned(),
        problem: format!("not a JSON object: {error}"),
    })?;
    let mut edit = Edit { members, losses: Vec::new(), allowed };
    for quirk in quirks {
        edit.apply(quirk);
    }
    Ok(Quirked { body: edit.members.edited().map(String::into_bytes), losses: edit.losses })
}

/// Before every version.
const OLDEST: &str = "0000-00-00";

/// The quirks that hold for `model` at `version`, groups resolved.
fn effective<'q>(quirks: &'q [Quirk], model: &str, version: Option<&str>) -> Vec<&'q Quirk> {
    let mut list = Vec::with_capacity(quirks.len());
    for quirk in quirks {
        match quirk {
            Quirk::ForModels(groups) => {
                let group =
                    groups.iter().find(|(names, _)| names.iter().any(|name| names_model(name, model)));
                list.extend(group.into_iter().flat_map(|(_, quirks)| effective(quirks, model, version)));
            }
            Quirk::Before { day, quirks } => {
                if version.is_some_and(|version| is_before(version, day)) {
                    list.extend(effective(quirks, model, version));
                }
            }
            quirk => list.push(quirk),
        }
    }
    list
}

fn is_before(version: &str, day: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit())
        && version.get(..day.len()).is_some_and(|date| date < day)
}

/// Whether `prefix` names `model`, its last path segment (`azure/o3`) or the model a fine-tuned one is made of.
fn names_model(prefix: &str, model: &str) -> bool {
    let last = model.rsplit('/').next().unwrap_or(model);
    let tuned = last.strip_prefix("ft:").unwrap_or(last);
    [model, tuned].into_iter().any(|model| {
        let rest = model.strip_prefix(prefix);
        let in_word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
        rest.is_some_and(|rest| prefix.is_empty() || prefix.ends_with('.') || !in_word(rest))
    })
}

/// A body being edited.
pub struct Edit<'a> {
    members: Members<'a>,
    losses: Vec<Loss>,
    allowed: &'a [String],
}

impl fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body holds prompts.
        f.debug_struct("Edit").field("losses", &self.losses).finish_non_exhaustive()
    }
}

impl Edit<'_> {
    /// The JSON text of a field that is given, not null and not exempt.
    pub(super) fn given(&self, field: &str) -> Option<&str> {
        if self.exempt(field) {
            return None;
        }
        self.members.given(field)
    }

    /// The JSON text of a field, exempt or not.
    pub(super) fn sent(&self, field: &str) -> Option<&str> {
        self.members.given(field)
    }

    /// Removes a field without a word.
    pub(super) fn remove(&mut self, field: &str) {
        if !self.exempt(field) {
            self.members.remove(field);
        }
    }

    /// Writes a field.
    pub(super) fn set(&mut self, field: &str, json: String) {
        if !self.exempt(field) {
            self.members.set(field, json);
        }
    }

    /// Removes a field and reports it, if it says anything.
    pub(super) fn lose(&mut self, field: &str) {
        let Some(value) = self.members.get(field).filter(|_| !self.exempt(field)) else { return };
        if !says_nothing(field, value) {
            self.report(field, "this model's provider does not take it");
        }
        self.members.remove(field);
    }

    /// Reports something lost.
    pub(super) fn report(&mut self, field: &str, why: &'static str) {
        self.losses.push(Loss { field: field.to_owned(), why });
    }

    fn exempt(&self, field: &str) -> bool {
        self.allowed.iter().any(|name| name == field)
    }

    fn apply(&mut self, quirk: &Quirk) {
        match *quirk {
            Quirk::Rename { from, to } => self.rename(from, to),
            Quirk::Drop(field) => self.remove(field),
            Quirk::Unsupported(fields) => fields.iter().for_each(|field| self.lose(field)),
            Quirk::Clamp { field, low, high } => self.clamp(field, low, high),
            Quirk::FlattenText => self.nested("messages", nested::flatten_text),
            Quirk::ToolChoiceRequired(word) => {
                if self.members.says("tool_choice", "required") {
                    self.set("tool_choice", format!("\"{word}\""));
                }
            }
            Quirk::StripToolKeys(keys) => self.nested("tools", |tools| nested::strip_tools(tools, keys)),
            Quirk::StripMessageKeys { keys, except_roles } => {
                self.nested("messages", |messages| nested::strip_messages(messages, keys, except_roles));
            }
            Quirk::StripPartKeys(keys) => {
                self.nested("messages", |messages| nested::strip_parts(messages, keys));
            }
            Quirk::StripNulls => self.nested("messages", nested::strip_nulls),
            Quirk::NoStreamOptions => self.remove("stream_options"),
            Quirk::SetField { beside, field, json } => {
                if self.members.get(beside).is_some() && self.members.get(field) != Some(json) {
                    self.set(field, json.to_owned());
                }
            }
            Quirk::ForModels(_) | Quirk::Before { .. } => {} // Resolved before.
            Quirk::Hook(hook) => hook(self),
        }
    }

    fn rename(&mut self, from: &str, to: &str) {
        if self.members.get(from).is_none() || self.exempt(from) {
            return;
        }
        if self.members.given(from).is_none() || self.members.given(to).is_some() {
            self.members.remove(from);
        } else {
            self.members.remove(to);
            self.members.rename(from, to);
        }
    }

    /// Edits a value below the top level with `edit`.
    pub(super) fn nested(&mut self, field: &str, edit: impl Fn(&str) -> Option<String>) {
        if let Some(json) = self.given(field).and_then(edit) {
            self.set(field, json);
        }
    }

    pub(super) fn clamp(&mut self, field: &str, low: f64, high: f64) {
        let Some(number) = self.given(field).and_then(|value| value.parse::<f64>().ok()) else { return };
        let clamped = number.clamp(low, high);
        if number.is_finite() && clamped != number {
            self.set(field, clamped.to_string());
        }
    }
}

/// Whether leaving `field` out means the same as sending `json`.
fn says_nothing(field: &str, json: &str) -> bool {
    let is_number = |number: f64| json.parse::<f64>().is_ok_and(|value| value == number);
    match field {
        _ if json == "null" => true,
        "n" | "temperature" | "top_p" => is_number(1.0),
        "presence_penalty" | "frequency_penalty" => is_number(0.0),
        "logprobs" | "store" => json == "false",
        "parallel_tool_calls" => json == "true",
        "tool_choice" | "service_tier" => json == "\"auto\"",
        "logit_bias" => json == "{}",
        "stop" | "tools" => json == "[]",
        _ => false,
    }
}

#[cfg(test)]
#[path = "quirks_tests.rs"]
mod tests;
