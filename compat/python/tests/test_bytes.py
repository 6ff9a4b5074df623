"""What a caller sends reaches an upstream of the same format as it was written, known to anyone or not."""

import requests

from conftest import user


def test_a_body_is_passed_on_byte_for_byte(gateway, key, model, provider, upstream):
    body = (
        '{ "model":"MODEL",\n\t"messages": [{"role":"user", "content":"caf\\u00e9 \U0001f600 \\/"}],'
        ' "temperature" : 1.0, "house_field":{"z":1e5,"a":[ 1,2.50,-0.0 ], "big":12345678901234567890123},'
        ' "seed":18446744073709551615 }\n'
    )
    reply = requests.post(
        f"{gateway}/v1/chat/completions",
        data=body.replace("MODEL", model).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=20,
    )
    assert reply.status_code == 200, reply.text
    # JSON ends at its last brace; what may follow is not part of it.
    assert provider.last(upstream).body.rstrip() == body.replace("MODEL", upstream).rstrip()


def test_fields_the_sdk_does_not_know_reach_the_upstream(client, model, provider, upstream):
    unknown = {"house_field": {"nested": [1, 2.5, None, "text"]}, "chat_template_kwargs": {"enable_thinking": False}}
    client.chat.completions.create(model=model, messages=user("hello"), extra_body=unknown)
    assert unknown.items() <= provider.last(upstream).json.items()


def test_fields_of_the_reply_the_sdk_does_not_know_are_kept(client, model, provider, upstream):
    provider.script(
        upstream,
        raw='{"id":"r","object":"chat.completion","created":1,"model":"m","house":{"x":[1]},"choices":[{"index":0,'
        '"message":{"role":"assistant","content":"hi","annotations":[{"type":"mine"}]},"finish_reason":"stop"}]}',
    )
    reply = client.chat.completions.create(model=model, messages=user("hello"))
    assert reply.model_extra["house"] == {"x": [1]}
    assert reply.choices[0].message.content == "hi"
    assert '"type":"mine"' in reply.model_dump_json()


def test_parts_of_a_message_the_sdk_does_not_know_are_kept(client, model, provider, upstream):
    part = {"type": "text", "text": "hello", "house_hint": {"keep": True}}
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": [part], "house_mark": 7}])
    assert provider.last(upstream).json["messages"] == [{"role": "user", "content": [part], "house_mark": 7}]
