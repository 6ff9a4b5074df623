"""Tool calls, whole and in fragments, and their results on the way back."""

import json

import pytest

from conftest import user

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALLS = [
    {"id": "call_paris", "name": "weather", "arguments": {"city": "Paris"}},
    {"id": "call_oslo", "name": "weather", "arguments": {"city": "Oslo, Norway"}},
]


@pytest.fixture
def asked(model, provider, upstream):
    """A request whose upstream wants the weather of two cities."""
    provider.script(upstream, tools=CALLS)
    return {"model": model, "messages": user("weather in Paris and Oslo?"), "tools": [WEATHER]}


def test_parallel_tool_calls(client, asked, provider, upstream):
    reply = client.chat.completions.create(**asked, tool_choice="auto", parallel_tool_calls=True)
    choice = reply.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    seen = [(call.id, call.type, call.function.name) for call in choice.message.tool_calls]
    assert seen == [("call_paris", "function", "weather"), ("call_oslo", "function", "weather")]
    arguments = [json.loads(call.function.arguments) for call in choice.message.tool_calls]
    assert arguments == [{"city": "Paris"}, {"city": "Oslo, Norway"}]
    received = provider.last(upstream).json
    assert received["tools"] == [WEATHER]
    assert (received["tool_choice"], received["parallel_tool_calls"]) == ("auto", True)


def test_arguments_arrive_in_fragments_that_join(client, asked):
    calls = {}
    fragments = 0
    for chunk in client.chat.completions.create(**asked, stream=True):
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": None, "name": "", "arguments": ""})
            call["id"] = delta.id or call["id"]
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
            fragments += bool(delta.function.arguments)
        finish_reason = chunk.choices[0].finish_reason
    assert finish_reason == "tool_calls"
    assert [calls[0]["id"], calls[1]["id"]] == ["call_paris", "call_oslo"]
    assert [calls[0]["name"], calls[1]["name"]] == ["weather", "weather"]
    assert json.loads(calls[0]["arguments"]) == {"city": "Paris"}
    assert json.loads(calls[1]["arguments"]) == {"city": "Oslo, Norway"}
    assert fragments > 2


async def test_the_stream_helper_builds_the_calls(async_client, asked):
    async with async_client.chat.completions.stream(**asked) as stream:
        reply = await stream.get_final_completion()
    calls = reply.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Oslo, Norway"}]


def test_results_reach_the_upstream(client, model, provider, upstream):
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        *user("weather in Paris?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    reply = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "stop"
    assert provider.last(upstream).json["messages"] == messages


def test_arguments_that_are_not_json_are_the_callers_to_judge(client, model, provider, upstream):
    provider.script(upstream, tools=[{"id": "call_1", "name": "weather", "arguments": '{"city": "Par'}])
    reply = client.chat.completions.create(model=model, messages=user("weather?"), tools=[WEATHER])
    assert reply.choices[0].message.tool_calls[0].function.arguments == '{"city": "Par'
