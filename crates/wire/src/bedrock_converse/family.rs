//! Which model behind Converse takes what, read off its id: Amazon's table of supported features and the public
//! model catalog as of November 2026. An id that tells nothing (an application's inference profile) is trusted with
//! what most models take.

use crate::anthropic_messages::claude::Claude;
use crate::bedrock::{Address, base_id};

#[cfg(test)]
#[path = "family_tests.rs"]
mod tests;

/// What is known of a model from its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family {
    kind: Kind,
    /// Meaningful for Claude alone.
    pub(super) claude: Claude,
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Claude,
    Nova,
    Nova2,
    Mistral,
    Llama,
    DeepSeekR1,
    DeepSeek,
    /// OpenAI's open weights.
    GptOss,
    Gpt,
    Grok,
    /// Models of a generation before tools could be chosen.
    Early,
    Other,
}

/// How a model can be made to call tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Forcing {
    /// It has no `toolChoice` at all.
    No,
    /// Some tool.
    Any,
    /// Some tool, or this one.
    Named,
}

impl Family {
    /// Reads a model id, an ARN or LiteLLM's `converse/us-east-1/…`.
    pub(super) fn of(model: &str) -> Self {
        let address = Address::of(model);
        let id = base_id(address.id);
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| id.starts_with(prefix));
        let kind = match address.family {
            Some("llama") => Kind::Llama,
            Some("deepseek_r1") => Kind::DeepSeekR1,
            Some("nova") => Kind::Nova,
            Some("nova-2") => Kind::Nova2,
            Some(_) => Kind::Other,
            None if id.contains("claude-") => Kind::Claude,
            None if starts(&["amazon.nova-2"]) => Kind::Nova2,
            None if starts(&["amazon.nova"]) => Kind::Nova,
            None if starts(&["mistral."]) => Kind::Mistral,
            None if starts(&["meta."]) => Kind::Llama,
            None if starts(&["deepseek.r1"]) => Kind::DeepSeekR1,
            None if starts(&["deepseek."]) => Kind::DeepSeek,
            None if starts(&["openai.gpt-oss"]) => Kind::GptOss,
            None if starts(&["openai."]) => Kind::Gpt,
            None if starts(&["xai."]) => Kind::Grok,
            None if starts(&["amazon.titan", "ai21.", "cohere.command-text", "cohere.command-light"]) => {
                Kind::Early
            }
            None => Kind::Other,
        };
        let schema =
            ["claude-opus-4-8", "claude-sonnet-5", "claude-haiku-5"].iter().any(|it| id.contains(it))
                && !address.id.starts_with("us-gov.");
        Self { kind, claude: Claude::of(id), schema }
    }

    pub(super) fn kind(self) -> Kind {
        self.kind
    }

    pub(super) fn is_claude(self) -> bool {
        self.kind == Kind::Claude
    }

    /// Whether `cachePoint` is taken.
    pub(super) fn caches(self) -> bool {
        match self.kind {
            Kind::Claude => self.claude.since(3, 5),
            Kind::Nova | Kind::Nova2 => true,
            _ => false,
        }
    }

    /// Whether `cachePoint` is taken among the tools.
    pub(super) fn caches_tools(self) -> bool {
        self.is_claude() && self.caches()
    }

    /// Whether a cache can be kept for an hour.
    pub(super) fn caches_an_hour(self) -> bool {
        self.is_claude() && self.claude.since(4, 5)
    }

    pub(super) fn forcing(self) -> Forcing {
        match self.kind {
            Kind::Llama | Kind::DeepSeekR1 | Kind::Early => Forcing::No,
            Kind::Mistral => Forcing::Any,
            _ => Forcing::Named,
        }
    }

    /// Whether reasoning of earlier turns is taken back.
    pub(super) fn takes_reasoning(self) -> bool {
        matches!(self.kind, Kind::Claude | Kind::Nova2 | Kind::Other)
    }

    /// Whether a tool's result can say that it failed.
    pub(super) fn takes_status(self) -> bool {
        matches!(self.kind, Kind::Claude | Kind::Nova | Kind::Nova2 | Kind::Other)
    }

    /// Whether a tool's result can hold pictures.
    pub(super) fn takes_result_images(self) -> bool {
        self.kind != Kind::Gpt
    }

    /// Whether `outputConfig.textFormat` holds the answer to a schema.
    pub(super) fn takes_schema(self) -> bool {
        self.schema
    }

    /// Whether a tool may be `strict`.
    pub(super) fn takes_strict(self) -> bool {
        self.is_claude() && self.claude.since(4, 5) && !self.claude.since(4, 7)
    }

    /// The least bound on the answer that is taken.
    pub(super) fn least_tokens(self) -> u64 {
        if matches!(self.kind, Kind::GptOss | Kind::Gpt | Kind::Grok) { 16 } else { 1 }
    }
}
