//! The check agrees with `serde_json` about what is JSON, and with a tree about what is where.

use std::ops::Range;

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::{Flaw, Place, object};

fn found(text: &str, depth: usize) -> Result<Vec<(&str, &str)>, Flaw> {
    let mut fields = Vec::new();
    object(text.as_bytes(), depth, |Place { name, value }: Place| {
        let part = |range: Range<usize>| &text[range];
        fields.push((part(name), part(value)));
        Ok::<(), Flaw>(())
    })?;
    Ok(fields)
}

fn is_object(text: &str) -> bool {
    text.trim_start_matches([' ', '\n', '\r', '\t']).starts_with('{')
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[test]
fn fields_of_odd_but_valid_objects() {
    assert_eq!(found(" {} ", 1), Ok(vec![]));
    let text = "\t{ \"a\" : \"x\\\"}\" , \"b\":[{\"c\":\"]\"},[]],\"d\\u0065\":-1.5e3 ,\"\":null\r\n}\n";
    assert_eq!(
        found(text, 3),
        Ok(vec![("a", "\"x\\\"}\""), ("b", "[{\"c\":\"]\"},[]]"), ("d\\u0065", "-1.5e3"), ("", "null")])
    );
    assert_eq!(found(text, 2), Err(Flaw::TooDeep));
}

#[test]
fn strict_about_every_kind_of_value() {
    let long = "x".repeat(40);
    let values = [
        "0",
        "-0",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.5",
        "1e",
        "1e5",
        "1E+05",
        "1e-",
        "--1",
        "0x1",
        "1_0",
        "true",
        "tru",
        "truex",
        "null",
        "nul",
        "NaN",
        "Infinity",
        "false",
        "False",
        "",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2]",
        "[",
        "]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" :\n1}",
        "'a'",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\u12e4\"",
        "\"\\ud800\"",
        "\"\\/\\b\\f\\n\\r\\t\\\\\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"a\u{7f}é\u{2028}\"",
        "1 // c",
        "/**/1",
        "\u{feff}1",
        "\u{a0}1",
        "1\u{b}",
    ];
    for value in values {
        for (open, close) in [("{\"a\":", "}"), ("{\"a\":[", "]}"), (" {\"a\": {\"b\" :", " } } ")] {
            let text = format!("{open}{value}{close}");
            assert_eq!(found(&text, 9).is_ok(), is_object(&text), "{text}");
        }
    }
    for control in 0..0x20_u8 {
        for at in [0, 15, 16, 17, 39] {
            let mut inside = long.clone();
            inside.insert(at, char::from(control));
            assert!(found(&format!("{{\"a\":\"{inside}\"}}"), 9).is_err(), "{control} at {at}");
        }
    }
    assert!(found(&format!("{{\"{long}\":\"{long}\\n{long}\"}}"), 9).is_ok());
}

#[test]
fn cut_anywhere_it_is_no_object() {
    let whole = r#"{"a":"b\u00e9","c":{"d":[1.5e3,"e",true,null]}}"#;
    for cut in 0..whole.len() {
        assert_eq!(found(&whole[..cut], 9), Err(Flaw::NotJson), "{cut}");
    }
    assert_eq!(found(&format!("{whole} x"), 9), Err(Flaw::NotJson));
    assert_eq!(found("[1]", 9), Err(Flaw::NotJson));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_same_judgement_as_a_parser(text in "[{]( ?(\"[ab\\\\u0-9\"n\n]{0,4}\"|[0-9.eE+-]{0,4}|[{}\\[\\],:]|true|null|é)){0,9}[}]") {
        prop_assert_eq!(found(&text, 99).is_ok(), is_object(&text), "{}", text);
    }

    #[test]
    fn objects_near_to_valid(mut text in valid(), at in any::<prop::sample::Index>(), byte in "[{}\\[\\]\",:\\\\0-9a e.\n-]") {
        prop_assert!(found(&text, 99).is_ok());
        let at = at.index(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &byte);
        }
        prop_assert_eq!(found(&text, 99).is_ok(), is_object(&text), "{}", text);
    }
}

fn valid() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
        "[ -~é\"\\\\{}\n]{0,30}".prop_map(|text| serde_json::json!(text).to_string()),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(" , "))),
            prop::collection::vec(inner, 0..3).prop_map(|values| format!("{{\"k\":[{}]}}", values.join(","))),
        ]
    });
    prop::collection::vec(value, 0..4).prop_map(|values| {
        let fields: Vec<String> = values.iter().map(|value| format!("\"f\" : {value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}
