//! Embeddings and reranking: what clients ask and what upstreams answer.

use tollgate_wire::codec::{Stamp, Target as Destination};
use tollgate_wire::embed_codec::{EmbedUpstream, join};
use tollgate_wire::format::Format;
use tollgate_wire::gemini::embed;
use tollgate_wire::rerank::RerankUpstream;
use tollgate_wire::{embeddings, openai_embeddings, rerank};

use super::written::is_json;
use super::{Outcome, Target};
use crate::seeds::Case;

const EMBEDDINGS: [Format; 10] = [
    Format::OllamaEmbed,
    Format::CohereEmbed,
    Format::BedrockCohereEmbed,
    Format::BedrockTitanEmbed,
    Format::VoyageEmbed,
    Format::VoyageContextEmbed,
    Format::VoyageMultimodalEmbed,
    Format::JinaEmbed,
    Format::MistralEmbed,
    Format::HuggingFaceEmbed,
];

const RERANKERS: [Format; 12] = [
    Format::CohereRerank,
    Format::CohereRerankV1,
    Format::JinaRerank,
    Format::VoyageRerank,
    Format::TogetherRerank,
    Format::VllmRerank,
    Format::InfinityRerank,
    Format::BedrockRerank,
    Format::HuggingFaceRerank,
    Format::DeepInfraRerank,
    Format::NvidiaRerank,
    Format::VertexRerank,
];

const CALL: &str = "01234567-89ab-cdef";

pub(super) fn targets(cases: &[Case]) -> Vec<Target> {
    let of = |kind: &str, file: &str| -> Vec<(Vec<u8>, Vec<u8>)> {
        let direct = cases.iter().filter(|case| case.format.contains(kind));
        let pairs =
            direct.filter_map(|case| Some((case.file("client.json")?.to_vec(), case.file(file)?.to_vec())));
        pairs.collect()
    };
    let bodies = |pairs: Vec<(Vec<u8>, Vec<u8>)>| pairs.into_iter().map(|(body, _)| body).collect();
    let (embed_clients, embed_replies) = of("_embed", "upstream.reply.json").into_iter().unzip();
    let (rerank_clients, rerank_replies) = of("_rerank", "upstream.reply.json").into_iter().unzip();
    let vectors = |clients: Vec<Vec<u8>>| move |seed: usize, reply: &[u8]| vectors(clients.get(seed), reply);
    let ranking = |clients: Vec<Vec<u8>>| move |seed: usize, reply: &[u8]| ranking(clients.get(seed), reply);
    vec![
        Target {
            name: "embed_requests",
            seeds: bodies(of("_embed", "client.json")),
            read: Box::new(|_, body| vectors_asked(body)),
        },
        Target { name: "embed_replies", seeds: embed_replies, read: Box::new(vectors(embed_clients)) },
        Target {
            name: "rerank_requests",
            seeds: bodies(of("_rerank", "client.json")),
            read: Box::new(|_, body| ranking_asked(body)),
        },
        Target { name: "rerank_replies", seeds: rerank_replies, read: Box::new(ranking(rerank_clients)) },
    ]
}

fn vectors_asked(body: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let request = match openai_embeddings::decode(body) {
        Ok(request) => request,
        Err(error) => {
            outcome.note_error(&error);
            return outcome;
        }
    };
    let target = Destination { model: "m", call_id: CALL };
    for upstream in EMBEDDINGS.into_iter().filter_map(embeddings::upstream) {
        match upstream.encode(&request, &target) {
            Ok(outbound) => {
                let all = outbound.bodies.iter().all(|body| is_json(body));
                outcome.demand(all, || format!("{:?}: {:?}", upstream.format(), outbound.bodies));
                outcome.note(if outbound.bodies.len() > 1 { "several" } else { "one" });
            }
            Err(error) => outcome.note_error(&error),
        }
    }
    for method in [embed::Method::Batch, embed::Method::Single, embed::Method::Predict] {
        if let Ok(body) = embed::encode(&request, "m", method) {
            outcome.demand(is_json(&body), || format!("Gemini: {body:?}"));
        }
    }
    outcome
}

fn vectors(client: Option<&Vec<u8>>, reply: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let target = Destination { model: "m", call_id: CALL };
    let Some(request) = client.and_then(|client| openai_embeddings::decode(client).ok()) else {
        return outcome;
    };
    let upstreams = EMBEDDINGS.into_iter().filter_map(embeddings::upstream);
    let outbound = |upstream: &dyn EmbedUpstream| upstream.encode(&request, &target);
    let readers = upstreams.filter_map(|upstream| outbound(upstream).ok());
    let read = readers.map(|outbound| outbound.reader.read(0, reply)).chain([embed::read(reply)]);
    for read in read {
        match read {
            Ok(response) => {
                let body = openai_embeddings::write(&join([response]), request.encoding, "m");
                outcome.demand(is_json(&body), || format!("{body:?}"));
                outcome.note("vectors");
            }
            Err(error) => outcome.note_error(&error),
        }
    }
    outcome
}

fn ranking_asked(body: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let request = match rerank::decode(body) {
        Ok(request) => request,
        Err(error) => {
            outcome.note_error(&error);
            return outcome;
        }
    };
    let target = Destination { model: "m", call_id: CALL };
    for upstream in RERANKERS.into_iter().filter_map(rerank::upstream) {
        match upstream.encode(&request, &target) {
            Ok(outbound) => {
                outcome.demand(is_json(&outbound.body), || {
                    format!("{:?}: {:?}", upstream.format(), outbound.body)
                });
                outcome.note(if outbound.losses.is_empty() { "all" } else { "losses" });
            }
            Err(error) => outcome.note_error(&error),
        }
    }
    outcome
}

fn ranking(client: Option<&Vec<u8>>, reply: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let target = Destination { model: "m", call_id: CALL };
    let Some(request) = client.and_then(|client| rerank::decode(client).ok()) else { return outcome };
    let outbound = |upstream: &dyn RerankUpstream| upstream.encode(&request, &target);
    for outbound in
        RERANKERS.into_iter().filter_map(rerank::upstream).filter_map(|upstream| outbound(upstream).ok())
    {
        match outbound.reader.read(reply) {
            Ok(response) => {
                let body = rerank::write(&response, &Stamp::default());
                outcome.demand(is_json(&body), || format!("{body:?}"));
                outcome.note(&response.results.len().to_string());
            }
            Err(error) => outcome.note_error(&error),
        }
    }
    outcome
}
