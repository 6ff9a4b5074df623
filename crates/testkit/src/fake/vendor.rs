//! The vendors whose embeddings and rankings stand at the same paths: how a request tells them apart, and
//! how each words an error. A segment of the base path decides (`/voyage/v1/rerank`), else the model's name.

use serde_json::{Value, json};

use super::rules::{Flaw, Rejection, bracketed};
use super::{bedrock, openai};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    Bedrock,
    Cohere,
    Infinity,
    Jina,
    Tei,
    Together,
    Voyage,
}

impl Vendor {
    /// None when nothing tells.
    pub(crate) fn of(path: &str, model: &str) -> Option<Self> {
        let by_path = path.split('/').find_map(|segment| {
            Some(match segment {
                "cohere" => Self::Cohere,
                "infinity" => Self::Infinity,
                "jina" => Self::Jina,
                "tei" => Self::Tei,
                "together" => Self::Together,
                "voyage" => Self::Voyage,
                _ => return None,
            })
        });
        let starts = |names: &[&str]| names.iter().any(|name| model.starts_with(name));
        by_path.or_else(|| {
            Some(match model {
                _ if starts(&["jina-", "jinaai/"]) => Self::Jina,
                _ if starts(&["voyage-", "rerank-2", "rerank-lite", "rerank-1"]) => Self::Voyage,
                _ if starts(&["rerank-", "embed-"]) => Self::Cohere,
                _ if starts(&["Salesforce/Llama-Rank", "mixedbread-ai/", "togethercomputer/"]) => {
                    Self::Together
                }
                _ => return None,
            })
        })
    }

    pub(crate) fn error(self, status: u16, message: &str, index: u64) -> Value {
        match self {
            Self::Bedrock => bedrock::error(message),
            Self::Cohere => json!({"id": format!("err-fake-{index}"), "message": message}),
            Self::Jina | Self::Voyage => json!({"detail": message}),
            Self::Tei => {
                let kind = match status {
                    401 => "unauthorized",
                    422 => "validation",
                    429 => "overloaded",
                    503 => "unhealthy",
                    _ => "backend",
                };
                json!({"error": message, "error_type": kind})
            }
            Self::Infinity | Self::Together => openai::error(status, message),
        }
    }

    /// The status of a request with a flaw in its shape.
    pub(crate) fn status(self, flaw: &Flaw) -> u16 {
        match (self, flaw) {
            (Self::Cohere, Flaw::Unknown | Flaw::Type(_))
            | (Self::Infinity | Self::Jina | Self::Tei, Flaw::Unknown | Flaw::Missing | Flaw::Type(_)) => 422,
            _ => 400,
        }
    }

    pub(crate) fn phrase(self, rejection: &Rejection) -> String {
        let path = &bracketed(&rejection.path);
        match (self, &rejection.flaw) {
            (Self::Bedrock, _) => format!(
                "Malformed input request: {}, please reformat your input and try again.",
                bedrock::phrase(rejection)
            ),
            (_, Flaw::Rule(rule)) => rule.clone(),
            (Self::Cohere, Flaw::Unknown) => {
                format!("unknown field: parameter '{path}' is not a valid field")
            }
            (Self::Cohere, Flaw::Missing) => format!("invalid request: parameter '{path}' is required"),
            (Self::Cohere, Flaw::Type(expected)) => {
                format!("invalid type: parameter {path} should be of type {expected}.")
            }
            (Self::Voyage, Flaw::Unknown) => format!("Argument '{path}' is not supported by our API."),
            (Self::Tei, Flaw::Missing) => {
                format!("Failed to deserialize the JSON body into the target type: missing field `{path}`")
            }
            (_, Flaw::Unknown) => format!("{path}: Extra inputs are not permitted"),
            (_, Flaw::Missing) => format!("{path}: Field required"),
            (_, Flaw::Type(expected)) => format!("{path}: Input should be a valid {expected}"),
            (_, Flaw::Below(least)) => format!("{path}: must be greater than or equal to {least}"),
            (_, Flaw::Above(most)) => format!("{path}: must be less than or equal to {most}"),
            (_, Flaw::NotOneOf(known)) => format!("{path}: must be one of {}", known.join(", ")),
        }
    }
}
