use serde_json::{Value, json};

use super::{Outcome, assert_refused, post, provider};

const PATH: &str = "/v1beta/models/gemini-2.5-flash:generateContent";

/// The light bulb conversation of the function calling guide.
fn lights() -> Value {
    json!({
        "contents": [
            {"role": "user", "parts": [{"text": "Turn the lights down to a romantic level"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "set_light_values", "args": {"brightness": 25}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "set_light_values", "response": {"brightness": 25}}}]}],
        "tools": [{"functionDeclarations": [{"name": "set_light_values", "description": "Sets the brightness.", "parameters": {
            "type": "object", "properties": {"brightness": {"type": "integer"}, "mood": {"type": "string", "enum": ["warm"]}}, "required": ["brightness"]}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["set_light_values"]}},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 100},
    })
}

#[tokio::test]
async fn a_reply_has_thoughts_calls_and_counts() -> Outcome {
    let provider = provider(
        json!({"thinking": "Dim them.", "tools": [{"id": "call_1", "name": "set_light_values", "arguments": {"brightness": 25}}]}),
    )?;
    let reply = post(&provider, PATH, lights()).await?.json();
    let candidate = &reply["candidates"][0];
    assert_eq!(
        (&candidate["finishReason"], &candidate["content"]["role"]),
        (&json!("STOP"), &json!("model"))
    );
    let parts = &candidate["content"]["parts"];
    assert_eq!(parts[0], json!({"text": "Dim them.", "thought": true}));
    assert_eq!(
        parts[1]["functionCall"],
        json!({"id": "call_1", "name": "set_light_values", "args": {"brightness": 25}})
    );
    assert!(parts[1]["thoughtSignature"].is_string());
    let usage = &reply["usageMetadata"];
    assert_eq!(
        [
            &usage["promptTokenCount"],
            &usage["candidatesTokenCount"],
            &usage["thoughtsTokenCount"],
            &usage["totalTokenCount"]
        ],
        [8, 2, 2, 12]
    );

    let signed = json!([{"role": "user", "parts": [{"text": "Dim"}]}, {"role": "model", "parts": parts}, {"role": "user", "parts": [{"functionResponse": {"name": "set_light_values", "response": {}}}]}]);
    let third = "/v1beta/models/gemini-3-pro-preview:generateContent";
    let mut body = lights();
    body["contents"] = signed;
    assert_eq!(post(&provider, third, body.clone()).await?.status, 200);
    body["contents"][1]["parts"][1].as_object_mut().unwrap().remove("thoughtSignature");
    let refused = post(&provider, third, body).await?.json();
    assert!(
        refused["error"]["message"].as_str().unwrap().contains("missing a thought_signature"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn streams_come_as_events_or_as_one_array() -> Outcome {
    let provider = provider(json!({}))?;
    let body = json!({"contents": [{"parts": [{"text": "Explain how AI works"}]}]});
    let path =
        "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:streamGenerateContent";
    let events = post(&provider, &format!("{path}?alt=sse"), body.clone()).await?;
    let array = post(&provider, path, body.clone()).await?;
    assert_eq!(
        (events.header("content-type"), array.header("content-type")),
        ("text/event-stream", "application/json")
    );
    let texts = |frames: &[Value]| -> String {
        frames
            .iter()
            .filter_map(|frame| frame["candidates"][0]["content"]["parts"][0]["text"].as_str())
            .collect()
    };
    let (events, array) = (events.events(), array.json());
    assert_eq!(texts(&events), "You said: Explain how AI works");
    assert_eq!(texts(array.as_array().unwrap()), texts(&events));
    let finished: Vec<bool> =
        events.iter().map(|event| event["candidates"][0].get("finishReason").is_some()).collect();
    assert_eq!(finished.iter().position(|finished| *finished), Some(events.len() - 1));
    assert_eq!(events.last().unwrap()["usageMetadata"]["candidatesTokenCount"], 6);
    let refused = post(&provider, path, json!({})).await?;
    assert_eq!((refused.status, &refused.json()[0]["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    Ok(())
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_by_name() -> Outcome {
    let provider = provider(json!({}))?;
    let parameters = "/tools/0/functionDeclarations/0/parameters";
    let at = |rest: &str| format!("{parameters}{rest}");
    let (closed, kind, pick, list) = (
        at("/additionalProperties"),
        at("/properties/brightness/type"),
        at("/properties/brightness/enum"),
        at("/properties/mood"),
    );
    let changes = vec![
        ("/messages", json!([]), "Unknown name \"messages\": Cannot find field."),
        ("/generationConfig/maxTokens", json!(1), "Unknown name \"maxTokens\" at 'generationConfig'"),
        ("/generationConfig/temperature", json!(2.5), "generationConfig.temperature: must be at most 2"),
        ("/generationConfig/stopSequences", json!(["a", "b", "c", "d", "e", "f"]), "at most 5"),
        (
            "/generationConfig/thinkingConfig",
            json!({"thinkingLevel": "low"}),
            "Thinking level is not supported",
        ),
        ("/generationConfig/responseSchema", json!({"type": "object"}), "response_mime_type"),
        ("/contents/0/role", json!("assistant"), "Please use a valid role: user, model."),
        ("/contents/0/parts", json!([]), "contents[0].parts: contents.parts must not be empty."),
        (
            "/contents/0/parts/0",
            json!({"text": ""}),
            "required oneof field 'data' must have one initialized field",
        ),
        (
            "/contents/0/parts/0",
            json!({"inlineData": {"mimeType": "image/png", "data": "???"}}),
            "Base64 decoding failed",
        ),
        (
            "/contents/0/parts/0",
            json!({"fileData": {"fileUri": "data:image/png;base64,aGk="}}),
            "Cannot fetch content",
        ),
        (
            "/contents/1/parts/0/functionCall/args",
            json!("{}"),
            "contents[1].parts[0].functionCall.args' (expected object)",
        ),
        (
            "/contents/2/parts",
            json!([{"text": "done"}]),
            "number of function response parts is equal to the number of function call parts",
        ),
        (
            "/contents/1/parts",
            json!([{"text": "done"}]),
            "function response turn comes immediately after a function call turn",
        ),
        (
            closed.as_str(),
            json!(false),
            "Unknown name \"additionalProperties\" at 'tools[0].functionDeclarations[0].parameters': Cannot find field.",
        ),
        (kind.as_str(), json!(["integer", "null"]), "Proto field is not repeating, cannot start list."),
        (pick.as_str(), json!(["1"]), "only allowed for STRING type"),
        (list.as_str(), json!({"type": "array"}), "properties.mood.items: missing field."),
        ("/tools/1", json!({"googleSearch": {}}), "Tool use with function calling is unsupported"),
        (
            "/toolConfig/functionCallingConfig/mode",
            json!("AUTO"),
            "allowed_function_names should only be set",
        ),
    ];
    let mut good = lights();
    good["tools"].as_array_mut().unwrap().push(json!({"functionDeclarations": []}));
    assert_refused(&provider, PATH, &good, "/error/message", changes).await
}

#[tokio::test]
async fn names_may_be_in_snake_case() -> Outcome {
    let provider = provider(json!({}))?;
    let body = json!({"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"parts": [{"text": "Hi"}]}], "generation_config": {"max_output_tokens": 5}});
    let reply = post(&provider, PATH, body).await?.json();
    assert_eq!(reply["usageMetadata"]["promptTokenCount"], 3, "{reply}");
    Ok(())
}

#[tokio::test]
async fn tokens_are_counted_and_texts_embedded() -> Outcome {
    let provider = provider(json!({}))?;
    let content = |text: &str| json!({"parts": [{"text": text}]});
    let counted = post(
        &provider,
        "/v1beta/models/gemini-2.5-flash:countTokens",
        json!({"contents": [content("one two three")]}),
    )
    .await?;
    assert_eq!(counted.json()["totalTokens"], 3);
    let model = "/v1beta/models/gemini-embedding-001";
    let single = post(
        &provider,
        &format!("{model}:embedContent"),
        json!({"model": "models/gemini-embedding-001", "content": content("red fish")}),
    )
    .await?
    .json();
    let request =
        |name: &str| json!({"model": name, "content": content("red fish"), "taskType": "RETRIEVAL_QUERY"});
    let batch = post(
        &provider,
        &format!("{model}:batchEmbedContents"),
        json!({"requests": [request("models/gemini-embedding-001")]}),
    )
    .await?
    .json();
    assert_eq!(batch["embeddings"][0], single["embedding"]);
    let refused = post(
        &provider,
        &format!("{model}:batchEmbedContents"),
        json!({"requests": [request("gemini-embedding-001")]}),
    )
    .await?;
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("requests[0].model"));
    let vertex = "/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005:predict";
    let reply = post(&provider, vertex, json!({"instances": [{"content": "red fish", "task_type": "RETRIEVAL_QUERY"}], "parameters": {"outputDimensionality": 256}})).await?.json();
    let embeddings = &reply["predictions"][0]["embeddings"];
    assert_eq!(
        (embeddings["values"].as_array().map(Vec::len), &embeddings["statistics"]["token_count"]),
        (Some(256), &json!(2))
    );
    Ok(())
}
