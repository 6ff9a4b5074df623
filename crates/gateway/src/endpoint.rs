//! The routes that callers' models are reached by, as one table. Dispatch and the OpenAPI document read it.

use std::borrow::Cow;

use wire::format::{Format, Operation};

/// One route. `{model}` stands for any text, slashes included.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Everything before the model, or the whole path.
    pub prefix: &'static str,
    /// Everything after the model; empty when the path names none.
    pub suffix: &'static str,
    /// The format spoken there.
    pub format: Format,
    /// What is wanted.
    pub task: Task,
}

/// What a call wants of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A reply, as a stream if the body says so.
    Reply,
    /// To know how many tokens the prompt has. Costs nothing.
    Count,
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The format the caller speaks.
    pub format: Format,
    /// What is wanted.
    pub task: Task,
    /// The model that the path names.
    pub model: Option<String>,
}

impl Endpoint {
    /// A reply in this format, to a request that names its model in the body.
    #[must_use]
    pub const fn reply(format: Format) -> Self {
        Self { format, task: Task::Reply, model: None }
    }

    /// The operation asked for.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.format.operation()
    }

    /// The route as error messages name it.
    #[must_use]
    pub const fn route(&self) -> &'static str {
        match (self.task, self.format) {
            (Task::Count, _) => "/v1/messages/count_tokens",
            (Task::Reply, Format::AnthropicMessages) => "/v1/messages",
            (Task::Reply, format) => format.operation().route(),
        }
    }
}

const CHAT: Format = Format::OpenAiChat;
const COMPLETION: Format = Format::OpenAiCompletions;
const EMBEDDING: Format = Format::OpenAiEmbeddings;

const fn plain(path: &'static str, format: Format) -> Route {
    Route { prefix: path, suffix: "", format, task: Task::Reply }
}

const fn with_model(prefix: &'static str, suffix: &'static str, format: Format) -> Route {
    Route { prefix, suffix, format, task: Task::Reply }
}

/// All of them; the first that fits is taken.
pub const ROUTES: &[Route] = &[
    plain("/v1/chat/completions", CHAT),
    plain("/chat/completions", CHAT),
    plain("/v1/completions", COMPLETION),
    plain("/completions", COMPLETION),
    plain("/v1/embeddings", EMBEDDING),
    plain("/embeddings", EMBEDDING),
    plain("/openai/v1/chat/completions", CHAT),
    plain("/openai/v1/completions", COMPLETION),
    plain("/openai/v1/embeddings", EMBEDDING),
    with_model("/engines/", "/chat/completions", CHAT),
    with_model("/engines/", "/completions", COMPLETION),
    with_model("/engines/", "/embeddings", EMBEDDING),
    with_model("/v1/engines/", "/chat/completions", CHAT),
    with_model("/v1/engines/", "/completions", COMPLETION),
    with_model("/v1/engines/", "/embeddings", EMBEDDING),
    with_model("/openai/deployments/", "/chat/completions", CHAT),
    with_model("/openai/deployments/", "/completions", COMPLETION),
    with_model("/openai/deployments/", "/embeddings", EMBEDDING),
    plain("/v1/messages", Format::AnthropicMessages),
    Route { task: Task::Count, ..plain("/v1/messages/count_tokens", Format::AnthropicMessages) },
];

/// What a path asks for.
#[must_use]
pub fn find(path: &str) -> Option<Endpoint> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ROUTES.iter().find_map(|route| {
        let Route { format, task, .. } = *route;
        if route.suffix.is_empty() {
            return (path == route.prefix).then_some(Endpoint { format, task, model: None });
        }
        let model = path.strip_prefix(route.prefix)?.strip_suffix(route.suffix)?;
        let named = || Endpoint { format, task, model: Some(decoded(model).into_owned()) };
        (!model.is_empty()).then(named)
    })
}

/// Percent-decoding; what is not valid UTF-8 afterwards stays as it was.
#[must_use]
pub fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let value = escaped
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use wire::format::Operation;

    use super::{Task, find};

    #[test]
    fn paths_name_operations_and_models() {
        let model = |path| find(path).map(|endpoint| (endpoint.operation(), endpoint.model));
        assert_eq!(model("/chat/completions"), Some((Operation::Chat, None)));
        assert_eq!(model("/v1/embeddings/"), Some((Operation::Embedding, None)));
        assert_eq!(
            model("/openai/deployments/my-gpt/chat/completions"),
            Some((Operation::Chat, Some("my-gpt".to_owned())))
        );
        assert_eq!(
            model("/engines/ollama%2Fgemma2/completions"),
            Some((Operation::Completion, Some("ollama/gemma2".to_owned())))
        );
        assert_eq!(
            model("/engines/ollama/gemma2:2b/chat/completions"),
            Some((Operation::Chat, Some("ollama/gemma2:2b".to_owned())))
        );
        for path in ["/", "/v1", "/v2/chat/completions", "/engines//completions", "/v1/chat/completionsx"] {
            assert_eq!(model(path), None, "{path}");
        }
    }
    #[test]
    fn counting_is_not_replying() {
        let task = |path| find(path).map(|endpoint| endpoint.task);
        assert_eq!(task("/v1/messages"), Some(Task::Reply));
        assert_eq!(task("/v1/messages/count_tokens"), Some(Task::Count));
    }
}
