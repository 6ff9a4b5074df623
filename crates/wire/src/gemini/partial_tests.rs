use super::*;

fn taken(frames: &[&str]) -> Result<Partial, String> {
    let mut partial = Partial::default();
    for frame in frames {
        partial.take(serde_json::from_str(frame).unwrap())?;
    }
    Ok(partial)
}

#[test]
fn pieces_become_the_object_that_they_name_the_places_of() {
    let partial = taken(&[
        r#"[{"jsonPath":"$.location","stringValue":"Boston","willContinue":true}]"#,
        r#"[{"jsonPath":"$.location","stringValue":", MA \"x\""},{"jsonPath":"$.days","numberValue":5}]"#,
        r#"[{"jsonPath":"$.list[0].name","stringValue":"a"},{"jsonPath":"$.list[1]['odd.name']","boolValue":true}]"#,
        r#"[{"jsonPath":"$[\"none\"]","nullValue":"NULL_VALUE"},{"jsonPath":"$.exact","numberValue":0.1}]"#,
    ])
    .unwrap();
    let rest = r#""location":"Boston, MA \"x\"","days":5,"list":[{"name":"a"},{"odd.name":true}],"none":null,"exact":0.1}"#;
    assert_eq!(partial.rest(), rest);
    assert_eq!(Partial::default().rest(), "}");
}

#[test]
fn hostile_pieces_are_refused() {
    let deep = format!(r#"[{{"jsonPath":"${}","stringValue":"x"}}]"#, ".a".repeat(100));
    let gap = r#"[{"jsonPath":"$.a[1000000000]","stringValue":"x"}]"#;
    let through = r#"[{"jsonPath":"$.a","stringValue":"x"},{"jsonPath":"$.a.b","stringValue":"x"}]"#;
    for frame in [&deep, gap, through, "[7]", "{}", "[{}]", r#"[{"jsonPath":"a"}]"#, r#"[{"jsonPath":"$"}]"#]
    {
        assert!(taken(&[frame]).is_err(), "{frame}");
    }
    let long = format!(r#"[{{"jsonPath":"$.a","stringValue":"{}"}}]"#, "x".repeat(MOST_BYTES));
    assert!(taken(&[&long]).is_err());
}
