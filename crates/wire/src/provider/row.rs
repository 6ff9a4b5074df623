//! What rows are made of: the kinds of row and the quirks that several rows share or
//! that are too long to stand in one.

use super::quirks::Quirk::{
    self, Before, Clamp, Drop, FlattenText, ForModels, Hook, Rename, SetField, StripMessageKeys, StripNulls,
    StripPartKeys, StripToolKeys, ToolChoiceRequired, Unsupported,
};
use super::ways::{BUILT_IN, CHAT};
use super::{Addressing, Auth, KeyRule, Provider, Speaks, hooks};

/// A vendor's service: needs a key, speaks chat, drops `user` (most vendors do not know it, and it asks for
/// nothing in the answer).
pub(super) const fn host(
    name: &'static str,
    title: &'static str,
    base_url: &'static str,
    key_env: &'static [&'static str],
) -> Provider {
    Provider {
        name,
        title,
        base_url: Some(base_url),
        key_env,
        base_env: &[],
        key: KeyRule::Required,
        auth: Auth::Bearer,
        headers: &[],
        speaks: CHAT,
        quirks: PLAIN,
        addressing: Addressing::Joined,
        model_name: None,
        organization: None,
        chat_models: false,
        local: false,
    }
}

/// Software that somebody runs somewhere: the address must be given, a key may be, and nothing is assumed
/// about what it refuses.
pub(super) const fn server(
    name: &'static str,
    title: &'static str,
    key_env: &'static [&'static str],
) -> Provider {
    Provider { base_url: None, key: KeyRule::Optional, quirks: &[], ..host(name, title, "", key_env) }
}

/// Answered by the gateway itself.
pub(super) const fn built_in(name: &'static str, title: &'static str) -> Provider {
    let row = server(name, title, &[]).speaks(BUILT_IN).auth(Auth::None).addressing(Addressing::BuiltIn);
    Provider { key: KeyRule::None, local: true, ..row }
}

impl Provider {
    pub(super) const fn keys(self, key_env: &'static [&'static str]) -> Self {
        Self { key_env, ..self }
    }

    pub(super) const fn bases(self, base_env: &'static [&'static str]) -> Self {
        Self { base_env, ..self }
    }

    pub(super) const fn speaks(self, speaks: &'static [Speaks]) -> Self {
        Self { speaks, ..self }
    }

    pub(super) const fn quirks(self, quirks: &'static [Quirk]) -> Self {
        Self { quirks, ..self }
    }

    pub(super) const fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    pub(super) const fn addressing(self, addressing: Addressing) -> Self {
        Self { addressing, ..self }
    }

    pub(super) const fn model_name(self, model_name: fn(&str) -> Option<String>) -> Self {
        Self { model_name: Some(model_name), ..self }
    }

    /// The models are the vendor's own chat models.
    pub(super) const fn chat_models(self) -> Self {
        Self { chat_models: true, ..self }
    }

    /// Accounts have organizations, named in this header.
    pub(super) const fn organization(self, header: &'static str) -> Self {
        Self { organization: Some(header), ..self }
    }

    pub(super) const fn keyless(self) -> Self {
        Self { key: KeyRule::None, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { key: KeyRule::Required, ..self }
    }

    pub(super) const fn local(self) -> Self {
        Self { key: KeyRule::Optional, local: true, ..self }
    }
}

pub(super) const NO_USER: Quirk = Drop("user");
pub(super) const MAX_TOKENS: Quirk = Rename { from: "max_completion_tokens", to: "max_tokens" };
pub(super) const COMPLETION_TOKENS: Quirk = Rename { from: "max_tokens", to: "max_completion_tokens" };
pub(super) const NO_LOGPROBS: Quirk = Unsupported(&["logprobs", "top_logprobs"]);
pub(super) const NO_PENALTIES: Quirk = Unsupported(&["presence_penalty", "frequency_penalty"]);
pub(super) const NO_EXTRAS: Quirk = Unsupported(&["logit_bias", "service_tier", "store"]);
pub(super) const NO_SCHEMA: Quirk = Hook(hooks::schema_as_json_object);
pub(super) const SCHEMA_IN_WORDS: Quirk = Hook(hooks::schema_in_words);
pub(super) const AUTO_TOOL: Quirk = Hook(hooks::tool_choice_auto_or_none);
pub(super) const ANY_TOOL: Quirk = ToolChoiceRequired("any");

pub(super) const PLAIN: &[Quirk] = &[NO_USER];
/// Knows only the older name of the token limit.
pub(super) const OLDER: &[Quirk] = &[MAX_TOKENS, NO_USER];

/// OpenAI's own models. What other vendors' clients leave in a conversation (cache marks, thinking blocks) is
/// refused by the API as unknown.
pub(super) const OPENAI: &[Quirk] =
    &[OPENAI_MODELS, NO_TOP_K, NO_MARKS_OF_MESSAGES, NO_MARKS_OF_PARTS, NO_MARKS_OF_TOOLS];

