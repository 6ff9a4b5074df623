//! Names as vendors and clouds write them.

use super::Claude;

#[test]
fn versions_decide() {
    // model, most tokens, budget, adaptive, sampling, schema, late system, forced
    let rows = [
        ("claude-3-opus-20240229", 4096, false, false, true, false, false, true),
        ("claude-3-5-sonnet-20241022", 8192, false, false, true, false, false, true),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 64_000, true, false, true, false, false, true),
        ("claude-opus-4-20250514", 32_000, true, false, true, false, false, true),
        ("anthropic.claude-opus-4-1-20250805-v1:0", 32_000, true, false, true, false, false, true),
        ("claude-sonnet-4-5@20250929", 64_000, true, false, true, true, false, true),
        ("claude-opus-4-6", 128_000, true, true, true, true, false, true),
        ("claude-opus-4-7-20260416", 128_000, false, true, false, true, false, true),
        ("claude-opus-5", 128_000, false, true, false, true, true, true),
        ("claude-sonnet-5-5", 128_000, false, true, false, true, true, false),
        ("claude-haiku-5-5", 128_000, false, true, false, true, true, true),
        ("claude-mythos-preview", 128_000, false, true, false, true, true, true),
        ("MiniMax-M2", 4096, true, false, true, false, false, true),
    ];
    for (model, most, budget, adapts, sampling, schema, late, forced) in rows {
        let claude = Claude::of(model);
        assert_eq!(claude.most_tokens(), most, "{model}");
        let found = (
            claude.takes_budget(),
            claude.adapts(),
            claude.takes_sampling(),
            claude.takes_schema(),
            claude.takes_late_system(),
            claude.can_be_forced(),
        );
        assert_eq!(found, (budget, adapts, sampling, schema, late, forced), "{model}");
    }
}

#[test]
fn an_effort_it_does_not_know_becomes_the_nearest() {
    let of = |model, word| Claude::of(model).effort(word);
    assert_eq!(of("claude-opus-4-6", "xhigh"), Some("high"));
    assert_eq!(of("claude-opus-4-6", "max"), Some("max"));
    assert_eq!(of("claude-opus-4-7", "xhigh"), Some("xhigh"));
    assert_eq!(of("claude-opus-4-7", "minimal"), Some("low"));
    assert_eq!(of("claude-opus-4-7", "much"), None);
}
