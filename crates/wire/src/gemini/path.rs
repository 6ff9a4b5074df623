//! The last part of a path of Google's API: the model, a colon, what is wanted of it.

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

/// What a caller wants of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A whole reply.
    GenerateContent,
    /// A streamed reply.
    StreamGenerateContent,
    /// The size of a prompt, in tokens.
    CountTokens,
    /// A vector for one text.
    EmbedContent,
    /// Vectors for several texts.
    BatchEmbedContents,
}

/// The model and the method in what follows `/models/`. A model's name may have slashes and colons of its own;
/// `None` when the method is none that is known, or the model is missing.
#[must_use]
pub fn read(rest: &str) -> Option<(&str, Method)> {
    let (model, method) = rest.rsplit_once(':')?;
    let method = match method {
        "generateContent" => Method::GenerateContent,
        "streamGenerateContent" => Method::StreamGenerateContent,
        "countTokens" => Method::CountTokens,
        "embedContent" => Method::EmbedContent,
        "batchEmbedContents" => Method::BatchEmbedContents,
        _ => return None,
    };
    (!model.is_empty()).then_some((model, method))
}
