//! Cases of the operations without streams: embeddings and reranking.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `client.json` | what the caller sends |
//! | `upstream.request.json` | the request we must build; a list where one request becomes several |
//! | `upstream.reply.json`, `client.reply.json` | the upstream's reply (a list likewise), and ours |
//! | `unreadable.txt` | instead of our reply: why theirs cannot be one |
//! | `losses.txt`, `error.txt`, `upstream.error.json`, `fault.txt`, `source.txt` | as for chat |

use bytes::Bytes;
use serde_json::Value;
use tollgate_wire::codec::Target;
use tollgate_wire::embed_codec::{self, EmbedUpstream};
use tollgate_wire::fault::{Loss, TranslateError};
use tollgate_wire::format::Format;
use tollgate_wire::rerank::RerankUpstream;
use tollgate_wire::{embeddings, openai_embeddings, rerank};

use super::{Case, pretty, stamp};

const FILES: [&str; 10] = [
    "client.json",
    "client.reply.json",
    "error.txt",
    "fault.txt",
    "losses.txt",
    "source.txt",
    "unreadable.txt",
    "upstream.error.json",
    "upstream.reply.json",
    "upstream.request.json",
];

const FORMATS: [(&str, Format); 25] = [
    ("bedrock_cohere_embed", Format::BedrockCohereEmbed),
    ("bedrock_rerank", Format::BedrockRerank),
    ("bedrock_titan_embed", Format::BedrockTitanEmbed),
    ("cohere_embed", Format::CohereEmbed),
    ("cohere_rerank", Format::CohereRerank),
    ("cohere_rerank_v1", Format::CohereRerankV1),
    ("deep_infra_rerank", Format::DeepInfraRerank),
    ("gemini_embed", Format::GeminiEmbed),
    ("hugging_face_embed", Format::HuggingFaceEmbed),
    ("hugging_face_rerank", Format::HuggingFaceRerank),
    ("infinity_rerank", Format::InfinityRerank),
    ("jina_embed", Format::JinaEmbed),
    ("jina_rerank", Format::JinaRerank),
    ("mistral_embed", Format::MistralEmbed),
    ("nvidia_rerank", Format::NvidiaRerank),
    ("ollama_embed", Format::OllamaEmbed),
    ("together_rerank", Format::TogetherRerank),
    ("vllm_rerank", Format::VllmRerank),
    ("vertex_embed", Format::VertexEmbed),
    ("vertex_embed_content", Format::VertexEmbedContent),
    ("vertex_rerank", Format::VertexRerank),
    ("voyage_context_embed", Format::VoyageContextEmbed),
    ("voyage_embed", Format::VoyageEmbed),
    ("voyage_multimodal_embed", Format::VoyageMultimodalEmbed),
    ("voyage_rerank", Format::VoyageRerank),
];

/// A format of one of these operations.
pub(super) enum Direct {
    Vectors(&'static dyn EmbedUpstream),
    Ranking(&'static dyn RerankUpstream),
}

/// The format whose cases stand in the directory `name`.
pub(super) fn of(name: &str) -> Option<Direct> {
    let (_, format) = FORMATS.iter().find(|(known, _)| *known == name)?;
    let vectors = embeddings::upstream(*format).map(Direct::Vectors);
    vectors.or_else(|| rerank::upstream(*format).map(Direct::Ranking))
}

/// Makes the client's reply of the upstream's.
type Answer = Box<dyn Fn(&[Vec<u8>]) -> Result<Bytes, TranslateError>>;

struct Sent {
    bodies: Vec<Bytes>,
    losses: Vec<Loss>,
    answer: Answer,
}

impl Direct {
    pub(super) fn run(&self, case: &Case) -> Vec<String> {
        let mut failures = case.strangers(&FILES);
        let client = case.read("client.json").unwrap_or_default();
        let Sent { bodies, losses, answer } = match self.send(client.as_bytes()) {
            Ok(sent) => sent,
            Err(error) => {
                case.expect("error.txt", &format!("{error}\n"), &mut failures);
                return failures;
            }
        };
        let losses: String = losses.iter().map(|loss| format!("{}: {}\n", loss.field, loss.why)).collect();
        case.expect("losses.txt", &losses, &mut failures);
        case.expect("error.txt", "", &mut failures);
        case.expect("upstream.request.json", &pretty(&joined(&bodies)), &mut failures);
        case.fault(&mut failures);
        let Some(reply) = case.read("upstream.reply.json") else { return failures };
        let replies: Vec<Value> = if bodies.len() == 1 {
            vec![serde_json::from_str(&reply).unwrap()]
        } else {
            serde_json::from_str(&reply).unwrap()
        };
        assert_eq!(replies.len(), bodies.len(), "{}", case.label);
        let replies: Vec<Vec<u8>> = replies.iter().map(|reply| reply.to_string().into_bytes()).collect();
        let (written, unreadable) = match answer(&replies) {
            Ok(written) => (pretty(&written), String::new()),
            Err(error) => (String::new(), format!("{error}\n")),
        };
        case.expect("client.reply.json", &written, &mut failures);
        case.expect("unreadable.txt", &unreadable, &mut failures);
        // Whatever an upstream sends, reading it ends in a reply or in an error.
        for reply in &replies {
            (0..reply.len()).step_by(7).for_each(|end| drop(answer(&[reply[..end].to_vec()])));
        }
        failures
    }

    fn send(&self, client: &[u8]) -> Result<Sent, TranslateError> {
        let call_id = "01234567-89ab-cdef";
        match self {
            Self::Vectors(upstream) => {
                let request = openai_embeddings::decode(client)?;
                let target = Target { model: &request.model, call_id };
                let outbound = upstream.encode(&request, &target)?;
                let (reader, encoding) = (outbound.reader, request.encoding);
                let answer: Answer = Box::new(move |replies| {
                    let read = |(part, body): (usize, &Vec<u8>)| reader.read(part, body);
                    let parts: Result<Vec<_>, _> = replies.iter().enumerate().map(read).collect();
                    Ok(openai_embeddings::write(&embed_codec::join(parts?), encoding, "public-name"))
                });
                Ok(Sent { bodies: outbound.bodies, losses: outbound.losses, answer })
            }
            Self::Ranking(upstream) => {
                let request = rerank::decode(client)?;
                let target = Target { model: &request.model, call_id };
                let outbound = upstream.encode(&request, &target)?;
                let reader = outbound.reader;
                let answer: Answer =
                    Box::new(move |replies| Ok(rerank::write(&reader.read(&replies[0])?, &stamp())));
                Ok(Sent { bodies: vec![outbound.body], losses: outbound.losses, answer })
            }
        }
    }
}

/// One body as it is, several as a list.
fn joined(bodies: &[Bytes]) -> Vec<u8> {
    if let [body] = bodies {
        return body.to_vec();
    }
    let bodies: Vec<Value> = bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
    serde_json::to_vec(&bodies).unwrap()
}
