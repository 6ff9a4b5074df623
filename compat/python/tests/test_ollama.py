"""An Ollama model, asked for the way retrieval scripts do: plain HTTP, no SDK, no `/v1`."""

import json

import openai
import pytest
import requests

from conftest import user


def ask(gateway, key, **body):
    headers = {"Authorization": f"Bearer {key}"}
    reply = requests.post(f"{gateway}/chat/completions", json=body, headers=headers, timeout=20)
    reply.raise_for_status()
    return reply.json()


def test_the_upstreams_name_answers(gateway, key, provider):
    prompt = "Context: the sky is green. Question: what colour is the sky?"
    reply = ask(gateway, key, model="ollama/gemma2", messages=user(prompt), max_tokens=256)
    assert reply["choices"][0]["message"]["content"] == f"You said: {prompt}"
    received = provider.last("gemma2")
    assert received.path == "/api/chat"
    assert received.json["options"]["num_predict"] == 256


def test_the_public_name_answers(gateway, key):
    reply = ask(gateway, key, model="gemma2:latest", messages=user("hello"))
    assert reply["choices"][0]["message"]["content"] == "You said: hello"
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"] == reply["usage"] | {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}


def test_lines_become_a_stream(client):
    chunks = list(
        client.chat.completions.create(
            model="gemma2:latest", messages=user("one two"), stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "You said: one two"
    assert [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason] == ["stop"]
    assert chunks[-1].usage.total_tokens == 6


def test_embeddings(client, provider):
    rows = client.embeddings.create(model="gemma2:latest", input=["red", "blue", "red"]).data
    assert rows[0].embedding == rows[2].embedding != rows[1].embedding
    assert provider.last("gemma2").path == "/api/embed"


WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def scripted(provider):
    """Scripts the one Ollama model, for this test alone."""
    yield lambda **fields: provider.script("gemma2", **fields)
    provider.script("gemma2")


def test_a_tool_call(client, provider, scripted):
    scripted(tools=[{"name": "weather", "arguments": {"city": "Paris"}}])
    choice = client.chat.completions.create(
        model="gemma2:latest", messages=user("weather?"), tools=[WEATHER]
    ).choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert call.id and call.function.name == "weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert provider.last("gemma2").json["tools"][0]["function"]["name"] == "weather"


def test_thinking_is_reasoning(client, scripted):
    scripted(thinking="let me see", reply="done")
    message = client.chat.completions.create(model="gemma2:latest", messages=user("think")).choices[0].message
    assert (message.reasoning_content, message.content) == ("let me see", "done")


def test_a_failure_of_ollama(client, scripted):
    scripted(status=404, error="model 'gemma2' not found, try pulling it first")
    with pytest.raises(openai.NotFoundError, match="try pulling it first"):
        client.chat.completions.create(model="gemma2:latest", messages=user("hello"))


def test_a_stream_that_breaks_off_raises(client, scripted):
    scripted(chunks=["one ", "two ", "three"], chunk_ms=20, cut_after_chunks=2)
    text = ""
    with pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(model="gemma2:latest", messages=user("hello"), stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text and "one two three".startswith(text)


def test_what_ollama_cannot_do_is_refused_by_name(client):
    with pytest.raises(openai.BadRequestError, match="logit_bias"):
        client.chat.completions.create(model="gemma2:latest", messages=user("hello"), logit_bias={"1": 5})


def test_what_ollama_cannot_do_is_dropped_when_asked(client, provider):
    reply = client.chat.completions.with_raw_response.create(
        model="gemma2:latest", messages=user("hello"), logit_bias={"1": 5}, extra_body={"drop_params": True}
    )
    assert reply.parse().choices[0].message.content == "You said: hello"
    assert "logit_bias" in reply.headers["x-tollgate-dropped-params"]
    assert "logit_bias" not in provider.last("gemma2").body
