//! Plain scalars against what PyYAML 6 makes of them, and the bounds of the tree.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::problem::Problems;
use super::super::source::Source;
use super::super::yaml;

fn parsed(text: &str) -> Result<Value, String> {
    let mut problems = Problems::default();
    let (index, source) = problems.add_source(Source::new(PathBuf::from("t.yaml"), text.to_owned())).unwrap();
    match yaml::parse(&source, index, &mut problems) {
        Some(node) => Ok(node.json()),
        None => Err(problems.finish().iter().map(|problem| problem.message.clone()).collect()),
    }
}

#[test]
fn scalars_are_what_pyyaml_says() {
    for (text, value) in [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!("y")),
        ("~", json!(null)),
        ("1_000", json!(1000)),
        ("010", json!(8)),
        ("08", json!("08")),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("-7", json!(-7)),
        ("+7", json!(7)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1.0e-5", json!(1.0e-5)),
        ("3e-7", json!("3e-7")),
        ("1.5e3", json!("1.5e3")),
        ("1.", json!(1.0)),
        (".", json!(".")),
        ("1.2.3", json!("1.2.3")),
        ("- 1", json!([1])),
        ("\"yes\"", json!("yes")),
        ("!!str 12", json!("12")),
        ("12:30", json!("12:30")),
        ("2024-02-01", json!("2024-02-01")),
        ("18446744073709551616", json!("18446744073709551616")),
    ] {
        assert_eq!(parsed(text), Ok(value), "{text}");
    }
}

#[test]
fn merges_fill_what_the_map_does_not_set() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {y: 5, <<: [*a, *b]}\nd: {<<: *a}";
    let value = parsed(text).unwrap();
    assert_eq!(value["c"], json!({"y": 5, "x": 1, "z": 4}));
    assert_eq!(value["d"], json!({"x": 1, "y": 2}));
}

#[test]
fn hostile_files_end_in_a_message() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", "));
    }
    let keys: String = (0..6000).map(|key| format!("k{key}: 1\n")).collect();
    for (text, message) in [
        (bomb.as_str(), "more than 200000 values"),
        (&"[".repeat(100), "nested"),
        (&"- ".repeat(100), "nested"),
        (&keys, "more than 5000 keys"),
        ("a: &a [*a]", "inside of what it names"),
        ("a: *b", "anchor that does not exist"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: !python/object:os.system x", "tag"),
        ("? [a]\n: b", "plain word"),
        ("a: \"open", "never closed"),
        ("a: [1, 2", "not valid YAML"),
        ("<<: 1", "merges maps only"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.contains(message), "{error} for {:?}", text.chars().take(40).collect::<String>());
    }
}

#[test]
fn the_mistakes_people_make_are_explained() {
    for (text, message) in [
        ("a:\n  key:value\n  other: 1", "`key:` needs a space after its colon"),
        ("a:\n\tb: 1", "indented with spaces"),
        ("a: one: two", "the value of `a` holds a colon"),
        ("list:\n  - name\n      x: 1", "`name` has keys below it, so it needs a colon"),
        ("section\n  x: 1", "`section` has keys below it, so it needs a colon"),
    ] {
        assert_eq!(
            parsed(text).map_err(|error| error.contains(message)),
            Err(true),
            "{text}: {:?}",
            parsed(text)
        );
    }
}

/// Every fixture cut at every place, and with letters of YAML's syntax thrown in: a message or a value, never a panic.
#[test]
fn damaged_files_end_in_a_message_too() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let texts: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok())
        .collect();
    assert!(texts.len() > 10);
    let mut state = 7_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below.max(1)
    };
    let syntax: Vec<char> = ":-?[]{},#&*!|>'\"%@` \t\n\r\u{feff}\u{85}é~<".chars().collect();
    for text in &texts {
        for cut in text.char_indices().map(|(at, _)| at) {
            _ = parsed(&text[..cut]);
        }
        for _ in 0..500 {
            let mut letters: Vec<char> = text.chars().collect();
            for _ in 0..=random(4) {
                let at = random(letters.len() + 1);
                letters.insert(at, syntax[random(syntax.len())]);
            }
            if let Err(message) = parsed(&letters.into_iter().collect::<String>()) {
                assert!(!message.is_empty());
            }
        }
    }
}
