"""Clients that point at the gateway under test, and a model that belongs to one test alone."""

import os
import re

import anthropic
import openai
import pytest
from google import genai

from provider import Provider

GATEWAY = os.environ["TOLLGATE_URL"]
KEY = os.environ["TOLLGATE_KEY"]
AZURE_VERSION = "2023-07-01-preview"


@pytest.fixture(scope="session")
def gateway() -> str:
    return GATEWAY


@pytest.fixture(scope="session")
def key() -> str:
    return KEY


@pytest.fixture(scope="session")
def provider() -> Provider:
    return Provider(os.environ["FAKE_PROVIDER_URL"])


@pytest.fixture
def upstream(request) -> str:
    """The upstream's name of this test's model; callers ask for `fake/` and this."""
    name = f"{request.module.__name__}-{request.node.name}".removeprefix("test_")
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@pytest.fixture
def model(upstream) -> str:
    return f"fake/{upstream}"


# The formats of the fake provider: what a caller puts before the upstream's name, and how that begins where the
# name says what a model can do.
FORMATS = {
    "chat": ("fake", ""),
    "messages": ("anthropic", "claude-sonnet-4-5-"),
    "gemini": ("gemini", "gemini-2.5-flash-"),
    "converse": ("bedrock", "anthropic.claude-sonnet-4-5-"),
    "cohere": ("cohere", "command-a-reasoning-"),
    "ollama": ("ollama", ""),
}


@pytest.fixture
def at(upstream):
    """Of a format: the name callers use, and the upstream's own."""

    def named(spoken: str) -> tuple[str, str]:
        provider, family = FORMATS[spoken]
        return f"{provider}/{family}{upstream}", f"{family}{upstream}"

    return named


@pytest.fixture
def client():
    with openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
async def async_client():
    async with openai.AsyncOpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


# One for the session, as those of applications are: making one takes longer than a call.
@pytest.fixture(scope="session")
def claude():
    with anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
async def async_claude():
    async with anthropic.AsyncAnthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def google():
    with genai.Client(api_key=KEY, http_options={"base_url": GATEWAY, "timeout": 20_000}) as client:
        yield client


@pytest.fixture
def azure_client():
    with openai.AzureOpenAI(
        azure_endpoint=GATEWAY, api_key=KEY, api_version=AZURE_VERSION, max_retries=0, timeout=20
    ) as client:
        yield client


@pytest.fixture
async def async_azure_client():
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=GATEWAY, api_key=KEY, api_version=AZURE_VERSION, max_retries=0, timeout=20
    ) as client:
        yield client


def user(text: str) -> list[dict]:
    """A conversation of one user message."""
    return [{"role": "user", "content": text}]
