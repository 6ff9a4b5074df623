use serde_json::{Value, json};

use super::{Outcome, assert_refused, post, provider};

const CONVERSE: &str = "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/converse";

/// The tool conversation of the Converse API's guide.
fn radio() -> Value {
    json!({
        "messages": [
            {"role": "user", "content": [{"text": "What is the most popular song on WZPZ?"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "name": "top_song", "input": {"sign": "WZPZ"}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "content": [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]}}]}],
        "inferenceConfig": {"maxTokens": 512, "temperature": 0.5},
        "toolConfig": {"tools": [{"toolSpec": {"name": "top_song", "description": "Get the most popular song played on a radio station.", "inputSchema": {"json": {
            "type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]}}}}]},
    })
}

/// Event type and payload of every frame, with lengths and checksums checked.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let number = |bytes: &[u8]| bytes[..4].iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let checksum = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    };
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (total, head) = (number(bytes) as usize, number(&bytes[4..]) as usize);
        assert_eq!(number(&bytes[8..]), checksum(&bytes[..8]));
        assert_eq!(number(&bytes[total - 4..]), checksum(&bytes[..total - 4]));
        let mut headers = &bytes[12..12 + head];
        let mut kind = String::new();
        while let Some((length, rest)) = headers.split_first() {
            let (name, rest) = rest.split_at(usize::from(*length));
            assert_eq!(rest[0], 7, "every header is a string");
            let size = usize::from(rest[1]) << 8 | usize::from(rest[2]);
            if name == b":event-type" {
                kind = String::from_utf8(rest[3..3 + size].to_vec()).unwrap();
            }
            headers = &rest[3 + size..];
        }
        frames.push((kind, serde_json::from_slice(&bytes[12 + head..total - 4]).unwrap()));
        bytes = &bytes[total..];
    }
    frames
}

#[tokio::test]
async fn converse_has_the_documented_shape_whole_and_streamed() -> Outcome {
    let script = json!({"thinking": "Check.", "reply": "Calling it.", "tools": [{"id": "tooluse_1", "name": "top_song", "arguments": {"sign": "WZPZ"}}]});
    let provider = provider(script)?;
    let whole = post(&provider, CONVERSE, radio()).await?.json();
    let content = &whole["output"]["message"]["content"];
    assert_eq!(content[0]["reasoningContent"]["reasoningText"]["text"], "Check.");
    assert_eq!(content[1], json!({"text": "Calling it."}));
    assert_eq!(
        content[2],
        json!({"toolUse": {"toolUseId": "tooluse_1", "name": "top_song", "input": {"sign": "WZPZ"}}})
    );
    assert_eq!(
        (&whole["stopReason"], &whole["usage"]),
        (&json!("tool_use"), &json!({"inputTokens": 8, "outputTokens": 5, "totalTokens": 13}))
    );

    let stream = post(&provider, &format!("{CONVERSE}-stream"), radio()).await?;
    assert_eq!(stream.header("content-type"), "application/vnd.amazon.eventstream");
    let events = frames(&stream.bytes);
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    let (delta, stop) = ("contentBlockDelta", "contentBlockStop");
    assert_eq!(
        kinds,
        [
            "messageStart",
            delta,
            delta,
            stop,
            delta,
            delta,
            stop,
            "contentBlockStart",
            delta,
            delta,
            stop,
            "messageStop",
            "metadata"
        ]
    );
    let input: String =
        events.iter().filter_map(|(_, event)| event["delta"]["toolUse"]["input"].as_str()).collect();
    assert_eq!(input, r#"{"sign":"WZPZ"}"#);
    let signature = &content[0]["reasoningContent"]["reasoningText"]["signature"];
    assert!(events.iter().any(|(_, event)| &event["delta"]["reasoningContent"]["signature"] == signature));
    assert_eq!(events[12].1["usage"], whole["usage"]);
    Ok(())
}

#[tokio::test]
async fn what_converse_refuses_is_refused_by_name() -> Outcome {
    let provider = provider(json!({}))?;
    let content = |block: Value| json!([block]);
    let changes = vec![
        ("/max_tokens", json!(5), "extraneous key [max_tokens] is not permitted"),
        ("/inferenceConfig/topK", json!(5), "#/inferenceConfig: extraneous key [topK] is not permitted"),
        ("/inferenceConfig/temperature", json!(1.5), "'inferenceConfig.temperature'"),
        ("/messages/0/role", json!("assistant"), "A conversation must start with a user message"),
        ("/messages/1/role", json!("user"), "A conversation must alternate between user and assistant roles"),
        ("/messages/0/content", content(json!({"text": " "})), "messages.0.content.0 is blank"),
        (
            "/messages/0/content",
            content(json!({"image": {"format": "png", "source": {"url": "https://example.com"}}})),
            "extraneous key [url]",
        ),
        (
            "/messages/0/content",
            content(json!({"image": {"format": "bmp", "source": {"bytes": "aGk="}}})),
            "enum value set: [png, jpeg, gif, webp]",
        ),
        (
            "/messages/0/content",
            content(json!({"video": {"format": "3gp", "source": {"bytes": "aGk="}}})),
            "three_gp",
        ),
        (
            "/messages/0/content",
            content(json!({"document": {"name": "a", "source": {"bytes": "aGk="}}})),
            "A text block must be included",
        ),
        (
            "/messages/1/content",
            content(json!({"text": "No."})),
            "The number of toolResult blocks at messages.2.content exceeds",
        ),
        (
            "/messages/2/content",
            content(json!({"text": "Well?"})),
            "Expected toolResult blocks at messages.2.content for the following Ids: tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
        ),
        (
            "/toolConfig",
            Value::Null,
            "The toolConfig field must be defined when using toolUse and toolResult content blocks",
        ),
        ("/toolConfig/tools/0/toolSpec/name", json!("a.b"), "[a-zA-Z0-9_-]+"),
        (
            "/toolConfig/tools/0/toolSpec/inputSchema/json",
            json!({}),
            "inputSchema.json.type must be one of the following: object",
        ),
        ("/toolConfig/toolChoice", json!({"none": {}}), "extraneous key [none]"),
    ];
    assert_refused(&provider, CONVERSE, &radio(), "/message", changes).await?;
    let refused = post(&provider, CONVERSE, json!({"messages": []})).await?;
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (400, "ValidationException"));
    Ok(())
}

#[tokio::test]
async fn tokens_embeddings_and_rankings_are_served() -> Outcome {
    let provider = provider(json!({}))?;
    let count = json!({"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "three little words"}]}]}}});
    let counted =
        post(&provider, "/model/anthropic.claude-sonnet-4-20250514-v1:0/count-tokens", count).await?;
    assert_eq!(counted.json(), json!({"inputTokens": 3}));

    let titan = json!({"inputText": "What are the different services that you offer?", "dimensions": 256, "normalize": true});
    let reply = post(&provider, "/model/amazon.titan-embed-text-v2%3A0/invoke", titan).await?.json();
    assert_eq!(
        (reply["embedding"].as_array().map(Vec::len), &reply["inputTextTokenCount"]),
        (Some(256), &json!(8))
    );
    let refused =
        post(&provider, "/model/amazon.titan-embed-text-v2:0/invoke", json!({"inputText": "a", "texts": []}))
            .await?;
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (400, "ValidationException"));

    let cohere = json!({"texts": ["a b", "c"], "input_type": "search_document"});
    let reply = post(&provider, "/model/cohere.embed-english-v3/invoke", cohere).await?.json();
    assert_eq!(
        (&reply["response_type"], reply["embeddings"].as_array().map(Vec::len)),
        (&json!("embeddings_floats"), Some(2))
    );

    let source = |text: &str| json!({"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}});
    let arn = "arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0";
    let configuration = json!({"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": arn}, "numberOfResults": 1}});
    let mut rerank = json!({"queries": [{"type": "TEXT", "textQuery": {"text": "red fish"}}], "sources": [source("a dog"), source("red fish")], "rerankingConfiguration": configuration});
    assert_eq!(
        post(&provider, "/rerank", rerank.clone()).await?.json(),
        json!({"results": [{"index": 1, "relevanceScore": 1.0}]})
    );
    assert_eq!(provider.requests_for("cohere.rerank-v3-5:0").len(), 1);
    rerank["sources"][0]["type"] = json!("S3");
    assert!(
        post(&provider, "/rerank", rerank).await?.json()["message"]
            .as_str()
            .unwrap()
            .contains("sources.0.type")
    );
    Ok(())
}
