"""Response headers that callers of LiteLLM read."""

from decimal import Decimal

import pytest

from conftest import user


@pytest.fixture
def headers(client):
    reply = client.chat.completions.with_raw_response.create(model="priced", messages=user("one two three four"))
    assert reply.parse().usage.total_tokens == 10
    return reply.headers


def test_who_answered(headers):
    assert headers["x-litellm-model-id"] == "priced-deployment"
    assert headers["x-litellm-model-group"] == "priced"
    assert headers["x-litellm-attempted-retries"] == "0"
    assert headers["x-litellm-version"]


def test_what_it_cost(headers):
    # 4 tokens in at 1e-6 and 6 out at 2e-6.
    assert Decimal(headers["x-litellm-response-cost"]) == Decimal("0.000016")


def test_what_it_took(headers):
    overhead = float(headers["x-litellm-overhead-duration-ms"])
    total = float(headers["x-litellm-response-duration-ms"])
    assert 0 <= overhead <= total


def test_the_upstreams_headers_are_handed_on(client, model, provider, upstream):
    provider.script(upstream, headers={"x-request-id": "req-17", "x-ratelimit-remaining-tokens": "99"})
    headers = client.chat.completions.with_raw_response.create(model=model, messages=user("hello")).headers
    assert headers["llm_provider-x-request-id"] == "req-17"
    assert headers["llm_provider-x-ratelimit-remaining-tokens"] == "99"
    assert headers["x-ratelimit-remaining-tokens"] == "99"


def test_calls_have_ids_of_their_own(client, model):
    def call_id():
        create = client.chat.completions.with_raw_response.create
        return create(model=model, messages=user("hello")).headers["x-litellm-call-id"]

    assert call_id() != call_id()


def test_a_call_id_of_the_callers_is_kept(client, model):
    mine = {"x-litellm-call-id": "my-own-call-0001"}
    create = client.chat.completions.with_raw_response.create
    assert create(model=model, messages=user("hello"), extra_headers=mine).headers["x-litellm-call-id"] == (
        "my-own-call-0001"
    )


def test_an_unpriced_model_is_not_said_to_be_free(client, model):
    headers = client.chat.completions.with_raw_response.create(model=model, messages=user("hello")).headers
    assert "x-litellm-response-cost" not in headers


def test_a_stream_says_who_answers_before_it_ends(client):
    with client.chat.completions.with_streaming_response.create(
        model="priced", messages=user("hello"), stream=True
    ) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["x-litellm-model-id"] == "priced-deployment"
        assert reply.headers["x-litellm-call-id"]
        lines = [line for line in reply.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
