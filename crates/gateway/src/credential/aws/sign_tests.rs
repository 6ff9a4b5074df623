//! The published signature version 4 test suite, through this crate's kind of request.

use http::{HeaderMap, HeaderValue, Method, Uri};

use super::*;

const AT: u64 = 1_440_938_160; // 2015-08-30T12:36:00Z

fn keys(session_token: Option<&str>) -> Keys {
    Keys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: session_token.map(Into::into),
        expires: None,
    }
}

fn signature(method: Method, path: &str, content_type: Option<&'static str>, body: &str) -> String {
    let url: Uri = format!("https://example.amazonaws.com{path}").parse().unwrap();
    let mut headers = HeaderMap::new();
    if let Some(content_type) = content_type {
        headers.insert("content-type", HeaderValue::from_static(content_type));
    }
    let request = Unsigned { method: &method, url: &url, headers: &headers, body: body.as_bytes() };
    let signed = sign(&request, &keys(None), "service", "us-east-1", AT).unwrap();
    let value = signed[0].1.to_str().unwrap();
    assert!(value.starts_with(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="
    ));
    value.rsplit_once("Signature=").unwrap().1.to_owned()
}

#[test]
fn get_vanilla() {
    let expected = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    assert_eq!(signature(Method::GET, "/", None, ""), expected);
}

#[test]
fn get_vanilla_query_order_key_case() {
    let expected = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    assert_eq!(signature(Method::GET, "/?Param2=value2&Param1=value1", None, ""), expected);
}

#[test]
fn post_vanilla() {
    let expected = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
    assert_eq!(signature(Method::POST, "/", None, ""), expected);
}

#[test]
fn post_x_www_form_urlencoded() {
    let expected = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(signature(Method::POST, "/", form, "Param1=value1"), expected);
}

#[test]
fn all_that_a_request_is_sent_with_is_signed_and_marked_secret() {
    let url = Uri::from_static("https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1%3A0/converse");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-extra", HeaderValue::from_static("not signed"));
    let request = Unsigned { method: &Method::POST, url: &url, headers: &headers, body: b"{}" };
    let all = sign(&request, &keys(Some("token")), "bedrock", "us-east-1", AT).unwrap();
    let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["authorization", "x-amz-date", "x-amz-security-token"]);
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,";
    assert!(all[0].1.to_str().unwrap().contains(signed));
    assert!(all.iter().all(|(_, value)| value.is_sensitive()));
}
