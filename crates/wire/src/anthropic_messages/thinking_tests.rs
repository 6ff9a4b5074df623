//! Every way to ask for thinking, for every kind of model.

use super::{Plan, read};
use crate::anthropic_messages::claude::Claude;
use crate::chat::ChatRequest;
use crate::raw::Raw;

fn plan(
    model: &str,
    thinking: &str,
    effort: &str,
    bound: Option<u64>,
) -> (String, Option<&'static str>, u64, usize) {
    let mut request = ChatRequest::default();
    request.sampling.max_tokens = bound;
    request.reasoning_effort = (!effort.is_empty()).then(|| effort.to_owned());
    if !thinking.is_empty() {
        request.thinking = read(Raw::parse(thinking.to_owned()).unwrap().value());
        assert!(request.thinking.is_some(), "{thinking}");
    }
    let mut losses = Vec::new();
    let plan = Plan::of(&request, Claude::of(model), false, &mut losses).unwrap();
    let thinking = plan.thinking.map(|raw| raw.text().to_owned()).unwrap_or_default();
    (thinking, plan.effort, plan.max_tokens, losses.len())
}

const OLD: &str = "claude-3-5-sonnet-20241022";
const BUDGETS: &str = "claude-sonnet-4-5";
const BOTH: &str = "claude-opus-4-6";
const ADAPTIVE: &str = "claude-opus-4-7";

fn enabled(budget: u64) -> String {
    format!(r#"{{"type":"enabled","budget_tokens":{budget}}}"#)
}

#[test]
fn the_table() {
    let adaptive = r#"{"type":"adaptive"}"#.to_owned();
    let off = r#"{"type":"disabled"}"#;
    let shown = r#"{"type":"adaptive","display":"summarized"}"#;
    let rows = [
        (BUDGETS, "", "", None, (String::new(), None, 64_000, 0)),
        (BUDGETS, "", "none", None, (String::new(), None, 64_000, 0)),
        (BUDGETS, "", "high", None, (enabled(4096), None, 64_000, 0)),
        (BUDGETS, "", "minimal", Some(9000), (enabled(1024), None, 9000, 0)),
        (BUDGETS, shown, "", None, (enabled(2048), None, 64_000, 0)),
        (BUDGETS, &enabled(100_000), "", None, (enabled(100_000), None, 104_096, 0)),
        (BUDGETS, &enabled(8000), "", Some(4000), (enabled(2000), None, 4000, 0)),
        (BUDGETS, &enabled(8000), "", Some(1025), (enabled(1024), None, 1025, 0)),
        (BUDGETS, &enabled(8000), "", Some(1024), (String::new(), None, 1024, 1)),
        (BUDGETS, off, "", Some(7), (off.to_owned(), None, 7, 0)),
        (BOTH, &enabled(8000), "", None, (enabled(8000), None, 128_000, 0)),
        (BOTH, "", "xhigh", None, (adaptive.clone(), Some("high"), 128_000, 0)),
        (ADAPTIVE, "", "xhigh", Some(5), (adaptive.clone(), Some("xhigh"), 5, 0)),
        (ADAPTIVE, &enabled(8192), "", None, (adaptive.clone(), Some("xhigh"), 128_000, 0)),
        (ADAPTIVE, &enabled(1024), "", None, (adaptive, Some("low"), 128_000, 0)),
        (ADAPTIVE, shown, "medium", None, (shown.to_owned(), Some("medium"), 128_000, 0)),
        (OLD, "", "low", None, (String::new(), None, 8192, 1)),
    ];
    for (model, thinking, effort, bound, expected) in rows {
        assert_eq!(plan(model, thinking, effort, bound), expected, "{model} {thinking} {effort} {bound:?}");
    }
}

#[test]
fn an_effort_nobody_knows_is_refused_by_name() {
    let request = ChatRequest { reasoning_effort: Some("much".to_owned()), ..ChatRequest::default() };
    let error = Plan::of(&request, Claude::of(BUDGETS), false, &mut Vec::new()).unwrap_err();
    assert_eq!(error.field(), "reasoning_effort");
}
