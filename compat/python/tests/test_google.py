"""Google's SDK against upstreams of every format: content, streams, functions, thinking, counting, failures."""

import json

import pytest
from google import genai
from google.genai import errors, types

from conftest import FORMATS, GATEWAY

WEATHER = types.FunctionDeclaration(
    name="weather",
    description="The weather of a city",
    parameters=types.Schema(
        type="OBJECT", properties={"city": types.Schema(type="STRING")}, required=["city"]
    ),
)
TOOLS = [types.Tool(function_declarations=[WEATHER])]
CALL = {"id": "call_paris", "name": "weather", "arguments": {"city": "Paris"}}

every_format = pytest.mark.parametrize("spoken", FORMATS)


@every_format
def test_content(google, at, spoken):
    model, _ = at(spoken)
    config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=100, temperature=0.5)
    reply = google.models.generate_content(model=model, contents="hello there", config=config)
    assert reply.text == "You said: hello there"
    assert reply.candidates[0].finish_reason == types.FinishReason.STOP
    used = reply.usage_metadata
    assert (used.prompt_token_count, used.candidates_token_count, used.total_token_count) == (4, 4, 8)
    assert reply.model_version


@every_format
def test_a_stream(google, at, spoken):
    model, _ = at(spoken)
    chunks = list(google.models.generate_content_stream(model=model, contents="hello there"))
    assert len([chunk for chunk in chunks if chunk.text]) > 2
    assert "".join(chunk.text or "" for chunk in chunks) == "You said: hello there"
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count == 6


@every_format
@pytest.mark.parametrize("streamed", [False, True])
def test_a_function_and_its_response(google, at, provider, spoken, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, tools=[CALL], times=1)
    off = types.AutomaticFunctionCallingConfig(disable=True)
    config = types.GenerateContentConfig(tools=TOOLS, automatic_function_calling=off)
    question = types.Content(role="user", parts=[types.Part(text="weather in Paris?")])
    asked = generate(google, streamed, model=model, contents=[question], config=config)
    (part,) = [part for part in asked.parts if part.function_call]
    assert (part.function_call.name, part.function_call.args) == ("weather", {"city": "Paris"})
    response = types.FunctionResponse(
        id=part.function_call.id, name="weather", response={"output": "it rains"}
    )
    answer = types.Content(role="user", parts=[types.Part(function_response=response)])
    told = generate(google, streamed, model=model, contents=[question, asked, answer], config=config)
    assert told.parts and not any(part.function_call for part in told.parts)
    body = provider.last(upstream).body
    assert "it rains" in body and "Paris" in body and body.count('"weather"') >= 2


def test_the_sdk_runs_a_function_by_itself(google, at, provider):
    model, upstream = at("messages")
    provider.script(upstream, tools=[CALL], times=1, then={"reply": "Take an umbrella."})
    cities = []

    def weather(city: str) -> str:
        """The weather of a city."""
        cities.append(city)
        return "it rains"

    config = types.GenerateContentConfig(tools=[weather])
    reply = google.models.generate_content(model=model, contents="weather in Paris?", config=config)
    assert (reply.text, cities) == ("Take an umbrella.", ["Paris"])
    assert "it rains" in provider.last(upstream).body


@pytest.mark.parametrize("spoken", ["messages", "gemini", "converse"])
def test_a_thought_goes_back_with_its_signature(google, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, thinking="Rain is likely.", tools=[CALL], times=1)
    config = types.GenerateContentConfig(
        tools=TOOLS,
        max_output_tokens=4096,
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2048),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    question = types.Content(role="user", parts=[types.Part(text="weather in Paris?")])
    asked = google.models.generate_content(model=model, contents=[question], config=config).candidates[0].content
    assert [part.text for part in asked.parts if part.thought] == ["Rain is likely."]
    assert any(part.thought_signature for part in asked.parts)
    (part,) = [part for part in asked.parts if part.function_call]
    response = types.FunctionResponse(id=part.function_call.id, name="weather", response={"output": "it rains"})
    answer = types.Content(role="user", parts=[types.Part(function_response=response)])
    # The provider checks that the signature is the one it gave, and where it must stand.
    google.models.generate_content(model=model, contents=[question, asked, answer], config=config)
    assert "ignature" in provider.last(upstream).body


@pytest.mark.parametrize("spoken", ["chat", "messages", "gemini"])
def test_an_answer_by_schema(google, at, provider, spoken):
    model, upstream = at(spoken)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    provider.script(upstream, reply='{"city": "Paris"}')
    config = {"response_mime_type": "application/json", "response_json_schema": schema}
    reply = google.models.generate_content(model=model, contents="which city?", config=config)
    assert json.loads(reply.text) == {"city": "Paris"}


@every_format
def test_tokens_are_counted(google, at, spoken):
    model, _ = at(spoken)
    counted = google.models.count_tokens(model=model, contents="hello there")
    assert 0 < counted.total_tokens < 50


STATUSES = [
    (400, errors.ClientError, "INVALID_ARGUMENT"),
    (401, errors.ClientError, "UNAUTHENTICATED"),
    (403, errors.ClientError, "PERMISSION_DENIED"),
    (404, errors.ClientError, "NOT_FOUND"),
    (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
    (500, errors.ServerError, "INTERNAL"),
    (503, errors.ServerError, "UNAVAILABLE"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("spoken", ["chat", "messages", "gemini"])
@pytest.mark.parametrize(("status", "exception", "word"), STATUSES)
def test_a_failure_of_the_upstream(google, at, provider, spoken, status, exception, word, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, status=status, error="the house is on fire")
    with pytest.raises(exception, match="the house is on fire") as failed:
        generate(google, streamed, model=model, contents="hello")
    assert (failed.value.code, failed.value.status) == (status, word)


def test_a_wrong_key(model):
    with genai.Client(api_key="sk-not-the-key", http_options={"base_url": GATEWAY}) as stranger:
        with pytest.raises(errors.ClientError) as refused:
            stranger.models.generate_content(model=model, contents="hello")
    assert (refused.value.code, refused.value.status) == (401, "UNAUTHENTICATED")


def test_an_unknown_model(google):
    with pytest.raises(errors.ClientError, match="gpt-nobody"):
        google.models.generate_content(model="gpt-nobody", contents="hello")


def test_leaving_a_stream_stops_the_upstream(google, at, provider):
    model, upstream = at("messages")
    provider.script(upstream, never_end=True)
    stream = google.models.generate_content_stream(model=model, contents="hello")
    next(stream)
    stream.close()
    provider.await_ending(upstream, "client_gone", seconds=2)


def generate(google, streamed, **request):
    """The content of one candidate, joined where it came in pieces."""
    if not streamed:
        return google.models.generate_content(**request).candidates[0].content
    parts = []
    for chunk in google.models.generate_content_stream(**request):
        content = chunk.candidates[0].content if chunk.candidates else None
        # Gemini ends with an empty text, which it would not take back.
        parts.extend(part for part in (content and content.parts) or [] if part.text != "")
    return types.Content(role="model", parts=parts)
