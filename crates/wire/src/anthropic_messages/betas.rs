//! Anthropic's beta flags on other hosts: each host takes some, and refuses a call that names another. Flags are
//! hints about the caller's client, so one that a host does not know is left out without a loss.

use crate::chat::ChatRequest;
use crate::openai_chat::text;

/// A host of Claude that is not Anthropic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Converse,
    Invoke,
    Vertex,
}

/// Flags, and who takes them: Converse, Invoke, Vertex.
const TAKEN: [(&str, [bool; 3]); 14] = [
    ("compact-2026-01-12", [false, true, true]),
    ("computer-use-2025-01-24", [true, true, true]),
    ("computer-use-2025-11-24", [true, true, true]),
    ("context-1m-2025-08-07", [true, true, true]),
    ("context-management-2025-06-27", [false, true, true]),
    ("dangerous-tool-use-2026-09-03", [false, true, true]),
    ("effort-2025-11-24", [true, true, false]),
    ("fine-grained-tool-streaming-2025-05-14", [true, true, false]),
    ("mid-conversation-output-config-2026-07-01", [false, true, false]),
    ("mid-conversation-tool-changes-2026-07-01", [false, true, true]),
    ("structured-outputs-2025-11-13", [true, false, false]),
    ("thinking-binding-controls-2026-08-01", [true, true, true]),
    ("thinking-display-updates-2026-08-18", [true, true, true]),
    ("tool-search-tool-2025-10-19", [false, true, true]),
];

/// Flags that Vertex alone takes.
const VERTEX: [&str; 3] =
    ["interleaved-thinking-2025-05-14", "per-turn-control-2026-07-01", "web-search-2025-03-05"];

/// The flags of `request` that `host` takes, in the order given, and in its words.
pub(crate) fn of(request: &ChatRequest, host: Host) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    let named = |name: &str| matches!(name, "anthropic_beta" | "betas");
    for (_, raw) in request.extras.iter().filter(|(name, _)| named(name)) {
        let listed: Vec<String> = match serde_json::from_str(raw.text()) {
            Ok(listed) => listed,
            Err(_) => text(raw.value()).split(',').map(|flag| flag.trim().to_owned()).collect(),
        };
        for flag in listed {
            // Hosts other than Anthropic know this one by the tool it was made for.
            let flag = if flag == "advanced-tool-use-2025-11-20" {
                "tool-search-tool-2025-10-19".to_owned()
            } else {
                flag
            };
            if takes(host, &flag) && !taken.contains(&flag) {
                taken.push(flag);
            }
        }
    }
    taken
}

/// The flag that Claude's own tools of this type need; `None` for those that run at Anthropic alone.
pub(crate) fn of_tool(kind: &str) -> Option<&'static str> {
    let of = |prefix: &str| kind.starts_with(prefix);
    match kind {
        "computer_20251124" => Some("computer-use-2025-11-24"),
        _ if of("computer_") || of("bash_") || of("text_editor_") => Some("computer-use-2025-01-24"),
        _ => None,
    }
}

fn takes(host: Host, flag: &str) -> bool {
    (host == Host::Vertex && VERTEX.contains(&flag))
        || TAKEN.iter().any(|(known, by)| *known == flag && by[host as usize])
}
