"""Anthropic's SDK against upstreams of every format: messages, streams, tools, thinking, counting."""

import json

import anthropic
import pytest

from conftest import FORMATS, user

WEATHER = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL = {"id": "call_paris", "name": "weather", "arguments": {"city": "Paris"}}
THINKING = {"type": "enabled", "budget_tokens": 2048}

every_format = pytest.mark.parametrize("spoken", FORMATS)
# Those whose thinking carries a signature that must come back.
signed_formats = pytest.mark.parametrize("spoken", ["messages", "gemini", "converse"])


@every_format
def test_a_message(claude, at, spoken):
    model, _ = at(spoken)
    reply = claude.messages.create(
        model=model, max_tokens=100, system="Be brief.", messages=user("hello there"), stop_sequences=["STOP"]
    )
    assert (reply.type, reply.role, reply.stop_reason) == ("message", "assistant", "end_turn")
    assert [(block.type, block.text) for block in reply.content] == [("text", "You said: hello there")]
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (4, 4)


@every_format
def test_a_stream(claude, at, spoken):
    model, _ = at(spoken)
    with claude.messages.stream(model=model, max_tokens=100, messages=user("hello there")) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message()
    assert len(pieces) > 2
    assert "".join(pieces) == whole.content[0].text == "You said: hello there"
    assert whole.stop_reason == "end_turn"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (2, 4)


@every_format
def test_a_reply_that_is_cut_says_so(claude, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, reply="one two", finish_reason="length")
    for reply in (
        claude.messages.create(model=model, max_tokens=2, messages=user("hello")),
        final(claude, model=model, max_tokens=2, messages=user("hello")),
    ):
        assert (reply.content[0].text, reply.stop_reason) == ("one two", "max_tokens")


@every_format
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_and_its_result(claude, at, provider, spoken, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, tools=[CALL], times=1)
    request = {"model": model, "max_tokens": 100, "tools": [WEATHER]}
    send = final if streamed else create
    asked = send(claude, messages=user("weather in Paris?"), **request)
    assert asked.stop_reason == "tool_use"
    (use,) = [block for block in asked.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "it rains"}
    history = [*user("weather in Paris?"), {"role": "assistant", "content": asked.content}]
    told = send(claude, messages=[*history, {"role": "user", "content": [result]}], **request)
    assert told.stop_reason == "end_turn"
    body = provider.last(upstream).body
    assert "it rains" in body and "Paris" in body and body.count('"weather"') >= 2


@signed_formats
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_goes_back_with_its_signature(claude, at, provider, spoken, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, thinking="Rain is likely.", tools=[CALL], times=1)
    request = {"model": model, "max_tokens": 4096, "tools": [WEATHER], "thinking": THINKING}
    send = final if streamed else create
    asked = send(claude, messages=user("weather in Paris?"), **request)
    assert [block.type for block in asked.content] == ["thinking", "tool_use"]
    thought, use = asked.content
    assert thought.thinking == "Rain is likely."
    history = [*user("weather in Paris?"), {"role": "assistant", "content": asked.content}]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "it rains"}
    # The provider checks that the signature is the one it gave, and where it must stand.
    send(claude, messages=[*history, {"role": "user", "content": [result]}], **request)
    assert json.dumps("it rains") in provider.last(upstream).body
    assert signatures(provider.last(upstream).json), "the signature did not come back"


@pytest.mark.parametrize("spoken", ["chat", "cohere", "ollama"])
def test_thinking_without_a_signature_is_shown(claude, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, thinking="Rain is likely.", reply="Take an umbrella.")
    request = {"model": model, "max_tokens": 4096, "messages": user("weather?"), "thinking": THINKING}
    for reply in (claude.messages.create(**request), final(claude, **request)):
        assert [block.type for block in reply.content] == ["thinking", "text"]
        assert reply.content[0].thinking == "Rain is likely."
        assert reply.content[1].text == "Take an umbrella."


@every_format
def test_tokens_are_counted(claude, at, spoken):
    model, _ = at(spoken)
    counted = claude.messages.count_tokens(model=model, system="Be brief.", messages=user("hello there"))
    assert 0 < counted.input_tokens < 50


async def test_a_stream_of_the_async_client(async_claude, at):
    model, _ = at("gemini")
    async with async_claude.messages.stream(model=model, max_tokens=100, messages=user("hello")) as stream:
        assert await stream.get_final_text() == "You said: hello"


def test_a_stream_that_breaks_off_raises(claude, at, provider):
    model, upstream = at("chat")
    provider.script(upstream, chunks=["one ", "two ", "three"], chunk_ms=20, cut_after_chunks=2)
    text = ""
    with pytest.raises(anthropic.APIStatusError):
        with claude.messages.stream(model=model, max_tokens=100, messages=user("hello")) as stream:
            for piece in stream.text_stream:
                text += piece
    assert text and "one two three".startswith(text)


@pytest.mark.parametrize("spoken", ["chat", "messages"])
def test_closing_a_stream_stops_the_upstream(claude, at, provider, spoken):
    model, upstream = at(spoken)
    provider.script(upstream, never_end=True)
    with claude.messages.stream(model=model, max_tokens=100, messages=user("hello")) as stream:
        next(iter(stream.text_stream))
        assert provider.last(upstream).ending == "open"
    provider.await_ending(upstream, "client_gone", seconds=2)


def test_the_callers_own_timeout_stops_the_upstream(claude, at, provider):
    model, upstream = at("gemini")
    provider.script(upstream, delay_ms=20_000)
    with pytest.raises(anthropic.APITimeoutError):
        claude.messages.create(model=model, max_tokens=100, messages=user("hello"), timeout=0.5)
    provider.await_ending(upstream, "client_gone", seconds=2)


def create(claude, **request):
    return claude.messages.create(**request)


def final(claude, **request):
    with claude.messages.stream(**request) as stream:
        return stream.get_final_message()


def signatures(value) -> list[str]:
    """Every signature in a request, whatever its format calls it."""
    if isinstance(value, list):
        return [found for item in value for found in signatures(item)]
    if not isinstance(value, dict):
        return []
    here = [value[name] for name in ("signature", "thoughtSignature") if value.get(name)]
    return here + [found for item in value.values() for found in signatures(item)]
