//! Oracle's replies, respelled as OpenAI's and read by its readers: the choices of a whole reply stand in
//! `chatResponse`, an event of a stream is one choice. A stream ends with its bytes; whether it is complete is said
//! by its choices.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codec::{Finish, Read, ReplyReader, StreamDecoder};
use crate::event::ChatEvent;
use crate::fault::TranslateError;
use crate::frame::{Frame, Framing};
use crate::openai_chat::{malformed, object, text};
use crate::reply::ChatResponse;

/// Reads the reply to one request.
pub(super) struct OracleReader {
    pub(super) inner: Box<dyn ReplyReader>,
}

impl ReplyReader for OracleReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let reply: Reply<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        let chat: ChatReply<'_> =
            (reply.chat_response.and_then(object)).ok_or_else(|| malformed("chatResponse", "is required"))?;
        let choices = chat.choices.ok_or_else(|| malformed("chatResponse.choices", "is required"))?;
        let choices: Vec<Choice<'_>> = choices.into_iter().filter_map(object).collect();
        let respelled = Respelled {
            model: reply.model_id.map(text),
            choices: choices.iter().map(|choice| choice.respelled(true)).collect(),
            usage: chat.usage.and_then(counted),
        };
        let body = serde_json::to_vec(&respelled).map_err(|error| malformed("body", &error.to_string()))?;
        self.inner.whole(&body)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(OracleDecoder { inner: self.inner.stream() })
    }
}

struct OracleDecoder {
    inner: Box<dyn StreamDecoder>,
}

impl StreamDecoder for OracleDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let event = serde_json::from_str::<&RawValue>(frame.data).ok().and_then(object::<Event<'_>>);
        // What is no event of Oracle's (an error, `[DONE]`, garbage) is judged as OpenAI's would be.
        let Some(event) = event.filter(|event| event.choice.is_one() || event.usage.is_some()) else {
            return self.inner.frame(frame, out);
        };
        let respelled = Respelled {
            model: None,
            choices: event.choice.is_one().then(|| event.choice.respelled(false)).into_iter().collect(),
            usage: event.usage.and_then(counted),
        };
        match serde_json::to_string(&respelled) {
            Ok(data) => self.inner.frame(&Frame { event: frame.event, data: &data }, out),
            Err(error) => Read::Corrupt(error.to_string()),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        self.inner.end(out)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    model_id: Option<&'a RawValue>,
    chat_response: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct ChatReply<'a> {
    choices: Option<Vec<&'a RawValue>>,
    usage: Option<&'a RawValue>,
}

struct Event<'a> {
    choice: Choice<'a>,
    usage: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'a RawValue>::deserialize(deserializer)?;
        #[derive(Default, Deserialize)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Counted<'a> {
            usage: Option<&'a RawValue>,
        }
        let usage = object::<Counted<'_>>(raw).and_then(|counted| counted.usage);
        Ok(Self { choice: object(raw).unwrap_or_default(), usage: usage.filter(|raw| raw.get() != "null") })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Choice<'a> {
    index: Option<u32>,
    message: Option<&'a RawValue>,
    finish_reason: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Message<'a> {
    content: Option<Vec<&'a RawValue>>,
    reasoning_content: Option<&'a RawValue>,
    refusal: Option<&'a RawValue>,
    tool_calls: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Part<'a> {
    text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Call<'a> {
    id: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    arguments: Option<&'a RawValue>,
}

impl Choice<'_> {
    fn is_one(&self) -> bool {
        self.message.is_some() || self.finish_reason.is_some_and(|reason| reason.get() != "null")
    }

    fn respelled(&self, whole: bool) -> RespelledChoice<'_> {
        let message: Message<'_> = self.message.and_then(object).unwrap_or_default();
        let parts = message.content.unwrap_or_default().into_iter().filter_map(object::<Part<'_>>);
        let content: String = parts.filter_map(|part| part.text.map(text)).collect();
        let calls = message.tool_calls.unwrap_or_default().into_iter().filter_map(object::<Call<'_>>);
        let calls: Vec<RespelledCall<'_>> = calls
            .map(|call| RespelledCall {
                id: call.id,
                function: Function { name: call.name, arguments: call.arguments },
            })
            .collect();
        let message = RespelledMessage {
            content: (!content.is_empty()).then_some(content),
            reasoning_content: message.reasoning_content,
            refusal: message.refusal,
            tool_calls: (!calls.is_empty()).then_some(calls),
        };
        let (message, delta) = if whole { (Some(message), None) } else { (None, Some(message)) };
        RespelledChoice {
            index: self.index.unwrap_or(0),
            message,
            delta,
            finish_reason: self.finish_reason.map(text).map(|word| Cow::Owned(word.to_ascii_lowercase())),
        }
    }
}

#[derive(Serialize)]
struct Respelled<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Cow<'a, str>>,
    choices: Vec<RespelledChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Counts>,
}

#[derive(Serialize)]
struct RespelledChoice<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<RespelledMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<RespelledMessage<'a>>,
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct RespelledMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<RespelledCall<'a>>>,
}

#[derive(Serialize)]
struct RespelledCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a RawValue>,
}

/// What was used, under OpenAI's names.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Counts {
    #[serde(alias = "promptTokens")]
    prompt_tokens: u64,
    #[serde(alias = "completionTokens")]
    completion_tokens: u64,
    #[serde(alias = "totalTokens")]
    total_tokens: u64,
    #[serde(alias = "promptTokensDetails", skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(alias = "completionTokensDetails", skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(alias = "cachedTokens")]
    cached_tokens: Option<u64>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(alias = "reasoningTokens")]
    reasoning_tokens: Option<u64>,
}

fn counted(usage: &RawValue) -> Option<Counts> {
    object(usage)
}
