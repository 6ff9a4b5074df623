"""Many calls at once on few connections: each gets its own answer."""

import asyncio

from conftest import user


async def test_replies_do_not_mix(async_client, model):
    async def ask(number):
        reply = await async_client.chat.completions.create(model=model, messages=user(f"number {number}"))
        return reply.choices[0].message.content

    answers = await asyncio.gather(*(ask(number) for number in range(60)))
    assert answers == [f"You said: number {number}" for number in range(60)]


async def test_streams_do_not_mix(async_client, model, provider, upstream):
    provider.script(upstream, chunk_ms=5)

    async def ask(number):
        stream = await async_client.chat.completions.create(
            model=model, messages=user(f"{number} " * 10), stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    answers = await asyncio.gather(*(ask(number) for number in range(30)))
    assert answers == [f"You said: {f'{number} ' * 10}" for number in range(30)]


def test_a_long_conversation_passes(client, model, provider, upstream):
    text = "".join(f"line {number} " for number in range(100_000))
    reply = client.chat.completions.create(model=model, messages=user(text))
    assert reply.choices[0].message.content == f"You said: {text}"
    assert provider.last(upstream).json["messages"][0]["content"] == text
