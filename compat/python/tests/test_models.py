"""What a caller may ask for."""

import openai
import pytest


def test_public_names_are_listed(client):
    listed = {model.id: model for model in client.models.list()}
    assert {"priced", "house-azure", "gemma2:latest", "house-words"} <= listed.keys()
    assert listed["priced"].object == "model"


def test_upstream_names_are_not_listed(client):
    assert not {"priced-upstream", "my-deployment"} & {model.id for model in client.models.list()}


def test_one_model_is_retrieved(client):
    assert client.models.retrieve("gemma2:latest").id == "gemma2:latest"


def test_a_model_nobody_has_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="no-such-model"):
        client.models.retrieve("no-such-model")


async def test_listing_by_the_async_client(async_client):
    assert "priced" in [model.id async for model in async_client.models.list()]
