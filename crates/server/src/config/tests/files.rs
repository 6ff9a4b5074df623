//! The files of `tests/configs`, each with the whole text a person is shown.

use std::path::Path;

use crate::check::check;
use crate::cli::CheckFormat;
use crate::env::Environment;

fn checked(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let environment: Environment = [("OPENAI_API_KEY", "sk-openai-from-outside")].into_iter().collect();
    let checked = check(&directory.join(name), CheckFormat::Text, &environment, false);
    let text = checked.text.replace(&format!("{}/", directory.display()), "");
    for secret in ["sk-1234", "dbpassword", "very-secret", "s3cr3t", "sk-in-a-list", "sk-not-here"] {
        assert!(!text.contains(secret), "{text}");
    }
    format!("{text}exit code {}\n", checked.exit_code())
}

macro_rules! snapshots {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(checked(concat!(stringify!($name), ".yaml")));
        }
    )*};
}

snapshots! {
    ollama ollama_and_database beside_model_name guardrail_without_colon typos tabs wrong_types missing_model
    empty binary list bare_names include_missing include_cycle unknown_provider everything no_such_file
}

#[test]
fn json_says_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/unknown_provider.yaml");
    let checked = check(&path, CheckFormat::Json, &Environment::default(), false);
    let value: serde_json::Value = serde_json::from_str(&checked.text).unwrap();
    assert_eq!(value["ok"], false);
    assert_eq!(value["errors"], 3);
    let first = &value["problems"][0];
    assert_eq!(
        (&first["line"], &first["column"], &first["severity"]),
        (&4.into(), &14.into(), &"error".into())
    );
    assert_eq!(first["help"], "did you mean `anthropic/claude-sonnet-4-5`?");
}
