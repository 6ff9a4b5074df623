//! Both halves of Cohere's format against each other, and what holds for every upstream.

use proptest::option;
use proptest::prelude::*;

use super::{Document, Ranked, RerankRequest, RerankResponse, UPSTREAMS, decode, upstream, write};
use crate::codec::{Stamp, Target};
use crate::format::{Format, Operation};
use crate::raw::Raw;
use crate::reply::Usage;

fn raw(text: &str) -> Raw {
    Raw::parse(text.to_owned()).unwrap()
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let object = ("[a-z]{1,5}", ".{0,20}")
        .prop_map(|(name, text)| Document::Object(Raw::of(&serde_json::json!({name: text})).unwrap()));
    prop::collection::vec(prop_oneof![".{0,20}".prop_map(Document::Text), object], 1..6)
}

prop_compose! {
    fn requests()(
        query in ".{0,20}",
        documents in documents(),
        top_n in option::of(1..9_u32),
        rank_fields in prop::collection::vec("[a-z]{1,5}", 0..3),
        return_documents in any::<Option<bool>>(),
        max_chunks_per_doc in option::of(1..9_u32),
        extra in any::<Option<bool>>(),
    ) -> RerankRequest {
        let extras = extra.map(|value| ("truncate".to_owned(), raw(&value.to_string()))).into_iter().collect();
        RerankRequest {
            model: "m".to_owned(),
            query,
            documents,
            top_n,
            rank_fields,
            return_documents,
            max_chunks_per_doc,
            max_tokens_per_doc: None,
            extras,
        }
    }
}

fn target(request: &RerankRequest) -> Target<'_> {
    Target { model: &request.model, call_id: "call" }
}

proptest! {
    #[test]
    fn a_request_survives_both_halves(request in requests()) {
        let outbound = upstream(Format::CohereRerankV1).unwrap().encode(&request, &target(&request)).unwrap();
        prop_assert!(outbound.losses.is_empty());
        prop_assert_eq!(decode(&outbound.body).unwrap(), request);
    }

    #[test]
    fn a_reply_survives_both_halves(
        request in requests(),
        scores in prop::collection::vec(-1e3_f64..1e3, 0..6),
        (search_units, input, output) in (1..9_u64, 0..99_u64, 0..9_u64),
    ) {
        let mut results: Vec<Ranked> = scores.into_iter().zip(request.documents.iter().enumerate())
            .map(|(relevance_score, (index, document))| Ranked {
                index,
                relevance_score,
                document: (request.return_documents == Some(true)).then(|| match document {
                    Document::Text(text) => Raw::of(&serde_json::json!({"text": text})).unwrap(),
                    Document::Object(raw) => raw.clone(),
                }),
            })
            .collect();
        results.sort_by(|one, other| other.relevance_score.total_cmp(&one.relevance_score));
        results.truncate(request.top_n.map_or(usize::MAX, |top_n| top_n as usize));
        let usage = Usage { search_units, input, output, ..Usage::default() };
        let response = RerankResponse { id: "r".to_owned(), results, usage: Some(usage) };
        let reader = upstream(Format::CohereRerankV1).unwrap().encode(&request, &target(&request)).unwrap().reader;
        prop_assert_eq!(reader.read(&write(&response, &Stamp::default())).unwrap(), response);
    }

    #[test]
    fn any_reply_is_read_or_refused(request in requests(), body in ".{0,80}") {
        for known in UPSTREAMS {
            if let Ok(outbound) = known.encode(&request, &target(&request)) {
                let _ = outbound.reader.read(body.as_bytes());
            }
        }
    }
}

#[test]
fn every_format_is_found_under_its_name() {
    for known in UPSTREAMS {
        assert_eq!(upstream(known.format()).map(|found| found.format()), Some(known.format()));
        assert_eq!(known.format().operation(), Operation::Rerank);
    }
}

#[test]
fn documents_that_are_objects_become_text() {
    let document = |text: &str| Document::Object(raw(text));
    let request = RerankRequest {
        query: "q".to_owned(),
        documents: vec![document(r#"{"text":"a","b":1}"#), document(r#"{"b":1,"c":"x","text":7}"#)],
        ..RerankRequest::default()
    };
    let body = upstream(Format::VoyageRerank).unwrap().encode(&request, &target(&request)).unwrap().body;
    assert_eq!(body, r#"{"model":"","query":"q","documents":["a","b: 1\nc: x\ntext: 7"]}"#);
    let empty = RerankRequest { documents: vec![document("{}")], ..request };
    let error = upstream(Format::VoyageRerank).unwrap().encode(&empty, &target(&empty)).err().unwrap();
    assert_eq!(error.field(), "documents[0]");
}

#[test]
fn a_repeated_query_is_bounded() {
    let documents = vec![Document::Text(String::new()); 1025];
    let request = RerankRequest { query: "q".repeat(16 << 10), documents, ..RerankRequest::default() };
    let error = upstream(Format::DeepInfraRerank).unwrap().encode(&request, &target(&request)).err().unwrap();
    assert_eq!(error.field(), "query");
}

#[test]
fn errors_name_the_field() {
    for (body, field) in [
        ("[]", "body"),
        (r#"{"query":7,"documents":["a"]}"#, "query"),
        (r#"{"query":"q","documents":"a"}"#, "documents"),
        (r#"{"query":"q","documents":[{"a":1,"a":2}]}"#, "documents[0]"),
        (r#"{"query":"q","documents":["a"],"top_n":-1}"#, "top_n"),
        (r#"{"query":"q","documents":["a"],"rank_fields":"a"}"#, "rank_fields"),
        (r#"{"query":"q","documents":["a"],"return_documents":1}"#, "return_documents"),
        (r#"{"query":"q","documents":["a"],"max_tokens_per_doc":0}"#, "max_tokens_per_doc"),
    ] {
        assert_eq!(decode(body.as_bytes()).unwrap_err().field(), field, "{body}");
    }
}
