"""Legacy completions: a prompt in, a text out."""


def test_a_prompt_is_completed(client, model):
    reply = client.completions.create(model=model, prompt="once upon a time", max_tokens=9)
    assert reply.object == "text_completion"
    assert reply.choices[0].text == "You said: once upon a time"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.prompt_tokens == 4


def test_a_completion_is_streamed(client, model):
    chunks = list(client.completions.create(model=model, prompt="once upon", stream=True))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == "You said: once upon"
    assert [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason] == ["stop"]
    assert {chunk.object for chunk in chunks} == {"text_completion"}


async def test_a_completion_to_the_async_client(async_client, model):
    reply = await async_client.completions.create(model=model, prompt="hello")
    assert reply.choices[0].text == "You said: hello"
