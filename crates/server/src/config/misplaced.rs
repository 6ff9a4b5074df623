//! Keys that stand beside `model_name` and belong under `litellm_params`: one error, and the entry as it
//! should be.

use super::keys;
use super::problem::Problems;
use super::tree::{Entry, Map};

/// Notes the misplaced keys of an entry, if there are any.
pub(super) fn report(entry: &Map, problems: &mut Problems) -> bool {
    let misplaced: Vec<&Entry> = entry.entries.iter().filter(|part| belongs_in_params(&part.key)).collect();
    let Some(first) = misplaced.first() else { return false };
    let names: Vec<String> = misplaced.iter().map(|part| format!("`{}`", part.key)).collect();
    let (stand, them) = if names.len() == 1 { ("stands", "it") } else { ("stand", "them") };
    let message =
        format!("{} {stand} beside `model_name` and must stand under `litellm_params`", names.join(", "));
    let help = format!("move {them} there:\n{}", corrected(entry, problems));
    problems.error(Some(first.key_span), message, Some(help));
    true
}

fn belongs_in_params(key: &str) -> bool {
    keys::ENTRY.standing(key).is_none()
        && (keys::PARAMS.standing(key).is_some() || keys::is_request_field(key) || keys::is_price(key))
}

/// The entry with everything where it belongs, as it may be shown. The limits move along, although LiteLLM
/// finds them in both places.
fn corrected(entry: &Map, problems: &Problems) -> String {
    let line = |part: &Entry| match part.value.letters().and(problems.source(part.value.span)) {
        Some(source) if !source.shown_span(part.value.span).contains('\n') => {
            format!("{}: {}", part.key, source.shown_span(part.value.span))
        }
        _ => format!("{}: …", part.key),
    };
    let moves = |part: &&Entry| belongs_in_params(&part.key) || matches!(part.key.as_str(), "rpm" | "tpm");
    let mut lines = vec![match entry.get("model_name") {
        Some(name) => format!("- {}", line(name)),
        None => "- model_name: …".to_owned(),
    }];
    lines.push("  litellm_params:".to_owned());
    let existing = entry.get("litellm_params").and_then(|params| params.value.map());
    let inside = existing.iter().flat_map(|params| params.entries.iter());
    lines.extend(inside.chain(entry.entries.iter().filter(moves)).map(|part| format!("    {}", line(part))));
    lines.join("\n")
}
