//! The scan finds what a parser finds, and refuses what is not an object.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::object;

fn found(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut fields = Vec::new();
    object(text, |name, place| fields.push((name.to_owned(), text[place].to_owned())))?;
    Ok(fields)
}

#[test]
fn places_of_odd_but_valid_objects() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(found(" {} ").unwrap(), []);
    assert_eq!(
        found("\t{ \"a\" : \"x\\\"}\" , \"b\":[{\"c\":\"]\"}],\"d\\u0065\":-1.5e3 ,\"e\":null}\n").unwrap(),
        [
            pair("a", "\"x\\\"}\""),
            pair("b", "[{\"c\":\"]\"}]"),
            pair("d\\u0065", "-1.5e3"),
            pair("e", "null")
        ]
    );
}

#[test]
fn what_is_no_whole_object_is_refused() {
    let whole = r#"{"a":"b","c":{"d":[1,"e"]}}"#;
    for cut in 0..whole.len() {
        assert!(found(&whole[..cut]).is_err(), "{cut}");
    }
    for text in [
        "",
        "[]",
        "null",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1}x",
        "{\"a\":1,}",
        "{\"a\":x}",
    ] {
        assert!(found(text).is_err(), "{text}");
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\"\\\\{}\\[\\],:]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_same_fields_as_a_parser(fields in prop::collection::btree_map("[a-z]{1,4}", json(), 0..6), pretty in any::<bool>()) {
        let object: Map<String, Value> = fields.into_iter().collect();
        let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let scanned = found(&text).unwrap();
        let parsed: Vec<(String, Value)> = object.into_iter().collect();
        let read: Vec<(String, Value)> =
            scanned.iter().map(|(name, value)| (name.clone(), serde_json::from_str(value).unwrap())).collect();
        prop_assert_eq!(read, parsed);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\",:\\\\a1 ]{0,40}") {
        let _ = found(&text);
    }
}