const OPENAI_MODELS: Quirk = ForModels(&[
    (&["gpt-5-chat"], &[]),
    (&["gpt-5."], &[COMPLETION_TOKENS, Hook(hooks::sampling_unless_reasoning), Unsupported(&["stop"])]),
    (&["gpt-5", "gpt5_series"], &[COMPLETION_TOKENS, Unsupported(hooks::SAMPLING), Unsupported(&["stop"])]),
    (&["o1", "o3", "o4", "o_series"], &[COMPLETION_TOKENS, Unsupported(hooks::SAMPLING)]),
]);
/// For APIs that refuse what they do not know.
const NO_TOP_K: Quirk = Unsupported(&["top_k"]);
const NO_MARKS_OF_MESSAGES: Quirk = StripMessageKeys {
    keys: &["cache_control", "thinking_blocks", "provider_specific_fields"],
    except_roles: &[],
};
const NO_MARKS_OF_PARTS: Quirk = StripPartKeys(&["cache_control"]);
const NO_MARKS_OF_TOOLS: Quirk = StripToolKeys(&["cache_control"]);

/// OpenAI's models at Azure, whose APIs learned things one after the other.
pub(super) const AZURE: &[Quirk] = &[
    OPENAI_MODELS,
    NO_TOP_K,
    NO_MARKS_OF_MESSAGES,
    NO_MARKS_OF_PARTS,
    NO_MARKS_OF_TOOLS,
    Before { day: "2023-12-01", quirks: &[Unsupported(&["tool_choice"])] },
    Before { day: "2024-06-01", quirks: &[Hook(hooks::no_required_tool)] },
    Before { day: "2024-08-01", quirks: &[SCHEMA_IN_WORDS] },
    ForModels(&[(&["gpt-3.5", "gpt-35", "gpt-4-0613"], &[SCHEMA_IN_WORDS])]),
];

/// Groq's models that follow a schema, as its documentation lists them; others are told it.
pub(super) const GROQ: &[Quirk] = &[
    NO_USER,
    NO_TOP_K,
    StripNulls,
    ForModels(&[
        (
            &[
                "gpt-oss-20b",
                "gpt-oss-120b",
                "gpt-oss-safeguard-20b",
                "kimi-k2-instruct",
                "llama-4-maverick-17b-128e-instruct",
                "llama-4-scout-17b-16e-instruct",
            ],
            &[],
        ),
        (&[""], &[SCHEMA_IN_WORDS]),
    ]),
];

pub(super) const DEEPSEEK_QUIRKS: &[Quirk] = &[
    NO_USER,
    FlattenText,
    Hook(hooks::effort_as_thinking),
    ForModels(&[(&["deepseek-reasoner"], &[Hook(hooks::reason_before_calls)])]),
    Hook(hooks::reason_before_calls_if_thinking),
];

/// What Cohere's documentation lists as unsupported by its OpenAI-compatible endpoint.
pub(super) const COHERE_QUIRKS: &[Quirk] = &[
    MAX_TOKENS,
    NO_USER,
    NO_EXTRAS,
    Unsupported(&["top_logprobs", "n", "modalities", "audio", "prediction", "parallel_tool_calls"]),
];

/// Mistral refuses what it does not know, down to a message's `name` and a tool's `strict`.
pub(super) const MISTRAL: &[Quirk] = &[
    MAX_TOKENS,
    Rename { from: "seed", to: "random_seed" },
    NO_USER,
    NO_LOGPROBS,
    NO_EXTRAS,
    NO_TOP_K,
    ANY_TOOL,
    StripToolKeys(&["strict", "$id", "$schema", "$ref", "additionalProperties"]),
    StripMessageKeys { keys: &["name"], except_roles: &["tool"] },
    FlattenText,
];

pub(super) const XAI: &[Quirk] = &[
    MAX_TOKENS,
    StripToolKeys(&["strict"]),
    StripMessageKeys { keys: &["name"], except_roles: &["user"] },
    ForModels(&[(&["grok-3-mini", "grok-4", "grok-code"], &[NO_PENALTIES, Unsupported(&["stop"])])]),
];

pub(super) const MOONSHOT: &[Quirk] = &[
    MAX_TOKENS,
    NO_USER,
    FlattenText,
    Clamp { field: "temperature", low: 0.0, high: 1.0 },
    Hook(hooks::warm_for_several),
    Hook(hooks::ask_for_a_tool),
    ForModels(&[
        // Their temperature is fixed, and they think unless told not to.
        (
            &["kimi-k2.", "kimi-k3"],
            &[Unsupported(&["temperature", "top_p"]), Hook(hooks::reason_before_calls)],
        ),
        (&["kimi-k2-thinking", "kimi-thinking"], &[Hook(hooks::reason_before_calls)]),
    ]),
];

pub(super) const AI21: &[Quirk] = &[
    MAX_TOKENS,
    NO_USER,
    NO_LOGPROBS,
    NO_PENALTIES,
    NO_EXTRAS,
    Unsupported(&["top_p", "parallel_tool_calls"]),
];

/// v0 takes messages, tools and nothing to tune.
pub(super) const V0: &[Quirk] = &[
    NO_USER,
    NO_LOGPROBS,
    NO_PENALTIES,
    NO_EXTRAS,
    Unsupported(&["temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed", "stop"]),
    Unsupported(&["response_format", "parallel_tool_calls", "reasoning_effort"]),
];

/// OpenRouter says what a call cost only when asked.
pub(super) const USAGE_COST: Quirk =
    SetField { beside: "messages", field: "usage", json: r#"{"include":true}"# };
