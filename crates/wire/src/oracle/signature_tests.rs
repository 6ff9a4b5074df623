//! The text that is signed, and what is sent with it.

use super::*;

const REQUEST: Request<'static> = Request {
    method: "post",
    host: "inference.generativeai.us-chicago-1.oci.oraclecloud.com",
    target: "/20231130/actions/chat",
    date: "Thu, 05 Jan 2014 21:31:40 GMT",
    body: b"{}",
};
/// SHA-256 of `{}` in base64.
const HASH: &str = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=";

#[test]
fn each_signed_header_is_a_line_in_the_order_that_the_authorization_names() {
    let mut seen = Vec::new();
    let signed = sign::<()>(&REQUEST, "tenancy/user/aa:bb", |text| {
        seen = text.to_vec();
        Ok(b"signature".to_vec())
    })
    .unwrap();
    let text = String::from_utf8(seen).unwrap();
    assert_eq!(
        text,
        format!(
            "date: Thu, 05 Jan 2014 21:31:40 GMT\n(request-target): post /20231130/actions/chat\n\
             host: inference.generativeai.us-chicago-1.oci.oraclecloud.com\ncontent-length: 2\n\
             content-type: application/json\nx-content-sha256: {HASH}"
        )
    );
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names.join(" "), SIGNED);
    assert_eq!(signed.content_sha256, HASH);
    assert_eq!(
        signed.authorization,
        format!(
            "Signature version=\"1\",keyId=\"tenancy/user/aa:bb\",algorithm=\"rsa-sha256\",headers=\"{SIGNED}\",\
             signature=\"c2lnbmF0dXJl\""
        )
    );
}

#[test]
fn a_key_that_cannot_sign_is_its_own_error() {
    assert!(sign(&REQUEST, "k", |_| Err("no key")).is_err_and(|error| error == "no key"));
}
