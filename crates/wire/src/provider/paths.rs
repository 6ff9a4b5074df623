//! One place below the top of a JSON document, and everything at it removed: `tools[*].function.strict`,
//! `metadata.a`, `messages[0].name`. What is not at the place keeps its bytes.

use super::members::{Members, is};
use super::nested::{elements_at, list};

/// Deeper paths name nothing that exists.
const MOST_STEPS: usize = 32;

/// A place: names of members and elements of lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    EveryElement,
}

impl Path {
    /// Reads a path as LiteLLM's `additional_drop_params` writes them; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() || name.contains(']') {
                return None;
            }
            steps.push(Step::Member(name.to_owned()));
            while !rest.is_empty() {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(match index {
                    "*" => Step::EveryElement,
                    index => Step::Element(index.parse().ok()?),
                });
                rest = after;
            }
        }
        (steps.len() <= MOST_STEPS).then_some(Self(steps))
    }

    /// `json` without what is at this place; `None` when nothing is.
    #[must_use]
    pub fn remove(&self, json: &str) -> Option<String> {
        remove(&self.0, json)
    }
}

fn remove(steps: &[Step], json: &str) -> Option<String> {
    let (step, rest) = steps.split_first()?;
    match step {
        Step::Member(name) => {
            let mut members = Members::of(json)?;
            if rest.is_empty() {
                members.remove(name);
            } else {
                members.rewrite(|key, value| is(key, name).then(|| remove(rest, value)).flatten());
            }
            members.edited()
        }
        Step::Element(_) | Step::EveryElement => {
            let here = |at: usize| *step == Step::EveryElement || *step == Step::Element(at);
            if !rest.is_empty() {
                return elements_at(json, |at, element| here(at).then(|| remove(rest, element)).flatten());
            }
            let all = list(json)?;
            let kept: Vec<&str> =
                all.iter().enumerate().filter(|(at, _)| !here(*at)).map(|(_, raw)| raw.get()).collect();
            (kept.len() < all.len()).then(|| format!("[{}]", kept.join(",")))
        }
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
