//! No secret of a file is shown, however it is written.

use std::path::PathBuf;

use super::super::keys::is_well_known;
use super::super::source::Source;

#[test]
fn secrets_are_starred_and_the_rest_is_readable() {
    let text = "master_key: SECRET\n\
                  api_key: \"SECRET\" # note\n\
                - api_key: SECRET\n\
                  azure: {api_key: SECRET, model: readable}\n\
                  'api_key' : 'SECRET'\n\
                url: postgres://user:SECRET@host/readable\n\
                comment: use sk-SECRETSECRET here\n\
                vertex_credentials: |\n  {SECRET}\n\n  SECRET\nreadable: 1\n\
                extra_headers:\n  Authorization: Bearer SECRET\n  x: SECRET\nmax_tokens: 10\n\
                input_cost_per_token: 3e-7\n\
                api_key: os.environ/READABLE\n\
                api_key: os.environ/X SECRET\n\
                broken: [\"api_key: SECRET\n\
                AWS_SECRET_ACCESS_KEY: SECRET\nlist: [{password: SECRET}]\nescape: \u{1b}[31m\n";
    let source = Source::new(PathBuf::from("t.yaml"), text.to_owned());
    let shown: String =
        (1..=text.lines().count() as u32).map(|line| source.shown_line(line).to_owned() + "\n").collect();
    assert!(!shown.replace("AWS_SECRET_ACCESS_KEY", "").contains("SECRET"), "{shown}");
    assert!(!shown.contains('\u{1b}'));
    assert_eq!(shown.len(), text.len(), "places stay where they are");
    for readable in [
        "model: readable",
        "host/readable",
        "readable: 1",
        "max_tokens: 10",
        "per_token: 3e-7",
        "os.environ/READABLE",
    ] {
        assert!(shown.contains(readable), "{readable} in {shown}");
    }
}

#[test]
fn tutorials_keys_are_well_known_and_others_are_not() {
    assert!(is_well_known("sk-1234") && is_well_known(" SK-1234 ") && is_well_known("changeme"));
    assert!(!is_well_known("sk-1234a9f0c7e2") && !is_well_known(""));
}

#[test]
fn a_long_line_is_cut_around_its_caret_and_repeats_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    let entry = "- model_name: a\n  litellm_params: {model: openai/gpt-4o, tag_regex: [a]}\n";
    let long = format!(
        "- model_name: a\n  litellm_params: {{model: openai/gpt-4o, stop: {}, tag_regex: [a]}}\n",
        "x".repeat(50_000)
    );
    std::fs::write(&path, format!("model_list:\n{long}{entry}{entry}")).unwrap();
    let notices = super::super::load(&path, &crate::env::Environment::default()).unwrap().notices;
    let text = notices.iter().map(|notice| notice.render(false)).collect::<String>();
    assert!(text.len() < 1_000, "{} bytes", text.len());
    let caret = text.lines().find(|line| line.contains("^^^^^")).unwrap();
    let line = text.lines().find(|line| line.contains("xxxx")).unwrap();
    let at = caret.chars().position(|next| next == '^').unwrap();
    assert_eq!(line.chars().skip(at).take(5).collect::<String>(), "tag_r");
    assert!(text.contains("note: the same at 2 more places"), "{text}");
}
