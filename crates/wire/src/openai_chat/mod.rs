//! OpenAI chat completions, both halves.
