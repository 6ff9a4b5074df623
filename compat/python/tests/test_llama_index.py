"""LlamaIndex with its Azure classes: a question over a small document, embedded and answered through the gateway."""

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.llms import ChatMessage
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.azure_openai import AzureOpenAIEmbedding
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.azure_openai import AzureOpenAI

from conftest import AZURE_VERSION, GATEWAY, KEY

AZURE = {"azure_endpoint": GATEWAY, "api_key": KEY, "api_version": AZURE_VERSION, "max_retries": 0}
PASSAGES = [
    "The lighthouse keeper of Skerryvore feeds seven cormorants at dawn.",
    "Quarterly revenue of the harbour company rose because of grain exports.",
    "Bridges in the northern valley are closed while the river floods.",
]
QUESTION = "How many cormorants does the lighthouse keeper feed?"


@pytest.fixture(autouse=True)
def words_as_tokens(monkeypatch):
    """LlamaIndex counts tokens to pack prompts; words do, and need no vocabulary."""
    monkeypatch.setattr(Settings, "_tokenizer", None)
    Settings.tokenizer = str.split


@pytest.fixture
def llm(model):
    return AzureOpenAI(engine=model, model="gpt-4o", **AZURE)


def index(embed_model):
    splitter = SentenceSplitter(chunk_size=64, chunk_overlap=0)
    documents = [Document(text=passage) for passage in PASSAGES]
    return VectorStoreIndex.from_documents(documents, embed_model=embed_model, transformations=[splitter])


EMBEDDERS = {
    "azure": lambda: AzureOpenAIEmbedding(
        model="text-embedding-3-small", deployment_name="house-words", **AZURE
    ),
    "openai": lambda: OpenAIEmbedding(model_name="house-words", api_base=f"{GATEWAY}/v1", api_key=KEY, max_retries=0),
}


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_a_question_is_answered_from_the_nearest_passage(embedder, llm, provider, upstream):
    provider.script(upstream, reply="Seven.")
    engine = index(EMBEDDERS[embedder]()).as_query_engine(llm=llm, similarity_top_k=1)
    answer = engine.query(QUESTION)
    assert answer.response == "Seven."
    assert [source.node.text for source in answer.source_nodes] == [PASSAGES[0]]
    prompt = str(provider.last(upstream).json["messages"])
    assert PASSAGES[0] in prompt and QUESTION in prompt
    assert PASSAGES[1] not in prompt and PASSAGES[2] not in prompt


def test_an_answer_is_streamed(llm, provider, upstream):
    provider.script(upstream, chunks=["Seven ", "cormorants."])
    engine = index(EMBEDDERS["azure"]()).as_query_engine(llm=llm, similarity_top_k=1, streaming=True)
    pieces = list(engine.query(QUESTION).response_gen)
    assert "".join(pieces) == "Seven cormorants."
    assert len(pieces) > 1


async def test_an_async_chat(llm):
    reply = await llm.achat([ChatMessage(role="user", content="hello")])
    assert reply.message.content == "You said: hello"
