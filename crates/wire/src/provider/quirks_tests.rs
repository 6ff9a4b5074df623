use proptest::prelude::*;

use super::*;
use crate::provider::{all, find, hooks};

fn run(quirks: &[Quirk], body: &str) -> (String, Vec<String>) {
    run_for(quirks, "model", body, &[])
}

fn run_for(quirks: &[Quirk], model: &str, body: &str, allowed: &[&str]) -> (String, Vec<String>) {
    let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
    let quirked = apply(quirks, model, body.as_bytes(), &allowed).unwrap();
    let text = quirked.body.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap());
    (text, quirked.losses.into_iter().map(|loss| loss.field).collect())
}

/// Asserts what each body becomes, with nothing lost.
fn becomes(quirks: &[Quirk], cases: &[(&str, &str)]) {
    for (before, after) in cases {
        assert_eq!(run(quirks, before), ((*after).to_owned(), Vec::new()), "{before}");
    }
}

#[test]
fn rename_keeps_the_target_and_the_place() {
    becomes(
        &[Quirk::Rename { from: "max_completion_tokens", to: "max_tokens" }],
        &[
            (r#"{"a":1,"max_completion_tokens":5,"b":2}"#, r#"{"a":1,"max_tokens":5,"b":2}"#),
            (r#"{"max_completion_tokens":5,"max_tokens":7}"#, r#"{"max_tokens":7}"#),
            (r#"{"max_completion_tokens":5,"max_tokens":null}"#, r#"{"max_tokens":5}"#),
            (r#"{"max_completion_tokens":null}"#, "{}"),
            (r#"{"max_tokens" : 7}"#, r#"{"max_tokens" : 7}"#),
            (r#"{"max\u005fcompletion_tokens":5}"#, r#"{"max_tokens":5}"#),
        ],
    );
}

#[test]
fn drop_is_silent_and_takes_every_copy() {
    becomes(&[Quirk::Drop("user")], &[(r#"{"user":"a","x":[1, 2],"user":"b"}"#, r#"{"x":[1, 2]}"#)]);
}

#[test]
fn unsupported_fields_are_reported_unless_they_say_nothing() {
    let quirks = [Quirk::Unsupported(&["n", "seed", "logprobs", "presence_penalty", "stop"])];
    let (body, losses) =
        run(&quirks, r#"{"n":2,"seed":1,"logprobs":true,"presence_penalty":0.5,"stop":["a"],"x":1}"#);
    assert_eq!(body, r#"{"x":1}"#);
    assert_eq!(losses, ["n", "seed", "logprobs", "presence_penalty", "stop"]);
    becomes(
        &quirks,
        &[(r#"{"n":1,"seed":null,"logprobs":false,"presence_penalty":0.0,"stop":[],"x":1}"#, r#"{"x":1}"#)],
    );
}

#[test]
fn a_loss_tells_the_client_why() {
    let quirked = apply(&[Quirk::Unsupported(&["seed"])], "m", br#"{"seed":1}"#, &[]).unwrap();
    assert_eq!(quirked.losses[0].field, "seed");
    assert!(quirked.losses[0].why.contains("provider"));
}

#[test]
fn clamp_moves_only_what_is_outside() {
    becomes(
        &[Quirk::Clamp { field: "temperature", low: 0.0, high: 1.0 }],
        &[
            (r#"{"temperature":1.5}"#, r#"{"temperature":1}"#),
            (r#"{"temperature":-1}"#, r#"{"temperature":0}"#),
            (r#"{"temperature":0.70}"#, r#"{"temperature":0.70}"#),
            (r#"{"temperature":1.0}"#, r#"{"temperature":1.0}"#),
            (r#"{"temperature":"hot"}"#, r#"{"temperature":"hot"}"#),
            (r#"{"temperature":1e999}"#, r#"{"temperature":1e999}"#),
        ],
    );
}

#[test]
fn text_parts_become_one_string_and_pictures_stay() {
    becomes(
        &[Quirk::FlattenText],
        &[
            (
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a\n"},{"text":"\"b","type":"text"}]},{"role":"user","content":"c"}]}"#,
                r#"{"messages":[{"role":"user","content":"a\n\"b"},{"role":"user","content":"c"}]}"#,
            ),
            (
                r#"{"messages":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]}]}"#,
                r#"{"messages":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]}]}"#,
            ),
            (
                r#"{"messages":[{"content":[]},{"content":null},7]}"#,
                r#"{"messages":[{"content":[]},{"content":null},7]}"#,
            ),
            (r#"{"messages":"text"}"#, r#"{"messages":"text"}"#),
        ],
    );
}

#[test]
fn required_tools_are_asked_for_in_the_providers_word() {
    becomes(
        &[Quirk::ToolChoiceRequired("any")],
        &[
            (r#"{"tool_choice":"required"}"#, r#"{"tool_choice":"any"}"#),
            (r#"{"tool_choice":"auto"}"#, r#"{"tool_choice":"auto"}"#),
            (r#"{"tool_choice":{"type":"required"}}"#, r#"{"tool_choice":{"type":"required"}}"#),
        ],
    );
}

#[test]
fn tool_keys_go_but_a_parameter_of_that_name_stays() {
    let quirks = [Quirk::StripToolKeys(&["strict", "$schema", "additionalProperties"])];
    becomes(
        &quirks,
        &[
            (
                r#"{"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"$schema":"s","type":"object","properties":{"strict":{"type":"object","additionalProperties":false,"strict":1},"b":{"items":{"anyOf":[{"additionalProperties":false}]}}},"required":["strict"],"additionalProperties":false}}}]}"#,
                r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"strict":{"type":"object"},"b":{"items":{"anyOf":[{}]}}},"required":["strict"]}}}]}"#,
            ),
            (
                r#"{"tools":[{"function":{"parameters":{"additionalProperties":{"type":"string"}}}}]}"#,
                r#"{"tools":[{"function":{"parameters":{"additionalProperties":{"type":"string"}}}}]}"#,
            ),
            (
                r#"{"tools":[{"function":{"parameters":{"default":{"strict":true}, "enum":["strict"]}}}]}"#,
                r#"{"tools":[{"function":{"parameters":{"default":{"strict":true}, "enum":["strict"]}}}]}"#,
            ),
        ],
    );
}

#[test]
fn a_schema_of_any_depth_is_survived() {
    let depth = 50_000;
    let body = format!(
        r#"{{"tools":[{{"function":{{"parameters":{}{{"strict":1}}{}}}}}]}}"#,
        r#"{"items":"#.repeat(depth),
        "}".repeat(depth)
    );
    let quirked = apply(&[Quirk::StripToolKeys(&["strict"])], "m", body.as_bytes(), &[]);
    assert_eq!(quirked.unwrap().body, None);
}

#[test]
fn message_and_part_keys_are_removed_where_they_are_refused() {
    becomes(
        &[Quirk::StripMessageKeys { keys: &["name"], except_roles: &["tool"] }],
        &[(
            r#"{"messages":[{"role":"user","name":"n","content":"name"},{"role":"tool","name":"n"}]}"#,
            r#"{"messages":[{"role":"user","content":"name"},{"role":"tool","name":"n"}]}"#,
        )],
    );
    becomes(
        &[Quirk::StripPartKeys(&["cache_control"])],
        &[(
            r#"{"messages":[{"content":[{"type":"text","text":"cache_control","cache_control":{"type":"ephemeral"}}]},{"content":"cache_control"}]}"#,
            r#"{"messages":[{"content":[{"type":"text","text":"cache_control"}]},{"content":"cache_control"}]}"#,
        )],
    );
    becomes(
        &[Quirk::StripNulls],
        &[(
            r#"{"messages":[{"role":"assistant","content":null,"audio":null},{"role":"user","name":null}]}"#,
            r#"{"messages":[{"role":"assistant","content":null},{"role":"user","name":null}]}"#,
        )],
    );
}

#[test]
fn fields_are_set_beside_what_they_belong_to() {
    becomes(
        &[Quirk::SetField { beside: "messages", field: "usage", json: r#"{"include":true}"# }],
        &[
            (r#"{"messages":[]}"#, r#"{"messages":[],"usage":{"include":true}}"#),
            (r#"{"usage":{"include":false},"messages":[]}"#, r#"{"usage":{"include":true},"messages":[]}"#),
            (r#"{"messages":[], "usage":{"include":true}}"#, r#"{"messages":[], "usage":{"include":true}}"#),
            (r#"{"input":"x"}"#, r#"{"input":"x"}"#),
        ],
    );
    becomes(&[Quirk::NoStreamOptions], &[(r#"{"stream_options":{},"stream":true}"#, r#"{"stream":true}"#)]);
}

#[test]
fn an_allowed_field_is_sent_as_it_is() {
    let quirks = [
        Quirk::Unsupported(&["seed", "n"]),
        Quirk::Drop("user"),
        Quirk::Rename { from: "a", to: "b" },
        Quirk::Clamp { field: "t", low: 0.0, high: 1.0 },
        Quirk::ToolChoiceRequired("any"),
    ];
    let body = r#"{"seed":1,"user":"u","a":1,"t":9,"tool_choice":"required","n":2}"#;
    let (after, losses) = run_for(&quirks, "m", body, &["seed", "user", "a", "t", "tool_choice"]);
    assert_eq!(after, r#"{"seed":1,"user":"u","a":1,"t":9,"tool_choice":"required"}"#);
    assert_eq!(losses, ["n"]);
}

#[test]
fn quirks_apply_in_order_each_to_what_is_left() {
    let quirks =
        [Quirk::Rename { from: "a", to: "b" }, Quirk::Rename { from: "b", to: "c" }, Quirk::Drop("c")];
    becomes(&quirks, &[(r#"{"a":1,"x":2}"#, r#"{"x":2}"#)]);
}

#[test]
fn reasoning_models_get_their_own_rules() {
    let quirks = find("openai").unwrap().quirks;
    let body = r#"{"max_tokens":5,"temperature":0.2,"stop":"x"}"#;
    for (model, after, lost) in [
        ("gpt-4o", body, &[][..]),
        ("o10", body, &[]),
        ("o3-mini", r#"{"max_completion_tokens":5,"stop":"x"}"#, &["temperature"]),
        ("azure/o1", r#"{"max_completion_tokens":5,"stop":"x"}"#, &["temperature"]),
        ("o_series/mine", r#"{"max_completion_tokens":5,"stop":"x"}"#, &["temperature"]),
        ("gpt-5-mini", r#"{"max_completion_tokens":5}"#, &["temperature", "stop"]),
        ("ft:gpt-5:org::id", r#"{"max_completion_tokens":5}"#, &["temperature", "stop"]),
        ("gpt-5.1", r#"{"max_completion_tokens":5,"temperature":0.2}"#, &["stop"]),
        ("gpt-5-chat-latest", body, &[]),
    ] {
        let (text, losses) = run_for(quirks, model, body, &[]);
        assert_eq!(
            (text.as_str(), losses.as_slice()),
            (after, lost.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().as_slice()),
            "{model}"
        );
    }
    let reasoning = r#"{"temperature":0.2,"reasoning_effort":"high"}"#;
    assert_eq!(run_for(quirks, "gpt-5.1", reasoning, &[]).1, ["temperature"]);
    let not = r#"{"temperature":0.2,"reasoning_effort":"none"}"#;
    assert_eq!(run_for(quirks, "gpt-5.1", not, &[]), (not.to_owned(), vec![]));
}

#[test]
fn hooks_do_what_data_cannot() {
    let lost = |hook, body| run(&[Quirk::Hook(hook)], body).1;
    assert_eq!(lost(hooks::tool_choice_auto_or_none, r#"{"tool_choice":"required"}"#), ["tool_choice"]);
    assert!(lost(hooks::tool_choice_auto_or_none, r#"{"tool_choice":"none"}"#).is_empty());
    assert_eq!(lost(hooks::no_required_tool, r#"{"tool_choice":"required"}"#), ["tool_choice"]);
    let asked = r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"Please select a tool to handle the current issue."}]}"#;
    assert_eq!(
        run(
            &[Quirk::Hook(hooks::ask_for_a_tool)],
            r#"{"messages":[{"role":"user","content":"a"}],"tool_choice":"required"}"#
        ),
        (asked.to_owned(), vec!["tool_choice".to_owned()]),
        "a model that is only asked may not call"
    );
    let unforced = r#"{"messages":[],"tool_choice":"auto"}"#;
    becomes(&[Quirk::Hook(hooks::ask_for_a_tool)], &[(unforced, unforced)]);
    becomes(
        &[Quirk::Hook(hooks::thinking_as_effort)],
        &[
            (r#"{"thinking":{"type":"disabled"}}"#, r#"{"reasoning_effort":"none"}"#),
            (r#"{"thinking":{"type":"enabled","budget_tokens":1024}}"#, r#"{"reasoning_effort":"low"}"#),
            (
                r#"{"thinking":{"type":"enabled","budget_tokens":9000},"reasoning_effort":"low"}"#,
                r#"{"reasoning_effort":"low"}"#,
            ),
            (r#"{"thinking":{"type":"adaptive"}}"#, r#"{"reasoning_effort":"medium"}"#),
        ],
    );
    assert!(lost(hooks::no_required_tool, r#"{"tool_choice":{"type":"function"}}"#).is_empty());
    let schema = r#"{"response_format":{"type":"json_schema","json_schema":{}}}"#;
    assert_eq!(
        run(&[Quirk::Hook(hooks::schema_as_json_object)], schema),
        (
            r#"{"response_format":{"type":"json_object"}}"#.to_owned(),
            vec!["response_format.json_schema".to_owned()]
        )
    );
    becomes(
        &[Quirk::Hook(hooks::json_object_as_schema)],
        &[
            (
                r#"{"response_format":{"type":"json_object"}}"#,
                r#"{"response_format":{"type":"json_schema","json_schema":{"name":"object","schema":{"type":"object"}}}}"#,
            ),
            (schema, schema),
        ],
    );
    becomes(
        &[Quirk::Hook(hooks::warm_for_several)],
        &[
            (r#"{"n":2,"temperature":0.1}"#, r#"{"n":2,"temperature":0.3}"#),
            (r#"{"n":1,"temperature":0.1}"#, r#"{"n":1,"temperature":0.1}"#),
        ],
    );
    becomes(
        &[Quirk::Hook(hooks::effort_as_thinking)],
        &[
            (r#"{"reasoning_effort":"low"}"#, r#"{"thinking":{"type":"enabled"}}"#),
            (r#"{"reasoning_effort":"none"}"#, r#"{"thinking":{"type":"disabled"}}"#),
            (
                r#"{"thinking":{"type":"disabled"},"reasoning_effort":"low"}"#,
                r#"{"thinking":{"type":"disabled"}}"#,
            ),
        ],
    );
}

/// The row's quirks on `body` for `model` at `version`: the new body and the fields lost.
fn at(name: &str, model: &str, version: Option<&str>, body: &str) -> (String, Vec<String>) {
    let quirked = apply_at(find(name).unwrap().quirks, model, version, body.as_bytes(), &[]).unwrap();
    let text = quirked.body.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap());
    (text, quirked.losses.into_iter().map(|loss| loss.field).collect())
}

#[test]
fn models_that_think_are_shown_what_they_thought_before_they_called() {
    let call = r#""tool_calls":[{"id":"c"}]"#;
    let body = |reasoning: &str, rest: &str| {
        format!(
            r#"{{"messages":[{{"role":"assistant","content":null,{call}{reasoning}}},{{"role":"assistant","content":"b"}}]{rest}}}"#
        )
    };
    let thinking = r#","thinking":{"type":"enabled"}"#;
    let blank = r#","reasoning_content":" ""#;
    for (name, model, before, after) in [
        ("deepseek", "deepseek-reasoner", body("", ""), body(blank, "")),
        ("deepseek", "deepseek-chat", body("", ""), body("", "")),
        ("deepseek", "deepseek-chat", body("", thinking), body(blank, thinking)),
        ("deepseek", "deepseek-chat", body("", r#","reasoning_effort":"high""#), body(blank, thinking)),
        (
            "deepseek",
            "deepseek-reasoner",
            body(r#","reasoning_content":"t""#, ""),
            body(r#","reasoning_content":"t""#, ""),
        ),
        (
            "deepseek",
            "deepseek-reasoner",
            body(r#","reasoning":"t""#, ""),
            body(r#","reasoning":"t","reasoning_content":"t""#, ""),
        ),
        (
            "deepseek",
            "deepseek-reasoner",
            body("", r#","thinking":{"type":"disabled"}"#),
            body("", r#","thinking":{"type":"disabled"}"#),
        ),
        ("moonshot", "kimi-k2-thinking", body("", ""), body(blank, "")),
        ("moonshot", "kimi-k2.5", body("", ""), body(blank, "")),
        ("moonshot", "kimi-k2-0905-preview", body("", ""), body("", "")),
    ] {
        assert_eq!(at(name, model, None, &before), (after, vec![]), "{name}/{model}");
    }
    assert_eq!(at("moonshot", "kimi-k2.5", None, r#"{"temperature":0.5}"#).1, ["temperature"]);
    assert_eq!(at("moonshot", "kimi-k2-thinking", None, r#"{"temperature":0.5}"#).1, [""; 0]);
}

#[test]
fn a_schema_is_told_in_words_where_it_cannot_be_enforced() {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
    let format = format!(
        r#""response_format":{{"type":"json_schema","json_schema":{{"name":"x","schema":{schema}}}}}"#
    );
    let body = format!(r#"{{"messages":[{{"role":"user","content":"a"}}],{format}}}"#);
    let words = serde_json::to_string(&format!(
        "Answer only with a JSON object that is valid for this JSON schema:\n{schema}"
    ))
    .unwrap();
    let told = format!(
        r#"{{"messages":[{{"role":"system","content":{words}}},{{"role":"user","content":"a"}}],"response_format":{{"type":"json_object"}}}}"#
    );
    for (name, model, version, after) in [
        ("groq", "llama-3.3-70b-versatile", None, &told),
        ("groq", "openai/gpt-oss-20b", None, &body),
        ("groq", "moonshotai/kimi-k2-instruct-0905", None, &body),
        ("azure", "gpt-4o", Some("2024-06-01"), &told),
        ("azure", "gpt-4o", Some("2024-08-01-preview"), &body),
        ("azure", "gpt-4o", Some("v1"), &body),
        ("azure", "gpt-35-turbo", Some("2025-02-01-preview"), &told),
        ("azure", "gpt-4-0613", None, &told),
    ] {
        let (found, losses) = at(name, model, version, &body);
        assert_eq!(&found, after, "{name}/{model} at {version:?}");
        let lost: &[&str] = if *after == body { &[] } else { &["response_format.json_schema"] };
        assert_eq!(losses, lost, "{name}/{model} at {version:?}");
    }
    let tools = format!(r#"{{"messages":[],"tools":[{{"type":"function"}}],{format}}}"#);
    assert_eq!(at("groq", "llama-3.3-70b-versatile", None, &tools).1, ["response_format"]);
}

#[test]
fn azure_learned_to_choose_tools_version_by_version() {
    let (required, auto) = (r#"{"tool_choice":"required"}"#, r#"{"tool_choice":{"type":"function"}}"#);
    for (version, body, lost) in [
        (Some("2023-07-01-preview"), auto, true),
        (Some("2023-12-01-preview"), auto, false),
        (Some("2024-05-01-preview"), required, true),
        (Some("2024-06-01"), required, false),
        (Some("latest"), required, false),
        (None, required, false),
    ] {
        assert_eq!(!at("azure", "gpt-4o", version, body).1.is_empty(), lost, "{body} at {version:?}");
    }
    assert!(Concerns::of(find("azure").unwrap().quirks, "gpt-4o").any(|field| field == "tool_choice", b"{}"));
}

#[test]
fn what_is_no_object_is_refused_by_name() {
    for body in ["[]", "7", "", "{", "{\"a\":1} x", "\u{feff}{}"] {
        let error = apply(&[Quirk::Drop("user")], "m", body.as_bytes(), &[]).unwrap_err();
        assert_eq!(error.field(), "body", "{body}");
    }
    assert!(apply(&[Quirk::Drop("user")], "m", b"{\"a\":\"\xff\"}", &[]).is_err());
}

#[test]
fn whitespace_around_values_changes_no_meaning() {
    let (body, _) = run(&[Quirk::Drop("user")], " { \"user\" : 1 ,\n \"x\" : [ 1 ] } ");
    assert_eq!(body, "{\"x\":[ 1 ]}");
}

/// Any JSON, as somebody might have typed it.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.00".to_owned()),
        Just("1e2".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\u0041\/""#.to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[ {} ]", list.join(" , "))),
            prop::collection::vec(("[a-z]{1,6}", inner), 0..4).prop_map(|members| {
                let list: Vec<_> =
                    members.iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
                format!("{{{}}}", list.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_body_that_no_quirk_concerns_is_not_rewritten(values in prop::collection::vec(json(), 0..6)) {
        let members: Vec<_> =
            values.iter().enumerate().map(|(at, value)| format!("\"x{at}\" : {value}")).collect();
        let body = format!("{{ {} }}", members.join(" ,"));
        for row in all() {
            let quirked = apply(row.quirks, "gpt-5", body.as_bytes(), &[]).unwrap();
            prop_assert_eq!(quirked, Quirked::default(), "{}", row.name);
        }
    }

    #[test]
    fn fields_that_no_quirk_names_keep_their_bytes(before in json(), after in json()) {
        let body = format!(r#"{{"first": {before} , "user":"u", "seed":5,"last":{after}}}"#);
        let quirks = [Quirk::Drop("user"), Quirk::Rename { from: "seed", to: "random_seed" }];
        let quirked = apply(&quirks, "m", body.as_bytes(), &[]).unwrap();
        let text = String::from_utf8(quirked.body.unwrap()).unwrap();
        prop_assert_eq!(text, format!(r#"{{"first":{before},"random_seed":5,"last":{after}}}"#));
    }

    #[test]
    fn no_row_breaks_a_body(
        messages in json(), tools in json(), choice in json(), format in json(), model in "[a-z0-9.-]{0,8}"
    ) {
        let body = format!(
            r#"{{"messages":{messages},"tools":{tools},"tool_choice":{choice},"response_format":{format},"n":2}}"#
        );
        for row in all() {
            let quirked = apply(row.quirks, &model, body.as_bytes(), &[]).unwrap();
            if let Some(edited) = quirked.body {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&edited).is_ok(), "{}", row.name);
            }
        }
    }
}

#[test]
fn what_openai_and_its_kin_do_not_know_is_lost_with_a_word() {
    let body = r#"{"model":"m","top_k":40}"#;
    for (name, model) in
        [("openai", "gpt-4.1"), ("azure", "gpt-4.1"), ("groq", "openai/gpt-oss-20b"), ("mistral", "m")]
    {
        let (found, losses) = at(name, model, None, body);
        assert_eq!((found.as_str(), losses), (r#"{"model":"m"}"#, vec!["top_k".to_owned()]), "{name}");
    }
    assert_eq!(
        at("hosted_vllm", "m", None, body),
        (body.to_owned(), vec![]),
        "servers of open models know it"
    );
}
