//! Tokens that are ours, and all the others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::settings::GeneralSettings;
use http::HeaderMap;
use store::entity::UserFields;

use super::{HEADER, begin, end, is_own_page, proof, read, sign, token};

fn general(master: &str) -> GeneralSettings {
    GeneralSettings { master_key: Some(master.into()), ..GeneralSettings::default() }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn a_token_says_who_logged_in() {
    let general = general("sk-master");
    let user = UserFields { password: Some("hash".to_owned()), ..UserFields::default() };
    let begun = begin(&general, Some(("u-1", &user))).unwrap();
    let claims = read(&general, &begun.token).unwrap();
    assert_eq!((claims.user_id.as_str(), claims.user_role.as_str()), ("u-1", "internal_user"));
    assert_eq!(claims.exp - claims.iat, 24 * 3600);
    let bearer = read(&general, claims.key.as_deref().unwrap()).unwrap();
    assert_eq!((bearer.user_id.as_str(), bearer.key), ("u-1", None));
    assert_eq!(read(&general, &begin(&general, None).unwrap().token).unwrap().user_role, "proxy_admin");
}

#[test]
fn nobody_else_makes_tokens() {
    let ours = general("sk-master");
    let token = begin(&ours, None).unwrap().token;
    assert!(read(&general("sk-other"), &token).is_none());
    let (signed, tag) = token.rsplit_once('.').unwrap();
    let body = signed.split_once('.').unwrap().1;
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    for forged in [
        format!("{none}.{body}."),
        format!("{none}.{body}.{tag}"),
        format!("{signed}."),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("{HEADER}..{tag}"),
        format!("{HEADER}.{tag}"),
        String::new(),
        "..".to_owned(),
        "x".repeat(100_000),
    ] {
        assert!(read(&ours, &forged).is_none(), "{forged:.80}");
    }
}

#[test]
fn a_session_ends() {
    let general = general("sk-master");
    let begun = begin(&general, None).unwrap();
    let mut past = begun.claims.clone();
    past.exp = past.iat - 1;
    assert!(read(&general, &sign(&general, &past).unwrap()).is_none());
    assert!(read(&general, &begun.token).is_some());
    end(&begun.claims);
    assert!(read(&general, &begun.token).is_none());
}

#[test]
fn another_password_is_another_proof() {
    let general = general("sk-master");
    assert_ne!(proof(&general, "one"), proof(&general, "other"));
    assert!(begin(&general, Some(("u-1", &UserFields::default()))).is_none());
}

#[test]
fn a_cookie_is_only_good_on_our_own_pages() {
    let own = [("host", "gateway:4000"), ("cookie", "a=b; token=t1; c=d")];
    assert_eq!(token(&headers(&own)), Some("t1"));
    for (more, good) in [
        (("sec-fetch-site", "same-origin"), true),
        (("sec-fetch-site", "none"), true),
        (("sec-fetch-site", "same-site"), false),
        (("sec-fetch-site", "cross-site"), false),
        (("origin", "http://gateway:4000"), true),
        (("origin", "http://gateway:4001"), false),
        (("origin", "null"), false),
        (("x-api-key", "sk-1"), false),
    ] {
        assert_eq!(token(&headers(&[own[0], own[1], more])).is_some(), good, "{more:?}");
    }
    assert_eq!(token(&headers(&[own[1], ("authorization", "Bearer t2")])), Some("t2"));
    assert!(!is_own_page(&headers(&[("origin", "http://gateway:4000")])));
}
