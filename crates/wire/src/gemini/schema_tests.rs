//! Schemas of both dialects.

use serde_json::{Value, json};

use super::{cleaned, widened};
use crate::raw::Raw;

fn clean(schema: &Value) -> Value {
    serde_json::from_str(cleaned(&Raw::of(schema).unwrap(), "tools").unwrap().text()).unwrap()
}

#[test]
fn every_rule_of_cleaning() {
    for (schema, expected) in [
        (
            json!({"$schema": "x", "type": "object", "additionalProperties": false, "strict": true, "properties": {"a": {"type": "string", "format": "uri", "default": "x"}}, "required": ["a"]}),
            json!({"properties": {"a": {"type": "string"}}, "required": ["a"], "type": "object"}),
        ),
        (
            json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/P", "description": "who"}}, "$defs": {"P": {"type": "object", "properties": {"n": {"type": "integer"}}}}}),
            json!({"properties": {"p": {"properties": {"n": {"type": "integer"}}, "type": "object", "description": "who"}}, "type": "object"}),
        ),
        (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
        (
            json!({"type": ["string", "array"], "description": "d"}),
            json!({"anyOf": [{"type": "string", "description": "d"}, {"type": "array", "description": "d", "items": {"type": "string"}}]}),
        ),
        (
            json!({"description": "d", "anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!({"description": "d", "type": "string", "nullable": true}),
        ),
        (
            json!({"title": "t", "oneOf": [{"type": "string"}, {"type": "integer"}]}),
            json!({"anyOf": [{"type": "string", "title": "t"}, {"type": "integer", "title": "t"}]}),
        ),
        (
            json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {"type": "number", "format": "double"}}, "required": ["b"]}]}),
            json!({"properties": {"a": {"type": "string"}, "b": {"format": "double", "type": "number"}}, "required": ["a", "b"], "type": "object"}),
        ),
        (json!({"const": "x"}), json!({"enum": ["x"], "type": "string"})),
        (json!({"type": "integer", "enum": [1, 2]}), json!({"enum": ["1", "2"], "type": "string"})),
        (json!({"type": "string", "enum": [""]}), json!({"type": "string"})),
        (json!({"type": "string", "format": "date-time"}), json!({"format": "date-time", "type": "string"})),
        (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
        (json!({"type": "object", "properties": {}}), json!({"type": "object"})),
    ] {
        assert_eq!(clean(&schema), expected, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
    assert_eq!(
        clean(&tree),
        json!({"properties": {"next": {"properties": {"next": {"type": "object"}}, "type": "object"}}, "type": "object"})
    );
    // Each level doubles what the level below holds.
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let below = json!({"$ref": format!("#/$defs/{}", level + 1)});
        definitions
            .insert(level.to_string(), json!({"type": "object", "properties": {"a": below, "b": below}}));
    }
    definitions.insert("40".to_owned(), json!({"type": "string"}));
    let bomb = json!({"$ref": "#/$defs/0", "$defs": definitions});
    assert!(cleaned(&Raw::of(&bomb).unwrap(), "tools").is_err());
    assert!(cleaned(&Raw::of(&json!({"$ref": "#/nowhere"})).unwrap(), "tools").is_err());
}

#[test]
fn googles_schemas_widen() {
    let schema = json!({"type": "OBJECT", "propertyOrdering": ["a"], "properties": {
        "a": {"type": "STRING", "nullable": true}, "b": {"type": "ARRAY", "minItems": "2", "items": {"type": "INTEGER"}},
        "c": {"anyOf": [{"type": "STRING"}]}}});
    let wide: Value = serde_json::from_str(widened(&Raw::of(&schema).unwrap(), "x").unwrap().text()).unwrap();
    let expected = json!({"type": "object", "properties": {
        "a": {"type": ["string", "null"]}, "b": {"type": "array", "minItems": 2, "items": {"type": "integer"}},
        "c": {"anyOf": [{"type": "string"}]}}});
    assert_eq!(wide, expected);
}
