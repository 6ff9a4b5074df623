"""The Responses API of OpenAI's SDK: against a provider that speaks it, and against those that speak others."""

import json

import openai
import pytest

from conftest import FORMATS, user

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": False,
}
CALL = {"id": "call_paris", "name": "weather", "arguments": {"city": "Paris"}}

# `chat` stands for the provider that speaks the Responses API itself.
every_format = pytest.mark.parametrize("spoken", FORMATS)
others = pytest.mark.parametrize("spoken", [spoken for spoken in FORMATS if spoken != "chat"])


@every_format
def test_a_response(client, at, spoken):
    model, _ = at(spoken)
    reply = client.responses.create(model=model, instructions="Be brief.", input="hello there")
    assert (reply.object, reply.status, reply.error) == ("response", "completed", None)
    assert reply.output_text == "You said: hello there"
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (4, 4, 8)


@every_format
def test_a_stream(client, at, spoken):
    model, _ = at(spoken)
    with client.responses.stream(model=model, input="hello there") as stream:
        events = list(stream)
        whole = stream.get_final_response()
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(pieces) > 2
    assert "".join(pieces) == whole.output_text == "You said: hello there"
    assert [event.sequence_number for event in events] == sorted(event.sequence_number for event in events)
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert whole.usage.total_tokens == 6


@every_format
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_and_its_result(client, at, provider, spoken, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, tools=[CALL], times=1)
    request = {"model": model, "tools": [WEATHER], "store": False}
    send = final if streamed else create
    asked = send(client, input=user("weather in Paris?"), **request)
    (call,) = [item for item in asked.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "it rains"}
    said = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in asked.output]
    told = send(client, input=[*user("weather in Paris?"), *said, result], **request)
    assert told.status == "completed" and told.output_text
    body = provider.last(upstream).body
    assert "it rains" in body and "Paris" in body and body.count('"weather"') >= 2


@pytest.mark.parametrize("spoken", ["chat", "messages", "converse"])
def test_reasoning_goes_back_as_it_came(client, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, thinking="Rain is likely.", tools=[CALL], times=1)
    request = {
        "model": model,
        "tools": [WEATHER],
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
    }
    asked = client.responses.create(input=user("weather in Paris?"), **request)
    thought, call = asked.output
    assert (thought.type, call.type) == ("reasoning", "function_call")
    assert thought.summary[0].text == "Rain is likely."
    assert thought.encrypted_content
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "it rains"}
    said = [item.model_dump(exclude_none=True) for item in asked.output]
    # The provider checks that the signature is the one it gave, and where it must stand.
    client.responses.create(input=[*user("weather in Paris?"), *said, result], **request)
    body = provider.last(upstream).body
    assert "Rain is likely." in body and ('"signature"' in body or '"encrypted_content"' in body)


@every_format
def test_going_on_with_an_earlier_response(client, at, provider, spoken):
    model, upstream = at(spoken)
    first = client.responses.create(model=model, input="my name is Ada")
    second = client.responses.create(model=model, input=user("hello again"), previous_response_id=first.id)
    assert second.output_text == "You said: hello again"
    assert second.usage.input_tokens > 5
    if spoken != "chat":
        assert second.previous_response_id == first.id
        assert "my name is Ada" in provider.last(upstream).body


@others
def test_going_on_after_a_tool_and_a_stream(client, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, tools=[CALL], times=1)
    asked = final(client, model=model, input="weather in Paris?", tools=[WEATHER])
    (call,) = [item for item in asked.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "it rains"}
    told = client.responses.create(model=model, input=[result], tools=[WEATHER], previous_response_id=asked.id)
    assert told.status == "completed"
    body = provider.last(upstream).body
    assert "weather in Paris?" in body and "it rains" in body


@pytest.mark.parametrize("spoken", ["chat", "messages", "gemini"])
def test_a_kept_response_can_be_read_and_forgotten(client, at, spoken):
    model, _ = at(spoken)
    made = client.responses.create(model=model, input="hello there")
    kept = client.responses.retrieve(made.id)
    assert (kept.id, kept.output_text) == (made.id, "You said: hello there")
    (item,) = client.responses.input_items.list(made.id).data
    assert (item.role, item.content[0].text) == ("user", "hello there")
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


@pytest.mark.parametrize("spoken", ["messages", "gemini"])
def test_what_shall_not_be_kept_is_not(client, at, spoken):
    model, _ = at(spoken)
    made = client.responses.create(model=model, input="hello", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=model, input="hello", previous_response_id=made.id)
    assert refused.value.param == "previous_response_id"


@others
def test_a_reply_that_is_cut_is_incomplete(client, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, reply="one two", finish_reason="length")
    reply = client.responses.create(model=model, input="hello", max_output_tokens=16)
    assert (reply.status, reply.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert reply.output_text == "one two"


STATUSES = [
    (400, openai.BadRequestError),
    (401, openai.AuthenticationError),
    (403, openai.PermissionDeniedError),
    (404, openai.NotFoundError),
    (422, openai.UnprocessableEntityError),
    (429, openai.RateLimitError),
    (500, openai.InternalServerError),
    (503, openai.InternalServerError),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("spoken", ["chat", "messages", "cohere"])
@pytest.mark.parametrize(("status", "exception"), STATUSES)
def test_a_failure_of_the_upstream(client, at, provider, spoken, status, exception, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, status=status, error="the house is on fire")
    with pytest.raises(exception, match="the house is on fire") as failed:
        client.responses.create(model=model, input="hello", stream=streamed)
    assert failed.value.status_code == status


@others
def test_a_field_of_the_wrong_type_is_named(client, at, spoken):
    model, _ = at(spoken)
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=model, input="hello", max_output_tokens="many")
    assert "max_output_tokens" in str(refused.value)


def test_a_stream_that_breaks_off_says_so(client, at, provider):
    model, upstream = at("messages")
    provider.script(upstream, chunks=["one ", "two ", "three"], chunk_ms=20, cut_after_chunks=2)
    events = list(client.responses.create(model=model, input="hello", stream=True))
    assert "response.output_text.delta" in [event.type for event in events]
    assert events[-1].type == "response.failed"
    assert events[-1].response.status == "failed" and events[-1].response.error.message


@pytest.mark.parametrize("spoken", ["chat", "messages"])
def test_closing_a_stream_stops_the_upstream(client, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, never_end=True)
    stream = client.responses.create(model=model, input="hello", stream=True)
    next(iter(stream))
    stream.close()
    provider.await_ending(upstream, "client_gone", seconds=2)


def create(client, **request):
    return client.responses.create(**request)


def final(client, **request):
    with client.responses.stream(**request) as stream:
        for _ in stream:
            pass
        return stream.get_final_response()
