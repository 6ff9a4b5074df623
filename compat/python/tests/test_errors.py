"""Failures before the first word: which exception a caller sees, and what it says."""

import openai
import pytest
import requests

from conftest import GATEWAY, user


@pytest.mark.parametrize("wrong_key", ["sk-not-the-key", "not even a key"])
def test_a_wrong_key_is_refused(wrong_key, model):
    with openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=wrong_key, max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.chat.completions.create(model=model, messages=user("hello"))
        with pytest.raises(openai.AuthenticationError):
            stranger.models.list()
    assert refused.value.status_code == 401
    assert wrong_key not in str(refused.value)


def test_an_unknown_model_is_told_which_there_are(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="gpt-nobody", messages=user("hello"))
    assert "gpt-nobody" in str(refused.value)
    assert "priced" in str(refused.value) and "gemma2:latest" in str(refused.value)
    assert refused.value.param == "model"


def test_a_rate_limit_of_the_upstream(client, model, provider, upstream):
    provider.script(upstream, status=429, error="slow down", headers={"retry-after": "7"})
    with pytest.raises(openai.RateLimitError, match="slow down") as refused:
        client.chat.completions.create(model=model, messages=user("hello"))
    assert refused.value.response.headers["llm_provider-retry-after"] == "7"
    assert len(provider.received(upstream)) == 1


STATUSES = [
    (400, openai.BadRequestError),
    (401, openai.AuthenticationError),
    (403, openai.PermissionDeniedError),
    (404, openai.NotFoundError),
    (422, openai.UnprocessableEntityError),
    (500, openai.InternalServerError),
    (503, openai.InternalServerError),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "exception"), STATUSES)
def test_a_failure_of_the_upstream(client, model, provider, upstream, status, exception, stream):
    provider.script(upstream, status=status, error="the house is on fire")
    with pytest.raises(exception, match="the house is on fire") as failed:
        client.chat.completions.create(model=model, messages=user("hello"), stream=stream)
    assert failed.value.status_code == status


async def test_a_failure_seen_by_the_async_client(async_client, model, provider, upstream):
    provider.script(upstream, status=500, error="the house is on fire")
    with pytest.raises(openai.InternalServerError, match="the house is on fire"):
        await async_client.chat.completions.create(model=model, messages=user("hello"))


def test_an_error_page_is_not_taken_for_a_reply(client, model, provider, upstream):
    provider.script(upstream, raw="<html>maintenance</html>", headers={"content-type": "text/html"})
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=model, messages=user("hello"))


def test_an_upstream_that_hangs_up(client, model, provider, upstream):
    provider.script(upstream, hang_up=True)
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=model, messages=user("hello"))


def test_a_passing_failure_is_tried_again(client, provider, upstream):
    provider.script(upstream, status=500, times=1)
    reply = client.chat.completions.with_raw_response.create(model=f"stubborn/{upstream}", messages=user("hello"))
    assert reply.parse().choices[0].message.content == "You said: hello"
    assert reply.headers["x-litellm-attempted-retries"] == "1"
    assert len(provider.received(upstream)) == 2


def test_the_sdk_tries_again_by_itself(client, model, provider, upstream):
    provider.script(upstream, status=503, times=1)
    reply = client.with_options(max_retries=1).chat.completions.create(model=model, messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"
    assert len(provider.received(upstream)) == 2


def test_a_missing_field_is_named(client, model):
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/chat/completions", body={"model": model}, cast_to=object)
    assert refused.value.param == "messages"


def test_a_path_nobody_serves(client):
    with pytest.raises(openai.NotFoundError, match="/v1/no/such/path"):
        client.get("/no/such/path", cast_to=object)


def test_a_body_that_is_not_json(gateway, key):
    reply = requests.post(
        f"{gateway}/v1/chat/completions", data=b'{"model": ', headers={"Authorization": f"Bearer {key}"}, timeout=20
    )
    assert reply.status_code == 400
    assert "JSON" in reply.json()["error"]["message"]
