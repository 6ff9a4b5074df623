//! Which Claude takes what, read off the model's name: capabilities follow the version. The table is the public
//! model catalog's as of November 2026; hosts of other models that speak this API get the plainest request.

#[cfg(test)]
#[path = "claude_tests.rs"]
mod tests;

/// What is known of a model from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claude {
    /// Major and minor; `None` for a model that is no Claude, or one that tells no version.
    version: Option<(u32, u32)>,
    family: Family,
    /// Whether its host holds answers to a schema.
    holds_schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Haiku,
    Opus,
    Other,
}

impl Claude {
    /// Reads `claude-3-5-sonnet-20241022`, `us.anthropic.claude-opus-4-1-20250805-v1:0`, `claude-sonnet-5@default`.
    pub(crate) fn of(model: &str) -> Self {
        let Some((_, rest)) = model.rsplit_once("claude-") else {
            return Self { version: None, family: Family::Other, holds_schema: true };
        };
        let words = rest.split(['-', '@', '.', ':']);
        let family = words.clone().find_map(|word| match word {
            "haiku" => Some(Family::Haiku),
            "opus" => Some(Family::Opus),
            _ => None,
        });
        // Larger numbers are dates.
        let mut numbers = words
            .map(|word| word.parse::<u32>().ok().filter(|number| *number < 100))
            .skip_while(Option::is_none);
        let major = numbers.next().flatten();
        let minor = numbers.next().flatten().unwrap_or(0);
        let preview = rest.starts_with("mythos").then_some((5, 0));
        Self {
            version: major.map(|major| (major, minor)).or(preview),
            family: family.unwrap_or(Family::Other),
            holds_schema: true,
        }
    }

    /// The same model at a host that does not hold answers to a schema.
    pub(crate) fn without_schema(self) -> Self {
        Self { holds_schema: false, ..self }
    }

    /// Whether its version is this one or a later one.
    pub(crate) fn since(self, major: u32, minor: u32) -> bool {
        self.version.is_some_and(|version| version >= (major, minor))
    }

    /// The most tokens it can answer with. The API wants a bound in every request.
    pub(crate) fn most_tokens(self) -> u64 {
        match self.version {
            None => 4096,
            Some(version) if version < (3, 5) => 4096,
            Some(version) if version < (3, 7) => 8192,
            Some((4, 0 | 1)) if self.family == Family::Opus => 32_000,
            Some(version) if version < (4, 6) => 64_000,
            Some(_) => 128_000,
        }
    }

    /// Whether it can think at all.
    pub(crate) fn thinks(self) -> bool {
        self.version.is_none() || self.since(3, 7)
    }

    /// Whether it takes `thinking: {type: adaptive}` and `output_config.effort`.
    pub(crate) fn adapts(self) -> bool {
        self.since(4, 6)
    }

    /// Whether it takes `thinking: {type: enabled, budget_tokens}`.
    pub(crate) fn takes_budget(self) -> bool {
        self.thinks() && !self.since(4, 7)
    }

    /// The nearest effort it knows to OpenAI's or Anthropic's `word`; `None` for a word that nobody knows.
    pub(crate) fn effort(self, word: &str) -> Option<&'static str> {
        Some(match word {
            "minimal" | "low" => "low",
            "medium" => "medium",
            "high" => "high",
            "xhigh" if self.since(4, 7) => "xhigh",
            "xhigh" => "high",
            "max" if self.since(4, 6) => "max",
            "max" => "high",
            _ => return None,
        })
    }

    /// Whether `temperature`, `top_p` and `top_k` can be chosen.
    pub(crate) fn takes_sampling(self) -> bool {
        !self.since(4, 7)
    }

    /// Of `temperature` and `top_p` what it takes together, and whether a wish is lost. Since 4.1 a request with both
    /// is answered with a 400 ("cannot both be specified", Anthropic's API in 2026), although each may be at rest:
    /// Google's clients always send a temperature of 1 with a `top_p`.
    pub(crate) fn draws(
        self,
        temperature: Option<f64>,
        top_p: Option<f64>,
    ) -> (Option<f64>, Option<f64>, bool) {
        match (temperature, top_p) {
            (Some(heat), Some(_)) if self.since(4, 1) && heat == 1.0 => (None, top_p, false),
            (Some(_), Some(top)) if self.since(4, 1) => (temperature, None, top < 1.0),
            _ => (temperature, top_p, false),
        }
    }

    /// Whether `output_config.format` and strict tools are taken.
    pub(crate) fn takes_schema(self) -> bool {
        self.holds_schema && self.since(4, 5)
    }

    /// Whether a system message may stand among the others.
    pub(crate) fn takes_late_system(self) -> bool {
        self.since(4, 8)
    }

    /// Whether it can be made to call a tool.
    pub(crate) fn can_be_forced(self) -> bool {
        !self.since(5, 1) || self.family == Family::Haiku
    }
}
