"""A deployment at Azure: the address and the key it is called with."""

from conftest import user


def test_the_deployment_is_in_the_path_and_the_key_in_its_header(client, key, provider):
    reply = client.chat.completions.create(model="house-azure", messages=user("hello"))
    assert reply.choices[0].message.content == "You said: hello"
    assert reply.model == "house-azure"
    received = provider.last("my-deployment")
    assert received.path == "/openai/deployments/my-deployment/chat/completions"
    assert received.query == "api-version=2024-02-01"
    assert received.headers["api-key"] == "azure-upstream-key"
    assert "authorization" not in received.headers


def test_a_stream(client):
    chunks = list(client.chat.completions.create(model="house-azure", messages=user("one two"), stream=True))
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "You said: one two"


def test_embeddings(client, provider):
    assert client.embeddings.create(model="house-azure", input="red").data[0].embedding
    assert provider.last("my-deployment").path == "/openai/deployments/my-deployment/embeddings"
