//! Every way to ask, for every kind of model.

use super::plan;
use crate::chat::{ChatRequest, Thinking, ThinkingMode};
use crate::gemini::model::Gemini;
use crate::raw::Raw;

fn planned(model: &str, effort: Option<&str>, mode: Option<ThinkingMode>) -> String {
    let raw = Raw::parse("{}".to_owned()).unwrap();
    let request = ChatRequest {
        reasoning_effort: effort.map(str::to_owned),
        thinking: mode.map(|mode| Thinking { mode, raw }),
        ..ChatRequest::default()
    };
    let mut losses = Vec::new();
    let config = plan(&request, Gemini::of(model), &mut losses).unwrap();
    let lost = losses.iter().map(|loss| format!("lost {}", loss.field));
    lost.chain(config.map(|config| serde_json::to_string(&config).unwrap())).collect()
}

#[test]
fn words() {
    let off = r#"{"thinkingBudget":0,"includeThoughts":false}"#;
    for (model, word, expected) in [
        ("gemini-2.5-flash", "minimal", r#"{"thinkingBudget":1,"includeThoughts":true}"#),
        ("gemini-2.5-flash-lite", "minimal", r#"{"thinkingBudget":512,"includeThoughts":true}"#),
        ("gemini-2.5-pro", "minimal", r#"{"thinkingBudget":128,"includeThoughts":true}"#),
        ("gemini-2.5-pro", "low", r#"{"thinkingBudget":1024,"includeThoughts":true}"#),
        ("gemini-2.5-flash", "medium", r#"{"thinkingBudget":2048,"includeThoughts":true}"#),
        ("gemini-2.5-flash", "max", r#"{"thinkingBudget":4096,"includeThoughts":true}"#),
        ("gemini-2.5-flash", "none", off),
        ("gemini-2.5-flash-lite", "disable", off),
        // It cannot stop: 0 would be refused.
        ("gemini-2.5-pro", "none", r#"{"thinkingBudget":128,"includeThoughts":false}"#),
        ("gemini-3-pro-preview", "none", r#"{"thinkingLevel":"low","includeThoughts":false}"#),
        ("gemini-3-flash", "none", r#"{"thinkingLevel":"minimal","includeThoughts":false}"#),
        ("gemini-3-pro-preview", "xhigh", r#"{"thinkingLevel":"high","includeThoughts":true}"#),
        ("gemini-2.0-flash", "low", "lost reasoning_effort"),
        ("gemini-2.0-flash", "none", ""),
    ] {
        assert_eq!(planned(model, Some(word), None), expected, "{model} {word}");
    }
    let request = ChatRequest { reasoning_effort: Some("much".to_owned()), ..ChatRequest::default() };
    let error = plan(&request, Gemini::of("gemini-2.5-pro"), &mut Vec::new()).unwrap_err();
    assert_eq!(error.field(), "reasoning_effort");
}

#[test]
fn objects() {
    use ThinkingMode::{Adaptive, Budget, Off};
    for (model, mode, expected) in [
        ("gemini-2.5-flash", Budget(31_999), r#"{"thinkingBudget":24576,"includeThoughts":true}"#),
        ("gemini-2.5-pro", Budget(10), r#"{"thinkingBudget":128,"includeThoughts":true}"#),
        ("gemini-2.5-flash", Budget(3000), r#"{"thinkingBudget":3000,"includeThoughts":true}"#),
        ("gemini-2.5-flash", Adaptive, r#"{"thinkingBudget":-1,"includeThoughts":true}"#),
        ("gemini-2.5-flash", Off, r#"{"thinkingBudget":0,"includeThoughts":false}"#),
        ("gemini-3-pro-preview", Budget(3000), r#"{"thinkingLevel":"medium","includeThoughts":true}"#),
        ("gemini-3-pro-preview", Adaptive, r#"{"includeThoughts":true}"#),
        ("gemini-1.5-pro", Budget(3000), "lost thinking"),
    ] {
        assert_eq!(planned(model, None, Some(mode)), expected, "{model} {mode:?}");
    }
}
