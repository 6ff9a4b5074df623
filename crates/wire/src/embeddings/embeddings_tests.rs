//! What holds for every format, and bounds.

use proptest::prelude::*;

use super::{UPSTREAMS, upstream};
use crate::codec::Target;
use crate::embed::{EmbedInput, EmbedRequest, EmbedResponse, Vector};
use crate::embed_codec::join;
use crate::format::{Format, Operation};
use crate::raw::Raw;
use crate::reply::Usage;

const TARGET: Target<'_> = Target { model: "amazon.titan-embed-text-v2:0", call_id: "call" };

fn texts(count: usize) -> EmbedRequest {
    let input = vec![EmbedInput::Text("a".to_owned()); count];
    EmbedRequest { input, ..EmbedRequest::default() }
}

#[test]
fn every_format_is_found_under_its_name() {
    for known in UPSTREAMS {
        assert_eq!(upstream(known.format()).map(|found| found.format()), Some(known.format()));
        assert_eq!(known.format().operation(), Operation::Embedding);
        let tokens = EmbedRequest { input: vec![EmbedInput::Tokens(vec![1])], ..EmbedRequest::default() };
        assert!(known.encode(&tokens, &TARGET).is_err(), "{:?} takes token ids", known.format());
    }
    assert!(upstream(Format::OpenAiEmbeddings).is_none());
}

#[test]
fn many_requests_are_not_too_many() {
    let titan = upstream(Format::BedrockTitanEmbed).unwrap();
    assert_eq!(titan.encode(&texts(2048), &TARGET).unwrap().bodies.len(), 2048);
    assert_eq!(titan.encode(&texts(2049), &TARGET).err().unwrap().field(), "input");
    let cohere = upstream(Format::CohereEmbed).unwrap();
    assert_eq!(cohere.encode(&texts(2048), &TARGET).unwrap().bodies.len(), 22);
}

#[test]
fn what_is_repeated_is_bounded() {
    let extra = Raw::of(&"x".repeat(16 << 10)).unwrap();
    let extras = vec![("normalize".to_owned(), extra)];
    for format in [Format::BedrockTitanEmbed, Format::CohereEmbed] {
        let encode = |count| {
            let mut request = EmbedRequest { extras: extras.clone(), ..texts(count) };
            request.input[0] = EmbedInput::Text("data:image/png;base64,AA".to_owned());
            if format == Format::CohereEmbed {
                let picture = request.input[0].clone();
                request.input.fill(picture);
            }
            upstream(format).unwrap().encode(&request, &TARGET).map(|outbound| outbound.bodies.len())
        };
        assert_eq!(encode(1000).unwrap(), 1000);
        assert_eq!(encode(1030).unwrap_err().field(), "body");
    }
}

#[test]
fn parts_join_in_order() {
    let part = |number: f32, input: Option<u64>| EmbedResponse {
        model: "m".to_owned(),
        vectors: vec![Vector::from(&[number][..])],
        usage: input.map(|input| Usage { input, ..Usage::default() }),
    };
    let whole = join([part(1.0, None), part(2.0, Some(3)), part(3.0, Some(u64::MAX))]);
    assert_eq!(whole.vectors, [1.0, 2.0, 3.0].map(|number| Vector::from(&[number][..])));
    assert_eq!((whole.model.as_str(), whole.usage.unwrap().input), ("m", u64::MAX));
}

#[test]
fn base64_that_holds_no_floats_has_no_numbers() {
    assert!(Vector::Base64("AAAA".to_owned()).numbers().is_empty());
    assert!(Vector::Base64("%".to_owned()).numbers().is_empty());
}

proptest! {
    #[test]
    fn numbers_survive_both_encodings(numbers in prop::collection::vec(-1e30_f32..1e30, 0..50)) {
        let vector = Vector::from(numbers.as_slice());
        prop_assert_eq!(&vector.numbers(), &numbers);
        prop_assert_eq!(Vector::Base64(vector.base64()).numbers(), numbers);
    }

    #[test]
    fn any_reply_is_read_or_refused(body in ".{0,80}") {
        for known in UPSTREAMS {
            let reader = known.encode(&texts(1), &TARGET).unwrap().reader;
            let _ = reader.read(0, body.as_bytes());
            let _ = reader.read(usize::MAX, body.as_bytes());
        }
    }
}
