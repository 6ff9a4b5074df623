//! Requests read, replies written, errors that name the field.

use super::{decode, write};
use crate::embed::{EmbedInput, EmbedResponse, Encoding, Vector};
use crate::raw::Raw;
use crate::reply::Usage;

fn text(text: &str) -> EmbedInput {
    EmbedInput::Text(text.to_owned())
}

#[test]
fn inputs_of_every_kind() {
    for (json, input) in [
        (r#""hi""#, vec![text("hi")]),
        (r#"["a","b"]"#, vec![text("a"), text("b")]),
        ("[1,2]", vec![EmbedInput::Tokens(vec![1, 2])]),
        (r#"[[1],"b"]"#, vec![EmbedInput::Tokens(vec![1]), text("b")]),
    ] {
        let body =
            format!(r#"{{"model":"m","input":{json},"dimensions":8,"encoding_format":"base64","user":"u"}}"#);
        let request = decode(body.as_bytes()).unwrap();
        assert_eq!((request.input, request.encoding, request.dimensions), (input, Encoding::Base64, Some(8)));
        assert_eq!((request.extras[0].0.as_str(), request.extras[0].1.text()), ("user", r#""u""#));
    }
}

#[test]
fn errors_name_the_field() {
    for (body, field) in [
        ("[]", "body"),
        ("{}", "input"),
        (r#"{"input":null}"#, "input"),
        (r#"{"input":[]}"#, "input"),
        (r#"{"input":7}"#, "input"),
        (r#"{"input":["a",null]}"#, "input[1]"),
        (r#"{"input":["a",[-1]]}"#, "input[1]"),
        (r#"{"input":"a","encoding_format":"hex"}"#, "encoding_format"),
        (r#"{"input":"a","dimensions":"8"}"#, "dimensions"),
        (r#"{"input":"a","input":"b"}"#, "body"),
    ] {
        assert_eq!(decode(body.as_bytes()).unwrap_err().field(), field, "{body}");
    }
}

#[test]
fn both_encodings() {
    let usage = Some(Usage { input: 3, ..Usage::default() });
    let response = EmbedResponse {
        model: "up".to_owned(),
        vectors: vec![Vector::from(&[0.5, -1.0][..]), Vector::from(&[0.1][..])],
        usage,
    };
    assert_eq!(
        write(&response, Encoding::Float, "public"),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]},{"object":"embedding","index":1,"embedding":[0.1]}],"model":"public","usage":{"prompt_tokens":3,"total_tokens":3}}"#
    );
    // `base64.b64encode(struct.pack("<2f", 0.5, -1.0))` in Python.
    let coded = String::from_utf8(write(&response, Encoding::Base64, "").to_vec()).unwrap();
    assert!(coded.contains(r#""embedding":"AAAAPwAAgL8=""#), "{coded}");
    assert!(coded.contains(r#""embedding":"zczMPQ==""#), "{coded}");
    assert!(coded.contains(r#""model":"up""#), "{coded}");
}

#[test]
fn what_the_provider_wrote_is_what_the_client_gets() {
    let digits = "[0.12345678901234567,1e-3,-7]";
    let vectors = vec![
        Vector::Numbers(Raw::parse(digits.to_owned()).unwrap()),
        Vector::Base64("AAAAPwAAgL8=".to_owned()),
    ];
    let response = EmbedResponse { vectors, ..EmbedResponse::default() };
    let floats = String::from_utf8(write(&response, Encoding::Float, "m").to_vec()).unwrap();
    assert!(floats.contains(digits) && floats.contains("[0.5,-1.0]"), "{floats}");
    let coded = String::from_utf8(write(&response, Encoding::Base64, "m").to_vec()).unwrap();
    assert!(coded.contains(r#""embedding":"AAAAPwAAgL8=""#), "{coded}");
}
