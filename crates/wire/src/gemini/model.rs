//! Which Gemini takes what, read off the model's name: capabilities follow the generation. A model that tells none
//! (a tuned endpoint, another family) gets the plainest request.

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;

/// What is known of a model from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gemini {
    version: Option<(u32, u32)>,
    size: Size,
    draws: bool,
}

/// The sizes that differ in how they think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Cannot stop thinking.
    Pro,
    Flash,
    FlashLite,
    Other,
}

impl Gemini {
    /// Reads `gemini-2.5-flash-lite-preview-09-2025`, `models/gemini-3-pro-preview`, `gemini-flash-latest`.
    pub(super) fn of(model: &str) -> Self {
        let Some((_, rest)) = model.rsplit_once("gemini-") else {
            return Self { version: None, size: Size::Other, draws: false };
        };
        let has = |wanted: &str| rest.split('-').any(|word| word == wanted);
        let size = match () {
            () if has("flash") && has("lite") => Size::FlashLite,
            () if has("flash") => Size::Flash,
            () if has("pro") => Size::Pro,
            () => Size::Other,
        };
        // The aliases that move with the newest generation; it was 3 in November 2026.
        let latest = has("latest").then_some((3, 0));
        let version = rest.split(['-', '@']).find_map(version).or(latest);
        Self { version, size, draws: has("image") }
    }

    fn since(self, major: u32, minor: u32) -> bool {
        self.version.is_some_and(|version| version >= (major, minor))
    }

    pub(super) fn size(self) -> Size {
        self.size
    }

    /// Whether it can think at all.
    pub(super) fn thinks(self) -> bool {
        self.since(2, 5) && (!self.draws || self.since(3, 0))
    }

    /// Whether it is of the third generation: it thinks by level, wants signatures of calls back, takes ids of
    /// calls, a resolution for each picture and search beside functions, and no penalties.
    pub(super) fn is_third(self) -> bool {
        self.since(3, 0)
    }

    /// Whether JSON Schema is taken as it is.
    pub(super) fn takes_json_schema(self) -> bool {
        self.since(2, 0)
    }
}

fn version(word: &str) -> Option<(u32, u32)> {
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    let version = (major.parse().ok()?, minor.parse().ok()?);
    // Larger numbers are dates and builds.
    (major.len() <= 2 && !major.starts_with('0') && version.0 < 20).then_some(version)
}
