"""Chat completions that are answered whole."""

import pydantic

from conftest import user


def test_a_reply_is_complete(client, model):
    reply = client.chat.completions.create(model=model, messages=user("good morning to you"))
    assert reply.object == "chat.completion"
    assert reply.id and reply.created > 0
    assert reply.model == model
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content == "You said: good morning to you"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (4, 6, 10)


async def test_a_reply_to_the_async_client(async_client, model):
    reply = await async_client.chat.completions.create(model=model, messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"


def test_a_public_name_hides_the_upstream_name(client, provider):
    reply = client.chat.completions.create(model="priced", messages=user("hello"))
    assert reply.model == "priced"
    assert provider.last("priced-upstream").json["model"] == "priced-upstream"


def test_the_upstream_gets_its_own_key(client, key, model, provider, upstream):
    client.chat.completions.create(model=model, messages=user("hello"))
    received = provider.last(upstream)
    assert received.headers["authorization"] == "Bearer sk-upstream"
    assert key not in str(received)


def test_several_choices(client, model):
    reply = client.chat.completions.create(model=model, messages=user("hello"), n=3)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert all(choice.message.content == "You said: hello" for choice in reply.choices)


def test_a_json_object_is_asked_for(client, model, provider, upstream):
    provider.script(upstream, reply='{"answer": 42}')
    wanted = {"type": "json_object"}
    reply = client.chat.completions.create(model=model, messages=user("as JSON"), response_format=wanted)
    assert reply.choices[0].message.content == '{"answer": 42}'
    assert provider.last(upstream).json["response_format"] == wanted


def test_a_schema_is_parsed_into_a_class(client, model, provider, upstream):
    class Answer(pydantic.BaseModel):
        number: int

    provider.script(upstream, reply='{"number": 42}')
    reply = client.chat.completions.parse(model=model, messages=user("which?"), response_format=Answer)
    assert reply.choices[0].message.parsed == Answer(number=42)
    schema = provider.last(upstream).json["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["number"]["type"] == "integer"


def test_sampling_settings_reach_the_upstream(client, model, provider, upstream):
    wanted = {"temperature": 0.25, "top_p": 0.5, "max_tokens": 7, "seed": 11, "stop": ["END"], "user": "someone"}
    client.chat.completions.create(model=model, messages=user("hello"), **wanted)
    assert wanted.items() <= provider.last(upstream).json.items()


def test_an_image_reaches_the_upstream(client, model, provider, upstream):
    content = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
    ]
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    assert provider.last(upstream).json["messages"][0]["content"] == content


def test_reasoning_text_is_kept(client, model, provider, upstream):
    provider.script(upstream, thinking="let me see", reply="done")
    message = client.chat.completions.create(model=model, messages=user("think")).choices[0].message
    assert message.reasoning_content == "let me see"
    assert message.content == "done"
