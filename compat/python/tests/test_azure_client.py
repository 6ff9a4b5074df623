"""The Azure classes of the SDK, pointed at the gateway as if it were an Azure resource."""

import openai
import pytest

from conftest import AZURE_VERSION, GATEWAY, KEY, user


def test_chat(azure_client, model):
    reply = azure_client.chat.completions.create(model="priced", messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"
    assert reply.model == "priced"


def test_a_name_with_a_slash(azure_client, model):
    reply = azure_client.chat.completions.create(model=model, messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"


def test_the_clients_deployment_decides(provider):
    with openai.AzureOpenAI(
        azure_endpoint=GATEWAY, azure_deployment="priced", api_key=KEY, api_version=AZURE_VERSION, max_retries=0
    ) as client:
        reply = client.chat.completions.create(model="gpt-4o", messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"
    assert provider.last("priced-upstream").json["model"] == "priced-upstream"


def test_a_stream(azure_client):
    chunks = list(azure_client.chat.completions.create(model="priced", messages=user("one two"), stream=True))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "You said: one two"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_embeddings(azure_client, model):
    rows = azure_client.embeddings.create(model=model, input=["red", "red"]).data
    assert rows[0].embedding == rows[1].embedding


def test_legacy_completions(azure_client, model):
    assert azure_client.completions.create(model=model, prompt="hello").choices[0].text == "You said: hello"


async def test_the_async_client(async_azure_client, model):
    reply = await async_azure_client.chat.completions.create(model=model, messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"
    stream = await async_azure_client.chat.completions.create(model="priced", messages=user("one"), stream=True)
    text = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "".join(text) == "You said: one"
    rows = (await async_azure_client.embeddings.create(model=model, input="red")).data
    assert len(rows[0].embedding) == 32


def test_a_wrong_key_is_refused():
    with openai.AzureOpenAI(
        azure_endpoint=GATEWAY, api_key="sk-not-the-key", api_version=AZURE_VERSION, max_retries=0
    ) as stranger:
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model="priced", messages=user("hello"))


def test_an_unknown_deployment_is_told_which_there_are(azure_client):
    with pytest.raises(openai.BadRequestError, match="priced"):
        azure_client.chat.completions.create(model="gpt-nobody", messages=user("hello"))
