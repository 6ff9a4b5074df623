"""Calls that do not end by themselves: timeouts on either side, broken streams, callers that leave."""

import asyncio

import openai
import pytest

from conftest import user


def test_the_callers_own_timeout_stops_the_upstream(client, model, provider, upstream):
    provider.script(upstream, delay_ms=20_000)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model=model, messages=user("hello"), timeout=0.5)
    provider.await_ending(upstream, "client_gone", seconds=2)


@pytest.mark.parametrize("stream", [False, True])
def test_the_gateways_timeout(client, provider, upstream, stream):
    provider.script(upstream, delay_ms=20_000)
    with pytest.raises(openai.APIStatusError) as late:
        client.chat.completions.create(model=f"impatient/{upstream}", messages=user("hello"), stream=stream)
    assert late.value.status_code == 408
    assert "timeout" in str(late.value).lower()
    provider.await_ending(upstream, "client_gone", seconds=2)


def test_a_timeout_asked_for_by_header(client, model, provider, upstream):
    provider.script(upstream, delay_ms=20_000)
    with pytest.raises(openai.APIStatusError) as late:
        client.chat.completions.create(
            model=model, messages=user("hello"), extra_headers={"x-litellm-timeout": "0.5"}
        )
    assert late.value.status_code == 408


@pytest.mark.parametrize("breakage", [{"cut_after_chunks": 2}, {"cut_after_bytes": 400}])
def test_a_stream_that_breaks_off_raises(client, model, provider, upstream, breakage):
    provider.script(upstream, chunks=["one ", "two ", "three"], chunk_ms=20, **breakage)
    text = ""
    with pytest.raises(openai.APIError) as broken:
        for chunk in client.chat.completions.create(model=model, messages=user("hello"), stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text and "one two three".startswith(text)
    # An error that the gateway tells, not a connection that it let fall.
    assert not isinstance(broken.value, openai.APIConnectionError)


def test_an_error_in_the_stream_raises(client, model, provider, upstream):
    frame = 'data: {"error": {"message": "out of memory", "type": "server_error", "code": 500}}\n\n'
    provider.script(upstream, chunks=["one ", {"raw": frame}])
    with pytest.raises(openai.APIError, match="out of memory"):
        list(client.chat.completions.create(model=model, messages=user("hello"), stream=True))


def test_an_upstream_that_falls_silent_is_not_waited_for(client, provider, upstream):
    provider.script(upstream, chunks=["one ", "two"], stall_after_chunks=1)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=f"impatient/{upstream}", messages=user("hello"), stream=True))
    provider.await_ending(upstream, "client_gone", seconds=2)


def test_closing_a_stream_stops_the_upstream(client, model, provider, upstream):
    provider.script(upstream, never_end=True)
    stream = client.chat.completions.create(model=model, messages=user("hello"), stream=True)
    next(iter(stream))
    assert provider.last(upstream).ending == "open"
    stream.close()
    provider.await_ending(upstream, "client_gone", seconds=2)


async def test_closing_an_async_stream_stops_the_upstream(async_client, model, provider, upstream):
    provider.script(upstream, never_end=True)
    async with await async_client.chat.completions.create(
        model=model, messages=user("hello"), stream=True
    ) as stream:
        await anext(aiter(stream))
    await asyncio.to_thread(provider.await_ending, upstream, "client_gone", 2)


async def test_cancelling_a_task_stops_the_upstream(async_client, model, provider, upstream):
    provider.script(upstream, delay_ms=20_000)
    task = asyncio.create_task(async_client.chat.completions.create(model=model, messages=user("hello")))
    while not provider.received(upstream):
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.to_thread(provider.await_ending, upstream, "client_gone", 2)
