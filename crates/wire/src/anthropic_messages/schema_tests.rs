//! Schemas as callers write them.

use super::cleaned;
use crate::raw::Raw;

#[test]
fn what_cannot_be_enforced_is_told() {
    for (schema, expected) in [
        (
            r#"{"type":"object","properties":{"minimum":{"type":"integer","minimum":1,"description":"Least"}}}"#,
            r#"{"type":"object","properties":{"minimum":{"type":"integer","description":"Least (minimum: 1)"}},"additionalProperties":false}"#,
        ),
        (
            r##"{"$defs":{"a":{"type":["object","null"],"additionalProperties":true}},"oneOf":[{"$ref":"#/$defs/a"},{"type":"array","minItems":3,"items":{"properties":{}}}]}"##,
            r##"{"$defs":{"a":{"type":["object","null"],"additionalProperties":false}},"anyOf":[{"$ref":"#/$defs/a"},{"type":"array","items":{"properties":{},"additionalProperties":false},"description":"(minItems: 3)"}]}"##,
        ),
        (
            r#"{"type":"string","pattern":"^a$","enum":["a"]}"#,
            r#"{"type":"string","pattern":"^a$","enum":["a"]}"#,
        ),
        (
            r#"{"type":"string","pattern":"(?=a)"}"#,
            r#"{"type":"string","description":"(pattern: \"(?=a)\")"}"#,
        ),
    ] {
        let found = cleaned(&Raw::parse(schema.to_owned()).unwrap()).unwrap();
        assert_eq!(found.text(), expected, "{schema}");
    }
}
