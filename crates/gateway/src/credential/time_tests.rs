use super::*;

#[test]
fn expirations_as_token_endpoints_write_them() {
    let cases = [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2019-11-09T13:34:41Z", Some(1_573_306_481)),
        ("2024-02-29T23:59:59.123Z", Some(1_709_251_199)),
        ("2014-10-02T15:01:23+05:30", Some(1_412_242_283)),
        ("2026-11-24T22:57:15-01:00", Some(1_795_564_635)),
        ("2026-11-24", None),
        ("2026-13-01T00:00:00Z", None),
        ("99999999999999-01-01T00:00:00Z", None),
        ("-", None),
    ];
    for (text, seconds) in cases {
        assert_eq!(parse(text), seconds, "{text}");
    }
}
