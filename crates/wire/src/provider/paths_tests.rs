use super::*;

#[test]
fn what_is_at_a_place_goes_and_the_rest_stays_as_it_was() {
    let body =
        r#"{"tools": [{"a" :1.0,"b":{"c":1,"d":2}}, {"b":{"c":3}}], "x":{"y":[10,20,30]},"b":{"c":1}}"#;
    for (path, without) in [
        ("b", r#"{"tools":[{"a" :1.0,"b":{"c":1,"d":2}}, {"b":{"c":3}}],"x":{"y":[10,20,30]}}"#),
        ("b.c", r#"{"tools":[{"a" :1.0,"b":{"c":1,"d":2}}, {"b":{"c":3}}],"x":{"y":[10,20,30]},"b":{}}"#),
        ("tools[*].b.c", r#"{"tools":[{"a":1.0,"b":{"d":2}},{"b":{}}],"x":{"y":[10,20,30]},"b":{"c":1}}"#),
        ("tools[0].b", r#"{"tools":[{"a":1.0},{"b":{"c":3}}],"x":{"y":[10,20,30]},"b":{"c":1}}"#),
        (
            "x.y[1]",
            r#"{"tools":[{"a" :1.0,"b":{"c":1,"d":2}}, {"b":{"c":3}}],"x":{"y":[10,30]},"b":{"c":1}}"#,
        ),
        ("x.y[*]", r#"{"tools":[{"a" :1.0,"b":{"c":1,"d":2}}, {"b":{"c":3}}],"x":{"y":[]},"b":{"c":1}}"#),
    ] {
        assert_eq!(Path::parse(path).unwrap().remove(body).as_deref(), Some(without), "{path}");
    }
}

#[test]
fn nothing_is_done_where_nothing_is() {
    let body = r#"{"tools":[{"a":1}],"x":1}"#;
    for path in ["y", "tools.a", "tools[1].a", "tools[*].b", "x.y", "x[0]"] {
        assert_eq!(Path::parse(path).unwrap().remove(body), None, "{path}");
    }
}

#[test]
fn what_is_not_a_path_is_none() {
    let deep = vec!["a"; 40].join(".");
    for text in ["", ".", "a..b", "a[", "a[x]", "a[1", "[0]", "a]", deep.as_str()] {
        assert_eq!(Path::parse(text), None, "{text}");
    }
}
