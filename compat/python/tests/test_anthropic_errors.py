"""Failures as Anthropic's SDK tells them: which exception, and the type in its body."""

import anthropic
import pytest

from conftest import GATEWAY, user

STATUSES = [
    (400, anthropic.BadRequestError, "invalid_request_error"),
    (401, anthropic.AuthenticationError, "authentication_error"),
    (403, anthropic.PermissionDeniedError, "permission_error"),
    (404, anthropic.NotFoundError, "not_found_error"),
    (413, anthropic.RequestTooLargeError, "request_too_large"),
    (429, anthropic.RateLimitError, "rate_limit_error"),
    (500, anthropic.InternalServerError, "api_error"),
    (503, anthropic.ServiceUnavailableError, "overloaded_error"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("spoken", ["chat", "messages", "gemini", "cohere"])
@pytest.mark.parametrize(("status", "exception", "kind"), STATUSES)
def test_a_failure_of_the_upstream(claude, at, provider, spoken, status, exception, kind, streamed):
    model, upstream = at(spoken)
    provider.script(upstream, status=status, error="the house is on fire")
    with pytest.raises(exception, match="the house is on fire") as failed:
        claude.messages.create(model=model, max_tokens=100, messages=user("hello"), stream=streamed)
    assert failed.value.status_code == status
    assert failed.value.body["type"] == "error"
    assert failed.value.body["error"]["type"] == kind


def test_an_overloaded_upstream_may_be_asked_again(claude, at, provider):
    model, upstream = at("messages")
    provider.script(upstream, status=529, error="Overloaded")
    with pytest.raises(anthropic.InternalServerError, match="Overloaded") as failed:
        claude.messages.create(model=model, max_tokens=100, messages=user("hello"))
    assert failed.value.status_code in (503, 529)
    assert failed.value.body["error"]["type"] == "overloaded_error"


def test_a_wrong_key(model):
    with anthropic.Anthropic(base_url=GATEWAY, api_key="sk-not-the-key", max_retries=0) as stranger:
        with pytest.raises(anthropic.AuthenticationError) as refused:
            stranger.messages.create(model=model, max_tokens=100, messages=user("hello"))
    assert refused.value.body["error"]["type"] == "authentication_error"


def test_a_bearer_token_opens_too(key, model):
    with anthropic.Anthropic(base_url=GATEWAY, auth_token=key, max_retries=0) as client:
        reply = client.messages.create(model=model, max_tokens=100, messages=user("hello"))
    assert reply.content[0].text == "You said: hello"


def test_an_unknown_model(claude):
    with pytest.raises(anthropic.APIStatusError, match="gpt-nobody") as refused:
        claude.messages.create(model="gpt-nobody", max_tokens=100, messages=user("hello"))
    assert refused.value.status_code in (400, 404)


def test_a_field_of_the_wrong_type_is_named(claude, at):
    model, _ = at("chat")
    with pytest.raises(anthropic.BadRequestError, match="max_tokens") as refused:
        claude.messages.create(model=model, max_tokens="many", messages=user("hello"))
    assert refused.value.body["error"]["type"] == "invalid_request_error"


def test_an_error_in_the_stream_raises(claude, at, provider):
    model, upstream = at("messages")
    data = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    provider.script(upstream, chunks=["one ", {"raw": f"event: error\ndata: {data}\n\n"}])
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        with claude.messages.stream(model=model, max_tokens=100, messages=user("hello")) as stream:
            stream.get_final_message()


def test_the_sdk_tries_again_by_itself(claude, at, provider):
    model, upstream = at("chat")
    provider.script(upstream, status=529, times=1)
    retrying = claude.with_options(max_retries=1)
    reply = retrying.messages.create(model=model, max_tokens=100, messages=user("hello"))
    assert reply.content[0].text == "You said: hello"
    assert len(provider.received(upstream)) == 2
