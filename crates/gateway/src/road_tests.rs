use std::collections::HashMap;

use super::*;

fn proxies(variables: &[(&str, &'static str)]) -> Proxies {
    let variables: HashMap<String, &'static str> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Proxies::of(|name| variables.get(name).copied())
}

fn through(proxies: &Proxies, uri: &str) -> Option<String> {
    let proxy = proxies.0.as_ref()?.intercept(&uri.parse().unwrap())?;
    Some(proxy.uri().to_string())
}

#[test]
fn nothing_named_means_no_proxy() {
    assert!(proxies(&[]).0.is_none());
    assert!(proxies(&[("HTTPS_PROXY", "")]).0.is_none());
}

#[test]
fn the_scheme_decides_and_exceptions_go_straight() {
    let named = proxies(&[
        ("HTTPS_PROXY", "http://user:secret@proxy.example:3128"),
        ("http_proxy", "http://plain.example:8080"),
        ("NO_PROXY", "internal.example,10.0.0.0/8"),
    ]);
    assert_eq!(through(&named, "https://api.openai.com"), Some("http://proxy.example:3128/".to_owned()));
    assert_eq!(through(&named, "http://models.example"), Some("http://plain.example:8080/".to_owned()));
    for straight in [
        "https://internal.example",
        "http://10.1.2.3:8000",
        "http://localhost:11434",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert_eq!(through(&named, straight), None, "{straight}");
    }
    assert_eq!(format!("{named:?}"), "Proxies(some)", "a password must not show");
}
