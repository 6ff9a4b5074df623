use super::*;

#[test]
fn what_is_sealed_can_be_opened() {
    let sealed = Routed::sealed("deployment-1", "resp_68af4030592c81938ec0a5fbab4a3e9f");
    assert!(sealed.starts_with("resp_") && !sealed.contains("deployment"), "{sealed}");
    let opened = Routed::open(&sealed).unwrap();
    assert_eq!(opened.deployment, "deployment-1");
    assert_eq!(opened.id, "resp_68af4030592c81938ec0a5fbab4a3e9f");
}

#[test]
fn what_was_not_sealed_here_stays_closed() {
    let seal = |text: &str| format!("resp_{}", BASE64_URL_SAFE_NO_PAD.encode(text));
    for id in [
        "",
        "resp_",
        "resp_68af4030592c8193",
        "msg_1",
        &seal("tg2\nd\nid"),
        &seal("tg1\nd"),
        &seal("tg1\nd\n"),
    ] {
        assert_eq!(Routed::open(id), None, "{id}");
    }
    for hostile in ["../x", "a/b", "a?b", "..", "a b", "a\nb"] {
        assert_eq!(Routed::open(&seal(&format!("tg1\nd\n{hostile}"))), None, "{hostile:?}");
    }
}
