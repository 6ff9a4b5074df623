//! Arguments in every layout, and results of every kind.

use serde_json::value::RawValue;

use super::{of_call, of_result, result_text, text};

#[test]
fn layout_goes_and_content_stays() {
    for (args, compact) in [
        (
            "{\n  \"a b\": [1.50, \"x \\\" y\"],\t\"c\" : \"\\\\\", \"d\": 1 }",
            r#"{"a b":[1.50,"x \" y"],"c":"\\","d":1}"#,
        ),
        ("null", "{}"),
        ("{ }", "{}"),
    ] {
        assert_eq!(text(&RawValue::from_string(args.to_owned()).unwrap()), compact);
    }
}

#[test]
fn arguments_and_results_are_objects() {
    for (arguments, expected) in [
        ("", "{}"),
        (r#" {"b":1, "a":2} "#, r#"{"b":1, "a":2}"#),
        (r#"{"cut"#, r#"{"invalid_arguments":"{\"cut"}"#),
        ("[1]", r#"{"invalid_arguments":"[1]"}"#),
    ] {
        assert_eq!(of_call(arguments).unwrap().text(), expected);
    }
    for (result, failed, expected) in [
        (r#"{"t":4.0}"#, false, r#"{"t":4.0}"#),
        ("4 degrees", false, r#"{"content":"4 degrees"}"#),
        ("[4]", false, r#"{"content":"[4]"}"#),
        ("no", true, r#"{"error":"no"}"#),
    ] {
        let written = of_result(result, failed).unwrap();
        assert_eq!(written.text(), expected);
        assert_eq!(result_text(&written), (result.to_owned(), failed));
    }
}
