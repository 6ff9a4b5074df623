//! The routes that callers' models are reached by, as one table. Dispatch and the OpenAPI document read it.

use std::borrow::Cow;

use http::Method;
use wire::format::{Format, Operation};

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The path. `{model}` in it stands for any text, slashes included; `{id}` for one without slashes.
    pub path: &'static str,
    /// The format spoken there.
    pub format: Format,
    /// What is wanted.
    pub task: Task,
}

/// What a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A reply, as a stream if the body says so.
    Reply,
    /// A reply as a stream: the path says so.
    Stream,
    /// To know how many tokens the prompt has. Costs nothing.
    Count,
    /// A response that was kept.
    Fetch,
    /// A response that was kept, to be forgotten.
    Delete,
    /// The input of a response that was kept.
    Items,
    /// A response in the making, to be stopped.
    Cancel,
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The format the caller speaks.
    pub format: Format,
    /// What is wanted.
    pub task: Task,
    /// What the path names: a model, or the id of a response.
    pub named: Option<String>,
}

/// What is found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// What is asked for.
    Endpoint(Endpoint),
    /// The path exists for another method.
    WrongMethod { format: Format, allowed: Method },
}

impl Found {
    /// The format that is spoken there.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self {
            Self::Endpoint(endpoint) => endpoint.format,
            Self::WrongMethod { format, .. } => *format,
        }
    }
}

impl Task {
    /// The method it is asked for with.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Reply | Self::Stream | Self::Count | Self::Cancel => Method::POST,
            Self::Fetch | Self::Items => Method::GET,
            Self::Delete => Method::DELETE,
        }
    }

    /// Whether a model is asked to do something, which the body describes.
    #[must_use]
    pub const fn calls_a_model(self) -> bool {
        matches!(self, Self::Reply | Self::Stream | Self::Count)
    }
}

impl Endpoint {
    /// A reply in this format, to a request that names its model in the body.
    #[must_use]
    pub const fn reply(format: Format) -> Self {
        Self { format, task: Task::Reply, named: None }
    }

    /// The operation asked for.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.format.operation()
    }

    /// The route as error messages name it.
    #[must_use]
    pub const fn route(&self) -> &'static str {
        match (self.format, self.task) {
            (Format::AnthropicMessages, Task::Count) => "/v1/messages/count_tokens",
            (Format::AnthropicMessages, _) => "/v1/messages",
            (Format::OpenAiResponses, _) => "/responses",
            (Format::Gemini, Task::Count) => ":countTokens",
            (Format::Gemini, Task::Stream) => ":streamGenerateContent",
            (Format::Gemini, _) => ":generateContent",
            (format, _) => format.operation().route(),
        }
    }
}

const CHAT: Format = Format::OpenAiChat;
const COMPLETION: Format = Format::OpenAiCompletions;
const EMBEDDING: Format = Format::OpenAiEmbeddings;
const MESSAGES: Format = Format::AnthropicMessages;
const RESPONSES: Format = Format::OpenAiResponses;
const GEMINI: Format = Format::Gemini;
const RANKING: Format = Format::CohereRerank;

const fn reply(path: &'static str, format: Format) -> Route {
    Route { path, format, task: Task::Reply }
}

const fn kept(path: &'static str, task: Task) -> Route {
    Route { path, format: RESPONSES, task }
}

const fn google(path: &'static str, task: Task) -> Route {
    Route { path, format: GEMINI, task }
}

