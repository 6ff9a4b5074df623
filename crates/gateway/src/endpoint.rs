//! The routes that callers' models are reached by, as one table. Dispatch and the OpenAPI document read it.

use std::borrow::Cow;

use wire::format::Operation;

/// One route. `{model}` stands for any text, slashes included.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Everything before the model, or the whole path.
    pub prefix: &'static str,
    /// Everything after the model; empty when the path names none.
    pub suffix: &'static str,
    /// What it does.
    pub operation: Operation,
}

const fn plain(path: &'static str, operation: Operation) -> Route {
    Route { prefix: path, suffix: "", operation }
}

const fn with_model(prefix: &'static str, suffix: &'static str, operation: Operation) -> Route {
    Route { prefix, suffix, operation }
}

/// All of them; the first that fits is taken.
pub const ROUTES: &[Route] = &[
    plain("/v1/chat/completions", Operation::Chat),
    plain("/chat/completions", Operation::Chat),
    plain("/v1/completions", Operation::Completion),
    plain("/completions", Operation::Completion),
    plain("/v1/embeddings", Operation::Embedding),
    plain("/embeddings", Operation::Embedding),
    plain("/openai/v1/chat/completions", Operation::Chat),
    plain("/openai/v1/completions", Operation::Completion),
    plain("/openai/v1/embeddings", Operation::Embedding),
    with_model("/engines/", "/chat/completions", Operation::Chat),
    with_model("/engines/", "/completions", Operation::Completion),
    with_model("/engines/", "/embeddings", Operation::Embedding),
    with_model("/v1/engines/", "/chat/completions", Operation::Chat),
    with_model("/v1/engines/", "/completions", Operation::Completion),
    with_model("/v1/engines/", "/embeddings", Operation::Embedding),
    with_model("/openai/deployments/", "/chat/completions", Operation::Chat),
    with_model("/openai/deployments/", "/completions", Operation::Completion),
    with_model("/openai/deployments/", "/embeddings", Operation::Embedding),
];

/// What a path asks for, and the model it names, if any.
#[must_use]
pub fn find(path: &str) -> Option<(Operation, Option<Cow<'_, str>>)> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ROUTES.iter().find_map(|route| {
        if route.suffix.is_empty() {
            return (path == route.prefix).then_some((route.operation, None));
        }
        let model = path.strip_prefix(route.prefix)?.strip_suffix(route.suffix)?;
        (!model.is_empty()).then(|| (route.operation, Some(decoded(model))))
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
    use super::{Operation, find};

    #[test]
    fn paths_name_operations_and_models() {
        let model = |path| find(path).map(|(operation, model)| (operation, model.map(|m| m.into_owned())));
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
}
