//! Schemas with definitions, and schemas that cannot do without.

use super::cleaned;

#[test]
fn definitions_stand_where_they_are_used() {
    let schema = r##"{"type":"object","properties":{"at":{"$ref":"#/$defs/place","description":"Where"},"to":{"$ref":"#/$defs/place"}},
        "$defs":{"place":{"type":"object","properties":{"city":{"$ref":"#/$defs/name"}}},"name":{"type":"string"}}}"##;
    let expected = r#"{"type":"object","properties":{"at":{"type":"object","properties":{"city":{"type":"string"}},"description":"Where"},"to":{"type":"object","properties":{"city":{"type":"string"}}}}}"#;
    assert_eq!(cleaned(schema, "p").unwrap().text(), expected);
}

#[test]
fn a_schema_that_holds_itself_keeps_its_definitions() {
    let schema = r##"{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}},"$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"}}}}}"##;
    assert_eq!(cleaned(schema, "p").unwrap().text(), schema);
}

#[test]
fn a_schema_that_would_explode_keeps_its_definitions() {
    let definitions: Vec<String> = (0..30)
        .map(|n| {
            format!(
                r##""d{n}":{{"anyOf":[{{"$ref":"#/$defs/d{m}"}},{{"$ref":"#/$defs/d{m}"}}]}}"##,
                m = n + 1
            )
        })
        .collect();
    let schema = format!(
        r##"{{"type":"object","properties":{{"x":{{"$ref":"#/$defs/d0"}}}},"$defs":{{{},"d30":{{"type":"string"}}}}}}"##,
        definitions.join(",")
    );
    assert_eq!(cleaned(&schema, "p").unwrap().text(), schema);
}

#[test]
fn the_root_is_an_object() {
    for (schema, expected) in [
        ("{}", r#"{"type":"object","properties":{}}"#),
        (r#"{"properties":{"a":{}}}"#, r#"{"type":"object","properties":{"a":{}}}"#),
        (r#"{ "type": "object", "z": 1.50 }"#, r#"{ "type": "object", "z": 1.50 }"#),
    ] {
        assert_eq!(cleaned(schema, "p").unwrap().text(), expected);
    }
    assert_eq!(cleaned("[]", "tools[0]").unwrap_err().field(), "tools[0]");
}
