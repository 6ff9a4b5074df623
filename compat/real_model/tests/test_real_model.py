"""A real language model behind the gateway: what it says cannot be foreseen, that it says it piece by piece can."""

import os
import time

import anthropic
import openai
import pytest
from google import genai

QUESTION = [{"role": "user", "content": "Name three colours and say one sentence about each."}]


@pytest.fixture
def client():
    url = f"{os.environ['TOLLGATE_URL']}/v1"
    with openai.OpenAI(base_url=url, api_key=os.environ["TOLLGATE_KEY"], max_retries=0, timeout=60) as client:
        yield client


def test_a_stream(client):
    stream = client.chat.completions.create(
        model="smollm2", messages=QUESTION, max_tokens=40, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert len(pieces) > 5
    assert len("".join(pieces).split()) > 5
    finished = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finished in (["stop"], ["length"])
    usage = chunks[-1].usage
    assert usage.prompt_tokens > 5 and 5 < usage.completion_tokens <= 41
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_whole_reply(client):
    reply = client.chat.completions.create(model="smollm2", messages=QUESTION, max_tokens=8)
    assert reply.choices[0].message.content.strip()
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens > 0


def test_leaving_early_stops_the_model(client):
    with client.chat.completions.create(model="smollm2", messages=QUESTION, max_tokens=900, stream=True) as stream:
        for _, chunk in zip(range(3), stream):
            assert chunk.choices
    with openai.OpenAI(base_url=os.environ["REAL_MODEL_BASE"], api_key="none") as model:
        deadline = time.monotonic() + 5
        while (stop := model.models.list().data[0].model_extra["last_stop"]) != "abort":
            assert time.monotonic() < deadline, f"the model went on after its reader left ({stop})"
            time.sleep(0.1)


def test_through_the_messages_api():
    url, key = os.environ["TOLLGATE_URL"], os.environ["TOLLGATE_KEY"]
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=60) as client:
        with client.messages.stream(model="smollm2", system="Be brief.", messages=QUESTION, max_tokens=20) as stream:
            pieces = list(stream.text_stream)
            reply = stream.get_final_message()
    assert len(pieces) > 5 and "".join(pieces) == reply.content[0].text
    assert reply.stop_reason in ("end_turn", "max_tokens")
    assert reply.usage.input_tokens > 5 and 5 < reply.usage.output_tokens <= 21


def test_through_the_responses_api(client):
    with client.responses.stream(model="smollm2", input=QUESTION, max_output_tokens=20) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        reply = stream.get_final_response()
    assert len(pieces) > 5 and "".join(pieces) == reply.output_text
    assert reply.status in ("completed", "incomplete")
    assert reply.usage.input_tokens > 5 and 5 < reply.usage.output_tokens <= 21


def test_through_the_api_of_google():
    options = {"base_url": os.environ["TOLLGATE_URL"], "timeout": 60_000}
    text, config = QUESTION[0]["content"], {"max_output_tokens": 20, "temperature": 0}
    with genai.Client(api_key=os.environ["TOLLGATE_KEY"], http_options=options) as client:
        chunks = list(client.models.generate_content_stream(model="smollm2", contents=text, config=config))
    assert len([chunk for chunk in chunks if chunk.text]) > 5
    assert chunks[-1].candidates[0].finish_reason in ("STOP", "MAX_TOKENS")
    used = chunks[-1].usage_metadata
    assert used.prompt_token_count > 5 and 5 < used.candidates_token_count <= 21
