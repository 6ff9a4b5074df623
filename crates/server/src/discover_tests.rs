use super::*;

fn names(discovered: &Discovered) -> Vec<&str> {
    discovered.settings.deployments.iter().map(|deployment| deployment.model_name.as_str()).collect()
}

#[test]
fn keys_become_wildcards_and_the_demo_is_always_there() {
    let environment: Environment =
        [("OPENAI_API_KEY", "sk-x"), ("GROQ_API_KEY", " "), ("ANTHROPIC_API_KEY", "y")].into_iter().collect();
    let discovered = discover(&environment, false);
    let names = names(&discovered);
    assert!(names.contains(&"openai/*") && names.contains(&"anthropic/*"), "{names:?}");
    assert!(!names.contains(&"groq/*"), "a blank key is no key");
    assert_eq!(names.last(), Some(&"demo/echo"));
    assert!(
        discovered.lines.contains(&"found OPENAI_API_KEY → openai/*".to_owned()),
        "{:?}",
        discovered.lines
    );
    assert!(discovered.settings.providers.contains_key("openai"));
}

#[test]
fn nothing_found_is_the_demo_alone() {
    let discovered = discover(&Environment::default(), false);
    assert_eq!(names(&discovered), ["demo/echo"]);
}

#[test]
fn an_ollama_is_found_by_its_port_or_its_variable() {
    assert_eq!(names(&discover(&Environment::default(), true)), ["ollama/*", "demo/echo"]);
    let elsewhere: Environment = [("OLLAMA_API_BASE", "http://gpu:11434")].into_iter().collect();
    let discovered = discover(&elsewhere, false);
    assert!(names(&discovered).contains(&"ollama/*"));
    assert_eq!(discovered.settings.providers["ollama"].api_base.as_deref(), Some("http://gpu:11434"));
}

#[tokio::test]
async fn the_probe_tells_a_listener_from_none() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert!(tcp_probe(&address).await);
    drop(listener);
    assert!(!tcp_probe(&address).await);
}
