"""Embeddings: the SDK asks for base64 unless it is told otherwise, and must not notice which it got."""

import array
import base64

import pytest


def test_the_default_encoding_and_floats_are_the_same_vector(client, model, provider, upstream):
    default = client.embeddings.create(model=model, input="red green blue")
    assert provider.last(upstream).json["encoding_format"] == "base64"
    floats = client.embeddings.create(model=model, input="red green blue", encoding_format="float")
    assert provider.last(upstream).json["encoding_format"] == "float"
    assert len(default.data[0].embedding) == 32
    assert default.data[0].embedding == pytest.approx(floats.data[0].embedding, abs=1e-6)
    assert sum(cell * cell for cell in default.data[0].embedding) == pytest.approx(1, abs=1e-5)


def test_each_input_gets_its_vector_in_order(client, model):
    texts = ["red green", "blue", "red green"]
    reply = client.embeddings.create(model=model, input=texts)
    assert [row.index for row in reply.data] == [0, 1, 2]
    first, second, third = (row.embedding for row in reply.data)
    assert first == third != second
    assert reply.model == model
    assert (reply.usage.prompt_tokens, reply.usage.total_tokens) == (5, 5)


def test_token_ids_and_dimensions_reach_the_upstream(client, model, provider, upstream):
    reply = client.embeddings.create(model=model, input=[[1, 2, 3], [4]], dimensions=8)
    assert [len(row.embedding) for row in reply.data] == [8, 8]
    assert provider.last(upstream).json["input"] == [[1, 2, 3], [4]]


async def test_embeddings_of_the_async_client(async_client, model):
    reply = await async_client.embeddings.create(model=model, input=["one", "two"])
    assert len(reply.data) == 2


@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_the_built_in_words_are_near_what_shares_words(client, encoding):
    texts = ["the cat sat on the mat", "a cat on a mat", "quarterly revenue figures"]
    rows = client.embeddings.create(model="house-words", input=texts, encoding_format=encoding).data
    vectors = [row.embedding if encoding == "float" else decoded(row.embedding) for row in rows]
    near, far = (sum(a * b for a, b in zip(vectors[0], other)) for other in vectors[1:])
    assert near > far


def decoded(text: str) -> list[float]:
    """An explicit `base64` is handed out by the SDK as it came."""
    return list(array.array("f", base64.b64decode(text)))
