use gateway::settings::Settings;
use serde_json::json;

use super::*;

fn parsed(line: &str, pairs: &[(&str, &str)]) -> Result<Action, String> {
    let arguments = std::iter::once("tollgate").chain(line.split_whitespace()).map(OsString::from);
    parse(arguments, &pairs.iter().copied().collect()).map_err(|error| error.to_string())
}

fn served(line: &str, pairs: &[(&str, &str)]) -> ServeOptions {
    match parsed(line, pairs) {
        Ok(Action::Serve(options)) => options,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
fn flags_win_over_variables_and_variables_over_defaults() {
    let pairs =
        [("PORT", "5000"), ("HOST", "::1"), ("CONFIG_FILE_PATH", "/etc/t.yaml"), ("DETAILED_DEBUG", "True")];
    let options = served("--port 6000", &pairs);
    assert_eq!((options.host.as_str(), options.port), ("::1", 6000));
    assert_eq!(options.config, Some(PathBuf::from("/etc/t.yaml")));
    assert_eq!(options.verbosity, Verbosity::Detailed);
    let bare = served("", &[]);
    assert_eq!((bare.host.as_str(), bare.port, bare.workers), ("0.0.0.0", 4000, None));
    assert!(parsed("", &[("PORT", "eighty")]).unwrap_err().contains("PORT"));
}

#[test]
fn one_model_comes_from_flags_in_either_spelling() {
    for line in [
        "-m ollama/llama3 --alias house --api_base http://gpu:1 --max_tokens 5 --request_timeout 3 --drop_params",
        "--model ollama/llama3 --alias=house --api-base=http://gpu:1 --max-tokens=5 --request-timeout 3 --drop-params",
    ] {
        let mut settings = Settings::default();
        served(line, &[]).overrides.amend(&mut settings);
        let deployment = &settings.deployments[0];
        assert_eq!((deployment.model_name.as_str(), deployment.model.as_str()), ("house", "ollama/llama3"));
        assert_eq!(deployment.api_base.as_deref(), Some("http://gpu:1"));
        assert_eq!(json!(deployment.defaults), json!({"max_tokens": 5}));
        assert_eq!(settings.general.completion_model.as_deref(), Some("house"));
        assert_eq!(settings.routing.timeout.as_secs(), 3);
        assert!(settings.routing.drop_params);
    }
    assert!(parsed("--alias house", &[]).unwrap_err().contains("--model, which is not given"));
    assert!(parsed("-m a/b --headers {broken", &[]).unwrap_err().contains("--headers must be a JSON object"));
    assert!(parsed("-m a/b --request_timeout -1", &[]).is_err());
}

#[test]
fn flags_without_effect_are_accepted_and_named() {
    let options = served("--run_gunicorn --ssl-certfile-path /c.pem --telemetry False --num_workers 4", &[]);
    assert_eq!(options.workers.map(NonZeroUsize::get), Some(4));
    assert_eq!(
        options.warnings,
        [
            "--run_gunicorn has no effect: there is one server, and it is built in",
            "--ssl_certfile_path has no effect: TLS is not served yet; put a TLS proxy in front",
            "--telemetry has no effect: nothing is ever sent home",
        ]
    );
}

#[test]
fn the_other_actions() {
    assert!(matches!(parsed("-v", &[]), Ok(Action::Version)));
    assert!(matches!(parsed("--version", &[]), Ok(Action::Version)));
    assert!(matches!(parsed("completions bash", &[]), Ok(Action::Completions { shell: Shell::Bash })));
    match parsed("check c.yaml --format json", &[("PORT", "junk")]) {
        Ok(Action::Check { file, format }) => {
            assert_eq!((file, format), (PathBuf::from("c.yaml"), CheckFormat::Json))
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(parsed("--config c.yaml --validate_config", &[]), Ok(Action::Check { .. })));
    match parsed("--test --port 1 -m gpt-4o", &[]) {
        Ok(Action::Test(gateway)) => {
            assert_eq!(
                (gateway.base_url.as_str(), gateway.model.as_deref()),
                ("http://127.0.0.1:1", Some("gpt-4o"))
            );
        }
        other => panic!("{other:?}"),
    }
    match parsed("--health --host ::", &[("LITELLM_MASTER_KEY", "sk-x")]) {
        Ok(Action::Health(gateway)) => {
            assert_eq!(gateway.base_url, "http://[::1]:4000");
            assert!(gateway.key.is_some());
        }
        other => panic!("{other:?}"),
    }
    assert!(parsed("--prot 80", &[]).unwrap_err().contains("--port"));
}

#[test]
fn help_fits_a_screen() {
    let help = command().term_width(100).render_help().to_string();
    assert!(help.lines().count() < 60, "{help}");
    insta::assert_snapshot!(help);
}
