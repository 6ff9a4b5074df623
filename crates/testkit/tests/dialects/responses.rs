use serde_json::{Value, json};

use super::{Outcome, assert_refused, post, provider, send};

fn weather() -> Value {
    json!({
        "model": "gpt-4.1", "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "get_weather", "description": "Get current temperature.", "strict": true, "parameters": {
            "type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"], "additionalProperties": false}}],
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "What is the weather like in Paris today?"}]},
            {"type": "function_call", "id": "fc_12345xyz", "call_id": "call_12345xyz", "name": "get_weather", "arguments": "{\"location\":\"Paris, France\"}"},
            {"type": "function_call_output", "call_id": "call_12345xyz", "output": "14"}],
    })
}

#[tokio::test]
async fn the_stream_is_the_documented_sequence_and_ends_in_the_whole_response() -> Outcome {
    let script = json!({"thinking": "Hm.", "chunks": ["Hi ", "there"], "tools": [{"id": "call_1", "name": "get_weather", "arguments": "{\"a\":1}"}]});
    let provider = provider(script)?;
    let body =
        json!({"model": "gpt-5", "input": "Hi", "stream": true, "include": ["reasoning.encrypted_content"]});
    let events = post(&provider, "/v1/responses", body).await?.events();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .map(|kind| &kind["response.".len()..])
        .collect();
    assert_eq!(
        kinds,
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..21).collect::<Vec<u64>>());
    let response = &events[20]["response"];
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(json!(done), response["output"]);
    assert!(response["output"][0]["encrypted_content"].is_string());
    assert_eq!(response["output"][1]["content"][0]["text"], "Hi there");
    assert_eq!(
        (&response["output"][2]["call_id"], &response["output"][2]["arguments"]),
        (&json!("call_1"), &json!("{\"a\":1}"))
    );
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 6})
    );
    let id = response["id"].as_str().unwrap();
    let kept = send(&provider, "GET", &format!("/v1/responses/{id}"), &[], &Value::Null).await?.json();
    assert_eq!(&kept, response);
    Ok(())
}

#[tokio::test]
async fn responses_are_kept_continued_listed_and_deleted() -> Outcome {
    let provider = provider(json!({}))?;
    let first =
        post(&provider, "/v1/responses", json!({"model": "gpt-4.1", "input": "one two"})).await?.json();
    let id = first["id"].as_str().unwrap();
    let next = json!({"model": "gpt-4.1", "input": [{"role": "user", "content": "three"}], "previous_response_id": id});
    let second = post(&provider, "/v1/responses", next.clone()).await?.json();
    // The earlier question and answer are prompt too.
    assert_eq!((&second["usage"]["input_tokens"], &second["previous_response_id"]), (&json!(7), &json!(id)));
    assert_eq!(second["output"][0]["content"][0]["text"], "You said: three");
    let counted = post(
        &provider,
        "/v1/responses/input_tokens",
        json!({"model": "gpt-4.1", "input": "Tell me a joke."}),
    )
    .await?
    .json();
    assert_eq!(counted, json!({"object": "response.input_tokens", "input_tokens": 4}));

    let path = format!("/v1/responses/{id}");
    let items = send(&provider, "GET", &format!("{path}/input_items"), &[], &Value::Null).await?.json();
    assert_eq!(items["data"][0]["content"], json!([{"type": "input_text", "text": "one two"}]));
    let deleted = send(&provider, "DELETE", &path, &[], &Value::Null).await?.json();
    assert_eq!(deleted, json!({"id": id, "object": "response", "deleted": true}));
    assert_eq!(send(&provider, "GET", &path, &[], &Value::Null).await?.status, 404);
    let refused = post(&provider, "/v1/responses", next).await?;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!("previous_response_not_found"))
    );
    let unkept =
        post(&provider, "/v1/responses", json!({"model": "m", "input": "x", "store": false})).await?.json();
    let path = format!("/v1/responses/{}", unkept["id"].as_str().unwrap());
    assert_eq!(send(&provider, "GET", &path, &[], &Value::Null).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_reply_cut_short_is_incomplete() -> Outcome {
    let provider = provider(json!({"finish_reason": "length"}))?;
    let reply =
        post(&provider, "/v1/responses", json!({"model": "m", "input": "x", "max_output_tokens": 16}))
            .await?
            .json();
    assert_eq!(
        (&reply["status"], &reply["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    Ok(())
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_by_name() -> Outcome {
    let provider = provider(json!({}))?;
    let changes = vec![
        ("/stop", json!(["x"]), "Unknown parameter: 'stop'."),
        ("/max_tokens", json!(50), "Unknown parameter: 'max_tokens'."),
        ("/max_output_tokens", json!(5), "Expected a value >= 16."),
        (
            "/input/0/content/0/type",
            json!("text"),
            "Invalid value for 'input[0].content[0].type'. Supported values are: 'input_text'",
        ),
        ("/input/1/id", json!("call_1"), "Expected an ID that begins with 'fc'."),
        ("/input/1/call_id", json!("other"), "No tool output found for function call other."),
        ("/input/1/arguments", json!({}), "Invalid type for 'input[1].arguments': expected string."),
        (
            "/input/1",
            json!({"role": "user", "content": "x"}),
            "No tool call found for function call output with call_id call_12345xyz.",
        ),
        (
            "/input/2",
            json!({"type": "reasoning", "id": "rs_1", "summary": [], "status": null}),
            "Unknown parameter: 'input[2].status'.",
        ),
        (
            "/tools/0",
            json!({"type": "function", "function": {"name": "f"}}),
            "Missing required parameter: 'tools[0].name'.",
        ),
        ("/tools/0/parameters/required", json!([]), "Missing 'location'"),
        (
            "/tools/0/parameters/additionalProperties",
            json!(true),
            "Invalid schema for function 'get_weather': 'additionalProperties' is required to be supplied and to be false",
        ),
        ("/tool_choice", json!("any"), "supported values are: 'none', 'auto', and 'required'"),
        (
            "/text",
            json!({"format": {"type": "json_schema", "json_schema": {}}}),
            "Unknown parameter: 'text.format.json_schema'.",
        ),
        ("/reasoning", json!({"effort": "huge"}), "'reasoning.effort'"),
    ];
    assert_refused(&provider, "/v1/responses", &weather(), "/error/message", changes).await?;
    let body = json!({"model": "gpt-5", "input": "x", "temperature": 0.2});
    let error = post(&provider, "/v1/responses", body).await?.json();
    let expected = json!({"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model.", "type": "invalid_request_error", "param": "temperature", "code": null}});
    assert_eq!(error, expected);
    let alone = json!({"model": "gpt-5", "input": [{"role": "user", "content": "x"}, {"type": "reasoning", "id": "rs_1", "summary": []}]});
    let error = post(&provider, "/v1/responses", alone).await?.json();
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("'rs_1' of type 'reasoning' was provided without its required following item")
    );
    Ok(())
}