/// All of them; the first that fits is taken.
pub const ROUTES: &[Route] = &[
    reply("/v1/chat/completions", CHAT),
    reply("/chat/completions", CHAT),
    reply("/v1/completions", COMPLETION),
    reply("/completions", COMPLETION),
    reply("/v1/embeddings", EMBEDDING),
    reply("/embeddings", EMBEDDING),
    reply("/v2/rerank", RANKING),
    reply("/v1/rerank", RANKING),
    reply("/rerank", RANKING),
    reply("/openai/v1/chat/completions", CHAT),
    reply("/openai/v1/completions", COMPLETION),
    reply("/openai/v1/embeddings", EMBEDDING),
    reply("/engines/{model}/chat/completions", CHAT),
    reply("/engines/{model}/completions", COMPLETION),
    reply("/engines/{model}/embeddings", EMBEDDING),
    reply("/v1/engines/{model}/chat/completions", CHAT),
    reply("/v1/engines/{model}/completions", COMPLETION),
    reply("/v1/engines/{model}/embeddings", EMBEDDING),
    reply("/openai/deployments/{model}/chat/completions", CHAT),
    reply("/openai/deployments/{model}/completions", COMPLETION),
    reply("/openai/deployments/{model}/embeddings", EMBEDDING),
    reply("/v1/messages", MESSAGES),
    Route { path: "/v1/messages/count_tokens", format: MESSAGES, task: Task::Count },
    reply("/v1/responses", RESPONSES),
    reply("/responses", RESPONSES),
    reply("/openai/v1/responses", RESPONSES),
    kept("/v1/responses/{id}", Task::Fetch),
    kept("/responses/{id}", Task::Fetch),
    kept("/openai/v1/responses/{id}", Task::Fetch),
    kept("/v1/responses/{id}", Task::Delete),
    kept("/responses/{id}", Task::Delete),
    kept("/openai/v1/responses/{id}", Task::Delete),
    kept("/v1/responses/{id}/input_items", Task::Items),
    kept("/responses/{id}/input_items", Task::Items),
    kept("/openai/v1/responses/{id}/input_items", Task::Items),
    kept("/v1/responses/{id}/cancel", Task::Cancel),
    kept("/responses/{id}/cancel", Task::Cancel),
    kept("/openai/v1/responses/{id}/cancel", Task::Cancel),
    reply("/v1beta/models/{model}:generateContent", GEMINI),
    // Google's newer clients ask for the stable version.
    reply("/v1/models/{model}:generateContent", GEMINI),
    reply("/models/{model}:generateContent", GEMINI),
    google("/v1beta/models/{model}:streamGenerateContent", Task::Stream),
    google("/v1/models/{model}:streamGenerateContent", Task::Stream),
    google("/models/{model}:streamGenerateContent", Task::Stream),
    google("/v1beta/models/{model}:countTokens", Task::Count),
    google("/v1/models/{model}:countTokens", Task::Count),
    google("/models/{model}:countTokens", Task::Count),
];

/// What `method` asks for at `path`; `None` where no route is.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<Found> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut other = None;
    for route in ROUTES {
        let Some(named) = route.fits(path) else { continue };
        if route.task.method() == *method {
            let named = named.map(|text| decoded(text).into_owned());
            return Some(Found::Endpoint(Endpoint { format: route.format, task: route.task, named }));
        }
        other = other.or(Some(Found::WrongMethod { format: route.format, allowed: route.task.method() }));
    }
    other
}

impl Route {
    /// Whether `path` is on this route, and what it names.
    fn fits<'a>(&self, path: &'a str) -> Option<Option<&'a str>> {
        let Some((prefix, rest)) = self.path.split_once('{') else {
            return (path == self.path).then_some(None);
        };
        let (name, suffix) = rest.split_once('}')?;
        let named = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
        let whole = !named.is_empty() && (name == "model" || !named.contains('/'));
        whole.then_some(Some(named))
    }
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
    use http::Method;
    use wire::format::Operation;

    use super::{Endpoint, Found, Task, find};

    fn post(path: &str) -> Option<Endpoint> {
        match find(&Method::POST, path)? {
            Found::Endpoint(endpoint) => Some(endpoint),
            Found::WrongMethod { .. } => None,
        }
    }

    #[test]
    fn paths_name_operations_and_models() {
        let model = |path| post(path).map(|endpoint| (endpoint.operation(), endpoint.named));
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
        let task = |path: &str| post(path).map(|endpoint| endpoint.task);
        assert_eq!(task("/v1/messages"), Some(Task::Reply));
        assert_eq!(task("/v1/messages/count_tokens"), Some(Task::Count));
        for version in ["/v1", "/v1beta", ""] {
            assert_eq!(task(&format!("{version}/models/a/b:generateContent")), Some(Task::Reply));
            assert_eq!(task(&format!("{version}/models/a/b:streamGenerateContent")), Some(Task::Stream));
            assert_eq!(task(&format!("{version}/models/a/b:countTokens")), Some(Task::Count));
        }
    }

    #[test]
    fn another_method_is_told_which_one_would_do() {
        let found = find(&Method::GET, "/v1/chat/completions");
        assert!(matches!(found, Some(Found::WrongMethod { allowed: Method::POST, .. })), "{found:?}");
        assert_eq!(find(&Method::GET, "/v1/models"), None);
    }
}
