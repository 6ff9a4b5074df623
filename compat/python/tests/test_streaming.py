"""Chat completions that are streamed, up to their proper end."""

import time

from conftest import user


def text_of(chunks, index=0):
    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(pieces)


def test_a_stream_carries_the_text_and_how_it_ended(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=user("one two three"), stream=True))
    assert text_of(chunks) == "You said: one two three"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk.model for chunk in chunks} == {model}
    assert len({chunk.id for chunk in chunks}) == 1


def test_usage_is_not_sent_to_those_who_did_not_ask(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=user("hello"), stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_comes_last_to_those_who_asked(client, model):
    chunks = list(
        client.chat.completions.create(
            model=model, messages=user("one two three"), stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 5, 8)
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_a_stream_to_the_async_client(async_client, model):
    stream = await async_client.chat.completions.create(model=model, messages=user("one two"), stream=True)
    chunks = [chunk async for chunk in stream]
    assert text_of(chunks) == "You said: one two"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_first_words_do_not_wait_for_the_last(client, model, provider, upstream):
    provider.script(upstream, chunks=["early ", "late"], chunk_ms=1000)
    arrivals = {}
    for chunk in client.chat.completions.create(model=model, messages=user("hello"), stream=True):
        if chunk.choices[0].delta.content:
            arrivals[chunk.choices[0].delta.content] = time.monotonic()
    assert arrivals["late"] - arrivals["early "] > 0.7


def test_choices_take_turns(client, model, provider, upstream):
    chunks = list(client.chat.completions.create(model=model, messages=user("a b"), n=2, stream=True))
    assert text_of(chunks, 0) == text_of(chunks, 1) == "You said: a b"
    finished = [choice.index for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert sorted(finished) == [0, 1]


def test_reasoning_is_streamed(client, model, provider, upstream):
    provider.script(upstream, thinking="let me see", chunks=["done"])
    chunks = list(client.chat.completions.create(model=model, messages=user("think"), stream=True))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "let me see"
    assert text_of(chunks) == "done"


def test_characters_of_several_bytes_arrive_whole(client, model, provider, upstream):
    provider.script(upstream, chunks=["naïve ", "漢字", "👩‍👩‍👧", " end"])
    chunks = list(client.chat.completions.create(model=model, messages=user("hello"), stream=True))
    assert text_of(chunks) == "naïve 漢字👩‍👩‍👧 end"


def test_the_length_limit_is_told(client, model, provider, upstream):
    provider.script(upstream, chunks=["cut"], finish_reason="length")
    chunks = list(client.chat.completions.create(model=model, messages=user("hello"), stream=True))
    assert chunks[-1].choices[0].finish_reason == "length"


def test_the_stream_helper_of_the_sdk_builds_the_reply(client, model):
    with client.chat.completions.stream(model=model, messages=user("one two")) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        reply = stream.get_final_completion()
    assert "".join(deltas) == reply.choices[0].message.content == "You said: one two"
