//! Amazon's published signing test suite (`aws-signing-test-suite/v4`), and the path of a Bedrock model.

use secrecy::SecretString;

use super::{Credentials, Request, Scope, sign, timestamp};

/// 2015-08-30T12:36:00Z, the suite's time.
const NOW: u64 = 1_440_938_160;
const HOST: (&str, &str) = ("host", "example.amazonaws.com");

fn signature(request: Request<'_>, token: Option<&str>) -> String {
    let secret = SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let token = token.map(SecretString::from);
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: &secret,
        session_token: token.as_ref(),
    };
    let signed = sign(&request, &credentials, Scope { region: "us-east-1", service: "service" }, NOW);
    assert_eq!(signed.date, "20150830T123600Z");
    assert!(signed.authorization.starts_with(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="
    ));
    signed.authorization.rsplit_once('=').unwrap().1.to_owned()
}

fn get<'a>(path: &'a str, query: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", path, query, headers: &[HOST], body: b"" }
}

#[test]
fn the_published_suite_holds() {
    let unreserved = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let query = [("Param-3", "Value3"), ("Param", "Value2"), ("\u{1234}", "Value1")];
    for (case, request, expected) in [
        ("get-vanilla", get("/", &[]), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-utf8",
            get("/\u{1234}", &[]),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-space-normalized",
            get("/example space/", &[]),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "get-unreserved",
            get(unreserved, &[]),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-vanilla-query-order-encoded",
            get("/", &query),
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            "get-header-value-trim",
            Request {
                headers: &[HOST, ("my-header2", " \"a   b   c\""), ("my-header1", " value1")],
                ..get("/", &[])
            },
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-header-key-sort",
            Request { method: "POST", headers: &[("my-header1", "value1"), HOST], ..get("/", &[]) },
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-x-www-form-urlencoded",
            Request {
                method: "POST",
                headers: &[
                    ("content-length", "13"),
                    ("content-type", "application/x-www-form-urlencoded"),
                    HOST,
                    (
                        "x-amz-content-sha256",
                        "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
                    ),
                ],
                body: b"Param1=value1",
                ..get("/", &[])
            },
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
    ] {
        assert_eq!(signature(request, None), expected, "{case}");
    }
}

#[test]
fn a_session_token_is_signed() {
    let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    let expected = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
    assert_eq!(signature(get("/", &[]), Some(token)), expected);
}

#[test]
fn a_path_that_is_encoded_is_encoded_again() {
    // The suite's double-encode-path.
    assert_eq!(
        super::encoded("/test/@connections/JBDvjfGEIAMCERw%3D", true),
        "/test/%40connections/JBDvjfGEIAMCERw%253D"
    );
    assert_eq!(super::encoded("/model/a-v1%3A0/converse", true), "/model/a-v1%253A0/converse");
}

/// What Amazon's own client for Python makes of the same calls.
#[test]
fn calls_to_models_are_signed_as_amazons_client_signs_them() {
    let secret = SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let token = SecretString::from("TOKEN/+=");
    let profile = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3";
    for (model, stream, session_token, signed, signature) in [
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            false,
            None,
            "content-type;host;x-amz-date",
            "5d19a434fedcdfbf2a5c592577a618d44e141e022084652b46409e8479d312bd",
        ),
        (
            profile,
            true,
            Some(&token),
            "content-type;host;x-amz-date;x-amz-security-token",
            "bcc9507dfcaacbf1da3044cdb52fb1704415ecb633ee99eb938f6ed4cd8e8858",
        ),
    ] {
        let path = crate::bedrock::Address::of(model).path(stream).unwrap();
        let host = crate::bedrock::host("us-east-1").unwrap();
        let request = Request {
            method: "POST",
            path: &path,
            query: &[],
            headers: &[("host", &host), ("content-type", "application/json")],
            body: br#"{"messages":[]}"#,
        };
        let credentials =
            Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: &secret, session_token };
        let scope = Scope { region: "us-east-1", service: "bedrock" };
        let found = sign(&request, &credentials, scope, 1_795_482_123);
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/bedrock/aws4_request, \
             SignedHeaders={signed}, Signature={signature}"
        );
        assert_eq!((found.date.as_str(), found.authorization), ("20261124T010203Z", expected));
    }
}

#[test]
fn dates_are_civil() {
    for (seconds, expected) in [
        (0, "19700101T000000Z"),
        (951_782_399, "20000228T235959Z"),
        (951_782_400, "20000229T000000Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_735_689_599, "20241231T235959Z"),
        (4_107_542_400, "21000301T000000Z"),
    ] {
        assert_eq!(timestamp(seconds), expected);
    }
}
